/* The one cipher that clouds wrap secrets in: AES-128-CBC with zero padding.
 * Knows nothing of where key and initialisation vector come from. */
#ifndef SKY_AUTH_CIPHER_H
#define SKY_AUTH_CIPHER_H

#include "protocol/base/span.h"

enum { SKY_AES_BLOCK = 16 };

/* Bytes of ciphertext: whole blocks; a text of whole blocks gets no padding. */
static inline size_t sky_cipher_len(size_t plain)
{
    return (plain + SKY_AES_BLOCK - 1) / SKY_AES_BLOCK * SKY_AES_BLOCK;
}

/* `out` takes sky_cipher_len(plain.len) bytes and must not overlap `plain`. */
void sky_cipher_encrypt(const uint8_t key[SKY_AES_BLOCK], const uint8_t iv[SKY_AES_BLOCK],
                        sky_span plain, uint8_t *out);

#endif
