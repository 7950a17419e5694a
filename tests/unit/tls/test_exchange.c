/* Handshakes with a key exchange of our own: the client's half of it is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "tests/unit/tls/tls_client.h"

enum { TYPE = 5, POINT_LEN = 9, KEY_EXCHANGE = 16, FINISHED = 20 }; /* in its record */

static const mbedtls_ecp_group_id x25519[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_NONE};
static const mbedtls_ecp_group_id p256[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
static const mbedtls_ecp_group_id *const curves[] = {x25519, p256};

/* Until the client's ClientKeyExchange is due, which is not sent yet: its record. */
static uint8_t *key_exchange_of(struct meeting *m, const struct client_options *options,
                                unsigned allows)
{
    struct client *client = &m->client;
    meet(m, options, allows, false);
    while (client->ssl.state <= MBEDTLS_SSL_CLIENT_KEY_EXCHANGE) {
        sky_tls_feed(m->served.tls, sky_buf_span(&client->out));
        sky_buf_clear(&client->out);
        sky_buf_add(&client->in, sky_buf_span(sky_tls_raw(m->served.tls)));
        sky_buf_clear(sky_tls_raw(m->served.tls));
        int rc = mbedtls_ssl_handshake_step(&client->ssl);
        assert_true(rc == 0 || rc == MBEDTLS_ERR_SSL_WANT_READ);
    }
    uint8_t *record = (uint8_t *)sky_buf_span(&client->out).ptr;
    assert_int_equal(record[TYPE], KEY_EXCHANGE);
    return record;
}

static void assert_refused(struct meeting *m)
{
    sky_tls_feed(m->served.tls, sky_buf_span(&m->client.out));
    assert_failed(m, SKY_RULE_TLS_HANDSHAKE, "the handshake failed");
    assert_int_equal(sky_tls_failure(m->served.tls)->alert_sent,
                     MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    part(m);
}

static void a_half_that_makes_no_secret_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(curves); i++) {
        struct meeting m;
        const struct client_options options = {.curves = curves[i]};
        uint8_t *record = key_exchange_of(&m, &options, PLAIN);
        memset(record + POINT_LEN + 1, 0, record[POINT_LEN]);
        assert_refused(&m);
    }
}

static void a_half_that_is_not_as_long_as_it_says_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * SKY_COUNT(curves); i++) {
        struct meeting m;
        const struct client_options options = {.curves = curves[i / 2]};
        uint8_t *record = key_exchange_of(&m, &options, PLAIN);
        record[POINT_LEN] = (uint8_t)(record[POINT_LEN] + (i % 2 == 0 ? 1 : -1));
        assert_refused(&m);
    }
}

static void another_message_in_its_place_is_refused(void **state)
{
    (void)state;
    struct meeting m;
    const struct client_options options = {.curves = x25519};
    key_exchange_of(&m, &options, PLAIN)[TYPE] = FINISHED;
    assert_refused(&m);
}

static void a_client_that_leaves_before_its_half_leaves_nothing(void **state)
{
    (void)state;
    struct meeting m;
    const struct client_options options = {.curves = x25519};
    key_exchange_of(&m, &options, PLAIN);
    sky_tls_give_up(m.served.tls, SKY_TLS_END_PEER_LEFT);
    part(&m);
}

/* On workers and without, whether the client shows a certificate, has none to show, or is not asked
 * for one. */
static void exchanges_are_kept_on_workers_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8 * SKY_COUNT(curves); i++) {
        struct meeting m;
        const struct client_options options = {.curves = curves[i / 8],
                                               .certificate = i & 1 ? &device : NULL};
        meet(&m, &options, PLAIN | (i & 2 ? SKY_LISTEN_CERT_ASKED : 0), i & 4);
        shake(&m);
        assert_open(&m);
        assert_int_equal(m.door.fingerprint.len > 0, (i & 3) == 3);
        assert_echo(&m.bench, &m.client, &m.served, 1000);
        part(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_that_makes_no_secret_is_refused),
        cmocka_unit_test(a_half_that_is_not_as_long_as_it_says_is_refused),
        cmocka_unit_test(another_message_in_its_place_is_refused),
        cmocka_unit_test(a_client_that_leaves_before_its_half_leaves_nothing),
        cmocka_unit_test(exchanges_are_kept_on_workers_too),
    };
    return cmocka_run_group_tests(tests, make_ca, free_ca);
}
