#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/http/body.h"

enum { BODY_MAX = 16 };

static const struct sky_http_head chunked = {.chunked = true};

/* Feeds the text in two pieces, and says what became of it and how much of it was used. */
static enum sky_http_body_result feed(const struct sky_http_head *head, sky_span text, size_t at,
                                      size_t *ret_used, struct sky_buf *out)
{
    struct sky_http_body body;
    size_t more;
    sky_http_body_begin(&body, head);
    enum sky_http_body_result result =
        sky_http_body_feed(&body, sky_span_head(text, at), ret_used, out);
    if (result != SKY_HTTP_BODY_MORE)
        return result;
    assert_int_equal(*ret_used, at);
    result = sky_http_body_feed(&body, sky_span_tail(text, at), &more, out);
    *ret_used += more;
    return result;
}

/* Split at every offset it comes to the same. */
static void check(const struct sky_http_head *head, const char *text,
                  enum sky_http_body_result expected, const char *body, const char *rest)
{
    sky_span all = sky_span_str(text);
    for (size_t at = 0; at <= all.len; at++) {
        struct sky_buf out;
        size_t used;
        sky_buf_init(&out, BODY_MAX);
        enum sky_http_body_result result = feed(head, all, at, &used, &out);
        if (result != expected)
            fail_msg("'%s' split at %zu: %d, expected %d", text, at, result, expected);
        if (result == SKY_HTTP_BODY_DONE) {
            assert_true(sky_span_eq_str(sky_buf_span(&out), body));
            assert_true(sky_span_eq_str(sky_span_tail(all, used), rest));
        }
        sky_buf_done(&out);
    }
}

static void a_body_of_known_length_ends_there(void **state)
{
    (void)state;
    const struct sky_http_head none = {0}, five = {.body_len = 5};
    check(&none, "GET", SKY_HTTP_BODY_DONE, "", "GET");
    check(&five, "helloGET", SKY_HTTP_BODY_DONE, "hello", "GET");
    check(&five, "hell", SKY_HTTP_BODY_MORE, "", "");
}

static void chunks_are_put_together(void **state)
{
    (void)state;
    check(&chunked, "0\r\n\r\n", SKY_HTTP_BODY_DONE, "", "");
    check(&chunked, "5\r\nhello\r\n0\r\n\r\nGET", SKY_HTTP_BODY_DONE, "hello", "GET");
    check(&chunked, "2\r\nhe\r\n3;a=\"b\"\r\nllo\r\n000\r\n\r\n", SKY_HTTP_BODY_DONE, "hello", "");
    check(&chunked, "A \t\r\n0123456789\r\n0;x\r\nB: c\r\nD:\r\n\r\nX", SKY_HTTP_BODY_DONE,
          "0123456789", "X");
    check(&chunked, "2\r\n\r\n\r\n0\r\n\r\n", SKY_HTTP_BODY_DONE, "\r\n", "");
    check(&chunked, "5\r\nhello\r\n0\r\n", SKY_HTTP_BODY_MORE, "", "");
}

static void what_is_no_chunk_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "\r\n",        "g\r\n",        "-1\r\n",   "0x1\r\n",     "+1\r\n",
        " 1\r\n",      ";\r\n",        "1\na\r\n", "1\r\nab\r\n", "1\r\na\n",
        "1\r\na\rx",   "1;x\ny\r\n",   "1;x\rx",   "1\rx",        "123456789",
        "0\r\nA: b\n", "0\r\nA: b\rx", "0\r\n\rx", "0\r\n\n",     "1\r\na0\r\n\r\n",
    };
    for (size_t i = 0; i < SKY_COUNT(broken); i++)
        check(&chunked, broken[i], SKY_HTTP_BODY_BAD, NULL, NULL);
}

static void a_body_has_a_limit(void **state)
{
    (void)state;
    const struct sky_http_head more = {.body_len = BODY_MAX + 1};
    check(&chunked, "10\r\n0123456789abcdef\r\n0\r\n\r\n", SKY_HTTP_BODY_DONE, "0123456789abcdef",
          "");
    check(&chunked, "8\r\n01234567\r\n9\r\n012345678\r\n0\r\n\r\n", SKY_HTTP_BODY_TOO_LONG, NULL,
          NULL);
    check(&more, "0123456789abcdefg", SKY_HTTP_BODY_TOO_LONG, NULL, NULL);
}

static void what_is_no_body_has_limits(void **state)
{
    (void)state;
    char text[SKY_HTTP_TRAILERS_MAX + 64];
    static const struct {
        const char *start;
        size_t max; /* of what follows */
    } table[] = {{"1;", SKY_HTTP_CHUNK_LINE_MAX - 1}, {"0\r\n", SKY_HTTP_TRAILERS_MAX}};
    for (size_t i = 0; i < SKY_COUNT(table); i++)
        for (size_t extra = 0; extra < 2; extra++) {
            struct sky_http_body body;
            struct sky_buf out;
            size_t used, len = strlen(table[i].start);
            memcpy(text, table[i].start, len);
            memset(text + len, 'x', table[i].max + extra);
            sky_buf_init(&out, BODY_MAX);
            sky_http_body_begin(&body, &chunked);
            assert_int_equal(sky_http_body_feed(
                                 &body, sky_span_of(text, len + table[i].max + extra), &used, &out),
                             extra ? SKY_HTTP_BODY_BAD : SKY_HTTP_BODY_MORE);
            sky_buf_done(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_of_known_length_ends_there),
        cmocka_unit_test(chunks_are_put_together),
        cmocka_unit_test(what_is_no_chunk_is_refused),
        cmocka_unit_test(a_body_has_a_limit),
        cmocka_unit_test(what_is_no_body_has_limits),
    };
    return cmocka_run_group_tests_name("http_body", tests, NULL, NULL);
}
