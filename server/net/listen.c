#include "server/net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/net/bend.h"
#include "server/net/private.h"
#include "server/net/secure.h"
#include "server/os/listeners.h"
#include "server/tls/channel.h"

/* ---- sniffing ---- */

static size_t refuse_byte(struct sky_conn *conn, sky_span in, const char *what)
{
    sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_FIRST_BYTE), in, what);
    sky_conn_close(conn, "the first byte is no protocol this listener speaks");
    return in.len;
}

/* Where nothing else is spoken, whatever can be read is taken for HTTP, and told what is wrong. */
static bool is_http(uint8_t byte, bool only)
{
    if (byte == '\r') /* an empty line may come first */
        return true;
    return only ? byte >= ' ' && byte <= '~' : byte >= 'A' && byte <= 'Z';
}

/* The first clear byte decides who speaks. */
static size_t sniff_bytes(struct sky_conn *conn, sky_span in)
{
    unsigned allows = conn->door->listener->allows;
    uint8_t first = (uint8_t)in.ptr[0];
    if (sky_conn_begins_tls(conn, in)) {
        sky_secure_start(conn);
        if (conn->work->tls != NULL)
            sky_tls_feed(conn->work->tls, in);
        return in.len;
    }
    if (conn->work->tls == NULL && !(allows & SKY_LISTEN_CLEAR))
        return refuse_byte(conn, in, "clear bytes on a port that speaks TLS only");
    if ((allows & SKY_LISTEN_HTTP) && is_http(first, !(allows & SKY_LISTEN_MQTT))) {
        sky_conn_own_door(conn)->transport = conn->work->tls != NULL ? SKY_HTTPS : SKY_HTTP;
        conn->sniffed = true;
        conn->port = conn->net->http; /* which takes over the limit with the first whole head */
        return 0;
    }
    if (!(allows & SKY_LISTEN_MQTT))
        return refuse_byte(conn, in, "not HTTP, and this port speaks nothing else");
    if (first == 0x16)
        return refuse_byte(conn, in, "a TLS handshake where TLS is not spoken");
    conn->sniffed = true;
    conn->port = conn->net->mqtt;
    return 0;
}

static void sniff_close(struct sky_conn *conn)
{
    if (conn->left)
        sky_secure_give_up(conn, false);
    sky_conn_left(conn);
}

static struct sky_port sniff_port = {.on_bytes = sniff_bytes, .on_close = sniff_close};

/* ---- accepting ---- */

static void on_login_overdue(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn;
    if (conn->closing)
        return;
    bool drips = conn->work->bend != NULL && conn->work->sending.len > 0;
    if (drips || (conn->work->tls != NULL && sky_tls_keeps_waiting(conn->work->tls))) {
        sky_clock_patience(conn->net->clock, timer, SKY_CONN_LOGIN_MS, on_login_overdue);
        return;
    }
    if (sky_conn_is_unheard(conn)) {
        sky_clock_patience(conn->net->clock, timer, SKY_CONN_EXCUSE_MS, on_login_overdue);
        return;
    }
    sky_secure_give_up(conn, true);
    if (conn->work->touched == 0)
        sky_conn_refused(conn,
                         conn->port == conn->net->mqtt
                             ? sky_mqtt_rule(SKY_MQTT_RULE_CONNECT_TIMEOUT)
                             : sky_door_rule(SKY_RULE_DOOR_SLOW),
                         sky_buf_span(&conn->work->in), "no complete CONNECT or request in time");
    sky_conn_close(conn, "the peer took too long to log in");
}

void sky_conn_await_login(struct sky_conn *conn)
{
    sky_conn_patience(conn, SKY_CONN_LOGIN_MS, on_login_overdue);
}

/* The lowest free number is taken (POSIX, accept), so a high one says how few are left. Without
 * some to spare neither the store nor a certificate could be opened, and a peer that cannot be
 * accepted would be told nothing. Whoever wants to know why asks the admin listener. */
static rlim_t spare_descriptors(const struct sky_listener *listener)
{
    return listener->row->allows & SKY_LISTEN_ADMIN ? SKY_NET_DESCRIPTORS_ADMIN
                                                    : SKY_NET_DESCRIPTORS_SPARE;
}

static bool spares_descriptors(const struct sky_listener *listener, int fd, rlim_t limit)
{
    return (rlim_t)fd + spare_descriptors(listener) < limit;
}

static rlim_t descriptor_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/* Recorded and said once in a while: a crowd comes in thousands. */
static void tell_crowd(struct sky_net *net, struct sky_net_crowd *crowd, const char *reason)
{
    bool closed = crowd == &net->turned_away;
    int64_t now_ms = net->clock->real_ms;
    crowd->count++;
    if (crowd->count > 1 && now_ms - crowd->told_ms < SKY_NET_CROWD_MS)
        return;
    crowd->told_ms = now_ms;
    const struct sky_attr attrs[] = {
        SKY_ATTR(NAME, sky_span_str(closed ? "connection-crowd" : "accept-failed")),
        SKY_ATTR_INT(COUNT, (int64_t)crowd->count), SKY_ATTR(REASON, sky_span_str(reason))};
    const struct sky_event_head head = {
        .type = SKY_EVENT_NOTE, .direction = SKY_UP, .transport = SKY_TCP};
    sky_journal_add(net->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    fprintf(stderr, "skymock: %llu %s so far: %s\n", (unsigned long long)crowd->count,
            closed ? "connections turned away"
                   : "tries to accept a connection failed, and whoever came waits,",
            reason);
}

static const char *why_no_room(const struct sky_listener *listener, int fd, rlim_t limit)
{
    if (listener->net->conn_count >= SKY_CONNS_MAX)
        return "there are as many as skymock can take";
    return spares_descriptors(listener, fd, limit)
               ? NULL
               : "the process is almost out of file descriptors; raise its limit (ulimit -n)";
}

static void begin(struct sky_conn *conn)
{
    sky_conn_await_login(conn);
    sky_conn_start(conn);
}

static void on_delay_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    begin(SKY_CONTAINER_OF(timer, struct sky_conn, alarm));
}

/* Serves the peer, unless a fault has it otherwise. The port has no alarm yet. */
static void receive(struct sky_conn *conn)
{
    struct sky_net *net = conn->net;
    struct sky_fate fate = {0};
    if (net->fate_of != NULL && !(conn->door->listener->allows & SKY_LISTEN_ADMIN))
        fate = net->fate_of(net->fate_ctx, conn, false);
    if (fate.withhold && fate.then == SKY_BREAK_NONE)
        sky_conn_freeze(conn, fate.fault, "a fault withheld it: nobody serves it");
    sky_conn_suffer(conn, &fate);
    if (conn->closing)
        return;
    if (fate.delay_ms > 0)
        sky_clock_timer(net->clock, &conn->alarm, fate.delay_ms, on_delay_over);
    else
        begin(conn);
}

static void admit(struct sky_listener *listener, int fd, rlim_t limit,
                  const struct sockaddr_in6 *peer)
{
    struct sky_net *net = listener->net;
    const char *trouble = why_no_room(listener, fd, limit);
    net->admitted++;
    net->sockets.more = true; /* it may have sent something already */
    if (trouble != NULL) {
        close(fd);
        tell_crowd(net, &net->turned_away, trouble);
        return;
    }
    struct sky_conn *conn = sky_mem_new(sizeof *conn);
    conn->net = net;
    conn->fd = fd;
    sky_conn_rest(conn);
    sky_conn__set_peer(conn, peer);
    conn->port = &sniff_port;
    conn->door = &listener->door;
    conn->id = ++net->last_id;
    DL_APPEND(net->conns, conn);
    net->conn_count++;
    net->accepted++;
    receive(conn);
}

static void on_waiting(uv_poll_t *poll, int status, int events);

static void on_rested(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_listener *listener = SKY_CONTAINER_OF(timer, struct sky_listener, rest);
    uv_poll_start(&listener->poll, UV_READABLE, on_waiting);
}

/* A thousand that come at once are let in by and by, and those who are in are served meanwhile.
 * When the system gives no descriptor, the peer goes on waiting and would wake the loop again at
 * once: nobody is asked for a while. (libuv's own listening asks for ever.) */
static void on_waiting(uv_poll_t *poll, int status, int events)
{
    struct sky_listener *listener = SKY_CONTAINER_OF(poll, struct sky_listener, poll);
    struct sky_net *net = listener->net;
    size_t gone = 0; /* peers, before they were accepted */
    (void)status;
    (void)events;
    rlim_t limit = descriptor_limit();
    sky_clock_tick(net->clock, uv_now(net->loop));
    while (net->admitted < SKY_NET_ADMIT_MAX && listener->open) {
        struct sockaddr_in6 peer = {.sin6_family = AF_UNSPEC}; /* or one of IPv4, in its place */
        socklen_t len = sizeof peer;
        int fd =
            accept4(listener->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(listener, fd, limit, &peer);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if ((errno == EINTR || errno == ECONNABORTED) && ++gone < SKY_NET_ADMIT_MAX)
            continue;
        tell_crowd(net, &net->not_given, strerror(errno));
        uv_poll_stop(&listener->poll);
        sky_clock_patience(net->clock, &listener->rest, SKY_LISTEN_REST_MS, on_rested);
        return;
    }
}

void sky_net_admit(struct sky_net *net)
{
    net->admitted = 0; /* whoever still waits makes the next poll end at once */
}

/* ---- listeners ---- */

sky_err sky_listener_resolve(const struct sky_listener_row *row, const struct sky_listen *want,
                             struct sockaddr_storage *ret_address, struct sky_why *why)
{
    /* The name that everybody's machine has needs no resolver (RFC 6761 §6.3). */
    const char *host = strcasecmp(want->host, "localhost") == 0 ? "127.0.0.1" : want->host;
    if (uv_ip4_addr(host, want->port, (struct sockaddr_in *)ret_address) == 0)
        return SKY_OK;
    if (uv_ip6_addr(host, want->port, (struct sockaddr_in6 *)ret_address) == 0)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_INVALID, "",
                       "listener %s: '%s' is neither an IP address nor localhost; give one as in "
                       "--listen %s=127.0.0.1:%u",
                       row->name, want->host, row->name, row->port);
}

sky_err sky_listener_why_busy(const struct sky_listener_row *row, const struct sky_listen *want,
                              int rc, struct sky_why *why)
{
    if (rc == UV_EMFILE)
        return sky_why_set(
            why, SKY_ERR_IO, "",
            "listener %s: no file descriptor is left for %s:%u: this process may have "
            "%llu; raise the limit (ulimit -n)",
            row->name, want->host, want->port, (unsigned long long)descriptor_limit());
    if (rc == UV_ENFILE)
        return sky_why_set(why, SKY_ERR_IO, "",
                           "listener %s: no file descriptor is left for %s:%u: all that the system "
                           "may have are open (sysctl fs.file-max)",
                           row->name, want->host, want->port);
    return sky_why_set(why, SKY_ERR_BUSY, "",
                       "listener %s: cannot listen on %s:%u: %s; move it with --listen "
                       "%s=HOST:PORT (port 0 takes a free one) or %s=off",
                       row->name, want->host, want->port, uv_strerror(rc), row->name, row->name);
}

struct sky_listener *sky_listener_add(struct sky_net *net, const struct sky_listener_row *row,
                                      const struct sky_listen *want)
{
    SKY_ASSERT(net->listener_count < SKY_LISTENERS_MAX);
    struct sky_listener *listener = &net->listeners[net->listener_count++];
    listener->net = net;
    listener->row = row;
    listener->door = (struct sky_door){.listener = row, .transport = SKY_TCP};
    sky_span_copy(sky_span_str(want->host), listener->host, sizeof listener->host);
    return listener;
}

uint16_t sky_listener_port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

/* A socket that listens, or what is wrong (as libuv says it). */
static int open_socket(const struct sockaddr_storage *address)
{
    static const int on = 1, off = 0;
    bool six = address->ss_family == AF_INET6;
    socklen_t len = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* Whom it accepts inherits TCP_NODELAY (tcp(7)): output is gathered in here already. */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
        (!six || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(fd, (const struct sockaddr *)address, len) == 0 && listen(fd, SKY_LISTEN_BACKLOG) == 0)
        return fd;
    int rc = uv_translate_sys_error(errno);
    if (fd >= 0)
        close(fd);
    return rc;
}

static sky_err listen_on(struct sky_net *net, const struct sky_listener_row *row,
                         const struct sky_listen *want, struct sky_why *why)
{
    struct sockaddr_storage address;
    sky_err err = sky_listener_resolve(row, want, &address, why);
    if (err != SKY_OK)
        return err;
    int fd = open_socket(&address), rc = fd;
    if (fd < 0)
        return sky_listener_why_busy(row, want, rc, why);
    struct sky_listener *listener = sky_listener_add(net, row, want);
    listener->fd = fd;
    rc = uv_poll_init_socket(net->loop, &listener->poll, fd);
    socklen_t len = sizeof address;
    if (rc == 0 && getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        rc = uv_translate_sys_error(errno);
        uv_close((uv_handle_t *)&listener->poll, NULL);
    }
    if (rc != 0) {
        close(fd);
        return sky_listener_why_busy(row, want, rc, why);
    }
    listener->open = true;
    listener->port = sky_listener_port_of(&address);
    rc = uv_poll_start(&listener->poll, UV_READABLE, on_waiting);
    return rc == 0 ? SKY_OK : sky_listener_why_busy(row, want, rc, why);
}

sky_err sky_net_open(struct sky_net *net, const struct sky_config *config, struct sky_why *why)
{
    net->read_buf = sky_mem_grow(NULL, SKY_NET_READ_SIZE);
    net->share = SKY_NET_READ_SIZE;
    int rc = sky_net_watch(net);
    if (rc < 0)
        return sky_why_set(why, SKY_ERR_IO, "",
                           "the system has no descriptors left for a server: %s; raise the limits "
                           "of this user (ulimit -n)",
                           uv_strerror(rc));
    const struct sky_listener_row *row;
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++) {
        const struct sky_listen *want = sky_config_listen(config, row);
        if (want->off || (row->allows & SKY_LISTEN_DTLS))
            continue;
        sky_err err = listen_on(net, row, want, why);
        if (err != SKY_OK)
            return err;
    }
    return SKY_OK;
}

sky_err sky_net_check_room(const struct sky_net *net, struct sky_why *why)
{
    const struct sky_listener *widest = NULL; /* whose peers have to leave most */
    for (size_t i = 0; i < net->listener_count; i++) {
        const struct sky_listener *listener = &net->listeners[i];
        if (listener->open && (widest == NULL || widest->row->allows & SKY_LISTEN_ADMIN))
            widest = listener;
    }
    if (widest == NULL)
        return SKY_OK;
    rlim_t limit = descriptor_limit(), spare = spare_descriptors(widest), room = 0;
    int lowest = fcntl(widest->fd, F_DUPFD_CLOEXEC, 0); /* that is free */
    rlim_t taken = lowest >= 0 ? (rlim_t)lowest : limit;
    if (lowest >= 0)
        close(lowest);
    if (taken + spare < limit)
        room = limit - spare - taken;
    if (room >= SKY_NET_ROOM_SMALL)
        return SKY_OK;
    unsigned long long all = limit, fit = room, want = taken + spare + SKY_NET_ROOM_SMALL;
    if (room == 0)
        return sky_why_set(why, SKY_ERR_IO, "",
                           "nobody could connect: this process may have %llu file descriptors, and "
                           "what it opens for itself takes them; raise the limit to %llu or more "
                           "(ulimit -n)",
                           all, want);
    fprintf(
        stderr,
        "skymock: room for %llu connection%s at most: this process may have %llu file descriptors; "
        "raise the limit to %llu or more (ulimit -n)\n",
        fit, fit == 1 ? "" : "s", all, want);
    return SKY_OK;
}

void sky_net_close_listeners(struct sky_net *net)
{
    for (size_t i = 0; i < net->listener_count; i++) {
        struct sky_listener *listener = &net->listeners[i];
        if (listener->open) {
            sky_clock_forgive(net->clock, &listener->rest);
            uv_close((uv_handle_t *)&listener->poll, NULL);
            close(listener->fd);
        }
        listener->open = false;
    }
}
