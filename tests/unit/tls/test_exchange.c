/* Keys of the exchange: how many handshakes share a pair, and that each curve has its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/tls/exchange.h"

struct desk {
    struct sky_tls_rng rng;
    struct sky_tls_exchange exchange;
};

static int open_desk(void **state)
{
    static struct desk desk;
    sky_tls_rng_init(&desk.rng);
    sky_tls_exchange_init(&desk.exchange, &desk.rng);
    *state = &desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    sky_tls_exchange_done(&desk->exchange);
    sky_tls_rng_done(&desk->rng);
    return 0;
}

static void take(struct desk *desk, mbedtls_ecp_group_id curve, mbedtls_ecdh_context *ret_ecdh)
{
    mbedtls_ecdh_init(ret_ecdh);
    assert_int_equal(sky_tls_exchange_take(&desk->exchange, curve, ret_ecdh), 0);
    assert_int_equal(ret_ecdh->grp.id, curve);
    assert_int_equal(
        mbedtls_ecp_check_pub_priv(&(mbedtls_ecp_keypair){ret_ecdh->grp, ret_ecdh->d, ret_ecdh->Q},
                                   &(mbedtls_ecp_keypair){ret_ecdh->grp, ret_ecdh->d, ret_ecdh->Q}),
        0);
}

static bool is_same(const mbedtls_ecdh_context *a, const mbedtls_ecdh_context *b)
{
    return mbedtls_mpi_cmp_mpi(&a->d, &b->d) == 0 && mbedtls_ecp_point_cmp(&a->Q, &b->Q) == 0;
}

static void a_pair_serves_so_many_handshakes(void **state)
{
    mbedtls_ecdh_context first, next;
    take(*state, MBEDTLS_ECP_DP_SECP256R1, &first);
    for (int i = 1; i < SKY_EXCHANGE_SHARED_MAX; i++) {
        take(*state, MBEDTLS_ECP_DP_SECP256R1, &next);
        assert_true(is_same(&first, &next));
        mbedtls_ecdh_free(&next);
    }
    take(*state, MBEDTLS_ECP_DP_SECP256R1, &next);
    assert_false(is_same(&first, &next));
    mbedtls_ecdh_free(&next);
    mbedtls_ecdh_free(&first);
}

static void every_curve_of_the_library_has_a_pair_of_its_own(void **state)
{
    for (const mbedtls_ecp_group_id *curve = mbedtls_ecp_grp_id_list();
         *curve != MBEDTLS_ECP_DP_NONE; curve++) {
        mbedtls_ecdh_context first, again;
        take(*state, *curve, &first);
        take(*state, *curve, &again);
        assert_true(is_same(&first, &again));
        mbedtls_ecdh_free(&first);
        mbedtls_ecdh_free(&again);
    }
}

static int no_entropy(void *ctx, unsigned char *out, size_t len)
{
    (void)ctx;
    (void)out;
    (void)len;
    return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

static void what_cannot_be_made_is_made_the_next_time(void **state)
{
    struct desk *desk = *state;
    mbedtls_ctr_drbg_context *drbg = &desk->rng.drbg;
    int (*entropy)(void *, unsigned char *, size_t) = drbg->f_entropy;
    mbedtls_ecdh_context ecdh;
    mbedtls_ecdh_init(&ecdh);
    drbg->f_entropy = no_entropy;
    mbedtls_ctr_drbg_set_prediction_resistance(drbg, MBEDTLS_CTR_DRBG_PR_ON);
    assert_int_not_equal(sky_tls_exchange_take(&desk->exchange, MBEDTLS_ECP_DP_SECP256R1, &ecdh),
                         0);
    mbedtls_ecdh_free(&ecdh);
    drbg->f_entropy = entropy;
    mbedtls_ctr_drbg_set_prediction_resistance(drbg, MBEDTLS_CTR_DRBG_PR_OFF);
    take(desk, MBEDTLS_ECP_DP_SECP256R1, &ecdh);
    mbedtls_ecdh_free(&ecdh);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pair_serves_so_many_handshakes),
        TEST(every_curve_of_the_library_has_a_pair_of_its_own),
        TEST(what_cannot_be_made_is_made_the_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
