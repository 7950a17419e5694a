#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "protocol/base/utf8.h"

/* The shortest forms of a code point, as RFC 3629 §3 gives them; 0 for what must not be encoded. */
static size_t encode(uint32_t code, char out[4])
{
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
        return 0;
    size_t tails = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[tails] | code >> (6 * tails));
    for (size_t i = 1; i <= tails; i++)
        out[i] = (char)(0x80 | (code >> (6 * (tails - i)) & 0x3f));
    return tails + 1;
}

static void accepts_every_code_point_and_no_prefix_of_one(void **state)
{
    (void)state;
    char text[4];
    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        size_t len = encode(code, text);
        if (len != sky_utf8_valid(sky_span_of(text, len)))
            fail_msg("U+%04X is refused", code);
        for (size_t cut = 1; cut < len; cut++)
            if (sky_utf8_valid(sky_span_of(text, cut)) != 0)
                fail_msg("U+%04X is accepted after %zu bytes", code, cut);
    }
}

static void refuses_all_else_in_three_bytes(void **state)
{
    (void)state;
    size_t good = 0;
    for (uint32_t bytes = 0; bytes < 1 << 24; bytes++) {
        char text[3] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes};
        good += sky_utf8_valid(sky_span_of(text, 3)) == 3;
    }
    /* 127 ASCII, 1920 two-byte and 61440 three-byte sequences. */
    assert_int_equal(good, 127 * 127 * 127 + 2 * 127 * 1920 + 61440);
}

static void names_the_length_of_the_valid_prefix(void **state)
{
    static const struct {
        sky_span text;
        size_t valid;
    } rows[] = {
        {{"", 0}, 0},
        {{NULL, 0}, 0},
        {{"abc\0def", 7}, 3},
        {{"0123456789abcde\0", 16}, 15},
        {{"01234567\x80", 9}, 8},
        {{"a\xc0\x80", 3}, 1},         /* overlong NUL */
        {{"a\xed\xa0\x80", 4}, 1},     /* surrogate */
        {{"a\xf0\x80\x80\xaf", 5}, 1}, /* overlong */
        {{"a\xf4\x90\x80\x80", 5}, 1}, /* beyond U+10FFFF */
        {{"a\xf5\x80\x80\x80", 5}, 1},
        {{"\xef\xbb\xbf", 3}, 3},   /* U+FEFF is a character like others, 1.5.3-3 */
        {{"\x01\x1f\x7f\n", 4}, 4}, /* control characters may stay */
        {{"\xf0\x9f\x98\x80\xf0\x9f\x98", 7}, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(sky_utf8_valid(rows[i].text), rows[i].valid);
}

static void finds_one_bad_byte_at_any_place_in_long_text(void **state)
{
    (void)state;
    static const char bad[] = {'\0', '\x80', '\xff'};
    for (size_t len = 1; len < 40; len++) {
        for (size_t at = 0; at < len; at++) {
            char *text = malloc(len); /* exact, so that a sanitizer sees one byte too many */
            memset(text, 'x', len);
            text[at] = bad[(len + at) % sizeof bad];
            assert_int_equal(sky_utf8_valid(sky_span_of(text, len)), at);
            text[at] = '\x7f';
            assert_int_equal(sky_utf8_valid(sky_span_of(text, len)), len);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_code_point_and_no_prefix_of_one),
        cmocka_unit_test(refuses_all_else_in_three_bytes),
        cmocka_unit_test(names_the_length_of_the_valid_prefix),
        cmocka_unit_test(finds_one_bad_byte_at_any_place_in_long_text),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
