#include "server/port/http.h"

#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/http/body.h"
#include "server/net/bend.h"
#include "server/registry/rules.h"
#include "server/wire/wire.h"

/* What a connection is waiting for. */
enum stage {
    STAGE_HEAD,   /* a request's head */
    STAGE_BODY,   /* the rest of its body */
    STAGE_ANSWER, /* the answer; later requests wait in the connection's input */
    STAGE_REFUSED,
};

/* One connection that has sent a head, and its present request. */
struct link {
    struct sky_http *http;
    struct sky_conn *conn;
    const struct sky_http_handler *handler;
    enum stage stage;
    char *head_bytes; /* owned: the present request's head */
    struct sky_http_body reading;
    struct sky_buf body;
    struct sky_http_call call;
    bool complete;  /* the request is whole, and the handler has not seen it yet */
    bool entered;   /* it has been at the entry */
    bool in_hands;  /* the handler has the call */
    bool moving;    /* move() is at work */
    bool answering; /* there is an answer to send, or a stream's next piece to ask for */
    bool streaming;
    bool paced;           /* it is a download: pieces are sent when its turn has come, */
    bool its_turn;        /* which it has */
    bool queues;          /* for that */
    uint64_t to_ask;      /* bytes of a download that on_room was not asked for yet */
    uint64_t taken;       /* bytes of the body that the handler took as they came */
    bool bodiless;        /* a request before announced no body that might have one */
    struct sky_fate fate; /* what a fault makes of the answer; zeroed: nothing */
    uint64_t passed;      /* bytes of such an answer that have gone */
    bool late;            /* it waits, or never comes */
    struct sky_buf answer;
    size_t answer_sent; /* bytes of it that the connection has taken */
    size_t weight;      /* of the answer, among those that wait to be read */
    uint32_t turn;      /* of the loop, in which the present request was taken */
    struct sky_timer later;
    struct link *prev, *next;
    struct link *prev_ready, *next_ready; /* among the downloads that wait for their turn */
};

struct sky_http {
    struct sky_port port;
    struct sky_net *net; /* borrowed, as the next */
    struct sky_wire *wire;
    struct sky_http_handler handlers[2]; /* of devices, and of the API */
    struct link *links;
    struct link *ready; /* downloads that have something to send, the longest waiting first */
    struct sky_timer turn;
    size_t counts[2]; /* connections of each */
    size_t waiting;   /* bytes of answers that wait to be read */
};

enum {
    ANSWER_HEAD_MAX = 4096,
    WRITE_CHUNK = SKY_HTTP_PIECE,
    NEXT_TURN_MS = 1,
    SMALL_ANSWER = 64 * 1024, /* answers of up to this are given whatever waits */
};

/* ---- the link's life ---- */

static bool is_admin(const struct sky_conn *conn)
{
    return (conn->door.listener->allows & SKY_LISTEN_ADMIN) != 0;
}

static struct sky_http *http_of(const struct sky_conn *conn)
{
    return SKY_CONTAINER_OF(conn->port, struct sky_http, port);
}

static const struct sky_http_handler *handler_of(const struct sky_conn *conn)
{
    return &http_of(conn)->handlers[is_admin(conn)];
}

static void weigh(struct link *link, size_t weight)
{
    link->http->waiting += weight - link->weight;
    link->weight = weight;
}

/* NULL when there are too many. */
static struct link *link_open(struct sky_conn *conn)
{
    struct sky_http *http = http_of(conn);
    if (http->counts[is_admin(conn)] >= SKY_HTTP_CONNS_MAX)
        return NULL;
    struct link *link = sky_mem_new(sizeof *link);
    *link = (struct link){.http = http, .conn = conn, .handler = handler_of(conn)};
    sky_buf_init(&link->body, link->handler->body_max);
    sky_buf_init(&link->answer, ANSWER_HEAD_MAX + SKY_HTTP_ANSWER_MAX);
    DL_APPEND(http->links, link);
    http->counts[is_admin(conn)]++;
    return link;
}

/* The handler, if it has the call, must forget it. */
static void link_close(struct link *link)
{
    bool taking = link->stage == STAGE_BODY && link->call.on_body != NULL;
    if ((link->in_hands || link->complete || taking) && link->call.on_gone != NULL)
        link->call.on_gone(&link->call);
    if (link->queues)
        DL_DELETE2(link->http->ready, link, prev_ready, next_ready);
    DL_DELETE(link->http->links, link);
    link->http->counts[is_admin(link->conn)]--;
    weigh(link, 0);
    sky_clock_forgive(link->http->net->clock, &link->later);
    free(link->head_bytes);
    sky_buf_done(&link->body);
    sky_buf_done(&link->answer);
    free(link);
}

static enum stage stage_of(const struct sky_conn *conn)
{
    const struct link *link = conn->state;
    return link ? link->stage : STAGE_HEAD;
}

/* A request begun and not finished is told of; a kept connection that nobody uses just ends. */
static void on_patience_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn, patience);
    bool begun = conn->in.len > 0 || stage_of(conn) == STAGE_BODY;
    if (begun && conn->touched == 0) /* else it may wait for what a fault keeps from it */
        sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_SLOW), sky_buf_span(&conn->in),
                         "the request is not complete in time");
    sky_conn_close(conn, "no request in time");
}

/* ---- to devices: through the one exit ---- */

/* A whole answer, written at once: to devices, whose answers are short. */
static void send_whole(struct sky_conn *conn, const struct sky_http_response *answer)
{
    struct sky_http *http = http_of(conn);
    if (is_admin(conn)) {
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
    if (is_admin(conn))
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
    struct link *link = conn->state;
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
        sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_IDLE_MS, on_patience_over);
    else
        sky_conn_close_gently(conn, "the request was refused");
    return used;
}

/* Keeps the head, whose views the call needs. False: the body is too long. */
static bool begin_request(struct link *link, sky_span bytes)
{
    struct sky_conn *conn = link->conn;
    const char *reason;
    free(link->head_bytes);
    link->head_bytes = sky_mem_dup(bytes.ptr, bytes.len);
    link->call = (struct sky_http_call){.owner = link->handler->owner, .conn = conn};
    struct sky_http_head *head = &link->call.head;
    int status = sky_http_head_parse(sky_span_of(link->head_bytes, bytes.len), head, &reason);
    SKY_ASSERT(status == 0);
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
    uint64_t body_max = link->call.on_body != NULL ? SKY_HTTP_TAKEN_MAX : link->handler->body_max;
    sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_BODY_MS, on_patience_over);
    if (head->body_len > body_max)
        return false;
    if (link->stage == STAGE_BODY && head->expects_continue)
        send_continue(conn);
    return true;
}

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
        *ret_reason = "too many connections";
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

static size_t refuse_body(struct link *link, size_t used)
{
    struct sky_http_call *call = &link->call;
    if (call->on_body != NULL && call->on_gone != NULL)
        call->on_gone(call);
    return refuse(link->conn, &call->head, (struct sky_http_reply){.status = 413},
                  "the request's body is too long", used);
}

static size_t take_head(struct sky_conn *conn, sky_span in)
{
    struct sky_http_head head = {0};
    const char *reason = "the request's head is too long";
    const struct link *link = conn->state;
    size_t len = sky_http_head_len(sky_span_head(in, SKY_HTTP_HEAD_MAX));
    if (len == 0 && in.len < SKY_HTTP_HEAD_MAX)
        return 0;
    int status = len == 0 ? sky_http_head_excess(sky_span_head(in, SKY_HTTP_HEAD_MAX))
                          : sky_http_head_parse(sky_span_head(in, len), &head, &reason);
    if (status != 0 && link != NULL && link->bodiless && head.path.len == 0)
        reason = "what follows is no request; the one before announced no body, and lacks "
                 "Content-Length if it has one";
    if (status == 0 && head.upgrades && handler_of(conn)->upgrade != NULL)
        return upgrade(conn, &head, sky_span_head(in, len), in.len);
    if (status == 0)
        status = judge_head(conn, &head, &reason);
    if (status != 0)
        return refuse(conn, &head, (struct sky_http_reply){.status = status}, reason, in.len);
    if (!begin_request(conn->state, sky_span_head(in, len)))
        return refuse_body(conn->state, in.len);
    return len;
}

static size_t take_body(struct link *link, sky_span in)
{
    struct sky_http_call *call = &link->call;
    size_t used;
    if (call->on_body != NULL)
        in = sky_span_head(in, WRITE_CHUNK);
    enum sky_http_body_result result = sky_http_body_feed(&link->reading, in, &used, &link->body);
    if (call->on_body != NULL) {
        link->taken += link->body.len;
        call->on_body(call, sky_buf_span(&link->body));
        sky_buf_clear(&link->body);
        sky_clock_patience(link->http->net->clock, &link->conn->patience, SKY_HTTP_BODY_MS,
                           on_patience_over);
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
    sky_conn_offer(SKY_CONTAINER_OF(timer, struct link, later)->conn);
}

/* One request of a connection in a turn of the loop: who sends many ahead does not hold up others.
 * True: the next one has to wait. */
static bool had_its_turn(const struct sky_conn *conn)
{
    struct link *link = conn->state;
    if (link == NULL || link->turn != conn->net->turn)
        return false;
    sky_clock_patience(conn->net->clock, &link->later, NEXT_TURN_MS, on_next_turn);
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

static void move(struct link *link);
static void on_downloads_turn(struct sky_timer *timer, int64_t now_ms);

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

static void on_drained(struct sky_conn *conn)
{
    if (conn->state == NULL || conn->closing)
        return;
    move(conn->state);
    if (stage_of(conn) == STAGE_HEAD)
        sky_conn_offer(conn);
}

static void on_close(struct sky_conn *conn)
{
    struct link *link = conn->state;
    sky_clock_forgive(conn->net->clock, &conn->patience);
    sky_wire_forget(http_of(conn)->wire, conn);
    if (link != NULL && link->stage == STAGE_BODY && link->handler->cut_short != NULL) {
        link->call.body = sky_buf_span(&link->body);
        link->handler->cut_short(link->handler->owner, &link->call);
    }
    conn->state = NULL;
    if (link != NULL)
        link_close(link);
}

/* ---- answers ---- */

static void begin_answer(struct link *link)
{
    SKY_ASSERT(link->in_hands && !link->answering);
    link->answering = true;
    link->answer_sent = 0;
}

/* The answer goes out, and the next request may come. */
static void go_on(struct link *link)
{
    if (!link->moving)
        on_drained(link->conn);
}

static struct link *link_of(struct sky_http_call *call)
{
    return SKY_CONTAINER_OF(call, struct link, call);
}

static void on_delay_over(struct sky_timer *timer, int64_t now_ms)
{
    struct link *link = SKY_CONTAINER_OF(timer, struct sky_conn, alarm)->state;
    (void)now_ms;
    link->late = false;
    go_on(link);
}

/* Asks what becomes of the answer to a device's call. True: a fault has its hands on it, and the
 * link sends it as that has it, which no other answer of the connection overtakes. */
static bool meets_fault(struct link *link, struct sky_out *out,
                        const struct sky_http_response *answer)
{
    struct sky_conn *conn = link->conn;
    sky_out_begin(out, SKY_POINT_HTTP_ANSWER, conn);
    out->as.http = *answer;
    out->as.http.method = link->call.head.method;
    out->as.http.path = link->call.head.path;
    out->head.device_id = link->call.device_id;
    out->product_id = link->call.product_id;
    out->of = link->call.of;
    out->is_reply = link->call.serves;
    if (!sky_wire_asks(link->http->wire, out))
        return false;
    sky_wire_decide(link->http->wire, out);
    link->fate = out->fate;
    link->passed = 0;
    link->late = out->fate.name != NULL && (out->fate.withhold || out->fate.delay_ms > 0);
    return out->fate.name != NULL;
}

/* What the fault does besides to an answer of so many bytes, which is in link->answer or to come.
 */
static void begin_fate(struct link *link, uint64_t total)
{
    struct sky_conn *conn = link->conn;
    struct sky_fate *fate = &link->fate;
    if (fate->corrupt_anywhere && fate->corrupt > 0)
        fate->corrupt_at = (size_t)(fate->chance % total);
    if (fate->withhold) {
        sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_IDLE_MS, on_patience_over);
        sky_conn_suffer(conn, fate);
    } else if (fate->delay_ms > 0) {
        sky_clock_timer(conn->net->clock, &conn->alarm, fate->delay_ms, on_delay_over);
    }
    if (fate->drip_bytes_per_s > 0 && !conn->closing)
        sky_conn_drip(conn, fate->drip_bytes_per_s);
}

/* Writes the next bytes of the answer, as the fault has it. */
static void write_piece(struct link *link, sky_span piece)
{
    struct sky_conn *conn = link->conn;
    const struct sky_fate *fate = &link->fate;
    if (fate->cut)
        piece = sky_span_head(piece, (size_t)(fate->cut_at - link->passed));
    struct sky_buf *out = sky_conn_out(conn);
    size_t before = out->len;
    sky_buf_add(out, piece);
    sky_bend_flip(out, before, link->passed, fate->corrupt_at, fate->corrupt);
    link->passed += piece.len;
    if (fate->cut && link->passed >= fate->cut_at)
        sky_conn_suffer(conn, fate);
}

void sky_http_reply(struct sky_http_call *call, const struct sky_http_reply *reply)
{
    static const struct sky_http_reply busy = {
        .status = 503,
        .content_type = "application/json",
        .body = SKY_SPAN("{\"error\":{\"code\":\"busy\",\"message\":\"too many answers wait to be "
                         "read\",\"pointer\":\"\"}}"),
        .line_end = true};
    struct link *link = link_of(call);
    if (call->on_answer != NULL) {
        call->on_answer(call, reply);
        return;
    }
    if (reply->body.len > SMALL_ANSWER &&
        link->http->waiting + reply->body.len > SKY_HTTP_ANSWERS_MAX)
        reply = &busy;
    begin_answer(link);
    struct sky_http_response answer = {.reply = *reply,
                                       .keep_alive = call->head.keep_alive,
                                       .head_only =
                                           sky_span_eq(call->head.method, SKY_SPAN("HEAD"))};
    answer.reply.no_sniff = link->handler->no_sniff;
    struct sky_out out = {.as.http = answer};
    if (is_admin(link->conn)) {
        bool put = sky_http_put(&link->answer, &answer, link->http->net->clock->real_ms);
        SKY_ASSERT(put);
        weigh(link, link->answer.len);
    } else if (meets_fault(link, &out, &answer)) {
        for (unsigned i = 0; i <= out.fate.copies; i++)
            (void)sky_http_put(&link->answer, &out.as.http, link->http->net->clock->real_ms);
        begin_fate(link, link->answer.len);
    } else {
        (void)sky_wire_send(link->http->wire, &out);
    }
    link->in_hands = false;
    go_on(link);
}

void sky_http_stream(struct sky_http_call *call, const char *content_type)
{
    const struct sky_http_reply reply = {.status = 200,
                                         .content_type = content_type,
                                         .no_sniff = link_of(call)->handler->no_sniff,
                                         .extra = SKY_SPAN("Cache-Control: no-cache\r\n")};
    struct link *link = link_of(call);
    begin_answer(link);
    sky_http_put_head(&link->answer, &reply, false, false, link->http->net->clock->real_ms);
    link->streaming = true;
    call->head.keep_alive = false;
    go_on(link);
}

void sky_http_send(struct sky_http_call *call, const struct sky_http_reply *reply, uint64_t length)
{
    struct link *link = link_of(call);
    struct sky_http_reply sized = *reply;
    bool has_body = !sky_span_eq(call->head.method, SKY_SPAN("HEAD"));
    struct sky_out out;
    sized.no_sniff = link->handler->no_sniff;
    SKY_ASSERT(length > 0);
    begin_answer(link);
    const struct sky_http_response answer = {
        .reply = sized, .keep_alive = call->head.keep_alive, .head_only = !has_body};
    bool faulty = !is_admin(link->conn) && meets_fault(link, &out, &answer);
    if (faulty)
        sized = out.as.http.reply;
    if (sized.body.len > 0) { /* in place of what was to be downloaded */
        (void)sky_http_put(&link->answer, &out.as.http, link->http->net->clock->real_ms);
        if (has_body && call->on_gone != NULL)
            call->on_gone(call);
        has_body = false;
    } else {
        sized.body = sky_span_of(NULL, (size_t)length); /* of which only the length is told */
        sky_http_put_head(&link->answer, &sized, true, call->head.keep_alive,
                          link->http->net->clock->real_ms);
        link->to_ask = length;
    }
    link->streaming = link->paced = link->in_hands = has_body;
    if (faulty)
        begin_fate(link, link->answer.len + (has_body ? length : 0));
    go_on(link);
}

void sky_http_stream_wake(struct sky_http_call *call)
{
    go_on(link_of(call));
}

void sky_http_stream_end(struct sky_http_call *call)
{
    struct link *link = link_of(call);
    link->in_hands = false;
    go_on(link);
}

static void finish_exchange(struct link *link)
{
    struct sky_conn *conn = link->conn;
    sky_buf_done(&link->body);
    sky_buf_done(&link->answer);
    weigh(link, 0);
    link->answering = link->streaming = link->paced = false;
    if (!link->fate.cut && !conn->closing)
        sky_conn_suffer(
            conn, &(const struct sky_fate){.then = link->fate.then, .fault = link->fate.fault});
    link->fate = (struct sky_fate){.name = NULL};
    if (conn->closing)
        return;
    if (!link->call.head.keep_alive) {
        sky_conn_close(conn, "the client wanted one answer only");
        return;
    }
    link->stage = STAGE_HEAD;
    sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_IDLE_MS, on_patience_over);
    sky_conn_hold(conn, false);
}

/* A download's next piece is there, or cannot be read. */
static void count_down(struct link *link)
{
    size_t len = link->answer.len;
    SKY_ASSERT(len <= link->to_ask);
    link->to_ask -= len;
    if (len == 0) {
        sky_conn_close(link->conn, "what is downloaded could not be read");
    } else if (link->to_ask == 0) {
        link->in_hands = false;
        if (link->call.on_sent != NULL)
            link->call.on_sent(&link->call);
    }
}

/* The next piece of the answer, after asking a stream's handler for more. Empty: there is none. */
static sky_span next_piece(struct link *link)
{
    if (link->streaming && link->in_hands && link->answer_sent == link->answer.len) {
        sky_buf_done(&link->answer);
        link->answer_sent = 0;
        link->call.on_room(&link->call, &link->answer);
        SKY_ASSERT(!link->answer.overflow);
        if (link->paced)
            count_down(link);
    }
    return sky_span_head(sky_span_tail(sky_buf_span(&link->answer), link->answer_sent),
                         WRITE_CHUNK);
}

static void on_unread(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn, patience);
    if (conn->bend != NULL) { /* it may be a fault that gives it so little */
        sky_clock_patience(conn->net->clock, timer, SKY_HTTP_UNREAD_MS, on_unread);
        return;
    }
    sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL), SKY_SPAN_NONE,
                     "the answer is not read");
    sky_conn_close(conn, "the answer is not read");
}

/* Downloads take turns, so that together they take no more of one than others can spare: what is
 * written has to be encrypted, and copied. */
static bool may_send(struct link *link)
{
    struct sky_http *http = link->http;
    bool may = !link->paced || link->its_turn;
    link->its_turn = false;
    if (may || link->queues)
        return may;
    link->queues = true;
    DL_APPEND2(http->ready, link, prev_ready, next_ready);
    if (!sky_timer_is_set(&http->turn))
        sky_clock_patience(http->net->clock, &http->turn, NEXT_TURN_MS, on_downloads_turn);
    return false;
}

/* As much as the connection takes; the rest is kept until that has drained. */
static void send_answer(struct link *link)
{
    struct sky_conn *conn = link->conn;
    if (link->late)
        return;
    if (link->answering && conn->sending.len == 0)
        sky_clock_forgive(conn->net->clock, &conn->patience); /* it reads */
    while (link->answering && conn->sending.len == 0 && !conn->closing && may_send(link)) {
        sky_span piece = next_piece(link);
        if (piece.len == 0) {
            if (!link->in_hands)
                finish_exchange(link);
            return;
        }
        write_piece(link, piece);
        link->answer_sent += piece.len;
    }
    if (link->answering && !conn->closing && !sky_timer_is_set(&conn->patience))
        sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_UNREAD_MS, on_unread);
}

static void on_downloads_turn(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_http *http = SKY_CONTAINER_OF(timer, struct sky_http, turn);
    struct link *link, *last = http->ready != NULL ? http->ready->prev_ready : NULL;
    size_t pieces = 0;
    do {
        link = http->ready;
        if (link == NULL)
            return;
        DL_DELETE2(http->ready, link, prev_ready, next_ready);
        link->queues = false;
        link->its_turn = link->conn->sending.len == 0; /* else it is back when that has drained */
        pieces += link->its_turn;
        on_drained(link->conn);
    } while (link != last && pieces < SKY_HTTP_TURN_PIECES);
    if (http->ready != NULL)
        sky_clock_patience(http->net->clock, &http->turn, NEXT_TURN_MS, on_downloads_turn);
}

static void hand_out(struct link *link)
{
    SKY_ASSERT(link->stage == STAGE_ANSWER && link->complete && !link->in_hands);
    sky_clock_forgive(link->http->net->clock, &link->conn->patience);
    link->call.body = sky_buf_span(&link->body);
    link->complete = false;
    link->in_hands = true;
    link->handler->take(link->handler->owner, &link->call);
}

/* A call that was delayed. */
static void hand_out_late(void *owner, sky_span bytes)
{
    struct sky_conn *conn = owner;
    struct link *link = conn->state;
    (void)bytes;
    if (link == NULL || conn->closing || !link->complete)
        return;
    hand_out(link);
    go_on(link);
}

/* A device's call enters as its packets do; one that is withheld is never answered. */
static bool may_enter(struct link *link)
{
    struct sky_wire *wire = link->http->wire;
    if (is_admin(link->conn) || !sky_wire_is_armed(wire, SKY_POINT_HTTP_CALL))
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
static void move(struct link *link)
{
    SKY_ASSERT(!link->moving);
    link->moving = true;
    if (link->complete && may_enter(link))
        hand_out(link);
    send_answer(link);
    link->moving = false;
}

/* ---- the whole ---- */

struct sky_http *sky_http_open(struct sky_net *net, struct sky_wire *wire,
                               const struct sky_http_handler *devices,
                               const struct sky_http_handler *admin)
{
    struct sky_http *http = sky_mem_new(sizeof *http);
    *http = (struct sky_http){
        .port = {.on_bytes = on_bytes, .on_drained = on_drained, .on_close = on_close},
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
