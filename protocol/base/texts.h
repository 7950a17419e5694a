/* Texts that many have: each is kept once, for as long as anybody has it. */
#ifndef SKY_BASE_TEXTS_H
#define SKY_BASE_TEXTS_H

#include "protocol/base/index.h"

/* One of them; lives as long as whoever took it has not given it back. */
struct sky_text {
    uint32_t takers, len, hash;
    char bytes[];
};

/* Zeroed is empty. */
struct sky_texts {
    struct sky_index by_text; /* owned, and what is in it */
};

/* To be given back. */
const struct sky_text *sky_texts_take(struct sky_texts *texts, sky_span text);
void sky_texts_give(struct sky_texts *texts, const struct sky_text *text); /* NULL is fine */
void sky_texts_done(struct sky_texts *texts);                              /* nobody has any */

static inline sky_span sky_text_span(const struct sky_text *text)
{
    return sky_span_of(text->bytes, text->len);
}

#endif
