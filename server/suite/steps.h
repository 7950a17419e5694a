/* The steps of a case, one row each: the table that checks, runs and documents them. A step is an
 * object with "do", "expect" or "measure"; what it does takes the body of the admin route it is
 * named after, as a member of the step's own name, or as the step's other members:
 * {"do": "message", "message": {"topic": ..}} or {"do": "message", "topic": ..}. */
#ifndef SKY_SERVER_SUITE_STEPS_H
#define SKY_SERVER_SUITE_STEPS_H

#include "server/suite/suite.h"

enum sky_step_kind {
    SKY_STEP_CALL,    /* a route of the admin API */
    SKY_STEP_CLEAR,   /* the faults of this case go */
    SKY_STEP_RESTORE, /* all that this case changed is put back, and the case goes on */
    SKY_STEP_WAIT,    /* {"do": "wait", "wait": MS}, real time */
    SKY_STEP_RUN,     /* {"do": "run", "run": COMMAND}: done by whoever runs the suite */
    SKY_STEP_EXPECT,  /* {"expect": CLAIM}, as POST /api/v1/verify takes it */
    SKY_STEP_MEASURE, /* {"measure": NAME, "pass": .., "warn": ..} */
};

enum {
    SKY_STEP_ALONE = 1,      /* moves the clock */
    SKY_STEP_NAMES_WHOM = 2, /* its body says of whom it is: the case's device, unless it says */
    SKY_STEP_MAY_MISS = 4,   /* 409 is fine: the device is not connected */
    SKY_STEP_WAITS_NOT = 8,  /* for an answer of the device, unless it says so: `waitMs` is 0 */
    SKY_STEP_AWAITS = 16,    /* 409, the device is away: it is done when it is back */
};

struct sky_step_row {
    const char *name; /* of "do"; or "expect", "measure" */
    enum sky_step_kind kind;
    unsigned how;
    const char *method, *path; /* of the route, with {cloud}/{product}/{device} to be filled in */
    const char
        *scalar; /* the member that a bare value stands for: {"do": "advance", "advance": 5} */
    const char *about;
};
extern const struct sky_step_row sky_step_rows[];
extern const size_t sky_step_row_count;

/* INVALID: `why` has the pointer, with `at` in front. Sets what it tells of its case. */
SKY_MUST_USE sky_err sky_step_check(const cJSON *step, const char *at,
                                    const struct sky_catalogue *rules, sky_suite_check_fn *check,
                                    struct sky_suite_case *of, struct sky_why *why);

enum { SKY_STEP_SAID_MAX = 200 }; /* bytes of what is said of one */

/* The row of a step that was checked. */
const struct sky_step_row *sky_step_row(const cJSON *step);
/* How long a `wait` takes. */
int64_t sky_step_ms(const cJSON *step);
/* A peer is nobody's device yet where this fault is: where connections and handshakes begin, and
 * among all datagrams of a listener that it names. */
bool sky_step_is_at_the_door(const cJSON *fault);
/* What it is about: a new object, which the caller frees. */
cJSON *sky_step_body(const cJSON *step, const struct sky_step_row *row);

/* Texts of a step may have ${cloud}, ${product}, ${device} (and the vendors' words: ${productKey},
 * ${productId}, ${deviceName}, ${deviceKey}), ${now}: the real time at which the case began, in
 * seconds since 1970, so that something is new in each run, and ${topic}: a topic that the device
 * has subscribed to. Of a step's own copy. False: it wants a topic, and there is none (NULL). */
struct sky_step_names {
    const char *cloud, *product, *device, *now, *topic;
};
SKY_MUST_USE bool sky_step_fill_in(cJSON *step, const struct sky_step_names *names);
/* The path of its route with the names in it, as a URL has them, and a NUL behind it. */
void sky_step_path(const struct sky_step_row *row, const struct sky_step_names *names,
                   struct sky_buf *out);
/* In a few words: "expect connect", "fault connack withhold"; SKY_STEP_SAID_MAX bytes will do. */
void sky_step_say(const cJSON *step, struct sky_buf *out);

#endif
