/* A borrowed run of bytes: pointer and length, never owned, not NUL-terminated. */
#ifndef SKY_BASE_SPAN_H
#define SKY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sky_span {
    const char *ptr; /* valid as long as whoever made the span says; may be NULL when len is 0 */
    size_t len;      /* bytes */
} sky_span;

#define SKY_SPAN(literal) ((sky_span){"" literal, sizeof(literal) - 1})
#define SKY_SPAN_NONE ((sky_span){NULL, 0})
/* For printf: printf("%.*s", SKY_SPAN_ARGS(span)) */
#define SKY_SPAN_ARGS(span) (int)(span).len, sky_span_chars(span)

/* Never NULL. */
static inline const char *sky_span_chars(sky_span s)
{
    return s.ptr ? s.ptr : "";
}

static inline sky_span sky_span_of(const void *ptr, size_t len)
{
    return (sky_span){ptr, len};
}

/* A view of a NUL-terminated string; NULL gives the empty span. */
static inline sky_span sky_span_str(const char *text)
{
    return (sky_span){text, text ? strlen(text) : 0};
}

static inline bool sky_span_eq(sky_span a, sky_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool sky_span_eq_str(sky_span a, const char *text)
{
    return sky_span_eq(a, sky_span_str(text));
}

/* The first `len` bytes, and everything after them; `len` is clamped to the span. */
static inline sky_span sky_span_head(sky_span s, size_t len)
{
    return (sky_span){s.ptr, len < s.len ? len : s.len};
}

static inline sky_span sky_span_tail(sky_span s, size_t skip)
{
    return skip < s.len ? (sky_span){s.ptr + skip, s.len - skip} : SKY_SPAN_NONE;
}

/* Below, at or above 0 as `a` sorts before, with or behind `b`, byte by byte. */
int sky_span_order(sky_span a, sky_span b);
bool sky_span_eq_nocase(sky_span a, sky_span b); /* ASCII letters only */
bool sky_span_starts(sky_span s, sky_span prefix);
bool sky_span_ends(sky_span s, sky_span suffix);
bool sky_span_contains(sky_span s, sky_span part);
/* The same in any case of ASCII letters, in time that grows with the lengths only, not with their
 * product; `part` has at most SKY_SPAN_PART_MAX bytes. */
enum { SKY_SPAN_PART_MAX = 256 };
bool sky_span_contains_nocase(sky_span s, sky_span part);
/* Letters, digits and ._-, which every shell and URL takes as they are, with a letter or digit in
 * front, so that no option and no folder looks like it. */
bool sky_span_is_name(sky_span s);

/* FNV-1a over one piece behind another, from SKY_SPAN_PRINT on: tells contents apart; nothing may
 * trust it. */
#define SKY_SPAN_PRINT UINT64_C(0xcbf29ce484222325)
uint64_t sky_span_print(uint64_t print, sky_span s);

/* Splits at the first `at`: both halves without it. False, and nothing set, if it is absent. */
bool sky_span_cut(sky_span s, char at, sky_span *ret_before, sky_span *ret_after);

/* Takes the piece up to the next `at` (or the end) off the front of `*rest`.
 * False once nothing is left; "a,,b" yields "a", "", "b"; "a," yields "a", "". */
bool sky_span_next(sky_span *rest, char at, sky_span *ret_piece);

/* Without leading and trailing blanks and control characters (bytes <= 0x20 and 0x7f). */
sky_span sky_span_trim(sky_span s);

/* Decimal digits only, no sign, no blanks, at most INT64_MAX; false otherwise. */
bool sky_span_to_int(sky_span s, int64_t *ret_value);

/* Copies into `out` with a NUL; false, and `out` empty, if it does not fit with its NUL. */
bool sky_span_copy(sky_span s, char *out, size_t out_size);

#endif
