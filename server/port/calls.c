#include "server/port/calls.h"

#include <stdio.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/broker/publish.h"
#include "server/net/conn.h"
#include "server/port/downloads.h"
#include "server/port/http.h"
#include "server/port/ws.h"
#include "server/registry/door.h"
#include "server/registry/refusal.h"

/* A longer one does not fit into what the vendors' clients have room for. */
enum { ADVERTISED_HOST_MAX = 64, ALLOW_MAX = 32, HELD_MS = 5 };

/* What a call is answered with. */
struct answer {
    int status; /* HTTP's; 404 for a path that no cloud serves */
    struct sky_buf body;
    const struct sky_http_row *row;         /* NULL: the path is no cloud's */
    const struct sky_http_failure *failure; /* goes out instead if promises cannot be kept; NULL
                                               when nothing is promised */
    uint64_t seq;                           /* the call's number in the journal */
    int64_t device_id, product_id;          /* 0: nobody known */
    bool held;                              /* there is none yet: the device may not come in */
};

/* A call being answered. */
struct call {
    struct sky_broker *broker;
    struct sky_registry *registry;
    const struct sky_http_request *request;
    uint32_t connection;
    const char *host_fault; /* NULL: its Host is as it should be */
    const struct sky_cloud *cloud;
    const struct sky_http_row *row; /* NULL: no cloud serves the path */
    struct sky_lookup lookup;
    struct sky_judge judge;
    struct sky_refusal refusal;
    struct sky_effects *effects; /* apart: it is large, and nothing of it has to be zero */
};

static void find_row(struct call *call)
{
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        const struct sky_cloud_http *http = sky_clouds[i]->http;
        for (size_t j = 0; http != NULL && j < http->count; j++) {
            if (sky_span_eq_str(call->request->path, http->rows[j].path)) {
                call->cloud = sky_clouds[i];
                call->row = &http->rows[j];
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
    struct sky_suspicion suspicion = {.now_ms = call->registry->clock->now_ms};
    bool unknown = cause == SKY_CAUSE_UNKNOWN && call->lookup.cloud != NULL;
    bool forged = cause == SKY_CAUSE_SIGNATURE && call->row->suspect != NULL;
    if (!unknown && !forged)
        return;
    call->refusal.unsearched = !sky_refusal_may_search(call->registry);
    if (call->refusal.unsearched)
        return;
    if (unknown) {
        sky_refusal_find_similar(call->registry, &call->lookup, &call->refusal);
        return;
    }
    sky_arena_init(&arena);
    if (call->row->suspect(call->request, &call->lookup.facts, &suspicion, &arena))
        sky_refusal_explain(call->registry, &call->lookup, &suspicion, &arena, rule_of, call,
                            &call->judge, &call->refusal);
    sky_arena_done(&arena);
}

static uint64_t record(struct call *call, int status, bool refused)
{
    const struct sky_http_request *request = call->request;
    struct sky_buf explanation;
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    struct sky_draft draft;
    sky_draft_begin(&draft, (struct sky_event_head){.type = SKY_EVENT_HTTP_AUTH,
                                                    .direction = SKY_UP,
                                                    .transport = request->door->transport,
                                                    .connection = call->connection,
                                                    .device_id = call->lookup.device.id});
    sky_draft_add(&draft, SKY_ATTR(LISTENER, sky_span_str(request->door->listener->name)));
    sky_draft_add(&draft, SKY_ATTR(METHOD, request->method));
    sky_draft_add(&draft, SKY_ATTR(PATH, request->path));
    sky_draft_add(&draft, SKY_ATTR_INT(STATUS, status));
    if (call->cloud != NULL)
        sky_draft_add(&draft, SKY_ATTR(CLOUD, sky_span_str(call->cloud->name)));
    if (call->lookup.cloud != NULL && call->lookup.device.id == 0) {
        sky_draft_add(&draft, SKY_ATTR(PRODUCT, call->lookup.claim.product));
        sky_draft_add(&draft, SKY_ATTR(DEVICE_KEY, call->lookup.claim.device));
    }
    if (refused) {
        sky_refusal_json(&call->refusal, &call->judge, &explanation);
        sky_draft_add(&draft, SKY_ATTR(EXPLANATION, sky_buf_span(&explanation)));
    }
    uint64_t seq = sky_journal_record(call->registry->journal, &draft, &call->judge);
    sky_buf_done(&explanation);
    return seq;
}

/* Puts the cloud's words for a failure in place of the answer, and journals that. */
static void fail(struct sky_journal *journal, struct answer *answer)
{
    SKY_ASSERT(answer->failure != NULL);
    answer->status = answer->failure->status;
    sky_buf_clear(&answer->body);
    sky_buf_add_str(&answer->body, answer->failure->body);
    answer->failure = NULL;
    const struct sky_attr attrs[] = {
        SKY_ATTR(NAME, SKY_SPAN("call-failed")),
        SKY_ATTR(REASON, SKY_SPAN("the store did not keep what the answer promised")),
        SKY_ATTR(PAYLOAD, sky_buf_span(&answer->body)), SKY_ATTR_INT(OF, (int64_t)answer->seq)};
    const struct sky_event_head head = {
        .type = SKY_EVENT_NOTE, .direction = SKY_INSIDE, .device_id = answer->device_id};
    sky_journal_add(journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

/* What the device publishes by its call, as if it had come over MQTT. */
static void publish(const struct call *call, struct sky_session *session,
                    const struct sky_http_answer *answer, struct answer *ret)
{
    const struct sky_act act = {.session = session,
                                .topic = answer->topic,
                                .payload = answer->payload,
                                .transport = call->request->door->transport,
                                .connection = call->connection,
                                .qos = answer->qos};
    struct sky_act_result result = sky_publish(call->broker, &act);
    if (result.right == SKY_RIGHT_GRANTED && !result.judged_bad)
        return;
    sky_buf_clear(&ret->body);
    sky_buf_add(&ret->body, answer->refused_body);
}

/* Journals the call, books it with the device, and lets its effects happen. `answer` is the
 * cloud's, NULL when it was not asked. */
static void conclude(struct call *call, enum sky_cause cause, const struct sky_http_answer *answer,
                     struct answer *ret)
{
    struct sky_registry *registry = call->registry;
    bool refused = cause != SKY_CAUSE_NONE || call->judge.refused != NULL || call->refusal.failed;
    ret->seq = record(call, ret->status, refused);
    ret->device_id = call->lookup.device.id;
    if (call->lookup.device.id == 0)
        return;
    struct sky_session *session =
        sky_session_open(registry, &call->lookup.product, &call->lookup.device);
    sky_session_judged(session, &call->judge);
    bool publishes = answer != NULL && answer->topic.len > 0;
    if (call->effects->count > 0 || publishes)
        ret->failure = &call->row->failure;
    if (publishes)
        publish(call, session, answer, ret);
    if (sky_apply(call->broker, session, NULL, call->effects, ret->seq) != SKY_OK)
        fail(registry->journal, ret);
}

static void look_up(struct call *call, struct sky_arena *arena)
{
    struct sky_claim claim = {0};
    if (call->row->claim(call->request, &claim, arena)) {
        sky_lookup_claim(call->registry, call->cloud, &claim, &call->lookup);
        call->judge.policy = sky_lookup_policy(call->registry, &call->lookup);
        return;
    }
    call->lookup.facts.now_ms = call->registry->clock->now_ms;
    sky_lookup_fresh(call->registry, &call->lookup);
}

/* How the request is written, whatever it asks for. */
static void judge_request(struct call *call)
{
    sky_judge_kept(&call->judge, sky_door_rule(SKY_RULE_DOOR_HTTP_REQUEST));
    sky_judge_rule(&call->judge, sky_door_rule(SKY_RULE_DOOR_HTTP_HOST), call->host_fault == NULL,
                   "%s", call->host_fault != NULL ? call->host_fault : " ");
}

static void answer_nowhere(struct call *call, struct answer *ret)
{
    judge_request(call);
    sky_judge_broken(&call->judge, sky_door_rule(SKY_RULE_DOOR_HTTP_PATH),
                     "no cloud serves %.*s %.*s", SKY_SPAN_ARGS(call->request->method),
                     SKY_SPAN_ARGS(sky_span_head(call->request->path, 100)));
    ret->status = 404;
    sky_buf_add_str(&ret->body, "{\"code\":404,\"message\":\"no such path\"}");
    conclude(call, SKY_CAUSE_SHAPE, NULL, ret);
}

/* The registry could not be read: nothing is known of the device, for or against it. */
static void answer_failure(struct call *call, struct answer *ret)
{
    ret->status = call->row->failure.status;
    sky_buf_add_str(&ret->body, call->row->failure.body);
    call->refusal.failed = true;
    conclude(call, SKY_CAUSE_NONE, NULL, ret);
}

static void answer_somewhere(struct call *call, struct sky_arena *arena, struct answer *ret)
{
    struct sky_http_answer answer = {.status = 200};
    look_up(call, arena);
    ret->held =
        call->lookup.product.id != 0 && sky_registry_holds(call->registry, call->lookup.product.id);
    if (ret->held)
        return;
    if (call->lookup.failed) {
        answer_failure(call, ret);
        return;
    }
    sky_door_judge(call->request->door, &call->judge);
    judge_request(call);
    sky_judge_kept(&call->judge, sky_door_rule(SKY_RULE_DOOR_HTTP_PATH));
    call->row->answer(call->request, &call->lookup.facts, &call->judge, call->effects, &answer);
    ret->status = answer.status;
    sky_buf_add(&ret->body, answer.body);
    explain(call, answer.cause);
    conclude(call, answer.cause, &answer, ret);
}

static void open_call(struct call *call, struct sky_calls *calls,
                      const struct sky_http_request *request, uint32_t connection,
                      struct sky_effects *effects)
{
    *call = (struct call){.broker = calls->broker,
                          .registry = calls->broker->registry,
                          .request = request,
                          .connection = connection,
                          .effects = effects};
    sky_judge_init(&call->judge, &call->registry->policy);
    sky_effects_init(effects);
}

/* Judges one call and lets its effects happen. `ret->body` is appended to. */
static void answer_call(const struct sky_http_call *http, const struct sky_http_request *request,
                        struct answer *ret)
{
    struct call call;
    struct sky_arena arena;
    struct sky_effects effects;
    open_call(&call, http->owner, request, http->conn->id, &effects);
    call.host_fault = http->head.host_fault;
    find_row(&call);
    ret->row = call.row;
    if (call.row == NULL) {
        answer_nowhere(&call, ret);
    } else {
        sky_arena_init(&arena);
        answer_somewhere(&call, &arena, ret);
        ret->product_id = call.lookup.product.id;
        sky_arena_done(&arena);
    }
    sky_effects_done(&effects);
}

/* What the cloud has to say of a method it does not take: there is nothing else to look at. */
static void judge_method(struct call *call)
{
    struct sky_http_answer answer = {0};
    call->row->answer(call->request, &call->lookup.facts, &call->judge, call->effects, &answer);
}

/* ---- from and to the HTTP port ---- */

/* An answer that waits until what it promises is kept. */
struct sky_held_answer {
    struct sky_http_call *http;
    struct answer answer;
    struct sky_held_answer *prev, *next;
};

static void forget(struct sky_held_answer *held)
{
    sky_buf_done(&held->answer.body);
    free(held);
}

/* The header lines that go with a status: which method it would have been (RFC 9110 §15.5.6). */
static sky_span lines_of(const struct sky_http_row *row, int status, char out[ALLOW_MAX])
{
    if (row == NULL || status != 405)
        return SKY_SPAN_NONE;
    int len = snprintf(out, ALLOW_MAX, "Allow: %s\r\n", row->method);
    SKY_ASSERT(len > 0 && len < ALLOW_MAX);
    return sky_span_of(out, (size_t)len);
}

static void reply(struct sky_http_call *http, const struct answer *answer)
{
    char lines[ALLOW_MAX];
    const struct sky_http_reply reply = {.status = answer->status,
                                         .content_type = "application/json",
                                         .body = sky_buf_span(&answer->body),
                                         .extra = lines_of(answer->row, answer->status, lines)};
    http->device_id = answer->device_id;
    http->product_id = answer->product_id;
    http->of = answer->seq;
    http->serves = answer->row != NULL;
    sky_http_reply(http, &reply);
}

static void on_gone(struct sky_http_call *http)
{
    struct sky_held_answer *held = http->state;
    struct sky_calls *calls = http->owner;
    DL_DELETE(calls->held, held);
    forget(held);
}

static void hold(struct sky_http_call *http, const struct answer *answer)
{
    struct sky_held_answer *held = sky_mem_new(sizeof *held);
    *held = (struct sky_held_answer){.http = http, .answer = *answer};
    http->state = held;
    http->on_gone = on_gone;
    struct sky_calls *calls = http->owner;
    DL_APPEND(calls->held, held);
}

void sky_calls_settled(struct sky_calls *calls, bool kept)
{
    struct sky_held_answer *held;
    size_t count;
    /* An answer may let a client's next request in, whose answer waits for the next time. */
    DL_COUNT(calls->held, held, count);
    while (count-- > 0 && calls->held != NULL) {
        held = calls->held;
        DL_DELETE(calls->held, held);
        if (!kept)
            fail(calls->broker->registry->journal, &held->answer);
        reply(held->http, &held->answer);
        forget(held);
    }
}

static uint16_t advertised_port(const struct sky_net *net)
{
    const unsigned wanted = SKY_LISTEN_MQTT | SKY_LISTEN_CLEAR;
    for (size_t i = 0; i < net->listener_count; i++) {
        const struct sky_listener *listener = &net->listeners[i];
        if (listener->open && (listener->row->allows & wanted) == wanted)
            return listener->port;
    }
    return 0;
}

static void ask(const struct sky_http_call *http, struct answer *ret)
{
    struct sky_calls *calls = http->owner;
    struct sky_door door = *http->conn->door;
    char address[64];
    sky_span host = sky_http_host_name(http->head.host), type = SKY_SPAN_NONE;
    sky_http_head_header(http->head.headers, "Content-Type", &type);
    if (door.server_name.len == 0)
        door.server_name = host;
    if (calls->advertise_host != NULL)
        host = sky_span_str(calls->advertise_host);
    else if (host.len == 0 || host.len > ADVERTISED_HOST_MAX)
        host = sky_conn_local(http->conn, address, sizeof address);
    const struct sky_http_request request = {.door = &door,
                                             .method = http->head.method,
                                             .path = http->head.path,
                                             .content_type = type,
                                             .body = http->body,
                                             .headers = http->head.headers,
                                             .advertise_host = host,
                                             .advertise_port = advertised_port(calls->net)};
    sky_buf_init(&ret->body, SKY_HTTP_DEVICE_BODY_MAX);
    answer_call(http, &request, ret);
}

/* What came of a body is judged, so that the device is told what it did wrong; nobody hears the
 * answer. */
static void on_cut_short(void *owner, const struct sky_http_call *http)
{
    struct answer unheard = {.status = 500};
    (void)owner;
    ask(http, &unheard);
    sky_buf_done(&unheard.body);
}

/* A call of a device that may not come in yet: it is asked again. */
struct held_call {
    struct sky_http_call *http;
    struct sky_timer again;
};

static void on_call(void *owner, struct sky_http_call *http);

static void on_held_gone(struct sky_http_call *http)
{
    struct held_call *held = http->state;
    const struct sky_calls *calls = http->owner;
    sky_clock_forgive(calls->broker->registry->clock, &held->again);
    free(held);
}

static void on_again(struct sky_timer *timer, int64_t now_ms)
{
    struct held_call *held = SKY_CONTAINER_OF(timer, struct held_call, again);
    struct sky_http_call *http = held->http;
    struct sky_registry *registry = ((struct sky_calls *)http->owner)->broker->registry;
    (void)now_ms;
    if (!sky_registry_lets_in(registry)) {
        sky_clock_patience(registry->clock, timer, HELD_MS, on_again);
        return;
    }
    http->state = NULL;
    http->on_gone = NULL;
    free(held);
    on_call(http->owner, http);
}

static void wait_outside(struct sky_http_call *http)
{
    struct held_call *held = sky_mem_new(sizeof *held);
    *held = (struct held_call){.http = http};
    http->state = held;
    http->on_gone = on_held_gone;
    sky_clock_patience(((struct sky_calls *)http->owner)->broker->registry->clock, &held->again,
                       HELD_MS, on_again);
}

static void on_call(void *owner, struct sky_http_call *http)
{
    struct sky_calls *calls = owner;
    struct answer answer = {.status = 500};
    if (sky_download_take(calls->broker, http))
        return;
    ask(http, &answer);
    if (answer.held) {
        sky_buf_done(&answer.body);
        wait_outside(http);
        return;
    }
    if (answer.failure != NULL) {
        hold(http, &answer);
        return;
    }
    reply(http, &answer);
    sky_buf_done(&answer.body);
}

/* That the method is not the path's is told before anything else, with the cloud's own rule. */
static void on_refused(void *owner, struct sky_conn *conn, const struct sky_http_head *head,
                       const char *reason, struct sky_http_reply *reply, struct sky_buf *body)
{
    static char lines[ALLOW_MAX]; /* used before the next one is written */
    const struct sky_http_request request = {
        .door = conn->door, .method = head->method, .path = head->path};
    bool wants_room = reply->status == 503; /* which is here, and so nobody's mistake */
    struct call call;
    struct sky_effects effects;
    open_call(&call, owner, &request, conn->id, &effects);
    find_row(&call);
    if (!head->upgrades && !wants_room && call.row != NULL &&
        !sky_span_eq_str(head->method, call.row->method)) {
        reply->status = 405;
        reply->extra = lines_of(call.row, 405, lines);
        reason = "the method is not taken here";
        judge_method(&call);
    } else if (!wants_room) {
        enum sky_door_rule rule =
            head->upgrades ? SKY_RULE_DOOR_WEBSOCKET : SKY_RULE_DOOR_HTTP_REQUEST;
        sky_judge_broken(&call.judge, sky_door_rule(rule), "%s", reason);
    }
    record(&call, reply->status, true);
    sky_effects_done(&effects);
    sky_buf_addf(body, "{\"code\":%d,\"message\":\"%s\"}", reply->status, reason);
}

static const char *on_upgrade(void *owner, struct sky_conn *conn, const struct sky_http_head *head,
                              sky_span bytes, struct sky_http_reply *ret_reply)
{
    const struct sky_calls *calls = owner;
    return sky_ws_upgrade(calls->ws, conn, head, bytes, ret_reply);
}

struct sky_http_handler sky_calls_handler(struct sky_calls *calls)
{
    return (struct sky_http_handler){.body_max = SKY_HTTP_DEVICE_BODY_MAX,
                                     .take = on_call,
                                     .cut_short = on_cut_short,
                                     .refused = on_refused,
                                     .upgrade = on_upgrade,
                                     .owner = calls};
}
