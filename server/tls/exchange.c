#include "server/tls/exchange.h"

#include <mbedtls/ssl_internal.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    BEGIN = 4,       /* bytes: a handshake message's head, */
    LEN = 2,         /* a signature's length, */
    DER_MAX = 512,   /* a key on a curve */
    NAMED_CURVE = 3, /* RFC 8422 §5.4 */
};

_Static_assert(MBEDTLS_PREMASTER_SIZE >= SKY_CURVE_SECRET_MAX, "a secret fits");

void sky_tls_exchange_init(struct sky_tls_exchange *exchange)
{
    *exchange = (struct sky_tls_exchange){0};
    int rc = uv_mutex_init(&exchange->mutex);
    SKY_ASSERT(rc == 0);
}

void sky_tls_exchange_done(struct sky_tls_exchange *exchange)
{
    for (size_t i = 0; i < exchange->signer_count; i++)
        sky_curve_free(exchange->signers[i].same);
    uv_mutex_destroy(&exchange->mutex);
}

/* ---- signatures ---- */

static struct sky_curve_key *read_key(mbedtls_pk_context *key)
{
    unsigned char der[DER_MAX];
    if (mbedtls_pk_get_type(key) != MBEDTLS_PK_ECKEY)
        return NULL;
    int len = mbedtls_pk_write_key_der(key, der, sizeof der); /* at the end */
    struct sky_curve_key *same =
        len > 0 ? sky_curve_read(sky_span_of(der + sizeof der - len, (size_t)len)) : NULL;
    sky_mem_wipe(der, sizeof der);
    return same;
}

static struct sky_curve_key *signer_of(struct sky_tls_exchange *exchange, mbedtls_pk_context *key)
{
    struct sky_curve_key *same = NULL;
    size_t i = 0;
    uv_mutex_lock(&exchange->mutex);
    while (i < exchange->signer_count && exchange->signers[i].key != key)
        i++;
    if (i == exchange->signer_count && i < SKY_COUNT(exchange->signers))
        exchange->signers[exchange->signer_count++] =
            (struct sky_tls_exchange_signer){.key = key, .same = read_key(key)};
    if (i < exchange->signer_count)
        same = exchange->signers[i].same;
    uv_mutex_unlock(&exchange->mutex);
    return same;
}

/* Of a digest, into `out`, which has room for what an RSA key makes too. */
static int sign(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl,
                mbedtls_md_type_t digest, sky_span hash, unsigned char *out, size_t *ret_len)
{
    mbedtls_pk_context *key = mbedtls_ssl_own_key(ssl);
    struct sky_curve_key *signer = signer_of(exchange, key);
    if (signer == NULL)
        return mbedtls_pk_sign(key, digest, (const unsigned char *)hash.ptr, hash.len, out, ret_len,
                               ssl->conf->f_rng, ssl->conf->p_rng);
    *ret_len = sky_curve_sign(signer, hash, out);
    return *ret_len > 0 ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* ---- the server's message (RFC 8422 §5.4) ---- */

/* The first of ours that the client has, too; NULL: there is none. */
static const mbedtls_ecp_curve_info *choose_curve(const mbedtls_ssl_context *ssl)
{
    const mbedtls_ecp_group_id *ours = ssl->conf->curve_list;
    for (; *ours != MBEDTLS_ECP_DP_NONE; ours++)
        for (const mbedtls_ecp_curve_info **theirs = ssl->handshake->curves;
             theirs != NULL && *theirs != NULL; theirs++)
            if ((*theirs)->grp_id == *ours)
                return *theirs;
    return NULL;
}

/* Curve and point, behind what is in the message. */
static int add_params(mbedtls_ssl_context *ssl, uint16_t curve, struct sky_curve_key *pair)
{
    unsigned char *out = ssl->out_msg + ssl->out_msglen;
    size_t len = sky_curve_point(pair, out + BEGIN);
    out[0] = NAMED_CURVE;
    out[1] = (unsigned char)(curve >> 8);
    out[2] = (unsigned char)curve;
    out[3] = (unsigned char)len;
    ssl->out_msglen += BEGIN + len;
    return len > 0 ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* The signature of both randoms and what begins at `params`, behind it. */
static int add_signature(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl,
                         unsigned char *params, mbedtls_md_type_t digest,
                         mbedtls_pk_type_t algorithm)
{
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    size_t hash_len = 0, len = 0;
    unsigned char *out = ssl->out_msg + ssl->out_msglen;
    int rc = mbedtls_ssl_get_key_exchange_md_tls1_2(ssl, hash, &hash_len, params,
                                                    (size_t)(out - params), digest);
    if (rc != 0)
        return rc;
    *out++ = mbedtls_ssl_hash_from_md_alg((int)digest);
    *out++ = mbedtls_ssl_sig_from_pk_alg(algorithm);
    rc = sign(exchange, ssl, digest, sky_span_of(hash, hash_len), out + LEN, &len);
    out[0] = (unsigned char)(len >> 8);
    out[1] = (unsigned char)len;
    ssl->out_msglen = (size_t)(out - ssl->out_msg) + LEN + len;
    return rc;
}

static int send_half(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl,
                     struct sky_curve_key **pair)
{
    const mbedtls_ssl_ciphersuite_t *suite = ssl->handshake->ciphersuite_info;
    const mbedtls_ecp_curve_info *curve = choose_curve(ssl);
    mbedtls_pk_type_t algorithm = mbedtls_ssl_get_ciphersuite_sig_alg(suite);
    mbedtls_md_type_t digest = mbedtls_ssl_sig_hash_set_find(&ssl->handshake->hash_algs, algorithm);
    SKY_ASSERT(*pair == NULL);
    if (mbedtls_ssl_ciphersuite_uses_ecdhe(suite) && algorithm != MBEDTLS_PK_NONE &&
        ssl->minor_ver == MBEDTLS_SSL_MINOR_VERSION_3 && curve != NULL && digest != MBEDTLS_MD_NONE)
        *pair = sky_curve_make(curve->tls_id);
    if (*pair == NULL)
        return mbedtls_ssl_handshake_step(ssl);
    ssl->out_msglen = BEGIN;
    int rc = add_params(ssl, curve->tls_id, *pair);
    if (rc == 0)
        rc = add_signature(exchange, ssl, ssl->out_msg + BEGIN, digest, algorithm);
    if (rc != 0)
        return rc;
    ssl->out_msgtype = MBEDTLS_SSL_MSG_HANDSHAKE;
    ssl->out_msg[0] = MBEDTLS_SSL_HS_SERVER_KEY_EXCHANGE;
    ssl->state++;
    return mbedtls_ssl_write_handshake_msg(ssl);
}

/* ---- the client's (RFC 8422 §5.7) ---- */

static int read_half(mbedtls_ssl_context *ssl, struct sky_curve_key **pair)
{
    int rc = mbedtls_ssl_read_record(ssl, 1);
    if (rc != 0)
        return rc;
    if (ssl->in_msgtype != MBEDTLS_SSL_MSG_HANDSHAKE ||
        ssl->in_msg[0] != MBEDTLS_SSL_HS_CLIENT_KEY_EXCHANGE)
        return MBEDTLS_ERR_SSL_BAD_HS_CLIENT_KEY_EXCHANGE;
    sky_span point = sky_span_of(ssl->in_msg + BEGIN, ssl->in_hslen - BEGIN);
    if (point.len == 0 || (size_t)(uint8_t)point.ptr[0] != point.len - 1)
        return MBEDTLS_ERR_SSL_BAD_HS_CLIENT_KEY_EXCHANGE_RP;
    ssl->handshake->pmslen =
        sky_curve_secret(*pair, sky_span_tail(point, 1), ssl->handshake->premaster);
    sky_curve_free(*pair);
    *pair = NULL;
    if (ssl->handshake->pmslen == 0)
        return MBEDTLS_ERR_SSL_BAD_HS_CLIENT_KEY_EXCHANGE_CS;
    ssl->state++;
    return mbedtls_ssl_derive_keys(ssl);
}

int sky_tls_exchange_step(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl,
                          struct sky_curve_key **pair)
{
    if (ssl->state == MBEDTLS_SSL_SERVER_KEY_EXCHANGE)
        return send_half(exchange, ssl, pair);
    if (ssl->state == MBEDTLS_SSL_CLIENT_KEY_EXCHANGE && *pair != NULL)
        return read_half(ssl, pair);
    return mbedtls_ssl_handshake_step(ssl);
}
