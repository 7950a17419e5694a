#include "server/cli/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/similar.h"
#include "server/admin/api.h"
#include "server/os/files.h"
#include "server/registry/rules.h"
#include "server/suite/suite.h"

static bool is_made_of_suites(const struct sky_embedded *builtin)
{
    cJSON *tree = sky_builtin_suite_tree(builtin);
    bool is = sky_json_get(tree, "suites") != NULL;

    cJSON_Delete(tree);
    return is;
}

/* The built-in suite that somebody meant who wrote another name; NULL: none is near. */
static const char *nearest_builtin(const char *wrong)
{
    struct sky_nearest nearest = {0};

    for (size_t i = 0; i < sky_builtin_suites_count; i++)
        sky_nearest_try(&nearest, sky_builtin_suites[i].name, sky_span_str(wrong));
    return nearest.name;
}

static sky_err no_such_suite(const char *word, struct sky_why *why)
{
    const char *nearest = nearest_builtin(word);

    if (nearest != NULL)
        return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "%.200s: no such suite; did you mean %s?",
                           word, nearest);
    return sky_why_set(why, SKY_ERR_NOT_FOUND, "",
                       "%.200s: no such suite, nor a file; \"skymock suite list\" has their names",
                       word);
}

/* Where what is wrong is told. */
struct telling {
    const char *word;
    FILE *errors; /* NULL: only the first, in `why` */
    struct sky_why *why;
    sky_err err; /* of the first */
};

static void tell(struct telling *telling, sky_err err, const char *pointer, const char *reason)
{
    struct sky_why line;

    (void)sky_why_set(&line, err, pointer, "%.100s: %s%s%s", telling->word, pointer,
                      *pointer != '\0' ? ": " : "", reason);
    if (telling->errors != NULL)
        fprintf(telling->errors, "%s\n", line.reason);
    if (telling->err == SKY_OK)
        *telling->why = line;
    telling->err = telling->err == SKY_OK ? err : telling->err;
}

static void check_include(struct telling *telling, const char *name, const cJSON *others, int index)
{
    const struct sky_embedded *builtin = sky_builtin_suite_find(name);
    bool named = builtin != NULL, known = named && !is_made_of_suites(builtin);
    char pointer[32], reason[SKY_WHY_REASON_MAX];
    const cJSON *other;

    cJSON_ArrayForEach (other, others) {
        const char *its = sky_json_get_str(other, "suite");
        bool same = its != NULL && strcmp(its, name) == 0;
        named = named || same;
        known = known || (same && sky_json_get(other, "suites") == NULL);
    }
    const char *nearest = named ? NULL : nearest_builtin(name);
    snprintf(pointer, sizeof pointer, "/suites/%d", index);
    snprintf(reason, sizeof reason, "there is no suite '%.64s' to include%s%s%s", name,
             nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "?" : "");
    if (named)
        snprintf(reason, sizeof reason, "'%.64s' is made of suites itself: name those", name);
    if (!known)
        tell(telling, named ? SKY_ERR_INVALID : SKY_ERR_NOT_FOUND, pointer, reason);
}

sky_err sky_cli_suite_check_includes(const char *word, const cJSON *suite, const cJSON *others,
                                     FILE *errors, struct sky_why *why)
{
    struct telling telling = {.word = word, .errors = errors, .why = why};
    const cJSON *name;
    int index = 0;

    cJSON_ArrayForEach (name, sky_json_get(suite, "suites"))
        check_include(&telling, name->valuestring, others, index++);
    return telling.err;
}

static void on_wrong(void *ctx, const struct sky_why *why)
{
    tell(ctx, SKY_ERR_INVALID, why->pointer, why->reason);
}

/* A good suite, by all that can be known of it without a server. */
static sky_err take_text(sky_span text, struct telling *telling, cJSON **ret_tree)
{
    struct sky_catalogue rules;
    const struct sky_suite_reader reader = {
        .rules = &rules, .check = sky_api_check_body, .wrong = on_wrong, .ctx = telling};
    struct sky_suite suite;
    struct sky_why why;
    cJSON *tree;

    sky_err err = sky_json_parse(text, SKY_SUITE_DEPTH_MAX, &tree, &why);
    if (err != SKY_OK) {
        tell(telling, err, why.pointer, why.reason);
        return err;
    }
    sky_rules_catalogue(SKY_PROFILE_SEED, &rules);
    err = sky_suite_init(&suite, tree, &reader, &why);
    if (err != SKY_OK)
        return err;
    *ret_tree = cJSON_Duplicate(tree, true);
    sky_suite_done(&suite);
    return SKY_OK;
}

static bool is_program(const char *path)
{
    struct stat what;

    return stat(path, &what) == 0 && S_ISREG(what.st_mode) && access(path, X_OK) == 0;
}

sky_err sky_cli_suite_load(const char *word, FILE *errors, cJSON **ret_tree, struct sky_why *why)
{
    const struct sky_embedded *builtin = sky_builtin_suite_find(word);
    struct telling telling = {.word = word, .errors = errors, .why = why};
    struct sky_buf text;

    if (builtin != NULL) {
        *ret_tree = sky_builtin_suite_tree(builtin);
        return SKY_OK;
    }
    if (access(word, F_OK) != 0 && strchr(word, '/') == NULL)
        return no_such_suite(word, why);
    sky_buf_init(&text, SKY_SUITE_FILE_MAX);
    sky_err err = sky_files_read(word, &text, why);
    if (err != SKY_OK && errors != NULL)
        fprintf(errors, "%s\n", why->reason);
    if (err == SKY_OK)
        err = take_text(sky_buf_span(&text), &telling, ret_tree);
    if (err != SKY_OK && is_program(word))
        err = sky_why_set(why, err, "",
                          "%.200s: a program is no suite; if it is the command, put -- in front",
                          word);
    sky_buf_done(&text);
    return err;
}

bool sky_cli_suite_each_case(const cJSON *suite, sky_cli_case_fn *each, void *ctx)
{
    const cJSON *one_case, *name;
    bool goes_on = true;

    cJSON_ArrayForEach (one_case, sky_json_get(suite, "cases"))
        goes_on = goes_on && each(ctx, suite, one_case);
    cJSON_ArrayForEach (name, sky_json_get(suite, "suites")) {
        const struct sky_embedded *builtin =
            cJSON_IsString(name) ? sky_builtin_suite_find(name->valuestring) : NULL;
        if (builtin == NULL || !goes_on)
            continue;
        cJSON *tree = sky_builtin_suite_tree(builtin);
        if (sky_json_get(tree, "suites") == NULL) /* else it could lead back here */
            goes_on = sky_cli_suite_each_case(tree, each, ctx);
        cJSON_Delete(tree);
    }
    return goes_on;
}
