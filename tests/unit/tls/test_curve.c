/* Keys on curves: held against the TLS library's arithmetic, which is somebody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/ecdh.h>
#include <mbedtls/pk.h>

#include "protocol/base/mem.h"
#include "server/tls/curve.h"
#include "server/tls/rng.h"

enum { X25519 = 29, P256 = 23, X25519_LEN = 32 };

static const uint16_t curves[] = {X25519, P256};

static struct sky_tls_rng rng;

static int open_rng(void **state)
{
    (void)state;
    sky_tls_rng_init(&rng);
    return 0;
}

static int close_rng(void **state)
{
    (void)state;
    sky_tls_rng_done(&rng);
    return 0;
}

static struct sky_curve_key *make(uint16_t curve, uint8_t point[SKY_CURVE_POINT_MAX],
                                  size_t *ret_len)
{
    struct sky_curve_key *key = sky_curve_make(curve);
    assert_non_null(key);
    *ret_len = sky_curve_point(key, point);
    assert_int_equal(*ret_len, curve == X25519 ? X25519_LEN : SKY_CURVE_POINT_MAX);
    return key;
}

/* ---- secrets ---- */

static void the_tls_library_finds_the_same_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(curves); i++) {
        uint8_t point[SKY_CURVE_POINT_MAX], ours[SKY_CURVE_SECRET_MAX];
        unsigned char message[SKY_CURVE_POINT_MAX + 1], theirs[SKY_CURVE_SECRET_MAX];
        size_t point_len, message_len, theirs_len;
        mbedtls_ecdh_context peer;
        struct sky_curve_key *key = make(curves[i], point, &point_len);
        mbedtls_ecdh_init(&peer);
        assert_int_equal(
            mbedtls_ecdh_setup(&peer, mbedtls_ecp_curve_info_from_tls_id(curves[i])->grp_id), 0);
        assert_int_equal(mbedtls_ecdh_make_public(&peer, &message_len, message, sizeof message,
                                                  sky_tls_rng_random, &rng),
                         0);
        size_t ours_len = sky_curve_secret(key, sky_span_of(message + 1, message_len - 1), ours);
        message[0] = (unsigned char)point_len;
        memcpy(message + 1, point, point_len);
        assert_int_equal(mbedtls_ecdh_read_public(&peer, message, 1 + point_len), 0);
        assert_int_equal(mbedtls_ecdh_calc_secret(&peer, &theirs_len, theirs, sizeof theirs,
                                                  sky_tls_rng_random, &rng),
                         0);
        assert_int_equal(ours_len, theirs_len);
        assert_memory_equal(ours, theirs, theirs_len);
        mbedtls_ecdh_free(&peer);
        sky_curve_free(key);
    }
}

static void every_key_is_a_new_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(curves); i++) {
        uint8_t one[SKY_CURVE_POINT_MAX], other[SKY_CURVE_POINT_MAX];
        size_t len, other_len;
        struct sky_curve_key *first = make(curves[i], one, &len);
        struct sky_curve_key *second = make(curves[i], other, &other_len);
        assert_memory_not_equal(one, other, len);
        sky_curve_free(first);
        sky_curve_free(second);
    }
}

static void other_curves_are_left_to_others(void **state)
{
    static const uint16_t others[] = {0, 24, 25, 30, 0xffff};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(others); i++)
        assert_null(sky_curve_make(others[i]));
    sky_curve_free(NULL);
}

static void assert_refused(uint16_t curve, const uint8_t *point, size_t len)
{
    uint8_t own[SKY_CURVE_POINT_MAX], secret[SKY_CURVE_SECRET_MAX];
    size_t own_len;
    struct sky_curve_key *key = make(curve, own, &own_len);
    assert_int_equal(sky_curve_secret(key, sky_span_of(point, len), secret), 0);
    sky_curve_free(key);
}

static void points_that_make_no_secret_are_refused(void **state)
{
    static const uint8_t zero[SKY_CURVE_POINT_MAX + 1];
    uint8_t point[SKY_CURVE_POINT_MAX + 1] = {1};
    size_t len;
    (void)state;
    assert_refused(X25519, zero, X25519_LEN);
    assert_refused(X25519, point, X25519_LEN); /* of order 1 */
    assert_refused(P256, zero, 1);             /* the one at infinity */
    assert_refused(P256, zero, SKY_CURVE_POINT_MAX);
    sky_curve_free(make(P256, point, &len));
    point[len - 1] ^= 1;
    assert_refused(P256, point, len); /* beside the curve */
}

static void points_of_other_lengths_and_forms_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(curves); i++) {
        uint8_t point[SKY_CURVE_POINT_MAX + 1] = {0};
        size_t len;
        sky_curve_free(make(curves[i], point, &len));
        assert_refused(curves[i], point, 0);
        assert_refused(curves[i], point, len - 1);
        assert_refused(curves[i], point, len + 1);
        if (curves[i] == X25519)
            continue;
        bool odd = point[len - 1] & 1;
        point[0] = odd ? 3 : 2;
        assert_refused(curves[i], point, 1 + len / 2); /* compressed, */
        point[0] = odd ? 7 : 6;
        assert_refused(curves[i], point, len); /* and both at once */
    }
}

/* ---- signatures ---- */

static void open_pair(mbedtls_pk_context *pk, mbedtls_ecp_group_id curve)
{
    mbedtls_pk_init(pk);
    assert_int_equal(mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
    assert_int_equal(mbedtls_ecp_gen_key(curve, mbedtls_pk_ec(*pk), sky_tls_rng_random, &rng), 0);
}

static void the_tls_library_trusts_the_signature(void **state)
{
    static const mbedtls_ecp_group_id signing[] = {
        MBEDTLS_ECP_DP_SECP224R1, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
        MBEDTLS_ECP_DP_SECP521R1};
    static const struct {
        mbedtls_md_type_t type;
        size_t len;
    } digests[] = {{MBEDTLS_MD_SHA1, 20}, {MBEDTLS_MD_SHA256, 32}, {MBEDTLS_MD_SHA512, 64}};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(signing) * SKY_COUNT(digests); i++) {
        mbedtls_md_type_t type = digests[i % SKY_COUNT(digests)].type;
        size_t len = digests[i % SKY_COUNT(digests)].len;
        unsigned char der[512], digest[64] = {1, 2, 3};
        uint8_t signature[SKY_CURVE_SIGNATURE_MAX];
        mbedtls_pk_context pk;
        open_pair(&pk, signing[i / SKY_COUNT(digests)]);
        int der_len = mbedtls_pk_write_key_der(&pk, der, sizeof der);
        assert_true(der_len > 0);
        struct sky_curve_key *key =
            sky_curve_read(sky_span_of(der + sizeof der - der_len, (size_t)der_len));
        assert_non_null(key);
        size_t signature_len = sky_curve_sign(key, sky_span_of(digest, len), signature);
        assert_int_equal(mbedtls_pk_verify(&pk, type, digest, len, signature, signature_len), 0);
        digest[0]++;
        assert_int_not_equal(mbedtls_pk_verify(&pk, type, digest, len, signature, signature_len),
                             0);
        sky_curve_free(key);
        mbedtls_pk_free(&pk);
    }
}

static void what_is_no_key_is_not_read(void **state)
{
    (void)state;
    assert_null(sky_curve_read(SKY_SPAN_NONE));
    assert_null(sky_curve_read(SKY_SPAN("this is no key")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tls_library_finds_the_same_secret),
        cmocka_unit_test(every_key_is_a_new_one),
        cmocka_unit_test(other_curves_are_left_to_others),
        cmocka_unit_test(points_that_make_no_secret_are_refused),
        cmocka_unit_test(points_of_other_lengths_and_forms_are_refused),
        cmocka_unit_test(the_tls_library_trusts_the_signature),
        cmocka_unit_test(what_is_no_key_is_not_read),
    };
    return cmocka_run_group_tests(tests, open_rng, close_rng);
}
