#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/sign.h"
#include "auth/text.h"

static struct sky_recipe example(void)
{
    return (struct sky_recipe){
        .digest = SKY_SHA1,
        .keying = SKY_HMAC,
        .fields = {{SKY_SPAN("clientId"), SKY_SPAN("12345")},
                   {SKY_SPAN("deviceName"), SKY_SPAN("device")},
                   {SKY_SPAN("productKey"), SKY_SPAN("pk")},
                   {SKY_SPAN("timestamp"), SKY_SPAN("789")}},
        .field_count = 4,
    };
}

static const char example_hex[] = "FAFD82A3D602B37FB0FA8B7892F24A477F851A14";

static void fields_are_written_name_then_value(void **state)
{
    (void)state;
    struct sky_recipe recipe = example();
    struct sky_buf text;
    sky_buf_init(&text, SKY_SIGN_TEXT_MAX);
    assert_true(sky_sign_text(&recipe, &text));
    assert_true(sky_span_eq_str(sky_buf_span(&text),
                                "clientId12345deviceNamedeviceproductKeypktimestamp789"));
    sky_buf_done(&text);
}

static void a_ready_made_text_is_one_bare_value(void **state)
{
    (void)state;
    struct sky_recipe recipe = {
        .digest = SKY_SHA1, .keying = SKY_HMAC, .style = {.values_only = true}};
    sky_recipe_add(&recipe, "", SKY_SPAN("clientId12345deviceNamedeviceproductKeypktimestamp789"));
    assert_true(sky_sign_matches(&recipe, SKY_SPAN("secret"), sky_span_str(example_hex)));
}

static void hash_append_is_the_digest_of_text_and_secret(void **state)
{
    (void)state;
    struct sky_recipe recipe = {
        .digest = SKY_SHA256, .keying = SKY_HASH_APPEND, .style = {.values_only = true}};
    uint8_t out[SKY_DIGEST_MAX], due[SKY_DIGEST_MAX];
    sky_span whole = SKY_SPAN("textsecret");
    sky_recipe_add(&recipe, "", SKY_SPAN("text"));
    assert_int_equal(32, sky_sign(&recipe, SKY_SPAN("secret"), out));
    sky_digest_hash(SKY_SHA256, &whole, 1, due);
    assert_memory_equal(due, out, 32);
}

static void a_match_ignores_the_case_of_digits_and_nothing_else(void **state)
{
    (void)state;
    struct sky_recipe recipe = example();
    sky_span secret = SKY_SPAN("secret"), hex = sky_span_str(example_hex);
    char text[64];
    assert_true(sky_sign_matches(&recipe, secret, hex));
    assert_true(
        sky_sign_matches(&recipe, secret, SKY_SPAN("fafd82a3d602b37fb0fa8b7892f24a477f851a14")));
    for (size_t i = 0; i < hex.len; i++) {
        memcpy(text, example_hex, sizeof example_hex);
        text[i] = text[i] == '0' ? '1' : '0';
        assert_false(sky_sign_matches(&recipe, secret, sky_span_str(text)));
    }
    assert_false(sky_sign_matches(&recipe, secret, SKY_SPAN_NONE));
    assert_false(sky_sign_matches(&recipe, secret, sky_span_head(hex, 38)));
    assert_false(sky_sign_matches(&recipe, secret, SKY_SPAN("not hexadecimal")));
    assert_false(sky_sign_matches(&recipe, SKY_SPAN("Secret"), hex));
}

static void a_longer_digest_is_no_match(void **state)
{
    (void)state;
    struct sky_recipe recipe = example();
    char text[140] = "";
    memcpy(text, example_hex, 40);
    for (size_t len = 42; len < sizeof text; len += 2) {
        memset(text + 40, '0', len - 40);
        assert_false(sky_sign_matches(&recipe, SKY_SPAN("secret"), sky_span_of(text, len)));
    }
}

static void a_text_at_the_limit_is_signed_and_a_longer_one_is_not(void **state)
{
    (void)state;
    static char filler[SKY_SIGN_TEXT_MAX + 1];
    memset(filler, 'x', sizeof filler);
    for (size_t more = 0; more <= 1; more++) {
        struct sky_recipe recipe = {.digest = SKY_MD5, .keying = SKY_HMAC, .field_count = 1};
        recipe.fields[0] =
            (struct sky_pair){SKY_SPAN("k"), sky_span_of(filler, SKY_SIGN_TEXT_MAX - 1 + more)};
        uint8_t out[SKY_DIGEST_MAX];
        struct sky_buf text;
        sky_buf_init(&text, SIZE_MAX / 2);
        assert_int_equal(more ? 0 : 16, sky_sign(&recipe, SKY_SPAN("s"), out));
        assert_int_equal(!more, sky_sign_text(&recipe, &text));
        assert_false(more && sky_sign_matches(&recipe, SKY_SPAN("s"), SKY_SPAN("")));
        sky_buf_done(&text);
    }
}

static void a_buffer_that_is_too_small_is_told(void **state)
{
    (void)state;
    struct sky_recipe recipe = example();
    struct sky_buf text;
    sky_buf_init(&text, 10);
    assert_false(sky_sign_text(&recipe, &text));
    sky_buf_done(&text);
}

/* Login by token, as other clouds have it: bare values a line each, keyed with the decoded secret,
 * base64, to stand in a URL. */
static struct sky_recipe token_recipe(enum sky_encoding encoding)
{
    struct sky_recipe recipe = {.digest = SKY_SHA256,
                                .keying = SKY_HMAC,
                                .key_form = SKY_KEY_BASE64,
                                .encoding = encoding,
                                .style = {.values_only = true, .between = "\n"},
                                .sorted = true};
    assert_true(sky_recipe_add(&recipe, "version", SKY_SPAN("2018-10-31")));
    assert_true(sky_recipe_add(&recipe, "et", SKY_SPAN("1735689600")));
    assert_true(sky_recipe_add(&recipe, "res", SKY_SPAN("products/p1/devices/d1")));
    assert_true(sky_recipe_add(&recipe, "method", SKY_SPAN("sha256")));
    return recipe;
}

static const char token_secret[] = "MTIzNDU2Nzg5MGFiY2RlZg==";

static void a_recipe_states_style_order_key_form_and_encoding(void **state)
{
    (void)state;
    static const struct {
        enum sky_encoding encoding;
        const char *signature;
    } rows[] = {
        {SKY_BASE64, "DJB1kwpNHKCHWinx0rLzhm/Un6nezkCmh3vuHuZ4rwE="},
        {SKY_BASE64_PERCENT, "DJB1kwpNHKCHWinx0rLzhm%2FUn6nezkCmh3vuHuZ4rwE%3D"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sky_recipe recipe = token_recipe(rows[i].encoding);
        char signature[SKY_SIGNATURE_MAX + 1];
        sky_sign_write(&recipe, sky_span_str(token_secret), signature);
        assert_string_equal(rows[i].signature, signature);
        assert_true(
            sky_sign_matches(&recipe, sky_span_str(token_secret), sky_span_str(rows[i].signature)));
        assert_false(
            sky_sign_matches(&recipe, SKY_SPAN("no base64!"), sky_span_str(rows[i].signature)));
        assert_false(sky_sign_matches(&recipe, sky_span_str(token_secret), SKY_SPAN("DJB1")));
    }
}

/* Every encoding reads what it writes, and of the others' only what is the same text. */
static void encodings_are_told_apart(void **state)
{
    (void)state;
    uint8_t digest[SKY_DIGEST_MAX], back[SKY_DIGEST_MAX];
    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)(i * 37 + 251);
    for (int d = 0; d < SKY_DIGESTS; d++)
        for (int e = 0; e < SKY_ENCODINGS; e++) {
            char text[SKY_SIGNATURE_MAX + 1];
            size_t due = sky_digest_len((enum sky_digest)d), len;
            sky_encoding_write((enum sky_encoding)e, sky_span_of(digest, due), text);
            assert_true(sky_encoding_read((enum sky_encoding)e, sky_span_str(text), back,
                                          sizeof back, &len));
            assert_int_equal(due, len);
            assert_memory_equal(digest, back, due);
            for (int other = 0; other < SKY_ENCODINGS; other++)
                if (other / 2 != e / 2)
                    assert_false(sky_encoding_read((enum sky_encoding)other, sky_span_str(text),
                                                   back, sizeof back, &len) &&
                                 len == due);
            assert_true(sky_encoding_name((enum sky_encoding)e)[0] != '\0');
        }
}

static void a_key_is_made_of_a_secret_in_each_form(void **state)
{
    (void)state;
    uint8_t room[4];
    sky_span key;
    assert_true(sky_sign_key(SKY_KEY_TEXT, SKY_SPAN("61626364"), room, sizeof room, &key));
    assert_true(sky_span_eq_str(key, "61626364"));
    assert_true(sky_sign_key(SKY_KEY_HEX, SKY_SPAN("61626364"), room, sizeof room, &key));
    assert_true(sky_span_eq_str(key, "abcd"));
    assert_true(sky_sign_key(SKY_KEY_BASE64, SKY_SPAN("YWJjZA=="), room, sizeof room, &key));
    assert_true(sky_span_eq_str(key, "abcd"));
    assert_false(sky_sign_key(SKY_KEY_HEX, SKY_SPAN("6162636465"), room, sizeof room, &key));
    assert_false(sky_sign_key(SKY_KEY_BASE64, SKY_SPAN("YWJjZGU="), room, sizeof room, &key));
    assert_false(sky_sign_key(SKY_KEY_HEX, SKY_SPAN("xy"), room, sizeof room, &key));
    for (int form = 0; form < SKY_KEY_FORMS; form++)
        assert_false(sky_sign_key((enum sky_key_form)form, SKY_SPAN_NONE, room, sizeof room, &key));
}

static void fields_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    struct sky_recipe recipe = {.sorted = true};
    for (int i = 0; i < SKY_SIGN_FIELDS_MAX; i++)
        assert_true(sky_recipe_add(&recipe, i % 2 ? "b" : "a", SKY_SPAN("v")));
    assert_false(sky_recipe_add(&recipe, "c", SKY_SPAN("v")));
    assert_int_equal(SKY_SIGN_FIELDS_MAX, recipe.field_count);
    assert_true(sky_span_eq_str(recipe.fields[SKY_SIGN_FIELDS_MAX / 2 - 1].key, "a") &&
                sky_span_eq_str(recipe.fields[SKY_SIGN_FIELDS_MAX / 2].key, "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written_name_then_value),
        cmocka_unit_test(a_ready_made_text_is_one_bare_value),
        cmocka_unit_test(hash_append_is_the_digest_of_text_and_secret),
        cmocka_unit_test(a_match_ignores_the_case_of_digits_and_nothing_else),
        cmocka_unit_test(a_longer_digest_is_no_match),
        cmocka_unit_test(a_text_at_the_limit_is_signed_and_a_longer_one_is_not),
        cmocka_unit_test(a_buffer_that_is_too_small_is_told),
        cmocka_unit_test(a_recipe_states_style_order_key_form_and_encoding),
        cmocka_unit_test(encodings_are_told_apart),
        cmocka_unit_test(a_key_is_made_of_a_secret_in_each_form),
        cmocka_unit_test(fields_beyond_the_limit_are_refused),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
