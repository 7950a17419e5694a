/* The front door: listeners, accepting, sniffing, flushing, reaping. One path for every TCP
 * listener; a row of the table says what it lets in. */
#ifndef SKY_SERVER_NET_FRONT_H
#define SKY_SERVER_NET_FRONT_H

#include "protocol/base/err.h"
#include "server/net/conn.h"

struct sky_app;
struct sky_config;

enum {
    SKY_LISTENERS_MAX = 16,
    SKY_LISTEN_BACKLOG = 1024,
    SKY_CONNS_MAX = 60000,           /* open connections; more are closed at once */
    SKY_FRONT_READ_SIZE = 64 * 1024, /* the one read buffer of the loop */
    SKY_FRONT_READ_MIN = 512,        /* what a peer is read of in a turn, however many there are */
    SKY_FRONT_TURN_SIZE = 1024 * 1024, /* what all peers together are to be read of in a turn */
    SKY_FRONT_FLUSH_SIZE = 256 * 1024, /* output that does not wait for the end of the turn */
    SKY_FRONT_DRAINING_MAX = 1024,     /* peers that are closed gently; more are closed at once */
    SKY_FRONT_SPARES = 32,             /* output buffers kept for reuse */
    SKY_FRONT_SPARE_MAX = 64 * 1024,
};

struct sky_listener {
    uv_tcp_t tcp;
    struct sky_app *app;
    const struct sky_listener_row *row;
    char host[64];
    uint16_t port; /* as bound */
    bool open;
};

struct sky_front {
    struct sky_listener listeners[SKY_LISTENERS_MAX];
    size_t listener_count;
    struct sky_conn *conns, *dirty, *dying;
    struct sky_conn *lingering; /* closed by us, with output that the kernel has not taken yet, or
                                   while the peer reads it */
    size_t conn_count, draining;
    uint32_t last_id;
    uint32_t turn; /* of the loop; connections start with 0 */
    uint64_t accepted, turned_away;
    char *read_buf; /* owned, SKY_FRONT_READ_SIZE */
    size_t share;   /* how much of it a peer may fill in this turn */
    size_t taken;   /* bytes read in this turn */
    char *spares[SKY_FRONT_SPARES];
    size_t spare_count;
};

/* The general listeners; clouds add theirs. */
extern const struct sky_listener_row sky_front_rows[];
extern const size_t sky_front_row_count;
/* Every listener there can be, general and clouds'; returns NULL past the end. */
const struct sky_listener_row *sky_front_row(size_t index);
const struct sky_listener_row *sky_front_find_row(sky_span name);

/* Binds and listens on everything the configuration wants; on failure closes what it opened. */
SKY_MUST_USE sky_err sky_front_open(struct sky_app *app, struct sky_why *why);
void sky_front_close(struct sky_app *app); /* listeners and connections; needs loop turns after */
void sky_front_done(struct sky_app *app);  /* memory, once the loop has run empty */

/* For listeners that are not TCP's, and belong to somebody else: where to, why not, and a place in
 * the table that the ports file is written from (its `port` is to be set; the front door does not
 * open or close it). */
struct sky_listen;
SKY_MUST_USE sky_err sky_front_resolve(const struct sky_listener_row *row,
                                       const struct sky_listen *want,
                                       struct sockaddr_storage *ret_address, struct sky_why *why);
sky_err sky_front_why_busy(const struct sky_listener_row *row, const struct sky_listen *want,
                           int rc, struct sky_why *why);
struct sky_listener *sky_front_add_listener(struct sky_app *app, const struct sky_listener_row *row,
                                            const struct sky_listen *want);
uint16_t sky_front_port_of(const struct sockaddr_storage *address);

/* End of a loop turn: sends what was written, frees what was closed. */
void sky_front_flush(struct sky_app *app);

#endif
