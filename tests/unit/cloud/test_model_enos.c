/* EnOS' models: each of their types, with quality and without; everything wrong is 1204. */
#include "protocol/cloud/enos/model.h"
#include "tests/unit/cloud/model_case.h"

/* clang-format off */
static const char text[] = TEXT({
    "modelId": "m",
    "attributes": {"place": {"dataType": "STRING", "isRequired": true}},
    "measurepoints": {
        "i": {"identifier": "i", "dataType": "INT", "hasQuality": false, "dataDefinition": null,
              "signalType": "AI", "unit": {"unitId": "kW", "multiplier": "ONE"}},
        "f": {"dataType": "FLOAT"},
        "q": {"dataType": "DOUBLE", "hasQuality": true, "dataDefinition": "null"},
        "qi": {"dataType": "INT", "hasQuality": true},
        "e": {"dataType": "ENUM",
              "dataDefinition": "{\"enumDesc\":{\"1\":\"a\",\"2\":\"b\"},\"enumType\":\"INT\"}"},
        "es": {"dataType": "ENUM",
               "dataDefinition": {"enumDesc": {"on": "a", "off": "b"}, "enumType": "STRING"}},
        "b": {"dataType": "BOOL", "dataDefinition": "{\"boolDesc\":{\"true\":\"\",\"false\":\"\"}}"},
        "s": {"dataType": "STRING", "dataDefinition": "{\"maxLength\":4}"},
        "long": {"dataType": "STRING", "dataDefinition": ""},
        "t": {"dataType": "TIMESTAMP"},
        "d": {"dataType": "DATE"},
        "st": {"dataType": "STRUCT", "dataDefinition": [
            {"identifier": "x", "dataType": "INT"},
            {"identifier": "y", "dataType": "STRING", "dataDefinition": "{\"maxLength\":2}"}]},
        "a": {"dataType": "ARRAY", "dataDefinition": "{\"type\":\"DOUBLE\"}"},
        "u": {"dataType": "FILE"}},
    "events": {"hot": {"eventType": "WARN",
                       "outputData": [{"identifier": "t", "dataType": "DOUBLE"}]}},
    "services": {"run": {"callType": "SYNC",
                         "inputData": [{"identifier": "n", "dataType": "INT"}],
                         "outputData": [{"identifier": "r", "dataType": "BOOL"}]}}
});
/* clang-format on */

static int setup(void **state)
{
    *state = model_of("enos", text);
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
        {"i", "1", SKY_MODEL_FINE, 0},
        {"i", "2147483647", SKY_MODEL_FINE, 0},
        {"i", "2147483648", SKY_MODEL_RANGE, 1204},
        {"i", "1.0", SKY_MODEL_TYPE, 1204},
        {"i", "1e2", SKY_MODEL_TYPE, 1204},
        {"i", "\"1\"", SKY_MODEL_TYPE, 1204},
        {"i", "{\"value\":1,\"quality\":0}", SKY_MODEL_TYPE, 1204},
        {"f", "1", SKY_MODEL_FINE, 0},
        {"f", "1.7e308", SKY_MODEL_FINE, 0},
        {"f", "\"1\"", SKY_MODEL_TYPE, 1204},
        {"q", "{\"value\":1.5,\"quality\":0}", SKY_MODEL_FINE, 0},
        {"q", "{\"quality\":9,\"value\":1}", SKY_MODEL_FINE, 0},
        {"q", "{\"value\":1,\"quality\":10}", SKY_MODEL_QUALITY, 1204},
        {"q", "{\"value\":1,\"quality\":-1}", SKY_MODEL_QUALITY, 1204},
        {"q", "{\"value\":1,\"quality\":\"1\"}", SKY_MODEL_QUALITY, 1204},
        {"q", "{\"value\":1}", SKY_MODEL_QUALITY, 1204},
        {"q", "{\"quality\":1}", SKY_MODEL_QUALITY, 1204},
        {"q", "{\"value\":1,\"quality\":1,\"time\":1}", SKY_MODEL_QUALITY, 1204},
        {"q", "1", SKY_MODEL_QUALITY, 1204},
        {"q", "{\"value\":\"1\",\"quality\":1}", SKY_MODEL_TYPE, 1204},
        {"qi", "{\"value\":1.0,\"quality\":1}", SKY_MODEL_TYPE, 1204},
        {"e", "2", SKY_MODEL_FINE, 0},
        {"e", "3", SKY_MODEL_ENUM, 1204},
        {"e", "\"2\"", SKY_MODEL_TYPE, 1204},
        {"es", "\"on\"", SKY_MODEL_FINE, 0},
        {"es", "\"o\\u006e\"", SKY_MODEL_FINE, 0},
        {"es", "\"ON\"", SKY_MODEL_ENUM, 1204},
        {"es", "1", SKY_MODEL_TYPE, 1204},
        {"b", "true", SKY_MODEL_FINE, 0},
        {"b", "0", SKY_MODEL_FINE, 0},
        {"b", "2", SKY_MODEL_ENUM, 1204},
        {"b", "\"true\"", SKY_MODEL_TYPE, 1204},
        {"s", "\"abcd\"", SKY_MODEL_FINE, 0},
        {"s", "\"\"", SKY_MODEL_LENGTH, 1204},
        {"s", "\"abcde\"", SKY_MODEL_LENGTH, 1204},
        {"s", "\"\u00e9\u00e9\"", SKY_MODEL_FINE, 0},
        {"s", "\"\u00e9\u00e9a\"", SKY_MODEL_LENGTH, 1204},
        {"t", "1700000000000", SKY_MODEL_FINE, 0},
        {"t", "\"1700000000000\"", SKY_MODEL_FINE, 0},
        {"t", "\"now\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11-28 23:59:59\"", SKY_MODEL_FINE, 0},
        {"d", "\"2026-13-28 23:59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11-28T23:59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026/11-28 23:59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11/28 23:59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11-28 23.59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11-28 23:59.59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-00-28 23:59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11-28 24:00:00\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-11-28\"", SKY_MODEL_TYPE, 1204},
        {"d", "\"2026-1+-28 23:59:59\"", SKY_MODEL_TYPE, 1204},
        {"d", "1", SKY_MODEL_TYPE, 1204},
        {"st", "{\"x\":1,\"y\":\"ab\"}", SKY_MODEL_FINE, 0},
        {"st", "{\"y\":\"abc\"}", SKY_MODEL_LENGTH, 1204},
        {"st", "{\"z\":1}", SKY_MODEL_UNKNOWN, 1204},
        {"a", "[1,2.5]", SKY_MODEL_FINE, 0},
        {"a", "[\"1\"]", SKY_MODEL_ELEMENT, 1204},
        {"u", "\"local://a\"", SKY_MODEL_FINE, 0},
        {"u", "\"\"", SKY_MODEL_LENGTH, 1204},
        {"none", "1", SKY_MODEL_UNKNOWN, 1204},
    };
    run_values(*state, SKY_MODEL_PROPERTIES, "", rows, SKY_COUNT(rows));
}

static void the_other_maps_are_models_too(void **state)
{
    static const struct value_case place[] = {{"place", "\"hall\"", SKY_MODEL_FINE, 0},
                                              {"i", "1", SKY_MODEL_UNKNOWN, 1204}};
    static const struct value_case hot[] = {{"t", "1", SKY_MODEL_FINE, 0},
                                            {"t", "\"1\"", SKY_MODEL_TYPE, 1204}};
    static const struct value_case none[] = {{"t", "1", SKY_MODEL_NO_ITEM, 1204}};
    static const struct value_case in[] = {{"n", "1", SKY_MODEL_FINE, 0}};
    static const struct value_case out[] = {{"r", "true", SKY_MODEL_FINE, 0}};
    run_values(*state, SKY_MODEL_ATTRIBUTES, "", place, SKY_COUNT(place));
    run_values(*state, SKY_MODEL_EVENT, "hot", hot, SKY_COUNT(hot));
    run_values(*state, SKY_MODEL_EVENT, "cold", none, SKY_COUNT(none));
    run_values(*state, SKY_MODEL_SERVICE_IN, "run", in, SKY_COUNT(in));
    run_values(*state, SKY_MODEL_SERVICE_OUT, "run", out, SKY_COUNT(out));
}

static void bounds_hold_where_none_are_given(void **state)
{
    static char value[SKY_MODEL_TEXT_MAX];
    static const struct {
        const char *name;
        size_t most;
        const char *unit;
        enum sky_model_fault_kind fault;
    } rows[] = {{"long", 1024, "a", SKY_MODEL_LENGTH}, {"a", 128, "1,", SKY_MODEL_SIZE}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        for (size_t over = 0; over < 2; over++) {
            bool array = rows[i].unit[1] != '\0';
            size_t len = (size_t)snprintf(value, sizeof value, "%s", array ? "[" : "\"");
            for (size_t n = 0; n < rows[i].most + over; n++)
                len += (size_t)snprintf(value + len, sizeof value - len, "%s", rows[i].unit);
            snprintf(value + len - array, sizeof value - len, "%s", array ? "]" : "\"");
            const struct value_case row = {rows[i].name, value, over ? rows[i].fault : 0,
                                           over ? 1204 : 0};
            run_values(*state, SKY_MODEL_PROPERTIES, "", &row, 1);
        }
    }
}

/* A member's definition is a string in the string that is its struct's. */
static void definitions_may_be_strings_in_strings(void **state)
{
    (void)state;
    static const struct value_case rows[] = {{"s", "{\"x\":\"ab\"}", SKY_MODEL_FINE, 0},
                                             {"s", "{\"x\":\"abc\"}", SKY_MODEL_LENGTH, 1204}};
    struct sky_model *model =
        model_of("enos", "{\"measurepoints\":{\"s\":{\"dataType\":\"STRUCT\",\"dataDefinition\":"
                         "\"[{\\\"identifier\\\":\\\"x\\\",\\\"dataType\\\":\\\"STRING\\\","
                         "\\\"dataDefinition\\\":\\\"{\\\\\\\"maxLength\\\\\\\":2}\\\"}]\"}}}");
    run_values(model, SKY_MODEL_PROPERTIES, "", rows, SKY_COUNT(rows));
    sky_model_free(model);
}

static void devices_that_ask_get_the_maps(void **state)
{
    struct sky_arena arena;
    sky_arena_init(&arena);
    sky_span maps = sky_enos__model_maps(*state, &arena);
    assert_int_equal(sky_json_check(maps, 8, NULL), SKY_OK);
    assert_true(
        sky_span_starts(maps, SKY_SPAN("{\"tslAttributeMap\":{\"place\":{\"dataType\":\"STRING\","
                                       "\"isRequired\":true}},\"tslMeasurepointMap\":{\"i\":{")));
    assert_true(sky_span_contains(maps, SKY_SPAN(",\"tslEventMap\":{\"hot\":{")));
    assert_true(sky_span_contains(maps, SKY_SPAN(",\"tslServiceMap\":{\"run\":{")));
    struct sky_model *few = model_of("enos", "{\"measurepoints\":{}}");
    assert_true(sky_span_eq_str(sky_enos__model_maps(few, &arena),
                                "{\"tslAttributeMap\":{},\"tslMeasurepointMap\":{},"
                                "\"tslEventMap\":{},\"tslServiceMap\":{}}"));
    sky_model_free(few);
    sky_arena_done(&arena);
}

static void a_broken_model_is_pointed_at(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct broken_case rows[] = {
        {TEXT({"measurepoints": {"a": {"dataType": "int"}}}), "/measurepoints/a", "int is no type"},
        {TEXT({"measurepoints": {"a/b": {}}}), "/measurepoints/a~1b", "no type"},
        {TEXT({"measurepoints": {"a": {"dataType": "STRING", "hasQuality": true}}}),
         "/measurepoints/a", "quality"},
        {TEXT({"measurepoints": {"a": {"dataType": "ENUM", "dataDefinition": null}}}),
         "/measurepoints/a", "enumDesc"},
        {TEXT({"measurepoints": {"a": {"dataType": "ENUM", "dataDefinition": "{"}}}),
         "/measurepoints/a/dataDefinition", "line 1"},
        {TEXT({"measurepoints": {"a": {"dataType": "STRING",
            "dataDefinition": "{\"maxLength\":\"x\"}"}}}),
         "/measurepoints/a/dataDefinition", "the text in it: maxLength is no number"},
        {TEXT({"services": {"a": {"inputData": [{"dataType": "INT"}]}}}),
         "/services/a/inputData/0", "no identifier"},
    };
    /* clang-format on */
    run_broken("enos", rows, SKY_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_takes_its_own),
        cmocka_unit_test(the_other_maps_are_models_too),
        cmocka_unit_test(bounds_hold_where_none_are_given),
        cmocka_unit_test(definitions_may_be_strings_in_strings),
        cmocka_unit_test(devices_that_ask_get_the_maps),
        cmocka_unit_test(a_broken_model_is_pointed_at),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
