#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/http/answer.h"
#include "protocol/http/range.h"

static const struct range_case {
    const char *range;
    uint64_t size;
    enum sky_http_part part;
    uint64_t first, last;
} cases[] = {
    {"", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=0-", 10, SKY_HTTP_PART, 0, 9},
    {"bytes=9-", 10, SKY_HTTP_PART, 9, 9},
    {"bytes=10-", 10, SKY_HTTP_NOTHING, 0, 9},
    {"bytes=0-9", 10, SKY_HTTP_PART, 0, 9},
    {"bytes=0-10", 10, SKY_HTTP_PART, 0, 9}, /* Tencent's C SDK */
    {"bytes=3-4", 10, SKY_HTTP_PART, 3, 4},
    {"BYTES= 3-4 ", 10, SKY_HTTP_PART, 3, 4},
    {"bytes=4-3", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=-1", 10, SKY_HTTP_PART, 9, 9},
    {"bytes=-10", 10, SKY_HTTP_PART, 0, 9},
    {"bytes=-11", 10, SKY_HTTP_PART, 0, 9},
    {"bytes=-0", 10, SKY_HTTP_NOTHING, 0, 9},
    {"bytes=0-0", 1, SKY_HTTP_PART, 0, 0},
    {"bytes=0-9223372036854775807", 10, SKY_HTTP_PART, 0, 9},
    {"bytes=9223372036854775807-", 10, SKY_HTTP_NOTHING, 0, 9},
    {"bytes=0-9223372036854775808", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=99999999999999999999-", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=-", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=1", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=a-b", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=0-1,3-4", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes=+1-2", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bits=0-1", 10, SKY_HTTP_WHOLE, 0, 9},
    {"bytes", 10, SKY_HTTP_WHOLE, 0, 9},
};

static void a_range_is_one_part_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        const struct range_case *row = &cases[i];
        struct sky_http_range range;
        enum sky_http_part part = sky_http_range(sky_span_str(row->range), row->size, &range);
        if (part != row->part || range.first != row->first || range.last != row->last)
            fail_msg("'%s' of %llu: %d, %llu to %llu", row->range, (unsigned long long)row->size,
                     (int)part, (unsigned long long)range.first, (unsigned long long)range.last);
    }
}

/* SDKs look for the end of the status line in the first 32 bytes. */
static void what_a_download_comes_to_is_said_in_few_words(void **state)
{
    (void)state;
    static const int statuses[] = {200, 206, 403, 404, 413, 416, 503};
    for (size_t i = 0; i < SKY_COUNT(statuses); i++)
        assert_true(strlen("HTTP/1.1 200 \r\n") + strlen(sky_http_phrase(statuses[i])) <= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_one_part_or_none),
        cmocka_unit_test(what_a_download_comes_to_is_said_in_few_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
