#include "protocol/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { BLOCK_SIZE = 16 * 1024 };

struct sky_arena_block {
    struct sky_arena_block *next;
    size_t used, size;
    bool borrowed;
    _Alignas(max_align_t) char bytes[];
};

void sky_arena_init(struct sky_arena *arena)
{
    *arena = (struct sky_arena){0};
}

void sky_arena_init_in(struct sky_arena *arena, void *memory, size_t size)
{
    struct sky_arena_block *block = memory;
    SKY_ASSERT(size > sizeof *block && (uintptr_t)memory % _Alignof(max_align_t) == 0);
    *block = (struct sky_arena_block){.size = size - sizeof *block, .borrowed = true};
    *arena = (struct sky_arena){.first = block, .last = block};
}

static void free_from(struct sky_arena_block *block)
{
    while (block != NULL) {
        struct sky_arena_block *next = block->next;
        if (!block->borrowed)
            free(block);
        block = next;
    }
}

void sky_arena_done(struct sky_arena *arena)
{
    free_from(arena->first);
    sky_arena_init(arena);
}

void sky_arena_clear(struct sky_arena *arena)
{
    if (arena->first == NULL)
        return;
    free_from(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->last = arena->first;
}

static struct sky_arena_block *add_block(struct sky_arena *arena, size_t size)
{
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct sky_arena_block *block = sky_mem_grow(NULL, sizeof *block + room);
    *block = (struct sky_arena_block){.size = room};
    if (arena->last != NULL)
        arena->last->next = block;
    else
        arena->first = block;
    arena->last = block;
    return block;
}

void *sky_arena_take(struct sky_arena *arena, size_t size)
{
    size_t align = _Alignof(max_align_t);
    size_t padded = (size + align - 1) / align * align;
    SKY_ASSERT(padded >= size);
    struct sky_arena_block *block = arena->last;
    if (block == NULL || block->size - block->used < padded)
        block = add_block(arena, padded);
    char *piece = block->bytes + block->used;
    block->used += padded;
    return memset(piece, 0, size);
}

sky_span sky_arena_copy(struct sky_arena *arena, sky_span bytes)
{
    char *copy = sky_arena_take(arena, bytes.len + 1);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    return sky_span_of(copy, bytes.len);
}

sky_span sky_arena_printf(struct sky_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    SKY_ASSERT(len >= 0);
    char *text = sky_arena_take(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return sky_span_of(text, (size_t)len);
}
