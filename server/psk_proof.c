#include "server/psk_proof.h"

#include <mbedtls/aes.h>
#include <mbedtls/ccm.h>
#include <mbedtls/ssl.h>

#include "auth/digest.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    RECORD_HEADER = 13,    /* RFC 6347 §4.1: type, version, epoch, number, length */
    HANDSHAKE_HEADER = 12, /* RFC 6347 §4.2.2 */
    TYPE_HANDSHAKE = 22,
    HELLO_CLIENT = 1,
    HELLO_SERVER = 2,
    MASTER_LEN = 48,
    MAC_LEN = 32,
    CCM_TAG = 8,
    CCM_EXPLICIT = 8, /* RFC 6655 §3: explicit part of the nonce, in front of the ciphertext */
    CCM_FIXED = 4,
    AES_LEN = 16,
    KEY_BLOCK_MAX = 2 * (MAC_LEN + AES_LEN + AES_LEN),
    FINISHED_LEN = HANDSHAKE_HEADER + 12,
};

/* ---- seeing ---- */

/* Offset of the two random bytes' start in an unencrypted hello of this kind, or 0. */
static size_t find_random(const uint8_t *at, size_t len, uint8_t kind)
{
    size_t random = RECORD_HEADER + HANDSHAKE_HEADER + 2;
    bool is_hello = len >= random + SKY_TLS_RANDOM_LEN + 1 && at[0] == TYPE_HANDSHAKE &&
                    at[RECORD_HEADER] == kind;
    return is_hello ? random : 0;
}

static void take_finished(struct sky_psk_proof *proof, const uint8_t *at, size_t len)
{
    bool encrypted = at[0] == TYPE_HANDSHAKE && (at[3] != 0 || at[4] != 0);
    if (!encrypted || len > SKY_PROOF_RECORD_MAX)
        return;
    memcpy(proof->version, at + 1, sizeof proof->version);
    memcpy(proof->sequence, at + 3, sizeof proof->sequence);
    memcpy(proof->fragment, at + RECORD_HEADER, len);
    proof->fragment_len = len;
}

void sky_psk_proof_saw_client(struct sky_psk_proof *proof, sky_span datagram)
{
    const uint8_t *at = (const uint8_t *)datagram.ptr;
    size_t left = datagram.len;
    while (left >= RECORD_HEADER) {
        size_t len = (size_t)(at[11] << 8 | at[12]);
        if (len > left - RECORD_HEADER)
            return;
        size_t random = at[4] == 0 ? find_random(at, RECORD_HEADER + len, HELLO_CLIENT) : 0;
        if (random != 0) {
            memcpy(proof->client_random, at + random, SKY_TLS_RANDOM_LEN);
            proof->has_client = true;
        }
        take_finished(proof, at, len);
        at += RECORD_HEADER + len;
        left -= RECORD_HEADER + len;
    }
}

void sky_psk_proof_saw_server(struct sky_psk_proof *proof, sky_span datagram)
{
    const uint8_t *at = (const uint8_t *)datagram.ptr;
    if (datagram.len < RECORD_HEADER)
        return;
    size_t random = find_random(at, datagram.len, HELLO_SERVER);
    if (random == 0)
        return;
    size_t id_len = at[random + SKY_TLS_RANDOM_LEN];
    size_t suite = random + SKY_TLS_RANDOM_LEN + 1 + id_len;
    if (suite + 2 > datagram.len)
        return;
    memcpy(proof->server_random, at + random, SKY_TLS_RANDOM_LEN);
    proof->suite = (uint16_t)(at[suite] << 8 | at[suite + 1]);
    proof->has_server = true;
}

/* ---- testing ---- */

/* Two bytes of length, as many zeros, two bytes of length, the key (RFC 4279 §2). */
static size_t premaster(sky_span key, uint8_t *out)
{
    const uint8_t len[2] = {(uint8_t)(key.len >> 8), (uint8_t)key.len};
    memcpy(out, len, 2);
    memset(out + 2, 0, key.len);
    memcpy(out + 2 + key.len, len, 2);
    memcpy(out + 4 + key.len, key.ptr, key.len);
    return 4 + 2 * key.len;
}

static bool derive(const struct sky_psk_proof *proof, sky_span key, uint8_t *block,
                   size_t block_len)
{
    enum { KEY_MAX = 256 };
    uint8_t secret[4 + 2 * KEY_MAX], master[MASTER_LEN], seed[2 * SKY_TLS_RANDOM_LEN];
    if (key.len > KEY_MAX)
        return false;
    memcpy(seed, proof->client_random, SKY_TLS_RANDOM_LEN);
    memcpy(seed + SKY_TLS_RANDOM_LEN, proof->server_random, SKY_TLS_RANDOM_LEN);
    bool good = mbedtls_ssl_tls_prf(MBEDTLS_SSL_TLS_PRF_SHA256, secret, premaster(key, secret),
                                    "master secret", seed, sizeof seed, master, sizeof master) == 0;
    memcpy(seed, proof->server_random, SKY_TLS_RANDOM_LEN);
    memcpy(seed + SKY_TLS_RANDOM_LEN, proof->client_random, SKY_TLS_RANDOM_LEN);
    good = good && mbedtls_ssl_tls_prf(MBEDTLS_SSL_TLS_PRF_SHA256, master, sizeof master,
                                       "key expansion", seed, sizeof seed, block, block_len) == 0;
    sky_mem_wipe(secret, sizeof secret);
    sky_mem_wipe(master, sizeof master);
    return good;
}

/* Sequence, type, version and length of the plaintext: what both MACs cover (RFC 5246 §6.2.3). */
static void additional(const struct sky_psk_proof *proof, size_t len, uint8_t out[13])
{
    memcpy(out, proof->sequence, 8);
    out[8] = TYPE_HANDSHAKE;
    memcpy(out + 9, proof->version, 2);
    out[11] = (uint8_t)(len >> 8);
    out[12] = (uint8_t)len;
}

/* TLS_PSK_WITH_AES_128_CCM_8 (RFC 6655): key block is client key, server key, client IV, server
 * IV. */
static bool opens_ccm8(const struct sky_psk_proof *proof, sky_span key)
{
    uint8_t block[2 * AES_LEN + 2 * CCM_FIXED], nonce[CCM_FIXED + CCM_EXPLICIT], aad[13];
    uint8_t clear[SKY_PROOF_RECORD_MAX];
    if (proof->fragment_len < CCM_EXPLICIT + CCM_TAG || !derive(proof, key, block, sizeof block))
        return false;
    size_t len = proof->fragment_len - CCM_EXPLICIT - CCM_TAG;
    const uint8_t *sealed = proof->fragment + CCM_EXPLICIT;
    memcpy(nonce, block + 2 * AES_LEN, CCM_FIXED);
    memcpy(nonce + CCM_FIXED, proof->fragment, CCM_EXPLICIT);
    additional(proof, len, aad);
    mbedtls_ccm_context ccm;
    mbedtls_ccm_init(&ccm);
    bool opens = mbedtls_ccm_setkey(&ccm, MBEDTLS_CIPHER_ID_AES, block, 8 * AES_LEN) == 0 &&
                 mbedtls_ccm_auth_decrypt(&ccm, len, nonce, sizeof nonce, aad, sizeof aad, sealed,
                                          clear, sealed + len, CCM_TAG) == 0;
    mbedtls_ccm_free(&ccm);
    sky_mem_wipe(block, sizeof block);
    return opens;
}

/* TLS_PSK_WITH_AES_128_CBC_SHA256 (RFC 5487): IV, then ciphertext of Finished, MAC and padding. */
static bool opens_cbc_sha256(const struct sky_psk_proof *proof, sky_span key)
{
    uint8_t block[2 * MAC_LEN + 2 * AES_LEN], iv[AES_LEN], aad[13], mac[SKY_DIGEST_MAX];
    uint8_t clear[SKY_PROOF_RECORD_MAX];
    size_t len = proof->fragment_len;
    if (len < AES_LEN + FINISHED_LEN + MAC_LEN || len % AES_LEN != 0 ||
        !derive(proof, key, block, sizeof block))
        return false;
    len -= AES_LEN;
    memcpy(iv, proof->fragment, AES_LEN);
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    bool done = mbedtls_aes_setkey_dec(&aes, block + 2 * MAC_LEN, 8 * AES_LEN) == 0 &&
                mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, len, iv, proof->fragment + AES_LEN,
                                      clear) == 0;
    mbedtls_aes_free(&aes);
    additional(proof, FINISHED_LEN, aad);
    const sky_span pieces[] = {sky_span_of(aad, sizeof aad), sky_span_of(clear, FINISHED_LEN)};
    sky_digest_hmac(SKY_SHA256, sky_span_of(block, MAC_LEN), pieces, SKY_COUNT(pieces), mac);
    sky_mem_wipe(block, sizeof block);
    return done && memcmp(mac, clear + FINISHED_LEN, MAC_LEN) == 0;
}

bool sky_psk_proof_fits(const struct sky_psk_proof *proof, sky_span key)
{
    if (!proof->has_client || !proof->has_server || proof->fragment_len == 0 || key.len == 0)
        return false;
    switch (proof->suite) {
    case MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8:
        return opens_ccm8(proof, key);
    case MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA256:
        return opens_cbc_sha256(proof, key);
    default:
        return false;
    }
}
