/* Messages held against a compiled model: read in place, without taking memory. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/utf8.h"
#include "protocol/cloud/model_form.h"

enum { SHOWN_MAX = 40, QUALITY_MAX = 9, DATE_LEN = 19 };

/* ---- looking up ---- */

/* An id is the first member of both kinds of row. */
static int compare_ids(const void *name, const void *row)
{
    const sky_span *wanted = name, *id = row;
    return sky_json_compare(*wanted, *id);
}

static const struct sky_model_field *find_field(const struct sky_model_set *set, sky_span name)
{
    return set->count == 0
               ? NULL
               : bsearch(&name, set->fields, set->count, sizeof *set->fields, compare_ids);
}

/* NULL: there is no such event or service. */
static const struct sky_model_set *find_set(const struct sky_model *model, enum sky_model_part part,
                                            sky_span id)
{
    if (part == SKY_MODEL_PROPERTIES || part == SKY_MODEL_ATTRIBUTES)
        return &model->sets[part == SKY_MODEL_PROPERTIES ? SKY_MODEL_GROUP_PROPERTIES
                                                         : SKY_MODEL_GROUP_ATTRIBUTES];
    enum sky_model_group group =
        part == SKY_MODEL_EVENT ? SKY_MODEL_GROUP_EVENTS : SKY_MODEL_GROUP_SERVICES;
    const struct sky_model_act *acts = model->acts[group].acts, *act = NULL;
    if (model->acts[group].count > 0)
        act = bsearch(&id, acts, model->acts[group].count, sizeof *acts, compare_ids);
    return act == NULL ? NULL : part == SKY_MODEL_SERVICE_IN ? &act->in : &act->out;
}

static bool has_choice(const struct sky_model_type *type, sky_span text)
{
    return type->choice_count > 0 && bsearch(&text, type->choices, type->choice_count,
                                             sizeof *type->choices, compare_ids) != NULL;
}

/* ---- values ---- */

/* Notes what is wrong; false. */
static bool wrong(struct sky_model_fault *fault, enum sky_model_fault_kind kind,
                  const struct sky_model_type *type, sky_span value)
{
    fault->kind = kind;
    fault->type = type;
    fault->value = value;
    return false;
}

static unsigned form_of(sky_span value)
{
    return sky_json_is_string(value)   ? SKY_MODEL_AS_TEXT
           : sky_json_is_number(value) ? SKY_MODEL_AS_NUMBER
           : sky_span_eq_str(value, "true") || sky_span_eq_str(value, "false")
               ? SKY_MODEL_AS_LITERAL
               : 0;
}

/* A whole number is one without fraction and exponent: what an SDK prints from an integer. 1.0 and
 * 1e2 are floating-point numbers to the parsers that clouds are written with. */
static bool is_whole(sky_span number)
{
    size_t sign = number.len > 0 && number.ptr[0] == '-';
    for (size_t i = sign; i < number.len; i++)
        if (number.ptr[i] < '0' || number.ptr[i] > '9')
            return false;
    return number.len > sign;
}

static bool check_number(const struct sky_model_type *type, sky_span value,
                         struct sky_model_fault *fault)
{
    sky_span text = sky_json_text(value);
    bool fits = type->row->kind == SKY_MODEL_INT ? is_whole(text) : sky_json_is_number(text);
    if (!fits || (sky_json_is_string(value) && sky_json_check(text, 0, NULL) != SKY_OK))
        return wrong(fault, SKY_MODEL_TYPE, type, value);
    double number = sky_json_number(text);
    return (number >= type->min && number <= type->max) ||
           wrong(fault, SKY_MODEL_RANGE, type, value);
}

static bool check_bool(const struct sky_model_type *type, sky_span value,
                       struct sky_model_fault *fault)
{
    sky_span text = sky_json_text(value);
    if (form_of(value) == SKY_MODEL_AS_LITERAL || sky_span_eq_str(text, "0") ||
        sky_span_eq_str(text, "1"))
        return true;
    return wrong(fault, is_whole(text) ? SKY_MODEL_ENUM : SKY_MODEL_TYPE, type, value);
}

static bool check_choice(const struct sky_model_type *type, sky_span value,
                         struct sky_model_fault *fault)
{
    if (form_of(value) == SKY_MODEL_AS_NUMBER && !is_whole(value))
        return wrong(fault, SKY_MODEL_TYPE, type, value);
    return has_choice(type, sky_json_text(value)) || wrong(fault, SKY_MODEL_ENUM, type, value);
}

static bool check_text(const struct sky_model_type *type, sky_span value,
                       struct sky_model_fault *fault)
{
    const struct sky_json_size size = sky_json_measure(sky_json_text(value));
    double len = (double)(type->forms & SKY_MODEL_IN_CHARACTERS ? size.characters : size.bytes);
    return (len >= type->min && (type->max == 0 || len <= type->max)) ||
           wrong(fault, SKY_MODEL_LENGTH, type, value);
}

static bool check_timestamp(const struct sky_model_type *type, sky_span value,
                            struct sky_model_fault *fault)
{
    int64_t time;
    return sky_span_to_int(sky_json_text(value), &time) ||
           wrong(fault, SKY_MODEL_TYPE, type, value);
}

/* yyyy-MM-dd HH:mm:ss */
static bool check_date(const struct sky_model_type *type, sky_span value,
                       struct sky_model_fault *fault)
{
    static const struct {
        size_t at, len;
        int64_t min, max;
    } parts[] = {{0, 4, 0, 9999}, {5, 2, 1, 12},  {8, 2, 1, 31},
                 {11, 2, 0, 23},  {14, 2, 0, 59}, {17, 2, 0, 59}};
    sky_span text = sky_json_text(value);
    bool fits = text.len == DATE_LEN && text.ptr[4] == '-' && text.ptr[7] == '-' &&
                text.ptr[10] == ' ' && text.ptr[13] == ':' && text.ptr[16] == ':';
    for (size_t i = 0; fits && i < sizeof parts / sizeof *parts; i++) {
        int64_t number;
        fits = sky_span_to_int(sky_span_of(text.ptr + parts[i].at, parts[i].len), &number) &&
               number >= parts[i].min && number <= parts[i].max;
    }
    return fits || wrong(fault, SKY_MODEL_TYPE, type, value);
}

static bool check_type(const struct sky_model_type *type, sky_span value,
                       struct sky_model_fault *fault);

static bool check_struct(const struct sky_model_type *type, sky_span value,
                         struct sky_model_fault *fault)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(value);
    if (!sky_json_is_object(value))
        return wrong(fault, SKY_MODEL_TYPE, type, value);
    while (sky_json_next_member(&rest, &member)) {
        const struct sky_model_field *field = find_field(&type->members, member.key);
        fault->name = member.key;
        if (field == NULL)
            return wrong(fault, SKY_MODEL_UNKNOWN, type, member.value);
        if (!check_type(&field->type, member.value, fault))
            return false;
    }
    return true;
}

static bool check_array(const struct sky_model_type *type, sky_span value,
                        struct sky_model_fault *fault)
{
    sky_span element, rest = sky_json_inside(value);
    double count = 0;
    if (!sky_json_is_array(value))
        return wrong(fault, SKY_MODEL_TYPE, type, value);
    while (sky_json_next_element(&rest, &element)) {
        if (type->max != 0 && ++count > type->max)
            return wrong(fault, SKY_MODEL_SIZE, type, value);
        if (type->element == NULL || check_type(type->element, element, fault))
            continue;
        if (fault->kind == SKY_MODEL_TYPE && fault->value.ptr == element.ptr)
            fault->kind = SKY_MODEL_ELEMENT;
        return false;
    }
    return true;
}

typedef bool check_kind(const struct sky_model_type *type, sky_span value,
                        struct sky_model_fault *fault);

static check_kind *const checks[SKY_MODEL_KINDS] = {
    [SKY_MODEL_INT] = check_number,          [SKY_MODEL_FLOAT] = check_number,
    [SKY_MODEL_DOUBLE] = check_number,       [SKY_MODEL_BOOL] = check_bool,
    [SKY_MODEL_CHOICE] = check_choice,       [SKY_MODEL_TEXT] = check_text,
    [SKY_MODEL_TIMESTAMP] = check_timestamp, [SKY_MODEL_DATE] = check_date,
    [SKY_MODEL_STRUCT] = check_struct,       [SKY_MODEL_ARRAY] = check_array,
};

/* {"value":n,"quality":q} and nothing else. */
static bool check_quality(const struct sky_model_type *type, sky_span value, sky_span *ret_inner,
                          struct sky_model_fault *fault)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(value);
    int64_t quality = -1;
    *ret_inner = SKY_SPAN_NONE;
    if (!sky_json_is_object(value))
        return wrong(fault, SKY_MODEL_QUALITY, type, value);
    while (sky_json_next_member(&rest, &member)) {
        if (sky_json_reads(member.key, "value"))
            *ret_inner = member.value;
        else if (!sky_json_reads(member.key, "quality") ||
                 !sky_span_to_int(member.value, &quality) || quality > QUALITY_MAX)
            return wrong(fault, SKY_MODEL_QUALITY, type, member.value);
    }
    return (ret_inner->len > 0 && quality >= 0) || wrong(fault, SKY_MODEL_QUALITY, type, value);
}

/* False on a fault; a value that is only tolerated leaves FORM behind. */
static bool check_type(const struct sky_model_type *type, sky_span value,
                       struct sky_model_fault *fault)
{
    enum sky_model_kind kind = type->row->kind;
    unsigned form = form_of(value);
    if (kind != SKY_MODEL_STRUCT && kind != SKY_MODEL_ARRAY && !(form & type->forms)) {
        if (!(form & type->row->tolerated))
            return wrong(fault, SKY_MODEL_TYPE, type, value);
        if (fault->kind == SKY_MODEL_FINE)
            (void)wrong(fault, SKY_MODEL_FORM, type, value);
    }
    return checks[kind](type, value, fault);
}

static void find_code(const struct sky_cloud_model *form, struct sky_model_fault *fault)
{
    enum sky_model_kind kind = fault->type != NULL ? fault->type->row->kind : SKY_MODEL_ANY;
    if (fault->kind <= SKY_MODEL_FORM)
        return;
    fault->code = form->code;
    for (size_t i = 0; i < form->code_count; i++) {
        const struct sky_model_code *row = &form->codes[i];
        if (row->fault == fault->kind && (row->kind == SKY_MODEL_ANY || row->kind == kind)) {
            fault->code = row->code;
            return;
        }
    }
}

static void check_named(const struct sky_model_set *set, const struct sky_model_field *field,
                        sky_span name, sky_span value, unsigned flags,
                        struct sky_model_fault *ret_fault)
{
    *ret_fault = (struct sky_model_fault){.name = name, .value = value};
    sky_span inner = value;
    if (set == NULL)
        (void)wrong(ret_fault, SKY_MODEL_NO_ITEM, NULL, value);
    else if (field == NULL)
        (void)wrong(ret_fault, SKY_MODEL_UNKNOWN, NULL, value);
    else if (field->read_only && flags & SKY_MODEL_WRITE)
        (void)wrong(ret_fault, SKY_MODEL_ACCESS, &field->type, value);
    else if (!field->type.quality || check_quality(&field->type, value, &inner, ret_fault))
        (void)check_type(&field->type, inner, ret_fault);
}

/* ---- what is asked from outside ---- */

enum sky_model_fault_kind sky_model_check_value(const struct sky_model *model,
                                                enum sky_model_part part, sky_span id,
                                                sky_span name, sky_span value, unsigned flags,
                                                struct sky_model_fault *ret_fault)
{
    const struct sky_model_set *set = find_set(model, part, id);
    check_named(set, set != NULL ? find_field(set, name) : NULL, set != NULL ? name : id, value,
                flags, ret_fault);
    find_code(model->form, ret_fault);
    return ret_fault->kind;
}

/* Which fields of a set were seen. */
struct seen {
    uint64_t bits[SKY_MODEL_FIELDS_MAX / 64];
};

size_t sky_model_check(const struct sky_model *model, enum sky_model_part part, sky_span id,
                       sky_span object, unsigned flags,
                       void (*on_fault)(void *ctx, const struct sky_model_fault *fault), void *ctx)
{
    const struct sky_model_set *set = find_set(model, part, id);
    struct sky_model_fault fault = {.name = id, .value = object};
    struct sky_json_member member;
    struct seen seen = {0};
    size_t faults = 0;
    if (set == NULL || !sky_json_is_object(object)) {
        fault.kind = set == NULL ? SKY_MODEL_NO_ITEM : SKY_MODEL_NOT_OBJECT;
        find_code(model->form, &fault);
        on_fault(ctx, &fault);
        return 1;
    }
    for (sky_span rest = sky_json_inside(object); sky_json_next_member(&rest, &member);) {
        const struct sky_model_field *field = find_field(set, member.key);
        size_t at = field != NULL ? (size_t)(field - set->fields) : 0;
        if (field != NULL)
            seen.bits[at / 64] |= UINT64_C(1) << at % 64;
        check_named(set, field, member.key, member.value, flags, &fault);
        if (fault.kind == SKY_MODEL_FINE)
            continue;
        faults++;
        find_code(model->form, &fault);
        on_fault(ctx, &fault);
    }
    if (!(flags & (SKY_MODEL_REQUIRED | SKY_MODEL_COMPLETE)))
        return faults;
    for (size_t i = 0; i < set->count; i++) {
        const struct sky_model_field *field = &set->fields[i];
        if (seen.bits[i / 64] >> i % 64 & 1 || !(flags & SKY_MODEL_COMPLETE || field->required))
            continue;
        faults++;
        fault = (struct sky_model_fault){
            .kind = SKY_MODEL_MISSING, .name = field->id, .value = object, .type = &field->type};
        find_code(model->form, &fault);
        on_fault(ctx, &fault);
    }
    return faults;
}

/* ---- words ---- */

/* Cut between characters. */
static sky_span shown(sky_span text)
{
    sky_span head = sky_span_head(text, SHOWN_MAX);
    return sky_span_head(head, sky_utf8_valid(head));
}

void sky_model_say(const struct sky_model_fault *fault, char *out, size_t out_size)
{
    const struct sky_model_type *type = fault->type;
    const char *kind = type != NULL ? type->row->name : "";
    double min = type != NULL ? type->min : 0, max = type != NULL ? type->max : 0;
    sky_span name = shown(fault->name), value = shown(fault->value);
    struct sky_json_size size;
    switch (fault->kind) {
    case SKY_MODEL_FINE:
        (void)sky_span_copy(SKY_SPAN("it fits the model"), out, out_size);
        return;
    case SKY_MODEL_FORM:
        snprintf(out, out_size, "%.*s is taken, but %s is documented in another form",
                 SKY_SPAN_ARGS(value), kind);
        return;
    case SKY_MODEL_NO_ITEM:
        snprintf(out, out_size, "the model has no event or service %.*s", SKY_SPAN_ARGS(name));
        return;
    case SKY_MODEL_NOT_OBJECT:
        snprintf(out, out_size, "%.*s is no object", SKY_SPAN_ARGS(value));
        return;
    case SKY_MODEL_UNKNOWN:
        snprintf(out, out_size, "the model has no %.*s%s", SKY_SPAN_ARGS(name),
                 type != NULL ? " in this struct" : "");
        return;
    case SKY_MODEL_TYPE:
    case SKY_MODEL_ELEMENT:
        snprintf(out, out_size, "%.*s is no %s", SKY_SPAN_ARGS(value), kind);
        return;
    case SKY_MODEL_RANGE:
        snprintf(out, out_size, "%.*s is not within %.10g to %.10g", SKY_SPAN_ARGS(value), min,
                 max);
        return;
    case SKY_MODEL_LENGTH:
        SKY_ASSERT(type != NULL);
        size = sky_json_measure(sky_json_text(fault->value));
        snprintf(out, out_size, "a text of %zu %s where the model has %.10g to %.10g",
                 type->forms & SKY_MODEL_IN_CHARACTERS ? size.characters : size.bytes,
                 type->forms & SKY_MODEL_IN_CHARACTERS ? "characters" : "bytes", min, max);
        return;
    case SKY_MODEL_ENUM:
        snprintf(out, out_size, "%.*s is none of the values of this %s", SKY_SPAN_ARGS(value),
                 kind);
        return;
    case SKY_MODEL_SIZE:
        snprintf(out, out_size, "more than %.10g elements", max);
        return;
    case SKY_MODEL_QUALITY:
        snprintf(out, out_size, "%.*s where the model has {\"value\":%s,\"quality\":0 to %d}",
                 SKY_SPAN_ARGS(value), kind, QUALITY_MAX);
        return;
    case SKY_MODEL_MISSING:
        snprintf(out, out_size, "%.*s is missing", SKY_SPAN_ARGS(name));
        return;
    case SKY_MODEL_ACCESS:
        snprintf(out, out_size, "%.*s is read-only", SKY_SPAN_ARGS(name));
        return;
    }
}

/* ---- sending ---- */

static void take_first(void *ctx, const struct sky_model_fault *fault)
{
    struct sky_model_fault *first = ctx;
    if (first->kind == SKY_MODEL_FINE && fault->kind != SKY_MODEL_FORM &&
        fault->kind != SKY_MODEL_QUALITY)
        *first = *fault;
}

bool sky_model_sends(const struct sky_model *model, enum sky_model_part part, sky_span id,
                     sky_span params, unsigned flags, struct sky_why *why)
{
    struct sky_model_fault first = {.kind = SKY_MODEL_FINE};
    char pointer[SKY_WHY_POINTER_MAX] = "", sentence[SKY_MODEL_SENTENCE_MAX];
    if (model != NULL)
        (void)sky_model_check(model, part, id, params, flags, take_first, &first);
    if (first.kind == SKY_MODEL_FINE)
        return true;
    if (first.kind != SKY_MODEL_NO_ITEM)
        sky_json_pointer(params, first.value, pointer, sizeof pointer);
    sky_model_say(&first, sentence, sizeof sentence);
    (void)sky_why_set(why, SKY_ERR_INVALID, first.kind == SKY_MODEL_NO_ITEM ? "/name" : "/params",
                      "the product's model does not take this (code %d): %s%s%s", first.code,
                      pointer, pointer[0] != '\0' ? ": " : "", sentence);
    return false;
}

/* ---- judging ---- */

/* With the rule off, the model is not looked at. */
static bool is_asked(const struct sky_model_ask *ask)
{
    return ask->model != NULL &&
           sky_policy_action(ask->judge->policy, ask->model->form->rule) != SKY_OFF;
}

static void keep(const struct sky_model_ask *ask)
{
    const struct sky_cloud_model *form = ask->model->form;
    sky_judge_kept(ask->judge, form->rule);
    if (form->form_rule != NULL)
        sky_judge_kept(ask->judge, form->form_rule);
}

/* True when the fault is one to refuse for. */
static bool refuse(const struct sky_model_ask *ask, const struct sky_model_fault *fault)
{
    const struct sky_cloud_model *form = ask->model->form;
    bool tolerated = fault->kind == SKY_MODEL_FORM;
    char pointer[SKY_WHY_POINTER_MAX] = "", sentence[SKY_MODEL_SENTENCE_MAX] = "";
    if (ask->judge->count < SKY_FINDINGS_MAX) { /* of those beyond, nothing is kept */
        sky_json_pointer(ask->message, fault->value, pointer, sizeof pointer);
        sky_model_say(fault, sentence, sizeof sentence);
    }
    (void)sky_judge_broken(ask->judge, tolerated ? form->form_rule : form->rule, "%s: %s",
                           pointer[0] != '\0' ? pointer : "the message", sentence);
    return !tolerated;
}

bool sky_model_takes_value(const struct sky_model_ask *ask, enum sky_model_part part, sky_span id,
                           sky_span name, sky_span value, struct sky_model_fault *ret_fault)
{
    struct sky_model_fault fault = {0};
    bool refused = false;
    if (is_asked(ask)) {
        keep(ask);
        refused =
            sky_model_check_value(ask->model, part, id, name, value, 0, &fault) != SKY_MODEL_FINE &&
            refuse(ask, &fault);
    }
    if (ret_fault != NULL)
        *ret_fault = fault;
    return !refused;
}

struct taking {
    const struct sky_model_ask *ask;
    bool refused;
    struct sky_model_fault first;
};

static void note_fault(void *ctx, const struct sky_model_fault *fault)
{
    struct taking *taking = ctx;
    if (refuse(taking->ask, fault) && !taking->refused) {
        taking->refused = true;
        taking->first = *fault;
    }
}

bool sky_model_takes(const struct sky_model_ask *ask, enum sky_model_part part, sky_span id,
                     sky_span object, unsigned flags, struct sky_model_fault *ret_fault)
{
    struct taking taking = {.ask = ask};
    if (is_asked(ask)) {
        keep(ask);
        (void)sky_model_check(ask->model, part, id, object, flags, note_fault, &taking);
    }
    if (ret_fault != NULL)
        *ret_fault = taking.first;
    return !taking.refused;
}
