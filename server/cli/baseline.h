/* `--baseline`: an earlier report on disk, and what became worse since. */
#ifndef SKY_SERVER_CLI_BASELINE_H
#define SKY_SERVER_CLI_BASELINE_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "server/os/config.h"

/* Appends the report to `out`; `why` names the file. */
SKY_MUST_USE sky_err sky_cli_baseline_read(const char *path, struct sky_buf *out,
                                           struct sky_why *why);

/* One that cannot be compared with is told before a command takes its time. True without one. */
bool sky_cli_baseline_is_good(const struct sky_config *config);

/* Prints how the report at hand differs from the one before. Returns the exit status: NO when
 * something got worse. */
int sky_cli_baseline_tell(const char *path, sky_span before, sky_span after);

#endif
