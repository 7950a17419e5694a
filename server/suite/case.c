/* One case: how it begins, what its device did meanwhile, and how it ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/json.h"
#include "server/suite/private.h"
#include "server/suite/run.h"

enum { CALL_GRACE_MS = 2000 }; /* that an answer may be late */

/* ---- why it ends ---- */

static void vsay(struct sky_case *one, const char *fmt, va_list args)
{
    vsnprintf(one->reason, sizeof one->reason, fmt, args);
}

static void say(struct sky_case *one, const char *fmt, ...) SKY_PRINTF(2, 3);
static void say(struct sky_case *one, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsay(one, fmt, args);
    va_end(args);
}

/* Behind what is said already, as far as there is room. */
static void say_more(struct sky_case *one, const char *fmt, ...) SKY_PRINTF(2, 3);
static void say_more(struct sky_case *one, const char *fmt, ...)
{
    size_t len = strlen(one->reason);
    va_list args;
    va_start(args, fmt);
    vsnprintf(one->reason + len, sizeof one->reason - len, fmt, args);
    va_end(args);
}

/* ---- the end ---- */

static void release(struct sky_case *one)
{
    struct sky_clock *clock = sky_case__clock(one);
    sky_clock_forgive(clock, &one->soon);
    sky_clock_forgive(clock, &one->alarm);
    sky_clock_forgive(clock, &one->deadline);
    if (one->call.state != NULL)
        sky_case__host(one)->cancel(sky_case__host(one)->ctx, &one->call);
    if (one->following) {
        sky_wait_end(&one->follow);
        sky_search_end(&one->search);
    }
    for (int i = 0; i < one->steps; i++)
        sky_measure_free(one->measures[i]);
    free(one->measures);
}

void sky_case__end_faults(struct sky_case *one)
{
    for (size_t i = 0; i < one->fault_count; i++)
        sky_case__host(one)->end_fault(sky_case__host(one)->ctx, one->faults[i]);
    one->fault_count = 0;
}

/* Everything is as it was before the case. */
void sky_case__put_back(struct sky_case *one)
{
    const struct sky_suite_host *host = sky_case__host(one);
    struct sky_clock *clock = sky_case__clock(one);
    sky_case__end_faults(one);
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

bool sky_case__keep(struct sky_case *one)
{
    const struct sky_suite_host *host = sky_case__host(one);
    const struct sky_run_device *device = one->device;
    sky_err err = host->keep(host->ctx, &device->product, &device->device, &one->kept);
    one->is_kept = err == SKY_OK;
    if (!one->is_kept)
        sky_case__hinder(one, "%s, so that it could not be put back: %s",
                         "the state of the device could not be kept", sky_err_text(err));
    return one->is_kept;
}

static bool is_online(const struct sky_case *one)
{
    struct sky_suite_where where = {0};
    sky_case__host(one)->where(sky_case__host(one)->ctx, one->device->device.id, &where);
    return where.online;
}

/* What else may be why it did not pass: its login was refused, or it is away. */
static void say_circumstances(struct sky_case *one, bool away)
{
    if (one->refusals > 0)
        say_more(one, "; its login was refused, %llu times in this case, by %s (event %llu)",
                 (unsigned long long)one->refusals, one->refused,
                 (unsigned long long)one->refused_seq);
    if (!away)
        return;
    say_more(one, "%sthe device is not connected", one->reason[0] != '\0' ? "; " : "");
    if (one->closed_seq != 0)
        say_more(one, " (its connection ended with event %llu)",
                 (unsigned long long)one->closed_seq);
}

static void end(struct sky_case *one, const char *state)
{
    cJSON *shown = one->item->shown;
    int64_t took_ms = sky_case__clock(one)->real_ms - one->began_ms;
    struct sky_run_device *device = one->device;
    bool stopped = strcmp(state, "stopped") == 0, online = is_online(one);
    bool connects = (device->where.transports & 1U << SKY_DTLS) == 0; /* datagrams do not */
    if (!stopped && (one->grade == SKY_GRADE_FAILED || one->grade == SKY_GRADE_IDLE))
        say_circumstances(one, !online && connects);
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
    sky_run__put_waits(one->run, one->index, NULL);
    sky_json_put(shown, "state", cJSON_CreateString(state));
    sky_json_put(shown, "verdict", cJSON_CreateString(sky_grade_name(one->grade)));
    sky_json_put(shown, "ms", cJSON_CreateNumber((double)took_ms));
    sky_json_put(shown, "since", cJSON_CreateNumber((double)one->since));
    if (one->reason[0] != '\0')
        sky_json_put(shown, "reason", cJSON_CreateString(one->reason));
    if (one->events != NULL)
        sky_json_put(shown, "events", one->events);
    if (one->figures != NULL)
        sky_json_put(shown, "measures", one->figures);
    if (one->decided >= 0)
        sky_case__show_step(one, one->decided);
    else
        cJSON_DeleteItemFromObjectCaseSensitive(shown, "step");
    release(one);
    sky_case__put_back(one);
    sky_run__case_over(one);
}

/* It has its grade and reason, and ends when all events that there are were looked at: what the
 * device did or did not do has a part in it. */
void sky_case__settle(struct sky_case *one, enum sky_grade grade, int decided)
{
    one->grade = grade;
    one->decided = decided;
    one->state = SKY_CASE_JUDGED;
    sky_clock_forgive(sky_case__clock(one), &one->soon);
    sky_clock_forgive(sky_case__clock(one), &one->alarm);
    sky_clock_forgive(sky_case__clock(one), &one->deadline);
    if (one->call.state != NULL)
        sky_case__host(one)->cancel(sky_case__host(one)->ctx, &one->call);
    one->call.state = NULL;
    sky_wait_again(&one->follow);
}

void sky_case__settle_with(struct sky_case *one, enum sky_grade grade, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsay(one, fmt, args);
    va_end(args);
    sky_case__settle(one, grade, one->step);
}

void sky_case__hinder(struct sky_case *one, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsay(one, fmt, args);
    va_end(args);
    one->obstacle = true;
    sky_case__settle(one, SKY_GRADE_IDLE, one->step);
}

/* Nothing that happened is no reason to pass, nor to fail. */
static void judge(struct sky_case *one)
{
    if (one->signs == 0 && !one->obstacle) {
        char reason[sizeof one->reason];
        memcpy(reason, one->reason, sizeof reason);
        bool told = one->grade != SKY_GRADE_PASSED && reason[0] != '\0';
        say(one, "the device did nothing in this case%s%s", told ? "; " : "", told ? reason : "");
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

static bool is_login(enum sky_event_type type)
{
    return type == SKY_EVENT_CONNECT || type == SKY_EVENT_PSK_HANDSHAKE ||
           type == SKY_EVENT_HTTP_AUTH || type == SKY_EVENT_COAP_REQUEST;
}

static void note_refusal(struct sky_case *one, const struct sky_event *event)
{
    sky_span detail = SKY_SPAN_NONE;
    for (size_t i = 0; i < event->finding_count; i++)
        if (sky_span_eq(event->findings[i].rule_id, event->refused))
            detail = sky_span_head(event->findings[i].detail, 160);
    one->refusals++;
    one->refused_seq = event->seq;
    snprintf(one->refused, sizeof one->refused, "%.*s%s%.*s",
             SKY_SPAN_ARGS(sky_span_head(event->refused, 64)), detail.len > 0 ? ": " : "",
             SKY_SPAN_ARGS(detail));
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
        const struct sky_attr *listener = sky_event_get(event, SKY_F_LISTENER);
        where->transports |= 1U << event->head.transport;
        where->psk = where->psk || event->head.type == SKY_EVENT_PSK_HANDSHAKE;
        if (listener != NULL)
            snprintf(where->listener, sizeof where->listener, "%.*s",
                     SKY_SPAN_ARGS(listener->bytes));
    }
    if (event->head.type == SKY_EVENT_CLOSE && own)
        one->closed_seq = event->seq;
    if (own && acts && event->refused.len > 0 && is_login(event->head.type))
        note_refusal(one, event);
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
    sky_case__settle_with(one, SKY_GRADE_FAILED, "%s",
                          last != NULL ? last->valuestring : "the device has ended");
}

static void on_sign(struct sky_case *one);
static void settle_in(struct sky_case *one);

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
        sky_case__judge_measure(one);
    else if (one->state == SKY_CASE_JUDGED)
        judge(one);
    else if (one->device->ended)
        sky_case__gone(one);
}

static void follow(struct sky_case *one)
{
    const struct sky_suite_host *host = sky_case__host(one);
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
            sky_clock_patience(sky_case__clock(one), &one->deadline, CALL_GRACE_MS, on_deadline);
            return;
        }
        sky_case__settle_with(one, SKY_GRADE_IDLE, "no answer within the case's timeoutMs of %lld",
                              all_ms);
        return;
    case SKY_CASE_TASK:
        sky_case__settle_with(one, SKY_GRADE_IDLE,
                              "the command did not end within the case's timeoutMs of %lld",
                              all_ms);
        return;
    default:
        if (one->held[0] != '\0')
            sky_case__settle_with(one, SKY_GRADE_IDLE, "%s", one->held);
        else
            sky_case__settle_with(one, SKY_GRADE_IDLE,
                                  "the case's timeoutMs of %lld was over before its steps were",
                                  all_ms);
    }
}

/* ---- the beginning ---- */

/* What is put back is the state of a device that has come: its session is there, if it has one. */
static void begin_steps(struct sky_case *one)
{
    sky_run__put_waits(one->run, one->index, NULL);
    struct sky_clock *clock = sky_case__clock(one);
    if (!one->following)
        follow(one);
    sky_clock_forgive(clock, &one->alarm);
    if (!sky_case__keep(one))
        return;
    one->ends_ms = clock->real_ms + one->item->what->timeout_ms;
    sky_clock_patience(clock, &one->deadline, one->item->what->timeout_ms, on_deadline);
    for (int i = 0; i < one->steps; i++)
        if (one->measures[i] != NULL)
            sky_measure_begin(one->measures[i], clock->real_ms);
    one->step = 0;
    one->at = cJSON_GetArrayItem(one->item->what->steps, 0);
    sky_case__step_soon(one);
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
    if (!one->device->gone)
        say(one, "nobody came as %s within the timeoutMs of %lld", one->device->name,
            (long long)one->item->what->timeout_ms);
    sky_case__settle(one, SKY_GRADE_IDLE, -1);
}

static void on_setup_late(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_case *one = SKY_CONTAINER_OF(timer, struct sky_case, alarm);
    (void)now_ms;
    follow(one);
    sky_case__hinder(one, "--setup did not end within %d minutes", SKY_RUN_TASK_MAX_MS / 60000);
}

/* Does the device come by its secret so? One that was never online may fetch it, or have it. */
static bool activates(const struct sky_case *one)
{
    struct sky_product product;
    struct sky_device device;
    const cJSON *wanted = one->item->what->fits.activations;
    if (wanted == NULL || sky_store_get_device(sky_case__host(one)->registry->store,
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
    const cJSON *each;
    say(one, "the case is for devices %s ", those);
    cJSON_ArrayForEach (each, wanted)
        say_more(one, "%s%s", each != wanted->child ? " or " : "", each->valuestring);
    say_more(one, ": not for this one");
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
    sky_run__put_waits(one->run, one->index, NULL);
    int64_t ms = one->state == SKY_CASE_SIGN ? SKY_RUN_SETTLE_MS : SKY_RUN_AGAIN_MS;
    one->state = SKY_CASE_SETTLE;
    sky_clock_forgive(sky_case__clock(one), &one->alarm);
    sky_clock_patience(sky_case__clock(one), &one->alarm, ms, on_time);
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
    const struct sky_suite_where *where = &device->where;
    struct sky_product product;
    struct sky_device now;
    if (sky_store_find_device(host->registry->store, sky_span_str(device->product.cloud),
                              sky_span_str(device->product.key), sky_span_str(device->device.key),
                              &product, &now) == SKY_OK)
        device->device = now; /* it may have been deleted, and made again */
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
    DL_APPEND(run->suites->cases, one);
    host->where(host->ctx, device->device.id, &device->where);
    make_measures(one);
    const cJSON *wanted = misfit(one);
    if (wanted == NULL && !activates(one))
        wanted = item->what->fits.activations;
    if (wanted != NULL) {
        leave(one, wanted);
        return;
    }
    sky_run__put_waits(run, index, NULL);
    sky_json_put(item->shown, "state", cJSON_CreateString("running"));
    sky_run__tell_case(run, index);
    bool unknown = !run->setup && !device->seen && where->transports == 0 &&
                   item->what->fits.transports != NULL; /* does it fit? */
    if ((device->gone || unknown) && !where->online) {
        follow(one);
        one->state = SKY_CASE_SIGN;
        sky_run__put_waits(run, index, "for the device to connect: start it");
        sky_clock_patience(clock, &one->alarm,
                           device->gone ? SKY_RUN_GONE_WAIT_MS : item->what->timeout_ms, on_nobody);
    } else if (run->setup) {
        one->state = SKY_CASE_SETUP;
        sky_case__give_task(one, "setup", NULL, SKY_RUN_TASK_MAX_MS);
        sky_clock_patience(clock, &one->alarm, SKY_RUN_TASK_MAX_MS, on_setup_late);
    } else if (may_return(one)) {
        follow(one);
        one->state = SKY_CASE_RETURN;
        sky_run__put_waits(run, index, "for the device to come back");
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
        sky_clock_forgive(sky_case__clock(one), &one->alarm);
    if (setup && status != 0)
        follow(one);
    if (status != 0)
        sky_case__hinder(one, "%s ended with %d%s%.200s",
                         setup ? "--setup" : "the command of the run step", status,
                         reason != NULL ? ": " : "", reason != NULL ? reason : "");
    else if (setup)
        begin_steps(one);
    else
        sky_case__go_on(one);
}

void sky_case__stop(struct sky_case *one, const char *words)
{
    if (one->at != NULL) {
        struct sky_buf step;
        sky_buf_init(&step, SKY_STEP_SAID_MAX);
        sky_step_say(one->at, &step);
        say(one, "stopped in the middle of step %d (%.*s): %s", one->step + 1,
            SKY_SPAN_ARGS(sky_buf_span(&step)), words);
        sky_buf_done(&step);
    } else {
        const char *state = one->state == SKY_CASE_SETUP    ? ", while --setup ran"
                            : one->state == SKY_CASE_SIGN   ? ", while it waited for the device"
                            : one->state == SKY_CASE_RETURN ? ", while the device was to come back"
                                                            : "";
        say(one, "stopped before its first step%s: %s", state, words);
    }
    one->grade = SKY_GRADE_IDLE;
    one->decided = one->at != NULL ? one->step : -1;
    end(one, "stopped");
}
