/* From JSON to conditions, with every error at its place. */
#include <stdio.h>
#include <stdlib.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/rule.h"
#include "protocol/base/similar.h"
#include "protocol/mqtt/topic.h"
#include "server/pattern/private.h"

/* Where in the pattern: a step from the place above. */
struct place {
    const struct place *up;
    const char *key; /* NULL: element `number` */
    size_t number;
};

struct compiler {
    struct sky_pattern *pattern;
    const char *at;
    const struct sky_catalogue *rules;
    struct sky_why *why;
    size_t conditions, values;
};

/* ---- errors ---- */

static void put_place(struct sky_buf *out, const struct place *place)
{
    if (place == NULL)
        return;
    put_place(out, place->up);
    if (place->key == NULL)
        sky_buf_addf(out, "/%zu", place->number);
    else
        sky_json_pointer_plain(out, sky_span_str(place->key));
}

static bool fail(const struct compiler *c, const struct place *place, const char *fmt, ...)
    SKY_PRINTF(3, 4);
static bool fail(const struct compiler *c, const struct place *place, const char *fmt, ...)
{
    struct sky_buf pointer;
    char reason[SKY_WHY_REASON_MAX], text[SKY_WHY_POINTER_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    sky_buf_init(&pointer, sizeof text - 1);
    sky_buf_add_str(&pointer, c->at);
    put_place(&pointer, place);
    sky_span_copy(sky_buf_span(&pointer), text, sizeof text);
    (void)sky_why_set(c->why, SKY_ERR_INVALID, text, "%s", reason);
    sky_buf_done(&pointer);
    return false;
}

static bool fail_word(const struct compiler *c, const struct place *place, const char *what,
                      const char *wrong, const char *(*word)(size_t), size_t count)
{
    struct sky_nearest near = {0};
    enum { LIST_ENOUGH = 200 };
    char list[LIST_ENOUGH + 1] = "", more[32] = "";
    for (size_t i = 0; i < count; i++)
        sky_nearest_try(&near, word(i), sky_span_str(wrong));
    if (near.name != NULL)
        return fail(c, place, "there is no %s '%.60s'; '%s' is meant?", what, wrong, near.name);
    size_t told = 0;
    for (size_t len = 0; told < count && len + strlen(", ") + strlen(word(told)) <= LIST_ENOUGH;
         told++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", told > 0 ? ", " : "",
                                word(told));
    if (told < count)
        snprintf(more, sizeof more, " and %zu more", count - told);
    return fail(c, place, "there is no %s '%.40s'; there are %s%s", what, wrong, list, more);
}

static bool fail_rule(const struct compiler *c, const struct place *place, const char *wrong)
{
    struct sky_why why;
    (void)sky_catalogue_no_rule(c->rules, sky_span_str(wrong), "", &why);
    return fail(c, place, "%s", why.reason);
}

/* ---- pieces ---- */

static sky_span kept(const struct compiler *c, const char *text)
{
    return sky_arena_copy(&c->pattern->arena, sky_span_str(text));
}

static sky_span printed(const struct compiler *c, const cJSON *json)
{
    struct sky_buf text;
    sky_buf_init(&text, SIZE_MAX);
    bool whole = sky_json_print(&text, json);
    SKY_ASSERT(whole);
    sky_span copy = sky_arena_copy(&c->pattern->arena, sky_buf_span(&text));
    sky_buf_done(&text);
    return copy;
}

/* In the order of their members, which is that of what they cost. */
static struct sky_condition *add_condition(struct compiler *c, const struct sky_member *member,
                                           struct sky_group *group, const cJSON *json)
{
    struct sky_condition *condition = sky_arena_take(&c->pattern->arena, sizeof *condition);
    condition->member = member;
    condition->wanted = printed(c, json);
    struct sky_condition **at = &group->first;
    while (*at != NULL && (*at)->member <= member)
        at = &(*at)->next;
    condition->next = *at;
    *at = condition;
    c->conditions++;
    return condition;
}

static bool take_regex(struct compiler *c, const struct place *place, const cJSON *json,
                       struct sky_condition *condition)
{
    struct sky_why why;
    if (!cJSON_IsString(json))
        return fail(c, place, "a regular expression is text");
    struct sky_regex *regex = sky_regex_new(sky_span_str(json->valuestring), &why);
    if (regex == NULL)
        return fail(c, place, "%s", why.reason);
    struct sky_regex_list *entry = sky_arena_take(&c->pattern->arena, sizeof *entry);
    *entry = (struct sky_regex_list){regex, c->pattern->regexes};
    c->pattern->regexes = entry;
    condition->test = SKY_TEST_MATCHES;
    condition->regex = regex;
    condition->wanted = printed(c, json);
    return true;
}

static bool take_range(const struct compiler *c, const struct place *place, const cJSON *object,
                       struct sky_condition *condition)
{
    const cJSON *min = sky_json_get(object, "min"), *max = sky_json_get(object, "max");
    const struct place at_min = {place, "min", 0}, at_max = {place, "max", 0};
    if (min != NULL && !cJSON_IsNumber(min))
        return fail(c, &at_min, "a number");
    if (max != NULL && !cJSON_IsNumber(max))
        return fail(c, &at_max, "a number");
    if (min != NULL && max != NULL && min->valuedouble > max->valuedouble)
        return fail(c, &at_min, "min is more than max");
    condition->test = SKY_TEST_RANGE;
    condition->has_min = min != NULL;
    condition->has_max = max != NULL;
    condition->min = min != NULL ? min->valuedouble : 0;
    condition->max = max != NULL ? max->valuedouble : 0;
    return true;
}

/* ---- members that have values ---- */

static const char *forms_of(const struct sky_member *member)
{
    switch (member->form) {
    case SKY_FORM_DEVICE:
        return "\"cloud/product/device\", a list of such, or {\"matches\": REGEX}";
    case SKY_FORM_PRODUCT:
        return "\"cloud/key\", a list of such, or {\"matches\": REGEX}";
    case SKY_FORM_TOPIC:
        return "an MQTT topic filter, a list of such, or {\"matches\": REGEX}";
    case SKY_FORM_PART:
        return "text, or a list of texts: as it is, no expression";
    default:
        break;
    }
    switch (member->takes) {
    case SKY_VALUE_TEXT:
        return "text, a list of texts, or {\"matches\": REGEX}";
    case SKY_VALUE_NUMBER:
        return "a number, a list of numbers, or {\"min\": a, \"max\": b}";
    case SKY_VALUE_FLAG:
        return "true or false";
    default:
        return "true, false, text, a list of texts, or {\"matches\": REGEX}";
    }
}

static bool has_slashes(const char *text, int count)
{
    for (; *text != '\0'; text++)
        count -= *text == '/';
    return count == 0;
}

static bool takes_text(const struct compiler *c, const struct place *place,
                       const struct sky_member *member, const char *text)
{
    if ((member->form == SKY_FORM_DEVICE && !has_slashes(text, 2)) ||
        (member->form == SKY_FORM_PRODUCT && !has_slashes(text, 1)))
        return fail(c, place, "'%.60s' is not %s", text, forms_of(member));
    if (member->form == SKY_FORM_TOPIC && !sky_topic_valid_filter(sky_span_str(text)))
        return fail(c, place,
                    "'%.60s' is not an MQTT topic filter: # is the last level, and # and "
                    "+ are whole levels",
                    text);
    if (member->form == SKY_FORM_PART && (*text == '\0' || strlen(text) > SKY_PATTERN_TEXT_MAX))
        return fail(c, place, "a text that is looked for has 1 to %d bytes", SKY_PATTERN_TEXT_MAX);
    if (member->form == SKY_FORM_RULE && sky_catalogue_find(c->rules, sky_span_str(text)) == NULL)
        return fail_rule(c, place, text);
    for (size_t i = 0; i < member->words; i++)
        if (strcmp(member->word(i), text) == 0)
            return true;
    return member->words == 0 ||
           fail_word(c, place, member->name, text, member->word, member->words);
}

static bool take_value(const struct compiler *c, const struct place *place,
                       const struct sky_member *member, const cJSON *json,
                       struct sky_value *ret_value)
{
    *ret_value =
        (struct sky_value){.kind = cJSON_IsString(json)   ? SKY_VALUE_TEXT
                                   : cJSON_IsNumber(json) ? SKY_VALUE_NUMBER
                                                          : SKY_VALUE_FLAG,
                           .number = cJSON_IsNumber(json) ? json->valuedouble : cJSON_IsTrue(json)};
    bool simple = cJSON_IsString(json) || cJSON_IsNumber(json) || cJSON_IsBool(json);
    if (!simple || !(member->takes & ret_value->kind))
        return fail(c, place, "%s is %s", member->name, forms_of(member));
    if (ret_value->kind != SKY_VALUE_TEXT)
        return true;
    ret_value->text = kept(c, json->valuestring);
    return takes_text(c, place, member, json->valuestring);
}

static bool take_values(struct compiler *c, const struct place *place, const cJSON *json,
                        struct sky_condition *condition)
{
    const struct sky_member *member = condition->member;
    bool list = cJSON_IsArray(json);
    size_t count = list ? (size_t)cJSON_GetArraySize(json) : 1;
    if (count == 0)
        return fail(c, place, "an empty list: no event is one of none");
    c->values += count;
    if (c->values > SKY_PATTERN_VALUES_MAX)
        return fail(c, place, "the lists of a pattern have at most %d values together",
                    SKY_PATTERN_VALUES_MAX);
    struct sky_value *values = sky_arena_take(&c->pattern->arena, count * sizeof *values);
    const cJSON *element = list ? json->child : json;
    for (size_t i = 0; i < count; i++, element = element->next) {
        const struct place at = {place, NULL, i};
        if (!take_value(c, list ? &at : place, member, element, &values[i]))
            return false;
        for (size_t word = 0; word < member->words; word++)
            if (sky_span_eq_str(values[i].text, member->word(word)))
                condition->words |= UINT64_C(1) << word;
    }
    condition->test = SKY_TEST_ONE_OF;
    condition->values = values;
    condition->value_count = count;
    return true;
}

/* Which words an expression finds is known at once. */
static void match_words(struct sky_condition *condition)
{
    const struct sky_member *member = condition->member;
    for (size_t i = 0; i < member->words; i++) {
        size_t work = SKY_REGEX_WORK_MAX;
        if (sky_regex_find(condition->regex, sky_span_str(member->word(i)), &work) == SKY_REGEX_YES)
            condition->words |= UINT64_C(1) << i;
    }
    condition->test = SKY_TEST_ONE_OF;
}

static bool take_test(struct compiler *c, const struct place *place, const cJSON *object,
                      struct sky_condition *condition)
{
    const struct sky_member *member = condition->member;
    const cJSON *matches = sky_json_get(object, "matches"), *child;
    bool text = member->takes & SKY_VALUE_TEXT && member->form != SKY_FORM_PART,
         number = member->takes & SKY_VALUE_NUMBER;
    cJSON_ArrayForEach (child, object) {
        bool range = strcmp(child->string, "min") == 0 || strcmp(child->string, "max") == 0;
        const struct place at = {place, child->string, 0};
        if (!(text && child == matches) && !(number && range))
            return fail(c, &at, "%s is %s", member->name, forms_of(member));
    }
    if (object->child == NULL)
        return fail(c, place, "%s is %s", member->name, forms_of(member));
    if (!text)
        return take_range(c, place, object, condition);
    const struct place at = {place, "matches", 0};
    if (!take_regex(c, &at, matches, condition))
        return false;
    if (member->word != NULL)
        match_words(condition);
    return true;
}

/* ---- payloads ---- */

static const char payload_forms[] =
    "a payload has \"equals\": TEXT, \"base64\", \"matches\": REGEX or \"json\": VALUE, or "
    "\"pointer\" with \"equals\", \"matches\", \"min\", \"max\", \"json\" or \"exists\"";

/* One step of a pointer, as a string in JSON has it. */
static bool take_step(const struct compiler *c, sky_span step, sky_span *ret_step)
{
    struct sky_buf plain, written;
    bool good = true;
    sky_buf_init(&plain, step.len);
    sky_buf_init(&written, SIZE_MAX);
    for (size_t i = 0; i < step.len && good; i++) {
        bool escape = step.ptr[i] == '~';
        char next = escape && i + 1 < step.len ? step.ptr[i + 1] : '\0';
        good = !escape || next == '0' || next == '1';
        sky_buf_add_byte(&plain, (uint8_t)(!escape ? step.ptr[i] : next == '0' ? '~' : '/'));
        i += escape;
    }
    struct sky_jw jw = sky_jw(&written);
    sky_jw_str(&jw, sky_buf_span(&plain));
    *ret_step = sky_arena_copy(&c->pattern->arena, sky_json_text(sky_buf_span(&written)));
    sky_buf_done(&plain);
    sky_buf_done(&written);
    return good;
}

struct pointer {
    sky_span text;
    sky_span *steps;
    size_t count;
};

static bool take_pointer(const struct compiler *c, const struct place *place, const cJSON *json,
                         struct pointer *ret_pointer)
{
    if (!cJSON_IsString(json) || strlen(json->valuestring) > SKY_PATTERN_POINTER_MAX)
        return fail(c, place, "a JSON pointer is text of at most %d bytes",
                    SKY_PATTERN_POINTER_MAX);
    sky_span text = kept(c, json->valuestring), step, rest = sky_span_tail(text, 1);
    struct pointer pointer = {.text = text};
    if (text.len > 0 && text.ptr[0] != '/')
        return fail(c, place, "a JSON pointer begins with '/': \"/params/temp\" (RFC 6901)");
    for (size_t i = 0; i < text.len; i++)
        pointer.count += text.ptr[i] == '/';
    pointer.steps = sky_arena_take(&c->pattern->arena, (pointer.count + 1) * sizeof(sky_span));
    for (size_t i = 0; i < pointer.count; i++) {
        if (!sky_span_next(&rest, '/', &step))
            step = SKY_SPAN_NONE; /* behind a slash that ends it */
        if (!take_step(c, step, &pointer.steps[i]))
            return fail(c, place, "in a JSON pointer ~ is written ~0, and / in a key ~1");
    }
    *ret_pointer = pointer;
    return true;
}

static bool take_base64(const struct compiler *c, const struct place *place, const cJSON *json,
                        struct sky_value *ret_value)
{
    if (cJSON_IsString(json)) {
        sky_span text = sky_span_str(json->valuestring);
        uint8_t *bytes = sky_arena_take(&c->pattern->arena, text.len + 1);
        size_t len;
        *ret_value = (struct sky_value){.kind = SKY_VALUE_TEXT};
        if (sky_base64_decode(text, bytes, text.len + 1, &len)) {
            ret_value->text = sky_span_of(bytes, len);
            return true;
        }
    }
    return fail(c, place, "base64 text, padded (RFC 4648 §4)");
}

/* One member of a payload's object other than min and max. */
static bool take_payload_test(struct compiler *c, const struct place *place, const cJSON *json,
                              struct sky_condition *condition)
{
    bool pointed = condition->pointed;
    const char *name = json->string;
    struct sky_value *value = sky_arena_take(&c->pattern->arena, sizeof *value);
    condition->values = value;
    condition->value_count = 1;
    if (strcmp(name, "matches") == 0)
        return take_regex(c, place, json, condition);
    if (strcmp(name, "json") == 0 || (pointed && strcmp(name, "equals") == 0)) {
        condition->test = name[0] == 'j' ? SKY_TEST_SUBSET : SKY_TEST_SAME;
        condition->json = condition->wanted;
        return true;
    }
    if (pointed && strcmp(name, "exists") == 0) {
        condition->test = SKY_TEST_EXISTS;
        condition->exists = cJSON_IsTrue(json);
        return cJSON_IsBool(json) || fail(c, place, "true or false");
    }
    condition->test = SKY_TEST_ONE_OF;
    if (!pointed && strcmp(name, "base64") == 0)
        return take_base64(c, place, json, value);
    if (pointed || strcmp(name, "equals") != 0)
        return fail(c, place, "%s", payload_forms);
    if (!cJSON_IsString(json))
        return fail(c, place, "text; for a JSON value \"json\", or \"pointer\" with \"equals\"");
    *value = (struct sky_value){.kind = SKY_VALUE_TEXT, .text = kept(c, json->valuestring)};
    return true;
}

static bool take_payload(struct compiler *c, const struct place *place, const cJSON *object,
                         const struct sky_member *member, struct sky_group *group)
{
    const cJSON *pointer = sky_json_get(object, "pointer"), *child,
                *exists = sky_json_get(object, "exists");
    const struct place at_pointer = {place, "pointer", 0}, at_exists = {place, "exists", 0};
    struct pointer to = {0};
    bool range = false;
    if (!cJSON_IsObject(object) || cJSON_GetArraySize(object) == (pointer != NULL))
        return fail(c, place, "%s", payload_forms);
    if (pointer != NULL && !take_pointer(c, &at_pointer, pointer, &to))
        return false;
    if (pointer != NULL && cJSON_IsFalse(exists) && cJSON_GetArraySize(object) > 2)
        return fail(c, &at_exists, "what does not exist is nothing else");
    cJSON_ArrayForEach (child, object) {
        const struct place at = {place, child->string, 0};
        bool bound = strcmp(child->string, "min") == 0 || strcmp(child->string, "max") == 0;
        if (child == pointer || (bound && range))
            continue;
        struct sky_condition *condition = add_condition(c, member, group, child);
        condition->pointed = pointer != NULL;
        condition->pointer = to.text;
        condition->steps = to.steps;
        condition->step_count = to.count;
        if (bound && pointer != NULL) {
            range = true;
            if (!take_range(c, place, object, condition))
                return false;
        } else if (!take_payload_test(c, &at, child, condition)) {
            return false;
        }
    }
    return true;
}

/* ---- patterns in patterns ---- */

static bool take_group(struct compiler *c, const struct place *place, int depth,
                       const cJSON *object, struct sky_group *ret_group);

static bool take_groups(struct compiler *c, const struct place *place, int depth, const cJSON *json,
                        struct sky_condition *condition)
{
    bool list = condition->member->form == SKY_FORM_ANY_OF;
    struct sky_group *last = NULL;
    if (list && (!cJSON_IsArray(json) || json->child == NULL))
        return fail(c, place, "anyOf is a list of patterns, at least one");
    if (!list && cJSON_IsObject(json) && json->child == NULL)
        return fail(c, place, "every event matches {}, and none matches its opposite");
    condition->test = list ? SKY_TEST_ANY_OF : SKY_TEST_NOT;
    const cJSON *element = list ? json->child : json;
    for (size_t i = 0; element != NULL; i++, element = list ? element->next : NULL) {
        const struct place at = {place, NULL, i};
        struct sky_group *group = sky_arena_take(&c->pattern->arena, sizeof *group);
        if (!take_group(c, list ? &at : place, depth + 1, element, group))
            return false;
        if (last == NULL)
            condition->groups = group;
        else
            last->next = group;
        last = group;
    }
    return true;
}

static const char *member_word(size_t number)
{
    return sky_members[number].name;
}

static const struct sky_member *member_of(const char *name)
{
    for (size_t i = 0; i < sky_member_count; i++)
        if (strcmp(sky_members[i].name, name) == 0)
            return &sky_members[i];
    return NULL;
}

bool sky_pattern_knows(const char *member)
{
    return member_of(member) != NULL;
}

static bool take_member(struct compiler *c, const struct place *place, int depth, const cJSON *json,
                        struct sky_group *group)
{
    const struct sky_member *member = member_of(json->string);
    if (member == NULL)
        return fail_word(c, place, "member of patterns", json->string, member_word,
                         sky_member_count);
    if (sky_member_is_judged(member) && c->rules == NULL)
        return fail(c, place, "nothing has been judged yet where this looks: %s is not known",
                    member->name);
    if (member->form == SKY_FORM_PAYLOAD)
        return take_payload(c, place, json, member, group);
    struct sky_condition *condition = add_condition(c, member, group, json);
    if (member->form == SKY_FORM_NOT || member->form == SKY_FORM_ANY_OF)
        return take_groups(c, place, depth, json, condition);
    return cJSON_IsObject(json) ? take_test(c, place, json, condition)
                                : take_values(c, place, json, condition);
}

static bool take_group(struct compiler *c, const struct place *place, int depth,
                       const cJSON *object, struct sky_group *ret_group)
{
    const cJSON *child;
    if (!cJSON_IsObject(object))
        return fail(c, place, "a pattern is an object: {\"type\": \"publish\", ...}");
    if (depth > SKY_PATTERN_DEPTH_MAX)
        return fail(c, place, "not and anyOf stand in each other at most %d deep",
                    SKY_PATTERN_DEPTH_MAX);
    cJSON_ArrayForEach (child, object) {
        const struct place at = {place, child->string, 0};
        if (!take_member(c, &at, depth, child, ret_group))
            return false;
        if (c->conditions > SKY_PATTERN_MEMBERS_MAX)
            return fail(c, &at, "a pattern has at most %d conditions", SKY_PATTERN_MEMBERS_MAX);
    }
    return true;
}

struct sky_pattern *sky_pattern_new(const cJSON *json, const char *at,
                                    const struct sky_catalogue *rules, struct sky_why *why)
{
    struct sky_pattern *pattern = sky_mem_new(sizeof *pattern);
    struct compiler compiler = {.pattern = pattern, .at = at, .rules = rules, .why = why};
    sky_arena_init(&pattern->arena);
    if (take_group(&compiler, NULL, 0, json, &pattern->group))
        return pattern;
    sky_pattern_free(pattern);
    return NULL;
}

void sky_pattern_free(struct sky_pattern *pattern)
{
    if (pattern == NULL)
        return;
    for (struct sky_regex_list *entry = pattern->regexes; entry != NULL; entry = entry->next)
        sky_regex_free(entry->regex);
    sky_arena_done(&pattern->arena);
    free(pattern);
}
