/* What a run came to: its exit status and its lines. */
#include "server/suite/result.h"

#include <string.h>

#include "server/journal/line.h"
#include "server/suite/result_view.h"

enum { SHOWN_MAX = 2000 }; /* bytes of one text in a line */

void sky_result_put_counts(cJSON *run, const size_t counts[SKY_GRADES])
{
    static const char *const names[] = {[SKY_GRADE_PASSED] = "passed",
                                        [SKY_GRADE_WARNED] = "warned",
                                        [SKY_GRADE_IDLE] = "notExercised",
                                        [SKY_GRADE_FAILED] = "failed"};
    enum sky_grade worst = SKY_GRADE_PASSED;
    size_t counted = 0;
    cJSON *told = cJSON_CreateObject();
    for (size_t i = 0; i < SKY_GRADES; i++) {
        cJSON_AddNumberToObject(told, names[i], (double)counts[i]);
        counted += counts[i];
        if (counts[i] > 0)
            worst = (enum sky_grade)i;
    }
    sky_json_put(run, "counts", told);
    sky_json_put(run, "verdict",
                 cJSON_CreateString(sky_grade_name(counted > 0 ? worst : SKY_GRADE_IDLE)));
}

int sky_result_exit(const cJSON *run)
{
    sky_result_counts counts;
    sky_result__count(run, counts);
    if (counts[SKY_GRADE_FAILED] > 0)
        return 1;
    return counts[SKY_GRADE_IDLE] > 0 || counts[SKY_GRADES] > 0 ||
                   counts[SKY_GRADE_PASSED] + counts[SKY_GRADE_WARNED] == 0 ||
                   sky_result__interrupted(run) != NULL
               ? 2
               : 0;
}

/* ---- lines ---- */

static void show(struct sky_buf *out, const char *text)
{
    sky_text_show(out, sky_span_str(text), SHOWN_MAX);
}

void sky_result_line(const cJSON *one_case, bool several_devices, struct sky_buf *out)
{
    struct sky_result_view view = sky_result__case(one_case);
    const cJSON *note;
    sky_buf_addf(out, "%-13s  ", sky_result__verdict(&view));
    show(out, view.suite);
    sky_buf_add_byte(out, '/');
    show(out, view.id);
    if (several_devices) {
        sky_buf_add_byte(out, ' ');
        show(out, view.device);
    }
    if (view.ms >= 0) {
        sky_buf_add_str(out, " (");
        sky_result__time(view.ms, out);
        sky_buf_add_byte(out, ')');
    }
    const char *before = ": ";
    if (*view.reason != '\0') {
        sky_buf_add_str(out, before);
        show(out, view.reason);
        before = "; ";
    }
    cJSON_ArrayForEach (note, sky_result__list(one_case, "notes")) {
        if (!cJSON_IsString(note) ||
            sky_span_contains(sky_span_str(view.reason), sky_span_str(note->valuestring)))
            continue; /* or the reason has it */
        sky_buf_add_str(out, before);
        show(out, note->valuestring);
        before = "; ";
    }
}

void sky_result_summary(const cJSON *run, struct sky_buf *out)
{
    static const struct {
        size_t which;
        const char *name;
        bool always;
    } parts[] = {{SKY_GRADE_PASSED, "passed", true},
                 {SKY_GRADE_WARNED, "warned", false},
                 {SKY_GRADE_FAILED, "failed", true},
                 {SKY_GRADE_IDLE, "not exercised", true},
                 {SKY_GRADES, "not ended", false}};
    sky_result_counts counts;
    const char *interrupted = sky_result__interrupted(run), *comma = "";
    int64_t ms = sky_result__number(run, "ms");
    sky_result__count(run, counts);
    bool failed = counts[SKY_GRADE_FAILED] > 0;
    sky_buf_addf(out, "%s: ", sky_result__worst(run, counts));
    if (interrupted != NULL && !failed) {
        show(out, interrupted);
        sky_buf_add_str(out, "; ");
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (counts[parts[i].which] == 0 && !parts[i].always)
            continue;
        sky_buf_addf(out, "%s%zu %s", comma, counts[parts[i].which], parts[i].name);
        comma = ", ";
    }
    if (ms >= 0) {
        sky_buf_add_str(out, " in ");
        sky_result__time(ms, out);
    }
    size_t left = sky_result__left(run);
    if (left > 0)
        sky_buf_addf(out, "; %zu left out, for devices of another kind", left);
    if (interrupted != NULL && failed) {
        sky_buf_add_str(out, "; interrupted: ");
        show(out, interrupted);
    }
}
