#include "server/suite/suite.h"

#include <string.h>

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

const struct sky_builtin_suite *sky_builtin_suite_find(const char *name)
{
    for (size_t i = 0; i < sky_builtin_suite_count; i++)
        if (strcmp(sky_builtin_suites[i].name, name) == 0)
            return &sky_builtin_suites[i];
    return NULL;
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
