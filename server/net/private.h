/* What the files of connections share. */
#ifndef SKY_SERVER_NET_PRIVATE_H
#define SKY_SERVER_NET_PRIVATE_H

#include "server/net/net.h"

/* Marks for closing, without asking whether it may. */
void sky_conn__end(struct sky_conn *conn, const char *reason);
/* The socket goes. Idempotent. */
void sky_conn__finish(struct sky_conn *conn);
/* What goes onto the wire: the output as it is, or wrapped, or sealed, or both. */
struct sky_buf *sky_conn__wire(struct sky_conn *conn);
/* Empties the buffer; memory of the common size is kept for the next connection that writes. */
void sky_conn__recycle(struct sky_net *net, struct sky_buf *buf);
/* Sends what waits for the end of the turn, of connections for which that is all there is to do. */
void sky_net__flush_early(struct sky_net *net);
/* Too much waits for all peers together: what only waits for the end of the turn goes out; then
 * those for whom most waits are marked for closing, and what they had is gone. */
void sky_net__relieve(struct sky_net *net);
/* Counts what waits for the peer anew; where it has grown, connections may go by it, this one too.
 */
void sky_conn__book(struct sky_conn *conn);
/* All that was `sending` has been taken. */
void sky_conn__sent(struct sky_conn *conn);

/* Sends the output as the bend has it; nothing is `sending`. */
void sky_conn__flush_bent(struct sky_conn *conn);
/* Whose it is: an address of IPv6, or one of IPv4 in its place. */
void sky_conn__set_peer(struct sky_conn *conn, const struct sockaddr_in6 *peer);

/* The peer hangs, and the server has let go of it. */
void sky_conn__hang(struct sky_conn *conn);
void sky_conn__unbend(struct sky_conn *conn); /* the socket goes */

#endif
