/* How far a subject is from matching, told member by member. */
#include <stdio.h>

#include "protocol/base/assert.h"
#include "server/pattern/private.h"

/* Where differences go; NULL list: only counted. */
struct tale {
    struct sky_look *look;
    struct sky_difference *list;
    size_t max, count;
};

enum { FOUND_VALUES_MAX = 4 }; /* of a member that has many */

static void fill(char *out, size_t size, sky_span text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    len = sky_utf8_valid(sky_span_head(text, len));
    memcpy(out, len > 0 ? text.ptr : "", len);
    out[len] = '\0';
}

/* The next difference's place, NULL when there is no more room. */
static struct sky_difference *next_difference(struct tale *tale)
{
    size_t at = tale->count++;
    return at < tale->max ? &tale->list[at] : NULL;
}

void sky_number_put(struct sky_buf *out, double number)
{
    const cJSON json = {.type = cJSON_Number, .valuedouble = number};
    sky_json_print(out, &json);
}

static void put_value(struct sky_buf *out, const struct sky_member *member,
                      const struct sky_value *value)
{
    struct sky_jw jw = sky_jw(out);
    if (member->word != NULL)
        sky_jw_str(&jw, sky_span_str(member->word((size_t)value->number)));
    else if (value->kind == SKY_VALUE_TEXT)
        sky_jw_str(&jw, value->text);
    else if (value->kind == SKY_VALUE_NUMBER)
        sky_number_put(out, value->number);
    else
        sky_jw_bool(&jw, value->number != 0);
}

static void put_found(struct sky_buf *out, struct sky_look *look, const struct sky_member *member)
{
    struct sky_walk walk = {0};
    struct sky_value value;
    size_t count = 0;
    if (sky_member_is_judged(member) && look->subject->findings == NULL) {
        sky_buf_add_str(out, "not judged yet");
        return;
    }
    for (; member->next(look, member, &walk, &value); count++) {
        if (count < FOUND_VALUES_MAX) {
            sky_buf_add_str(out, count > 0 ? ", " : "");
            put_value(out, member, &value);
        }
    }
    if (count == 0)
        sky_buf_add_str(out, "nothing");
    else if (count > FOUND_VALUES_MAX)
        sky_buf_addf(out, " and %zu more", count - FOUND_VALUES_MAX);
}

void sky_condition_wanted(const struct sky_condition *condition, struct sky_buf *out)
{
    switch (condition->test) {
    case SKY_TEST_RANGE:
        if (condition->has_min) {
            sky_buf_add_str(out, ">= ");
            sky_number_put(out, condition->min);
        }
        sky_buf_add_str(out, condition->has_min && condition->has_max ? " and " : "");
        if (condition->has_max) {
            sky_buf_add_str(out, "<= ");
            sky_number_put(out, condition->max);
        }
        break;
    case SKY_TEST_EXISTS:
        sky_buf_add_str(out, condition->exists ? "something" : "nothing");
        break;
    default:
        if (condition->regex != NULL)
            sky_buf_add_str(out, "matches ");
        else if (condition->value_count > 1)
            sky_buf_add_str(out, "one of ");
        sky_buf_add(out, condition->wanted);
    }
}

/* What the condition wanted, and `found` instead, which is done with then. */
static void set_difference(struct sky_difference *difference, const struct sky_condition *condition,
                           struct sky_buf *found)
{
    struct sky_buf wanted;
    sky_buf_init(&wanted, SIZE_MAX);
    sky_condition_wanted(condition, &wanted);
    snprintf(difference->pointer, sizeof difference->pointer, "/%s%.*s", condition->member->name,
             SKY_SPAN_ARGS(condition->pointer));
    fill(difference->wanted, sizeof difference->wanted, sky_buf_span(&wanted));
    fill(difference->found, sizeof difference->found, sky_buf_span(found));
    sky_buf_done(&wanted);
    sky_buf_done(found);
}

/* ---- payloads ---- */

static void put_payload(struct sky_buf *out, sky_span payload)
{
    struct sky_jw jw = sky_jw(out);
    if (payload.len == 0)
        sky_buf_add_str(out, "nothing");
    else if (sky_utf8_valid(payload) == payload.len)
        sky_jw_str(&jw, sky_span_head(payload, sizeof(struct sky_difference)));
    else
        sky_buf_addf(out, "%zu bytes that are no text", payload.len);
}

struct leaves {
    struct tale *tale;
    const struct sky_condition *condition;
};

static void add_leaf(void *ctx, sky_span path, sky_span wanted, sky_span found)
{
    const struct leaves *leaves = ctx;
    struct sky_difference *difference = next_difference(leaves->tale);
    if (difference == NULL)
        return;
    snprintf(difference->pointer, sizeof difference->pointer, "/payload%.*s%.*s",
             SKY_SPAN_ARGS(leaves->condition->pointer), SKY_SPAN_ARGS(path));
    fill(difference->wanted, sizeof difference->wanted, wanted);
    fill(difference->found, sizeof difference->found,
         found.len > 0 ? sky_json_compact(&leaves->tale->look->arena, found) : SKY_SPAN("nothing"));
}

static void tell_subset(struct tale *tale, const struct sky_condition *condition, sky_span value)
{
    struct leaves leaves = {tale, condition};
    struct sky_buf path;
    sky_buf_init(&path, SKY_WHY_POINTER_MAX);
    sky_subset_differs(condition->json, value, &tale->look->arena, &path, add_leaf, &leaves);
    sky_buf_done(&path);
}

static void tell_payload(struct tale *tale, const struct sky_condition *condition)
{
    const struct sky_subject *subject = tale->look->subject;
    bool of_json = condition->pointed || condition->test == SKY_TEST_SUBSET;
    bool is_json = of_json && sky_payload_is_json(tale->look) == SKY_YES;
    sky_span value = is_json ? sky_payload_at(tale->look, condition) : SKY_SPAN_NONE;
    if (value.len > 0 && condition->test == SKY_TEST_SUBSET) {
        tell_subset(tale, condition, value);
        return;
    }
    struct sky_difference *difference = next_difference(tale);
    struct sky_buf found;
    if (difference == NULL)
        return;
    sky_buf_init(&found, SIZE_MAX);
    if (subject->cut)
        sky_buf_addf(&found, "the first %zu bytes only: the journal has cut it",
                     subject->payload.len);
    else if (value.len > 0)
        sky_buf_add(&found, sky_json_compact(&tale->look->arena, value));
    else if (is_json)
        sky_buf_add_str(&found, "nothing");
    else
        put_payload(&found, subject->payload);
    if (of_json && !is_json && !subject->cut && subject->payload.len > 0)
        sky_buf_add_str(&found, ", which is no JSON");
    set_difference(difference, condition, &found);
}

/* ---- conditions ---- */

static void tell_values(struct tale *tale, const struct sky_condition *condition)
{
    struct sky_difference *difference = next_difference(tale);
    struct sky_buf found;
    if (difference == NULL)
        return;
    sky_buf_init(&found, SIZE_MAX);
    put_found(&found, tale->look, condition->member);
    set_difference(difference, condition, &found);
}

static void tell_not(struct tale *tale, const struct sky_condition *condition)
{
    struct sky_difference *difference = next_difference(tale);
    struct sky_buf text;
    if (difference == NULL)
        return;
    sky_buf_init(&text, SIZE_MAX);
    sky_buf_add_str(&text, "not ");
    sky_group_say(condition->groups, &text);
    snprintf(difference->pointer, sizeof difference->pointer, "/not");
    fill(difference->wanted, sizeof difference->wanted, sky_buf_span(&text));
    fill(difference->found, sizeof difference->found, SKY_SPAN("it is"));
    sky_buf_done(&text);
}

static void tell_group(struct tale *tale, const struct sky_group *group);

/* What the nearest of the alternatives lacks. */
static void tell_any_of(struct tale *tale, const struct sky_condition *condition)
{
    const struct sky_group *nearest = NULL;
    size_t least = SIZE_MAX;
    for (const struct sky_group *group = condition->groups; group != NULL; group = group->next) {
        struct tale count = {.look = tale->look};
        tell_group(&count, group);
        if (count.count < least) {
            least = count.count;
            nearest = group;
        }
    }
    if (tale->count < tale->max)
        tell_group(tale, nearest);
    else
        tale->count += least;
}

static void tell_group(struct tale *tale, const struct sky_group *group)
{
    for (const struct sky_condition *condition = group->first; condition != NULL;
         condition = condition->next) {
        if (sky_condition_answer(tale->look, condition) == SKY_YES)
            continue;
        if (condition->test == SKY_TEST_NOT)
            tell_not(tale, condition);
        else if (condition->test == SKY_TEST_ANY_OF)
            tell_any_of(tale, condition);
        else if (condition->member->form == SKY_FORM_PAYLOAD)
            tell_payload(tale, condition);
        else
            tell_values(tale, condition);
    }
}

size_t sky_pattern_differences(const struct sky_pattern *pattern, const struct sky_subject *subject,
                               struct sky_difference *list, size_t max)
{
    struct sky_look look;
    sky_look_begin(&look, subject);
    struct tale tale = {.look = &look, .list = list, .max = max};
    tell_group(&tale, &pattern->group);
    sky_look_end(&look);
    return tale.count;
}
