/* Upgrades and configuration: what a device says and asks, and what it is told. */
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/ota.h"
#include "protocol/cloud/tencent/services.h"

#define REPORT "$ota/report/P/d"
#define UPDATE "$ota/update/P/d"
/* An upgrade from 1.0 to 2.0, as it is stored. */
#define UPGRADE(state)                                                                             \
    "{\"default\":{\"module\":\"default\",\"reported\":\"1.0\",\"version\":\"2.0\",\"file\":"      \
    "\"f\",\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\",\"sha256\":\"e3\",\"state\":\"" state      \
    "\",\"size\":5,\"createdMs\":1,\"startedMs\":2,\"chunked\":false,\"due\":false}}"
#define VERSION(version) "{\"type\": \"report_version\", \"report\":{\"version\":\"" version "\"}}"
#define ANSWER(version)                                                                            \
    "{\"result_code\":0,\"result_msg\":\"success\",\"type\":\"report_version_rsp\",\"version\":"   \
    "\"" version "\"}"
#define PROGRESS(members)                                                                          \
    "{\"type\": \"report_progress\", \"report\": {\"progress\": {" members                         \
    "}, \"version\": \"2.0\"}}"
#define FAIL(code)                                                                                 \
    PROGRESS("\"state\":\"fail\",\"result_code\":\"" code "\",\"result_msg\":\"time_out\"")
#define TEXT_32 "01234567890123456789012345678901"

static const struct {
    const char *name, *before; /* the document; NULL: none */
    const char *payload, *reply;
    const char *after;       /* the state that the upgrade came into; NULL: it stayed in its own */
    const char *rule, *says; /* part of the document afterwards */
} rows[] = {
    {"a version is kept", NULL, VERSION("1.0"), ANSWER("1.0"), NULL, NULL, "\"reported\":\"1.0\""},
    {"32 characters are a version", NULL, VERSION(TEXT_32), ANSWER(TEXT_32), NULL, NULL, TEXT_32},
    {"33 are none", NULL, VERSION(TEXT_32 "2"), NULL, NULL, "TEN-OTA-REPORT", NULL},
    {"no version", NULL, VERSION(""), NULL, NULL, "TEN-OTA-REPORT", NULL},
    {"no report", NULL, "{\"type\":\"report_version\"}", NULL, NULL, "TEN-OTA-REPORT", NULL},
    {"the version due ends the upgrade", UPGRADE("in-progress"), VERSION("2.0"), ANSWER("2.0"),
     "succeeded", NULL, NULL},
    {"also without any progress", UPGRADE("notified"), VERSION("2.0"), ANSWER("2.0"), "succeeded",
     NULL, NULL},
    {"who comes again with the old one is told again", UPGRADE("in-progress"), VERSION("1.0"),
     ANSWER("1.0"), NULL, NULL, "\"due\":true"},
    {"the first progress", UPGRADE("notified"),
     PROGRESS("\"state\":\"downloading\", \"percent\":\"0\", \"result_code\":\"0\", "
              "\"result_msg\":\"\""),
     NULL, "in-progress", NULL, "\"percent\":0"},
    {"all of it is there", UPGRADE("in-progress"),
     PROGRESS("\"state\":\"downloading\",\"percent\":\"100\",\"result_code\":\"0\""), NULL, NULL,
     NULL, "\"percent\":100"},
    {"a percent as a number", UPGRADE("in-progress"),
     PROGRESS("\"state\":\"downloading\",\"percent\":40"), NULL, NULL, NULL, "\"percent\":40"},
    {"more than all", UPGRADE("in-progress"),
     PROGRESS("\"state\":\"downloading\",\"percent\":\"101\""), NULL, NULL, "TEN-OTA-REPORT", NULL},
    {"no percent", UPGRADE("in-progress"), PROGRESS("\"state\":\"downloading\""), NULL, NULL,
     "TEN-OTA-REPORT", NULL},
    {"it is being written", UPGRADE("in-progress"),
     PROGRESS("\"state\":\"burning\",\"result_code\":\"0\",\"result_msg\":\"\""), NULL, NULL, NULL,
     "\"burning\""},
    {"done", UPGRADE("in-progress"), PROGRESS("\"state\":\"done\",\"result_code\":\"0\""), NULL,
     "succeeded", NULL, NULL},
    {"the download timed out", UPGRADE("in-progress"), FAIL("-1"), NULL, "failed", NULL,
     "-1: the download timed out"},
    {"no such file", UPGRADE("notified"), FAIL("-2"), NULL, "failed", NULL,
     "-2: the file is not there (HTTP 404)"},
    {"the URL has expired", UPGRADE("in-progress"), FAIL("-3"), NULL, "failed", NULL,
     "-3: the URL has expired (HTTP 403)"},
    {"another digest", UPGRADE("in-progress"), FAIL("-4"), NULL, "failed", NULL,
     "-4: the MD5 differs"},
    {"the upgrade failed", UPGRADE("in-progress"), FAIL("-5"), NULL, "failed", NULL,
     "-5: the upgrade failed"},
    {"a failure that no page has", UPGRADE("in-progress"), FAIL("-9"), NULL, "failed", NULL,
     "-9: a failure of its own"},
    {"progress of nothing", NULL, FAIL("-1"), NULL, NULL, "TEN-OTA-TASK", NULL},
    {"progress after the end", UPGRADE("succeeded"),
     PROGRESS("\"state\":\"downloading\",\"percent\":\"1\""), NULL, NULL, "TEN-OTA-TASK", NULL},
    {"progress before it was told", UPGRADE("queued"),
     PROGRESS("\"state\":\"downloading\",\"percent\":\"1\""), NULL, NULL, "TEN-OTA-TASK", NULL},
    {"another state", UPGRADE("in-progress"), PROGRESS("\"state\":\"checking\""), NULL, NULL,
     "TEN-OTA-REPORT", NULL},
    {"another type", NULL, "{\"type\":\"get_version\"}", NULL, NULL, "TEN-OTA-REPORT", NULL},
    {"no JSON", NULL, "1.0", NULL, NULL, "TEN-OTA-REPORT", NULL},
};

static void what_devices_say_moves_the_upgrade(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct service_case as_case = {.name = rows[i].name, .rule = rows[i].rule};
        bench.facts.document = sky_span_str(rows[i].before);
        bench_send(&bench, &sky_tencent_ota, SKY_SPAN(REPORT), sky_span_str(rows[i].payload));
        assert_effect(&as_case, "the reply", bench_effect(&bench, SKY_EFFECT_REPLY), UPDATE,
                      rows[i].reply);
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
    bench_init(&bench, "tencent", "P", "d");
    bench.facts.link = SKY_SPAN("https://host/");
    sky_ota_open(&ota, bench.uplink.cloud, &bench.facts, &bench.effects.arena);
    sky_ota_create(&ota, &(struct sky_ota_order){.version = SKY_SPAN("2.0"),
                                                 .file = SKY_SPAN("f"),
                                                 .size = 5,
                                                 .md5 = SKY_SPAN("d41d")});
    assert_true(
        sky_ota_tell(&ota, &bench.uplink, &bench.facts, SKY_SPAN("1000000001"), &bench.effects));
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
    assert_span("push", "the topic", push->topic, UPDATE);
    assert_span("push", "the payload", push->payload,
                "{\"file_size\":5,\"md5sum\":\"d41d\",\"type\":\"update_firmware\","
                "\"url\":\"https://host/f\",\"version\":\"2.0\"}");
    bench_done(&bench);
}

static void images_are_limited_in_size(void **state)
{
    struct service_bench bench;
    struct sky_ota ota;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    sky_ota_open(&ota, bench.uplink.cloud, &bench.facts, &bench.effects.arena);
    struct sky_ota_order order = {.version = SKY_SPAN("2.0"),
                                  .size = sky_tencent_upgrades.size_max};
    assert_int_equal(sky_ota_check(&ota, &order, NULL), SKY_OK);
    order.size++;
    assert_int_equal(sky_ota_check(&ota, &order, NULL), SKY_ERR_LIMIT);
    bench_done(&bench);
}

/* ---- configuration ---- */

#define CONFIG_DOWN "$config/operation/result/P/d"
#define OLD_DOWN "$config/update/P/d"

static const struct {
    const char *name, *config, *reply;
} answers[] = {
    {"0: as it is", "{\"a\": 1,\n \"url\":\"http://x/y\"}",
     "{\"type\":\"reply\",\"result\":0,\"payload\":{\"a\":1,\"url\":\"http://x/y\"}}"},
    {"1001: it was never switched on", NULL, "{\"type\":\"reply\",\"result\":1001,\"payload\":{}}"},
    {"1002: nothing", "{}", "{\"type\":\"reply\",\"result\":1002,\"payload\":{}}"},
    {"1003: no object", "[1]", "{\"type\":\"reply\",\"result\":1003,\"payload\":{}}"},
};

/* The same on both topics: the server sends it where the device listens. */
static void the_configuration_is_answered(void **state)
{
    static const char *const topics[] = {"$config/operation/P/d", "$config/report/P/d"};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    for (size_t i = 0; i < 2 * SKY_COUNT(answers); i++) {
        bench.facts.config = sky_span_str(answers[i / 2].config);
        bench_send(&bench, &sky_tencent_config, sky_span_str(topics[i % 2]),
                   SKY_SPAN("{\"type\":\"get\"}"));
        assert_int_equal(bench.effects.count, 2);
        const struct sky_effect *effects = bench.effects.list;
        const char *name = answers[i / 2].name;
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(effects[j].kind, SKY_EFFECT_REPLY);
            assert_span(name, "the topic", effects[j].topic, j == 0 ? CONFIG_DOWN : OLD_DOWN);
            assert_span(name, "the reply", effects[j].payload, answers[i / 2].reply);
            assert_compact(name, effects[j].payload);
        }
        assert_int_equal(bench.judge.count, 0);
    }
    bench_send(&bench, &sky_tencent_config, SKY_SPAN("$config/operation/P/d"),
               SKY_SPAN("{\"type\":\"set\"}"));
    assert_int_equal(bench.effects.count, 0);
    assert_string_equal(bench.judge.findings[0].rule->id, "TEN-SERVICE-REQUEST");
    bench_done(&bench);
}

static void a_long_configuration_is_illegal(void **state)
{
    static char config[128 * 1024 + 2];
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    for (size_t more = 0; more < 2; more++) {
        size_t len = 128 * 1024 + more;
        memset(config, 'x', len);
        memcpy(config, "{\"a\":\"", 6);
        memcpy(config + len - 2, "\"}", 2);
        bench.facts.config = sky_span_of(config, len);
        bench_send(&bench, &sky_tencent_config, SKY_SPAN("$config/operation/P/d"),
                   SKY_SPAN("{\"type\":\"get\"}"));
        assert_true(sky_span_contains(bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                                      more == 0 ? SKY_SPAN("\"result\":0,")
                                                : SKY_SPAN("\"result\":1003,")));
    }
    bench_done(&bench);
}

static const struct command_case commands[] = {
    {"config", "", "{\"b\": 2}", CONFIG_DOWN,
     "{\"type\":\"push\",\"result\":0,\"payload\":{\"b\":2}}"},
    {"config", "", "", CONFIG_DOWN, "{\"type\":\"push\",\"result\":0,\"payload\":{\"a\":1}}"},
    {"config", "", "[1]", NULL, NULL},
    {"config", "", "{}", NULL, NULL},
};

static void the_configuration_is_pushed(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    bench.facts.config = SKY_SPAN("{\"a\":1}");
    run_commands(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, commands, SKY_COUNT(commands));
    bench.facts.config = SKY_SPAN_NONE;
    assert_int_equal(
        bench_command(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, "config", "", "").len, 0);
    assert_string_equal(bench.why.reason,
                        "the product has no configuration; PUT .../config sets one");
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_devices_say_moves_the_upgrade),
        cmocka_unit_test(an_upgrade_is_pushed),
        cmocka_unit_test(images_are_limited_in_size),
        cmocka_unit_test(the_configuration_is_answered),
        cmocka_unit_test(a_long_configuration_is_illegal),
        cmocka_unit_test(the_configuration_is_pushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
