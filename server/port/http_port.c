#include "server/port/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/port/http_private.h"
#include "server/registry/rules.h"

/* ---- the link's life ---- */

static struct sky_http *http_of(const struct sky_conn *conn)
{
    return SKY_CONTAINER_OF(conn->port, struct sky_http, port);
}

static const struct sky_http_handler *handler_of(const struct sky_conn *conn)
{
    return &http_of(conn)->handlers[sky_http__is_admin(conn)];
}

/* NULL when there are too many. */
static struct sky_http__link *link_open(struct sky_conn *conn)
{
    struct sky_http *http = http_of(conn);
    if (http->counts[sky_http__is_admin(conn)] >= SKY_HTTP_CONNS_MAX)
        return NULL;
    struct sky_http__link *link = sky_mem_new(sizeof *link);
    *link = (struct sky_http__link){.http = http, .conn = conn, .handler = handler_of(conn)};
    sky_buf_init(&link->body, link->handler->body_max);
    sky_buf_init(&link->answer, SKY_HTTP__ANSWER_HEAD_MAX + SKY_HTTP_ANSWER_MAX);
    DL_APPEND(http->links, link);
    http->counts[sky_http__is_admin(conn)]++;
    return link;
}

/* The handler, if it has the call, must forget it. */
static void link_close(struct sky_http__link *link)
{
    bool taking = link->stage == STAGE_BODY && link->call.on_body != NULL;
    if ((link->in_hands || link->complete || taking) && link->call.on_gone != NULL)
        link->call.on_gone(&link->call);
    if (link->queues)
        DL_DELETE2(link->http->ready, link, prev_ready, next_ready);
    DL_DELETE(link->http->links, link);
    link->http->counts[sky_http__is_admin(link->conn)]--;
    sky_http__weigh(link, 0);
    sky_clock_forgive(link->http->net->clock, &link->later);
    free(link->head_bytes);
    sky_buf_done(&link->body);
    sky_buf_done(&link->answer);
    sky_buf_done(&link->body_next);
    sky_conn_keeps(link->conn, 0);
    free(link);
}

static enum sky_http__stage stage_of(const struct sky_conn *conn)
{
    const struct sky_http__link *link = conn->state;
    return link ? link->stage : STAGE_HEAD;
}

/* A request begun and not finished is told of; a kept connection that nobody uses just ends. */
void sky_http__on_patience_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn;
    if (sky_conn_is_unheard(conn)) {
        sky_clock_patience(conn->net->clock, timer, SKY_CONN_EXCUSE_MS, sky_http__on_patience_over);
        return;
    }
    bool begun = conn->work->in.len > 0 || stage_of(conn) == STAGE_BODY;
    if (begun && conn->work->touched == 0) /* else it may wait for what a fault keeps from it */
        sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_SLOW), sky_buf_span(&conn->work->in),
                         "the request is not complete in time");
    sky_conn_close(conn, "no request in time");
}

/* ---- to devices: through the one exit ---- */

/* A whole answer, written at once: to devices, whose answers are short. */
static void send_whole(struct sky_conn *conn, const struct sky_http_response *answer)
{
    struct sky_http *http = http_of(conn);
    if (sky_http__is_admin(conn)) {
        (void)sky_http_put(sky_conn_out(conn), answer, http->net->clock->real_ms);
        return;
    }
    struct sky_out out;
    sky_out_begin(&out, SKY_POINT_HTTP_ANSWER, conn);
    out.as.http = *answer;
    (void)sky_wire_send(http->wire, &out);
}

static void send_continue(struct sky_conn *conn)
{
    struct sky_out out;
    sky_out_begin(&out, SKY_POINT_HTTP_ANSWER, conn);
    out.is_raw = out.decided = true; /* no fault wants what is no answer yet */
    out.fate = (struct sky_fate){.name = NULL};
    out.as.raw = SKY_SPAN("HTTP/1.1 100 Continue\r\n\r\n");
    if (sky_http__is_admin(conn))
        sky_conn_write(conn, out.as.raw);
    else
        (void)sky_wire_send(http_of(conn)->wire, &out);
}

/* ---- requests ---- */

/* A request that no handler gets: it is answered, and the connection ends once the client has had
 * the time to read that. Whatever was answered before has been passed on by then, for requests are
 * taken one at a time. */
static size_t refuse(struct sky_conn *conn, const struct sky_http_head *head,
                     struct sky_http_reply reply, const char *reason, size_t used)
{
    struct sky_http__link *link = conn->state;
    struct sky_buf body;
    sky_buf_init(&body, SKY_HTTP_REFUSAL_MAX);
    reply.content_type = "application/json";
    const struct sky_http_handler *handler = handler_of(conn);
    handler->refused(handler->owner, conn, head, reason, &reply, &body);
    SKY_ASSERT(!body.overflow);
    reply.body = sky_buf_span(&body);
    reply.no_sniff = handler->no_sniff;
    send_whole(conn, &(const struct sky_http_response){
                         .reply = reply, .method = head->method, .path = head->path});
    sky_buf_done(&body);
    if (link != NULL)
        link->stage = STAGE_REFUSED;
    if (sky_wire_holds(http_of(conn)->wire, conn)) /* it is still to come */
        sky_conn_patience(conn, SKY_HTTP_IDLE_MS, sky_http__on_patience_over);
    else
        sky_conn_close_gently(conn, "the request was refused");
    return used;
}

static uint64_t body_max(const struct sky_http__link *link)
{
    return link->call.on_body != NULL ? SKY_HTTP_TAKEN_MAX : link->handler->body_max;
}

/* False: the body is too long. */
static bool begin_request(struct sky_http__link *link, const struct sky_http_head *begins)
{
    struct sky_conn *conn = link->conn;
    link->call =
        (struct sky_http_call){.owner = link->handler->owner, .conn = conn, .head = *begins};
    struct sky_http_head *head = &link->call.head;
    sky_http_body_begin(&link->reading, head);
    link->turn = conn->net->turn;
    link->bodiless =
        sky_span_starts(head->method, SKY_SPAN("P")) && !head->chunked && head->body_len == 0;
    link->stage = head->chunked || head->body_len > 0 ? STAGE_BODY : STAGE_ANSWER;
    link->complete = link->stage == STAGE_ANSWER;
    link->entered = false;
    link->taken = 0;
    if (link->stage == STAGE_BODY && link->handler->begin != NULL)
        link->handler->begin(link->handler->owner, &link->call);
    sky_conn_patience(conn, SKY_HTTP_BODY_MS, sky_http__on_patience_over);
    if (head->body_len > body_max(link))
        return false;
    if (link->stage == STAGE_BODY && head->expects_continue)
        send_continue(conn);
    return true;
}

_Static_assert(SKY_HTTP_CONNS_MAX == 1024, "as its refusal says");

/* May this head begin a request? 0, or the status to refuse it with. */
static int judge_head(struct sky_conn *conn, const struct sky_http_head *head,
                      const char **ret_reason)
{
    const struct sky_http_handler *handler = handler_of(conn);
    int status = 0;
    if (handler->by_the_book && head->host_fault != NULL) {
        *ret_reason = head->host_fault;
        status = 400;
    } else if (!handler->by_the_book && head->chunked) {
        *ret_reason = "a chunked body is not taken, send Content-Length";
        status = 411;
    } else if (conn->state == NULL && (conn->state = link_open(conn)) == NULL) {
        *ret_reason = "as many speak HTTP already as may at a time, 1024; close connections";
        status = 503;
    }
    return status;
}

/* The connection speaks another protocol from here on, unless there is something against it. */
static size_t upgrade(struct sky_conn *conn, const struct sky_http_head *head, sky_span bytes,
                      size_t in_len)
{
    const struct sky_http_handler *handler = handler_of(conn);
    struct sky_http_reply reply = {.status = 400};
    if (conn->state != NULL)
        link_close(conn->state);
    conn->state = NULL;
    const char *reason = handler->upgrade(handler->owner, conn, head, bytes, &reply);
    return reason == NULL ? bytes.len : refuse(conn, head, reply, reason, in_len);
}

static size_t refuse_body(struct sky_http__link *link, size_t used)
{
    struct sky_http_call *call = &link->call;
    char reason[96];
    snprintf(reason, sizeof reason, "the request's body is too long: at most %llu bytes are taken",
             (unsigned long long)body_max(link));
    if (call->on_body != NULL && call->on_gone != NULL)
        call->on_gone(call);
    return refuse(link->conn, &call->head, (struct sky_http_reply){.status = 413}, reason, used);
}

/* `bytes` is the head at the front of `in`, copied, for a call keeps views of it; empty: there is
 * too much of it. Who begins a request takes it over. */
static size_t take_copied_head(struct sky_conn *conn, sky_span in, char **bytes, size_t len)
{
    struct sky_http_head head = {0};
    _Static_assert(SKY_HTTP_HEAD_MAX == 8192, "as its refusal says");
    const char *reason = "the request line and its headers are longer than 8192 bytes";
    struct sky_http__link *link = conn->state;
    int status = len == 0 ? sky_http_head_excess(sky_span_head(in, SKY_HTTP_HEAD_MAX))
                          : sky_http_head_parse(sky_span_of(*bytes, len), &head, &reason);
    if (status != 0 && link != NULL && link->bodiless && head.path.len == 0)
        reason = "what follows is no request; the one before announced no body, and lacks "
                 "Content-Length if it has one";
    if (status == 0 && head.upgrades && handler_of(conn)->upgrade != NULL)
        return upgrade(conn, &head, sky_span_head(in, len), in.len);
    if (status == 0)
        status = judge_head(conn, &head, &reason);
    if (status != 0)
        return refuse(conn, &head, (struct sky_http_reply){.status = status}, reason, in.len);
    link = conn->state;
    free(link->head_bytes);
    link->head_bytes = *bytes;
    *bytes = NULL;
    return begin_request(link, &head) ? len : refuse_body(link, in.len);
}

static size_t take_head(struct sky_conn *conn, sky_span in)
{
    size_t len = sky_http_head_len(sky_span_head(in, SKY_HTTP_HEAD_MAX));
    if (len == 0 && in.len < SKY_HTTP_HEAD_MAX)
        return 0;
    char *bytes = len > 0 ? sky_mem_dup(in.ptr, len) : NULL;
    size_t used = take_copied_head(conn, in, &bytes, len);
    free(bytes);
    return used;
}

static size_t take_body(struct sky_http__link *link, sky_span in)
{
    struct sky_http_call *call = &link->call;
    size_t used;
    if (call->on_body != NULL)
        in = sky_span_head(in, SKY_HTTP__CHUNK);
    enum sky_http_body_result result = sky_http_body_feed(&link->reading, in, &used, &link->body);
    if (call->on_body != NULL) {
        link->taken += link->body.len;
        call->on_body(call, sky_buf_span(&link->body));
        sky_buf_clear(&link->body);
        sky_conn_patience(link->conn, SKY_HTTP_BODY_MS, sky_http__on_patience_over);
        if (link->taken > SKY_HTTP_TAKEN_MAX)
            result = SKY_HTTP_BODY_TOO_LONG;
    }
    switch (result) {
    case SKY_HTTP_BODY_MORE:
        return used;
    case SKY_HTTP_BODY_DONE:
        link->stage = STAGE_ANSWER;
        link->complete = true;
        return used;
    case SKY_HTTP_BODY_TOO_LONG:
        return refuse_body(link, in.len);
    case SKY_HTTP_BODY_BAD:
        break;
    }
    if (call->on_body != NULL && call->on_gone != NULL)
        call->on_gone(call);
    return refuse(link->conn, &call->head, (struct sky_http_reply){.status = 400},
                  "the body is not made of chunks", in.len);
}

static void on_next_turn(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    sky_conn_offer(SKY_CONTAINER_OF(timer, struct sky_http__link, later)->conn);
}

/* One request of a connection in a turn of the loop: who sends many ahead does not hold up others.
 * True: the next one has to wait. */
static bool had_its_turn(const struct sky_conn *conn)
{
    struct sky_http__link *link = conn->state;
    if (link == NULL || link->turn != conn->net->turn)
        return false;
    sky_clock_patience(conn->net->clock, &link->later, SKY_HTTP__NEXT_TURN_MS, on_next_turn);
    return true;
}

static size_t take(struct sky_conn *conn, sky_span in)
{
    size_t blank;
    if (in.len == 0)
        return 0;
    switch (stage_of(conn)) {
    case STAGE_HEAD:
        blank = sky_http_head_blank(in);
        if (blank > 0)
            return blank;
        return had_its_turn(conn) ? 0 : take_head(conn, in);
    case STAGE_BODY:
        return take_body(conn->state, in);
    default:
        return 0;
    }
}

static void move(struct sky_http__link *link);

/* One request at a time: while an answer is due the rest waits. */
static size_t on_bytes(struct sky_conn *conn, sky_span in)
{
    const struct sky_port *port = conn->port;
    size_t used = 0, step;
    do {
        step = take(conn, sky_span_tail(in, used));
        used += step;
        if (conn->port != port)
            return used; /* whose state it is now */
        if (step > 0 && stage_of(conn) == STAGE_ANSWER)
            move(conn->state);
    } while (step > 0 && !conn->closing);
    if (!conn->closing && in.len - used > SKY_HTTP_PIPELINED_MAX)
        sky_conn_hold(conn, true);
    return used;
}

void sky_http__go_on(struct sky_conn *conn)
{
    if (conn->state == NULL || conn->closing)
        return;
    move(conn->state);
    if (stage_of(conn) == STAGE_HEAD)
        sky_conn_offer(conn);
}

static void on_close(struct sky_conn *conn)
{
    struct sky_http__link *link = conn->state;
    sky_conn_forgive(conn);
    sky_wire_forget(http_of(conn)->wire, conn);
    if (link != NULL && link->stage == STAGE_BODY && link->handler->cut_short != NULL) {
        link->call.body = sky_buf_span(&link->body);
        link->handler->cut_short(link->handler->owner, &link->call);
    }
    conn->state = NULL;
    if (link != NULL)
        link_close(link);
    if (conn->work->pending.outgrown)
        sky_conn_left(conn);
}

static void hand_out(struct sky_http__link *link)
{
    SKY_ASSERT(link->stage == STAGE_ANSWER && link->complete && !link->in_hands);
    sky_conn_forgive(link->conn);
    link->call.body = sky_buf_span(&link->body);
    link->complete = false;
    link->in_hands = true;
    link->handler->take(link->handler->owner, &link->call);
}

/* A call that was delayed. */
static void hand_out_late(void *owner, sky_span bytes)
{
    struct sky_conn *conn = owner;
    struct sky_http__link *link = conn->state;
    (void)bytes;
    if (link == NULL || conn->closing || !link->complete)
        return;
    hand_out(link);
    sky_http__go_on(conn);
}

/* A device's call enters as its packets do; one that is withheld is never answered. */
static bool may_enter(struct sky_http__link *link)
{
    struct sky_wire *wire = link->http->wire;
    if (sky_http__is_admin(link->conn) || !sky_wire_is_armed(wire, SKY_POINT_HTTP_CALL))
        return true;
    const struct sky_in in = {.point = SKY_POINT_HTTP_CALL,
                              .head = sky_conn_event(link->conn, SKY_EVENT_NOTE, SKY_UP),
                              .bytes = sky_buf_span(&link->body),
                              .path = link->call.head.path,
                              .from = {.conn = link->conn},
                              .again = hand_out_late};
    if (link->entered)
        return false; /* and waits, or was withheld */
    link->entered = true;
    return sky_wire_enter(wire, &in);
}

/* Whatever can move does: the request to its handler, the answer, if there is one, to the peer. */
static void move(struct sky_http__link *link)
{
    SKY_ASSERT(!link->moving);
    link->moving = true;
    if (link->complete && may_enter(link))
        hand_out(link);
    sky_http__send_answer(link);
    link->moving = false;
    sky_http__book(link);
}

/* ---- the whole ---- */

struct sky_http *sky_http_open(struct sky_net *net, struct sky_wire *wire,
                               const struct sky_http_handler *devices,
                               const struct sky_http_handler *admin)
{
    struct sky_http *http = sky_mem_new(sizeof *http);
    *http = (struct sky_http){
        .port = {.on_bytes = on_bytes, .on_drained = sky_http__go_on, .on_close = on_close},
        .net = net,
        .wire = wire,
        .handlers = {*devices, *admin}};
    return http;
}

void sky_http_close(struct sky_http *http)
{
    SKY_ASSERT(http == NULL || http->links == NULL); /* they went with their connections */
    if (http != NULL)
        sky_clock_forgive(http->net->clock, &http->turn);
    free(http);
}

struct sky_port *sky_http_port(struct sky_http *http)
{
    return &http->port;
}

size_t sky_http_count(const struct sky_http *http)
{
    return http->counts[false] + http->counts[true];
}
