/* Whose events are whose: for some parties, the numbers of the events that are each one's, found in
 * one passage through the journal, a stretch at a time. Keeps numbers only; an event may be gone by
 * the time it is looked for. */
#ifndef SKY_SERVER_JUDGE_TIMELINE_H
#define SKY_SERVER_JUDGE_TIMELINE_H

#include <uthash.h>

#include "server/journal/json.h"
#include "server/registry/parties.h"

enum { SKY_TIMELINE_CONNECTIONS = 1024 }; /* whose owner is remembered; the oldest go */

struct sky_timeline_party {
    char *name;            /* owned */
    uint64_t since;        /* its events count behind this number */
    struct sky_buf events; /* owned: uint32_t each, counted from sky_timeline.first */
    UT_hash_handle hh;
};

struct sky_timeline {
    const struct sky_registry *registry; /* borrowed, as the names are */
    struct sky_device_names *names;
    struct sky_timeline_party *parties; /* hash, in the order in which they were added */
    struct sky_cursor cursor;
    uint64_t first;  /* event that was looked at; 0: none was */
    uint64_t events; /* found so far */
    struct sky_timeline_owner {
        uint32_t connection;
        struct sky_timeline_party *party; /* whose first event on it was */
    } owners[SKY_TIMELINE_CONNECTIONS];
};

void sky_timeline_init(struct sky_timeline *timeline, const struct sky_registry *registry,
                       struct sky_device_names *names);
void sky_timeline_done(struct sky_timeline *timeline);

/* Before the first sky_timeline_look(). */
void sky_timeline_add(struct sky_timeline *timeline, const char *name, uint64_t since);
void sky_timeline_drop(struct sky_timeline *timeline, struct sky_timeline_party *party);
/* Looks at the next event; false at the end. */
bool sky_timeline_look(struct sky_timeline *timeline);
/* Bytes of memory that the numbers take. */
static inline size_t sky_timeline_bytes(const struct sky_timeline *timeline)
{
    return (size_t)timeline->events * sizeof(uint32_t);
}

static inline size_t sky_timeline_count(const struct sky_timeline_party *party)
{
    return party->events.len / sizeof(uint32_t);
}
/* Number of the n-th of the party's events, counted from 0. */
uint64_t sky_timeline_event(const struct sky_timeline *timeline,
                            const struct sky_timeline_party *party, size_t n);

#endif
