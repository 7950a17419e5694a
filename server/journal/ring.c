#include "server/journal/ring.h"

#include <sys/mman.h>

#include "protocol/base/assert.h"

enum {
    WARM_STEP = 1024 * 1024, /* bytes at a time: whoever needs memory meanwhile waits less */
    AHEAD_MIN = 64 * 1024,   /* of where entries are written; whole pages everywhere */
    AHEAD_MAX = 4 * 1024 * 1024,
    HUGE_FROM = 2 * 1024 * 1024, /* below, pages are small: an idle server has no use for more */
};

/* NULL: there is not so much. */
static void *map(size_t size)
{
    char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return NULL;
    if (size > HUGE_FROM)
        madvise(bytes + HUGE_FROM, size - HUGE_FROM, MADV_HUGEPAGE);
    return bytes;
}

/* ---- memory that is there before it is needed ---- */

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A flood soon needs as much again as has come: so much is kept ahead of it. */
static bool claim(struct sky_ring_warmth *warmth, size_t filled, size_t size)
{
    size_t ahead = min(filled < AHEAD_MIN ? AHEAD_MIN : filled, AHEAD_MAX);
    warmth->from = warmth->until;
    if (warmth->until < min(filled + ahead, size))
        warmth->until = min((filled + 2 * ahead) & ~(size_t)(AHEAD_MIN - 1), size);
    return warmth->until > warmth->from;
}

static size_t slot_of(const struct sky_ring *ring, uint64_t seq)
{
    return (seq - ring->base_seq) & ring->slot_mask;
}

bool sky_ring_plan_warmth(struct sky_ring *ring)
{
    size_t slots_filled = slot_of(ring, ring->next_seq) * sizeof *ring->slots;
    bool bytes = claim(&ring->bytes_warm, ring->write_at, ring->room);
    return claim(&ring->slots_warm, slots_filled, ring->slots_size) || bytes;
}

/* Populating leaves what is written meanwhile as it is. A kernel before 5.14 refuses: then each
 * page comes when it is first written. */
static void warm(char *bytes, const struct sky_ring_warmth *warmth)
{
    for (size_t at = warmth->from; at < warmth->until; at += WARM_STEP)
        madvise(bytes + at, min(warmth->until - at, WARM_STEP), MADV_POPULATE_WRITE);
}

void sky_ring_warm(const struct sky_ring *ring)
{
    warm(ring->bytes, &ring->bytes_warm);
    warm((char *)ring->slots, &ring->slots_warm);
}

/* ---- entries ---- */

bool sky_ring_init(struct sky_ring *ring, size_t bytes_max, size_t events_max, uint64_t next_seq)
{
    SKY_ASSERT(bytes_max > 0 && bytes_max / SKY_ENTRY_ALIGN < UINT32_MAX && events_max > 0);
    size_t slots = 1;
    while (slots < events_max)
        slots *= 2;
    *ring = (struct sky_ring){.room = (bytes_max + SKY_ENTRY_ALIGN - 1) &
                                      ~(size_t)(SKY_ENTRY_ALIGN - 1),
                              .slots_size = slots * sizeof *ring->slots,
                              .slot_mask = slots - 1,
                              .base_seq = next_seq,
                              .first_seq = next_seq,
                              .next_seq = next_seq,
                              .events_max = events_max};
    ring->bytes = map(ring->room);
    ring->slots = map(ring->slots_size);
    if (ring->bytes != NULL && ring->slots != NULL)
        return true;
    sky_ring_done(ring);
    return false;
}

void sky_ring_done(struct sky_ring *ring)
{
    if (ring->bytes != NULL)
        munmap(ring->bytes, ring->room);
    if (ring->slots != NULL)
        munmap(ring->slots, ring->slots_size);
    *ring = (struct sky_ring){0};
}

static size_t offset_of(const struct sky_ring *ring, uint64_t seq)
{
    return (size_t)ring->slots[slot_of(ring, seq)] * SKY_ENTRY_ALIGN;
}

/* Where an entry of this size would go; `ring->room` when there is no room for it. Entries never
 * wrap: one that does not fit behind the newest goes to the front, before the oldest. */
static size_t place_for(const struct sky_ring *ring, size_t size)
{
    if (ring->first_seq == ring->next_seq)
        return size <= ring->room ? 0 : ring->room;
    if (ring->next_seq - ring->first_seq >= ring->events_max)
        return ring->room;
    size_t oldest = offset_of(ring, ring->first_seq);
    if (ring->write_at <= oldest)
        return oldest - ring->write_at >= size ? ring->write_at : ring->room;
    if (ring->room - ring->write_at >= size)
        return ring->write_at;
    return oldest >= size ? 0 : ring->room;
}

size_t sky_ring_bytes_from(const struct sky_ring *ring, uint64_t seq)
{
    if (seq >= ring->next_seq)
        return 0;
    size_t at = offset_of(ring, seq < ring->first_seq ? ring->first_seq : seq);
    return at < ring->write_at ? ring->write_at - at : ring->room - at + ring->write_at;
}

bool sky_ring_fits(const struct sky_ring *ring, size_t size)
{
    return place_for(ring, size) < ring->room;
}

void sky_ring_evict(struct sky_ring *ring)
{
    ring->used -= sky_ring_at(ring, ring->first_seq).len;
    ring->first_seq++;
}

char *sky_ring_take(struct sky_ring *ring, size_t size)
{
    size_t at = place_for(ring, size);
    SKY_ASSERT(at < ring->room && size % SKY_ENTRY_ALIGN == 0);
    ring->slots[slot_of(ring, ring->next_seq)] = (uint32_t)(at / SKY_ENTRY_ALIGN);
    ring->next_seq++;
    ring->write_at = at + size;
    ring->used += size;
    return ring->bytes + at;
}

sky_span sky_ring_at(const struct sky_ring *ring, uint64_t seq)
{
    SKY_ASSERT(sky_ring_holds(ring, seq));
    const char *at = ring->bytes + offset_of(ring, seq);
    uint32_t size;
    memcpy(&size, at, sizeof size); /* the first field of struct sky_entry_head */
    return sky_span_of(at, size);
}

void sky_ring_clear(struct sky_ring *ring)
{
    ring->first_seq = ring->next_seq;
    ring->write_at = ring->used = 0;
}
