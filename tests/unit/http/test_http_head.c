#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/http/answer.h"
#include "protocol/http/head.h"

static int parse(const char *text, struct sky_http_head *ret_head)
{
    const char *reason = NULL;
    int status = sky_http_head_parse(sky_span_str(text), ret_head, &reason);
    assert_true((status == 0) == (reason == NULL));
    return status;
}

static void assert_text(sky_span actual, const char *expected)
{
    if (!sky_span_eq_str(actual, expected))
        fail_msg("'%.*s' is not '%s'", SKY_SPAN_ARGS(actual), expected);
}

static void a_head_ends_with_an_empty_line(void **state)
{
    (void)state;
    sky_span text = SKY_SPAN("GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n");
    assert_int_equal(sky_http_head_len(text), 24);
    for (size_t len = 0; len < 24; len++)
        assert_int_equal(sky_http_head_len(sky_span_head(text, len)), 0);
}

static void the_parts_of_a_head_are_found(void **state)
{
    (void)state;
    struct sky_http_head head;
    assert_int_equal(
        parse("POST /a/b%20c?x=1&y HTTP/1.1\r\nHost: h:1\r\ncontent-LENGTH: 12\r\n\r\n", &head), 0);
    assert_text(head.method, "POST");
    assert_text(head.path, "/a/b%20c");
    assert_text(head.query, "x=1&y");
    assert_text(head.headers, "Host: h:1\r\ncontent-LENGTH: 12");
    assert_int_equal(head.body_len, 12);
    assert_true(head.keep_alive);
    assert_false(head.expects_continue);
}

static void a_head_needs_no_headers(void **state)
{
    (void)state;
    struct sky_http_head head;
    assert_int_equal(parse("GET / HTTP/1.1\r\n\r\n", &head), 0);
    assert_text(head.headers, "");
    assert_text(head.query, "");
    assert_int_equal(head.body_len, 0);
}

static void who_wants_to_be_kept_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool kept;
    } table[] = {
        {"GET / HTTP/1.1\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nConnection: Upgrade\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nConnection: x , Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: TE,keep-alive\r\n\r\n", true},
    };
    struct sky_http_head head;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        assert_int_equal(parse(table[i].text, &head), 0);
        assert_int_equal(head.keep_alive, table[i].kept);
    }
}

/* Requests as they may come, and the status they are refused with; 0: they are none. */
static const struct {
    int status;
    const char *text;
} requests[] = {
    {0, "GET / HTTP/1.1\r\n\r\n"},
    {0, "GET / HTTP/1.9\r\nA:b\r\nB:\t c \r\nC:\r\n\r\n"},
    {0, "POST / HTTP/1.1\r\n\r\n"},
    {0, "PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"},
    {0, "GET http://host HTTP/1.1\r\n\r\n"},
    {0, "GET https://[::1]:8/x?y HTTP/1.1\r\n\r\n"},
    {0, "OPTIONS * HTTP/1.1\r\n\r\n"},
    {400, " / HTTP/1.1\r\n\r\n"},
    {400, "GET / \r\n\r\n"},
    {400, "GET\t/ HTTP/1.1\r\n\r\n"},
    {400, "GET  / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1 \r\n\r\n"},
    {400, "GET / HTTP/1.1 x\r\n\r\n"},
    {400, "GET http:///x HTTP/1.1\r\n\r\n"},
    {400, "GET http://me@host/ HTTP/1.1\r\n\r\n"},
    {400, "GET http://host:x/ HTTP/1.1\r\n\r\n"},
    {400, "GET ftp://host/ HTTP/1.1\r\n\r\n"},
    {400, "GET * HTTP/1.1\r\n\r\n"},
    {400, "CONNECT host:1 HTTP/1.1\r\n\r\n"},
    {400, "GET /\x01 HTTP/1.1\r\n\r\n"},
    {400, "G:ET / HTTP/1.1\r\n\r\n"},
    {400, "GET{} / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n: empty\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nA\tB: c\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nA : b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n A: b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nA: b\r\n\tfolded\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nA: b\n"},
    {400, "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nA: b\r\r\n\r\n"},
    {400, "GET / HTTP/1.1\n"},
    {400, "GET / HTTP/1.1\r\n\n"},
    {400, "\n"},
    {400, "GET / HTTP/1.1\r\n(A): b\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: \v1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
    {400, "DELETE / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nTransfer-Encoding: \vchunked\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n"},
    {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
    {501, "get / HTTP/1.1\r\n\r\n"},
    {501, "TRACE / HTTP/1.1\r\n\r\n"},
    {505, "GET / HTTP/3\r\n\r\n"},
    {505, "GET / HTTP/0.9\r\n\r\n"},
    {505, "GET / HTTP/2.0\r\n\r\n"},
    {400, "GET / HTTP/1\r\n\r\n"},
    {400, "GET / HTTP/1.\r\n\r\n"},
    {400, "GET / HTTP/1.11\r\n\r\n"},
    {400, "GET / HTTP/11.1\r\n\r\n"},
    {400, "GET / HTTP/1.x\r\n\r\n"},
    {400, "GET / http/1.1\r\n\r\n"},
    {400, "GET / ICY/1.0\r\n\r\n"},
};

/* Split at every offset a head is complete exactly when its last byte is there. */
static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    struct sky_http_head head;
    for (size_t i = 0; i < SKY_COUNT(requests); i++) {
        sky_span text = sky_span_str(requests[i].text);
        for (size_t len = 0; len < text.len; len++)
            if (sky_http_head_len(sky_span_head(text, len)) != 0)
                fail_msg("row %zu: complete with %zu bytes", i, len);
        if (sky_http_head_len(text) != text.len)
            fail_msg("row %zu is not complete", i);
        int status = parse(requests[i].text, &head);
        if (status != requests[i].status)
            fail_msg("row %zu: %d, expected %d", i, status, requests[i].status);
    }
}

static void what_is_too_long_is_told_apart(void **state)
{
    static char text[SKY_HTTP_TARGET_MAX + 64];
    struct sky_http_head head;
    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n\r\n", SKY_HTTP_TARGET_MAX - 1 + extra,
                 0);
        assert_int_equal(parse(text, &head), extra ? 414 : 0);
    }
    assert_int_equal(sky_http_head_excess(SKY_SPAN("GET /and-so-on")), 414);
    assert_int_equal(sky_http_head_excess(SKY_SPAN("GET / HTTP/1.1\r\nA: and so on")), 431);
}

static void empty_lines_before_a_request_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(sky_http_head_blank(SKY_SPAN("\r\n\r\nGET /")), 4);
    assert_int_equal(sky_http_head_blank(SKY_SPAN("\r\n\r")), 2);
    assert_int_equal(sky_http_head_blank(SKY_SPAN("\n\r\n")), 0);
    assert_int_equal(sky_http_head_blank(SKY_SPAN_NONE), 0);
}

static void whom_a_request_is_for_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *name;
        bool fault;
    } table[] = {
        {"GET / HTTP/1.1\r\nHost: a.b:80\r\n\r\n", "a.b:80", "a.b", false},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "[::1]:80", "::1", false},
        {"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "[::1]", "::1", false},
        {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "a:", "a", false},
        {"GET http://x:1/p?q HTTP/1.1\r\nHost: y\r\n\r\n", "x:1", "x", false},
        {"GET http://x HTTP/1.1\r\n\r\n", "x", "x", true},
        {"GET / HTTP/1.0\r\n\r\n", "", "", false},
        {"GET / HTTP/1.1\r\n\r\n", "", "", true},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "", "", true},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "a", "a", true},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "a b", "a b", true},
        {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "::1", ":", true},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "[::1", "", true},
        {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "a:65536", "a", true},
        {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", ":80", "", true},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "a/b", "a/b", true},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "u@a", "u@a", true},
    };
    struct sky_http_head head;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        assert_int_equal(parse(table[i].text, &head), 0);
        assert_text(head.host, table[i].host);
        assert_text(sky_http_host_name(head.host), table[i].name);
        if ((head.host_fault != NULL) != table[i].fault)
            fail_msg("row %zu: %s", i, head.host_fault ? head.host_fault : "no fault");
    }
    assert_int_equal(parse("GET http://x?q=1 HTTP/1.1\r\n\r\n", &head), 0);
    assert_text(head.path, "/");
    assert_text(head.query, "q=1");
}

static void who_asks_for_websocket_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        bool upgrades;
        const char *text;
    } table[] = {
        {true, "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
        {true,
         "GET / HTTP/1.1\r\nConnection: keep-alive, upgrade\r\nUpgrade: x, WebSocket\r\n\r\n"},
        {false, "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"},
        {false, "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"},
        {false, "GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
        {false, "POST / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
    };
    struct sky_http_head head;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        assert_int_equal(parse(table[i].text, &head), 0);
        assert_int_equal(head.upgrades, table[i].upgrades);
    }
}

static void older_clients_are_not_told_to_go_on(void **state)
{
    (void)state;
    struct sky_http_head head;
    assert_int_equal(parse("PUT / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n", &head), 0);
    assert_true(head.expects_continue);
    assert_int_equal(parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &head), 0);
    assert_false(head.expects_continue);
}

static void a_date_is_written_as_http_has_it(void **state)
{
    (void)state;
    char out[SKY_HTTP_DATE_SIZE];
    sky_http_date(INT64_C(784111777999), out);
    assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT");
    sky_http_date(0, out);
    assert_string_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT");
}

static void the_same_length_twice_is_one_length(void **state)
{
    (void)state;
    struct sky_http_head head;
    assert_int_equal(
        parse("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", &head), 0);
    assert_int_equal(head.body_len, 5);
}

static void headers_are_found_in_any_case(void **state)
{
    (void)state;
    sky_span value, headers = SKY_SPAN("Host: a\r\nX-Sign:  s p \r\nx-sign: second");
    assert_true(sky_http_head_header(headers, "x-SIGN", &value));
    assert_text(value, "s p");
    assert_false(sky_http_head_header(headers, "sign", &value));
    assert_false(sky_http_head_header(SKY_SPAN_NONE, "host", &value));
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    char out[8];
    assert_true(sky_http_decode(SKY_SPAN("a%2Fb+c"), true, out, sizeof out));
    assert_string_equal(out, "a/b c");
    assert_true(sky_http_decode(SKY_SPAN("a+c"), false, out, sizeof out));
    assert_string_equal(out, "a+c");
    assert_true(sky_http_decode(SKY_SPAN("1234567"), false, out, sizeof out));
    static const char *const broken[] = {"%", "%2", "%zz", "%00", "12345678"};
    for (size_t i = 0; i < SKY_COUNT(broken); i++)
        assert_false(sky_http_decode(sky_span_str(broken[i]), false, out, sizeof out));
}

static void parameters_of_a_query_are_found(void **state)
{
    (void)state;
    char out[8];
    bool bad;
    sky_span query = SKY_SPAN("a=1&b=x%20y&c&d=&bad=%z&long=12345678");
    assert_true(sky_http_query(query, "b", out, sizeof out, &bad) && !bad);
    assert_string_equal(out, "x y");
    assert_true(sky_http_query(query, "c", out, sizeof out, &bad) && !bad);
    assert_string_equal(out, "");
    assert_true(sky_http_query(query, "d", out, sizeof out, &bad) && !bad);
    assert_true(sky_http_query(query, "bad", out, sizeof out, &bad) && bad);
    assert_true(sky_http_query(query, "long", out, sizeof out, &bad) && bad);
    assert_false(sky_http_query(query, "e", out, sizeof out, &bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_ends_with_an_empty_line),
        cmocka_unit_test(the_parts_of_a_head_are_found),
        cmocka_unit_test(a_head_needs_no_headers),
        cmocka_unit_test(who_wants_to_be_kept_is_told_apart),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(what_is_too_long_is_told_apart),
        cmocka_unit_test(empty_lines_before_a_request_are_skipped),
        cmocka_unit_test(whom_a_request_is_for_is_found),
        cmocka_unit_test(who_asks_for_websocket_is_told_apart),
        cmocka_unit_test(older_clients_are_not_told_to_go_on),
        cmocka_unit_test(a_date_is_written_as_http_has_it),
        cmocka_unit_test(the_same_length_twice_is_one_length),
        cmocka_unit_test(headers_are_found_in_any_case),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(parameters_of_a_query_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
