#include "server/judge/align.h"

#include <stdlib.h>

#include "protocol/base/mem.h"

/* Lengths of the longest common subsequences of the texts' tails. */
struct lengths {
    uint16_t *of; /* (a.len + 1) rows of (b.len + 1) */
    size_t width;
};

static uint16_t *length_at(const struct lengths *lengths, size_t i, size_t j)
{
    return &lengths->of[i * lengths->width + j];
}

static struct lengths measure(sky_span a, sky_span b)
{
    struct lengths lengths = {.width = b.len + 1};
    lengths.of = sky_mem_new((a.len + 1) * lengths.width * sizeof *lengths.of);
    for (size_t i = a.len; i-- > 0;)
        for (size_t j = b.len; j-- > 0;) {
            uint16_t down = *length_at(&lengths, i + 1, j), right = *length_at(&lengths, i, j + 1);
            *length_at(&lengths, i, j) = a.ptr[i] == b.ptr[j]
                                             ? (uint16_t)(*length_at(&lengths, i + 1, j + 1) + 1)
                                         : down > right ? down
                                                        : right;
        }
    return lengths;
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
    struct lengths lengths = measure(a, b);
    while (i < a.len && j < b.len) {
        if (a.ptr[i] == b.ptr[j]) {
            add_stretch(columns, skip + from_i, skip + i, skip + from_j, skip + j);
            add(columns, (int)(skip + i++), (int)(skip + j++));
            from_i = i;
            from_j = j;
        } else if (*length_at(&lengths, i + 1, j) >= *length_at(&lengths, i, j + 1)) {
            i++;
        } else {
            j++;
        }
    }
    add_stretch(columns, skip + from_i, skip + a.len, skip + from_j, skip + b.len);
    free(lengths.of);
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
