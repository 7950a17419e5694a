/* Alibaba's TSL: each of its types, and the codes of its log (63xx). */
#include "tests/unit/cloud/model_case.h"

/* clang-format off */
static const char tsl[] = TEXT({
    "schema": "x",
    "profile": {"productKey": "a1"},
    "properties": [
        {"identifier": "i", "accessMode": "r", "required": true,
         "dataType": {"type": "int", "specs": {"min": "-10", "max": "100", "unit": "C"}}},
        {"identifier": "any", "accessMode": "rw", "dataType": {"type": "int", "specs": {}}},
        {"identifier": "f", "accessMode": "rw",
         "dataType": {"type": "float", "specs": {"min": "-1.5", "max": "1.5", "step": "0.1"}}},
        {"identifier": "d", "dataType": {"type": "double", "specs": {"min": 0, "max": 1e300}}},
        {"identifier": "b", "accessMode": "rw",
         "dataType": {"type": "bool", "specs": {"0": "off", "1": "on"}}},
        {"identifier": "e", "dataType": {"type": "enum", "specs": {"-1": "x", "2": "y", "10": "z"}}},
        {"identifier": "t", "dataType": {"type": "text", "specs": {"length": "4"}}},
        {"identifier": "time", "dataType": {"type": "date", "specs": {}}},
        {"identifier": "s", "dataType": {"type": "struct", "specs": [
            {"identifier": "x", "dataType": {"type": "int", "specs": {"min": "0", "max": "9"}}},
            {"identifier": "l", "dataType": {"type": "text", "specs": {"length": "2"}}}]}},
        {"identifier": "a", "dataType": {"type": "array", "specs": {"size": "2",
            "item": {"type": "int"}}}},
        {"identifier": "as", "dataType": {"type": "array", "specs": {"size": "2",
            "item": {"type": "struct", "specs": [
                {"identifier": "v", "dataType": {"type": "float", "specs": {}}}]}}}}
    ],
    "events": [
        {"identifier": "post", "type": "info", "required": true, "outputData": [{}],
         "method": "thing.event.property.post"},
        {"identifier": "hot", "type": "alert", "outputData": [
            {"identifier": "level", "dataType": {"type": "int", "specs": {"min": "0"}}}]},
        {"identifier": "bare", "type": "info"}],
    "services": [
        {"identifier": "set", "inputData": [{}]},
        {"identifier": "get", "inputData": ["i", "f"]},
        {"identifier": "run", "callType": "sync",
         "inputData": [{"identifier": "how", "dataType": {"type": "text", "specs": {}}},
                       {"identifier": "long", "dataType": {"type": "int", "specs": {}}}],
         "outputData": [{"identifier": "done", "dataType": {"type": "bool",
             "specs": {"0": "n", "1": "y"}}}]}]
});
/* clang-format on */

static int setup(void **state)
{
    *state = model_of("aliyun", tsl);
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
        {"i", "-10", SKY_MODEL_FINE, 0},
        {"i", "100", SKY_MODEL_FINE, 0},
        {"i", "-0", SKY_MODEL_FINE, 0},
        {"i", "-11", SKY_MODEL_RANGE, 6306},
        {"i", "101", SKY_MODEL_RANGE, 6306},
        {"i", "1.0", SKY_MODEL_TYPE, 6306},
        {"i", "1e2", SKY_MODEL_TYPE, 6306},
        {"i", "1E0", SKY_MODEL_TYPE, 6306},
        {"i", "\"1\"", SKY_MODEL_TYPE, 6306},
        {"i", "true", SKY_MODEL_TYPE, 6306},
        {"i", "null", SKY_MODEL_TYPE, 6306},
        {"i", "{}", SKY_MODEL_TYPE, 6306},
        {"i", "[1]", SKY_MODEL_TYPE, 6306},
        {"i", "\"\"", SKY_MODEL_TYPE, 6306},
        {"any", "2147483647", SKY_MODEL_FINE, 0},
        {"any", "-2147483648", SKY_MODEL_FINE, 0},
        {"any", "2147483648", SKY_MODEL_RANGE, 6306},
        {"any", "-2147483649", SKY_MODEL_RANGE, 6306},
        {"any", "9223372036854775808", SKY_MODEL_RANGE, 6306},
        {"any", "123456789012345678901234567890123456789012345678901234567890123", SKY_MODEL_RANGE,
         6306},
        {"f", "-1.5", SKY_MODEL_FINE, 0},
        {"f", "1.5", SKY_MODEL_FINE, 0},
        {"f", "1", SKY_MODEL_FINE, 0},
        {"f", "15e-1", SKY_MODEL_FINE, 0},
        {"f", "1.50001", SKY_MODEL_RANGE, 6307},
        {"f", "1e9", SKY_MODEL_RANGE, 6307},
        {"f", "\"1.5\"", SKY_MODEL_TYPE, 6307},
        {"d", "0", SKY_MODEL_FINE, 0},
        {"d", "1e300", SKY_MODEL_FINE, 0},
        {"d", "1.1e300", SKY_MODEL_RANGE, 6322},
        {"d", "-1e-9", SKY_MODEL_RANGE, 6322},
        {"d", "false", SKY_MODEL_TYPE, 6322},
        {"b", "0", SKY_MODEL_FINE, 0},
        {"b", "1", SKY_MODEL_FINE, 0},
        {"b", "2", SKY_MODEL_ENUM, 6308},
        {"b", "1.0", SKY_MODEL_TYPE, 6308},
        {"b", "true", SKY_MODEL_TYPE, 6308},
        {"b", "\"1\"", SKY_MODEL_TYPE, 6308},
        {"e", "-1", SKY_MODEL_FINE, 0},
        {"e", "2", SKY_MODEL_FINE, 0},
        {"e", "10", SKY_MODEL_FINE, 0},
        {"e", "1", SKY_MODEL_ENUM, 6309},
        {"e", "2.0", SKY_MODEL_TYPE, 6309},
        {"e", "\"2\"", SKY_MODEL_TYPE, 6309},
        {"t", "\"\"", SKY_MODEL_FINE, 0},
        {"t", "\"abcd\"", SKY_MODEL_FINE, 0},
        {"t", "\"\\u00e9\\u00e9\"", SKY_MODEL_FINE, 0},
        {"t", "\"\\ud83d\\ude00\"", SKY_MODEL_FINE, 0},
        {"t", "\"\\n\\n\\n\\n\"", SKY_MODEL_FINE, 0},
        {"t", "\"abcde\"", SKY_MODEL_LENGTH, 6310},
        {"t", "\"\u00e9\u00e9a\"", SKY_MODEL_LENGTH, 6310},
        {"t", "\"\\ud83d\\ude00a\"", SKY_MODEL_LENGTH, 6310},
        {"t", "7", SKY_MODEL_TYPE, 6310},
        {"time", "\"1524448722000\"", SKY_MODEL_FINE, 0},
        {"time", "1524448722000", SKY_MODEL_TYPE, 6311},
        {"time", "\"now\"", SKY_MODEL_TYPE, 6311},
        {"time", "\"-1\"", SKY_MODEL_TYPE, 6311},
        {"time", "\"\"", SKY_MODEL_TYPE, 6311},
    };
    run_values(*state, SKY_MODEL_PROPERTIES, "", rows, SKY_COUNT(rows));
}

static void structs_and_arrays_take_what_their_parts_take(void **state)
{
    static const struct value_case rows[] = {
        {"s", "{}", SKY_MODEL_FINE, 0},
        {"s", "{\"x\":9,\"l\":\"ab\"}", SKY_MODEL_FINE, 0},
        {"s", "{\"x\":10}", SKY_MODEL_RANGE, 6306},
        {"s", "{\"l\":\"abc\"}", SKY_MODEL_LENGTH, 6310},
        {"s", "{\"x\":1,\"y\":1}", SKY_MODEL_UNKNOWN, 6304},
        {"s", "[]", SKY_MODEL_TYPE, 6312},
        {"a", "[]", SKY_MODEL_FINE, 0},
        {"a", "[1, 2]", SKY_MODEL_FINE, 0},
        {"a", "[1,2,3]", SKY_MODEL_SIZE, 6324},
        {"a", "[1,\"2\"]", SKY_MODEL_ELEMENT, 6325},
        {"a", "[1,2147483648]", SKY_MODEL_RANGE, 6306},
        {"a", "1", SKY_MODEL_TYPE, 6328},
        {"as", "[{\"v\":1.5},{}]", SKY_MODEL_FINE, 0},
        {"as", "[{\"v\":\"1.5\"}]", SKY_MODEL_TYPE, 6307},
        {"as", "[{\"w\":1}]", SKY_MODEL_UNKNOWN, 6304},
        {"as", "[[]]", SKY_MODEL_ELEMENT, 6325},
        {"\\u0069", "1", SKY_MODEL_FINE, 0},
        {"I", "1", SKY_MODEL_UNKNOWN, 6304},
        {"", "1", SKY_MODEL_UNKNOWN, 6304},
    };
    run_values(*state, SKY_MODEL_PROPERTIES, "", rows, SKY_COUNT(rows));
}

static void events_and_services_have_parameters(void **state)
{
    static const struct value_case hot[] = {{"level", "0", SKY_MODEL_FINE, 0},
                                            {"level", "-1", SKY_MODEL_RANGE, 6306},
                                            {"i", "1", SKY_MODEL_UNKNOWN, 6304}};
    static const struct value_case none[] = {{"level", "0", SKY_MODEL_NO_ITEM, 6313}};
    static const struct value_case bare[] = {{"level", "0", SKY_MODEL_UNKNOWN, 6304}};
    static const struct value_case in[] = {{"how", "\"x\"", SKY_MODEL_FINE, 0},
                                           {"done", "1", SKY_MODEL_UNKNOWN, 6304}};
    static const struct value_case out[] = {{"done", "1", SKY_MODEL_FINE, 0},
                                            {"how", "\"x\"", SKY_MODEL_UNKNOWN, 6304}};
    run_values(*state, SKY_MODEL_EVENT, "hot", hot, SKY_COUNT(hot));
    run_values(*state, SKY_MODEL_EVENT, "cold", none, SKY_COUNT(none));
    run_values(*state, SKY_MODEL_EVENT, "post", none, SKY_COUNT(none));
    run_values(*state, SKY_MODEL_EVENT, "bare", bare, SKY_COUNT(bare));
    run_values(*state, SKY_MODEL_SERVICE_IN, "run", in, SKY_COUNT(in));
    run_values(*state, SKY_MODEL_SERVICE_OUT, "run", out, SKY_COUNT(out));
    run_values(*state, SKY_MODEL_SERVICE_IN, "set", none, SKY_COUNT(none));
    run_values(*state, SKY_MODEL_ATTRIBUTES, "", bare, SKY_COUNT(bare));
}

struct seen {
    size_t count;
    char names[200];
};

static void note(void *ctx, const struct sky_model_fault *fault)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->names);
    snprintf(seen->names + len, sizeof seen->names - len, "%.*s=%d ", SKY_SPAN_ARGS(fault->name),
             fault->code);
    seen->count++;
}

static void an_object_is_checked_as_what_it_is_for(void **state)
{
    static const struct {
        enum sky_model_part part;
        const char *id, *object;
        unsigned flags;
        const char *faults;
    } rows[] = {
        {SKY_MODEL_PROPERTIES, "", "{}", 0, ""},
        {SKY_MODEL_PROPERTIES, "", "{\"f\":1}", SKY_MODEL_REQUIRED, "i=6302 "},
        {SKY_MODEL_PROPERTIES, "", "{\"i\":\"\"}", SKY_MODEL_REQUIRED, "i=6306 "},
        {SKY_MODEL_PROPERTIES, "", "{\"x\":1,\"b\":7,\"f\":0,\"e\":3}", 0, "x=6304 b=6308 e=6309 "},
        {SKY_MODEL_PROPERTIES, "", "{\"i\":1,\"f\":1,\"d\":1}", SKY_MODEL_WRITE, "i=460 "},
        {SKY_MODEL_PROPERTIES, "", "[]", 0, "=460 "},
        {SKY_MODEL_PROPERTIES, "", "null", 0, "=460 "},
        {SKY_MODEL_SERVICE_IN, "run", "{}", SKY_MODEL_COMPLETE, "how=6302 long=6302 "},
        {SKY_MODEL_SERVICE_IN, "run", "{\"long\":1}", SKY_MODEL_COMPLETE, "how=6302 "},
        {SKY_MODEL_SERVICE_IN, "run", "{\"long\":1}", SKY_MODEL_REQUIRED, ""},
        {SKY_MODEL_EVENT, "none", "{}", 0, "none=6313 "},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct seen seen = {0};
        size_t count = sky_model_check(*state, rows[i].part, sky_span_str(rows[i].id),
                                       sky_span_str(rows[i].object), rows[i].flags, note, &seen);
        assert_string_equal(seen.names, rows[i].faults);
        assert_int_equal(count, seen.count);
    }
}

static void a_broken_model_is_pointed_at(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct broken_case rows[] = {
        {"", "", "line 1"},
        {"[]", "", "is an object"},
        {"{}", "", "no properties"},
        {"{\"properties\":1}", "/properties", "no list"},
        {"{\"properties\":[1]}", "/properties/0", "no object"},
        {"{\"properties\":[{}]}", "/properties/0", "no identifier"},
        {"{\"properties\":[{\"identifier\":\"\"}]}", "/properties/0", "no identifier"},
        {"{\"properties\":[{\"identifier\":\"a\"}]}", "/properties/0", "no type"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "number"}}]}),
         "/properties/0", "number is no type"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "date"}},
                              {"identifier": "b", "dataType": {"type": "date"}},
                              {"identifier": "a", "dataType": {"type": "date"}}]}),
         "/properties/2/identifier", "twice"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "int", "specs": {"min": "2", "max": "1"}}}]}),
         "/properties/0", "min is greater than max"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "int", "specs": {"min": "x"}}}]}),
         "/properties/0/dataType/specs/min", "no number"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "int", "specs": {"min": "0x1"}}}]}),
         "/properties/0/dataType/specs/min", "no number"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "int", "specs": {"max": "1.5"}}}]}),
         "/properties/0", "whole"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "int", "specs": {"max": "2147483648"}}}]}),
         "/properties/0", "can hold"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "text", "specs": {"length": "-1"}}}]}),
         "/properties/0", "0 and above"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "array",
                               "specs": {"size": "1.5", "item": {"type": "int"}}}}]}),
         "/properties/0", "0 and above"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "bool", "specs": {}}}]}),
         "/properties/0", "needs its values"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "enum"}}]}),
         "/properties/0", "needs its values"},
        {TEXT({"properties": [{"identifier": "a",
                               "dataType": {"type": "enum", "specs": {"1": "", "x": ""}}}]}),
         "/properties/0/dataType/specs/x", "whole numbers"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "struct", "specs": ""}}]}),
         "/properties/0", "needs its members"},
        {TEXT({"properties": [{"identifier": "a", "dataType": {"type": "array", "specs": {}}}]}),
         "/properties/0", "type of its elements"},
        {TEXT({"properties": [], "events": [{"identifier": "e", "outputData": 3}]}),
         "/events/0/outputData", "no list"},
        {TEXT({"properties": [], "services": [{"identifier": "e"}, {"identifier": "e"}]}),
         "/services/1/identifier", "twice"},
    };
    /* clang-format on */
    run_broken("aliyun", rows, SKY_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_takes_its_own),
        cmocka_unit_test(structs_and_arrays_take_what_their_parts_take),
        cmocka_unit_test(events_and_services_have_parameters),
        cmocka_unit_test(an_object_is_checked_as_what_it_is_for),
        cmocka_unit_test(a_broken_model_is_pointed_at),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
