#include "protocol/base/rule.h"

#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/similar.h"

static const char *const severity_names[] = {
    [SKY_INFO] = "info", [SKY_WARNING] = "warning", [SKY_ERROR] = "error"};
static const char *const action_names[] = {
    [SKY_ENFORCE] = "enforce", [SKY_REPORT] = "report", [SKY_OFF] = "off"};
static const char *const profile_names[] = {
    [SKY_PROFILE_SEED] = "seed", [SKY_PROFILE_CURRENT] = "current"};

void sky_catalogue_init(struct sky_catalogue *catalogue)
{
    *catalogue = (struct sky_catalogue){0};
}

void sky_catalogue_add(struct sky_catalogue *catalogue, struct sky_rule_table table)
{
    size_t general = table.special ? 0 : table.count;
    for (size_t i = 0; i < catalogue->table_count; i++)
        general += catalogue->tables[i].special ? 0 : catalogue->tables[i].count;
    SKY_ASSERT(catalogue->table_count < SKY_RULE_TABLES_MAX);
    SKY_ASSERT(general <= SKY_RULES_GENERAL_MAX);
    SKY_ASSERT(!table.special || table.count <= SKY_RULES_SPECIAL_MAX);
    SKY_ASSERT(catalogue->rule_count + table.count <= SKY_RULES_MAX);
    catalogue->starts[catalogue->table_count] = (struct sky_rule_start){
        .bytes = table.count * sizeof *table.rows,
        .index = (uint16_t)catalogue->rule_count,
        .place = (uint16_t)(table.special ? SKY_RULES_GENERAL_MAX : general - table.count)};
    catalogue->tables[catalogue->table_count++] = table;
    catalogue->rule_count += table.count;
}

sky_err sky_catalogue_check(const struct sky_catalogue *catalogue, struct sky_why *why)
{
    for (size_t i = 0; i < catalogue->rule_count; i++) {
        const struct sky_rule *rule = sky_catalogue_at(catalogue, i);
        if (sky_catalogue_find(catalogue, sky_span_str(rule->id)) != rule)
            return sky_why_set(why, SKY_ERR_EXISTS, "", "two rules are called %s", rule->id);
    }
    return SKY_OK;
}

/* The number of the rule's table, and its row there. Asked several times for every act: one
 * comparison for each table. */
static inline size_t table_of(const struct sky_catalogue *catalogue, const struct sky_rule *rule,
                              size_t *ret_row)
{
    for (size_t i = 0; i < catalogue->table_count; i++) {
        size_t offset = (size_t)((uintptr_t)rule - (uintptr_t)catalogue->tables[i].rows);
        if (offset < catalogue->starts[i].bytes) {
            *ret_row = offset / sizeof *rule;
            return i;
        }
    }
    sky_assert_failed("the rule is in the catalogue", __FILE__, __LINE__);
}

size_t sky_catalogue_index(const struct sky_catalogue *catalogue, const struct sky_rule *rule)
{
    size_t row, table = table_of(catalogue, rule, &row);
    return catalogue->starts[table].index + row;
}

size_t sky_catalogue_place(const struct sky_catalogue *catalogue, const struct sky_rule *rule)
{
    size_t row, table = table_of(catalogue, rule, &row);
    return catalogue->starts[table].place + row;
}

/* The table that holds `*index`, which becomes the index inside it. */
static const struct sky_rule_table *table_at(const struct sky_catalogue *catalogue, size_t *index)
{
    SKY_ASSERT(*index < catalogue->rule_count);
    const struct sky_rule_table *table = catalogue->tables;
    while (*index >= table->count)
        *index -= table++->count;
    return table;
}

const struct sky_rule *sky_catalogue_at(const struct sky_catalogue *catalogue, size_t index)
{
    const struct sky_rule_table *table = table_at(catalogue, &index);
    return &table->rows[index];
}

const char *sky_catalogue_owner(const struct sky_catalogue *catalogue, size_t index)
{
    return table_at(catalogue, &index)->owner;
}

const char *sky_catalogue_hint(const struct sky_catalogue *catalogue, const struct sky_rule *rule)
{
    bool current = catalogue->profile == SKY_PROFILE_CURRENT && rule->hint_current != NULL;
    return current ? rule->hint_current : rule->hint;
}

const struct sky_rule *sky_catalogue_find(const struct sky_catalogue *catalogue, sky_span id)
{
    for (size_t i = 0; i < catalogue->rule_count; i++) {
        const struct sky_rule *rule = sky_catalogue_at(catalogue, i);
        if (sky_span_eq_str(id, rule->id))
            return rule;
    }
    return NULL;
}

sky_err sky_catalogue_no_rule(const struct sky_catalogue *catalogue, sky_span id,
                              const char *pointer, struct sky_why *why)
{
    enum { SHOWN = 100 };
    struct sky_nearest nearest = {0};
    for (size_t i = 0; i < catalogue->rule_count; i++)
        sky_nearest_try(&nearest, sky_catalogue_at(catalogue, i)->id, id);
    sky_span shown = sky_span_head(id, id.len < SHOWN ? id.len : SHOWN);
    if (nearest.name != NULL)
        return sky_why_set(why, SKY_ERR_NOT_FOUND, pointer,
                           "there is no rule '%.*s'; '%s' is meant?", SKY_SPAN_ARGS(shown),
                           nearest.name);
    return sky_why_set(why, SKY_ERR_NOT_FOUND, pointer,
                       "there is no rule '%.*s'; 'skymock rules' lists them", SKY_SPAN_ARGS(shown));
}

void sky_policy_init(struct sky_policy *policy, const struct sky_catalogue *catalogue,
                     enum sky_profile profile)
{
    *policy = (struct sky_policy){.catalogue = catalogue};
    for (size_t i = 0; i < catalogue->rule_count; i++)
        policy->action[i] = (uint8_t)sky_catalogue_at(catalogue, i)->action[profile];
}

sky_err sky_policy_override(struct sky_policy *policy, sky_span text, struct sky_why *why)
{
    sky_span id, word;
    enum sky_action action;
    if (!sky_span_cut(text, '=', &id, &word) || !sky_action_parse(word, &action))
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "'%.*s' is not a rule override; give ID=enforce, ID=report or ID=off",
                           SKY_SPAN_ARGS(text));
    const struct sky_rule *rule = sky_catalogue_find(policy->catalogue, id);
    if (rule == NULL)
        return sky_catalogue_no_rule(policy->catalogue, id, "", why);
    policy->action[sky_catalogue_index(policy->catalogue, rule)] = (uint8_t)action;
    return SKY_OK;
}

enum sky_action sky_policy_action(const struct sky_policy *policy, const struct sky_rule *rule)
{
    return (enum sky_action)policy->action[sky_catalogue_index(policy->catalogue, rule)];
}

const char *sky_severity_name(enum sky_severity severity)
{
    return severity_names[severity];
}

const char *sky_action_name(enum sky_action action)
{
    return action_names[action];
}

static bool parse_name(sky_span text, const char *const *names, size_t count, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (sky_span_eq_str(text, names[i])) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool sky_action_parse(sky_span text, enum sky_action *ret_action)
{
    size_t index;
    if (!parse_name(text, action_names, SKY_COUNT(action_names), &index))
        return false;
    *ret_action = (enum sky_action)index;
    return true;
}

const char *sky_profile_name(enum sky_profile profile)
{
    SKY_ASSERT(profile < SKY_PROFILES);
    return profile_names[profile];
}

bool sky_profile_parse(sky_span text, enum sky_profile *ret_profile)
{
    size_t index;
    if (!parse_name(text, profile_names, SKY_COUNT(profile_names), &index))
        return false;
    *ret_profile = (enum sky_profile)index;
    return true;
}

void sky_rule_set_merge(struct sky_rule_set *into, const struct sky_rule_set *from)
{
    for (size_t i = 0; i < SKY_COUNT(into->bits); i++)
        into->bits[i] |= from->bits[i];
}

void sky_judge_init(struct sky_judge *judge, const struct sky_policy *policy)
{
    judge->policy = policy;
    judge->exercised = (struct sky_rule_set){0};
    judge->count = judge->lost = 0;
    judge->refused = NULL;
    judge->special = NULL;
}

/* Notes that the rule was tested, and says what is done about it. */
static inline enum sky_action exercise(struct sky_judge *judge, const struct sky_rule *rule)
{
    const struct sky_catalogue *catalogue = judge->policy->catalogue;
    size_t row, number = table_of(catalogue, rule, &row);
    const struct sky_rule_table *table = &catalogue->tables[number];
    enum sky_action action =
        (enum sky_action)judge->policy->action[catalogue->starts[number].index + row];
    if (action == SKY_OFF)
        return action;
    if (table->special) {
        SKY_ASSERT(judge->special == NULL || judge->special == table);
        judge->special = table;
    }
    sky_rule_set_add(&judge->exercised, catalogue->starts[number].place + row);
    return action;
}

bool sky_judge_kept(struct sky_judge *judge, const struct sky_rule *rule)
{
    (void)exercise(judge, rule);
    return false;
}

bool sky_judge_broken(struct sky_judge *judge, const struct sky_rule *rule, const char *fmt, ...)
{
    enum sky_action action = exercise(judge, rule);
    if (action == SKY_OFF)
        return false;
    bool enforced = action == SKY_ENFORCE;
    if (enforced && judge->refused == NULL)
        judge->refused = rule;
    if (judge->count == SKY_FINDINGS_MAX) {
        judge->lost++;
        return enforced;
    }
    struct sky_finding *finding = &judge->findings[judge->count++];
    finding->rule = rule;
    va_list args;
    va_start(args, fmt);
    vsnprintf(finding->detail, sizeof finding->detail, fmt, args);
    va_end(args);
    return enforced;
}

bool sky_judge_found(const struct sky_judge *judge, const struct sky_rule *rule)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->findings[i].rule == rule)
            return true;
    return false;
}
