/* What a claim is, for the files of this room only. */
#ifndef SKY_SERVER_JUDGE_PRIVATE_H
#define SKY_SERVER_JUDGE_PRIVATE_H

#include "server/judge/verify.h"

/* An event that is wanted, and in which words: "publish", "to TOPIC", and the rest. */
struct sky_wanted {
    struct sky_pattern *pattern;
    uint64_t types;           /* bit per sky_event_type; 0: any */
    char *topic;              /* owned: a filter; NULL: any, or more than one */
    struct sky_pattern *rest; /* what else is wanted of it; NULL: nothing */

    /* A sequence's step, in the shortest way to it: the events until then, where it begins in lived
     * time. Without `withinMs` it is the first way that was found. */
    bool reached;
    uint64_t first_seq; /* when it was reached for the first time */
    int64_t starts_ms;
    uint64_t *way; /* owned: as many as the step has before it, and itself */
};

struct sky_moment {
    uint64_t seq;
    int64_t at_ms;
};

struct sky_verify {
    enum { SKY_CLAIM_EVENT, SKY_CLAIM_SEQUENCE, SKY_CLAIM_ABSENT } form;
    struct sky_wanted *wanted; /* owned: the steps of a sequence, or one */
    size_t wanted_count;
    uint64_t min, max;
    int64_t within_ms; /* -1: however long */

    int64_t now_ms, lived_ms; /* of the last event */
    bool begun;
    uint64_t count; /* events that are wanted; steps that were reached */

    uint64_t *events; /* owned: the first of those, SKY_VERIFY_EVENTS_MAX at most */
    size_t event_count, event_room;
    uint64_t broke_seq; /* the first of them that broke a rule; 0: none did */
    char broke[64];     /* the rule */

    /* With `withinMs`: the last `min` of them in a circle, and the closest together so far; of a
     * sequence the shortest way. */
    struct sky_moment *last;
    int64_t span_ms; /* INT64_MAX: not so many yet */
    uint64_t *closest;
    size_t closest_count;

    /* Why not: */
    struct {
        uint64_t all, of_type, to_topic; /* events; of the right type; and with the right topic */
        uint64_t early_seq; /* would have been a sequence's next step, but came before; 0: none */
        uint64_t last_seq, refused_seq; /* 0: none */
        enum sky_event_type last_type, refused_type;
        char refused_by[64]; /* the rule */
        struct sky_near {
            uint64_t seq;
            size_t differs;
            int fits; /* 1: its type, 2: its topic too */
        } nearest[SKY_VERIFY_NEAREST_MAX];
        size_t nearest_count;
    } seen;
};

/* What is missing: the event, or the next step of a sequence; NULL: nothing. */
const struct sky_wanted *sky_verify__missing(const struct sky_verify *verify);
/* Why it does not hold, as a sentence. */
void sky_verify__say(const struct sky_verify *verify, const struct sky_verify_scope *scope,
                     const struct sky_verify_miss *misses, size_t miss_count, struct sky_buf *out);

#endif
