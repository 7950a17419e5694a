#include "tests/unit/tls/dtls_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"

const sky_span KEY = SKY_SPAN("0123456789abcdef");

enum { DATAGRAM_MAX = 32 * 1024, QUEUE_MAX = 1024 * 1024 };

struct sockaddr_storage address_of_port(uint16_t port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static bool is_lost(struct bench *bench, bool from_client)
{
    size_t number = bench->passed++;
    return bench->lose != NULL && bench->lose(bench->lose_ctx, number, from_client);
}

/* ---- the server's hooks ---- */

static void on_send(void *owner, const struct sockaddr_storage *to, sky_span datagram)
{
    struct bench *bench = owner;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)to;
    bench->sent++;
    if (is_lost(bench, false))
        return;
    for (size_t i = bench->client_count; i-- > 0;) {
        const struct sockaddr_in *own = (const struct sockaddr_in *)&bench->clients[i]->address;
        if (own->sin_port != v4->sin_port)
            continue;
        struct sky_buf *in = &bench->clients[i]->in;
        sky_buf_add_byte(in, (uint8_t)(datagram.len >> 8));
        sky_buf_add_byte(in, (uint8_t)datagram.len);
        assert_true(sky_buf_add(in, datagram));
        return;
    }
}

static sky_err psk_lookup(void *owner, struct sky_dtls_peer *peer, sky_span identity,
                          struct sky_psk *ret_key)
{
    (void)owner;
    sky_dtls_peer_set_state(peer, owner);
    if (!sky_span_starts(identity, SKY_SPAN("known")))
        return SKY_ERR_NOT_FOUND;
    memcpy(ret_key->key, KEY.ptr, KEY.len);
    ret_key->len = KEY.len;
    return SKY_OK;
}

static void on_open(void *owner, struct sky_dtls_peer *peer)
{
    struct bench *bench = owner;
    assert_ptr_equal(sky_dtls_peer_state(peer), owner);
    bench->opened++;
    bench->peer = peer;
}

static void on_clear(void *owner, struct sky_dtls_peer *peer, sky_span clear)
{
    struct bench *bench = owner;
    bench->received++;
    bench->received_len = clear.len;
    if (bench->echo)
        assert_true(sky_dtls_send(peer, clear));
    if (bench->close_on_message)
        sky_dtls_close(peer);
}

static void on_failure(void *owner, struct sky_dtls_peer *peer, const struct sockaddr_storage *from,
                       enum sky_dtls_failure failure, const struct sky_tls_proof *proof,
                       sky_span datagram)
{
    struct bench *bench = owner;
    (void)from;
    (void)datagram;
    bench->failed++;
    bench->failure = failure;
    bench->failure_with_peer = peer != NULL;
    if (proof != NULL)
        bench->proof = *proof;
}

static void on_close(void *owner, struct sky_dtls_peer *peer)
{
    struct bench *bench = owner;
    bench->closed++;
    assert_false(sky_dtls_send(peer, SKY_SPAN("too late")));
    if (bench->peer == peer)
        bench->peer = NULL;
}

static void on_crowd(void *owner, uint64_t turned_away)
{
    struct bench *bench = owner;
    bench->crowds++;
    bench->turned_away = turned_away;
}

static const struct sky_dtls_hooks hooks = {on_send,    psk_lookup, on_open, on_clear,
                                            on_failure, on_close,   on_crowd};

void bench_open(struct bench *bench, size_t peers_max, size_t handshakes_max)
{
    *bench = (struct bench){.now_ms = 1000};
    sky_timerq_init(&bench->timers);
    sky_tls_rng_init(&bench->rng);
    const struct sky_dtls_options options = {.hooks = &hooks,
                                             .owner = bench,
                                             .timers = &bench->timers,
                                             .now_ms = &bench->now_ms,
                                             .peers_max = peers_max,
                                             .handshakes_max = handshakes_max};
    bench->dtls = sky_dtls_new(&options);
}

void bench_close(struct bench *bench)
{
    bench->lose = NULL;
    while (bench->client_count > 0)
        client_close(bench->clients[0]);
    sky_dtls_free(bench->dtls);
    assert_int_equal(bench->timers.count, 0);
    sky_timerq_done(&bench->timers);
    sky_tls_rng_done(&bench->rng);
    free((char *)bench->last_from_client.ptr);
}

/* ---- clients ---- */

static int client_on_send(void *ctx, const unsigned char *bytes, size_t len)
{
    struct client *client = ctx;
    struct bench *bench = client->bench;
    free((char *)bench->last_from_client.ptr);
    bench->last_from_client = sky_span_of(sky_mem_dup((const char *)bytes, len), len);
    if (!is_lost(bench, true)) {
        char *copy = sky_mem_dup((const char *)bytes, len);
        sky_dtls_feed(bench->dtls, &client->address, sky_span_of(copy, len));
        free(copy);
    }
    return (int)len;
}

static int client_on_receive(void *ctx, unsigned char *bytes, size_t room)
{
    struct client *client = ctx;
    if (client->in.len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    const uint8_t *at = (const uint8_t *)client->in.bytes;
    size_t len = (size_t)at[0] << 8 | at[1];
    assert_true(len <= room);
    memcpy(bytes, at + 2, len);
    sky_buf_drop(&client->in, len + 2);
    return (int)len;
}

static void client_set_timer(void *ctx, uint32_t intermediate_ms, uint32_t final_ms)
{
    struct client *client = ctx;
    client->intermediate_ms = client->bench->now_ms + intermediate_ms;
    client->final_ms = final_ms == 0 ? 0 : client->bench->now_ms + final_ms;
}

static int client_get_timer(void *ctx)
{
    const struct client *client = ctx;
    if (client->final_ms == 0)
        return -1;
    if (client->bench->now_ms >= client->final_ms)
        return 2;
    return client->bench->now_ms >= client->intermediate_ms ? 1 : 0;
}

static void configure(struct client *client, const struct client_options *options)
{
    mbedtls_ssl_config *config = &client->config;
    const char *identity = options->identity != NULL ? options->identity : "known";
    sky_span key = options->key.len > 0 ? options->key : KEY;
    mbedtls_ssl_config_init(config);
    assert_int_equal(mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(config, sky_tls_rng_random, &client->bench->rng);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    client->suites[0] = options->suite != 0 ? options->suite : MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8;
    mbedtls_ssl_conf_ciphersuites(config, client->suites);
    if (options->no_extended_secret)
        mbedtls_ssl_conf_extended_master_secret(config, MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    if (options->no_encrypt_then_mac)
        mbedtls_ssl_conf_encrypt_then_mac(config, MBEDTLS_SSL_ETM_DISABLED);
    if (options->dtls_1_0)
        mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                     MBEDTLS_SSL_MINOR_VERSION_2);
    if (options->timeout_min_ms != 0)
        mbedtls_ssl_conf_handshake_timeout(config, (uint32_t)options->timeout_min_ms, 60000);
    assert_int_equal(mbedtls_ssl_conf_psk(config, (const unsigned char *)key.ptr, key.len,
                                          (const unsigned char *)identity, strlen(identity)),
                     0);
}

void client_open(struct client *client, struct bench *bench, uint16_t port,
                 const struct client_options *options)
{
    static const struct client_options usual;
    *client = (struct client){.bench = bench, .address = address_of_port(port)};
    sky_buf_init(&client->in, QUEUE_MAX);
    configure(client, options != NULL ? options : &usual);
    if (options != NULL && options->record_code != 0)
        assert_int_equal(mbedtls_ssl_conf_max_frag_len(&client->config, options->record_code), 0);
    mbedtls_ssl_init(&client->ssl);
    assert_int_equal(mbedtls_ssl_setup(&client->ssl, &client->config), 0);
    mbedtls_ssl_set_bio(&client->ssl, client, client_on_send, client_on_receive, NULL);
    mbedtls_ssl_set_timer_cb(&client->ssl, client, client_set_timer, client_get_timer);
    assert_true(bench->client_count < CLIENTS_MAX);
    bench->clients[bench->client_count++] = client;
}

void client_close(struct client *client)
{
    struct bench *bench = client->bench;
    for (size_t i = 0; i < bench->client_count; i++)
        if (bench->clients[i] == client)
            bench->clients[i] = bench->clients[--bench->client_count];
    mbedtls_ssl_free(&client->ssl);
    mbedtls_ssl_config_free(&client->config);
    sky_buf_done(&client->in);
}

void client_step(struct client *client)
{
    bool waits = client->result == 0 || client->result == MBEDTLS_ERR_SSL_WANT_READ;
    if (!waits)
        return;
    if (!client->open) {
        client->result = mbedtls_ssl_handshake(&client->ssl);
        client->open = client->result == 0;
        return;
    }
    int rc = mbedtls_ssl_read(&client->ssl, (unsigned char *)client->text, sizeof client->text);
    if (rc > 0)
        client->text_len = (size_t)rc;
    client->result = rc > 0 ? 0 : rc;
}

void settle(struct bench *bench)
{
    size_t before;
    do {
        before = bench->passed;
        for (size_t i = 0; i < bench->client_count; i++) {
            struct client *client = bench->clients[i];
            size_t waiting;
            do {
                waiting = client->in.len;
                client_step(client);
            } while (client->in.len != waiting);
        }
    } while (bench->passed != before);
}

void pass(struct bench *bench, int64_t ms)
{
    bench->now_ms += ms;
    sky_timerq_run(&bench->timers, bench->now_ms);
    settle(bench);
}

bool client_send(struct client *client, sky_span text)
{
    return mbedtls_ssl_write(&client->ssl, (const unsigned char *)text.ptr, text.len) ==
           (int)text.len;
}

int client_alert(const struct client *client)
{
    if (client->result != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE || client->ssl.in_msg == NULL)
        return -1;
    return client->ssl.in_msg[1];
}
