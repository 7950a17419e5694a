#include "auth/similar.h"

#include "protocol/base/facts.h"

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment). */
static size_t distance(sky_span a, sky_span b)
{
    size_t rows[3][SKY_KEY_MAX + 1];
    size_t *older = rows[0], *old = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        old[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = folded(a.ptr[i - 1]), y = folded(b.ptr[j - 1]);
            now[j] = least(least(old[j], now[j - 1]) + 1, old[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b.ptr[j - 2]) && folded(a.ptr[i - 2]) == y)
                now[j] = least(now[j], older[j - 2] + 1);
        }
        size_t *spare = older;
        older = old;
        old = now;
        now = spare;
    }
    return old[b.len];
}

bool sky_similar(sky_span a, sky_span b)
{
    enum { SHORT_NAME = 4 };
    if (a.len > SKY_KEY_MAX || b.len > SKY_KEY_MAX || a.len == 0 || b.len == 0 || sky_span_eq(a, b))
        return false;
    return distance(a, b) <= (a.len <= SHORT_NAME || b.len <= SHORT_NAME ? 1 : 2);
}
