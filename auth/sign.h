/* How a login is signed, as a value: what text, which digest, how the secret enters, and what the
 * result is written as. The same value signs, verifies, and is what explain.h varies. */
#ifndef SKY_AUTH_SIGN_H
#define SKY_AUTH_SIGN_H

#include "auth/digest.h"
#include "auth/grammar.h"
#include "protocol/base/buf.h"

enum sky_keying {
    SKY_HMAC,        /* HMAC(secret, text) */
    SKY_HASH_APPEND, /* HASH(text || secret) */
};

enum { SKY_SIGN_TEXT_MAX = 2048, SKY_SIGN_FIELDS_MAX = 12 };

struct sky_recipe {
    enum sky_digest digest;
    enum sky_keying keying;
    /* The text: either `fields` written as name then value, in this order, nothing between; or,
     * when `field_count` is 0, `text` as it stands. */
    struct sky_pair fields[SKY_SIGN_FIELDS_MAX];
    size_t field_count;
    sky_span text;
};

/* Writes the text to be signed, without any secret. False if it passes SKY_SIGN_TEXT_MAX. */
bool sky_sign_text(const struct sky_recipe *recipe, struct sky_buf *out);

/* The digest; `out` takes SKY_DIGEST_MAX bytes. Returns its length, 0 when the text is too long. */
size_t sky_sign(const struct sky_recipe *recipe, sky_span secret, uint8_t *out);

/* Does `hex` (either case) spell the recipe's digest? Constant time in the digest's bytes. */
bool sky_sign_matches(const struct sky_recipe *recipe, sky_span secret, sky_span hex);

#endif
