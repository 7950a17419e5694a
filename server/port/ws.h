/* WebSocket on a connection: a layer between its clear bytes and the port that speaks in them,
 * which is MQTT's. libwebsockets speaks it, and nothing else of the program knows that library: it
 * gets the bytes of each connection through a socket pair of its own, from the upgrade request on
 * that our parser has accepted. Neither end is ever waited for: whatever goes in at one end is
 * taken out at the other at once. (RFC 6455; MQTT 3.1.1 §6) */
#ifndef SKY_SERVER_PORT_WS_H
#define SKY_SERVER_PORT_WS_H

#include "protocol/base/err.h"
#include "server/net/conn.h"
#include "server/port/http.h"

enum { SKY_WS_CONNS_MAX = 2 * 1024 }; /* each is two descriptors more; further ones: 503 */

struct sky_ws;

/* The library starts with the first upgrade. */
struct sky_ws *sky_ws_open(void);
/* After every connection has gone for good. NULL is fine. */
void sky_ws_close(struct sky_ws *ws);

/* Takes the connection over, on any path, with the subprotocol mqtt. Else returns why not, as the
 * HTTP port's upgrade hook does. */
const char *sky_ws_upgrade(struct sky_ws *ws, struct sky_conn *conn,
                           const struct sky_http_head *head, sky_span bytes,
                           struct sky_http_reply *ret_reply);

#endif
