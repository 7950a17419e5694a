#include "protocol/base/similar.h"

#include "protocol/base/facts.h"

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum { SLIPS_MAX = 2, FAR = SLIPS_MAX + 1 };

/* Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment), FAR and
 * more being the same: only the cells near the diagonal can lead to less. */
static size_t distance(sky_span a, sky_span b)
{
    size_t rows[3][SKY_KEY_MAX + 1];
    size_t *older = rows[0], *old = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        old[j] = older[j] = now[j] = least(j, FAR);
    for (size_t i = 1; i <= a.len; i++) {
        size_t from = i > SLIPS_MAX ? i - SLIPS_MAX : 1, to = least(b.len, i + SLIPS_MAX);
        for (size_t j = 0; j <= b.len; j++)
            now[j] = j == 0 ? least(i, FAR) : FAR;
        for (size_t j = from; j <= to; j++) {
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

bool sky_similar_distance(sky_span a, sky_span b, size_t *ret_distance)
{
    enum { SHORT_NAME = 4 };
    if (a.len > SKY_KEY_MAX || b.len > SKY_KEY_MAX || a.len == 0 || b.len == 0 || sky_span_eq(a, b))
        return false;
    size_t apart = distance(a, b);
    if (apart > (a.len <= SHORT_NAME || b.len <= SHORT_NAME ? 1 : SLIPS_MAX))
        return false;
    *ret_distance = apart;
    return true;
}

bool sky_similar(sky_span a, sky_span b)
{
    size_t apart;
    return sky_similar_distance(a, b, &apart);
}

void sky_nearest_try(struct sky_nearest *nearest, const char *name, sky_span wrong)
{
    size_t apart;
    if (sky_similar_distance(sky_span_str(name), wrong, &apart) &&
        (nearest->name == NULL || apart < nearest->distance))
        *nearest = (struct sky_nearest){name, apart};
}
