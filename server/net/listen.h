/* Listeners: accepting peers, and sniffing who is to speak with each. One path for every TCP
 * listener; a row of the table says what it lets in. */
#ifndef SKY_SERVER_NET_LISTEN_H
#define SKY_SERVER_NET_LISTEN_H

#include "protocol/base/err.h"
#include "server/net/conn.h"
#include "server/os/config.h"

enum {
    SKY_LISTEN_BACKLOG = 1024,
    SKY_CONN_LOGIN_MS = 10 * 1000, /* real time from accept to a complete CONNECT or request */
};

/* Binds and listens on everything the configuration wants; on failure the caller closes what was
 * opened. */
SKY_MUST_USE sky_err sky_net_open(struct sky_net *net, const struct sky_config *config,
                                  struct sky_why *why);
/* Once all that a server opens is open: SKY_ERR_IO when no connection would be let in, for want of
 * file descriptors. Where only few would, that is said (stderr). */
SKY_MUST_USE sky_err sky_net_check_room(const struct sky_net *net, struct sky_why *why);
void sky_net_close_listeners(struct sky_net *net); /* needs loop turns after */

/* Before the loop polls again: lets in whom the last poll had no more time for. */
void sky_net_admit(struct sky_net *net);

/* The time in which a peer has to log in runs from now. */
void sky_conn_await_login(struct sky_conn *conn);

/* For listeners that are not TCP's, and belong to somebody else: where to, why not, and a place in
 * the table that the ports file is written from (its `port` is to be set; it is not opened or
 * closed here). */
SKY_MUST_USE sky_err sky_listener_resolve(const struct sky_listener_row *row,
                                          const struct sky_listen *want,
                                          struct sockaddr_storage *ret_address,
                                          struct sky_why *why);
sky_err sky_listener_why_busy(const struct sky_listener_row *row, const struct sky_listen *want,
                              int rc, struct sky_why *why);
struct sky_listener *sky_listener_add(struct sky_net *net, const struct sky_listener_row *row,
                                      const struct sky_listen *want);
uint16_t sky_listener_port_of(const struct sockaddr_storage *address);

#endif
