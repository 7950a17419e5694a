/* Measures: what a device's events of a case come to, as a class ("exponential-jitter", "kept") or
 * as a number, held against what passes and what warns. Pure: events in, figure out; knows neither
 * the journal's keeping nor who asks. A row for each, with the clause or document behind it. */
#ifndef SKY_SERVER_SUITE_MEASURE_H
#define SKY_SERVER_SUITE_MEASURE_H

#include "server/pattern/pattern.h"
#include "server/suite/suite.h"

enum {
    SKY_MEASURE_FIGURES_MAX = 64, /* that are told; the last ones */
    SKY_MEASURE_EVENTS_MAX = 100, /* likewise */
    SKY_MEASURE_REASON_MAX = 500, /* bytes of the sentence */
};

struct sky_measure_kind;

struct sky_measure_row {
    const char *name;
    const char *about;          /* a sentence: what is measured, and when it is too little */
    const char *source;         /* the clause or document behind it */
    const char *const *classes; /* what it can be, NULL at the end; NULL: a number, */
    const char *unit;           /* in this unit, as its figures are; bounds are {"min", "max"} */
    const char *const *of;      /* its facets, of which the step's "of" names one, NULL at the end;
                                   NULL: it has none */
    /* The classes of each facet, in the order of `of`; NULL: any text is one, and `classes` has
     * what stands for nothing. NULL: it has no facets. */
    const char *const *const *of_classes;
    const struct sky_measure_kind *kind; /* how it is done */
};
extern const struct sky_measure_row sky_measure_rows[];
extern const size_t sky_measure_row_count;

struct sky_measure;

/* Compiles the step {"measure": NAME, "of"?, "pass": [CLASS..] | {"min", "max"}, "warn"?:
 * likewise}. What neither passes nor warns fails. On failure NULL, and `why` has the pointer, with
 * `at` in front. The caller frees it. */
SKY_MUST_USE struct sky_measure *sky_measure_new(const cJSON *step, const char *at,
                                                 struct sky_why *why);
void sky_measure_free(struct sky_measure *measure); /* NULL is fine */

/* An event of the case, oldest first: the device's `own`, or one of nobody that may be its: a TLS
 * handshake is nobody's before the login that follows it on its connection, and one that failed
 * stays so. What a twin does in the device's name is neither, and is not fed. Times are Unix ms,
 * virtual and real; measures go by the real one, for that is what a device lives in. */
struct sky_measure_event {
    const struct sky_subject *subject;
    uint64_t seq;
    int64_t now_ms, real_ms;
    bool own;
};
void sky_measure_begin(struct sky_measure *measure, int64_t real_ms); /* the case's beginning */
void sky_measure_feed(struct sky_measure *measure, const struct sky_measure_event *event);

/* Nothing more will come: what the device has not done until now it has not done. Before that the
 * measure leaves it time. */
void sky_measure_over(struct sky_measure *measure);

/* As it stands at this moment. IDLE: too little to tell, as yet. */
enum sky_grade sky_measure_grade(struct sky_measure *measure, int64_t real_ms);
/* Of the last grade, members of an open object: "measure", "of", "class" or "value" with "unit",
 * "figures" (numbers, with what they are as "figuresUnit"), "events", "grade", "reason" (a sentence
 * for people, also when it passed). */
void sky_measure_print(const struct sky_measure *measure, struct sky_jw *jw);
/* The sentence alone, without a full stop at its end. */
const char *sky_measure_reason(const struct sky_measure *measure);

#endif
