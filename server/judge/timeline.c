#include "server/judge/timeline.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

void sky_timeline_init(struct sky_timeline *timeline, const struct sky_registry *registry,
                       struct sky_device_names *names)
{
    *timeline = (struct sky_timeline){.registry = registry, .names = names};
    sky_cursor_init(&timeline->cursor, registry->journal, UINT64_MAX);
}

void sky_timeline_done(struct sky_timeline *timeline)
{
    struct sky_timeline_party *party, *next;
    HASH_ITER (hh, timeline->parties, party, next)
        sky_timeline_drop(timeline, party);
    sky_cursor_done(&timeline->cursor);
}

void sky_timeline_add(struct sky_timeline *timeline, const char *name, uint64_t since)
{
    struct sky_timeline_party *party = sky_mem_new(sizeof *party);
    party->name = sky_mem_dup(name, strlen(name));
    party->since = since;
    sky_buf_init(&party->events, SIZE_MAX);
    HASH_ADD_KEYPTR(hh, timeline->parties, party->name, strlen(party->name), party);
    if (since + 1 < timeline->cursor.next_seq)
        timeline->cursor.next_seq = since + 1;
}

void sky_timeline_drop(struct sky_timeline *timeline, struct sky_timeline_party *party)
{
    HASH_DEL(timeline->parties, party);
    sky_buf_done(&party->events);
    free(party->name);
    free(party);
}

static struct sky_timeline_party *party_named(const struct sky_timeline *timeline, sky_span name)
{
    struct sky_timeline_party *party;
    HASH_FIND(hh, timeline->parties, name.ptr, name.len, party);
    return party;
}

static struct sky_timeline_party *party_of_device(struct sky_timeline *timeline, int64_t id)
{
    const struct sky_party *party = sky_party_of_id(timeline->registry, id);
    return party_named(
        timeline,
        sky_span_str(party != NULL ? party->name : sky_device_names_get(timeline->names, id)));
}

static struct sky_timeline_owner *owner_of(struct sky_timeline *timeline, uint32_t connection)
{
    return &timeline->owners[connection % SKY_TIMELINE_CONNECTIONS];
}

/* Who is no device is known by what it claims, or by the connection: what it is answered, and the
 * end, name nobody. */
static struct sky_timeline_party *party_of_peer(struct sky_timeline *timeline,
                                                const struct sky_event *event)
{
    const struct sky_timeline_owner *owner = owner_of(timeline, event->head.connection);
    if (event->finding_count == 0 && sky_event_get(event, SKY_F_DEVICE_KEY) == NULL)
        return owner->connection == event->head.connection ? owner->party : NULL;
    struct sky_buf name;
    sky_buf_init(&name, SKY_PARTY_NAME_MAX);
    sky_party_claimed(event->attrs, event->attr_count, &name);
    struct sky_timeline_party *party = party_named(timeline, sky_buf_span(&name));
    sky_buf_done(&name);
    return party;
}

bool sky_timeline_look(struct sky_timeline *timeline)
{
    struct sky_event event;
    if (timeline->parties == NULL || !sky_cursor_next(&timeline->cursor, &event))
        return false;
    if (timeline->first == 0)
        timeline->first = event.seq;
    struct sky_timeline_party *party = event.head.device_id != 0
                                           ? party_of_device(timeline, event.head.device_id)
                                           : party_of_peer(timeline, &event);
    struct sky_timeline_owner *owner = owner_of(timeline, event.head.connection);
    if (party != NULL && event.head.connection != owner->connection)
        *owner = (struct sky_timeline_owner){event.head.connection, party};
    if (party == NULL || event.seq <= party->since)
        return true;
    SKY_ASSERT(event.seq - timeline->first <= UINT32_MAX); /* the journal has bounds */
    uint32_t at = (uint32_t)(event.seq - timeline->first);
    sky_buf_add(&party->events, sky_span_of((const char *)&at, sizeof at));
    timeline->events++;
    return true;
}

uint64_t sky_timeline_event(const struct sky_timeline *timeline,
                            const struct sky_timeline_party *party, size_t n)
{
    uint32_t at;
    SKY_ASSERT(n < sky_timeline_count(party));
    memcpy(&at, party->events.bytes + n * sizeof at, sizeof at);
    return timeline->first + at;
}
