/* One accepted TCP peer: bytes in, bytes out, and who speaks for it.
 * Input: the port's on_bytes() sees the clear bytes that are there and says how many it used; the
 * rest is kept and shown again with more behind it. Output: appended to sky_conn_out() and flushed
 * once per loop turn. A connection is never freed inside its own callback: sky_conn_close() marks
 * it, and the front door reaps it at the end of the turn. */
#ifndef SKY_SERVER_NET_CONN_H
#define SKY_SERVER_NET_CONN_H

#include <uv.h>

#include "protocol/base/buf.h"
#include "protocol/base/timerq.h"
#include "protocol/cloud/cloud.h"

struct sky_app;
struct sky_conn;
struct sky_psk_try;
struct sky_tls;

/* Whoever speaks the clear bytes: MQTT, HTTP, or the sniffer before it is known. */
struct sky_port {
    const char *name;
    /* Returns bytes used, 0..in.len. Setting conn->port to another port hands the rest to it. */
    size_t (*on_bytes)(struct sky_conn *conn, sky_span in);
    /* All output has been taken by the kernel again after it had not; NULL: of no interest. */
    void (*on_drained)(struct sky_conn *conn);
    /* Called once, before the memory goes. */
    void (*on_close)(struct sky_conn *conn);
};

/* What lies between a connection's clear bytes and its port, as WebSocket does: it takes off on the
 * way in what it puts on on the way out. */
struct sky_wrap {
    /* Clear bytes have come; hands on what was in them with sky_conn_deliver(). */
    void (*on_bytes)(struct sky_conn *conn, sky_span in);
    /* Wraps all of conn->out and empties it. Returns what is to go out, which the caller empties.
     */
    struct sky_buf *(*wrap)(struct sky_conn *conn);
    void (*end)(struct sky_conn *conn); /* the connection closes: the last that goes out */
    void (*release)(struct sky_conn *conn);
};

enum {
    SKY_CONN_INPUT_MAX = SKY_MQTT_PACKET_MAX, /* bytes kept of an incomplete packet */
    SKY_CONN_OUTPUT_MAX = 4 * 1024 * 1024,    /* bytes waiting for a peer that does not read */
    SKY_CONN_DRAIN_MAX = 32 * 1024 * 1024, /* bytes thrown away of a peer that is closed gently */
    SKY_CONN_DRAIN_MS = 5 * 1000,          /* and real time that takes */
    SKY_CONN_LOGIN_MS = 10 * 1000, /* real time from accept to a complete CONNECT or request */
};

struct sky_conn {
    uv_tcp_t tcp;
    struct sky_app *app;
    const struct sky_port *port;
    struct sky_tls *tls;         /* NULL: clear */
    struct sky_psk_try *psk;     /* owned; NULL unless a pre-shared key was asked for */
    const struct sky_wrap *wrap; /* NULL: the port has the clear bytes themselves */
    void *wrapping;              /* its own */
    void *state;                 /* the port's own */
    struct sky_door door;
    struct sky_buf in;            /* kept input, empty between packets */
    struct sky_buf out;           /* written in this turn */
    struct sky_buf sending;       /* handed to the kernel, not yet taken */
    struct sky_conn *prev, *next; /* all connections; once reaped, those that linger */
    struct sky_conn *next_dirty, *next_dying;
    struct sky_timer patience; /* real time: login limit, then linger limit */
    struct sky_timer alarm;    /* virtual time: the port's, keepalive for MQTT */
    int64_t cut_at_ms;         /* virtual time at which the cloud cuts the link; 0: it does not */
    int64_t device_id;         /* registry id of the device it was admitted as; 0: none */
    const char *close_reason;  /* static */
    uint32_t id;               /* > 0, in the journal and the API */
    uint32_t read_turn;        /* the turn of the loop in which it was last read from */
    uint32_t drained;          /* bytes thrown away of a peer that is closed gently */
    bool dirty, closing, reaped, lingers, shut, held;
    bool rewrapped; /* the rest of the input came wrapped */
    bool gentle;    /* what comes after closing is to be thrown away for a while */
    bool drains;    /* and is */
    bool waits;     /* the port does not look at its input before its patience ends */
};

/* The connection's output, ready to append to; marks it for this turn's flush. Peers that let more
 * than SKY_CONN_OUTPUT_MAX pile up are closed when the turn ends. */
struct sky_buf *sky_conn_out(struct sky_conn *conn);
void sky_conn_touch(struct sky_conn *conn); /* flush this turn */
void sky_conn_write(struct sky_conn *conn, sky_span bytes);

/* Clear bytes from the peer, for whoever takes off what they were wrapped in. */
void sky_conn_clear(struct sky_conn *conn, sky_span in);

/* From within the port's on_bytes(): what it leaves of its input, and whatever comes after, is
 * wrapped, and the port that it has set meanwhile gets what is in it. */
void sky_conn_wrap(struct sky_conn *conn, const struct sky_wrap *wrap, void *wrapping);
/* What the wrapping has taken off: for the port. */
void sky_conn_deliver(struct sky_conn *conn, sky_span in);

/* The time in which a peer has to log in runs from now. */
void sky_conn_await_login(struct sky_conn *conn);

/* Shows the kept input to the port again, for ports that left it until they were ready. */
void sky_conn_offer(struct sky_conn *conn);

/* Stops or resumes reading from the peer, for ports that push back. */
void sky_conn_hold(struct sky_conn *conn, bool hold);

/* Marks for closing: nothing is read any more, what was written is flushed, then it goes.
 * Idempotent; the first reason (a static string) counts. */
void sky_conn_close(struct sky_conn *conn, const char *reason);

/* The same for a peer that may still be sending and is to read why it is closed: it gets the end of
 * our side first, and what it sends is thrown away for a while, for a socket that is closed with
 * bytes unread resets, and takes back what was written (RFC 9112 §9.6). */
void sky_conn_close_gently(struct sky_conn *conn, const char *reason);

/* The address the peer has reached, "127.0.0.1", in `out` of at least 64 bytes. */
sky_span sky_conn_local(struct sky_conn *conn, char *out, size_t out_size);

/* "127.0.0.1:40123" into `out` of at least 64 bytes. */
void sky_conn_peer(struct sky_conn *conn, char *out, size_t out_size);

#endif
