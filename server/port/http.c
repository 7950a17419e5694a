#include "server/port/http.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/registry/rules.h"

/* What a connection is waiting for. */
enum stage {
    STAGE_HEAD,   /* a request's head */
    STAGE_BODY,   /* the rest of its body */
    STAGE_ANSWER, /* the answer; later requests wait in the connection's input */
    STAGE_REFUSED,
};

/* One connection and its socket pair: we at one end, libwebsockets at the other. Neither end is
 * ever waited for: whatever goes in at one end is taken out at the other at once, by move(). */
struct link {
    struct sky_http *http;
    struct sky_conn *conn;
    struct lws *wsi; /* NULL: gone */
    int fd, wsi_fd;  /* our end; its end, which it owns */
    enum stage stage;
    size_t body_left;
    char *head_bytes;       /* owned: the present request's head */
    struct sky_buf request; /* bytes for libwebsockets */
    size_t request_sent;
    struct sky_buf body;
    bool complete; /* libwebsockets has the whole request */
    struct sky_http_call call;
    bool in_hands; /* the handler has the call */
    bool moving;   /* move() is at work */
    bool streaming;
    struct sky_buf answer; /* LWS_PRE bytes, then what libwebsockets is to send */
    size_t answer_sent;
    size_t in_pair; /* bytes of it that are on their way through the pair */
    size_t weight;  /* of the answer, among those that wait to be read */
    uint32_t turn;  /* of the loop, in which the present request was taken */
    struct sky_timer later;
    struct link *prev, *next;
};

struct sky_http {
    struct sky_port port;
    struct sky_net *net;                 /* borrowed */
    struct sky_http_handler handlers[2]; /* of devices' calls, and of the API's */
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct link *links;
    size_t counts[2];             /* connections of devices, and of the API */
    size_t waiting;               /* bytes of answers that wait to be read */
    char room[SKY_NET_READ_SIZE]; /* for what comes out of a pair */
};

enum {
    REQUEST_MAX = SKY_HTTP_HEAD_MAX + SKY_HTTP_ADMIN_BODY_MAX,
    ANSWER_HEAD_MAX = 4096,
    WRITE_CHUNK = 64 * 1024,
    LWS_PATIENCE_S = 24 * 3600, /* the port's own limits come first */
    /* Above the highest descriptor there can be: the library serves none beyond this, and devices
     * hold most of those below. */
    FD_MAX = SKY_CONNS_MAX + 4 * SKY_HTTP_CONNS_MAX + 1024,
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

/* The handler, if it has the call, must forget it. */
static void take_back(struct link *link)
{
    if (!link->in_hands)
        return;
    link->in_hands = false;
    if (link->call.on_gone != NULL)
        link->call.on_gone(&link->call);
}

/* Makes the pair. NULL when there are too many, or no descriptors left. */
static struct link *link_open(struct sky_conn *conn)
{
    struct sky_http *http = http_of(conn);
    int pair[2];
    if (http->counts[is_admin(conn)] >= SKY_HTTP_CONNS_MAX ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return NULL;
    struct link *link = sky_mem_new(sizeof *link);
    *link = (struct link){.http = http, .conn = conn, .fd = pair[0], .wsi_fd = pair[1]};
    sky_buf_init(&link->request, REQUEST_MAX);
    sky_buf_init(&link->body, SKY_HTTP_ADMIN_BODY_MAX);
    sky_buf_init(&link->answer, LWS_PRE + ANSWER_HEAD_MAX + SKY_HTTP_ANSWER_MAX);
    DL_APPEND(http->links, link);
    http->counts[is_admin(conn)]++;
    link->wsi = lws_adopt_socket_vhost(http->vhost, pair[1]); /* closes it when it fails */
    if (link->wsi != NULL)
        lws_set_opaque_user_data(link->wsi, link);
    return link;
}

static void link_close(struct link *link)
{
    take_back(link);
    if (link->wsi != NULL) {
        lws_set_opaque_user_data(link->wsi, NULL);
        lws_set_timeout(link->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
    }
    close(link->fd);
    DL_DELETE(link->http->links, link);
    link->http->counts[is_admin(link->conn)]--;
    weigh(link, 0);
    sky_clock_forgive(link->http->net->clock, &link->later);
    free(link->head_bytes);
    sky_buf_done(&link->request);
    sky_buf_done(&link->body);
    sky_buf_done(&link->answer);
    free(link);
}

/* ---- between the peer and the pair ---- */

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
    if (conn->in.len > 0 || stage_of(conn) == STAGE_BODY)
        sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_SLOW), sky_buf_span(&conn->in),
                         "the request is not complete in time");
    sky_conn_close(conn, "no request in time");
}

/* Lets libwebsockets read what is in the pair, or go on with its output. */
static void let_lws(struct link *link, short events)
{
    struct lws_pollfd ready = {.fd = link->wsi_fd, .events = events, .revents = events};
    if (link->wsi != NULL)
        lws_service_fd(link->http->context, &ready);
    if (link->wsi == NULL)
        sky_conn_close(link->conn, "libwebsockets ended the exchange");
}

/* libwebsockets reads a buffer full at a time. */
static void feed(struct link *link)
{
    size_t before;
    do {
        before = link->body.len;
        let_lws(link, POLLIN);
    } while (!link->complete && link->body.len > before && !link->conn->closing);
}

/* Moves bytes of the request through the pair. */
static void pass_request(struct link *link)
{
    while (link->request.len > 0 && !link->conn->closing) {
        sky_span rest = sky_span_tail(sky_buf_span(&link->request), link->request_sent);
        ssize_t sent = send(link->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (sent < 0) {
            sky_conn_close(link->conn, "the request could not be handed on");
            return;
        }
        link->request_sent += (size_t)sent;
        if (link->request_sent == link->request.len) {
            sky_buf_done(&link->request);
            link->request_sent = 0;
        }
        feed(link);
    }
}

/* Moves bytes of the answer through the pair. */
static void pass_answer(struct link *link)
{
    while (link->in_pair > 0 && !link->conn->closing) {
        ssize_t got = recv(link->fd, link->http->room, sizeof link->http->room, 0);
        if (got <= 0) {
            sky_conn_close(link->conn, "the answer could not be handed on");
            return;
        }
        link->in_pair -= (size_t)got;
        sky_conn_write(link->conn, sky_span_of(link->http->room, (size_t)got));
        if (link->in_pair > 0)
            let_lws(link, POLLOUT); /* it keeps what the pair had no room for */
    }
}

static void finish_exchange(struct link *link)
{
    struct sky_conn *conn = link->conn;
    sky_buf_done(&link->body);
    sky_buf_done(&link->answer);
    weigh(link, 0);
    if (!link->call.head.keep_alive || lws_http_transaction_completed(link->wsi)) {
        sky_conn_close(conn, "the client wanted one answer only");
        return;
    }
    let_lws(link, POLLOUT); /* or else it takes no further request */
    link->stage = STAGE_HEAD;
    sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_IDLE_MS, on_patience_over);
    sky_conn_hold(conn, false);
}

/* ---- requests ---- */

/* A request that libwebsockets never sees: answered by hand, and the connection ends. Whatever was
 * answered before has been passed on by then, for requests are taken one at a time. */
static size_t refuse(struct sky_conn *conn, const struct sky_http_head *head, int status,
                     const char *reason, size_t used)
{
    struct link *link = conn->state;
    struct sky_buf *out = sky_conn_out(conn);
    char body[256];
    const struct sky_http_handler *handler = handler_of(conn);
    if (handler->refused != NULL)
        status = handler->refused(handler->owner, conn, head->method, head->path, status, &reason);
    int len = is_admin(conn)
                  ? snprintf(body, sizeof body,
                             "{\"error\":{\"code\":\"http\",\"message\":\"%s\",\"pointer\":\"\"}}",
                             reason)
                  : snprintf(body, sizeof body, "{\"code\":%d,\"message\":\"%s\"}", status, reason);
    SKY_ASSERT(len > 0 && (size_t)len < sizeof body);
    sky_buf_addf(out,
                 "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                 "Connection: close\r\n\r\n%s",
                 status, sky_http_phrase(status), len, body);
    if (link != NULL)
        link->stage = STAGE_REFUSED;
    sky_conn_close(conn, "the request was refused");
    return used;
}

/* What libwebsockets is told of a request: what it must know to read the body and to answer. The
 * rest is left out, for it keeps only the headers it knows, corrects paths, and follows upgrades.
 */
static void forward_head(struct link *link)
{
    const struct sky_http_head *head = &link->call.head;
    sky_buf_addf(&link->request, "%.*s / HTTP/1.1\r\nHost: skymock\r\nContent-Length: %zu\r\n\r\n",
                 SKY_SPAN_ARGS(head->method), (size_t)head->body_len);
}

/* Keeps the head, whose views the call needs, and hands the request on. */
static void begin_request(struct link *link, sky_span bytes)
{
    struct sky_conn *conn = link->conn;
    const char *reason;
    free(link->head_bytes);
    link->head_bytes = sky_mem_dup(bytes.ptr, bytes.len);
    link->call = (struct sky_http_call){.owner = handler_of(conn)->owner, .conn = conn};
    int status =
        sky_http_head_parse(sky_span_of(link->head_bytes, bytes.len), &link->call.head, &reason);
    SKY_ASSERT(status == 0);
    forward_head(link);
    link->body_left = (size_t)link->call.head.body_len;
    link->turn = conn->net->turn;
    link->stage = link->body_left > 0 ? STAGE_BODY : STAGE_ANSWER;
    if (link->stage == STAGE_BODY && link->call.head.expects_continue)
        sky_conn_write(conn, SKY_SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
    sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_BODY_MS, on_patience_over);
}

static size_t take_head(struct sky_conn *conn, sky_span in)
{
    struct sky_http_head head = {0};
    const char *reason;
    size_t len = sky_http_head_len(sky_span_head(in, SKY_HTTP_HEAD_MAX));
    if (len == 0 && in.len < SKY_HTTP_HEAD_MAX)
        return 0;
    if (len == 0)
        return refuse(conn, &head, 431, "the request's head is too long", in.len);
    int status = sky_http_head_parse(sky_span_head(in, len), &head, &reason);
    if (status != 0)
        return refuse(conn, &head, status, reason, in.len);
    size_t body_max = is_admin(conn) ? SKY_HTTP_ADMIN_BODY_MAX : SKY_HTTP_DEVICE_BODY_MAX;
    if (head.body_len > body_max)
        return refuse(conn, &head, 413, "the request's body is too long", in.len);
    if (conn->state == NULL)
        conn->state = link_open(conn);
    if (conn->state == NULL)
        return refuse(conn, &head, 503, "too many connections", in.len);
    begin_request(conn->state, sky_span_head(in, len));
    return len;
}

static size_t take_body(struct link *link, sky_span in)
{
    sky_span piece = sky_span_head(in, link->body_left);
    sky_buf_add(&link->request, piece);
    link->body_left -= piece.len;
    if (link->body_left == 0)
        link->stage = STAGE_ANSWER;
    return piece.len;
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
    if (in.len == 0)
        return 0;
    switch (stage_of(conn)) {
    case STAGE_HEAD:
        return had_its_turn(conn) ? 0 : take_head(conn, in);
    case STAGE_BODY:
        return take_body(conn->state, in);
    default:
        return 0;
    }
}

static void move(struct link *link);

/* One request at a time: while an answer is due the rest waits. */
static size_t on_bytes(struct sky_conn *conn, sky_span in)
{
    size_t used = 0, step;
    do {
        step = take(conn, sky_span_tail(in, used));
        used += step;
        if (step > 0 && stage_of(conn) == STAGE_ANSWER)
            move(conn->state);
    } while (step > 0 && !conn->closing);
    if (conn->closing)
        return used;
    if (stage_of(conn) == STAGE_BODY)
        move(conn->state);
    else if (in.len - used > SKY_HTTP_PIPELINED_MAX)
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
    const struct sky_http_handler *handler = handler_of(conn);
    if (link != NULL && link->stage == STAGE_BODY && handler->cut_short != NULL) {
        link->call.body = sky_buf_span(&link->body);
        handler->cut_short(handler->owner, &link->call);
    }
    conn->state = NULL;
    if (link != NULL)
        link_close(link);
}

/* ---- answers ---- */

static void begin_answer(struct link *link)
{
    SKY_ASSERT(link->in_hands && link->answer.len == 0);
    static const char front[LWS_PRE];
    sky_buf_add(&link->answer, sky_span_of(front, LWS_PRE)); /* the library may write there */
    link->answer_sent = LWS_PRE;
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

/* Some devices look for exactly "Content-Length: " and know no other spelling. */
static void write_answer(struct link *link, const struct sky_http_reply *reply)
{
    const struct sky_http_call *call = &link->call;
    struct sky_buf *out = &link->answer;
    begin_answer(link);
    sky_buf_addf(out, "HTTP/1.1 %d %s\r\n", reply->status, sky_http_phrase(reply->status));
    if (reply->content_type != NULL)
        sky_buf_addf(out, "Content-Type: %s\r\n", reply->content_type);
    sky_buf_addf(out, "Content-Length: %zu\r\nConnection: %s\r\n", reply->body.len,
                 call->head.keep_alive ? "keep-alive" : "close");
    sky_buf_add(out, reply->extra);
    sky_buf_add_str(out, "\r\n");
    if (!sky_span_eq(call->head.method, SKY_SPAN("HEAD")))
        sky_buf_add(out, reply->body);
    SKY_ASSERT(!out->overflow);
    weigh(link, out->len);
}

void sky_http_reply(struct sky_http_call *call, const struct sky_http_reply *reply)
{
    static const struct sky_http_reply busy = {
        .status = 503,
        .content_type = "application/json",
        .body = SKY_SPAN("{\"error\":{\"code\":\"busy\",\"message\":\"too many answers wait to be "
                         "read\",\"pointer\":\"\"}}")};
    struct link *link = link_of(call);
    bool much = reply->body.len > SMALL_ANSWER &&
                link->http->waiting + reply->body.len > SKY_HTTP_ANSWERS_MAX;
    write_answer(link, much ? &busy : reply);
    link->in_hands = false;
    go_on(link);
}

void sky_http_stream(struct sky_http_call *call, const char *content_type)
{
    struct link *link = link_of(call);
    begin_answer(link);
    sky_buf_addf(&link->answer,
                 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: no-cache\r\n"
                 "Connection: close\r\n\r\n",
                 content_type);
    link->streaming = true;
    call->head.keep_alive = false;
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

/* Asks a stream's handler for more. */
static void refill(struct link *link)
{
    sky_buf_done(&link->answer);
    begin_answer(link);
    link->call.on_room(&link->call, &link->answer);
    SKY_ASSERT(!link->answer.overflow);
}

/* Sends a piece of the answer through the pair. False: there is none. */
static bool write_piece(struct link *link)
{
    if (link->streaming && link->in_hands && link->answer_sent == link->answer.len)
        refill(link);
    size_t left = link->answer.len - link->answer_sent;
    if (left == 0)
        return false;
    size_t len = left < WRITE_CHUNK ? left : WRITE_CHUNK;
    unsigned char *at = (unsigned char *)link->answer.bytes + link->answer_sent;
    bool last = len == left && !link->streaming;
    if (lws_write(link->wsi, at, len, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
        sky_conn_close(link->conn, "libwebsockets could not answer");
        return false;
    }
    link->answer_sent += len;
    link->in_pair += len;
    pass_answer(link);
    return !link->conn->closing;
}

static void on_unread(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn, patience);
    sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL), SKY_SPAN_NONE,
                     "the answer is not read");
    sky_conn_close(conn, "the answer is not read");
}

static void send_answer(struct link *link)
{
    struct sky_conn *conn = link->conn;
    if (link->answer.len > 0 && conn->sending.len == 0)
        sky_clock_forgive(conn->net->clock, &conn->patience); /* it reads */
    while (link->answer.len > 0 && conn->sending.len == 0) {
        if (write_piece(link))
            continue;
        if (!link->in_hands && !conn->closing)
            finish_exchange(link);
        return;
    }
    if (link->answer.len > 0 && !sky_timer_is_set(&conn->patience))
        sky_clock_patience(conn->net->clock, &conn->patience, SKY_HTTP_UNREAD_MS, on_unread);
}

/* ---- handing calls out ---- */

static void hand_out(struct link *link)
{
    struct sky_conn *conn = link->conn;
    SKY_ASSERT(link->stage == STAGE_ANSWER && !link->in_hands);
    sky_clock_forgive(conn->net->clock, &conn->patience);
    lws_set_timeout(link->wsi, NO_PENDING_TIMEOUT, 0);
    link->call.body = sky_buf_span(&link->body);
    link->complete = false;
    link->in_hands = true;
    const struct sky_http_handler *handler = handler_of(conn);
    handler->take(handler->owner, &link->call);
}

/* Whatever can move does: the request to its handler, the answer, if there is one, to the peer. */
static void move(struct link *link)
{
    SKY_ASSERT(!link->moving);
    link->moving = true;
    pass_request(link);
    if (link->complete && !link->conn->closing)
        hand_out(link);
    if (!link->conn->closing)
        send_answer(link);
    link->moving = false;
}

/* ---- libwebsockets ---- */

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    (void)user;
    struct link *link = lws_get_opaque_user_data(wsi);
    if (link == NULL)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_WSI_DESTROY:
        link->wsi = NULL;
        return 0;
    case LWS_CALLBACK_HTTP:
        link->complete = link->call.head.body_len == 0;
        return 0;
    case LWS_CALLBACK_HTTP_BODY:
        return sky_buf_add(&link->body, sky_span_of(in, len)) ? 0 : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        link->complete = true;
        return 0;
    default:
        return 0;
    }
}

sky_err sky_http_open(struct sky_net *net, const struct sky_http_handler *devices,
                      const struct sky_http_handler *admin, struct sky_http **ret_http,
                      struct sky_why *why)
{
    static const struct lws_protocols protocols[] = {{.name = "http", .callback = on_lws}, {0}};
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .keepalive_timeout = LWS_PATIENCE_S,
        .timeout_secs = LWS_PATIENCE_S,
        .fd_limit_per_thread = FD_MAX,
        .pt_serv_buf_size = WRITE_CHUNK,
    };
    lws_set_log_level(0, NULL);
    struct sky_http *http = *ret_http = sky_mem_new(sizeof *http);
    http->port = (struct sky_port){
        .name = "http", .on_bytes = on_bytes, .on_drained = on_drained, .on_close = on_close};
    http->net = net;
    http->handlers[false] = *devices;
    http->handlers[true] = *admin;
    http->context = lws_create_context(&info);
    if (http->context != NULL)
        http->vhost = lws_create_vhost(http->context, &info);
    if (http->vhost == NULL)
        return sky_why_set(why, SKY_ERR_IO, "", "libwebsockets did not start");
    return SKY_OK;
}

void sky_http_close(struct sky_http *http)
{
    if (http == NULL)
        return;
    SKY_ASSERT(http->links == NULL); /* they went with their connections */
    if (http->context != NULL)
        lws_context_destroy(http->context);
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
