/* The sockets of connections: a descriptor each, and no handle of the loop's, which would be as
 * much memory as all else that an idle connection has. One epoll set has them all, and the loop
 * watches that. Knows neither bytes nor ports. */
#ifndef SKY_SERVER_NET_SOCKET_H
#define SKY_SERVER_NET_SOCKET_H

#include <sys/types.h>
#include <uv.h>

#include "protocol/base/span.h"

struct sky_conn;
struct sky_net;

struct sky_sockets {
    uv_poll_t poll;
    int set; /* owned while it is open */
    bool open;
};

enum { SKY_SOCKETS_READY_MAX = 512 }; /* looked at in one poll; the rest comes with the next */

/* Opens the set; 0, or what the system refused (libuv's number). */
int sky_sockets_open(struct sky_net *net);
void sky_sockets_close(struct sky_net *net); /* needs a loop turn after; idempotent */
void sky_sockets_done(struct sky_net *net);  /* the descriptor, once the loop has run empty */

/* What the connection waits for: bytes to read, room to write to. False: the system does not let us
 * watch it. */
bool sky_socket_watch(struct sky_conn *conn, bool reads, bool writes);
/* Bytes taken, or libuv's number: UV_EAGAIN when there is no room. */
ssize_t sky_socket_send(const struct sky_conn *conn, sky_span bytes);
/* Bytes there were, 0 at the peer's end, or libuv's number: UV_EAGAIN when there are none. */
ssize_t sky_socket_receive(const struct sky_conn *conn, char *out, size_t out_size);
/* It goes at once; what the poll has found for it is not looked at. */
void sky_socket_close(struct sky_conn *conn);

#endif
