/* One X.509 certificate and its key: made, written as PEM, read. Knows no files and no authority.
 */
#ifndef SKY_SERVER_TLS_CERTIFICATE_H
#define SKY_SERVER_TLS_CERTIFICATE_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/facts.h"

struct mbedtls_pk_context;
struct mbedtls_x509_crt;
struct sky_tls_rng;

enum {
    SKY_CERTIFICATE_PEM_MAX = 64 * 1024,   /* bytes of a PEM file */
    SKY_CERTIFICATE_MAX = 12 * 1024,       /* bytes of one that is made, as PEM */
    SKY_CERTIFICATE_DER_MAX = 16 * 1024,   /* bytes of one that is made, as DER */
    SKY_CERTIFICATE_NAME_MAX = 64,         /* of a common name (RFC 5280 appendix A) */
    SKY_CERTIFICATE_VALID_DAYS = 10 * 365, /* counted from yesterday */
};

enum sky_key_kind { SKY_KEY_EC, SKY_KEY_RSA, SKY_KEY_RSA_WEAK }; /* P-256, RSA-2048, RSA-1024 */
enum sky_certificate_role {
    SKY_CERTIFICATE_ROOT,
    SKY_CERTIFICATE_SERVER,
    SKY_CERTIFICATE_CLIENT,
};

/* What goes into a certificate; everything borrowed. */
struct sky_certificate_order {
    enum sky_certificate_role role;
    const char *subject, *issuer; /* "CN=..." as the TLS library parses it */
    struct mbedtls_pk_context *subject_key, *issuer_key;
    sky_span alt_names; /* subjectAltName as DER, or empty */
    int64_t now_ms;
    int64_t from_ms, until_ms; /* 0: the usual time, by now_ms */
    bool sha1;                 /* signed with that, else with SHA-256 */
    sky_span comment;          /* nsComment as DER, or empty: what only takes room */
};

/* `random` as the TLS library wants it; an error of it makes this fail with CRYPTO. */
SKY_MUST_USE sky_err sky_certificate_make_key(enum sky_key_kind kind,
                                              struct mbedtls_pk_context *ret_key,
                                              int (*random)(void *, unsigned char *, size_t),
                                              void *ctx);
/* Appends PEM. */
SKY_MUST_USE sky_err sky_certificate_write_key(struct mbedtls_pk_context *key, struct sky_buf *out);
SKY_MUST_USE sky_err sky_certificate_write(const struct sky_certificate_order *order,
                                           struct sky_tls_rng *rng, struct sky_buf *out);
/* The certificate itself, up to SKY_CERTIFICATE_DER_MAX bytes; added to a chain. */
SKY_MUST_USE sky_err sky_certificate_make(const struct sky_certificate_order *order,
                                          struct sky_tls_rng *rng, struct mbedtls_x509_crt *chain);

/* Sets `why` to the text of an error of the TLS library; returns `err`. */
sky_err sky_certificate_failed(struct sky_why *why, sky_err err, const char *what, int code);

/* SHA-256 of the DER, lower hexadecimal. */
void sky_certificate_fingerprint(const struct mbedtls_x509_crt *certificate,
                                 char out[SKY_FINGERPRINT_HEX + 1]);
/* The same of one given as PEM; the first one counts. */
SKY_MUST_USE sky_err sky_certificate_fingerprint_pem(sky_span pem,
                                                     char out[SKY_FINGERPRINT_HEX + 1],
                                                     struct sky_why *why);
/* The subject's common name; false when there is none or it is no plain text that fits. */
bool sky_certificate_name(const struct mbedtls_x509_crt *certificate,
                          char out[SKY_CERTIFICATE_NAME_MAX + 1]);

#endif
