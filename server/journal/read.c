#include "server/journal/read.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/journal/names.h"
#include "server/journal/private.h"

_Static_assert(SKY_EVENT_TYPE_COUNT <= 64, "a filter has one bit per type");

/* ---- finding entries ---- */

void sky_cursor_init(struct sky_cursor *cursor, struct sky_journal *journal, uint64_t from_seq)
{
    *cursor = (struct sky_cursor){.journal = journal, .next_seq = from_seq};
    sky_buf_init(&cursor->page, SKY_PAGE_MAX);
    sky_buf_init(&cursor->aside, SKY_PAGE_MAX);
    sky_buf_init(&cursor->carried, SKY_PAGE_MAX);
}

void sky_cursor_done(struct sky_cursor *cursor)
{
    sky_buf_done(&cursor->page);
    sky_buf_done(&cursor->aside);
    sky_buf_done(&cursor->carried);
}

/* The first entry with `seq` or a later number in the page's bytes from `*at` on, which becomes
 * the offset behind it. */
static bool entry_in_page(const struct sky_buf *page, size_t *at, uint64_t seq,
                          struct sky_entry_head *ret_head, sky_span *ret_entry)
{
    sky_span rest = sky_span_tail(sky_buf_span(page), *at);
    struct sky_entry_head head;
    while (sky_entry_read_head(rest, &head)) {
        *at += head.size;
        if (head.seq >= seq) {
            *ret_head = head;
            *ret_entry = sky_span_head(rest, head.size);
            return true;
        }
        rest = sky_span_tail(rest, head.size);
    }
    return false;
}

/* The entry with `seq` or the next one in the store, before the ring begins. `page` and `*at` say
 * where the last one was found. */
static bool entry_in_store(const struct sky_journal *journal, struct sky_buf *page, size_t *at,
                           uint64_t seq, struct sky_entry_head *ret_head, sky_span *ret_entry)
{
    if (*at > 0 && entry_in_page(page, at, seq, ret_head, ret_entry))
        return ret_head->seq < journal->ring.first_seq;
    uint64_t last;
    while (seq < journal->ring.first_seq && sky_pages_read(&journal->pages, seq, page, &last)) {
        *at = SKY_PAGE_HEAD;
        if (entry_in_page(page, at, seq, ret_head, ret_entry))
            return ret_head->seq < journal->ring.first_seq;
        seq = last + 1; /* an empty page, or one that is damaged from here on */
    }
    *at = 0;
    return false;
}

static bool next_entry(struct sky_cursor *cursor, struct sky_entry_head *ret_head,
                       sky_span *ret_entry)
{
    const struct sky_ring *ring = &cursor->journal->ring;
    if (cursor->next_seq < ring->first_seq) {
        if (entry_in_store(cursor->journal, &cursor->page, &cursor->page_at, cursor->next_seq,
                           ret_head, ret_entry)) {
            cursor->next_seq = ret_head->seq + 1;
            return true;
        }
        cursor->next_seq = ring->first_seq;
    }
    if (!sky_ring_holds(ring, cursor->next_seq))
        return false;
    *ret_entry = sky_ring_at(ring, cursor->next_seq++);
    bool whole = sky_entry_read_head(*ret_entry, ret_head);
    SKY_ASSERT(whole);
    return true;
}

bool sky_cursor_next(struct sky_cursor *cursor, struct sky_event *ret_event)
{
    struct sky_entry_head head;
    sky_span entry;
    while (next_entry(cursor, &head, &entry)) {
        if (sky_entry_read(entry, ret_event))
            return true;
    }
    return false;
}

static bool find(const struct sky_journal *journal, struct sky_buf *page, uint64_t seq,
                 struct sky_event *ret_event)
{
    if (sky_ring_holds(&journal->ring, seq))
        return sky_entry_read(sky_ring_at(&journal->ring, seq), ret_event);
    struct sky_entry_head head;
    sky_span entry;
    size_t at = 0;
    return entry_in_store(journal, page, &at, seq, &head, &entry) && head.seq == seq &&
           sky_entry_read(entry, ret_event);
}

bool sky_cursor_find(struct sky_cursor *cursor, uint64_t seq, struct sky_event *ret_event)
{
    return find(cursor->journal, &cursor->aside, seq, ret_event);
}

static sky_span bytes_of(const struct sky_event *event, enum sky_event_field field)
{
    const struct sky_attr *attr = sky_event_get(event, field);
    return attr ? attr->bytes : SKY_SPAN_NONE;
}

bool sky_cursor_message(struct sky_cursor *cursor, const struct sky_event *event,
                        sky_span *ret_topic, sky_span *ret_payload)
{
    struct sky_event original;
    const struct sky_attr *of = sky_event_get(event, SKY_F_OF);
    bool carried = of != NULL && sky_event_get(event, SKY_F_TOPIC) == NULL;
    if (carried && find(cursor->journal, &cursor->carried, (uint64_t)of->number, &original))
        event = &original;
    *ret_topic = bytes_of(event, SKY_F_TOPIC);
    *ret_payload = bytes_of(event, SKY_F_PAYLOAD);
    return !event->cut;
}

/* ---- filtering ---- */

/* The device of an id may be the one that is wanted in an earlier life, or a later one. */
static bool is_device(const struct sky_event_filter *filter, int64_t id)
{
    return sky_device_names_is(filter->names, id, filter->cloud, filter->product, filter->device);
}

/* What the head alone decides, so that most events need no decoding. */
static bool head_matches(const struct sky_event_filter *filter, const struct sky_entry_head *head)
{
    if (filter->types != 0 && !(filter->types >> head->type & 1))
        return false;
    if (filter->directions != 0 && !(filter->directions >> head->direction & 1))
        return false;
    if (filter->connection != 0 && filter->connection != head->connection)
        return false;
    if ((filter->findings || filter->rule.len > 0) && head->finding_count == 0)
        return false;
    return filter->device.len == 0 || head->device_id == 0 || is_device(filter, head->device_id);
}

static bool field_is(const struct sky_event *event, enum sky_event_field field, sky_span wanted)
{
    return wanted.len == 0 || sky_span_eq(bytes_of(event, field), wanted);
}

static bool device_matches(const struct sky_event_filter *filter, const struct sky_event *event)
{
    if (filter->device.len == 0 || event->head.device_id != 0)
        return true;
    return field_is(event, SKY_F_CLOUD, filter->cloud) &&
           field_is(event, SKY_F_PRODUCT, filter->product) &&
           field_is(event, SKY_F_DEVICE_KEY, filter->device);
}

static bool rule_matches(const struct sky_event_filter *filter, const struct sky_event *event)
{
    if (filter->rule.len == 0)
        return true;
    for (size_t i = 0; i < event->finding_count; i++) {
        if (sky_span_eq(event->findings[i].rule_id, filter->rule))
            return true;
    }
    return false;
}

static bool topic_matches(const struct sky_event_filter *filter, struct sky_cursor *cursor,
                          const struct sky_event *event)
{
    if (filter->topic.len == 0)
        return true;
    sky_span topic, payload;
    sky_cursor_message(cursor, event, &topic, &payload);
    return topic.len > 0 && sky_topic_matches(filter->topic, topic);
}

static bool body_matches(const struct sky_event_filter *filter, struct sky_cursor *cursor,
                         const struct sky_event *event)
{
    return device_matches(filter, event) && rule_matches(filter, event) &&
           topic_matches(filter, cursor, event);
}

bool sky_cursor_search(struct sky_cursor *cursor, const struct sky_event_filter *filter,
                       size_t effort_max, struct sky_event *ret_event, bool *ret_more)
{
    struct sky_entry_head head;
    sky_span entry;
    *ret_more = false;
    for (size_t effort = 0; effort < effort_max; effort++) {
        if (!next_entry(cursor, &head, &entry) ||
            (filter->before != 0 && head.seq >= filter->before))
            return false;
        if (head_matches(filter, &head) && sky_entry_read(entry, ret_event) &&
            body_matches(filter, cursor, ret_event))
            return true;
    }
    *ret_more = true;
    return false;
}
