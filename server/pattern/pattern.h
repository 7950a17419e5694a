/* Patterns: the one language in which events are chosen, by verify, expectations, searches, faults
 * and suites. A pattern is compiled once and then looks at events of the journal, and at passages
 * on the wire as the events they are about to be. Knows no HTTP and no carriers. */
#ifndef SKY_SERVER_PATTERN_PATTERN_H
#define SKY_SERVER_PATTERN_PATTERN_H

#include "protocol/base/json_tree.h"
#include "server/journal/json.h"

enum {
    SKY_PATTERN_DEPTH_MAX = 8,                       /* of `not` and `anyOf` in each other */
    SKY_PATTERN_MEMBERS_MAX = 200,                   /* conditions, all together */
    SKY_PATTERN_VALUES_MAX = 1000,                   /* of all their lists together */
    SKY_PATTERN_TEXT_MAX = SKY_SPAN_PART_MAX,        /* bytes of a text that is looked for */
    SKY_PATTERN_POINTER_MAX = 512,                   /* bytes of a pointer into a payload */
    SKY_PATTERN_JSON_DEPTH_MAX = SKY_JSON_DEPTH_MAX, /* of a payload that is read as JSON */
    SKY_PATTERN_DIFFERENCES_MAX = 8,                 /* told of one event */
};

struct sky_catalogue;
struct sky_pattern;

/* What a pattern looks at. Views, valid while whatever they come from is. */
struct sky_subject {
    const struct sky_event_head *head;
    const struct sky_attr *attrs;
    size_t attr_count;
    const struct sky_event_finding *findings; /* NULL: not judged yet */
    size_t finding_count;
    sky_span refused;        /* id of the rule that refused it; empty: none did */
    sky_span topic, payload; /* its own, or those of the publish that it carries */
    bool cut;                /* the journal has not kept all of the payload */
    const char *device;      /* "cloud/product/device", proven or claimed; "": nobody; NULL: asked
                                of `names` by the head's device id, when a condition wants it */
    struct sky_device_names *names;
};

/* Compiles an object. On failure NULL, and `why` has the pointer, with `at` ("/event") in front,
 * and what is wrong there: `rules` are those that it may name; NULL: it is to look at what nobody
 * has judged yet, and names none. The caller frees it. */
SKY_MUST_USE struct sky_pattern *sky_pattern_new(const cJSON *json, const char *at,
                                                 const struct sky_catalogue *rules,
                                                 struct sky_why *why);
void sky_pattern_free(struct sky_pattern *pattern); /* NULL is fine */

/* Is there such a member? */
bool sky_pattern_knows(const char *member);

bool sky_pattern_matches(const struct sky_pattern *pattern, const struct sky_subject *subject);

/* An event as a subject. `names` and the cursor are needed for the device's name and for what a
 * delivery carries; the views are valid as those of sky_device_names_get() and
 * sky_cursor_message(), the name when it is a claim until `room` goes. */
void sky_subject_of_event(struct sky_cursor *cursor, struct sky_device_names *names,
                          const struct sky_event *event, char room[SKY_DEVICE_NAME_MAX + 1],
                          struct sky_subject *ret_subject);

/* What the heads of events alone decide, for sky_cursor_search(), so that most events need no
 * decoding: whatever the filter does not want, the pattern does not match. Its spans are views of
 * the pattern. `names` tell whose events are whose; NULL: not narrowed by devices. */
void sky_pattern_narrow(const struct sky_pattern *pattern, struct sky_device_names *names,
                        struct sky_event_filter *ret_filter);

/* One member in which a subject is not what was wanted. */
struct sky_difference {
    char pointer[SKY_WHY_POINTER_MAX]; /* "/topic", "/qos", "/payload/params/temp" */
    char wanted[160], found[160];      /* as JSON where it is a value; cut to what fits */
};
/* How far a subject is from matching: the number of conditions that do not hold; 0: it matches.
 * The first `max` of them go to `list`. */
size_t sky_pattern_differences(const struct sky_pattern *pattern, const struct sky_subject *subject,
                               struct sky_difference *list, size_t max);

/* The pattern in words, for a sentence: "publish to .../property/post with params.temp >= 20". */
void sky_pattern_say(const struct sky_pattern *pattern, struct sky_buf *out);

#endif
