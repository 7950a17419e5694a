/* Digests and HMACs over several pieces: the one door to mbedTLS's hashes. */
#ifndef SKY_AUTH_DIGEST_H
#define SKY_AUTH_DIGEST_H

#include "protocol/base/span.h"

enum sky_digest { SKY_MD5, SKY_SHA1, SKY_SHA256, SKY_DIGESTS };
enum { SKY_DIGEST_MAX = 32, SKY_DIGEST_HEX_MAX = 64 };

size_t sky_digest_len(enum sky_digest digest);       /* bytes */
const char *sky_digest_name(enum sky_digest digest); /* "md5", "sha1", "sha256" */

/* Digest of the concatenation of `pieces`; `out` takes sky_digest_len() bytes. */
void sky_digest_hash(enum sky_digest digest, const sky_span *pieces, size_t count, uint8_t *out);
void sky_digest_hmac(enum sky_digest digest, sky_span key, const sky_span *pieces, size_t count,
                     uint8_t *out);

/* Of bytes that come in parts: begun, added to, and ended, which frees it; `out` may be NULL. */
struct sky_digest_sum;
struct sky_digest_sum *sky_digest_begin(enum sky_digest digest);
void sky_digest_add(struct sky_digest_sum *sum, sky_span bytes);
void sky_digest_end(struct sky_digest_sum *sum, uint8_t *out);

/* What an HMAC needs of its key, kept for many texts. A value; nothing to free. */
struct sky_hmac_key {
    enum sky_digest digest;
    _Alignas(uint64_t) uint8_t states[2][128];
};
void sky_hmac_key_init(struct sky_hmac_key *ret_key, enum sky_digest digest, sky_span key);
void sky_hmac_key_use(const struct sky_hmac_key *key, const sky_span *pieces, size_t count,
                      uint8_t *out);

/* Equal, in time that depends on the lengths only. */
bool sky_digest_eq(sky_span a, sky_span b);

#endif
