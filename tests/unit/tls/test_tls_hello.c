/* Reading a ClientHello, and saying what it offers and why a channel failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/tls/explain.h"
#include "server/tls/rules.h"

/* TLS 1.2, two suites and the signalling one, server name, groups, ticket, supported versions. */
static const uint8_t hello[] = {
    0x16, 0x03, 0x01, 0x00, 0x6e,                   /* record of 110 bytes */
    0x01, 0x00, 0x00, 0x6a, 0x03, 0x03,             /* ClientHello of 106 bytes, TLS 1.2 */
    0,    1,    2,    3,    4,    5,    6,    7,    /* random */
    8,    9,    10,   11,   12,   13,   14,   15,   /* */
    16,   17,   18,   19,   20,   21,   22,   23,   /* */
    24,   25,   26,   27,   28,   29,   30,   31,   /* */
    0x02, 0xaa, 0xbb,                               /* session id */
    0x00, 0x06, 0x00, 0x3d, 0x00, 0x2f, 0x00, 0xff, /* suites */
    0x01, 0x00,                                     /* compression methods */
    0x00, 0x39,                                     /* extensions of 57 bytes */
    0x00, 0x00, 0x00, 0x10, 0x00, 0x0e, 0x00, 0x00, 0x0b, 'm',  'q',
    't',  't',  '.',  'e',  'x',  'a',  'm',  'p',  'l',              /* server_name */
    0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x17, 0x00, 0x1d,       /* supported_groups */
    0x00, 0x23, 0x00, 0x03, 0x01, 0x02, 0x03,                         /* session_ticket */
    0x00, 0x2b, 0x00, 0x07, 0x06, 0x0a, 0x0a, 0x03, 0x04, 0x03, 0x03, /* supported_versions */
    0x00, 0x17, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00,             /* one that is not read */
};

static sky_span span_of_hello(void)
{
    return sky_span_of(hello, sizeof hello);
}

static void a_hello_is_read(void **state)
{
    struct sky_tls_hello got;
    (void)state;
    assert_int_equal(sizeof hello, 5 + 0x6e);
    assert_int_equal(sky_tls_hello_parse(span_of_hello(), &got), SKY_TLS_OK);
    assert_int_equal(got.version, 0x0303);
    assert_int_equal(got.suite_count, 3);
    assert_int_equal(got.suites[0], 0x3d);
    assert_int_equal(got.suites[2], 0xff);
    assert_string_equal(got.server_name, "mqtt.exampl");
    assert_int_equal(got.group_count, 2);
    assert_int_equal(got.groups[1], 0x1d);
    assert_true(got.ticket);
    assert_int_equal(got.version_count, 3);
    assert_int_equal(got.versions[1], 0x0304);
}

static void a_hello_cut_short_asks_for_more(void **state)
{
    struct sky_tls_hello got;
    (void)state;
    for (size_t len = 0; len < sizeof hello; len++)
        assert_int_equal(sky_tls_hello_parse(sky_span_head(span_of_hello(), len), &got),
                         SKY_TLS_MORE);
}

/* With a record header that fits what is left, every cut is noticed, except before the first
 * extension, where a ClientHello may end. */
static void a_hello_that_ends_early_is_bad(void **state)
{
    enum { MESSAGE = 5, EXTENSIONS = 5 + 6 + 32 + 3 + 8 + 2 };
    struct sky_tls_hello got;
    (void)state;
    for (size_t len = MESSAGE + 4; len < sizeof hello; len++) {
        uint8_t cut[sizeof hello];
        memcpy(cut, hello, len);
        cut[4] = (uint8_t)(len - MESSAGE);
        cut[8] = (uint8_t)(len - MESSAGE - 4);
        assert_int_equal(sky_tls_hello_parse(sky_span_of(cut, len), &got),
                         len == EXTENSIONS ? SKY_TLS_OK : SKY_TLS_BAD);
    }
}

static void what_is_no_hello_is_bad(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum sky_tls_parse record;
    } rows[] = {
        {"\x15\x03\x01\x00\x02\x02\x28", 7, SKY_TLS_OK}, /* an alert */
        {"\x16\x03\x03\x00\x04\x02\x00\x00\x00", 9, SKY_TLS_OK},
        {"\x16\x03\x03\x00\x04\x01\x00\x10\x00", 9, SKY_TLS_OK}, /* goes on in another record */
        {"\x16\x03\x03\x00\x00", 5, SKY_TLS_OK},
        {"\x13", 1, SKY_TLS_BAD},
        {"\x18", 1, SKY_TLS_BAD},
        {"\x16\x02", 2, SKY_TLS_BAD},
        {"GET /", 5, SKY_TLS_BAD},
    };
    struct sky_tls_hello got;
    size_t len;
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_span raw = sky_span_of(rows[i].bytes, rows[i].len);
        assert_int_equal(sky_tls_record_len(raw, &len), rows[i].record);
        assert_int_equal(sky_tls_hello_parse(raw, &got), SKY_TLS_BAD);
    }
}

static void a_record_has_a_longest_length(void **state)
{
    uint8_t header[5] = {0x16, 3, 3, SKY_TLS_RECORD_MAX >> 8, SKY_TLS_RECORD_MAX & 0xff};
    size_t len;
    (void)state;
    assert_int_equal(sky_tls_record_len(sky_span_of(header, 5), &len), SKY_TLS_MORE);
    header[4]++;
    assert_int_equal(sky_tls_record_len(sky_span_of(header, 5), &len), SKY_TLS_BAD);
}

/* A ClientHello with `count` suites and a server name of `name_len` bytes `fill`. */
static size_t compose(uint8_t *out, size_t count, size_t name_len, char fill)
{
    size_t at = 5 + 4;
    memset(out, 0, at + 2 + 32 + 1);
    out[at] = out[at + 1] = 3;
    at += 2 + 32 + 1;
    out[at++] = (uint8_t)(2 * count >> 8);
    out[at++] = (uint8_t)(2 * count);
    for (size_t i = 0; i < 2 * count; i++)
        out[at++] = 0x11;
    out[at++] = 1;
    out[at++] = 0;
    const uint8_t extension[] = {
        0, (uint8_t)(name_len + 9), 0, 0, 0, (uint8_t)(name_len + 5), 0, (uint8_t)(name_len + 3), 0,
        0, (uint8_t)name_len};
    memcpy(out + at, extension, sizeof extension);
    out[at] = (uint8_t)((name_len + 9) >> 8);
    out[at + 4] = (uint8_t)((name_len + 5) >> 8);
    out[at + 6] = (uint8_t)((name_len + 3) >> 8);
    memset(out + at + sizeof extension, fill, name_len);
    at += sizeof extension + name_len;
    out[0] = 0x16;
    out[1] = 3;
    out[2] = 1;
    out[3] = (uint8_t)((at - 5) >> 8);
    out[4] = (uint8_t)(at - 5);
    out[5] = 1;
    out[7] = (uint8_t)((at - 9) >> 8);
    out[8] = (uint8_t)(at - 9);
    return at;
}

static void long_lists_are_cut(void **state)
{
    uint8_t raw[2048];
    struct sky_tls_hello got;
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        size_t len = compose(raw, SKY_TLS_HELLO_SUITES_MAX + more, 3, 'a');
        assert_int_equal(sky_tls_hello_parse(sky_span_of(raw, len), &got), SKY_TLS_OK);
        assert_int_equal(got.suite_count, SKY_TLS_HELLO_SUITES_MAX);
        assert_string_equal(got.server_name, "aaa");
    }
}

static void only_plain_names_are_kept(void **state)
{
    uint8_t raw[1024];
    struct sky_tls_hello got;
    (void)state;
    size_t len = compose(raw, 1, SKY_TLS_HELLO_NAME_MAX, 'a');
    assert_int_equal(sky_tls_hello_parse(sky_span_of(raw, len), &got), SKY_TLS_OK);
    assert_int_equal(strlen(got.server_name), SKY_TLS_HELLO_NAME_MAX);
    len = compose(raw, 1, SKY_TLS_HELLO_NAME_MAX + 1, 'a');
    assert_int_equal(sky_tls_hello_parse(sky_span_of(raw, len), &got), SKY_TLS_OK);
    assert_string_equal(got.server_name, "");
    len = compose(raw, 1, 5, '\n');
    assert_int_equal(sky_tls_hello_parse(sky_span_of(raw, len), &got), SKY_TLS_OK);
    assert_string_equal(got.server_name, "");
}

/* ---- in words ---- */

static void an_offer_is_put_into_words(void **state)
{
    struct sky_tls_hello got;
    char text[SKY_TLS_OFFERED_MAX];
    (void)state;
    assert_int_equal(sky_tls_hello_parse(span_of_hello(), &got), SKY_TLS_OK);
    sky_tls_offer_text(&got, text);
    assert_string_equal(text, "TLS 1.3, TLS 1.2; server name mqtt.exampl; groups secp256r1, x25519;"
                              " suites TLS-RSA-WITH-AES-256-CBC-SHA256,"
                              " TLS-RSA-WITH-AES-128-CBC-SHA, 0x00ff");
    got.version_count = 0;
    got.version = 0x0300;
    sky_tls_offer_text(&got, text);
    assert_memory_equal(text, "up to SSL 3.0;", 14);
}

static void a_long_offer_is_cut_visibly(void **state)
{
    struct sky_tls_hello got = {.version = 0x0303, .suite_count = SKY_TLS_HELLO_SUITES_MAX};
    char text[SKY_TLS_OFFERED_MAX];
    (void)state;
    for (size_t i = 0; i < SKY_TLS_HELLO_SUITES_MAX; i++)
        got.suites[i] = 0xc02b;
    sky_tls_offer_text(&got, text);
    size_t len = strlen(text);
    assert_true(len > SKY_TLS_OFFERED_MAX - 64);
    assert_string_equal(text + len - 3, "...");
}

static void names_of_alerts_and_versions(void **state)
{
    (void)state;
    assert_string_equal(sky_tls_alert_name(48), "unknown_ca");
    assert_string_equal(sky_tls_alert_name(115), "unknown_psk_identity");
    assert_string_equal(sky_tls_alert_name(99), "unassigned");
    assert_string_equal(sky_tls_version_name(0x0301), "TLS 1.0");
    assert_string_equal(sky_tls_version_name(0x0304), "TLS 1.3");
    assert_string_equal(sky_tls_version_name(0x7f1c), "an unknown version");
}

/* What no handshake of the test client brings about. */
static void evidence_is_explained(void **state)
{
    enum { NONE = SKY_TLS_NO_ALERT };
    struct sky_tls_hello named = {.server_name = "a.example"};
    const struct {
        struct sky_tls_evidence evidence;
        enum sky_tls_rule rule;
        const char *says;
    } rows[] = {
        {{.alert_received = 45, .step = SKY_TLS_STEP_KEY}, SKY_RULE_TLS_SERVER_CERT, "time"},
        {{.alert_received = 42, .hello = &named, .name_covered = false},
         SKY_RULE_TLS_SERVER_CERT,
         "'a.example'"},
        {{.alert_received = 70}, SKY_RULE_TLS_VERSION, "version of TLS"},
        {{.alert_received = 99}, SKY_RULE_TLS_HANDSHAKE, "unassigned"},
        {{.alert_received = 80, .end = SKY_TLS_END_PEER_LEFT}, SKY_RULE_TLS_HANDSHAKE, "memory"},
        {{.alert_received = NONE, .end = SKY_TLS_END_PEER_LEFT, .step = SKY_TLS_STEP_CERTIFICATE},
         SKY_RULE_TLS_HANDSHAKE,
         "asked for a certificate"},
        {{.alert_received = NONE,
          .end = SKY_TLS_END_PEER_LEFT,
          .step = SKY_TLS_STEP_KEY,
          .suite = 0x8c},
         SKY_RULE_TLS_HANDSHAKE,
         "PSK identity was due"},
        {{.alert_received = NONE,
          .end = SKY_TLS_END_PEER_LEFT,
          .step = SKY_TLS_STEP_KEY,
          .suite = 0x2f,
          .hello = &named},
         SKY_RULE_TLS_SERVER_CERT,
         "'a.example'"},
        {{.alert_received = NONE, .end = SKY_TLS_END_TIMEOUT, .step = SKY_TLS_STEP_FINISHED},
         SKY_RULE_TLS_TIMEOUT,
         "Finished"},
        {{.alert_received = NONE, .step = SKY_TLS_STEP_KEY, .code = -0x7c00},
         SKY_RULE_TLS_HANDSHAKE,
         "handshake failed"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_tls_failure failure;
        sky_tls_explain(&rows[i].evidence, &failure);
        assert_string_equal(failure.rule->id, sky_tls_rule(rows[i].rule)->id);
        if (strstr(failure.reason, rows[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", failure.reason, rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_is_read),
        cmocka_unit_test(a_hello_cut_short_asks_for_more),
        cmocka_unit_test(a_hello_that_ends_early_is_bad),
        cmocka_unit_test(what_is_no_hello_is_bad),
        cmocka_unit_test(a_record_has_a_longest_length),
        cmocka_unit_test(long_lists_are_cut),
        cmocka_unit_test(only_plain_names_are_kept),
        cmocka_unit_test(an_offer_is_put_into_words),
        cmocka_unit_test(a_long_offer_is_cut_visibly),
        cmocka_unit_test(names_of_alerts_and_versions),
        cmocka_unit_test(evidence_is_explained),
    };
    return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}
