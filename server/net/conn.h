/* Connections: accepted TCP peers, bytes in, bytes out, and who speaks for each.
 * Input: the port's on_bytes() sees the clear bytes that are there and says how many it used; the
 * rest is kept and shown again with more behind it. Output: appended to sky_conn_out() and flushed
 * at the end of the loop's turn. A connection is never freed inside its own callback:
 * sky_conn_close() marks it, and it is reaped when its turn has come to be flushed. Knows ports by
 * their table of functions only. */
#ifndef SKY_SERVER_NET_CONN_H
#define SKY_SERVER_NET_CONN_H

#include <uv.h>

#include "protocol/base/buf.h"
#include "protocol/base/timerq.h"
#include "protocol/cloud/cloud.h"
#include "server/journal/journal.h"
#include "server/net/fate.h"
#include "server/net/port.h"
#include "server/net/socket.h"
#include "server/net/work.h"
#include "server/registry/registry.h"
#include "server/registry/rules.h"
#include "server/tls/ca.h"

struct sky_keylog;
struct sky_tap;
struct sky_tls;
struct sky_tls_server;

enum {
    SKY_LISTENERS_MAX = 16,
    SKY_CONNS_MAX = 60000,                    /* open connections; more are closed at once */
    SKY_CONN_INPUT_MAX = SKY_MQTT_PACKET_MAX, /* bytes kept of an incomplete packet */
    SKY_CONN_OUTPUT_MAX = 4 * 1024 * 1024,    /* bytes waiting for a peer that does not read */
    SKY_CONN_BYTES_SHOWN = 48,                /* of what an offender sent, as hex in the journal */
    SKY_CLOSE_LINGER_MS = 2 * 1000,        /* real time in which a closing peer may read the rest */
    SKY_CLOSE_DRIP_MS = 60 * 1000,         /* the same where a fault lets that only drip */
    SKY_CONN_DRAIN_MAX = 32 * 1024 * 1024, /* bytes thrown away of one that is closed gently */
    SKY_CONN_DRAIN_MS = 5 * 1000,          /* and real time that takes */
    SKY_CONN_DRAINING_MAX = 1024,          /* peers closed so; more are closed at once */

    SKY_NET_DESCRIPTORS_SPARE = 24, /* file descriptors that devices leave for everything else, */
    SKY_NET_DESCRIPTORS_ADMIN = 8,  /* and that the admin API leaves, so that it can be asked why */
    SKY_NET_CROWD_MS = 10 * 1000,   /* real time between two notes about one crowd */

    SKY_NET_READ_SIZE = 64 * 1024,   /* the one read buffer of the loop */
    SKY_NET_READ_MIN = 512,          /* what a peer is read of at a time, however many there are */
    SKY_LISTEN_REST_MS = 100,        /* when the system does not give a peer, or a datagram */
    SKY_NET_ADMIT_MAX = 32,          /* peers that are accepted at a time, however many there are */
    SKY_NET_FLUSH_SIZE = 256 * 1024, /* output that does not wait for the end of the turn */
    SKY_NET_SPARES = 32,             /* output buffers kept for reuse */
    SKY_NET_SPARE_MAX = 64 * 1024,
};

struct sky_listener {
    uv_poll_t poll;
    int fd; /* owned while it is open */
    struct sky_timer rest;
    struct sky_net *net;
    const struct sky_listener_row *row;
    struct sky_door door; /* of whoever comes in and has shown nothing yet */
    char host[64];
    uint16_t port; /* as bound */
    bool open;
};

/* Newcomers who cannot be served: so many, and when (real time) that was said last. */
struct sky_net_crowd {
    uint64_t count;
    int64_t told_ms;
};

/* What all connections share. */
struct sky_net {
    /* Borrowed; set before listeners are opened. */
    uv_loop_t *loop;
    struct sky_registry *registry;
    struct sky_journal *journal;
    struct sky_clock *clock;
    struct sky_port *mqtt, *http; /* who speaks behind the first clear byte */
    /* Asked before the server ends a connection: false keeps it. NULL: nobody is. */
    bool (*may_close)(void *ctx, struct sky_conn *conn, const char *reason);
    void *may_close_ctx;
    /* What becomes of a peer that was accepted, or of a handshake when it is known whose it is.
     * NULL: they pass. */
    struct sky_fate (*fate_of)(void *ctx, struct sky_conn *conn, bool handshake);
    void *fate_ctx;
    /* Besides connections, who is to be let go of by sky_net_thaw(); NULL: nobody is. */
    void (*on_thaw)(void *ctx, uint64_t by);
    void *on_thaw_ctx;
    /* Ends a turn of the loop in the midst of what a poll has found. NULL: no turn ends there. */
    void (*end_turn)(void *ctx);
    void *end_turn_ctx;
    struct sky_tap *tap; /* borrowed; NULL: nobody captures what passes. See tap.h */

    struct sky_ca *ca;                 /* owned, by secure.c; NULL: not open */
    struct sky_tls_server *tls;        /* owned, likewise */
    struct sky_keylog *keylog;         /* owned, likewise; NULL: there is none */
    struct sky_ca_waiter certificates; /* until they are made and kept */

    struct sky_sockets sockets;
    struct sky_listener listeners[SKY_LISTENERS_MAX];
    size_t listener_count;
    struct sky_conn *conns;
    struct sky_conn *dirty, *last_dirty; /* for whom the end of the turn has work, in turn */
    struct sky_conn *lingering; /* closed by us, with output that the kernel has not taken yet, or
                                   while the peer reads it */
    struct sky_conn *dead;      /* whose memory goes when nobody can be at work with it */
    struct sky_pending pending;
    size_t conn_count, draining, frozen;
    uint32_t last_id;
    uint32_t turn; /* of the loop; connections start with 0 */
    uint64_t accepted;
    struct sky_net_crowd turned_away; /* closed again, for want of room */
    struct sky_net_crowd not_given;   /* tries that the system refused: whoever came waits */
    char *read_buf;                   /* owned, SKY_NET_READ_SIZE */
    size_t share;                     /* how much of it a peer may fill at a time */
    size_t admitted;                  /* peers, since the last poll */
    char *spares[SKY_NET_SPARES];
    size_t spare_count;
    struct sky_conn_works works;
};

struct sky_conn {
    struct sky_net *net;
    struct sky_port *port;
    struct sky_conn_work *work;   /* never NULL; see work.h */
    struct sky_tls *tls;          /* NULL: clear */
    void *state;                  /* the port's own */
    struct sky_door *door;        /* its listener's, unless it has one of its own */
    struct sky_conn *prev, *next; /* all connections; once reaped, those that linger */
    struct sky_timer alarm;       /* virtual time: the port's, keepalive for MQTT */
    int64_t device_id;            /* registry id of the device it was admitted as; 0: none */
    char *client_id;              /* owned: that it gave when it logged in; NULL: none yet */
    struct sockaddr_in6 peer;     /* or a sockaddr_in, which is shorter */
    int fd;                       /* owned; -1 once it is shut */
    uint32_t id;                  /* > 0, in the journal and the API */
    uint32_t touched;             /* a bit for each point at which a fault had its hands on it */
    bool dirty : 1, closing : 1, reaped : 1, lingers : 1, shut : 1, held : 1;
    bool reads : 1, writes : 1; /* what its socket is watched for */
    bool own_door : 1;
    bool rewrapped : 1; /* the rest of the input came wrapped */
    bool gentle : 1;    /* what comes after closing is to be thrown away for a while */
    bool drains : 1;    /* and is */
    bool left : 1;      /* the peer ended it */
    bool broke : 1;     /* and not as one should */
    bool sniffed : 1;   /* its first clear byte has told who speaks */
    bool waits : 1;     /* the port does not look at its input before its patience ends */
    bool late : 1;      /* nor before a fault lets its first packet in */
    bool mute : 1;      /* nothing is written any more */
    bool frozen : 1;    /* and nothing read, and the socket stays */
    bool aborts : 1;    /* it ends with a reset */
};

/* How it came in, to be written to: from now on its own. */
struct sky_door *sky_conn_own_door(struct sky_conn *conn);

/* The connection's output, ready to append to; marks it for this turn's flush. Peers that let more
 * than SKY_CONN_OUTPUT_MAX pile up are closed when the turn ends. */
struct sky_buf *sky_conn_out(struct sky_conn *conn);
void sky_conn_touch(struct sky_conn *conn); /* it has something for the end of the turn */
void sky_conn_write(struct sky_conn *conn, sky_span bytes);
/* The port keeps so many bytes for the peer besides: they count among what waits for it. */
void sky_conn_keeps(struct sky_conn *conn, size_t bytes);

/* Reads from the peer from now on. */
void sky_conn_start(struct sky_conn *conn);
/* Clear bytes from the peer, for whoever takes off what they were wrapped in. */
void sky_conn_clear(struct sky_conn *conn, sky_span in);
/* From within the port's on_bytes(): what it leaves of its input, and whatever comes after, is
 * wrapped, and the port that it has set meanwhile gets what is in it. */
void sky_conn_wrap(struct sky_conn *conn, const struct sky_wrap *wrap, void *wrapping);
/* What the wrapping has taken off: for the port. */
void sky_conn_deliver(struct sky_conn *conn, sky_span in);
/* Shows the kept input to the port again, for ports that left it until they were ready. */
void sky_conn_offer(struct sky_conn *conn);
/* Stops or resumes reading from the peer, for ports that push back. */
void sky_conn_hold(struct sky_conn *conn, bool hold);

/* Marks for closing: nothing is read any more, what was written is flushed, then it goes.
 * Idempotent; the first reason (a static string) counts. */
void sky_conn_close(struct sky_conn *conn, const char *reason);
/* The same, where it is the peer that ended it. */
void sky_conn_gone(struct sky_conn *conn, const char *reason);
/* The same for a peer that may still be sending and is to read why it is closed: it gets the end of
 * our side first, and what it sends is thrown away for a while, for a socket that is closed with
 * bytes unread resets, and takes back what was written (RFC 9112 §9.6). */
void sky_conn_close_gently(struct sky_conn *conn, const char *reason);
/* The cloud ends the connection `in_ms` of virtual time from now. */
void sky_conn_cut(struct sky_conn *conn, int64_t in_ms);

/* The address the peer has reached, "127.0.0.1", in `out` of at least 64 bytes. */
sky_span sky_conn_local(struct sky_conn *conn, char *out, size_t out_size);
/* "127.0.0.1:40123" into `out` of at least 64 bytes; nothing when the address is not known. */
void sky_address_text(const struct sockaddr *address, char *out, size_t out_size);
void sky_conn_peer(struct sky_conn *conn, char *out, size_t out_size);

/* Is this the first of a TLS handshake, on a listener that speaks TLS? */
static inline bool sky_conn_begins_tls(const struct sky_conn *conn, sky_span in)
{
    return !conn->sniffed && conn->tls == NULL && in.len > 0 && in.ptr[0] == 0x16 &&
           (conn->door->listener->allows & SKY_LISTEN_TLS);
}

/* ---- what is told ---- */

/* The head of an event about this connection. */
struct sky_event_head sky_conn_event(const struct sky_conn *conn, enum sky_event_type type,
                                     enum sky_direction direction);
/* Records that the peer is turned away for what it sent: the rule it broke, the bytes that did, and
 * what was wrong in one phrase. */
void sky_conn_refused(struct sky_conn *conn, const struct sky_rule *rule, sky_span bytes,
                      const char *what);
/* Turns away a peer for whom more waits than `waiting` holds; else nothing. */
void sky_conn_refuse_backlog(struct sky_conn *conn, const struct sky_buf *waiting);
/* Records the end of a connection and its reason. */
void sky_conn_left(struct sky_conn *conn);

/* ---- all of them ---- */

/* End of a loop turn: sends what was written, parts with who was closed; for another turn's time,
 * as a message to thousands takes longer to send than to write. False: some are left, who come
 * first at the end of the next turn, with what that has written for them too. */
bool sky_net_flush(struct sky_net *net);
/* The last that a callback of the loop does which has taken something in: where that has spent the
 * turn, the turn ends here, and what else the poll has found belongs to the next. True: it did. */
bool sky_net_turn_over(struct sky_net *net);
/* Before the loop polls again: to take in what the last poll has found took so long. Whoever is
 * shut goes. */
void sky_net_share(struct sky_net *net, int64_t took_us);
/* Closes every connection; needs loop turns after. */
void sky_net_close_conns(struct sky_net *net);
void sky_net_done(struct sky_net *net); /* memory, once the loop has run empty */

#endif
