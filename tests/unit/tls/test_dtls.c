#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/psk.h"
#include "protocol/base/mem.h"
#include "server/tls/datagram.h"
#include "tests/unit/tls/dtls_client.h"

enum { PORT = 40000, ALERT_BAD_MAC = 20, ALERT_HANDSHAKE = 40, ALERT_VERSION = 70 };
enum { ALERT_IDENTITY = 115 };

static const int both_suites[] = {MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8,
                                  MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA256};

struct fixture {
    struct bench bench;
    struct client client, again;
};

static int setup(void **state)
{
    struct fixture *f = sky_mem_new(sizeof *f);
    bench_open(&f->bench, 0, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    bench_close(&f->bench);
    free(f);
    return 0;
}

static void open_client(struct fixture *f, const struct client_options *options)
{
    client_open(&f->client, &f->bench, PORT, options);
    settle(&f->bench);
}

static void assert_echo(struct bench *bench, struct client *client, sky_span text)
{
    bench->echo = true;
    assert_true(client_send(client, text));
    settle(bench);
    assert_true(sky_span_eq(sky_span_of(client->text, client->text_len), text));
}

static void both_suites_open_a_channel(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SKY_COUNT(both_suites); i++) {
        const struct client_options options = {.suite = both_suites[i]};
        open_client(f, &options);
        assert_true(f->client.open);
        assert_int_equal(f->bench.opened, i + 1);
        assert_string_equal(sky_dtls_peer_cipher(f->bench.peer),
                            mbedtls_ssl_get_ciphersuite_name(both_suites[i]));
        assert_echo(&f->bench, &f->client, SKY_SPAN("hello"));
        client_close(&f->client);
    }
    assert_int_equal(f->bench.failed, 0);
}

static void short_records_are_not_agreed_on_when_messages_would_not_fit(void **state)
{
    struct fixture *f = *state;
    char text[1200];
    memset(text, 'x', sizeof text);
    for (unsigned char code = 1; code <= 4; code++) {
        const struct client_options options = {.record_code = code};
        open_client(f, &options);
        assert_true(f->client.open);
        assert_echo(&f->bench, &f->client, SKY_SPAN("hello"));
        assert_true(sky_dtls_send(f->bench.peer, sky_span_of(text, sizeof text)));
        settle(&f->bench);
        assert_int_equal(f->client.text_len, sizeof text);
        client_close(&f->client);
    }
    assert_int_equal(f->bench.failed, 0);
}

static void other_suites_are_refused_at_the_first_hello(void **state)
{
    static const struct {
        int suite;
        enum sky_dtls_failure failure;
    } rows[] = {
        {MBEDTLS_TLS_PSK_WITH_AES_128_CCM, SKY_DTLS_NO_SUITE},
        {MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, SKY_DTLS_NO_SUITE},
        {MBEDTLS_TLS_DHE_PSK_WITH_AES_128_CBC_SHA256, SKY_DTLS_NO_SUITE},
        {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, SKY_DTLS_NO_PSK},
        {MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA256, SKY_DTLS_NO_PSK},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct client_options options = {.suite = rows[i].suite};
        open_client(f, &options);
        assert_int_equal(client_alert(&f->client), ALERT_HANDSHAKE);
        assert_int_equal(f->bench.failed, i + 1);
        assert_int_equal(f->bench.failure, rows[i].failure);
        assert_false(f->bench.failure_with_peer);
        assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
        client_close(&f->client);
    }
}

static void dtls_1_0_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct client_options options = {.suite = MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA,
                                           .dtls_1_0 = true};
    open_client(f, &options);
    assert_int_equal(client_alert(&f->client), ALERT_VERSION);
    assert_int_equal(f->bench.failure, SKY_DTLS_VERSION);
}

static void an_unknown_identity_gets_its_own_alert_at_once(void **state)
{
    struct fixture *f = *state;
    const struct client_options options = {.identity = "nobody"};
    open_client(f, &options);
    assert_int_equal(client_alert(&f->client), ALERT_IDENTITY);
    assert_int_equal(f->bench.failure, SKY_DTLS_IDENTITY);
    assert_true(f->bench.failure_with_peer);
    assert_int_equal(f->bench.closed, 1);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
}

static void an_identity_has_a_limit(void **state)
{
    struct fixture *f = *state;
    char longest[SKY_DTLS_IDENTITY_MAX + 2] = "known";
    memset(longest + 5, 'x', SKY_DTLS_IDENTITY_MAX - 5);
    const struct client_options options = {.identity = longest};
    open_client(f, &options);
    assert_true(f->client.open);
    client_close(&f->client);
    longest[SKY_DTLS_IDENTITY_MAX] = 'x';
    open_client(f, &options);
    assert_int_equal(client_alert(&f->client), ALERT_IDENTITY);
    client_close(&f->client);
}

static void a_wrong_key_gets_its_own_alert_at_once(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 4 * SKY_COUNT(both_suites); i++) {
        const struct client_options options = {.suite = both_suites[i / 4],
                                               .key = SKY_SPAN("wrong"),
                                               .no_extended_secret = i % 2,
                                               .no_encrypt_then_mac = i / 2 % 2};
        open_client(f, &options);
        assert_int_equal(client_alert(&f->client), ALERT_BAD_MAC);
        assert_int_equal(f->bench.failure, SKY_DTLS_KEY);
        assert_true(f->bench.failure_with_peer);
        assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
        assert_true(sky_tls_proof_fits(&f->bench.proof, SKY_SPAN("wrong")));
        assert_false(sky_tls_proof_fits(&f->bench.proof, KEY));
        client_close(&f->client);
    }
}

/* Keys that a device arrives at by one mistake each, from the secret of an example. */
static size_t wrong_keys(struct sky_psk *guesses)
{
    static const struct sky_psk_recipe recipe = {.digest = SKY_SHA256, .from = 8, .len = 16};
    const struct sky_secret secrets[] = {
        {.role = SKY_SECRET_DUE, .bytes = SKY_SPAN("M3yy874uGY8INjEGddTR")},
        {.role = SKY_SECRET_PRODUCT, .bytes = SKY_SPAN("productSecret001")},
        {.role = SKY_SECRET_OLD, .bytes = SKY_SPAN("deviceSecret0001")},
        {.role = SKY_SECRET_OTHER, .bytes = SKY_SPAN("deviceSecret0002")},
    };
    return sky_psk_guesses(&recipe, secrets, SKY_COUNT(secrets), guesses, SKY_PSK_GUESSES_MAX);
}

static void every_mistake_in_a_key_is_told_from_the_others(void **state)
{
    struct fixture *f = *state;
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    size_t count = wrong_keys(guesses), tried = 0;
    for (size_t i = 0; i < count; i++) {
        if (guesses[i].len > 32) /* more than this client can send */
            continue;
        const struct client_options options = {.suite = both_suites[i % 2],
                                               .key = sky_span_of(guesses[i].key, guesses[i].len)};
        open_client(f, &options);
        assert_int_equal(f->bench.failure, SKY_DTLS_KEY);
        for (size_t j = 0; j < count; j++)
            assert_int_equal(
                sky_tls_proof_fits(&f->bench.proof, sky_span_of(guesses[j].key, guesses[j].len)),
                i == j);
        client_close(&f->client);
        tried++;
    }
    assert_true(tried >= 12);
}

/* ---- losses ---- */

static bool lose_one(void *ctx, size_t number, bool from_client)
{
    (void)from_client;
    return number == *(size_t *)ctx;
}

static bool lose_server_final_twice(void *ctx, size_t number, bool from_client)
{
    size_t *left = ctx;
    if (from_client || number < 5 || *left == 0)
        return false;
    (*left)--;
    return true;
}

static void any_one_datagram_may_be_lost(void **state)
{
    struct fixture *f = *state;
    enum { DATAGRAMS = 6 }; /* hello, verify, hello, and three flights */
    for (size_t lost = 0; lost < DATAGRAMS; lost++) {
        f->bench.lose = lose_one;
        f->bench.lose_ctx = &lost;
        f->bench.passed = 0;
        open_client(f, NULL);
        for (int i = 0; i < 20 && !f->client.open; i++)
            pass(&f->bench, 1100);
        assert_true(f->client.open);
        assert_int_equal(f->bench.opened, lost + 1);
        f->bench.lose = NULL;
        assert_echo(&f->bench, &f->client, SKY_SPAN("still here"));
        client_close(&f->client);
    }
    assert_int_equal(f->bench.failed, 0);
}

static void the_last_flight_is_sent_again_when_the_client_asks(void **state)
{
    struct fixture *f = *state;
    size_t left = 2;
    f->bench.lose = lose_server_final_twice;
    f->bench.lose_ctx = &left;
    open_client(f, NULL);
    assert_false(f->client.open);
    for (int i = 0; i < 20 && !f->client.open; i++)
        pass(&f->bench, 1100);
    assert_true(f->client.open);
    assert_int_equal(left, 0);
    assert_echo(&f->bench, &f->client, SKY_SPAN("at last"));
}

static bool lose_after(void *ctx, size_t number, bool from_client)
{
    (void)from_client;
    return number >= *(size_t *)ctx;
}

static void a_peer_that_stops_half_way_is_let_go(void **state)
{
    struct fixture *f = *state;
    size_t heard = 4; /* hello, verify, hello, the server's flight */
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    open_client(f, NULL);
    client_close(&f->client);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    for (int i = 0; i < 59; i++)
        pass(&f->bench, 1000);
    assert_true(f->bench.failed == 0 || f->bench.failure == SKY_DTLS_SILENT);
    pass(&f->bench, 1000);
    assert_int_equal(f->bench.failed, 1);
    assert_int_equal(f->bench.failure, SKY_DTLS_SILENT);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
    assert_int_equal(f->bench.timers.count, 0);
}

/* ---- strangers ---- */

static void a_stranger_costs_nothing_before_its_address_is_proven(void **state)
{
    struct fixture *f = *state;
    size_t heard = 1;
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    open_client(f, NULL); /* says hello, and hears nothing */
    sky_span hello = f->bench.last_from_client;
    for (uint16_t port = 1; port < 5000; port++) {
        struct sockaddr_storage from = address_of_port(port);
        sky_dtls_feed(f->bench.dtls, &from, hello);
    }
    assert_int_equal(f->bench.sent, 5000);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
    assert_int_equal(f->bench.timers.count, 0);
    assert_int_equal(f->bench.failed, 0);
    client_close(&f->client);
}

static void a_hello_is_asked_for_a_cookie_by_its_own_numbers(void **state)
{
    static const uint8_t hello[] = {22, 0xfe, 0xff, 0, 0, 1, 2, 3, 4, 5, 6, 0, 12,
                                    1,  0,    0,    0, 7, 8, 0, 0, 0, 0, 0, 0};
    static const uint8_t want[] = {22, 0xfe, 0xfd, 0, 0, 1, 2, 3, 4, 5, 6,    0,    17, 3, 0,
                                   0,  5,    7,    8, 0, 0, 0, 0, 0, 5, 0xfe, 0xfd, 2,  9, 10};
    uint8_t got[SKY_DTLS_VERIFY_MAX];
    (void)state;
    size_t len = sky_dtls_hello_verify(sky_span_of(hello, sizeof hello), SKY_SPAN("\x09\x0a"), got);
    assert_int_equal(len, sizeof want);
    assert_memory_equal(got, want, sizeof want);
    char longest[SKY_DTLS_COOKIE_MAX] = {0};
    assert_int_equal(sky_dtls_hello_verify(sky_span_of(hello, sizeof hello),
                                           sky_span_of(longest, sizeof longest), got),
                     sizeof got);
}

static void no_damaged_hello_makes_a_stranger_a_peer(void **state)
{
    struct fixture *f = *state;
    size_t heard = 1;
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    open_client(f, NULL);
    sky_span hello = f->bench.last_from_client;
    struct sockaddr_storage from = address_of_port(PORT + 1);
    for (size_t len = 0; len < hello.len; len++)
        sky_dtls_feed(f->bench.dtls, &from, sky_span_head(hello, len));
    char *damaged = sky_mem_dup(hello.ptr, hello.len);
    for (size_t at = 0; at < hello.len; at++) {
        for (int value = 0; value < 256; value += 5) {
            damaged[at] = (char)value;
            sky_dtls_feed(f->bench.dtls, &from, sky_span_of(damaged, hello.len));
        }
        damaged[at] = hello.ptr[at];
    }
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
    assert_int_equal(f->bench.timers.count, 0);
    free(damaged);
}

static void a_cookie_is_good_for_one_address_only(void **state)
{
    struct fixture *f = *state;
    size_t heard = 3; /* hello, verify, hello with the cookie */
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    open_client(f, NULL);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    sky_span hello =
        sky_span_of(sky_mem_dup(f->bench.last_from_client.ptr, f->bench.last_from_client.len),
                    f->bench.last_from_client.len);
    struct sockaddr_storage thief = address_of_port(PORT + 1);
    sky_dtls_feed(f->bench.dtls, &thief, hello);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    free((char *)hello.ptr);
    client_close(&f->client);
}

static void what_is_no_hello_is_told_apart(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum sky_dtls_failure failure;
    } rows[] = {
        {"\x40\x01\x00\x01", 4, SKY_DTLS_NOT_DTLS}, /* clear CoAP */
        {"\x16\x03\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01", 14,
         SKY_DTLS_NOT_DTLS}, /* TLS */
        {"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x01", 14, SKY_DTLS_STRAY},
        {"\x16\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x01", 14, SKY_DTLS_STRAY},
        {"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x0b", 14, SKY_DTLS_STRAY},
        {"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01", 14, SKY_DTLS_BROKEN},
        {"\x16\xfe\xfd", 3, SKY_DTLS_NOT_DTLS},
        {"", 0, SKY_DTLS_NOT_DTLS},
    };
    struct fixture *f = *state;
    struct sockaddr_storage from = address_of_port(PORT);
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_dtls_feed(f->bench.dtls, &from, sky_span_of(rows[i].bytes, rows[i].len));
        assert_int_equal(f->bench.failed, i + 1);
        assert_int_equal(f->bench.failure, rows[i].failure);
        assert_false(f->bench.failure_with_peer);
    }
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
}

/* ---- sessions ---- */

static void a_device_that_restarts_on_the_same_port_is_let_in_again(void **state)
{
    struct fixture *f = *state;
    open_client(f, NULL);
    client_open(&f->again, &f->bench, PORT, NULL);
    settle(&f->bench);
    assert_true(f->again.open);
    assert_int_equal(f->bench.opened, 2);
    assert_int_equal(f->bench.closed, 1);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    assert_echo(&f->bench, &f->again, SKY_SPAN("back"));
}

static void a_wrong_key_after_a_restart_is_named_too(void **state)
{
    struct fixture *f = *state;
    const struct client_options options = {.key = SKY_SPAN("wrong")};
    open_client(f, NULL);
    client_open(&f->again, &f->bench, PORT, &options);
    settle(&f->bench);
    assert_int_equal(client_alert(&f->again), ALERT_BAD_MAC);
    assert_int_equal(f->bench.failure, SKY_DTLS_KEY);
    assert_true(sky_tls_proof_fits(&f->bench.proof, SKY_SPAN("wrong")));
}

static void a_hello_without_cookie_does_not_end_a_session(void **state)
{
    struct fixture *f = *state;
    size_t heard = 1;
    open_client(f, NULL);
    f->bench.passed = 0;
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    client_open(&f->again, &f->bench, PORT, NULL);
    settle(&f->bench);
    client_close(&f->again);
    f->bench.lose = NULL;
    assert_int_equal(f->bench.closed, 0);
    assert_echo(&f->bench, &f->client, SKY_SPAN("unimpressed"));
}

/* What a client said when it opened its session comes once more, out of the network's depths. */
static void an_old_hello_does_not_end_a_session(void **state)
{
    struct fixture *f = *state;
    size_t heard = 3; /* the hello with the cookie is the last one */
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    open_client(f, NULL);
    sky_span hello = f->bench.last_from_client;
    char *copy = sky_mem_dup(hello.ptr, hello.len);
    f->bench.lose = NULL;
    pass(&f->bench, 1100);
    assert_true(f->client.open);
    for (int i = 0; i < 3; i++)
        sky_dtls_feed(f->bench.dtls, &f->client.address, sky_span_of(copy, hello.len));
    assert_echo(&f->bench, &f->client, SKY_SPAN("unimpressed"));
    for (int i = 0; i < 61; i++)
        pass(&f->bench, 1000);
    assert_int_equal(f->bench.closed, 0);
    assert_int_equal(f->bench.failed, 0);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    assert_echo(&f->bench, &f->client, SKY_SPAN("still unimpressed"));
    free(copy);
}

static void a_device_may_restart_in_the_middle_of_a_handshake(void **state)
{
    struct fixture *f = *state;
    size_t heard = 4;
    f->bench.lose = lose_after;
    f->bench.lose_ctx = &heard;
    open_client(f, NULL);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    f->bench.lose = NULL;
    client_close(&f->client);
    open_client(f, NULL);
    assert_true(f->client.open);
    assert_int_equal(f->bench.opened, 1);
    assert_int_equal(f->bench.failed, 0);
    assert_echo(&f->bench, &f->client, SKY_SPAN("second try"));
}

static void a_wrong_key_from_the_same_port_does_not_end_a_session(void **state)
{
    struct fixture *f = *state;
    const struct client_options options = {.key = SKY_SPAN("wrong")};
    open_client(f, NULL);
    client_open(&f->again, &f->bench, PORT, &options);
    settle(&f->bench);
    client_close(&f->again);
    assert_int_equal(f->bench.failure, SKY_DTLS_KEY);
    assert_echo(&f->bench, &f->client, SKY_SPAN("mine still"));
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
}

static void a_message_may_fill_a_record(void **state)
{
    struct fixture *f = *state;
    char *text = sky_mem_new(SKY_DTLS_CLEAR_MAX);
    memset(text, 'x', SKY_DTLS_CLEAR_MAX);
    open_client(f, NULL);
    assert_true(client_send(&f->client, sky_span_of(text, SKY_DTLS_CLEAR_MAX)));
    assert_int_equal(f->bench.received, 1);
    assert_int_equal(f->bench.received_len, SKY_DTLS_CLEAR_MAX);
    assert_false(sky_dtls_send(f->bench.peer, sky_span_of(text, 2 * SKY_DTLS_CLEAR_MAX)));
    free(text);
}

static void closing_says_goodbye(void **state)
{
    struct fixture *f = *state;
    open_client(f, NULL);
    sky_dtls_close(f->bench.peer);
    settle(&f->bench);
    assert_int_equal(f->client.result, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    assert_int_equal(f->bench.closed, 1);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
    client_close(&f->client);
    open_client(f, NULL);
    mbedtls_ssl_close_notify(&f->client.ssl);
    assert_int_equal(f->bench.closed, 2);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
    client_close(&f->client);
}

static void a_hook_may_close_its_own_peer(void **state)
{
    struct fixture *f = *state;
    open_client(f, NULL);
    f->bench.close_on_message = true;
    assert_true(client_send(&f->client, SKY_SPAN("bye")));
    assert_int_equal(f->bench.received, 1);
    assert_int_equal(f->bench.closed, 1);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 0);
}

/* A generator that repeats itself on every machine. */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void floods_leave_a_session_unharmed(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 7;
    uint8_t noise[200];
    struct sockaddr_storage stranger = address_of_port(PORT + 1);
    open_client(f, NULL);
    assert_true(client_send(&f->client, SKY_SPAN("hello")));
    sky_span sealed = f->bench.last_from_client;
    assert_true(sealed.len < sizeof noise);
    for (int i = 0; i < 20000; i++) {
        size_t len = next(&seed) % sizeof noise;
        for (size_t j = 0; j < len; j++)
            noise[j] = (uint8_t)next(&seed);
        if (i % 2 == 0) { /* a real record with one byte changed */
            memcpy(noise, sealed.ptr, sealed.len);
            len = sealed.len;
            noise[next(&seed) % len] ^= (uint8_t)(1 + next(&seed) % 255);
        }
        sky_dtls_feed(f->bench.dtls, i % 4 < 2 ? &f->client.address : &stranger,
                      sky_span_of(noise, len));
    }
    assert_int_equal(f->bench.received, 1);
    assert_int_equal(sky_dtls_peers(f->bench.dtls), 1);
    assert_int_equal(f->bench.closed, 0);
    assert_echo(&f->bench, &f->client, SKY_SPAN("unharmed"));
}

static void a_forged_handshake_does_not_end_a_session(void **state)
{
    static const char *const forged[] = {
        "\x16\xfe\xfd\x00\x00\x08\x00\x00\x00\x00\x03\x00\x01\x01", /* the head of a hello */
        "\x16\xfe\xfd\x00\x00\x08\x00\x00\x00\x00\x03\x00\x01\x10",
        "\x15\xfe\xfd\x00\x00\x08\x00\x00\x00\x00\x03\x00\x01\x02",
        "\x14\xfe\xfd\x00\x00\x08\x00\x00\x00\x00\x03\x00\x01\x01",
    };
    struct fixture *f = *state;
    open_client(f, NULL);
    for (size_t i = 0; i < SKY_COUNT(forged); i++) {
        char both[28];
        memcpy(both, forged[(i + 1) % SKY_COUNT(forged)], 14);
        memcpy(both + 14, forged[i], 14);
        sky_dtls_feed(f->bench.dtls, &f->client.address, sky_span_of(forged[i], 14));
        sky_dtls_feed(f->bench.dtls, &f->client.address, sky_span_of(both, sizeof both));
    }
    assert_int_equal(f->bench.closed, 0);
    assert_echo(&f->bench, &f->client, SKY_SPAN("unimpressed"));
}

static void a_repeated_record_counts_once(void **state)
{
    struct fixture *f = *state;
    open_client(f, NULL);
    assert_true(client_send(&f->client, SKY_SPAN("once")));
    for (int i = 0; i < 10; i++)
        sky_dtls_feed(f->bench.dtls, &f->client.address, f->bench.last_from_client);
    assert_int_equal(f->bench.received, 1);
}

/* ---- limits ---- */

static void the_peer_silent_for_longest_makes_room(void **state)
{
    struct bench bench;
    struct client clients[4];
    (void)state;
    bench_open(&bench, 3, 0);
    for (size_t i = 0; i < 3; i++)
        client_open(&clients[i], &bench, (uint16_t)(PORT + i), NULL);
    settle(&bench);
    assert_int_equal(bench.closed, 0);
    assert_echo(&bench, &clients[0], SKY_SPAN("I am awake"));
    client_open(&clients[3], &bench, PORT + 3, NULL);
    settle(&bench);
    assert_int_equal(sky_dtls_peers(bench.dtls), 3);
    assert_true(clients[3].open);
    assert_int_equal(clients[1].result, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    assert_echo(&bench, &clients[0], SKY_SPAN("still awake"));
    assert_echo(&bench, &clients[2], SKY_SPAN("me too"));
    bench_close(&bench);
}

static void only_so_many_handshakes_are_in_progress(void **state)
{
    struct bench bench;
    struct client clients[3];
    size_t heard;
    (void)state;
    bench_open(&bench, 0, 2);
    bench.lose = lose_after;
    bench.lose_ctx = &heard;
    for (size_t i = 0; i < 2; i++) {
        client_open(&clients[i], &bench, (uint16_t)(PORT + i), NULL);
        heard = bench.passed + 4; /* it comes as far as the server's flight */
        client_step(&clients[i]);
    }
    assert_int_equal(sky_dtls_peers(bench.dtls), 2);
    bench.lose = NULL;
    client_open(&clients[2], &bench, PORT + 2, NULL);
    client_step(&clients[2]);
    assert_int_equal(sky_dtls_peers(bench.dtls), 2);
    for (int i = 0; i < 10 && !clients[2].open; i++)
        pass(&bench, 1100); /* the others come to an end, and its next try is heard */
    assert_true(clients[2].open);
    bench_close(&bench);
}

/* A client that goes silent when the server's flight is on its way. */
static void go_half_way(struct bench *bench, uint32_t host, uint16_t port)
{
    struct client client;
    size_t heard = bench->passed + 4;
    bench->lose = lose_after;
    bench->lose_ctx = &heard;
    client_open(&client, bench, port, NULL);
    ((struct sockaddr_in *)&client.address)->sin_addr.s_addr = htonl(host);
    client_step(&client);
    client_close(&client);
    bench->lose = NULL;
}

enum { HOST = 0x7f000001, OTHER_HOST = 0x7f000002 };

static void a_handshake_that_stopped_makes_room(void **state)
{
    struct bench bench;
    struct client client;
    (void)state;
    bench_open(&bench, 0, 2);
    go_half_way(&bench, HOST, PORT);
    bench.now_ms += 10;
    go_half_way(&bench, HOST, PORT + 1);
    bench.now_ms += SKY_DTLS_HALF_OPEN_MS - 11;
    client_open(&client, &bench, PORT + 2, NULL);
    client_step(&client);
    assert_int_equal(bench.turned_away, 1); /* nobody has been silent for so long yet */
    assert_int_equal(bench.crowds, 1);
    assert_int_equal(sky_dtls_peers(bench.dtls), 2);
    pass(&bench, SKY_DTLS_RETRANSMIT_MIN_MS);
    assert_true(client.open);
    assert_int_equal(sky_dtls_peers(bench.dtls), 2);
    assert_int_equal(bench.turned_away, 2);
    assert_int_equal(bench.crowds, 2);
    assert_int_equal(sky_dtls_turned_away(bench.dtls), 2);
    assert_int_equal(bench.failed, 0);
    bench_close(&bench);
}

static void a_host_that_floods_does_not_shut_out_others(void **state)
{
    struct bench bench;
    struct client other, same;
    (void)state;
    bench_open(&bench, 0, 0);
    for (size_t i = 0; i < SKY_DTLS_HANDSHAKES_MAX; i++)
        go_half_way(&bench, OTHER_HOST, (uint16_t)(i + 1));
    assert_int_equal(sky_dtls_peers(bench.dtls), SKY_DTLS_HOST_HANDSHAKES_MAX);
    assert_int_equal(bench.turned_away, 1); /* told at once, then once in a while */
    assert_int_equal(sky_dtls_turned_away(bench.dtls),
                     SKY_DTLS_HANDSHAKES_MAX - SKY_DTLS_HOST_HANDSHAKES_MAX);
    client_open(&other, &bench, PORT, NULL);
    settle(&bench);
    assert_true(other.open);
    client_open(&same, &bench, PORT, NULL);
    ((struct sockaddr_in *)&same.address)->sin_addr.s_addr = htonl(OTHER_HOST);
    settle(&bench);
    assert_false(same.open);
    pass(&bench, SKY_DTLS_RETRANSMIT_MIN_MS);
    assert_true(same.open);
    assert_int_equal(bench.crowds, 2);
    bench_close(&bench);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_suites_open_a_channel),
        TEST(short_records_are_not_agreed_on_when_messages_would_not_fit),
        TEST(other_suites_are_refused_at_the_first_hello),
        TEST(dtls_1_0_is_refused),
        TEST(an_unknown_identity_gets_its_own_alert_at_once),
        TEST(an_identity_has_a_limit),
        TEST(a_wrong_key_gets_its_own_alert_at_once),
        TEST(every_mistake_in_a_key_is_told_from_the_others),
        TEST(any_one_datagram_may_be_lost),
        TEST(the_last_flight_is_sent_again_when_the_client_asks),
        TEST(a_peer_that_stops_half_way_is_let_go),
        TEST(a_stranger_costs_nothing_before_its_address_is_proven),
        TEST(a_hello_is_asked_for_a_cookie_by_its_own_numbers),
        TEST(no_damaged_hello_makes_a_stranger_a_peer),
        TEST(a_cookie_is_good_for_one_address_only),
        TEST(what_is_no_hello_is_told_apart),
        TEST(a_device_that_restarts_on_the_same_port_is_let_in_again),
        TEST(a_wrong_key_after_a_restart_is_named_too),
        TEST(a_hello_without_cookie_does_not_end_a_session),
        TEST(an_old_hello_does_not_end_a_session),
        TEST(a_device_may_restart_in_the_middle_of_a_handshake),
        TEST(a_wrong_key_from_the_same_port_does_not_end_a_session),
        TEST(a_message_may_fill_a_record),
        TEST(closing_says_goodbye),
        TEST(a_hook_may_close_its_own_peer),
        TEST(floods_leave_a_session_unharmed),
        TEST(a_forged_handshake_does_not_end_a_session),
        TEST(a_repeated_record_counts_once),
        cmocka_unit_test(the_peer_silent_for_longest_makes_room),
        cmocka_unit_test(only_so_many_handshakes_are_in_progress),
        cmocka_unit_test(a_handshake_that_stopped_makes_room),
        cmocka_unit_test(a_host_that_floods_does_not_shut_out_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
