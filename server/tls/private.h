/* Between the files of the TLS layer: what a server holds, what a channel holds. */
#ifndef SKY_SERVER_TLS_PRIVATE_H
#define SKY_SERVER_TLS_PRIVATE_H

#include <mbedtls/ssl.h>

#include "server/tls/ca.h"
#include "server/tls/channel.h"
#include "server/tls/rng.h"
#include "server/tls/tickets.h"

enum {
    SKY_TLS_CLEAR_SIZE = 64 * 1024, /* the one buffer of the loop for decrypted bytes */
    SKY_TLS_IDENTITY_MAX = 256,     /* bytes of a PSK identity that is looked up */
    SKY_TLS_SUITES_MAX = 160,
    SKY_TLS_CURVES_MAX = 16,
};

/* What listeners differ in: with or without PSK, client certificate not asked for, asked for or
 * required. Each flavour has a configuration of its own, made when it is first needed, and its
 * tickets open with it alone: a session without a certificate must not be resumed where one is
 * required. */
enum sky_tls_asks { SKY_TLS_ASKS_NOTHING, SKY_TLS_ASKS, SKY_TLS_REQUIRES, SKY_TLS_ASKS_COUNT };
struct sky_tls_flavour {
    struct sky_tls_server *server;
    mbedtls_ssl_config conf;
    enum sky_tls_asks asks;
    bool psk, made;
    uint8_t label; /* of its tickets */
};

struct sky_tls_server {
    uv_loop_t *loop;
    struct sky_ca *ca;
    const struct sky_clock *clock;
    size_t handshakes, handshakes_max;
    struct sky_tls_rng rng;
    struct sky_tickets tickets;
    struct sky_tls_flavour flavours[2 * SKY_TLS_ASKS_COUNT];
    int suites[SKY_TLS_SUITES_MAX]; /* with a certificate first, then PSK; ends with 0 */
    int suites_without_psk[SKY_TLS_SUITES_MAX];
    mbedtls_ecp_group_id curves[SKY_TLS_CURVES_MAX];
    struct sky_ca_waiter waiter; /* certificates are being made */
    struct sky_tls *waiting;     /* for them; linked by their handshakes */
    bool reading;                /* `clear` is in use */
    unsigned char clear[SKY_TLS_CLEAR_SIZE];
};

/* The configuration for a listener's flags; the certificates must be ready. */
struct sky_tls_flavour *sky_tls__flavour(struct sky_tls_server *server, unsigned allows);
/* Resumes every channel that waits for the certificates. */
void sky_tls__certificates_ready(struct sky_ca_waiter *waiter);
/* The key of a PSK identity, as the TLS library asks for it: `ctx` is a flavour. */
int sky_tls__find_key(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *identity,
                      size_t len);

#endif
