#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/base/span.h"

static void compares_bytes_and_lengths(void **state)
{
    (void)state;
    assert_true(sky_span_eq(SKY_SPAN("ab"), SKY_SPAN("ab")));
    assert_false(sky_span_eq(SKY_SPAN("ab"), SKY_SPAN("abc")));
    assert_false(sky_span_eq(SKY_SPAN("ab"), SKY_SPAN("aB")));
    assert_true(sky_span_eq(SKY_SPAN_NONE, SKY_SPAN("")));
    assert_true(sky_span_eq_str(SKY_SPAN_NONE, NULL));
    assert_true(sky_span_eq_nocase(SKY_SPAN("Content-LENGTH"), SKY_SPAN("content-length")));
    assert_false(sky_span_eq_nocase(SKY_SPAN("["), SKY_SPAN("{"))); /* letters only */
}

static void cuts_heads_and_tails_within_bounds(void **state)
{
    (void)state;
    sky_span s = SKY_SPAN("abc");
    assert_true(sky_span_eq_str(sky_span_head(s, 2), "ab"));
    assert_true(sky_span_eq_str(sky_span_head(s, 9), "abc"));
    assert_true(sky_span_eq_str(sky_span_tail(s, 2), "c"));
    assert_int_equal(sky_span_tail(s, 3).len, 0);
    assert_int_equal(sky_span_tail(s, 9).len, 0);
}

static void finds_prefixes_suffixes_and_parts(void **state)
{
    (void)state;
    sky_span s = SKY_SPAN("/sys/x");
    assert_true(sky_span_starts(s, SKY_SPAN("/sys")));
    assert_false(sky_span_starts(s, SKY_SPAN("/sys/x/")));
    assert_true(sky_span_ends(s, SKY_SPAN("/x")));
    assert_false(sky_span_ends(SKY_SPAN("x"), SKY_SPAN("/x")));
    assert_true(sky_span_contains(s, SKY_SPAN("s/x")));
    assert_true(sky_span_contains(s, SKY_SPAN("")));
    assert_false(sky_span_contains(s, SKY_SPAN("s/y")));
    assert_false(sky_span_contains(SKY_SPAN("s"), SKY_SPAN("s/y")));
    assert_true(sky_span_contains_nocase(SKY_SPAN("aAbaAaBAc"), SKY_SPAN("AABAC")));
    assert_true(sky_span_contains_nocase(SKY_SPAN("\0[\xff"), SKY_SPAN("[\xff")));
    assert_false(sky_span_contains_nocase(SKY_SPAN("[\xc4"), SKY_SPAN("{")));
    assert_false(sky_span_contains_nocase(SKY_SPAN("\xc4"), SKY_SPAN("\xe4"))); /* ASCII only */
    assert_true(sky_span_contains_nocase(SKY_SPAN_NONE, SKY_SPAN("")));
    assert_false(sky_span_contains_nocase(SKY_SPAN_NONE, SKY_SPAN("a")));
}

/* As a look at every place does. */
static void finds_parts_in_any_case(void **state)
{
    char text[] = "........", part[] = "...";
    (void)state;
    for (unsigned bits = 0; bits < 1U << 11; bits++) {
        bool wanted = false;
        for (size_t i = 0; i < 8; i++)
            text[i] = "aB"[bits >> i & 1];
        for (size_t i = 0; i < 3; i++)
            part[i] = "Ab"[bits >> (8 + i) & 1];
        for (size_t at = 0; at + 3 <= 8; at++)
            wanted |= sky_span_eq_nocase(sky_span_of(text + at, 3), sky_span_str(part));
        assert_true(sky_span_contains_nocase(sky_span_str(text), sky_span_str(part)) == wanted);
    }
}

static void cuts_at_the_first_separator_or_changes_nothing(void **state)
{
    (void)state;
    sky_span before = SKY_SPAN("kept"), after = before;
    assert_false(sky_span_cut(SKY_SPAN("abc"), '=', &before, &after));
    assert_false(sky_span_cut(SKY_SPAN_NONE, '=', &before, &after));
    assert_true(sky_span_eq_str(before, "kept") && sky_span_eq_str(after, "kept"));
    assert_true(sky_span_cut(SKY_SPAN("a=b=c"), '=', &before, &after));
    assert_true(sky_span_eq_str(before, "a") && sky_span_eq_str(after, "b=c"));
}

static void iterates_over_pieces_and_keeps_empty_ones(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *pieces[4];
    } rows[] = {
        {"a,,b", 3, {"a", "", "b"}}, {"a,", 2, {"a", ""}}, {",a", 2, {"", "a"}}, {"a", 1, {"a"}},
        {",", 2, {"", ""}},          {"", 1, {""}},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_span rest = sky_span_str(rows[i].text), piece;
        size_t count = 0;
        while (sky_span_next(&rest, ',', &piece))
            assert_true(count < 4 && sky_span_eq_str(piece, rows[i].pieces[count++]));
        assert_int_equal(count, rows[i].count);
    }
    sky_span none = SKY_SPAN_NONE, piece;
    assert_false(sky_span_next(&none, ',', &piece));
}

static void trims_blanks_and_control_characters(void **state)
{
    (void)state;
    assert_true(sky_span_eq_str(sky_span_trim(SKY_SPAN(" \t\r\na b\x7f ")), "a b"));
    assert_int_equal(sky_span_trim(SKY_SPAN(" \n")).len, 0);
    assert_true(sky_span_eq_str(sky_span_trim(SKY_SPAN("\xc3\xa4")), "\xc3\xa4"));
}

static void reads_decimal_numbers_only(void **state)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "99999999999999999999"};
    (void)state;
    int64_t value = -7;
    for (size_t i = 0; i < SKY_COUNT(bad); i++)
        assert_false(sky_span_to_int(sky_span_str(bad[i]), &value));
    assert_int_equal(value, -7);
    assert_true(sky_span_to_int(SKY_SPAN("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(sky_span_to_int(SKY_SPAN("007"), &value));
    assert_int_equal(value, 7);
}

static void copies_only_what_fits_with_its_nul(void **state)
{
    (void)state;
    char out[4] = "xyz";
    assert_true(sky_span_copy(SKY_SPAN("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_false(sky_span_copy(SKY_SPAN("abcd"), out, sizeof out));
    assert_string_equal(out, "");
    assert_true(sky_span_copy(SKY_SPAN_NONE, out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_bytes_and_lengths),
        cmocka_unit_test(cuts_heads_and_tails_within_bounds),
        cmocka_unit_test(finds_prefixes_suffixes_and_parts),
        cmocka_unit_test(finds_parts_in_any_case),
        cmocka_unit_test(cuts_at_the_first_separator_or_changes_nothing),
        cmocka_unit_test(iterates_over_pieces_and_keeps_empty_ones),
        cmocka_unit_test(trims_blanks_and_control_characters),
        cmocka_unit_test(reads_decimal_numbers_only),
        cmocka_unit_test(copies_only_what_fits_with_its_nul),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
