/* The only source of chance: random from the kernel, or a sequence that a seed repeats exactly.
 * Knows nothing of what is made from its bytes. */
#ifndef SKY_SERVER_OS_RNG_H
#define SKY_SERVER_OS_RNG_H

#include "auth/digest.h"
#include "protocol/base/err.h"

enum { SKY_RNG_BLOCK = 256 }; /* bytes: as many as the kernel gives whole or not at all */

/* Blocks from getrandom(2). Of a seed, and where the kernel gives none, SHA-256 in counter mode:
 * block n is SHA-256(key || n). A value; copying one of a seed forks its sequence. */
struct sky_rng {
    bool seeded;
    uint8_t key[SKY_DIGEST_MAX]; /* made of the seed, or the kernel's */
    uint64_t counter;
    uint8_t block[SKY_RNG_BLOCK];
    size_t len, used; /* bytes in `block`, and those of them already given out */
};

/* The key comes from getrandom(2); IO when the system does not give one. */
SKY_MUST_USE sky_err sky_rng_init(struct sky_rng *rng, struct sky_why *why);
/* The same seed gives the same sequence on every machine. Not for secrets that matter. */
void sky_rng_init_seeded(struct sky_rng *rng, uint64_t seed);

/* Goes to the beginning of that block of a seed's sequence. */
void sky_rng_seek(struct sky_rng *rng, uint64_t block);

void sky_rng_bytes(struct sky_rng *rng, void *out, size_t len);
/* `len` characters of [A-Za-z0-9], each equally likely, and a NUL: `out` takes len + 1. */
void sky_rng_text(struct sky_rng *rng, char *out, size_t len);

#endif
