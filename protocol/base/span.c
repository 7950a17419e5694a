#include "protocol/base/span.h"

#include "protocol/base/assert.h"

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

int sky_span_order(sky_span a, sky_span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool sky_span_eq_nocase(sky_span a, sky_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool sky_span_starts(sky_span s, sky_span prefix)
{
    return s.len >= prefix.len && sky_span_eq(sky_span_head(s, prefix.len), prefix);
}

bool sky_span_ends(sky_span s, sky_span suffix)
{
    return s.len >= suffix.len && sky_span_eq(sky_span_tail(s, s.len - suffix.len), suffix);
}

bool sky_span_contains(sky_span s, sky_span part)
{
    if (part.len == 0)
        return true;
    for (size_t at = 0; at + part.len <= s.len; at++)
        if (memcmp(s.ptr + at, part.ptr, part.len) == 0)
            return true;
    return false;
}

/* By Knuth, Morris and Pratt: where the part fails after n bytes, its first back[n] still fit. */
bool sky_span_contains_nocase(sky_span s, sky_span part)
{
    size_t back[SKY_SPAN_PART_MAX + 1], fits = 0;
    SKY_ASSERT(part.len <= SKY_SPAN_PART_MAX);
    if (part.len == 0)
        return true;
    back[0] = back[1] = 0;
    for (size_t at = 1; at < part.len; at++) {
        while (fits > 0 && lower(part.ptr[at]) != lower(part.ptr[fits]))
            fits = back[fits];
        fits += lower(part.ptr[at]) == lower(part.ptr[fits]);
        back[at + 1] = fits;
    }
    fits = 0;
    for (size_t at = 0; at < s.len && fits < part.len; at++) {
        while (fits > 0 && lower(s.ptr[at]) != lower(part.ptr[fits]))
            fits = back[fits];
        fits += lower(s.ptr[at]) == lower(part.ptr[fits]);
    }
    return fits == part.len;
}

bool sky_span_is_name(sky_span s)
{
    static const char signs[] = "._-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { BEHIND = 3 }; /* the first of them are not for the beginning */
    if (s.len == 0 || memchr(signs + BEHIND, s.ptr[0], sizeof signs - 1 - BEHIND) == NULL)
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (memchr(signs, s.ptr[i], sizeof signs - 1) == NULL)
            return false;
    return true;
}

uint64_t sky_span_print(uint64_t print, sky_span s)
{
    for (size_t i = 0; i < s.len; i++)
        print = (print ^ (uint8_t)s.ptr[i]) * UINT64_C(0x100000001b3);
    return print;
}

bool sky_span_cut(sky_span s, char at, sky_span *ret_before, sky_span *ret_after)
{
    const char *found = s.len > 0 ? memchr(s.ptr, at, s.len) : NULL;
    if (found == NULL)
        return false;
    size_t before = (size_t)(found - s.ptr);
    *ret_before = sky_span_of(s.ptr, before);
    *ret_after = sky_span_of(found + 1, s.len - before - 1);
    return true;
}

bool sky_span_next(sky_span *rest, char at, sky_span *ret_piece)
{
    if (rest->ptr == NULL)
        return false;
    sky_span after = SKY_SPAN_NONE;
    if (!sky_span_cut(*rest, at, ret_piece, &after)) {
        *ret_piece = *rest;
        *rest = SKY_SPAN_NONE;
        return true;
    }
    SKY_ASSERT(after.ptr != NULL);
    *rest = after;
    return true;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= 0x20 || c == 0x7f;
}

sky_span sky_span_trim(sky_span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool sky_span_to_int(sky_span s, int64_t *ret_value)
{
    int64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = s.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool sky_span_copy(sky_span s, char *out, size_t out_size)
{
    SKY_ASSERT(out_size > 0);
    out[0] = '\0';
    if (s.len >= out_size)
        return false;
    if (s.len > 0)
        memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return true;
}
