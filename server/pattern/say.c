/* A pattern in the words of a sentence. */
#include "server/pattern/private.h"

static const struct sky_condition *condition_of(const struct sky_group *group, const char *name)
{
    for (const struct sky_condition *c = group->first; c != NULL; c = c->next)
        if (strcmp(c->member->name, name) == 0)
            return c;
    return NULL;
}

/* Values as they are read: texts without quotes, joined by "or". */
static void say_values(const struct sky_condition *condition, struct sky_buf *out)
{
    if (condition->regex != NULL || condition->test != SKY_TEST_ONE_OF) {
        sky_condition_wanted(condition, out);
        return;
    }
    for (size_t i = 0; i < condition->value_count; i++) {
        const struct sky_value *value = &condition->values[i];
        struct sky_jw jw = sky_jw(out);
        sky_buf_add_str(out, i > 0 ? " or " : "");
        if (value->kind == SKY_VALUE_TEXT)
            sky_buf_add(out, value->text);
        else if (value->kind == SKY_VALUE_NUMBER)
            sky_number_put(out, value->number);
        else
            sky_jw_bool(&jw, value->number != 0);
    }
}

static void say_where(const struct sky_condition *condition, struct sky_buf *out)
{
    if (!condition->pointed) {
        sky_buf_add_str(out, condition->member->name);
        return;
    }
    for (size_t i = 0; i < condition->step_count; i++) {
        sky_buf_add_str(out, i > 0 ? "." : "");
        sky_buf_add(out, condition->steps[i]);
    }
    if (condition->step_count == 0)
        sky_buf_add_str(out, "payload");
}

static void say_condition(const struct sky_condition *condition, struct sky_buf *out)
{
    if (condition->test == SKY_TEST_NOT) {
        sky_buf_add_str(out, "not being ");
        sky_group_say(condition->groups, out);
        return;
    }
    if (condition->test == SKY_TEST_ANY_OF) {
        sky_buf_add_str(out, "being ");
        for (const struct sky_group *group = condition->groups; group != NULL;
             group = group->next) {
            sky_group_say(group, out);
            sky_buf_add_str(out, group->next != NULL ? ", or " : "");
        }
        return;
    }
    say_where(condition, out);
    sky_buf_add_byte(out, ' ');
    if (condition->test == SKY_TEST_SUBSET)
        sky_buf_add_str(out, "having ");
    else if (condition->test == SKY_TEST_EXISTS)
        sky_buf_add_str(out, "being ");
    else if (condition->test != SKY_TEST_RANGE && condition->regex == NULL)
        sky_buf_add_str(out, "= ");
    if (condition->member->form == SKY_FORM_PAYLOAD)
        sky_condition_wanted(condition, out);
    else
        say_values(condition, out);
}

/* What has its own place in the sentence. */
static const struct {
    const char *member, *word;
} places[] = {{"direction", " "}, {"device", " of "}, {"product", " of "}, {"topic", " to "}};

static bool has_place(const struct sky_condition *condition)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].member, condition->member->name) == 0)
            return true;
    return strcmp(condition->member->name, "type") == 0;
}

void sky_group_say(const struct sky_group *group, struct sky_buf *out)
{
    const struct sky_condition *type = condition_of(group, "type");
    size_t count = 0;
    if (type != NULL)
        say_values(type, out);
    else
        sky_buf_add_str(out, "event");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct sky_condition *condition = condition_of(group, places[i].member);
        if (condition == NULL)
            continue;
        sky_buf_add_str(out, places[i].word);
        say_values(condition, out);
    }
    for (const struct sky_condition *c = group->first; c != NULL; c = c->next) {
        if (has_place(c))
            continue;
        sky_buf_add_str(out, count++ == 0 ? " with " : " and ");
        say_condition(c, out);
    }
}

void sky_pattern_say(const struct sky_pattern *pattern, struct sky_buf *out)
{
    sky_group_say(&pattern->group, out);
}
