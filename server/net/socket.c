#include "server/net/socket.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "protocol/base/mem.h"

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct sky_net *net = SKY_CONTAINER_OF(poll, struct sky_net, sockets.poll);
    struct epoll_event ready[SKY_SOCKETS_READY_MAX];
    (void)status;
    (void)events;
    int count = epoll_wait(net->sockets.set, ready, SKY_SOCKETS_READY_MAX, 0);
    for (int i = 0; i < count; i++) {
        struct sky_conn *conn = ready[i].data.ptr;
        bool broken = ready[i].events & (EPOLLERR | EPOLLHUP); /* whoever reads or writes is told */
        if (conn->reads && (broken || ready[i].events & EPOLLIN))
            net->sockets.readable(conn);
        if (conn->writes && (broken || ready[i].events & EPOLLOUT))
            net->sockets.writable(conn);
    }
}

int sky_sockets_open(struct sky_net *net, sky_socket_fn *readable, sky_socket_fn *writable)
{
    struct sky_sockets *sockets = &net->sockets;
    sockets->readable = readable;
    sockets->writable = writable;
    sockets->set = epoll_create1(EPOLL_CLOEXEC);
    if (sockets->set < 0)
        return -errno;
    int rc = uv_poll_init(net->loop, &sockets->poll, sockets->set);
    if (rc < 0) {
        close(sockets->set);
        return rc;
    }
    sockets->open = true;
    return uv_poll_start(&sockets->poll, UV_READABLE, on_ready);
}

void sky_sockets_close(struct sky_net *net)
{
    struct sky_sockets *sockets = &net->sockets;
    if (sockets->open && !uv_is_closing((uv_handle_t *)&sockets->poll))
        uv_close((uv_handle_t *)&sockets->poll, NULL);
}

void sky_sockets_done(struct sky_net *net)
{
    if (net->sockets.open)
        close(net->sockets.set);
    net->sockets.open = false;
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
    return epoll_ctl(conn->net->sockets.set,
                     is ? (was ? EPOLL_CTL_MOD : EPOLL_CTL_ADD) : EPOLL_CTL_DEL, conn->fd,
                     &event) == 0;
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
