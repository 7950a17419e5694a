#include "server/cli/baseline.h"

#include <stdio.h>

#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/journal/line.h"
#include "server/judge/baseline.h"
#include "server/os/files.h"

sky_err sky_cli_baseline_read(const char *path, struct sky_buf *out, struct sky_why *why)
{
    struct sky_why wrong;
    sky_err err = sky_files_read(path, out, why);

    if (err != SKY_OK) {
        wrong = *why;
        return sky_why_set(why, err, "", "--baseline %.280s", wrong.reason);
    }
    err = sky_baseline_check(sky_buf_span(out), &wrong);
    if (err == SKY_OK)
        return SKY_OK;
    return sky_why_set(why, err, wrong.pointer, "--baseline %s: %s%s%s", path, wrong.pointer,
                       wrong.pointer[0] != '\0' ? ": " : "", wrong.reason);
}

bool sky_cli_baseline_is_good(const struct sky_config *config)
{
    struct sky_buf report;
    struct sky_why why;

    sky_buf_init(&report, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err =
        config->baseline != NULL ? sky_cli_baseline_read(config->baseline, &report, &why) : SKY_OK;
    if (err != SKY_OK)
        sky_cli_fail("%s", why.reason);
    sky_buf_done(&report);
    return err == SKY_OK;
}

static void print(void *ctx, enum sky_baseline_kind kind, sky_span device, const char *what)
{
    size_t *counts = ctx;
    struct sky_buf name, line;

    sky_buf_init(&name, SIZE_MAX);
    sky_buf_init(&line, SIZE_MAX);
    sky_json_decode(&name, device);
    sky_buf_addf(&name, ": %s", what);
    sky_text_show(&line, sky_buf_span(&name), SIZE_MAX);
    printf("%-14s %.*s\n", sky_baseline_kind_name(kind), SKY_SPAN_ARGS(sky_buf_span(&line)));
    sky_buf_done(&name);
    sky_buf_done(&line);
    counts[kind]++;
}

int sky_cli_baseline_tell(const char *path, sky_span before, sky_span after)
{
    size_t counts[SKY_BASELINE_NOTE + 1] = {0};

    sky_baseline_compare(before, after, print, counts);
    printf("baseline %s: %zu worse, %zu better\n", path, counts[SKY_BASELINE_WORSE],
           counts[SKY_BASELINE_BETTER]);
    return counts[SKY_BASELINE_WORSE] > 0 ? SKY_EXIT_NO : SKY_EXIT_OK;
}
