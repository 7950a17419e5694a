/* Handshakes in memory between this server and the TLS library's client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "tests/unit/tls/tls_client.h"

/* ---- what is spoken ---- */

static const int aliyun_suites[] = {0x3d, 0x35, 0x3c, 0x2f, 0};
static const int rsa_cbc[] = {0x2f, 0};
static const int ecdsa[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};
static const int ecdsa_cbc[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, 0};
static const int ecdhe_rsa[] = {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, 0};
static const int dhe_rsa[] = {MBEDTLS_TLS_DHE_RSA_WITH_AES_128_CBC_SHA, 0};
static const int psk_cbc[] = {0x8c, 0};
static const int psk_cbc_256[] = {0x8d, 0};
static const int psk_gcm[] = {MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0};
static const int psk_ccm[] = {MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8, 0};
static const int ecdhe_psk[] = {MBEDTLS_TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA, 0};
static const int rsa_then_psk[] = {0x8c, 0x2f, 0};

static void every_version_and_key_exchange_is_spoken(void **state)
{
    static const struct {
        int minor;
        const int *suites;
        const char *cipher; /* NULL: any */
    } rows[] = {
        {1, NULL, NULL},
        {2, NULL, NULL},
        {3, NULL, "TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256"},
        {1, rsa_cbc, "TLS-RSA-WITH-AES-128-CBC-SHA"},
        {2, rsa_cbc, "TLS-RSA-WITH-AES-128-CBC-SHA"},
        {3, rsa_cbc, "TLS-RSA-WITH-AES-128-CBC-SHA"},
        {3, aliyun_suites, "TLS-RSA-WITH-AES-256-CBC-SHA256"},
        {1, ecdsa_cbc, "TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA"},
        {3, ecdsa, "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"},
        {3, ecdhe_rsa, "TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384"},
        {3, dhe_rsa, "TLS-DHE-RSA-WITH-AES-128-CBC-SHA"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct meeting m;
        const struct client_options options = {
            .min_minor = rows[i].minor, .max_minor = rows[i].minor, .suites = rows[i].suites};
        meet(&m, &options, PLAIN, false);
        shake(&m);
        assert_open(&m);
        assert_int_equal(m.door.tls_version, 0x0300 | rows[i].minor);
        if (rows[i].cipher != NULL)
            assert_string_equal(sky_tls_cipher(m.served.tls), rows[i].cipher);
        assert_int_equal(m.door.fingerprint.len, 0);
        assert_int_equal(m.door.psk_device_id, 0);
        assert_echo(&m.bench, &m.client, &m.served, 1);
        assert_echo(&m.bench, &m.client, &m.served, 70000);
        part(&m);
    }
}

static void curves_below_112_bits_of_strength_are_off(void **state)
{
    static const struct {
        mbedtls_ecp_group_id curves[2];
        bool spoken;
    } rows[] = {{{MBEDTLS_ECP_DP_SECP192R1}, false}, {{MBEDTLS_ECP_DP_SECP192K1}, false},
                {{MBEDTLS_ECP_DP_SECP224R1}, true},  {{MBEDTLS_ECP_DP_SECP256R1}, true},
                {{MBEDTLS_ECP_DP_CURVE25519}, true}, {{MBEDTLS_ECP_DP_SECP521R1}, true}};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct meeting m;
        const struct client_options options = {.suites = ecdhe_rsa, .curves = rows[i].curves};
        meet(&m, &options, PLAIN, false);
        shake(&m);
        if (rows[i].spoken)
            assert_open(&m);
        else
            assert_failed(&m, SKY_RULE_TLS_NO_COMMON_SUITE, "no curve");
        part(&m);
    }
    struct meeting m; /* other key exchanges are still there */
    const int both[] = {ecdhe_rsa[0], rsa_cbc[0], 0};
    const struct client_options options = {.suites = both, .curves = rows[0].curves};
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_open(&m);
    part(&m);
}

static void the_server_name_is_known(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {.server_name = "localhost"};
    meet(&m, &options, PLAIN, false);
    exchange(&m.bench, &m.client, &m.served);
    assert_non_null(strstr(sky_tls_offered(m.served.tls), "server name localhost"));
    shake(&m);
    assert_open(&m);
    assert_true(sky_span_eq_str(m.door.server_name, "localhost"));
    assert_string_equal(sky_tls_offered(m.served.tls), "");
    part(&m);
}

static void a_handshake_survives_any_fragmentation(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 64; piece = piece * 3 + 1) {
        struct meeting m;
        const struct client_options options = {.certificate = &device};
        meet(&m, &options, PLAIN | SKY_LISTEN_CERT_ASKED, false);
        while (!m.client.open && m.client.failed == 0) {
            mbedtls_ssl_handshake_step(&m.client.ssl);
            if (m.client.ssl.state == MBEDTLS_SSL_HANDSHAKE_OVER)
                m.client.open = true;
            for (size_t at = 0; at < m.client.out.len; at += piece)
                sky_tls_feed(m.served.tls,
                             sky_span_head(sky_span_tail(sky_buf_span(&m.client.out), at), piece));
            sky_buf_clear(&m.client.out);
            struct sky_buf *raw = sky_tls_raw(m.served.tls);
            sky_buf_add(&m.client.in, sky_buf_span(raw));
            sky_buf_clear(raw);
        }
        shake(&m);
        assert_open(&m);
        assert_echo(&m.bench, &m.client, &m.served, 5000);
        part(&m);
    }
}

/* ---- pre-shared keys ---- */

static void psk_opens_with_the_key_of_a_known_identity(void **state)
{
    static const struct {
        int minor;
        const int *suites;
    } rows[] = {{1, psk_cbc},     {2, psk_cbc}, {3, psk_cbc},
                {3, psk_cbc_256}, {3, psk_gcm}, {3, psk_ccm}};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct meeting m;
        const struct client_options options = {.min_minor = rows[i].minor,
                                               .max_minor = rows[i].minor,
                                               .suites = rows[i].suites,
                                               .psk_identity = "PROD123456dev001",
                                               .psk_key = SKY_SPAN("1234567890abcdef")};
        meet(&m, &options, PLAIN | SKY_LISTEN_PSK, false);
        m.served.known_identity = "PROD123456dev001";
        m.served.known_key = "1234567890abcdef";
        shake(&m);
        assert_open(&m);
        assert_int_equal(m.door.psk_device_id, 42);
        assert_true(sky_span_eq_str(sky_tls_identity(m.served.tls), "PROD123456dev001"));
        assert_echo(&m.bench, &m.client, &m.served, 100);
        part(&m);
    }
}

static void an_unknown_psk_identity_gets_alert_115(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {
        .suites = psk_cbc, .psk_identity = "nobody", .psk_key = SKY_SPAN("1234567890abcdef")};
    meet(&m, &options, PLAIN | SKY_LISTEN_PSK, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_PSK_IDENTITY, "identity was refused");
    assert_int_equal(sky_tls_failure(m.served.tls)->alert_sent, 115);
    assert_int_equal(m.client.failed, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    assert_string_equal(m.served.identity, "nobody");
    assert_int_equal(m.door.psk_device_id, 0);
    part(&m);
}

/* In each version and kind of cipher: what went wrong, and which key it was. */
static void a_wrong_psk_key_gets_alert_20_and_can_be_named(void **state)
{
    static const struct {
        int minor;
        uint16_t suite;
    } rows[] = {{1, 0x8c},   {2, 0x8d},   {3, 0x8c},   {3, 0x8d},   {3, 0xae},
                {3, 0xaf},   {3, 0xa8},   {3, 0xa9},   {3, 0xc0a4}, {3, 0xc0a5},
                {3, 0xc0a8}, {3, 0xc0a9}, {3, 0xccab}, {3, 0xc094}, {3, 0xc08e}};
    (void)state;
    for (size_t each = 0; each < 4 * SKY_COUNT(rows); each++) {
        struct meeting m;
        size_t i = each / 4;
        const int suites[] = {rows[i].suite, 0};
        const struct client_options options = {.min_minor = rows[i].minor,
                                               .max_minor = rows[i].minor,
                                               .no_extended_secret = each % 2,
                                               .no_encrypt_then_mac = each / 2 % 2,
                                               .suites = suites,
                                               .psk_identity = "dev",
                                               .psk_key = SKY_SPAN("wrong")};
        meet(&m, &options, PLAIN | SKY_LISTEN_PSK, false);
        m.served.known_identity = "dev";
        m.served.known_key = "right";
        shake(&m);
        assert_failed(&m, SKY_RULE_TLS_PSK_KEY, "another key");
        assert_int_equal(sky_tls_failure(m.served.tls)->alert_sent, 20);
        assert_int_equal(m.client.failed, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        assert_int_equal(m.door.psk_device_id, 0);
        assert_true(sky_tls_psk_fits(m.served.tls, SKY_SPAN("wrong")));
        assert_false(sky_tls_psk_fits(m.served.tls, SKY_SPAN("right")));
        assert_false(sky_tls_psk_fits(m.served.tls, SKY_SPAN("wron")));
        part(&m);
    }
}

static void psk_is_not_spoken_where_the_listener_has_none(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {
        .suites = psk_cbc, .psk_identity = "dev", .psk_key = SKY_SPAN("key")};
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_NO_COMMON_SUITE, "pre-shared keys only");
    assert_int_equal(sky_tls_failure(m.served.tls)->alert_sent, 40);
    part(&m);
}

static void psk_with_diffie_hellman_is_refused_by_name(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {
        .suites = ecdhe_psk, .psk_identity = "dev", .psk_key = SKY_SPAN("key")};
    meet(&m, &options, PLAIN | SKY_LISTEN_PSK, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_NO_COMMON_SUITE, "plain PSK suites");
    part(&m);
}

static void a_certificate_is_preferred_to_psk(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {
        .suites = rsa_then_psk, .psk_identity = "dev", .psk_key = SKY_SPAN("key")};
    meet(&m, &options, PLAIN | SKY_LISTEN_PSK, false);
    shake(&m);
    assert_open(&m);
    assert_string_equal(sky_tls_cipher(m.served.tls), "TLS-RSA-WITH-AES-128-CBC-SHA");
    part(&m);
}

/* ---- client certificates ---- */

static void a_client_certificate_of_ours_is_known_by_name(void **state)
{
    static const struct {
        int minor;
        const struct sky_ca_issued *issued;
        const char *name;
    } rows[] = {{3, &device, "dev001"}, {3, &device_rsa, "dev,002"}, {1, &device_rsa, "dev,002"}};
    static const unsigned allows[] = {SKY_LISTEN_CERT_ASKED, SKY_LISTEN_CERT_REQUIRED};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows) * SKY_COUNT(allows); i++) {
        struct meeting m;
        size_t row = i / 2;
        const struct client_options options = {.min_minor = rows[row].minor,
                                               .max_minor = rows[row].minor,
                                               .certificate = rows[row].issued};
        meet(&m, &options, PLAIN | allows[i % 2], false);
        shake(&m);
        assert_open(&m);
        assert_true(sky_span_eq_str(m.door.certificate_name, rows[row].name));
        assert_true(sky_span_eq_str(m.door.fingerprint, rows[row].issued->fingerprint));
        part(&m);
    }
}

static void a_foreign_client_certificate_is_known_by_fingerprint_only(void **state)
{
    struct meeting m;
    struct sky_ca *other;
    struct sky_ca_issued foreign;
    (void)state;
    const struct sky_ca_options made = {.now_ms = (int64_t)time(NULL) * 1000};
    assert_int_equal(sky_ca_open(&made, &other, NULL), SKY_OK);
    sky_ca_prepare(other);
    assert_int_equal(sky_ca_issue(other, SKY_SPAN("dev001"), SKY_KEY_EC, &foreign, NULL), SKY_OK);
    const struct client_options options = {.certificate = &foreign};
    meet(&m, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED, false);
    shake(&m);
    assert_open(&m);
    assert_int_equal(m.door.certificate_name.len, 0);
    assert_true(sky_span_eq_str(m.door.fingerprint, foreign.fingerprint));
    part(&m);
    sky_ca_issued_done(&foreign);
    sky_ca_free(other);
}

static void a_missing_client_certificate_matters_only_where_required(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {0};
    meet(&m, &options, PLAIN | SKY_LISTEN_CERT_ASKED, false);
    shake(&m);
    assert_open(&m);
    part(&m);
    meet(&m, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_CLIENT_CERT, "requires a client certificate");
    assert_int_equal(sky_tls_failure(m.served.tls)->alert_sent, 40);
    assert_int_equal(m.client.failed, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    part(&m);
}

static void no_certificate_is_asked_for_unless_the_listener_does(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {.certificate = &device};
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_open(&m);
    assert_int_equal(m.client.ssl.client_auth, 0);
    assert_int_equal(m.door.fingerprint.len, 0);
    part(&m);
}

static void a_certificate_without_its_key_is_refused(void **state)
{
    struct meeting m;
    struct sky_ca_issued other;
    (void)state;
    assert_int_equal(sky_ca_issue(ca, SKY_SPAN("other"), SKY_KEY_EC, &other, NULL), SKY_OK);
    const struct sky_ca_issued mixed = {.certificate = device.certificate, .key = other.key};
    const struct client_options options = {.certificate = &mixed};
    meet(&m, &options, PLAIN | SKY_LISTEN_CERT_REQUIRED, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_CLIENT_CERT, "does not fit the certificate");
    part(&m);
    sky_ca_issued_done(&other);
}

/* ---- refusals ---- */

static void a_client_that_distrusts_the_authority_is_told_what_to_do(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {.distrusts = true};
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_SERVER_CERT, "unknown_ca");
    assert_int_equal(sky_tls_failure(m.served.tls)->alert_received, 48);
    part(&m);
}

static void a_name_the_certificate_lacks_is_named(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {.server_name = "cloud.example"};
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_failed(&m, SKY_RULE_TLS_SERVER_CERT, "'cloud.example'");
    part(&m);
}

static void feed_text(struct meeting *m, const char *text, size_t len)
{
    sky_tls_feed(m->served.tls, sky_span_of(text, len));
}

static void garbage_is_refused_at_once(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum sky_tls_rule rule;
        const char *says;
    } rows[] = {
        {"\x16garbage", 8, SKY_RULE_TLS_HANDSHAKE, "no TLS ClientHello"},
        {"\x16\x03\x01\xff\xff", 5, SKY_RULE_TLS_HANDSHAKE, "no TLS ClientHello"},
        {"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, SKY_RULE_TLS_HANDSHAKE, "no TLS ClientHello"},
        {"\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9, SKY_RULE_TLS_HANDSHAKE, "no TLS ClientHello"},
        {"\x17\x03\x03\x00\x01\x00", 6, SKY_RULE_TLS_HANDSHAKE, "no TLS ClientHello"},
        {"\x10\x0c\x00\x04MQTT", 8, SKY_RULE_TLS_HANDSHAKE, "no TLS ClientHello"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct meeting m;
        meet(&m, &(struct client_options){0}, PLAIN, false);
        feed_text(&m, rows[i].bytes, rows[i].len);
        assert_failed(&m, rows[i].rule, rows[i].says);
        feed_text(&m, "more", 4);
        assert_int_equal(m.served.ended, 1);
        part(&m);
    }
}

/* A ClientHello with one suite, without extensions. */
static void feed_hello(struct meeting *m, uint8_t minor, uint16_t suite)
{
    uint8_t hello[5 + 4 + 41] = {0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, minor};
    hello[5 + 4 + 36] = 2;
    hello[5 + 4 + 37] = (uint8_t)(suite >> 8);
    hello[5 + 4 + 38] = (uint8_t)suite;
    hello[5 + 4 + 39] = 1;
    sky_tls_feed(m->served.tls, sky_span_of(hello, sizeof hello));
}

static void versions_out_of_reach_are_named(void **state)
{
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, false);
    feed_hello(&m, 0, 0x002f);
    assert_failed(&m, SKY_RULE_TLS_VERSION, "SSL 3.0");
    part(&m);
    meet(&m, &(struct client_options){0}, PLAIN, false);
    feed_hello(&m, 3, 0x1301);
    assert_failed(&m, SKY_RULE_TLS_VERSION, "TLS 1.3 only");
    part(&m);
    meet(&m, &(struct client_options){0}, PLAIN, false);
    feed_hello(&m, 3, 0x4444);
    assert_failed(&m, SKY_RULE_TLS_NO_COMMON_SUITE, "none of the 1 cipher suites");
    assert_non_null(strstr(sky_tls_offered(m.served.tls), "0x4444"));
    part(&m);
}

static void a_peer_that_leaves_or_stalls_is_explained(void **state)
{
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, false);
    feed_text(&m, "\x16\x03\x01", 3);
    sky_tls_give_up(m.served.tls, SKY_TLS_END_TIMEOUT);
    assert_int_equal(m.served.ended, 0);
    assert_non_null(strstr(sky_tls_failure(m.served.tls)->reason, "a complete ClientHello"));
    assert_string_equal(sky_tls_failure(m.served.tls)->rule->id, "TLS-TIMEOUT");
    part(&m);
    meet(&m, &(struct client_options){0}, PLAIN, false);
    exchange(&m.bench, &m.client, &m.served);
    sky_tls_give_up(m.served.tls, SKY_TLS_END_PEER_LEFT);
    assert_non_null(
        strstr(sky_tls_failure(m.served.tls)->reason, "after the server's certificate"));
    assert_string_equal(sky_tls_failure(m.served.tls)->rule->id, "TLS-SERVER-CERT");
    part(&m);
    meet(&m, &(struct client_options){0}, PLAIN, false);
    shake(&m);
    sky_tls_give_up(m.served.tls, SKY_TLS_END_PEER_LEFT);
    assert_null(sky_tls_failure(m.served.tls));
    assert_int_equal(sky_tls_state(m.served.tls), SKY_TLS_CLOSED);
    part(&m);
}

static void renegotiation_is_refused(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {.renegotiates = true};
    meet(&m, &options, PLAIN, false);
    shake(&m);
    assert_open(&m);
    assert_int_equal(mbedtls_ssl_renegotiate(&m.client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    exchange(&m.bench, &m.client, &m.served);
    assert_int_equal(mbedtls_ssl_renegotiate(&m.client.ssl),
                     MBEDTLS_ERR_SSL_WAITING_SERVER_HELLO_RENEGO);
    assert_int_equal(m.served.opened, 1);
    part(&m);
}

/* ---- after the handshake ---- */

static void a_damaged_record_ends_the_channel(void **state)
{
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, false);
    shake(&m);
    assert_int_equal(mbedtls_ssl_write(&m.client.ssl, (const unsigned char *)"hello", 5), 5);
    m.client.out.bytes[m.client.out.len - 1] ^= 1;
    exchange(&m.bench, &m.client, &m.served);
    assert_int_equal(m.served.ended, 1);
    assert_int_equal(m.served.clear.len, 0);
    assert_int_equal(sky_tls_state(m.served.tls), SKY_TLS_FAILED);
    assert_non_null(strstr(sky_tls_failure(m.served.tls)->reason, "after the handshake"));
    part(&m);
}

static void goodbyes_are_said_and_heard(void **state)
{
    struct meeting m;
    unsigned char byte;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, false);
    shake(&m);
    assert_int_equal(mbedtls_ssl_close_notify(&m.client.ssl), 0);
    exchange(&m.bench, &m.client, &m.served);
    assert_int_equal(m.served.ended, 1);
    assert_int_equal(sky_tls_state(m.served.tls), SKY_TLS_CLOSED);
    assert_null(sky_tls_failure(m.served.tls));
    part(&m);
    meet(&m, &(struct client_options){0}, PLAIN, false);
    shake(&m);
    sky_tls_close(m.served.tls);
    sky_tls_close(m.served.tls);
    exchange(&m.bench, &m.client, &m.served);
    assert_int_equal(mbedtls_ssl_read(&m.client.ssl, &byte, 1), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    assert_int_equal(m.client.in.len, 0);
    assert_int_equal(m.served.ended, 0);
    part(&m);
}

static void nothing_is_sealed_before_the_handshake(void **state)
{
    struct meeting m;
    (void)state;
    meet(&m, &(struct client_options){0}, PLAIN, false);
    sky_buf_add_str(&m.served.clear, "early");
    sky_tls_seal(m.served.tls, &m.served.clear);
    assert_int_equal(m.served.clear.len, 5);
    assert_int_equal(sky_tls_raw(m.served.tls)->len, 0);
    sky_tls_give_up(m.served.tls, SKY_TLS_END_PEER_LEFT);
    sky_tls_seal(m.served.tls, &m.served.clear);
    assert_int_equal(m.served.clear.len, 0);
    part(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_and_key_exchange_is_spoken),
        cmocka_unit_test(curves_below_112_bits_of_strength_are_off),
        cmocka_unit_test(the_server_name_is_known),
        cmocka_unit_test(a_handshake_survives_any_fragmentation),
        cmocka_unit_test(psk_opens_with_the_key_of_a_known_identity),
        cmocka_unit_test(an_unknown_psk_identity_gets_alert_115),
        cmocka_unit_test(a_wrong_psk_key_gets_alert_20_and_can_be_named),
        cmocka_unit_test(psk_is_not_spoken_where_the_listener_has_none),
        cmocka_unit_test(psk_with_diffie_hellman_is_refused_by_name),
        cmocka_unit_test(a_certificate_is_preferred_to_psk),
        cmocka_unit_test(a_client_certificate_of_ours_is_known_by_name),
        cmocka_unit_test(a_foreign_client_certificate_is_known_by_fingerprint_only),
        cmocka_unit_test(a_missing_client_certificate_matters_only_where_required),
        cmocka_unit_test(no_certificate_is_asked_for_unless_the_listener_does),
        cmocka_unit_test(a_certificate_without_its_key_is_refused),
        cmocka_unit_test(a_client_that_distrusts_the_authority_is_told_what_to_do),
        cmocka_unit_test(a_name_the_certificate_lacks_is_named),
        cmocka_unit_test(garbage_is_refused_at_once),
        cmocka_unit_test(versions_out_of_reach_are_named),
        cmocka_unit_test(a_peer_that_leaves_or_stalls_is_explained),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(a_damaged_record_ends_the_channel),
        cmocka_unit_test(goodbyes_are_said_and_heard),
        cmocka_unit_test(nothing_is_sealed_before_the_handshake),
    };
    return cmocka_run_group_tests_name("tls", tests, make_ca, free_ca);
}
