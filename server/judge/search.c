#include "server/judge/search.h"

#include <uv.h>

#include "server/journal/journal.h"
#include "server/registry/parties.h"

/* Between two looks at the time, in bytes that are looked into: an event counts as some, and so
 * does a run of those whose heads are not wanted. */
enum { EFFORT_MAX = 8 * 1024, EFFORT_EVENT = EFFORT_MAX / 16, HEADS = 512 };

void sky_search_begin(struct sky_search *search, const struct sky_registry *registry,
                      struct sky_device_names *names, struct sky_pattern *pattern,
                      enum sky_period period, uint64_t since)
{
    uint64_t begin = period < SKY_PERIODS ? registry->parties.since[period] : 0;
    struct sky_journal_stats stats;
    sky_journal_stats(registry->journal, &stats);
    search->registry = registry;
    search->names = names;
    search->pattern = pattern;
    search->period = period;
    search->first_seq = (since > begin ? since : begin) + 1;
    search->newest_seq = stats.last_seq;
    search->effort = 0;
    sky_pattern_narrow(pattern, names, &search->filter);
    sky_cursor_init(&search->cursor, registry->journal, search->first_seq);
}

void sky_search_between(struct sky_search *search, uint64_t from, uint64_t before)
{
    search->filter.before = before;
    sky_cursor_done(&search->cursor);
    sky_cursor_init(&search->cursor, search->registry->journal, from);
}

void sky_search_again(struct sky_search *search)
{
    sky_pattern_narrow(search->pattern, search->names, &search->filter);
    sky_cursor_done(&search->cursor);
    sky_cursor_init(&search->cursor, search->registry->journal, search->first_seq);
}

void sky_search_end(struct sky_search *search)
{
    sky_cursor_done(&search->cursor);
    sky_pattern_free(search->pattern);
}

/* Does the event count, though a chapter has begun since, if not its own? One that began while this
 * search goes on, behind its newest event, is not its concern. */
static bool is_of_period(const struct sky_search *search)
{
    const struct sky_registry *registry = search->registry;
    int64_t id = search->event.head.device_id;
    if (search->period == SKY_PERIODS || search->event.seq > registry->parties.turned)
        return true;
    const struct sky_party *party = sky_party_of_id(registry, id);
    if (party == NULL)
        party =
            sky_party_find(registry, sky_span_str(id != 0 ? sky_device_names_get(search->names, id)
                                                          : search->subject.device));
    uint64_t since = party != NULL ? sky_party_since(registry, party)[search->period] : 0;
    return search->event.seq > since || since >= search->newest_seq;
}

bool sky_search_next(struct sky_search *search, uint64_t until_ns, bool *ret_more)
{
    for (;;) {
        if (search->effort >= EFFORT_MAX && uv_hrtime() >= until_ns) {
            *ret_more = true;
            return false;
        }
        if (search->effort >= EFFORT_MAX)
            search->effort = 0;
        bool found =
            sky_cursor_search(&search->cursor, &search->filter, HEADS, &search->event, ret_more);
        if (!found && !*ret_more)
            return false;
        search->effort += found ? EFFORT_EVENT : EFFORT_MAX;
        if (!found)
            continue;
        sky_subject_of_event(&search->cursor, search->names, &search->event, search->room,
                             &search->subject);
        search->effort += search->subject.payload.len;
        if (sky_pattern_matches(search->pattern, &search->subject) && is_of_period(search))
            return true;
    }
}
