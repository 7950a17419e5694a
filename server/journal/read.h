/* Reading the journal: from a number on, oldest first, through pages and ring, with a filter.
 * Knows how events look when decoded; knows no JSON and no HTTP. */
#ifndef SKY_SERVER_JOURNAL_READ_H
#define SKY_SERVER_JOURNAL_READ_H

#include "server/journal/journal.h"

enum sky_event_kind {
    SKY_KIND_TEXT,
    SKY_KIND_BYTES,
    SKY_KIND_HEX,
    SKY_KIND_JSON,
    SKY_KIND_INT, /* INT and BOOL are numbers, the others bytes */
    SKY_KIND_BOOL,
};

/* A rule that the event's act broke, and what was done about it. Views. */
struct sky_event_finding {
    sky_span rule_id, detail;
    enum sky_action action;
};

/* A decoded event. Its views are valid until the cursor that gave it moves on and until the next
 * event is recorded. */
struct sky_event {
    uint64_t seq;
    int64_t now_ms, real_ms; /* virtual and real Unix time */
    struct sky_event_head head;
    struct sky_attr attrs[SKY_JOURNAL_ATTRS_MAX];
    size_t attr_count;
    struct sky_event_finding findings[SKY_FINDINGS_MAX];
    size_t finding_count, findings_lost;
    sky_span refused; /* id of the rule that refused the act; empty: none did */
    bool cut;         /* some field was longer than the journal keeps */
};

/* NULL when the event has no such field. */
const struct sky_attr *sky_event_get(const struct sky_event *event, enum sky_event_field field);

const char *sky_event_type_name(enum sky_event_type type);
bool sky_event_type_parse(sky_span text, enum sky_event_type *ret_type);
const char *sky_event_field_key(enum sky_event_field field);
enum sky_event_kind sky_event_field_kind(enum sky_event_field field);
const char *sky_direction_name(enum sky_direction direction);
bool sky_direction_parse(sky_span text, enum sky_direction *ret_direction);

/* A place in the journal. */
struct sky_cursor {
    struct sky_journal *journal;
    uint64_t next_seq;    /* the first number not yet seen */
    struct sky_buf page;  /* owned: the page being read */
    size_t page_at;       /* offset in it */
    struct sky_buf aside; /* owned: a page looked into for another event */
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
 * Empty when there are none. Valid as for sky_cursor_find(). */
void sky_cursor_message(struct sky_cursor *cursor, const struct sky_event *event,
                        sky_span *ret_topic, sky_span *ret_payload);

/* Which events are wanted; a zeroed filter wants all. Spans are borrowed. */
struct sky_event_filter {
    uint64_t types;                  /* bit per sky_event_type; 0: any */
    unsigned directions;             /* bit per sky_direction; 0: any */
    bool findings;                   /* only events with findings */
    uint32_t connection;             /* 0: any */
    int64_t device_id;               /* the device of that name, when the registry knows it */
    sky_span cloud, product, device; /* the names; events of peers that only claim to be this
                                        device are wanted too. Empty: any */
    sky_span topic;                  /* MQTT filter; empty: any, with or without a topic */
    sky_span rule;                   /* id; empty: any, with or without findings */
};

bool sky_event_matches(const struct sky_event_filter *filter, struct sky_cursor *cursor,
                       const struct sky_event *event);
/* The next event that the filter wants. Looks at `effort_max` events at the most: false with
 * `*ret_more` set means that the search goes on with the next call. */
bool sky_cursor_search(struct sky_cursor *cursor, const struct sky_event_filter *filter,
                       size_t effort_max, struct sky_event *ret_event, bool *ret_more);

#endif
