#include "server/port/ws.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/http/frames.h"
#include "server/net/listen.h"
#include "server/os/library.h"
#include "server/registry/rules.h"

enum {
    CHUNK = 16 * 1024,      /* bytes moved at a time; what a pair has room for */
    RX_SIZE = 4 * 1024,     /* bytes of payload that the library hands over at a time */
    SLACK = 64 * 1024,      /* what frames and control frames add to a connection's output */
    KEY_BYTES = 16,         /* of the client's nonce (RFC 6455 §4.1) */
    PATIENCE_S = 24 * 3600, /* the limits of the connection come first */
    /* Above the highest descriptor there can be: the library serves none beyond this, and devices
     * hold most of those below. */
    FD_MAX = SKY_CONNS_MAX + 2 * SKY_WS_CONNS_MAX + SKY_CONN_DRAINING_MAX + 1024,
};

/* What is called of the library, which is opened with the first upgrade. */
#define CALLS(CALL)                                                                                \
    CALL(lws_adopt_descriptor_vhost_via_info)                                                      \
    CALL(lws_context_destroy)                                                                      \
    CALL(lws_create_context)                                                                       \
    CALL(lws_create_vhost)                                                                         \
    CALL(lws_get_opaque_user_data)                                                                 \
    CALL(lws_partial_buffered)                                                                     \
    CALL(lws_service_fd)                                                                           \
    CALL(lws_set_log_level)                                                                        \
    CALL(lws_set_opaque_user_data)                                                                 \
    CALL(lws_set_timeout)                                                                          \
    CALL(lws_write)
static struct {
    CALLS(SKY_LIBRARY_POINTER)
} lib;

struct sky_ws {
    struct lws_context *context; /* NULL, and the next: nobody has asked yet */
    struct lws_vhost *vhost;
    struct sky_why why; /* it does not start */
    size_t count;
    unsigned char room[LWS_PRE + CHUNK]; /* for what moves through a pair */
};

/* One connection and its socket pair: we at one end, the library at the other. */
struct link {
    struct sky_ws *ws;
    struct sky_conn *conn;
    struct lws *wsi;       /* NULL: gone */
    int fd, wsi_fd;        /* our end; its end, which it owns */
    bool open;             /* the upgrade is answered */
    bool peer_ends;        /* the client has said goodbye */
    enum sky_ws_code code; /* to close with */
    struct sky_ws_frames frames;
    struct sky_buf clear; /* payload on its way to the port */
    struct sky_buf wire;  /* frames on their way to the client */
    char *host;           /* owned: what the request was for; the door refers to it */
};

/* ---- the pair ---- */

/* Lets the library read what is in the pair, or go on with its output. */
static void service(struct link *link, short events)
{
    struct lws_pollfd ready = {.fd = link->wsi_fd, .events = events, .revents = events};
    if (link->wsi != NULL)
        lib.lws_service_fd(link->ws->context, &ready);
}

/* The pair or the library failed: what was on its way is lost, and that is not the peer's doing. */
static void give_up(struct link *link)
{
    if (link->conn->closing)
        return;
    link->code = SKY_WS_INTERNAL_ERROR;
    sky_conn_close_gently(link->conn, "skymock could not carry the WebSocket any further");
}

/* Takes out what the library has put in. What it holds back for want of room follows at once. */
static void drain(struct link *link)
{
    bool held, failed;
    do {
        ssize_t got;
        while ((got = recv(link->fd, link->ws->room, CHUNK, 0)) > 0)
            sky_buf_add(&link->wire, sky_span_of(link->ws->room, (size_t)got));
        failed = got < 0 && errno != EAGAIN;
        held = link->wsi != NULL && lib.lws_partial_buffered(link->wsi);
        if (held && !failed)
            service(link, POLLOUT);
    } while (held && !failed && !link->wire.overflow);
    if (failed)
        give_up(link);
    if (link->wire.len > 0)
        sky_conn_touch(link->conn);
    sky_conn_refuse_backlog(link->conn, &link->wire);
}

static void read_all(struct link *link)
{
    int left = 0, before;
    do {
        before = left;
        service(link, POLLIN);
        left = 0;
        if (link->wsi != NULL)
            (void)ioctl(link->wsi_fd, FIONREAD, &left);
    } while (left > 0 && left != before);
}

static void feed(struct link *link, sky_span in)
{
    while (in.len > 0 && link->wsi != NULL) {
        ssize_t sent = send(link->fd, in.ptr, in.len < CHUNK ? in.len : CHUNK, MSG_NOSIGNAL);
        if (sent <= 0) {
            give_up(link);
            break;
        }
        in = sky_span_tail(in, (size_t)sent);
        read_all(link);
        drain(link);
    }
    service(link, POLLOUT); /* a pong, or goodbye */
    drain(link);
}

/* ---- the layer ---- */

static void refuse(struct link *link, enum sky_ws_code code, sky_span bytes, const char *what)
{
    link->code = code;
    sky_conn_refused(link->conn, sky_door_rule(SKY_RULE_DOOR_WEBSOCKET), bytes, what);
    sky_conn_close_gently(link->conn, "the peer broke the rules of WebSocket");
}

static void on_bytes(struct sky_conn *conn, sky_span in)
{
    struct link *link = conn->work->wrapping;
    const char *what = NULL;
    size_t good;
    enum sky_ws_code code = sky_ws_frames_follow(&link->frames, in, &good, &what);
    feed(link, sky_span_head(in, good));
    if (link->clear.len > 0) {
        struct sky_buf clear = link->clear;
        sky_buf_init(&link->clear, clear.max);
        sky_conn_deliver(conn, sky_buf_span(&clear));
        sky_buf_done(&clear);
    }
    if (conn->closing)
        return;
    if (code != SKY_WS_GOING_ON)
        refuse(link, code, sky_span_tail(in, good), what);
    else if (link->peer_ends)
        sky_conn_gone(conn, "the peer closed the WebSocket");
    else if (link->wsi == NULL)
        give_up(link); /* for the frames were good */
}

static struct sky_buf *wrap(struct sky_conn *conn)
{
    struct link *link = conn->work->wrapping;
    sky_span rest = sky_buf_span(&conn->work->out);
    while (rest.len > 0 && link->wsi != NULL && !link->peer_ends) {
        sky_span piece = sky_span_head(rest, CHUNK);
        unsigned char *at = link->ws->room + LWS_PRE; /* the library writes the head before it */
        memcpy(at, piece.ptr, piece.len);
        if (lib.lws_write(link->wsi, at, piece.len, LWS_WRITE_BINARY) < (int)piece.len) {
            give_up(link);
            break;
        }
        drain(link);
        rest = sky_span_tail(rest, piece.len);
    }
    sky_buf_clear(&conn->work->out);
    return &link->wire;
}

/* Ours is the first goodbye, and it comes last: the library is not asked any more. */
static void end(struct sky_conn *conn)
{
    struct link *link = conn->work->wrapping;
    const char frame[] = {(char)0x88, 2, (char)(link->code >> 8), (char)(link->code & 0xff)};
    wrap(conn);
    if (!link->peer_ends)
        sky_buf_add(&link->wire, sky_span_of(frame, sizeof frame));
}

static void release(struct sky_conn *conn)
{
    struct link *link = conn->work->wrapping;
    if (link->wsi != NULL) {
        lib.lws_set_opaque_user_data(link->wsi, NULL);
        lib.lws_set_timeout(link->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
    }
    close(link->fd);
    link->ws->count--;
    sky_buf_done(&link->clear);
    sky_buf_done(&link->wire);
    free(link->host);
    free(link);
    conn->work->wrap = NULL;
    conn->work->wrapping = NULL;
}

static const struct sky_wrap layer = {on_bytes, wrap, end, release};

/* ---- libwebsockets ---- */

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    (void)user;
    struct link *link = lib.lws_get_opaque_user_data(wsi);
    if (link == NULL)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        link->open = true;
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return sky_buf_add(&link->clear, sky_span_of(in, len)) ? 0 : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        link->peer_ends = true;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        link->wsi = NULL;
        return 0;
    default:
        return 0;
    }
}

/* Before the first upgrade. */
static sky_err start(struct sky_ws *ws)
{
    static const struct sky_library_call calls[] = {CALLS(SKY_LIBRARY_CALL)};
    static const struct lws_protocols protocols[] = {
        {.name = "mqtt", .callback = on_lws, .rx_buffer_size = RX_SIZE}, {0}};
    const struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .keepalive_timeout = PATIENCE_S,
        .timeout_secs = PATIENCE_S,
        .fd_limit_per_thread = FD_MAX,
        .pt_serv_buf_size = CHUNK,
        .max_http_header_data = 2 * SKY_HTTP_HEAD_MAX,
    };
    sky_err err = sky_library_open(LWS_FILE, calls, SKY_COUNT(calls), &ws->why);
    if (err != SKY_OK)
        return err;
    lib.lws_set_log_level(0, NULL);
    if (ws->context == NULL)
        ws->context = lib.lws_create_context(&info);
    if (ws->context != NULL)
        ws->vhost = lib.lws_create_vhost(ws->context, &info);
    if (ws->vhost == NULL)
        return sky_why_set(&ws->why, SKY_ERR_IO, "", "libwebsockets did not start");
    return SKY_OK;
}

/* ---- the upgrade ---- */

/* Why this request cannot be followed, or NULL (RFC 6455 §4.2.1; MQTT-6.0.0-3). */
static const char *judge(const struct sky_http_head *head, struct sky_http_reply *ret_reply)
{
    sky_span value;
    uint8_t key[KEY_BYTES];
    size_t len = 0;
    if (!sky_http_head_header(head->headers, "Sec-WebSocket-Version", &value) ||
        !sky_span_eq(value, SKY_SPAN("13"))) {
        ret_reply->status = 426;
        ret_reply->extra = SKY_SPAN("Sec-WebSocket-Version: 13\r\n");
        return "Sec-WebSocket-Version is not 13";
    }
    if (!sky_http_head_header(head->headers, "Sec-WebSocket-Key", &value) ||
        !sky_base64_decode(value, key, sizeof key, &len) || len != KEY_BYTES)
        return "Sec-WebSocket-Key is not 16 bytes in base64";
    if (head->host_fault != NULL)
        return head->host_fault;
    if (head->chunked)
        return "an upgrade has no body";
    if (sky_http_head_lists(head->headers, "Sec-WebSocket-Protocol", "mqtt"))
        return NULL;
    return sky_http_head_header(head->headers, "Sec-WebSocket-Protocol", &value)
               ? "the subprotocol mqtt is not among those that Sec-WebSocket-Protocol offers"
               : "no subprotocol is offered; send Sec-WebSocket-Protocol: mqtt";
}

_Static_assert(SKY_WS_CONNS_MAX == 2048, "as its refusal says");

static struct link *link_open(struct sky_ws *ws, struct sky_conn *conn)
{
    int pair[2];
    if (ws->count >= SKY_WS_CONNS_MAX ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return NULL;
    struct link *link = sky_mem_new(sizeof *link);
    *link = (struct link){
        .ws = ws, .conn = conn, .fd = pair[0], .wsi_fd = pair[1], .code = SKY_WS_NORMAL};
    sky_buf_init(&link->clear, SKY_NET_READ_SIZE + SKY_CONN_INPUT_MAX);
    sky_buf_init(&link->wire, SKY_CONN_OUTPUT_MAX + SLACK);
    ws->count++;
    const lws_adopt_desc_t adopt = {.vh = ws->vhost,
                                    .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
                                    .fd = {.sockfd = pair[1]},
                                    .opaque = link};
    link->wsi = lib.lws_adopt_descriptor_vhost_via_info(&adopt); /* closes it when it fails */
    return link;
}

static void record(const struct sky_conn *conn, const struct sky_http_head *head)
{
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, SKY_SPAN("websocket")),
                                     SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)),
                                     SKY_ATTR(PATH, head->path)};
    const struct sky_event_head event = sky_conn_event(conn, SKY_EVENT_NOTE, SKY_UP);
    sky_journal_add(conn->net->journal, &event, attrs, SKY_COUNT(attrs), NULL);
}

const char *sky_ws_upgrade(struct sky_ws *ws, struct sky_conn *conn,
                           const struct sky_http_head *head, sky_span bytes,
                           struct sky_http_reply *ret_reply)
{
    const char *reason = judge(head, ret_reply);
    if (reason != NULL)
        return reason;
    if (ws->vhost == NULL && start(ws) != SKY_OK) {
        ret_reply->status = 503;
        return ws->why.reason;
    }
    struct link *link = link_open(ws, conn);
    if (link == NULL) {
        ret_reply->status = 503;
        return ws->count >= SKY_WS_CONNS_MAX
                   ? "as many speak WebSocket already as may at a time, 2048; close connections"
                   : "the system gives no sockets for one more WebSocket connection (ulimit -n)";
    }
    sky_conn_work(conn)->wrapping = link;
    feed(link, bytes);
    if (!link->open) { /* what a client may get wrong has been judged before */
        release(conn);
        ret_reply->status = 503;
        return "libwebsockets does not take the upgrade";
    }
    /* Behind the answers to what was asked before, which are not wrapped either. */
    sky_buf_add(sky_conn_out(conn), sky_buf_span(&link->wire));
    sky_buf_clear(&link->wire);
    sky_buf_add(&link->wire, sky_buf_span(&conn->work->out));
    sky_buf_clear(&conn->work->out);
    sky_span host = sky_http_host_name(head->host);
    link->host = sky_mem_dup(host.ptr, host.len);
    if (conn->door->server_name.len == 0)
        sky_conn_own_door(conn)->server_name = sky_span_of(link->host, host.len);
    sky_conn_own_door(conn)->transport = conn->work->tls != NULL ? SKY_WSS : SKY_WS;
    conn->port = conn->net->mqtt;
    record(conn, head);
    sky_conn_wrap(conn, &layer, link);
    sky_conn_await_login(conn);
    return NULL;
}

/* ---- open and close ---- */

struct sky_ws *sky_ws_open(void)
{
    return sky_mem_new(sizeof(struct sky_ws));
}

void sky_ws_close(struct sky_ws *ws)
{
    if (ws == NULL)
        return;
    SKY_ASSERT(ws->count == 0); /* they went with their connections */
    if (ws->context != NULL)
        lib.lws_context_destroy(ws->context);
    free(ws);
}
