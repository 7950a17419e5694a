/* Runs of suites: the cases of each device one after another, of whichever runs, those of several
 * devices side by side, and alone those that move the clock. A case's steps are done by routes of
 * the admin API, its device is followed in the journal, and whatever it changed is put back. What
 * comes of it is one document (result.h) for each run.
 *
 * A case ends with the first step that fails or finds too little; what only warns lets it go on.
 * It never passes when its device did nothing. */
#ifndef SKY_SERVER_SUITE_RUN_H
#define SKY_SERVER_SUITE_RUN_H

#include "server/suite/host.h"

enum {
    SKY_RUNS_MAX = 100,            /* kept; the oldest that has ended goes first */
    SKY_RUNS_ACTIVE_MAX = 50,      /* at work */
    SKY_RUN_DEVICES_MAX = 100,     /* of one run */
    SKY_RUN_CASES_MAX = 2000,      /* of one run: cases times devices */
    SKY_RUN_TEXTS_MAX = 2 << 20,   /* bytes of their titles and sources: of each, for each device */
    SKY_RUN_NOTES_MAX = 10,        /* told with one case */
    SKY_RUN_EVENTS_MAX = 100,      /* told with one case */
    SKY_RUN_GONE_MS = 120 * 1000,  /* real time: a device that was there before and is silent for
                                      so long is not waited for any more; one that was never
                                      there is waited for in one case */
    SKY_RUN_RETURN_MS = 60 * 1000, /* real time: a device that a case has sent away may come back
                                      before the next one begins */
    SKY_RUN_GONE_WAIT_MS = 250,    /* that a case still waits then */
    SKY_RUN_SETTLE_MS = 500,       /* real time for what a device does when it has come first, */
    SKY_RUN_AGAIN_MS = 100,        /* and when it is back */
    SKY_RUN_RUNNER_MS = 60 * 1000, /* real time in which a runner must begin to follow */
    SKY_RUN_TASK_MAX_MS = 30 * 60 * 1000, /* real time of --setup, which is no part of the case */
};

struct sky_suites;

struct sky_suites *sky_suites_new(const struct sky_suite_host *host); /* copies the host */
/* Ends all that are at work. NULL is fine. */
void sky_suites_free(struct sky_suites *suites);

/* What is to be run. */
struct sky_run_order {
    struct sky_suite *suites; /* in this order; taken over, also on failure */
    size_t suite_count;
    size_t part_count; /* behind them stand so many more that were read already, for suites that are
                          made of them */
    struct sky_run_device_order {
        struct sky_product product;
        struct sky_device device;
    } * devices; /* borrowed */
    size_t device_count;
    const cJSON *cases; /* ids, or SUITE/ID, an array: only these; NULL: all */
    bool runner;        /* somebody follows who does commands */
    bool setup;         /* and has one that is to be done before each case */
};

/* Begins at the end of this turn, or when its runner follows. INVALID: `why` says what is wrong
 * with it; LIMIT: there is too much at once. */
SKY_MUST_USE sky_err sky_suites_begin(struct sky_suites *suites, const struct sky_run_order *order,
                                      sky_suite_check_fn *check, int64_t *ret_id,
                                      struct sky_why *why);
/* Ends it as it is, in these words. False: there is no such run, or it has ended. */
bool sky_suites_stop(struct sky_suites *suites, int64_t id, const char *words);
bool sky_suites_drop(struct sky_suites *suites, int64_t id); /* stopped, and forgotten */
/* Its document, up to date; NULL: there is no such run. Valid until the loop turns. */
const cJSON *sky_suites_document(struct sky_suites *suites, int64_t id);
/* The next run behind number `after` (0: the first); NULL: there are no more. */
const cJSON *sky_suites_next(struct sky_suites *suites, int64_t after, int64_t *ret_id);

/* The runner's word: a task is done with this exit status. False: it is not waited for. */
bool sky_suites_task_done(struct sky_suites *suites, int64_t id, int64_t task, int status,
                          const char *reason);
/* A sentence, told with the cases at work; `gone`: the device will not come back by itself. */
bool sky_suites_note(struct sky_suites *suites, int64_t id, const char *note, bool gone);

/* Whoever wants to know how a run goes on. Embedded. */
struct sky_run_listener {
    /* `event`: case, step, task, end; the document of it, as result.h, printed. */
    void (*tell)(struct sky_run_listener *listener, const char *event, sky_span data);
    struct sky_run_listener *prev, *next;
};
/* Of a run that is there. True: this is its runner, and now it begins. */
bool sky_suites_listen(struct sky_suites *suites, int64_t id, struct sky_run_listener *listener);
void sky_suites_unlisten(struct sky_suites *suites, int64_t id, struct sky_run_listener *listener);

#endif
