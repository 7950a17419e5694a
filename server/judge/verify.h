/* Is it true what a test says of events: that some came, so many of them, in that order, or none?
 * A claim is compiled, fed with events one by one, oldest first, and says how it stands; when it
 * does not hold, it looks through the same events for those that came near, and says in a sentence
 * what was different. Pure: knows neither a journal, nor who asks, nor waiting. */
#ifndef SKY_SERVER_JUDGE_VERIFY_H
#define SKY_SERVER_JUDGE_VERIFY_H

#include "server/pattern/pattern.h"

enum {
    SKY_VERIFY_STEPS_MAX = 50,    /* of a sequence */
    SKY_VERIFY_EVENTS_MAX = 1000, /* told by number; and `min` at the most, with `withinMs` */
    SKY_VERIFY_NEAREST_MAX = 3,
    SKY_VERIFY_WHY_MAX = 8 * 1024, /* bytes of the sentence */
};
#define SKY_VERIFY_COUNT_MAX INT64_C(1000000000)
#define SKY_VERIFY_WITHIN_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)

struct sky_verify;

enum sky_verify_state { SKY_VERIFY_OPEN, SKY_VERIFY_HOLDS, SKY_VERIFY_BROKEN };

/* Compiles the members "event", "count", "sequence", "absent" and "withinMs" of an object; all
 * others are the caller's. `rules` are those that its patterns may name. On failure NULL, and `why`
 * has the pointer, with `at` in front. The caller frees it; `claim` may go. */
SKY_MUST_USE struct sky_verify *sky_verify_new(const cJSON *claim, const char *at,
                                               const struct sky_catalogue *rules,
                                               struct sky_why *why);
void sky_verify_free(struct sky_verify *verify); /* NULL is fine */

/* The bounds in the member "count" of an object: whole numbers, `min` 1 unless it says otherwise or
 * `max` is 0, `max` SKY_VERIFY_COUNT_MAX when there is none. */
SKY_MUST_USE sky_err sky_verify_count(const cJSON *object, const char *at, uint64_t *ret_min,
                                      uint64_t *ret_max, struct sky_why *why);

/* What the claim is about, as sky_pattern_narrow(): events that the filter does not want need not
 * be fed. */
void sky_verify_narrow(const struct sky_verify *verify, struct sky_device_names *names,
                       struct sky_event_filter *ret_filter);

/* The next event, at its virtual time. Time that was set backwards has not passed. */
void sky_verify_feed(struct sky_verify *verify, const struct sky_subject *subject, uint64_t seq,
                     int64_t now_ms);
/* How it stands; `over`: nothing more comes. What is not open will not change. */
enum sky_verify_state sky_verify_state(const struct sky_verify *verify, bool over);
/* Could one more event break what holds? Then it is not known to hold while some are lost. */
bool sky_verify_counts_all(const struct sky_verify *verify);

/* ---- why it does not hold ---- */

/* All events again that the claim could have been about, whatever their type, when it is broken:
 * which of them came near? */
void sky_verify_seek(struct sky_verify *verify, const struct sky_subject *subject, uint64_t seq);

/* The numbers of those that came nearest: fewest differences first; of equals those of the right
 * type, then the newest. Returns how many. */
size_t sky_verify_nearest(const struct sky_verify *verify,
                          uint64_t ret_seqs[SKY_VERIFY_NEAREST_MAX]);

struct sky_verify_miss {
    uint64_t seq;
    size_t differs; /* in how much; the first of them are told: */
    struct sky_difference list[SKY_PATTERN_DIFFERENCES_MAX];
};
void sky_verify_compare(const struct sky_verify *verify, const struct sky_subject *subject,
                        uint64_t seq, struct sky_verify_miss *ret_miss);

/* ---- the answer ---- */

/* Of what was looked at. */
struct sky_verify_scope {
    sky_span name; /* whose events they were; empty: everybody's */
    uint64_t lost; /* events that should have been looked at, too, and are gone */
};

/* Writes an object: "holds", "count", "events", "lost" if something is, and when it does not hold,
 * or is not known to, "why" and "nearest". */
void sky_verify_print(const struct sky_verify *verify, bool holds,
                      const struct sky_verify_scope *scope, const struct sky_verify_miss *misses,
                      size_t miss_count, struct sky_jw *jw);

#endif
