/* The server's half of key exchanges on elliptic curves: a pair of keys that some handshakes share,
 * because the library needs a quarter of a full handshake's time to make one. Whoever learns such a
 * key can read the sessions of that many handshakes instead of one (RFC 9325 §7.4 warns of it): for
 * a server of tests that is no loss. Points of clients are checked by the library each time.
 * Never knows a channel. Safe to use from several threads. */
#ifndef SKY_SERVER_TLS_EXCHANGE_H
#define SKY_SERVER_TLS_EXCHANGE_H

#include <mbedtls/ecdh.h>
#include <mbedtls/ssl.h>
#include <uv.h>

#include "server/tls/rng.h"

enum {
    SKY_EXCHANGE_SHARED_MAX = 64, /* handshakes by one pair of keys */
    SKY_EXCHANGE_CURVES = 16,     /* more than the library has */
};

struct sky_tls_exchange {
    struct sky_tls_rng *rng; /* borrowed */
    uv_mutex_t mutex;        /* of the rest */
    struct sky_tls_exchange_pair {
        mbedtls_ecp_keypair keys; /* its curve is NONE: not made yet */
        unsigned used;            /* by so many handshakes */
    } pairs[SKY_EXCHANGE_CURVES];
};

void sky_tls_exchange_init(struct sky_tls_exchange *exchange, struct sky_tls_rng *rng);
void sky_tls_exchange_done(struct sky_tls_exchange *exchange);

/* Takes the step in which the server sends its ServerKeyExchange. What this module does not do
 * itself, it leaves to the library: other exchanges, and TLS before 1.2. 0, or the library's
 * error. */
int sky_tls_exchange_step(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl);

/* For one handshake: sets up `ecdh` with a pair of keys on that curve. 0, or the library's error.
 */
int sky_tls_exchange_take(struct sky_tls_exchange *exchange, mbedtls_ecp_group_id curve,
                          mbedtls_ecdh_context *ecdh);

#endif
