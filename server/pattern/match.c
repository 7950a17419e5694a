/* Does a subject match? */
#include "protocol/base/assert.h"
#include "protocol/mqtt/topic.h"
#include "server/pattern/private.h"

void sky_look_begin(struct sky_look *look, const struct sky_subject *subject)
{
    look->subject = subject;
    look->device = NULL;
    look->payload = SKY_PAYLOAD_UNREAD;
    look->work_left = SKY_REGEX_WORKS_MAX;
    sky_arena_init_in(&look->arena, look->memory, sizeof look->memory);
}

void sky_look_end(struct sky_look *look)
{
    sky_arena_done(&look->arena);
}

static enum sky_answer answer_of(bool holds)
{
    return holds ? SKY_YES : SKY_NO;
}

static enum sky_answer found_by(struct sky_look *look, const struct sky_regex *regex, sky_span text)
{
    static const enum sky_answer answers[] = {
        [SKY_REGEX_NO] = SKY_NO, [SKY_REGEX_YES] = SKY_YES, [SKY_REGEX_GAVE_UP] = SKY_UNKNOWN};
    return answers[sky_regex_find(regex, text, &look->work_left)];
}

static bool in_range(const struct sky_condition *condition, double number)
{
    return (!condition->has_min || number >= condition->min) &&
           (!condition->has_max || number <= condition->max);
}

/* ---- values ---- */

static bool one_of(const struct sky_condition *condition, const struct sky_value *found)
{
    if (condition->member->word != NULL)
        return condition->words >> (unsigned)found->number & 1;
    bool topic = condition->member->form == SKY_FORM_TOPIC;
    for (size_t i = 0; i < condition->value_count; i++) {
        const struct sky_value *wanted = &condition->values[i];
        if (wanted->kind != found->kind)
            continue;
        if (found->kind != SKY_VALUE_TEXT ? wanted->number == found->number
            : topic                       ? sky_topic_matches(wanted->text, found->text)
                                          : sky_span_eq(wanted->text, found->text))
            return true;
    }
    return false;
}

/* What is read for it counts as what expressions read. */
static enum sky_answer has_part(struct sky_look *look, const struct sky_condition *condition,
                                sky_span text)
{
    for (size_t i = 0; i < condition->value_count; i++) {
        if (look->work_left < text.len)
            return SKY_UNKNOWN;
        look->work_left -= text.len;
        if (sky_span_contains_nocase(text, condition->values[i].text))
            return SKY_YES;
    }
    return SKY_NO;
}

static enum sky_answer value_answer(struct sky_look *look, const struct sky_condition *condition,
                                    const struct sky_value *found)
{
    if (condition->test == SKY_TEST_ONE_OF)
        return condition->member->form == SKY_FORM_PART ? has_part(look, condition, found->text)
                                                        : answer_of(one_of(condition, found));
    if (condition->test == SKY_TEST_MATCHES)
        return found->kind == SKY_VALUE_TEXT ? found_by(look, condition->regex, found->text)
                                             : SKY_NO;
    SKY_ASSERT(condition->test == SKY_TEST_RANGE);
    return answer_of(in_range(condition, found->number));
}

static enum sky_answer values_answer(struct sky_look *look, const struct sky_condition *condition)
{
    const struct sky_member *member = condition->member;
    struct sky_walk walk = {0};
    struct sky_value found;
    enum sky_answer best = SKY_NO, answer;
    if (sky_member_is_judged(member) && look->subject->findings == NULL)
        return SKY_UNKNOWN;
    while (best != SKY_YES && member->next(look, member, &walk, &found)) {
        answer = value_answer(look, condition, &found);
        best = answer > best ? answer : best;
    }
    bool unread = member->form == SKY_FORM_PART && look->subject->cut;
    return best == SKY_NO && unread ? SKY_UNKNOWN : best;
}

/* ---- payloads ---- */

enum sky_answer sky_payload_is_json(struct sky_look *look)
{
    const struct sky_subject *subject = look->subject;
    if (subject->cut)
        return SKY_UNKNOWN;
    if (look->payload == SKY_PAYLOAD_UNREAD)
        look->payload = sky_json_check(subject->payload, SKY_PATTERN_JSON_DEPTH_MAX, NULL) == SKY_OK
                            ? SKY_PAYLOAD_JSON
                            : SKY_PAYLOAD_OTHER;
    return answer_of(look->payload == SKY_PAYLOAD_JSON);
}

/* Steps to an element by its number, without leading zeros (RFC 6901 §4). */
static sky_span element_at(sky_span array, sky_span step)
{
    sky_span element, rest = sky_json_inside(array);
    int64_t number;
    if (!sky_span_to_int(step, &number) || (step.len > 1 && step.ptr[0] == '0'))
        return SKY_SPAN_NONE;
    while (sky_json_next_element(&rest, &element))
        if (number-- == 0)
            return element;
    return SKY_SPAN_NONE;
}

static sky_span member_at(sky_span object, sky_span key)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(object);
    while (sky_json_next_member(&rest, &member))
        if (sky_json_compare(member.key, key) == 0)
            return member.value;
    return SKY_SPAN_NONE;
}

sky_span sky_payload_at(struct sky_look *look, const struct sky_condition *condition)
{
    sky_span value = sky_span_trim(look->subject->payload);
    for (size_t i = 0; i < condition->step_count && value.len > 0; i++) {
        if (sky_json_is_array(value))
            value = element_at(value, condition->steps[i]);
        else
            value =
                sky_json_is_object(value) ? member_at(value, condition->steps[i]) : SKY_SPAN_NONE;
    }
    return value;
}

static bool leaf_differs(sky_leaf_fn *told, void *ctx, const struct sky_buf *path, sky_span wanted,
                         sky_span found)
{
    if (told != NULL)
        told(ctx, sky_buf_span(path), wanted, found);
    return true;
}

size_t sky_subset_differs(sky_span wanted, sky_span found, struct sky_arena *arena,
                          struct sky_buf *path, sky_leaf_fn *told, void *ctx)
{
    struct sky_json_member member;
    size_t differing = 0;
    if (!sky_json_is_object(wanted) || !sky_json_is_object(found))
        return (found.len == 0 || !sky_json_same(wanted, found, arena)) &&
               leaf_differs(told, ctx, path, wanted, found);
    const struct sky_json_index index = sky_json_index(found, arena);
    sky_span rest = sky_json_inside(wanted);
    while ((told != NULL || differing == 0) && sky_json_next_member(&rest, &member)) {
        size_t len = path != NULL ? path->len : 0;
        if (path != NULL)
            sky_json_pointer_step(path, member.key);
        differing += sky_subset_differs(member.value, sky_json_find(&index, member.key), arena,
                                        path, told, ctx);
        if (path != NULL)
            path->len = len;
    }
    return differing;
}

static enum sky_answer json_answer(struct sky_look *look, const struct sky_condition *condition)
{
    enum sky_answer is_json = sky_payload_is_json(look);
    sky_span value = is_json == SKY_YES ? sky_payload_at(look, condition) : SKY_SPAN_NONE;
    if (is_json == SKY_UNKNOWN)
        return SKY_UNKNOWN;
    if (condition->test == SKY_TEST_EXISTS)
        return answer_of((value.len > 0) == condition->exists);
    if (value.len == 0)
        return SKY_NO;
    switch (condition->test) {
    case SKY_TEST_SAME:
        return answer_of(sky_json_same(condition->json, value, &look->arena));
    case SKY_TEST_RANGE:
        return answer_of(sky_json_is_number(value) && in_range(condition, sky_json_number(value)));
    case SKY_TEST_MATCHES:
        return found_by(look, condition->regex,
                        sky_json_is_string(value) ? sky_json_string(&look->arena, value) : value);
    default:
        SKY_ASSERT(condition->test == SKY_TEST_SUBSET);
        return answer_of(
            sky_subset_differs(condition->json, value, &look->arena, NULL, NULL, NULL) == 0);
    }
}

/* What has been cut is the beginning of what was sent. */
static enum sky_answer bytes_answer(const struct sky_subject *subject, sky_span wanted)
{
    if (!subject->cut)
        return answer_of(sky_span_eq(wanted, subject->payload));
    return sky_span_starts(wanted, subject->payload) ? SKY_UNKNOWN : SKY_NO;
}

static enum sky_answer payload_answer(struct sky_look *look, const struct sky_condition *condition)
{
    if (condition->pointed || condition->test == SKY_TEST_SUBSET)
        return json_answer(look, condition);
    if (condition->test == SKY_TEST_ONE_OF)
        return bytes_answer(look->subject, condition->values[0].text);
    SKY_ASSERT(condition->test == SKY_TEST_MATCHES);
    return look->subject->cut ? SKY_UNKNOWN
                              : found_by(look, condition->regex, look->subject->payload);
}

/* ---- conditions ---- */

enum sky_answer sky_condition_answer(struct sky_look *look, const struct sky_condition *condition)
{
    enum sky_answer best = SKY_NO;
    switch (condition->member->form) {
    case SKY_FORM_PAYLOAD:
        return payload_answer(look, condition);
    case SKY_FORM_NOT:
        return (enum sky_answer)(SKY_YES - sky_group_answer(look, condition->groups));
    case SKY_FORM_ANY_OF:
        for (const struct sky_group *group = condition->groups; group != NULL && best != SKY_YES;
             group = group->next) {
            enum sky_answer answer = sky_group_answer(look, group);
            best = answer > best ? answer : best;
        }
        return best;
    default:
        return values_answer(look, condition);
    }
}

enum sky_answer sky_group_answer(struct sky_look *look, const struct sky_group *group)
{
    enum sky_answer worst = SKY_YES;
    for (const struct sky_condition *condition = group->first; condition != NULL && worst != SKY_NO;
         condition = condition->next) {
        enum sky_answer answer = sky_condition_answer(look, condition);
        worst = answer < worst ? answer : worst;
    }
    return worst;
}

bool sky_pattern_matches(const struct sky_pattern *pattern, const struct sky_subject *subject)
{
    struct sky_look look;
    sky_look_begin(&look, subject);
    bool matches = sky_group_answer(&look, &pattern->group) == SKY_YES;
    sky_look_end(&look);
    return matches;
}
