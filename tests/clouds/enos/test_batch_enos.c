/* A gateway's batches with measure points of devices behind it, and what a model makes of points,
 * events and attributes. */
#include "tests/unit/cloud/gateway_case.h"

#include <stdlib.h>

#include "protocol/cloud/enos/model.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/model.h"

#define THING "/sys/gw/g1/thing/"
#define BATCH THING "measurepoint/post/batch"
#define OK_REPLY "{\"id\":\"1\",\"code\":200,\"data\":{}}"
#define FAILS(code, text) "{\"id\":\"1\",\"code\":" code ",\"message\":\"" text "\",\"data\":{}}"
#define NO_SUB FAILS("1212", "No sub-device permission")
#define NO_MODEL FAILS("1204", "Model validate failed")
#define NAMED(dk) "\"productKey\":\"pk\",\"deviceKey\":\"" dk "\","
#define POINTS(dk, points) "{" NAMED(dk) "\"measurepoints\":" points ",\"time\":5}"

static const struct gateway_device devices[] = {
    {"pk", "online", "s", "p", .bound = true, .online = true, .document = "{\"old\":1}"},
    {"pk", "offline", "s", "p", .bound = true, .document = "{\"old\":1}"},
    {"pk", "others", "s", "p", .bound = true, .online_elsewhere = true},
    {"pk", "strange", "s", "p", .node = SKY_NODE_DEVICE},
};

static const struct {
    const char *name, *flags, *params, *reply;
    const char *stored; /* "id:document", in order */
    const char *rule;
} batches[] = {
    {"of its own and of one behind it", "",
     "{\"measurepoints\":{\"a\":1},\"time\":5}," POINTS("online", "{\"b\":2}") "," POINTS(
         "online", "{\"c\":3}"),
     OK_REPLY,
     "0:{\"a\":{\"value\":1,\"time\":5}} "
     "1:{\"old\":1,\"b\":{\"value\":2,\"time\":5},\"c\":{\"value\":3,\"time\":5}} ",
     NULL},
    {"the product may be left out when it is the sender's", "",
     "{\"deviceKey\":\"g1\",\"measurepoints\":{\"a\":1},\"time\":5}", OK_REPLY,
     "0:{\"a\":{\"value\":1,\"time\":5}} ", NULL},
    {"1212: one that is offline", "", POINTS("online", "{\"b\":2}") "," POINTS("offline", "{}"),
     NO_SUB, "", "ENOS-TOPIC-ACL"},
    {"unless that is allowed", "\"allowOfflineSubDevice\":true,", POINTS("offline", "{\"b\":2}"),
     OK_REPLY, "2:{\"old\":1,\"b\":{\"value\":2,\"time\":5}} ", NULL},
    {"and \"\" is not that", "\"allowOfflineSubDevice\":\"\",", POINTS("offline", "{\"b\":2}"),
     NO_SUB, "", "ENOS-TOPIC-ACL"},
    {"1212: one that another has, whatever is allowed", "\"allowOfflineSubDevice\":true,",
     POINTS("others", "{\"b\":2}"), NO_SUB, "", "ENOS-TOPIC-ACL"},
    {"1212: one that is not behind it", "\"allowOfflineSubDevice\":true,",
     POINTS("strange", "{\"b\":2}"), NO_SUB, "", "ENOS-TOPIC-ACL"},
    {"1212: nobody", "", POINTS("nobody", "{\"b\":2}"), NO_SUB, "", "ENOS-TOPIC-ACL"},
    {"1204: one bad value fails all", "",
     POINTS("online", "{\"b\":2}") "," POINTS("online", "{\"c\":null}"), NO_MODEL, "",
     "ENOS-PARAMS"},
    {"bad ones are passed over", "\"skipInvalidMeasurepoints\":true,",
     POINTS("online", "{\"b\":2,\"c\":null}"), OK_REPLY,
     "1:{\"old\":1,\"b\":{\"value\":2,\"time\":5}} ", NULL},
    {"also when there are no good ones", "\"skipInvalidMeasurepoints\":true,",
     POINTS("online", "{\"c\":null}"), OK_REPLY, "", NULL},
    {"1206: no measure points", "", "{" NAMED("online") "\"time\":5}",
     FAILS("1206", "Measurepoint post data format error"), "", "ENOS-PARAMS"},
};

static void assert_stored(const char *name, const struct gateway_bench *bench, const char *want)
{
    struct sky_buf got;
    sky_buf_init(&got, 4096);
    for (size_t i = 0; i < bench->base.effects.count; i++) {
        const struct sky_effect *effect = &bench->base.effects.list[i];
        if (effect->kind == SKY_EFFECT_PUT_DOCUMENT)
            sky_buf_addf(&got, "%d:%.*s ", (int)effect->subject, SKY_SPAN_ARGS(effect->payload));
    }
    assert_span(name, "what is stored", sky_buf_span(&got), want);
    sky_buf_done(&got);
}

static void batches_of_gateways_are_kept_by_device(void **state)
{
    struct gateway_bench *bench = sky_mem_new(sizeof *bench);
    (void)state;
    gateway_init(bench, "enos", "gw", "g1", devices, SKY_COUNT(devices));
    for (size_t i = 0; i < SKY_COUNT(batches); i++) {
        const struct service_case as_case = {.name = batches[i].name, .rule = batches[i].rule};
        char payload[1024];
        snprintf(payload, sizeof payload, "{\"id\":\"1\",\"version\":\"1.0\",%s\"params\":[%s]}",
                 batches[i].flags, batches[i].params);
        gateway_send(bench, &sky_enos_measurepoint_post_batch, BATCH, payload);
        assert_span(batches[i].name, "the reply",
                    bench_effect(&bench->base, SKY_EFFECT_REPLY)->payload, batches[i].reply);
        assert_stored(batches[i].name, bench, batches[i].stored);
        assert_finding(&as_case, &bench->base.judge);
    }
    bench_done(&bench->base);
    free(bench);
}

/* ---- with a model ---- */

#define MODEL                                                                                      \
    "{\"measurepoints\":{\"temp\":{\"identifier\":\"temp\",\"dataType\":\"DOUBLE\"},"              \
    "\"power\":{\"identifier\":\"power\",\"dataType\":\"INT\",\"hasQuality\":true}},"              \
    "\"attributes\":{\"model\":{\"identifier\":\"model\",\"dataType\":\"STRING\","                 \
    "\"dataDefinition\":\"{\\\"maxLength\\\":4}\"}},"                                              \
    "\"events\":{\"low\":{\"identifier\":\"low\",\"outputData\":[{\"identifier\":\"volts\","       \
    "\"dataType\":\"DOUBLE\"}]}},\"services\":{\"turn\":{\"identifier\":\"turn\","                 \
    "\"inputData\":[{\"identifier\":\"by\",\"dataType\":\"INT\"}],\"outputData\":[]}}}"
#define POST_ROW(points)                                                                           \
    .service = &sky_enos_measurepoint_post, .topic = THING "measurepoint/post",                    \
    .payload =                                                                                     \
        "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"measurepoints\":" points ",\"time\":5}}", \
    .reply_topic = THING "measurepoint/post_reply"
#define EVENT_ROW(id, events)                                                                      \
    .service = &sky_enos_event_post, .topic = THING "event/" id "/post",                           \
    .payload = "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"events\":" events "}}",            \
    .reply_topic = THING "event/" id "/post_reply"
#define ATTRIBUTE_ROW(attributes)                                                                  \
    .service = &sky_enos_attribute_update, .topic = THING "attribute/update",                      \
    .payload = "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"attributes\":" attributes "}}",    \
    .reply_topic = THING "attribute/update_reply"

static const struct service_case model_cases[] = {
    {.name = "points that fit",
     POST_ROW("{\"temp\":1.5,\"power\":{\"value\":7,\"quality\":9}}"),
     .reply = OK_REPLY,
     .stored = "{\"temp\":{\"value\":1.5,\"time\":5},"
               "\"power\":{\"value\":7,\"quality\":9,\"time\":5}}"},
    {.name = "1204: one that the model has not",
     POST_ROW("{\"temp\":1.5,\"tmep\":1.5}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
    {.name = "1204: of another type",
     POST_ROW("{\"temp\":\"1.5\"}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
    {.name = "1204: without its quality",
     POST_ROW("{\"power\":7}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
    {.name = "1204: with a quality that it has not",
     POST_ROW("{\"temp\":{\"value\":1.5,\"quality\":1}}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
    {.name = "an event that fits", EVENT_ROW("low", "{\"volts\":3}"), .reply = OK_REPLY},
    {.name = "1204: no such event",
     EVENT_ROW("high", "{}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
    {.name = "1204: no such output",
     EVENT_ROW("low", "{\"amps\":3}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
    {.name = "an attribute that fits",
     ATTRIBUTE_ROW("{\"model\":\"X\"}"),
     .reply = OK_REPLY,
     .stored = "{\"model\":\"X\"}"},
    {.name = "1204: one that is too long leaves all as they were",
     ATTRIBUTE_ROW("{\"model\":\"XXXXX\"}"),
     .reply = NO_MODEL,
     .rule = "ENOS-MODEL"},
};

static void a_model_judges_what_comes(void **state)
{
    struct service_bench bench;
    struct sky_model *model = NULL;
    (void)state;
    assert_int_equal(sky_model_compile(&sky_enos__model, SKY_SPAN(MODEL), &model, NULL), SKY_OK);
    bench_init(&bench, "enos", "gw", "g1");
    bench.facts.model = model;
    for (size_t i = 0; i < SKY_COUNT(model_cases); i++)
        run_case(&bench, &model_cases[i]);
    bench_send(&bench, &sky_enos_template, SKY_SPAN(THING "tsltemplate/get"),
               SKY_SPAN("{\"id\":\"1\",\"version\":\"1.0\",\"params\":{}}"));
    sky_span reply = bench_effect(&bench, SKY_EFFECT_REPLY)->payload;
    assert_true(sky_span_contains(reply, SKY_SPAN("\"tslMeasurepointMap\":{\"temp\":{")));
    bench_done(&bench);
    sky_model_free(model);
}

static void bad_points_are_passed_over_and_found(void **state)
{
    struct service_bench bench;
    struct sky_model *model = NULL;
    (void)state;
    assert_int_equal(sky_model_compile(&sky_enos__model, SKY_SPAN(MODEL), &model, NULL), SKY_OK);
    bench_init(&bench, "enos", "gw", "g1");
    bench.facts.model = model;
    bench_send(&bench, &sky_enos_measurepoint_post_batch, SKY_SPAN(BATCH),
               SKY_SPAN("{\"id\":\"1\",\"version\":\"1.0\",\"skipInvalidMeasurepoints\":true,"
                        "\"params\":[{\"measurepoints\":{\"temp\":1,\"tmep\":2},\"time\":5}]}"));
    assert_span("skip", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload, OK_REPLY);
    assert_span("skip", "the document", bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT)->payload,
                "{\"temp\":{\"value\":1,\"time\":5}}");
    assert_int_equal(bench.judge.count, 1);
    bench_done(&bench);
    sky_model_free(model);
}

static void a_model_judges_what_is_sent(void **state)
{
    static const struct {
        const char *kind, *name, *params;
        bool sent;
    } rows[] = {
        {"measurepoint-set", "", "{\"temp\":1.5}", true},
        {"measurepoint-set", "", "{\"power\":7}", true},
        {"measurepoint-set", "", "{\"temp\":\"warm\"}", false},
        {"measurepoint-set", "", "{\"tmep\":1.5}", false},
        {"service", "turn", "{\"by\":3}", true},
        {"service", "turn", "{\"by\":\"x\"}", false},
        {"service", "turn", "{}", false},
        {"service", "turn", "", false},
        {"service", "spin", "{}", false},
    };
    struct service_bench bench;
    struct sky_model *model = NULL;
    (void)state;
    assert_int_equal(sky_model_compile(&sky_enos__model, SKY_SPAN(MODEL), &model, NULL), SKY_OK);
    bench_init(&bench, "enos", "gw", "g1");
    bench.facts.model = model;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_why why = {.reason = ""};
        const struct sky_command_request request = {.name = sky_span_str(rows[i].name),
                                                    .params = sky_span_str(rows[i].params),
                                                    .id = SKY_SPAN("42"),
                                                    .facts = &bench.facts,
                                                    .why = &why};
        const struct sky_command_row *row = sky_enos_commands;
        while (strcmp(row->kind, rows[i].kind) != 0)
            row++;
        sky_effects_clear(&bench.effects);
        bool sent = row->build(&bench.uplink, &request, &bench.effects).len > 0;
        if (sent != rows[i].sent)
            fail_msg("%s %s: sent, or not, the other way round", rows[i].kind, rows[i].params);
        assert_int_equal(why.reason[0] == '\0', sent);
    }
    bench_done(&bench);
    sky_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_of_gateways_are_kept_by_device),
        cmocka_unit_test(a_model_judges_what_comes),
        cmocka_unit_test(bad_points_are_passed_over_and_found),
        cmocka_unit_test(a_model_judges_what_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
