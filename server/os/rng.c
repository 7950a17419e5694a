#include "server/os/rng.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
enum {
    LETTERS = sizeof alphabet - 1,
    FAIR = 256 / LETTERS * LETTERS, /* bytes from here on would favour the first letters */
};

sky_err sky_rng_init(struct sky_rng *rng, struct sky_why *why)
{
    *rng = (struct sky_rng){.seeded = false};
    /* Up to 256 bytes come whole or not at all; signals can interrupt until the pool is ready. */
    ssize_t got;
    do
        got = getrandom(rng->key, sizeof rng->key, 0);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof rng->key)
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_IO, "", "the system gives no random numbers: %s",
                       strerror(errno));
}

/* Little-endian, so that a seed means the same on every machine. */
static void put_u64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

void sky_rng_init_seeded(struct sky_rng *rng, uint64_t seed)
{
    uint8_t bytes[8];
    put_u64(bytes, seed);
    sky_span piece = sky_span_of(bytes, sizeof bytes);
    *rng = (struct sky_rng){.seeded = true};
    sky_digest_hash(SKY_SHA256, &piece, 1, rng->key);
}

void sky_rng_seek(struct sky_rng *rng, uint64_t block)
{
    rng->counter = block;
    rng->used = rng->len = 0;
}

static size_t next_of_key(struct sky_rng *rng)
{
    uint8_t counter[8];
    put_u64(counter, rng->counter++);
    sky_span pieces[] = {sky_span_of(rng->key, sizeof rng->key),
                         sky_span_of(counter, sizeof counter)};
    sky_digest_hash(SKY_SHA256, pieces, 2, rng->block);
    return SKY_DIGEST_MAX;
}

static uint8_t next_byte(struct sky_rng *rng)
{
    if (rng->used == rng->len) {
        bool kernels =
            !rng->seeded && getrandom(rng->block, SKY_RNG_BLOCK, 0) == (ssize_t)SKY_RNG_BLOCK;
        rng->len = kernels ? SKY_RNG_BLOCK : next_of_key(rng);
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

void sky_rng_bytes(struct sky_rng *rng, void *out, size_t len)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++)
        bytes[i] = next_byte(rng);
}

void sky_rng_text(struct sky_rng *rng, char *out, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint8_t byte = next_byte(rng);
        if (byte < FAIR)
            out[i++] = alphabet[byte % LETTERS];
    }
    out[len] = '\0';
}
