/* Who speaks on a connection, and what may lie between: tables of functions. Vocabulary. */
#ifndef SKY_SERVER_NET_PORT_H
#define SKY_SERVER_NET_PORT_H

#include "protocol/base/buf.h"

struct sky_conn;

/* Whoever speaks the clear bytes: MQTT, HTTP, or the sniffer before it is known. Embedded in what
 * the port keeps for itself. */
struct sky_port {
    /* Returns bytes used, 0..in.len. Setting conn->port to another port hands the rest to it. */
    size_t (*on_bytes)(struct sky_conn *conn, sky_span in);
    /* All output has been taken by the kernel again after it had not; NULL: of no interest. */
    void (*on_drained)(struct sky_conn *conn);
    /* The moment of its cut_at_ms has been set; NULL: the port sets no alarm. */
    void (*on_cut)(struct sky_conn *conn);
    /* Called once, before the memory goes. */
    void (*on_close)(struct sky_conn *conn);
};

/* What lies between a connection's clear bytes and its port, as WebSocket does: it takes off on the
 * way in what it puts on on the way out. */
struct sky_wrap {
    /* Clear bytes have come; hands on what was in them with sky_conn_deliver(). */
    void (*on_bytes)(struct sky_conn *conn, sky_span in);
    /* Wraps all of conn->work->out and empties it. Returns what is to go out, which the caller
     * empties.
     */
    struct sky_buf *(*wrap)(struct sky_conn *conn);
    void (*end)(struct sky_conn *conn); /* the connection closes: the last that goes out */
    void (*release)(struct sky_conn *conn);
};

#endif
