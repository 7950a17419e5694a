/* The client id that a connection gave when it logged in. Most devices put theirs together of their
 * key and of what all of their kind say: the latter is kept, once for all of them. */
#ifndef SKY_SERVER_NET_CLIENT_ID_H
#define SKY_SERVER_NET_CLIENT_ID_H

#include "server/net/net.h"

enum { SKY_CLIENT_ID_KEPT = 256 }; /* bytes of it; longer ones are no cloud's */

/* It gave this one. To be said again when it is known whose it is (conn->device_id). */
void sky_conn_called(struct sky_conn *conn, sky_span client_id);
/* Empty: it gave none, or its device is in the registry no more. Valid as long as both `out` and
 * what was last said of it. */
sky_span sky_conn_client_id(const struct sky_conn *conn, char out[SKY_CLIENT_ID_KEPT]);

#endif
