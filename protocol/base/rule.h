/* Rules, what to do about each, and findings: the vocabulary of every verdict.
 * Knows nothing of any cloud or protocol; their tables are handed in. */
#ifndef SKY_BASE_RULE_H
#define SKY_BASE_RULE_H

#include "protocol/base/err.h"
#include "protocol/base/span.h"

enum sky_severity { SKY_INFO, SKY_WARNING, SKY_ERROR };

/* What a broken rule does: refuse as the cloud would, record only, or nothing at all. */
enum sky_action { SKY_ENFORCE, SKY_REPORT, SKY_OFF };

/* Whose word counts where documents of different age disagree. */
enum sky_profile { SKY_PROFILE_SEED, SKY_PROFILE_CURRENT, SKY_PROFILES };

/* One row of the catalogue. Rows are static const and are compared by address. */
struct sky_rule {
    const char *id;        /* "MQTT-KEEPALIVE-RANGE"; unique over all tables */
    const char *statement; /* what a device must do, one line */
    const char *source;    /* document and section that says so */
    const char *hint;      /* what to change in the firmware when it is broken */
    enum sky_severity severity;
    enum sky_action action[SKY_PROFILES]; /* default per profile */
    const char *hint_current; /* the hint in profile current, where that is another; else NULL */
};

/* What most rows say of both profiles. */
#define SKY_ENFORCED                                                                               \
    {                                                                                              \
        SKY_ENFORCE, SKY_ENFORCE                                                                   \
    }
#define SKY_REPORTED                                                                               \
    {                                                                                              \
        SKY_REPORT, SKY_REPORT                                                                     \
    }

/* A table of rows: one for each cloud, one for MQTT, one for CoAP. */
struct sky_rule_table {
    const char *owner; /* a cloud's name, "mqtt" or "coap": whom the rows speak of */
    const struct sky_rule *rows;
    size_t count;
    bool special; /* a device answers to one such table at the most: its cloud's */
};

/* A device answers to the general tables and to one special one, its cloud's. So the general rules
 * have the first places in a set, and those of every cloud share the rest: more clouds make no set
 * longer. */
enum {
    SKY_RULES_GENERAL_MAX = 112, /* of all general tables together */
    SKY_RULES_SPECIAL_MAX = 144, /* of any special one */
    SKY_RULE_PLACES = SKY_RULES_GENERAL_MAX + SKY_RULES_SPECIAL_MAX,
    SKY_TABLES_GENERAL_MAX = 4,
    SKY_TABLES_SPECIAL_MAX = 12,
    SKY_RULE_TABLES_MAX = SKY_TABLES_GENERAL_MAX + SKY_TABLES_SPECIAL_MAX,
    SKY_RULES_MAX = SKY_RULES_GENERAL_MAX + SKY_TABLES_SPECIAL_MAX * SKY_RULES_SPECIAL_MAX,
};

/* The catalogue: all tables in order. A rule's index in it is stable for one build. */
struct sky_catalogue {
    struct sky_rule_table tables[SKY_RULE_TABLES_MAX];
    struct sky_rule_start { /* of each table: its first row's index, and its place in a set */
        size_t bytes;       /* of all its rows */
        uint16_t index, place;
    } starts[SKY_RULE_TABLES_MAX];
    size_t table_count, rule_count;
    enum sky_profile profile; /* whose hints are shown */
};

void sky_catalogue_init(struct sky_catalogue *catalogue);
/* Not more, nor longer ones, than the limits above allow. */
void sky_catalogue_add(struct sky_catalogue *catalogue, struct sky_rule_table table);
/* Has every row an id that no other has? */
SKY_MUST_USE sky_err sky_catalogue_check(const struct sky_catalogue *catalogue,
                                         struct sky_why *why);
/* `rule` must be a row of one of the tables. */
size_t sky_catalogue_index(const struct sky_catalogue *catalogue, const struct sky_rule *rule);
/* Its place in the sets of whoever answers to it: other clouds' rules have the same. */
size_t sky_catalogue_place(const struct sky_catalogue *catalogue, const struct sky_rule *rule);
const struct sky_rule *sky_catalogue_at(const struct sky_catalogue *catalogue, size_t index);
const char *sky_catalogue_owner(const struct sky_catalogue *catalogue, size_t index);
/* The rule's hint in the catalogue's profile. */
const char *sky_catalogue_hint(const struct sky_catalogue *catalogue, const struct sky_rule *rule);
/* NULL if no row has this id. */
const struct sky_rule *sky_catalogue_find(const struct sky_catalogue *catalogue, sky_span id);
/* NOT_FOUND: that no row has it, and which may be meant. */
sky_err sky_catalogue_no_rule(const struct sky_catalogue *catalogue, sky_span id,
                              const char *pointer, struct sky_why *why);

/* What is done about each rule: the profile's defaults, then overrides. A value: a product with
 * overrides of its own has a copy. */
struct sky_policy {
    const struct sky_catalogue *catalogue;
    uint8_t action[SKY_RULES_MAX];
};

void sky_policy_init(struct sky_policy *policy, const struct sky_catalogue *catalogue,
                     enum sky_profile profile);
/* One override in the form "ID=enforce", "ID=report" or "ID=off". */
SKY_MUST_USE sky_err sky_policy_override(struct sky_policy *policy, sky_span text,
                                         struct sky_why *why);
enum sky_action sky_policy_action(const struct sky_policy *policy, const struct sky_rule *rule);

const char *sky_severity_name(enum sky_severity severity);
const char *sky_action_name(enum sky_action action);
SKY_MUST_USE bool sky_action_parse(sky_span text, enum sky_action *ret_action);
const char *sky_profile_name(enum sky_profile profile);
SKY_MUST_USE bool sky_profile_parse(sky_span text, enum sky_profile *ret_profile);

enum { SKY_FINDINGS_MAX = 12, SKY_FINDING_DETAIL_MAX = 224 };

/* A rule broken by one act of a device, and how. */
struct sky_finding {
    const struct sky_rule *rule;
    char detail[SKY_FINDING_DETAIL_MAX]; /* what the device did; never a secret */
};

/* A set of rules that one device answers to, as their places. */
struct sky_rule_set {
    uint64_t bits[SKY_RULE_PLACES / 64];
};

static inline void sky_rule_set_add(struct sky_rule_set *set, size_t place)
{
    set->bits[place / 64] |= UINT64_C(1) << (place % 64);
}

static inline bool sky_rule_set_has(const struct sky_rule_set *set, size_t place)
{
    return set->bits[place / 64] >> (place % 64) & 1;
}

void sky_rule_set_merge(struct sky_rule_set *into, const struct sky_rule_set *from);

/* The judgement of one act: which rules it exercised, which it broke. Lives on the caller's
 * stack for the length of the act. */
struct sky_judge {
    const struct sky_policy *policy;
    struct sky_rule_set exercised;
    struct sky_finding findings[SKY_FINDINGS_MAX];
    size_t count;
    size_t lost;                          /* findings beyond SKY_FINDINGS_MAX */
    const struct sky_rule_table *special; /* whose rules were judged; an act is one cloud's */
    const struct sky_rule *refused;       /* the first broken rule that is enforced, or NULL */
};

void sky_judge_init(struct sky_judge *judge, const struct sky_policy *policy);

/* States that this act tested `rule`: `kept` or broken (then the rest says how, printf style; it is
 * not evaluated otherwise). True when the rule is broken and enforced: the caller then does what
 * the cloud would do. A rule that is off leaves no trace and returns false. */
#define sky_judge_rule(judge, rule, kept, ...)                                                     \
    ((kept) ? sky_judge_kept(judge, rule) : sky_judge_broken(judge, rule, __VA_ARGS__))

/* The same for a rule that was kept, as nearly all are: false, there is nothing more to say. */
bool sky_judge_kept(struct sky_judge *judge, const struct sky_rule *rule);
/* And for one that was broken. */
bool sky_judge_broken(struct sky_judge *judge, const struct sky_rule *rule, const char *fmt, ...)
    SKY_PRINTF(3, 4);

/* Is the broken rule among the findings? */
bool sky_judge_found(const struct sky_judge *judge, const struct sky_rule *rule);

#endif
