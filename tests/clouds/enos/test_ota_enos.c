/* Upgrades: what a device says of its firmware, what it is told, and what becomes of the upgrade.
 */
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/ota.h"

#define OTA "/sys/pk/dk/ota/device/"
#define REQUEST(method, params)                                                                    \
    "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params ",\"method\":\"" method "\"}"
#define OK_REPLY "{\"id\":\"1\",\"code\":200,\"data\":{}}"
#define FAILS(code, text) "{\"id\":\"1\",\"code\":" code ",\"message\":\"" text "\",\"data\":{}}"
#define SHAPE FAILS("1220", "Payload format error")
#define NO_TASK FAILS("764", "No upgrade task for the device")
#define NOT_YET FAILS("765", "The upgrade task is not started")
/* An upgrade from 1.0 to 2.0, as it is stored. */
#define UPGRADE(state)                                                                             \
    "{\"default\":{\"module\":\"default\",\"reported\":\"1.0\",\"version\":\"2.0\",\"file\":"      \
    "\"f\","                                                                                       \
    "\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\",\"sha256\":\"e3\",\"state\":\"" state            \
    "\",\"size\":5,\"createdMs\":1,\"startedMs\":2,\"chunked\":false,\"due\":false}}"
#define INFORM(version) &sky_enos_ota_inform, OTA "inform", REQUEST("ota.device.inform", version)
#define PROGRESS(params)                                                                           \
    &sky_enos_ota_progress, OTA "progress", REQUEST("ota.device.progress", params)
#define GETVERSION                                                                                 \
    &sky_enos_ota_getversion, OTA "getversion", REQUEST("ota.device.getversion", "{}")
#define NEWER                                                                                      \
    "{\"id\":\"1\",\"code\":200,\"data\":[{\"version\":\"2.0\",\"sign\":"                          \
    "\"d41d8cd98f00b204e9800998ecf8427e\",\"signMethod\":\"md5\",\"fileUrl\":"                     \
    "\"https://host:8443/f\",\"fileSize\":5}]}"
#define NOTHING "{\"id\":\"1\",\"code\":200,\"data\":[]}"

static const struct {
    const char *name, *before; /* the document; NULL: none */
    const struct sky_service *service;
    const char *topic, *payload, *reply;
    const char *after;       /* the state that the upgrade came into; NULL: it stayed in its own */
    const char *rule, *says; /* part of the document afterwards */
} rows[] = {
    {"a version is kept", NULL, INFORM("{\"version\":\"1.0\"}"), OK_REPLY, NULL, NULL,
     "\"reported\":\"1.0\""},
    {"the version due ends the upgrade", UPGRADE("in-progress"), INFORM("{\"version\":\"2.0\"}"),
     OK_REPLY, "succeeded", NULL, NULL},
    {"also without any progress", UPGRADE("notified"), INFORM("{\"version\":\"2.0\"}"), OK_REPLY,
     "succeeded", NULL, NULL},
    {"another does not", UPGRADE("in-progress"), INFORM("{\"version\":\"1.1\"}"), OK_REPLY, NULL,
     NULL, "\"reported\":\"1.1\""},
    {"who comes again without having begun is told again", UPGRADE("notified"),
     INFORM("{\"version\":\"1.0\"}"), OK_REPLY, NULL, NULL, "\"due\":true"},
    {"1220: no version", NULL, INFORM("{}"), SHAPE, NULL, "ENOS-PARAMS", NULL},
    {"under the SDK's own name", NULL, &sky_enos_ota_inform, OTA "inform",
     REQUEST("ota.inform", "{\"version\":\"1\"}"), OK_REPLY, NULL, "ENOS-METHOD-SPELLING", NULL},
    {"there is nothing newer", NULL, GETVERSION, NOTHING, NULL, NULL, NULL},
    {"nor after the end", UPGRADE("succeeded"), GETVERSION, NOTHING, NULL, NULL, NULL},
    {"who asks is told", UPGRADE("queued"), GETVERSION, NEWER, "notified", NULL, NULL},
    {"and again", UPGRADE("in-progress"), GETVERSION, NEWER, NULL, NULL, NULL},
    {"under the SDK's own name", NULL, &sky_enos_ota_getversion, OTA "getversion",
     REQUEST("Ota.device.getversion", "{}"), NOTHING, NULL, "ENOS-METHOD-SPELLING", NULL},
    {"764: progress of nothing", NULL, PROGRESS("{\"step\":\"20\"}"), NO_TASK, NULL,
     "ENOS-OTA-TASK", NULL},
    {"764: or of what is over", UPGRADE("failed"), PROGRESS("{\"step\":\"20\"}"), NO_TASK, NULL,
     "ENOS-OTA-TASK", NULL},
    {"765: of what it was not told", UPGRADE("queued"), PROGRESS("{\"step\":\"20\"}"), NOT_YET,
     NULL, "ENOS-OTA-TASK", NULL},
    {"the first progress starts it", UPGRADE("notified"),
     PROGRESS("{\"step\":\"20\",\"desc\":\"downloading\"}"), OK_REPLY, "in-progress", NULL,
     "\"percent\":20"},
    {"a number will do", UPGRADE("in-progress"), PROGRESS("{\"step\":55}"), OK_REPLY, NULL, NULL,
     "\"percent\":55"},
    {"a hundred is no success", UPGRADE("in-progress"), PROGRESS("{\"step\":\"100\"}"), OK_REPLY,
     NULL, NULL, "\"percent\":100"},
    {"-1: failed", UPGRADE("in-progress"), PROGRESS("{\"step\":\"-1\",\"desc\":\"why\"}"), OK_REPLY,
     "failed", NULL, "step -1: the upgrade failed: why"},
    {"-2: the download", UPGRADE("in-progress"), PROGRESS("{\"step\":\"-2\"}"), OK_REPLY, "failed",
     NULL, "step -2: the download failed"},
    {"-3: the verification", UPGRADE("in-progress"), PROGRESS("{\"step\":-3}"), OK_REPLY, "failed",
     NULL, "step -3: the verification failed"},
    {"-4: the burning", UPGRADE("in-progress"), PROGRESS("{\"step\":\"-4\"}"), OK_REPLY, "failed",
     NULL, "step -4: the burning failed"},
    {"-5: it declined, at once", UPGRADE("notified"), PROGRESS("{\"step\":\"-5\"}"), OK_REPLY,
     "failed", NULL, "step -5: the device declined"},
    {"below that: its own", UPGRADE("in-progress"), PROGRESS("{\"step\":\"-99\"}"), OK_REPLY,
     "failed", NULL, "step -99: a failure of its own"},
    {"1220: beyond a hundred", UPGRADE("in-progress"), PROGRESS("{\"step\":\"101\"}"), SHAPE, NULL,
     "ENOS-PARAMS", NULL},
    {"1220: no number", UPGRADE("in-progress"), PROGRESS("{\"step\":\"half\"}"), SHAPE, NULL,
     "ENOS-PARAMS", NULL},
    {"1220: no step", UPGRADE("in-progress"), PROGRESS("{}"), SHAPE, NULL, "ENOS-PARAMS", NULL},
    {"as the page spells it", UPGRADE("in-progress"), &sky_enos_ota_progress, OTA "progress",
     REQUEST("ota.device.process", "{\"step\":\"20\"}"), OK_REPLY, NULL, "ENOS-METHOD-SPELLING",
     NULL},
    {"what nobody sends is acknowledged", NULL, &sky_enos_ota_request, OTA "request",
     REQUEST("ota.device.request", "{}"), OK_REPLY, NULL, NULL, NULL},
    {"the answer to a push is taken", NULL, &sky_enos_ota_answer, OTA "upgrade_reply",
     "{\"id\":\"1\",\"code\":200,\"data\":\"\"}", NULL, NULL, NULL, NULL},
};

static void what_devices_say_moves_the_upgrade(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    bench.facts.link = SKY_SPAN("https://host:8443/");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct service_case as_case = {.name = rows[i].name, .rule = rows[i].rule};
        bench.facts.document = sky_span_str(rows[i].before);
        bench_send(&bench, rows[i].service, sky_span_str(rows[i].topic),
                   sky_span_str(rows[i].payload));
        const struct sky_effect *reply = bench_effect(&bench, SKY_EFFECT_REPLY);
        assert_effect(&as_case, "the reply", reply, NULL, rows[i].reply);
        const struct sky_effect *upgrade = bench_effect(&bench, SKY_EFFECT_UPGRADE);
        assert_span(rows[i].name, "the state",
                    sky_span_str(upgrade != NULL ? upgrade->state : NULL),
                    rows[i].after != NULL ? rows[i].after : "");
        assert_finding(&as_case, &bench.judge);
        const struct sky_effect *stored = bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT);
        if (rows[i].says != NULL &&
            (stored == NULL || !sky_span_contains(stored->payload, sky_span_str(rows[i].says))))
            fail_msg("%s: the document does not have %s", rows[i].name, rows[i].says);
    }
    bench_done(&bench);
}

static void an_upgrade_is_pushed(void **state)
{
    struct service_bench bench;
    struct sky_ota ota;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    bench.facts.link = SKY_SPAN("https://host:8443/");
    sky_ota_open(&ota, bench.uplink.cloud, &bench.facts, &bench.effects.arena);
    sky_ota_create(&ota, &(struct sky_ota_order){.version = SKY_SPAN("2.0"),
                                                 .file = SKY_SPAN("f"),
                                                 .size = 5,
                                                 .md5 = SKY_SPAN("d41d")});
    assert_true(
        sky_ota_tell(&ota, &bench.uplink, &bench.facts, SKY_SPAN("1000000001"), &bench.effects));
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
    assert_span("push", "the topic", push->topic, OTA "upgrade");
    assert_span("push", "the payload", push->payload,
                "{\"id\":\"1000000001\",\"version\":\"1.0\",\"params\":{\"version\":\"2.0\","
                "\"sign\":\"d41d\",\"signMethod\":\"md5\",\"fileUrl\":\"https://host:8443/f\","
                "\"fileSize\":5},\"method\":\"ota.device.upgrade\"}");
    bench_done(&bench);
}

static void images_are_limited_in_size(void **state)
{
    struct service_bench bench;
    struct sky_ota ota;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    sky_ota_open(&ota, bench.uplink.cloud, &bench.facts, &bench.effects.arena);
    struct sky_ota_order order = {.version = SKY_SPAN("2.0"), .size = sky_enos_upgrades.size_max};
    assert_int_equal(sky_ota_check(&ota, &order, NULL), SKY_OK);
    order.size++;
    assert_int_equal(sky_ota_check(&ota, &order, NULL), SKY_ERR_LIMIT);
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_devices_say_moves_the_upgrade),
        cmocka_unit_test(an_upgrade_is_pushed),
        cmocka_unit_test(images_are_limited_in_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
