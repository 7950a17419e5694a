/* Upgrades of firmware: the version a device runs, what it is to run, and how far it is. There are
 * no modules and no download by messages: an image is fetched from a URL. */
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/ota.h"

enum { STEP_MAX = 100 };

/* The page's members in its order; SDKs read the size as a 32-bit number and compare the digest and
 * its name letter by letter. */
static void put_upgrade(struct sky_jw *jw, const struct sky_ota_upgrade *upgrade, sky_span url)
{
    sky_jw_object(jw);
    sky_jw_put_span(jw, "version", upgrade->version);
    sky_jw_put_span(jw, "sign", upgrade->md5);
    sky_jw_put_str(jw, "signMethod", "md5");
    sky_jw_put_span(jw, "fileUrl", url);
    sky_jw_put_int(jw, "fileSize", upgrade->size);
    sky_jw_end_object(jw);
}

static void push(const struct sky_uplink *to, const struct sky_ota_upgrade *upgrade, sky_span url,
                 sky_span id, struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_span(&jw, "id", id);
    sky_jw_put_str(&jw, "version", "1.0");
    sky_jw_key(&jw, "params");
    put_upgrade(&jw, upgrade, url);
    sky_jw_put_str(&jw, "method", "ota.device.upgrade");
    sky_jw_end_object(&jw);
    sky_span topic = sky_arena_printf(arena, "/sys/%.*s/%.*s/ota/device/upgrade",
                                      SKY_SPAN_ARGS(to->product), SKY_SPAN_ARGS(to->device));
    sky_effects_message(effects, SKY_EFFECT_PUSH, topic, sky_envelope_keep(arena, &out), 1);
}

/* A step of 100 is no success: the version that the device reports is. No page says how long an
 * upgrade may take, nor that a device which comes again without having begun is told again; without
 * that it would wait for ever. */
const struct sky_cloud_ota sky_enos_upgrades = {
    .module = "default",
    .size_max = INT64_C(100) * 1024 * 1024,
    .push_is_repeated = true,
    .states = {[SKY_OTA_QUEUED] = "To be upgraded",
               [SKY_OTA_NOTIFIED] = "To be upgraded",
               [SKY_OTA_RUNNING] = "In progress",
               [SKY_OTA_SUCCEEDED] = "Success",
               [SKY_OTA_FAILED] = "Failure"},
    .push = push,
};

/* ---- what the device says ---- */

static void handle_inform(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_ota ota;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    sky_span version =
        sky_json_string(&effects->arena, sky_json_member(request.envelope.params, "version"));
    bool sound = version.len > 0;
    if (sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_NOT_JSON))
        return;
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    sky_ota_reported(&ota, SKY_SPAN_NONE, version);
    sky_ota_save(&ota, facts, effects);
    sky_enos__succeed(&request);
}

static void handle_getversion(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_ota ota;
    struct sky_buf out;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    const struct sky_ota_upgrade *upgrade = sky_ota_asked(&ota, SKY_SPAN_NONE);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_array(&jw);
    if (upgrade != NULL)
        put_upgrade(&jw, upgrade, sky_ota_url(upgrade, facts, &effects->arena));
    sky_jw_end_array(&jw);
    sky_ota_save(&ota, facts, effects);
    sky_enos__reply(&request, SKY_ENOS_CODE_OK, sky_envelope_keep(&effects->arena, &out));
}

/* What a step below zero means: the pages have these, the SDKs' constants the fifth. */
static sky_span failure_of(int64_t step, sky_span desc, struct sky_arena *arena)
{
    static const char *const kinds[] = {"the upgrade failed", "the download failed",
                                        "the verification failed", "the burning failed",
                                        "the device declined"};
    size_t place = (size_t)(-step - 1);
    return sky_arena_printf(arena, "step %d: %s%s%.*s", (int)step,
                            place < SKY_COUNT(kinds) ? kinds[place] : "a failure of its own",
                            desc.len > 0 ? ": " : "", SKY_SPAN_ARGS(desc));
}

/* A step may be written as a text or a number. */
static bool read_step(sky_span value, int64_t *ret_step)
{
    sky_span text = sky_json_text(value);
    bool minus = sky_span_starts(text, SKY_SPAN("-"));
    if (!sky_span_to_int(minus ? sky_span_tail(text, 1) : text, ret_step) || *ret_step > INT32_MAX)
        return false;
    if (minus)
        *ret_step = -*ret_step;
    return *ret_step <= STEP_MAX;
}

static enum sky_enos_code code_of(enum sky_ota_answer answer)
{
    return answer == SKY_OTA_TAKEN        ? SKY_ENOS_CODE_OK
           : answer == SKY_OTA_NO_UPGRADE ? SKY_ENOS_CODE_NO_UPGRADE
                                          : SKY_ENOS_CODE_NOT_STARTED;
}

static void handle_progress(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    struct sky_ota ota;
    int64_t step = 0;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    sky_span said = sky_json_member(request.envelope.params, "step");
    sky_span desc =
        sky_json_string(&effects->arena, sky_json_member(request.envelope.params, "desc"));
    if (sky_enos__refused_data(&request,
                               read_step(said, &step) ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_NOT_JSON))
        return;
    const struct sky_ota_progress progress = {
        .percent = step >= 0 ? (int)step : -1,
        .step = sky_json_text(said),
        .desc = desc,
        .fails = step < 0 ? failure_of(step, desc, &effects->arena) : SKY_SPAN_NONE,
    };
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    enum sky_enos_code code = code_of(sky_ota_progress(&ota, SKY_SPAN_NONE, &progress));
    sky_judge_rule(judge, ENOS_RULE(OTA_TASK), code == SKY_ENOS_CODE_OK,
                   "progress of an upgrade %s (code %d)",
                   code == SKY_ENOS_CODE_NO_UPGRADE ? "that there is not"
                                                    : "that the device was not told of yet",
                   (int)code);
    sky_ota_save(&ota, facts, effects);
    sky_enos__reply(&request, code, SKY_SPAN("{}"));
}

/* A constant of two SDKs that none of them uses, and no page mentions: it is acknowledged. */
static void handle_request(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (sky_enos__open(&request, uplink, facts, judge, effects))
        sky_enos__succeed(&request);
}

/* The answer to a push, which not every SDK sends. */
static void handle_told(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    sky_enos__begin(&request, uplink, facts, judge, effects);
    if (sky_enos__judge_message(&request) == SKY_ENOS_CODE_OK)
        sky_envelope_note(effects, "upgrade-confirmed", request.envelope.text);
}

const struct sky_service sky_enos_ota_inform = {
    .name = "ota-inform", .document = SKY_OTA_DOCUMENT, .handle = handle_inform};
const struct sky_service sky_enos_ota_getversion = {.name = "ota-getversion",
                                                    .document = SKY_OTA_DOCUMENT,
                                                    .reads = SKY_READS_LINK,
                                                    .handle = handle_getversion};
const struct sky_service sky_enos_ota_progress = {
    .name = "ota-progress", .document = SKY_OTA_DOCUMENT, .handle = handle_progress};
const struct sky_service sky_enos_ota_request = {.name = "ota-request", .handle = handle_request};
const struct sky_service sky_enos_ota_answer = {.name = "ota-answer", .handle = handle_told};
