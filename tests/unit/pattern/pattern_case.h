/* What tests of patterns share: patterns from their JSON. */
#ifndef SKY_TEST_PATTERN_CASE_H
#define SKY_TEST_PATTERN_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/base/rule.h"
#include "server/pattern/pattern.h"

/* The rules that there are. */
static inline const struct sky_catalogue *rules_known(void)
{
    static const struct sky_rule rows[] = {
        {.id = "R-LOGIN"}, {.id = "R-KEEPALIVE"}, {.id = "R-X"}, {.id = "R"}, {.id = "X"}};
    static struct sky_catalogue catalogue;
    sky_catalogue_init(&catalogue);
    sky_catalogue_add(&catalogue, (struct sky_rule_table){"r", rows, SKY_COUNT(rows), false});
    return &catalogue;
}

static inline struct sky_pattern *compiled(const char *json, struct sky_why *why)
{
    cJSON *tree = NULL;
    if (sky_json_parse(sky_span_str(json), SKY_JSON_DEPTH_MAX, &tree, why) != SKY_OK)
        fail_msg("%s: %s", json, why->reason);
    struct sky_pattern *pattern = sky_pattern_new(tree, "/event", rules_known(), why);
    cJSON_Delete(tree);
    return pattern;
}

static inline struct sky_pattern *pattern_of(const char *json)
{
    struct sky_why why = {0};
    struct sky_pattern *pattern = compiled(json, &why);
    if (pattern == NULL)
        fail_msg("%s: %s: %s", json, why.pointer, why.reason);
    return pattern;
}

#endif
