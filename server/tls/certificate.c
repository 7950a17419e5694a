#include "server/tls/certificate.h"

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <time.h>

#include "auth/digest.h"
#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/tls/der.h"
#include "server/tls/rng.h"

enum {
    RSA_BITS = 2048,
    RSA_WEAK_BITS = 1024,
    SERIAL_LEN = 16,
    STAMP_LEN = 14, /* YYYYMMDDhhmmss */
    RSA_EXPONENT = 65537,
    DAY_S = 24 * 60 * 60,
};

/* 2.16.840.1.113730.1.13, a text that means nothing to anybody. */
#define NS_COMMENT "\x60\x86\x48\x01\x86\xf8\x42\x01\x0d"

sky_err sky_certificate_failed(struct sky_why *why, sky_err err, const char *what, int code)
{
    char text[120];
    mbedtls_strerror(code, text, sizeof text);
    return sky_why_set(why, err, "", "%s: %s", what, text);
}

/* ---- keys ---- */

sky_err sky_certificate_make_key(enum sky_key_kind kind, mbedtls_pk_context *ret_key,
                                 int (*random)(void *, unsigned char *, size_t), void *ctx)
{
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    bool rsa = kind != SKY_KEY_EC;
    int rc =
        mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY));
    SKY_ASSERT(rc == 0);
    if (rsa)
        rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key), random, ctx,
                                 kind == SKY_KEY_RSA ? RSA_BITS : RSA_WEAK_BITS, RSA_EXPONENT);
    else
        rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), random, ctx);
    if (rc != 0) {
        mbedtls_pk_free(&key);
        return SKY_ERR_CRYPTO;
    }
    *ret_key = key;
    return SKY_OK;
}

sky_err sky_certificate_write_key(mbedtls_pk_context *key, struct sky_buf *out)
{
    unsigned char pem[4096];
    int rc = mbedtls_pk_write_key_pem(key, pem, sizeof pem);
    if (rc == 0)
        sky_buf_add_str(out, (const char *)pem);
    sky_mem_wipe(pem, sizeof pem);
    return rc == 0 ? SKY_OK : SKY_ERR_CRYPTO;
}

/* ---- certificates ---- */

static void format_time(int64_t unix_s, char out[STAMP_LEN + 1])
{
    time_t at = (time_t)unix_s;
    struct tm parts;
    struct tm *known = gmtime_r(&at, &parts);
    SKY_ASSERT(known != NULL);
    size_t len = strftime(out, STAMP_LEN + 1, "%Y%m%d%H%M%S", &parts);
    SKY_ASSERT(len == STAMP_LEN);
}

static int set_validity(mbedtls_x509write_cert *writer, const struct sky_certificate_order *order)
{
    char from[STAMP_LEN + 1], to[STAMP_LEN + 1];
    int64_t from_s = order->now_ms / 1000 - DAY_S;
    int64_t until_s = from_s + (int64_t)SKY_CERTIFICATE_VALID_DAYS * DAY_S;
    format_time(order->from_ms != 0 ? order->from_ms / 1000 : from_s, from);
    format_time(order->until_ms != 0 ? order->until_ms / 1000 : until_s, to);
    return mbedtls_x509write_crt_set_validity(writer, from, to);
}

/* Random, positive, and never shorter than its first byte (RFC 5280 §4.1.2.2). */
static int set_serial(mbedtls_x509write_cert *writer, struct sky_tls_rng *rng)
{
    unsigned char bytes[SERIAL_LEN];
    mbedtls_mpi serial;
    mbedtls_mpi_init(&serial);
    int rc = sky_tls_rng_random(rng, bytes, sizeof bytes);
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    if (rc == 0)
        rc = mbedtls_mpi_read_binary(&serial, bytes, sizeof bytes);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_serial(writer, &serial);
    mbedtls_mpi_free(&serial);
    return rc;
}

static int set_extension(mbedtls_x509write_cert *writer, const char *oid, size_t oid_len,
                         sky_span value)
{
    return mbedtls_x509write_crt_set_extension(writer, oid, oid_len, 0,
                                               (const unsigned char *)value.ptr, value.len);
}

static int set_purpose(mbedtls_x509write_cert *writer, enum sky_certificate_role role)
{
    struct sky_buf value;
    sky_buf_init(&value, 64);
    sky_der_add_purpose(&value,
                        role == SKY_CERTIFICATE_SERVER ? SKY_DER_SERVER_AUTH : SKY_DER_CLIENT_AUTH);
    int rc = set_extension(writer, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), sky_buf_span(&value));
    sky_buf_done(&value);
    return rc;
}

static int set_usage(mbedtls_x509write_cert *writer, const struct sky_certificate_order *order)
{
    unsigned usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
    if (order->role != SKY_CERTIFICATE_ROOT)
        usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    if (order->role != SKY_CERTIFICATE_ROOT &&
        mbedtls_pk_can_do(order->subject_key, MBEDTLS_PK_RSA))
        usage |= MBEDTLS_X509_KU_KEY_ENCIPHERMENT; /* static RSA needs it (RFC 5246 §7.4.2) */
    int rc = mbedtls_x509write_crt_set_key_usage(writer, usage);
    if (rc == 0 && order->role != SKY_CERTIFICATE_ROOT)
        rc = set_purpose(writer, order->role);
    return rc;
}

static int set_extensions(mbedtls_x509write_cert *writer, const struct sky_certificate_order *order)
{
    bool root = order->role == SKY_CERTIFICATE_ROOT;
    int rc = mbedtls_x509write_crt_set_basic_constraints(writer, root, root ? 0 : -1);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_subject_key_identifier(writer);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_authority_key_identifier(writer);
    if (rc == 0)
        rc = set_usage(writer, order);
    if (rc == 0 && order->alt_names.len > 0)
        rc = set_extension(writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), order->alt_names);
    if (rc == 0 && order->comment.len > 0)
        rc = set_extension(writer, NS_COMMENT, sizeof NS_COMMENT - 1, order->comment);
    return rc;
}

static int fill_in(mbedtls_x509write_cert *writer, const struct sky_certificate_order *order,
                   struct sky_tls_rng *rng)
{
    mbedtls_x509write_crt_set_version(writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(writer, order->sha1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(writer, order->subject_key);
    mbedtls_x509write_crt_set_issuer_key(writer, order->issuer_key);
    int rc = mbedtls_x509write_crt_set_subject_name(writer, order->subject);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_issuer_name(writer, order->issuer);
    if (rc == 0)
        rc = set_serial(writer, rng);
    if (rc == 0)
        rc = set_validity(writer, order);
    if (rc == 0)
        rc = set_extensions(writer, order);
    return rc;
}

sky_err sky_certificate_write(const struct sky_certificate_order *order, struct sky_tls_rng *rng,
                              struct sky_buf *out)
{
    mbedtls_x509write_cert writer;
    mbedtls_x509write_crt_init(&writer);
    unsigned char *pem = sky_mem_new(SKY_CERTIFICATE_MAX);
    int rc = fill_in(&writer, order, rng);
    if (rc == 0)
        rc = mbedtls_x509write_crt_pem(&writer, pem, SKY_CERTIFICATE_MAX, sky_tls_rng_random, rng);
    if (rc == 0)
        sky_buf_add_str(out, (const char *)pem);
    free(pem);
    mbedtls_x509write_crt_free(&writer);
    return rc == 0 ? SKY_OK : SKY_ERR_CRYPTO;
}

sky_err sky_certificate_make(const struct sky_certificate_order *order, struct sky_tls_rng *rng,
                             mbedtls_x509_crt *chain)
{
    mbedtls_x509write_cert writer;
    mbedtls_x509write_crt_init(&writer);
    unsigned char *der = sky_mem_new(SKY_CERTIFICATE_DER_MAX);
    int rc = fill_in(&writer, order, rng), len = 0;
    if (rc == 0)
        rc = len = mbedtls_x509write_crt_der(&writer, der, SKY_CERTIFICATE_DER_MAX,
                                             sky_tls_rng_random, rng);
    if (rc > 0) /* it is written at the end */
        rc = mbedtls_x509_crt_parse_der(chain, der + SKY_CERTIFICATE_DER_MAX - len, (size_t)len);
    free(der);
    mbedtls_x509write_crt_free(&writer);
    return rc == 0 ? SKY_OK : SKY_ERR_CRYPTO;
}

/* ---- reading ---- */

void sky_certificate_fingerprint(const mbedtls_x509_crt *certificate,
                                 char out[SKY_FINGERPRINT_HEX + 1])
{
    uint8_t digest[SKY_DIGEST_MAX];
    sky_span der = sky_span_of(certificate->raw.p, certificate->raw.len);
    sky_digest_hash(SKY_SHA256, &der, 1, digest);
    sky_hex_lower(sky_span_of(digest, sky_digest_len(SKY_SHA256)), out);
}

sky_err sky_certificate_fingerprint_pem(sky_span pem, char out[SKY_FINGERPRINT_HEX + 1],
                                        struct sky_why *why)
{
    if (pem.len >= SKY_CERTIFICATE_PEM_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "", "the certificate is longer than %d bytes",
                           SKY_CERTIFICATE_PEM_MAX - 1);
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    char *text = sky_mem_dup(pem.ptr, pem.len); /* the parser wants the NUL */
    int rc = mbedtls_x509_crt_parse(&certificate, (const unsigned char *)text, pem.len + 1);
    if (certificate.raw.p != NULL)
        sky_certificate_fingerprint(&certificate, out);
    sky_err err =
        certificate.raw.p != NULL
            ? SKY_OK
            : sky_certificate_failed(why, SKY_ERR_INVALID, "this is no PEM certificate", rc);
    free(text);
    mbedtls_x509_crt_free(&certificate);
    return err;
}

bool sky_certificate_name(const mbedtls_x509_crt *certificate,
                          char out[SKY_CERTIFICATE_NAME_MAX + 1])
{
    const mbedtls_x509_name *name = &certificate->subject;
    while (name != NULL && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) != 0)
        name = name->next;
    if (name == NULL || name->val.len == 0)
        return false;
    sky_span text = sky_span_of(name->val.p, name->val.len);
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.ptr[i] < ' ' || (uint8_t)text.ptr[i] >= 0x7f)
            return false;
    return sky_span_copy(text, out, SKY_CERTIFICATE_NAME_MAX + 1);
}
