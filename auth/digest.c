#include "auth/digest.h"

#include <stdlib.h>

#include <mbedtls/md5.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

/* The block size of all three (RFC 2104 §2 calls it B). */
enum { BLOCK = 64 };

/* The library's per-algorithm contexts live on the stack; its generic md layer would allocate one
 * for every digest. */
union context {
    mbedtls_md5_context md5;
    mbedtls_sha1_context sha1;
    mbedtls_sha256_context sha256;
};

static int sha256_starts(mbedtls_sha256_context *context)
{
    return mbedtls_sha256_starts_ret(context, 0);
}

/* Adapters of one type for the three sets of functions. Software digests cannot fail; a hardware
 * one that did would make every verdict meaningless. */
#define ADAPTERS(name, starts_fn)                                                                  \
    static void name##_start(union context *context)                                               \
    {                                                                                              \
        mbedtls_##name##_init(&context->name);                                                     \
        int failed = starts_fn(&context->name);                                                    \
        SKY_ASSERT(failed == 0);                                                                   \
    }                                                                                              \
    static void name##_update(union context *context, const void *bytes, size_t len)               \
    {                                                                                              \
        int failed = mbedtls_##name##_update_ret(&context->name, bytes, len);                      \
        SKY_ASSERT(failed == 0);                                                                   \
    }                                                                                              \
    static void name##_finish(union context *context, uint8_t *out)                                \
    {                                                                                              \
        int failed = mbedtls_##name##_finish_ret(&context->name, out);                             \
        SKY_ASSERT(failed == 0);                                                                   \
        mbedtls_##name##_free(&context->name);                                                     \
    }

ADAPTERS(md5, mbedtls_md5_starts_ret)
ADAPTERS(sha1, mbedtls_sha1_starts_ret)
ADAPTERS(sha256, sha256_starts)

struct algorithm {
    const char *name;
    size_t len;
    void (*start)(union context *context);
    void (*update)(union context *context, const void *bytes, size_t len);
    void (*finish)(union context *context, uint8_t *out);
};

static const struct algorithm algorithms[SKY_DIGESTS] = {
    [SKY_MD5] = {"md5", 16, md5_start, md5_update, md5_finish},
    [SKY_SHA1] = {"sha1", 20, sha1_start, sha1_update, sha1_finish},
    [SKY_SHA256] = {"sha256", 32, sha256_start, sha256_update, sha256_finish},
};

static const struct algorithm *algorithm_of(enum sky_digest digest)
{
    SKY_ASSERT(digest < SKY_DIGESTS);
    return &algorithms[digest];
}

size_t sky_digest_len(enum sky_digest digest)
{
    return algorithm_of(digest)->len;
}

const char *sky_digest_name(enum sky_digest digest)
{
    return algorithm_of(digest)->name;
}

/* Digest of `head` and the pieces behind it. */
static void hash_behind(const struct algorithm *algorithm, sky_span head, const sky_span *pieces,
                        size_t count, uint8_t *out)
{
    union context context;
    algorithm->start(&context);
    if (head.len > 0)
        algorithm->update(&context, head.ptr, head.len);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            algorithm->update(&context, pieces[i].ptr, pieces[i].len);
    algorithm->finish(&context, out);
}

void sky_digest_hash(enum sky_digest digest, const sky_span *pieces, size_t count, uint8_t *out)
{
    hash_behind(algorithm_of(digest), SKY_SPAN_NONE, pieces, count, out);
}

_Static_assert(sizeof(union context) <= sizeof((struct sky_hmac_key *)NULL)->states[0],
               "the library's contexts fit");

/* RFC 2104 §2: H(K xor opad, H(K xor ipad, text)), a key longer than a block being hashed first.
 * The library's software contexts are plain values: a copy goes on where the original stood. */
void sky_hmac_key_init(struct sky_hmac_key *ret_key, enum sky_digest digest, sky_span key)
{
    static const uint8_t pads[] = {0x36, 0x5c};
    const struct algorithm *algorithm = algorithm_of(digest);
    uint8_t block[BLOCK] = {0}, padded[BLOCK];
    union context context;
    if (key.len > BLOCK)
        hash_behind(algorithm, key, NULL, 0, block);
    else if (key.len > 0)
        memcpy(block, key.ptr, key.len);
    ret_key->digest = digest;
    for (size_t i = 0; i < SKY_COUNT(pads); i++) {
        for (size_t j = 0; j < BLOCK; j++)
            padded[j] = block[j] ^ pads[i];
        memset(&context, 0, sizeof context);
        algorithm->start(&context);
        algorithm->update(&context, padded, BLOCK);
        memcpy(ret_key->states[i], &context, sizeof context);
    }
    sky_mem_wipe(block, sizeof block);
    sky_mem_wipe(padded, sizeof padded);
    sky_mem_wipe(&context, sizeof context);
}

void sky_hmac_key_use(const struct sky_hmac_key *key, const sky_span *pieces, size_t count,
                      uint8_t *out)
{
    const struct algorithm *algorithm = algorithm_of(key->digest);
    uint8_t inner[SKY_DIGEST_MAX];
    union context context;
    memcpy(&context, key->states[0], sizeof context);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            algorithm->update(&context, pieces[i].ptr, pieces[i].len);
    algorithm->finish(&context, inner);
    memcpy(&context, key->states[1], sizeof context);
    algorithm->update(&context, inner, algorithm->len);
    algorithm->finish(&context, out);
    sky_mem_wipe(inner, sizeof inner);
}

void sky_digest_hmac(enum sky_digest digest, sky_span key, const sky_span *pieces, size_t count,
                     uint8_t *out)
{
    struct sky_hmac_key kept;
    sky_hmac_key_init(&kept, digest, key);
    sky_hmac_key_use(&kept, pieces, count, out);
    sky_mem_wipe(&kept, sizeof kept);
}

bool sky_digest_eq(sky_span a, sky_span b)
{
    if (a.len != b.len)
        return false;
    unsigned difference = 0;
    for (size_t i = 0; i < a.len; i++)
        difference |= (unsigned)((uint8_t)a.ptr[i] ^ (uint8_t)b.ptr[i]);
    return difference == 0;
}

/* ---- in parts ---- */

struct sky_digest_sum {
    const struct algorithm *algorithm;
    union context context;
};

struct sky_digest_sum *sky_digest_begin(enum sky_digest digest)
{
    struct sky_digest_sum *sum = sky_mem_new(sizeof *sum);
    sum->algorithm = algorithm_of(digest);
    sum->algorithm->start(&sum->context);
    return sum;
}

void sky_digest_add(struct sky_digest_sum *sum, sky_span bytes)
{
    sum->algorithm->update(&sum->context, bytes.ptr, bytes.len);
}

void sky_digest_end(struct sky_digest_sum *sum, uint8_t *out)
{
    uint8_t unwanted[SKY_DIGEST_MAX];
    sum->algorithm->finish(&sum->context, out != NULL ? out : unwanted);
    free(sum);
}
