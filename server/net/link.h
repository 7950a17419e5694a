/* Where a peer can download what this server hands out: the beginning of its URLs. */
#ifndef SKY_SERVER_NET_LINK_H
#define SKY_SERVER_NET_LINK_H

#include "server/net/conn.h"

enum {
    SKY_LINK_HOST_MAX = 63, /* characters: SDKs have as little room */
    SKY_LINK_SIZE = SKY_LINK_HOST_MAX + 24,
};

/* "https://host:port/" for the peer of `conn`, into `out` of SKY_LINK_SIZE: by TLS if it came by
 * TLS; with the host that it came to, or `advertise_host`, if that is not NULL; and the port of the
 * listener of HTTP, which is left out where it is the scheme's own, and always with
 * `advertise_host`, where 80 and 443 lead to it. `conn` NULL: the peer comes by DTLS, and the host
 * is where that listener is bound. */
sky_span sky_link(const struct sky_net *net, struct sky_conn *conn, const char *advertise_host,
                  char out[SKY_LINK_SIZE]);

#endif
