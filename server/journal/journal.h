/* The journal: every act, in order, in a preallocated ring of binary entries.
 * Recording copies bytes and nothing more; rendering to JSON happens when somebody asks. Bounded
 * by count and bytes, the oldest go first and the loss is counted. With a store, entries move to
 * its pages in batches, and nothing is shown to anybody before it is there. */
#ifndef SKY_SERVER_JOURNAL_JOURNAL_H
#define SKY_SERVER_JOURNAL_JOURNAL_H

#include "protocol/base/err.h"
#include "server/journal/event.h"
#include "store/store.h"

enum {
    SKY_JOURNAL_BYTES_MIN = 64 * 1024,
};

struct sky_journal;
struct sky_clock;

/* `store` may be NULL; it and the clock outlive the journal. Numbers go on after the
 * last page of the store. The ring's memory is reserved here, and taken as it fills; fewer bytes
 * than SKY_JOURNAL_BYTES_MIN are taken for that. With a store the pages are held to the same
 * bounds. NULL: the system cannot reserve so much. */
struct sky_journal *sky_journal_new(size_t bytes_max, size_t events_max, struct sky_store *store,
                                    const struct sky_clock *clock);
void sky_journal_free(struct sky_journal *journal); /* flushes; NULL is fine */

/* Will events soon need memory that is reserved, and not there yet? A page fault costs more than
 * an event; so sky_journal_warm() is to follow, in a thread while events are recorded, and to end
 * before this is asked again. */
bool sky_journal_plan_warmth(struct sky_journal *journal);
void sky_journal_warm(const struct sky_journal *journal);

/* Records one event at the clock's present time and returns its number. `judge` adds findings;
 * NULL: none. Never fails. When the ring is full of what is not in the store yet, one page is
 * written first; what the store does not take is lost and counted. */
uint64_t sky_journal_add(struct sky_journal *journal, const struct sky_event_head *head,
                         const struct sky_attr *attrs, size_t count, const struct sky_judge *judge);

/* The same for one that was put together field by field. */
uint64_t sky_journal_record(struct sky_journal *journal, const struct sky_draft *draft,
                            const struct sky_judge *judge);

/* From now on, until `excused` is false: what is recorded is no act of anybody's, for a fault has
 * made it what it is; so no finding is booked with it. Returns how it was before. */
bool sky_journal_excuse(struct sky_journal *journal, bool excused);
bool sky_journal_is_excused(const struct sky_journal *journal);

/* Moves what is not in the store yet into it, in one transaction; must not be called inside of
 * another. */
SKY_MUST_USE sky_err sky_journal_flush(struct sky_journal *journal);

/* The same for one page of it; how many bytes then wait for theirs is sky_journal_waiting(). */
SKY_MUST_USE sky_err sky_journal_flush_page(struct sky_journal *journal);
size_t sky_journal_waiting(const struct sky_journal *journal); /* 0 without a store */

struct sky_journal_stats {
    uint64_t first_seq, last_seq; /* of what can still be read; 0 when empty */
    uint64_t recorded;            /* since start */
    uint64_t evicted;             /* since start, or found to be gone then */
    uint64_t findings;            /* since start, in what was recorded */
    size_t bytes_used, bytes_max; /* of the ring */
    uint64_t page_bytes;          /* in the store */
};
void sky_journal_stats(const struct sky_journal *journal, struct sky_journal_stats *ret_stats);

/* `recorded` is called at the end of every sky_journal_add(), must be short and must not use the
 * journal; NULL: nobody watches. There is one watcher. */
void sky_journal_watch(struct sky_journal *journal, void (*recorded)(void *ctx, uint64_t seq),
                       void *ctx);

/* `heard` is called after every event, with what was recorded; it must be short, may read the
 * journal and must record nothing. Each `ctx` is told once; `heard` NULL: no more. */
void sky_journal_hear(struct sky_journal *journal, sky_heard_fn *heard, void *ctx);

/* Forgets everything; numbers go on. Fails when the store does: then its pages stay. */
SKY_MUST_USE sky_err sky_journal_clear(struct sky_journal *journal);

#endif
