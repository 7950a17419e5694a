/* From a vendor's text to the tables that messages are checked with. The text has been checked as
 * JSON, so all that is looked at here are its values; each is looked at a bounded number of times,
 * whatever the text holds. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/model_form.h"

enum { JSON_DEPTH_MAX = 24, REASON_MAX = 200, SHOWN_MAX = 48 };

struct sky_model_build {
    struct sky_model *model;
    const struct sky_cloud_model *form;
    sky_span wrapped; /* the string whose JSON is being read, where that is not in the text */
    size_t types;
    bool failed;
    struct sky_model_whys *whys;
};

/* ---- faults ---- */

static bool is_within(sky_span text, sky_span part)
{
    return part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len;
}

static void fail(struct sky_model_build *build, sky_span at, const char *fmt, ...) SKY_PRINTF(3, 4);

static void fail(struct sky_model_build *build, sky_span at, const char *fmt, ...)
{
    struct sky_model_whys *whys = build->whys;
    char reason[REASON_MAX], pointer[SKY_WHY_POINTER_MAX];
    build->failed = true;
    if (whys->count == SKY_MODEL_WHYS_MAX) {
        whys->lost++;
        return;
    }
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    bool wrapped = !is_within(build->model->text, at);
    sky_json_pointer(build->model->text, wrapped ? build->wrapped : at, pointer, sizeof pointer);
    (void)sky_why_set(&whys->list[whys->count++], SKY_ERR_INVALID, pointer, "%s%s",
                      wrapped ? "the text in it: " : "", reason);
}

static sky_span shown(sky_span text)
{
    return sky_span_head(text, SHOWN_MAX);
}

sky_span sky_model_unwrap(struct sky_model_build *build, sky_span string)
{
    struct sky_why why = {0};
    sky_span plain = sky_json_string(&build->model->arena, string);
    if (is_within(build->model->text, string))
        build->wrapped = string;
    if (sky_json_check(plain, JSON_DEPTH_MAX, &why) == SKY_OK)
        return sky_json_compact(&build->model->arena, sky_span_trim(plain));
    fail(build, string, "%s", why.reason);
    return SKY_SPAN_NONE;
}

/* ---- values of specs ---- */

static sky_span get(sky_span object, const char *key)
{
    return key != NULL && sky_json_is_object(object) ? sky_json_member(object, key) : SKY_SPAN_NONE;
}

/* A number, also as a string: exports have them as strings. An empty string is none. */
static double read_bound(struct sky_model_build *build, sky_span specs, const char *key,
                         double otherwise)
{
    static const char digits[] = "0123456789+-.eE";
    char text[SKY_JSON_NUMBER_MAX + 1], *end;
    sky_span value = get(specs, key), plain = sky_json_text(value);
    if (plain.len == 0 || sky_json_is_null(value))
        return otherwise;
    bool whole = sky_span_copy(plain, text, sizeof text) && strspn(text, digits) == plain.len;
    double bound = whole ? strtod(text, &end) : 0;
    if (whole && *end == '\0' && isfinite(bound))
        return bound;
    fail(build, value, "%s is no number", key);
    return otherwise;
}

typedef void read_specs(struct sky_model_build *build, sky_span at, sky_span specs, int depth,
                        struct sky_model_type *type);

static void read_range(struct sky_model_build *build, sky_span at, sky_span specs, int depth,
                       struct sky_model_type *type)
{
    const struct sky_model_keys *keys = &build->form->keys;
    const struct sky_model_kind_row *row = type->row;
    (void)depth;
    type->min = read_bound(build, specs, keys->min, row->min);
    type->max = read_bound(build, specs, keys->max, row->max);
    if (type->min > type->max)
        fail(build, at, "%s is greater than %s", keys->min, keys->max);
    else if (type->min < row->min || type->max > row->max)
        fail(build, at, "%s or %s is beyond what %s can hold", keys->min, keys->max, row->name);
    else if (row->kind == SKY_MODEL_INT &&
             (floor(type->min) != type->min || floor(type->max) != type->max))
        fail(build, at, "%s and %s of %s are whole numbers", keys->min, keys->max, row->name);
}

/* Lengths and sizes, which are counts. */
static void read_counts(struct sky_model_build *build, sky_span at, sky_span specs,
                        const char *min_key, const char *max_key, struct sky_model_type *type)
{
    type->min = read_bound(build, specs, min_key, type->row->min);
    type->max = read_bound(build, specs, max_key, type->row->max);
    if (type->min < 0 || type->max < 0 || floor(type->min) != type->min ||
        floor(type->max) != type->max)
        fail(build, at, "a length or size is a whole number of 0 and above");
    else if (type->max != 0 && type->min > type->max)
        fail(build, at, "its greatest length is less than its least");
}

static void read_length(struct sky_model_build *build, sky_span at, sky_span specs, int depth,
                        struct sky_model_type *type)
{
    const struct sky_model_keys *keys = &build->form->keys;
    (void)depth;
    read_counts(build, at, specs, keys->length_min, keys->length_max, type);
}

static void read_mapping(struct sky_model_build *build, sky_span at, sky_span specs, int depth,
                         struct sky_model_type *type)
{
    const char *key = build->form->keys.mapping;
    sky_span mapping = key != NULL ? get(specs, key) : specs;
    (void)depth;
    if (type->row->kind == SKY_MODEL_BOOL && !(type->row->forms & SKY_MODEL_WITH_MAPPING))
        return;
    sky_span rest = sky_json_is_object(mapping) ? sky_json_inside(mapping) : SKY_SPAN_NONE;
    struct sky_json_member member;
    size_t count = 0;
    while (sky_json_next_member(&rest, &member)) {
        bool number = sky_json_is_number(member.key) && member.key.len <= SKY_JSON_NUMBER_MAX &&
                      strspn(member.key.ptr, "-0123456789") >= member.key.len;
        count++;
        if (!(type->forms & SKY_MODEL_AS_TEXT) && !number)
            fail(build, member.value, "%s has whole numbers for keys", type->row->name);
    }
    if (count == 0)
        fail(build, at, "%s needs its values: %s is missing or empty", type->row->name,
             key != NULL ? key : "the object of them");
    if (count > SKY_MODEL_CHOICES_MAX)
        fail(build, mapping, "more than %d values", SKY_MODEL_CHOICES_MAX);
    if (count == 0 || count > SKY_MODEL_CHOICES_MAX || type->row->kind == SKY_MODEL_BOOL)
        return;
    const struct sky_json_index index = sky_json_index(mapping, &build->model->arena);
    sky_span *choices = sky_arena_take(&build->model->arena, count * sizeof *choices);
    for (size_t i = 0; i < count; i++)
        choices[i] = index.members[i].key;
    type->choices = choices;
    type->choice_count = count;
}

static bool read_type(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                      int depth, struct sky_model_type *ret_type);
static struct sky_model_set read_set(struct sky_model_build *build, sky_span list,
                                     enum sky_model_place place, const char *const *own, int depth);

static void read_members(struct sky_model_build *build, sky_span at, sky_span specs, int depth,
                         struct sky_model_type *type)
{
    const char *key = build->form->keys.members;
    sky_span members = key != NULL ? get(specs, key) : specs;
    if (!sky_json_is_array(members) && !sky_json_is_object(members))
        fail(build, at, "%s needs its members", type->row->name);
    else
        type->members = read_set(build, members, SKY_MODEL_OF_MEMBER, NULL, depth + 1);
}

static void read_element(struct sky_model_build *build, sky_span at, sky_span specs, int depth,
                         struct sky_model_type *type)
{
    const struct sky_model_keys *keys = &build->form->keys;
    sky_span item = keys->element != NULL ? get(specs, keys->element) : specs;
    read_counts(build, at, specs, NULL, keys->size, type);
    if (item.len == 0) {
        fail(build, at, "%s needs the type of its elements", type->row->name);
        return;
    }
    struct sky_model_type *element = sky_arena_take(&build->model->arena, sizeof *element);
    if (read_type(build, item, SKY_MODEL_OF_ELEMENT, depth + 1, element))
        type->element = element;
}

static read_specs *const readers[SKY_MODEL_KINDS] = {
    [SKY_MODEL_INT] = read_range,      [SKY_MODEL_FLOAT] = read_range,
    [SKY_MODEL_DOUBLE] = read_range,   [SKY_MODEL_BOOL] = read_mapping,
    [SKY_MODEL_CHOICE] = read_mapping, [SKY_MODEL_TEXT] = read_length,
    [SKY_MODEL_STRUCT] = read_members, [SKY_MODEL_ARRAY] = read_element,
};

/* ---- types ---- */

static const struct sky_model_kind_row *find_kind(const struct sky_cloud_model *form, sky_span name)
{
    for (size_t i = 0; i < form->kind_count; i++)
        if (sky_json_reads(name, form->kinds[i].name))
            return &form->kinds[i];
    return NULL;
}

/* False when there is no such type, or no room for it. */
static bool read_type(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                      int depth, struct sky_model_type *ret_type)
{
    struct sky_model_shape shape = {0};
    if (depth > SKY_MODEL_DEPTH_MAX) {
        fail(build, item, "nested deeper than %d", SKY_MODEL_DEPTH_MAX);
        return false;
    }
    if (build->types++ >= SKY_MODEL_TYPES_MAX) {
        if (build->types == SKY_MODEL_TYPES_MAX + 1)
            fail(build, item, "more than %d values, members and elements", SKY_MODEL_TYPES_MAX);
        return false;
    }
    build->form->shape(build, item, place, &shape);
    const struct sky_model_kind_row *row = find_kind(build->form, shape.name);
    if (row == NULL) {
        fail(build, item, shape.name.len > 0 ? "%.*s is no type" : "it has no type%.*s",
             SKY_SPAN_ARGS(shown(shape.name)));
        return false;
    }
    bool quality = build->form->keys.quality != NULL &&
                   sky_span_eq_str(get(item, build->form->keys.quality), "true");
    *ret_type = (struct sky_model_type){.row = row,
                                        .forms = shape.forms != 0 ? shape.forms : row->forms,
                                        .quality = quality,
                                        .min = row->min,
                                        .max = row->max};
    if (quality && !(row->forms & SKY_MODEL_WITH_QUALITY))
        fail(build, item, "%s can have no quality", row->name);
    if (readers[row->kind] != NULL)
        readers[row->kind](build, item, shape.specs, depth, ret_type);
    return true;
}

/* ---- sets ---- */

/* The entries of a list, or of a map from ids to them. */
struct entries {
    sky_span rest;
    bool map;
};

static struct entries entries_of(sky_span list)
{
    return (struct entries){sky_json_inside(list), sky_json_is_object(list)};
}

static bool next_entry(struct entries *entries, const struct sky_cloud_model *form,
                       sky_span *ret_id, sky_span *ret_item)
{
    struct sky_json_member member;
    if (entries->map) {
        if (!sky_json_next_member(&entries->rest, &member))
            return false;
        *ret_id = member.key;
        *ret_item = member.value;
        return true;
    }
    if (!sky_json_next_element(&entries->rest, ret_item))
        return false;
    sky_span id = get(*ret_item, form->keys.id);
    *ret_id = sky_json_is_string(id) ? sky_json_text(id) : SKY_SPAN_NONE;
    return true;
}

static bool is_one_of(sky_span id, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        if (sky_json_reads(id, *names))
            return true;
    return false;
}

/* How many; more than there is room for are none, and a fault. */
static size_t count_entries(struct sky_model_build *build, sky_span list)
{
    struct entries entries = entries_of(list);
    sky_span id, item;
    size_t count = 0;
    while (count <= SKY_MODEL_FIELDS_MAX && next_entry(&entries, build->form, &id, &item))
        count++;
    if (count <= SKY_MODEL_FIELDS_MAX)
        return count;
    fail(build, list, "more than %d entries", SKY_MODEL_FIELDS_MAX);
    return 0;
}

static bool id_is_sound(struct sky_model_build *build, sky_span id, sky_span item)
{
    if (sky_json_is_object(item) && id.len > 0 && id.len <= SKY_MODEL_ID_MAX)
        return true;
    if (!sky_json_is_object(item))
        fail(build, item, "it is no object");
    else if (id.len == 0)
        fail(build, item, "it has no %s", build->form->keys.id);
    else
        fail(build, item, "its %s has more than %d bytes", build->form->keys.id, SKY_MODEL_ID_MAX);
    return false;
}

/* Ids that lead a row each; equal ones in the order of the text. */
static int compare_rows(const void *a, const void *b)
{
    const sky_span *first = a, *second = b;
    int order = sky_json_compare(*first, *second);
    return order != 0 ? order : (first->ptr > second->ptr) - (first->ptr < second->ptr);
}

static struct sky_model_set read_set(struct sky_model_build *build, sky_span list,
                                     enum sky_model_place place, const char *const *own, int depth)
{
    const struct sky_model_keys *keys = &build->form->keys;
    size_t count = count_entries(build, list), used = 0;
    if (count == 0)
        return (struct sky_model_set){0};
    struct sky_model_field *fields = sky_arena_take(&build->model->arena, count * sizeof *fields);
    struct entries entries = entries_of(list);
    sky_span id, item;
    while (used < count && next_entry(&entries, build->form, &id, &item)) {
        struct sky_model_field *field = &fields[used];
        sky_span access = get(item, keys->access);
        if (is_one_of(id, own) || !id_is_sound(build, id, item) ||
            !read_type(build, item, place, depth, &field->type))
            continue;
        field->id = id;
        field->required = sky_span_eq_str(get(item, keys->required), "true");
        field->read_only = sky_json_is_string(access) && !sky_span_contains(access, SKY_SPAN("w"));
        used++;
    }
    qsort(fields, used, sizeof *fields, compare_rows);
    for (size_t i = 1; i < used; i++)
        if (sky_json_compare(fields[i - 1].id, fields[i].id) == 0)
            fail(build, fields[i].id, "%.*s is there twice", SKY_SPAN_ARGS(shown(fields[i].id)));
    return (struct sky_model_set){fields, used};
}

/* Parameters of an event or a service; without the list it has none. */
static struct sky_model_set read_parameters(struct sky_model_build *build, sky_span item,
                                            const char *key)
{
    sky_span list = get(item, key);
    if (list.len == 0 || sky_json_is_null(list))
        return (struct sky_model_set){0};
    if (sky_json_is_array(list) || sky_json_is_object(list))
        return read_set(build, list, SKY_MODEL_OF_FIELD, NULL, 1);
    fail(build, list, "%s is no list", key);
    return (struct sky_model_set){0};
}

static void read_acts(struct sky_model_build *build, sky_span list, enum sky_model_group group)
{
    const struct sky_model_group_row *row = &build->form->groups[group];
    size_t count = count_entries(build, list), used = 0;
    if (count == 0)
        return;
    struct sky_model_act *acts = sky_arena_take(&build->model->arena, count * sizeof *acts);
    struct entries entries = entries_of(list);
    sky_span id, item;
    while (used < count && next_entry(&entries, build->form, &id, &item)) {
        if (is_one_of(id, row->own) || !id_is_sound(build, id, item))
            continue;
        acts[used].id = id;
        acts[used].in = read_parameters(build, item, row->in);
        acts[used++].out = read_parameters(build, item, row->out);
    }
    qsort(acts, used, sizeof *acts, compare_rows);
    for (size_t i = 1; i < used; i++)
        if (sky_json_compare(acts[i - 1].id, acts[i].id) == 0)
            fail(build, acts[i].id, "%.*s is there twice", SKY_SPAN_ARGS(shown(acts[i].id)));
    build->model->acts[group].acts = acts;
    build->model->acts[group].count = used;
}

/* ---- the whole ---- */

static void read_groups(struct sky_model_build *build)
{
    const struct sky_cloud_model *form = build->form;
    struct sky_model *model = build->model;
    size_t found = 0;
    for (size_t g = 0; g < SKY_MODEL_GROUPS; g++) {
        sky_span list = get(model->text, form->groups[g].key);
        if (list.len == 0 || sky_json_is_null(list))
            continue;
        found++;
        if (!sky_json_is_array(list) && !sky_json_is_object(list))
            fail(build, list, "%s is no list", form->groups[g].key);
        else if (g <= SKY_MODEL_GROUP_ATTRIBUTES)
            model->sets[g] = read_set(build, list, SKY_MODEL_OF_FIELD, form->groups[g].own, 1);
        else
            read_acts(build, list, (enum sky_model_group)g);
    }
    size_t items =
        model->sets[SKY_MODEL_GROUP_PROPERTIES].count + model->acts[SKY_MODEL_GROUP_EVENTS].count;
    if (found == 0)
        fail(build, model->text, "no model of this cloud: it has no %s",
             form->groups[SKY_MODEL_GROUP_PROPERTIES].key);
    if (form->items_max != 0 && items > form->items_max)
        fail(build, model->text, "%zu properties and events; the cloud takes %zu", items,
             form->items_max);
}

sky_err sky_model_compile(const struct sky_cloud_model *form, sky_span text,
                          struct sky_model **ret_model, struct sky_model_whys *whys)
{
    struct sky_model_whys unseen;
    struct sky_model_build build = {.form = form, .whys = whys != NULL ? whys : &unseen};
    build.whys->count = build.whys->lost = 0;
    struct sky_why *first = &build.whys->list[0];
    sky_err err = SKY_OK;
    if (text.len > SKY_MODEL_TEXT_MAX)
        err = sky_why_set(first, SKY_ERR_LIMIT, "", "the model has more than %d bytes",
                          SKY_MODEL_TEXT_MAX);
    else
        err = sky_json_check(text, JSON_DEPTH_MAX, first);
    if (err != SKY_OK) {
        build.whys->count = 1;
        return err;
    }
    build.model = sky_mem_new(sizeof *build.model);
    build.model->form = form;
    sky_arena_init(&build.model->arena);
    build.model->text = sky_json_compact(&build.model->arena,
                                         sky_arena_copy(&build.model->arena, sky_span_trim(text)));
    if (sky_json_is_object(build.model->text))
        read_groups(&build);
    else
        fail(&build, build.model->text, "a model is an object");
    if (!build.failed) {
        *ret_model = build.model;
        return SKY_OK;
    }
    sky_model_free(build.model);
    return SKY_ERR_INVALID;
}

void sky_model_free(struct sky_model *model)
{
    if (model == NULL)
        return;
    sky_arena_done(&model->arena);
    free(model);
}

sky_span sky_model_text(const struct sky_model *model)
{
    return model->text;
}
