/* What journal.c and journal_read.c share. */
#ifndef SKY_SERVER_JOURNAL_PRIVATE_H
#define SKY_SERVER_JOURNAL_PRIVATE_H

#include "server/journal/pages.h"
#include "server/journal/ring.h"

enum { SKY_JOURNAL_HEARERS_MAX = 4 };

struct sky_journal {
    struct sky_ring ring;
    struct sky_pages pages;
    const struct sky_clock *clock; /* borrowed */
    size_t field_max;
    uint64_t flushed_seq; /* up to here every event is in a page or lost */
    uint64_t recorded, evicted, findings;
    bool excused;
    bool store_failed; /* do not try again before the next flush */
    void (*recorded_fn)(void *ctx, uint64_t seq);
    void *recorded_ctx;
    struct {
        sky_heard_fn *fn;
        void *ctx;
    } hearers[SKY_JOURNAL_HEARERS_MAX];
    size_t hearer_count;
};

#endif
