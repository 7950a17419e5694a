/* Reading the journal: from a number on, oldest first, through pages and ring, with a filter.
 * Knows how events look when decoded; knows no JSON and no HTTP. */
#ifndef SKY_SERVER_JOURNAL_READ_H
#define SKY_SERVER_JOURNAL_READ_H

#include "server/journal/event.h"

struct sky_device_names;

struct sky_journal;

/* A place in the journal. */
struct sky_cursor {
    struct sky_journal *journal;
    uint64_t next_seq;      /* the first number not yet seen */
    struct sky_buf page;    /* owned: the page being read */
    size_t page_at;         /* offset in it */
    struct sky_buf aside;   /* owned: a page looked into for another event, */
    struct sky_buf carried; /* and one for what a delivery carries */
};

/* Starts at `from_seq`, or at the first event after it that can still be read. */
void sky_cursor_init(struct sky_cursor *cursor, struct sky_journal *journal, uint64_t from_seq);
void sky_cursor_done(struct sky_cursor *cursor);

/* The next event; false at the end, where it may be called again when there is more. */
bool sky_cursor_next(struct sky_cursor *cursor, struct sky_event *ret_event);

/* The event with exactly this number, without moving; its views are valid until the next call of
 * sky_cursor_find(). */
bool sky_cursor_find(struct sky_cursor *cursor, uint64_t seq, struct sky_event *ret_event);

/* Topic and payload of an event: its own, or for a delivery those of the publish it carries.
 * Empty when there are none. Valid until the next call, as the event is; this does not touch what
 * sky_cursor_find() has found. False: the journal may have cut them. */
bool sky_cursor_message(struct sky_cursor *cursor, const struct sky_event *event,
                        sky_span *ret_topic, sky_span *ret_payload);

/* Which events are wanted; a zeroed filter wants all. Spans are borrowed. */
struct sky_event_filter {
    uint64_t types;                  /* bit per sky_event_type; 0: any */
    unsigned directions;             /* bit per sky_direction; 0: any */
    bool findings;                   /* only events with findings */
    uint32_t connection;             /* 0: any */
    struct sky_device_names *names;  /* tells which ids are of the device that is wanted: */
    sky_span cloud, product, device; /* its name; events of peers that only claim to be this
                                        device are wanted too. Empty: any */
    sky_span topic;                  /* MQTT filter; empty: any, with or without a topic */
    sky_span rule;                   /* id; empty: any, with or without findings */
    uint64_t before;                 /* only with smaller numbers; 0: any */
};

/* The next event that the filter wants. Looks at `effort_max` events at the most: false with
 * `*ret_more` set means that the search goes on with the next call. */
bool sky_cursor_search(struct sky_cursor *cursor, const struct sky_event_filter *filter,
                       size_t effort_max, struct sky_event *ret_event, bool *ret_more);

#endif
