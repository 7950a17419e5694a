/* Pre-shared keys made from secrets, and the keys that a device arrives at by mistake.
 * Knows no cloud and no handshake: a recipe goes in, keys come out. */
#ifndef SKY_AUTH_PSK_H
#define SKY_AUTH_PSK_H

#include "auth/suspicion.h"

enum { SKY_PSK_KEY_MAX = 64, SKY_PSK_GUESSES_MAX = 48, SKY_PSK_WHAT_MAX = 96 };

struct sky_psk {
    uint8_t key[SKY_PSK_KEY_MAX];
    size_t len;
    char what[SKY_PSK_WHAT_MAX]; /* for a guess: the mistake that leads to this key */
    enum sky_mistake mistake;
};

/* The key is `len` bytes of the digest of what the secret stands for, from offset `from` (0-based)
 * on. With `len` 0 it is that itself. */
struct sky_psk_recipe {
    enum sky_digest digest;
    size_t from, len;
    enum sky_key_form form;
};

/* `out` takes `len` bytes; from + len must lie within the digest. */
void sky_psk_slice(enum sky_digest digest, sky_span secret, size_t from, size_t len, uint8_t *out);

/* The key by the recipe. False, and nothing set, when it would pass SKY_PSK_KEY_MAX or the secret
 * does not have the form. */
bool sky_psk_key(const struct sky_psk_recipe *recipe, sky_span secret, struct sky_psk *ret_key);

/* Keys made by one mistake each: from secrets[0], the due one, wrongly; then from each of the
 * others by the recipe. Most likely first, none equal to the due key, at most `max`. Returns how
 * many. */
size_t sky_psk_guesses(const struct sky_psk_recipe *recipe, const struct sky_secret *secrets,
                       size_t count, struct sky_psk *ret_guesses, size_t max);

#endif
