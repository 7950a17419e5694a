/* Has a device become worse since an earlier report? Two reports in, differences in words out:
 * rules that were kept and are broken, and figures of the profile beyond a stated tolerance. What
 * counts as worse is one table. Pure. */
#ifndef SKY_SERVER_JUDGE_BASELINE_H
#define SKY_SERVER_JUDGE_BASELINE_H

#include "protocol/base/json.h"

enum {
    SKY_BASELINE_DEPTH_MAX = 16,        /* of a report's JSON */
    SKY_BASELINE_HOURLY_MS = 60 * 1000, /* observed for so long, amounts are compared by the hour;
                                           what was seen for less, as it is */
};

enum sky_baseline_kind { SKY_BASELINE_WORSE, SKY_BASELINE_BETTER, SKY_BASELINE_NOTE };

/* "worse", "better", "note" */
const char *sky_baseline_kind_name(enum sky_baseline_kind kind);

/* Is told of one difference; `device` as it stands in JSON, without quotes. */
typedef void sky_baseline_tell(void *ctx, enum sky_baseline_kind kind, sky_span device,
                               const char *what);

/* Is the text a report.json of the form that is written here? INVALID. */
SKY_MUST_USE sky_err sky_baseline_check(sky_span report, struct sky_why *why);

/* Both have been checked. */
void sky_baseline_compare(sky_span before, sky_span after, sky_baseline_tell *tell, void *ctx);

#endif
