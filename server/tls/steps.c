#include "server/tls/steps.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_internal.h>

int sky_tls_suite_of(const mbedtls_ssl_context *ssl)
{
    if (ssl->session_negotiate != NULL)
        return ssl->session_negotiate->ciphersuite;
    return ssl->session != NULL ? ssl->session->ciphersuite : 0;
}

static bool is_psk(const mbedtls_ssl_context *ssl)
{
    const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(sky_tls_suite_of(ssl));
    return suite != NULL && suite->key_exchange == MBEDTLS_KEY_EXCHANGE_PSK;
}

bool sky_tls_has_certificate(const mbedtls_ssl_context *ssl, bool asks)
{
    return asks && !is_psk(ssl);
}

enum sky_tls_step sky_tls_step_of(const mbedtls_ssl_context *ssl, bool asks)
{
    switch (ssl->state) {
    case MBEDTLS_SSL_HELLO_REQUEST:
    case MBEDTLS_SSL_CLIENT_HELLO:
        return SKY_TLS_STEP_HELLO;
    case MBEDTLS_SSL_CLIENT_CERTIFICATE:
        return sky_tls_has_certificate(ssl, asks) ? SKY_TLS_STEP_CERTIFICATE : SKY_TLS_STEP_KEY;
    case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        return SKY_TLS_STEP_KEY;
    case MBEDTLS_SSL_CERTIFICATE_VERIFY:
        return sky_tls_has_certificate(ssl, asks) ? SKY_TLS_STEP_PROOF : SKY_TLS_STEP_FINISHED;
    case MBEDTLS_SSL_HANDSHAKE_OVER:
        return SKY_TLS_STEP_OPEN;
    default:
        return ssl->state < MBEDTLS_SSL_CLIENT_CERTIFICATE ? SKY_TLS_STEP_FLIGHT
                                                           : SKY_TLS_STEP_FINISHED;
    }
}

bool sky_tls_is_reading(const mbedtls_ssl_context *ssl)
{
    switch (ssl->state) {
    case MBEDTLS_SSL_CLIENT_HELLO:
    case MBEDTLS_SSL_CLIENT_CERTIFICATE:
    case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
    case MBEDTLS_SSL_CERTIFICATE_VERIFY:
    case MBEDTLS_SSL_CLIENT_CHANGE_CIPHER_SPEC:
    case MBEDTLS_SSL_CLIENT_FINISHED:
        return true;
    default:
        return false;
    }
}

/* Is this the Certificate message of a client that has none (RFC 5246 §7.4.6): a list of length 0?
 */
static bool is_no_certificate(sky_span records)
{
    static const uint8_t none[] = {MBEDTLS_SSL_HS_CERTIFICATE, 0, 0, 3, 0, 0, 0};
    return sky_span_starts(sky_span_tail(records, SKY_TLS_RECORD_HEADER),
                           sky_span_of(none, sizeof none));
}

bool sky_tls_is_costly(const mbedtls_ssl_context *ssl, bool asks, sky_span next,
                       const struct sky_curve_key *pair)
{
    const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(sky_tls_suite_of(ssl));
    if (suite == NULL || is_psk(ssl))
        return false;
    bool shown = ssl->session_negotiate != NULL && ssl->session_negotiate->peer_cert != NULL;
    switch (ssl->state) {
    case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
        return suite->key_exchange != MBEDTLS_KEY_EXCHANGE_RSA;
    case MBEDTLS_SSL_CLIENT_CERTIFICATE:
        return sky_tls_has_certificate(ssl, asks) && !is_no_certificate(next);
    case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        return pair == NULL || shown;
    case MBEDTLS_SSL_CERTIFICATE_VERIFY:
        return shown;
    default:
        return false;
    }
}

bool sky_tls_offers_only_psk(const struct sky_tls_hello *hello)
{
    for (size_t i = 0; i < hello->suite_count; i++) {
        const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(hello->suites[i]);
        if (suite != NULL && suite->key_exchange != MBEDTLS_KEY_EXCHANGE_PSK)
            return false;
    }
    return true;
}
