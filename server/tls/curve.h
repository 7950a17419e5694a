/* Keys on elliptic curves, by OpenSSL's libcrypto: it needs a tenth to a twentieth of what the TLS
 * library takes to multiply a point. Opened when first needed (server/os/library.h). Knows curves
 * and no TLS. Safe to use from several threads. */
#ifndef SKY_SERVER_TLS_CURVE_H
#define SKY_SERVER_TLS_CURVE_H

#include "protocol/base/span.h"

enum {
    SKY_CURVE_POINT_MAX = 65,      /* bytes of a public key: a byte and both halves */
    SKY_CURVE_SECRET_MAX = 32,     /* of a shared secret */
    SKY_CURVE_SIGNATURE_MAX = 139, /* of a signature in DER, secp521r1's */
};

/* A private key with its public one. */
struct sky_curve_key;

/* A new key. `curve` is its number in TLS (RFC 8422 §5.1.1). NULL: not one of those that are here,
 * or libcrypto cannot be used. */
struct sky_curve_key *sky_curve_make(uint16_t curve);
/* The key that these bytes are, in DER (RFC 5915). NULL likewise, and if they are none. */
struct sky_curve_key *sky_curve_read(sky_span der);
/* NULL is fine. */
void sky_curve_free(struct sky_curve_key *key);

/* The public key as TLS sends it: its length, or 0, which is libcrypto's refusal. */
size_t sky_curve_point(struct sky_curve_key *key, uint8_t out[SKY_CURVE_POINT_MAX]);
/* What the key and somebody's public one have in common: its length, or 0: `point` is none of that
 * curve, not written plainly, or one with which nothing is secret. */
size_t sky_curve_secret(struct sky_curve_key *key, sky_span point,
                        uint8_t out[SKY_CURVE_SECRET_MAX]);
/* An ECDSA signature of a digest, in DER: its length, or 0. */
size_t sky_curve_sign(struct sky_curve_key *key, sky_span digest,
                      uint8_t out[SKY_CURVE_SIGNATURE_MAX]);

#endif
