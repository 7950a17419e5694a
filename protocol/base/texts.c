#include "protocol/base/texts.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

static uint32_t hash_of(const void *text)
{
    return ((const struct sky_text *)text)->hash;
}

static bool has_bytes(const void *text, const void *bytes)
{
    return sky_span_eq(sky_text_span(text), *(const sky_span *)bytes);
}

const struct sky_text *sky_texts_take(struct sky_texts *texts, sky_span bytes)
{
    const uint32_t hash = sky_index_hash_text(bytes);
    struct sky_text *text = sky_index_find(&texts->by_text, hash, has_bytes, &bytes);
    if (text == NULL) {
        text = sky_mem_grow(NULL, offsetof(struct sky_text, bytes) + bytes.len);
        *text = (struct sky_text){.len = (uint32_t)bytes.len, .hash = hash};
        memcpy(text->bytes, sky_span_chars(bytes), bytes.len);
        sky_index_add(&texts->by_text, text, hash_of);
    }
    text->takers++;
    return text;
}

void sky_texts_give(struct sky_texts *texts, const struct sky_text *taken)
{
    struct sky_text *text = (struct sky_text *)taken; /* they are all of these texts */
    if (text == NULL)
        return;
    SKY_ASSERT(text->takers > 0);
    if (--text->takers > 0)
        return;
    sky_index_remove(&texts->by_text, text, hash_of);
    free(text);
}

void sky_texts_done(struct sky_texts *texts)
{
    SKY_ASSERT(texts->by_text.count == 0);
    sky_index_done(&texts->by_text);
}
