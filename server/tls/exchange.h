/* The two steps of a full handshake that multiply points: the server's half of a key exchange on an
 * elliptic curve, which it signs, and the client's. server/tls/curve.h does that; what it does not
 * do, other exchanges and curves, and TLS before 1.2, is left to the library.
 * Never knows a channel. Safe to use from several threads. */
#ifndef SKY_SERVER_TLS_EXCHANGE_H
#define SKY_SERVER_TLS_EXCHANGE_H

#include <mbedtls/ssl.h>
#include <uv.h>

#include "server/tls/ca.h"
#include "server/tls/curve.h"

/* What all handshakes share: the server's keys on curves, read for curve.h when they first sign. */
struct sky_tls_exchange {
    uv_mutex_t mutex; /* of the rest */
    struct sky_tls_exchange_signer {
        const mbedtls_pk_context *key; /* the library's, borrowed until done() */
        struct sky_curve_key *same;    /* owned; NULL: curve.h cannot use it */
    } signers[SKY_CA_IDENTITIES_MAX];
    size_t signer_count;
};

void sky_tls_exchange_init(struct sky_tls_exchange *exchange);
void sky_tls_exchange_done(struct sky_tls_exchange *exchange);

/* Takes the library's next step. `pair` is the handshake's own key, NULL at first: it is made here
 * and used up, and is the caller's to free if the handshake ends before that. 0, or the library's
 * error. */
int sky_tls_exchange_step(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl,
                          struct sky_curve_key **pair);

#endif
