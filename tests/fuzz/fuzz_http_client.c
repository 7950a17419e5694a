/* What a server sends to the commands that ask it: a stream of events, which comes to the same
 * whole and in pieces of any size, and answers that refuse, which always have a reason in one line.
 */
#include "auth/text.h"
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/cli/http_client.h"

enum { INPUT_MAX = 4096 };

/* All events of the stream, one behind the other. */
static void follow(sky_span in, size_t piece, struct sky_buf *told)
{
    struct sky_http_stream stream = {.fd = -1};
    struct sky_http_event event = {.name = ""};
    sky_buf_init(&stream.text, SKY_HTTP_EVENT_MAX);
    sky_buf_init(&event.data, SKY_HTTP_EVENT_MAX);
    sky_buf_init(told, SIZE_MAX);
    while (in.len > 0) {
        sky_buf_add(&stream.text, sky_span_head(in, piece));
        in = sky_span_tail(in, piece);
        while (sky_http_stream_next(&stream, &event)) {
            SKY_ASSERT(event.name[0] != '\0' && strlen(event.name) < sizeof event.name);
            sky_buf_addf(told, "%s:", event.name);
            sky_buf_add(told, sky_buf_span(&event.data));
            sky_buf_add_byte(told, '\n');
        }
    }
    sky_buf_done(&stream.text);
    sky_buf_done(&event.data);
}

static void check_escaped(sky_span in)
{
    char text[INPUT_MAX + 1], back[INPUT_MAX + 1];
    struct sky_buf out;
    size_t len;
    if (!sky_span_copy(in, text, sizeof text))
        return;
    sky_buf_init(&out, SIZE_MAX);
    sky_http_add_escaped(&out, text);
    SKY_ASSERT(sky_percent_decode(sky_buf_span(&out), true, back, sizeof back, &len));
    SKY_ASSERT(sky_span_eq_str(sky_span_of(back, len), text));
    sky_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_buf whole, cut;
    struct sky_why why = {.reason = ""};
    if (len < 2 || len > INPUT_MAX)
        return 0;
    sky_span in = sky_span_of(bytes + 2, len - 2);
    follow(in, SIZE_MAX, &whole);
    follow(in, 1u + bytes[0], &cut);
    SKY_ASSERT(sky_span_eq(sky_buf_span(&whole), sky_buf_span(&cut)));
    sky_buf_done(&whole);
    sky_buf_done(&cut);
    SKY_ASSERT(sky_http_refused("http://127.0.0.1:1", 100 + bytes[1] * 2, in, &why) != SKY_OK);
    SKY_ASSERT(why.reason[0] != '\0');
    check_escaped(in);
    return 0;
}
