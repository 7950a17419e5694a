/* What there is of connections: each, its listener, and what all of them share. Vocabulary; what is
 * done with them is in the headers beside this one. */
#ifndef SKY_SERVER_NET_NET_H
#define SKY_SERVER_NET_NET_H

#include <uv.h>

#include "protocol/base/buf.h"
#include "protocol/base/texts.h"
#include "protocol/base/timerq.h"
#include "protocol/cloud/cloud.h"
#include "server/journal/journal.h"
#include "server/net/fate.h"
#include "server/net/pending.h"
#include "server/net/port.h"
#include "server/registry/registry.h"
#include "server/registry/rules.h"
#include "server/tls/ca.h"

struct sky_bend;
struct sky_conn;
struct sky_keylog;
struct sky_psk_try;
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
    SKY_NET_ROOM_SMALL = 100,       /* room for fewer connections than that is told at the start */
    SKY_NET_CROWD_MS = 10 * 1000,   /* real time between two notes about one crowd */

    SKY_NET_READ_SIZE = 64 * 1024,   /* the one read buffer of the loop */
    SKY_NET_WRITE_MAX = 256 * 1024,  /* that one peer takes at a time of what has waited for it */
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

/* What a connection has only while something goes on; see work.h. */
enum { SKY_NET_WORKS_SPARE = 256 }; /* kept for the next connections that need one */

struct sky_conn_work {
    struct sky_conn *conn;  /* whose it is; of those that are spare, nobody's */
    struct sky_buf in;      /* kept input, empty between packets */
    struct sky_buf out;     /* written in this turn */
    struct sky_buf sending; /* handed to the kernel, not yet taken */
    struct sky_pending_share pending;
    struct sky_conn *next_dirty;
    struct sky_tls *tls;         /* owned; NULL: clear */
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
    uint32_t touched;            /* a bit for each point at which a fault had its hands on it */
};

/* Spare ones. */
struct sky_conn_works {
    struct sky_conn_work *list[SKY_NET_WORKS_SPARE]; /* owned */
    size_t count;
};

/* Of connections; see socket.h. */
struct sky_sockets {
    struct sky_socket_set {
        uv_poll_t poll;
        int fd; /* owned while it is open */
        bool open;
    } devices, askers; /* askers: by the admin listener */
    bool asked;        /* there is something of askers, */
    int64_t asked_us;  /* since then, by the machine's time */
    bool more;         /* the last poll may not have found all that was sent before it */
    void (*readable)(struct sky_conn *conn), (*writable)(struct sky_conn *conn);
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
    /* Makes sure of what was changed: something is sent before the turn ends, which may promise
     * that. NULL: nothing is kept. */
    void (*settle)(void *ctx);
    void *settle_ctx;
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
    struct sky_texts client_ids;
};

struct sky_conn {
    struct sky_net *net;
    struct sky_port *port;
    struct sky_conn_work *work;       /* never NULL; see work.h */
    void *state;                      /* the port's own */
    struct sky_door *door;            /* its listener's, unless it has one of its own */
    struct sky_conn *prev, *next;     /* all connections; once reaped, those that linger */
    struct sky_timer alarm;           /* virtual time: the port's, keepalive for MQTT */
    int64_t device_id;                /* registry id of the device it was admitted as; 0: none */
    const struct sky_text *client_id; /* taken of the net's; NULL: none yet. See client_id.h */
    union {
        struct {
            struct in_addr host;
            in_port_t port;
        } four;
        struct sockaddr_in6 *six; /* owned */
    } peer;
    int fd;      /* owned; -1 once it is shut */
    uint32_t id; /* > 0, in the journal and the API */
    bool dirty : 1, closing : 1, reaped : 1, lingers : 1, shut : 1, held : 1;
    bool reads : 1, writes : 1; /* what its socket is watched for */
    bool own_door : 1;
    bool six : 1;       /* its peer has an address of IPv6 */
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
    bool excused : 1;   /* for being slow: it had been the server. Until it is heard again */
};

#endif
