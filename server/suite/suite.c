#include "server/suite/suite.h"

#include <string.h>

#include "protocol/base/mem.h"

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
