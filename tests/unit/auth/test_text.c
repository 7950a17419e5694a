#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/text.h"
#include "protocol/base/mem.h"

static void hexadecimal_is_written_in_either_case(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x00, 0x09, 0xaf, 0xff};
    char hex[9];
    sky_hex_lower(sky_span_of(bytes, 4), hex);
    assert_string_equal("0009afff", hex);
    sky_hex_upper(sky_span_of(bytes, 4), hex);
    assert_string_equal("0009AFFF", hex);
    sky_hex_lower(SKY_SPAN_NONE, hex);
    assert_string_equal("", hex);
}

static void hexadecimal_is_read_in_either_case(void **state)
{
    (void)state;
    uint8_t out[4];
    size_t len = 99;
    assert_true(sky_hex_decode(SKY_SPAN("00aFFf09"), out, sizeof out, &len));
    assert_int_equal(4, len);
    assert_memory_equal("\x00\xaf\xff\x09", out, 4);
    assert_true(sky_hex_decode(SKY_SPAN(""), out, sizeof out, &len));
    assert_int_equal(0, len);
}

static void broken_hexadecimal_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"0", "0g", "g0", " 0", "0 ", "0x", "::", "//", "@@", "``"};
    uint8_t out[4];
    size_t len = 99;
    for (size_t i = 0; i < SKY_COUNT(broken); i++)
        assert_false(sky_hex_decode(sky_span_str(broken[i]), out, sizeof out, &len));
    assert_false(sky_hex_decode(SKY_SPAN("0011223344"), out, sizeof out, &len));
    assert_int_equal(99, len);
}

struct base64_case {
    const char *bytes, *text;
};

/* RFC 4648 §10. */
static const struct base64_case base64_cases[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
};

static void base64_is_that_of_the_standard_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(base64_cases); i++) {
        sky_span bytes = sky_span_str(base64_cases[i].bytes);
        sky_span text = sky_span_str(base64_cases[i].text);
        char encoded[16];
        uint8_t decoded[8];
        size_t len = 99;
        sky_base64_encode(bytes, encoded);
        assert_string_equal(base64_cases[i].text, encoded);
        assert_int_equal(text.len, sky_base64_len(bytes.len));
        assert_true(sky_base64_decode(text, decoded, sizeof decoded, &len));
        assert_int_equal(bytes.len, len);
        assert_memory_equal(bytes.ptr, decoded, len);
    }
}

static void every_byte_survives_base64(void **state)
{
    (void)state;
    uint8_t all[256], back[256];
    char text[345];
    size_t len;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    sky_base64_encode(sky_span_of(all, sizeof all), text);
    assert_int_equal(344, strlen(text));
    assert_true(sky_base64_decode(sky_span_str(text), back, sizeof back, &len));
    assert_int_equal(256, len);
    assert_memory_equal(all, back, 256);
}

static void base64_that_is_not_strict_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"Z",        "Zg",   "Zg=",  "Zm9v\n", "Zm 9",
                                         "Zg==Zg==", "====", "=Zm9", "Z===",   "Zm9-",
                                         "Zm9_",     "Zh==", "Zm9=", "Zg=a",   "Zm9vZg="};
    uint8_t out[16];
    size_t len = 99;
    for (size_t i = 0; i < SKY_COUNT(broken); i++)
        assert_false(sky_base64_decode(sky_span_str(broken[i]), out, sizeof out, &len));
    assert_int_equal(99, len);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    uint8_t out[3];
    size_t len;
    assert_true(sky_base64_decode(SKY_SPAN("Zm9v"), out, 3, &len));
    assert_false(sky_base64_decode(SKY_SPAN("Zm9v"), out, 2, &len));
    assert_true(sky_hex_decode(SKY_SPAN("001122"), out, 3, &len));
    assert_false(sky_hex_decode(SKY_SPAN("001122"), out, 2, &len));
}

static void percent_encoding_keeps_what_a_url_may_hold(void **state)
{
    (void)state;
    char out[64], back[32];
    size_t len;
    sky_percent_encode(SKY_SPAN("aZ09-._~+/= %\n"), out);
    assert_string_equal("aZ09-._~%2B%2F%3D%20%25%0A", out);
    assert_true(sky_percent_decode(sky_span_str(out), false, back, sizeof back, &len));
    assert_true(sky_span_eq(SKY_SPAN("aZ09-._~+/= %\n"), sky_span_of(back, len)));
    assert_true(sky_percent_decode(SKY_SPAN("a+b%2f"), false, back, sizeof back, &len));
    assert_true(sky_span_eq(SKY_SPAN("a+b/"), sky_span_of(back, len)));
    static const char *const bad[] = {"%", "%2", "%2g", "a%", "%%41"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(sky_percent_decode(sky_span_str(bad[i]), false, back, sizeof back, &len));
    assert_true(sky_percent_decode(SKY_SPAN("a+b%2B"), true, back, sizeof back, &len));
    assert_true(sky_span_eq(SKY_SPAN("a b+"), sky_span_of(back, len)));
    assert_true(sky_percent_decode(SKY_SPAN("%41b"), false, back, 2, &len));
    assert_false(sky_percent_decode(SKY_SPAN("%41bc"), false, back, 2, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_encoding_keeps_what_a_url_may_hold),
        cmocka_unit_test(hexadecimal_is_written_in_either_case),
        cmocka_unit_test(hexadecimal_is_read_in_either_case),
        cmocka_unit_test(broken_hexadecimal_is_refused),
        cmocka_unit_test(base64_is_that_of_the_standard_both_ways),
        cmocka_unit_test(every_byte_survives_base64),
        cmocka_unit_test(base64_that_is_not_strict_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
