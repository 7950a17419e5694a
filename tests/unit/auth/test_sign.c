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

static void without_fields_the_text_stands_as_it_is(void **state)
{
    (void)state;
    struct sky_recipe recipe = {.digest = SKY_SHA1, .keying = SKY_HMAC};
    recipe.text = SKY_SPAN("clientId12345deviceNamedeviceproductKeypktimestamp789");
    assert_true(sky_sign_matches(&recipe, SKY_SPAN("secret"), sky_span_str(example_hex)));
}

static void hash_append_is_the_digest_of_text_and_secret(void **state)
{
    (void)state;
    struct sky_recipe recipe = {.digest = SKY_SHA256, .keying = SKY_HASH_APPEND};
    uint8_t out[SKY_DIGEST_MAX], due[SKY_DIGEST_MAX];
    sky_span whole = SKY_SPAN("textsecret");
    recipe.text = SKY_SPAN("text");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written_name_then_value),
        cmocka_unit_test(without_fields_the_text_stands_as_it_is),
        cmocka_unit_test(hash_append_is_the_digest_of_text_and_secret),
        cmocka_unit_test(a_match_ignores_the_case_of_digits_and_nothing_else),
        cmocka_unit_test(a_longer_digest_is_no_match),
        cmocka_unit_test(a_text_at_the_limit_is_signed_and_a_longer_one_is_not),
        cmocka_unit_test(a_buffer_that_is_too_small_is_told),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
