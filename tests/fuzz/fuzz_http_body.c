/* A body in chunks, or of the length that the first byte says: fed whole, byte by byte, and cut at
 * any place, it comes to the same, and is never longer than its bound. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/http/body.h"

enum { BODY_MAX = 512, INPUT_MAX = 4096 };

struct fed {
    enum sky_http_body_result result;
    size_t used;
    struct sky_buf out;
};

static void feed(const struct sky_http_head *head, sky_span in, size_t piece, struct fed *fed)
{
    struct sky_http_body body;
    size_t used = 0;
    sky_http_body_begin(&body, head);
    sky_buf_init(&fed->out, BODY_MAX);
    fed->result = SKY_HTTP_BODY_MORE;
    fed->used = 0;
    do {
        sky_span part = sky_span_head(sky_span_tail(in, fed->used), piece);
        fed->result = sky_http_body_feed(&body, part, &used, &fed->out);
        SKY_ASSERT(used <= part.len && fed->out.len <= BODY_MAX);
        SKY_ASSERT(fed->result != SKY_HTTP_BODY_MORE || used == part.len);
        fed->used += used;
    } while (fed->result == SKY_HTTP_BODY_MORE && fed->used < in.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fed whole, cut;
    if (len < 2 || len > INPUT_MAX)
        return 0;
    const struct sky_http_head head = {.chunked = bytes[0] % 4 != 0,
                                       .body_len = bytes[0] % 4 == 0 ? bytes[0] * 3u : 0};
    const size_t pieces[] = {1, 1u + bytes[1], 1 + len / 2};
    sky_span in = sky_span_of(bytes + 2, len - 2);
    feed(&head, in, SIZE_MAX, &whole);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        feed(&head, in, pieces[i], &cut);
        SKY_ASSERT(cut.result == whole.result);
        SKY_ASSERT(cut.result == SKY_HTTP_BODY_TOO_LONG ||
                   sky_span_eq(sky_buf_span(&cut.out), sky_buf_span(&whole.out)));
        SKY_ASSERT(cut.result != SKY_HTTP_BODY_DONE || cut.used == whole.used);
        sky_buf_done(&cut.out);
    }
    sky_buf_done(&whole.out);
    return 0;
}
