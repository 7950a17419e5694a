#include "server/admin/search.h"

#include <uv.h>

#include "server/registry/parties.h"

enum { EFFORT = 500 }; /* heads of events looked at between two looks at the time */

void sky_search_begin(struct sky_search *search, const struct sky_registry *registry,
                      struct sky_device_names *names, struct sky_pattern *pattern,
                      enum sky_period period, uint64_t since)
{
    uint64_t begin = period < SKY_PERIODS ? registry->parties.since[period] : 0;
    search->registry = registry;
    search->names = names;
    search->pattern = pattern;
    search->period = period;
    sky_pattern_narrow(pattern, registry->store, &search->filter);
    sky_cursor_init(&search->cursor, registry->journal, (since > begin ? since : begin) + 1);
}

void sky_search_end(struct sky_search *search)
{
    sky_cursor_done(&search->cursor);
    sky_pattern_free(search->pattern);
}

/* Does the event count, though a chapter has begun since, if not its own? */
static bool is_of_period(const struct sky_search *search, const struct sky_subject *subject)
{
    const struct sky_registry *registry = search->registry;
    int64_t id = subject->head->device_id;
    if (search->period == SKY_PERIODS || search->event.seq > registry->parties.turned)
        return true;
    const struct sky_party *party = sky_party_of_id(registry, id);
    if (party == NULL)
        party =
            sky_party_find(registry, sky_span_str(id != 0 ? sky_device_names_get(search->names, id)
                                                          : subject->device));
    return party == NULL || search->event.seq > party->since[search->period];
}

bool sky_search_next(struct sky_search *search, uint64_t until_ns, bool *ret_more)
{
    char room[SKY_DEVICE_NAME_MAX + 1];
    struct sky_subject subject;
    do {
        if (!sky_cursor_search(&search->cursor, &search->filter, EFFORT, &search->event,
                               ret_more)) {
            if (!*ret_more)
                return false;
            continue;
        }
        sky_subject_of_event(&search->cursor, search->names, &search->event, room, &subject);
        if (sky_pattern_matches(search->pattern, &subject) && is_of_period(search, &subject))
            return true;
    } while (uv_hrtime() < until_ns);
    *ret_more = true;
    return false;
}
