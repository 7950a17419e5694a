#include "server/journal/journal.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/journal/private.h"
#include "server/os/clock.h"

/* Two of the largest entries fit the ring, so that there is always one to be read. */
static size_t field_max_for(size_t bytes_max)
{
    size_t field_max = (bytes_max / 2 - SKY_ENTRY_FIXED_MAX) / SKY_JOURNAL_ATTRS_MAX;
    return field_max < SKY_JOURNAL_PAYLOAD_MAX ? field_max : SKY_JOURNAL_PAYLOAD_MAX;
}

struct sky_journal *sky_journal_new(size_t bytes_max, size_t events_max, struct sky_store *store,
                                    const struct sky_clock *clock)
{
    struct sky_journal *journal = sky_mem_new(sizeof *journal);
    if (bytes_max < SKY_JOURNAL_BYTES_MIN)
        bytes_max = SKY_JOURNAL_BYTES_MIN;
    journal->clock = clock;
    journal->field_max = field_max_for(bytes_max);
    sky_pages_init(&journal->pages, store, bytes_max, events_max);
    journal->evicted = journal->pages.lost;
    journal->flushed_seq = journal->pages.kept.last_seq;
    if (sky_ring_init(&journal->ring, bytes_max, events_max, journal->flushed_seq + 1))
        return journal;
    sky_pages_done(&journal->pages);
    free(journal);
    return NULL;
}

void sky_journal_free(struct sky_journal *journal)
{
    if (journal == NULL)
        return;
    sky_err err = sky_journal_flush(journal);
    (void)err; /* whoever wants to be told of it flushes before */
    sky_pages_done(&journal->pages);
    sky_ring_done(&journal->ring);
    free(journal);
}

/* ---- losing and keeping ---- */

static bool is_in_pages(const struct sky_journal *journal, uint64_t seq)
{
    const struct sky_pages_kept *kept = &journal->pages.kept;
    return kept->first_seq != 0 && seq >= kept->first_seq && seq <= journal->flushed_seq;
}

/* Writes one page of what is not in the store yet. */
static sky_err put_page(struct sky_journal *journal)
{
    uint64_t first = journal->flushed_seq + 1, seq = first;
    bool full = false;
    sky_pages_begin(&journal->pages);
    for (; !full && seq < journal->ring.next_seq; seq++)
        full = sky_pages_add(&journal->pages, sky_ring_at(&journal->ring, seq));
    sky_err err = sky_pages_put(&journal->pages, first, seq - 1);
    if (err == SKY_OK)
        journal->flushed_seq = seq - 1;
    return err;
}

/* Drops pages beyond the bounds; what the ring does not hold either is gone. */
static sky_err trim_pages(struct sky_journal *journal)
{
    uint64_t before = journal->pages.kept.first_seq;
    sky_err err = sky_pages_trim(&journal->pages);
    uint64_t after = journal->pages.kept.first_seq;
    if (after > journal->ring.first_seq)
        after = journal->ring.first_seq;
    if (err == SKY_OK && before != 0 && after > before)
        journal->evicted += after - before;
    return err;
}

static void spill(struct sky_journal *journal)
{
    journal->store_failed = put_page(journal) != SKY_OK || trim_pages(journal) != SKY_OK;
}

static void evict(struct sky_journal *journal)
{
    uint64_t seq = journal->ring.first_seq;
    if (journal->pages.store != NULL && seq > journal->flushed_seq && !journal->store_failed)
        spill(journal);
    if (!is_in_pages(journal, seq))
        journal->evicted++;
    if (seq > journal->flushed_seq)
        journal->flushed_seq = seq;
    sky_ring_evict(&journal->ring);
}

uint64_t sky_journal_record(struct sky_journal *journal, const struct sky_draft *draft,
                            const struct sky_judge *judge)
{
    return sky_journal_add(journal, &draft->head, draft->attrs, draft->count, judge);
}

static sky_err flush(struct sky_journal *journal, size_t pages_max)
{
    struct sky_store *store = journal->pages.store;
    journal->store_failed = false;
    if (store == NULL || journal->flushed_seq + 1 == journal->ring.next_seq)
        return SKY_OK;
    struct sky_pages_kept kept = journal->pages.kept;
    uint64_t flushed_seq = journal->flushed_seq, evicted = journal->evicted;
    sky_err err = sky_store_begin(store);
    if (err != SKY_OK)
        return err;
    for (size_t i = 0; i < pages_max && err == SKY_OK; i++) {
        if (journal->flushed_seq + 1 == journal->ring.next_seq)
            break;
        err = put_page(journal);
    }
    if (err == SKY_OK)
        err = trim_pages(journal);
    if (err != SKY_OK)
        sky_store_rollback(store);
    else
        err = sky_store_commit(store); /* rolls back by itself */
    if (err != SKY_OK) {
        journal->pages.kept = kept;
        journal->flushed_seq = flushed_seq;
        journal->evicted = evicted;
    }
    return err;
}

sky_err sky_journal_flush(struct sky_journal *journal)
{
    return flush(journal, SIZE_MAX);
}

sky_err sky_journal_flush_page(struct sky_journal *journal)
{
    return flush(journal, 1);
}

size_t sky_journal_waiting(const struct sky_journal *journal)
{
    return journal->pages.store != NULL
               ? sky_ring_bytes_from(&journal->ring, journal->flushed_seq + 1)
               : 0;
}

/* ---- recording ---- */

uint64_t sky_journal_add(struct sky_journal *journal, const struct sky_event_head *head,
                         const struct sky_attr *attrs, size_t count, const struct sky_judge *judge)
{
    SKY_ASSERT(count <= SKY_JOURNAL_ATTRS_MAX);
    if (journal->excused)
        judge = NULL;
    size_t size = sky_entry_size(attrs, count, judge, journal->field_max);
    while (!sky_ring_fits(&journal->ring, size))
        evict(journal);
    uint64_t seq = journal->ring.next_seq;
    struct sky_entry_head entry = {.size = (uint32_t)size,
                                   .connection = head->connection,
                                   .seq = seq,
                                   .now_ms = journal->clock->now_ms,
                                   .real_ms = journal->clock->real_ms,
                                   .device_id = head->device_id,
                                   .type = (uint8_t)head->type,
                                   .direction = (uint8_t)head->direction,
                                   .transport = (uint8_t)head->transport};
    sky_entry_write(sky_ring_take(&journal->ring, size), &entry, attrs, count, judge,
                    journal->field_max);
    journal->recorded++;
    if (judge != NULL)
        journal->findings += judge->count + judge->lost;
    for (size_t i = 0; i < journal->hearer_count; i++)
        journal->hearers[i].fn(journal->hearers[i].ctx, seq, head, attrs, count, judge);
    if (journal->recorded_fn != NULL)
        journal->recorded_fn(journal->recorded_ctx, seq);
    return seq;
}

bool sky_journal_excuse(struct sky_journal *journal, bool excused)
{
    bool before = journal->excused;
    journal->excused = excused;
    return before;
}

bool sky_journal_is_excused(const struct sky_journal *journal)
{
    return journal->excused;
}

void sky_journal_watch(struct sky_journal *journal, void (*recorded)(void *ctx, uint64_t seq),
                       void *ctx)
{
    journal->recorded_fn = recorded;
    journal->recorded_ctx = ctx;
}

void sky_journal_hear(struct sky_journal *journal, sky_heard_fn *heard, void *ctx)
{
    size_t place = 0;
    while (place < journal->hearer_count && journal->hearers[place].ctx != ctx)
        place++;
    if (heard == NULL) {
        if (place < journal->hearer_count)
            journal->hearers[place] = journal->hearers[--journal->hearer_count];
        return;
    }
    SKY_ASSERT(place < SKY_JOURNAL_HEARERS_MAX);
    journal->hearer_count += place == journal->hearer_count;
    journal->hearers[place].fn = heard;
    journal->hearers[place].ctx = ctx;
}

void sky_journal_stats(const struct sky_journal *journal, struct sky_journal_stats *ret_stats)
{
    const struct sky_pages_kept *kept = &journal->pages.kept;
    const struct sky_ring *ring = &journal->ring;
    *ret_stats = (struct sky_journal_stats){.recorded = journal->recorded,
                                            .evicted = journal->evicted,
                                            .findings = journal->findings,
                                            .bytes_used = ring->used,
                                            .bytes_max = ring->room,
                                            .page_bytes = kept->bytes_end - kept->bytes_start};
    bool in_ring = ring->first_seq < ring->next_seq;
    if (kept->first_seq == 0 && !in_ring)
        return;
    ret_stats->first_seq = ring->first_seq;
    if (kept->first_seq != 0 && kept->first_seq < ring->first_seq)
        ret_stats->first_seq = kept->first_seq;
    ret_stats->last_seq = ring->next_seq - 1;
}

bool sky_journal_plan_warmth(struct sky_journal *journal)
{
    return sky_ring_plan_warmth(&journal->ring);
}

void sky_journal_warm(const struct sky_journal *journal)
{
    sky_ring_warm(&journal->ring);
}

sky_err sky_journal_clear(struct sky_journal *journal)
{
    uint64_t last_seq = journal->ring.next_seq - 1;
    sky_ring_clear(&journal->ring);
    journal->flushed_seq = last_seq;
    return sky_pages_clear(&journal->pages, last_seq);
}
