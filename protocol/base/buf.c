#include "protocol/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { ROOM_MIN = 64 };

void sky_buf_init(struct sky_buf *buf, size_t max)
{
    *buf = (struct sky_buf){.max = max};
}

void sky_buf_done(struct sky_buf *buf)
{
    free(buf->bytes);
    sky_buf_init(buf, buf->max);
}

void sky_buf_clear(struct sky_buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
}

char *sky_buf_reserve(struct sky_buf *buf, size_t len)
{
    SKY_ASSERT(buf->len <= buf->room && buf->len <= buf->max);
    if (len > buf->max - buf->len) {
        buf->overflow = true;
        return NULL;
    }
    if (buf->bytes == NULL || len > buf->room - buf->len) {
        size_t room = buf->room ? buf->room : ROOM_MIN;
        while (room < buf->len + len)
            room *= 2;
        buf->bytes = sky_mem_grow(buf->bytes, room + 1); /* vsnprintf() ends with a NUL */
        buf->room = room;
    }
    return buf->bytes + buf->len;
}

void sky_buf_commit(struct sky_buf *buf, size_t len)
{
    SKY_ASSERT(len <= buf->room - buf->len);
    buf->len += len;
}

bool sky_buf_add(struct sky_buf *buf, sky_span bytes)
{
    char *at = sky_buf_reserve(buf, bytes.len);
    if (at == NULL)
        return false;
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    return true;
}

bool sky_buf_add_str(struct sky_buf *buf, const char *text)
{
    return sky_buf_add(buf, sky_span_str(text));
}

bool sky_buf_add_byte(struct sky_buf *buf, uint8_t byte)
{
    return sky_buf_add(buf, sky_span_of(&byte, 1));
}

bool sky_buf_add_int(struct sky_buf *buf, int64_t value)
{
    char digits[20]; /* room for INT64_MIN */
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[--at] = '-';
    return sky_buf_add(buf, sky_span_of(digits + at, sizeof digits - at));
}

/* Mostly it fits into what there is. */
bool sky_buf_addf(struct sky_buf *buf, const char *fmt, ...)
{
    size_t room = buf->bytes != NULL ? buf->room - buf->len + 1 : 0; /* with the NUL */
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(room > 0 ? buf->bytes + buf->len : NULL, room, fmt, args);
    va_end(args);
    SKY_ASSERT(len >= 0);
    bool fits = sky_buf_reserve(buf, (size_t)len) != NULL;
    if (fits && (size_t)len >= room)
        vsnprintf(buf->bytes + buf->len, (size_t)len + 1, fmt, again);
    va_end(again);
    if (fits)
        buf->len += (size_t)len;
    return fits;
}

void sky_buf_drop(struct sky_buf *buf, size_t len)
{
    SKY_ASSERT(len <= buf->len);
    if (len == 0)
        return;
    memmove(buf->bytes, buf->bytes + len, buf->len - len);
    buf->len -= len;
}
