/* The form of a suite: a file's tree, checked to its last step, as a value. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "protocol/base/similar.h"
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

/* What is wrong is told, and reading goes on: who writes a suite sees all of it at once. */
struct reading {
    const struct sky_suite_reader *by;
    struct sky_why *why; /* the first */
    bool bad;
};

static void tell(struct reading *reading, const struct sky_why *why)
{
    if (!reading->bad)
        *reading->why = *why;
    reading->bad = true;
    if (reading->by->wrong != NULL)
        reading->by->wrong(reading->by->ctx, why);
}

SKY_PRINTF(3, 4)
static void wrong(struct reading *reading, const char *pointer, const char *fmt, ...)
{
    char reason[SKY_WHY_REASON_MAX];
    struct sky_why why;
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    (void)sky_why_set(&why, SKY_ERR_INVALID, pointer, "%s", reason);
    tell(reading, &why);
}

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

static void check_members(struct reading *reading, const cJSON *object,
                          const struct member *members, const char *at)
{
    const cJSON *value;
    char pointer[SKY_WHY_POINTER_MAX];
    cJSON_ArrayForEach (value, object) {
        const struct member *member = members;
        while (member->name != NULL && strcmp(member->name, value->string) != 0)
            member++;
        snprintf(pointer, sizeof pointer, "%s/%s", at, value->string);
        const char *due = member->name != NULL ? wrong_form(member->form, value) : NULL;
        struct sky_nearest nearest = {0};
        for (const struct member *known = members; known->name != NULL; known++)
            sky_nearest_try(&nearest, known->name, sky_span_str(value->string));
        if (member->name == NULL && nearest.name != NULL)
            wrong(reading, pointer, "'%.100s' is not known here; '%s' is meant?", value->string,
                  nearest.name);
        else if (member->name == NULL)
            wrong(reading, pointer, "'%.100s' is not known here", value->string);
        else if (due != NULL)
            wrong(reading, pointer, "'%s' %s", value->string, due);
    }
    for (; members->name != NULL; members++)
        if (members->required && sky_json_get(object, members->name) == NULL)
            wrong(reading, at, "'%s' is missing", members->name);
}

static void check_texts(struct reading *reading, const cJSON *list, const char *at)
{
    const cJSON *each;
    char pointer[SKY_WHY_POINTER_MAX];
    int i = 0;
    cJSON_ArrayForEach (each, list) {
        snprintf(pointer, sizeof pointer, "%s/%d", at, i++);
        if (!cJSON_IsString(each) || !is_name(each->valuestring))
            wrong(reading, pointer, "this must be a name");
    }
}

/* What a transport or a kind of node may be called; clouds are known by their folders. */
static void check_known(struct reading *reading, const cJSON *list, const char *const *known,
                        size_t count, const char *at)
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
        wrong(reading, pointer, "'%.64s' is none of %.*s",
              cJSON_IsString(each) ? each->valuestring : "this",
              SKY_SPAN_ARGS(sky_buf_span(&names)));
        sky_buf_done(&names);
    }
}

/* The list of that name, where there is one with something in it. */
static const cJSON *list_of(const cJSON *object, const char *name)
{
    const cJSON *list = sky_json_get(object, name);
    return cJSON_GetArraySize(list) > 0 && cJSON_IsArray(list) ? list : NULL;
}

/* What a case does not say of it is as the suite has it. */
static void read_fits(struct reading *reading, const cJSON *object, const char *at,
                      struct sky_suite_fits *fits)
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
    if (!cJSON_IsObject(given))
        return;
    snprintf(pointer, sizeof pointer, "%s/fits", at);
    check_members(reading, given, fits_members, pointer);
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const cJSON *list = list_of(given, rows[i].name);
        snprintf(pointer, sizeof pointer, "%s/fits/%s", at, rows[i].name);
        check_known(reading, list, rows[i].known, rows[i].count, pointer);
        if (list != NULL)
            *rows[i].list = list;
    }
}

/* ---- reading ---- */

static void read_steps(struct reading *reading, struct sky_suite_case *one, const char *at)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *step;
    int i = 0;
    bool asks = false, good = true;
    int64_t waits_ms = 0;
    if (one->steps == NULL)
        return;
    if (cJSON_GetArraySize(one->steps) > SKY_SUITE_STEPS_MAX) {
        wrong(reading, at, "a case has %d steps at the most", SKY_SUITE_STEPS_MAX);
        return;
    }
    cJSON_ArrayForEach (step, one->steps) {
        struct sky_why why;
        snprintf(pointer, sizeof pointer, "%s/%d", at, i++);
        if (sky_step_check(step, pointer, reading->by->rules, reading->by->check, one, &why) !=
            SKY_OK) {
            tell(reading, &why);
            good = false;
            continue;
        }
        enum sky_step_kind kind = sky_step_row(step)->kind;
        asks = asks || kind == SKY_STEP_EXPECT || kind == SKY_STEP_MEASURE;
        waits_ms += kind == SKY_STEP_WAIT ? sky_step_ms(step) : 0;
    }
    if (waits_ms >= one->timeout_ms)
        wrong(reading, at, "its 'wait' steps take %lld ms, and its timeoutMs is %lld",
              (long long)waits_ms, (long long)one->timeout_ms);
    if (good && !asks)
        wrong(reading, at,
              "nothing is asked of the device: a case needs an 'expect' or a 'measure'");
}

static void read_case(struct reading *reading, struct sky_suite *suite, const cJSON *json,
                      size_t index)
{
    struct sky_suite_case *one = &suite->cases[index];
    char at[64], pointer[96];
    snprintf(at, sizeof at, "/cases/%zu", index);
    one->id = sky_json_text_of(json, "id");
    one->title = sky_json_text_of(json, "title");
    one->source = sky_json_text_of(json, "source");
    one->timeout_ms = SKY_SUITE_TIMEOUT_MS;
    one->fits = suite->fits;
    if (!cJSON_IsObject(json)) {
        wrong(reading, at, "a case is an object");
        return;
    }
    check_members(reading, json, case_members, at);
    one->is_special = sky_json_get(json, "fits") != NULL;
    read_fits(reading, json, at, &one->fits);
    const cJSON *timeout = sky_json_get(json, "timeoutMs");
    if (timeout != NULL && wrong_form(NUMBER, timeout) == NULL)
        one->timeout_ms = (int64_t)timeout->valuedouble;
    one->steps = list_of(json, "steps");
    snprintf(pointer, sizeof pointer, "%s/id", at);
    for (size_t i = 0; i < index && *one->id != '\0'; i++)
        if (strcmp(suite->cases[i].id, one->id) == 0)
            wrong(reading, pointer, "there is a case '%s' already", one->id);
    snprintf(pointer, sizeof pointer, "%s/steps", at);
    read_steps(reading, one, pointer);
}

static void read_suite(struct reading *reading, struct sky_suite *suite)
{
    const cJSON *each, *cases = list_of(suite->tree, "cases");
    size_t index = 0;
    if (!cJSON_IsObject(suite->tree)) {
        wrong(reading, "", "a suite is an object");
        return;
    }
    check_members(reading, suite->tree, suite_members, "");
    suite->name = sky_json_text_of(suite->tree, "suite");
    suite->title = sky_json_text_of(suite->tree, "title");
    suite->includes = list_of(suite->tree, "suites");
    if ((sky_json_get(suite->tree, "cases") != NULL) ==
        (sky_json_get(suite->tree, "suites") != NULL))
        wrong(reading, "", "a suite has 'cases', or 'suites' that it is made of");
    if (cJSON_GetArraySize(suite->includes) > SKY_SUITE_INCLUDES_MAX)
        wrong(reading, "/suites", "there are more than %d", SKY_SUITE_INCLUDES_MAX);
    else
        check_texts(reading, suite->includes, "/suites");
    read_fits(reading, suite->tree, "", &suite->fits);
    size_t count = (size_t)cJSON_GetArraySize(cases);
    if (count > SKY_SUITE_CASES_MAX) {
        wrong(reading, "/cases", "there are more than %d", SKY_SUITE_CASES_MAX);
        return;
    }
    suite->cases = count > 0 ? sky_mem_new(count * sizeof *suite->cases) : NULL;
    suite->count = count;
    cJSON_ArrayForEach (each, cases)
        read_case(reading, suite, each, index++);
}

sky_err sky_suite_init(struct sky_suite *suite, cJSON *tree, const struct sky_suite_reader *reader,
                       struct sky_why *why)
{
    struct reading reading = {.by = reader, .why = why};
    *suite = (struct sky_suite){.tree = tree};
    read_suite(&reading, suite);
    if (reading.bad)
        sky_suite_done(suite);
    return reading.bad ? SKY_ERR_INVALID : SKY_OK;
}

void sky_suite_done(struct sky_suite *suite)
{
    cJSON_Delete(suite->tree);
    free(suite->cases);
    *suite = (struct sky_suite){.tree = NULL};
}
