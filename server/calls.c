#include "server/calls.h"

#include <stdio.h>
#include <strings.h>

#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/apply.h"
#include "server/refusal.h"
#include "server/rules.h"

/* A call being answered. */
struct call {
    struct sky_app *app;
    const struct sky_http_request *request;
    uint32_t connection;
    const struct sky_cloud *cloud;
    const struct sky_http_row *row; /* NULL: no cloud serves the path */
    struct sky_lookup lookup;
    struct sky_judge judge;
    struct sky_refusal refusal;
};

static void find_row(struct call *call)
{
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        for (size_t j = 0; j < sky_clouds[i]->http_count; j++) {
            if (sky_span_eq_str(call->request->path, sky_clouds[i]->http[j].path)) {
                call->cloud = sky_clouds[i];
                call->row = &sky_clouds[i]->http[j];
                return;
            }
        }
    }
}

static const struct sky_rule *rule_of(const void *ctx, enum sky_mistake mistake)
{
    const struct call *call = ctx;
    return sky_cloud_http_mistake_rule(call->cloud, call->row, mistake);
}

static void explain(struct call *call, enum sky_cause cause)
{
    struct sky_arena arena;
    struct sky_suspicion suspicion = {.now_ms = call->app->clock.now_ms};
    bool unknown = cause == SKY_CAUSE_UNKNOWN && call->lookup.cloud != NULL;
    bool forged = cause == SKY_CAUSE_SIGNATURE && call->row->suspect != NULL;
    if (!unknown && !forged)
        return;
    call->refusal.unsearched = !sky_refusal_may_search(call->app, SKY_SEARCHES_PER_TURN_CALLED);
    if (call->refusal.unsearched)
        return;
    if (unknown) {
        sky_refusal_find_similar(call->app, &call->lookup, &call->refusal);
        return;
    }
    sky_arena_init(&arena);
    if (call->row->suspect(call->request, &call->lookup.facts, &suspicion, &arena))
        sky_refusal_explain(call->app, &call->lookup, &suspicion, &arena, rule_of, call,
                            &call->judge, &call->refusal);
    sky_arena_done(&arena);
}

static uint64_t record(struct call *call, int status, bool refused)
{
    const struct sky_http_request *request = call->request;
    struct sky_buf explanation;
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    struct sky_attr attrs[9] = {SKY_ATTR(LISTENER, sky_span_str(request->door->listener->name)),
                                SKY_ATTR(METHOD, request->method), SKY_ATTR(PATH, request->path),
                                SKY_ATTR_INT(STATUS, status)};
    size_t count = 4;
    if (call->cloud != NULL)
        attrs[count++] = SKY_ATTR(CLOUD, sky_span_str(call->cloud->name));
    if (call->lookup.cloud != NULL && call->lookup.device.id == 0) {
        attrs[count++] = SKY_ATTR(PRODUCT, call->lookup.claim.product);
        attrs[count++] = SKY_ATTR(DEVICE_KEY, call->lookup.claim.device);
    }
    if (refused) {
        sky_refusal_json(&call->refusal, &call->judge, &explanation);
        attrs[count++] = SKY_ATTR(EXPLANATION, sky_buf_span(&explanation));
    }
    const struct sky_event_head head = {.type = SKY_EVENT_HTTP_AUTH,
                                        .direction = SKY_UP,
                                        .transport = request->door->transport,
                                        .connection = call->connection,
                                        .device_id = call->lookup.device.id};
    uint64_t seq = sky_journal_add(call->app->journal, &head, attrs, count, &call->judge);
    sky_buf_done(&explanation);
    return seq;
}

/* Journals the call, books it with the device, and lets its effects happen. */
static void conclude(struct call *call, int status, enum sky_cause cause)
{
    struct sky_app *app = call->app;
    uint64_t seq = record(call, status, cause != SKY_CAUSE_NONE || call->judge.refused != NULL);
    if (call->lookup.device.id == 0) {
        sky_effects_clear(&app->effects);
        return;
    }
    struct sky_session *session =
        sky_session_open(app, &call->lookup.product, &call->lookup.device);
    sky_session_judged(app, session, &call->judge);
    sky_apply(app, session, NULL, &app->effects, seq);
}

static void look_up(struct call *call, struct sky_arena *arena)
{
    struct sky_claim claim = {0};
    if (call->row->claim(call->request, &claim, arena)) {
        sky_lookup_claim(call->app, call->cloud, &claim, &call->lookup);
        call->judge.policy = sky_lookup_policy(call->app, &call->lookup);
        return;
    }
    call->lookup.facts.now_ms = call->app->clock.now_ms;
    sky_rng_text(&call->app->rng, call->lookup.fresh, SKY_FRESH_LEN);
    call->lookup.facts.fresh = sky_span_of(call->lookup.fresh, SKY_FRESH_LEN);
}

static void answer_nowhere(struct call *call, int *ret_status, struct sky_buf *ret_body)
{
    sky_judge_rule(&call->judge, sky_door_rule(SKY_RULE_DOOR_HTTP_PATH), false,
                   "no cloud serves %.*s %.*s", SKY_SPAN_ARGS(call->request->method),
                   SKY_SPAN_ARGS(sky_span_head(call->request->path, 100)));
    *ret_status = 404;
    sky_buf_add_str(ret_body, "{\"code\":404,\"message\":\"no such path\"}");
    conclude(call, *ret_status, SKY_CAUSE_SHAPE);
}

void sky_call_answer(struct sky_app *app, const struct sky_http_request *request,
                     uint32_t connection, int *ret_status, struct sky_buf *ret_body)
{
    struct call call = {.app = app, .request = request, .connection = connection};
    struct sky_http_answer answer = {.status = 200};
    struct sky_arena arena;
    sky_judge_init(&call.judge, &app->policy);
    find_row(&call);
    if (call.row == NULL) {
        answer_nowhere(&call, ret_status, ret_body);
        return;
    }
    sky_arena_init(&arena);
    look_up(&call, &arena);
    call.row->answer(request, &call.lookup.facts, &call.judge, &app->effects, &answer);
    sky_buf_add(ret_body, answer.body);
    *ret_status = answer.status;
    explain(&call, answer.cause);
    conclude(&call, answer.status, answer.cause);
    sky_arena_done(&arena);
}

void sky_call_refused(struct sky_app *app, const struct sky_door *door, uint32_t connection,
                      sky_span method, sky_span path, int status, const char *reason)
{
    const struct sky_http_request request = {.door = door, .method = method, .path = path};
    struct call call = {.app = app, .request = &request, .connection = connection};
    sky_judge_init(&call.judge, &app->policy);
    find_row(&call);
    sky_judge_rule(&call.judge, sky_door_rule(SKY_RULE_DOOR_HTTP_REQUEST), false, "%s", reason);
    record(&call, status, true);
}
