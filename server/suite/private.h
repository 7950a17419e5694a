/* A run and a case at work, for run.c and case.c only. */
#ifndef SKY_SERVER_SUITE_PRIVATE_H
#define SKY_SERVER_SUITE_PRIVATE_H

#include "server/judge/search.h"
#include "server/suite/host.h"
#include "server/suite/measure.h"
#include "server/suite/steps.h"

struct sky_case;

struct sky_run_device {
    char name[SKY_DEVICE_NAME_MAX + 1];
    struct sky_product product;
    struct sky_device device;
    struct sky_suite_where where;
    struct sky_case *active; /* owned; NULL: none of its cases is at work */
    size_t next;             /* no item before that one waits for it */
    bool seen, gone;         /* ever in this run; is not waited for any more */
    bool ended;              /* whoever ran it said that it will not come back */
    int64_t silent_ms;       /* real time of its cases since it was last heard of */
};

/* A case that is to be run with a device. */
struct sky_run_item {
    const struct sky_suite *suite;
    const struct sky_suite_case *what;
    bool may_miss; /* left out where it does not fit: nobody asked for it by its name */
    size_t device;
    cJSON *shown; /* in the document */
};

struct sky_run {
    struct sky_suites *suites;
    int64_t id;
    cJSON *document, *cases;  /* owned; a part of it */
    struct sky_suite *parsed; /* owned, with what they include */
    size_t parsed_count;
    struct sky_run_device *devices; /* owned */
    size_t device_count;
    struct sky_run_item *items; /* owned */
    size_t item_count, counts[SKY_GRADES];
    size_t texts;     /* bytes, as SKY_RUN_TEXTS_MAX says */
    int64_t began_ms; /* real time */
    bool runner, setup, followed, over;
    int64_t tasks; /* given out */
    struct sky_timer soon;
    struct sky_run_listener *listeners;
    struct sky_run *prev, *next;
};

struct sky_suites {
    struct sky_suite_host host;
    struct sky_run *list;
    struct sky_case *cases; /* at work, of all runs */
    int64_t last_id;
    size_t count; /* runs */
    bool alone;   /* the case at work wants to be alone */
};

/* What a case waits for. */
enum sky_case_state {
    SKY_CASE_SIGN,    /* of life, of a device that is gone */
    SKY_CASE_SETTLE,  /* that one which has come has done what it came for */
    SKY_CASE_RETURN,  /* of a device that the case before has sent away */
    SKY_CASE_SETUP,   /* the runner's command */
    SKY_CASE_STEP,    /* the next step is to be begun */
    SKY_CASE_CALL,    /* a route's answer */
    SKY_CASE_PAUSE,   /* time */
    SKY_CASE_TASK,    /* a command of the runner */
    SKY_CASE_MEASURE, /* enough to measure */
    SKY_CASE_JUDGED,  /* all events there are to be looked at */
};

struct sky_case {
    struct sky_run *run;
    struct sky_run_item *item;
    struct sky_run_device *device;
    size_t index; /* in the document */
    enum sky_case_state state;

    int step;
    const cJSON *at; /* the step at work; NULL: none yet */
    int64_t began_ms, ends_ms, asked_ms;
    bool overdue;
    bool obstacle;  /* something else than the device kept it from going on */
    uint64_t since; /* the last event before its first step */

    struct sky_timer soon, alarm, deadline; /* real time */
    struct sky_suite_call call;
    int64_t task;

    struct sky_wait follow;
    struct sky_search search;
    bool following;
    uint64_t signs, closed_seq; /* of life; of its last connection's end */
    uint64_t refusals;          /* of its logins, the last with this event, rule and finding: */
    uint64_t refused_seq;
    char refused[240];
    struct sky_measure **measures; /* owned, by step; NULL where the step is none */
    int steps;

    struct sky_snapshot kept;
    bool is_kept;
    int64_t clock_offset_ms, clock_frozen_ms;
    bool clock_frozen;
    int64_t faults[SKY_SUITE_STEPS_MAX];
    size_t fault_count;

    enum sky_grade grade; /* so far; then its own */
    char reason[1024];
    char held[400];          /* why the step at work waits for the device; "": it does not */
    cJSON *events, *figures; /* owned: told with it; NULL: none */
    int decided;             /* the step that did; -1: none */
    struct sky_case *prev, *next;
};

/* ---- a case: case.c ---- */

/* Begins the case, whose device has no other at work. */
void sky_case__begin(struct sky_run *run, struct sky_run_item *item, size_t index);
/* Ends it in the middle: told as stopped, in these words. */
void sky_case__stop(struct sky_case *one, const char *words);
/* Its device will not come back: nothing more is waited for, unless it is still there. */
void sky_case__gone(struct sky_case *one);
/* The runner is done with a task of it. */
void sky_case__task_done(struct sky_case *one, int status, const char *reason);

static inline const struct sky_suite_host *sky_case__host(const struct sky_case *one)
{
    return &one->run->suites->host;
}

static inline struct sky_clock *sky_case__clock(const struct sky_case *one)
{
    return sky_case__host(one)->registry->clock;
}

/* It has its grade, for this reason, and ends when all events that there are were looked at: what
 * the device did or did not do has a part in it. `decided` is the step that did; -1: none. */
void sky_case__settle(struct sky_case *one, enum sky_grade grade, int decided);
void sky_case__settle_with(struct sky_case *one, enum sky_grade grade, const char *fmt, ...)
    SKY_PRINTF(3, 4);
/* Keeps the device's state, to be put back. False, and settled: that is not possible. */
bool sky_case__keep(struct sky_case *one);
/* Something else than the device keeps it from going on: it was not exercised. */
void sky_case__hinder(struct sky_case *one, const char *fmt, ...) SKY_PRINTF(2, 3);
/* What it changed is as it was; all of it, or its faults alone. */
void sky_case__put_back(struct sky_case *one);
void sky_case__end_faults(struct sky_case *one);

/* ---- its steps: case_steps.c ---- */

void sky_case__step_soon(struct sky_case *one); /* the one it has come to, in the next turn */
void sky_case__go_on(struct sky_case *one);     /* to the next one */
void sky_case__show_step(struct sky_case *one, int index);
void sky_case__give_task(struct sky_case *one, const char *what, const char *command, int64_t ms);
/* All events that there are have been looked at: has the measure enough? */
void sky_case__judge_measure(struct sky_case *one);

/* ---- the run: run.c ---- */

/* Of a case that is over: its document is whole; it is freed. */
void sky_run__case_over(struct sky_case *one);
void sky_run__tell(struct sky_run *run, const char *event, const cJSON *data);
/* What the case waits for before its first step, told; NULL: it waits no more, which is not. */
void sky_run__put_waits(struct sky_run *run, size_t index, const char *what);
void sky_run__tell_case(struct sky_run *run, size_t index);

/* Is the name among these? NULL: all are. */
bool sky_run__names(const cJSON *names, const char *name);

#endif
