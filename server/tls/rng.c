#include "server/tls/rng.h"

#include <mbedtls/entropy.h>
#include <mbedtls/entropy_poll.h>

#include "protocol/base/assert.h"

/* The kernel's is enough. The library's own list of sources has another one besides, which times
 * the processor for milliseconds. */
static int ask_kernel(void *ctx, unsigned char *out, size_t len)
{
    size_t got = 0;
    int rc = mbedtls_platform_entropy_poll(ctx, out, len, &got);
    return rc == 0 && got != len ? MBEDTLS_ERR_ENTROPY_SOURCE_FAILED : rc;
}

void sky_tls_rng_init(struct sky_tls_rng *rng)
{
    mbedtls_ctr_drbg_init(&rng->drbg);
    int failed = mbedtls_ctr_drbg_seed(&rng->drbg, ask_kernel, NULL, NULL, 0);
    SKY_ASSERT(failed == 0);
}

void sky_tls_rng_done(struct sky_tls_rng *rng)
{
    mbedtls_ctr_drbg_free(&rng->drbg);
}

int sky_tls_rng_random(void *rng, unsigned char *out, size_t len)
{
    struct sky_tls_rng *self = rng;
    while (len > MBEDTLS_CTR_DRBG_MAX_REQUEST) {
        int rc = mbedtls_ctr_drbg_random(&self->drbg, out, MBEDTLS_CTR_DRBG_MAX_REQUEST);
        if (rc != 0)
            return rc;
        out += MBEDTLS_CTR_DRBG_MAX_REQUEST;
        len -= MBEDTLS_CTR_DRBG_MAX_REQUEST;
    }
    return mbedtls_ctr_drbg_random(&self->drbg, out, len);
}
