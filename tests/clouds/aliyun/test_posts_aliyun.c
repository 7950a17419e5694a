/* What a product's model makes of posts, and what is told of it. */
#include "tests/unit/cloud/model_case.h"
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/aliyun/services.h"

#define SYS "/sys/pk/dn/thing/"
#define ASK(params) "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params "}"
#define REPLY(code, data, message, method)                                                         \
    "{\"code\":" code ",\"data\":" data ",\"id\":\"1\",\"message\":\"" message                     \
    "\",\"method\":\"thing." method "\",\"version\":\"1.0\"}"
#define OK(data, method) REPLY("200", data, "success", method)
#define BAD(code, method) REPLY(code, "{}", "tsl parse error", method)
#define POST SYS "event/property/post"
#define EVENT SYS "event/hot/post"
#define BATCH SYS "event/property/batch/post"
#define PACK SYS "event/property/pack/post"

#define DIGIT "\"dataType\":{\"type\":\"int\",\"specs\":{\"min\":\"0\",\"max\":\"9\"}}"
#define SWITCH "\"dataType\":{\"type\":\"bool\",\"specs\":{\"0\":\"off\",\"1\":\"on\"}}"
#define LEVEL "{\"identifier\":\"level\",\"accessMode\":\"rw\"," DIGIT "}"
#define ON "{\"identifier\":\"on\",\"accessMode\":\"rw\"," SWITCH "}"
#define SERIAL "{\"identifier\":\"serial\",\"accessMode\":\"r\"," DIGIT "}"
#define HOT "{\"identifier\":\"hot\",\"outputData\":[{\"identifier\":\"t\"," DIGIT "}]}"
#define BLINK                                                                                      \
    "{\"identifier\":\"blink\",\"inputData\":[{\"identifier\":\"fast\"," SWITCH "}],"              \
    "\"outputData\":[{\"identifier\":\"times\"," DIGIT "}]}"
static const char model_text[] =
    "{\"properties\":[" LEVEL "," ON "," SERIAL "],\"events\":[" HOT "],\"services\":[" BLINK "]}";

static const struct service_case cases[] = {
    {.name = "what fits is kept",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = ASK("{\"level\":3,\"on\":{\"value\":1,\"time\":5}}"),
     .reply_topic = POST "_reply",
     .reply = OK("{}", "event.property.post"),
     .stored = "{\"level\":{\"value\":3,\"time\":1700000000123},\"on\":{\"value\":1,\"time\":5}}"},
    {.name = "what does not is dropped by itself, and told; the code stays 200",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = ASK("{\"level\":10,\"on\":1,\"colour\":\"red\"}"),
     .reply_topic = POST "_reply",
     .reply = OK("{\"level\":\"tsl parse: error 6306\",\"colour\":\"tsl parse: params not exist\"}",
                 "event.property.post"),
     .stored = "{\"on\":{\"value\":1,\"time\":1700000000123}}",
     .rule = "ALI-MODEL"},
    {.name = "true is no bool here",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = ASK("{\"on\":true}"),
     .reply_topic = POST "_reply",
     .reply = OK("{\"on\":\"tsl parse: error 6308\"}", "event.property.post"),
     .rule = "ALI-MODEL"},
    {.name = "a time that is none",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = ASK("{\"on\":{\"value\":1,\"time\":\"noon\"}}"),
     .reply_topic = POST "_reply",
     .reply = OK("{\"on\":\"tsl parse: error 6326\"}", "event.property.post"),
     .rule = "ALI-PARAMS"},
    {.name = "a time in digits is one",
     .service = &sky_aliyun_property_post,
     .topic = POST,
     .payload = ASK("{\"on\":{\"value\":1,\"time\":\"5\"}}"),
     .reply_topic = POST "_reply",
     .reply = OK("{}", "event.property.post"),
     .stored = "{\"on\":{\"value\":1,\"time\":5}}"},
    {.name = "an event that fits",
     .service = &sky_aliyun_event_post,
     .topic = EVENT,
     .payload = ASK("{\"value\":{\"t\":3},\"time\":5}"),
     .reply_topic = EVENT "_reply",
     .reply = OK("{}", "event.hot.post")},
    {.name = "and as SDKs write it",
     .service = &sky_aliyun_event_post,
     .topic = EVENT,
     .payload = ASK("{\"t\":3}"),
     .reply_topic = EVENT "_reply",
     .reply = OK("{}", "event.hot.post")},
    {.name = "an event that does not is refused whole",
     .service = &sky_aliyun_event_post,
     .topic = EVENT,
     .payload = ASK("{\"t\":10}"),
     .reply_topic = EVENT "_reply",
     .reply = BAD("6306", "event.hot.post"),
     .rule = "ALI-MODEL"},
    {.name = "an event that nobody has",
     .service = &sky_aliyun_event_post,
     .topic = SYS "event/cold/post",
     .payload = ASK("{}"),
     .reply_topic = SYS "event/cold/post_reply",
     .reply = BAD("6313", "event.cold.post"),
     .rule = "ALI-MODEL"},
    {.name = "an event at a time that is none",
     .service = &sky_aliyun_event_post,
     .topic = EVENT,
     .payload = ASK("{\"value\":{\"t\":3},\"time\":{}}"),
     .reply_topic = EVENT "_reply",
     .reply = BAD("6326", "event.hot.post"),
     .rule = "ALI-PARAMS"},
    {.name = "of a batch the newest that fits is kept",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload =
         ASK("{\"properties\":{\"level\":[{\"value\":1,\"time\":5},{\"value\":10,\"time\":6}]},"
             "\"events\":{\"hot\":[{\"value\":{\"t\":1},\"time\":5}]}}"),
     .reply_topic = BATCH "_reply",
     .reply = OK("{\"level\":\"tsl parse: error 6306\"}", "event.property.batch.post"),
     .stored = "{\"level\":{\"value\":1,\"time\":5}}",
     .rule = "ALI-MODEL"},
    {.name = "a batch with a bad event is refused whole",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload = ASK("{\"properties\":{\"level\":[{\"value\":1,\"time\":5}]},"
                    "\"events\":{\"hot\":[{\"value\":{\"t\":\"x\"},\"time\":5}]}}"),
     .reply_topic = BATCH "_reply",
     .reply = BAD("6306", "event.property.batch.post"),
     .rule = "ALI-MODEL"},
    {.name = "a pack that fits",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload =
         ASK("{\"properties\":{\"level\":1},\"events\":{\"hot\":{\"value\":{\"t\":1},\"time\":"
             "5}}}"),
     .reply_topic = PACK "_reply",
     .reply = OK("{}", "event.property.pack.post"),
     .stored = "{\"level\":{\"value\":1,\"time\":1700000000123}}"},
    {.name = "a pack with one bad property is refused whole",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"on\":1,\"level\":10}}"),
     .reply_topic = PACK "_reply",
     .reply = BAD("6306", "event.property.pack.post"),
     .rule = "ALI-MODEL"},
    {.name = "what a service returns",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "service/blink_reply",
     .payload = "{\"id\":\"44\",\"code\":200,\"data\":{\"times\":3}}",
     .answer = "44"},
    {.name = "what a service should not return is an answer all the same",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "service/blink_reply",
     .payload = "{\"id\":\"44\",\"code\":200,\"data\":{\"times\":10}}",
     .answer = "44",
     .rule = "ALI-MODEL"},
    {.name = "an error returns nothing",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "service/blink_reply",
     .payload = "{\"id\":\"44\",\"code\":400,\"data\":{\"times\":10}}",
     .answer = "44"},
    {.name = "setting properties is no service of the model",
     .service = &sky_aliyun_command_answer,
     .topic = SYS "service/property/set_reply",
     .payload = "{\"id\":\"44\",\"code\":200,\"data\":{\"x\":1}}",
     .answer = "44"},
};

static void posts_are_held_to_the_model(void **state)
{
    struct service_bench bench;
    struct sky_model *model = model_of("aliyun", model_text);
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    bench.facts.model = model;
    for (size_t i = 0; i < SKY_COUNT(cases); i++)
        run_case(&bench, &cases[i]);
    bench_done(&bench);
    sky_model_free(model);
}

/* What is sent is held to it, too, and a refusal says what is wrong. */
static void commands_are_held_to_the_model(void **state)
{
    static const struct {
        const char *kind, *name, *params;
        const char *why; /* is in the reason; NULL: it is sent */
    } rows[] = {
        {"property-set", "", "{\"level\":9,\"on\":0}", NULL},
        {"property-set", "", "{\"level\":10}", "6306"},
        {"property-set", "", "{\"colour\":1}", "6304"},
        {"property-set", "", "{\"serial\":1}", "460"},
        {"property-set", "", "[1]", "460"},
        {"desired-set", "", "{\"on\":1}", NULL},
        {"desired-set", "", "{\"on\":2}", "6308"},
        {"desired-set", "", "{\"serial\":1}", "460"},
        {"service", "blink", "{\"fast\":1}", NULL},
        {"service", "blink", "{\"fast\":2}", "6308"},
        {"service", "blink", "", "6302"},
        {"service", "fly", "{}", "6313"},
        {"service-sync", "blink", "{\"fast\":1}", NULL},
        {"service-sync", "fly", "{}", "6313"},
    };
    struct service_bench bench;
    struct sky_model *model = model_of("aliyun", model_text);
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const char *params = rows[i].params, *why = rows[i].why;
        bench.facts.model = model;
        assert_span(params, "the id",
                    bench_command(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, rows[i].kind,
                                  rows[i].name, params),
                    why != NULL ? "" : "42");
        assert_string_equal(bench.why.pointer, why != NULL ? "/params" : "");
        if (why != NULL && strstr(bench.why.reason, why) == NULL)
            fail_msg("%s: no %s in: %s", params, why, bench.why.reason);
        bench.facts.model = NULL; /* everything is sent */
        assert_span(params, "the id",
                    bench_command(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, rows[i].kind,
                                  rows[i].name, params),
                    "42");
    }
    bench_done(&bench);
    sky_model_free(model);
}

static void the_model_is_told_to_whom_asks(void **state)
{
    static const char *const topics[] = {SYS "dsltemplate/get", SYS "dynamicTsl/get"};
    struct service_bench bench;
    struct sky_model *model = model_of("aliyun", "{\"properties\" : []}");
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (size_t i = 0; i < 2 * SKY_COUNT(topics); i++) {
        bench.facts.model = i < SKY_COUNT(topics) ? model : NULL;
        bench_send(&bench, &sky_aliyun_model_get, sky_span_str(topics[i % 2]),
                   SKY_SPAN(ASK("{\"nodes\":[\"type\",\"identifier\"],\"addDefault\":false}")));
        sky_span reply = bench_effect(&bench, SKY_EFFECT_REPLY)->payload;
        assert_true(sky_span_starts(
            reply, i < SKY_COUNT(topics) ? SKY_SPAN("{\"code\":200,\"data\":{\"properties\":[]}")
                                         : SKY_SPAN("{\"code\":5159,\"data\":{}")));
        assert_int_equal(bench.judge.count, 0);
    }
    bench_done(&bench);
    sky_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_are_held_to_the_model),
        cmocka_unit_test(commands_are_held_to_the_model),
        cmocka_unit_test(the_model_is_told_to_whom_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
