/* `--baseline` of a run of suites: an earlier run's document, whose cases are compared, or the
 * report of a server, as `exec` has it. */
#ifndef SKY_SERVER_CLI_SUITE_BASELINE_H
#define SKY_SERVER_CLI_SUITE_BASELINE_H

#include "protocol/base/json_tree.h"
#include "server/os/config.h"

struct sky_suite_baseline {
    struct sky_buf text; /* owned; empty: there is none */
    cJSON *run;          /* owned; NULL: it is no run of suites */
};

/* Reads what config names, before it may be written again. Says so, and returns false, if it cannot
 * be compared with. */
bool sky_suite_baseline_read(const struct sky_config *config,
                             struct sky_suite_baseline *ret_baseline);
void sky_suite_baseline_done(struct sky_suite_baseline *baseline);

/* Prints how `run`, which the server at `url` has had, differs. Returns the exit status: NO when
 * something has become worse. */
int sky_suite_baseline_tell(const struct sky_suite_baseline *baseline,
                            const struct sky_config *config, const char *url, const cJSON *run);

#endif
