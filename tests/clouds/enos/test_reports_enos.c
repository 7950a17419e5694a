/* Raw bytes both ways, remote calls, reports for people, and the commands of applications. */
#include "tests/unit/cloud/service_case.h"

#include <stdlib.h>

#include "protocol/cloud/enos/services.h"

#define SYS "/sys/pk/dk/"
#define THING SYS "thing/"
#define OK_REPLY "{\"id\":\"1\",\"code\":200,\"data\":{}}"
#define REQUEST(method, params)                                                                    \
    "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params ",\"method\":\"" method "\"}"

static const struct service_case raw_cases[] = {
    {.name = "raw bytes are answered",
     .service = &sky_enos_raw,
     .topic = THING "model/up_raw",
     .payload = "\x01\x02",
     .reply_topic = THING "model/up_raw_reply",
     .reply = "{\"id\":\"\",\"code\":200,\"data\":{}}"},
    {.name = "1251: no bytes",
     .service = &sky_enos_raw,
     .topic = THING "model/up_raw",
     .payload = "",
     .reply_topic = THING "model/up_raw_reply",
     .reply = "{\"id\":\"\",\"code\":1251,\"message\":\"Payload is empty\",\"data\":{}}",
     .rule = "ENOS-PAYLOAD-JSON"},
    {.name = "raw bytes answer what was asked first",
     .service = &sky_enos_raw_answer,
     .topic = THING "model/down_raw_reply",
     .payload = "\x01\x02",
     .answer = ""},
    {.name = "a remote call's answer has its id in the topic",
     .service = &sky_enos_rpc_answer,
     .topic = SYS "rrpc/response/1000000001",
     .payload = "any text",
     .answer = "1000000001"},
    {.name = "a reply to traffic control comes where that went",
     .service = &sky_enos_traffic_answer,
     .topic = SYS "traffic/control",
     .payload = "{\"id\":\"42\",\"code\":1101}",
     .answer = "42"},
};

#define LOG_REQUEST(params) REQUEST("thing.log.post", params)
#define STATUS_REQUEST(params) REQUEST("network.status.report", params)
#define STATE_REQUEST(params) REQUEST("connection.state.post", params)
#define LOG_ROW(params_)                                                                           \
    .service = &sky_enos_log, .topic = THING "log/post", .payload = LOG_REQUEST(params_),          \
    .reply_topic = THING "log/post_reply", .reply = OK_REPLY
#define STATUS_ROW(params_)                                                                        \
    .service = &sky_enos_network_status, .topic = SYS "network/status/report",                     \
    .payload = STATUS_REQUEST(params_), .reply_topic = SYS "network/status/report_reply",          \
    .reply = OK_REPLY
#define STATE_ROW(params_)                                                                         \
    .service = &sky_enos_connection_state, .topic = SYS "connection/state/post",                   \
    .payload = STATE_REQUEST(params_), .reply_topic = SYS "connection/state/post_reply",           \
    .reply = OK_REPLY

static const struct service_case report_cases[] = {
    {.name = "a log is taken",
     LOG_ROW("{\"logs\":{\"traceId\":\"t\",\"level\":\"INFO\",\"module\":\"m\",\"content\":\"c\"},"
             "\"time\":1548753362502}")},
    {.name = "each field of a log may be left out", LOG_ROW("{\"logs\":{}}")},
    {.name = "a log has logs", LOG_ROW("{}"), .rule = "ENOS-PARAMS"},
    {.name = "a log is text", LOG_ROW("{\"logs\":{\"level\":1}}"), .rule = "ENOS-PARAMS"},
    {.name = "a time is a number",
     LOG_ROW("{\"logs\":{},\"time\":\"now\"}"),
     .rule = "ENOS-PARAMS"},
    {.name = "a network's status is taken",
     STATUS_ROW("{\"reportTime\":1548753362502,\"collectTime\":1548753362501,\"rssi\":-70,"
                "\"snr\":9.5,\"packetLossRate\":0.01,\"networkType\":\"4G\",\"errorInfo\":\"\"}")},
    {.name = "as far as it is known", STATUS_ROW("{\"rssi\":-70}")},
    {.name = "a level is a number", STATUS_ROW("{\"rssi\":\"-70\"}"), .rule = "ENOS-PARAMS"},
    {.name = "a type is text", STATUS_ROW("{\"networkType\":4}"), .rule = "ENOS-PARAMS"},
    {.name = "a status is an object", STATUS_ROW("[]"), .rule = "ENOS-PARAMS"},
    {.name = "who is behind a device is taken",
     STATE_ROW("{\"isFull\":true,\"nodes\":[{\"nodeId\":\"n1\",\"state\":1},{\"nodeId\":\"n2\","
               "\"state\":2,\"name\":\"x\",\"info\":{}}],\"relations\":{\"n1\":[\"n2\"]},"
               "\"reportTime\":1548753362502}")},
    {.name = "also what changed", STATE_ROW("{\"isFull\":false,\"nodes\":[]}")},
    {.name = "a node's state is 1, 2 or 3",
     STATE_ROW("{\"isFull\":true,\"nodes\":[{\"nodeId\":\"n1\",\"state\":4}]}"),
     .rule = "ENOS-PARAMS"},
    {.name = "relations come with all nodes",
     STATE_ROW("{\"isFull\":false,\"nodes\":[],\"relations\":{\"n1\":[]}}"),
     .rule = "ENOS-PARAMS"},
    {.name = "children are a list",
     STATE_ROW("{\"isFull\":true,\"nodes\":[],\"relations\":{\"n1\":\"n2\"}}"),
     .rule = "ENOS-PARAMS"},
    {.name = "1220: a report that is no JSON",
     .service = &sky_enos_log,
     .topic = THING "log/post",
     .payload = "log",
     .reply_topic = THING "log/post_reply",
     .reply = "{\"code\":1220,\"message\":\"Payload format error\",\"data\":{}}",
     .rule = "ENOS-PAYLOAD-JSON"},
    {.name = "a product without a model has four empty maps",
     .service = &sky_enos_template,
     .topic = THING "tsltemplate/get",
     .payload = REQUEST("thing.tsltemplate.get", "{}"),
     .reply_topic = THING "tsltemplate/get_reply",
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":{\"tslAttributeMap\":{},"
              "\"tslMeasurepointMap\":{},\"tslEventMap\":{},\"tslServiceMap\":{}}}"},
};

static void raw_bytes_and_calls_are_answered(void **state)
{
    (void)state;
    run_cases("enos", "pk", "dk", raw_cases, SKY_COUNT(raw_cases));
}

static void reports_are_acknowledged(void **state)
{
    (void)state;
    run_cases("enos", "pk", "dk", report_cases, SKY_COUNT(report_cases));
}

static void raw_answers_come_in_order(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    bench_send(&bench, &sky_enos_raw_answer, SKY_SPAN(THING "model/down_raw_reply"), SKY_SPAN("x"));
    const struct sky_effect *answer = bench_effect(&bench, SKY_EFFECT_ANSWER);
    assert_true(answer->in_order);
    assert_span("raw", "what it answers", answer->answers, THING "model/down_raw");
    bench_done(&bench);
}

static void raw_messages_are_limited_in_size(void **state)
{
    (void)state;
    char *bytes = sky_mem_new(SKY_ENOS_MESSAGE_MAX + 1);
    for (size_t over = 0; over <= 1; over++) {
        struct service_bench bench;
        bench_init(&bench, "enos", "pk", "dk");
        bench_send(&bench, &sky_enos_raw, SKY_SPAN(THING "model/up_raw"),
                   sky_span_of(bytes, SKY_ENOS_MESSAGE_MAX + over));
        assert_span("1008", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    over ? "{\"id\":\"\",\"code\":1008,\"message\":\"Msg size is too large, "
                           "discard the message\",\"data\":{}}"
                         : "{\"id\":\"\",\"code\":200,\"data\":{}}");
        bench_done(&bench);
    }
    free(bytes);
}

static const struct command_case command_cases[] = {
    {"measurepoint-set", "", "{\"p\":1}", THING "service/measurepoint/set",
     "{\"id\":\"42\",\"version\":\"1.0\",\"params\":{\"p\":1},"
     "\"method\":\"thing.service.measurepoint.set\"}"},
    {"measurepoint-get", "", "[\"p\"]", THING "service/measurepoint/get",
     "{\"id\":\"42\",\"version\":\"1.0\",\"params\":[\"p\"],"
     "\"method\":\"thing.service.measurepoint.get\"}"},
    {"measurepoint-get", "", NULL, THING "service/measurepoint/get",
     "{\"id\":\"42\",\"version\":\"1.0\",\"params\":[],"
     "\"method\":\"thing.service.measurepoint.get\"}"},
    {"service", "reboot", NULL, THING "service/reboot",
     "{\"id\":\"42\",\"version\":\"1.0\",\"params\":{},\"method\":\"thing.service.reboot\"}"},
    {"service", "", "{}", NULL, NULL},
    {"service", "a/#", "{}", NULL, NULL},
    {"service", "a", "nope", NULL, NULL},
    {"raw", "", "\x01 no JSON {", THING "model/down_raw", "\x01 no JSON {"},
    {"rpc", "", "any text", SYS "rrpc/request/42", "any text"},
    {"traffic-control", "", "{\"limit\":1}", SYS "traffic/control",
     "{\"id\":\"42\",\"version\":\"1.0\",\"params\":{\"limit\":1},"
     "\"method\":\"traffic.control\"}"},
};

static void commands_are_pushed(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    run_commands(&bench, sky_enos_commands, SKY_ENOS_COMMANDS, command_cases,
                 SKY_COUNT(command_cases));
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_bytes_and_calls_are_answered),
        cmocka_unit_test(reports_are_acknowledged),
        cmocka_unit_test(raw_answers_come_in_order),
        cmocka_unit_test(raw_messages_are_limited_in_size),
        cmocka_unit_test(commands_are_pushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
