/* What a party's conduct comes to, rule by rule. Pure: conduct in, verdicts out. */
#ifndef SKY_SERVER_JUDGE_VERDICTS_H
#define SKY_SERVER_JUDGE_VERDICTS_H

#include "protocol/base/rule.h"
#include "server/registry/conduct.h"

enum sky_verdict {
    SKY_VERDICT_NOT_EXERCISED, /* nothing the device did touched it: never green by silence */
    SKY_VERDICT_PASSED,
    SKY_VERDICT_WARNED,
    SKY_VERDICT_FAILED,
};

/* "not exercised", "passed", ... */
const char *sky_verdict_name(enum sky_verdict verdict);

/* Does this rule speak of devices of that cloud: its own rules, and those of no cloud? */
bool sky_verdict_concerns(const struct sky_catalogue *catalogue, size_t rule,
                          const struct sky_cloud *cloud);

/* A rule once broken stays broken: failed when the device was refused for it, whatever its
 * severity. Else one of severity info is only a remark. */
enum sky_verdict sky_verdict_of_rule(const struct sky_catalogue *catalogue, size_t rule,
                                     const struct sky_conduct *conduct);

/* The worst of the rules of its cloud, of no cloud, and of whatever it broke. Not exercised when
 * all are. `cloud` NULL: unknown. */
enum sky_verdict sky_verdict_of_party(const struct sky_catalogue *catalogue,
                                      const struct sky_cloud *cloud,
                                      const struct sky_conduct *conduct);

/* Of several parties. None: not exercised. */
static inline enum sky_verdict sky_verdict_worse(enum sky_verdict a, enum sky_verdict b)
{
    return a > b ? a : b;
}

#endif
