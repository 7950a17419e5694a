/* Files that a device has, fetches or hands in: by "文件管理协议" on $thing, by "资源管理协议" on
 * $resource. What it reports is kept and answered; there is no place here for what it would hand
 * in. */
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services.h"

#define DOWN "$thing/down/service"

/* One message on its way through. */
struct request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    sky_span text, kind; /* the whole object; what it asks for, without quotes */
};

struct kind {
    const char *name;
    void (*run)(struct request *request); /* NULL: there is nothing to answer */
};

static void reply(const struct request *request, const char *down, sky_span body)
{
    sky_effects_message(request->effects, SKY_EFFECT_REPLY,
                        sky_tencent__topic(request->uplink, down, &request->effects->arena), body,
                        request->uplink->qos > 0 ? 1 : 0);
}

/* Judges the message and what it asks for, and runs that. `member` names it. */
static void dispatch(struct request *request, const char *member, const struct kind *kinds,
                     size_t count)
{
    struct sky_envelope envelope;
    const struct kind *kind = NULL;
    sky_envelope_open(&envelope, request->uplink->payload, SKY_TENCENT_MESSAGE_MAX);
    request->text = envelope.text;
    request->kind = sky_json_text(sky_json_member(envelope.text, member));
    for (size_t i = 0; i < count; i++)
        if (sky_json_reads(request->kind, kinds[i].name))
            kind = &kinds[i];
    sky_judge_rule(request->judge, TEN_RULE(SERVICE_REQUEST), kind != NULL,
                   "%.*s: no JSON object with a %s that is known there",
                   SKY_SPAN_ARGS(request->uplink->topic), member);
    if (kind == NULL)
        return;
    bool played = kind->run != NULL;
    sky_judge_rule(request->judge, TEN_RULE(SERVICE_UNKNOWN), played,
                   "%s is documented; nothing takes files here", kind->name);
    if (played)
        kind->run(request);
}

/* What is reported needs no answer. */
static void run_nothing(struct request *request)
{
    (void)request;
}

/* ---- $thing ---- */

/* A device without a list is told the one that it reported last. */
static void run_version(struct request *request)
{
    struct sky_arena *arena = &request->effects->arena;
    sky_span report = sky_json_member(request->text, "report"),
             list = sky_json_member(report, "resource_list");
    bool sound = sky_json_is_array(list);
    sky_judge_rule(request->judge, TEN_RULE(SERVICE_REQUEST), sound,
                   "report_version has no resource_list");
    if (!sound)
        return;
    struct sky_buf out;
    list = sky_json_compact(arena, list);
    if (sky_json_inside(list).len > 0) {
        sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
        sky_buf_addf(&out, "{\"resource_list\":%.*s}", SKY_SPAN_ARGS(list));
        sky_envelope_store(request->effects, request->facts, sky_tencent_file.document, &out);
    } else {
        sky_span known = sky_json_member(request->facts->document, "resource_list");
        list = known.len > 0 ? known : SKY_SPAN("[]");
    }
    reply(request, DOWN,
          sky_arena_printf(arena,
                           "{\"method\":\"report_version_rsp\",\"result_code\":0,"
                           "\"result_msg\":\"success\",\"resource_list\":%.*s}",
                           SKY_SPAN_ARGS(list)));
}

static const struct kind methods[] = {
    {"report_version", run_version}, {"report_progress", run_nothing},
    {"report_result", run_nothing},  {"report_post_result", run_nothing},
    {"del_result", run_nothing},     {"alert_fence_event_reply", run_nothing},
    {"request_url", NULL},           {"get_user_avatar", NULL},
};

static void handle_file(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request = {.uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    dispatch(&request, "method", methods, SKY_COUNT(methods));
}

const struct sky_service sky_tencent_file = {
    .name = "file", .document = "resources", .handle = handle_file};

/* A notice on $thing/down/service: bind_device, unbind_device, update_resource, del_resource, ...
 * with the members that the parameters give. */
sky_span sky_tencent__build_notice(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects)
{
    struct sky_arena *arena = &effects->arena;
    sky_span params = sky_envelope_params(arena, request->params), inside = sky_json_inside(params);
    if (!sky_json_is_object(params) || !sky_envelope_is_level(request->name) ||
        sky_json_member(params, "method").len > 0)
        return SKY_SPAN_NONE;
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_jw_object(&jw);
    sky_jw_put_span(&jw, "method", request->name);
    if (sky_json_member(params, "clientToken").len == 0)
        sky_jw_put_span(&jw, "clientToken", request->id);
    if (inside.len > 0) {
        sky_buf_add_byte(&out, ',');
        sky_buf_add(&out, inside);
    }
    sky_jw_end_object(&jw);
    sky_effects_message(effects, SKY_EFFECT_PUSH, sky_tencent__topic(to, DOWN, arena),
                        sky_envelope_keep(arena, &out), 1);
    return sky_arena_copy(arena, request->id);
}

/* ---- $resource ---- */

/* {"type":"report_upload_progress_rsp",...} for "report_upload_progress". */
static void run_progress(struct request *request)
{
    reply(request, "$resource/down/service",
          sky_arena_printf(&request->effects->arena,
                           "{\"type\":\"%.*s_rsp\",\"result_code\":0,\"result_msg\":\"ok\"}",
                           SKY_SPAN_ARGS(request->kind)));
}

/* There never is a download: only then does the cloud say nothing. */
static const struct kind types[] = {
    {"report_upload_progress", run_progress},
    {"report_download_progress", run_progress},
    {"get_download_task", run_nothing},
    {"create_upload_task", NULL},
};

static void handle_resource(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct request request = {.uplink = uplink, .facts = facts, .judge = judge, .effects = effects};
    dispatch(&request, "type", types, SKY_COUNT(types));
}

const struct sky_service sky_tencent_resource = {.name = "resource", .handle = handle_resource};
