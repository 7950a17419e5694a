/* Upgrades of firmware and remote configuration: what devices say, ask and are told. */
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/aliyun/services.h"
#include "protocol/cloud/ota.h"

#define SYS "/sys/pk/dn/thing/"
#define ASK(params) "{\"id\":\"1\",\"version\":\"1.0\",\"params\":" params "}"
#define REPLY(code, data, message, method)                                                         \
    "{\"code\":" code ",\"data\":" data ",\"id\":\"1\",\"message\":\"" message                     \
    "\",\"method\":\"thing." method "\",\"version\":\"1.0\"}"
#define MD5 "5d41402abc4b2a76b9719d911017c592"
#define INFORM "/ota/device/inform/pk/dn"
#define REQUEST "/ota/device/request/pk/dn"
#define PROGRESS "/ota/device/progress/pk/dn"
#define GET SYS "ota/firmware/get"
#define DOWNLOAD SYS "file/download"

/* One upgrade, as the document has it. */
#define QUEUED                                                                                     \
    "{\"default\":{\"module\":\"default\",\"reported\":\"1.0\",\"version\":\"2.0\",\"file\":"      \
    "\"f1\","                                                                                      \
    "\"md5\":\"" MD5 "\",\"sha256\":\"00\",\"state\":\"queued\",\"size\":5,\"createdMs\":1,"       \
    "\"chunked\":false,\"due\":true}}"
#define RUNNING                                                                                    \
    "{\"default\":{\"module\":\"default\",\"reported\":\"1.0\",\"version\":\"2.0\",\"file\":"      \
    "\"f1\","                                                                                      \
    "\"md5\":\"" MD5 "\",\"sha256\":\"00\",\"state\":\"in-progress\",\"percent\":5,\"size\":5,"    \
    "\"createdMs\":1,\"notifiedMs\":2,\"startedMs\":3,\"urlMs\":2,\"chunked\":false,\"due\":"      \
    "false}}"
#define NOTIFIED                                                                                   \
    "{\"default\":{\"module\":\"default\",\"reported\":\"1.0\",\"version\":\"2.0\",\"file\":"      \
    "\"f1\","                                                                                      \
    "\"md5\":\"" MD5 "\",\"sha256\":\"00\",\"state\":\"notified\",\"size\":5,\"createdMs\":1,"     \
    "\"notifiedMs\":2,\"urlMs\":2,\"chunked\":false,\"due\":false}}"
#define STREAM                                                                                     \
    "{\"MCU\":{\"module\":\"MCU\",\"version\":\"2.0\",\"file\":\"f1\",\"md5\":\"" MD5              \
    "\",\"sha256\":\"00\",\"state\":\"notified\",\"size\":5,\"streamId\":77,\"createdMs\":1,"      \
    "\"notifiedMs\":2,\"chunked\":true,\"due\":false}}"
#define DATA                                                                                       \
    "{\"size\":5,\"sign\":\"" MD5 "\",\"version\":\"2.0\",\"signMethod\":\"Md5\",\"url\":"         \
    "\"https://h/f1\",\"md5\":\"" MD5 "\"}"
#define STREAM_DATA                                                                                \
    "{\"size\":5,\"streamId\":77,\"sign\":\"" MD5 "\",\"dProtocol\":\"mqtt\",\"version\":\"2.0\"," \
    "\"signMethod\":\"Md5\",\"streamFileId\":1,\"md5\":\"" MD5 "\",\"module\":\"MCU\"}"

struct ota_case {
    const char *name;
    const struct sky_service *service;
    const char *topic, *document, *payload;
    const char *reply_topic, *reply; /* NULL: nothing is answered */
    const char *module, *state;      /* of the upgrade afterwards; NULL: nothing is stored */
    const char *reported;
    const char *rule;
};

static const struct ota_case cases[] = {
    {.name = "the C SDK's version is the main module's",
     .service = &sky_aliyun_version,
     .topic = INFORM,
     .payload = "{\"id\": \"0\", \"params\": {\"version\": \"app-1.0.0\"}}",
     .module = "default",
     .state = "none",
     .reported = "app-1.0.0"},
    {.name = "a module has a version of its own",
     .service = &sky_aliyun_version,
     .topic = INFORM,
     .payload = "{\"id\":7, \"params\":{\"version\":\"2.1\", \"module\":\"MCU\"}}",
     .module = "MCU",
     .state = "none",
     .reported = "2.1"},
    {.name = "the target's version ends the upgrade, whatever was said before",
     .service = &sky_aliyun_version,
     .topic = INFORM,
     .document = QUEUED,
     .payload = ASK("{\"version\":\"2.0\"}"),
     .module = "default",
     .state = "succeeded",
     .reported = "2.0"},
    {.name = "another version after progress is a failure",
     .service = &sky_aliyun_version,
     .topic = INFORM,
     .document = RUNNING,
     .payload = ASK("{\"version\":\"1.0\"}"),
     .module = "default",
     .state = "failed",
     .reported = "1.0"},
    {.name = "a version that is a number is none",
     .service = &sky_aliyun_version,
     .topic = INFORM,
     .payload = ASK("{\"version\":1}"),
     .rule = "ALI-PARAMS"},
    {.name = "a module that is a number is none",
     .service = &sky_aliyun_version,
     .topic = INFORM,
     .payload = ASK("{\"version\":\"1\",\"module\":1}"),
     .rule = "ALI-PARAMS"},
    {.name = "the older C SDK asks on a topic, and hears on it",
     .service = &sky_aliyun_ota_request,
     .topic = REQUEST,
     .document = QUEUED,
     .payload = "{\"id\":\"0\",\"params\":{\"version\":\"1.0\"}}",
     .reply_topic = REQUEST,
     .reply = "{\"code\":\"1000\",\"data\":" DATA ",\"id\":0,\"message\":\"success\"}",
     .module = "default",
     .state = "notified"},
    {.name = "when there is nothing, it hears nothing",
     .service = &sky_aliyun_ota_request,
     .topic = REQUEST,
     .payload = "{\"id\":\"0\",\"params\":{\"version\":\"1.0\"}}"},
    {.name = "asked for, an upgrade is told",
     .service = &sky_aliyun_firmware_get,
     .topic = GET,
     .document = QUEUED,
     .payload = "{\"id\":1, \"params\":{\"module\":\"default\"}}",
     .reply_topic = GET "_reply",
     .reply = REPLY("200", DATA, "success", "ota.firmware.get"),
     .module = "default",
     .state = "notified"},
    {.name = "one that is fetched by messages has no URL",
     .service = &sky_aliyun_firmware_get,
     .topic = GET,
     .document = STREAM,
     .payload = ASK("{\"module\":\"MCU\"}"),
     .reply_topic = GET "_reply",
     .reply = REPLY("200", STREAM_DATA, "success", "ota.firmware.get"),
     .module = "MCU",
     .state = "notified"},
    {.name = "no upgrade is no error",
     .service = &sky_aliyun_firmware_get,
     .topic = GET,
     .payload = ASK("{}"),
     .reply_topic = GET "_reply",
     .reply = REPLY("200", "{}", "success", "ota.firmware.get")},
    {.name = "a module asked for that is none",
     .service = &sky_aliyun_firmware_get,
     .topic = GET,
     .payload = ASK("{\"module\":[]}"),
     .reply_topic = GET "_reply",
     .reply = REPLY("460", "{}", "request parameter error", "ota.firmware.get"),
     .rule = "ALI-PARAMS"},
    {.name = "the first progress begins it",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = NOTIFIED,
     .payload = ASK("{\"step\":\"0\",\"desc\":\"\"}"),
     .module = "default",
     .state = "in-progress"},
    {.name = "100 per cent does not end it",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":\"100\",\"desc\":\"done\",\"module\":\"default\"}"),
     .module = "default",
     .state = "in-progress"},
    {.name = "the upgrade failed",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":\"-1\"}"),
     .module = "default",
     .state = "failed"},
    {.name = "the download failed",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":\"-2\"}"),
     .module = "default",
     .state = "failed"},
    {.name = "the verification failed",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":\"-3\"}"),
     .module = "default",
     .state = "failed"},
    {.name = "the burning failed",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = NOTIFIED,
     .payload = ASK("{\"step\":\"-4\"}"),
     .module = "default",
     .state = "failed"},
    {.name = "progress of nothing is nothing",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .payload = ASK("{\"step\":\"50\"}")},
    {.name = "a step of 101",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":\"101\"}"),
     .rule = "ALI-OTA-STEP"},
    {.name = "a step of -5",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":\"-5\"}"),
     .rule = "ALI-OTA-STEP"},
    {.name = "a step that is a number",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{\"step\":50}"),
     .rule = "ALI-OTA-STEP"},
    {.name = "no step",
     .service = &sky_aliyun_progress,
     .topic = PROGRESS,
     .document = RUNNING,
     .payload = ASK("{}"),
     .rule = "ALI-OTA-STEP"},
};

static void check_upgrade(const struct ota_case *row, struct service_bench *bench)
{
    struct sky_ota ota;
    const struct sky_effect *put = bench_effect(bench, SKY_EFFECT_PUT_DOCUMENT);
    if ((put != NULL) != (row->module != NULL))
        fail_msg("%s: a document is %s", row->name, put != NULL ? "stored" : "not stored");
    if (put == NULL)
        return;
    assert_span(row->name, "the document's name", put->name, "upgrades");
    const struct sky_facts after = {.document = put->payload, .now_ms = bench->facts.now_ms};
    sky_ota_open(&ota, bench->uplink.cloud, &after, &bench->effects.arena);
    const struct sky_ota_upgrade *upgrade = sky_ota_find(&ota, sky_span_str(row->module));
    assert_non_null(upgrade);
    assert_span(row->name, "the state", sky_span_str(sky_ota_state_name(upgrade->state)),
                row->state);
    if (row->reported != NULL)
        assert_span(row->name, "the version", upgrade->reported, row->reported);
}

static void upgrades_go_as_devices_say(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    bench.facts.link = SKY_SPAN("https://h/");
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        const struct ota_case *row = &cases[i];
        const struct service_case as_service = {.name = row->name, .rule = row->rule};
        bench.facts.document = sky_span_str(row->document);
        bench_send(&bench, row->service, sky_span_str(row->topic), sky_span_str(row->payload));
        assert_effect(&as_service, "the reply", bench_effect(&bench, SKY_EFFECT_REPLY),
                      row->reply_topic, row->reply);
        assert_finding(&as_service, &bench.judge);
        check_upgrade(row, &bench);
    }
    bench_done(&bench);
}

static void a_push_has_a_text_for_its_code_and_a_number_for_its_id(void **state)
{
    static const struct {
        const char *document, *module, *data;
    } rows[] = {{QUEUED, "default", DATA}, {STREAM, "MCU", STREAM_DATA}};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_ota ota;
        char wanted[1024];
        sky_effects_clear(&bench.effects);
        bench.facts.document = sky_span_str(rows[i].document);
        sky_ota_open(&ota, bench.uplink.cloud, &bench.facts, &bench.effects.arena);
        const struct sky_ota_upgrade *upgrade = sky_ota_find(&ota, sky_span_str(rows[i].module));
        bench.uplink.cloud->ota->push(&bench.uplink, upgrade,
                                      upgrade->chunked ? SKY_SPAN_NONE : SKY_SPAN("https://h/f1"),
                                      SKY_SPAN("42"), &bench.effects);
        const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
        snprintf(wanted, sizeof wanted,
                 "{\"code\":\"1000\",\"data\":%s,\"id\":42,\"message\":\"success\"}", rows[i].data);
        assert_span("push", "the topic", push->topic, "/ota/device/upgrade/pk/dn");
        assert_span("push", "the payload", push->payload, wanted);
    }
    bench_done(&bench);
}

/* ---- the image by messages ---- */

struct block_case {
    const char *name, *payload;
    bool wanted; /* is a piece asked for? */
    const char *piece;
    const char *head; /* the JSON in front of the bytes */
    const char *rule;
};

#define FILE_INFO(stream) "{\"streamId\":" stream ",\"fileId\":1}"
#define BLOCK(size, offset) "{\"size\":" size ",\"offset\":" offset "}"
#define ASK_BLOCK(stream, size, offset)                                                            \
    ASK("{\"fileInfo\":" FILE_INFO(stream) ",\"fileBlock\":" BLOCK(size, offset) "}")
#define HEAD(code, offset, size, length)                                                           \
    "{\"code\":" code ",\"data\":{\"bOffset\":" offset ",\"bSize\":" size                          \
    ",\"fileLength\":" length "},\"id\":\"1\"}"

static const struct block_case block_cases[] = {
    {.name = "the whole",
     .payload = ASK_BLOCK("77", "5", "0"),
     .wanted = true,
     .piece = "hello",
     .head = HEAD("200", "0", "5", "5")},
    {.name = "Link SDK 4's comma, and its token",
     .payload = "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"fileToken\":\"d,}\",\"fileInfo\":{"
                "\"streamId\":77,\"fileId\":1,},\"fileBlock\":{\"size\":5,\"offset\":0}}}",
     .wanted = true,
     .piece = "hello",
     .head = "{\"code\":200,\"data\":{\"bOffset\":0,\"bSize\":5,\"fileLength\":5,\"fileToken\":"
             "\"d,}\"},\"id\":\"1\"}"},
    {.name = "the last block has what is left",
     .payload = ASK_BLOCK("77", "4", "4"),
     .wanted = true,
     .piece = "o",
     .head = HEAD("200", "4", "1", "5")},
    {.name = "beyond the end there is nothing",
     .payload = ASK_BLOCK("77", "4", "5"),
     .wanted = true,
     .piece = "",
     .head = HEAD("400", "5", "0", "5"),
     .rule = "ALI-PARAMS"},
    {.name = "a file that is none",
     .payload =
         ASK("{\"fileInfo\":{\"streamId\":77,\"fileId\":2},\"fileBlock\":" BLOCK("4", "0") "}"),
     .head = HEAD("400", "0", "0", "0"),
     .rule = "ALI-PARAMS"},
    {.name = "a stream that is none",
     .payload = ASK_BLOCK("78", "4", "0"),
     .head = HEAD("400", "0", "0", "0"),
     .rule = "ALI-PARAMS"},
    {.name = "a block of nothing",
     .payload = ASK_BLOCK("77", "0", "0"),
     .head = HEAD("400", "0", "0", "0"),
     .rule = "ALI-PARAMS"},
    {.name = "a block that is too long",
     .payload = ASK_BLOCK("77", "131073", "0"),
     .head = HEAD("400", "0", "0", "0"),
     .rule = "ALI-PARAMS"},
    {.name = "no block",
     .payload = ASK("{}"),
     .head = HEAD("400", "0", "0", "0"),
     .rule = "ALI-PARAMS"},
};

static void check_block(struct service_bench *bench, const struct block_case *row)
{
    struct sky_piece_request wanted = {.offset = -1};
    const struct service_case as_service = {.name = row->name, .rule = row->rule};
    bench->uplink.topic = SKY_SPAN(DOWNLOAD);
    bench->uplink.payload = sky_span_str(row->payload);
    bench->facts.document = SKY_SPAN(STREAM);
    bool wants = sky_aliyun_file_download.wants(&bench->uplink, &bench->facts,
                                                &bench->effects.arena, &wanted);
    if (wants != row->wanted)
        fail_msg("%s: a piece is %s", row->name, wants ? "asked for" : "not asked for");
    if (wants)
        assert_span(row->name, "the file", wanted.file, "f1");
    bench->facts.piece = sky_span_str(row->piece);
    bench->facts.piece_read = wants;
    bench_send(bench, &sky_aliyun_file_download, SKY_SPAN(DOWNLOAD), sky_span_str(row->payload));
    const struct sky_effect *reply = bench_effect(bench, SKY_EFFECT_REPLY);
    assert_span(row->name, "the topic", reply->topic, DOWNLOAD "_reply");
    size_t len =
        (size_t)(unsigned char)reply->payload.ptr[0] << 8 | (unsigned char)reply->payload.ptr[1];
    sky_span rest = sky_span_tail(reply->payload, 2);
    assert_span(row->name, "the head", sky_span_head(rest, len), row->head);
    sky_span bytes = sky_span_tail(rest, len);
    assert_int_equal(bytes.len, (row->piece != NULL ? strlen(row->piece) : 0) + 2);
    assert_finding(&as_service, &bench->judge);
}

static void an_image_comes_in_blocks(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    for (size_t i = 0; i < SKY_COUNT(block_cases); i++)
        check_block(&bench, &block_cases[i]);
    bench_done(&bench);
}

/* Computed from the document's description: 67 bytes of JSON, hello, and its CRC-16/ARC. */
static void a_block_is_as_documented_byte_by_byte(void **state)
{
    static const char hex[] =
        "00437b22636f6465223a3230302c2264617461223a7b22624f6666736574223a302c226253697a65223a352c"
        "2266696c654c656e677468223a357d2c226964223a2231227d68656c6c6fd234";
    struct service_bench bench;
    char got[sizeof hex] = "";
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    check_block(&bench, &block_cases[0]);
    sky_span payload = bench_effect(&bench, SKY_EFFECT_REPLY)->payload;
    assert_int_equal(payload.len, 76);
    for (size_t i = 0; i < payload.len; i++)
        snprintf(got + 2 * i, 3, "%02x", (unsigned char)payload.ptr[i]);
    assert_string_equal(got, hex);
    bench_done(&bench);
}

/* ---- configuration ---- */

#define CONFIG_GET SYS "config/get"
#define CONFIG_ASK ASK("{\"configScope\":\"product\",\"getType\":\"file\"}")
/* The SHA-256 of {"a":1}. */
#define SHA256 "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
#define CONFIG                                                                                     \
    "{\"configId\":\"015abd7f5cc57a2dd94b7590f04ad808\",\"configSize\":7,\"sign\":\"" SHA256       \
    "\",\"signMethod\":\"Sha256\",\"url\":\"https://h/c9-"

static void a_configuration_is_a_file_to_download(void **state)
{
    struct service_bench bench;
    const struct sky_product product = {.id = 9};
    (void)state;
    bench_init(&bench, "aliyun", "pk", "dn");
    bench.facts.product = &product;
    bench.facts.link = SKY_SPAN("https://h/");
    bench.facts.config = SKY_SPAN("{\"a\":1}");
    bench_send(&bench, &sky_aliyun_config_get, SKY_SPAN(CONFIG_GET), SKY_SPAN(CONFIG_ASK));
    sky_span reply = bench_effect(&bench, SKY_EFFECT_REPLY)->payload;
    if (!sky_span_starts(reply, SKY_SPAN("{\"code\":200,\"data\":" CONFIG)) ||
        !sky_span_ends(reply,
                       SKY_SPAN("\",\"getType\":\"file\"},\"id\":\"1\",\"message\":\"success\","
                                "\"method\":\"thing.config.get\",\"version\":\"1.0\"}")))
        fail_msg("%.*s", SKY_SPAN_ARGS(reply));
    assert_int_equal(bench.judge.count, 0);
    assert_span("config", "the id",
                bench_command(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, "config", "", ""),
                "42");
    const struct sky_effect *push = bench_effect(&bench, SKY_EFFECT_PUSH);
    assert_span("config", "the topic", push->topic, SYS "config/push");
    assert_true(sky_span_starts(
        push->payload,
        SKY_SPAN("{\"method\":\"thing.config.push\",\"id\":\"42\",\"params\":" CONFIG)));
    bench_done(&bench);
}

static void a_product_may_have_no_configuration(void **state)
{
    static const struct service_case rows[] = {
        {.name = "none: nobody's fault",
         .service = &sky_aliyun_config_get,
         .topic = CONFIG_GET,
         .payload = CONFIG_ASK,
         .reply_topic = CONFIG_GET "_reply",
         .reply = REPLY("6710", "{}", "no config", "config.get")},
        {.name = "the C SDK asks with a number for its id, and blanks",
         .service = &sky_aliyun_config_get,
         .topic = CONFIG_GET,
         .payload = "{\"id\" : 1,\"version\":\"1.0\",\"params\":{\"configScope\":\"product\","
                    "\"getType\":\"file\",\"attributeKeys\":\"\"},\"method\":\"thing.config.get\"}",
         .reply_topic = CONFIG_GET "_reply",
         .reply = REPLY("6710", "{}", "no config", "config.get")},
        {.name = "of a device there never is one",
         .service = &sky_aliyun_config_get,
         .topic = CONFIG_GET,
         .payload = ASK("{\"configScope\":\"device\",\"getType\":\"file\"}"),
         .reply_topic = CONFIG_GET "_reply",
         .reply = REPLY("460", "{}", "request parameter error", "config.get"),
         .rule = "ALI-PARAMS"},
    };
    struct service_bench bench;
    (void)state;
    run_cases("aliyun", "pk", "dn", rows, SKY_COUNT(rows));
    bench_init(&bench, "aliyun", "pk", "dn");
    assert_span("config", "the id",
                bench_command(&bench, sky_aliyun_commands, SKY_ALIYUN_COMMANDS, "config", "", ""),
                "");
    assert_string_equal(bench.why.pointer, "/kind");
    assert_string_equal(bench.why.reason, "the product has no configuration; PUT "
                                          "/api/v1/products/aliyun/pk/config sets one");
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrades_go_as_devices_say),
        cmocka_unit_test(a_push_has_a_text_for_its_code_and_a_number_for_its_id),
        cmocka_unit_test(an_image_comes_in_blocks),
        cmocka_unit_test(a_block_is_as_documented_byte_by_byte),
        cmocka_unit_test(a_configuration_is_a_file_to_download),
        cmocka_unit_test(a_product_may_have_no_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
