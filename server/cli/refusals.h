/* A line on standard error for each refusal, while `skymock serve` runs. Rate-limited, and says so;
 * looks at the journal once a turn of the loop, and only when a rule was broken in it. */
#ifndef SKY_SERVER_CLI_REFUSALS_H
#define SKY_SERVER_CLI_REFUSALS_H

#include "server/app.h"
#include "server/journal/json.h"

enum {
    SKY_REFUSAL_LINE_MAX = 4096, /* PIPE_BUF: written whole or not at all */
    SKY_REFUSALS_BURST = 20,     /* lines at once, */
    SKY_REFUSALS_EACH_MS = 200,  /* and then one in each of these (real time) */
    SKY_REFUSALS_REST_MS = 1000, /* after which those that were not shown are counted */
};

struct sky_cli_refusals {
    struct sky_app *app; /* borrowed */
    struct sky_device_names names;
    uint64_t seen;       /* the last event looked at */
    uint64_t findings;   /* of the journal, when it was */
    uint32_t connection; /* of the last refusal */
    int64_t lines;       /* that may be printed now */
    int64_t earned_ms;   /* real time of the last one earned */
    uint64_t hidden;     /* refusals since they were last counted aloud */
    struct sky_timer rest;
};

/* From now on. `refusals` is all zeros, which are not touched where there is nothing yet to say,
 * and must outlive the app's run. */
void sky_cli_refusals_open(struct sky_cli_refusals *refusals, struct sky_app *app);

#endif
