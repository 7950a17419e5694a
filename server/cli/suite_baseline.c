#include "server/cli/suite_baseline.h"

#include <stdio.h>

#include "server/cli/baseline.h"
#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/journal/line.h"
#include "server/judge/baseline.h"
#include "server/os/files.h"
#include "server/suite/suite.h"

bool sky_suite_baseline_read(const struct sky_config *config,
                             struct sky_suite_baseline *ret_baseline)
{
    struct sky_suite_baseline *baseline = ret_baseline;
    struct sky_why why;
    cJSON *tree = NULL;

    *baseline = (struct sky_suite_baseline){.run = NULL};
    sky_buf_init(&baseline->text, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (config->baseline == NULL)
        return true;
    sky_err err = sky_files_read(config->baseline, &baseline->text, &why);
    if (err != SKY_OK) {
        sky_cli_fail("--baseline %s", why.reason);
        return false;
    }
    if (sky_json_parse(sky_buf_span(&baseline->text), SKY_JSON_DEPTH_MAX, &tree, &why) == SKY_OK &&
        cJSON_IsArray(sky_json_get(tree, "cases"))) {
        baseline->run = tree;
        return true;
    }
    cJSON_Delete(tree);
    return sky_cli_baseline_is_good(config);
}

void sky_suite_baseline_done(struct sky_suite_baseline *baseline)
{
    cJSON_Delete(baseline->run);
    sky_buf_done(&baseline->text);
    baseline->run = NULL;
}

static const cJSON *find_case(const cJSON *run, const cJSON *wanted)
{
    static const char *const keys[] = {"suite", "case", "device"};
    const cJSON *each;

    cJSON_ArrayForEach (each, sky_json_get(run, "cases")) {
        size_t same = 0;
        while (same < 3 && strcmp(sky_json_text_of(each, keys[same]),
                                  sky_json_text_of(wanted, keys[same])) == 0)
            same++;
        if (same == 3)
            return each;
    }
    return NULL;
}

/* As bad as it is, for an order; one that did not end is told of, and not compared. */
static int rank_of(const cJSON *one_case)
{
    enum sky_grade grade;

    return sky_json_get(one_case, "verdict") != NULL &&
                   strcmp(sky_json_text_of(one_case, "state"), "ended") == 0 &&
                   sky_grade_parse(sky_json_text_of(one_case, "verdict"), &grade)
               ? (int)grade
               : -1;
}

static void print_change(const char *kind, const cJSON *one_case, const char *was, const char *is)
{
    struct sky_buf line, shown;

    sky_buf_init(&line, SIZE_MAX);
    sky_buf_init(&shown, SIZE_MAX);
    sky_buf_addf(&line, "%-14s %s: %s/%s %s, is %s", kind, sky_json_text_of(one_case, "device"),
                 sky_json_text_of(one_case, "suite"), sky_json_text_of(one_case, "case"), was, is);
    sky_text_show(&shown, sky_buf_span(&line), SIZE_MAX);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&shown)));
    sky_buf_done(&shown);
    sky_buf_done(&line);
}

static int compare_runs(const char *path, const cJSON *before, const cJSON *after)
{
    size_t worse = 0, better = 0;
    const cJSON *each;

    cJSON_ArrayForEach (each, sky_json_get(before, "cases")) {
        const cJSON *now = find_case(after, each);
        int was = rank_of(each), is = now != NULL ? rank_of(now) : -1;
        char text[64];
        if (was < 0 || was == is)
            continue;
        snprintf(text, sizeof text, "was %s", sky_grade_name((enum sky_grade)was));
        if (is < 0) {
            print_change("note", each, text, now == NULL ? "not run any more" : "not ended");
            continue;
        }
        worse += is > was;
        better += is < was;
        print_change(is > was ? "worse" : "better", each, text, sky_grade_name((enum sky_grade)is));
    }
    printf("baseline %s: %zu worse, %zu better\n", path, worse, better);
    return worse > 0 ? SKY_EXIT_NO : SKY_EXIT_OK;
}

int sky_suite_baseline_tell(const struct sky_suite_baseline *baseline,
                            const struct sky_config *config, const char *url, const cJSON *run)
{
    if (baseline->run != NULL)
        return compare_runs(config->baseline, baseline->run, run);
    return baseline->text.len > 0 ? sky_cli_ask_baseline(config, url, sky_buf_span(&baseline->text))
                                  : SKY_EXIT_OK;
}
