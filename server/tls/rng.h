/* Randomness for keys and handshakes: always the machine's own, never the sequence of --seed.
 * Safe to use from several threads. */
#ifndef SKY_SERVER_TLS_RNG_H
#define SKY_SERVER_TLS_RNG_H

#include <mbedtls/ctr_drbg.h>

/* Must not move once it has been set up. */
struct sky_tls_rng {
    mbedtls_ctr_drbg_context drbg;
};

void sky_tls_rng_init(struct sky_tls_rng *rng);
void sky_tls_rng_done(struct sky_tls_rng *rng);

/* As the TLS library wants it: `rng` is a struct sky_tls_rng; 0, or its error. */
int sky_tls_rng_random(void *rng, unsigned char *out, size_t len);

#endif
