/* Peers that speak something else than their listener: told by the first bytes. */
#ifndef SKY_SERVER_NET_FOREIGN_H
#define SKY_SERVER_NET_FOREIGN_H

#include "server/net/conn.h"

enum { SKY_FOREIGN_TEXT = SKY_FINDING_DETAIL_MAX };

/* `what`, which is wrong with the first bytes of a peer, behind what they look like and where that
 * is spoken: in `out`. `what` itself where they look like nothing that this listener does not
 * speak. */
const char *sky_foreign_words(const struct sky_conn *conn, sky_span bytes, const char *what,
                              char out[SKY_FOREIGN_TEXT]);

#endif
