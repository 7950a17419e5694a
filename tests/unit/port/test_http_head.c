#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/port/http_head.h"

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
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
    };
    struct sky_http_head head;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        assert_int_equal(parse(table[i].text, &head), 0);
        assert_int_equal(head.keep_alive, table[i].kept);
    }
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *text;
    } table[] = {
        {400, "\r\n\r\n"},
        {400, "GET / \r\n\r\n"},
        {400, "GET\t/ HTTP/1.1\r\n\r\n"},
        {400, "GET  / HTTP/1.1\r\n\r\n"},
        {400, "GET http://host/ HTTP/1.1\r\n\r\n"},
        {400, "GET /\x01 HTTP/1.1\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n: empty\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nA\tB: c\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
        {400, "DELETE / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"},
        {411, "PUT / HTTP/1.1\r\n\r\n"},
        {411, "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {501, "get / HTTP/1.1\r\n\r\n"},
        {501, "TRACE / HTTP/1.1\r\n\r\n"},
        {505, "GET / HTTP/3\r\n\r\n"},
        {505, "GET / HTTP/1.11\r\n\r\n"},
        {400, "GET / ICY/1.0\r\n\r\n"},
    };
    struct sky_http_head head;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        int status = parse(table[i].text, &head);
        if (status != table[i].status)
            fail_msg("row %zu: %d, expected %d", i, status, table[i].status);
    }
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
        cmocka_unit_test(the_same_length_twice_is_one_length),
        cmocka_unit_test(headers_are_found_in_any_case),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(parameters_of_a_query_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
