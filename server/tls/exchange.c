#include "server/tls/exchange.h"

#include <mbedtls/ssl_internal.h>
#include <stdbool.h>

#include "protocol/base/assert.h"

enum { BEGIN = 4, LEN = 2 }; /* bytes: a handshake message's head, a signature's length */

void sky_tls_exchange_init(struct sky_tls_exchange *exchange, struct sky_tls_rng *rng)
{
    *exchange = (struct sky_tls_exchange){.rng = rng};
    int rc = uv_mutex_init(&exchange->mutex);
    SKY_ASSERT(rc == 0);
    for (size_t i = 0; i < SKY_EXCHANGE_CURVES; i++)
        mbedtls_ecp_keypair_init(&exchange->pairs[i].keys);
}

void sky_tls_exchange_done(struct sky_tls_exchange *exchange)
{
    for (size_t i = 0; i < SKY_EXCHANGE_CURVES; i++)
        mbedtls_ecp_keypair_free(&exchange->pairs[i].keys);
    uv_mutex_destroy(&exchange->mutex);
}

/* ---- pairs ---- */

static struct sky_tls_exchange_pair *pair_of(struct sky_tls_exchange *exchange,
                                             mbedtls_ecp_group_id curve)
{
    size_t i = 0;
    while (exchange->pairs[i].keys.grp.id != curve &&
           exchange->pairs[i].keys.grp.id != MBEDTLS_ECP_DP_NONE) {
        i++;
        SKY_ASSERT(i < SKY_EXCHANGE_CURVES);
    }
    return &exchange->pairs[i];
}

static void forget(struct sky_tls_exchange_pair *pair)
{
    mbedtls_ecp_keypair_free(&pair->keys);
    mbedtls_ecp_keypair_init(&pair->keys);
    pair->used = 0;
}

static int renew(struct sky_tls_exchange *exchange, mbedtls_ecp_group_id curve,
                 struct sky_tls_exchange_pair *pair)
{
    forget(pair);
    int rc = mbedtls_ecp_gen_key(curve, &pair->keys, sky_tls_rng_random, exchange->rng);
    if (rc != 0)
        forget(pair);
    return rc;
}

int sky_tls_exchange_take(struct sky_tls_exchange *exchange, mbedtls_ecp_group_id curve,
                          mbedtls_ecdh_context *ecdh)
{
    uv_mutex_lock(&exchange->mutex);
    struct sky_tls_exchange_pair *pair = pair_of(exchange, curve);
    bool usable = pair->keys.grp.id == curve && pair->used < SKY_EXCHANGE_SHARED_MAX;
    int rc = usable ? 0 : renew(exchange, curve, pair);
    if (rc == 0)
        rc = mbedtls_ecdh_get_params(ecdh, &pair->keys, MBEDTLS_ECDH_OURS);
    pair->used++;
    uv_mutex_unlock(&exchange->mutex);
    return rc;
}

/* ---- the message (RFC 8422 §5.4) ---- */

/* The first of ours that the client has, too; NONE: there is none. */
static mbedtls_ecp_group_id choose_curve(const mbedtls_ssl_context *ssl)
{
    const mbedtls_ecp_group_id *ours = ssl->conf->curve_list;
    for (; *ours != MBEDTLS_ECP_DP_NONE; ours++)
        for (const mbedtls_ecp_curve_info **theirs = ssl->handshake->curves;
             theirs != NULL && *theirs != NULL; theirs++)
            if ((*theirs)->grp_id == *ours)
                return *ours;
    return MBEDTLS_ECP_DP_NONE;
}

/* Curve and point, behind what is in the message. */
static int add_params(mbedtls_ssl_context *ssl)
{
    const mbedtls_ecdh_context *ecdh = &ssl->handshake->ecdh_ctx;
    size_t len = 0;
    int rc = mbedtls_ecp_tls_write_group(&ecdh->grp, &len, ssl->out_msg + ssl->out_msglen,
                                         MBEDTLS_SSL_OUT_CONTENT_LEN - ssl->out_msglen);
    if (rc != 0)
        return rc;
    ssl->out_msglen += len;
    rc = mbedtls_ecp_tls_write_point(&ecdh->grp, &ecdh->Q, ecdh->point_format, &len,
                                     ssl->out_msg + ssl->out_msglen,
                                     MBEDTLS_SSL_OUT_CONTENT_LEN - ssl->out_msglen);
    if (rc == 0)
        ssl->out_msglen += len;
    return rc;
}

/* The signature of both randoms and what begins at `params`, behind it. */
static int add_signature(mbedtls_ssl_context *ssl, unsigned char *params, mbedtls_md_type_t digest,
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
    rc = mbedtls_pk_sign(mbedtls_ssl_own_key(ssl), digest, hash, hash_len, out + LEN, &len,
                         ssl->conf->f_rng, ssl->conf->p_rng);
    out[0] = (unsigned char)(len >> 8);
    out[1] = (unsigned char)len;
    ssl->out_msglen = (size_t)(out - ssl->out_msg) + LEN + len;
    return rc;
}

int sky_tls_exchange_step(struct sky_tls_exchange *exchange, mbedtls_ssl_context *ssl)
{
    const mbedtls_ssl_ciphersuite_t *suite = ssl->handshake->ciphersuite_info;
    mbedtls_ecp_group_id curve = choose_curve(ssl);
    mbedtls_pk_type_t algorithm = mbedtls_ssl_get_ciphersuite_sig_alg(suite);
    mbedtls_md_type_t digest = mbedtls_ssl_sig_hash_set_find(&ssl->handshake->hash_algs, algorithm);
    SKY_ASSERT(ssl->state == MBEDTLS_SSL_SERVER_KEY_EXCHANGE);
    if (!mbedtls_ssl_ciphersuite_uses_ecdhe(suite) || algorithm == MBEDTLS_PK_NONE ||
        ssl->minor_ver != MBEDTLS_SSL_MINOR_VERSION_3 || curve == MBEDTLS_ECP_DP_NONE ||
        digest == MBEDTLS_MD_NONE)
        return mbedtls_ssl_handshake_step(ssl);
    int rc = sky_tls_exchange_take(exchange, curve, &ssl->handshake->ecdh_ctx);
    ssl->out_msglen = BEGIN;
    if (rc == 0)
        rc = add_params(ssl);
    if (rc == 0)
        rc = add_signature(ssl, ssl->out_msg + BEGIN, digest, algorithm);
    if (rc != 0)
        return rc;
    ssl->out_msgtype = MBEDTLS_SSL_MSG_HANDSHAKE;
    ssl->out_msg[0] = MBEDTLS_SSL_HS_SERVER_KEY_EXCHANGE;
    ssl->state++;
    return mbedtls_ssl_write_handshake_msg(ssl);
}
