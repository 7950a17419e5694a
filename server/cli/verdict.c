/* `skymock verdict`: what a server thinks of its devices, printed, written as reports, compared
 * with an earlier one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/cli/baseline.h"
#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/journal/line.h"
#include "server/judge/baseline.h"
#include "server/judge/behaviour.h"
#include "server/judge/report.h"
#include "server/os/files.h"

enum { PATH_MAX_BYTES = 2048, TREE_DEPTH_MAX = 16 };

static void write_param(struct sky_buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    sky_buf_addf(path, "%s%s=", memchr(path->bytes, '?', path->len) != NULL ? "&" : "?", name);
    sky_http_add_escaped(path, value);
}

/* What is asked, where. */
struct question {
    const struct sky_config *config;
    const char *url;
    bool run;
};

/* GET /api/v1/NAME, for one device or product when one was asked for. */
static sky_err ask(const struct question *question, const char *name, struct sky_buf *body,
                   struct sky_why *why)
{
    const struct sky_config *config = question->config;
    struct sky_buf path;
    int status = 0;

    sky_buf_init(&path, PATH_MAX_BYTES);
    sky_buf_addf(&path, "/api/v1/%s", name);
    write_param(&path, "device", config->device);
    write_param(&path, "product", config->product);
    write_param(&path, "run", question->run ? "true" : NULL);
    sky_buf_add_byte(&path, '\0');
    sky_err err =
        path.overflow
            ? sky_why_set(why, SKY_ERR_LIMIT, "",
                          "--device and --product make a request line of more than %d bytes",
                          PATH_MAX_BYTES)
            : sky_http_get(question->url, path.bytes, config->admin_token, &status, body, why);
    if (err == SKY_OK && status != 200)
        err = sky_http_refused(question->url, status, sky_buf_span(body), why);
    sky_buf_done(&path);
    return err;
}

/* Reports have no length of their own, so the last bytes tell that one is whole. */
static sky_err ask_report(const struct question *question, const char *route,
                          const struct sky_report_form *form, struct sky_buf *body,
                          struct sky_why *why)
{
    sky_err err = ask(question, route, body, why);

    if (err == SKY_OK && !sky_span_ends(sky_buf_span(body), sky_span_str(form->end_mark)))
        err = sky_why_set(why, SKY_ERR_IO, "", "the server's report was cut off");
    if (err != SKY_OK)
        sky_buf_clear(body);
    return err;
}

static sky_err write_report(const struct question *question, const char *route,
                            const struct sky_report_form *form, const char *file,
                            struct sky_why *why)
{
    struct sky_why wrong;
    struct sky_buf body;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = ask_report(question, route, form, &body, &wrong);
    if (err != SKY_OK)
        err = sky_why_set(why, err, "", "%.150s is not written: %.150s", file, wrong.reason);
    else
        err = sky_files_write(file, 0644, sky_buf_span(&body), why);
    sky_buf_done(&body);
    return err;
}

/* All that were asked for, even if one cannot be written. */
static int write_reports(const struct question *question)
{
    const struct {
        const char *file, *route;
        const struct sky_report_form *form;
    } reports[] = {{question->config->junit, "report.xml", &sky_report_junit},
                   {question->config->html, "report.html", &sky_report_html},
                   {question->config->json_file, "report.json", &sky_report_json}};
    int status = SKY_EXIT_OK;
    struct sky_why why;

    for (size_t i = 0; i < SKY_COUNT(reports); i++)
        if (reports[i].file != NULL && write_report(question, reports[i].route, reports[i].form,
                                                    reports[i].file, &why) != SKY_OK)
            status = sky_cli_fail("%s", why.reason);
    return status;
}

/* ---- reading the verdicts ---- */

/* printf() of one line; what a peer has sent cannot move anybody's cursor. */
SKY_PRINTF(1, 2) static void print_shown(const char *fmt, ...)
{
    struct sky_buf shown;
    va_list args;
    char *line;

    va_start(args, fmt);
    int len = vasprintf(&line, fmt, args);
    va_end(args);
    SKY_ASSERT(len > 0 && line[len - 1] == '\n');
    line[len - 1] = '\0';
    sky_buf_init(&shown, SIZE_MAX);
    sky_text_show(&shown, sky_span_str(line), SIZE_MAX);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&shown)));
    sky_buf_done(&shown);
    free(line);
}

static void print_events(const cJSON *rule)
{
    const cJSON *count = sky_json_get(rule, "count"), *event;

    if (count == NULL)
        return;
    printf("             events (%.0f):", count->valuedouble);
    cJSON_ArrayForEach (event, sky_json_get(rule, "events"))
        printf(" %.0f", event->valuedouble);
    printf("\n");
}

static void print_line(const char *label, const char *text)
{
    if (*text != '\0')
        print_shown("             %-8s %s\n", label, text);
}

static void print_rule(const cJSON *rule)
{
    const char *verdict = sky_json_text_of(rule, "verdict");
    const cJSON *explanation = sky_json_get(rule, "explanation");

    if (strcmp(verdict, "failed") != 0 && strcmp(verdict, "warned") != 0)
        return;
    printf("    %-8s %s: %s\n", verdict, sky_json_text_of(rule, "id"),
           sky_json_text_of(rule, "statement"));
    print_line("mistake:", sky_json_text_of(rule, "mistake"));
    print_line("found:", sky_json_text_of(rule, "detail"));
    print_line("", sky_json_text_of(rule, "what"));
    print_line("due:", sky_json_text_of(explanation, "signedText"));
    print_line("signed:", sky_json_text_of(explanation, "sentText"));
    print_line("hint:", sky_json_text_of(rule, "hint"));
    print_events(rule);
}

/* How the device behaves, where it was told. */
static void print_profile(const cJSON *profile)
{
    struct sky_buf json, text;

    if (profile == NULL)
        return;
    sky_buf_init(&json, SIZE_MAX);
    sky_buf_init(&text, SIZE_MAX);
    if (sky_json_print(&json, profile))
        sky_behaviour_tell(sky_buf_span(&json), "    ", &text);
    printf("%.*s", SKY_SPAN_ARGS(sky_buf_span(&text)));
    sky_buf_done(&json);
    sky_buf_done(&text);
}

/* Never green by silence: a device that showed nothing has no verdict, and no device neither. */
static int exit_of(const struct sky_config *config, const char *verdict)
{
    if (strcmp(verdict, "passed") == 0)
        return SKY_EXIT_OK;
    if (strcmp(verdict, "warned") == 0)
        return config->strict ? SKY_EXIT_NO : SKY_EXIT_OK;
    return strcmp(verdict, "failed") == 0 ? SKY_EXIT_NO : SKY_EXIT_TROUBLE;
}

static void print_verdicts(const cJSON *tree)
{
    const cJSON *device, *rule, *lost = sky_json_get(tree, "lost");

    cJSON_ArrayForEach (device, sky_json_get(tree, "devices")) {
        print_shown("%-14s %s%s\n", sky_json_text_of(device, "verdict"),
                    sky_json_text_of(device, "device"),
                    cJSON_IsFalse(sky_json_get(device, "registered")) ? " (not registered)" : "");
        cJSON_ArrayForEach (rule, sky_json_get(device, "rules"))
            print_rule(rule);
        print_profile(sky_json_get(device, "profile"));
    }
    if (lost != NULL)
        printf("%.0f more that were no device are not shown\n", lost->valuedouble);
    printf("verdict: %s\n", sky_json_text_of(tree, "verdict"));
}

static int print_answer(const struct sky_config *config, const struct sky_buf *body)
{
    struct sky_why why;
    cJSON *tree;

    if (sky_json_parse(sky_buf_span(body), TREE_DEPTH_MAX, &tree, &why) != SKY_OK)
        return sky_cli_fail("the server's answer is not JSON: %s", why.reason);
    int status = exit_of(config, sky_json_text_of(tree, "verdict"));
    print_verdicts(tree);
    cJSON_Delete(tree);
    return status;
}

/* Compares with the report that was read before; a verdict that says no says it already. */
static int tell_baseline(const struct question *question, sky_span before)
{
    struct sky_buf body;
    struct sky_why why;
    int status;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = ask(question, "report.json", &body, &why);
    if (err == SKY_OK)
        err = sky_baseline_check(sky_buf_span(&body), &why);
    status = err == SKY_OK
                 ? sky_cli_baseline_tell(question->config->baseline, before, sky_buf_span(&body))
                 : sky_cli_fail("report.json: %s", why.reason);
    sky_buf_done(&body);
    return status;
}

static int tell_all(const struct question *question, sky_span before)
{
    struct sky_buf body;
    struct sky_why why;
    int status;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (ask(question, "verdicts", &body, &why) != SKY_OK) {
        status = sky_cli_fail("%s", why.reason);
    } else {
        status = print_answer(question->config, &body);
        int compared = before.len > 0 ? tell_baseline(question, before) : SKY_EXIT_OK;
        if (status == SKY_EXIT_OK || compared == SKY_EXIT_TROUBLE)
            status = compared;
        if (write_reports(question) != SKY_EXIT_OK)
            status = SKY_EXIT_TROUBLE;
    }
    sky_buf_done(&body);
    return status;
}

/* The baseline is read first: it may be the file that is written in the end. */
static int tell(const struct question *question)
{
    const char *baseline = question->config->baseline;
    struct sky_buf before;
    struct sky_why why;
    int status;

    sky_buf_init(&before, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (baseline != NULL && sky_cli_baseline_read(baseline, &before, &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    else
        status = tell_all(question, sky_buf_span(&before));
    sky_buf_done(&before);
    return status;
}

int sky_cli_ask_verdict(const struct sky_config *config, const char *url)
{
    const struct question question = {config, url, true};
    return tell(&question);
}

sky_err sky_cli_ask_page(const struct sky_config *config, const char *url, struct sky_buf *ret_page,
                         struct sky_why *why)
{
    const struct question question = {config, url, true};
    return ask_report(&question, "report.html", &sky_report_html, ret_page, why);
}

int sky_cli_ask_baseline(const struct sky_config *config, const char *url, sky_span before)
{
    const struct question question = {config, url, true};
    return tell_baseline(&question, before);
}

int sky_cli_verdict(const struct sky_config *config)
{
    const struct question question = {config, config->url, config->run};
    struct sky_why why;

    if (sky_cli_check_whom(config, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    return tell(&question);
}
