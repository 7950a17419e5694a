/* Between the files of the authority: one certificate with its key, and how it is made. */
#ifndef SKY_SERVER_TLS_CA_PRIVATE_H
#define SKY_SERVER_TLS_CA_PRIVATE_H

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "protocol/base/buf.h"
#include "server/tls/ca.h"
#include "server/tls/rng.h"

enum {
    SKY_CA_PEM_MAX = 64 * 1024,         /* bytes of a PEM file */
    SKY_CA_ALT_NAMES_MAX = 4 * 1024,    /* bytes of subjectAltName: devices have small buffers */
    SKY_CA_CERTIFICATE_MAX = 12 * 1024, /* bytes of one certificate as PEM */
    SKY_CA_RSA_BITS = 2048,
};

enum sky_ca_role { SKY_CA_ROOT, SKY_CA_SERVER, SKY_CA_CLIENT };

/* What goes into a certificate; everything borrowed. */
struct sky_ca_order {
    enum sky_ca_role role;
    const char *subject, *issuer; /* "CN=..." as the TLS library parses it */
    mbedtls_pk_context *subject_key, *issuer_key;
    sky_span alt_names; /* subjectAltName as DER, or empty */
    int64_t now_ms;
};

/* `random` as the TLS library wants it; an error of it makes this fail with CRYPTO. */
SKY_MUST_USE sky_err sky_ca__make_key(enum sky_key_kind kind, mbedtls_pk_context *ret_key,
                                      int (*random)(void *, unsigned char *, size_t), void *ctx);
/* Appends PEM. */
SKY_MUST_USE sky_err sky_ca__write_key(mbedtls_pk_context *key, struct sky_buf *out);
SKY_MUST_USE sky_err sky_ca__write_certificate(const struct sky_ca_order *order,
                                               struct sky_tls_rng *rng, struct sky_buf *out);

/* The text of an error of the TLS library. */
SKY_MUST_USE sky_err sky_ca__failed(struct sky_why *why, sky_err err, const char *what, int code);

/* Of the DER, lower hexadecimal. */
void sky_ca__fingerprint(const mbedtls_x509_crt *certificate, char out[SKY_FINGERPRINT_HEX + 1]);

#endif
