/* One accepted TCP peer: bytes in, bytes out, and who speaks for it.
 * Input: the port's on_bytes() sees the clear bytes that are there and says how many it used; the
 * rest is kept and shown again with more behind it. Output: appended to `out` and flushed once per
 * loop turn. A connection is never freed inside its own callback: sky_conn_close() marks it, and
 * the front door reaps it at the end of the turn. */
#ifndef SKY_SERVER_CONN_H
#define SKY_SERVER_CONN_H

#include <uv.h>

#include "protocol/base/buf.h"
#include "protocol/base/timerq.h"
#include "protocol/cloud/cloud.h"

struct sky_app;
struct sky_conn;
struct sky_session;
struct sky_tls;

/* Whoever speaks the clear bytes: MQTT, HTTP, or the sniffer before it is known. */
struct sky_port {
    const char *name;
    /* Returns bytes used, 0..in.len. Must not be called after sky_conn_close(). */
    size_t (*on_bytes)(struct sky_conn *conn, sky_span in);
    /* The output has drained below its low mark again, or NULL if the port does not care. */
    void (*on_drained)(struct sky_conn *conn);
    void (*on_close)(struct sky_conn *conn);
};

enum {
    SKY_CONN_INPUT_MAX = SKY_MQTT_PACKET_MAX, /* bytes kept of an incomplete packet */
    SKY_CONN_OUTPUT_MAX = 4 * 1024 * 1024,    /* bytes waiting for a peer that does not read */
    SKY_CONN_OUTPUT_LOW = 256 * 1024,
    SKY_CONN_FIRST_BYTE_MS = 10 * 1000, /* a silent peer is closed after this */
};

struct sky_conn {
    uv_tcp_t tcp;
    struct sky_app *app;
    const struct sky_port *port;
    const struct sky_listener_row *listener;
    struct sky_tls *tls; /* NULL: clear */
    void *state;         /* the port's own */
    struct sky_buf in;   /* kept input, empty between packets */
    struct sky_buf out;  /* clear bytes to be flushed */
    struct sky_conn *prev, *next;  /* all connections */
    struct sky_conn *next_dirty, *next_dying;
    struct sky_timer timer;        /* the port's: first byte, keepalive */
    uint32_t id;                   /* > 0, in the journal and the API */
    bool dirty, closing, writing;
};

/* Appends to the output; closes the peer (event, SKY_CONN_OUTPUT_MAX) when it does not read. */
void sky_conn_write(struct sky_conn *conn, sky_span bytes);
/* For encoders that append to conn->out themselves: marks it for the flush of this turn. */
void sky_conn_touch(struct sky_conn *conn);
/* Flushes what is written, then closes. Idempotent. */
void sky_conn_close(struct sky_conn *conn);

#endif
