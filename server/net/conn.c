#include "server/net/conn.h"
#include "server/net/private.h"
#include "server/net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/net/foreign.h"
#include "server/net/tap.h"
#include "server/registry/psk.h"
#include "server/registry/refusal.h"
#include "server/registry/sessions.h"
#include "server/tls/channel.h"

/* ---- what is told ---- */

struct sky_event_head sky_conn_event(const struct sky_conn *conn, enum sky_event_type type,
                                     enum sky_direction direction)
{
    return (struct sky_event_head){.type = type,
                                   .direction = direction,
                                   .transport = conn->door->transport,
                                   .connection = conn->id,
                                   .device_id = conn->device_id};
}

void sky_conn_refused(struct sky_conn *conn, const struct sky_rule *rule, sky_span bytes,
                      const char *what)
{
    const struct sky_refusal refusal = {.explained = false};
    struct sky_registry *registry = conn->net->registry;
    struct sky_session *session = sky_session_find(registry, conn->device_id);
    struct sky_judge judge;
    struct sky_buf explanation;
    char peer[64], words[SKY_FOREIGN_TEXT];
    if (session == NULL)
        what = sky_foreign_words(conn->net, conn->door->listener, conn->work->tls != NULL, bytes,
                                 what, words);
    sky_judge_init(&judge, sky_product_policy(registry, session != NULL ? session->product : NULL));
    sky_judge_broken(&judge, rule, "%s", what);
    sky_conn_peer(conn, peer, sizeof peer);
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    sky_refusal_json(&refusal, &judge, &explanation);
    const struct sky_attr attrs[] = {
        SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)),
        SKY_ATTR(PEER, sky_span_str(peer)), SKY_ATTR(REASON, sky_span_str(what)),
        SKY_ATTR(BYTES_HEX, sky_span_head(bytes, SKY_CONN_BYTES_SHOWN)),
        SKY_ATTR(EXPLANATION, sky_buf_span(&explanation))};
    const struct sky_event_head head = sky_conn_event(conn, SKY_EVENT_MALFORMED, SKY_UP);
    sky_journal_add(conn->net->journal, &head, attrs, SKY_COUNT(attrs), &judge);
    sky_buf_done(&explanation);
    sky_session_judged(session, &judge);
}

void sky_conn_left(struct sky_conn *conn)
{
    const struct sky_attr attrs[] = {SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)),
                                     SKY_ATTR(REASON, sky_span_str(conn->work->close_reason))};
    const struct sky_event_head head = sky_conn_event(conn, SKY_EVENT_CLOSE, SKY_UP);
    sky_journal_add(conn->net->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

struct sky_door *sky_conn_own_door(struct sky_conn *conn)
{
    if (conn->own_door)
        return conn->door;
    struct sky_door *door = sky_mem_new(sizeof *door);
    *door = *conn->door;
    conn->door = door;
    conn->own_door = true;
    return door;
}

bool sky_conn_is_unheard(struct sky_conn *conn)
{
    int unread = 0;
    if (conn->excused || !conn->reads || ioctl(conn->fd, FIONREAD, &unread) < 0 || unread == 0)
        return false;
    conn->excused = true;
    return true;
}

/* ---- addresses ---- */

/* Most have the short form; the other is kept where it is one. */
void sky_conn__set_peer(struct sky_conn *conn, const struct sockaddr_in6 *peer)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)peer;
    conn->six = peer->sin6_family == AF_INET6;
    if (conn->six) {
        conn->peer.six = sky_mem_new(sizeof *peer);
        *conn->peer.six = *peer;
    } else if (peer->sin6_family == AF_INET) {
        conn->peer.four.host = four->sin_addr;
        conn->peer.four.port = four->sin_port;
    }
}

static void get_peer(const struct sky_conn *conn, struct sockaddr_storage *ret_peer)
{
    const struct sockaddr_in four = {.sin_family = conn->peer.four.port != 0 ? AF_INET : AF_UNSPEC,
                                     .sin_addr = conn->peer.four.host,
                                     .sin_port = conn->peer.four.port};
    *ret_peer = (struct sockaddr_storage){0};
    if (conn->six)
        memcpy(ret_peer, conn->peer.six, sizeof *conn->peer.six);
    else
        memcpy(ret_peer, &four, sizeof four);
}

void sky_address_text(const struct sockaddr *address, char *out, size_t out_size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    out[0] = '\0';
    if (address->sa_family == AF_UNSPEC)
        return;
    uv_ip_name(address, host, sizeof host);
    /* The port is in the same place for both families. */
    snprintf(out, out_size, address->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(((const struct sockaddr_in *)address)->sin_port));
}

void sky_conn_peer(struct sky_conn *conn, char *out, size_t out_size)
{
    struct sockaddr_storage peer;
    get_peer(conn, &peer);
    sky_address_text((const struct sockaddr *)&peer, out, out_size);
}

sky_span sky_conn_local(struct sky_conn *conn, char *out, size_t out_size)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    snprintf(out, out_size, "localhost");
    if (getsockname(conn->fd, (struct sockaddr *)&address, &len) == 0)
        uv_ip_name((struct sockaddr *)&address, out, out_size);
    return sky_span_str(out);
}

/* ---- for whoever captures ---- */

static bool is_hidden(const struct sky_conn *conn)
{
    return conn->door->listener->allows & SKY_LISTEN_ADMIN;
}

static void find_local(const void *owner, struct sockaddr_storage *ret_local)
{
    const struct sky_conn *conn = owner;
    socklen_t len = sizeof *ret_local;
    if (getsockname(conn->fd, (struct sockaddr *)ret_local, &len) < 0)
        ret_local->ss_family = AF_UNSPEC;
}

static struct sky_tap_ends ends_of(const struct sky_conn *conn)
{
    struct sky_tap_ends ends = {.connection = conn->id,
                                .listener = conn->door->listener,
                                .find_local = find_local,
                                .owner = conn};
    get_peer(conn, &ends.peer);
    return ends;
}

/* Clear bytes pass. What begins TLS is not clear. */
static void tap(const struct sky_conn *conn, bool from_peer, sky_span bytes)
{
    struct sky_tap *to = conn->net->tap;
    if (to == NULL || is_hidden(conn) || (from_peer && sky_conn_begins_tls(conn, bytes)))
        return;
    const struct sky_tap_ends ends = ends_of(conn);
    to->bytes(to, &ends, from_peer, bytes);
}

static void tap_end(const struct sky_conn *conn)
{
    struct sky_tap *to = conn->net->tap;
    if (to == NULL)
        return;
    const struct sky_tap_ends ends = ends_of(conn);
    enum sky_tap_end how = conn->aborts   ? SKY_TAP_WE_RESET
                           : conn->frozen ? SKY_TAP_SILENT
                           : !conn->left  ? SKY_TAP_WE_LEFT
                           : conn->broke  ? SKY_TAP_PEER_RESET
                                          : SKY_TAP_PEER_LEFT;
    to->end(to, conn->id, is_hidden(conn) ? NULL : &ends, how);
}

/* ---- output ---- */

static void append_dirty(struct sky_net *net, struct sky_conn *conn)
{
    conn->work->next_dirty = NULL;
    *(net->dirty == NULL ? &net->dirty : &net->last_dirty->work->next_dirty) = conn;
    net->last_dirty = conn;
}

static struct sky_conn *take_dirty(struct sky_net *net)
{
    struct sky_conn *conn = net->dirty;
    if (conn == NULL)
        return NULL;
    net->dirty = conn->work->next_dirty;
    if (net->dirty == NULL)
        net->last_dirty = NULL;
    return conn;
}

void sky_conn_touch(struct sky_conn *conn)
{
    if (conn->dirty || conn->reaped)
        return;
    (void)sky_conn_work(conn);
    conn->dirty = true;
    append_dirty(conn->net, conn);
}

void sky_conn__book(struct sky_conn *conn)
{
    size_t bytes = conn->work->out.room + conn->work->sending.room + conn->work->pending.aside;
    if (conn->work == &sky_conn_at_rest)
        return;
    if (conn->aborts || conn->shut)
        bytes = 0;
    if (sky_pending_book(&conn->net->pending, &conn->work->pending, bytes))
        sky_net__relieve(conn->net);
}

void sky_conn_keeps(struct sky_conn *conn, size_t bytes)
{
    if (bytes != conn->work->pending.aside)
        sky_conn_work(conn)->pending.aside = bytes;
    sky_conn__book(conn);
}

static void flush_one(struct sky_conn *conn);

/* Much output does not wait for the end of the turn: what piles up is then what the peer does not
 * read, never what one turn had to say to it. */
struct sky_buf *sky_conn_out(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    sky_conn_touch(conn);
    if (conn->work->out.len >= SKY_NET_FLUSH_SIZE) {
        sky_net_settle(net);
        flush_one(conn);
    }
    if (conn->work->out.bytes == NULL && net->spare_count > 0) {
        conn->work->out.bytes = net->spares[--net->spare_count];
        conn->work->out.room = SKY_NET_SPARE_MAX;
    }
    sky_conn__book(conn);
    if (!conn->dirty)
        sky_conn_touch(conn); /* there was too much of all, and its own has gone, too */
    return &conn->work->out;
}

void sky_conn_write(struct sky_conn *conn, sky_span bytes)
{
    sky_buf_add(sky_conn_out(conn), bytes);
}

void sky_conn__recycle(struct sky_net *net, struct sky_buf *buf)
{
    if (buf->room == SKY_NET_SPARE_MAX && net->spare_count < SKY_NET_SPARES) {
        net->spares[net->spare_count++] = buf->bytes;
        sky_buf_init(buf, buf->max);
        return;
    }
    sky_buf_done(buf);
}

static void sent_all(struct sky_conn *conn);
static void tell_drained(struct sky_conn *conn);

/* Watches its socket, or ends what cannot be watched. */
static void watch(struct sky_conn *conn, bool reads, bool writes)
{
    if (!sky_socket_watch(conn, reads, writes))
        sky_conn_gone(conn, "the system does not let it be watched");
}

static void write_one(struct sky_conn *conn)
{
    struct sky_conn_work *work = conn->work;
    sky_span left = sky_span_tail(sky_buf_span(&work->sending), work->sent);
    ssize_t sent = sky_socket_send(conn, sky_span_head(left, SKY_NET_WRITE_MAX));
    work->sent += sent > 0 ? (size_t)sent : 0;
    if (sent == UV_EAGAIN || (sent >= 0 && work->sent < work->sending.len))
        return;
    watch(conn, conn->reads, false);
    if (sent < 0)
        sky_conn_gone(conn, "the peer went away while being written to");
    sky_conn__sent(conn);
}

void sky_conn__sent(struct sky_conn *conn)
{
    sky_conn__recycle(conn->net, &conn->work->sending);
    sky_conn__book(conn);
    if (conn->shut)
        return;
    sky_net_settle(conn->net);
    flush_one(conn);
    if (conn->work->sending.len > 0)
        return;
    if (conn->lingers && !conn->frozen)
        sent_all(conn);
    else
        tell_drained(conn);
}

/* The kernel did not take everything: the rest waits in `sending` for it. */
static void send_later(struct sky_conn *conn, struct sky_buf *wire, size_t sent)
{
    SKY_ASSERT(conn->work->sending.len == 0);
    conn->work->sending = *wire;
    sky_buf_init(wire, wire->max);
    conn->work->sent = sent;
    watch(conn, conn->reads, true);
}

struct sky_buf *sky_conn__wire(struct sky_conn *conn)
{
    struct sky_buf *clear = &conn->work->out;
    if (conn->work->wrap != NULL) {
        clear = conn->work->wrap->wrap(conn);
        sky_conn__recycle(conn->net, &conn->work->out);
    }
    if (clear->len > 0 &&
        (conn->work->tls == NULL || sky_tls_state(conn->work->tls) != SKY_TLS_HANDSHAKING))
        tap(conn, false, sky_buf_span(clear));
    if (conn->work->tls == NULL)
        return clear;
    sky_tls_seal(conn->work->tls, clear);
    if (clear->len == 0)
        sky_conn__recycle(conn->net, clear);
    return sky_tls_raw(conn->work->tls);
}

void sky_conn_refuse_backlog(struct sky_conn *conn, const struct sky_buf *waiting)
{
    if (!waiting->overflow || conn->closing)
        return;
    if (conn->work->touched == 0) /* else it may not be the peer's doing */
        sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL), SKY_SPAN_NONE,
                         "too much output waits for a peer that does not read");
    sky_conn_close(conn, "the peer does not read what it is sent");
}

/* For a port that left something unwritten because the output was full. */
static void tell_drained(struct sky_conn *conn)
{
    if (conn->port->on_drained != NULL && !conn->closing)
        conn->port->on_drained(conn);
}

/* Nobody gets to see what was written. */
static void drop_output(struct sky_conn *conn)
{
    sky_conn__recycle(conn->net, &conn->work->out);
    if (conn->work->tls != NULL)
        sky_conn__recycle(conn->net, sky_tls_raw(conn->work->tls));
}

/* Sends this turn's output with one system call if the kernel takes it. Nothing is sealed while
 * older output waits, so that what piles up does so in one place. */
static void send_one(struct sky_conn *conn)
{
    sky_conn_refuse_backlog(conn, &conn->work->out);
    if (conn->mute) {
        drop_output(conn);
        return;
    }
    if (conn->work->sending.len > 0)
        return;
    if (conn->work->bend != NULL) {
        sky_conn__flush_bent(conn);
        return;
    }
    struct sky_buf *wire = sky_conn__wire(conn);
    if (wire->len == 0) {
        sky_conn__recycle(conn->net, wire); /* asked for and not used */
        return;
    }
    ssize_t sent = sky_socket_send(conn, sky_buf_span(wire));
    if (sent == (ssize_t)wire->len) {
        bool was_full = wire->len > SKY_CONN_OUTPUT_MAX - SKY_MQTT_PACKET_MAX;
        sky_conn__recycle(conn->net, wire);
        if (was_full)
            tell_drained(conn);
    } else if (sent >= 0 || sent == UV_EAGAIN) {
        send_later(conn, wire, sent < 0 ? 0 : (size_t)sent);
    } else {
        sky_conn__recycle(conn->net, wire);
        sky_conn_gone(conn, "the peer went away while being written to");
    }
}

static void flush_one(struct sky_conn *conn)
{
    send_one(conn);
    sky_conn__book(conn);
}

/* ---- closing ---- */

static void release(struct sky_conn *conn)
{
    sky_conn_keeps(conn, 0);
    if (conn->work->wrap != NULL)
        conn->work->wrap->release(conn);
    sky_conn_work_free(conn->work);
    if (conn->own_door)
        free(conn->door);
    if (conn->six)
        free(conn->peer.six);
    sky_texts_give(&conn->net->client_ids, conn->client_id);
    free(conn);
}

static void bury(struct sky_net *net)
{
    struct sky_conn *conn;
    while ((conn = net->dead) != NULL) {
        net->dead = conn->next;
        release(conn);
    }
}

void sky_conn__finish(struct sky_conn *conn)
{
    if (conn->shut)
        return;
    SKY_ASSERT(conn->reaped);
    tap_end(conn);
    conn->shut = true;
    sky_conn__book(conn);
    if (conn->lingers)
        DL_DELETE(conn->net->lingering, conn);
    conn->net->draining -= conn->drains;
    sky_conn__unbend(conn);
    sky_conn_forgive(conn);
    sky_socket_close(conn);
    LL_PREPEND(conn->net->dead, conn);
}

static void on_linger_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    sky_conn__finish(SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn);
}

static void drain(struct sky_conn *conn)
{
    ssize_t count = sky_socket_receive(conn, conn->net->read_buf, SKY_NET_READ_SIZE);
    conn->work->drained += count > 0 ? (uint32_t)count : 0;
    bool over = count <= 0 && count != UV_EAGAIN;
    if (over || conn->work->drained > SKY_CONN_DRAIN_MAX)
        sky_conn__finish(conn);
}

/* Everything is sent. */
static void sent_all(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    if (!conn->gentle || conn->aborts || conn->shut || net->draining >= SKY_CONN_DRAINING_MAX) {
        sky_conn__finish(conn);
        return;
    }
    conn->gentle = false; /* once */
    if (shutdown(conn->fd, SHUT_WR) < 0) {
        sky_conn__finish(conn);
        return;
    }
    net->draining++;
    conn->drains = true;
    sky_conn_patience(conn, SKY_CONN_DRAIN_MS, on_linger_over);
    if (!sky_socket_watch(conn, true, false))
        sky_conn__finish(conn);
}

void sky_conn__end(struct sky_conn *conn, const char *reason)
{
    conn->closing = true;
    sky_conn_work(conn)->close_reason = reason;
    sky_clock_cancel(conn->net->clock, &conn->alarm);
    sky_clock_cancel(conn->net->clock, &conn->work->spaced);
    sky_conn_touch(conn);
}

void sky_conn_close(struct sky_conn *conn, const char *reason)
{
    const struct sky_net *net = conn->net;
    if (!conn->closing &&
        (net->may_close == NULL || net->may_close(net->may_close_ctx, conn, reason)))
        sky_conn__end(conn, reason);
}

void sky_conn_close_gently(struct sky_conn *conn, const char *reason)
{
    bool was_closing = conn->closing;
    sky_conn_close(conn, reason);
    conn->gentle = conn->gentle || (conn->closing && !was_closing);
}

void sky_conn_gone(struct sky_conn *conn, const char *reason)
{
    if (conn->closing)
        return;
    conn->left = true;
    sky_conn__end(conn, reason);
}

void sky_conn_cut(struct sky_conn *conn, int64_t in_ms)
{
    sky_conn_work(conn)->cut_at_ms = sky_clock_lived_ms(conn->net->clock) + in_ms;
    if (conn->port->on_cut != NULL)
        conn->port->on_cut(conn);
}

static void reap(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    SKY_ASSERT(!conn->reaped);
    watch(conn, false, conn->writes);
    conn->port->on_close(conn);
    conn->reaped = true;
    DL_DELETE(net->conns, conn);
    net->conn_count--;
    if (conn->work->wrap != NULL) {
        conn->work->wrap->end(conn);
        conn->gentle = true; /* its goodbye is answered */
    }
    if (conn->work->tls != NULL) {
        (void)sky_conn__wire(conn);
        sky_tls_close(conn->work->tls);
    }
    flush_one(conn);
    conn->lingers = true;
    DL_APPEND(net->lingering, conn);
    if (conn->frozen) {
        sky_conn__hang(conn);
        return;
    }
    sky_conn_patience(conn, conn->work->bend != NULL ? SKY_CLOSE_DRIP_MS : SKY_CLOSE_LINGER_MS,
                      on_linger_over);
    if (conn->work->sending.len == 0 || conn->aborts)
        sent_all(conn);
}

/* Who is closing stays dirty: whatever its port does last must not bring it into the list again. */
static void end_turn_of(struct sky_conn *conn)
{
    conn->dirty = conn->closing;
    if (conn->closing)
        reap(conn);
    else
        flush_one(conn);
}

/* Others keep their place in the list. */
void sky_net__flush_early(struct sky_net *net)
{
    sky_net_settle(net);
    struct sky_conn *conn, *left = net->dirty;
    net->dirty = net->last_dirty = NULL;
    while ((conn = left) != NULL) {
        left = conn->work->next_dirty;
        bool plain = conn->work->bend == NULL && conn->work->wrap == NULL && !conn->closing &&
                     conn->work->out.len <= SKY_NET_FLUSH_SIZE + SKY_MQTT_PACKET_MAX;
        if (plain)
            end_turn_of(conn);
        else
            append_dirty(net, conn);
    }
}

bool sky_net_flush(struct sky_net *net)
{
    const int64_t until_us = sky_clock_machine_us() + SKY_TURN_BUDGET_US;
    struct sky_conn *conn;
    net->turn++;
    while ((conn = take_dirty(net)) != NULL) {
        end_turn_of(conn);
        sky_conn_rest_if_idle(conn);
        if (sky_clock_machine_us() >= until_us)
            break;
    }
    return net->dirty == NULL;
}

/* ---- input ---- */

/* Offers `in` to the port, and to whichever port takes over, until nothing more is used. */
static size_t offer(struct sky_conn *conn, sky_span in)
{
    size_t used = 0;
    struct sky_port *port;
    do {
        port = conn->port;
        used += port->on_bytes(conn, sky_span_tail(in, used));
        SKY_ASSERT(used <= in.len);
    } while (conn->port != port && used < in.len && !conn->closing && !conn->rewrapped);
    return used;
}

void sky_conn_wrap(struct sky_conn *conn, const struct sky_wrap *wrap, void *wrapping)
{
    SKY_ASSERT(conn->work->wrap == NULL);
    sky_conn_work(conn)->wrap = wrap;
    conn->work->wrapping = wrapping;
    conn->rewrapped = true;
}

/* The port has had a wrapping put on: what it left goes through that. */
static void unwrap_kept(struct sky_conn *conn)
{
    if (!conn->rewrapped)
        return;
    struct sky_buf kept = conn->work->in;
    conn->rewrapped = false;
    sky_buf_init(&conn->work->in, kept.max);
    if (kept.len > 0)
        conn->work->wrap->on_bytes(conn, sky_buf_span(&kept));
    sky_buf_done(&kept);
}

void sky_conn_offer(struct sky_conn *conn)
{
    if (conn->closing || conn->work->in.len == 0)
        return;
    sky_buf_drop(&conn->work->in, offer(conn, sky_buf_span(&conn->work->in)));
    if (conn->work->in.len == 0)
        sky_buf_done(&conn->work->in);
    unwrap_kept(conn);
}

/* What the port leaves is kept until more comes. */
void sky_conn_deliver(struct sky_conn *conn, sky_span in)
{
    if (conn->closing)
        return;
    if (conn->work->in.len == 0) {
        size_t used = offer(conn, in);
        if (used < in.len && !conn->closing)
            sky_buf_add(&sky_conn_work(conn)->in, sky_span_tail(in, used));
        unwrap_kept(conn);
    } else {
        sky_buf_add(&conn->work->in, in);
        sky_conn_offer(conn);
    }
    if (conn->work->in.overflow)
        sky_conn_close(conn, "the input grew past its limit");
}

void sky_conn_clear(struct sky_conn *conn, sky_span in)
{
    if (!conn->closing)
        tap(conn, true, in);
    if (conn->work->wrap == NULL)
        sky_conn_deliver(conn, in);
    else if (!conn->closing)
        conn->work->wrap->on_bytes(conn, in);
}

/* One buffer for each peer and poll: were it read until there is no more, all others would wait for
 * one that sends faster than its bytes are handled. */
static void read_one(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    ssize_t count = sky_socket_receive(conn, net->read_buf, net->share);
    net->sockets.more |= count == (ssize_t)net->share;
    if (count == UV_EAGAIN)
        return;
    if (count <= 0) {
        conn->broke = count < 0;
        sky_conn_gone(conn, count == 0 ? "the peer closed the connection" : "the connection broke");
        return;
    }
    sky_span in = sky_span_of(net->read_buf, (size_t)count);
    if (conn->work->tls != NULL)
        sky_tls_feed(conn->work->tls, in);
    else
        sky_conn_clear(conn, in);
    sky_conn_rest_if_idle(conn);
}

static void on_readable(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    sky_clock_tick(net->clock, uv_now(net->loop));
    if (conn->drains)
        drain(conn);
    else if (!conn->closing)
        read_one(conn);
    sky_net_turn_over(net);
}

static void on_writable(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    sky_clock_tick(net->clock, uv_now(net->loop));
    write_one(conn);
    sky_conn_rest_if_idle(conn);
    sky_net_turn_over(net);
}

int sky_net_watch(struct sky_net *net)
{
    return sky_sockets_open(net, on_readable, on_writable);
}

void sky_conn_start(struct sky_conn *conn)
{
    watch(conn, true, conn->writes);
}

void sky_conn_hold(struct sky_conn *conn, bool hold)
{
    if (conn->closing || conn->held == hold)
        return;
    conn->held = hold;
    watch(conn, !hold, conn->writes);
}

/* ---- all of them ---- */

void sky_net_settle(struct sky_net *net)
{
    if (net->settle != NULL)
        net->settle(net->settle_ctx);
}

/* A poll may find thousands: were they one turn, what the first of them wrote would wait for the
 * last, and so would what is due. */
bool sky_net_turn_over(struct sky_net *net)
{
    if (net->end_turn == NULL || !sky_clock_turn_is_spent(net->clock))
        return false;
    net->end_turn(net->end_turn_ctx);
    return true;
}

/* When more comes than a turn has time for each gets less of it: whoever sends one packet waits for
 * a piece of everybody else's, not for all that they have sent. */
void sky_net_end_poll(struct sky_net *net, int64_t took_us)
{
    size_t share = took_us > SKY_TURN_BUDGET_US ? net->share / 2 : net->share * 2;
    share = share < SKY_NET_READ_SIZE ? share : SKY_NET_READ_SIZE;
    net->share = share > SKY_NET_READ_MIN ? share : SKY_NET_READ_MIN;
    bury(net); /* nobody is at work with any of them */
}

void sky_net_close_conns(struct sky_net *net)
{
    struct sky_conn *conn, *next;
    DL_FOREACH (net->conns, conn)
        if (!conn->closing)
            sky_conn__end(conn, "the server stops");
    while (!sky_net_flush(net))
        continue;
    DL_FOREACH_SAFE (net->lingering, conn, next)
        sky_conn__finish(conn);
    bury(net);
    sky_sockets_close(net);
}

void sky_net_done(struct sky_net *net)
{
    while (net->spare_count > 0)
        free(net->spares[--net->spare_count]);
    sky_sockets_done(net);
    sky_conn_works_done(&net->works);
    sky_texts_done(&net->client_ids);
    free(net->read_buf);
    net->read_buf = NULL;
}
