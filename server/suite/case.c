/* One case: its steps, what its device did meanwhile, and how it ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/json.h"
#include "server/suite/private.h"
#include "server/suite/run.h"

enum {
    CALL_GRACE_MS = 2000,           /* that an answer may be late */
    MEASURE_TICK_MS = 500,          /* how often a measure is looked at where nothing happens */
    HOLD_ON_MS = 20,                /* between two tries of a step that waits for the device */
    CLAIM_WAIT_MS = 10 * 60 * 1000, /* that one call waits; longer ones are asked again */
};

static const struct sky_suite_host *host_of(const struct sky_case *one)
{
    return &one->run->suites->host;
}

static struct sky_clock *clock_of(const struct sky_case *one)
{
    return host_of(one)->registry->clock;
}

static void next_step(struct sky_timer *timer, int64_t now_ms);

static void soon(struct sky_case *one)
{
    one->state = SKY_CASE_STEP;
    sky_clock_patience(clock_of(one), &one->soon, 0, next_step);
}

/* What is told of a step: the one at work, then the one that has decided. */
static void show_step(struct sky_case *one, int index)
{
    struct sky_buf text;
    const cJSON *at = cJSON_GetArrayItem(one->item->what->steps, index);
    cJSON *step = cJSON_CreateObject();
    const char *title = sky_json_get_str(at, "title");
    sky_buf_init(&text, 200);
    sky_step_say(at, &text);
    sky_buf_add_byte(&text, '\0');
    cJSON_AddNumberToObject(step, "index", index);
    cJSON_AddStringToObject(step, "name", sky_step_row(at)->name);
    cJSON_AddStringToObject(step, "text",
                            title != NULL   ? title
                            : text.overflow ? sky_step_row(at)->name
                                            : text.bytes);
    sky_buf_done(&text);
    sky_run__put(one->item->shown, "step", step);
}

/* ---- the end ---- */

static void release(struct sky_case *one)
{
    struct sky_clock *clock = clock_of(one);
    sky_clock_forgive(clock, &one->soon);
    sky_clock_forgive(clock, &one->alarm);
    sky_clock_forgive(clock, &one->deadline);
    if (one->call.state != NULL)
        host_of(one)->cancel(host_of(one)->ctx, &one->call);
    if (one->following) {
        sky_wait_end(&one->follow);
        sky_search_end(&one->search);
    }
    for (int i = 0; i < one->steps; i++)
        sky_measure_free(one->measures[i]);
    free(one->measures);
}

static void end_faults(struct sky_case *one)
{
    for (size_t i = 0; i < one->fault_count; i++)
        host_of(one)->end_fault(host_of(one)->ctx, one->faults[i]);
    one->fault_count = 0;
}

/* Everything is as it was before the case. */
static void put_back(struct sky_case *one)
{
    const struct sky_suite_host *host = host_of(one);
    struct sky_clock *clock = clock_of(one);
    end_faults(one);
    if (one->item->what->alone) {
        int64_t now_ms =
            one->clock_frozen ? one->clock_frozen_ms : clock->real_ms + one->clock_offset_ms;
        if (clock->frozen != one->clock_frozen ||
            (clock->frozen ? clock->frozen_ms != now_ms : clock->offset_ms != one->clock_offset_ms))
            host->set_clock(host->ctx, now_ms, one->clock_frozen);
    }
    if (one->is_kept)
        host->put_back(host->ctx, &one->kept);
}

static bool is_online(const struct sky_case *one)
{
    struct sky_suite_where where = {0};
    host_of(one)->where(host_of(one)->ctx, one->device->device.id, &where);
    return where.online;
}

/* That the device is away may be why nothing came. */
static void add_absence(const struct sky_case *one, struct sky_buf *out)
{
    sky_buf_addf(out, "%sthe device is not connected", out->len > 0 ? "; " : "");
    if (one->closed_seq != 0)
        sky_buf_addf(out, " (its connection ended with event %llu)",
                     (unsigned long long)one->closed_seq);
}

static void end(struct sky_case *one, const char *state)
{
    cJSON *shown = one->item->shown;
    int64_t took_ms = clock_of(one)->real_ms - one->began_ms;
    struct sky_run_device *device = one->device;
    bool stopped = strcmp(state, "stopped") == 0, online = is_online(one);
    bool connects = (device->where.transports & 1U << SKY_DTLS) == 0; /* datagrams do not */
    if (!stopped && !online && connects &&
        (one->grade == SKY_GRADE_FAILED || one->grade == SKY_GRADE_IDLE)) {
        struct sky_buf reason;
        sky_buf_init(&reason, sizeof one->reason - 1);
        sky_buf_add_str(&reason, one->reason);
        add_absence(one, &reason);
        snprintf(one->reason, sizeof one->reason, "%.*s", SKY_SPAN_ARGS(sky_buf_span(&reason)));
        sky_buf_done(&reason);
    }
    if (one->signs > 0) {
        device->seen = true;
        device->gone = device->ended;
        device->silent_ms = 0;
    } else if (!stopped) {
        device->silent_ms += took_ms;
        device->gone = !one->run->setup &&
                       (device->gone || !device->seen || device->silent_ms >= SKY_RUN_GONE_MS) &&
                       !online;
    }
    sky_run__put(shown, "state", cJSON_CreateString(state));
    sky_run__put(shown, "verdict", cJSON_CreateString(sky_grade_name(one->grade)));
    sky_run__put(shown, "ms", cJSON_CreateNumber((double)took_ms));
    sky_run__put(shown, "since", cJSON_CreateNumber((double)one->since));
    if (one->reason[0] != '\0')
        sky_run__put(shown, "reason", cJSON_CreateString(one->reason));
    if (one->events != NULL)
        sky_run__put(shown, "events", one->events);
    if (one->figures != NULL)
        sky_run__put(shown, "measures", one->figures);
    if (one->decided >= 0)
        show_step(one, one->decided);
    else
        cJSON_DeleteItemFromObjectCaseSensitive(shown, "step");
    release(one);
    put_back(one);
    sky_run__case_over(one);
}

/* It has its grade and reason, and ends when all events that there are were looked at: what the
 * device did or did not do has a part in it. */
static void settle(struct sky_case *one, enum sky_grade grade, int decided)
{
    one->grade = grade;
    one->decided = decided;
    one->state = SKY_CASE_JUDGED;
    sky_clock_forgive(clock_of(one), &one->soon);
    sky_clock_forgive(clock_of(one), &one->alarm);
    sky_clock_forgive(clock_of(one), &one->deadline);
    if (one->call.state != NULL)
        host_of(one)->cancel(host_of(one)->ctx, &one->call);
    one->call.state = NULL;
    sky_wait_again(&one->follow);
}

static void settle_with(struct sky_case *one, enum sky_grade grade, const char *fmt, ...)
    SKY_PRINTF(3, 4);
static void settle_with(struct sky_case *one, enum sky_grade grade, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(one->reason, sizeof one->reason, fmt, args);
    va_end(args);
    settle(one, grade, one->step);
}

/* Nothing that happened is no reason to pass, nor to fail. */
static void judge(struct sky_case *one)
{
    if (one->signs == 0) {
        struct sky_buf reason;
        sky_buf_init(&reason, sizeof one->reason - 1);
        sky_buf_add_str(&reason, "the device did nothing in this case");
        if (one->grade != SKY_GRADE_PASSED && one->reason[0] != '\0')
            sky_buf_addf(&reason, "; %s", one->reason);
        snprintf(one->reason, sizeof one->reason, "%.*s", SKY_SPAN_ARGS(sky_buf_span(&reason)));
        sky_buf_done(&reason);
        one->grade = SKY_GRADE_IDLE;
    }
    end(one, "ended");
}

/* ---- following the device ---- */

static bool is_own(const struct sky_case *one)
{
    const struct sky_subject *subject = &one->search.subject;
    if (subject->head->device_id != 0)
        return subject->head->device_id == one->device->device.id;
    return subject->device != NULL && strcmp(subject->device, one->device->name) == 0;
}

static void copy_attr(const struct sky_event *event, enum sky_event_field field, char *out,
                      size_t size)
{
    const struct sky_attr *attr = sky_event_get(event, field);
    if (attr != NULL && attr->bytes.len > 0)
        snprintf(out, size, "%.*s", SKY_SPAN_ARGS(attr->bytes));
}

/* The host of a peer, "1.2.3.4:5" or "[::1]:5". */
static void cut_port(char *peer)
{
    char *colon = strrchr(peer, ':');
    if (colon != NULL)
        *colon = '\0';
}

static void take(struct sky_case *one)
{
    const struct sky_event *event = &one->search.event;
    struct sky_suite_where *where = &one->device->where;
    bool own = is_own(one), nobody = event->head.device_id == 0;
    if (!own && !(nobody && one->item->what->strangers))
        return;
    bool acts = event->head.direction == SKY_UP;
    one->signs += acts;
    if (acts && own && event->head.connection != 0) {
        char peer[sizeof where->peer] = "";
        where->transports |= 1U << event->head.transport;
        where->psk = where->psk || event->head.type == SKY_EVENT_PSK_HANDSHAKE;
        copy_attr(event, SKY_F_LISTENER, where->listener, sizeof where->listener);
        copy_attr(event, SKY_F_PEER, peer, sizeof peer);
        cut_port(peer);
        if (peer[0] != '\0')
            memcpy(where->peer, peer, sizeof peer);
    }
    if (event->head.type == SKY_EVENT_CLOSE && own)
        one->closed_seq = event->seq;
    const struct sky_measure_event given = {.subject = &one->search.subject,
                                            .seq = event->seq,
                                            .now_ms = event->now_ms,
                                            .real_ms = event->real_ms,
                                            .own = own};
    for (int i = 0; i < one->steps && one->state > SKY_CASE_SETUP; i++)
        if (one->measures[i] != NULL)
            sky_measure_feed(one->measures[i], &given);
}

void sky_case__gone(struct sky_case *one)
{
    if (is_online(one) || one->state == SKY_CASE_SETUP || one->state == SKY_CASE_TASK ||
        one->state == SKY_CASE_JUDGED)
        return;
    const cJSON *notes = sky_json_get(one->item->shown, "notes");
    const cJSON *last = cJSON_GetArrayItem(notes, cJSON_GetArraySize(notes) - 1);
    settle_with(one, SKY_GRADE_FAILED, "%s",
                last != NULL ? last->valuestring : "the device has ended");
}

static void on_sign(struct sky_case *one);
static void settle_in(struct sky_case *one);
static void judge_measure(struct sky_case *one);

static void look(struct sky_wait *wait)
{
    struct sky_case *one = SKY_CONTAINER_OF(wait, struct sky_case, follow);
    bool more = false;
    while (sky_search_next(&one->search, wait->waits->ends_ns, &more))
        take(one);
    if (more) {
        sky_wait_again(wait);
        return;
    }
    if (one->state == SKY_CASE_SIGN && one->signs > 0)
        on_sign(one);
    else if (one->state == SKY_CASE_RETURN && is_online(one))
        settle_in(one);
    else if (one->state == SKY_CASE_MEASURE)
        judge_measure(one);
    else if (one->state == SKY_CASE_JUDGED)
        judge(one);
    else if (one->device->ended)
        sky_case__gone(one);
}

static void follow(struct sky_case *one)
{
    const struct sky_suite_host *host = host_of(one);
    struct sky_journal_stats stats;
    struct sky_why why;
    cJSON *whose = cJSON_CreateObject();
    sky_journal_stats(host->registry->journal, &stats);
    one->since = stats.last_seq;
    if (!one->item->what->strangers)
        cJSON_AddStringToObject(whose, "device", one->device->name);
    struct sky_pattern *pattern = sky_pattern_new(whose, "", NULL, &why);
    cJSON_Delete(whose);
    sky_search_begin(&one->search, host->registry, host->names, pattern, SKY_PERIODS, one->since);
    one->follow.look = look;
    one->following = true;
    sky_wait_begin(host->waits, &one->follow);
}

/* ---- steps ---- */

static int64_t left_ms(const struct sky_case *one)
{
    int64_t left = one->ends_ms - clock_of(one)->real_ms;
    return left > 0 ? left : 0;
}

static void tell_step(struct sky_case *one)
{
    show_step(one, one->step);
    cJSON *told = cJSON_CreateObject(), *shown = one->item->shown;
    cJSON_AddNumberToObject(told, "index", (double)one->index);
    cJSON_AddItemReferenceToObject(told, "step", cJSON_GetObjectItemCaseSensitive(shown, "step"));
    sky_run__tell(one->run, "step", told);
    cJSON_Delete(told);
}

static void go_on(struct sky_case *one)
{
    one->held[0] = '\0';
    one->step++;
    one->at = cJSON_GetArrayItem(one->item->what->steps, one->step);
    soon(one);
}

static void give_task(struct sky_case *one, const char *what, const char *command, int64_t ms)
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

/* What a claim came to. */
static void take_claim(struct sky_case *one, int status, const cJSON *body)
{
    const char *why = sky_json_get_str(body, "why");
    bool waited = clock_of(one)->real_ms - one->asked_ms >= CLAIM_WAIT_MS;
    if (status == 406 && waited && left_ms(one) > 0 &&
        sky_json_get(sky_json_get(one->at, "expect"), "waitMs") == NULL) {
        soon(one); /* the same step again */
    } else if (status == 200) {
        take_events(one, sky_json_get(body, "events"));
        go_on(one);
    } else if (status == 406) {
        take_events(one, sky_json_get(body, "events"));
        if (one->events == NULL || cJSON_GetArraySize(sky_json_get(body, "events")) == 0)
            take_events(one, sky_json_get(body, "nearest"));
        const char *named = sky_json_get_str(one->at, "grade");
        enum sky_grade grade;
        if (named == NULL || !sky_grade_parse(named, &grade))
            grade = SKY_GRADE_FAILED;
        if (grade != SKY_GRADE_WARNED) {
            settle_with(one, grade, "%s", why != NULL ? why : "it did not hold");
            return;
        }
        one->grade = SKY_GRADE_WARNED;
        one->decided = one->step;
        snprintf(one->reason, sizeof one->reason, "%s", why != NULL ? why : "it did not hold");
        go_on(one);
    } else {
        settle_with(one, SKY_GRADE_IDLE, "the claim could not be looked at: %s", error_of(body));
    }
}

/* The device is away, or not ready yet: the step waits for it, as long as the case does. */
static void hold_on(struct sky_case *one, const char *step, const char *why)
{
    snprintf(one->held, sizeof one->held, "%s could not be done: %s", step, why);
    one->state = SKY_CASE_STEP;
    sky_clock_patience(clock_of(one), &one->soon, HOLD_ON_MS, next_step);
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
        go_on(one);
    else if (status == 409 && row->how & SKY_STEP_AWAITS)
        hold_on(one, row->name, error_of(body));
    else if (status == 504 || status == 408)
        settle_with(one, SKY_GRADE_FAILED, "%s: %s", row->name, error_of(body));
    else
        settle_with(one, SKY_GRADE_IDLE, "%s could not be done: %s", row->name, error_of(body));
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
    sky_run__put(claim, "waitMs", cJSON_CreateNumber((double)wait_ms));
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
    one->asked_ms = clock_of(one)->real_ms;
    one->call.done = on_answer;
    host_of(one)->call(host_of(one)->ctx, &one->call, row->method, path.bytes, body);
    sky_buf_done(&path);
    cJSON_Delete(body);
}

static void on_pause_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    go_on(SKY_CONTAINER_OF(timer, struct sky_case, alarm));
}

/* Its beginning is kept once more, for the end. */
static void restore(struct sky_case *one)
{
    struct sky_run_device *device = one->device;
    put_back(one);
    one->is_kept = host_of(one)->keep(host_of(one)->ctx, &device->product, &device->device,
                                      &one->kept) == SKY_OK;
    go_on(one);
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
        end_faults(one);
        go_on(one);
        return;
    case SKY_STEP_RESTORE:
        restore(one);
        return;
    case SKY_STEP_WAIT:
        body = sky_step_body(step, row);
        one->state = SKY_CASE_PAUSE;
        sky_clock_patience(clock_of(one), &one->alarm,
                           (int64_t)sky_json_get(body, "ms")->valuedouble, on_pause_over);
        cJSON_Delete(body);
        return;
    case SKY_STEP_RUN:
        body = sky_step_body(step, row);
        one->state = SKY_CASE_TASK;
        give_task(one, "run", sky_json_get_str(body, "command"), left_ms(one));
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
        settle(one, one->grade, one->grade == SKY_GRADE_WARNED ? one->decided : -1);
        return;
    }
    if (one->held[0] == '\0')
        tell_step(one);
    char now[24], *topic = host_of(one)->topic(host_of(one)->ctx, one->device->device.id);
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

static void judge_measure(struct sky_case *one)
{
    struct sky_measure *measure = one->measures[one->step];
    if (one->overdue)
        sky_measure_over(measure);
    enum sky_grade grade = sky_measure_grade(measure, clock_of(one)->real_ms);
    if (grade == SKY_GRADE_IDLE && !one->overdue) {
        sky_clock_patience(clock_of(one), &one->alarm, MEASURE_TICK_MS, on_tick);
        return;
    }
    show_measure(one, measure);
    const char *reason = sky_measure_reason(measure);
    if (grade == SKY_GRADE_FAILED || grade == SKY_GRADE_IDLE) {
        settle_with(one, grade, "%s", reason);
        return;
    }
    if (grade == SKY_GRADE_WARNED || one->grade == SKY_GRADE_PASSED) {
        snprintf(one->reason, sizeof one->reason, "%s", reason);
        one->decided = grade == SKY_GRADE_WARNED ? one->step : one->decided;
    }
    one->grade = grade == SKY_GRADE_WARNED ? grade : one->grade;
    go_on(one);
}

/* ---- time ---- */

static void on_deadline(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_case *one = SKY_CONTAINER_OF(timer, struct sky_case, deadline);
    long long all_ms = (long long)one->item->what->timeout_ms;
    (void)now_ms;
    switch (one->state) {
    case SKY_CASE_MEASURE:
        one->overdue = true;
        sky_wait_again(&one->follow);
        return;
    case SKY_CASE_CALL:
        if (!one->overdue) { /* a claim is answered at this moment */
            one->overdue = true;
            sky_clock_patience(clock_of(one), &one->deadline, CALL_GRACE_MS, on_deadline);
            return;
        }
        settle_with(one, SKY_GRADE_IDLE, "no answer within the case's timeoutMs of %lld", all_ms);
        return;
    case SKY_CASE_TASK:
        settle_with(one, SKY_GRADE_IDLE,
                    "the command did not end within the case's timeoutMs of %lld", all_ms);
        return;
    default:
        if (one->held[0] != '\0')
            settle_with(one, SKY_GRADE_IDLE, "%s", one->held);
        else
            settle_with(one, SKY_GRADE_IDLE,
                        "the case's timeoutMs of %lld was over before its steps were", all_ms);
    }
}

/* ---- the beginning ---- */

/* What is put back is the state of a device that has come: its session is there, if it has one. */
static void begin_steps(struct sky_case *one)
{
    const struct sky_suite_host *host = host_of(one);
    struct sky_clock *clock = clock_of(one);
    one->is_kept =
        host->keep(host->ctx, &one->device->product, &one->device->device, &one->kept) == SKY_OK;
    if (!one->following)
        follow(one);
    sky_clock_forgive(clock, &one->alarm);
    one->ends_ms = clock->real_ms + one->item->what->timeout_ms;
    sky_clock_patience(clock, &one->deadline, one->item->what->timeout_ms, on_deadline);
    for (int i = 0; i < one->steps; i++)
        if (one->measures[i] != NULL)
            sky_measure_begin(one->measures[i], clock->real_ms);
    one->step = 0;
    one->at = cJSON_GetArrayItem(one->item->what->steps, 0);
    soon(one);
}

static void make_measures(struct sky_case *one)
{
    const cJSON *step;
    struct sky_why why;
    int i = 0;
    one->steps = cJSON_GetArraySize(one->item->what->steps);
    one->measures = sky_mem_new((size_t)one->steps * sizeof *one->measures);
    cJSON_ArrayForEach (step, one->item->what->steps) {
        if (sky_json_get(step, "measure") != NULL)
            one->measures[i] = sky_measure_new(step, "", &why);
        i++;
    }
}

static void on_nobody(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_case *one = SKY_CONTAINER_OF(timer, struct sky_case, alarm);
    (void)now_ms;
    settle(one, SKY_GRADE_IDLE, -1);
}

static void on_setup_late(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_case *one = SKY_CONTAINER_OF(timer, struct sky_case, alarm);
    (void)now_ms;
    follow(one);
    settle_with(one, SKY_GRADE_IDLE, "--setup did not end within %d minutes",
                SKY_RUN_TASK_MAX_MS / 60000);
}

/* Does the device come by its secret so? One that was never online may fetch it, or have it. */
static bool activates(const struct sky_case *one)
{
    struct sky_product product;
    struct sky_device device;
    const cJSON *wanted = one->item->what->fits.activations;
    if (wanted == NULL || sky_store_get_device(host_of(one)->registry->store,
                                               one->device->device.id, &product, &device) != SKY_OK)
        return true;
    if (product.dynamic_activation && !device.secret_issued && device.state == SKY_DEVICE_INACTIVE)
        return true;
    return sky_run__names(wanted, product.dynamic_activation && device.secret_issued ? "dynamic"
                                                                                     : "static");
}

/* What the case wants of how the device comes and is not so; NULL: it fits. */
static const cJSON *misfit(const struct sky_case *one)
{
    const struct sky_suite_where *where = &one->device->where;
    return sky_suite_misfit(&one->item->what->fits, where->transports, where->psk);
}

/* It is not for this device, as is seen now. */
static void leave(struct sky_case *one, const cJSON *wanted)
{
    const struct sky_suite_fits *fits = &one->item->what->fits;
    const char *those = wanted == fits->activations ? "whose activation is"
                        : wanted == fits->trusts    ? "that trust the server by"
                                                    : "that come by";
    struct sky_buf reason;
    const cJSON *each;
    sky_buf_init(&reason, sizeof one->reason - 1);
    sky_buf_addf(&reason, "the case is for devices %s ", those);
    cJSON_ArrayForEach (each, wanted)
        sky_buf_addf(&reason, "%s%s", each->prev != NULL && each->prev->next != NULL ? " or " : "",
                     each->valuestring);
    snprintf(one->reason, sizeof one->reason, "%.*s: not for this one",
             SKY_SPAN_ARGS(sky_buf_span(&reason)));
    sky_buf_done(&reason);
    one->grade = SKY_GRADE_IDLE;
    one->signs = 1; /* what is known of the device does not change by this */
    one->decided = -1;
    end(one, one->item->may_miss ? "left" : "ended");
}

/* What the device has done so far is no part of the case. */
static void begin_anew(struct sky_case *one)
{
    if (one->following)
        one->since = one->search.cursor.next_seq - 1;
    one->signs = 0;
    begin_steps(one);
}

static void on_time(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    begin_anew(SKY_CONTAINER_OF(timer, struct sky_case, alarm));
}

/* A device that has come is not cut off while it subscribes: SDKs that keep their session do so
 * once in their lives. */
static void settle_in(struct sky_case *one)
{
    one->state = SKY_CASE_SETTLE;
    sky_clock_forgive(clock_of(one), &one->alarm);
    sky_clock_patience(clock_of(one), &one->alarm, SKY_RUN_SETTLE_MS, on_time);
}

/* The device is there (again): now it can be told by what it comes. */
static void on_sign(struct sky_case *one)
{
    const cJSON *wanted = misfit(one);
    if (wanted == NULL)
        settle_in(one);
    else
        leave(one, wanted);
}

/* The case before has sent it away, by MQTT, where one sees who is there. */
static bool may_return(const struct sky_case *one)
{
    const struct sky_run_device *device = one->device;
    return device->seen && !device->gone && !device->where.online &&
           (device->where.transports & ~(1U << SKY_DTLS)) != 0;
}

void sky_case__begin(struct sky_run *run, struct sky_run_item *item, size_t index)
{
    const struct sky_suite_host *host = &run->suites->host;
    struct sky_clock *clock = host->registry->clock;
    struct sky_case *one = sky_mem_new(sizeof *one);
    struct sky_run_device *device = &run->devices[item->device];
    struct sky_suite_where where = {0};
    *one = (struct sky_case){.run = run,
                             .item = item,
                             .device = device,
                             .index = index,
                             .began_ms = clock->real_ms,
                             .clock_offset_ms = clock->offset_ms,
                             .clock_frozen_ms = clock->frozen_ms,
                             .clock_frozen = clock->frozen,
                             .grade = SKY_GRADE_PASSED,
                             .decided = -1};
    device->active = one;
    host->where(host->ctx, device->device.id, &where);
    where.transports |= device->where.transports;
    where.psk = where.psk || device->where.psk;
    if (where.listener[0] == '\0') {
        memcpy(where.listener, device->where.listener, sizeof where.listener);
        memcpy(where.peer, device->where.peer, sizeof where.peer);
    }
    device->where = where;
    make_measures(one);
    const cJSON *wanted = misfit(one);
    if (wanted == NULL && !activates(one))
        wanted = item->what->fits.activations;
    if (wanted != NULL) {
        leave(one, wanted);
        return;
    }
    sky_run__put(item->shown, "state", cJSON_CreateString("running"));
    sky_run__tell_case(run, index);
    bool unknown = !run->setup && !device->seen && where.transports == 0 &&
                   item->what->fits.transports != NULL; /* does it fit? */
    if ((device->gone || unknown) && !where.online) {
        follow(one);
        one->state = SKY_CASE_SIGN;
        sky_clock_patience(clock, &one->alarm,
                           device->gone ? SKY_RUN_GONE_WAIT_MS : item->what->timeout_ms, on_nobody);
    } else if (run->setup) {
        one->state = SKY_CASE_SETUP;
        give_task(one, "setup", NULL, SKY_RUN_TASK_MAX_MS);
        sky_clock_patience(clock, &one->alarm, SKY_RUN_TASK_MAX_MS, on_setup_late);
    } else if (may_return(one)) {
        follow(one);
        one->state = SKY_CASE_RETURN;
        sky_clock_patience(clock, &one->alarm,
                           item->what->timeout_ms < SKY_RUN_RETURN_MS ? item->what->timeout_ms
                                                                      : SKY_RUN_RETURN_MS,
                           on_time);
    } else {
        begin_steps(one);
    }
}

void sky_case__task_done(struct sky_case *one, int status, const char *reason)
{
    bool setup = one->state == SKY_CASE_SETUP;
    one->task = 0;
    if (setup)
        sky_clock_forgive(clock_of(one), &one->alarm);
    if (setup && status != 0)
        follow(one);
    if (status != 0)
        settle_with(one, SKY_GRADE_IDLE, "%s ended with %d%s%.200s",
                    setup ? "--setup" : "the command", status, reason != NULL ? ": " : "",
                    reason != NULL ? reason : "");
    else if (setup)
        begin_steps(one);
    else
        go_on(one);
}

void sky_case__stop(struct sky_case *one, const char *words)
{
    struct sky_buf text;
    sky_buf_init(&text, sizeof one->reason - 1);
    if (one->at != NULL) {
        sky_buf_addf(&text, "stopped in the middle of step %d (", one->step + 1);
        sky_step_say(one->at, &text);
        sky_buf_addf(&text, "): %s", words);
    } else {
        sky_buf_addf(&text, "stopped before its first step: %s", words);
    }
    snprintf(one->reason, sizeof one->reason, "%.*s", SKY_SPAN_ARGS(sky_buf_span(&text)));
    sky_buf_done(&text);
    one->grade = SKY_GRADE_IDLE;
    one->decided = one->at != NULL ? one->step : -1;
    end(one, "stopped");
}
