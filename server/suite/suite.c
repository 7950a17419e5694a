#include "server/suite/suite.h"

#include <string.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/journal/json.h"

static const char *const grade_names[] = {[SKY_GRADE_PASSED] = "passed",
                                          [SKY_GRADE_WARNED] = "warned",
                                          [SKY_GRADE_IDLE] = "not exercised",
                                          [SKY_GRADE_FAILED] = "failed"};

const char *sky_grade_name(enum sky_grade grade)
{
    return grade_names[grade];
}

bool sky_grade_parse(const char *name, enum sky_grade *ret_grade)
{
    for (size_t i = 0; i < SKY_COUNT(grade_names); i++) {
        if (strcmp(grade_names[i], name) == 0) {
            *ret_grade = (enum sky_grade)i;
            return true;
        }
    }
    return false;
}

const struct sky_embedded *sky_builtin_suite_find(const char *name)
{
    for (size_t i = 0; i < sky_builtin_suites_count; i++)
        if (strcmp(sky_builtin_suites[i].name, name) == 0)
            return &sky_builtin_suites[i];
    return NULL;
}

cJSON *sky_builtin_suite_tree(const struct sky_embedded *builtin)
{
    struct sky_why why;
    cJSON *tree;
    sky_err err =
        sky_json_parse(sky_span_of(builtin->bytes, builtin->len), SKY_SUITE_DEPTH_MAX, &tree, &why);
    SKY_ASSERT(err == SKY_OK); /* it is in the program, and tested */
    return tree;
}

cJSON *sky_suite_describe(const cJSON *tree)
{
    const cJSON *each, *includes = sky_json_get(tree, "suites");
    cJSON *told = cJSON_CreateObject();
    cJSON_AddStringToObject(told, "suite", sky_json_text_of(tree, "suite"));
    cJSON_AddStringToObject(told, "title", sky_json_text_of(tree, "title"));
    cJSON_AddItemToObject(told, "suites",
                          includes != NULL ? cJSON_Duplicate(includes, true) : cJSON_CreateArray());
    cJSON *cases = cJSON_AddArrayToObject(told, "cases");
    cJSON_ArrayForEach (each, sky_json_get(tree, "cases")) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "case", sky_json_text_of(each, "id"));
        cJSON_AddStringToObject(row, "title", sky_json_text_of(each, "title"));
        cJSON_AddStringToObject(row, "source", sky_json_text_of(each, "source"));
        cJSON_AddItemToArray(cases, row);
    }
    return told;
}

bool sky_suite_is_one(const cJSON *tree)
{
    return cJSON_IsObject(tree) && sky_json_get(tree, "suite") != NULL;
}

const cJSON *sky_suite_misfit(const struct sky_suite_fits *fits, unsigned transports, bool psk)
{
    const cJSON *each;
    bool trusts = fits->trusts == NULL, comes = fits->transports == NULL;
    if (transports == 0)
        return NULL;
    cJSON_ArrayForEach (each, fits->trusts)
        trusts = trusts || strcmp(each->valuestring, psk ? "psk" : "certificate") == 0;
    cJSON_ArrayForEach (each, fits->transports)
        for (unsigned transport = 0; transports >> transport != 0; transport++)
            comes = comes || (transports >> transport & 1 &&
                              strcmp(sky_transport_name((enum sky_transport)transport),
                                     each->valuestring) == 0);
    return !comes ? fits->transports : !trusts ? fits->trusts : NULL;
}

bool sky_suite_case_is(const char *suite, const char *id, const char *word)
{
    const char *slash = strrchr(word, '/');
    size_t len = slash != NULL ? (size_t)(slash - word) : 0;
    return strcmp(id, slash != NULL ? slash + 1 : word) == 0 &&
           (slash == NULL || (strlen(suite) == len && memcmp(suite, word, len) == 0));
}
