/* What devices report in batches, what is wanted of them, their logs and jobs, and bytes. */
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/aliyun/services.h"

#define SYS "/sys/pk/dn/thing/"
#define DATA_REPLY(data, method)                                                                   \
    "{\"code\":200,\"data\":" data                                                                 \
    ",\"id\":\"1\",\"message\":\"success\",\"method\":\"thing." method "\",\"version\":\"1.0\"}"
#define OK_REPLY(method) DATA_REPLY("{}", method)
#define CODE_REPLY(code, message, method)                                                          \
    "{\"code\":" code ",\"data\":{},\"id\":\"1\",\"message\":\"" message                           \
    "\",\"method\":\"thing." method "\",\"version\":\"1.0\"}"
#define BAD_REPLY(method) CODE_REPLY("460", "request parameter error", method)
#define NOW "1700000000123"
#define OWN "{\"productKey\":\"pk\",\"deviceName\":\"dn\"}"
/* A request with these params; C leaves the method out, and so does this. */
#define ASK(params) "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params "}"

#define BATCH SYS "event/property/batch/post"
#define BATCH_METHOD "event.property.batch.post"
#define PACK SYS "event/property/pack/post"
#define PACK_METHOD "event.property.pack.post"
#define HISTORY SYS "event/property/history/post"
#define HISTORY_METHOD "event.property.history.post"

static const struct service_case post_cases[] = {
    {.name = "of several values the newest is kept, wherever it stands",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .document = "{\"a\":{\"value\":0,\"time\":1}}",
     .payload = ASK("{\"properties\":{\"a\":[{\"value\":1,\"time\":5},{\"value\":2,\"time\":9},"
                    "{\"value\":3,\"time\":7}],\"b\":[]},\"events\":{\"e\":[{\"value\":{},"
                    "\"time\":5}]}}"),
     .reply_topic = BATCH "_reply",
     .reply = OK_REPLY(BATCH_METHOD),
     .stored = "{\"a\":{\"value\":2,\"time\":9}}"},
    {.name = "a batch of events changes no property",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload = ASK("{\"events\":{\"e\":[{\"value\":{\"x\":1},\"time\":5}]}}"),
     .reply_topic = BATCH "_reply",
     .reply = OK_REPLY(BATCH_METHOD)},
    {.name = "a batch with single values is refused",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload = ASK("{\"properties\":{\"a\":{\"value\":1,\"time\":5}}}"),
     .reply_topic = BATCH "_reply",
     .reply = BAD_REPLY(BATCH_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "a batch with bare values is refused",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload = ASK("{\"properties\":{\"a\":[1]}}"),
     .reply_topic = BATCH "_reply",
     .reply = BAD_REPLY(BATCH_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "a batch that is no object is refused",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload = ASK("[]"),
     .reply_topic = BATCH "_reply",
     .reply = BAD_REPLY(BATCH_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "a batch that is no JSON says so",
     .service = &sky_aliyun_batch_post,
     .topic = BATCH,
     .payload = "batch",
     .reply_topic = BATCH "_reply",
     .reply =
         "{\"code\":6207,\"data\":{},\"id\":\"\",\"message\":\"payload is not json\",\"method\":"
         "\"thing." BATCH_METHOD "\",\"version\":\"1.0\"}",
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "a pack of the device's own",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":{\"value\":1,\"time\":5},\"b\":2},"
                    "\"events\":{\"e\":{\"value\":{},\"time\":5}},\"subDevices\":[]}"),
     .reply_topic = PACK "_reply",
     .reply = OK_REPLY(PACK_METHOD),
     .stored = "{\"a\":{\"value\":1,\"time\":5},\"b\":{\"value\":2,\"time\":" NOW "}}"},
    {.name = "a pack whose events are no object is refused whole",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":1},\"events\":[]}"),
     .reply_topic = PACK "_reply",
     .reply = BAD_REPLY(PACK_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "a pack whose sub-devices are no array is refused whole",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":1},\"subDevices\":{}}"),
     .reply_topic = PACK "_reply",
     .reply = BAD_REPLY(PACK_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "a past that is no array is refused",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK("{\"identity\":" OWN "}"),
     .reply_topic = HISTORY "_reply",
     .reply = BAD_REPLY(HISTORY_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "raw bytes are taken without an answer",
     .service = &sky_aliyun_raw,
     .topic = SYS "model/up_raw",
     .payload = "\x01\x02"},
    {.name = "raw bytes answer raw bytes, without an id",
     .service = &sky_aliyun_loose_answer,
     .topic = SYS "model/down_raw_reply",
     .payload = "\x01\x02",
     .answer = ""},
    {.name = "what the C SDK says to a configuration is an answer, though it is no JSON",
     .service = &sky_aliyun_loose_answer,
     .topic = SYS "config/log/push_reply",
     .payload = "\"id\":1,\"code\":\"400\",\"data\":{}",
     .answer = ""},
    {.name = "and what has an id is one to it",
     .service = &sky_aliyun_loose_answer,
     .topic = SYS "config/log/push_reply",
     .payload = "{\"id\":\"44\",\"code\":200,\"data\":{}}",
     .answer = "44"},
};

#define WANTED "{\"power\":{\"value\":\"on\",\"version\":2},\"speed\":{\"value\":3,\"version\":1}}"
#define GET SYS "property/desired/get"
#define DELETE SYS "property/desired/delete"

static const struct service_case desired_cases[] = {
    {.name = "what is wanted is told, and what is not is left out",
     .service = &sky_aliyun_desired_get,
     .topic = GET,
     .document = WANTED,
     .payload = ASK("[\"power\",\"colour\",\"power\"]"),
     .reply_topic = GET "_reply",
     .reply = DATA_REPLY("{\"power\":{\"value\":\"on\",\"version\":2}}", "property.desired.get")},
    {.name = "nothing is wanted",
     .service = &sky_aliyun_desired_get,
     .topic = GET,
     .payload = ASK("[\"power\"]"),
     .reply_topic = GET "_reply",
     .reply = OK_REPLY("property.desired.get")},
    {.name = "names that are no array are refused",
     .service = &sky_aliyun_desired_get,
     .topic = GET,
     .document = WANTED,
     .payload = ASK("{\"power\":{}}"),
     .reply_topic = GET "_reply",
     .reply = BAD_REPLY("property.desired.get"),
     .rule = "ALI-PARAMS"},
    {.name = "a name that is a number is refused",
     .service = &sky_aliyun_desired_get,
     .topic = GET,
     .document = WANTED,
     .payload = ASK("[1]"),
     .reply_topic = GET "_reply",
     .reply = BAD_REPLY("property.desired.get"),
     .rule = "ALI-PARAMS"},
    {.name = "with its version a value is deleted, and so it is without one",
     .service = &sky_aliyun_desired_delete,
     .topic = DELETE,
     .document = WANTED,
     .payload = ASK("{\"power\":{\"version\":2},\"speed\":{},\"colour\":{}}"),
     .reply_topic = DELETE "_reply",
     .reply = OK_REPLY("property.desired.delete"),
     .stored = "{}"},
    {.name = "what has changed since stays",
     .service = &sky_aliyun_desired_delete,
     .topic = DELETE,
     .document = WANTED,
     .payload = ASK("{\"power\":{\"version\":1}}"),
     .reply_topic = DELETE "_reply",
     .reply = OK_REPLY("property.desired.delete")},
    {.name = "a version that is no number is refused",
     .service = &sky_aliyun_desired_delete,
     .topic = DELETE,
     .document = WANTED,
     .payload = ASK("{\"power\":{\"version\":\"2\"}}"),
     .reply_topic = DELETE "_reply",
     .reply = BAD_REPLY("property.desired.delete"),
     .rule = "ALI-PARAMS"},
    {.name = "a list of names is no deletion",
     .service = &sky_aliyun_desired_delete,
     .topic = DELETE,
     .document = WANTED,
     .payload = ASK("[\"power\"]"),
     .reply_topic = DELETE "_reply",
     .reply = BAD_REPLY("property.desired.delete"),
     .rule = "ALI-PARAMS"},
};

#define LOG SYS "log/post"
#define LOG_CONFIG SYS "config/log/get"
#define JOB SYS "job/update"
#define JOB_GET SYS "job/get"
#define TASKS                                                                                      \
    "{\"t1\":{\"taskId\":\"t1\",\"status\":\"SUCCEEDED\"},\"t2\":{\"taskId\":\"t2\",\"status\":"   \
    "\"SENT\",\"jobDocument\":{\"x\":1}}}"

static const struct service_case other_cases[] = {
    {.name = "log entries as the document has them",
     .service = &sky_aliyun_log_post,
     .topic = LOG,
     .payload =
         ASK("[{\"utcTime\":\"2020-03-06T15:15:27.000+0800\",\"logLevel\":\"ERROR\","
             "\"module\":\"m\",\"code\":\"4103\",\"traceContext\":\"1\",\"logContent\":\"x\"}]"),
     .reply_topic = LOG "_reply",
     .reply = OK_REPLY("log.post")},
    {.name = "log entries as the C SDK 2.2 has them, which misspells version",
     .service = &sky_aliyun_log_post,
     .topic = LOG,
     .payload = "{\"id\":\"1\",\"versoin\":\"1.0\",\"params\":[{\"timestamp\":\"1\",\"logLevel\":"
                "\"DEBUG\",\"module\":\"m\",\"logContent\":\"x\"}],\"method\":\"thing.log.post\"}",
     .reply_topic = LOG "_reply",
     .reply = OK_REPLY("log.post")},
    {.name = "log entries as the C SDK 3.2 has them",
     .service = &sky_aliyun_log_post,
     .topic = LOG,
     .payload = ASK("{\"template\":\"traceContext logContent\",\"contents\":[\"a b\"]}"),
     .reply_topic = LOG "_reply",
     .reply = OK_REPLY("log.post")},
    {.name = "a log entry that is a text is refused",
     .service = &sky_aliyun_log_post,
     .topic = LOG,
     .payload = ASK("[\"x\"]"),
     .reply_topic = LOG "_reply",
     .reply = BAD_REPLY("log.post"),
     .rule = "ALI-PARAMS"},
    {.name = "logs are off at first",
     .service = &sky_aliyun_log_config,
     .topic = LOG_CONFIG,
     .payload = ASK("{\"configScope\":\"device\",\"getType\":\"content\"}"),
     .reply_topic = LOG_CONFIG "_reply",
     .reply = DATA_REPLY("{\"getType\":\"content\",\"content\":{\"mode\":0}}", "config.log.get")},
    {.name = "and on when the application has said so",
     .service = &sky_aliyun_log_config,
     .topic = LOG_CONFIG,
     .document = "{\"mode\":1}",
     .payload = ASK("{\"configScope\":\"device\",\"getType\":\"content\"}"),
     .reply_topic = LOG_CONFIG "_reply",
     .reply = DATA_REPLY("{\"getType\":\"content\",\"content\":{\"mode\":1}}", "config.log.get")},
    {.name = "a product has no log configuration",
     .service = &sky_aliyun_log_config,
     .topic = LOG_CONFIG,
     .payload = ASK("{\"configScope\":\"product\",\"getType\":\"content\"}"),
     .reply_topic = LOG_CONFIG "_reply",
     .reply = BAD_REPLY("config.log.get"),
     .rule = "ALI-PARAMS"},
    {.name = "a job goes on, and keeps what it is about",
     .service = &sky_aliyun_job_update,
     .topic = JOB,
     .document = TASKS,
     .payload = ASK("{\"taskId\":\"t2\",\"status\":\"IN_PROGRESS\",\"progress\":20}"),
     .reply_topic = JOB "_reply",
     .reply = OK_REPLY("job.update"),
     .stored = "{\"t1\":{\"taskId\":\"t1\",\"status\":\"SUCCEEDED\"},\"t2\":{\"taskId\":\"t2\","
               "\"status\":\"IN_PROGRESS\",\"progress\":20,\"jobDocument\":{\"x\":1}}}"},
    {.name = "a job that nobody gave it is reported all the same",
     .service = &sky_aliyun_job_update,
     .topic = JOB,
     .payload = ASK("{\"taskId\":\"t3\",\"status\":\"FAILED\"}"),
     .reply_topic = JOB "_reply",
     .reply = OK_REPLY("job.update"),
     .stored = "{\"t3\":{\"taskId\":\"t3\",\"status\":\"FAILED\"}}"},
    {.name = "a job's status is one of four",
     .service = &sky_aliyun_job_update,
     .topic = JOB,
     .payload = ASK("{\"taskId\":\"t3\",\"status\":\"DONE\"}"),
     .reply_topic = JOB "_reply",
     .reply = BAD_REPLY("job.update"),
     .rule = "ALI-PARAMS"},
    {.name = "a job's progress is a number",
     .service = &sky_aliyun_job_update,
     .topic = JOB,
     .payload = ASK("{\"taskId\":\"t3\",\"status\":\"FAILED\",\"progress\":\"1\"}"),
     .reply_topic = JOB "_reply",
     .reply = BAD_REPLY("job.update"),
     .rule = "ALI-PARAMS"},
    {.name = "a job by its name",
     .service = &sky_aliyun_job_get,
     .topic = JOB_GET,
     .document = TASKS,
     .payload = ASK("{\"taskId\":\"t1\"}"),
     .reply_topic = JOB_GET "_reply",
     .reply = DATA_REPLY("{\"task\":{\"taskId\":\"t1\",\"status\":\"SUCCEEDED\"}}", "job.get")},
    {.name = "the next job that is to do",
     .service = &sky_aliyun_job_get,
     .topic = JOB_GET,
     .document = TASKS,
     .payload = ASK("{\"taskId\":\"$next\"}"),
     .reply_topic = JOB_GET "_reply",
     .reply =
         DATA_REPLY("{\"task\":{\"taskId\":\"t2\",\"status\":\"SENT\",\"jobDocument\":{\"x\":1}}}",
                    "job.get")},
    {.name = "all jobs",
     .service = &sky_aliyun_job_get,
     .topic = JOB_GET,
     .document = "{\"t1\":{\"taskId\":\"t1\"},\"t2\":{\"taskId\":\"t2\"}}",
     .payload = ASK("{\"taskId\":\"$list\"}"),
     .reply_topic = JOB_GET "_reply",
     .reply = DATA_REPLY("{\"tasks\":[{\"taskId\":\"t1\"},{\"taskId\":\"t2\"}]}", "job.get")},
    {.name = "no such job",
     .service = &sky_aliyun_job_get,
     .topic = JOB_GET,
     .document = TASKS,
     .payload = ASK("{\"taskId\":\"t9\"}"),
     .reply_topic = JOB_GET "_reply",
     .reply = DATA_REPLY("{\"task\":{}}", "job.get")},
    {.name = "the C SDK's reset, with its blanks and its bare id",
     .service = &sky_aliyun_reset,
     .topic = SYS "reset",
     .payload = "{\"id\":1, \"version\":\"1.0\", \"method\":\"thing.reset\", \"params\":{}}",
     .reply_topic = SYS "reset_reply",
     .reply = OK_REPLY("reset")},
    {.name = "a reset that is no JSON",
     .service = &sky_aliyun_reset,
     .topic = SYS "reset",
     .payload = "reset",
     .reply_topic = SYS "reset_reply",
     .reply = "{\"code\":460,\"data\":{},\"id\":\"\",\"message\":\"request parameter error\","
              "\"method\":\"thing.reset\",\"version\":\"1.0\"}",
     .rule = "ALI-PAYLOAD-JSON"},
    {.name = "a tag's key has no blank",
     .service = &sky_aliyun_tags_update,
     .topic = SYS "deviceinfo/update",
     .payload = ASK("[{\"attrKey\":\"a b\",\"attrValue\":\"1\"}]"),
     .reply_topic = SYS "deviceinfo/update_reply",
     .reply = BAD_REPLY("deviceinfo.update"),
     .rule = "ALI-PARAMS"},
    {.name = "a tag's key begins with no digit",
     .service = &sky_aliyun_tags_update,
     .topic = SYS "deviceinfo/update",
     .payload = ASK("[{\"attrKey\":\"1a\",\"attrValue\":\"1\"}]"),
     .reply_topic = SYS "deviceinfo/update_reply",
     .reply = BAD_REPLY("deviceinfo.update"),
     .rule = "ALI-PARAMS"},
};

static void posts_are_kept_and_answered(void **state)
{
    (void)state;
    run_cases("aliyun", "pk", "dn", post_cases, SKY_COUNT(post_cases));
}

static void what_is_wanted_is_told_and_deleted(void **state)
{
    (void)state;
    run_cases("aliyun", "pk", "dn", desired_cases, SKY_COUNT(desired_cases));
}

static void logs_jobs_and_resets_are_answered(void **state)
{
    (void)state;
    run_cases("aliyun", "pk", "dn", other_cases, SKY_COUNT(other_cases));
}

/* ---- limits ---- */

/* Where `count` entries of this form, each with its number in place of %d, stand in a message. */
struct limit_case {
    const struct sky_service *service;
    const char *topic, *before, *entry, *after, *code;
    int max;
};

static void check_limit(const struct limit_case *row, int count)
{
    struct service_bench bench;
    struct sky_buf out;
    char code[32];
    bench_init(&bench, "aliyun", "pk", "dn");
    sky_buf_init(&out, 256 * 1024);
    sky_buf_addf(&out, "{\"id\":\"1\",\"params\":%s", row->before);
    for (int i = 0; i < count; i++) {
        const char *at = strstr(row->entry, "%d");
        sky_buf_addf(&out, "%s%.*s%d%s", i > 0 ? "," : "", (int)(at - row->entry), row->entry, i,
                     at + 2);
    }
    sky_buf_addf(&out, "%s}", row->after);
    bench_send(&bench, row->service, sky_span_str(row->topic), sky_buf_span(&out));
    snprintf(code, sizeof code, "{\"code\":%s,", count > row->max ? row->code : "200");
    sky_span reply = bench_effect(&bench, SKY_EFFECT_REPLY)->payload;
    if (!sky_span_starts(reply, sky_span_str(code)))
        fail_msg("%s with %d: %.*s", row->topic, count, SKY_SPAN_ARGS(reply));
    assert_int_equal(bench.judge.count, count > row->max);
    if (count > row->max)
        assert_string_equal(bench.judge.findings[0].rule->id, "ALI-ENTRIES");
    sky_buf_done(&out);
    bench_done(&bench);
}

static void entries_are_limited_in_number(void **state)
{
    static const struct limit_case rows[] = {
        {&sky_aliyun_property_post, SYS "event/property/post", "{", "\"p%d\":1", "}", "6106",
         SKY_ALIYUN_PROPERTIES_MAX},
        {&sky_aliyun_batch_post, BATCH, "{\"properties\":{", "\"p%d\":[]", "}}", "6106",
         SKY_ALIYUN_PROPERTIES_MAX},
        {&sky_aliyun_pack_post, PACK, "{\"properties\":{", "\"p%d\":1", "}}", "6106",
         SKY_ALIYUN_PROPERTIES_MAX},
        {&sky_aliyun_pack_post, PACK, "{\"events\":{", "\"e%d\":{}", "}}", "6356",
         SKY_ALIYUN_EVENTS_MAX},
        {&sky_aliyun_desired_get, GET, "[", "\"p%d\"", "]", "6104", SKY_ALIYUN_PROPERTIES_MAX},
        {&sky_aliyun_desired_delete, DELETE, "{", "\"p%d\":{}", "}", "6104",
         SKY_ALIYUN_PROPERTIES_MAX},
        {&sky_aliyun_log_post, LOG, "[", "{\"code\":%d}", "]", "460", SKY_ALIYUN_LOG_ENTRIES_MAX},
        {&sky_aliyun_tags_update, SYS "deviceinfo/update", "[",
         "{\"attrKey\":\"k%d\",\"attrValue\":1}", "]", "460", SKY_ALIYUN_TAGS_MAX},
        {&sky_aliyun_tags_delete, SYS "deviceinfo/delete", "[", "{\"attrKey\":\"k%d\"}", "]", "460",
         SKY_ALIYUN_TAGS_MAX},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        for (int over = 0; over <= 1; over++)
            check_limit(&rows[i], rows[i].max + over);
}

static void tag_keys_are_limited_in_length(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        char message[256], key[SKY_ALIYUN_TAG_KEY_MAX + 2] = "";
        memset(key, 'k', (size_t)SKY_ALIYUN_TAG_KEY_MAX + (size_t)over);
        snprintf(message, sizeof message, ASK("[{\"attrKey\":\"%s\"}]"), key);
        bench_init(&bench, "aliyun", "pk", "dn");
        bench_send(&bench, &sky_aliyun_tags_delete, SKY_SPAN(SYS "deviceinfo/delete"),
                   sky_span_str(message));
        assert_int_equal(bench.judge.count, over);
        bench_done(&bench);
    }
}

/* The C SDK would lose it, and nobody would see why. */
static void an_answer_that_the_c_sdk_has_no_room_for_is_noted(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_buf document;
        bench_init(&bench, "aliyun", "pk", "dn");
        sky_buf_init(&document, 4096);
        sky_buf_addf(&document, "{\"p\":{\"value\":\"%*d\",\"version\":1}}", over ? 2000 : 1000, 0);
        bench.facts.document = sky_buf_span(&document);
        bench_send(&bench, &sky_aliyun_desired_get, SKY_SPAN(GET), SKY_SPAN(ASK("[\"p\"]")));
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_NOTE) != NULL, over);
        sky_buf_done(&document);
        bench_done(&bench);
    }
}

static void a_device_that_is_reset_may_fetch_a_secret_again(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    bench_send(&bench, &sky_aliyun_reset, SKY_SPAN(SYS "reset"), SKY_SPAN(ASK("{}")));
    assert_non_null(bench_effect(&bench, SKY_EFFECT_RESET));
    bench_send(&bench, &sky_aliyun_reset, SKY_SPAN(SYS "reset"), SKY_SPAN("reset"));
    assert_null(bench_effect(&bench, SKY_EFFECT_RESET));
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_are_kept_and_answered),
        cmocka_unit_test(what_is_wanted_is_told_and_deleted),
        cmocka_unit_test(logs_jobs_and_resets_are_answered),
        cmocka_unit_test(a_device_that_is_reset_may_fetch_a_secret_again),
        cmocka_unit_test(entries_are_limited_in_number),
        cmocka_unit_test(tag_keys_are_limited_in_length),
        cmocka_unit_test(an_answer_that_the_c_sdk_has_no_room_for_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
