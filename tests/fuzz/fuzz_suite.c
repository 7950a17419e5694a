/* Any text as a device suite: it is refused with a place and a reason, everything that is wrong is
 * told, or it is a suite whose cases and steps can be described. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/admin/api.h"
#include "server/registry/rules.h"
#include "server/suite/suite.h"

static void on_wrong(void *ctx, const struct sky_why *why)
{
    size_t *count = ctx;
    SKY_ASSERT(why->reason[0] != '\0' && (why->pointer[0] == '\0' || why->pointer[0] == '/'));
    ++*count;
}

static void check_suite(const struct sky_suite *suite)
{
    SKY_ASSERT(suite->name[0] != '\0' && suite->count <= SKY_SUITE_CASES_MAX);
    SKY_ASSERT(sky_suite_is_one(suite->tree));
    for (size_t i = 0; i < suite->count; i++) {
        const struct sky_suite_case *one = &suite->cases[i];
        int steps = cJSON_GetArraySize(one->steps);
        SKY_ASSERT(one->id[0] != '\0' && steps >= 1 && steps <= SKY_SUITE_STEPS_MAX);
        SKY_ASSERT(one->timeout_ms > 0 && one->timeout_ms <= SKY_SUITE_TIMEOUT_MAX_MS);
        SKY_ASSERT(sky_suite_case_is(suite->name, one->id, one->id));
        (void)sky_suite_misfit(&one->fits, 1U << SKY_TLS, false);
    }
    cJSON *told = sky_suite_describe(suite->tree);
    SKY_ASSERT(cJSON_GetArraySize(sky_json_get(told, "cases")) == (int)suite->count);
    cJSON_Delete(told);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct sky_catalogue catalogue;
    struct sky_suite suite;
    struct sky_why why = {.reason = ""};
    size_t wrong = 0;
    cJSON *tree;
    if (catalogue.table_count == 0)
        sky_rules_catalogue(SKY_PROFILE_SEED, &catalogue);
    if (sky_json_parse(sky_span_of(bytes, len), SKY_SUITE_DEPTH_MAX, &tree, &why) != SKY_OK)
        return 0;
    cJSON *copy = cJSON_Duplicate(tree, true);
    const struct sky_suite_reader first = {.rules = &catalogue, .check = sky_api_check_body};
    const struct sky_suite_reader all = {
        .rules = &catalogue, .check = sky_api_check_body, .wrong = on_wrong, .ctx = &wrong};
    sky_err err = sky_suite_init(&suite, tree, &first, &why);
    if (err == SKY_OK) {
        check_suite(&suite);
        sky_suite_done(&suite);
    } else {
        SKY_ASSERT(err == SKY_ERR_INVALID && why.reason[0] != '\0');
    }
    SKY_ASSERT(sky_suite_init(&suite, copy, &all, &why) == err && (wrong > 0) == (err != SKY_OK));
    if (err == SKY_OK)
        sky_suite_done(&suite);
    return 0;
}
