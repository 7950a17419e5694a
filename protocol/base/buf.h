/* A growable byte buffer with a mandatory upper bound.
 * Appending past the bound changes nothing but the `overflow` mark, so a writer appends freely
 * and asks once at the end whether everything fitted. */
#ifndef SKY_BASE_BUF_H
#define SKY_BASE_BUF_H

#include <stdarg.h>

#include "protocol/base/err.h"
#include "protocol/base/span.h"

struct sky_buf {
    char *bytes; /* owned; NULL until the first append; not NUL-terminated */
    size_t len;
    size_t room; /* bytes allocated */
    size_t max;  /* bytes the buffer may ever hold */
    bool overflow;
};

void sky_buf_init(struct sky_buf *buf, size_t max);
void sky_buf_done(struct sky_buf *buf);  /* frees; the buffer may be used again with its max */
void sky_buf_clear(struct sky_buf *buf); /* empties and keeps the memory */

/* Each appends and returns true, or marks overflow, appends nothing, and returns false. */
bool sky_buf_add(struct sky_buf *buf, sky_span bytes);
bool sky_buf_add_str(struct sky_buf *buf, const char *text);
bool sky_buf_add_byte(struct sky_buf *buf, uint8_t byte);
bool sky_buf_add_int(struct sky_buf *buf, int64_t value);
/* What is written for every message or call is written by the others: a format costs ten times as
 * much. */
bool sky_buf_addf(struct sky_buf *buf, const char *fmt, ...) SKY_PRINTF(2, 3);

/* Makes room for `len` more bytes and returns where they go, or NULL with overflow marked.
 * The caller writes them and calls sky_buf_commit() with how many it wrote. */
char *sky_buf_reserve(struct sky_buf *buf, size_t len);
void sky_buf_commit(struct sky_buf *buf, size_t len);

/* Drops `len` bytes from the front. */
void sky_buf_drop(struct sky_buf *buf, size_t len);

/* Valid until the next change of the buffer. */
static inline sky_span sky_buf_span(const struct sky_buf *buf)
{
    return sky_span_of(buf->bytes, buf->len);
}

#endif
