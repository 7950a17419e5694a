/* A document that is accepted prints to one that is accepted and prints the same again. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/json.h"

enum { DEPTH_MAX = 8, TEXT_MAX = 1024 * 1024 };

static bool print_again(sky_span text, struct sky_buf *out)
{
    cJSON *tree;
    struct sky_why why = {0};
    if (sky_json_parse(text, DEPTH_MAX, &tree, &why) != SKY_OK) {
        SKY_ASSERT(why.reason[0] != '\0');
        return false;
    }
    SKY_ASSERT(sky_json_depth(tree) <= DEPTH_MAX);
    SKY_ASSERT(sky_json_print(out, tree));
    cJSON_Delete(tree);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_buf once, twice;
    sky_buf_init(&once, TEXT_MAX);
    sky_buf_init(&twice, TEXT_MAX);
    if (len < TEXT_MAX / 8 && print_again(sky_span_of(bytes, len), &once)) {
        SKY_ASSERT(print_again(sky_buf_span(&once), &twice));
        SKY_ASSERT(sky_span_eq(sky_buf_span(&once), sky_buf_span(&twice)));
    }
    sky_buf_done(&once);
    sky_buf_done(&twice);
    return 0;
}
