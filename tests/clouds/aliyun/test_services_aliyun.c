#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/aliyun/services.h"

#define SYS "/sys/pk/dn/"
#define POST SYS "thing/event/property/post"
#define OK_REPLY(id, method)                                                                       \
    "{\"code\":200,\"data\":{},\"id\":" id ",\"message\":\"success\",\"method\":\"" method         \
    "\",\"version\":\"1.0\"}"
#define BAD_REPLY(id, method)                                                                      \
    "{\"code\":460,\"data\":{}," id "\"message\":\"request parameter error\",\"method\":\"" method \
    "\",\"version\":\"1.0\"}"
#define JSON_REPLY(method)                                                                         \
    "{\"code\":6207,\"data\":{},\"id\":\"\",\"message\":\"payload is not "                         \
    "json\",\"method\":\"" method "\",\"version\":\"1.0\"}"
#define UPDATE SYS "thing/deviceinfo/update"
#define DELETE SYS "thing/deviceinfo/delete"

static const struct service_case property_cases[] = {
    {.name = "a plain value takes the server's time",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"Power\":1.50},\"method\":"
                "\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post"),
     .stored = "{\"Power\":{\"value\":1.50,\"time\":1700000000123}}"},
    {.name = "a timed value keeps its time and other properties stay",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .document = "{\"a\":{\"value\":1,\"time\":5},\"b\":{\"value\":2,\"time\":5}}",
     .payload = "{ \"id\" : 12, \"params\" : { \"b\" : { \"time\" : 9, \"value\" : [1, 2] } },"
                " \"method\" : \"thing.event.property.post\" }",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"12\"", "thing.event.property.post"),
     .stored = "{\"a\":{\"value\":1,\"time\":5},\"b\":{\"value\":[1,2],\"time\":9}}"},
    {.name = "a structure with a value of its own is not a timed value",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":{\"s\":{\"value\":1,\"unit\":\"a b\"}},\"method\":"
                "\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post"),
     .stored = "{\"s\":{\"value\":{\"value\":1,\"unit\":\"a b\"},\"time\":1700000000123}}"},
    {.name = "the npm SDK's id comes back as it was",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1|exp-topic|/sys/pk/dn/thing/event/property/post_reply\",\"params\":{},"
                "\"method\":\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1|exp-topic|/sys/pk/dn/thing/event/property/post_reply\"",
                       "thing.event.property.post")},
    {.name = "an id with escapes, colons and blanks comes back as it was",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"\\u0041 \\\"code\\\": 7, \\\\\",\"params\":{},"
                "\"method\":\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"\\u0041 \\\"code\\\": 7, \\\\\"", "thing.event.property.post")},
    {.name = "a huge numeric id comes back digit for digit, as a string",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":123456789012345678901,\"params\":{},"
                "\"method\":\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"123456789012345678901\"", "thing.event.property.post")},
    {.name = "the device may ask for no answer",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"sys\":{\"ack\":0},\"params\":{\"a\":true},"
                "\"method\":\"thing.event.property.post\"}",
     .stored = "{\"a\":{\"value\":true,\"time\":1700000000123}}"},
    {.name = "params of another type are refused",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":[1],\"method\":\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = BAD_REPLY("\"id\":\"1\",", "thing.event.property.post"),
     .rule = "ALI-PARAMS"},
    {.name = "broken JSON is refused with an empty id",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",",
     .reply_topic = POST "_reply",
     .reply = JSON_REPLY("thing.event.property.post"),
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "an empty payload is refused",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "",
     .reply_topic = POST "_reply",
     .reply = JSON_REPLY("thing.event.property.post"),
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "an id of another type is not echoed",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":{},\"params\":[],\"method\":\"thing.event.property.post\"}",
     .reply_topic = POST "_reply",
     .reply = BAD_REPLY("\"id\":\"\",", "thing.event.property.post"),
     .rule = "ALI-PARAMS"},
    {.name = "another topic's method is only reported",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":{},\"method\":\"thing.event.x.post\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post"),
     .rule = "ALI-METHOD-TOPIC"},
    {.name = "the topic decides: without a method",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":{}}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post")},
    {.name = "the topic decides: with an empty method",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":{},\"method\":\"\"}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post")},
    {.name = "the topic decides: with null for a method",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":{},\"method\":null}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post")},
    {.name = "a method that is no string says nothing either way",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"params\":{},\"method\":7}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post"),
     .rule = "ALI-METHOD-TOPIC"},
    {.name = "escapes in keys and blanks between tokens change nothing",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = " { \"i\\u0064\" : \"1\" , \"params\" : { \"a\" : [ 1 , { } ] , \"b\":1.50 } , "
                "\"m\\u0065thod\" : \"thing.event.property.post\" }\n",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY("\"1\"", "thing.event.property.post"),
     .stored = "{\"a\":{\"value\":[1,{}],\"time\":1700000000123},"
               "\"b\":{\"value\":1.50,\"time\":1700000000123}}"},
};

static const struct service_case other_cases[] = {
    {.name = "an event is answered",
     .service = &sky_aliyun_event_post,
     .topic = SYS "thing/event/Error/post",
     .payload = "{\"id\":\"0\",\"params\":{\"value\":{}},\"method\":\"thing.event.Error.post\"}",
     .reply_topic = SYS "thing/event/Error/post_reply",
     .reply = OK_REPLY("\"0\"", "thing.event.Error.post")},
    {.name = "an event without params is refused",
     .service = &sky_aliyun_event_post,
     .topic = SYS "thing/event/Error/post",
     .payload = "{\"id\":\"0\",\"method\":\"thing.event.Error.post\"}",
     .reply_topic = SYS "thing/event/Error/post_reply",
     .reply = BAD_REPLY("\"id\":\"0\",", "thing.event.Error.post"),
     .rule = "ALI-PARAMS"},
    {.name = "the C SDK's device information becomes tags",
     .service = &sky_aliyun_tags_update,
     .topic = UPDATE,
     .document = "{\"SYS_SDK_LANGUAGE\":\"?\"}",
     .payload =
         "{\"id\":\"1\",\"version\":\"1.0\",\"params\":[{\"attrKey\":\"SYS_LP_SDK_VERSION\","
         "\"attrValue\":\"3.0.1\",\"domain\":\"SYSTEM\"},{\"attrKey\":\"SYS_SDK_LANGUAGE\","
         "\"attrValue\":\"C\",\"domain\":\"SYSTEM\"}],\"method\":\"thing.deviceinfo.update\"}",
     .reply_topic = UPDATE "_reply",
     .reply = OK_REPLY("\"1\"", "thing.deviceinfo.update"),
     .stored = "{\"SYS_SDK_LANGUAGE\":\"C\",\"SYS_LP_SDK_VERSION\":\"3.0.1\"}"},
    {.name = "a tag without value is refused",
     .service = &sky_aliyun_tags_update,
     .topic = UPDATE,
     .payload = "{\"id\":\"1\",\"params\":[{\"attrKey\":\"a\"}],"
                "\"method\":\"thing.deviceinfo.update\"}",
     .reply_topic = UPDATE "_reply",
     .reply = BAD_REPLY("\"id\":\"1\",", "thing.deviceinfo.update"),
     .rule = "ALI-PARAMS"},
    {.name = "a tag without key is refused",
     .service = &sky_aliyun_tags_delete,
     .topic = DELETE,
     .payload = "{\"id\":\"1\",\"params\":[{\"attrKey\":\"\"}],"
                "\"method\":\"thing.deviceinfo.delete\"}",
     .reply_topic = DELETE "_reply",
     .reply = BAD_REPLY("\"id\":\"1\",", "thing.deviceinfo.delete"),
     .rule = "ALI-PARAMS"},
    {.name = "tags that are no array are refused",
     .service = &sky_aliyun_tags_delete,
     .topic = DELETE,
     .payload = "{\"id\":\"1\",\"params\":{},\"method\":\"thing.deviceinfo.delete\"}",
     .reply_topic = DELETE "_reply",
     .reply = BAD_REPLY("\"id\":\"1\",", "thing.deviceinfo.delete"),
     .rule = "ALI-PARAMS"},
    {.name = "a deleted tag is gone",
     .service = &sky_aliyun_tags_delete,
     .topic = DELETE,
     .document = "{\"a\":\"1\",\"b\":\"2\"}",
     .payload = "{\"id\":\"1\",\"params\":[{\"attrKey\":\"a\"},{\"attrKey\":\"z\"}],"
                "\"method\":\"thing.deviceinfo.delete\"}",
     .reply_topic = DELETE "_reply",
     .reply = OK_REPLY("\"1\"", "thing.deviceinfo.delete"),
     .stored = "{\"b\":\"2\"}"},
    {.name = "the last tag leaves an empty document",
     .service = &sky_aliyun_tags_delete,
     .topic = DELETE,
     .document = "{\"a\":\"1\"}",
     .payload =
         "{\"id\":\"1\",\"params\":[{\"attrKey\":\"a\"}],\"method\":\"thing.deviceinfo.delete\"}",
     .reply_topic = DELETE "_reply",
     .reply = OK_REPLY("\"1\"", "thing.deviceinfo.delete"),
     .stored = "{}"},
    {.name = "time sent as a string comes back as a string",
     .service = &sky_aliyun_time,
     .topic = "/ext/ntp/pk/dn/request",
     .payload = "{\"deviceSendTime\":\"1571724098000\"}",
     .reply_topic = "/ext/ntp/pk/dn/response",
     .reply = "{\"deviceSendTime\":\"1571724098000\",\"serverRecvTime\":\"1700000000123\","
              "\"serverSendTime\":\"1700000000123\"}"},
    {.name = "time sent as a number comes back as a number",
     .service = &sky_aliyun_time,
     .topic = "/ext/ntp/pk/dn/request",
     .payload = "{\"deviceSendTime\": 100}",
     .reply_topic = "/ext/ntp/pk/dn/response",
     .reply = "{\"deviceSendTime\":100,\"serverRecvTime\":\"1700000000123\","
              "\"serverSendTime\":\"1700000000123\"}"},
    {.name = "a time request without time is not answered",
     .service = &sky_aliyun_time,
     .topic = "/ext/ntp/pk/dn/request",
     .payload = "{}",
     .rule = "ALI-PARAMS"},
    {.name = "a time request that is not JSON is not answered",
     .service = &sky_aliyun_time,
     .topic = "/ext/ntp/pk/dn/request",
     .payload = "now",
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "an RRPC response is an answer, whatever its bytes",
     .service = &sky_aliyun_rpc_answer,
     .topic = SYS "rrpc/response/42",
     .payload = "not json",
     .answer = "42"},
    {.name = "a custom RRPC response is an answer",
     .service = &sky_aliyun_custom_rpc_answer,
     .topic = "/ext/rrpc/43/pk/dn/get",
     .payload = "",
     .answer = "43"},
    {.name = "a reply to property set is an answer",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "thing/service/property/set_reply",
     .payload = "{\"id\":\"44\",\"code\":200,\"data\":{}}",
     .answer = "44"},
    {.name = "a reply with a numeric id is an answer too",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "thing/service/reboot_reply",
     .payload = "{\"id\":45,\"code\":200}",
     .answer = "45"},
    {.name = "a request of the cloud's own that a device publishes is no answer",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "thing/service/reboot",
     .payload = "{\"id\":\"45\"}",
     .reply_topic = SYS "thing/service/reboot_reply",
     .reply = "{\"code\":404,\"data\":{},\"id\":\"45\",\"message\":\"not found\","
              "\"method\":\"thing.service.reboot\",\"version\":\"1.0\"}",
     .rule = "ALI-SERVICE-UNKNOWN"},
    {.name = "a reply without id answers with none",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "thing/service/reboot_reply",
     .payload = "{\"code\":200}",
     .answer = "",
     .rule = "ALI-PARAMS"},
    {.name = "a reply that is not JSON answers nothing",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "thing/service/reboot_reply",
     .payload = "]",
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "a topic that nobody documents is not found",
     .service = &sky_aliyun_unknown,
     .topic = SYS "thing/topos/add",
     .payload = "{\"id\":\"9\"}",
     .reply_topic = SYS "thing/topos/add_reply",
     .reply = "{\"code\":404,\"data\":{},\"id\":\"9\",\"message\":\"not found\","
              "\"method\":\"thing.topos.add\",\"version\":\"1.0\"}",
     .rule = "ALI-SERVICE-UNKNOWN"},
    {.name = "an answer to a push is not",
     .service = &sky_aliyun_unplayed,
     .topic = SYS "thing/config/push_reply",
     .payload = "{\"id\":\"9\"}"},
    {.name = "a service that nobody plays is not found",
     .service = &sky_aliyun_unplayed,
     .topic = SYS "thing/lan/blacklist/update",
     .payload = "{\"id\":\"9\"}",
     .reply_topic = SYS "thing/lan/blacklist/update_reply",
     .reply = "{\"code\":404,\"data\":{},\"id\":\"9\",\"message\":\"not found\","
              "\"method\":\"thing.lan.blacklist.update\",\"version\":\"1.0\"}",
     .rule = "ALI-SERVICE-UNKNOWN"},
    {.name = "a reply that nobody waits for is not replied to",
     .service = &sky_aliyun_unknown,
     .topic = SYS "thing/config/push_reply",
     .payload = "{\"id\":\"9\"}"},
};

static void properties_are_kept_and_answered(void **state)
{
    (void)state;
    run_cases("aliyun", "pk", "dn", property_cases, SKY_COUNT(property_cases));
}

static void every_other_service_answers(void **state)
{
    (void)state;
    run_cases("aliyun", "pk", "dn", other_cases, SKY_COUNT(other_cases));
}

static void an_enforced_method_rule_refuses(void **state)
{
    struct service_bench bench;
    (void)state;
    const struct service_case row = {
        .name = "enforced",
        .service = &sky_aliyun_property_post,
        .topic = POST,
        .payload = "{\"id\":\"1\",\"params\":{\"a\":1},\"method\":\"thing.event.post\"}",
        .reply_topic = POST "_reply",
        .reply = BAD_REPLY("\"id\":\"1\",", "thing.event.property.post"),
        .rule = "ALI-METHOD-TOPIC",
    };
    bench_init(&bench, "aliyun", "pk", "dn");
    bench_set(&bench, "ALI-METHOD-TOPIC", "enforce");
    run_case(&bench, &row);
    bench_done(&bench);
}

static void a_sound_request_keeps_the_rules_about_it(void **state)
{
    static const char *const ids[] = {"ALI-PAYLOAD-JSON", "ALI-METHOD-TOPIC", "ALI-PARAMS",
                                      "ALI-SERVICE-UNKNOWN"};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    run_case(&bench, &property_cases[0]);
    for (size_t i = 0; i < SKY_COUNT(ids); i++) {
        const struct sky_rule *rule = sky_catalogue_find(&bench.catalogue, sky_span_str(ids[i]));
        assert_true(
            sky_rule_set_has(&bench.judge.exercised, sky_catalogue_place(&bench.catalogue, rule)));
    }
    bench_done(&bench);
}

static void replies_have_the_quality_of_the_request(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (uint8_t qos = 0; qos <= 1; qos++) {
        bench.uplink.qos = qos;
        run_case(&bench, &property_cases[0]);
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_REPLY)->qos, qos);
    }
    assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT)->version, 1);
    bench_done(&bench);
}

static sky_span many_tags(struct sky_buf *out, int count)
{
    sky_buf_add_str(out, "{\"id\":\"1\",\"method\":\"thing.deviceinfo.update\",\"params\":[");
    for (int i = 0; i < count; i++)
        sky_buf_addf(out, "%s{\"attrKey\":\"k%d\",\"attrValue\":\"v\"}", i > 0 ? "," : "", i);
    sky_buf_add_str(out, "]}");
    return sky_buf_span(out);
}

static void tags_are_limited_per_message(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        bench_init(&bench, "aliyun", "pk", "dn");
        sky_buf_init(&out, 64 * 1024);
        bench_send(&bench, &sky_aliyun_tags_update, SKY_SPAN(UPDATE),
                   many_tags(&out, SKY_ALIYUN_TAGS_MAX + over));
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL, !over);
        assert_int_equal(bench.judge.count, over);
        sky_buf_done(&out);
        bench_done(&bench);
    }
}

static sky_span padded_message(struct sky_buf *out, size_t len)
{
    static const char head[] = "{\"method\":\"thing.event.property.post\",\"params\":{\"a\":\"";
    sky_buf_add_str(out, head);
    while (out->len < len - 3)
        sky_buf_add_byte(out, 'x');
    sky_buf_add_str(out, "\"}}");
    return sky_buf_span(out);
}

static void messages_are_limited_in_size(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        bench_init(&bench, "aliyun", "pk", "dn");
        sky_buf_init(&out, SKY_ALIYUN_MESSAGE_MAX + 1);
        sky_span message = padded_message(&out, (size_t)SKY_ALIYUN_MESSAGE_MAX + (size_t)over);
        assert_int_equal(message.len, SKY_ALIYUN_MESSAGE_MAX + over);
        bench_send(&bench, &sky_aliyun_property_post, SKY_SPAN(POST), message);
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL, !over);
        sky_buf_done(&out);
        bench_done(&bench);
    }
}

static const struct command_case command_cases[] = {
    {"service-sync", "reboot", "{\"s\":1}", SYS "rrpc/request/42",
     "{\"method\":\"thing.service.reboot\",\"id\":\"42\",\"params\":{\"s\":1},"
     "\"version\":\"1.0.0\"}"},
    {"service-sync", "a/b", "{}", NULL, NULL},
    {"service-sync", "reboot", "{", NULL, NULL},
    {"raw", "", "\x01 raw", SYS "thing/model/down_raw", "\x01 raw"},
    {"broadcast", "", "to all", SYS "broadcast/request/42", "to all"},
    {"job", "", "{\"taskId\":\"t\",\"status\":\"SENT\"}", SYS "thing/job/notify",
     "{\"method\":\"thing.job.notify\",\"id\":\"42\",\"params\":{\"task\":{\"taskId\":\"t\","
     "\"status\":\"SENT\"}},\"version\":\"1.0.0\"}"},
    {"job", "", "{", NULL, NULL},
    {"job", "", "{\"status\":\"SENT\"}", NULL, NULL},
    {"desired-set", "", "{ \"power\" : \"on\" }", SYS "thing/service/property/set",
     "{\"method\":\"thing.service.property.set\",\"id\":\"42\",\"params\":{\"power\":\"on\"},"
     "\"version\":\"1.0.0\"}"},
    {"desired-set", "", "[\"power\"]", NULL, NULL},
    {"topo-add", "", "[{\"productKey\":\"p\",\"deviceName\":\"d\"}]", SYS "thing/topo/add/notify",
     "{\"method\":\"thing.topo.add.notify\",\"id\":\"42\",\"params\":[{\"productKey\":\"p\","
     "\"deviceName\":\"d\"}],\"version\":\"1.0.0\"}"},
    {"permit", "", "{\"productKey\":\"p\",\"timeout\":60}", SYS "thing/gateway/permit",
     "{\"method\":\"thing.gateway.permit\",\"id\":\"42\",\"params\":{\"productKey\":\"p\","
     "\"timeout\":60},\"version\":\"1.0.0\"}"},
    {"log-config", "", "{\"mode\":1}", SYS "thing/config/log/push",
     "{\"method\":\"thing.config.log.push\",\"id\":\"42\",\"params\":{\"getType\":\"content\","
     "\"content\":{\"mode\":1}},\"version\":\"1.0.0\"}"},
    {"log-config", "", "mode", NULL, NULL},
    {"property-set", "", "{ \"a\" : 1 }", SYS "thing/service/property/set",
     "{\"method\":\"thing.service.property.set\",\"id\":\"42\",\"params\":{\"a\":1},"
     "\"version\":\"1.0.0\"}"},
    {"property-set", "", "{", NULL, NULL},
    {"service", "reboot", "", SYS "thing/service/reboot",
     "{\"method\":\"thing.service.reboot\",\"id\":\"42\",\"params\":{},\"version\":\"1.0.0\"}"},
    {"service", "", "{}", NULL, NULL},
    {"service", "a/b", "{}", NULL, NULL},
    {"service", "+", "{}", NULL, NULL},
    {"rpc", "", "\x01 raw", SYS "rrpc/request/42", "\x01 raw"},
    {"custom-rpc", "/pk/dn/get", "raw", "/ext/rrpc/42/pk/dn/get", "raw"},
    {"custom-rpc", "pk/dn/get", "raw", "/ext/rrpc/42/pk/dn/get", "raw"},
    {"custom-rpc", "pk/#", "raw", NULL, NULL},
    {"custom-rpc", "", "raw", NULL, NULL},
};

static void commands_are_pushed(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    run_commands(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, command_cases,
                 SKY_COUNT(command_cases));
    bench_done(&bench);
}

static void what_a_command_wants_is_kept_for_a_device_that_asks(void **state)
{
    static const struct {
        const char *kind, *params, *before, *name, *after;
    } rows[] = {
        {"desired-set", "{\"a\":1,\"b\":[2]}",
         "{\"a\":{\"value\":0,\"version\":4},\"c\":{\"value\":0,\"version\":1}}", "desired",
         "{\"a\":{\"value\":1,\"version\":5},\"c\":{\"value\":0,\"version\":1},"
         "\"b\":{\"value\":[2],\"version\":1}}"},
        {"job", "{\"taskId\":\"t\",\"status\":\"SENT\"}", "", "jobs",
         "{\"t\":{\"taskId\":\"t\",\"status\":\"SENT\"}}"},
        {"log-config", "{\"mode\":1}", "{\"mode\":0}", "log-config", "{\"mode\":1}"},
    };
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        bench.facts.document = sky_span_str(rows[i].before);
        bench_command(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, rows[i].kind, "",
                      rows[i].params);
        const struct sky_effect *put = bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT);
        assert_non_null(put);
        assert_span(rows[i].kind, "the document's name", put->name, rows[i].name);
        assert_span(rows[i].kind, "the document", put->payload, rows[i].after);
        assert_non_null(bench_effect(&bench, SKY_EFFECT_PUSH));
    }
    bench_done(&bench);
}

static void ten_properties_are_wanted_at_once(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (int over = 0; over <= 1; over++) {
        struct sky_buf out;
        sky_buf_init(&out, 1024);
        for (int i = 0; i < SKY_ALIYUN_DESIRED_MAX + over; i++)
            sky_buf_addf(&out, "%s\"p%d\":1", i > 0 ? "," : "{", i);
        sky_buf_add(&out, sky_span_of("}", 2)); /* a NUL behind */
        bench_command(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, "desired-set", "",
                      out.bytes);
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUSH) != NULL, !over);
        sky_buf_done(&out);
    }
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_are_kept_and_answered),
        cmocka_unit_test(every_other_service_answers),
        cmocka_unit_test(an_enforced_method_rule_refuses),
        cmocka_unit_test(a_sound_request_keeps_the_rules_about_it),
        cmocka_unit_test(replies_have_the_quality_of_the_request),
        cmocka_unit_test(tags_are_limited_per_message),
        cmocka_unit_test(messages_are_limited_in_size),
        cmocka_unit_test(commands_are_pushed),
        cmocka_unit_test(what_a_command_wants_is_kept_for_a_device_that_asks),
        cmocka_unit_test(ten_properties_are_wanted_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
