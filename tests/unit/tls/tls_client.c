#include "tests/unit/tls/tls_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/base/mem.h"

enum { RAW_MAX = 8 * 1024 * 1024 };

/* ---- the client ---- */

static int on_recv(void *ctx, unsigned char *out, size_t room)
{
    struct client *client = ctx;
    sky_span head = sky_span_head(sky_buf_span(&client->in), room);
    if (head.len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, head.ptr, head.len);
    sky_buf_drop(&client->in, head.len);
    return (int)head.len;
}

static int on_send(void *ctx, const unsigned char *bytes, size_t len)
{
    struct client *client = ctx;
    assert_true(sky_buf_add(&client->out, sky_span_of(bytes, len)));
    return (int)len;
}

static void set_identity(struct client *client, const struct client_options *options)
{
    const struct sky_ca_issued *issued = options->certificate;
    if (options->psk_identity != NULL)
        assert_int_equal(
            mbedtls_ssl_conf_psk(&client->conf, (const unsigned char *)options->psk_key.ptr,
                                 options->psk_key.len, (const unsigned char *)options->psk_identity,
                                 strlen(options->psk_identity)),
            0);
    if (issued == NULL)
        return;
    assert_int_equal(mbedtls_x509_crt_parse(&client->certificate,
                                            (const unsigned char *)issued->certificate,
                                            strlen(issued->certificate) + 1),
                     0);
    assert_int_equal(mbedtls_pk_parse_key(&client->key, (const unsigned char *)issued->key,
                                          strlen(issued->key) + 1, NULL, 0),
                     0);
    assert_int_equal(mbedtls_ssl_conf_own_cert(&client->conf, &client->certificate, &client->key),
                     0);
}

void client_open(struct client *client, struct bench *bench, const struct client_options *options)
{
    *client = (struct client){0};
    mbedtls_ssl_init(&client->ssl);
    mbedtls_ssl_config_init(&client->conf);
    mbedtls_x509_crt_init(&client->trust);
    mbedtls_x509_crt_init(&client->certificate);
    mbedtls_pk_init(&client->key);
    sky_buf_init(&client->in, RAW_MAX);
    sky_buf_init(&client->out, RAW_MAX);
    mbedtls_ssl_config *conf = &client->conf;
    assert_int_equal(mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(conf, sky_tls_rng_random, &bench->rng);
    mbedtls_ssl_conf_min_version(conf, 3, options->min_minor ? options->min_minor : 3);
    mbedtls_ssl_conf_max_version(conf, 3, options->max_minor ? options->max_minor : 3);
    if (options->suites != NULL)
        mbedtls_ssl_conf_ciphersuites(conf, options->suites);
    if (options->record_code != 0)
        assert_int_equal(mbedtls_ssl_conf_max_frag_len(conf, options->record_code), 0);
    if (options->no_extended_secret)
        mbedtls_ssl_conf_extended_master_secret(conf, MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    if (options->no_encrypt_then_mac)
        mbedtls_ssl_conf_encrypt_then_mac(conf, MBEDTLS_SSL_ETM_DISABLED);
    if (options->curves != NULL)
        mbedtls_ssl_conf_curves(conf, options->curves);
    if (options->renegotiates)
        mbedtls_ssl_conf_renegotiation(conf, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    if (sky_ca_ready(bench->ca) && !options->distrusts) {
        sky_span pem = sky_ca_pem(bench->ca);
        assert_int_equal(
            mbedtls_x509_crt_parse(&client->trust, (const unsigned char *)pem.ptr, pem.len + 1), 0);
    }
    mbedtls_ssl_conf_ca_chain(conf, &client->trust, NULL);
    set_identity(client, options);
    assert_int_equal(mbedtls_ssl_setup(&client->ssl, conf), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&client->ssl, options->server_name != NULL
                                                                ? options->server_name
                                                                : "localhost"),
                     0);
    if (options->session != NULL)
        assert_int_equal(mbedtls_ssl_set_session(&client->ssl, options->session), 0);
    mbedtls_ssl_set_bio(&client->ssl, client, on_send, on_recv, NULL);
}

void client_close(struct client *client)
{
    mbedtls_ssl_free(&client->ssl);
    mbedtls_ssl_config_free(&client->conf);
    mbedtls_x509_crt_free(&client->trust);
    mbedtls_x509_crt_free(&client->certificate);
    mbedtls_pk_free(&client->key);
    sky_buf_done(&client->in);
    sky_buf_done(&client->out);
}

static void client_turn(struct client *client)
{
    if (client->open || client->failed != 0)
        return;
    int rc = mbedtls_ssl_handshake(&client->ssl);
    client->open = rc == 0;
    if (rc != 0 && rc != MBEDTLS_ERR_SSL_WANT_READ)
        client->failed = rc;
}

/* ---- the server's side ---- */

static void on_raw(void *ctx)
{
    struct served *served = ctx;
    served->raws++; /* exchange() looks for itself */
}

static void on_open(void *ctx)
{
    struct served *served = ctx;
    served->opened++;
}

static void on_clear(void *ctx, sky_span clear)
{
    struct served *served = ctx;
    assert_true(clear.len > 0);
    assert_true(sky_buf_add(&served->clear, clear));
}

static void on_end(void *ctx)
{
    struct served *served = ctx;
    served->ended++;
}

static sky_err psk_lookup(void *ctx, sky_span identity, struct sky_psk *ret_key,
                          int64_t *ret_device_id)
{
    struct served *served = ctx;
    (void)sky_span_copy(identity, served->identity, sizeof served->identity);
    if (served->known_identity == NULL || !sky_span_eq_str(identity, served->known_identity))
        return SKY_ERR_NOT_FOUND;
    ret_key->len = strlen(served->known_key);
    memcpy(ret_key->key, served->known_key, ret_key->len);
    *ret_device_id = 42;
    return SKY_OK;
}

static void on_known(void *ctx)
{
    struct served *served = ctx;
    sky_tls_lie(served->tls, served->lie);
}

static const struct sky_tls_hooks hooks = {.on_raw = on_raw,
                                           .on_open = on_open,
                                           .on_clear = on_clear,
                                           .on_end = on_end,
                                           .psk_lookup = psk_lookup,
                                           .on_known = on_known};

void served_open(struct served *served, struct bench *bench, unsigned allows)
{
    *served = (struct served){0};
    sky_buf_init(&served->clear, RAW_MAX);
    served->tls = sky_tls_new(bench->server, allows, &hooks, served);
}

void served_close(struct served *served, struct bench *bench)
{
    sky_tls_free(served->tls);
    sky_buf_done(&served->clear);
    if (bench->threaded)
        uv_run(&bench->loop, UV_RUN_DEFAULT);
}

/* ---- both ---- */

void bench_open(struct bench *bench, struct sky_ca *authority, bool threaded, size_t handshakes_max)
{
    *bench = (struct bench){.ca = authority, .threaded = threaded};
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    sky_clock_init(&bench->clock);
    sky_clock_freeze(&bench->clock);
    sky_tls_rng_init(&bench->rng);
    const struct sky_tls_options options = {.loop = threaded ? &bench->loop : NULL,
                                            .ca = authority,
                                            .clock = &bench->clock,
                                            .handshakes_max = handshakes_max};
    bench->server = sky_tls_server_new(&options);
}

void bench_close(struct bench *bench)
{
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    sky_tls_server_free(bench->server);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    sky_tls_rng_done(&bench->rng);
    sky_clock_done(&bench->clock);
}

bool exchange(struct bench *bench, struct client *client, struct served *served)
{
    client_turn(client);
    bool moved = client->out.len > 0;
    if (moved) {
        sky_tls_feed(served->tls, sky_buf_span(&client->out));
        sky_buf_clear(&client->out);
    }
    if (bench->threaded)
        uv_run(&bench->loop, UV_RUN_DEFAULT);
    struct sky_buf *raw = sky_tls_raw(served->tls);
    moved = moved || raw->len > 0;
    sky_buf_add(&client->in, sky_buf_span(raw));
    sky_buf_clear(raw);
    return moved;
}

void settle(struct bench *bench, struct client *client, struct served *served)
{
    while (exchange(bench, client, served))
        continue;
}

static void send_all(struct client *client, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        int sent = mbedtls_ssl_write(&client->ssl, bytes, len);
        assert_true(sent > 0);
        bytes += sent;
        len -= (size_t)sent;
    }
}

void assert_echo(struct bench *bench, struct client *client, struct served *served, size_t len)
{
    unsigned char *sent = sky_mem_new(len), *got = sky_mem_new(len);
    size_t have = 0;
    assert_int_equal(sky_tls_rng_random(&bench->rng, sent, len), 0);
    sky_buf_clear(&served->clear);
    send_all(client, sent, len);
    exchange(bench, client, served);
    assert_int_equal(served->clear.len, len);
    assert_memory_equal(served->clear.bytes, sent, len);
    sky_tls_seal(served->tls, &served->clear);
    assert_int_equal(served->clear.len, 0);
    exchange(bench, client, served);
    while (have < len) {
        int rc = mbedtls_ssl_read(&client->ssl, got + have, len - have);
        assert_true(rc > 0);
        have += (size_t)rc;
    }
    assert_memory_equal(got, sent, len);
    free(sent);
    free(got);
}

/* ---- one handshake ---- */

struct sky_ca *ca;
struct sky_ca_issued device, device_rsa;

int make_ca(void **state)
{
    (void)state;
    const struct sky_ca_options options = {.now_ms = (int64_t)time(NULL) * 1000};
    if (sky_ca_open(&options, &ca, NULL) != SKY_OK)
        return -1;
    sky_ca_prepare(ca);
    if (sky_ca_issue(ca, SKY_SPAN("dev001"), SKY_KEY_EC, &device, NULL) != SKY_OK ||
        sky_ca_issue(ca, SKY_SPAN("dev,002"), SKY_KEY_RSA, &device_rsa, NULL) != SKY_OK)
        return -1;
    return 0;
}

int free_ca(void **state)
{
    (void)state;
    sky_ca_issued_done(&device);
    sky_ca_issued_done(&device_rsa);
    sky_ca_free(ca);
    return 0;
}

void meet(struct meeting *m, const struct client_options *options, unsigned allows, bool threaded)
{
    bench_open(&m->bench, ca, threaded, 0);
    client_open(&m->client, &m->bench, options);
    served_open(&m->served, &m->bench, allows);
    assert_non_null(m->served.tls);
}

void shake(struct meeting *m)
{
    settle(&m->bench, &m->client, &m->served);
    m->door = (struct sky_door){0};
    sky_tls_fill_door(m->served.tls, &m->door);
}

void part(struct meeting *m)
{
    client_close(&m->client);
    served_close(&m->served, &m->bench);
    bench_close(&m->bench);
}

void assert_open(const struct meeting *m)
{
    const struct sky_tls_failure *failure = sky_tls_failure(m->served.tls);
    if (failure != NULL)
        print_error("%s\n", failure->reason);
    assert_null(failure);
    assert_int_equal(m->client.failed, 0);
    assert_true(m->client.open);
    assert_int_equal(sky_tls_state(m->served.tls), SKY_TLS_OPEN);
    assert_int_equal(m->served.opened, 1);
    assert_int_equal(m->served.ended, 0);
}

void assert_failed(const struct meeting *m, enum sky_tls_rule rule, const char *says)
{
    const struct sky_tls_failure *failure = sky_tls_failure(m->served.tls);
    assert_int_equal(sky_tls_state(m->served.tls), SKY_TLS_FAILED);
    assert_int_equal(m->served.opened, 0);
    assert_int_equal(m->served.ended, 1);
    assert_non_null(failure);
    if (failure->rule != sky_tls_rule(rule))
        fail_msg("%s: %s", failure->rule->id, failure->reason);
    if (strstr(failure->reason, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure->reason, says);
}
