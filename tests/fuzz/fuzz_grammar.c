/* The login grammars over arbitrary bytes: whatever comes, results are views into the input (or
 * into the scratch of a form), counts keep their limits, and what was read can be found again. */
#include <stdlib.h>

#include "auth/grammar.h"
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { FIELDS = 4 };

static bool is_inside(sky_span part, const char *start, size_t len)
{
    return part.len == 0 || (part.ptr >= start && part.ptr + part.len <= start + len);
}

static void check_pairs(const struct sky_pairs *pairs, const char *start, size_t len)
{
    SKY_ASSERT(pairs->count <= SKY_PAIRS_MAX);
    for (size_t i = 0; i < pairs->count; i++) {
        SKY_ASSERT(is_inside(pairs->list[i].key, start, len));
        SKY_ASSERT(is_inside(pairs->list[i].value, start, len));
    }
}

static void try_barred(sky_span text)
{
    sky_span head = SKY_SPAN_NONE, block = SKY_SPAN_NONE;
    struct sky_pairs pairs = {.count = 0};
    enum sky_shape shape = sky_grammar_barred(text, &head, &block, &pairs);
    SKY_ASSERT(sky_shape_text(shape) != NULL);
    check_pairs(&pairs, text.ptr, text.len);
    if (shape == SKY_SHAPE_NO_BAR || shape == SKY_SHAPE_TOO_MANY) {
        SKY_ASSERT(head.ptr == NULL && block.ptr == NULL && pairs.count == 0);
        return;
    }
    SKY_ASSERT(head.len + block.len == text.len && block.ptr[0] == '|');
    for (size_t i = 0; i < head.len; i++)
        SKY_ASSERT(head.ptr[i] != '|');
    for (size_t i = 0; i < pairs.count; i++)
        SKY_ASSERT(pairs.list[i].key.len > 0);
}

static void try_fields(sky_span text, char at)
{
    sky_span fields[FIELDS];
    for (size_t count = 1; count <= FIELDS; count++) {
        if (sky_grammar_fields(text, at, fields, count) != SKY_SHAPE_OK)
            continue;
        size_t len = count - 1;
        for (size_t i = 0; i < count; i++) {
            SKY_ASSERT(is_inside(fields[i], text.ptr, text.len));
            len += fields[i].len;
        }
        SKY_ASSERT(len == text.len);
    }
}

static void try_form(sky_span text)
{
    char *scratch = sky_mem_new(text.len);
    struct sky_pairs pairs = {.count = 0};
    if (sky_grammar_form(text, scratch, text.len, &pairs) == SKY_SHAPE_OK)
        check_pairs(&pairs, scratch, text.len);
    else
        SKY_ASSERT(pairs.count == 0);
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sky_span text = sky_span_of(bytes, len);
    try_barred(text);
    try_fields(text, ';');
    try_fields(text, '&');
    try_form(text);
    return 0;
}
