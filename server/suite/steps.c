#include "server/suite/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "server/fault/matrix.h"
#include "server/judge/verify.h"
#include "server/suite/measure.h"

#define DEVICE "/api/v1/devices/{cloud}/{product}/{device}"

const struct sky_step_row sky_step_rows[] = {
    {"fault", SKY_STEP_CALL, SKY_STEP_NAMES_WHOM, "POST", "/api/v1/faults", NULL,
     "something is broken for the device, until the case ends"},
    {"clear", SKY_STEP_CLEAR, 0, NULL, NULL, NULL, "the faults of this case end"},
    {"advance", SKY_STEP_CALL, SKY_STEP_ALONE, "POST", "/api/v1/clock/advance", "ms",
     "virtual time passes, in milliseconds"},
    {"freeze", SKY_STEP_CALL, SKY_STEP_ALONE, "POST", "/api/v1/clock/freeze", NULL,
     "virtual time stands still"},
    {"resume", SKY_STEP_CALL, SKY_STEP_ALONE, "POST", "/api/v1/clock/resume", NULL,
     "virtual time goes on"},
    {"disconnect", SKY_STEP_CALL, SKY_STEP_MAY_MISS, "POST", DEVICE "/disconnect", NULL,
     "the cloud closes the device's connection, if there is one"},
    {"message", SKY_STEP_CALL, SKY_STEP_AWAITS, "POST", DEVICE "/messages", NULL,
     "a message to the device; while it is away for good, or does not subscribe, the step waits"},
    {"command", SKY_STEP_CALL, SKY_STEP_WAITS_NOT | SKY_STEP_AWAITS, "POST", DEVICE "/commands",
     NULL, "a command of the cloud's own"},
    {"shadow", SKY_STEP_CALL, 0, "PATCH", DEVICE "/shadow", NULL,
     "the application changes the shadow"},
    {"ota", SKY_STEP_CALL, 0, "POST", DEVICE "/ota", NULL, "an upgrade is offered"},
    {"config", SKY_STEP_CALL, SKY_STEP_WAITS_NOT | SKY_STEP_AWAITS, "POST", DEVICE "/config", NULL,
     "the remote configuration is pushed"},
    {"device", SKY_STEP_CALL, 0, "PATCH", DEVICE, NULL,
     "the device's record changes: enabled, secret"},
    {"reset", SKY_STEP_CALL, SKY_STEP_NAMES_WHOM, "POST", "/api/v1/reset", NULL,
     "the cloud forgets the device's session and documents"},
    {"twin", SKY_STEP_CALL, SKY_STEP_MAY_MISS, "POST", DEVICE "/twin", NULL,
     "somebody else logs in as the device"},
    {"restore", SKY_STEP_RESTORE, 0, NULL, NULL, NULL,
     "what this case changed is put back already: faults, the clock, the device's record, its "
     "documents and session"},
    {"run", SKY_STEP_RUN, 0, NULL, NULL, "command",
     "a shell command, on the machine of whoever runs the suite"},
    {"wait", SKY_STEP_WAIT, 0, NULL, NULL, "ms", "real time passes, in milliseconds"},
    {"expect", SKY_STEP_EXPECT, 0, "POST", "/api/v1/verify", NULL,
     "events must come, or stay away, from the case's first step on"},
    {"measure", SKY_STEP_MEASURE, 0, NULL, NULL, NULL, "a figure is held against what passes"},
};
const size_t sky_step_row_count = SKY_COUNT(sky_step_rows);

/* What may stand beside what a step does. */
static const char *const beside_expect[] = {"expect", "grade", "anyone", "title", NULL};
/* How a case ends, or goes on, when a claim does not hold: what warns, and what shows whether the
 * case is for this device at all. */
static const char *const grades[] = {"warned", "not exercised", NULL};
static const char *const beside_do[] = {"do", "title", NULL};

static bool is_among(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static const struct sky_step_row *row_named(const char *name)
{
    for (size_t i = 0; i < sky_step_row_count; i++)
        if (strcmp(sky_step_rows[i].name, name) == 0)
            return &sky_step_rows[i];
    return NULL;
}

static bool is_done(const struct sky_step_row *row)
{
    return row->kind != SKY_STEP_EXPECT && row->kind != SKY_STEP_MEASURE;
}

const struct sky_step_row *sky_step_row(const cJSON *step)
{
    const char *done = sky_json_get_str(step, "do");
    return row_named(done != NULL                           ? done
                     : sky_json_get(step, "expect") != NULL ? "expect"
                                                            : "measure");
}

cJSON *sky_step_body(const cJSON *step, const struct sky_step_row *row)
{
    const cJSON *own = sky_json_get(step, row->name), *each;
    if (cJSON_IsObject(own))
        return cJSON_Duplicate(own, true);
    cJSON *body = cJSON_CreateObject();
    if (own != NULL && row->scalar != NULL)
        cJSON_AddItemToObject(body, row->scalar, cJSON_Duplicate(own, true));
    cJSON_ArrayForEach (each, step)
        if (own == NULL && !is_among(beside_do, each->string))
            cJSON_AddItemToObject(body, each->string, cJSON_Duplicate(each, true));
    return body;
}

int64_t sky_step_ms(const cJSON *step)
{
    cJSON *body = sky_step_body(step, sky_step_row(step));
    const cJSON *ms = sky_json_get(body, "ms");
    int64_t value = ms != NULL ? (int64_t)ms->valuedouble : 0;
    cJSON_Delete(body);
    return value;
}

/* ---- checking ---- */

static sky_err check_ms(const cJSON *body, const char *at, struct sky_why *why)
{
    const cJSON *ms = sky_json_get(body, "ms");
    if (cJSON_GetArraySize(body) == 1 && cJSON_IsNumber(ms) &&
        ms->valuedouble == floor(ms->valuedouble) && ms->valuedouble >= 0 &&
        ms->valuedouble <= SKY_SUITE_TIMEOUT_MAX_MS)
        return SKY_OK;
    return sky_why_set(
        why, SKY_ERR_INVALID, at,
        "it wants a whole number of milliseconds: {\"do\": \"wait\", \"wait\": 500}");
}

static sky_err check_command(const cJSON *body, const char *at, struct sky_why *why)
{
    const char *command = sky_json_get_str(body, "command");
    if (cJSON_GetArraySize(body) == 1 && command != NULL && *command != '\0')
        return SKY_OK;
    return sky_why_set(why, SKY_ERR_INVALID, at,
                       "it wants a shell command: {\"do\": \"run\", \"run\": \"./power-cycle\"}");
}

bool sky_step_is_at_the_door(const cJSON *fault)
{
    static const struct {
        enum sky_point point;
        bool known_too; /* where peers whose device is known pass, too */
    } doors[] = {{SKY_POINT_ACCEPT, false},
                 {SKY_POINT_HANDSHAKE, false},
                 {SKY_POINT_DATAGRAM_UP, true},
                 {SKY_POINT_DATAGRAM_DOWN, true}};
    const char *point = sky_json_get_str(fault, "point");
    const cJSON *listener = sky_json_get(sky_json_get(fault, "match"), "listener");
    for (size_t i = 0; i < SKY_COUNT(doors) && point != NULL; i++)
        if (strcmp(point, sky_point_name(doors[i].point)) == 0)
            return !doors[i].known_too || listener != NULL;
    return false;
}

/* The pointer of what a step's body is made of. */
static void body_at(const cJSON *step, const struct sky_step_row *row, const char *at,
                    char out[SKY_WHY_POINTER_MAX])
{
    bool own = sky_json_get(step, row->name) != NULL;
    snprintf(out, SKY_WHY_POINTER_MAX, "%s%s%s", at, own ? "/" : "", own ? row->name : "");
}

static sky_err check_done(const cJSON *step, const struct sky_step_row *row, const char *at,
                          sky_suite_check_fn *check, struct sky_suite_case *of, struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *own = sky_json_get(step, row->name), *each;
    cJSON *body = sky_step_body(step, row);
    sky_err err = SKY_OK;
    body_at(step, row, at, pointer);
    if (own != NULL && !cJSON_IsObject(own) && row->scalar == NULL)
        err = sky_why_set(why, SKY_ERR_INVALID, pointer, "'%s' must be an object", row->name);
    cJSON_ArrayForEach (each, step) {
        char member[SKY_WHY_POINTER_MAX];
        snprintf(member, sizeof member, "%s/%s", at, each->string);
        if (err == SKY_OK && own != NULL && each != own && !is_among(beside_do, each->string))
            err = sky_why_set(why, SKY_ERR_INVALID, member, "'%.100s' is not known beside '%s'",
                              each->string, row->name);
    }
    if (err == SKY_OK && row->kind == SKY_STEP_WAIT)
        err = check_ms(body, pointer, why);
    else if (err == SKY_OK && row->kind == SKY_STEP_RUN)
        err = check_command(body, pointer, why);
    else if (err == SKY_OK && row->kind == SKY_STEP_CALL)
        err = check(row->method, row->path, body, pointer, why);
    else if (err == SKY_OK && cJSON_GetArraySize(body) > 0)
        err = sky_why_set(why, SKY_ERR_INVALID, pointer, "'%s' takes nothing", row->name);
    of->runs = of->runs || row->kind == SKY_STEP_RUN;
    bool door = strcmp(row->name, "fault") == 0 && sky_step_is_at_the_door(body);
    of->alone = of->alone || door || row->how & SKY_STEP_ALONE;
    of->strangers = of->strangers || door;
    cJSON_Delete(body);
    return err;
}

static sky_err check_expect(const cJSON *step, const char *at, const struct sky_catalogue *rules,
                            sky_suite_check_fn *check, struct sky_suite_case *of,
                            struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *each, *claim = sky_json_get(step, "expect"), *grade = sky_json_get(step, "grade"),
                       *anyone = sky_json_get(step, "anyone");
    cJSON_ArrayForEach (each, step) {
        snprintf(pointer, sizeof pointer, "%s/%s", at, each->string);
        if (!is_among(beside_expect, each->string))
            return sky_why_set(
                why, SKY_ERR_INVALID, pointer,
                "'%.100s' is not known here: a claim is {\"expect\": {\"event\": ..}}",
                each->string);
    }
    snprintf(pointer, sizeof pointer, "%s/grade", at);
    if (grade != NULL && (!cJSON_IsString(grade) || !is_among(grades, grade->valuestring)))
        return sky_why_set(
            why, SKY_ERR_INVALID, pointer,
            "'grade' can be \"warned\" or \"not exercised\"; without, the case fails");
    snprintf(pointer, sizeof pointer, "%s/anyone", at);
    if (anyone != NULL && !cJSON_IsBool(anyone))
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "'anyone' must be true or false");
    snprintf(pointer, sizeof pointer, "%s/expect", at);
    if (!cJSON_IsObject(claim))
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "a claim is an object");
    of->strangers = of->strangers || cJSON_IsTrue(anyone);
    sky_err err = check("POST", "/api/v1/verify", claim, pointer, why);
    struct sky_verify *verify = err == SKY_OK ? sky_verify_new(claim, pointer, rules, why) : NULL;
    if (verify == NULL)
        return SKY_ERR_INVALID;
    sky_verify_free(verify);
    return SKY_OK;
}

/* What stands for `name`; NULL: nothing does, and it stays as it is. */
static const char *const *named(const struct sky_step_names *names, sky_span name)
{
    const struct {
        const char *name;
        const char *const *value;
    } rows[] = {{"cloud", &names->cloud},        {"product", &names->product},
                {"productKey", &names->product}, {"productId", &names->product},
                {"device", &names->device},      {"deviceName", &names->device},
                {"deviceKey", &names->device},   {"now", &names->now},
                {"topic", &names->topic}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_span_eq_str(name, rows[i].name))
            return rows[i].value;
    return NULL;
}

static bool is_word(sky_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] | 0x20) < 'a' || (text.ptr[i] | 0x20) > 'z')
            return false;
    return text.len > 0;
}

/* A name in a text that stands for nothing is a slip. */
static sky_err check_names(const cJSON *value, const char *at, struct sky_why *why)
{
    static const struct sky_step_names none = {.cloud = NULL};
    const cJSON *each;
    sky_span rest = sky_span_str(cJSON_IsString(value) ? value->valuestring : ""), before, name;
    while (sky_span_cut(rest, '$', &before, &rest))
        if (sky_span_starts(rest, SKY_SPAN("{")) &&
            sky_span_cut(sky_span_tail(rest, 1), '}', &name, &before) && is_word(name) &&
            named(&none, name) == NULL)
            return sky_why_set(why, SKY_ERR_INVALID, at,
                               "nothing stands for ${%.*s}; there are ${cloud}, ${product}, "
                               "${device}, ${topic} and ${now}",
                               SKY_SPAN_ARGS(sky_span_head(name, 64)));
    cJSON_ArrayForEach (each, value) {
        sky_err err = check_names(each, at, why);
        if (err != SKY_OK)
            return err;
    }
    return SKY_OK;
}

sky_err sky_step_check(const cJSON *step, const char *at, const struct sky_catalogue *rules,
                       sky_suite_check_fn *check, struct sky_suite_case *of, struct sky_why *why)
{
    const cJSON *done = sky_json_get(step, "do"), *title = sky_json_get(step, "title");
    char pointer[SKY_WHY_POINTER_MAX];
    int kinds = (done != NULL) + (sky_json_get(step, "expect") != NULL) +
                (sky_json_get(step, "measure") != NULL);
    if (!cJSON_IsObject(step) || kinds != 1)
        return sky_why_set(why, SKY_ERR_INVALID, at,
                           "a step is an object with 'do', 'expect' or 'measure', and one of them");
    snprintf(pointer, sizeof pointer, "%s/title", at);
    bool shell = cJSON_IsString(done) && strcmp(done->valuestring, "run") == 0;
    sky_err err = shell ? SKY_OK : check_names(step, at, why);
    if (err != SKY_OK)
        return err;
    if (title != NULL &&
        (!cJSON_IsString(title) || strlen(title->valuestring) > SKY_SUITE_TEXT_MAX))
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "'title' must be a string");
    if (done == NULL && sky_json_get(step, "expect") != NULL)
        return check_expect(step, at, rules, check, of, why);
    if (done == NULL) {
        const char *name = sky_json_get_str(step, "measure");
        struct sky_measure *measure = sky_measure_new(step, at, why);
        of->strangers = of->strangers || (name != NULL && strcmp(name, "handshake") == 0);
        sky_measure_free(measure);
        return measure != NULL ? SKY_OK : SKY_ERR_INVALID;
    }
    snprintf(pointer, sizeof pointer, "%s/do", at);
    const struct sky_step_row *row = cJSON_IsString(done) ? row_named(done->valuestring) : NULL;
    if (row != NULL && is_done(row))
        return check_done(step, row, at, check, of, why);
    struct sky_buf names;
    sky_buf_init(&names, SKY_WHY_REASON_MAX / 2);
    for (size_t i = 0; i < sky_step_row_count; i++)
        if (is_done(&sky_step_rows[i]))
            sky_buf_addf(&names, "%s%s", names.len > 0 ? ", " : "", sky_step_rows[i].name);
    err = sky_why_set(why, SKY_ERR_INVALID, pointer, "'%.64s' is no step; there are %.*s",
                      cJSON_IsString(done) ? done->valuestring : "this",
                      SKY_SPAN_ARGS(sky_buf_span(&names)));
    sky_buf_done(&names);
    return err;
}

/* ---- names in texts ---- */

static bool fill_in_text(cJSON *value, const struct sky_step_names *names)
{
    struct sky_buf out;
    sky_span rest = sky_span_str(value->valuestring), before, name, after;
    bool filled = true;
    if (strstr(value->valuestring, "${") == NULL)
        return true;
    sky_buf_init(&out, SIZE_MAX);
    while (sky_span_cut(rest, '$', &before, &after)) {
        sky_buf_add(&out, before);
        const char *const *found = sky_span_starts(after, SKY_SPAN("{")) &&
                                           sky_span_cut(sky_span_tail(after, 1), '}', &name, &rest)
                                       ? named(names, name)
                                       : NULL;
        if (found != NULL && *found != NULL) {
            sky_buf_add_str(&out, *found);
        } else {
            filled = filled && found == NULL;
            sky_buf_add_byte(&out, '$');
            rest = after;
        }
    }
    sky_buf_add(&out, rest);
    sky_buf_add_byte(&out, '\0');
    cJSON_SetValuestring(value, out.bytes);
    sky_buf_done(&out);
    return filled;
}

bool sky_step_fill_in(cJSON *step, const struct sky_step_names *names)
{
    bool filled = true;
    cJSON *each;
    if (cJSON_IsString(step))
        return fill_in_text(step, names);
    cJSON_ArrayForEach (each, step)
        filled = sky_step_fill_in(each, names) && filled;
    return filled;
}

void sky_step_path(const struct sky_step_row *row, const struct sky_step_names *names,
                   struct sky_buf *out)
{
    char encoded[3 * SKY_KEY_MAX + 1];
    sky_span rest = sky_span_str(row->path), before, name;
    while (sky_span_cut(rest, '{', &before, &rest) && sky_span_cut(rest, '}', &name, &rest)) {
        sky_buf_add(out, before);
        sky_percent_encode(sky_span_str(*named(names, name)), encoded);
        sky_buf_add_str(out, encoded);
    }
    sky_buf_add(out, rest);
    sky_buf_add_byte(out, '\0');
}

void sky_step_say(const cJSON *step, struct sky_buf *out)
{
    const struct sky_step_row *row = sky_step_row(step);
    const cJSON *type, *claim = sky_json_get(step, "expect");
    cJSON *body;
    switch (row->kind) {
    case SKY_STEP_EXPECT:
        type = sky_json_get(sky_json_get(claim, "event"), "type");
        if (type == NULL)
            type = sky_json_get(sky_json_get(claim, "absent"), "type");
        sky_buf_addf(out, "expect %s%s", sky_json_get(claim, "absent") != NULL ? "no " : "",
                     cJSON_IsString(type)                      ? type->valuestring
                     : sky_json_get(claim, "sequence") != NULL ? "a sequence"
                                                               : "events");
        break;
    case SKY_STEP_MEASURE:
        sky_buf_addf(out, "measure %s", sky_json_get_str(step, "measure"));
        break;
    default:
        body = sky_step_body(step, row);
        sky_buf_add_str(out, row->name);
        if (strcmp(row->name, "fault") == 0)
            sky_buf_addf(out, " %s %s", sky_json_get_str(body, "point"),
                         sky_json_get_str(body, "action"));
        cJSON_Delete(body);
    }
}
