/* What outlives one handshake, and what many of them share: tickets, workers, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/tls/tickets.h"
#include "tests/unit/tls/tls_client.h"

static const int rsa_cbc[] = {0x2f, 0};
static const int ecdsa[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};
static const int dhe_rsa[] = {MBEDTLS_TLS_DHE_RSA_WITH_AES_128_CBC_SHA, 0};
static const int psk_cbc[] = {0x8c, 0};

/* ---- tickets ---- */

struct reunion {
    struct bench bench;
    mbedtls_ssl_session session;
};

/* A first handshake that leaves a session, at `allows`. */
static void part_with_ticket(struct reunion *r, const struct client_options *options,
                             unsigned allows)
{
    struct client client;
    struct served served;
    bench_open(&r->bench, ca, false, 0);
    mbedtls_ssl_session_init(&r->session);
    client_open(&client, &r->bench, options);
    served_open(&served, &r->bench, allows);
    settle(&r->bench, &client, &served);
    assert_true(client.open);
    assert_false(sky_tls_resumed(served.tls));
    assert_int_equal(mbedtls_ssl_get_session(&client.ssl, &r->session), 0);
    client_close(&client);
    served_close(&served, &r->bench);
}

/* Comes back with the ticket; tells whether it was taken. */
static bool come_back(struct reunion *r, const struct client_options *options, unsigned allows,
                      const char *certificate_name)
{
    struct client client;
    struct served served;
    struct sky_door door = {0};
    struct client_options with_session = *options;
    with_session.session = &r->session;
    client_open(&client, &r->bench, &with_session);
    served_open(&served, &r->bench, allows);
    settle(&r->bench, &client, &served);
    bool resumed = sky_tls_resumed(served.tls);
    if (client.open) {
        sky_tls_fill_door(served.tls, &door);
        assert_true(sky_span_eq_str(door.certificate_name, certificate_name));
        assert_echo(&r->bench, &client, &served, 10);
    }
    client_close(&client);
    served_close(&served, &r->bench);
    return resumed;
}

static void forget(struct reunion *r)
{
    mbedtls_ssl_session_free(&r->session);
    bench_close(&r->bench);
}

static void tickets_resume_in_every_version(void **state)
{
    (void)state;
    for (int minor = 1; minor <= 3; minor++) {
        struct reunion r;
        const struct client_options options = {.min_minor = minor, .max_minor = minor};
        part_with_ticket(&r, &options, PLAIN);
        assert_true(come_back(&r, &options, PLAIN, ""));
        assert_true(come_back(&r, &options, PLAIN, ""));
        forget(&r);
    }
}

static void a_resumed_session_keeps_its_certificate(void **state)
{
    struct reunion r;
    (void)state;
    const struct client_options options = {.certificate = &device};
    part_with_ticket(&r, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED);
    assert_true(come_back(&r, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED, "dev001"));
    forget(&r);
}

static void a_ticket_opens_no_listener_that_asks_for_more(void **state)
{
    struct reunion r;
    (void)state;
    const struct client_options options = {0};
    part_with_ticket(&r, &options, PLAIN);
    assert_false(come_back(&r, &options, PLAIN | SKY_LISTEN_CERT_ASKED, ""));
    assert_false(come_back(&r, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED, ""));
    forget(&r);
}

static void a_ticket_lives_a_day_of_the_servers_clock(void **state)
{
    struct reunion r;
    (void)state;
    const int64_t day_ms = (int64_t)SKY_TICKET_LIFETIME_S * 1000;
    const struct client_options options = {0};
    part_with_ticket(&r, &options, PLAIN);
    sky_clock_advance(&r.bench.clock, day_ms - 1);
    assert_true(come_back(&r, &options, PLAIN, ""));
    sky_clock_advance(&r.bench.clock, 1);
    assert_false(come_back(&r, &options, PLAIN, ""));
    forget(&r);
}

static void a_pre_shared_key_is_proven_each_time(void **state)
{
    struct meeting m;
    mbedtls_ssl_session session;
    (void)state;
    const struct client_options options = {
        .suites = psk_cbc, .psk_identity = "dev", .psk_key = SKY_SPAN("key")};
    meet(&m, &options, PLAIN | SKY_LISTEN_PSK, false);
    m.served.known_identity = "dev";
    m.served.known_key = "key";
    shake(&m);
    assert_open(&m);
    mbedtls_ssl_session_init(&session);
    assert_int_equal(mbedtls_ssl_get_session(&m.client.ssl, &session), 0);
    assert_int_equal(session.ticket_len, 0);
    mbedtls_ssl_session_free(&session);
    part(&m);
}

/* ---- workers and limits ---- */

static void workers_carry_handshakes_through(void **state)
{
    static const int *const suites[] = {NULL, rsa_cbc, ecdsa, dhe_rsa};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(suites); i++) {
        struct meeting m;
        const struct client_options options = {.suites = suites[i], .certificate = &device};
        meet(&m, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED, true);
        shake(&m);
        assert_open(&m);
        assert_true(sky_span_eq_str(m.door.certificate_name, "dev001"));
        assert_echo(&m.bench, &m.client, &m.served, 40000);
        part(&m);
    }
}

static void a_worker_reports_what_failed(void **state)
{
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN | SKY_LISTEN_CERT_REQUIRED, true);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_CLIENT_CERT, "requires a client certificate");
    assert_int_equal(m.client.failed, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    part(&m);
}

static void a_channel_may_be_freed_or_given_up_while_a_worker_has_it(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct meeting m;
        meet(&m, &(struct client_options){0}, PLAIN, true);
        assert_int_equal(mbedtls_ssl_handshake(&m.client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
        sky_tls_feed(m.served.tls, sky_buf_span(&m.client.out));
        assert_true(uv_loop_alive(&m.bench.loop));
        if (how == 1)
            sky_tls_give_up(m.served.tls, SKY_TLS_END_PEER_LEFT);
        if (how == 2)
            sky_tls_close(m.served.tls);
        if (how > 0)
            uv_run(&m.bench.loop, UV_RUN_DEFAULT);
        assert_int_equal(m.served.opened + m.served.ended, 0);
        part(&m);
    }
}

static void an_alert_that_comes_while_a_worker_is_busy_is_heeded(void **state)
{
    static const char unknown_ca[] = "\x15\x03\x03\x00\x02\x02\x30";
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, true);
    assert_int_equal(mbedtls_ssl_handshake(&m.client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    sky_tls_feed(m.served.tls, sky_buf_span(&m.client.out));
    assert_int_equal(m.served.raws, 0); /* the flight goes out whole */
    sky_tls_feed(m.served.tls, sky_span_of(unknown_ca, sizeof unknown_ca - 1));
    sky_tls_give_up(m.served.tls, SKY_TLS_END_PEER_LEFT);
    assert_int_equal(sky_tls_failure(m.served.tls)->alert_received, 48);
    assert_string_equal(sky_tls_failure(m.served.tls)->rule->id, "TLS-SERVER-CERT");
    part(&m);
}

static void bytes_that_come_while_a_worker_is_busy_are_kept(void **state)
{
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, true);
    exchange(&m.bench, &m.client, &m.served);
    /* The client's whole second flight, in pieces, before any worker is awaited. */
    assert_int_equal(mbedtls_ssl_handshake(&m.client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    for (size_t at = 0; at < m.client.out.len; at += 50)
        sky_tls_feed(m.served.tls,
                     sky_span_head(sky_span_tail(sky_buf_span(&m.client.out), at), 50));
    sky_buf_clear(&m.client.out);
    shake(&m);
    assert_open(&m);
    assert_echo(&m.bench, &m.client, &m.served, 10);
    part(&m);
}

static void a_flood_during_the_handshake_ends_it(void **state)
{
    struct meeting m;
    static char flood[64 * 1024];
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, true);
    assert_int_equal(mbedtls_ssl_handshake(&m.client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    sky_tls_feed(m.served.tls, sky_buf_span(&m.client.out));
    for (size_t fed = 0; fed <= SKY_TLS_INPUT_MAX; fed += sizeof flood)
        sky_tls_feed(m.served.tls, sky_span_of(flood, sizeof flood));
    uv_run(&m.bench.loop, UV_RUN_DEFAULT);
    assert_int_equal(sky_tls_state(m.served.tls), SKY_TLS_FAILED);
    assert_int_equal(m.served.ended, 1);
    part(&m);
}

static void handshakes_in_progress_are_limited(void **state)
{
    struct bench bench;
    struct served first, second, third;
    (void)state;
    bench_open(&bench, ca, false, 2);
    served_open(&first, &bench, PLAIN);
    served_open(&second, &bench, PLAIN);
    served_open(&third, &bench, PLAIN);
    assert_non_null(second.tls);
    assert_null(third.tls);
    served_close(&third, &bench);
    sky_tls_give_up(first.tls, SKY_TLS_END_TIMEOUT);
    served_open(&third, &bench, PLAIN);
    assert_non_null(third.tls);
    served_close(&first, &bench);
    served_close(&second, &bench);
    served_close(&third, &bench);
    bench_close(&bench);
}

static void count_crowds(void *owner, uint64_t turned_away)
{
    *(uint64_t *)owner = turned_away;
}

static void a_client_silent_for_long_makes_room(void **state)
{
    struct bench bench;
    struct served first, second, third, fourth;
    struct client client;
    uint64_t told = 0;
    (void)state;
    bench_open(&bench, ca, false, 2);
    bench.server->options.on_crowd = count_crowds;
    bench.server->options.owner = &told;
    served_open(&first, &bench, PLAIN);
    bench.clock.real_ms += 10;
    served_open(&second, &bench, PLAIN);
    bench.clock.real_ms += SKY_TLS_HALF_OPEN_MS - 11;
    served_open(&third, &bench, PLAIN);
    assert_null(third.tls); /* both may be about to go on */
    assert_int_equal(told, 1);
    bench.clock.real_ms += 1;
    client_open(&client, &bench, &(struct client_options){.distrusts = true});
    exchange(&bench, &client, &first); /* goes on */
    sky_tls_feed(second.tls, SKY_SPAN("\x16\x03"));
    bench.clock.real_ms += 10;
    served_open(&third, &bench, PLAIN);
    assert_non_null(third.tls);
    assert_int_equal(first.ended, 0);
    assert_int_equal(second.ended, 1);
    assert_int_equal(sky_tls_state(second.tls), SKY_TLS_FAILED);
    assert_non_null(strstr(sky_tls_failure(second.tls)->reason, "made room for others"));
    assert_int_equal(bench.server->turned_away, 2);
    assert_int_equal(told, 1); /* a moment ago */
    bench.clock.real_ms += SKY_TLS_CROWD_MS;
    served_open(&fourth, &bench, PLAIN);
    assert_non_null(fourth.tls);
    assert_int_equal(first.ended, 1);
    assert_int_equal(told, 3);
    client_close(&client);
    served_close(&first, &bench);
    served_close(&second, &bench);
    served_close(&third, &bench);
    served_close(&fourth, &bench);
    bench_close(&bench);
}

static void handshakes_wait_for_certificates_being_made(void **state)
{
    struct meeting m;
    struct served leaving;
    struct sky_ca *fresh;
    uv_loop_t loop;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct sky_ca_options options = {.loop = &loop, .now_ms = (int64_t)time(NULL) * 1000};
    assert_int_equal(sky_ca_open(&options, &fresh, NULL), SKY_OK);
    bench_open(&m.bench, fresh, false, 0);
    client_open(&m.client, &m.bench, &(struct client_options){.distrusts = true});
    served_open(&m.served, &m.bench, PLAIN);
    served_open(&leaving, &m.bench, PLAIN);
    assert_int_equal(mbedtls_ssl_handshake(&m.client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    sky_tls_feed(m.served.tls, sky_buf_span(&m.client.out));
    sky_tls_feed(leaving.tls, sky_buf_span(&m.client.out));
    sky_buf_clear(&m.client.out);
    assert_int_equal(sky_tls_raw(m.served.tls)->len, 0);
    served_close(&leaving, &m.bench);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(sky_ca_ready(fresh));
    assert_true(sky_tls_raw(m.served.tls)->len > 0);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_SERVER_CERT, "unknown_ca");
    part(&m);
    sky_ca_free(fresh);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_resume_in_every_version),
        cmocka_unit_test(a_resumed_session_keeps_its_certificate),
        cmocka_unit_test(a_ticket_opens_no_listener_that_asks_for_more),
        cmocka_unit_test(a_ticket_lives_a_day_of_the_servers_clock),
        cmocka_unit_test(a_pre_shared_key_is_proven_each_time),
        cmocka_unit_test(workers_carry_handshakes_through),
        cmocka_unit_test(a_worker_reports_what_failed),
        cmocka_unit_test(a_channel_may_be_freed_or_given_up_while_a_worker_has_it),
        cmocka_unit_test(an_alert_that_comes_while_a_worker_is_busy_is_heeded),
        cmocka_unit_test(bytes_that_come_while_a_worker_is_busy_are_kept),
        cmocka_unit_test(a_flood_during_the_handshake_ends_it),
        cmocka_unit_test(handshakes_in_progress_are_limited),
        cmocka_unit_test(a_client_silent_for_long_makes_room),
        cmocka_unit_test(handshakes_wait_for_certificates_being_made),
    };
    return cmocka_run_group_tests_name("tls sessions", tests, make_ca, free_ca);
}
