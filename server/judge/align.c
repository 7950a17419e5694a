#include "server/judge/align.h"

#include <stdlib.h>

#include "protocol/base/mem.h"

/* What the tails of the texts can come to, from (i, j) on: a byte that both have in a column counts
 * for all, then it is better when few stretches are alike than when many are. */
struct scores {
    sky_span a, b;
    int32_t *of; /* (a.len + 1) rows of (b.len + 1) pairs: in a stretch that is alike, or not */
};
enum { ALIKE = 2 * SKY_ALIGN_MAX, STRETCH = 1 };

static int32_t *score_at(const struct scores *scores, size_t i, size_t j, bool alike)
{
    return &scores->of[2 * (i * (scores->b.len + 1) + j) + alike];
}

/* With the next two in one column; below 0 when they are not the same. */
static int32_t score_alike(const struct scores *scores, size_t i, size_t j, bool alike)
{
    if (scores->a.ptr[i] != scores->b.ptr[j])
        return -1;
    return *score_at(scores, i + 1, j + 1, true) + ALIKE - (alike ? 0 : STRETCH);
}

static int32_t greater(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static struct scores measure(sky_span a, sky_span b)
{
    struct scores scores = {.a = a, .b = b};
    scores.of = sky_mem_new(2 * (a.len + 1) * (b.len + 1) * sizeof *scores.of);
    for (size_t i = a.len; i-- > 0;)
        for (size_t j = b.len; j-- > 0;) {
            int32_t gap =
                greater(*score_at(&scores, i + 1, j, false), *score_at(&scores, i, j + 1, false));
            for (int alike = 0; alike < 2; alike++)
                *score_at(&scores, i, j, alike) = greater(gap, score_alike(&scores, i, j, alike));
        }
    return scores;
}

static void add(struct sky_columns *columns, int a, int b)
{
    columns->list[columns->count++] = (struct sky_column){a, b};
}

/* What differs: a column for each byte of the longer one. */
static void add_stretch(struct sky_columns *columns, size_t a, size_t a_end, size_t b, size_t b_end)
{
    while (a < a_end || b < b_end) {
        add(columns, a < a_end ? (int)a : -1, b < b_end ? (int)b : -1);
        a += a < a_end;
        b += b < b_end;
    }
}

/* The middle: neither begins nor ends alike. */
static void align_middle(struct sky_columns *columns, sky_span a, sky_span b, size_t skip)
{
    size_t i = 0, j = 0, from_i = 0, from_j = 0;
    if (a.len > SKY_ALIGN_MAX || b.len > SKY_ALIGN_MAX) {
        add_stretch(columns, skip, skip + a.len, skip, skip + b.len);
        return;
    }
    struct scores scores = measure(a, b);
    while (i < a.len && j < b.len) {
        bool alike = from_i == i && from_j == j && i > 0;
        int32_t skip_a = *score_at(&scores, i + 1, j, false);
        int32_t skip_b = *score_at(&scores, i, j + 1, false);
        if (score_alike(&scores, i, j, alike) >= greater(skip_a, skip_b)) {
            add_stretch(columns, skip + from_i, skip + i, skip + from_j, skip + j);
            add(columns, (int)(skip + i++), (int)(skip + j++));
            from_i = i;
            from_j = j;
        } else if (skip_a >= skip_b) {
            i++;
        } else {
            j++;
        }
    }
    add_stretch(columns, skip + from_i, skip + a.len, skip + from_j, skip + b.len);
    free(scores.of);
}

struct sky_columns *sky_align(sky_span a, sky_span b)
{
    struct sky_columns *columns =
        sky_mem_new(sizeof *columns + (a.len + b.len) * sizeof columns->list[0]);
    size_t front = 0, back = 0, shorter = a.len < b.len ? a.len : b.len;
    while (front < shorter && a.ptr[front] == b.ptr[front])
        front++;
    while (back < shorter - front && a.ptr[a.len - 1 - back] == b.ptr[b.len - 1 - back])
        back++;
    for (size_t i = 0; i < front; i++)
        add(columns, (int)i, (int)i);
    align_middle(columns, sky_span_of(a.ptr + front, a.len - front - back),
                 sky_span_of(b.ptr + front, b.len - front - back), front);
    for (size_t i = back; i > 0; i--)
        add(columns, (int)(a.len - i), (int)(b.len - i));
    return columns;
}
