#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/digest.h"
#include "auth/text.h"
#include "protocol/base/mem.h"

static void assert_hex(const char *due, const uint8_t *bytes, size_t len)
{
    char hex[SKY_DIGEST_HEX_MAX + 1];
    sky_hex_lower(sky_span_of(bytes, len), hex);
    assert_string_equal(due, hex);
}

struct hash_case {
    enum sky_digest digest;
    const char *text, *hex;
};

static const struct hash_case hash_cases[] = {
    /* RFC 1321 §A.5 */
    {SKY_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {SKY_MD5, "a", "0cc175b9c0f1b6a831c399e269772661"},
    {SKY_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {SKY_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {SKY_MD5, "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    /* FIPS 180-2 §A, §B */
    {SKY_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {SKY_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {SKY_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {SKY_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void digests_are_those_of_the_standards(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(hash_cases); i++) {
        const struct hash_case *c = &hash_cases[i];
        sky_span text = sky_span_str(c->text);
        uint8_t out[SKY_DIGEST_MAX];
        sky_digest_hash(c->digest, &text, 1, out);
        assert_hex(c->hex, out, sky_digest_len(c->digest));
    }
}

struct hmac_case {
    enum sky_digest digest;
    int key_byte; /* -1: `key` is text */
    size_t key_len;
    const char *key, *text, *hex;
};

static const char long_key_text[] = "Test Using Larger Than Block-Size Key - Hash Key First";

static const struct hmac_case hmac_cases[] = {
    /* RFC 2202 §2, cases 1, 2, 6 */
    {SKY_MD5, 0x0b, 16, NULL, "Hi There", "9294727a3638bb1c13f48ef8158bfc9d"},
    {SKY_MD5, -1, 0, "Jefe", "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"},
    {SKY_MD5, 0xaa, 80, NULL, long_key_text, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
    /* RFC 2202 §3, cases 1, 2, 6 */
    {SKY_SHA1, 0x0b, 20, NULL, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
    {SKY_SHA1, -1, 0, "Jefe", "what do ya want for nothing?",
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {SKY_SHA1, 0xaa, 80, NULL, long_key_text, "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
    /* RFC 4231 §4.2, §4.3, §4.7 */
    {SKY_SHA256, 0x0b, 20, NULL, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {SKY_SHA256, -1, 0, "Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {SKY_SHA256, 0xaa, 131, NULL, long_key_text,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

static void hmacs_are_those_of_the_standards(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(hmac_cases); i++) {
        const struct hmac_case *c = &hmac_cases[i];
        uint8_t filled[131], out[SKY_DIGEST_MAX];
        memset(filled, c->key_byte, sizeof filled);
        sky_span key = c->key_byte < 0 ? sky_span_str(c->key) : sky_span_of(filled, c->key_len);
        sky_span text = sky_span_str(c->text);
        sky_digest_hmac(c->digest, key, &text, 1, out);
        assert_hex(c->hex, out, sky_digest_len(c->digest));
    }
}

static void pieces_count_as_one_text(void **state)
{
    (void)state;
    sky_span whole = SKY_SPAN("clientId12345deviceNamedevice");
    for (size_t cut = 0; cut <= whole.len; cut++) {
        sky_span pieces[] = {sky_span_head(whole, cut), SKY_SPAN_NONE, sky_span_tail(whole, cut)};
        for (int digest = 0; digest < SKY_DIGESTS; digest++) {
            uint8_t one[SKY_DIGEST_MAX], many[SKY_DIGEST_MAX];
            size_t len = sky_digest_len((enum sky_digest)digest);
            sky_digest_hash((enum sky_digest)digest, &whole, 1, one);
            sky_digest_hash((enum sky_digest)digest, pieces, 3, many);
            assert_memory_equal(one, many, len);
            sky_digest_hmac((enum sky_digest)digest, SKY_SPAN("key"), &whole, 1, one);
            sky_digest_hmac((enum sky_digest)digest, SKY_SPAN("key"), pieces, 3, many);
            assert_memory_equal(one, many, len);
        }
    }
}

static void a_key_of_one_block_is_used_as_it_is_and_a_longer_one_hashed(void **state)
{
    (void)state;
    char key[65];
    memset(key, 'k', sizeof key);
    uint8_t hashed[SKY_DIGEST_MAX], direct[SKY_DIGEST_MAX], through[SKY_DIGEST_MAX];
    sky_span text = SKY_SPAN("text");
    for (size_t len = 64; len <= 65; len++) {
        sky_span whole = sky_span_of(key, len);
        sky_digest_hash(SKY_SHA256, &whole, 1, hashed);
        sky_digest_hmac(SKY_SHA256, whole, &text, 1, direct);
        sky_digest_hmac(SKY_SHA256, sky_span_of(hashed, 32), &text, 1, through);
        assert_int_equal(len == 65, memcmp(direct, through, 32) == 0);
    }
}

static void an_empty_key_and_an_empty_text_are_allowed(void **state)
{
    (void)state;
    uint8_t out[SKY_DIGEST_MAX];
    sky_digest_hmac(SKY_SHA256, SKY_SPAN_NONE, NULL, 0, out);
    assert_hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", out, 32);
}

static void equality_sees_every_byte_and_the_length(void **state)
{
    (void)state;
    char a[32] = {0}, b[32] = {0};
    assert_true(sky_digest_eq(sky_span_of(a, 32), sky_span_of(b, 32)));
    assert_true(sky_digest_eq(SKY_SPAN_NONE, sky_span_of(b, 0)));
    assert_false(sky_digest_eq(sky_span_of(a, 32), sky_span_of(b, 31)));
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] = (char)0x80;
        assert_false(sky_digest_eq(sky_span_of(a, 32), sky_span_of(b, 32)));
        b[i] = 0;
    }
}

static void digests_have_names(void **state)
{
    (void)state;
    assert_string_equal("md5", sky_digest_name(SKY_MD5));
    assert_string_equal("sha1", sky_digest_name(SKY_SHA1));
    assert_string_equal("sha256", sky_digest_name(SKY_SHA256));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(hmacs_are_those_of_the_standards),
        cmocka_unit_test(pieces_count_as_one_text),
        cmocka_unit_test(a_key_of_one_block_is_used_as_it_is_and_a_longer_one_hashed),
        cmocka_unit_test(an_empty_key_and_an_empty_text_are_allowed),
        cmocka_unit_test(equality_sees_every_byte_and_the_length),
        cmocka_unit_test(digests_have_names),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
