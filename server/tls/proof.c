#include "server/tls/proof.h"

#include <mbedtls/cipher.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_internal.h>

#include "protocol/base/mem.h"
#include "server/tls/hello.h"

enum {
    RECORD_HEADER = 13,    /* RFC 6347 §4.1: type, version, epoch, number, length */
    HANDSHAKE_HEADER = 12, /* RFC 6347 §4.2.2 */
    TLS_HANDSHAKE_HEADER = 4,
    TYPE_CHANGE_CIPHER_SPEC = 20,
    TYPE_HANDSHAKE = 22,
    HELLO_CLIENT = 1,
    HELLO_SERVER = 2,
    TLS_1_0 = 1,
    TLS_1_2 = 3,
    MASTER_LEN = 48,
    BLOCK_LEN = 16,
    TAG_LEN = 16,
    SHORT_TAG_LEN = 8,
    EXPLICIT_LEN = 8, /* RFC 5288 §3, RFC 6655 §3: the nonce's part in front of the ciphertext */
    FIXED_LEN = 4,    /* and the part that comes from the key block */
    NONCE_LEN = 12,
    KEY_BLOCK_LEN = 2 * (48 + 32 + BLOCK_LEN), /* of the suite that takes most */
};

/* ---- seeing ---- */

/* One record of a datagram (RFC 6347 §4.1). */
struct record {
    const uint8_t *header, *fragment;
    size_t len; /* of the fragment */
    bool encrypted;
};

static bool next_record(sky_span *rest, struct record *ret_record)
{
    const uint8_t *at = (const uint8_t *)rest->ptr;
    if (rest->len < RECORD_HEADER)
        return false;
    size_t len = (size_t)at[11] << 8 | at[12];
    if (len > rest->len - RECORD_HEADER)
        return false;
    *ret_record = (struct record){.header = at,
                                  .fragment = at + RECORD_HEADER,
                                  .len = len,
                                  .encrypted = at[3] != 0 || at[4] != 0};
    *rest = sky_span_tail(*rest, RECORD_HEADER + len);
    return true;
}

/* The body of an unencrypted hello of this kind, behind its version, or NONE. */
static sky_span find_random(const struct record *record, uint8_t kind)
{
    const uint8_t *at = record->fragment;
    size_t random = HANDSHAKE_HEADER + 2;
    if (record->encrypted || record->header[0] != TYPE_HANDSHAKE ||
        record->len < random + SKY_TLS_RANDOM_LEN || at[0] != kind)
        return SKY_SPAN_NONE;
    bool is_first_fragment = at[6] == 0 && at[7] == 0 && at[8] == 0;
    return is_first_fragment ? sky_span_of(at + random, record->len - random) : SKY_SPAN_NONE;
}

static void take_finished(struct sky_tls_proof *proof, const struct record *record)
{
    if (!record->encrypted || record->header[0] != TYPE_HANDSHAKE ||
        record->len > SKY_PROOF_RECORD_MAX)
        return;
    memcpy(proof->version, record->header + 1, sizeof proof->version);
    memcpy(proof->sequence, record->header + 3, sizeof proof->sequence);
    memcpy(proof->fragment, record->fragment, record->len);
    proof->fragment_len = record->len;
}

void sky_tls_proof_saw_client(struct sky_tls_proof *proof, sky_span datagram)
{
    struct record record;
    while (next_record(&datagram, &record)) {
        sky_span hello = find_random(&record, HELLO_CLIENT);
        if (hello.len > 0) {
            memcpy(proof->client_random, hello.ptr, SKY_TLS_RANDOM_LEN);
            proof->has_client = true;
        }
        take_finished(proof, &record);
    }
}

/* Behind the random stand the session id, in a vector, and the chosen suite (RFC 5246 §7.4.1.3). */
static void take_server_hello(struct sky_tls_proof *proof, sky_span hello)
{
    const uint8_t *at = (const uint8_t *)hello.ptr;
    if (hello.len < SKY_TLS_RANDOM_LEN + 1)
        return;
    size_t suite = SKY_TLS_RANDOM_LEN + 1 + (size_t)at[SKY_TLS_RANDOM_LEN];
    if (suite + 2 > hello.len)
        return;
    memcpy(proof->server_random, at, SKY_TLS_RANDOM_LEN);
    proof->suite = (uint16_t)(at[suite] << 8 | at[suite + 1]);
    proof->has_server = true;
}

void sky_tls_proof_saw_server(struct sky_tls_proof *proof, sky_span datagram)
{
    struct record record;
    while (next_record(&datagram, &record))
        take_server_hello(proof, find_random(&record, HELLO_SERVER));
}

/* The same hello in a record of TLS, which numbers no fragments. */
static void take_tls_hello(struct sky_tls_proof *proof, sky_span message)
{
    sky_span hello = sky_span_tail(message, TLS_HANDSHAKE_HEADER + 2);
    if (hello.len < SKY_TLS_RANDOM_LEN)
        return;
    if (message.ptr[0] == HELLO_SERVER) {
        take_server_hello(proof, hello);
    } else if (message.ptr[0] == HELLO_CLIENT) {
        memcpy(proof->client_random, hello.ptr, SKY_TLS_RANDOM_LEN);
        proof->has_client = true;
    }
}

/* The first record after ChangeCipherSpec is Finished, and number 0 (RFC 5246 §6.1). */
static void take_tls_finished(struct sky_tls_proof *proof, sky_span record)
{
    sky_span fragment = sky_span_tail(record, SKY_TLS_RECORD_HEADER);
    if (fragment.len == 0 || fragment.len > SKY_PROOF_RECORD_MAX || proof->fragment_len > 0)
        return;
    memset(proof->sequence, 0, sizeof proof->sequence);
    memcpy(proof->version, record.ptr + 1, sizeof proof->version);
    memcpy(proof->fragment, fragment.ptr, fragment.len);
    proof->fragment_len = fragment.len;
}

void sky_tls_proof_saw_tls_client(struct sky_tls_proof *proof, sky_span records)
{
    size_t len;
    for (; sky_tls_record_len(records, &len) == SKY_TLS_OK; records = sky_span_tail(records, len)) {
        sky_span record = sky_span_head(records, len);
        if (record.ptr[0] == TYPE_CHANGE_CIPHER_SPEC)
            proof->has_changed = true;
        else if (record.ptr[0] == TYPE_HANDSHAKE && proof->has_changed)
            take_tls_finished(proof, record);
        else if (record.ptr[0] == TYPE_HANDSHAKE && !proof->has_client)
            take_tls_hello(proof, sky_span_tail(record, SKY_TLS_RECORD_HEADER));
    }
}

void sky_tls_proof_saw_tls_server(struct sky_tls_proof *proof, sky_span records)
{
    size_t len;
    if (sky_tls_record_len(records, &len) == SKY_TLS_OK && records.ptr[0] == TYPE_HANDSHAKE &&
        !proof->has_server)
        take_tls_hello(proof, sky_span_tail(sky_span_head(records, len), SKY_TLS_RECORD_HEADER));
}

static size_t hash_of_old(const mbedtls_ssl_handshake_params *handshake, uint8_t *out)
{
    enum { MD5_LEN = 16, SHA1_LEN = 20 };
    mbedtls_md5_context md5;
    mbedtls_sha1_context sha1;
    mbedtls_md5_init(&md5);
    mbedtls_sha1_init(&sha1);
    mbedtls_md5_clone(&md5, &handshake->fin_md5);
    mbedtls_sha1_clone(&sha1, &handshake->fin_sha1);
    (void)mbedtls_md5_finish_ret(&md5, out);
    (void)mbedtls_sha1_finish_ret(&sha1, out + MD5_LEN);
    mbedtls_md5_free(&md5);
    mbedtls_sha1_free(&sha1);
    return MD5_LEN + SHA1_LEN;
}

static size_t hash_of_sha256(const mbedtls_ssl_handshake_params *handshake, uint8_t *out)
{
    mbedtls_sha256_context sha256;
    mbedtls_sha256_init(&sha256);
    mbedtls_sha256_clone(&sha256, &handshake->fin_sha256);
    (void)mbedtls_sha256_finish_ret(&sha256, out);
    mbedtls_sha256_free(&sha256);
    return 32;
}

static size_t hash_of_sha384(const mbedtls_ssl_handshake_params *handshake, uint8_t *out)
{
    mbedtls_sha512_context sha512;
    mbedtls_sha512_init(&sha512);
    mbedtls_sha512_clone(&sha512, &handshake->fin_sha512);
    (void)mbedtls_sha512_finish_ret(&sha512, out);
    mbedtls_sha512_free(&sha512);
    return 48;
}

/* The library keeps the running hashes, of which the version and the suite choose one. */
void sky_tls_proof_saw_exchange(struct sky_tls_proof *proof, const mbedtls_ssl_context *ssl)
{
    const mbedtls_ssl_ciphersuite_t *suite =
        mbedtls_ssl_ciphersuite_from_id(ssl->session_negotiate->ciphersuite);
    if (!ssl->handshake->extended_ms || suite == NULL)
        proof->session_hash_len = 0;
    else if (ssl->minor_ver < TLS_1_2)
        proof->session_hash_len = hash_of_old(ssl->handshake, proof->session_hash);
    else if (suite->mac == MBEDTLS_MD_SHA384)
        proof->session_hash_len = hash_of_sha384(ssl->handshake, proof->session_hash);
    else
        proof->session_hash_len = hash_of_sha256(ssl->handshake, proof->session_hash);
}

/* ---- testing ---- */

enum { KEY_MAX = 256 }; /* bytes of a pre-shared key */

/* What a suite is made of. */
struct parts {
    const mbedtls_ssl_ciphersuite_t *suite;
    const mbedtls_cipher_info_t *cipher;
    size_t mac_len, key_len, tag_len; /* bytes; no MAC key where there is a tag */
    bool chained;                     /* CBC */
};

static bool take_apart(uint16_t id, struct parts *ret_parts)
{
    const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(id);
    if (suite == NULL || suite->key_exchange != MBEDTLS_KEY_EXCHANGE_PSK)
        return false;
    const mbedtls_cipher_info_t *cipher = mbedtls_cipher_info_from_type(suite->cipher);
    if (cipher == NULL || cipher->mode == MBEDTLS_MODE_STREAM)
        return false;
    struct parts parts = {.suite = suite,
                          .cipher = cipher,
                          .key_len = cipher->key_bitlen / 8,
                          .chained = cipher->mode == MBEDTLS_MODE_CBC};
    if (parts.chained)
        parts.mac_len = mbedtls_md_get_size(mbedtls_md_info_from_type(suite->mac));
    else
        parts.tag_len = suite->flags & MBEDTLS_CIPHERSUITE_SHORT_TAG ? SHORT_TAG_LEN : TAG_LEN;
    *ret_parts = parts;
    return true;
}

static uint8_t minor_of(const struct sky_tls_proof *proof)
{
    return proof->version[0] == 3 ? proof->version[1] : TLS_1_2; /* DTLS 1.2 is 0xfefd */
}

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

/* RFC 5246 §5 and RFC 2246 §5. */
static mbedtls_tls_prf_types prf_of(const struct sky_tls_proof *proof, const struct parts *parts)
{
    if (minor_of(proof) < TLS_1_2)
        return MBEDTLS_SSL_TLS_PRF_TLS1;
    return parts->suite->mac == MBEDTLS_MD_SHA384 ? MBEDTLS_SSL_TLS_PRF_SHA384
                                                  : MBEDTLS_SSL_TLS_PRF_SHA256;
}

static bool derive(const struct sky_tls_proof *proof, const struct parts *parts, sky_span key,
                   uint8_t block[KEY_BLOCK_LEN])
{
    uint8_t secret[4 + 2 * KEY_MAX], master[MASTER_LEN], seed[2 * SKY_TLS_RANDOM_LEN];
    mbedtls_tls_prf_types prf = prf_of(proof, parts);
    if (key.len > KEY_MAX)
        return false;
    memcpy(seed, proof->client_random, SKY_TLS_RANDOM_LEN);
    memcpy(seed + SKY_TLS_RANDOM_LEN, proof->server_random, SKY_TLS_RANDOM_LEN);
    bool extended = proof->session_hash_len > 0;
    bool good = mbedtls_ssl_tls_prf(prf, secret, premaster(key, secret),
                                    extended ? "extended master secret" : "master secret",
                                    extended ? proof->session_hash : seed,
                                    extended ? proof->session_hash_len : sizeof seed, master,
                                    sizeof master) == 0;
    memcpy(seed, proof->server_random, SKY_TLS_RANDOM_LEN);
    memcpy(seed + SKY_TLS_RANDOM_LEN, proof->client_random, SKY_TLS_RANDOM_LEN);
    good = good && mbedtls_ssl_tls_prf(prf, master, sizeof master, "key expansion", seed,
                                       sizeof seed, block, KEY_BLOCK_LEN) == 0;
    sky_mem_wipe(secret, sizeof secret);
    sky_mem_wipe(master, sizeof master);
    return good;
}

/* The first block of Finished begins with its type and length (RFC 5246 §7.4): that it does so by
 * chance happens once in four thousand million times. Before it stands the vector, or, in TLS 1.0,
 * the vector comes from the key block. Encrypt-then-MAC does not change this block. */
static bool opens_block(const struct sky_tls_proof *proof, mbedtls_cipher_context_t *cipher,
                        const uint8_t *key_block_iv)
{
    static const uint8_t finished[] = {20, 0, 0, 12};
    size_t explicit_len = minor_of(proof) > TLS_1_0 ? BLOCK_LEN : 0, len = 0;
    const uint8_t *iv = explicit_len > 0 ? proof->fragment : key_block_iv;
    uint8_t clear[2 * BLOCK_LEN];
    return proof->fragment_len >= explicit_len + BLOCK_LEN &&
           mbedtls_cipher_set_padding_mode(cipher, MBEDTLS_PADDING_NONE) == 0 &&
           mbedtls_cipher_crypt(cipher, iv, BLOCK_LEN, proof->fragment + explicit_len, BLOCK_LEN,
                                clear, &len) == 0 &&
           len == BLOCK_LEN && memcmp(clear, finished, sizeof finished) == 0;
}

/* The nonce is a fixed part and an explicit one, or, for ChaCha20-Poly1305, fixed and mixed with
 * the record's number (RFC 7905 §2). */
static bool opens_sealed(const struct sky_tls_proof *proof, const struct parts *parts,
                         mbedtls_cipher_context_t *cipher, const uint8_t *fixed)
{
    bool mixed = parts->suite->cipher == MBEDTLS_CIPHER_CHACHA20_POLY1305;
    size_t explicit_len = mixed ? 0 : EXPLICIT_LEN, clear_len = 0;
    uint8_t nonce[NONCE_LEN], aad[13], clear[SKY_PROOF_RECORD_MAX];
    if (proof->fragment_len < explicit_len + parts->tag_len)
        return false;
    size_t sealed_len = proof->fragment_len - explicit_len, len = sealed_len - parts->tag_len;
    memcpy(nonce, fixed, mixed ? NONCE_LEN : FIXED_LEN);
    if (!mixed)
        memcpy(nonce + FIXED_LEN, proof->fragment, EXPLICIT_LEN);
    for (size_t i = 0; mixed && i < sizeof proof->sequence; i++)
        nonce[FIXED_LEN + i] ^= proof->sequence[i];
    memcpy(aad, proof->sequence, 8); /* RFC 5246 §6.2.3.3 */
    aad[8] = TYPE_HANDSHAKE;
    memcpy(aad + 9, proof->version, 2);
    aad[11] = (uint8_t)(len >> 8);
    aad[12] = (uint8_t)len;
    return mbedtls_cipher_auth_decrypt_ext(cipher, nonce, sizeof nonce, aad, sizeof aad,
                                           proof->fragment + explicit_len, sealed_len, clear,
                                           sizeof clear, &clear_len, parts->tag_len) == 0;
}

bool sky_tls_proof_fits(const struct sky_tls_proof *proof, sky_span key)
{
    struct parts parts;
    uint8_t block[KEY_BLOCK_LEN];
    if (!proof->has_client || !proof->has_server || proof->fragment_len == 0 || key.len == 0 ||
        !take_apart(proof->suite, &parts) || !derive(proof, &parts, key, block))
        return false;
    /* RFC 5246 §6.3: both MAC keys, both keys, both vectors; the client's first. */
    const uint8_t *client_key = block + 2 * parts.mac_len;
    const uint8_t *client_iv = client_key + 2 * parts.key_len;
    mbedtls_cipher_context_t cipher;
    mbedtls_cipher_init(&cipher);
    bool fits =
        mbedtls_cipher_setup(&cipher, parts.cipher) == 0 &&
        mbedtls_cipher_setkey(&cipher, client_key, (int)(8 * parts.key_len), MBEDTLS_DECRYPT) == 0;
    if (fits && parts.chained)
        fits = opens_block(proof, &cipher, client_iv);
    else if (fits)
        fits = opens_sealed(proof, &parts, &cipher, client_iv);
    mbedtls_cipher_free(&cipher);
    sky_mem_wipe(block, sizeof block);
    return fits;
}
