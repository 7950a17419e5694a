/* Things found by a key: a table of pointers, and nothing in the things themselves, which are many.
 * The key is whatever the caller makes a hash of. Owns its table, never what is in it. */
#ifndef SKY_BASE_INDEX_H
#define SKY_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/span.h"

/* Zeroed is empty. */
struct sky_index {
    void **places; /* owned; NULL: nobody is there */
    size_t count;
    size_t room; /* places, a power of two of which a quarter is free at least; or 0 */
};

/* The hash of the key of something that is in the index: the same as long as it is. */
typedef uint32_t sky_index_hash_fn(const void *entry);

uint32_t sky_index_hash_text(sky_span key);
static inline uint32_t sky_index_hash_number(int64_t key)
{
    return (uint32_t)((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 32); /* Knuth, TAOCP 6.4 */
}

/* The one of that hash for which `is` holds, or NULL. */
static inline void *sky_index_find(const struct sky_index *index, uint32_t hash,
                                   bool (*is)(const void *entry, const void *key), const void *key)
{
    for (size_t at = hash; index->count > 0; at++) {
        void *entry = index->places[at & (index->room - 1)];
        if (entry == NULL || is(entry, key))
            return entry;
    }
    return NULL;
}

/* It must not be in it. */
void sky_index_add(struct sky_index *index, void *entry, sky_index_hash_fn *hash_of);
/* It must be in it. */
void sky_index_remove(struct sky_index *index, void *entry, sky_index_hash_fn *hash_of);
void sky_index_done(struct sky_index *index); /* zeroed again */

#endif
