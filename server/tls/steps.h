/* Where a handshake of the TLS library stands, and what its next step takes. Pure. */
#ifndef SKY_SERVER_TLS_STEPS_H
#define SKY_SERVER_TLS_STEPS_H

#include <mbedtls/ssl.h>

#include "server/tls/curve.h"
#include "server/tls/explain.h"

/* The suite that was chosen; 0 before. */
int sky_tls_suite_of(const mbedtls_ssl_context *ssl);
/* `asks`: the server asks for client certificates. Does this handshake have messages about one? */
bool sky_tls_has_certificate(const mbedtls_ssl_context *ssl, bool asks);
enum sky_tls_step sky_tls_step_of(const mbedtls_ssl_context *ssl, bool asks);
/* Does the next step read? */
bool sky_tls_is_reading(const mbedtls_ssl_context *ssl);
/* Does it take so long that a worker is to take it? What is signed, and what the library computes
 * does; the end of an exchange of our own (`pair` is not NULL) does not, nor what is about a
 * certificate if the client shows none. `next` is the input at hand. */
bool sky_tls_is_costly(const mbedtls_ssl_context *ssl, bool asks, sky_span next,
                       const struct sky_curve_key *pair);
bool sky_tls_offers_only_psk(const struct sky_tls_hello *hello);

#endif
