/* What kind of patience a device has: the class of the intervals between the end of a connection
 * and its next CONNECT. Pure: intervals in, class out; whoever measures asks here.
 *
 * What is measured is never what was meant. To the device's wait comes what its connecting takes
 * (milliseconds on a loopback, hundreds with TLS), and timers are late, never early. So two
 * intervals are taken for the same when they differ by no more than SKY_INTERVALS_SLACK_MS and
 * SKY_INTERVALS_SLACK percent of the longer: a busy machine stays below it, and chance that is
 * meant, a tenth of the wait or more, is above it.
 *
 * Attempts come in ramps: a device that got through starts anew. A ramp begins behind a connection
 * on which the device had acted, or, where that gives none long enough, wherever the same sequence
 * begins again. Of each ramp the first interval may be shorter (many devices try once at once), and
 * the end may stand still at a longest wait. The longest ramp decides, of two the later. */
#ifndef SKY_SERVER_JUDGE_INTERVALS_H
#define SKY_SERVER_JUDGE_INTERVALS_H

#include "server/registry/behaviour.h"

enum {
    SKY_INTERVALS_MIN = 3,        /* two make one ratio and one difference: any growth fits them */
    SKY_INTERVALS_JITTER_MIN = 4, /* three grow by chance alone in one of six cases */
    SKY_INTERVALS_SLACK_MS = 60,
    SKY_INTERVALS_SLACK = 4,                /* percent */
    SKY_INTERVALS_CONNECTING_MAX_MS = 5000, /* that may be a part of each interval */
    /* Growth by a factor, in percent: below it, ten attempts take hardly ten times the first wait;
     * above it no back-off is known to go. */
    SKY_INTERVALS_FACTOR_MIN = 130,
    SKY_INTERVALS_FACTOR_MAX = 500,
    SKY_INTERVALS_GROWTH_MIN = 4, /* times the first, where chance is in it */
};

/* From the worst for a cloud to the best. */
enum sky_interval_class {
    SKY_INTERVALS_NONE,        /* too few, or no order in them */
    SKY_INTERVALS_CONSTANT,    /* they do not grow: three of four the same, or none twice another */
    SKY_INTERVALS_LINEAR,      /* each is longer than the last by the same */
    SKY_INTERVALS_EXPONENTIAL, /* by the same factor */
    /* They grow as much, each with chance in it, so that a thousand devices do not come back at
     * one moment. */
    SKY_INTERVALS_EXPONENTIAL_JITTER,
};

/* "none", "constant", "linear", "exponential", "exponential-jitter" */
const char *sky_interval_class_name(enum sky_interval_class kind);
SKY_MUST_USE bool sky_interval_class_parse(const char *name, enum sky_interval_class *ret_kind);

/* Not more than SKY_BEHAVIOUR_INTERVALS_MAX of them; the oldest come first. */
enum sky_interval_class sky_intervals_class(const struct sky_interval *intervals, size_t count);

#endif
