#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/shadow.h"
#include "protocol/cloud/tencent/services.h"

#define TOPIC "$shadow/operation/P/d"
#define RESULT "$shadow/operation/result/P/d"
#define HEAD(type, result)                                                                         \
    "{\"type\":\"" type "\",\"result\":" result ",\"timestamp\":1700000000,\"clientToken\":\"t\","
#define DOCUMENT(reported, desired, metadata)                                                      \
    "{\"state\":{\"reported\":" reported ",\"desired\":" desired "},\"metadata\":" metadata        \
    ",\"timestamp\":5}"
#define AT(time) "{\"timestamp\":" time "}"
#define NOW AT("1700000000")

/* temperature 27 reported, 25 desired */
#define STORED                                                                                     \
    DOCUMENT(                                                                                      \
        "{\"temperature\":27}", "{\"temperature\":25}",                                            \
        "{\"reported\":{\"temperature\":" AT("3") "},\"desired\":{\"temperature\":" AT("5") "}}")
#define STORED_PAYLOAD                                                                             \
    "\"payload\":{\"state\":{\"reported\":{\"temperature\":27},\"desired\":{\"temperature\":25},"  \
    "\"delta\":{\"temperature\":25}},\"metadata\":{\"reported\":{\"temperature\":" AT(             \
        "3") "},"                                                                                  \
             "\"desired\":{\"temperature\":" AT("5") "},\"delta\":{\"temperature\":" AT(           \
                 "5") "}},"                                                                        \
                      "\"version\":7,\"timestamp\":5}}"
#define ERROR_REPLY(type, result) HEAD(type, result) "\"payload\":{}}"

static const struct service_case cases[] = {
    {.name = "the empty shadow has its own form",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"get\",\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("get", "0") "\"payload\":{\"state\":{},\"metadata\":{},\"version\":0}}"},
    {.name = "a get shows what is desired, and the delta",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{ \"type\" : \"get\", \"clientToken\" : \"t\" }",
     .reply_topic = RESULT,
     .reply = HEAD("get", "0") STORED_PAYLOAD},
    {.name = "a client token comes back as it was, or not at all",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"get\",\"clientToken\":5551.0}",
     .reply_topic = RESULT,
     .reply = "{\"type\":\"get\",\"result\":0,\"timestamp\":1700000000,\"clientToken\":5551.0,"
              "\"payload\":{\"state\":{},\"metadata\":{},\"version\":0}}"},
    {.name = "a first update without version",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"a\":1,\"b\":{\"c\":[1,2]}}},"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "0") "\"payload\":{\"state\":{\"reported\":{\"a\":1,\"b\":{\"c\":"
                                  "[1,2]}}},\"metadata\":{\"reported\":{\"a\":" NOW
                                  ",\"b\":{\"c\":" NOW "}}},\"version\":1,\"timestamp\":"
                                  "1700000000}}",
     .stored = "{\"state\":{\"reported\":{\"a\":1,\"b\":{\"c\":[1,2]}}},\"metadata\":"
               "{\"reported\":{\"a\":" NOW ",\"b\":{\"c\":" NOW "}}},\"timestamp\":1700000000}"},
    {.name = "the answer to an update has only what was touched",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"on\":true}},\"version\":7,"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "0") "\"payload\":{\"state\":{\"reported\":{\"on\":true}},"
                                  "\"metadata\":{\"reported\":{\"on\":" NOW "}},\"version\":8,"
                                  "\"timestamp\":1700000000}}",
     .stored = "{\"state\":{\"reported\":{\"temperature\":27,\"on\":true},\"desired\":"
               "{\"temperature\":25}},\"metadata\":{\"reported\":{\"temperature\":" AT(
                   "3") ",\"on\":" NOW
                        "},\"desired\":{\"temperature\":" AT("5") "}},"
                                                                  "\"timestamp\":1700000000}"},
    {.name = "desired null acknowledges and clears",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"type\":\"update\",\"state\":{\"desired\":null},\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "0") "\"payload\":{\"state\":{\"desired\":null},\"metadata\":"
                                  "{\"desired\":null},\"version\":8,\"timestamp\":1700000000}}",
     .stored = "{\"state\":{\"reported\":{\"temperature\":27}},\"metadata\":{\"reported\":"
               "{\"temperature\":" AT("3") "}},\"timestamp\":1700000000}"},
    {.name = "null removes a reported value",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"temperature\":null}},"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "0") "\"payload\":{\"state\":{\"reported\":{\"temperature\":null}},"
                                  "\"metadata\":{\"reported\":{\"temperature\":null}},"
                                  "\"version\":8,\"timestamp\":1700000000}}",
     .stored = "{\"state\":{\"desired\":{\"temperature\":25}},\"metadata\":{\"desired\":"
               "{\"temperature\":" AT("5") "}},\"timestamp\":1700000000}"},
    {.name = "overwriteUpdate replaces everything reported",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"type\":\"update\",\"overwriteUpdate\":true,\"state\":{\"reported\":{\"x\":1}},"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "0") "\"payload\":{\"state\":{\"reported\":{\"x\":1}},\"metadata\":"
                                  "{\"reported\":{\"x\":" NOW "}},\"version\":8,\"timestamp\":"
                                  "1700000000}}",
     .stored = "{\"state\":{\"reported\":{\"x\":1},\"desired\":{\"temperature\":25}},"
               "\"metadata\":{\"reported\":{\"x\":" NOW
               "},\"desired\":{\"temperature\":" AT("5") "}},\"timestamp\":1700000000}"},
    {.name = "5005: another version than the stored one, with the document",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"a\":1}},\"version\":8,"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "5005") STORED_PAYLOAD,
     .rule = "TEN-SHADOW-VERSION"},
    {.name = "5005: a version that is no number",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"a\":1}},\"version\":\"7\","
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "5005") STORED_PAYLOAD,
     .rule = "TEN-SHADOW-VERSION"},
    {.name = "9400: not JSON",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"get\",}",
     .reply_topic = RESULT,
     .reply = "{\"result\":9400,\"timestamp\":1700000000,\"payload\":{}}",
     .rule = "TEN-SHADOW-JSON"},
    {.name = "9400: not an object",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "[\"get\"]",
     .reply_topic = RESULT,
     .reply = "{\"result\":9400,\"timestamp\":1700000000,\"payload\":{}}",
     .rule = "TEN-SHADOW-JSON"},
    {.name = "9401: a type nobody knows",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"delete\",\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("delete", "9401"),
     .rule = "TEN-SHADOW-TYPE"},
    {.name = "9401: no type",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":1,\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = "{\"result\":9401,\"timestamp\":1700000000,\"clientToken\":\"t\",\"payload\":{}}",
     .rule = "TEN-SHADOW-TYPE"},
    {.name = "9402: delta is not the device's to send",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"delta\",\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("delta", "9402"),
     .rule = "TEN-SHADOW-DELTA-UPLINK"},
    {.name = "9403: no state",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"update\",\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("update", "9403"),
     .rule = "TEN-SHADOW-STATE"},
    {.name = "9403: reported is no object",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":[1]},\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("update", "9403"),
     .rule = "TEN-SHADOW-STATE"},
    {.name = "9404: a null in an array, however deep",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"a\":[{\"b\":null}]}},"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("update", "9404"),
     .rule = "TEN-SHADOW-STATE"},
    {.name = "five levels are deep enough",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":"
                "1}}}}}},\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = HEAD("update", "0") "\"payload\":{\"state\":{\"reported\":{\"1\":{\"2\":{\"3\":"
                                  "{\"4\":{\"5\":1}}}}}},\"metadata\":{\"reported\":{\"1\":{"
                                  "\"2\":{\"3\":{\"4\":{\"5\":" NOW "}}}}}},\"version\":1,"
                                  "\"timestamp\":1700000000}}",
     .stored = "{\"state\":{\"reported\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":1}}}}}},"
               "\"metadata\":{\"reported\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":" NOW "}}}}}},"
               "\"timestamp\":1700000000}"},
    {.name = "9405: six levels are too deep",
     .service = &sky_tencent_shadow,
     .topic = TOPIC,
     .payload = "{\"type\":\"update\",\"state\":{\"reported\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":"
                "{\"6\":1}}}}}}},\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("update", "9405"),
     .rule = "TEN-SHADOW-LIMIT"},
};

static void every_exchange_is_answered(void **state)
{
    (void)state;
    run_cases("tencent", "P", "d", cases, SKY_COUNT(cases));
}

static void a_request_without_subscription_is_found(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    bench.uplink.reply_subscribed = false;
    struct service_case row = cases[0];
    row.rule = "TEN-SHADOW-NOT-SUBSCRIBED";
    run_case(&bench, &row);
    bench_done(&bench);
}

static void a_reported_version_rule_lets_the_update_pass(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    bench_set(&bench, "TEN-SHADOW-VERSION", "report");
    bench.facts.document = SKY_SPAN(STORED);
    bench.facts.document_version = 7;
    bench_send(&bench, &sky_tencent_shadow, SKY_SPAN(TOPIC),
               SKY_SPAN("{\"type\":\"update\",\"state\":{\"desired\":null},\"version\":99}"));
    assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT)->version, 8);
    assert_int_equal(bench.judge.count, 1);
    bench_done(&bench);
}

/* An update whose state, as compact JSON, has this many bytes. */
static void large_update(struct sky_buf *out, size_t state_len)
{
    const size_t frame = strlen("{\"reported\":{\"a\":\"\"}}");
    sky_buf_clear(out);
    sky_buf_add_str(out, "{\"type\":\"update\",\"state\":{\"reported\":{\"a\":\"");
    for (size_t i = frame; i < state_len; i++)
        sky_buf_add_byte(out, 'x');
    sky_buf_add_str(out, "\"}}}");
}

static void the_shadow_is_limited_in_size(void **state)
{
    struct service_bench bench;
    struct sky_buf out;
    (void)state;
    const size_t half = SKY_TENCENT_SHADOW_BYTES_MAX / 2;
    const size_t rest = strlen(",\"b\":\"\"");
    bench_init(&bench, "tencent", "P", "d");
    sky_buf_init(&out, 64 * 1024);
    large_update(&out, half);
    bench_send(&bench, &sky_tencent_shadow, SKY_SPAN(TOPIC), sky_buf_span(&out));
    struct sky_arena arena;
    sky_arena_init(&arena);
    bench.facts.document =
        sky_arena_copy(&arena, bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT)->payload);
    bench.facts.document_version = 1;
    for (size_t over = 0; over <= 1; over++) {
        sky_buf_clear(&out);
        sky_buf_add_str(&out, "{\"type\":\"update\",\"state\":{\"reported\":{\"b\":\"");
        for (size_t i = half + rest; i < SKY_TENCENT_SHADOW_BYTES_MAX + over; i++)
            sky_buf_add_byte(&out, 'x');
        sky_buf_add_str(&out, "\"}}}");
        bench_send(&bench, &sky_tencent_shadow, SKY_SPAN(TOPIC), sky_buf_span(&out));
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL, !over);
        assert_int_equal(bench.judge.count, over);
    }
    assert_span("size", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                "{\"type\":\"update\",\"result\":9406,\"timestamp\":1700000000,\"payload\":{}}");
    sky_arena_done(&arena);
    sky_buf_done(&out);
    bench_done(&bench);
}

static void a_message_is_limited_in_size(void **state)
{
    struct service_bench bench;
    struct sky_buf out;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    sky_buf_init(&out, 64 * 1024);
    for (size_t over = 0; over <= 1; over++) {
        sky_buf_clear(&out);
        sky_buf_add_str(&out, "{\"type\":\"get\"}");
        while (out.len < SKY_TENCENT_MESSAGE_MAX + over)
            sky_buf_add_byte(&out, ' ');
        bench_send(&bench, &sky_tencent_shadow, SKY_SPAN(TOPIC), sky_buf_span(&out));
        assert_int_equal(bench.judge.count, over);
    }
    sky_buf_done(&out);
    bench_done(&bench);
}

static void a_damaged_document_counts_as_empty(void **state)
{
    static const char *const damaged[] = {
        "x",
        "{}",
        "[]",
        "{\"state\":{\"reported\":{\"a\":1}},\"metadata\":{}}",
        "{\"state\":{\"reported\":{\"a\":{\"b\":1}}},\"metadata\":{\"reported\":{\"a\":{}}}}",
        "{\"state\":{\"reported\":1},\"metadata\":{\"reported\":{}}}",
        "{\"state\":{\"reported\":{\"a\":{\"b\":1}}},\"metadata\":{\"reported\":{\"a\":1}}}"};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    for (size_t i = 0; i < SKY_COUNT(damaged); i++) {
        bench.facts.document = sky_span_str(damaged[i]);
        bench_send(&bench, &sky_tencent_shadow, SKY_SPAN(TOPIC),
                   SKY_SPAN("{\"type\":\"update\",\"state\":{\"reported\":{\"a\":{\"b\":2}}}}"));
        assert_non_null(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT));
    }
    bench_done(&bench);
}

/* ---- the application's side ---- */

static sky_err desire(struct service_bench *bench, const char *patch, struct sky_why *why)
{
    sky_effects_clear(&bench->effects);
    bench->facts.document = SKY_SPAN(STORED);
    bench->facts.document_version = 7;
    return sky_tencent_shadow_patch(&bench->uplink, &bench->facts, sky_span_str(patch),
                                    &bench->effects, why);
}

static void a_desire_is_stored_and_pushed_flat(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    assert_int_equal(desire(&bench,
                            "{\"desired\":{\"temperature\":22,\"gone\":null},"
                            "\"version\":7}",
                            NULL),
                     SKY_OK);
    const struct sky_effect *stored = bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_int_equal(stored->version, 8);
    assert_span("desire", "the document", stored->payload,
                "{\"state\":{\"reported\":{\"temperature\":27},\"desired\":{\"temperature\":22}},"
                "\"metadata\":{\"reported\":{\"temperature\":" AT(
                    "3") "},\"desired\":"
                         "{\"temperature\":" NOW "}},\"timestamp\":1700000000}");
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUBLISH);
    assert_span("desire", "the topic", push->topic, RESULT);
    assert_span("desire", "the delta", push->payload,
                "{\"type\":\"delta\",\"timestamp\":1700000000,\"payload\":{\"state\":"
                "{\"temperature\":22},\"metadata\":{\"temperature\":" NOW "},\"version\":8,"
                "\"timestamp\":1700000000}}");
    assert_int_equal(desire(&bench, "{\"desired\":{\"temperature\":27}}", NULL), SKY_OK);
    assert_null(bench_effect(&bench, SKY_EFFECT_PUBLISH)); /* it is so already */
    assert_int_equal(desire(&bench, "{\"desired\":null}", NULL), SKY_OK);
    assert_null(bench_effect(&bench, SKY_EFFECT_PUBLISH));
    bench_done(&bench);
}

static void a_bad_desire_is_refused_with_a_pointer(void **state)
{
    static const struct {
        const char *patch;
        sky_err err;
        const char *pointer;
    } rows[] = {
        {"{", SKY_ERR_INVALID, ""},
        {"[]", SKY_ERR_INVALID, "/desired"},
        {"{}", SKY_ERR_INVALID, "/desired"},
        {"{\"desired\":1}", SKY_ERR_INVALID, "/desired"},
        {"{\"desired\":{\"a\":[null]}}", SKY_ERR_INVALID, "/desired"},
        {"{\"desired\":{},\"reported\":{}}", SKY_ERR_INVALID, "/reported"},
        {"{\"desired\":{},\"version\":\"7\"}", SKY_ERR_INVALID, "/version"},
        {"{\"desired\":{},\"version\":6}", SKY_ERR_CONFLICT, "/version"},
        {"{\"desired\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{}}}}}}}", SKY_ERR_LIMIT, "/desired"},
    };
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_why why = {0};
        assert_int_equal(desire(&bench, rows[i].patch, &why), rows[i].err);
        assert_string_equal(why.pointer, rows[i].pointer);
        assert_int_equal(bench.effects.count, 0);
    }
    bench_done(&bench);
}

static void a_fixture_becomes_a_document(void **state)
{
    struct sky_arena arena;
    sky_span document;
    int64_t version = -1;
    struct sky_why why;
    (void)state;
    sky_arena_init(&arena);
    assert_int_equal(sky_tencent_shadow_seed(SKY_SPAN("{\"reported\":{},\"desired\":{}}"), 9000,
                                             &arena, &document, &version, &why),
                     SKY_OK);
    assert_int_equal(version, 0);
    assert_span("empty", "the document", document,
                "{\"state\":{},\"metadata\":{},\"timestamp\":0}");
    assert_int_equal(sky_tencent_shadow_seed(SKY_SPAN("{\"desired\":{\"a\":1}}"), 9000, &arena,
                                             &document, &version, &why),
                     SKY_OK);
    assert_int_equal(version, 1);
    const struct sky_facts facts = {.document = document, .document_version = version};
    assert_span("filled", "the shadow", sky_shadow_show(&facts, &arena),
                "{\"state\":{\"desired\":{\"a\":1},\"delta\":{\"a\":1}},\"metadata\":{\"desired\":"
                "{\"a\":" AT("9") "},\"delta\":{\"a\":" AT("9") "}},\"version\":1,"
                                                                "\"timestamp\":9}");
    assert_int_equal(
        sky_tencent_shadow_seed(SKY_SPAN("{\"delta\":{}}"), 0, &arena, &document, &version, &why),
        SKY_ERR_INVALID);
    assert_int_equal(sky_tencent_shadow_seed(SKY_SPAN("[]"), 0, &arena, &document, &version, &why),
                     SKY_ERR_INVALID);
    assert_int_equal(
        sky_tencent_shadow_seed(SKY_SPAN("{\"reported\":1}"), 0, &arena, &document, &version, &why),
        SKY_ERR_INVALID);
    sky_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exchange_is_answered),
        cmocka_unit_test(a_request_without_subscription_is_found),
        cmocka_unit_test(a_reported_version_rule_lets_the_update_pass),
        cmocka_unit_test(the_shadow_is_limited_in_size),
        cmocka_unit_test(a_message_is_limited_in_size),
        cmocka_unit_test(a_damaged_document_counts_as_empty),
        cmocka_unit_test(a_desire_is_stored_and_pushed_flat),
        cmocka_unit_test(a_bad_desire_is_refused_with_a_pointer),
        cmocka_unit_test(a_fixture_becomes_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
