/* The sockets of connections: a descriptor each, and no handle of the loop's, which would be as
 * much memory as all else that an idle connection has. An epoll set has those of devices, another
 * those of the admin listener, and the loop watches the sets: whoever asks is heard after all that
 * devices had sent before the question, so that it is in the answer. A poll does not always find
 * all of that (newcomers, more than a peer may send at a time, or than is looked at): then the next
 * is waited for, within bounds.
 * Knows neither bytes nor ports. */
#ifndef SKY_SERVER_NET_SOCKET_H
#define SKY_SERVER_NET_SOCKET_H

#include <sys/types.h>

#include "server/net/net.h"

enum {
    SKY_SOCKETS_READY_MAX = 1024,     /* looked at in one poll; the rest comes with the next */
    SKY_SOCKETS_ASKED_US = 20 * 1000, /* whoever asks waits no longer for devices to be heard */
};

typedef void sky_socket_fn(struct sky_conn *conn);

/* Opens the sets; 0, or what the system refused (libuv's number). Both are called for whoever waits
 * for it, and for whoever is broken, too: reading or writing tells of that. */
int sky_sockets_open(struct sky_net *net, sky_socket_fn *readable, sky_socket_fn *writable);
void sky_sockets_close(struct sky_net *net); /* needs a loop turn after; idempotent */
void sky_sockets_done(struct sky_net *net);  /* the descriptors, once the loop has run empty */
/* The last of a poll: whoever asks. False: not yet, and the loop must not sleep. */
bool sky_sockets_hear(struct sky_net *net);

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
