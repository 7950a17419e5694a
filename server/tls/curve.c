#include "server/tls/curve.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <uv.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/library.h"

/* What is used of libcrypto. */
#define CALLS(CALL)                                                                                \
    CALL(CRYPTO_free)                                                                              \
    CALL(d2i_AutoPrivateKey)                                                                       \
    CALL(ERR_clear_error)                                                                          \
    CALL(EVP_PKEY_copy_parameters)                                                                 \
    CALL(EVP_PKEY_CTX_free)                                                                        \
    CALL(EVP_PKEY_CTX_new)                                                                         \
    CALL(EVP_PKEY_derive)                                                                          \
    CALL(EVP_PKEY_derive_init)                                                                     \
    CALL(EVP_PKEY_derive_set_peer)                                                                 \
    CALL(EVP_PKEY_free)                                                                            \
    CALL(EVP_PKEY_get1_encoded_public_key)                                                         \
    CALL(EVP_PKEY_new)                                                                             \
    CALL(EVP_PKEY_Q_keygen)                                                                        \
    CALL(EVP_PKEY_set1_encoded_public_key)                                                         \
    CALL(EVP_PKEY_sign)                                                                            \
    CALL(EVP_PKEY_sign_init)

static struct {
    CALLS(SKY_LIBRARY_POINTER)
} lib;

enum { X25519_LEN = 32, UNCOMPRESSED = 4 };

/* The two that handshakes choose before all others. */
static const struct curve_row {
    uint16_t number;         /* in TLS */
    const char *type, *name; /* libcrypto's; NULL: the type has one curve only */
} curves[] = {{29, "X25519", NULL}, {23, "EC", "P-256"}};

static uv_once_t opened = UV_ONCE_INIT;
static bool usable;

static void open_library(void)
{
    static const struct sky_library_call calls[] = {CALLS(SKY_LIBRARY_CALL)};
    struct sky_why why;
    usable = sky_library_open(CRYPTO_FILE, calls, SKY_COUNT(calls), &why) == SKY_OK;
}

static bool is_usable(void)
{
    uv_once(&opened, open_library);
    return usable;
}

static EVP_PKEY *of(struct sky_curve_key *key)
{
    return (EVP_PKEY *)key;
}

/* ---- keys ---- */

struct sky_curve_key *sky_curve_make(uint16_t curve)
{
    const struct curve_row *row = curves;
    while (row < curves + SKY_COUNT(curves) && row->number != curve)
        row++;
    if (row == curves + SKY_COUNT(curves) || !is_usable())
        return NULL;
    return (struct sky_curve_key *)lib.EVP_PKEY_Q_keygen(NULL, NULL, row->type, row->name);
}

struct sky_curve_key *sky_curve_read(sky_span der)
{
    const unsigned char *bytes = (const unsigned char *)der.ptr;
    if (!is_usable())
        return NULL;
    EVP_PKEY *key = lib.d2i_AutoPrivateKey(NULL, &bytes, (long)der.len);
    if (key == NULL)
        lib.ERR_clear_error();
    return (struct sky_curve_key *)key;
}

void sky_curve_free(struct sky_curve_key *key)
{
    if (key != NULL)
        lib.EVP_PKEY_free(of(key));
}

/* ---- what is done with them ---- */

size_t sky_curve_point(struct sky_curve_key *key, uint8_t out[SKY_CURVE_POINT_MAX])
{
    unsigned char *point = NULL;
    size_t len = lib.EVP_PKEY_get1_encoded_public_key(of(key), &point);
    SKY_ASSERT(len <= SKY_CURVE_POINT_MAX);
    if (len > 0)
        memcpy(out, point, len);
    lib.CRYPTO_free(point, __FILE__, __LINE__);
    return len;
}

/* Other forms of points are deprecated (RFC 8422 §5.1.2), and libcrypto reads them. */
static bool is_plain(sky_span point)
{
    return point.len == SKY_CURVE_POINT_MAX ? point.ptr[0] == UNCOMPRESSED
                                            : point.len == X25519_LEN;
}

/* libcrypto looks whether the point is on the curve, and, of X25519, whether the secret is one
 * (RFC 7748 §6.1). */
size_t sky_curve_secret(struct sky_curve_key *key, sky_span point,
                        uint8_t out[SKY_CURVE_SECRET_MAX])
{
    size_t len = SKY_CURVE_SECRET_MAX;
    EVP_PKEY *peer = lib.EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = lib.EVP_PKEY_CTX_new(of(key), NULL);
    bool good =
        is_plain(point) && peer != NULL && ctx != NULL &&
        lib.EVP_PKEY_copy_parameters(peer, of(key)) > 0 &&
        lib.EVP_PKEY_set1_encoded_public_key(peer, (const unsigned char *)point.ptr, point.len) > 0;
    good = good && lib.EVP_PKEY_derive_init(ctx) > 0 &&
           lib.EVP_PKEY_derive_set_peer(ctx, peer) > 0 && lib.EVP_PKEY_derive(ctx, out, &len) > 0;
    lib.EVP_PKEY_CTX_free(ctx);
    lib.EVP_PKEY_free(peer);
    if (!good)
        lib.ERR_clear_error();
    return good ? len : 0;
}

size_t sky_curve_sign(struct sky_curve_key *key, sky_span digest,
                      uint8_t out[SKY_CURVE_SIGNATURE_MAX])
{
    size_t len = SKY_CURVE_SIGNATURE_MAX;
    EVP_PKEY_CTX *ctx = lib.EVP_PKEY_CTX_new(of(key), NULL);
    bool good =
        ctx != NULL && lib.EVP_PKEY_sign_init(ctx) > 0 &&
        lib.EVP_PKEY_sign(ctx, out, &len, (const unsigned char *)digest.ptr, digest.len) > 0;
    lib.EVP_PKEY_CTX_free(ctx);
    if (!good)
        lib.ERR_clear_error();
    return good ? len : 0;
}
