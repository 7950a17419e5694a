#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"

static void parses(sky_span text, const char *want)
{
    cJSON *tree = NULL;
    struct sky_why why = {0};
    struct sky_buf out;
    if (sky_json_parse(text, SKY_JSON_DEPTH_MAX, &tree, &why) != SKY_OK)
        fail_msg("%.*s: %s", SKY_SPAN_ARGS(text), why.reason);
    sky_buf_init(&out, 4096);
    assert_true(sky_json_print(&out, tree));
    if (!sky_span_eq_str(sky_buf_span(&out), want))
        fail_msg("%.*s printed as %.*s", SKY_SPAN_ARGS(text), SKY_SPAN_ARGS(sky_buf_span(&out)));
    sky_buf_done(&out);
    cJSON_Delete(tree);
}

static void reads_a_value_and_prints_it_compactly(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {" { } ", "{}"},
        {"[\t]\r\n", "[]"},
        {"null", "null"},
        {"[true , false]", "[true,false]"},
        {"{\"a\" : [1, {\"b\": []}], \"A\": \"\"}", "{\"a\":[1,{\"b\":[]}],\"A\":\"\"}"},
        {"\"\\ud83d\\ude00\\/\\u00e4\"", "\"\xf0\x9f\x98\x80/\xc3\xa4\""},
        {"\"\\b\\f\\n\\r\\t\\u0001\\u001f\\\"\\\\\"", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\\"\\\\\""},
        {"{\"\":{\"\":0}}", "{\"\":{\"\":0}}"},
        {"\"\x7f\"", "\"\x7f\""},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        parses(sky_span_str(rows[i].text), rows[i].want);
}

static void keeps_numbers_exact_and_short(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-1", "-1"},
        {"1.0", "1"},
        {"1e3", "1000"},
        {"1700000000000", "1700000000000"},
        {"1000000000000000", "1000000000000000"},
        {"2147483648", "2147483648"},
        {"-9007199254740992", "-9007199254740992"},
        {"9007199254740991", "9007199254740991"},
        {"0.1", "0.1"},
        {"1.5e-7", "1.5e-07"},
        {"1e300", "1e+300"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"12345.678E+2", "1234567.8"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        parses(sky_span_str(rows[i].text), rows[i].want);
}

#define AT(line, column) "not JSON at line " #line ", column " #column ": "

static void refuses_what_rfc_8259_does_not_allow_and_says_where(void **state)
{
    static const struct {
        sky_span text;
        const char *reason;
    } rows[] = {
        {SKY_SPAN_NONE, AT(1, 1) "a value is missing"},
        {{" \n ", 3}, AT(2, 2) "a value is missing"},
        {{"{} x", 4}, AT(1, 4) "something follows the value"},
        {{"{}{}", 4}, AT(1, 3) "something follows the value"},
        {{"{}\0", 3}, AT(1, 3) "a NUL byte or invalid UTF-8"},
        {{"[\n\"\xc3\xa4\xff\"]", 7}, AT(2, 3) "a NUL byte or invalid UTF-8"},
        {{"\xef\xbb\xbf{}", 5}, AT(1, 1) "a value is missing"},
        {{"[1,]", 4}, AT(1, 4) "a value is missing"},
        {{"[1", 2}, AT(1, 3) "',' or ']' is missing"},
        {{"[", 1}, AT(1, 2) "a value is missing"},
        {{"[1}", 3}, AT(1, 3) "',' or ']' is missing"},
        {{"{\"a\":1]", 7}, AT(1, 7) "',' or '}' is missing"},
        {{"{", 1}, AT(1, 2) "a key in double quotes is missing"},
        {{"{a:1}", 5}, AT(1, 2) "a key in double quotes is missing"},
        {{"{\"a\":1,}", 8}, AT(1, 8) "a key in double quotes is missing"},
        {{"{\"1\":1,", 7}, AT(1, 8) "a key in double quotes is missing"},
        {{"{\"a\" 1}", 7}, AT(1, 6) "':' is missing after a key"},
        {{"{\"a\":}", 6}, AT(1, 6) "a value is missing"},
        {{"True", 4}, AT(1, 1) "a value is missing"},
        {{"tru", 3}, AT(1, 1) "a value is missing"},
        {{"nullx", 5}, AT(1, 5) "something follows the value"},
        {{"'a'", 3}, AT(1, 1) "a value is missing"},
        {{"[1\x01]", 4}, AT(1, 3) "',' or ']' is missing"},
        {{"01", 2}, AT(1, 1) "a number with a leading zero"},
        {{"-01", 3}, AT(1, 2) "a number with a leading zero"},
        {{"-", 1}, AT(1, 2) "a digit is missing in a number"},
        {{"+1", 2}, AT(1, 1) "a value is missing"},
        {{".5", 2}, AT(1, 1) "a value is missing"},
        {{"1.", 2}, AT(1, 3) "a digit is missing in a number"},
        {{"1e", 2}, AT(1, 3) "a digit is missing in a number"},
        {{"0x10", 4}, AT(1, 2) "something follows the value"},
        {{"NaN", 3}, AT(1, 1) "a value is missing"},
        {{"\"abc", 4}, AT(1, 5) "a string without its closing quote"},
        {{"\"abc\\", 5}, AT(1, 6) "an unknown escape in a string"},
        {{"\"\\x\"", 4}, AT(1, 3) "an unknown escape in a string"},
        {{"\"a\tb\"", 5}, AT(1, 3) "a control character in a string must be escaped"},
        {{"\"\\u12g4\"", 8}, AT(1, 6) "\\u needs four hexadecimal digits"},
        {{"\"\\u12", 5}, AT(1, 6) "\\u needs four hexadecimal digits"},
        {{"\"\\u0000\"", 8}, AT(1, 8) "\\u0000 is not accepted in a string"},
        {{"\"\\ud800\"", 8}, AT(1, 8) "half of a surrogate pair"},
        {{"\"\\ud800\\u0041\"", 14}, AT(1, 14) "half of a surrogate pair"},
        {{"\"\\udc00\\ud800\"", 14}, AT(1, 8) "half of a surrogate pair"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        cJSON *untouched = (cJSON *)state, *tree = untouched;
        struct sky_why why = {0};
        char *exact = sky_mem_new(rows[i].text.len); /* a sanitizer sees one byte too many */
        if (rows[i].text.len > 0)
            memcpy(exact, rows[i].text.ptr, rows[i].text.len);
        sky_span text = sky_span_of(rows[i].text.ptr ? exact : NULL, rows[i].text.len);
        assert_int_equal(sky_json_parse(text, SKY_JSON_DEPTH_MAX, &tree, &why), SKY_ERR_INVALID);
        assert_string_equal(why.reason, rows[i].reason);
        assert_ptr_equal(tree, untouched);
        free(exact);
    }
}

static void points_at_equal_keys_and_numbers_too_large(void **state)
{
    static const struct {
        const char *text, *pointer, *reason;
    } rows[] = {
        {"{\"a\":1,\"b\":2,\"a\":3}", "/a", "the key is there twice"},
        {"{\"x\":[0,{\"m/n~\":1,\"m/n~\":1}]}", "/x/1/m~1n~0", "the key is there twice"},
        {"{\"a\":1,\"\\u0061\":2}", "/a", "the key is there twice"},
        {"{\"a\":[{},{\"b\":{\"\\u00e4\":0,\"c\":1,\"\xc3\xa4\":2}}]}", "/a/1/b/\xc3\xa4",
         "the key is there twice"},
        {"{\"\":1,\"\":1}", "/", "the key is there twice"},
        {"{\"a\":{\"x\":1},\"b\":{\"x\":1},\"a\":1}", "/a", "the key is there twice"},
        {"[{\"a\":1},{\"a\":1e400}]", "/1/a", "the number is larger than 1.8e308"},
        {"[1,[1e999]]", "/1/0", "the number is larger than 1.8e308"},
        {"-1e999", "", "the number is larger than 1.8e308"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        cJSON *tree;
        struct sky_why why = {0};
        assert_int_equal(sky_json_parse(sky_span_str(rows[i].text), 8, &tree, &why),
                         SKY_ERR_INVALID);
        assert_string_equal(why.pointer, rows[i].pointer);
        assert_string_equal(why.reason, rows[i].reason);
    }
    parses(SKY_SPAN("{\"a\":1,\"A\":{\"a\":2}}"), "{\"a\":1,\"A\":{\"a\":2}}");
}

static sky_err parse_nested(int depth, int depth_max, char open, char close)
{
    char text[2 * SKY_JSON_DEPTH_MAX + 4];
    cJSON *tree;
    memset(text, open, (size_t)depth);
    memset(text + depth, close, (size_t)depth);
    sky_err err = sky_json_parse(sky_span_of(text, 2 * (size_t)depth), depth_max, &tree, NULL);
    if (err == SKY_OK) {
        assert_int_equal(sky_json_depth(sky_span_of(text, 2 * (size_t)depth)), depth);
        cJSON_Delete(tree);
    }
    return err;
}

static void bounds_the_depth(void **state)
{
    (void)state;
    assert_int_equal(parse_nested(3, 3, '[', ']'), SKY_OK);
    assert_int_equal(parse_nested(4, 3, '[', ']'), SKY_ERR_INVALID);
    assert_int_equal(parse_nested(64, SKY_JSON_DEPTH_MAX, '[', ']'), SKY_OK);
    assert_int_equal(parse_nested(65, SKY_JSON_DEPTH_MAX, '[', ']'), SKY_ERR_INVALID);
    cJSON *tree;
    assert_int_equal(sky_json_parse(SKY_SPAN("1"), 0, &tree, NULL), SKY_OK);
    cJSON_Delete(tree);
    assert_int_equal(sky_json_parse(SKY_SPAN("{}"), 0, &tree, NULL), SKY_ERR_INVALID);
    assert_int_equal(sky_json_parse(SKY_SPAN("{\"a\":{}}"), 2, &tree, NULL), SKY_OK);
    assert_int_equal(sky_json_depth(SKY_SPAN("1")), 0);
    assert_int_equal(sky_json_depth(SKY_SPAN("[\"[{\\\"[\",{}]")), 2);
    cJSON_Delete(tree);
}

/* Of one object, so that in `beside` there are as many again. */
static sky_err check_members(size_t count, size_t twin_of, struct sky_why *why)
{
    struct sky_buf text;
    sky_buf_init(&text, 4 * 1024 * 1024);
    sky_buf_add_str(&text, "[{\"beside\":{");
    for (size_t object = 0; object < 2; object++) {
        for (size_t i = 0; i < count; i++)
            sky_buf_addf(&text, "%s\"%zu\":0", i > 0 ? "," : "", i + 1 < count ? i : twin_of);
        sky_buf_add_str(&text, object == 0 ? "}},{" : "}]");
    }
    sky_err err = sky_json_check(sky_buf_span(&text), 3, why);
    sky_buf_done(&text);
    return err;
}

static void bounds_the_members_of_an_object(void **state)
{
    struct sky_why why;
    (void)state;
    assert_int_equal(check_members(SKY_JSON_MEMBERS_MAX, SKY_JSON_MEMBERS_MAX, &why), SKY_OK);
    assert_int_equal(check_members(SKY_JSON_MEMBERS_MAX + 1, SKY_JSON_MEMBERS_MAX + 1, &why),
                     SKY_ERR_INVALID);
    assert_string_equal(why.reason, "an object with more than 65536 members");
}

/* Each key differs from its neighbours late, and the pair is far apart. */
static void finds_a_twin_among_many_keys_in_little_time(void **state)
{
    struct sky_why why;
    (void)state;
    clock_t began = clock();
    assert_int_equal(check_members(SKY_JSON_MEMBERS_MAX, 4711, &why), SKY_ERR_INVALID);
    assert_string_equal(why.pointer, "/0/beside/4711");
    assert_string_equal(why.reason, "the key is there twice");
    assert_true(clock() - began < CLOCKS_PER_SEC); /* pair by pair it would be a minute */
}

static void bounds_the_length_of_a_number(void **state)
{
    (void)state;
    char digits[SKY_JSON_NUMBER_MAX + 1];
    cJSON *tree;
    memset(digits, '1', sizeof digits);
    assert_int_equal(sky_json_parse(sky_span_of(digits, SKY_JSON_NUMBER_MAX), 1, &tree, NULL),
                     SKY_OK);
    cJSON_Delete(tree);
    assert_int_equal(sky_json_parse(sky_span_of(digits, SKY_JSON_NUMBER_MAX + 1), 1, &tree, NULL),
                     SKY_ERR_INVALID);
}

static void gets_members_by_exact_key_and_type(void **state)
{
    (void)state;
    cJSON *tree;
    assert_int_equal(sky_json_parse(SKY_SPAN("{\"Id\":\"x\",\"n\":1}"), 1, &tree, NULL), SKY_OK);
    assert_string_equal(sky_json_get_str(tree, "Id"), "x");
    assert_null(sky_json_get_str(tree, "id"));
    assert_null(sky_json_get_str(tree, "n"));
    assert_non_null(sky_json_get(tree, "n"));
    assert_null(sky_json_get(sky_json_get(tree, "n"), "m"));
    assert_null(sky_json_get_str(NULL, "n"));
    cJSON_Delete(tree);
}

static void writes_values_with_commas_where_they_belong(void **state)
{
    (void)state;
    struct sky_buf out;
    sky_buf_init(&out, 256);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_int(&jw, "min", INT64_MIN);
    sky_jw_put_str(&jw, "s", "a\"b");
    sky_jw_put_bool(&jw, "t", true);
    sky_jw_key(&jw, "list");
    sky_jw_array(&jw);
    sky_jw_null(&jw);
    sky_jw_array(&jw);
    sky_jw_end_array(&jw);
    sky_jw_raw(&jw, SKY_SPAN("{\"raw\":1}"));
    sky_jw_end_array(&jw);
    sky_jw_put_span(&jw, "e", SKY_SPAN_NONE);
    sky_jw_end_object(&jw);
    assert_true(sky_span_eq_str(sky_buf_span(&out),
                                "{\"min\":-9223372036854775808,\"s\":\"a\\\"b\",\"t\":true,"
                                "\"list\":[null,[],{\"raw\":1}],\"e\":\"\"}"));
    sky_buf_done(&out);
}

static void writes_any_bytes_as_a_valid_string(void **state)
{
    (void)state;
    struct sky_buf out;
    sky_buf_init(&out, 256);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_str(&jw, SKY_SPAN("a\0\xff\xc3\xa4\xed\xa0\x80z"));
    assert_true(sky_span_eq_str(sky_buf_span(&out),
                                "\"a\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd"
                                "\xef\xbf\xbdz\""));
    assert_int_equal(sky_json_check(sky_buf_span(&out), 1, NULL), SKY_OK);
    sky_buf_done(&out);
}

static void says_when_the_text_did_not_fit(void **state)
{
    (void)state;
    cJSON *tree;
    struct sky_buf out;
    sky_buf_init(&out, 6);
    assert_int_equal(sky_json_parse(SKY_SPAN("[1,2]"), 1, &tree, NULL), SKY_OK);
    assert_true(sky_json_print(&out, tree));
    assert_false(sky_json_print(&out, tree));
    sky_buf_done(&out);
    cJSON_Delete(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_value_and_prints_it_compactly),
        cmocka_unit_test(keeps_numbers_exact_and_short),
        cmocka_unit_test(refuses_what_rfc_8259_does_not_allow_and_says_where),
        cmocka_unit_test(points_at_equal_keys_and_numbers_too_large),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(bounds_the_members_of_an_object),
        cmocka_unit_test(finds_a_twin_among_many_keys_in_little_time),
        cmocka_unit_test(bounds_the_length_of_a_number),
        cmocka_unit_test(gets_members_by_exact_key_and_type),
        cmocka_unit_test(writes_values_with_commas_where_they_belong),
        cmocka_unit_test(writes_any_bytes_as_a_valid_string),
        cmocka_unit_test(says_when_the_text_did_not_fit),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
