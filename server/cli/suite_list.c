/* `skymock suite list`: what suites there are, without a server. */
#include <stdio.h>

#include "protocol/base/json_tree.h"
#include "server/cli/cli.h"
#include "server/cli/events.h"
#include "server/cli/suites.h"
#include "server/os/help.h"
#include "server/suite/suite.h"

enum { NAME_WIDTH = 14, CASE_WIDTH = 32 };

static bool count_case(void *ctx, const cJSON *suite, const cJSON *one_case)
{
    (void)suite;
    (void)one_case;
    ++*(size_t *)ctx;
    return true;
}

/* In columns, of which the last one is wrapped. */
static void print_row(const char *indent, int width, const char *name, const char *text)
{
    int column = printf("%s%-*s ", indent, width, name);

    sky_help_wrap(stdout, (size_t)column, (size_t)column, text);
}

static bool print_case(void *ctx, const cJSON *suite, const cJSON *one_case)
{
    const char *composed = ctx; /* name of the suite that was asked for */
    const char *name = sky_json_text_of(suite, "suite"), *id = sky_json_text_of(one_case, "id");
    char row[2 * SKY_SUITE_NAME_MAX + 2];

    snprintf(row, sizeof row, "%s%s%s", strcmp(name, composed) == 0 ? "" : name,
             strcmp(name, composed) == 0 ? "" : "/", id);
    print_row("  ", CASE_WIDTH, row, sky_json_text_of(one_case, "title"));
    return true;
}

static void print_suite(const cJSON *suite, bool whole)
{
    size_t count = 0;
    char left[SKY_SUITE_NAME_MAX + 32];

    (void)sky_cli_suite_each_case(suite, count_case, &count);
    snprintf(left, sizeof left, "%-*s %3zu %s", NAME_WIDTH, sky_json_text_of(suite, "suite"), count,
             count == 1 ? "case " : "cases");
    print_row("", 0, left, sky_json_text_of(suite, "title"));
    if (whole)
        (void)sky_cli_suite_each_case(suite, print_case, (void *)sky_json_text_of(suite, "suite"));
}

static int list_one(const struct sky_config *config, const char *word, cJSON *all)
{
    struct sky_why why;
    cJSON *suite;

    if (sky_cli_suite_load(word, NULL, &suite, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    if (config->json)
        cJSON_AddItemToArray(all, sky_suite_describe(suite));
    else
        print_suite(suite, config->args.count > 0);
    cJSON_Delete(suite);
    return SKY_EXIT_OK;
}

int sky_cli_suite_list(const struct sky_config *config)
{
    cJSON *tree = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(tree, "suites");
    int status = SKY_EXIT_OK;

    for (size_t i = 0; status == SKY_EXIT_OK && i < config->args.count; i++)
        status = list_one(config, config->args.list[i], all);
    for (size_t i = 0; config->args.count == 0 && i < sky_builtin_suites_count; i++)
        status = list_one(config, sky_builtin_suites[i].name, all);
    if (config->json && status == SKY_EXIT_OK)
        sky_cli_print_json_line(stdout, tree);
    cJSON_Delete(tree);
    return status;
}
