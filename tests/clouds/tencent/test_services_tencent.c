#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/tencent/services.h"

#define SYS "$sys/operation/P/d"
#define LOG "$log/operation/P/d"

static const struct service_case cases[] = {
    {.name = "the time comes in seconds and milliseconds",
     .service = &sky_tencent_time,
     .topic = SYS,
     .payload = "{\"type\": \"get\", \"resource\": [\"time\"]}",
     .reply_topic = "$sys/operation/result/P/d",
     .reply = "{\"type\":\"get\",\"time\":1700000000,\"ntptime1\":1700000000123,"
              "\"ntptime2\":1700000000123}"},
    {.name = "another resource is not answered",
     .service = &sky_tencent_time,
     .topic = SYS,
     .payload = "{\"type\":\"get\",\"resource\":[\"weather\"]}",
     .rule = "TEN-SERVICE-REQUEST"},
    {.name = "another type is not answered",
     .service = &sky_tencent_time,
     .topic = SYS,
     .payload = "{\"type\":\"set\",\"resource\":[\"time\"]}",
     .rule = "TEN-SERVICE-REQUEST"},
    {.name = "broken JSON is not answered",
     .service = &sky_tencent_time,
     .topic = SYS,
     .payload = "{\"type\":\"get\"",
     .rule = "TEN-SERVICE-REQUEST"},
    {.name = "the log level comes with the client token",
     .service = &sky_tencent_log,
     .topic = LOG,
     .payload = "{\"type\":\"get_log_level\",\"clientToken\":\"P-1\"}",
     .reply_topic = "$log/operation/result/P/d",
     .reply = "{\"type\":\"get_log_level\",\"log_level\":0,\"timestamp\":1700000000,"
              "\"clientToken\":\"P-1\"}"},
    {.name = "the log level comes without one too",
     .service = &sky_tencent_log,
     .topic = LOG,
     .payload = "{\"type\":\"get_log_level\"}",
     .reply_topic = "$log/operation/result/P/d",
     .reply = "{\"type\":\"get_log_level\",\"log_level\":0,\"timestamp\":1700000000}"},
    {.name = "nothing else is asked of the log service",
     .service = &sky_tencent_log,
     .topic = LOG,
     .payload = "{\"type\":\"get\"}",
     .rule = "TEN-SERVICE-REQUEST"},
    {.name = "a service that nobody plays is found",
     .service = &sky_tencent_unplayed,
     .topic = "$config/operation/P/d",
     .payload = "{\"type\":\"get\"}",
     .rule = "TEN-SERVICE-UNKNOWN"},
    {.name = "an RRPC response is an answer, whatever its bytes",
     .service = &sky_tencent_rpc_answer,
     .topic = "$rrpc/txd/P/d/77",
     .payload = "\x01\x02",
     .answer = "77"},
};

static void services_answer(void **state)
{
    (void)state;
    run_cases("tencent", "P", "d", cases, SKY_COUNT(cases));
}

static void an_rpc_is_pushed_raw(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    sky_span id =
        bench_command(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, "rpc", "", "any bytes");
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
    assert_span("rpc", "the id", id, "42");
    assert_span("rpc", "the topic", push->topic, "$rrpc/rxd/P/d/42");
    assert_span("rpc", "the payload", push->payload, "any bytes");
    assert_int_equal(push->qos, 0);
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_answer),
        cmocka_unit_test(an_rpc_is_pushed_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
