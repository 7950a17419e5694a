#include "server/tls/rng.h"

#include "protocol/base/assert.h"

void sky_tls_rng_init(struct sky_tls_rng *rng)
{
    mbedtls_entropy_init(&rng->entropy);
    mbedtls_ctr_drbg_init(&rng->drbg);
    int failed = mbedtls_ctr_drbg_seed(&rng->drbg, mbedtls_entropy_func, &rng->entropy, NULL, 0);
    SKY_ASSERT(failed == 0);
}

void sky_tls_rng_done(struct sky_tls_rng *rng)
{
    mbedtls_ctr_drbg_free(&rng->drbg);
    mbedtls_entropy_free(&rng->entropy);
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
