/* What all TLS channels share: configurations, tickets, suites and curves, and how many handshakes
 * are in progress. Never knows a channel. */
#ifndef SKY_SERVER_TLS_SERVER_H
#define SKY_SERVER_TLS_SERVER_H

#include <mbedtls/ssl.h>
#include <uv.h>

#include "server/tls/ca.h"
#include "server/tls/exchange.h"
#include "server/tls/rng.h"
#include "server/tls/tickets.h"

struct sky_clock;
struct sky_keylog;
struct sky_lies;
struct sky_tls;
struct sky_tls_hello;

enum {
    SKY_TLS_HANDSHAKES_MAX = 4096,  /* in progress at once, about 45 KB each */
    SKY_TLS_HALF_OPEN_MS = 1000,    /* where that is reached, who keeps it waiting makes room */
    SKY_TLS_CROWD_MS = 1000,        /* how often a crowd is told of */
    SKY_TLS_CLEAR_SIZE = 64 * 1024, /* the one buffer of the loop for decrypted bytes */
    SKY_TLS_SUITES_MAX = 160,
    SKY_TLS_CURVES_MAX = 16,
};

struct sky_tls_options {
    uv_loop_t *loop;               /* NULL: everything happens in the caller's thread */
    struct sky_ca *ca;             /* borrowed; outlives the server */
    const struct sky_clock *clock; /* borrowed; tickets age in its virtual time */
    size_t handshakes_max;         /* 0: SKY_TLS_HANDSHAKES_MAX */
    struct sky_keylog *keylog;     /* borrowed; NULL: secrets are written nowhere */
    /* So many handshakes are in progress that some have been turned away: how many ever. NULL:
     * nobody wants to know. */
    void (*on_crowd)(void *owner, uint64_t turned_away);
    void *owner;
};

struct sky_tls_server *sky_tls_server_new(const struct sky_tls_options *options);
/* All channels must have been freed and the loop have run out of work. NULL is fine. */
void sky_tls_server_free(struct sky_tls_server *server);

/* ---- for channels ---- */

/* What listeners differ in: with or without PSK, client certificate not asked for, asked for or
 * required; and clients: with or without a curve in common, for the library agrees on a suite
 * before it looks for a curve. Each flavour has a configuration of its own, made when it is first
 * needed, and its tickets open with it alone: a session without a certificate must not be resumed
 * where one is required. */
enum sky_tls_asks { SKY_TLS_ASKS_NOTHING, SKY_TLS_ASKS, SKY_TLS_REQUIRES, SKY_TLS_ASKS_COUNT };
struct sky_tls_flavour {
    struct sky_tls_server *server;
    mbedtls_ssl_config conf;
    enum sky_tls_asks asks;
    bool psk, made;
    uint8_t label; /* of its tickets */
};

struct sky_tls_server {
    struct sky_tls_options options;
    size_t handshakes;
    struct sky_tls *awaited; /* list: whose clients are to say something, the silent for longest
                              * first */
    uint64_t turned_away;    /* handshakes that made room, and clients that found none */
    int64_t crowd_told_ms;   /* real time */
    struct sky_tls_rng rng;
    struct sky_tickets tickets;
    struct sky_tls_exchange exchange;
    struct sky_lies *lies; /* owned */
    bool lying;            /* in a step of a handshake that has no business with tickets */
    struct sky_tls_flavour flavours[SKY_TLS_ASKS_COUNT * 4];
    int suites[4][SKY_TLS_SUITES_MAX]; /* with a certificate first, then PSK; each ends with 0 */
    mbedtls_ecp_group_id curves[SKY_TLS_CURVES_MAX];
    bool reading; /* `clear` is in use */
    unsigned char clear[SKY_TLS_CLEAR_SIZE];
};

/* Counts a handshake that was turned away, and tells of it if that is due. */
void sky_tls_server_crowded(struct sky_tls_server *server);

/* Finds the key of a PSK identity, as the TLS library asks for it; `ctx` is NULL. */
typedef int sky_tls_find_key(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *identity,
                             size_t len);

/* The configuration for a listener's flags (SKY_LISTEN_PSK, SKY_LISTEN_CERT_*) and a client's
 * hello; the certificates must be ready. */
struct sky_tls_flavour *sky_tls_server_flavour(struct sky_tls_server *server, unsigned allows,
                                               const struct sky_tls_hello *hello,
                                               sky_tls_find_key *find_key);

#endif
