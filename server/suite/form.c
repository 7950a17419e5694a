/* The form of a suite: a file's tree, checked to its last step, as a value. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "server/journal/json.h"
#include "server/suite/steps.h"
#include "store/store.h"

/* ---- checking ---- */

enum form { TEXT, NAME, NUMBER, OBJECT, LIST };

/* What a member must be. */
struct member {
    const char *name; /* NULL ends a list */
    enum form form;
    bool required;
};

static const struct member suite_members[] = {{"suite", NAME, true},    {"title", TEXT, false},
                                              {"about", TEXT, false},   {"fits", OBJECT, false},
                                              {"cases", LIST, false},   {"suites", LIST, false},
                                              {"$schema", TEXT, false}, {NULL, TEXT, false}};
static const struct member case_members[] = {{"id", NAME, true},           {"title", TEXT, false},
                                             {"about", TEXT, false},       {"source", TEXT, false},
                                             {"timeoutMs", NUMBER, false}, {"fits", OBJECT, false},
                                             {"steps", LIST, true},        {NULL, TEXT, false}};
static const struct member fits_members[] = {{"cloud", LIST, false},      {"node", LIST, false},
                                             {"activation", LIST, false}, {"product", LIST, false},
                                             {"transport", LIST, false},  {"trust", LIST, false},
                                             {NULL, TEXT, false}};

/* It stands in paths and on terminals. */
static bool is_name(const char *text)
{
    return strlen(text) <= SKY_SUITE_NAME_MAX && sky_span_is_name(sky_span_str(text));
}

/* Why a value is not of this form; NULL: it is. */
static const char *wrong_form(enum form form, const cJSON *value)
{
    switch (form) {
    case TEXT:
        return cJSON_IsString(value) && strlen(value->valuestring) <= SKY_SUITE_TEXT_MAX
                   ? NULL
                   : "must be a string of at most 1000 bytes";
    case NAME:
        return cJSON_IsString(value) && is_name(value->valuestring)
                   ? NULL
                   : "must be a name: at most 64 letters, digits and ._- with a letter or digit in "
                     "front";
    case NUMBER:
        return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble) &&
                       value->valuedouble >= 1 && value->valuedouble <= SKY_SUITE_TIMEOUT_MAX_MS
                   ? NULL
                   : "must be a whole number of milliseconds, 1 to 86400000";
    case OBJECT:
        return cJSON_IsObject(value) ? NULL : "must be an object";
    case LIST:
        return cJSON_IsArray(value) && cJSON_GetArraySize(value) > 0
                   ? NULL
                   : "must be an array with something in it";
    }
    return NULL;
}

static sky_err check_members(const cJSON *object, const struct member *members, const char *at,
                             struct sky_why *why)
{
    const cJSON *value;
    char pointer[SKY_WHY_POINTER_MAX];
    cJSON_ArrayForEach (value, object) {
        const struct member *member = members;
        while (member->name != NULL && strcmp(member->name, value->string) != 0)
            member++;
        snprintf(pointer, sizeof pointer, "%s/%s", at, value->string);
        if (member->name == NULL)
            return sky_why_set(why, SKY_ERR_INVALID, pointer, "'%.100s' is not known here",
                               value->string);
        const char *wrong = wrong_form(member->form, value);
        if (wrong != NULL)
            return sky_why_set(why, SKY_ERR_INVALID, pointer, "'%s' %s", value->string, wrong);
    }
    for (; members->name != NULL; members++)
        if (members->required && sky_json_get(object, members->name) == NULL)
            return sky_why_set(why, SKY_ERR_INVALID, at, "'%s' is missing", members->name);
    return SKY_OK;
}

static sky_err check_texts(const cJSON *list, const char *at, struct sky_why *why)
{
    const cJSON *each;
    char pointer[SKY_WHY_POINTER_MAX];
    int i = 0;
    cJSON_ArrayForEach (each, list) {
        snprintf(pointer, sizeof pointer, "%s/%d", at, i++);
        if (!cJSON_IsString(each) || !is_name(each->valuestring))
            return sky_why_set(why, SKY_ERR_INVALID, pointer, "this must be a name");
    }
    return SKY_OK;
}

/* What a transport or a kind of node may be called; clouds are known by their folders. */
static sky_err check_known(const cJSON *list, const char *const *known, size_t count,
                           const char *at, struct sky_why *why)
{
    const cJSON *each;
    char pointer[SKY_WHY_POINTER_MAX + 16];
    int i = 0;
    cJSON_ArrayForEach (each, list) {
        bool found = false;
        for (size_t n = 0; n < count && !found; n++)
            found = cJSON_IsString(each) && strcmp(known[n], each->valuestring) == 0;
        snprintf(pointer, sizeof pointer, "%s/%d", at, i++);
        if (found)
            continue;
        struct sky_buf names;
        sky_buf_init(&names, SKY_WHY_REASON_MAX / 2);
        for (size_t n = 0; n < count; n++)
            sky_buf_addf(&names, "%s%s", n > 0 ? ", " : "", known[n]);
        sky_err err = sky_why_set(why, SKY_ERR_INVALID, pointer, "'%.64s' is none of %.*s",
                                  cJSON_IsString(each) ? each->valuestring : "this",
                                  SKY_SPAN_ARGS(sky_buf_span(&names)));
        sky_buf_done(&names);
        return err;
    }
    return SKY_OK;
}

/* What a case does not say of it is as the suite has it. */
static sky_err read_fits(const cJSON *object, const char *at, struct sky_suite_fits *fits,
                         struct sky_why *why)
{
    static const char *const activations[] = {"dynamic", "static"};
    static const char *const trusts[] = {"certificate", "psk"};
    static const char *const holds[] = {"config", "model"};
    const char *clouds[SKY_CLOUDS_MAX], *nodes[SKY_NODE_KINDS], *transports[SKY_WSS + 1];
    size_t cloud_count = 0;
    for (; sky_clouds[cloud_count] != NULL; cloud_count++)
        clouds[cloud_count] = sky_clouds[cloud_count]->name;
    for (size_t i = 0; i < SKY_COUNT(nodes); i++)
        nodes[i] = sky_node_name((enum sky_node)i);
    for (size_t i = 0; i < SKY_COUNT(transports); i++)
        transports[i] = sky_transport_name((enum sky_transport)i);
    const struct {
        const char *name;
        const cJSON **list;
        const char *const *known;
        size_t count;
    } rows[] = {{"cloud", &fits->clouds, clouds, cloud_count},
                {"node", &fits->nodes, nodes, SKY_COUNT(nodes)},
                {"activation", &fits->activations, activations, SKY_COUNT(activations)},
                {"product", &fits->holds, holds, SKY_COUNT(holds)},
                {"transport", &fits->transports, transports, SKY_COUNT(transports)},
                {"trust", &fits->trusts, trusts, SKY_COUNT(trusts)}};
    char pointer[96]; /* of a case, and these names */
    const cJSON *given = sky_json_get(object, "fits");
    if (given == NULL)
        return SKY_OK;
    snprintf(pointer, sizeof pointer, "%s/fits", at);
    sky_err err = check_members(given, fits_members, pointer, why);
    for (size_t i = 0; i < SKY_COUNT(rows) && err == SKY_OK; i++) {
        const cJSON *list = sky_json_get(given, rows[i].name);
        snprintf(pointer, sizeof pointer, "%s/fits/%s", at, rows[i].name);
        err = check_known(list, rows[i].known, rows[i].count, pointer, why);
        if (list != NULL)
            *rows[i].list = list;
    }
    return err;
}

/* ---- reading ---- */

static sky_err read_steps(struct sky_suite_case *one, const char *at,
                          const struct sky_catalogue *rules, sky_suite_check_fn *check,
                          struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *step;
    int i = 0;
    bool asks = false;
    int64_t waits_ms = 0;
    if (cJSON_GetArraySize(one->steps) > SKY_SUITE_STEPS_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, at, "a case has %d steps at the most",
                           SKY_SUITE_STEPS_MAX);
    cJSON_ArrayForEach (step, one->steps) {
        snprintf(pointer, sizeof pointer, "%s/%d", at, i++);
        sky_err err = sky_step_check(step, pointer, rules, check, one, why);
        if (err != SKY_OK)
            return err;
        enum sky_step_kind kind = sky_step_row(step)->kind;
        asks = asks || kind == SKY_STEP_EXPECT || kind == SKY_STEP_MEASURE;
        waits_ms += kind == SKY_STEP_WAIT ? sky_step_ms(step) : 0;
    }
    if (waits_ms >= one->timeout_ms)
        return sky_why_set(why, SKY_ERR_INVALID, at,
                           "its 'wait' steps take %lld ms, and its timeoutMs is %lld",
                           (long long)waits_ms, (long long)one->timeout_ms);
    if (!asks)
        return sky_why_set(why, SKY_ERR_INVALID, at,
                           "nothing is asked of the device: a case needs an 'expect' or a "
                           "'measure'");
    return SKY_OK;
}

static sky_err read_case(struct sky_suite *suite, const cJSON *json, size_t index,
                         const struct sky_catalogue *rules, sky_suite_check_fn *check,
                         struct sky_why *why)
{
    struct sky_suite_case *one = &suite->cases[index];
    char at[64], pointer[96];
    snprintf(at, sizeof at, "/cases/%zu", index);
    if (!cJSON_IsObject(json))
        return sky_why_set(why, SKY_ERR_INVALID, at, "a case is an object");
    sky_err err = check_members(json, case_members, at, why);
    if (err == SKY_OK)
        err = read_fits(suite->tree, "", &one->fits, why);
    one->is_special = sky_json_get(json, "fits") != NULL;
    if (err == SKY_OK)
        err = read_fits(json, at, &one->fits, why);
    if (err != SKY_OK)
        return err;
    one->id = sky_json_text_of(json, "id");
    one->title = sky_json_text_of(json, "title");
    one->source = sky_json_text_of(json, "source");
    const cJSON *timeout = sky_json_get(json, "timeoutMs");
    one->timeout_ms = timeout != NULL ? (int64_t)timeout->valuedouble : SKY_SUITE_TIMEOUT_MS;
    one->steps = sky_json_get(json, "steps");
    for (size_t i = 0; i < index; i++) {
        snprintf(pointer, sizeof pointer, "%s/id", at);
        if (strcmp(suite->cases[i].id, one->id) == 0)
            return sky_why_set(why, SKY_ERR_INVALID, pointer, "there is a case '%s' already",
                               one->id);
    }
    snprintf(pointer, sizeof pointer, "%s/steps", at);
    return read_steps(one, pointer, rules, check, why);
}

static sky_err read_suite(struct sky_suite *suite, const struct sky_catalogue *rules,
                          sky_suite_check_fn *check, struct sky_why *why)
{
    const cJSON *each, *cases = sky_json_get(suite->tree, "cases");
    if (!cJSON_IsObject(suite->tree))
        return sky_why_set(why, SKY_ERR_INVALID, "", "a suite is an object");
    sky_err err = check_members(suite->tree, suite_members, "", why);
    if (err != SKY_OK)
        return err;
    suite->name = sky_json_text_of(suite->tree, "suite");
    suite->title = sky_json_text_of(suite->tree, "title");
    suite->includes = sky_json_get(suite->tree, "suites");
    if ((cases != NULL) == (suite->includes != NULL))
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "a suite has 'cases', or 'suites' that it is made of");
    if (suite->includes != NULL && cJSON_GetArraySize(suite->includes) > SKY_SUITE_INCLUDES_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, "/suites", "there are more than %d",
                           SKY_SUITE_INCLUDES_MAX);
    if (suite->includes != NULL)
        return check_texts(suite->includes, "/suites", why);
    size_t count = (size_t)cJSON_GetArraySize(cases), index = 0;
    if (count > SKY_SUITE_CASES_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, "/cases", "there are more than %d",
                           SKY_SUITE_CASES_MAX);
    suite->cases = sky_mem_new(count * sizeof *suite->cases);
    suite->count = count;
    cJSON_ArrayForEach (each, cases) {
        err = read_case(suite, each, index++, rules, check, why);
        if (err != SKY_OK)
            return err;
    }
    return SKY_OK;
}

sky_err sky_suite_init(struct sky_suite *suite, cJSON *tree, const struct sky_catalogue *rules,
                       sky_suite_check_fn *check, struct sky_why *why)
{
    *suite = (struct sky_suite){.tree = tree};
    sky_err err = read_suite(suite, rules, check, why);
    if (err != SKY_OK)
        sky_suite_done(suite);
    return err;
}

void sky_suite_done(struct sky_suite *suite)
{
    cJSON_Delete(suite->tree);
    free(suite->cases);
    *suite = (struct sky_suite){.tree = NULL};
}
