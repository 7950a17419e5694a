/* Upgrades of firmware ("设备固件升级"): the version a device runs, what it is to run, and how far
 * it is. The image is fetched from a URL. */
#include <inttypes.h>

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/ota.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services.h"

enum { VERSION_MAX = 32, PERCENT_MAX = 100 };

#define UPDATE "$ota/update"

/* The members in the order of the real cloud. Devices that parse a number as text, or the reverse,
 * take the size as a number. */
static void push(const struct sky_uplink *to, const struct sky_ota_upgrade *upgrade, sky_span url,
                 sky_span id, struct sky_effects *effects)
{
    (void)id;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_jw_object(&jw);
    sky_jw_put_int(&jw, "file_size", upgrade->size);
    sky_jw_put_span(&jw, "md5sum", upgrade->md5);
    sky_jw_put_str(&jw, "type", "update_firmware");
    sky_jw_put_span(&jw, "url", url);
    sky_jw_put_span(&jw, "version", upgrade->version);
    sky_jw_end_object(&jw);
    sky_effects_message(effects, SKY_EFFECT_PUSH, sky_tencent__topic(to, UPDATE, &effects->arena),
                        sky_envelope_keep(&effects->arena, &out), 1);
}

/* A device that reports another version than the one it was told of is told again: so it goes on
 * with a download that was cut short ("断点续传"). How long an upgrade may take is not published.
 */
const struct sky_cloud_ota sky_tencent_upgrades = {
    .module = "default",
    .size_max = INT64_C(2048) * 1024 * 1024,
    .push_is_repeated = true,
    .push = push,
};

/* ---- what the device says ---- */

/* One message on its way through. */
struct request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    sky_span report;
    struct sky_ota ota;
};

static bool refused(const struct request *request, bool sound, const char *what)
{
    sky_judge_rule(request->judge, TEN_RULE(OTA_REPORT), sound, "%.*s: %s",
                   SKY_SPAN_ARGS(request->uplink->topic), what);
    return !sound;
}

static void open_upgrades(struct request *request)
{
    sky_ota_open(&request->ota, request->uplink->cloud, request->facts, &request->effects->arena);
}

/* The codes of another answer than this are not published: there is none to what is no version. */
static void report_version(struct request *request)
{
    struct sky_arena *arena = &request->effects->arena;
    sky_span written = sky_json_member(request->report, "version"),
             version = sky_json_string(arena, written);
    if (refused(request, version.len > 0 && version.len <= VERSION_MAX,
                "the version is no text of 1 to 32 characters"))
        return;
    open_upgrades(request);
    sky_ota_reported(&request->ota, SKY_SPAN_NONE, version);
    sky_ota_save(&request->ota, request->facts, request->effects);
    sky_effects_message(request->effects, SKY_EFFECT_REPLY,
                        sky_tencent__topic(request->uplink, UPDATE, arena),
                        sky_arena_printf(arena,
                                         "{\"result_code\":0,\"result_msg\":\"success\","
                                         "\"type\":\"report_version_rsp\",\"version\":%.*s}",
                                         SKY_SPAN_ARGS(written)),
                        request->uplink->qos > 0 ? 1 : 0);
}

/* What a device may say went wrong; the message beside it is the same whatever that was. */
static sky_span failure_of(sky_span code, struct sky_arena *arena)
{
    static const struct {
        const char *code, *text;
    } rows[] = {
        {"-1", "the download timed out"},
        {"-2", "the file is not there (HTTP 404)"},
        {"-3", "the URL has expired (HTTP 403)"},
        {"-4", "the MD5 differs"},
        {"-5", "the upgrade failed"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_span_eq_str(code, rows[i].code))
            return sky_arena_printf(arena, "%s: %s", rows[i].code, rows[i].text);
    return sky_arena_printf(arena, "%.*s: a failure of its own",
                            SKY_SPAN_ARGS(code.len > 0 ? code : SKY_SPAN("no code")));
}

/* Numbers are texts in this message; one that is a number is taken as well. Not answered. */
static void report_progress(struct request *request)
{
    static const char *const states[] = {"downloading", "burning", "done", "fail"};
    sky_span said = sky_json_member(request->report, "progress"),
             state = sky_json_text(sky_json_member(said, "state")),
             code = sky_json_text(sky_json_member(said, "result_code"));
    int64_t percent = -1;
    bool known = false;
    for (size_t i = 0; i < SKY_COUNT(states); i++)
        known |= sky_json_reads(state, states[i]);
    bool counts = sky_json_reads(state, "downloading");
    bool counted =
        !counts || (sky_span_to_int(sky_json_text(sky_json_member(said, "percent")), &percent) &&
                    percent <= PERCENT_MAX);
    if (refused(request, known, "the state is none of downloading, burning, done and fail") ||
        refused(request, counted, "the percent is no number up to 100"))
        return;
    const struct sky_ota_progress progress = {
        .percent = (int)percent,
        .step = state,
        .code = code,
        .desc = sky_json_string(&request->effects->arena, sky_json_member(said, "result_msg")),
        .fails = sky_json_reads(state, "fail") ? failure_of(code, &request->effects->arena)
                                               : SKY_SPAN_NONE,
        .succeeds = sky_json_reads(state, "done"),
    };
    open_upgrades(request);
    enum sky_ota_answer answer = sky_ota_progress(&request->ota, SKY_SPAN_NONE, &progress);
    sky_judge_rule(
        request->judge, TEN_RULE(OTA_TASK), answer == SKY_OTA_TAKEN, "progress of an upgrade %s",
        answer == SKY_OTA_NO_UPGRADE ? "that there is not" : "that the device was not told of");
    sky_ota_save(&request->ota, request->facts, request->effects);
}

static void handle_ota(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request = {.uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    struct sky_envelope envelope;
    sky_envelope_open(&envelope, uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    sky_span type = sky_json_text(sky_json_member(envelope.text, "type"));
    bool version = sky_json_reads(type, "report_version"),
         progress = sky_json_reads(type, "report_progress");
    request.report = sky_json_member(envelope.text, "report");
    sky_judge_kept(judge, TEN_RULE(SERVICE_UNKNOWN));
    if (refused(&request, version || progress,
                "no JSON object of type report_version or report_progress"))
        return;
    if (version)
        report_version(&request);
    else
        report_progress(&request);
}

const struct sky_service sky_tencent_ota = {
    .name = "ota", .document = SKY_OTA_DOCUMENT, .handle = handle_ota};
