/* What a compiled pattern is, for the files of this room only. */
#ifndef SKY_SERVER_PATTERN_PRIVATE_H
#define SKY_SERVER_PATTERN_PRIVATE_H

#include <stddef.h>

#include "protocol/base/arena.h"
#include "protocol/base/utf8.h"
#include "server/pattern/pattern.h"
#include "server/pattern/regex.h"

/* Whether a condition holds may be unknown: of a payload that the journal has cut, of an
 * expression that gave up, of a judgement that has not been made. What is unknown stays so when it
 * is negated, and no event is chosen for it. */
enum sky_answer { SKY_NO, SKY_UNKNOWN, SKY_YES };

/* ---- values of a subject ---- */

enum sky_value_kind { SKY_VALUE_TEXT = 1, SKY_VALUE_NUMBER = 2, SKY_VALUE_FLAG = 4 };

struct sky_value {
    enum sky_value_kind kind;
    sky_span text;
    double number; /* of a flag, 0 or 1 */
};

/* A look at one subject: what had to be found out about it is found out once. */
struct sky_look {
    const struct sky_subject *subject;
    const char *device; /* NULL: not asked yet */
    enum { SKY_PAYLOAD_UNREAD, SKY_PAYLOAD_JSON, SKY_PAYLOAD_OTHER } payload;
    size_t work_left; /* for expressions */
    struct sky_arena arena;
    _Alignas(max_align_t) char memory[512]; /* the arena's first */
};

/* Where a member's values were taken up to; zeroed: none. */
struct sky_walk {
    size_t at;
    sky_span rest;
};

struct sky_member;
/* The next of a subject's values of this member; false when there is no more. */
typedef bool sky_values_fn(struct sky_look *look, const struct sky_member *member,
                           struct sky_walk *walk, struct sky_value *ret_value);

/* ---- members ---- */

enum sky_form {
    SKY_FORM_VALUES,
    SKY_FORM_DEVICE,  /* text with two slashes, */
    SKY_FORM_PRODUCT, /* or one */
    SKY_FORM_TOPIC,   /* values are MQTT filters */
    SKY_FORM_JUDGED,  /* unknown until the act is judged: what the cloud makes of it */
    SKY_FORM_RULE,    /* as that; and values are ids of rules */
    SKY_FORM_PART,    /* text that stands in any of them, whatever the case of its letters */
    SKY_FORM_PAYLOAD, /* the rest have no values */
    SKY_FORM_NOT,
    SKY_FORM_ANY_OF,
};

/* A row of the table that dispatches, and documents. */
struct sky_member {
    const char *name;
    enum sky_form form;
    unsigned takes; /* kinds of values */
    sky_values_fn *next;
    enum sky_event_field field;
    /* One of these words; NULL: any. */
    const char *(*word)(size_t number);
    size_t words;
    const char *about;
};
/* In the order of what they cost. */
extern const struct sky_member sky_members[];
extern const size_t sky_member_count;

static inline bool sky_member_is_judged(const struct sky_member *member)
{
    return member->form == SKY_FORM_JUDGED || member->form == SKY_FORM_RULE;
}

/* ---- conditions ---- */

enum sky_test {
    SKY_TEST_ONE_OF,  /* one of the values */
    SKY_TEST_MATCHES, /* an expression */
    SKY_TEST_RANGE,
    SKY_TEST_EXISTS, /* these are of payloads only */
    SKY_TEST_SAME,   /* JSON value */
    SKY_TEST_SUBSET,
    SKY_TEST_NOT, /* and these of other conditions */
    SKY_TEST_ANY_OF,
};

struct sky_condition;
/* Conditions that must all hold. */
struct sky_group {
    struct sky_condition *first;
    struct sky_group *next; /* the next alternative */
};

struct sky_condition {
    const struct sky_member *member;
    enum sky_test test;
    bool pointed;          /* at a value in a payload that is JSON, by */
    sky_span pointer;      /* and what it leads through: */
    const sky_span *steps; /* each as a JSON string without its quotes */
    size_t step_count;
    const struct sky_value *values;
    size_t value_count;
    uint64_t words; /* those of the values, a bit for each, where the member has words */
    const struct sky_regex *regex;
    double min, max;
    bool has_min, has_max, exists;
    sky_span json;   /* the value wanted */
    sky_span wanted; /* as it was written, for people: JSON of the value */
    const struct sky_group *groups;
    struct sky_condition *next;
};

struct sky_regex_list {
    struct sky_regex *regex;
    struct sky_regex_list *next;
};

struct sky_pattern {
    struct sky_arena arena;         /* all of it */
    struct sky_regex_list *regexes; /* owned */
    struct sky_group group;
};

/* ---- between the files ---- */

void sky_look_begin(struct sky_look *look, const struct sky_subject *subject);
void sky_look_end(struct sky_look *look);
const char *sky_look_device(struct sky_look *look);

enum sky_answer sky_group_answer(struct sky_look *look, const struct sky_group *group);
enum sky_answer sky_condition_answer(struct sky_look *look, const struct sky_condition *condition);
/* Where the condition's pointer leads; empty: nowhere. The payload must be JSON. */
sky_span sky_payload_at(struct sky_look *look, const struct sky_condition *condition);
/* SKY_YES: the payload is whole, and JSON. */
enum sky_answer sky_payload_is_json(struct sky_look *look);

/* What was wanted: `>= 20`, `matches "a.c"`, `"up"`. */
void sky_condition_wanted(const struct sky_condition *condition, struct sky_buf *out);
void sky_number_put(struct sky_buf *out, double number);
void sky_group_say(const struct sky_group *group, struct sky_buf *out);

/* Is told of each place where `found` (empty: there is nothing) is not the `wanted` subset. */
typedef void sky_leaf_fn(void *ctx, sky_span path, sky_span wanted, sky_span found);
/* In how many values the found one has not what is wanted; stops at the first if `told` is NULL. */
size_t sky_subset_differs(sky_span wanted, sky_span found, struct sky_arena *arena,
                          struct sky_buf *path, sky_leaf_fn *told, void *ctx);

#endif
