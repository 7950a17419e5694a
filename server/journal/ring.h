/* A fixed piece of memory that holds the newest entries, found by number. Bounded by bytes and by
 * count; making room takes out the oldest. Knows nothing of what is in an entry but its size. */
#ifndef SKY_SERVER_JOURNAL_RING_H
#define SKY_SERVER_JOURNAL_RING_H

#include "server/journal/entry.h"

/* How much of a mapping is there by now, from its front: it costs memory only as it fills. */
struct sky_ring_warmth {
    size_t from, until; /* being warmed, or warm */
};

struct sky_ring {
    char *bytes;     /* owned, mapped */
    uint32_t *slots; /* owned: where each entry lies, in units of SKY_ENTRY_ALIGN, by number */
    size_t room, slots_size, slot_mask;
    struct sky_ring_warmth bytes_warm, slots_warm;
    uint64_t base_seq;            /* the number that has the first slot */
    size_t write_at;              /* offset behind the newest entry */
    size_t used;                  /* bytes of all entries */
    uint64_t first_seq, next_seq; /* holds first_seq .. next_seq - 1 */
    size_t events_max;
};

/* `bytes_max` is rounded up to SKY_ENTRY_ALIGN. The first entry gets `next_seq`. False: the system
 * has not so much memory, and there is nothing to be done with. */
SKY_MUST_USE bool sky_ring_init(struct sky_ring *ring, size_t bytes_max, size_t events_max,
                                uint64_t next_seq);
void sky_ring_done(struct sky_ring *ring);
/* Will entries soon need memory that is not there? Then sky_ring_warm() is to follow, and to end
 * before this is asked again. */
bool sky_ring_plan_warmth(struct sky_ring *ring);
/* Makes that memory be there before an entry needs it. May run in a thread beside all else. */
void sky_ring_warm(const struct sky_ring *ring);

static inline bool sky_ring_holds(const struct sky_ring *ring, uint64_t seq)
{
    return seq >= ring->first_seq && seq < ring->next_seq;
}

/* How much room the entries from that number on take, which the ring holds or will hold next. */
size_t sky_ring_bytes_from(const struct sky_ring *ring, uint64_t seq);
/* Is there room for an entry of this size without taking one out? */
bool sky_ring_fits(const struct sky_ring *ring, size_t size);
/* Takes the oldest entry out; there must be one. */
void sky_ring_evict(struct sky_ring *ring);
/* Room for the entry with number next_seq, which it takes; sky_ring_fits() must hold. */
char *sky_ring_take(struct sky_ring *ring, size_t size);
/* The entry with this number, which the ring must hold. Valid until it is evicted. */
sky_span sky_ring_at(const struct sky_ring *ring, uint64_t seq);
void sky_ring_clear(struct sky_ring *ring);

#endif
