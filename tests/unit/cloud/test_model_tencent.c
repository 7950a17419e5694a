/* Tencent's data template: each of its types, and the codes of its reply (403, 406). */
#include "tests/unit/cloud/model_case.h"

/* clang-format off */
static const char template[] = TEXT({
    "version": "1.0",
    "profile": {"ProductId": "P", "CategoryId": "1"},
    "properties": [
        {"id": "b", "name": "switch", "mode": "rw", "required": true,
         "define": {"type": "bool", "mapping": {"0": "off", "1": "on"}}},
        {"id": "i", "mode": "rw", "define": {"type": "int", "min": "0", "max": "100", "start": "0",
                                             "step": "1", "unit": "%"}},
        {"id": "f", "mode": "r", "define": {"type": "float", "min": -1.5, "max": 1.5}},
        {"id": "s", "mode": "rw", "define": {"type": "string", "min": "1", "max": "4"}},
        {"id": "long", "define": {"type": "string"}},
        {"id": "e", "define": {"type": "enum", "mapping": {"0": "red", "7": "blue"}}},
        {"id": "se", "define": {"type": "stringenum", "mapping": {"red": "1", "bl/ue": "2"}}},
        {"id": "t", "define": {"type": "timestamp"}},
        {"id": "st", "define": {"type": "struct", "specs": [
            {"id": "x", "dataType": {"type": "int", "min": "0", "max": "9"}},
            {"id": "on", "dataType": {"type": "bool", "mapping": {"0": "", "1": ""}}}]}},
        {"id": "ai", "define": {"type": "array", "size": "1",
                                "arrayInfo": {"type": "int", "min": "0", "max": "9"}}},
        {"id": "as", "define": {"type": "array", "arrayInfo": {"type": "struct", "specs": [
            {"id": "y", "dataType": {"type": "string", "min": "0", "max": "2"}}]}}}],
    "events": [{"id": "fire", "type": "alert", "params": [
        {"id": "where", "define": {"type": "string", "min": "0", "max": "8"}}]}],
    "actions": [{"id": "open",
        "input": [{"id": "angle", "define": {"type": "int", "min": "0", "max": "180"}}],
        "output": [{"id": "done", "define": {"type": "bool", "mapping": {"0": "", "1": ""}}}]}]
});
/* clang-format on */

static int setup(void **state)
{
    *state = model_of("tencent", template);
    return 0;
}

static int teardown(void **state)
{
    sky_model_free(*state);
    return 0;
}

static void each_type_takes_its_own(void **state)
{
    static const struct value_case rows[] = {
        {"b", "0", SKY_MODEL_FINE, 0},
        {"b", "1", SKY_MODEL_FINE, 0},
        {"b", "true", SKY_MODEL_FORM, 0},
        {"b", "false", SKY_MODEL_FORM, 0},
        {"b", "2", SKY_MODEL_ENUM, 406},
        {"b", "\"1\"", SKY_MODEL_TYPE, 406},
        {"b", "null", SKY_MODEL_TYPE, 406},
        {"i", "0", SKY_MODEL_FINE, 0},
        {"i", "100", SKY_MODEL_FINE, 0},
        {"i", "-1", SKY_MODEL_RANGE, 406},
        {"i", "101", SKY_MODEL_RANGE, 406},
        {"i", "1.0", SKY_MODEL_TYPE, 406},
        {"i", "1e1", SKY_MODEL_TYPE, 406},
        {"f", "-1.500000", SKY_MODEL_FINE, 0},
        {"f", "1", SKY_MODEL_FINE, 0},
        {"f", "1.500001", SKY_MODEL_RANGE, 406},
        {"f", "\"1\"", SKY_MODEL_TYPE, 406},
        {"s", "\"a\"", SKY_MODEL_FINE, 0},
        {"s", "\"\u00e9\u00e9\\u00e9\u00e9\"", SKY_MODEL_FINE, 0},
        {"s", "\"\\ud83d\\ude00abc\"", SKY_MODEL_FINE, 0},
        {"s", "\"abcde\"", SKY_MODEL_LENGTH, 406},
        {"s", "\"\"", SKY_MODEL_LENGTH, 406},
        {"s", "1", SKY_MODEL_TYPE, 406},
        {"long", "\"\"", SKY_MODEL_FINE, 0},
        {"e", "7", SKY_MODEL_FINE, 0},
        {"e", "1", SKY_MODEL_ENUM, 406},
        {"e", "\"red\"", SKY_MODEL_TYPE, 406},
        {"se", "\"red\"", SKY_MODEL_FINE, 0},
        {"se", "\"bl\\/ue\"", SKY_MODEL_FINE, 0},
        {"se", "\"green\"", SKY_MODEL_ENUM, 406},
        {"se", "0", SKY_MODEL_TYPE, 406},
        {"t", "0", SKY_MODEL_FINE, 0},
        {"t", "1700000000", SKY_MODEL_FINE, 0},
        {"t", "\"1700000000000\"", SKY_MODEL_FORM, 0},
        {"t", "\"noon\"", SKY_MODEL_TYPE, 406},
        {"t", "-1", SKY_MODEL_TYPE, 406},
        {"t", "1.5", SKY_MODEL_TYPE, 406},
        {"st", "{}", SKY_MODEL_FINE, 0},
        {"st", "{\"x\":9,\"on\":1}", SKY_MODEL_FINE, 0},
        {"st", "{\"x\":9,\"on\":true}", SKY_MODEL_FORM, 0},
        {"st", "{\"on\":true,\"x\":10}", SKY_MODEL_RANGE, 406},
        {"st", "{\"y\":9}", SKY_MODEL_UNKNOWN, 406},
        {"st", "3", SKY_MODEL_TYPE, 406},
        {"ai", "[]", SKY_MODEL_FINE, 0},
        {"ai", "[0,9]", SKY_MODEL_FINE, 0},
        {"ai", "[0,10]", SKY_MODEL_RANGE, 406},
        {"ai", "[0,\"9\"]", SKY_MODEL_ELEMENT, 406},
        {"ai", "{}", SKY_MODEL_TYPE, 406},
        {"as", "[{\"y\":\"ab\"},{}]", SKY_MODEL_FINE, 0},
        {"as", "[{\"y\":\"ab\"},{\"y\":\"abc\"}]", SKY_MODEL_LENGTH, 406},
        {"none", "1", SKY_MODEL_UNKNOWN, 403},
    };
    run_values(*state, SKY_MODEL_PROPERTIES, "", rows, SKY_COUNT(rows));
}

static void texts_have_a_length_where_none_is_given(void **state)
{
    static char text[2052];
    static const struct value_case fits[] = {{"long", text, SKY_MODEL_FINE, 0}};
    static const struct value_case over[] = {{"long", text, SKY_MODEL_LENGTH, 406}};
    snprintf(text, sizeof text, "\"%2048s\"", "");
    run_values(*state, SKY_MODEL_PROPERTIES, "", fits, 1);
    snprintf(text, sizeof text, "\"%2049s\"", "");
    run_values(*state, SKY_MODEL_PROPERTIES, "", over, 1);
}

static void events_and_actions_have_parameters(void **state)
{
    static const struct value_case fire[] = {{"where", "\"hall\"", SKY_MODEL_FINE, 0},
                                             {"where", "1", SKY_MODEL_TYPE, 406},
                                             {"when", "1", SKY_MODEL_UNKNOWN, 403}};
    static const struct value_case none[] = {{"where", "1", SKY_MODEL_NO_ITEM, 403}};
    static const struct value_case in[] = {{"angle", "180", SKY_MODEL_FINE, 0},
                                           {"angle", "181", SKY_MODEL_RANGE, 406}};
    static const struct value_case out[] = {{"done", "1", SKY_MODEL_FINE, 0}};
    run_values(*state, SKY_MODEL_EVENT, "fire", fire, SKY_COUNT(fire));
    run_values(*state, SKY_MODEL_EVENT, "flood", none, SKY_COUNT(none));
    run_values(*state, SKY_MODEL_SERVICE_IN, "open", in, SKY_COUNT(in));
    run_values(*state, SKY_MODEL_SERVICE_OUT, "open", out, SKY_COUNT(out));
    run_values(*state, SKY_MODEL_SERVICE_OUT, "shut", none, SKY_COUNT(none));
}

/* `count` properties. */
static sky_span many(struct sky_arena *arena, size_t count)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_MODEL_TEXT_MAX);
    sky_buf_add_str(&out, "{\"properties\":[");
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(&out, "%s{\"id\":\"p%zu\",\"define\":{\"type\":\"timestamp\"}}",
                     i == 0 ? "" : ",", i);
    sky_buf_add_str(&out, "],\"events\":[{\"id\":\"e\"}]}");
    assert_false(out.overflow);
    sky_span text = sky_arena_copy(arena, sky_buf_span(&out));
    sky_buf_done(&out);
    return text;
}

static void a_product_has_100_properties_and_events(void **state)
{
    (void)state;
    struct sky_arena arena;
    struct sky_model *model;
    struct sky_model_whys whys;
    sky_arena_init(&arena);
    assert_int_equal(sky_model_compile(model_form("tencent"), many(&arena, 99), &model, &whys),
                     SKY_OK);
    sky_model_free(model);
    assert_int_not_equal(sky_model_compile(model_form("tencent"), many(&arena, 100), &model, &whys),
                         SKY_OK);
    assert_non_null(strstr(whys.list[0].reason, "101 properties"));
    sky_arena_done(&arena);
}

static void a_broken_model_is_pointed_at(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct broken_case rows[] = {
        {TEXT({"properties": [{"id": "a", "dataType": {"type": "int"}}]}), "/properties/0",
         "no type"},
        {TEXT({"properties": [{"id": "a", "define": {"type": "bool"}}]}), "/properties/0",
         "mapping"},
        {TEXT({"properties": [{"id": "a", "define": {"type": "enum", "mapping": {"x": ""}}}]}),
         "/properties/0/define/mapping/x", "whole"},
        {TEXT({"properties": [{"id": "a", "define": {"type": "float", "min": "3", "max": "2"}}]}),
         "/properties/0", "greater"},
        {TEXT({"properties": [{"id": "a", "define": {"type": "string", "min": "3", "max": "2"}}]}),
         "/properties/0", "less"},
        {TEXT({"properties": [{"id": "a", "define": {"type": "array"}}]}), "/properties/0",
         "elements"},
        {TEXT({"properties": [{"id": "a", "define": {"type": "struct", "specs": [
            {"id": "b", "define": {"type": "int"}}]}}]}), "/properties/0/define/specs/0", "no type"},
        {TEXT({"actions": [{"id": "a", "input": [
            {"id": "b", "define": {"type": "timestamp"}},
            {"id": "b", "define": {"type": "timestamp"}}]}]}), "/actions/0/input/1/id", "twice"},
    };
    /* clang-format on */
    run_broken("tencent", rows, SKY_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_takes_its_own),
        cmocka_unit_test(texts_have_a_length_where_none_is_given),
        cmocka_unit_test(events_and_actions_have_parameters),
        cmocka_unit_test(a_product_has_100_properties_and_events),
        cmocka_unit_test(a_broken_model_is_pointed_at),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
