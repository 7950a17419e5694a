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
     .reply = "{\"clientToken\":\"P-1\",\"log_level\":0,\"result\":0,\"timestamp\":1700000000,"
              "\"type\":\"get_log_level\"}"},
    {.name = "the log level comes without one too, as it was set",
     .service = &sky_tencent_log,
     .topic = LOG,
     .payload = "{\"type\":\"get_log_level\"}",
     .document = "{\"log_level\":4}",
     .reply_topic = "$log/operation/result/P/d",
     .reply = "{\"log_level\":4,\"result\":0,\"timestamp\":1700000000,"
              "\"type\":\"get_log_level\"}"},
    {.name = "a log level that cannot be is none",
     .service = &sky_tencent_log,
     .topic = LOG,
     .payload = "{\"type\":\"get_log_level\"}",
     .document = "{\"log_level\":5}",
     .reply_topic = "$log/operation/result/P/d",
     .reply = "{\"log_level\":0,\"result\":0,\"timestamp\":1700000000,"
              "\"type\":\"get_log_level\"}"},
    {.name = "nothing else is asked of the log service",
     .service = &sky_tencent_log,
     .topic = LOG,
     .payload = "{\"type\":\"get\"}",
     .rule = "TEN-SERVICE-REQUEST"},
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

static const struct command_case commands[] = {
    {"rpc", "", "any bytes", "$rrpc/rxd/P/d/42", "any bytes"},
    {"broadcast", "", "any bytes", "$broadcast/rxd/P/d", "any bytes"},
    {"raw", "", "any bytes", "$thing/down/raw/P/d", "any bytes"},
    {"log-level", "", "{\"log_level\":3}", "$log/operation/result/P/d",
     "{\"clientToken\":\"42\",\"log_level\":3,\"result\":0,\"timestamp\":1700000000,"
     "\"type\":\"get_log_level\"}"},
    {"log-level", "", "{\"log_level\":5}", NULL, NULL},
    {"log-level", "", "{\"log_level\":-1}", NULL, NULL},
    {"log-level", "", "", NULL, NULL},
};

static void commands_are_pushed(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    run_commands(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, commands, SKY_COUNT(commands));
    bench_done(&bench);
}

/* Nothing of these is kept for a device that is away. */
static void bytes_go_with_qos_0(void **state)
{
    static const char *const kinds[] = {"rpc", "broadcast", "raw", "log-level"};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    for (size_t i = 0; i < SKY_COUNT(kinds); i++) {
        bench_command(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, kinds[i], "",
                      "{\"log_level\":1}");
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUSH)->qos, 0);
    }
    bench_done(&bench);
}

static void the_level_is_kept(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "P", "d");
    bench.facts.document_version = 6;
    bench_command(&bench, sky_tencent_commands, SKY_TENCENT_COMMANDS, "log-level", "",
                  " { \"log_level\" : 2 } ");
    const struct sky_effect *stored = bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_span("log-level", "the document", stored->payload, "{\"log_level\":2}");
    assert_span("log-level", "its name", stored->name, sky_tencent_log.document);
    assert_int_equal(stored->version, 7);
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_answer),
        cmocka_unit_test(commands_are_pushed),
        cmocka_unit_test(bytes_go_with_qos_0),
        cmocka_unit_test(the_level_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
