#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/json.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"

static void is(sky_span got, const char *want)
{
    if (!sky_span_eq_str(got, want))
        fail_msg("%.*s and not %s", SKY_SPAN_ARGS(got), want);
}

static void members_are_read_as_written(void **state)
{
    struct sky_json_member member;
    sky_span text = SKY_SPAN("{ \"a b\"\t:\n[ 1 , { \"x\" : \"},\" } ] , \"c\\\"\" : -1.50 }");
    sky_span rest = sky_json_inside(text);
    (void)state;
    assert_true(sky_json_next_member(&rest, &member));
    is(member.key, "a b");
    is(member.value, "[ 1 , { \"x\" : \"},\" } ]");
    assert_true(sky_json_next_member(&rest, &member));
    is(member.key, "c\\\"");
    is(member.value, "-1.50");
    assert_false(sky_json_next_member(&rest, &member));
    assert_int_equal(sky_json_member(text, "c").len, 0);
    is(sky_json_member(text, "c\\\""), "-1.50");
}

static void elements_are_read_as_written(void **state)
{
    sky_span value, rest = sky_json_inside(SKY_SPAN("[ [ ] ,\"a,]\\\"\", {\"b\":[1,2]},null ]"));
    static const char *const want[] = {"[ ]", "\"a,]\\\"\"", "{\"b\":[1,2]}", "null"};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(want); i++) {
        assert_true(sky_json_next_element(&rest, &value));
        is(value, want[i]);
    }
    assert_false(sky_json_next_element(&rest, &value));
    rest = sky_json_inside(SKY_SPAN("[ \t\n]"));
    assert_false(sky_json_next_element(&rest, &value));
}

static void keys_are_found_however_they_are_spelled(void **state)
{
    struct sky_arena arena;
    sky_span object =
        SKY_SPAN("{\"m\\u0065thod\":1,\"\xc3\xa4\":2,\"\\uD83D\\uDE00\":3,\"a\\/b\":4}");
    static const struct {
        const char *key, *value;
    } rows[] = {{"method", "1"}, {"\\u00E4", "2"}, {"\xf0\x9f\x98\x80", "3"},
                {"a/b", "4"},    {"methoc", ""},   {"method ", ""},
                {"", ""}};
    (void)state;
    sky_arena_init(&arena);
    const struct sky_json_index index = sky_json_index(object, &arena);
    assert_int_equal(index.count, 4);
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        is(sky_json_find(&index, sky_span_str(rows[i].key)), rows[i].value);
    is(sky_json_member(object, "method"), "1");
    const struct sky_json_index none = sky_json_index(SKY_SPAN("[1]"), &arena);
    assert_int_equal(sky_json_find(&none, SKY_SPAN("a")).len, 0);
    sky_arena_done(&arena);
}

/* Whatever is written with escapes and what is not sort alike. */
static void keys_have_one_order(void **state)
{
    static const char *const rising[] = {"",         "\\u0001",        "\\t",
                                         "a",        "a\\u0061",       "aab",
                                         "ab",       "b\\\\",          "\\u007f",
                                         "\xc3\xa4", "\\u00e5",        "\xe2\x82\xac",
                                         "\\uffff",  "\\ud800\\udc00", "\xf0\x90\x80\x81"};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rising); i++)
        for (size_t j = 0; j < SKY_COUNT(rising); j++) {
            int got = sky_json_compare(sky_span_str(rising[i]), sky_span_str(rising[j]));
            if ((got > 0) - (got < 0) != (i > j) - (i < j))
                fail_msg("%s compared with %s is %d", rising[i], rising[j], got);
        }
}

static void strings_and_numbers_have_a_value(void **state)
{
    struct sky_arena arena;
    (void)state;
    sky_arena_init(&arena);
    is(sky_json_string(&arena, SKY_SPAN("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00 z\"")),
       "\"\\/\b\f\n\r\t\xc3\xa4\xf0\x9f\x98\x80 z");
    assert_int_equal(sky_json_string(&arena, SKY_SPAN("7")).len, 0);
    assert_true(sky_json_number(SKY_SPAN("-12.5e1")) == -125);
    assert_true(sky_json_number(SKY_SPAN("\"7\"")) == 0);
    sky_arena_done(&arena);
}

static void depth_is_that_of_the_brackets(void **state)
{
    (void)state;
    assert_int_equal(sky_json_depth(SKY_SPAN("1")), 0);
    assert_int_equal(sky_json_depth(SKY_SPAN("\"[[\"")), 0);
    assert_int_equal(sky_json_depth(SKY_SPAN("{\"a\":[],\"b\":{\"c\":[1]},\"d\":1}")), 3);
}

static void blanks_go_and_spelling_stays_or_becomes_one(void **state)
{
    sky_span text = SKY_SPAN("{ \"a b\" :\n[ 1.50 , \"\\u00e4 \\/\" , \"x  y\",{} ]\t}");
    struct sky_arena arena;
    struct sky_buf out;
    (void)state;
    sky_arena_init(&arena);
    sky_buf_init(&out, text.len);
    is(sky_json_compact(&arena, text), "{\"a b\":[1.50,\"\\u00e4 \\/\",\"x  y\",{}]}");
    is(sky_json_compact(&arena, SKY_SPAN("\"a b\"")), "\"a b\"");
    sky_json_rewrite(&out, text);
    is(sky_buf_span(&out), "{\"a b\":[1.50,\"\xc3\xa4 /\",\"x  y\",{}]}");
    sky_buf_done(&out);
    sky_arena_done(&arena);
}

static void values_are_the_same_by_what_they_mean(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"1", "1.0", true},
        {"10", "1e1", true},
        {"1", "2", false},
        {"1", "\"1\"", false},
        {"true", "true", true},
        {"true", "false", false},
        {"null", "0", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"a\"", "\"ab\"", false},
        {"[1, 2]", "[1,2.0]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,2]", false},
        {"[1,2]", "[1]", false},
        {"[]", "{}", false},
        {"{\"a\":1,\"b\":[{}]}", "{ \"b\":[{ }] , \"\\u0061\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":2}", false},
    };
    struct sky_arena arena;
    (void)state;
    sky_arena_init(&arena);
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_json_same(sky_span_str(rows[i].a), sky_span_str(rows[i].b), &arena) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    sky_arena_done(&arena);
}

static void a_pointer_leads_to_a_piece_of_the_text(void **state)
{
    static const char text[] =
        " {\"a\": [10, {\"b/c~\": \"deep\", \"\\u0064\": {\"\": null}}], \"e\": \"x\" }";
    static const struct {
        const char *piece, *pointer;
    } rows[] = {
        {"{\"a\"", ""},      {"10", "/a/0"},  {"{\"b/c~", "/a/1"},    {"deep", "/a/1/b~1c~0"},
        {"null", "/a/1/d/"}, {"\"x\"", "/e"}, {"b/c", "/a/1/b~1c~0"}, {"[10, {", "/a"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char pointer[40];
        sky_span piece = sky_span_of(strstr(text, rows[i].piece), strlen(rows[i].piece));
        sky_json_pointer(sky_span_str(text), piece, pointer, sizeof pointer);
        assert_string_equal(pointer, rows[i].pointer);
    }
    char small[5];
    sky_json_pointer(sky_span_str(text), sky_span_of(strstr(text, "deep"), 4), small, sizeof small);
    assert_string_equal(small, "/a/1");
    sky_json_pointer(sky_span_str(text), sky_span_of(strstr(text, "deep"), 4), small, 4);
    assert_string_equal(small, "/a");
}

static void a_text_is_measured_in_bytes_and_characters(void **state)
{
    static const struct {
        const char *written;
        size_t bytes, characters;
    } rows[] = {{"", 0, 0},
                {"ab", 2, 2},
                {"\\n\\\"\\\\", 3, 3},
                {"\u00e9\\u00e9", 4, 2},
                {"\u20ac\\u20ac", 6, 2},
                {"\U0001f600\\ud83d\\ude00", 8, 2}};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct sky_json_size size = sky_json_measure(sky_span_str(rows[i].written));
        assert_int_equal(size.bytes, rows[i].bytes);
        assert_int_equal(size.characters, rows[i].characters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_as_written),
        cmocka_unit_test(elements_are_read_as_written),
        cmocka_unit_test(keys_are_found_however_they_are_spelled),
        cmocka_unit_test(keys_have_one_order),
        cmocka_unit_test(strings_and_numbers_have_a_value),
        cmocka_unit_test(depth_is_that_of_the_brackets),
        cmocka_unit_test(blanks_go_and_spelling_stays_or_becomes_one),
        cmocka_unit_test(values_are_the_same_by_what_they_mean),
        cmocka_unit_test(a_pointer_leads_to_a_piece_of_the_text),
        cmocka_unit_test(a_text_is_measured_in_bytes_and_characters),
    };
    return cmocka_run_group_tests_name("json_view", tests, NULL, NULL);
}
