/* What became of a run of suites: one JSON document, which the API answers with, the stream tells
 * piece by piece, and all forms for people and machines are made from.
 *
 * {"format": 1, "id", "state": "running" | "ended" | "stopped", "interrupted"?: SENTENCE,
 *  "started": TEXT, "startedUnixMs", "ms": real time it took, "verdict": GRADE,
 *  "counts": {"passed", "warned", "failed", "notExercised"}, "devices": [NAME..],
 *  "suites": [{"suite", "title"}..],
 *  "cases": [{"suite", "case", "title", "source", "device",
 *             "state": "waiting" | "running" | "ended" | "stopped" (in the middle, or not begun) |
 *                      "left" (it does not fit the device; it does not count),
 *             "verdict"?: GRADE, "ms"?, "reason"?: SENTENCE, "events"?: [SEQ..], "since"?: SEQ,
 *             "waits"?: WORDS: what it waits for before its first step: the device, another run,
 *             "step"?: {"index", "name", "text"}: the one that decided, or is at work,
 *             "measures"?: [as measure.h], "notes"?: [SENTENCE..]}..]}
 *
 * GRADE is a name of enum sky_grade. The verdict of a run is the exit status in words: failed, not
 * exercised, warned, passed, whichever first. */
#ifndef SKY_SERVER_SUITE_RESULT_H
#define SKY_SERVER_SUITE_RESULT_H

#include "protocol/base/buf.h"
#include "server/suite/suite.h"

/* Puts into a run's document how many of its cases ended so, and the verdict of that: "not
 * exercised" when none did. */
void sky_result_put_counts(cJSON *run, const size_t counts[SKY_GRADES]);

/* The status that `skymock suite run` exits with: 0, 1 (a case failed), 2 (one was not exercised,
 * or the run was interrupted). */
int sky_result_exit(const cJSON *run);

/* A line, without its end, for a case that has ended: verdict, suite/case, device, time, reason. */
void sky_result_line(const cJSON *one_case, bool several_devices, struct sky_buf *out);
/* The last line. */
void sky_result_summary(const cJSON *run, struct sky_buf *out);

/* JUnit: a test suite for each suite (and device, if there are several), a test case for each case;
 * failed: a failure; not exercised: skipped; what did not end: an error. */
void sky_result_junit(const cJSON *run, struct sky_buf *out);
/* A section of report.html: an open document gets it. */
void sky_result_html(const cJSON *run, struct sky_buf *out);
/* Forms in pieces, for a report that is told a slice at a time: the beginning, each case in order,
 * the end. `run` may be NULL at the end, when it was forgotten meanwhile. */
struct sky_result_form {
    void (*begin)(const cJSON *run, struct sky_buf *out);
    void (*one_case)(const cJSON *one_case, bool first, struct sky_buf *out);
    void (*end)(const cJSON *run, struct sky_buf *out);
};
extern const struct sky_result_form sky_result_page, sky_result_json;

#endif
