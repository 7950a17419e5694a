/* Answers on their way to the client: whole ones, streams and downloads, and what faults make of
 * them. */
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/net/bend.h"
#include "server/port/http_private.h"
#include "server/registry/rules.h"

enum {
    SMALL_ANSWER = 64 * 1024, /* answers of up to this are given whatever waits */
    TURN_SIZE = SKY_HTTP_TURN_PIECES * SKY_HTTP_PIECE,
};

static void on_turn(struct sky_timer *timer, int64_t now_ms);

static void begin_answer(struct sky_http__link *link)
{
    SKY_ASSERT(link->in_hands && !link->answering);
    link->answering = true;
    link->answer_sent = 0;
}

/* The answer goes out, and the next request may come. */
static void go_on(struct sky_http__link *link)
{
    if (!link->moving)
        sky_http__go_on(link->conn);
}

static struct sky_http__link *link_of(struct sky_http_call *call)
{
    return SKY_CONTAINER_OF(call, struct sky_http__link, call);
}

static void on_delay_over(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_http__link *link = SKY_CONTAINER_OF(timer, struct sky_conn, alarm)->state;
    (void)now_ms;
    link->late = false;
    go_on(link);
}

/* Asks what becomes of the answer to a device's call. True: a fault has its hands on it, and the
 * link sends it as that has it, which no other answer of the connection overtakes. */
static bool meets_fault(struct sky_http__link *link, struct sky_out *out,
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
static void begin_fate(struct sky_http__link *link, uint64_t total)
{
    struct sky_conn *conn = link->conn;
    struct sky_fate *fate = &link->fate;
    if (fate->corrupt_anywhere && fate->corrupt > 0)
        fate->corrupt_at = (size_t)(fate->chance % total);
    if (fate->withhold) {
        sky_conn_patience(conn, SKY_HTTP_IDLE_MS, sky_http__on_patience_over);
        sky_conn_suffer(conn, fate);
    } else if (fate->delay_ms > 0) {
        sky_clock_timer(conn->net->clock, &conn->alarm, fate->delay_ms, on_delay_over);
    }
    if (fate->drip_bytes_per_s > 0 && !conn->closing)
        sky_conn_drip(conn, fate->drip_bytes_per_s);
}

/* Writes the next bytes of the answer, as the fault has it. */
static void write_piece(struct sky_http__link *link, sky_span piece)
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

static const struct sky_http_reply busy = {
    .status = 503,
    .content_type = "application/json",
    .body = SKY_SPAN("{\"error\":{\"code\":\"busy\",\"message\":\"too many answers wait to be "
                     "read\",\"pointer\":\"\"}}"),
    .line_end = true};

void sky_http__book(const struct sky_http__link *link)
{
    sky_conn_keeps(link->conn, link->answer.room + link->body_next.room + link->prepared);
}

static bool is_too_much(const struct sky_http__link *link, size_t len)
{
    return len > SMALL_ANSWER && link->http->waiting + len > SKY_HTTP_ANSWERS_MAX;
}

bool sky_http_prepare(struct sky_http_call *call, size_t bytes)
{
    struct sky_http__link *link = link_of(call);
    if (call->on_answer != NULL)
        return true;
    sky_http__weigh(link, 0);
    if (!link->streaming && is_too_much(link, bytes)) {
        sky_http_reply(call, &busy);
        return false;
    }
    link->prepared = bytes;
    sky_http__weigh(link, bytes);
    sky_http__book(link);
    return true;
}

static void reply_to_peer(struct sky_http__link *link, const struct sky_http_reply *reply,
                          struct sky_buf *given)
{
    const struct sky_http_head *head = &link->call.head;
    struct sky_http_response answer = {.reply = *reply,
                                       .keep_alive = head->keep_alive,
                                       .head_only = sky_span_eq(head->method, SKY_SPAN("HEAD"))};
    int64_t now_ms = link->http->net->clock->real_ms;
    answer.reply.no_sniff = link->handler->no_sniff;
    struct sky_out out = {.as.http = answer};
    if (!sky_http__is_admin(link->conn)) {
        if (!meets_fault(link, &out, &answer)) {
            (void)sky_wire_send(link->http->wire, &out);
            return;
        }
        for (unsigned i = 0; i <= out.fate.copies; i++)
            (void)sky_http_put(&link->answer, &out.as.http, now_ms);
        begin_fate(link, link->answer.len);
        return;
    }
    if (given != NULL && !answer.head_only) {
        if (reply->line_end)
            sky_buf_add_byte(given, '\n');
        answer.reply.line_end = false;
        answer.reply.body = sky_buf_span(given);
        sky_http_put_head(&link->answer, &answer.reply, true, answer.keep_alive, now_ms);
        link->body_next = *given;
        sky_buf_init(given, given->max);
    } else {
        bool put = sky_http_put(&link->answer, &answer, now_ms);
        SKY_ASSERT(put);
    }
    sky_http__weigh(link, link->answer.len + link->body_next.len);
}

/* `given`: the reply's body, which the link may take; NULL: it may not. */
static void reply_with(struct sky_http_call *call, const struct sky_http_reply *reply,
                       struct sky_buf *given)
{
    struct sky_http__link *link = link_of(call);
    if (call->on_answer != NULL) {
        call->on_answer(call, reply);
        return;
    }
    link->prepared = 0;
    sky_http__weigh(link, 0);
    begin_answer(link);
    if (is_too_much(link, reply->body.len))
        reply_to_peer(link, &busy, NULL);
    else
        reply_to_peer(link, reply, given);
    link->in_hands = false;
    go_on(link);
}

void sky_http_reply(struct sky_http_call *call, const struct sky_http_reply *reply)
{
    reply_with(call, reply, NULL);
}

void sky_http_give(struct sky_http_call *call, const struct sky_http_reply *reply,
                   struct sky_buf *body)
{
    SKY_ASSERT(reply->body.ptr == body->bytes && reply->body.len == body->len);
    reply_with(call, reply, body->len > SMALL_ANSWER ? body : NULL);
}

void sky_http_stream(struct sky_http_call *call, const char *content_type)
{
    const struct sky_http_reply reply = {.status = 200,
                                         .content_type = content_type,
                                         .no_sniff = link_of(call)->handler->no_sniff,
                                         .extra = SKY_SPAN("Cache-Control: no-cache\r\n")};
    struct sky_http__link *link = link_of(call);
    begin_answer(link);
    sky_http_put_head(&link->answer, &reply, false, false, link->http->net->clock->real_ms);
    link->streaming = true;
    call->head.keep_alive = false;
    go_on(link);
}

void sky_http_send(struct sky_http_call *call, const struct sky_http_reply *reply, uint64_t length)
{
    struct sky_http__link *link = link_of(call);
    struct sky_http_reply sized = *reply;
    bool has_body = !sky_span_eq(call->head.method, SKY_SPAN("HEAD"));
    struct sky_out out;
    sized.no_sniff = link->handler->no_sniff;
    SKY_ASSERT(length > 0);
    if (!has_body) { /* there is nothing to ask for */
        call->on_sent(call);
        call->on_gone = NULL;
    }
    begin_answer(link);
    const struct sky_http_response answer = {
        .reply = sized, .keep_alive = call->head.keep_alive, .head_only = !has_body};
    bool faulty = !sky_http__is_admin(link->conn) && meets_fault(link, &out, &answer);
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
    struct sky_http__link *link = link_of(call);
    link->in_hands = false;
    link->prepared = 0;
    sky_http__weigh(link, 0);
    go_on(link);
}

static void finish_exchange(struct sky_http__link *link)
{
    struct sky_conn *conn = link->conn;
    sky_buf_done(&link->body);
    sky_buf_done(&link->answer);
    sky_buf_done(&link->body_next);
    sky_http__weigh(link, 0);
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
    sky_conn_patience(conn, SKY_HTTP_IDLE_MS, sky_http__on_patience_over);
    sky_conn_hold(conn, false);
}

/* A download's next piece is there, or cannot be read. */
static void count_down(struct sky_http__link *link)
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
static sky_span next_piece(struct sky_http__link *link)
{
    if (link->answer_sent == link->answer.len && link->body_next.len > 0) {
        size_t max = link->answer.max;
        sky_buf_done(&link->answer);
        link->answer = link->body_next;
        link->answer.max = max;
        sky_buf_init(&link->body_next, 0);
        link->answer_sent = 0;
    } else if (link->streaming && link->in_hands && link->answer_sent == link->answer.len) {
        sky_buf_done(&link->answer);
        link->answer_sent = 0;
        link->call.on_room(&link->call, &link->answer);
        SKY_ASSERT(!link->answer.overflow);
        if (link->paced)
            count_down(link);
    }
    return sky_span_head(sky_span_tail(sky_buf_span(&link->answer), link->answer_sent),
                         SKY_HTTP__CHUNK);
}

static void on_unread(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn;
    if (conn->work->bend != NULL) { /* it may be a fault that gives it so little */
        sky_clock_patience(conn->net->clock, timer, SKY_HTTP_UNREAD_MS, on_unread);
        return;
    }
    sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL), SKY_SPAN_NONE,
                     "the answer is not read");
    sky_conn_close(conn, "the answer is not read");
}

static void follow_turn(struct sky_http *http)
{
    if (http->turn_of != http->net->turn)
        http->turn_sent = 0;
    http->turn_of = http->net->turn;
}

/* Long answers take turns, so that together they take no more of one than others can spare: what is
 * written has to be encrypted, and copied. False: the link waits for its turn. */
static bool may_send(struct sky_http__link *link)
{
    struct sky_http *http = link->http;
    follow_turn(http);
    bool may = link->its_turn || (http->ready == NULL && http->turn_sent < TURN_SIZE);
    link->its_turn = false;
    if (may || link->queues)
        return may;
    link->queues = true;
    DL_APPEND2(http->ready, link, prev_ready, next_ready);
    if (!sky_timer_is_set(&http->turn))
        sky_clock_patience(http->net->clock, &http->turn, SKY_HTTP__NEXT_TURN_MS, on_turn);
    return false;
}

/* A download is asked for its next piece when that may be sent; what others have to say is there,
 * or takes its time from somebody else. Whatever is short goes at once. */
static bool send_piece(struct sky_http__link *link)
{
    if (link->paced && !may_send(link))
        return false;
    sky_span piece = next_piece(link);
    if (piece.len == 0) {
        if (!link->in_hands)
            finish_exchange(link);
        return false;
    }
    bool is_short =
        !link->streaming && link->body_next.len == 0 && link->answer.len <= SMALL_ANSWER;
    if (!link->paced && !is_short && !may_send(link))
        return false;
    link->http->turn_sent += piece.len;
    write_piece(link, piece);
    link->answer_sent += piece.len;
    return true;
}

/* The rest is kept until what was sent has been taken. */
void sky_http__send_answer(struct sky_http__link *link)
{
    struct sky_conn *conn = link->conn;
    if (link->late)
        return;
    if (link->answering && conn->work->sending.len == 0)
        sky_conn_forgive(conn); /* it reads */
    while (link->answering && conn->work->sending.len == 0 && !conn->closing && send_piece(link))
        continue;
    bool waits = link->queues || conn->work->sending.len > 0;
    if (link->answering && waits && !conn->closing && !sky_timer_is_set(&conn->work->patience))
        sky_conn_patience(conn, SKY_HTTP_UNREAD_MS, on_unread);
}

static void on_turn(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_http *http = SKY_CONTAINER_OF(timer, struct sky_http, turn);
    struct sky_http__link *link;
    follow_turn(http);
    for (size_t begun = http->turn_sent;
         (link = http->ready) != NULL && http->turn_sent - begun < TURN_SIZE;) {
        DL_DELETE2(http->ready, link, prev_ready, next_ready);
        link->queues = false;
        link->its_turn =
            link->conn->work->sending.len == 0; /* else it is back when that has drained */
        sky_http__go_on(link->conn);
        link->its_turn = false;
    }
    if (http->ready != NULL)
        sky_clock_patience(http->net->clock, &http->turn, SKY_HTTP__NEXT_TURN_MS, on_turn);
}
