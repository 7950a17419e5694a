#include "server/net/socket.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "protocol/base/mem.h"
#include "server/os/clock.h"

static void serve(struct sky_sockets *sockets, const struct sky_socket_set *set)
{
    struct epoll_event ready[SKY_SOCKETS_READY_MAX];
    int count = epoll_wait(set->fd, ready, SKY_SOCKETS_READY_MAX, 0);
    sockets->more |= count < 0 || count == SKY_SOCKETS_READY_MAX;
    for (int i = 0; i < count; i++) {
        struct sky_conn *conn = ready[i].data.ptr;
        bool broken = ready[i].events & (EPOLLERR | EPOLLHUP); /* whoever reads or writes is told */
        if (conn->reads && (broken || ready[i].events & EPOLLIN))
            sockets->readable(conn);
        if (conn->writes && (broken || ready[i].events & EPOLLOUT))
            sockets->writable(conn);
    }
}

static void on_devices(uv_poll_t *poll, int status, int events)
{
    struct sky_sockets *sockets = SKY_CONTAINER_OF(poll, struct sky_sockets, devices.poll);
    (void)status;
    (void)events;
    serve(sockets, &sockets->devices);
}

static void on_askers(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct sky_sockets *sockets = SKY_CONTAINER_OF(poll, struct sky_sockets, askers.poll);
    if (!sockets->asked)
        sockets->asked_us = sky_clock_machine_us();
    sockets->asked = true;
}

bool sky_sockets_hear(struct sky_net *net)
{
    struct sky_sockets *sockets = &net->sockets;
    bool more = sockets->more;
    sockets->more = false;
    if (!sockets->asked)
        return true;
    if (more && sky_clock_machine_us() - sockets->asked_us < SKY_SOCKETS_ASKED_US)
        return false;
    sockets->asked = false;
    serve(sockets, &sockets->askers);
    return true;
}

static int open_set(struct sky_net *net, struct sky_socket_set *set, uv_poll_cb on_ready)
{
    set->fd = epoll_create1(EPOLL_CLOEXEC);
    if (set->fd < 0)
        return -errno;
    int rc = uv_poll_init(net->loop, &set->poll, set->fd);
    if (rc < 0) {
        close(set->fd);
        return rc;
    }
    set->open = true;
    return uv_poll_start(&set->poll, UV_READABLE, on_ready);
}

int sky_sockets_open(struct sky_net *net, sky_socket_fn *readable, sky_socket_fn *writable)
{
    struct sky_sockets *sockets = &net->sockets;
    sockets->readable = readable;
    sockets->writable = writable;
    int rc = open_set(net, &sockets->devices, on_devices);
    return rc == 0 ? open_set(net, &sockets->askers, on_askers) : rc;
}

static void close_set(struct sky_socket_set *set)
{
    if (set->open && !uv_is_closing((uv_handle_t *)&set->poll))
        uv_close((uv_handle_t *)&set->poll, NULL);
}

void sky_sockets_close(struct sky_net *net)
{
    close_set(&net->sockets.devices);
    close_set(&net->sockets.askers);
}

static void set_done(struct sky_socket_set *set)
{
    if (set->open)
        close(set->fd);
    set->open = false;
}

void sky_sockets_done(struct sky_net *net)
{
    set_done(&net->sockets.devices);
    set_done(&net->sockets.askers);
}

static const struct sky_socket_set *set_of(const struct sky_conn *conn)
{
    const struct sky_sockets *sockets = &conn->net->sockets;
    return conn->door->listener->allows & SKY_LISTEN_ADMIN ? &sockets->askers : &sockets->devices;
}

bool sky_socket_watch(struct sky_conn *conn, bool reads, bool writes)
{
    bool was = conn->reads || conn->writes, is = reads || writes;
    struct epoll_event event = {.events = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U),
                                .data.ptr = conn};
    if (reads == conn->reads && writes == conn->writes)
        return true;
    conn->reads = reads;
    conn->writes = writes;
    return epoll_ctl(set_of(conn)->fd, is ? (was ? EPOLL_CTL_MOD : EPOLL_CTL_ADD) : EPOLL_CTL_DEL,
                     conn->fd, &event) == 0;
}

ssize_t sky_socket_send(const struct sky_conn *conn, sky_span bytes)
{
    ssize_t sent;
    do
        sent = write(conn->fd, bytes.ptr, bytes.len);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t sky_socket_receive(const struct sky_conn *conn, char *out, size_t out_size)
{
    ssize_t got;
    do
        got = read(conn->fd, out, out_size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

void sky_socket_close(struct sky_conn *conn)
{
    (void)sky_socket_watch(conn, false, false);
    close(conn->fd);
    conn->fd = -1;
}
