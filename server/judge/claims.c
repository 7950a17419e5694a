/* Claims compiled, fed with events, and answered. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/judge/private.h"

_Static_assert(SKY_EVENT_TYPE_COUNT <= 64, "a claim has one bit per type");

/* ---- compiling ---- */

/* Types and topic are said in the sentence in words of their own. */
static void take_words(struct sky_wanted *wanted, cJSON *rest)
{
    const cJSON *types = sky_json_get(rest, "type"), *value;
    const char *topic = sky_json_get_str(rest, "topic");
    enum sky_event_type type;
    if (cJSON_IsString(types) && sky_event_type_parse(sky_span_str(types->valuestring), &type))
        wanted->types = UINT64_C(1) << type;
    if (cJSON_IsArray(types)) {
        cJSON_ArrayForEach (value, types)
            if (cJSON_IsString(value) &&
                sky_event_type_parse(sky_span_str(value->valuestring), &type))
                wanted->types |= UINT64_C(1) << type;
    }
    if (wanted->types != 0)
        cJSON_DeleteItemFromObjectCaseSensitive(rest, "type");
    if (topic != NULL) {
        wanted->topic = sky_mem_dup(topic, strlen(topic));
        cJSON_DeleteItemFromObjectCaseSensitive(rest, "topic");
    }
}

static sky_err take_wanted(struct sky_wanted *wanted, const cJSON *json, const char *at,
                           const struct sky_catalogue *rules, struct sky_why *why)
{
    struct sky_why unused;
    wanted->pattern = sky_pattern_new(json, at, rules, why);
    if (wanted->pattern == NULL)
        return SKY_ERR_INVALID;
    cJSON *rest = cJSON_Duplicate(json, true);
    SKY_ASSERT(rest != NULL);
    take_words(wanted, rest);
    if (rest->child != NULL)
        wanted->rest = sky_pattern_new(rest, at, rules, &unused);
    cJSON_Delete(rest);
    return SKY_OK;
}

static sky_err take_steps(struct sky_verify *verify, const cJSON *steps, const char *at,
                          const struct sky_catalogue *rules, struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *step;
    int count = cJSON_IsArray(steps) ? cJSON_GetArraySize(steps) : 0;
    snprintf(pointer, sizeof pointer, "%s/sequence", at);
    if (count < 1 || count > SKY_VERIFY_STEPS_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, pointer,
                           "a sequence is an array of 1 to %d patterns", SKY_VERIFY_STEPS_MAX);
    verify->wanted = sky_mem_new((size_t)count * sizeof *verify->wanted);
    verify->min = (uint64_t)count;
    cJSON_ArrayForEach (step, steps) {
        size_t i = verify->wanted_count++;
        snprintf(pointer, sizeof pointer, "%s/sequence/%zu", at, i);
        sky_err err = take_wanted(&verify->wanted[i], step, pointer, rules, why);
        if (err != SKY_OK)
            return err;
        verify->wanted[i].way = sky_mem_new((i + 1) * sizeof *verify->wanted[i].way);
    }
    return SKY_OK;
}

static bool is_whole(const cJSON *value, int64_t max)
{
    return cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= (double)max &&
           value->valuedouble == (double)(int64_t)value->valuedouble;
}

static sky_err take_bound(const cJSON *count, const char *name, const char *at, uint64_t *ret_bound,
                          struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *value = sky_json_get(count, name);
    if (value == NULL)
        return SKY_OK;
    if (is_whole(value, SKY_VERIFY_COUNT_MAX)) {
        *ret_bound = (uint64_t)value->valuedouble;
        return SKY_OK;
    }
    snprintf(pointer, sizeof pointer, "%s/count/%s", at, name);
    return sky_why_set(why, SKY_ERR_INVALID, pointer, "'%s' must be a whole number, 0 to %lld",
                       name, (long long)SKY_VERIFY_COUNT_MAX);
}

sky_err sky_verify_count(const cJSON *object, const char *at, uint64_t *ret_min, uint64_t *ret_max,
                         struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *count = sky_json_get(object, "count"), *member;
    uint64_t min, max = (uint64_t)SKY_VERIFY_COUNT_MAX;
    snprintf(pointer, sizeof pointer, "%s/count", at);
    if (count != NULL && !cJSON_IsObject(count))
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "a count is an object: min and max");
    cJSON_ArrayForEach (member, count) {
        if (strcmp(member->string, "min") == 0 || strcmp(member->string, "max") == 0)
            continue;
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "a count has min and max, not '%.100s'",
                           member->string);
    }
    sky_err err = take_bound(count, "max", at, &max, why);
    min = max < 1 ? 0 : 1;
    if (err == SKY_OK)
        err = take_bound(count, "min", at, &min, why);
    if (err == SKY_OK && min > max)
        err = sky_why_set(why, SKY_ERR_INVALID, pointer, "min is greater than max");
    if (err != SKY_OK)
        return err;
    *ret_min = min;
    *ret_max = max;
    return SKY_OK;
}

static sky_err take_within(struct sky_verify *verify, const cJSON *value, const char *at,
                           struct sky_why *why)
{
    char pointer[SKY_WHY_POINTER_MAX];
    verify->within_ms = -1;
    verify->span_ms = INT64_MAX;
    if (value == NULL)
        return SKY_OK;
    snprintf(pointer, sizeof pointer, "%s/withinMs", at);
    if (verify->form == SKY_CLAIM_ABSENT)
        return sky_why_set(why, SKY_ERR_INVALID, pointer,
                           "what is absent lies within no time: leave it out");
    if (!is_whole(value, SKY_VERIFY_WITHIN_MAX_MS))
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "must be a whole number, 0 to %lld",
                           (long long)SKY_VERIFY_WITHIN_MAX_MS);
    verify->within_ms = (int64_t)value->valuedouble;
    if (verify->min > SKY_VERIFY_EVENTS_MAX) {
        snprintf(pointer, sizeof pointer, "%s/count/min", at);
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "with withinMs min is %d at the most",
                           SKY_VERIFY_EVENTS_MAX);
    }
    if (verify->form == SKY_CLAIM_EVENT && verify->min > 0)
        verify->last = sky_mem_new((size_t)verify->min * sizeof *verify->last);
    if (verify->min > 0)
        verify->closest = sky_mem_new((size_t)verify->min * sizeof *verify->closest);
    return SKY_OK;
}

static sky_err take_claim(struct sky_verify *verify, const cJSON *claim, const char *at,
                          const struct sky_catalogue *rules, struct sky_why *why)
{
    static const char *const names[] = {[SKY_CLAIM_EVENT] = "event",
                                        [SKY_CLAIM_SEQUENCE] = "sequence",
                                        [SKY_CLAIM_ABSENT] = "absent"};
    char pointer[SKY_WHY_POINTER_MAX];
    const cJSON *form = NULL;
    for (size_t i = 0; i < SKY_COUNT(names); i++) {
        const cJSON *member = sky_json_get(claim, names[i]);
        snprintf(pointer, sizeof pointer, "%s/%s", at, names[i]);
        if (member != NULL && form != NULL)
            return sky_why_set(why, SKY_ERR_INVALID, pointer,
                               "give one of event, sequence and absent, not '%s' and '%s'",
                               names[verify->form], names[i]);
        if (member == NULL)
            continue;
        form = member;
        verify->form = (int)i;
    }
    if (form == NULL)
        return sky_why_set(why, SKY_ERR_INVALID, at, "give one of event, sequence and absent");
    snprintf(pointer, sizeof pointer, "%s/count", at);
    if (verify->form != SKY_CLAIM_EVENT && sky_json_get(claim, "count") != NULL)
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "a count goes with 'event' only");
    verify->max = (uint64_t)SKY_VERIFY_COUNT_MAX;
    if (verify->form == SKY_CLAIM_SEQUENCE)
        return take_steps(verify, form, at, rules, why);
    if (verify->form == SKY_CLAIM_ABSENT)
        verify->max = 0;
    sky_err err = verify->form == SKY_CLAIM_EVENT
                      ? sky_verify_count(claim, at, &verify->min, &verify->max, why)
                      : SKY_OK;
    verify->wanted = sky_mem_new(sizeof *verify->wanted);
    verify->wanted_count = 1;
    snprintf(pointer, sizeof pointer, "%s/%s", at, names[verify->form]);
    return err != SKY_OK ? err : take_wanted(verify->wanted, form, pointer, rules, why);
}

struct sky_verify *sky_verify_new(const cJSON *claim, const char *at,
                                  const struct sky_catalogue *rules, struct sky_why *why)
{
    struct sky_verify *verify = sky_mem_new(sizeof *verify);
    sky_err err = take_claim(verify, claim, at, rules, why);
    if (err == SKY_OK)
        err = take_within(verify, sky_json_get(claim, "withinMs"), at, why);
    if (err == SKY_OK)
        return verify;
    sky_verify_free(verify);
    return NULL;
}

void sky_verify_free(struct sky_verify *verify)
{
    if (verify == NULL)
        return;
    for (size_t i = 0; i < verify->wanted_count; i++) {
        sky_pattern_free(verify->wanted[i].pattern);
        sky_pattern_free(verify->wanted[i].rest);
        free(verify->wanted[i].topic);
        free(verify->wanted[i].way);
    }
    free(verify->wanted);
    free(verify->events);
    free(verify->last);
    free(verify->closest);
    free(verify);
}

void sky_verify_narrow(const struct sky_verify *verify, struct sky_device_names *names,
                       struct sky_event_filter *ret_filter)
{
    struct sky_event_filter step;
    uint64_t types = 0;
    bool any = false;
    if (verify->wanted_count == 1) {
        sky_pattern_narrow(verify->wanted->pattern, names, ret_filter);
        return;
    }
    /* Whatever some step may be. */
    for (size_t i = 0; i < verify->wanted_count; i++) {
        sky_pattern_narrow(verify->wanted[i].pattern, names, &step);
        types |= step.types;
        any |= step.types == 0;
    }
    *ret_filter = (struct sky_event_filter){.types = any ? 0 : types};
}

/* ---- feeding ---- */

/* One that is wanted: are the last `min` of them closer together than any before? */
static void take_moment(struct sky_verify *verify, uint64_t seq)
{
    size_t size = (size_t)verify->min, at = (size_t)((verify->count - 1) % size);
    verify->last[at] = (struct sky_moment){.seq = seq, .at_ms = verify->lived_ms};
    if (verify->count < verify->min)
        return;
    size_t first = (at + 1) % size;
    int64_t span_ms = verify->lived_ms - verify->last[first].at_ms;
    if (span_ms >= verify->span_ms)
        return;
    verify->span_ms = span_ms;
    verify->closest_count = size;
    for (size_t i = 0; i < size; i++)
        verify->closest[i] = verify->last[(first + i) % size].seq;
}

static void take_event(struct sky_verify *verify, const struct sky_subject *subject, uint64_t seq)
{
    verify->count++;
    if (verify->broke_seq == 0 && subject->finding_count > 0) {
        verify->broke_seq = seq;
        sky_span_copy(sky_span_head(subject->findings[0].rule_id, sizeof verify->broke - 1),
                      verify->broke, sizeof verify->broke);
    }
    if (verify->event_count < SKY_VERIFY_EVENTS_MAX) {
        if (verify->event_count == verify->event_room) {
            verify->event_room = verify->event_room ? verify->event_room * 2 : 8;
            verify->events =
                sky_mem_grow(verify->events, verify->event_room * sizeof *verify->events);
        }
        verify->events[verify->event_count++] = seq;
    }
    if (verify->last != NULL && verify->span_ms > verify->within_ms)
        take_moment(verify, seq);
}

/* The last step was reached. */
static void take_way(struct sky_verify *verify, const struct sky_wanted *last)
{
    int64_t span_ms = verify->lived_ms - last->starts_ms;
    if (verify->closest == NULL || span_ms >= verify->span_ms)
        return;
    verify->span_ms = span_ms;
    verify->closest_count = verify->wanted_count;
    memcpy(verify->closest, last->way, verify->wanted_count * sizeof *last->way);
}

/* From the last step to the first, so that an event is no two steps of one way. The way that began
 * last is the shortest, so each step needs to keep only that; where time does not matter, the first
 * way. */
static void take_step(struct sky_verify *verify, const struct sky_subject *subject, uint64_t seq)
{
    for (size_t i = verify->wanted_count; i-- > 0;) {
        struct sky_wanted *step = &verify->wanted[i];
        const struct sky_wanted *before = i > 0 ? step - 1 : NULL;
        if ((before != NULL && !before->reached) || (step->reached && verify->within_ms < 0) ||
            !sky_pattern_matches(step->pattern, subject))
            continue;
        if (!step->reached) {
            verify->count++;
            step->first_seq = seq;
        }
        step->reached = true;
        step->starts_ms = before != NULL ? before->starts_ms : verify->lived_ms;
        if (before != NULL)
            memcpy(step->way, before->way, i * sizeof *step->way);
        step->way[i] = seq;
        if (i + 1 == verify->wanted_count)
            take_way(verify, step);
    }
}

void sky_verify_feed(struct sky_verify *verify, const struct sky_subject *subject, uint64_t seq,
                     int64_t now_ms)
{
    if (verify->begun && now_ms > verify->now_ms)
        verify->lived_ms += now_ms - verify->now_ms;
    verify->begun = true;
    verify->now_ms = now_ms;
    if (verify->form == SKY_CLAIM_SEQUENCE) {
        if (sky_verify_state(verify, false) == SKY_VERIFY_OPEN)
            take_step(verify, subject, seq);
    } else if (sky_pattern_matches(verify->wanted->pattern, subject)) {
        take_event(verify, subject, seq);
    }
}

enum sky_verify_state sky_verify_state(const struct sky_verify *verify, bool over)
{
    bool close = verify->within_ms < 0 || verify->min == 0 || verify->span_ms <= verify->within_ms;
    bool met = verify->count >= verify->min && close;
    if (verify->count > verify->max)
        return SKY_VERIFY_BROKEN;
    if (met && (over || verify->max == (uint64_t)SKY_VERIFY_COUNT_MAX))
        return SKY_VERIFY_HOLDS;
    return over ? SKY_VERIFY_BROKEN : SKY_VERIFY_OPEN;
}

bool sky_verify_counts_all(const struct sky_verify *verify)
{
    return verify->max < (uint64_t)SKY_VERIFY_COUNT_MAX;
}

/* ---- why it does not hold ---- */

const struct sky_wanted *sky_verify__missing(const struct sky_verify *verify)
{
    if (verify->count >= verify->min)
        return NULL;
    return &verify->wanted[verify->form == SKY_CLAIM_SEQUENCE ? verify->count : 0];
}

static bool is_nearer(const struct sky_near *a, const struct sky_near *b)
{
    if (a->differs != b->differs)
        return a->differs < b->differs;
    return a->fits != b->fits ? a->fits > b->fits : a->seq > b->seq;
}

static void take_near(struct sky_verify *verify, struct sky_near near)
{
    struct sky_near *list = verify->seen.nearest;
    size_t at = verify->seen.nearest_count;
    if (at < SKY_VERIFY_NEAREST_MAX)
        verify->seen.nearest_count++;
    else if (is_nearer(&near, &list[at - 1]))
        at--;
    else
        return;
    for (; at > 0 && is_nearer(&near, &list[at - 1]); at--)
        list[at] = list[at - 1];
    list[at] = near;
}

void sky_verify_seek(struct sky_verify *verify, const struct sky_subject *subject, uint64_t seq)
{
    const struct sky_wanted *missing = sky_verify__missing(verify);
    if (missing == NULL)
        return;
    bool sequence = verify->form == SKY_CLAIM_SEQUENCE;
    size_t differs = sky_pattern_differences(missing->pattern, subject, NULL, 0);
    if (sequence && verify->count > 0 && seq <= missing[-1].first_seq) {
        if (differs == 0 && seq != missing[-1].first_seq)
            verify->seen.early_seq = seq;
        return;
    }
    bool of_type = missing->types == 0 || (missing->types >> subject->head->type & 1);
    verify->seen.all++;
    bool to_topic = of_type && (missing->topic == NULL ||
                                (subject->topic.len > 0 &&
                                 sky_topic_matches(sky_span_str(missing->topic), subject->topic)));
    verify->seen.of_type += of_type;
    verify->seen.to_topic += to_topic;
    verify->seen.last_seq = seq;
    verify->seen.last_type = subject->head->type;
    if (subject->refused.len > 0) {
        verify->seen.refused_seq = seq;
        verify->seen.refused_type = subject->head->type;
        sky_span_copy(sky_span_head(subject->refused, sizeof verify->seen.refused_by - 1),
                      verify->seen.refused_by, sizeof verify->seen.refused_by);
    }
    if (differs > 0)
        take_near(verify, (struct sky_near){seq, differs, of_type + to_topic});
}

size_t sky_verify_nearest(const struct sky_verify *verify,
                          uint64_t ret_seqs[SKY_VERIFY_NEAREST_MAX])
{
    for (size_t i = 0; i < verify->seen.nearest_count; i++)
        ret_seqs[i] = verify->seen.nearest[i].seq;
    return verify->seen.nearest_count;
}

void sky_verify_compare(const struct sky_verify *verify, const struct sky_subject *subject,
                        uint64_t seq, struct sky_verify_miss *ret_miss)
{
    const struct sky_wanted *missing = sky_verify__missing(verify);
    SKY_ASSERT(missing != NULL);
    ret_miss->seq = seq;
    ret_miss->differs = sky_pattern_differences(missing->pattern, subject, ret_miss->list,
                                                SKY_PATTERN_DIFFERENCES_MAX);
}

/* ---- the answer ---- */

/* Texts that are JSON are values; an empty one: there is none. */
static void put_value(struct sky_jw *jw, const char *key, const char *text)
{
    sky_span value = sky_span_str(text);
    sky_jw_key(jw, key);
    if (value.len == 0)
        sky_jw_null(jw);
    else if (sky_json_check(value, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK)
        sky_jw_raw(jw, value);
    else
        sky_jw_str(jw, value);
}

static void print_miss(const struct sky_verify_miss *miss, struct sky_jw *jw)
{
    sky_jw_object(jw);
    sky_jw_put_int(jw, "seq", (int64_t)miss->seq);
    sky_jw_key(jw, "differs");
    sky_jw_array(jw);
    for (size_t i = 0; i < miss->differs && i < SKY_PATTERN_DIFFERENCES_MAX; i++) {
        sky_jw_object(jw);
        sky_jw_put_str(jw, "pointer", miss->list[i].pointer);
        put_value(jw, "wanted", miss->list[i].wanted);
        put_value(jw, "found", miss->list[i].found);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
}

/* Those that prove it: with `withinMs` the closest, of a sequence the way as far as it came. */
static void print_events(const struct sky_verify *verify, bool holds, struct sky_jw *jw)
{
    const uint64_t *list = verify->events;
    size_t count = verify->event_count;
    if (verify->form == SKY_CLAIM_SEQUENCE && verify->count > 0) {
        list = verify->wanted[verify->count - 1].way;
        count = (size_t)verify->count;
    }
    if (holds && verify->closest_count > 0) {
        list = verify->closest;
        count = verify->closest_count;
    }
    sky_jw_key(jw, "events");
    sky_jw_array(jw);
    for (size_t i = 0; i < count; i++)
        sky_jw_int(jw, (int64_t)list[i]);
    sky_jw_end_array(jw);
}

void sky_verify_print(const struct sky_verify *verify, bool holds,
                      const struct sky_verify_scope *scope, const struct sky_verify_miss *misses,
                      size_t miss_count, struct sky_jw *jw)
{
    sky_jw_object(jw);
    sky_jw_put_bool(jw, "holds", holds);
    sky_jw_put_int(jw, "count", (int64_t)verify->count);
    print_events(verify, holds, jw);
    if (scope->lost > 0)
        sky_jw_put_int(jw, "lost", (int64_t)scope->lost);
    if (!holds) {
        struct sky_buf why;
        sky_buf_init(&why, SKY_VERIFY_WHY_MAX);
        sky_verify__say(verify, scope, misses, miss_count, &why);
        sky_jw_put_span(jw, "why", sky_buf_span(&why));
        sky_buf_done(&why);
        sky_jw_key(jw, "nearest");
        sky_jw_array(jw);
        for (size_t i = 0; i < miss_count; i++)
            print_miss(&misses[i], jw);
        sky_jw_end_array(jw);
    }
    sky_jw_end_object(jw);
}
