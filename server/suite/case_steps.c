/* The steps of a case at work: each is done, expected or measured, and then comes the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "server/suite/private.h"
#include "server/suite/run.h"

enum {
    MEASURE_TICK_MS = 500,          /* how often a measure is looked at where nothing happens */
    HOLD_ON_MS = 20,                /* between two tries of a step that waits for the device */
    CLAIM_WAIT_MS = 10 * 60 * 1000, /* that one call waits; longer ones are asked again */
};

static void next_step(struct sky_timer *timer, int64_t now_ms);

void sky_case__step_soon(struct sky_case *one)
{
    one->state = SKY_CASE_STEP;
    sky_clock_patience(sky_case__clock(one), &one->soon, 0, next_step);
}

/* What is told of a step: the one at work, then the one that has decided. */
void sky_case__show_step(struct sky_case *one, int index)
{
    struct sky_buf text;
    const cJSON *at = cJSON_GetArrayItem(one->item->what->steps, index);
    cJSON *step = cJSON_CreateObject();
    const char *title = sky_json_get_str(at, "title");
    sky_buf_init(&text, SKY_STEP_SAID_MAX);
    sky_step_say(at, &text);
    sky_buf_add_byte(&text, '\0');
    cJSON_AddNumberToObject(step, "index", index);
    cJSON_AddStringToObject(step, "name", sky_step_row(at)->name);
    cJSON_AddStringToObject(step, "text",
                            title != NULL   ? title
                            : text.overflow ? sky_step_row(at)->name
                                            : text.bytes);
    sky_buf_done(&text);
    sky_json_put(one->item->shown, "step", step);
}

static int64_t left_ms(const struct sky_case *one)
{
    int64_t left = one->ends_ms - sky_case__clock(one)->real_ms;
    return left > 0 ? left : 0;
}

static void tell_step(struct sky_case *one)
{
    sky_case__show_step(one, one->step);
    cJSON *told = cJSON_CreateObject(), *shown = one->item->shown;
    cJSON_AddNumberToObject(told, "index", (double)one->index);
    cJSON_AddItemReferenceToObject(told, "step", cJSON_GetObjectItemCaseSensitive(shown, "step"));
    sky_run__tell(one->run, "step", told);
    cJSON_Delete(told);
}

void sky_case__go_on(struct sky_case *one)
{
    one->held[0] = '\0';
    one->step++;
    one->at = cJSON_GetArrayItem(one->item->what->steps, one->step);
    sky_case__step_soon(one);
}

void sky_case__give_task(struct sky_case *one, const char *what, const char *command, int64_t ms)
{
    cJSON *told = cJSON_CreateObject();
    one->task = ++one->run->tasks;
    cJSON_AddNumberToObject(told, "task", (double)one->task);
    cJSON_AddNumberToObject(told, "index", (double)one->index);
    cJSON_AddStringToObject(told, "what", what);
    if (command != NULL)
        cJSON_AddStringToObject(told, "command", command);
    cJSON_AddNumberToObject(told, "timeoutMs", (double)ms);
    sky_run__tell(one->run, "task", told);
    cJSON_Delete(told);
}

/* The numbers in an answer's list, of events, or of what has one. */
static void take_events(struct sky_case *one, const cJSON *list)
{
    const cJSON *each;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        return;
    cJSON_Delete(one->events);
    one->events = cJSON_CreateArray();
    cJSON_ArrayForEach (each, list) {
        const cJSON *seq = cJSON_IsObject(each) ? sky_json_get(each, "seq") : each;
        if (cJSON_IsNumber(seq) && cJSON_GetArraySize(one->events) < SKY_RUN_EVENTS_MAX)
            cJSON_AddItemToArray(one->events, cJSON_CreateNumber(seq->valuedouble));
    }
}

static const char *error_of(const cJSON *body)
{
    const char *message = sky_json_get_str(sky_json_get(body, "error"), "message");
    return message != NULL ? message : "no reason was given";
}

/* What is expected, or measured, has come to this. What only warns lets the case go on. */
static void conclude(struct sky_case *one, enum sky_grade grade, const char *reason)
{
    if (grade == SKY_GRADE_FAILED || grade == SKY_GRADE_IDLE) {
        sky_case__settle_with(one, grade, "%s", reason);
        return;
    }
    if (grade == SKY_GRADE_WARNED || one->grade == SKY_GRADE_PASSED)
        snprintf(one->reason, sizeof one->reason, "%s", reason);
    if (grade == SKY_GRADE_WARNED) {
        one->grade = grade;
        one->decided = one->step;
    }
    sky_case__go_on(one);
}

/* What a claim came to. */
static void take_claim(struct sky_case *one, int status, const cJSON *body)
{
    bool waited = sky_case__clock(one)->real_ms - one->asked_ms >= CLAIM_WAIT_MS;
    if (status == 406 && waited && left_ms(one) > 0 &&
        sky_json_get(sky_json_get(one->at, "expect"), "waitMs") == NULL) {
        sky_case__step_soon(one); /* the same step again */
    } else if (status == 200) {
        take_events(one, sky_json_get(body, "events"));
        sky_case__go_on(one);
    } else if (status == 406) {
        take_events(one, sky_json_get(body, "events"));
        if (one->events == NULL || cJSON_GetArraySize(sky_json_get(body, "events")) == 0)
            take_events(one, sky_json_get(body, "nearest"));
        enum sky_grade grade;
        if (!sky_grade_parse(sky_json_text_of(one->at, "grade"), &grade))
            grade = SKY_GRADE_FAILED;
        conclude(one, grade, sky_json_text_of(body, "why"));
    } else {
        sky_case__settle_with(one, SKY_GRADE_IDLE, "the claim could not be looked at: %s",
                              error_of(body));
    }
}

/* The device is away, or not ready yet: the step waits for it, as long as the case does. */
static void hold_on(struct sky_case *one, const char *step, const char *why)
{
    snprintf(one->held, sizeof one->held, "%s could not be done: %s", step, why);
    one->state = SKY_CASE_STEP;
    sky_clock_patience(sky_case__clock(one), &one->soon, HOLD_ON_MS, next_step);
}

static void on_answer(struct sky_suite_call *call, int status, const cJSON *body)
{
    struct sky_case *one = SKY_CONTAINER_OF(call, struct sky_case, call);
    const struct sky_step_row *row = sky_step_row(one->at);
    const cJSON *id = sky_json_get(body, "id");
    one->call.state = NULL;
    if (row->kind == SKY_STEP_EXPECT) {
        take_claim(one, status, body);
        return;
    }
    if (status < 300 && strcmp(row->name, "fault") == 0 && cJSON_IsNumber(id) &&
        one->fault_count < SKY_COUNT(one->faults))
        one->faults[one->fault_count++] = (int64_t)id->valuedouble;
    if (status < 300 || (status == 409 && row->how & SKY_STEP_MAY_MISS))
        sky_case__go_on(one);
    else if (status == 409 && row->how & SKY_STEP_AWAITS)
        hold_on(one, row->name, error_of(body));
    else if (status == 504 || status == 408)
        sky_case__settle_with(one, SKY_GRADE_FAILED, "%s: %s", row->name, error_of(body));
    else
        sky_case__hinder(one, "%s could not be done: %s", row->name, error_of(body));
}

/* A fault where nobody is known yet is for whoever comes from where the device came. */
static void aim_at_the_door(const struct sky_case *one, cJSON *fault)
{
    const struct sky_suite_where *where = &one->device->where;
    if (sky_json_get(fault, "match") != NULL)
        return;
    cJSON *match = cJSON_AddObjectToObject(fault, "match");
    if (where->listener[0] != '\0')
        cJSON_AddStringToObject(match, "listener", where->listener);
}

/* Of whom the body speaks: of the case's device, unless it says otherwise. */
static void aim(const struct sky_case *one, const struct sky_step_row *row, cJSON *body)
{
    if (sky_json_get(body, "device") != NULL || sky_json_get(body, "product") != NULL)
        return;
    if (sky_step_is_at_the_door(body))
        aim_at_the_door(one, body);
    else if (row->how & SKY_STEP_NAMES_WHOM || row->kind == SKY_STEP_EXPECT)
        cJSON_AddStringToObject(body, "device", one->device->name);
}

/* The claim as the route takes it. */
static cJSON *claim_of(const struct sky_case *one, const cJSON *step,
                       const struct sky_step_row *row)
{
    cJSON *claim = cJSON_Duplicate(sky_json_get(step, "expect"), true);
    const cJSON *wait = sky_json_get(claim, "waitMs");
    int64_t wait_ms = wait != NULL ? (int64_t)wait->valuedouble : INT64_MAX;
    wait_ms = wait_ms < left_ms(one) ? wait_ms : left_ms(one);
    wait_ms = wait_ms < CLAIM_WAIT_MS ? wait_ms : CLAIM_WAIT_MS;
    sky_json_put(claim, "waitMs", cJSON_CreateNumber((double)wait_ms));
    if (sky_json_get(claim, "since") == NULL)
        cJSON_AddNumberToObject(claim, "since", (double)one->since);
    if (!cJSON_IsTrue(sky_json_get(step, "anyone")))
        aim(one, row, claim);
    return claim;
}

static void call(struct sky_case *one, const cJSON *step, const struct sky_step_row *row)
{
    struct sky_buf path;
    cJSON *body =
        row->kind == SKY_STEP_EXPECT ? claim_of(one, step, row) : sky_step_body(step, row);
    if (row->kind != SKY_STEP_EXPECT)
        aim(one, row, body);
    if (row->how & SKY_STEP_WAITS_NOT && sky_json_get(body, "waitMs") == NULL)
        cJSON_AddNumberToObject(body, "waitMs", 0);
    sky_buf_init(&path, 4096);
    const struct sky_step_names names = {.cloud = one->device->product.cloud,
                                         .product = one->device->product.key,
                                         .device = one->device->device.key};
    sky_step_path(row, &names, &path);
    one->state = SKY_CASE_CALL;
    one->asked_ms = sky_case__clock(one)->real_ms;
    one->call.done = on_answer;
    sky_case__host(one)->call(sky_case__host(one)->ctx, &one->call, row->method, path.bytes, body);
    sky_buf_done(&path);
    cJSON_Delete(body);
}

static void on_pause_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    sky_case__go_on(SKY_CONTAINER_OF(timer, struct sky_case, alarm));
}

/* Its beginning is kept once more, for the end. */
static void restore(struct sky_case *one)
{
    sky_case__put_back(one);
    if (sky_case__keep(one))
        sky_case__go_on(one);
}

static void do_step(struct sky_case *one, const cJSON *step)
{
    const struct sky_step_row *row = sky_step_row(step);
    cJSON *body;
    switch (row->kind) {
    case SKY_STEP_CALL:
    case SKY_STEP_EXPECT:
        call(one, step, row);
        return;
    case SKY_STEP_CLEAR:
        sky_case__end_faults(one);
        sky_case__go_on(one);
        return;
    case SKY_STEP_RESTORE:
        restore(one);
        return;
    case SKY_STEP_WAIT:
        one->state = SKY_CASE_PAUSE;
        sky_clock_patience(sky_case__clock(one), &one->alarm, sky_step_ms(step), on_pause_over);
        return;
    case SKY_STEP_RUN:
        body = sky_step_body(step, row);
        one->state = SKY_CASE_TASK;
        sky_case__give_task(one, "run", sky_json_get_str(body, "command"), left_ms(one));
        cJSON_Delete(body);
        return;
    case SKY_STEP_MEASURE:
        one->state = SKY_CASE_MEASURE;
        sky_wait_again(&one->follow);
        return;
    }
}

static void next_step(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_case *one = SKY_CONTAINER_OF(timer, struct sky_case, soon);
    (void)now_ms;
    if (one->at == NULL) {
        sky_case__settle(one, one->grade, one->grade == SKY_GRADE_WARNED ? one->decided : -1);
        return;
    }
    if (one->held[0] == '\0')
        tell_step(one);
    char now[24],
        *topic = sky_case__host(one)->topic(sky_case__host(one)->ctx, one->device->device.id);
    snprintf(now, sizeof now, "%lld", (long long)(one->began_ms / 1000));
    const struct sky_step_names names = {.cloud = one->device->product.cloud,
                                         .product = one->device->product.key,
                                         .device = one->device->device.key,
                                         .now = now,
                                         .topic = topic};
    cJSON *step = cJSON_Duplicate(one->at, true);
    if (sky_step_fill_in(step, &names))
        do_step(one, step);
    else
        hold_on(one, sky_step_row(one->at)->name,
                "the device subscribes to nothing, so that there is no ${topic} to speak of");
    cJSON_Delete(step);
    free(topic);
}

/* ---- measures ---- */

/* As an object in the list of figures. */
static void show_measure(struct sky_case *one, const struct sky_measure *measure)
{
    struct sky_buf text;
    struct sky_why why;
    cJSON *shown = NULL;
    sky_buf_init(&text, SIZE_MAX);
    struct sky_jw jw = sky_jw(&text);
    sky_jw_object(&jw);
    sky_measure_print(measure, &jw);
    sky_jw_end_object(&jw);
    if (sky_json_parse(sky_buf_span(&text), SKY_SUITE_DEPTH_MAX, &shown, &why) == SKY_OK) {
        if (one->figures == NULL)
            one->figures = cJSON_CreateArray();
        cJSON_AddItemToArray(one->figures, shown);
        take_events(one, sky_json_get(shown, "events"));
    }
    sky_buf_done(&text);
}

/* That nothing comes tells, too. */
static void on_tick(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    sky_wait_again(&SKY_CONTAINER_OF(timer, struct sky_case, alarm)->follow);
}

void sky_case__judge_measure(struct sky_case *one)
{
    struct sky_measure *measure = one->measures[one->step];
    if (one->overdue)
        sky_measure_over(measure);
    enum sky_grade grade = sky_measure_grade(measure, sky_case__clock(one)->real_ms);
    if (grade == SKY_GRADE_IDLE && !one->overdue) {
        sky_clock_patience(sky_case__clock(one), &one->alarm, MEASURE_TICK_MS, on_tick);
        return;
    }
    show_measure(one, measure);
    conclude(one, grade, sky_measure_reason(measure));
}
