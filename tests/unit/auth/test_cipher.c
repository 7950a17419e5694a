#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/cipher.h"
#include "auth/text.h"

/* NIST SP 800-38A §F.2.1, CBC-AES128.Encrypt. */
static const char nist_key[] = "2b7e151628aed2a6abf7158809cf4f3c";
static const char nist_iv[] = "000102030405060708090a0b0c0d0e0f";
static const char nist_plain[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
static const char nist_cipher[] =
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2";

static void from_hex(const char *hex, uint8_t *out, size_t size)
{
    size_t len;
    assert_true(sky_hex_decode(sky_span_str(hex), out, size, &len));
    assert_int_equal(size, len);
}

static void whole_blocks_are_those_of_the_standard(void **state)
{
    (void)state;
    uint8_t key[16], iv[16], plain[32], due[32], out[32];
    from_hex(nist_key, key, sizeof key);
    from_hex(nist_iv, iv, sizeof iv);
    from_hex(nist_plain, plain, sizeof plain);
    from_hex(nist_cipher, due, sizeof due);
    assert_int_equal(32, sky_cipher_len(32));
    sky_cipher_encrypt(key, iv, sky_span_of(plain, sizeof plain), out);
    assert_memory_equal(due, out, sizeof out);
    assert_int_equal(0x0f, iv[15]);
}

static void a_last_part_is_filled_with_zeros(void **state)
{
    (void)state;
    const uint8_t key[16] = "0123456789abcdef", iv[16] = {0};
    char plain[48];
    memset(plain, 'x', sizeof plain);
    for (size_t len = 1; len < 33; len++) {
        uint8_t padded[48] = {0}, due[48] = {0}, out[48] = {0};
        memcpy(padded, plain, len);
        sky_cipher_encrypt(key, iv, sky_span_of(padded, sky_cipher_len(len)), due);
        sky_cipher_encrypt(key, iv, sky_span_of(plain, len), out);
        assert_memory_equal(due, out, sizeof out);
    }
}

static void lengths_round_up_to_blocks(void **state)
{
    (void)state;
    assert_int_equal(0, sky_cipher_len(0));
    assert_int_equal(16, sky_cipher_len(1));
    assert_int_equal(16, sky_cipher_len(16));
    assert_int_equal(32, sky_cipher_len(17));
}

static void nothing_makes_nothing(void **state)
{
    (void)state;
    const uint8_t key[16] = {0}, iv[16] = {0};
    uint8_t out[1] = {0x5a};
    sky_cipher_encrypt(key, iv, SKY_SPAN_NONE, out);
    assert_int_equal(0x5a, out[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_blocks_are_those_of_the_standard),
        cmocka_unit_test(a_last_part_is_filled_with_zeros),
        cmocka_unit_test(lengths_round_up_to_blocks),
        cmocka_unit_test(nothing_makes_nothing),
    };
    return cmocka_run_group_tests_name("cipher", tests, NULL, NULL);
}
