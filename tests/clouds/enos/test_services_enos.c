#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/enos/services.h"

#define SYS "/sys/pk/dk/thing/"
#define OK_REPLY "{\"id\":\"1\",\"code\":200,\"data\":{}}"
#define ERROR_REPLY(code, text)                                                                    \
    "{\"id\":\"1\",\"code\":" code ",\"message\":\"" text "\",\"data\":{}}"
#define MODEL_REPLY ERROR_REPLY("1204", "Model validate failed")
#define POINT_REPLY ERROR_REPLY("1206", "Measurepoint post data format error")
#define UPDATE_REPLY ERROR_REPLY("1207", "Attribute update data format error")
#define QUERY_REPLY ERROR_REPLY("1208", "Attribute query data format error")
#define SHAPE_REPLY ERROR_REPLY("1220", "Payload format error")
#define DELETE_REPLY ERROR_REPLY("1209", "Attribute delete data format error")
/* A request with id "1" and the documented version. */
#define REQUEST(method, params)                                                                    \
    "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params ",\"method\":\"" method "\"}"
#define POST SYS "measurepoint/post"
#define POST_REQUEST(params) REQUEST("thing.measurepoint.post", params)
#define RESUME SYS "measurepoint/resume"
#define BATCH POST "/batch"
#define BATCH_REQUEST(params) REQUEST("thing.measurepoint.post.batch", params)

static const struct service_case point_cases[] = {
    {.name = "the documented example is kept",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = POST_REQUEST("{\"measurepoints\":{\"Power\":{\"value\":1.0,\"quality\":9},"
                             "\"temp\":1.02,\"branchCurr\":[\"1.02\"]},\"time\":123456}"),
     .reply_topic = POST "_reply",
     .reply = OK_REPLY,
     .stored = "{\"Power\":{\"value\":1.0,\"quality\":9,\"time\":123456},"
               "\"temp\":{\"value\":1.02,\"time\":123456},"
               "\"branchCurr\":{\"value\":[\"1.02\"],\"time\":123456}}"},
    {.name = "without a time the server's counts",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .document = "{\"a\":{\"value\":1,\"time\":9}}",
     .payload = POST_REQUEST("{\"measurepoints\":{\"a\":2}}"),
     .reply_topic = POST "_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":{\"value\":2,\"time\":1700000000123}}"},
    {.name = "version 1.1 is a version too",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"version\":\"1.1\",\"method\":\"thing.measurepoint.post\","
                "\"params\":{\"measurepoints\":{}}}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY},
    {.name = "another version is only reported",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = "{\"id\":\"1\",\"version\":\"2\",\"method\":\"thing.measurepoint.post\","
                "\"params\":{\"measurepoints\":{}}}",
     .reply_topic = POST "_reply",
     .reply = OK_REPLY,
     .rule = "ENOS-VERSION"},
    {.name = "a request without method and id is answered without id",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = "{\"version\":\"1.0\",\"params\":{\"measurepoints\":{}}}",
     .reply_topic = POST "_reply",
     .reply = "{\"code\":200,\"data\":{}}"},
    {.name = "1220: broken JSON has no id to echo",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = "{\"id\": 007e0, \"version\":\"1.0\"}",
     .reply_topic = POST "_reply",
     .reply = "{\"code\":1220,\"message\":\"Payload format error\",\"data\":{}}",
     .rule = "ENOS-PAYLOAD-JSON"},
    {.name = "1251: an empty payload",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = "",
     .reply_topic = POST "_reply",
     .reply = "{\"code\":1251,\"message\":\"Payload is empty\",\"data\":{}}",
     .rule = "ENOS-PAYLOAD-JSON"},
    {.name = "1220: not an object",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = "[]",
     .reply_topic = POST "_reply",
     .reply = "{\"code\":1220,\"message\":\"Payload format error\",\"data\":{}}",
     .rule = "ENOS-PAYLOAD-JSON"},
    {.name = "1260: another topic's method",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = REQUEST("thing.measurepoint.posts", "{\"measurepoints\":{\"a\":1}}"),
     .reply_topic = POST "_reply",
     .reply = ERROR_REPLY("1260", "Methods not consistent"),
     .rule = "ENOS-METHOD-TOPIC"},
    {.name = "1206: no measurepoints",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = POST_REQUEST("{\"points\":{}}"),
     .reply_topic = POST "_reply",
     .reply = POINT_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "1204: a quality outside 0 to 9",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = POST_REQUEST("{\"measurepoints\":{\"a\":{\"value\":1,\"quality\":10}}}"),
     .reply_topic = POST "_reply",
     .reply = MODEL_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "1204: null is no value",
     .service = &sky_enos_measurepoint_post,
     .topic = POST,
     .payload = POST_REQUEST("{\"measurepoints\":{\"a\":null}}"),
     .reply_topic = POST "_reply",
     .reply = MODEL_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "a resumed value does not replace a newer one",
     .service = &sky_enos_measurepoint_resume,
     .topic = RESUME,
     .document = "{\"a\":{\"value\":1,\"time\":50},\"b\":{\"value\":1,\"time\":70}}",
     .payload = REQUEST("thing.measurepoint.resume",
                        "{\"measurepoints\":{\"a\":2,\"b\":2,\"c\":2},\"time\":60}"),
     .reply_topic = RESUME "_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":{\"value\":2,\"time\":60},\"b\":{\"value\":1,\"time\":70},"
               "\"c\":{\"value\":2,\"time\":60}}"},
    {.name = "a batch is taken in order",
     .service = &sky_enos_measurepoint_post_batch,
     .topic = BATCH,
     .payload = BATCH_REQUEST("[{\"measurepoints\":{\"a\":1},\"time\":1},{\"productKey\":\"pk\","
                              "\"deviceKey\":\"dk\",\"measurepoints\":{\"a\":2},\"time\":2}]"),
     .reply_topic = BATCH "_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":{\"value\":2,\"time\":2}}"},
    {.name = "a resumed batch keeps the newest",
     .service = &sky_enos_measurepoint_resume_batch,
     .topic = RESUME "/batch",
     .payload =
         REQUEST("thing.measurepoint.resume.batch", "[{\"measurepoints\":{\"a\":1},\"time\":9},"
                                                    "{\"measurepoints\":{\"a\":2},\"time\":2}]"),
     .reply_topic = RESUME "/batch_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":{\"value\":1,\"time\":9}}"},
    {.name = "1204: one bad value fails the whole batch",
     .service = &sky_enos_measurepoint_post_batch,
     .topic = BATCH,
     .payload = BATCH_REQUEST("[{\"measurepoints\":{\"a\":1}},{\"measurepoints\":{\"b\":null}}]"),
     .reply_topic = BATCH "_reply",
     .reply = MODEL_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "unless bad values are to be skipped",
     .service = &sky_enos_measurepoint_post_batch,
     .topic = BATCH,
     .payload = "{\"id\":\"1\",\"version\":\"1.0\",\"skipInvalidMeasurepoints\":true,\"params\":"
                "[{\"measurepoints\":{\"a\":1,\"b\":null},\"time\":3}]}",
     .reply_topic = BATCH "_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":{\"value\":1,\"time\":3}}"},
    {.name = "1212: another device's values",
     .service = &sky_enos_measurepoint_post_batch,
     .topic = BATCH,
     .payload = BATCH_REQUEST("[{\"deviceKey\":\"other\",\"measurepoints\":{\"a\":1}}]"),
     .reply_topic = BATCH "_reply",
     .reply = ERROR_REPLY("1212", "No sub-device permission"),
     .rule = "ENOS-TOPIC-ACL"},
    {.name = "1206: a batch that is no array",
     .service = &sky_enos_measurepoint_post_batch,
     .topic = BATCH,
     .payload = BATCH_REQUEST("{}"),
     .reply_topic = BATCH "_reply",
     .reply = POINT_REPLY,
     .rule = "ENOS-PARAMS"},
};

#define ATTRIBUTE(verb, params) REQUEST("thing.attribute." verb, params)
#define TAG(verb, params) REQUEST("thing.tag." verb, params)

static const struct service_case list_cases[] = {
    {.name = "attributes are kept as they were written",
     .service = &sky_enos_attribute_update,
     .topic = SYS "attribute/update",
     .document = "{\"a\":1}",
     .payload = ATTRIBUTE("update", "{\"attributes\":{\"b\":{\"value\": 1.0},\"c\":[1.02, 7.93]}}"),
     .reply_topic = SYS "attribute/update_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":1,\"b\":{\"value\":1.0},\"c\":[1.02,7.93]}"},
    {.name = "1207: an update without attributes",
     .service = &sky_enos_attribute_update,
     .topic = SYS "attribute/update",
     .payload = ATTRIBUTE("update", "{}"),
     .reply_topic = SYS "attribute/update_reply",
     .reply = UPDATE_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "an update of no attributes is one",
     .service = &sky_enos_attribute_update,
     .topic = SYS "attribute/update",
     .payload = ATTRIBUTE("update", "{\"attributes\":{}}"),
     .reply_topic = SYS "attribute/update_reply",
     .reply = OK_REPLY},
    {.name = "1207: attributes that are no object",
     .service = &sky_enos_attribute_update,
     .topic = SYS "attribute/update",
     .payload = ATTRIBUTE("update", "{\"attributes\":[1]}"),
     .reply_topic = SYS "attribute/update_reply",
     .reply = UPDATE_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "1204: an attribute that is null",
     .service = &sky_enos_attribute_update,
     .topic = SYS "attribute/update",
     .payload = ATTRIBUTE("update", "{\"attributes\":{\"a\":null}}"),
     .reply_topic = SYS "attribute/update_reply",
     .reply = MODEL_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "a query returns what is known, each once",
     .service = &sky_enos_attribute_query,
     .topic = SYS "attribute/query",
     .document = "{\"a\":1,\"b\":[1.50],\"c\":3}",
     .payload = ATTRIBUTE("query", "{\"attributes\":[\"b\",\"z\",\"a\",\"b\"]}"),
     .reply_topic = SYS "attribute/query_reply",
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":{\"b\":[1.50],\"a\":1}}"},
    {.name = "an empty query returns all",
     .service = &sky_enos_attribute_query,
     .topic = SYS "attribute/query",
     .document = "{\"a\":1,\"b\":2}",
     .payload = ATTRIBUTE("query", "{\"attributes\":[]}"),
     .reply_topic = SYS "attribute/query_reply",
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":{\"a\":1,\"b\":2}}"},
    {.name = "a query before any update returns nothing",
     .service = &sky_enos_attribute_query,
     .topic = SYS "attribute/query",
     .payload = ATTRIBUTE("query", "{\"attributes\":[]}"),
     .reply_topic = SYS "attribute/query_reply",
     .reply = OK_REPLY},
    {.name = "1208: a query without a list",
     .service = &sky_enos_attribute_query,
     .topic = SYS "attribute/query",
     .payload = ATTRIBUTE("query", "{}"),
     .reply_topic = SYS "attribute/query_reply",
     .reply = QUERY_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "1208: a query for what is no name",
     .service = &sky_enos_attribute_query,
     .topic = SYS "attribute/query",
     .payload = ATTRIBUTE("query", "{\"attributes\":[1]}"),
     .reply_topic = SYS "attribute/query_reply",
     .reply = QUERY_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "a deletion removes what is named",
     .service = &sky_enos_attribute_delete,
     .topic = SYS "attribute/delete",
     .document = "{\"a\":1,\"b\":2}",
     .payload = ATTRIBUTE("delete", "{\"attributes\":[\"a\",\"z\"]}"),
     .reply_topic = SYS "attribute/delete_reply",
     .reply = OK_REPLY,
     .stored = "{\"b\":2}"},
    {.name = "an empty deletion removes nothing",
     .service = &sky_enos_attribute_delete,
     .topic = SYS "attribute/delete",
     .document = "{\"a\":1}",
     .payload = ATTRIBUTE("delete", "{\"attributes\":[]}"),
     .reply_topic = SYS "attribute/delete_reply",
     .reply = OK_REPLY},
    {.name = "1209: a deletion without a list",
     .service = &sky_enos_attribute_delete,
     .topic = SYS "attribute/delete",
     .payload = ATTRIBUTE("delete", "{}"),
     .reply_topic = SYS "attribute/delete_reply",
     .reply = DELETE_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "1209: a deletion of what is no list",
     .service = &sky_enos_attribute_delete,
     .topic = SYS "attribute/delete",
     .payload = ATTRIBUTE("delete", "{\"attributes\":\"a\"}"),
     .reply_topic = SYS "attribute/delete_reply",
     .reply = DELETE_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "tags are kept",
     .service = &sky_enos_tag_update,
     .topic = SYS "tag/update",
     .payload = TAG("update", "[{\"tagKey\":\"_T1\",\"tagValue\":\"36 8\"}]"),
     .reply_topic = SYS "tag/update_reply",
     .reply = OK_REPLY,
     .stored = "{\"_T1\":\"36 8\"}"},
    {.name = "a tag's key has letters, digits and these marks, in any order",
     .service = &sky_enos_tag_update,
     .topic = SYS "tag/update",
     .payload = TAG("update", "[{\"tagKey\":\"1T-/_\",\"tagValue\":\"\"}]"),
     .reply_topic = SYS "tag/update_reply",
     .reply = OK_REPLY,
     .stored = "{\"1T-/_\":\"\"}"},
    {.name = "1220: but no others",
     .service = &sky_enos_tag_update,
     .topic = SYS "tag/update",
     .payload = TAG("update", "[{\"tagKey\":\"a.b\",\"tagValue\":\"x\"}]"),
     .reply_topic = SYS "tag/update_reply",
     .reply = SHAPE_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "a tag's value with blanks around it is kept, and a finding",
     .service = &sky_enos_tag_update,
     .topic = SYS "tag/update",
     .payload = TAG("update", "[{\"tagKey\":\"a\",\"tagValue\":\" x\"}]"),
     .reply_topic = SYS "tag/update_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":\" x\"}",
     .rule = "ENOS-TAG-SIZE"},
    {.name = "a tag's value is a string",
     .service = &sky_enos_tag_update,
     .topic = SYS "tag/update",
     .payload = TAG("update", "[{\"tagKey\":\"T\",\"tagValue\":1}]"),
     .reply_topic = SYS "tag/update_reply",
     .reply = SHAPE_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "tags are asked for by key",
     .service = &sky_enos_tag_query,
     .topic = SYS "tag/query",
     .document = "{\"a\":\"1\",\"b\":\"2\"}",
     .payload = TAG("query", "{\"tags\":[\"b\"]}"),
     .reply_topic = SYS "tag/query_reply",
     .reply = "{\"id\":\"1\",\"code\":200,\"data\":{\"b\":\"2\"}}"},
    {.name = "tags are deleted by key",
     .service = &sky_enos_tag_delete,
     .topic = SYS "tag/delete",
     .document = "{\"a\":\"1\",\"b\":\"2\"}",
     .payload = TAG("delete", "{\"tags\":[\"b\"]}"),
     .reply_topic = SYS "tag/delete_reply",
     .reply = OK_REPLY,
     .stored = "{\"a\":\"1\"}"},
};

static const struct service_case other_cases[] = {
    {.name = "an event is answered",
     .service = &sky_enos_event_post,
     .topic = SYS "event/e1/post",
     .payload = REQUEST("thing.event.e1.post", "{\"events\":{\"a\":1},\"time\":1}"),
     .reply_topic = SYS "event/e1/post_reply",
     .reply = OK_REPLY},
    {.name = "1204: an event without events",
     .service = &sky_enos_event_post,
     .topic = SYS "event/e1/post",
     .payload = REQUEST("thing.event.e1.post", "{}"),
     .reply_topic = SYS "event/e1/post_reply",
     .reply = MODEL_REPLY,
     .rule = "ENOS-PARAMS"},
    {.name = "a reply to measurepoint set is an answer",
     .service = &sky_enos_command_answer,
     .topic = SYS "service/measurepoint/set_reply",
     .payload = "{\"id\":\"42\",\"code\":1101}",
     .answer = "42"},
    {.name = "1009: a request of the cloud's own that a device publishes is no answer",
     .service = &sky_enos_command_answer,
     .topic = SYS "service/reboot",
     .payload = REQUEST("thing.service.reboot", "{}"),
     .reply_topic = SYS "service/reboot_reply",
     .reply = ERROR_REPLY("1009", "Publish to topic with no write permission"),
     .rule = "ENOS-SERVICE-UNKNOWN"},
    {.name = "a reply without id answers with none",
     .service = &sky_enos_command_answer,
     .topic = SYS "service/x_reply",
     .payload = "{\"code\":200}",
     .answer = "",
     .rule = "ENOS-PARAMS"},
    {.name = "an empty reply answers nothing",
     .service = &sky_enos_command_answer,
     .topic = SYS "service/x_reply",
     .payload = "",
     .rule = "ENOS-PAYLOAD-JSON"},
    {.name = "the reply to an activation is taken",
     .service = &sky_enos_activation_answer,
     .topic = "/ext/session/pk/dk/thing/activate/info_reply",
     .payload = "{\"id\":\"1\",\"code\":200}"},
    {.name = "a reply that nobody waits for is let pass",
     .service = &sky_enos_unknown,
     .topic = SYS "enable_reply",
     .payload = "{\"id\":\"1\",\"code\":200}"},
    {.name = "the SDK's own name of an event's method is taken",
     .service = &sky_enos_event_post,
     .topic = SYS "event/Error/post",
     .payload = REQUEST("thing.event.%s.postError", "{\"events\":{}}"),
     .reply_topic = SYS "event/Error/post_reply",
     .reply = OK_REPLY,
     .rule = "ENOS-METHOD-SPELLING"},
    {.name = "1260: but not another event's",
     .service = &sky_enos_event_post,
     .topic = SYS "event/Error/post",
     .payload = REQUEST("thing.event.%s.postAlarm", "{\"events\":{}}"),
     .reply_topic = SYS "event/Error/post_reply",
     .reply = ERROR_REPLY("1260", "Methods not consistent"),
     .rule = "ENOS-METHOD-TOPIC"},
    {.name = "an empty method is as good as none",
     .service = &sky_enos_event_post,
     .topic = SYS "event/Error/post",
     .payload = REQUEST("", "{\"events\":{}}"),
     .reply_topic = SYS "event/Error/post_reply",
     .reply = OK_REPLY},
    {.name = "1009: a topic that nobody documents",
     .service = &sky_enos_unknown,
     .topic = SYS "topos/add",
     .payload = REQUEST("thing.topos.add", "{}"),
     .reply_topic = SYS "topos/add_reply",
     .reply = ERROR_REPLY("1009", "Publish to topic with no write permission"),
     .rule = "ENOS-SERVICE-UNKNOWN"},
};

static void measure_points_are_kept_and_answered(void **state)
{
    (void)state;
    run_cases("enos", "pk", "dk", point_cases, SKY_COUNT(point_cases));
}

static void attributes_and_tags_are_kept_and_answered(void **state)
{
    (void)state;
    run_cases("enos", "pk", "dk", list_cases, SKY_COUNT(list_cases));
}

static void every_other_service_answers(void **state)
{
    (void)state;
    run_cases("enos", "pk", "dk", other_cases, SKY_COUNT(other_cases));
}

static void a_refused_publish_is_answered_with_its_id(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    bench.uplink.topic = SKY_SPAN("/sys/pk/other/thing/measurepoint/post");
    bench.uplink.payload = SKY_SPAN("{\"id\":\"x y\"}");
    sky_enos_refuse_publish(&bench.uplink, &bench.facts, &bench.judge, &bench.effects);
    const struct sky_effect *reply = bench_effect(&bench, SKY_EFFECT_REPLY);
    assert_span("1009", "the topic", reply->topic, "/sys/pk/other/thing/measurepoint/post_reply");
    assert_span("1009", "the reply", reply->payload,
                "{\"id\":\"x y\",\"code\":1009,\"message\":\"Publish to topic with no write "
                "permission\",\"data\":{}}");
    sky_effects_clear(&bench.effects);
    bench.uplink.payload = SKY_SPAN("\xff");
    sky_enos_refuse_publish(&bench.uplink, &bench.facts, &bench.judge, &bench.effects);
    assert_span("1009", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                "{\"code\":1009,\"message\":\"Publish to topic with no write permission\","
                "\"data\":{}}");
    bench_done(&bench);
}

static void messages_are_limited_in_size(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        bench_init(&bench, "enos", "pk", "dk");
        sky_buf_init(&out, SKY_ENOS_MESSAGE_MAX + 1);
        sky_buf_add_str(&out, "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"events\":{}}}");
        while (out.len < (size_t)SKY_ENOS_MESSAGE_MAX + (size_t)over)
            sky_buf_add_byte(&out, ' ');
        bench_send(&bench, &sky_enos_event_post, SKY_SPAN(SYS "event/e/post"), sky_buf_span(&out));
        assert_span("1008", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    over ? "{\"code\":1008,\"message\":\"Msg size is too large, discard the "
                           "message\",\"data\":{}}"
                         : OK_REPLY);
        assert_int_equal(bench.judge.count, over);
        sky_buf_done(&out);
        bench_done(&bench);
    }
}

static void lists_are_limited_per_message(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out;
        bench_init(&bench, "enos", "pk", "dk");
        sky_buf_init(&out, SKY_ENOS_MESSAGE_MAX);
        sky_buf_add_str(&out, "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"attributes\":{");
        for (int i = 0; i < SKY_ENOS_BATCH_MAX + over; i++)
            sky_buf_addf(&out, "%s\"k%d\":%d", i > 0 ? "," : "", i, i);
        sky_buf_add_str(&out, "}}}");
        bench_send(&bench, &sky_enos_attribute_update, SKY_SPAN(SYS "attribute/update"),
                   sky_buf_span(&out));
        assert_span("1207", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    over ? UPDATE_REPLY : OK_REPLY);
        sky_buf_done(&out);
        bench_done(&bench);
    }
}

static void send_tag(struct service_bench *bench, size_t key_len, size_t value_len)
{
    char key[SKY_ENOS_TAG_KEY_MAX + 2] = "", value[SKY_ENOS_TAG_VALUE_ADVISED + 2] = "";
    char message[512];
    memset(key, 'k', key_len);
    memset(value, 'v', value_len);
    snprintf(message, sizeof message,
             "{\"id\":\"1\",\"version\":\"1.0\",\"params\":[{\"tagKey\":\"%s\","
             "\"tagValue\":\"%s\"}]}",
             key, value);
    bench_send(bench, &sky_enos_tag_update, SKY_SPAN(SYS "tag/update"), sky_span_str(message));
}

static void tags_are_limited_in_size(void **state)
{
    static const struct {
        size_t key_len, value_len;
        const char *reply;
        size_t findings;
    } rows[] = {
        {SKY_ENOS_TAG_KEY_ADVISED, SKY_ENOS_TAG_VALUE_ADVISED, OK_REPLY, 0},
        {SKY_ENOS_TAG_KEY_ADVISED + 1, 1, OK_REPLY, 1},
        {1, SKY_ENOS_TAG_VALUE_ADVISED + 1, OK_REPLY, 1},
        {SKY_ENOS_TAG_KEY_MAX, 1, OK_REPLY, 1},
        {SKY_ENOS_TAG_KEY_MAX + 1, 1, SHAPE_REPLY, 1},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct service_bench bench;
        bench_init(&bench, "enos", "pk", "dk");
        send_tag(&bench, rows[i].key_len, rows[i].value_len);
        assert_span("tag", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    rows[i].reply);
        assert_int_equal(bench.judge.count, rows[i].findings);
        bench_done(&bench);
    }
}

static void tags_are_limited_in_number(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf out, stored;
        bench_init(&bench, "enos", "pk", "dk");
        sky_buf_init(&stored, SKY_ENOS_MESSAGE_MAX);
        for (int i = 0; i < SKY_ENOS_TAGS_MAX - 2; i++)
            sky_buf_addf(&stored, "%s\"k%d\":\"\"", i > 0 ? "," : "{", i);
        sky_buf_add_str(&stored, "}");
        bench.facts.document = sky_buf_span(&stored);
        sky_buf_init(&out, SKY_ENOS_MESSAGE_MAX);
        sky_buf_addf(&out, "{\"id\":\"1\",\"version\":\"1.0\",\"params\":["
                           "{\"tagKey\":\"k0\",\"tagValue\":\"again\"},"
                           "{\"tagKey\":\"new\",\"tagValue\":\"\"}");
        for (int i = 0; i < 1 + over; i++)
            sky_buf_addf(&out, ",{\"tagKey\":\"new%d\",\"tagValue\":\"\"}", i);
        sky_buf_add_str(&out, "]}");
        bench_send(&bench, &sky_enos_tag_update, SKY_SPAN(SYS "tag/update"), sky_buf_span(&out));
        assert_span("tags", "the reply", bench_effect(&bench, SKY_EFFECT_REPLY)->payload,
                    over ? SHAPE_REPLY : OK_REPLY);
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL, !over);
        sky_buf_done(&out);
        sky_buf_done(&stored);
        bench_done(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measure_points_are_kept_and_answered),
        cmocka_unit_test(attributes_and_tags_are_kept_and_answered),
        cmocka_unit_test(every_other_service_answers),
        cmocka_unit_test(a_refused_publish_is_answered_with_its_id),
        cmocka_unit_test(messages_are_limited_in_size),
        cmocka_unit_test(lists_are_limited_per_message),
        cmocka_unit_test(tags_are_limited_in_size),
        cmocka_unit_test(tags_are_limited_in_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
