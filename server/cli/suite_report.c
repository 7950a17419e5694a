#include "server/cli/suite_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "protocol/base/mem.h"
#include "server/cli/cli.h"
#include "server/journal/line.h"
#include "server/judge/report.h"
#include "server/os/clock.h"
#include "server/os/files.h"
#include "server/os/help.h"
#include "server/suite/result.h"

void sky_suite_report_init(struct sky_suite_report *report, const struct sky_config *config)
{
    *report = (struct sky_suite_report){.config = config,
                                        .run = cJSON_CreateObject(),
                                        .terminal = !config->quiet && isatty(STDOUT_FILENO) == 1};
}

void sky_suite_report_done(struct sky_suite_report *report)
{
    cJSON_Delete(report->run);
    report->run = NULL;
}

/* ---- the terminal ---- */

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : SKY_HELP_WIDTH;
}

static void hide_progress(struct sky_suite_report *report)
{
    if (report->shows)
        fputs("\r\033[K", stdout);
    report->shows = false;
}

/* A line of its own, for good. */
static void print_line(struct sky_suite_report *report, const struct sky_buf *line)
{
    hide_progress(report);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(line)));
    fflush(stdout);
}

void sky_suite_report_say(struct sky_suite_report *report, const char *words)
{
    hide_progress(report);
    fflush(stdout);
    sky_cli_fail("%s", words);
}

static bool is_state(const cJSON *one_case, const char *state)
{
    return strcmp(sky_json_text_of(one_case, "state"), state) == 0;
}

static bool is_over(const cJSON *one_case)
{
    return !is_state(one_case, "waiting") && !is_state(one_case, "running");
}

/* The case at work in a line that the next one replaces. */
static void show_progress(struct sky_suite_report *report, const cJSON *one_case)
{
    const cJSON *step = sky_json_get(one_case, "step");
    const cJSON *each, *cases = sky_json_get(report->run, "cases");
    struct sky_buf line, shown;
    int over = 0;

    if (!report->terminal)
        return;
    cJSON_ArrayForEach (each, cases)
        over += is_over(each);
    sky_buf_init(&line, SIZE_MAX);
    sky_buf_init(&shown, SIZE_MAX);
    sky_buf_addf(&line, "%d/%d  %s/%s", over, cJSON_GetArraySize(cases),
                 sky_json_text_of(one_case, "suite"), sky_json_text_of(one_case, "case"));
    if (step != NULL)
        sky_buf_addf(&line, "  %s", sky_json_text_of(step, "text"));
    else if (sky_json_get(one_case, "waits") != NULL)
        sky_buf_addf(&line, "  waits %s", sky_json_text_of(one_case, "waits"));
    sky_text_show(&shown, sky_buf_span(&line), SIZE_MAX);
    size_t len = shown.len < terminal_width() ? shown.len : terminal_width() - 1;
    printf("\r%.*s\033[K", SKY_SPAN_ARGS(sky_span_head(sky_buf_span(&shown), len)));
    fflush(stdout);
    report->shows = true;
    sky_buf_done(&shown);
    sky_buf_done(&line);
}

static void print_case(struct sky_suite_report *report, const cJSON *one_case)
{
    struct sky_buf line;

    if (strcmp(sky_json_text_of(one_case, "state"), "left") == 0)
        return; /* the summary counts them */
    if (report->config->quiet && strcmp(sky_json_text_of(one_case, "verdict"), "passed") == 0)
        return;
    sky_buf_init(&line, SIZE_MAX);
    sky_result_line(one_case, cJSON_GetArraySize(sky_json_get(report->run, "devices")) > 1, &line);
    print_line(report, &line);
    if (report->config->annotates && strcmp(sky_json_text_of(one_case, "verdict"), "failed") == 0) {
        struct sky_buf annotation;
        sky_buf_init(&annotation, SIZE_MAX);
        sky_text_annotate(&annotation, SKY_SPAN("suite"), sky_buf_span(&line));
        print_line(report, &annotation);
        sky_buf_done(&annotation);
    }
    sky_buf_done(&line);
}

/* ---- what is known ---- */

const cJSON *sky_suite_report_case(const struct sky_suite_report *report, const cJSON *index)
{
    return cJSON_IsNumber(index)
               ? cJSON_GetArrayItem(sky_json_get(report->run, "cases"), index->valueint)
               : NULL;
}

/* What the cases that are over come to: told by the server only in the end. */
static void recount(struct sky_suite_report *report)
{
    size_t counts[SKY_GRADES] = {0};
    const cJSON *each;

    cJSON_ArrayForEach (each, sky_json_get(report->run, "cases")) {
        enum sky_grade grade;
        if (is_over(each) && !is_state(each, "left") &&
            sky_grade_parse(sky_json_text_of(each, "verdict"), &grade))
            counts[grade]++;
    }
    sky_result_put_counts(report->run, counts);
}

/* The server tells how long the run took when it has ended. */
static void keep_time(struct sky_suite_report *report)
{
    int64_t now_us = sky_clock_machine_us();

    if (report->began_us == 0)
        report->began_us = now_us;
    int64_t ms = (now_us - report->began_us) / 1000;
    if (report->run != NULL && strcmp(sky_json_text_of(report->run, "state"), "running") == 0)
        sky_json_put(report->run, "ms", cJSON_CreateNumber((double)ms));
}

void sky_suite_report_take_run(struct sky_suite_report *report, cJSON *run)
{
    const cJSON *each, *before = sky_json_get(report->run, "cases");
    cJSON *old = report->run;
    int index = 0;

    report->run = run;
    report->stale = true;
    keep_time(report);
    cJSON_ArrayForEach (each, sky_json_get(run, "cases")) { /* whose end was not told alone */
        const cJSON *known = cJSON_GetArrayItem(before, index++);
        if (is_over(each) && (known == NULL || !is_over(known)))
            print_case(report, each);
    }
    cJSON_Delete(old);
}

void sky_suite_report_take_case(struct sky_suite_report *report, cJSON *one_case)
{
    cJSON *index = cJSON_DetachItemFromObjectCaseSensitive(one_case, "index");
    const cJSON *known = sky_suite_report_case(report, index);
    bool ends = known != NULL && is_over(one_case) && !is_over(known);

    if (known == NULL) {
        cJSON_Delete(one_case);
    } else {
        cJSON_ReplaceItemInArray(cJSON_GetObjectItemCaseSensitive(report->run, "cases"),
                                 index->valueint, one_case);
        report->stale = true;
        recount(report);
    }
    if (known != NULL && sky_json_get(one_case, "waits") != NULL && report->waits_ms == 0)
        report->waits_ms = sky_cli_now_ms() + SKY_SUITE_REPORT_WAITS_MS;
    if (ends)
        print_case(report, one_case);
    else if (known != NULL)
        show_progress(report, one_case);
    cJSON_Delete(index);
}

void sky_suite_report_waits(struct sky_suite_report *report)
{
    cJSON *each;

    if (report->waits_ms == 0 || sky_cli_now_ms() < report->waits_ms)
        return;
    report->waits_ms = 0;
    cJSON_ArrayForEach (each, sky_json_get(report->run, "cases")) {
        char words[512];
        if (is_over(each) || report->config->quiet || sky_json_get(each, "step") != NULL ||
            sky_json_get(each, "waits") == NULL)
            continue;
        snprintf(words, sizeof words, "%s/%s of %s waits %s", sky_json_text_of(each, "suite"),
                 sky_json_text_of(each, "case"), sky_json_text_of(each, "device"),
                 sky_json_text_of(each, "waits"));
        sky_suite_report_say(report, words);
    }
}

void sky_suite_report_take_step(struct sky_suite_report *report, cJSON *told)
{
    cJSON *one_case =
        (cJSON *)(uintptr_t)sky_suite_report_case(report, sky_json_get(told, "index"));
    cJSON *step = cJSON_DetachItemFromObjectCaseSensitive(told, "step");

    if (one_case != NULL && step != NULL) {
        sky_json_put(one_case, "step", step);
        show_progress(report, one_case);
    } else {
        cJSON_Delete(step);
    }
    cJSON_Delete(told);
}

void sky_suite_report_interrupt(struct sky_suite_report *report, const char *words)
{
    sky_json_put(report->run, "state", cJSON_CreateString("stopped"));
    sky_json_put(report->run, "interrupted", cJSON_CreateString(words));
    report->stale = true;
}

void sky_suite_report_lose(struct sky_suite_report *report, const char *words)
{
    struct sky_buf told;
    cJSON *each;
    bool within = false;

    sky_buf_init(&told, SIZE_MAX);
    sky_buf_add_str(&told, words);
    cJSON_ArrayForEach (each, sky_json_get(report->run, "cases")) {
        if (!is_state(each, "running"))
            continue;
        sky_buf_addf(&told, "%s%s/%s", within ? ", " : " in the middle of case ",
                     sky_json_text_of(each, "suite"), sky_json_text_of(each, "case"));
        within = true;
        sky_json_put(each, "state", cJSON_CreateString("stopped"));
        sky_json_put(each, "verdict", cJSON_CreateString("not exercised"));
        sky_json_put(each, "reason", cJSON_CreateString(words));
        print_case(report, each);
    }
    recount(report);
    keep_time(report);
    sky_buf_add_byte(&told, '\0');
    sky_suite_report_interrupt(report, told.bytes);
    sky_buf_done(&told);
}

/* ---- the files ---- */

static void make_json(const cJSON *run, struct sky_buf *out)
{
    sky_json_print(out, run);
    sky_buf_add_byte(out, '\n');
}

/* Without a server the cases are all that can be told of. */
static void make_page(const cJSON *run, struct sky_buf *out)
{
    sky_report_page_begin(out, sky_json_text_of(run, "verdict"));
    sky_result_html(run, out);
    sky_report_page_end(out);
}

struct form {
    const char *file;
    void (*make)(const cJSON *run, struct sky_buf *out);
    sky_span made; /* or this, as it is */
};

/* All that can be written, even if one cannot. */
static bool write_files(const struct sky_suite_report *report, bool last, sky_span page)
{
    const struct sky_config *config = report->config;
    const struct form forms[] = {{config->junit, sky_result_junit, {0}},
                                 {config->json_file, make_json, {0}},
                                 {config->html, make_page, page}};
    bool good = true;
    struct sky_buf text;
    struct sky_why why;

    for (size_t i = 0; i < SKY_COUNT(forms); i++) {
        if (forms[i].file == NULL || (!last && !sky_cli_is_file(forms[i].file)))
            continue;
        sky_buf_init(&text, SIZE_MAX);
        if (forms[i].made.len > 0)
            sky_buf_add(&text, forms[i].made);
        else
            forms[i].make(report->run, &text);
        if (sky_files_write(forms[i].file, 0644, sky_buf_span(&text), &why) != SKY_OK) {
            good = false;
            if (last)
                sky_cli_fail("%s", why.reason);
        }
        sky_buf_done(&text);
    }
    return good;
}

void sky_suite_report_keep(struct sky_suite_report *report)
{
    keep_time(report);
    if (report->stale)
        (void)write_files(report, false, (sky_span){0}); /* what is wrong is told in the end */
    report->stale = false;
}

int sky_suite_report_end(struct sky_suite_report *report, sky_span page)
{
    const cJSON *warned = sky_json_get(sky_json_get(report->run, "counts"), "warned");
    int status = sky_result_exit(report->run);
    struct sky_buf line;

    sky_buf_init(&line, SIZE_MAX);
    sky_result_summary(report->run, &line);
    print_line(report, &line);
    sky_buf_done(&line);
    if (report->config->strict && cJSON_IsNumber(warned) && warned->valueint > 0)
        status = SKY_EXIT_NO;
    return write_files(report, true, page) ? status : SKY_EXIT_TROUBLE;
}
