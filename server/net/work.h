/* What a connection has only while something is going on: bytes on their way, patience that runs
 * out, a fault's hands on it. Most do nothing most of the time, and share one of these. */
#ifndef SKY_SERVER_NET_WORK_H
#define SKY_SERVER_NET_WORK_H

#include "protocol/base/buf.h"
#include "protocol/base/timerq.h"
#include "server/net/pending.h"

struct sky_bend;
struct sky_conn;
struct sky_psk_try;
struct sky_wrap;

enum { SKY_NET_WORKS_SPARE = 256 }; /* kept for the next connections that need one */

struct sky_conn_work {
    struct sky_conn *conn;  /* whose it is; of those that are spare, nobody's */
    struct sky_buf in;      /* kept input, empty between packets */
    struct sky_buf out;     /* written in this turn */
    struct sky_buf sending; /* handed to the kernel, not yet taken */
    struct sky_pending_share pending;
    struct sky_conn *next_dirty;
    struct sky_psk_try *psk;     /* owned; NULL unless a pre-shared key was asked for */
    const struct sky_wrap *wrap; /* NULL: the port has the clear bytes themselves */
    void *wrapping;              /* its own */
    struct sky_bend *bend;       /* owned; NULL: no fault has its hands on it */
    struct sky_timer patience;   /* real time: login limit, then linger limit */
    struct sky_timer spaced;     /* virtual time: the next of what waited for the device */
    int64_t cut_at_ms;           /* lived time at which the cloud cuts the link; 0: it does not */
    int64_t handshake_ms;        /* real time: its TLS handshake's beginning, then what that took */
    const char *close_reason;    /* static */
    size_t sent;                 /* bytes of `sending` that are out, where no bend sees to them */
    uint32_t drained;            /* bytes thrown away of a peer that is closed gently */
};

/* That of connections that do nothing: it can be read, and says so, but not be written to. */
extern const struct sky_conn_work sky_conn_at_rest;

/* The connection's own, to be written to; it stays while there is something in it, and until the
 * end of the turn or of the input at least. */
struct sky_conn_work *sky_conn_work(struct sky_conn *conn);
/* The connection has none of its own: a new one, or one that must not be written to any more. */
void sky_conn_rest(struct sky_conn *conn);
/* The same, unless something goes on. */
void sky_conn_rest_if_idle(struct sky_conn *conn);
/* With all that it owns but a wrapping: the connection goes. */
void sky_conn_work_free(struct sky_conn_work *work);

/* Spare ones. */
struct sky_conn_works {
    struct sky_conn_work *list[SKY_NET_WORKS_SPARE]; /* owned */
    size_t count;
};
void sky_conn_works_done(struct sky_conn_works *works);

/* Sets or moves, and ends, the connection's patience, in real time. */
void sky_conn_patience(struct sky_conn *conn, int64_t in_ms, sky_timer_fn *fire);
void sky_conn_forgive(struct sky_conn *conn);

#endif
