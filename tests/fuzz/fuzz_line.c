/* Any JSON as an event that a server has told, and any text: as lines for people and for a GitHub
 * workflow, in which nothing moves a cursor or makes a command of its own. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/journal/line.h"

static void check_line(struct sky_buf *out, bool ends)
{
    SKY_ASSERT(!ends || out->len > 0);
    for (size_t i = 0; i < out->len; i++) {
        const uint8_t byte = (uint8_t)out->bytes[i];
        SKY_ASSERT(byte >= 0x20 && byte != 0x7f);
        SKY_ASSERT(byte != 0xc2 || i + 1 == out->len ||
                   ((uint8_t)out->bytes[i + 1] & 0xe0) != 0x80); /* a control of ISO 6429 */
    }
    sky_buf_clear(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_buf out, shown;
    cJSON *tree;
    if (len > 64 * 1024)
        return 0;
    sky_span in = sky_span_of(bytes, len);
    sky_buf_init(&out, SIZE_MAX);
    sky_buf_init(&shown, SIZE_MAX);
    sky_text_show(&shown, in, 100);
    SKY_ASSERT(shown.len <= 4 * 100 + 40);
    sky_text_annotate(&out, sky_buf_span(&shown), sky_buf_span(&shown));
    check_line(&out, false);
    check_line(&shown, false);
    if (sky_json_parse(in, SKY_JSON_DEPTH_MAX, &tree, NULL) == SKY_OK) {
        (void)sky_event_is_refusal(tree);
        sky_event_line(tree, &out);
        check_line(&out, true);
        sky_refusal_line(tree, &out);
        check_line(&out, true);
        sky_refusal_annotation(tree, &out);
        check_line(&out, true);
        cJSON_Delete(tree);
    }
    sky_buf_done(&out);
    sky_buf_done(&shown);
    return 0;
}
