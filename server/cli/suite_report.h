/* What is told of a run of suites as it goes on: a line for each case on the terminal, and the
 * files that are wanted, which say at any moment how far it has come. Holds the run's document;
 * knows neither the server nor the commands. */
#ifndef SKY_SERVER_CLI_SUITE_REPORT_H
#define SKY_SERVER_CLI_SUITE_REPORT_H

#include "protocol/base/json_tree.h"
#include "server/os/config.h"

enum { SKY_SUITE_REPORT_WAITS_MS = 3000 }; /* so long a case may wait before it is told of */

struct sky_suite_report {
    const struct sky_config *config;
    cJSON *run;       /* owned: the document (server/suite/result.h) as far as it is known */
    bool terminal;    /* whoever looks at it wants to see what is at work */
    bool shows;       /* such a line stands there */
    int64_t began_us; /* machine time */
    bool stale;       /* the files say less than the document */
    int64_t waits_ms; /* real time when cases that wait are told of; 0: none does */
};

void sky_suite_report_init(struct sky_suite_report *report, const struct sky_config *config);
void sky_suite_report_done(struct sky_suite_report *report);

/* What the server told: the whole document, in the beginning and in the end, a case with its index,
 * a step with it. Take the tree over. */
void sky_suite_report_take_run(struct sky_suite_report *report, cJSON *run);
void sky_suite_report_take_case(struct sky_suite_report *report, cJSON *one_case);
void sky_suite_report_take_step(struct sky_suite_report *report, cJSON *told);

/* The case of that index; NULL: there is none. */
const cJSON *sky_suite_report_case(const struct sky_suite_report *report, const cJSON *index);

/* The run was ended from outside; the words say why. */
void sky_suite_report_interrupt(struct sky_suite_report *report, const char *words);
/* The same, and nobody tells any more what became of the cases at work. */
void sky_suite_report_lose(struct sky_suite_report *report, const char *words);

/* Whoever looks on is told, when it takes long, what cases wait for. */
void sky_suite_report_waits(struct sky_suite_report *report);
/* Something that whoever looks on should know now. */
void sky_suite_report_say(struct sky_suite_report *report, const char *words);
/* Makes the files say what is known, while the run goes on. */
void sky_suite_report_keep(struct sky_suite_report *report);
/* Prints the summary and writes the files as they stay; `page` is report.html, empty if there is no
 * server to write it. Returns the exit status of the run. */
int sky_suite_report_end(struct sky_suite_report *report, sky_span page);

#endif
