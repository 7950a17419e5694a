/* What a connection has only while something is going on: bytes on their way, patience that runs
 * out, a fault's hands on it. Most do nothing most of the time, and share one of these. */
#ifndef SKY_SERVER_NET_WORK_H
#define SKY_SERVER_NET_WORK_H

#include "server/net/net.h"

/* That of connections that do nothing: it can be read, and says so, but not be written to. */
extern const struct sky_conn_work sky_conn_at_rest;

/* The connection's own, to be written to; it stays while there is something in it, and until the
 * end of the turn or of the input at least. */
struct sky_conn_work *sky_conn_work(struct sky_conn *conn);
/* The connection has none of its own: a new one, or one that must not be written to any more. */
void sky_conn_rest(struct sky_conn *conn);
/* The same, unless something goes on. */
void sky_conn_rest_if_idle(struct sky_conn *conn);
/* With all that it owns but a wrapping: the connection goes. */
void sky_conn_work_free(struct sky_conn_work *work);

void sky_conn_works_done(struct sky_conn_works *works);

/* Sets or moves, and ends, the connection's patience, in real time. */
void sky_conn_patience(struct sky_conn *conn, int64_t in_ms, sky_timer_fn *fire);
void sky_conn_forgive(struct sky_conn *conn);

#endif
