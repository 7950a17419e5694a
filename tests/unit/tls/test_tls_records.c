/* Clients that cut records otherwise than the TLS library does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/tls/hello.h"
#include "server/tls/records.h"
#include "tests/unit/tls/tls_client.h"

enum { BUF_MAX = 256 * 1024 };

/* ---- joining ---- */

static void a_message_spread_over_records_is_joined(void **state)
{
#define HEAD "\x16\x03\x03"
#define CCS "\x14\x03\x03\x00\x01\x01"
    static const struct {
        sky_span in, out;
        size_t ready;
    } rows[] = {
        {SKY_SPAN(""), SKY_SPAN(""), 0},
        /* whole as they are: left alone */
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x01x"), SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x01x"),
         10},
        {SKY_SPAN(HEAD "\x00\x09\x01\x00\x00\x01x\x02\x00\x00\x00"),
         SKY_SPAN(HEAD "\x00\x09\x01\x00\x00\x01x\x02\x00\x00\x00"), 14},
        {SKY_SPAN(HEAD "\x00\x04\x01\x00\x00\x00" HEAD "\x00\x04\x02\x00\x00\x00"),
         SKY_SPAN(HEAD "\x00\x04\x01\x00\x00\x00" HEAD "\x00\x04\x02\x00\x00\x00"), 18},
        /* in two, cut in the body, in the header, before anything */
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02x" HEAD "\x00\x01y"),
         SKY_SPAN(HEAD "\x00\x06\x01\x00\x00\x02xy"), 11},
        {SKY_SPAN(HEAD "\x00\x02\x01\x00" HEAD "\x00\x03\x00\x01y"),
         SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x01y"), 10},
        {SKY_SPAN(HEAD "\x00\x00" HEAD "\x00\x04\x01\x00\x00\x00"),
         SKY_SPAN(HEAD "\x00\x04\x01\x00\x00\x00"), 9},
        /* the second holds the end of one and the beginning of the next */
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02x" HEAD "\x00\x05y\x02\x00\x00\x01" HEAD
                       "\x00\x01z" CCS),
         SKY_SPAN(HEAD "\x00\x0b\x01\x00\x00\x02xy\x02\x00\x00\x01z" CCS), 22},
        /* not all there yet: held back, whatever follows of it */
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x03x" HEAD "\x00\x01y"),
         SKY_SPAN(HEAD "\x00\x06\x01\x00\x00\x03xy"), 0},
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02x" HEAD "\x00\x01"),
         SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02x" HEAD "\x00\x01"), 0},
        /* encrypted ones are no messages */
        {SKY_SPAN(CCS HEAD "\x00\x05\x01\x00\x00\x02x" HEAD "\x00\x01y"),
         SKY_SPAN(CCS HEAD "\x00\x05\x01\x00\x00\x02x" HEAD "\x00\x01y"), 22},
        /* what cannot be put together goes as it is */
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02x\x15\x03\x03\x00\x02\x02\x28"),
         SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02x\x15\x03\x03\x00\x02\x02\x28"), 17},
        {SKY_SPAN(HEAD "\x00\x05\x01\xff\xff\xffx"), SKY_SPAN(HEAD "\x00\x05\x01\xff\xff\xffx"),
         10},
        {SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02xnonsense"),
         SKY_SPAN(HEAD "\x00\x05\x01\x00\x00\x02xnonsense"), 18},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_buf in;
        sky_buf_init(&in, BUF_MAX);
        sky_buf_add(&in, rows[i].in);
        for (size_t again = 0; again < 2; again++) {
            size_t ready = sky_tls_join_records(&in);
            if (ready != rows[i].ready || !sky_span_eq(sky_buf_span(&in), rows[i].out))
                fail_msg("row %zu: %zu of %zu bytes", i, ready, in.len);
        }
        sky_buf_done(&in);
    }
}

static void a_joined_record_has_a_longest_length(void **state)
{
    enum { HALF = 8192 };
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t body = 2 * HALF - 4 + over, record = SKY_TLS_RECORD_HEADER + HALF + over;
        struct sky_buf in;
        sky_buf_init(&in, BUF_MAX);
        char *bytes = sky_mem_new(record);
        memcpy(bytes, "\x16\x03\x03", 3);
        bytes[3] = (char)(HALF >> 8);
        bytes[SKY_TLS_RECORD_HEADER] = 11;
        bytes[SKY_TLS_RECORD_HEADER + 2] = (char)(body >> 8);
        bytes[SKY_TLS_RECORD_HEADER + 3] = (char)body;
        sky_buf_add(&in, sky_span_of(bytes, SKY_TLS_RECORD_HEADER + HALF));
        memset(bytes + 4, 0, record - 4);
        bytes[4] = (char)over;
        sky_buf_add(&in, sky_span_of(bytes, record));
        size_t all = in.len;
        assert_int_equal(sky_tls_join_records(&in), /* too long: the library refuses the first */
                         over ? SKY_TLS_RECORD_HEADER + HALF : all - SKY_TLS_RECORD_HEADER);
        assert_int_equal(in.len, over ? all : all - SKY_TLS_RECORD_HEADER);
        free(bytes);
        sky_buf_done(&in);
    }
}

/* ---- handshakes ---- */

/* Cuts the client's clear handshake records into pieces. */
static void cut_records(struct client *client, size_t piece, bool *changed)
{
    struct sky_buf cut;
    size_t len;
    sky_buf_init(&cut, BUF_MAX);
    for (sky_span rest = sky_buf_span(&client->out); rest.len > 0;
         rest = sky_span_tail(rest, len)) {
        assert_int_equal(sky_tls_record_len(rest, &len), SKY_TLS_OK);
        sky_span record = sky_span_head(rest, len), payload = sky_span_tail(record, 5);
        *changed = *changed || record.ptr[0] == MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC;
        if (*changed || record.ptr[0] != MBEDTLS_SSL_MSG_HANDSHAKE)
            sky_buf_add(&cut, record);
        for (; record.ptr[0] == MBEDTLS_SSL_MSG_HANDSHAKE && !*changed && payload.len > 0;
             payload = sky_span_tail(payload, piece)) {
            sky_span head = sky_span_head(payload, piece);
            sky_buf_add(&cut, sky_span_head(record, 3));
            sky_buf_add_byte(&cut, (uint8_t)(head.len >> 8));
            sky_buf_add_byte(&cut, (uint8_t)head.len);
            sky_buf_add(&cut, head);
        }
    }
    sky_buf_done(&client->out);
    client->out = cut;
}

static void shake_in_pieces(struct meeting *m, size_t piece, size_t fed)
{
    bool changed = false;
    while (!m->client.open && m->client.failed == 0) {
        int rc = mbedtls_ssl_handshake(&m->client.ssl);
        m->client.open = rc == 0;
        m->client.failed = rc == MBEDTLS_ERR_SSL_WANT_READ ? 0 : rc;
        cut_records(&m->client, piece, &changed);
        for (size_t at = 0; at < m->client.out.len; at += fed)
            sky_tls_feed(m->served.tls,
                         sky_span_head(sky_span_tail(sky_buf_span(&m->client.out), at), fed));
        sky_buf_clear(&m->client.out);
        if (m->bench.threaded)
            uv_run(&m->bench.loop, UV_RUN_DEFAULT);
        sky_buf_add(&m->client.in, sky_buf_span(sky_tls_raw(m->served.tls)));
        sky_buf_clear(sky_tls_raw(m->served.tls));
    }
    shake(m);
}

static void a_client_may_spread_its_messages_over_records(void **state)
{
    static const size_t pieces[] = {1, 3, 5, 100, 300};
    (void)state;
    for (size_t i = 0; i < 4 * SKY_COUNT(pieces); i++) {
        struct meeting m;
        bool psk = i % 2 == 1;
        const struct client_options options = {
            .certificate = psk ? NULL : &device_rsa,
            .suites = psk ? (const int[]){MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0} : NULL,
            .psk_identity = psk ? "PROD123456dev001" : NULL,
            .psk_key = SKY_SPAN("1234567890abcdef")};
        meet(&m, &options, PLAIN | SKY_LISTEN_CERT_ASKED | SKY_LISTEN_PSK, i % 4 < 2);
        m.served.known_identity = "PROD123456dev001";
        m.served.known_key = "1234567890abcdef";
        shake_in_pieces(&m, pieces[i / 4], i % 4 < 2 ? BUF_MAX : 7);
        assert_open(&m);
        assert_echo(&m.bench, &m.client, &m.served, 5000);
        part(&m);
    }
}

static void a_hello_in_pieces_is_explained_as_a_whole_one(void **state)
{
    struct meeting m;
    (void)state;
    const struct client_options options = {
        .suites = (const int[]){MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0},
        .psk_identity = "x",
        .psk_key = SKY_SPAN("1234567890abcdef")};
    meet(&m, &options, PLAIN, false);
    shake_in_pieces(&m, 10, BUF_MAX);
    assert_failed(&m, SKY_RULE_TLS_NO_COMMON_SUITE, "pre-shared keys only");
    part(&m);
}

/* The longest payload among records that wait for the client. */
static size_t longest_record(struct meeting *m)
{
    size_t longest = 0, len;
    sky_span rest = sky_buf_span(sky_tls_raw(m->served.tls));
    for (; sky_tls_record_len(rest, &len) == SKY_TLS_OK; rest = sky_span_tail(rest, len))
        longest = len > longest ? len : longest;
    return longest;
}

static void short_records_are_kept_to_where_they_can_be(void **state)
{
    enum { OVERHEAD = 5 + 8 + 16 + 32 }; /* header, nonce or vector, tag or MAC, padding */
    static const int rsa_cbc[] = {0x2f, 0}, *const suites[] = {NULL, rsa_cbc};
    (void)state;
    for (unsigned char code = 1; code <= 4; code++)
        for (size_t i = 0; i < SKY_COUNT(suites); i++) {
            struct meeting m;
            struct sky_buf clear;
            const struct client_options options = {.record_code = code, .suites = suites[i]};
            meet(&m, &options, PLAIN, false);
            exchange(&m.bench, &m.client, &m.served);
            assert_non_null(strstr(sky_tls_offered(m.served.tls), "records of at most"));
            shake(&m);
            assert_open(&m);
            assert_echo(&m.bench, &m.client, &m.served, 20000);
            sky_buf_init(&clear, BUF_MAX);
            (void)sky_buf_reserve(&clear, 10000);
            memset(clear.bytes, 'x', 10000);
            sky_buf_commit(&clear, 10000);
            sky_tls_seal(m.served.tls, &clear);
            size_t asked = (size_t)256 << code, longest = longest_record(&m);
            assert_true(longest >= asked && longest <= asked + OVERHEAD);
            sky_buf_clear(sky_tls_raw(m.served.tls));
            sky_buf_done(&clear);
            part(&m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_spread_over_records_is_joined),
        cmocka_unit_test(a_joined_record_has_a_longest_length),
        cmocka_unit_test(a_client_may_spread_its_messages_over_records),
        cmocka_unit_test(a_hello_in_pieces_is_explained_as_a_whole_one),
        cmocka_unit_test(short_records_are_kept_to_where_they_can_be),
    };
    return cmocka_run_group_tests_name("tls_records", tests, make_ca, free_ca);
}
