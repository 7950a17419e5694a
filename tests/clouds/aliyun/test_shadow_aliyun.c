#include "tests/unit/cloud/service_case.h"

#include <time.h>

#include "protocol/cloud/aliyun/services.h"

#define TOPIC "/shadow/update/pk/dn"
#define RESULT "/shadow/get/pk/dn"
#define AT(time) "{\"timestamp\":" time "}"
#define NOW AT("1700000000")
#define STORED                                                                                     \
    "{\"state\":{\"reported\":{\"color\":\"red\"},\"desired\":{\"color\":\"green\"}},"             \
    "\"metadata\":{\"reported\":{\"color\":" AT("3") "},\"desired\":{\"color\":" AT(               \
        "5") "}},\"timestamp\":5}"
#define SUCCESS(version)                                                                           \
    "{\"method\":\"reply\",\"payload\":{\"status\":\"success\",\"version\":" version               \
    "},\"timestamp\":1700000000}"
#define ERROR_REPLY(code, text)                                                                    \
    "{\"method\":\"reply\",\"payload\":{\"status\":\"error\",\"content\":{\"errorcode\":\"" code   \
    "\",\"errormessage\":\"" text "\"}},\"timestamp\":1700000000}"

static const struct service_case cases[] = {
    {.name = "an update takes the version that was sent",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"on\":1}},\"version\":12}",
     .reply_topic = RESULT,
     .reply = SUCCESS("12"),
     .stored = "{\"state\":{\"reported\":{\"color\":\"red\",\"on\":1},\"desired\":{\"color\":"
               "\"green\"}},\"metadata\":{\"reported\":{\"color\":" AT(
                   "3") ",\"on\":" NOW
                        "},\"desired\":{\"color\":" AT("5") "}},\"timestamp\":1700000000}"},
    {.name = "an update without version counts up, and the token comes back",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"on\":1}},\"clientToken\":"
                "\"device-1\"}",
     .reply_topic = RESULT,
     .reply = "{\"method\":\"reply\",\"payload\":{\"status\":\"success\",\"version\":1},"
              "\"timestamp\":1700000000,\"clientToken\":\"device-1\"}",
     .stored = "{\"state\":{\"reported\":{\"on\":1}},\"metadata\":{\"reported\":{\"on\":" NOW
               "}},\"timestamp\":1700000000}"},
    {.name = "the string null clears what is desired",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"update\",\"state\":{\"desired\":\"null\"},\"version\":8}",
     .reply_topic = RESULT,
     .reply = SUCCESS("8"),
     .stored = "{\"state\":{\"reported\":{\"color\":\"red\"}},\"metadata\":{\"reported\":"
               "{\"color\":" AT("3") "}},\"timestamp\":1700000000}"},
    {.name = "a delete removes one attribute",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"delete\",\"state\":{\"reported\":{\"color\":\"null\"}},"
                "\"version\":8}",
     .reply_topic = RESULT,
     .reply = SUCCESS("8"),
     .stored = "{\"state\":{\"desired\":{\"color\":\"green\"}},\"metadata\":{\"desired\":"
               "{\"color\":" AT("5") "}},\"timestamp\":1700000000}"},
    {.name = "the C SDK's own delete has two commas, and its token comes back",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"delete\",,\"state\":{\"reported\":{\"color\":\"null\"}},"
                "\"clientToken\":\"a,,b\",\"version\":8}",
     .reply_topic = RESULT,
     .reply = "{\"method\":\"reply\",\"payload\":{\"status\":\"success\",\"version\":8},"
              "\"timestamp\":1700000000,\"clientToken\":\"a,,b\"}",
     .stored = "{\"state\":{\"desired\":{\"color\":\"green\"}},\"metadata\":{\"desired\":"
               "{\"color\":" AT("5") "}},\"timestamp\":1700000000}",
     .rule = "ALI-SHADOW-COMMA"},
    {.name = "commas may stand anywhere between the members of an object",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload =
         "{ , \"method\":\"update\",\"state\":{\"reported\":{,,\"on\":1 , , },},\"clientToken\":"
         "\"\\\",,{\"}",
     .reply_topic = RESULT,
     .reply = "{\"method\":\"reply\",\"payload\":{\"status\":\"success\",\"version\":1},"
              "\"timestamp\":1700000000,\"clientToken\":\"\\\",,{\"}",
     .stored = "{\"state\":{\"reported\":{\"on\":1}},\"metadata\":{\"reported\":{\"on\":" NOW
               "}},\"timestamp\":1700000000}",
     .rule = "ALI-SHADOW-COMMA"},
    {.name = "400: but not in an array",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",,\"state\":{\"reported\":{\"on\":[1,,2]}}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("400", "incorrect json format"),
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "version -1 clears the shadow and begins at 0",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"on\":1}},\"version\":-1,"
                "\"clientToken\":\"t\"}",
     .reply_topic = RESULT,
     .reply = "{\"method\":\"reply\",\"payload\":{\"status\":\"success\",\"version\":0},"
              "\"timestamp\":1700000000,\"clientToken\":\"t\"}",
     .stored = "{\"state\":{},\"metadata\":{},\"timestamp\":1700000000}"},
    {.name = "403: a version below that is none",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"on\":1}},\"version\":-2}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("403", "version is not a number of at least 0"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "a delete removes everything reported",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"delete\",\"state\":{\"reported\":\"null\"},\"version\":8}",
     .reply_topic = RESULT,
     .reply = SUCCESS("8"),
     .stored = "{\"state\":{\"desired\":{\"color\":\"green\"}},\"metadata\":{\"desired\":"
               "{\"color\":" AT("5") "}},\"timestamp\":1700000000}"},
    {.name = "a get returns the document",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .document = STORED,
     .payload = "{\"method\":\"get\"}",
     .reply_topic = RESULT,
     .reply = "{\"method\":\"reply\",\"payload\":{\"status\":\"success\",\"state\":{\"reported\":"
              "{\"color\":\"red\"},\"desired\":{\"color\":\"green\"}},\"metadata\":{\"reported\":"
              "{\"color\":" AT("3") "},\"desired\":{\"color\":" AT(
                  "5") "}}},\"version\":7,\"timestamp\":1700000000}"},
    {.name = "400: not JSON",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("400", "incorrect json format"),
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "400: not an object",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "[]",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("400", "incorrect json format"),
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "400: reported is no object",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":1}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("400", "incorrect json format"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "401: no method",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"state\":{}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("401", "method is missing"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "402: no state",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("402", "state is missing"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "403: a version that is no number",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"a\":1}},\"version\":\"8\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("403", "version is not a number of at least 0"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "403: a version past what JSON numbers hold",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"a\":1}},\"version\":1e300}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("403", "version is not a number of at least 0"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "404: nothing reported",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("404", "reported is missing"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "405: reported is empty",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{}}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("405", "reported has no attributes"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "406: a method nobody knows",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"put\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("406", "unknown method"),
     .rule = "ALI-SHADOW-FORMAT"},
    {.name = "407: there is no shadow to get",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"get\"}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("407", "the shadow is empty")},
    {.name = "407: there is no shadow to delete from",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"delete\",\"state\":{\"reported\":\"null\"}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("407", "the shadow is empty")},
    {.name = "500: six levels are too deep",
     .service = &sky_aliyun_shadow,
     .topic = TOPIC,
     .payload = "{\"method\":\"update\",\"state\":{\"reported\":{\"1\":{\"2\":{\"3\":{\"4\":{"
                "\"5\":{\"6\":1}}}}}}}}",
     .reply_topic = RESULT,
     .reply = ERROR_REPLY("500", "the shadow is too deep or too large"),
     .rule = "ALI-SHADOW-FORMAT"},
};

static void every_exchange_is_answered(void **state)
{
    (void)state;
    run_cases("aliyun", "pk", "dn", cases, SKY_COUNT(cases));
}

static void a_stale_version_is_refused_where_the_rule_is_enforced(void **state)
{
    static const char *const actions[] = {"report", "enforce"};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(actions); i++) {
        struct service_bench bench;
        bench_init(&bench, "aliyun", "pk", "dn");
        bench_set(&bench, "ALI-SHADOW-VERSION", actions[i]);
        bench.facts.document = SKY_SPAN(STORED);
        bench.facts.document_version = 7;
        bench_send(&bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC),
                   SKY_SPAN("{\"method\":\"update\",\"state\":{\"reported\":{\"a\":1}},"
                            "\"version\":7}"));
        assert_string_equal(bench.judge.findings[0].rule->id, "ALI-SHADOW-VERSION");
        assert_span(actions[i], "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    i == 0 ? SUCCESS("8") : ERROR_REPLY("409", "version conflict"));
        bench_done(&bench);
    }
}

static void attributes_are_limited_in_number(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        bench_init(&bench, "aliyun", "pk", "dn");
        sky_buf_init(&out, 64 * 1024);
        sky_buf_add_str(&out, "{\"method\":\"update\",\"state\":{\"reported\":{");
        for (int i = 0; i < SKY_ALIYUN_SHADOW_ATTRIBUTES_MAX + over; i++)
            sky_buf_addf(&out, "%s\"k%d\":1", i > 0 ? "," : "", i);
        sky_buf_add_str(&out, "}}}");
        bench_send(&bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC), sky_buf_span(&out));
        assert_span("408", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    over ? ERROR_REPLY("408", "too many attributes") : SUCCESS("1"));
        sky_buf_done(&out);
        bench_done(&bench);
    }
}

static void the_shadow_is_limited_in_size(void **state)
{
    const size_t frame = strlen("{\"reported\":{\"a\":\"\"}}");
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        bench_init(&bench, "aliyun", "pk", "dn");
        sky_buf_init(&out, 64 * 1024);
        sky_buf_add_str(&out, "{\"method\":\"update\",\"state\":{\"reported\":{\"a\":\"");
        for (size_t i = frame; i < SKY_ALIYUN_SHADOW_BYTES_MAX + over; i++)
            sky_buf_add_byte(&out, 'x');
        sky_buf_add_str(&out, "\"}}}");
        bench_send(&bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC), sky_buf_span(&out));
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL, !over);
        sky_buf_done(&out);
        bench_done(&bench);
    }
}

/* What `count` attributes of the value come to, in an update and in the application's patch. */
static void flood(struct service_bench *bench, const char *value, size_t count, const char *reply,
                  sky_err patched)
{
    struct sky_buf keys, out;
    struct sky_why why;
    sky_buf_init(&keys, SKY_ALIYUN_MESSAGE_MAX);
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(&keys, "%s\"%zx\":%s", i > 0 ? "," : "", i, value);
    sky_buf_init(&out, SKY_ALIYUN_MESSAGE_MAX);
    sky_buf_addf(&out, "{\"method\":\"update\",\"state\":{\"reported\":{");
    sky_buf_add(&out, sky_buf_span(&keys));
    sky_buf_add_str(&out, "}}}");
    assert_false(out.overflow);
    bench_send(bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC), sky_buf_span(&out));
    assert_span(value, "the reply", bench_effect(bench, SKY_EFFECT_REPLY)->payload, reply);
    sky_buf_clear(&out);
    sky_buf_add_str(&out, "{\"desired\":{");
    sky_buf_add(&out, sky_buf_span(&keys));
    sky_buf_add_str(&out, "}}");
    assert_int_equal(sky_aliyun_shadow_patch(&bench->uplink, &bench->facts, sky_buf_span(&out),
                                             &bench->effects, &why),
                     patched);
    sky_buf_done(&out);
    sky_buf_done(&keys);
}

/* Pair by pair each of these would take minutes. */
static void as_many_keys_as_a_message_holds_take_little_time(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    clock_t began = clock();
    flood(&bench, "1", 26000, ERROR_REPLY("500", "the shadow is too deep or too large"),
          SKY_ERR_LIMIT);
    flood(&bench, "null", 20000, SUCCESS("1"), SKY_OK);
    assert_true(clock() - began < 2 * CLOCKS_PER_SEC);
    bench_done(&bench);
}

static void a_shadow_that_was_cleared_starts_anew(void **state)
{
    struct service_bench bench;
    struct sky_arena arena;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    sky_arena_init(&arena);
    bench.facts.document = SKY_SPAN(STORED);
    bench.facts.document_version = 7;
    bench_send(&bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC),
               SKY_SPAN("{\"method\":\"delete\",\"version\":-1}"));
    const struct sky_effect *stored = bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_int_equal(stored->version, 0);
    bench.facts.document = sky_arena_copy(&arena, stored->payload);
    bench.facts.document_version = 0;
    bench_send(&bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC), SKY_SPAN("{\"method\":\"get\"}"));
    assert_span("get", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                ERROR_REPLY("407", "the shadow is empty"));
    bench_send(
        &bench, &sky_aliyun_shadow, SKY_SPAN(TOPIC),
        SKY_SPAN("{\"method\":\"update\",\"state\":{\"reported\":{\"a\":1}},\"version\":1}"));
    assert_span("update", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                SUCCESS("1"));
    assert_int_equal(bench.judge.count, 0);
    sky_arena_done(&arena);
    bench_done(&bench);
}

static void a_desire_is_stored_and_sent_as_control(void **state)
{
    struct service_bench bench;
    struct sky_why why;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    assert_int_equal(sky_aliyun_shadow_patch(&bench.uplink, &bench.facts,
                                             SKY_SPAN("{\"desired\":{\"color\":\"blue\"}}"),
                                             &bench.effects, &why),
                     SKY_OK);
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUBLISH);
    assert_span("control", "the topic", push->topic, RESULT);
    assert_span("control", "the payload", push->payload,
                "{\"method\":\"control\",\"payload\":{\"status\":\"success\",\"state\":"
                "{\"desired\":{\"color\":\"blue\"}},\"metadata\":{\"desired\":{\"color\":" NOW
                "}}},\"version\":1,\"timestamp\":1700000000}");
    assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT)->version, 1);
    sky_effects_clear(&bench.effects);
    assert_int_equal(sky_aliyun_shadow_patch(&bench.uplink, &bench.facts,
                                             SKY_SPAN("{\"desired\":null}"), &bench.effects, &why),
                     SKY_OK);
    assert_null(bench_effect(&bench, SKY_EFFECT_PUBLISH));
    bench_done(&bench);
}

static void a_fixture_becomes_a_document(void **state)
{
    struct sky_arena arena;
    sky_span document;
    int64_t version = 0;
    struct sky_why why;
    (void)state;
    sky_arena_init(&arena);
    assert_int_equal(sky_aliyun_shadow_seed(SKY_SPAN("{\"reported\":{\"a\":1}}"), 9000, &arena,
                                            &document, &version, &why),
                     SKY_OK);
    assert_int_equal(version, 1);
    assert_span("fixture", "the document", document,
                "{\"state\":{\"reported\":{\"a\":1}},\"metadata\":{\"reported\":{\"a\":" AT(
                    "9") "}},\"timestamp\":9}");
    sky_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exchange_is_answered),
        cmocka_unit_test(a_stale_version_is_refused_where_the_rule_is_enforced),
        cmocka_unit_test(attributes_are_limited_in_number),
        cmocka_unit_test(the_shadow_is_limited_in_size),
        cmocka_unit_test(as_many_keys_as_a_message_holds_take_little_time),
        cmocka_unit_test(a_shadow_that_was_cleared_starts_anew),
        cmocka_unit_test(a_desire_is_stored_and_sent_as_control),
        cmocka_unit_test(a_fixture_becomes_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
