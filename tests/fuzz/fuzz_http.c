/* Requests from arbitrary bytes, one behind the other as on a connection: heads are views into
 * what came, bodies keep their limit, and every byte is looked at once. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/http/body.h"

enum { BODY_MAX = 64 };

static bool is_within(sky_span part, sky_span whole)
{
    return part.len == 0 || sky_span_eq(part, SKY_SPAN("/")) ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* How many bytes the request at the front takes; 0: it is the last. */
static size_t take_request(sky_span in)
{
    struct sky_http_head head;
    struct sky_http_body body;
    struct sky_buf out;
    const char *reason;
    size_t used, len = sky_http_head_len(in);
    SKY_ASSERT(len <= in.len);
    if (len == 0 || sky_http_head_parse(sky_span_head(in, len), &head, &reason) != 0)
        return 0;
    SKY_ASSERT(is_within(head.path, in) && is_within(head.host, in) && head.path.len > 0);
    SKY_ASSERT(!head.chunked || head.body_len == 0);
    sky_buf_init(&out, BODY_MAX);
    sky_http_body_begin(&body, &head);
    enum sky_http_body_result result =
        sky_http_body_feed(&body, sky_span_tail(in, len), &used, &out);
    SKY_ASSERT(len + used <= in.len && out.len <= BODY_MAX);
    SKY_ASSERT(result != SKY_HTTP_BODY_DONE || head.chunked || out.len == head.body_len);
    sky_buf_done(&out);
    return result == SKY_HTTP_BODY_DONE ? len + used : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sky_span in = sky_span_of(bytes, len);
    size_t used;
    do {
        in = sky_span_tail(in, sky_http_head_blank(in));
        used = take_request(in);
        in = sky_span_tail(in, used);
    } while (used > 0);
    return 0;
}
