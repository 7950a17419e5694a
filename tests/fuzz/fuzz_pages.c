/* A store with pages of the journal, some bytes of which are not what they were: three bytes a
 * change, where and what. The journal opens, says what is lost, reads forward only, and goes on. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/pages.h"
#include "server/journal/read.h"
#include "server/os/clock.h"
#include "store/pages.h"

enum { PAGES = 3, EVENTS = 6, ROOM = 64 * 1024 };

/* Pages with the events 1 to PAGES * EVENTS. */
static void make_pages(struct sky_buf pages[PAGES])
{
    static _Alignas(8) char entry[4096];
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, SKY_SPAN("/pk/device/user/update")),
                                     SKY_ATTR(PAYLOAD, SKY_SPAN("{\"temp\":20}")),
                                     SKY_ATTR_INT(QOS, 1)};
    uint64_t seq = 1, before = 0;
    for (size_t page = 0; page < PAGES; page++) {
        struct sky_page_head head = {
            .format = sky_entry_format(), .entries = EVENTS, .bytes_before = before};
        sky_buf_init(&pages[page], ROOM);
        sky_buf_add(&pages[page], sky_span_of(&head, sizeof head));
        for (size_t i = 0; i < EVENTS; i++) {
            struct sky_entry_head one = {.seq = seq++, .type = SKY_EVENT_PUBLISH, .device_id = 5};
            one.size = (uint32_t)sky_entry_size(attrs, SKY_COUNT(attrs), NULL, ROOM);
            sky_entry_write(entry, &one, attrs, SKY_COUNT(attrs), NULL, ROOM);
            sky_buf_add(&pages[page], sky_span_of(entry, one.size));
        }
        before += pages[page].len;
    }
}

static void damage(struct sky_buf *page, sky_span edits)
{
    for (size_t i = 0; i + 2 < edits.len; i += 3) {
        size_t at = ((uint8_t)edits.ptr[i] * 256u + (uint8_t)edits.ptr[i + 1]) % page->len;
        if (i == 0 && edits.ptr[2] == 'c')
            page->len = at + 1; /* cut short */
        else
            page->bytes[at] = edits.ptr[i + 2];
    }
}

static size_t read_all(struct sky_journal *journal, const struct sky_event_filter *filter)
{
    static struct sky_event event;
    struct sky_cursor cursor;
    uint64_t last = 0;
    size_t count = 0;
    bool more;
    sky_cursor_init(&cursor, journal, 0);
    do {
        while (sky_cursor_search(&cursor, filter, 4, &event, &more)) {
            struct sky_event other;
            sky_span topic, payload;
            SKY_ASSERT(event.seq > last);
            last = event.seq;
            count++;
            sky_cursor_message(&cursor, &event, &topic, &payload);
            (void)sky_cursor_find(&cursor, event.seq, &other);
        }
    } while (more);
    sky_cursor_done(&cursor);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_buf pages[PAGES];
    struct sky_store *store;
    struct sky_clock clock;
    struct sky_journal_stats stats;
    struct sky_why why;
    if (len > 1024)
        return 0;
    make_pages(pages);
    SKY_ASSERT(sky_store_open(":memory:", &store, &why) == SKY_OK);
    sky_clock_init(&clock);
    sky_span rest = sky_span_of(bytes, len), edits;
    for (size_t i = 0; i < PAGES; i++) {
        if (sky_span_next(&rest, '\n', &edits))
            damage(&pages[i], edits);
        SKY_ASSERT(sky_store_put_page(store, i * EVENTS + 1, (i + 1) * EVENTS,
                                      sky_buf_span(&pages[i])) == SKY_OK);
        sky_buf_done(&pages[i]);
    }
    struct sky_journal *journal = sky_journal_new(SKY_JOURNAL_BYTES_MIN, 1000, store, &clock);
    const struct sky_event_filter all = {.types = 0};
    const struct sky_event_filter some = {.topic = SKY_SPAN("/pk/#"), .before = 12};
    size_t count = read_all(journal, &all);
    SKY_ASSERT(count <= PAGES * (ROOM / SKY_ENTRY_HEAD) && read_all(journal, &some) <= count);
    const struct sky_event_head head = {.type = SKY_EVENT_NOTE, .direction = SKY_INSIDE};
    SKY_ASSERT(sky_journal_add(journal, &head, NULL, 0, NULL) > PAGES * EVENTS);
    SKY_ASSERT(sky_journal_flush(journal) == SKY_OK);
    sky_journal_stats(journal, &stats);
    SKY_ASSERT(stats.last_seq >= stats.first_seq && stats.recorded == 1);
    SKY_ASSERT(read_all(journal, &all) >= 1);
    sky_journal_free(journal);
    sky_store_close(store);
    sky_clock_done(&clock);
    return 0;
}
