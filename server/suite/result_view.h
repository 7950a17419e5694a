/* A case of a run's document as its forms read it: what the document lacks, because it was cut off
 * or made by somebody else, is empty. Views into the document. */
#ifndef SKY_SERVER_SUITE_RESULT_VIEW_H
#define SKY_SERVER_SUITE_RESULT_VIEW_H

#include "protocol/base/buf.h"
#include "server/suite/suite.h"

enum sky_result_state {
    SKY_RESULT_ENDED, /* it has a grade */
    SKY_RESULT_OPEN,  /* it was not begun, or did not come to its end */
    SKY_RESULT_LEFT,  /* it does not fit the device, and is no case of it */
};

struct sky_result_view {
    const cJSON *json;
    const char *suite, *id, *title, *source, *device, *reason; /* never NULL */
    enum sky_result_state state;
    enum sky_grade grade; /* of one that has ended */
    int64_t ms;           /* negative: not known */
};
struct sky_result_view sky_result__case(const cJSON *one_case);

/* How it ended in a word or two: its grade, "not ended", or "left out". */
const char *sky_result__verdict(const struct sky_result_view *view);
/* How many cases ended so, and how many did not (at SKY_GRADES). */
typedef size_t sky_result_counts[SKY_GRADES + 1];
void sky_result__count(const cJSON *run, sky_result_counts ret_counts);
/* How many were left out, and count for nothing. */
size_t sky_result__left(const cJSON *run);
/* The worst of the whole run in a word or two. */
const char *sky_result__worst(const cJSON *run, const sky_result_counts counts);
/* Why it did not come to its end; NULL: it did. */
const char *sky_result__interrupted(const cJSON *run);

/* An array; NULL: there is none, or it is empty. */
const cJSON *sky_result__list(const cJSON *object, const char *key);
/* Negative when absent. */
int64_t sky_result__number(const cJSON *object, const char *key);

/* As plain text, in which anything may stand: "step 3: expect publish", nothing when none decided;
 * a measure in its words; numbers of events with blanks between. */
void sky_result__step(const struct sky_result_view *view, struct sky_buf *out);
void sky_result__measure(const cJSON *measure, struct sky_buf *out);
void sky_result__events(const cJSON *events, struct sky_buf *out);
/* "377 ms", "1.2 s", "4 min 12 s". */
void sky_result__time(int64_t ms, struct sky_buf *out);

#endif
