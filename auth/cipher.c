#include "auth/cipher.h"

#include <mbedtls/aes.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

static void encrypt_blocks(mbedtls_aes_context *aes, uint8_t iv[SKY_AES_BLOCK], const void *in,
                           size_t len, uint8_t *out)
{
    int failed = mbedtls_aes_crypt_cbc(aes, MBEDTLS_AES_ENCRYPT, len, iv, in, out);
    SKY_ASSERT(failed == 0);
}

void sky_cipher_encrypt(const uint8_t key[SKY_AES_BLOCK], const uint8_t iv[SKY_AES_BLOCK],
                        sky_span plain, uint8_t *out)
{
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    int failed = mbedtls_aes_setkey_enc(&aes, key, 8 * SKY_AES_BLOCK);
    SKY_ASSERT(failed == 0);
    uint8_t chain[SKY_AES_BLOCK], last[SKY_AES_BLOCK] = {0};
    memcpy(chain, iv, sizeof chain);
    size_t whole = plain.len / SKY_AES_BLOCK * SKY_AES_BLOCK;
    if (whole > 0)
        encrypt_blocks(&aes, chain, plain.ptr, whole, out);
    if (plain.len > whole) {
        memcpy(last, plain.ptr + whole, plain.len - whole);
        encrypt_blocks(&aes, chain, last, sizeof last, out + whole);
        sky_mem_wipe(last, sizeof last);
    }
    mbedtls_aes_free(&aes);
}
