/* Looking for events: those that match a pattern and count in the chapter, or run, of whoever did
 * them. The one way in which events are listed, streamed and searched. Knows no HTTP. */
#ifndef SKY_SERVER_JUDGE_SEARCH_H
#define SKY_SERVER_JUDGE_SEARCH_H

#include "server/pattern/pattern.h"
#include "server/registry/registry.h"

struct sky_search {
    const struct sky_registry *registry; /* borrowed, as the names */
    struct sky_device_names *names;
    struct sky_pattern *pattern; /* owned */
    struct sky_event_filter filter;
    struct sky_cursor cursor;
    enum sky_period period; /* SKY_PERIODS: events of every time */
    uint64_t first_seq;     /* where it began, */
    uint64_t newest_seq;    /* and the newest event then */
    size_t effort;          /* since it was last looked at the time */
    struct sky_event event; /* the one that was found, and as a subject */
    struct sky_subject subject;
    char room[SKY_DEVICE_NAME_MAX + 1]; /* for that */
};

/* From the first event of the period on, behind `since`. The pattern is taken over. */
void sky_search_begin(struct sky_search *search, const struct sky_registry *registry,
                      struct sky_device_names *names, struct sky_pattern *pattern,
                      enum sky_period period, uint64_t since);
void sky_search_end(struct sky_search *search);
/* From here on only events with numbers from `from` on, below `before`. */
void sky_search_between(struct sky_search *search, uint64_t from, uint64_t before);
/* Once more from where it began. */
void sky_search_again(struct sky_search *search);

/* Finds the next event. False: there is none yet, or, with `*ret_more` set, it is `until_ns` (of
 * uv_hrtime()) by now and the search goes on with the next call. */
bool sky_search_next(struct sky_search *search, uint64_t until_ns, bool *ret_more);

#endif
