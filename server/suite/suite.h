/* Device suites: files that say what the cloud does to a device and what the device must do then.
 * This is their form: parsed, checked, and as values; nothing is run here. Their language is
 * documented by the table of steps (steps.h), the table of measures (measure.h) and
 * fixtures/suites/suite.schema.json, which a test holds against both. */
#ifndef SKY_SERVER_SUITE_SUITE_H
#define SKY_SERVER_SUITE_SUITE_H

#include "protocol/base/json_tree.h"
#include "protocol/base/rule.h"
#include "server/os/embedded.h"

enum {
    SKY_SUITE_NAME_MAX = 64,      /* characters of a suite's name, and of a case's id */
    SKY_SUITE_TEXT_MAX = 1000,    /* bytes of a title, a source */
    SKY_SUITE_CASES_MAX = 500,    /* of one suite */
    SKY_SUITE_STEPS_MAX = 100,    /* of one case */
    SKY_SUITE_INCLUDES_MAX = 50,  /* suites that one is made of */
    SKY_SUITE_FILE_MAX = 1 << 20, /* bytes */
    SKY_SUITE_DEPTH_MAX = 32,     /* of its JSON */
    SKY_SUITE_TIMEOUT_MS = 30000, /* real time of a case that names none */
    SKY_SUITE_TIMEOUT_MAX_MS = 24 * 3600 * 1000,
};

/* How a case, or a step of it, ended. The worst of a run decides: as in the order here, but that a
 * case that was not exercised weighs less than one that failed. */
enum sky_grade {
    SKY_GRADE_PASSED,
    SKY_GRADE_WARNED,
    SKY_GRADE_IDLE, /* "not exercised": the device did nothing, or too little to tell */
    SKY_GRADE_FAILED,
    SKY_GRADES,
};
const char *
sky_grade_name(enum sky_grade grade); /* "passed", "warned", "not exercised", "failed" */
SKY_MUST_USE bool sky_grade_parse(const char *name, enum sky_grade *ret_grade);

/* Which devices a suite or case is for; all views of the suite's tree. */
struct sky_suite_fits {       /* arrays; NULL: any */
    const cJSON *clouds;      /* their names */
    const cJSON *nodes;       /* "device", "gateway", "sub-device" */
    const cJSON *activations; /* "static", "dynamic": how the device comes by its secret */
    const cJSON *holds;       /* "config", "model": what its product has, all of it */
    const cJSON *transports;  /* "tcp", "tls", "dtls", ...: by which it came last */
    const cJSON *trusts;      /* "certificate", "psk": by what it trusts the server, over TLS */
};
/* `transports`: a bit for each, 1 << enum sky_transport, by which the device was seen to come; 0:
 * it may come by any. `psk`: by a pre-shared key. NULL, or what the device does not do of it. */
const cJSON *sky_suite_misfit(const struct sky_suite_fits *fits, unsigned transports, bool psk);

struct sky_suite_case {
    const char *id, *title, *source; /* `source` may be "" */
    int64_t timeout_ms;              /* real time */
    struct sky_suite_fits fits;      /* the suite's, and its own */
    bool is_special;                 /* it has some of its own */
    const cJSON *steps;              /* an array, checked */
    bool alone;     /* moves the clock, or cannot tell its device from others: nothing beside it */
    bool strangers; /* what nobody's device did may be the device's: handshakes that failed */
    bool runs;      /* has a step that only a runner can do */
};

struct sky_suite {
    cJSON *tree; /* owned; everything else is a view of it */
    const char *name, *title;
    const cJSON *includes; /* names of the suites it is made of, an array; NULL: it has cases */
    struct sky_suite_fits fits;
    size_t count;
    struct sky_suite_case *cases; /* owned */
};

/* Is that the text of a suite, and not of fixtures? Whether it is a good one is another matter. */
bool sky_suite_is_one(const cJSON *tree);

/* Whether a body is one that a route takes is known to the admin API: INVALID, and `why` has the
 * pointer, with `at` in front. */
typedef sky_err sky_suite_check_fn(const char *method, const char *path, const cJSON *body,
                                   const char *at, struct sky_why *why);

/* Something is wrong with a suite: `why` has the JSON pointer and the reason. */
typedef void sky_suite_wrong_fn(void *ctx, const struct sky_why *why);

struct sky_suite_reader {
    const struct sky_catalogue *rules; /* those that patterns may name */
    sky_suite_check_fn *check;
    sky_suite_wrong_fn *wrong; /* is told everything; NULL: the first is enough */
    void *ctx;
};

/* Takes the tree over, also on failure: INVALID, and `why` has the first thing that is wrong. */
SKY_MUST_USE sky_err sky_suite_init(struct sky_suite *suite, cJSON *tree,
                                    const struct sky_suite_reader *reader, struct sky_why *why);
void sky_suite_done(struct sky_suite *suite);

/* Does the word mean this case? It is its id, or SUITE/ID. */
bool sky_suite_case_is(const char *suite, const char *id, const char *word);

/* ---- the built-in ones: fixtures/suites/NAME.json ---- */

extern const struct sky_embedded sky_builtin_suites[];
extern const size_t sky_builtin_suites_count;
const struct sky_embedded *sky_builtin_suite_find(const char *name); /* NULL: none */
/* As a new tree, which the caller frees. */
cJSON *sky_builtin_suite_tree(const struct sky_embedded *builtin);

/* What is told of a suite in a list: {"suite", "title", "suites", "cases": [{"case", "title",
 * "source"}..]}, as a new tree, which the caller frees. */
cJSON *sky_suite_describe(const cJSON *tree);

#endif
