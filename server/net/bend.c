#include "server/net/bend.h"
#include "server/net/private.h"
#include "server/net/socket.h"

#include <netinet/tcp.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { FLIPPED = 0x55 }; /* bits of a byte that is changed: never the same byte again */

struct sky_bend {
    struct sky_conn *conn;
    struct sky_timer drip; /* real time: the next one */
    uint32_t bytes_per_s;  /* 0: as fast as it can */
    int64_t dripped_ms;    /* real time up to which it has dripped */
    size_t dripped;        /* bytes of `sending` that are out */
    uint64_t passed;       /* bytes that have come by since the bend */
    uint64_t cut_at;       /* of which the connection ends; UINT64_MAX: it does not */
    const char *cut_reason;
    uint64_t corrupt_at; /* from which on bytes are changed, so many */
    unsigned corrupt;
    uint64_t frozen_by;
};

static struct sky_bend *bend_of(struct sky_conn *conn)
{
    if (conn->work->bend == NULL) {
        sky_conn_work(conn)->bend = sky_mem_new(sizeof *conn->work->bend);
        conn->work->bend->conn = conn;
        conn->work->bend->cut_at = UINT64_MAX;
    }
    return conn->work->bend;
}

/* ---- endings ---- */

void sky_conn_reset(struct sky_conn *conn, const char *reason)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (conn->shut)
        return;
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    conn->mute = conn->aborts = true;
    if (conn->reaped)
        sky_conn__finish(conn);
    else
        conn->frozen = false;
    if (!conn->closing)
        sky_conn__end(conn, reason);
}

static struct sky_conn *first_frozen(const struct sky_net *net)
{
    struct sky_conn *conn;
    DL_FOREACH (net->lingering, conn)
        if (conn->frozen)
            return conn;
    return NULL;
}

void sky_conn_freeze(struct sky_conn *conn, uint64_t by, const char *reason)
{
    if (conn->reaped || conn->frozen || conn->aborts)
        return;
    bend_of(conn)->frozen_by = by;
    conn->mute = conn->frozen = true;
    if (!conn->closing)
        sky_conn__end(conn, reason);
}

/* The socket is not read, so that nothing tells of the peer's end but the state of its TCP. */
static void on_look(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn;
    struct tcp_info info;
    socklen_t len = sizeof info;
    (void)now_ms;
    if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        info.tcpi_state != TCP_ESTABLISHED)
        sky_conn__finish(conn);
    else
        sky_clock_patience(conn->net->clock, timer, SKY_BEND_LOOK_MS, on_look);
}

_Static_assert(SKY_BEND_FROZEN_MAX == 1024, "as is said");

void sky_conn__hang(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    net->frozen++;
    if (net->frozen > SKY_BEND_FROZEN_MAX)
        sky_conn_reset(first_frozen(net), "1024 others hang");
    sky_conn_patience(conn, SKY_BEND_LOOK_MS, on_look);
}

void sky_net_thaw(struct sky_net *net, uint64_t by)
{
    struct sky_conn *conn, *next;
    if (net->frozen > 0)
        DL_FOREACH_SAFE (net->lingering, conn, next)
            if (conn->frozen && (by == 0 || conn->work->bend->frozen_by == by))
                sky_conn_reset(conn, "what held it is gone");
    if (net->on_thaw != NULL)
        net->on_thaw(net->on_thaw_ctx, by);
}

void sky_conn__unbend(struct sky_conn *conn)
{
    if (conn->work->bend == NULL)
        return;
    sky_clock_forgive(conn->net->clock, &conn->work->bend->drip);
    conn->net->frozen -= conn->frozen && conn->lingers;
}

/* ---- what goes out ---- */

static void send_due(struct sky_bend *bend);

static void on_drip(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    send_due(SKY_CONTAINER_OF(timer, struct sky_bend, drip));
}

/* How many of the `left` bytes may go by now. What makes no whole byte counts for the next. */
static size_t due_of(struct sky_bend *bend, size_t left)
{
    int64_t ms = bend->conn->net->clock->real_ms - bend->dripped_ms;
    if (bend->bytes_per_s == 0)
        return left;
    uint64_t due = ms > 0 ? (uint64_t)ms * bend->bytes_per_s / 1000 : 0;
    due = due < left ? due : left;
    bend->dripped_ms += (int64_t)(due * 1000 / bend->bytes_per_s);
    return (size_t)due;
}

/* Ends the connection behind the byte at which it is to be cut. */
static void cut_if_due(struct sky_bend *bend)
{
    struct sky_conn *conn = bend->conn;
    if (bend->passed < bend->cut_at || conn->mute)
        return;
    conn->mute = conn->gentle = true;
    if (!conn->closing)
        sky_conn__end(conn, bend->cut_reason);
}

/* Sends what is due of `sending`, and sees to the rest. */
static void send_due(struct sky_bend *bend)
{
    struct sky_conn *conn = bend->conn;
    size_t due = conn->mute ? 0 : due_of(bend, conn->work->sending.len - bend->dripped);
    sky_span next = sky_span_of(conn->work->sending.bytes + bend->dripped, due);
    ssize_t sent = due > 0 ? sky_socket_send(conn, next) : 0;
    bool gone = sent < 0 && sent != UV_EAGAIN;
    if (gone)
        sky_conn_gone(conn, "the peer went away while being written to");
    bend->dripped += sent > 0 ? (size_t)sent : 0;
    if (gone || bend->dripped == conn->work->sending.len || conn->mute) {
        bend->dripped = 0;
        cut_if_due(bend);
        sky_conn__sent(conn);
        return;
    }
    int64_t byte_ms = bend->bytes_per_s > 0 ? 1000 / bend->bytes_per_s : 0;
    sky_clock_patience(conn->net->clock, &bend->drip,
                       byte_ms > SKY_BEND_TICK_MS ? byte_ms : SKY_BEND_TICK_MS, on_drip);
}

void sky_bend_flip(struct sky_buf *buf, size_t from, uint64_t passed, uint64_t at, unsigned count)
{
    uint64_t i = at > passed ? at - passed : 0;
    for (; i < buf->len - from && passed + i < at + count; i++)
        buf->bytes[from + i] = (char)(buf->bytes[from + i] ^ FLIPPED);
}

void sky_conn__flush_bent(struct sky_conn *conn)
{
    struct sky_bend *bend = conn->work->bend;
    struct sky_buf *wire = sky_conn__wire(conn);
    SKY_ASSERT(conn->work->sending.len == 0 && bend->passed <= bend->cut_at);
    if (wire->len == 0) {
        sky_conn__recycle(conn->net, wire);
        return;
    }
    if (wire->len > bend->cut_at - bend->passed)
        wire->len = (size_t)(bend->cut_at - bend->passed);
    sky_bend_flip(wire, 0, bend->passed, bend->corrupt_at, bend->corrupt);
    bend->passed += wire->len;
    bend->dripped_ms = conn->net->clock->real_ms;
    conn->work->sending = *wire;
    sky_buf_init(wire, wire->max);
    send_due(bend);
}

/* ---- bending ---- */

void sky_conn_drip(struct sky_conn *conn, uint32_t bytes_per_s)
{
    struct sky_bend *bend = bend_of(conn);
    bend->bytes_per_s = bytes_per_s;
}

void sky_conn_cut_off(struct sky_conn *conn, uint64_t bytes, const char *reason)
{
    struct sky_bend *bend = bend_of(conn);
    if (conn->mute)
        return;
    bend->cut_at = bend->passed + bytes;
    bend->cut_reason = reason;
}

void sky_conn_corrupt(struct sky_conn *conn, uint64_t at, unsigned bytes)
{
    struct sky_bend *bend = bend_of(conn);
    bend->corrupt_at = bend->passed + at;
    bend->corrupt = bytes;
}

void sky_conn_suffer(struct sky_conn *conn, const struct sky_fate *fate)
{
    if (fate->drip_bytes_per_s > 0)
        sky_conn_drip(conn, fate->drip_bytes_per_s);
    switch (fate->then) {
    case SKY_BREAK_NONE:
        return;
    case SKY_BREAK_CLOSE:
        sky_conn_close_gently(conn, "a fault closed it");
        return;
    case SKY_BREAK_RESET:
        sky_conn_reset(conn, "a fault reset it");
        return;
    case SKY_BREAK_FREEZE:
        sky_conn_freeze(conn, fate->fault, "a fault froze it: it hangs, half open");
        return;
    }
}
