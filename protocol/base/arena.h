/* A bump allocator: many small pieces with one lifetime, given back all at once.
 * Pieces never move, so spans into them stay good until the arena is cleared. */
#ifndef SKY_BASE_ARENA_H
#define SKY_BASE_ARENA_H

#include "protocol/base/err.h"
#include "protocol/base/span.h"

struct sky_arena_block;

struct sky_arena {
    struct sky_arena_block *first, *last; /* owned */
};

void sky_arena_init(struct sky_arena *arena);
/* Uses the caller's memory first, which is borrowed and aligned for any type. */
void sky_arena_init_in(struct sky_arena *arena, void *memory, size_t size);
void sky_arena_done(struct sky_arena *arena);  /* frees everything */
void sky_arena_clear(struct sky_arena *arena); /* forgets the pieces, keeps one block */

/* Zeroed, aligned for any type. */
void *sky_arena_take(struct sky_arena *arena, size_t size);

/* Copies that live as long as the arena's present content; NUL-terminated behind the span. */
sky_span sky_arena_copy(struct sky_arena *arena, sky_span bytes);
sky_span sky_arena_printf(struct sky_arena *arena, const char *fmt, ...) SKY_PRINTF(2, 3);

#endif
