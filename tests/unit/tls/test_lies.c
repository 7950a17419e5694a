/* Certificates that are wrong on purpose, as the TLS library's client sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "tests/unit/tls/tls_client.h"

static const int rsa[] = {0x2f, 0}; /* static, as old SDKs want it */
static const int ecdsa[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};

static const struct {
    enum sky_lie lie;
    uint32_t flags;
} lies[] = {
    {SKY_LIE_EXPIRED, MBEDTLS_X509_BADCERT_EXPIRED},
    {SKY_LIE_NOT_YET_VALID, MBEDTLS_X509_BADCERT_FUTURE},
    {SKY_LIE_WRONG_NAME, MBEDTLS_X509_BADCERT_CN_MISMATCH},
    {SKY_LIE_UNKNOWN_CA, MBEDTLS_X509_BADCERT_NOT_TRUSTED},
    {SKY_LIE_SELF_SIGNED, MBEDTLS_X509_BADCERT_NOT_TRUSTED},
    {SKY_LIE_LARGE, 0},
    {SKY_LIE_WEAK_KEY, MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_BAD_MD},
};

static void lie_to(struct meeting *m, const struct client_options *options, enum sky_lie lie,
                   bool threaded)
{
    meet(m, options, PLAIN, threaded);
    m->served.lie = lie;
    shake(m);
}

/* Each is wrong in the one way that it is named after, and in no other. */
static void each_is_wrong_in_its_own_way(void **state)
{
    (void)state;
    assert_int_equal((int)SKY_COUNT(lies), SKY_LIE_COUNT - 1);
    for (size_t i = 0; i < 2 * (SKY_LIE_COUNT - 1); i++) {
        const struct client_options options = {.suites = i % 2 ? ecdsa : rsa,
                                               .server_name = "localhost"};
        struct meeting m;
        if (lies[i / 2].lie == SKY_LIE_WEAK_KEY && i % 2)
            continue;
        lie_to(&m, &options, lies[i / 2].lie, i % 4 < 2);
        assert_int_equal(mbedtls_ssl_get_verify_result(&m.client.ssl), lies[i / 2].flags);
        assert_int_equal(m.client.open, lies[i / 2].flags == 0);
        assert_int_equal(sky_tls_lie_shown(m.served.tls), lies[i / 2].lie);
        part(&m);
    }
}

/* Whoever has seen the good one gets no way around the bad one, nor the other way round. */
static void no_session_is_resumed_past_a_lie(void **state)
{
    struct client_options options = {.server_name = "localhost"};
    mbedtls_ssl_session session;
    struct meeting m;
    (void)state;
    mbedtls_ssl_session_init(&session);
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_open(&m);
    assert_int_equal(mbedtls_ssl_get_session(&m.client.ssl, &session), 0);
    options.session = &session;
    struct client again;
    struct served served;
    served_open(&served, &m.bench, PLAIN);
    client_open(&again, &m.bench, &options);
    served.lie = SKY_LIE_EXPIRED;
    settle(&m.bench, &again, &served);
    assert_false(sky_tls_resumed(served.tls));
    assert_int_equal(mbedtls_ssl_get_verify_result(&again.ssl), MBEDTLS_X509_BADCERT_EXPIRED);
    client_close(&again);
    served_close(&served, &m.bench);
    part(&m);
    mbedtls_ssl_session_free(&session);
}

/* As much as fits a record, and more than small buffers hold. */
static void the_large_one_is_large(void **state)
{
    const struct client_options options = {.server_name = "localhost"};
    struct meeting m;
    (void)state;
    lie_to(&m, &options, SKY_LIE_LARGE, false);
    assert_open(&m);
    size_t len = mbedtls_ssl_get_peer_cert(&m.client.ssl)->raw.len;
    assert_true(len >= SKY_LIE_LARGE_SIZE && len < 16384 - 64);
    part(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_wrong_in_its_own_way),
        cmocka_unit_test(no_session_is_resumed_past_a_lie),
        cmocka_unit_test(the_large_one_is_large),
    };
    return cmocka_run_group_tests(tests, make_ca, free_ca);
}
