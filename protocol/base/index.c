#include "protocol/base/index.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { ROOM_MIN = 16 };

/* FNV-1a, 32 bits (RFC 9923). Places are its low bits. */
uint32_t sky_index_hash_text(sky_span key)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (uint8_t)key.ptr[i]) * UINT32_C(16777619);
    return hash;
}

static void put(struct sky_index *index, void *entry, uint32_t hash)
{
    size_t at = hash & (index->room - 1);
    while (index->places[at] != NULL)
        at = (at + 1) & (index->room - 1);
    index->places[at] = entry;
}

static void grow(struct sky_index *index, sky_index_hash_fn *hash_of)
{
    struct sky_index old = *index;
    index->room = old.room > 0 ? 2 * old.room : ROOM_MIN;
    index->places = sky_mem_new(index->room * sizeof *index->places);
    for (size_t i = 0; i < old.room; i++)
        if (old.places[i] != NULL)
            put(index, old.places[i], hash_of(old.places[i]));
    free(old.places);
}

void sky_index_add(struct sky_index *index, void *entry, sky_index_hash_fn *hash_of)
{
    if (4 * (index->count + 1) > 3 * index->room)
        grow(index, hash_of);
    put(index, entry, hash_of(entry));
    index->count++;
}

/* Whoever stands behind it, and had to because of it, moves up: a search ends at a free place. */
void sky_index_remove(struct sky_index *index, void *entry, sky_index_hash_fn *hash_of)
{
    SKY_ASSERT(index->count > 0);
    const size_t mask = index->room - 1;
    size_t free_at = hash_of(entry) & mask;
    while (index->places[free_at] != entry) {
        SKY_ASSERT(index->places[free_at] != NULL);
        free_at = (free_at + 1) & mask;
    }
    for (size_t at = (free_at + 1) & mask; index->places[at] != NULL; at = (at + 1) & mask) {
        size_t home = hash_of(index->places[at]) & mask;
        if (((at - home) & mask) < ((at - free_at) & mask))
            continue;
        index->places[free_at] = index->places[at];
        free_at = at;
    }
    index->places[free_at] = NULL;
    index->count--;
}

void sky_index_done(struct sky_index *index)
{
    free(index->places);
    *index = (struct sky_index){0};
}
