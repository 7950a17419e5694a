/* What faults do to a connection: it ends with a reset, is left hanging half open, or what goes out
 * drips, is cut off, or arrives changed. Bytes are those of the wire: with TLS, of its records. */
#ifndef SKY_SERVER_NET_BEND_H
#define SKY_SERVER_NET_BEND_H

#include "server/net/conn.h"
#include "server/net/fate.h"

enum {
    SKY_BEND_FROZEN_MAX = 1024, /* peers left hanging; for one more the first is let go */
    SKY_BEND_LOOK_MS = 200,     /* real time between two looks whether such a peer has left */
    SKY_BEND_TICK_MS = 10,      /* real time between two drips, if a byte is due by then */
};

/* Ends it with a reset (RST): what was written and not sent yet is dropped. */
void sky_conn_reset(struct sky_conn *conn, const char *reason);
/* Leaves the peer hanging: nothing is read or written any more, no end either. For the server the
 * connection is over at once, with this reason; the descriptor stays until the peer has left,
 * sky_net_thaw(), or SKY_BEND_FROZEN_MAX others hang. `by` is what thawing knows it by. */
void sky_conn_freeze(struct sky_conn *conn, uint64_t by, const char *reason);
/* Lets go of those that were frozen `by`, with a reset; 0: of all. */
void sky_net_thaw(struct sky_net *net, uint64_t by);

/* What goes out goes at that speed from now on, in real time; 0: as fast as it can. */
void sky_conn_drip(struct sky_conn *conn, uint32_t bytes_per_s);
/* So many more bytes go out; then the connection ends. */
void sky_conn_cut_off(struct sky_conn *conn, uint64_t bytes, const char *reason);
/* So many bytes are changed of what goes out, from `at` further ones on. */
void sky_conn_corrupt(struct sky_conn *conn, uint64_t at, unsigned bytes);
/* Of a stream, `count` bytes are to be changed from its byte `at` on: changes those that are in the
 * buffer, in which what lies behind `from` begins with the stream's byte `passed`. */
void sky_bend_flip(struct sky_buf *buf, size_t from, uint64_t passed, uint64_t at, unsigned count);

/* Carries out what a fate has for the connection itself: how it ends, and how fast it goes. */
void sky_conn_suffer(struct sky_conn *conn, const struct sky_fate *fate);

#endif
