#include "server/net/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/net/door.h"
#include "server/net/secure.h"
#include "server/os/config.h"
#include "server/port/http.h"
#include "server/port/mqtt.h"
#include "server/tls/channel.h"

const struct sky_listener_row sky_front_rows[] = {
    {"mqtt", 1883, SKY_LISTEN_CLEAR | SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_PSK, NULL},
    {"mqtts", 8883, SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_PSK | SKY_LISTEN_CERT_ASKED,
     NULL},
    {"coaps", 5684, SKY_LISTEN_DTLS | SKY_LISTEN_PSK, NULL},
    {"https", 8443,
     SKY_LISTEN_CLEAR | SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_HTTP | SKY_LISTEN_PSK, NULL},
    {"admin", 8080, SKY_LISTEN_CLEAR | SKY_LISTEN_HTTP | SKY_LISTEN_ADMIN, NULL},
};
const size_t sky_front_row_count = SKY_COUNT(sky_front_rows);

const struct sky_listener_row *sky_front_row(size_t index)
{
    if (index < sky_front_row_count)
        return &sky_front_rows[index];
    index -= sky_front_row_count;
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        if (index < sky_clouds[i]->listener_count)
            return &sky_clouds[i]->listeners[index];
        index -= sky_clouds[i]->listener_count;
    }
    return NULL;
}

const struct sky_listener_row *sky_front_find_row(sky_span name)
{
    const struct sky_listener_row *row;
    for (size_t i = 0; (row = sky_front_row(i)) != NULL; i++)
        if (sky_span_eq_str(name, row->name))
            return row;
    return NULL;
}

/* ---- output ---- */

void sky_conn_touch(struct sky_conn *conn)
{
    if (conn->dirty || conn->reaped)
        return;
    conn->dirty = true;
    LL_PREPEND2(conn->app->front.dirty, conn, next_dirty);
}

static void flush_one(struct sky_conn *conn);

/* Much output does not wait for the end of the turn: what piles up is then what the peer does not
 * read, never what one turn had to say to it. */
struct sky_buf *sky_conn_out(struct sky_conn *conn)
{
    struct sky_front *front = &conn->app->front;
    sky_conn_touch(conn);
    if (conn->out.len >= SKY_FRONT_FLUSH_SIZE)
        flush_one(conn);
    if (conn->out.bytes == NULL && front->spare_count > 0) {
        conn->out.bytes = front->spares[--front->spare_count];
        conn->out.room = SKY_FRONT_SPARE_MAX;
    }
    return &conn->out;
}

void sky_conn_write(struct sky_conn *conn, sky_span bytes)
{
    sky_buf_add(sky_conn_out(conn), bytes);
}

/* Empties the buffer; memory of the common size is kept for the next connection that writes. */
static void recycle(struct sky_front *front, struct sky_buf *buf)
{
    if (buf->room == SKY_FRONT_SPARE_MAX && front->spare_count < SKY_FRONT_SPARES) {
        front->spares[front->spare_count++] = buf->bytes;
        sky_buf_init(buf, buf->max);
        return;
    }
    sky_buf_done(buf);
}

struct pending_write {
    uv_write_t request;
    struct sky_conn *conn;
};

static void sent_all(struct sky_conn *conn);
static void tell_drained(struct sky_conn *conn);

static void on_written(uv_write_t *request, int status)
{
    struct pending_write *pending = SKY_CONTAINER_OF(request, struct pending_write, request);
    struct sky_conn *conn = pending->conn;
    free(pending);
    recycle(&conn->app->front, &conn->sending);
    if (conn->shut)
        return;
    if (status < 0)
        sky_conn_close(conn, "the peer went away while being written to");
    else
        flush_one(conn);
    if (conn->reaped && conn->sending.len == 0) {
        sent_all(conn);
        return;
    }
    if (conn->sending.len == 0)
        tell_drained(conn);
}

/* The kernel did not take everything: the rest waits in `sending` for it. */
static void send_later(struct sky_conn *conn, struct sky_buf *wire, size_t sent)
{
    SKY_ASSERT(conn->sending.len == 0);
    conn->sending = *wire;
    sky_buf_init(wire, wire->max);
    struct pending_write *pending = sky_mem_new(sizeof *pending);
    pending->conn = conn;
    uv_buf_t rest = uv_buf_init(conn->sending.bytes + sent, (unsigned)(conn->sending.len - sent));
    int rc = uv_write(&pending->request, (uv_stream_t *)&conn->tcp, &rest, 1, on_written);
    if (rc < 0) {
        free(pending);
        recycle(&conn->app->front, &conn->sending);
        sky_conn_close(conn, "the peer went away while being written to");
    }
}

/* What goes onto the wire: the output as it is, or wrapped, or sealed, or both. */
static struct sky_buf *wire_of(struct sky_conn *conn)
{
    struct sky_buf *clear = &conn->out;
    if (conn->wrap != NULL) {
        clear = conn->wrap->wrap(conn);
        recycle(&conn->app->front, &conn->out);
    }
    if (conn->tls == NULL)
        return clear;
    sky_tls_seal(conn->tls, clear);
    if (clear->len == 0)
        recycle(&conn->app->front, clear);
    return sky_tls_raw(conn->tls);
}

static void refuse_backlog(struct sky_conn *conn)
{
    if (!conn->out.overflow || conn->closing)
        return;
    sky_door_refused(conn, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL), SKY_SPAN_NONE,
                     "too much output waits for a peer that does not read");
    sky_conn_close(conn, "the peer does not read what it is sent");
}

/* For a port that left something unwritten because the output was full. */
static void tell_drained(struct sky_conn *conn)
{
    if (conn->port->on_drained != NULL && !conn->closing)
        conn->port->on_drained(conn);
}

/* Sends this turn's output with one system call if the kernel takes it. Nothing is sealed while
 * older output waits, so that what piles up does so in one place. */
static void flush_one(struct sky_conn *conn)
{
    refuse_backlog(conn);
    if (conn->sending.len > 0)
        return;
    struct sky_buf *wire = wire_of(conn);
    if (wire->len == 0) {
        recycle(&conn->app->front, wire); /* asked for and not used */
        return;
    }
    uv_buf_t all = uv_buf_init(wire->bytes, (unsigned)wire->len);
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, &all, 1);
    if (sent == (int)wire->len) {
        bool was_full = wire->len > SKY_CONN_OUTPUT_MAX - SKY_MQTT_PACKET_MAX;
        recycle(&conn->app->front, wire);
        if (was_full)
            tell_drained(conn);
    } else if (sent >= 0 || sent == UV_EAGAIN) {
        send_later(conn, wire, sent < 0 ? 0 : (size_t)sent);
    } else {
        recycle(&conn->app->front, wire);
        sky_conn_close(conn, "the peer went away while being written to");
    }
}

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
    struct sky_conn *conn = SKY_CONTAINER_OF((uv_tcp_t *)handle, struct sky_conn, tcp);
    sky_buf_done(&conn->in);
    sky_buf_done(&conn->out);
    sky_buf_done(&conn->sending);
    if (conn->wrap != NULL)
        conn->wrap->release(conn);
    sky_secure_done(conn);
    free(conn);
}

/* The socket goes. */
static void finish(struct sky_conn *conn)
{
    if (conn->shut)
        return;
    conn->shut = true;
    if (conn->lingers)
        DL_DELETE(conn->app->front.lingering, conn);
    conn->app->front.draining -= conn->drains;
    sky_timerq_cancel(&conn->app->patience, &conn->patience);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

static void on_linger_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    finish(SKY_CONTAINER_OF(timer, struct sky_conn, patience));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf);

static void on_drain(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct sky_conn *conn = SKY_CONTAINER_OF((uv_tcp_t *)stream, struct sky_conn, tcp);
    sky_app_tick(conn->app);
    if (count == 0 || count == UV_ENOBUFS)
        return;
    conn->drained += count > 0 ? (uint32_t)count : 0;
    if (count < 0 || conn->drained > SKY_CONN_DRAIN_MAX)
        finish(conn);
}

/* The peer has got the end of our side. */
static void on_half_closed(uv_shutdown_t *request, int status)
{
    struct sky_conn *conn = SKY_CONTAINER_OF((uv_tcp_t *)request->handle, struct sky_conn, tcp);
    free(request);
    if (status < 0 && status != UV_ECANCELED)
        finish(conn);
}

/* Everything is sent. */
static void sent_all(struct sky_conn *conn)
{
    struct sky_front *front = &conn->app->front;
    if (!conn->gentle || conn->shut || front->draining >= SKY_FRONT_DRAINING_MAX) {
        finish(conn);
        return;
    }
    conn->gentle = false; /* once */
    uv_shutdown_t *request = sky_mem_new(sizeof *request);
    if (uv_shutdown(request, (uv_stream_t *)&conn->tcp, on_half_closed) < 0) {
        free(request);
        finish(conn);
        return;
    }
    front->draining++;
    conn->drains = true;
    sky_app_patience(conn->app, &conn->patience, SKY_CONN_DRAIN_MS, on_linger_over);
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_drain);
}

void sky_conn_close_gently(struct sky_conn *conn, const char *reason)
{
    conn->gentle = !conn->closing;
    sky_conn_close(conn, reason);
}

void sky_conn_close(struct sky_conn *conn, const char *reason)
{
    if (conn->closing)
        return;
    conn->closing = true;
    conn->close_reason = reason;
    sky_clock_cancel(&conn->app->clock, &conn->alarm);
    LL_PREPEND2(conn->app->front.dying, conn, next_dying);
}

static void reap(struct sky_conn *conn)
{
    struct sky_app *app = conn->app;
    SKY_ASSERT(!conn->reaped);
    uv_read_stop((uv_stream_t *)&conn->tcp);
    conn->port->on_close(conn);
    conn->reaped = true;
    DL_DELETE(app->front.conns, conn);
    app->front.conn_count--;
    if (conn->wrap != NULL) {
        conn->wrap->end(conn);
        conn->gentle = true; /* its goodbye is answered */
    }
    if (conn->tls != NULL) {
        (void)wire_of(conn);
        sky_tls_close(conn->tls);
    }
    flush_one(conn);
    conn->lingers = true;
    DL_APPEND(app->front.lingering, conn);
    sky_app_patience(app, &conn->patience, SKY_CLOSE_LINGER_MS, on_linger_over);
    if (conn->sending.len == 0)
        sent_all(conn);
}

/* When many send faster than their bytes are handled each gets less at a time, so that a turn, and
 * with it the wait of everybody else, stays short. */
static void share_turn(struct sky_front *front)
{
    size_t share = front->taken > SKY_FRONT_TURN_SIZE
                       ? front->share * SKY_FRONT_TURN_SIZE / front->taken
                       : front->share * 2;
    share = share < SKY_FRONT_READ_SIZE ? share : SKY_FRONT_READ_SIZE;
    front->share = share > SKY_FRONT_READ_MIN ? share : SKY_FRONT_READ_MIN;
    front->taken = 0;
}

void sky_front_flush(struct sky_app *app)
{
    struct sky_front *front = &app->front;
    front->turn++;
    share_turn(front);
    while (front->dirty != NULL || front->dying != NULL) {
        while (front->dirty != NULL) {
            struct sky_conn *conn = front->dirty;
            LL_DELETE2(front->dirty, conn, next_dirty);
            conn->dirty = false;
            if (!conn->reaped)
                flush_one(conn);
        }
        if (front->dying != NULL) {
            struct sky_conn *conn = front->dying;
            LL_DELETE2(front->dying, conn, next_dying);
            reap(conn);
        }
    }
}

/* ---- input ---- */

/* One buffer for each peer and turn: the loop would go on reading from a peer that sends faster
 * than its bytes are handled, and all others would wait. No buffer ends the reading (UV_ENOBUFS)
 * until the next turn. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct sky_conn *conn = SKY_CONTAINER_OF((uv_tcp_t *)handle, struct sky_conn, tcp);
    struct sky_front *front = &conn->app->front;
    bool had_its_turn = conn->read_turn == front->turn;
    conn->read_turn = front->turn;
    *ret_buf =
        had_its_turn ? uv_buf_init(NULL, 0) : uv_buf_init(front->read_buf, (unsigned)front->share);
}

/* Offers `in` to the port, and to whichever port takes over, until nothing more is used. */
static size_t offer(struct sky_conn *conn, sky_span in)
{
    size_t used = 0;
    const struct sky_port *port;
    do {
        port = conn->port;
        used += port->on_bytes(conn, sky_span_tail(in, used));
        SKY_ASSERT(used <= in.len);
    } while (conn->port != port && used < in.len && !conn->closing && !conn->rewrapped);
    return used;
}

void sky_conn_wrap(struct sky_conn *conn, const struct sky_wrap *wrap, void *wrapping)
{
    SKY_ASSERT(conn->wrap == NULL);
    conn->wrap = wrap;
    conn->wrapping = wrapping;
    conn->rewrapped = true;
}

/* The port has had a wrapping put on: what it left goes through that. */
static void unwrap_kept(struct sky_conn *conn)
{
    if (!conn->rewrapped)
        return;
    struct sky_buf kept = conn->in;
    conn->rewrapped = false;
    sky_buf_init(&conn->in, kept.max);
    if (kept.len > 0)
        conn->wrap->on_bytes(conn, sky_buf_span(&kept));
    sky_buf_done(&kept);
}

void sky_conn_offer(struct sky_conn *conn)
{
    if (conn->closing || conn->in.len == 0)
        return;
    sky_buf_drop(&conn->in, offer(conn, sky_buf_span(&conn->in)));
    if (conn->in.len == 0)
        sky_buf_done(&conn->in);
    unwrap_kept(conn);
}

/* What the port leaves is kept until more comes. */
void sky_conn_deliver(struct sky_conn *conn, sky_span in)
{
    if (conn->closing)
        return;
    if (conn->in.len == 0) {
        size_t used = offer(conn, in);
        if (used < in.len && !conn->closing)
            sky_buf_add(&conn->in, sky_span_tail(in, used));
        unwrap_kept(conn);
    } else {
        sky_buf_add(&conn->in, in);
        sky_conn_offer(conn);
    }
    if (conn->in.overflow)
        sky_conn_close(conn, "the input grew past its limit");
}

void sky_conn_clear(struct sky_conn *conn, sky_span in)
{
    if (conn->wrap == NULL)
        sky_conn_deliver(conn, in);
    else if (!conn->closing)
        conn->wrap->on_bytes(conn, in);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct sky_conn *conn = SKY_CONTAINER_OF((uv_tcp_t *)stream, struct sky_conn, tcp);
    sky_app_tick(conn->app);
    if (conn->closing || count == 0 || count == UV_ENOBUFS)
        return;
    if (count < 0) {
        sky_secure_give_up(conn, false);
        sky_conn_close(conn,
                       count == UV_EOF ? "the peer closed the connection" : "the connection broke");
        return;
    }
    sky_span in = sky_span_of(buf->base, (size_t)count);
    conn->app->front.taken += in.len;
    if (conn->tls != NULL)
        sky_secure_feed(conn, in);
    else
        sky_conn_clear(conn, in);
}

void sky_conn_hold(struct sky_conn *conn, bool hold)
{
    if (conn->closing || conn->held == hold)
        return;
    conn->held = hold;
    if (hold)
        uv_read_stop((uv_stream_t *)&conn->tcp);
    else
        uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

/* ---- sniffing ---- */

static size_t refuse_byte(struct sky_conn *conn, sky_span in, const char *what)
{
    sky_door_refused(conn, sky_door_rule(SKY_RULE_DOOR_FIRST_BYTE), in, what);
    sky_conn_close(conn, "the first byte is no protocol this listener speaks");
    return in.len;
}

static bool is_http(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || byte == '\r'; /* an empty line may come first */
}

/* The first clear byte decides who speaks. */
static size_t sniff_bytes(struct sky_conn *conn, sky_span in)
{
    unsigned allows = conn->door.listener->allows;
    uint8_t first = (uint8_t)in.ptr[0];
    if (first == 0x16 && conn->tls == NULL && (allows & SKY_LISTEN_TLS)) {
        sky_secure_start(conn);
        sky_secure_feed(conn, in);
        return in.len;
    }
    if (conn->tls == NULL && !(allows & SKY_LISTEN_CLEAR))
        return refuse_byte(conn, in, "clear bytes on a port that speaks TLS only");
    if ((allows & SKY_LISTEN_HTTP) && is_http(first)) {
        conn->door.transport = conn->tls != NULL ? SKY_HTTPS : SKY_HTTP;
        conn->port = &sky_http_port; /* which takes over the limit with the first whole head */
        return 0;
    }
    if (!(allows & SKY_LISTEN_MQTT))
        return refuse_byte(conn, in, "not HTTP, and this port speaks nothing else");
    if (first == 0x16)
        return refuse_byte(conn, in, "a TLS handshake where TLS is not spoken");
    conn->port = &sky_mqtt_port;
    return 0;
}

static void sniff_close(struct sky_conn *conn)
{
    sky_door_left(conn);
}

static const struct sky_port sniff_port = {"none", sniff_bytes, NULL, sniff_close};

/* ---- accepting ---- */

static void on_login_overdue(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn, patience);
    if (conn->closing)
        return;
    if (conn->tls != NULL && sky_tls_keeps_waiting(conn->tls)) {
        sky_app_patience(conn->app, timer, SKY_CONN_LOGIN_MS, on_login_overdue);
        return;
    }
    sky_secure_give_up(conn, true);
    sky_door_refused(conn,
                     conn->port == &sky_mqtt_port ? sky_mqtt_rule(SKY_MQTT_RULE_CONNECT_TIMEOUT)
                                                  : sky_door_rule(SKY_RULE_DOOR_SLOW),
                     sky_buf_span(&conn->in), "no complete CONNECT or request in time");
    sky_conn_close(conn, "the peer took too long to log in");
}

void sky_conn_await_login(struct sky_conn *conn)
{
    sky_app_patience(conn->app, &conn->patience, SKY_CONN_LOGIN_MS, on_login_overdue);
}

static void on_turned_away(uv_handle_t *handle)
{
    free(SKY_CONTAINER_OF((uv_tcp_t *)handle, struct sky_conn, tcp));
}

static void on_connection(uv_stream_t *server, int status)
{
    struct sky_listener *listener = SKY_CONTAINER_OF((uv_tcp_t *)server, struct sky_listener, tcp);
    struct sky_app *app = listener->app;
    struct sky_front *front = &app->front;
    if (status < 0)
        return;
    sky_app_tick(app);
    struct sky_conn *conn = sky_mem_new(sizeof *conn);
    uv_tcp_init(&app->loop, &conn->tcp);
    if (uv_accept(server, (uv_stream_t *)&conn->tcp) < 0 || front->conn_count >= SKY_CONNS_MAX) {
        front->turned_away++;
        uv_close((uv_handle_t *)&conn->tcp, on_turned_away);
        return;
    }
    conn->app = app;
    conn->port = &sniff_port;
    conn->door = (struct sky_door){.listener = listener->row, .transport = SKY_TCP};
    conn->id = ++front->last_id;
    sky_buf_init(&conn->in, SKY_CONN_INPUT_MAX + SKY_FRONT_READ_SIZE);
    sky_buf_init(&conn->out, SKY_CONN_OUTPUT_MAX);
    sky_buf_init(&conn->sending, SKY_CONN_OUTPUT_MAX);
    DL_APPEND(front->conns, conn);
    front->conn_count++;
    front->accepted++;
    uv_tcp_nodelay(&conn->tcp, 1);
    sky_conn_await_login(conn);
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

void sky_conn_peer(struct sky_conn *conn, char *out, size_t out_size)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    char host[INET6_ADDRSTRLEN] = "?";
    out[0] = '\0';
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len) < 0)
        return;
    uv_ip_name((struct sockaddr *)&address, host, sizeof host);
    bool v6 = address.ss_family == AF_INET6;
    uint16_t port = ntohs(v6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                             : ((struct sockaddr_in *)&address)->sin_port);
    snprintf(out, out_size, v6 ? "[%s]:%u" : "%s:%u", host, port);
}

sky_span sky_conn_local(struct sky_conn *conn, char *out, size_t out_size)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    snprintf(out, out_size, "localhost");
    if (uv_tcp_getsockname(&conn->tcp, (struct sockaddr *)&address, &len) == 0)
        uv_ip_name((struct sockaddr *)&address, out, out_size);
    return sky_span_str(out);
}

/* ---- listeners ---- */

sky_err sky_front_resolve(const struct sky_listener_row *row, const struct sky_listen *want,
                          struct sockaddr_storage *ret_address, struct sky_why *why)
{
    if (uv_ip4_addr(want->host, want->port, (struct sockaddr_in *)ret_address) == 0)
        return SKY_OK;
    if (uv_ip6_addr(want->host, want->port, (struct sockaddr_in6 *)ret_address) == 0)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_INVALID, "",
                       "listener %s: '%s' is not an IP address; give one as in %s=127.0.0.1:%u",
                       row->name, want->host, row->name, row->port);
}

sky_err sky_front_why_busy(const struct sky_listener_row *row, const struct sky_listen *want,
                           int rc, struct sky_why *why)
{
    return sky_why_set(why, SKY_ERR_BUSY, "",
                       "listener %s: cannot listen on %s:%u: %s; move it with --listen "
                       "%s=HOST:PORT (port 0 takes a free one) or %s=off",
                       row->name, want->host, want->port, uv_strerror(rc), row->name, row->name);
}

struct sky_listener *sky_front_add_listener(struct sky_app *app, const struct sky_listener_row *row,
                                            const struct sky_listen *want)
{
    struct sky_front *front = &app->front;
    SKY_ASSERT(front->listener_count < SKY_LISTENERS_MAX);
    struct sky_listener *listener = &front->listeners[front->listener_count++];
    listener->app = app;
    listener->row = row;
    sky_span_copy(sky_span_str(want->host), listener->host, sizeof listener->host);
    return listener;
}

uint16_t sky_front_port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

static sky_err listen_on(struct sky_app *app, const struct sky_listener_row *row,
                         const struct sky_listen *want, struct sky_why *why)
{
    struct sockaddr_storage address;
    sky_err err = sky_front_resolve(row, want, &address, why);
    if (err != SKY_OK)
        return err;
    struct sky_listener *listener = sky_front_add_listener(app, row, want);
    listener->open = true;
    uv_tcp_init(&app->loop, &listener->tcp);
    int rc = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&address, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&listener->tcp, SKY_LISTEN_BACKLOG, on_connection);
    if (rc != 0)
        return sky_front_why_busy(row, want, rc, why);
    int len = sizeof address;
    uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &len);
    listener->port = sky_front_port_of(&address);
    return SKY_OK;
}

sky_err sky_front_open(struct sky_app *app, struct sky_why *why)
{
    app->front.read_buf = sky_mem_grow(NULL, SKY_FRONT_READ_SIZE);
    app->front.share = SKY_FRONT_READ_SIZE;
    const struct sky_listener_row *row;
    for (size_t i = 0; (row = sky_front_row(i)) != NULL; i++) {
        const struct sky_listen *want = sky_config_listen(app->config, row);
        if (want->off || (row->allows & SKY_LISTEN_DTLS))
            continue;
        sky_err err = listen_on(app, row, want, why);
        if (err != SKY_OK)
            return err;
    }
    return SKY_OK;
}

void sky_front_close(struct sky_app *app)
{
    struct sky_front *front = &app->front;
    for (size_t i = 0; i < front->listener_count; i++) {
        if (front->listeners[i].open)
            uv_close((uv_handle_t *)&front->listeners[i].tcp, NULL);
        front->listeners[i].open = false;
    }
    struct sky_conn *conn, *next;
    DL_FOREACH (front->conns, conn)
        sky_conn_close(conn, "the server stops");
    sky_front_flush(app);
    DL_FOREACH_SAFE (front->lingering, conn, next)
        finish(conn);
}

void sky_front_done(struct sky_app *app)
{
    struct sky_front *front = &app->front;
    while (front->spare_count > 0)
        free(front->spares[--front->spare_count]);
    free(front->read_buf);
    front->read_buf = NULL;
}
