/* The journal of a running server, read page by page over its admin API. */
#ifndef SKY_SERVER_CLI_EVENTS_H
#define SKY_SERVER_CLI_EVENTS_H

#include <stdio.h>

#include "protocol/base/json_tree.h"
#include "server/os/config.h"

typedef void sky_cli_event_fn(void *ctx, const cJSON *event);

/* Calls `each` for every event of config->device and config->types (NULL: any) that the server at
 * `url` has, oldest first; with `follow` for those to come too, until the server is gone. */
SKY_MUST_USE sky_err sky_cli_each_event(const struct sky_config *config, const char *url,
                                        bool follow, sky_cli_event_fn *each, void *ctx,
                                        struct sky_why *why);

/* What `exec` and `suite run` tell of all events of the run: in the file that config names, and
 * refusals to the workflow that reads what is printed. Returns the exit status. */
int sky_cli_tell_events(const struct sky_config *config, const char *url);

void sky_cli_print_json_line(FILE *out, const cJSON *value);

#endif
