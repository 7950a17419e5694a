/* What is the same for every cloud's models: limits, hostile texts, judging, and what it costs. */
#include <time.h>

#include "tests/unit/cloud/model_case.h"

enum { QUICK_MS = 250 };

static int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* a busy machine is no mistake */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- limits ---- */

/* Compiles what `out` holds, within a bounded time; NULL when it is refused. */
static const char *refusal(const char *cloud, struct sky_buf *out, struct sky_model_whys *whys)
{
    struct sky_model *model;
    assert_false(out->overflow);
    int64_t start = clock_us();
    sky_err err = sky_model_compile(model_form(cloud), sky_buf_span(out), &model, whys);
    assert_true(clock_us() - start < QUICK_MS * 1000);
    sky_buf_done(out);
    if (err == SKY_OK)
        sky_model_free(model);
    return err == SKY_OK ? NULL : whys->list[0].reason;
}

static void put_dates(struct sky_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(out, "%s{\"identifier\":\"p%zu\",\"dataType\":{\"type\":\"date\"}}",
                     i == 0 ? "" : ",", i);
}

static void set_of(struct sky_buf *out, size_t count)
{
    sky_buf_add_str(out, "{\"properties\":[");
    put_dates(out, count);
    sky_buf_add_str(out, "]}");
}

/* Types in all: four structs, and their members. */
static void types_of(struct sky_buf *out, size_t count)
{
    sky_buf_add_str(out, "{\"properties\":[");
    for (size_t left = count, i = 0; left > 0; i++) {
        size_t members = left > SKY_MODEL_FIELDS_MAX ? SKY_MODEL_FIELDS_MAX : left - 1;
        sky_buf_addf(out,
                     "%s{\"identifier\":\"s%zu\",\"dataType\":{\"type\":\"struct\",\"specs\":[",
                     i == 0 ? "" : ",", i);
        put_dates(out, members);
        sky_buf_add_str(out, "]}}");
        left -= members + 1;
    }
    sky_buf_add_str(out, "]}");
}

static void enum_of(struct sky_buf *out, size_t count)
{
    sky_buf_add_str(out, "{\"properties\":[{\"identifier\":\"e\",\"dataType\":{\"type\":\"enum\","
                         "\"specs\":{");
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(out, "%s\"%zu\":\"\"", i == 0 ? "" : ",", i);
    sky_buf_add_str(out, "}}}]}");
}

static void id_of(struct sky_buf *out, size_t len)
{
    sky_buf_addf(out,
                 "{\"properties\":[{\"identifier\":\"%0*d\",\"dataType\":{\"type\":\"date\"}}]}",
                 (int)len, 0);
}

static void nested(struct sky_buf *out, size_t depth)
{
    sky_buf_add_str(out, "{\"properties\":[{\"identifier\":\"a\",\"dataType\":");
    for (size_t i = 1; i < depth; i++)
        sky_buf_add_str(out, "{\"type\":\"array\",\"specs\":{\"item\":");
    sky_buf_add_str(out, "{\"type\":\"date\"}");
    for (size_t i = 1; i < depth; i++)
        sky_buf_add_str(out, "}}");
    sky_buf_add_str(out, "}]}");
}

static void text_of(struct sky_buf *out, size_t len)
{
    sky_buf_addf(out, "{\"properties\":[]%*s}", (int)len - 17, "");
}

static void limits_hold_on_both_sides(void **state)
{
    (void)state;
    static const struct {
        void (*write)(struct sky_buf *out, size_t count);
        size_t most;
        const char *words;
    } rows[] = {
        {set_of, SKY_MODEL_FIELDS_MAX, "more than 1024 entries"},
        {types_of, SKY_MODEL_TYPES_MAX, "more than 4096 values"},
        {enum_of, SKY_MODEL_CHOICES_MAX, "more than 1024 values"},
        {id_of, SKY_MODEL_ID_MAX, "more than 128 bytes"},
        {nested, SKY_MODEL_DEPTH_MAX, "deeper than 4"},
        {text_of, SKY_MODEL_TEXT_MAX, "more than 262144 bytes"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_buf out;
        struct sky_model_whys whys;
        sky_buf_init(&out, SKY_MODEL_TEXT_MAX + 1);
        rows[i].write(&out, rows[i].most);
        const char *reason = refusal("aliyun", &out, &whys);
        if (reason != NULL)
            fail_msg("row %zu: %s", i, reason);
        rows[i].write(&out, rows[i].most + 1);
        reason = refusal("aliyun", &out, &whys);
        if (reason == NULL || strstr(reason, rows[i].words) == NULL)
            fail_msg("row %zu: %s", i, reason != NULL ? reason : "taken");
    }
}

static void hostile_models_are_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *cloud, *head, *unit, *tail;
    } rows[] = {
        {"aliyun", "{\"properties\":[", "{},", "{}]}"},
        {"aliyun", "{\"properties\":[", "{\"identifier\":\"a\",\"dataType\":{\"type\":\"date\"}},",
         "0]}"},
        {"aliyun", "{\"properties\":[{\"identifier\":\"", "a", "\"}]}"},
        {"aliyun", "{\"properties\":[{\"identifier\":\"a\",\"dataType\":{\"type\":\"", "a",
         "\"}}]}"},
        {"aliyun",
         "{\"properties\":[{\"identifier\":\"a\",\"dataType\":{\"type\":\"int\","
         "\"specs\":{\"min\":\"",
         "1", "\"}}}]}"},
        {"aliyun", "{\"events\":[", "{\"outputData\":[{},{},{},{},{},{},{},{}]},", "{}]}"},
        {"tencent", "{\"properties\":[", "{\"id\":\"\",\"define\":{}},", "{}]}"},
        {"enos", "{\"measurepoints\":{\"a\":{\"dataType\":\"STRUCT\",\"dataDefinition\":\"[", "{},",
         "{}]\"}}}"},
        {"enos", "{\"measurepoints\":{\"a\":{\"dataType\":\"STRUCT\",\"dataDefinition\":\"", "\\\"",
         "\"}}}"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_buf out;
        struct sky_model_whys whys;
        sky_buf_init(&out, SKY_MODEL_TEXT_MAX);
        sky_buf_add_str(&out, rows[i].head);
        while (out.len + strlen(rows[i].unit) + strlen(rows[i].tail) <= SKY_MODEL_TEXT_MAX)
            sky_buf_add_str(&out, rows[i].unit);
        sky_buf_add_str(&out, rows[i].tail);
        if (refusal(rows[i].cloud, &out, &whys) == NULL)
            fail_msg("row %zu is taken", i);
        assert_in_range(whys.count, 1, SKY_MODEL_WHYS_MAX);
    }
}

static void all_faults_are_told_up_to_a_limit(void **state)
{
    (void)state;
    struct sky_model *model;
    struct sky_model_whys whys;
    struct sky_buf out;
    sky_buf_init(&out, SKY_MODEL_TEXT_MAX);
    sky_buf_add_str(&out, "{\"properties\":[");
    for (int i = 0; i < SKY_MODEL_WHYS_MAX + 2; i++)
        sky_buf_addf(&out, "%s%d", i == 0 ? "" : ",", i);
    sky_buf_add_str(&out, "]}");
    assert_int_equal(sky_model_compile(model_form("aliyun"), sky_buf_span(&out), &model, &whys),
                     SKY_ERR_INVALID);
    assert_int_equal(whys.count, SKY_MODEL_WHYS_MAX);
    assert_int_equal(whys.lost, 2);
    assert_string_equal(whys.list[7].pointer, "/properties/7");
    assert_int_equal(sky_model_compile(model_form("aliyun"), sky_buf_span(&out), &model, NULL),
                     SKY_ERR_INVALID);
    sky_buf_done(&out);
}

static void a_model_is_answered_without_blanks(void **state)
{
    (void)state;
    struct sky_model *model = model_of("aliyun", " {\n\"properties\": [ ],\t\"a\" : \"b c\" }\n");
    assert_true(sky_span_eq_str(sky_model_text(model), "{\"properties\":[],\"a\":\"b c\"}"));
    sky_model_free(model);
    sky_model_free(NULL);
}

/* ---- judging ---- */

struct court {
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_judge judge;
};

static void open_court(struct court *court, const char *override)
{
    sky_catalogue_init(&court->catalogue);
    sky_cloud_fill_catalogue(&court->catalogue);
    sky_policy_init(&court->policy, &court->catalogue, SKY_PROFILE_SEED);
    if (override != NULL)
        assert_int_equal(sky_policy_override(&court->policy, sky_span_str(override), NULL), SKY_OK);
    sky_judge_init(&court->judge, &court->policy);
}

/* clang-format off */
static const char lamp[] = TEXT({
    "properties": [
        {"id": "on", "define": {"type": "bool", "mapping": {"0": "", "1": ""}}},
        {"id": "level", "required": true, "define": {"type": "int", "min": "0", "max": "9"}},
        {"id": "rgb", "define": {"type": "array", "arrayInfo": {"type": "struct", "specs": [
            {"id": "r/g", "dataType": {"type": "int", "min": "0", "max": "9"}}]}}}]
});
/* clang-format on */

static void findings_name_the_value(void **state)
{
    (void)state;
    static struct court court;
    struct sky_model *model = model_of("tencent", lamp);
    static const struct {
        const char *params;
        unsigned flags;
        int code; /* 0: taken */
        const char *rule, *detail;
    } rows[] = {
        {"{\"on\":1,\"level\":3}", SKY_MODEL_REQUIRED, 0, NULL, NULL},
        {"{\"on\":true}", 0, 0, "TEN-MODEL-FORM",
         "/params/on: true is taken, but bool is documented in another form"},
        {"{\"level\":10}", 0, 406, "TEN-MODEL", "/params/level: 10 is not within 0 to 9"},
        {"{\"rgb\":[{},{\"r/g\":\"x\"}]}", 0, 406, "TEN-MODEL",
         "/params/rgb/1/r~1g: \"x\" is no int"},
        {"{\"rgb\":[{},7]}", 0, 406, "TEN-MODEL", "/params/rgb/1: 7 is no struct"},
        {"{\"on\":1}", SKY_MODEL_REQUIRED, 406, "TEN-MODEL", "/params: level is missing"},
        {"{\"hue\":1}", 0, 403, "TEN-MODEL", "/params/hue: the model has no hue"},
        {"3", 0, 406, "TEN-MODEL", "/params: 3 is no object"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char text[256];
        struct sky_model_fault fault;
        snprintf(text, sizeof text, "{\"method\":\"report\",\"params\":%s}", rows[i].params);
        open_court(&court, NULL);
        const struct sky_model_ask ask = {model, sky_span_str(text), &court.judge};
        bool taken = sky_model_takes(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE,
                                     sky_json_member(ask.message, "params"), rows[i].flags, &fault);
        assert_int_equal(taken, rows[i].code == 0);
        assert_int_equal(fault.code, rows[i].code);
        assert_int_equal(court.judge.count, rows[i].rule != NULL);
        if (rows[i].rule == NULL)
            continue;
        assert_string_equal(court.judge.findings[0].rule->id, rows[i].rule);
        assert_string_equal(court.judge.findings[0].detail, rows[i].detail);
    }
    sky_model_free(model);
}

static void one_value_is_judged_by_itself(void **state)
{
    (void)state;
    static struct court court;
    struct sky_model *model = model_of("tencent", lamp);
    struct sky_model_fault fault;
    sky_span message = SKY_SPAN("{\"params\":{\"level\":{\"value\":10,\"time\":1}}}");
    sky_span value =
        sky_json_member(sky_json_member(sky_json_member(message, "params"), "level"), "value");
    open_court(&court, NULL);
    struct sky_model_ask ask = {model, message, &court.judge};
    assert_false(sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_SPAN("level"),
                                       value, &fault));
    assert_int_equal(fault.code, 406);
    assert_string_equal(court.judge.findings[0].detail,
                        "/params/level/value: 10 is not within 0 to 9");
    assert_true(sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_SPAN("on"),
                                      SKY_SPAN("1"), NULL));

    open_court(&court, "TEN-MODEL=off");
    assert_true(sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_SPAN("level"),
                                      value, &fault));
    assert_int_equal(fault.kind, SKY_MODEL_FINE);
    assert_int_equal(court.judge.count, 0);

    open_court(&court, NULL);
    ask.model = NULL;
    assert_true(sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, SKY_SPAN("x"),
                                      value, &fault));
    assert_true(sky_model_takes(&ask, SKY_MODEL_EVENT, SKY_SPAN("x"), value, 0, NULL));
    assert_int_equal(court.judge.count, 0);
    sky_model_free(model);
}

/* ---- cost ---- */

/* A message of 256 KB with nothing in it that fits is told off in milliseconds. */
static void hostile_messages_are_refused_at_once(void **state)
{
    (void)state;
    static struct court court;
    struct sky_model *model = model_of("tencent", lamp);
    static const struct {
        const char *before, *behind;
    } units[] = {{"p", "\":1,"}, {"", "\":{\"a\":[[[]]]},"}, {"\\u0061", "\":\"\\ud83d\\ude00\","}};
    for (size_t u = 0; u < SKY_COUNT(units); u++) {
        struct sky_buf out;
        sky_buf_init(&out, SKY_MODEL_TEXT_MAX);
        sky_buf_add_str(&out, "{\"params\":{");
        for (size_t i = 0; out.len < SKY_MODEL_TEXT_MAX - 64; i++)
            sky_buf_addf(&out, "\"%s%zu%s", units[u].before, i, units[u].behind);
        sky_buf_add_str(&out, "\"level\":99}}");
        open_court(&court, NULL);
        const struct sky_model_ask ask = {model, sky_buf_span(&out), &court.judge};
        int64_t start = clock_us();
        assert_false(sky_model_takes(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE,
                                     sky_json_member(ask.message, "params"), 0, NULL));
        assert_true(clock_us() - start < QUICK_MS * 1000);
        assert_int_equal(court.judge.count, SKY_FINDINGS_MAX);
        assert_true(court.judge.lost > 5000);
        sky_buf_done(&out);
    }
    sky_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_on_both_sides),
        cmocka_unit_test(hostile_models_are_refused_at_once),
        cmocka_unit_test(all_faults_are_told_up_to_a_limit),
        cmocka_unit_test(a_model_is_answered_without_blanks),
        cmocka_unit_test(findings_name_the_value),
        cmocka_unit_test(one_value_is_judged_by_itself),
        cmocka_unit_test(hostile_messages_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
