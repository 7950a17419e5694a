#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "server/pattern/regex.h"

static enum sky_regex_answer found(const char *text, sky_span subject)
{
    struct sky_why why;
    struct sky_regex *regex = sky_regex_new(sky_span_str(text), &why);
    if (regex == NULL)
        fail_msg("%s: %s", text, why.reason);
    size_t work = SKY_REGEX_WORK_MAX;
    enum sky_regex_answer answer = sky_regex_find(regex, subject, &work);
    sky_regex_free(regex);
    return answer;
}

static void is_refused(sky_span text, const char *reason)
{
    struct sky_why why = {0};
    assert_null(sky_regex_new(text, &why));
    if (strstr(why.reason, reason) == NULL)
        fail_msg("%s", why.reason);
    assert_string_equal(why.pointer, "");
}

static sky_span repeated(struct sky_buf *out, const char *piece, size_t count)
{
    sky_buf_init(out, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        sky_buf_add_str(out, piece);
    return sky_buf_span(out);
}

static void it_is_found_anywhere(void **state)
{
    (void)state;
    assert_int_equal(found("b+", SKY_SPAN("abbc")), SKY_REGEX_YES);
    assert_int_equal(found("^b", SKY_SPAN("abbc")), SKY_REGEX_NO);
    assert_int_equal(found("^$", SKY_SPAN_NONE), SKY_REGEX_YES);
    assert_int_equal(found("(?i)TEMP", SKY_SPAN("{\"temp\":1}")), SKY_REGEX_YES);
}

static void bytes_that_are_no_text_match_nothing_and_hurt_nobody(void **state)
{
    (void)state;
    assert_int_equal(found("b", SKY_SPAN("\xff\xfe\x80"
                                         "b\xc3")),
                     SKY_REGEX_YES);
    assert_int_equal(found("^.$", SKY_SPAN("\xff")), SKY_REGEX_NO);
    assert_int_equal(found("^.$", SKY_SPAN("\xc3\xa4")), SKY_REGEX_YES);
    assert_int_equal(found("a\\x{0}b", SKY_SPAN("a\0b")), SKY_REGEX_YES);
}

static void an_expression_has_limits(void **state)
{
    struct sky_buf text;
    (void)state;
    assert_int_equal(found(repeated(&text, "a", SKY_REGEX_TEXT_MAX).ptr ? "a" : "", SKY_SPAN("a")),
                     SKY_REGEX_YES);
    struct sky_regex *regex = sky_regex_new(sky_buf_span(&text), NULL);
    assert_non_null(regex);
    sky_regex_free(regex);
    sky_buf_add_byte(&text, 'a');
    is_refused(sky_buf_span(&text), "1 to 512 bytes");
    sky_buf_done(&text);
    is_refused(SKY_SPAN_NONE, "1 to 512 bytes");
    is_refused(SKY_SPAN("a(b"), "at byte 3");
    is_refused(SKY_SPAN("\\C"), "\\C");
    is_refused(SKY_SPAN("\xff"), "UTF-8");
}

static void parentheses_stand_in_each_other_so_deep(void **state)
{
    (void)state;
    for (int depth = SKY_REGEX_NEST_MAX; depth <= SKY_REGEX_NEST_MAX + 1; depth++) {
        char text[2 * SKY_REGEX_NEST_MAX + 4];
        memset(text, '(', (size_t)depth);
        text[depth] = 'a';
        memset(text + depth + 1, ')', (size_t)depth);
        if (depth > SKY_REGEX_NEST_MAX)
            is_refused(sky_span_of(text, 2 * (size_t)depth + 1), "too");
        else
            sky_regex_free(sky_regex_new(sky_span_of(text, 2 * (size_t)depth + 1), NULL));
    }
}

static void what_it_is_compiled_to_has_a_limit(void **state)
{
    (void)state;
    assert_int_equal(found("(a{1,20}){1,40}$", SKY_SPAN("aa")), SKY_REGEX_YES);
    is_refused(SKY_SPAN("((abcdefg){1,15}){1,30}"), "may have 32768");
    is_refused(
        SKY_SPAN("(((((((((a{1,99}){1,99}){1,99}){1,99}){1,99}){1,99}){1,99}){1,99}){1,99})"),
        "too large");
}

/* Each of them takes ages without a limit. */
static void an_expression_that_finds_no_end_gives_up(void **state)
{
    static const struct {
        const char *text, *piece;
        size_t count;
    } cases[] = {
        {"(a+)+$", "a", 1000},
        {"(a|aa)+$", "a", 1000},
        {"(a*)*[bc]", "a", 1000},
        {"^(.*?,){11}P", "1,2,3,4,5,6,7,8,9,10,11,12,", 500},
        {"[a-z ]*[0-9]", "a b ", 65536},
        {"(?:a?){50}a{50}$", "a", 60},
        {"(x+x+)+[yz]", "x", 200000},
        {"((a{1,20}){1,40})$", "a", 200000},
        {"(.)*(.)*(.)*(.)*(.)*[yz]", "q", 5000},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        struct sky_buf subject;
        repeated(&subject, cases[i].piece, cases[i].count);
        sky_buf_add_byte(&subject, '!');
        if (found(cases[i].text, sky_buf_span(&subject)) != SKY_REGEX_GAVE_UP)
            fail_msg("%s did not give up", cases[i].text);
        sky_buf_done(&subject);
    }
}

static void what_people_look_for_stays_below_the_limits(void **state)
{
    struct sky_buf subject;
    (void)state;
    repeated(&subject, "{\"id\":\"1\",\"params\":{\"temp\":19.5}} ", 7000);
    assert_int_equal(found("\"temp\":\\s*2\\d", sky_buf_span(&subject)), SKY_REGEX_NO);
    assert_int_equal(found("\"temp\":\\s*19", sky_buf_span(&subject)), SKY_REGEX_YES);
    sky_buf_done(&subject);
    repeated(&subject, "x", 10000);
    assert_int_equal(found("^.*y", sky_buf_span(&subject)), SKY_REGEX_NO);
    assert_int_equal(found("^(?:x|y)*$", sky_span_head(sky_buf_span(&subject), 200)),
                     SKY_REGEX_YES);
    sky_buf_done(&subject);
}

static void what_one_look_costs_the_next_one_lacks(void **state)
{
    struct sky_why why;
    struct sky_buf text;
    size_t work = 2 * SKY_REGEX_WORK_MAX, before = work;
    (void)state;
    struct sky_regex *cheap = sky_regex_new(SKY_SPAN("xa"), &why);
    struct sky_regex *dear = sky_regex_new(SKY_SPAN("(x+x+)+[yz]"), &why);
    sky_span subject = repeated(&text, "x", 5000);
    assert_int_equal(sky_regex_find(cheap, SKY_SPAN("xa"), &work), SKY_REGEX_YES);
    assert_true(work < before && work > before - 100);
    while (work > 0)
        assert_int_equal(sky_regex_find(dear, subject, &work), SKY_REGEX_GAVE_UP);
    assert_int_equal(sky_regex_find(cheap, SKY_SPAN("xa"), &work), SKY_REGEX_GAVE_UP);
    sky_regex_free(dear);
    sky_regex_free(cheap);
    sky_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_found_anywhere),
        cmocka_unit_test(what_one_look_costs_the_next_one_lacks),
        cmocka_unit_test(bytes_that_are_no_text_match_nothing_and_hurt_nobody),
        cmocka_unit_test(an_expression_has_limits),
        cmocka_unit_test(parentheses_stand_in_each_other_so_deep),
        cmocka_unit_test(what_it_is_compiled_to_has_a_limit),
        cmocka_unit_test(an_expression_that_finds_no_end_gives_up),
        cmocka_unit_test(what_people_look_for_stays_below_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
