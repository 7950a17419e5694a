#include "protocol/cloud/shadow.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/envelope.h"

static const char *const section_names[] = {"reported", "desired"};

static const char *const fault_texts[] = {
    [SKY_SHADOW_FINE] = "sound",
    [SKY_SHADOW_SHAPE] = "state needs reported or desired, each an object or null",
    [SKY_SHADOW_ARRAY_NULL] = "an array holds a null",
    [SKY_SHADOW_DEEP] = "the state is nested too deeply",
    [SKY_SHADOW_LARGE] = "the shadow would become too large",
    [SKY_SHADOW_MANY] = "the shadow would have too many attributes",
};

const char *sky_shadow_fault_text(enum sky_shadow_fault fault)
{
    return fault_texts[fault];
}

/* ---- trees ---- */

static cJSON *new_object(void)
{
    cJSON *object = cJSON_CreateObject();
    SKY_ASSERT(object != NULL);
    return object;
}

static void set(cJSON *object, const char *key, cJSON *value)
{
    SKY_ASSERT(value != NULL);
    if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL)
        SKY_ASSERT(cJSON_ReplaceItemInObjectCaseSensitive(object, key, value));
    else
        SKY_ASSERT(cJSON_AddItemToObject(object, key, value));
}

static cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void drop(cJSON *object, const char *key)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

/* A copy without the members that are null. */
static cJSON *copy_without_nulls(const cJSON *value)
{
    const cJSON *child;
    if (!cJSON_IsObject(value))
        return cJSON_Duplicate(value, true);
    cJSON *copy = new_object();
    cJSON_ArrayForEach (child, value)
        if (!cJSON_IsNull(child))
            SKY_ASSERT(cJSON_AddItemToObject(copy, child->string, copy_without_nulls(child)));
    return copy;
}

cJSON *sky_shadow_stamps(const cJSON *value, int64_t now_s)
{
    const cJSON *child;
    if (cJSON_IsNull(value))
        return cJSON_CreateNull();
    cJSON *stamps = new_object();
    if (!cJSON_IsObject(value)) { /* an array too, as it is written whole */
        set(stamps, "timestamp", cJSON_CreateNumber((double)now_s));
        return stamps;
    }
    cJSON_ArrayForEach (child, value)
        SKY_ASSERT(cJSON_AddItemToObject(stamps, child->string, sky_shadow_stamps(child, now_s)));
    return stamps;
}

static void merge_object(cJSON *state, cJSON *metadata, const cJSON *patch, int64_t now_s)
{
    const cJSON *change;
    cJSON_ArrayForEach (change, patch) {
        const char *key = change->string;
        cJSON *old = member(state, key);
        if (cJSON_IsNull(change)) {
            drop(state, key);
            drop(metadata, key);
        } else if (cJSON_IsObject(change) && cJSON_IsObject(old)) {
            merge_object(old, member(metadata, key), change, now_s);
        } else {
            cJSON *copy = copy_without_nulls(change);
            set(metadata, key, sky_shadow_stamps(copy, now_s));
            set(state, key, copy);
        }
    }
}

cJSON *sky_shadow_difference(const cJSON *desired, const cJSON *reported)
{
    cJSON *difference = new_object();
    const cJSON *want;
    cJSON_ArrayForEach (want, desired) {
        const cJSON *have = reported != NULL ? member(reported, want->string) : NULL;
        cJSON *part = NULL;
        if (cJSON_IsObject(want) && cJSON_IsObject(have))
            part = sky_shadow_difference(want, have);
        else if (!cJSON_Compare(want, have, true))
            part = cJSON_Duplicate(want, true);
        if (part != NULL)
            set(difference, want->string, part);
    }
    if (difference->child != NULL)
        return difference;
    cJSON_Delete(difference);
    return NULL;
}

cJSON *sky_shadow_changed(const struct sky_shadow *shadow, const cJSON *desired)
{
    if (!cJSON_IsObject(desired))
        return NULL;
    cJSON *wanted = copy_without_nulls(desired);
    cJSON *changed = sky_shadow_difference(wanted, member(shadow->state, "reported"));
    cJSON_Delete(wanted);
    return changed;
}

/* The part of `metadata` that stands for `part` of the state. */
static cJSON *metadata_of(const cJSON *part, const cJSON *metadata)
{
    const cJSON *child;
    if (!cJSON_IsObject(part))
        return cJSON_Duplicate(metadata, true);
    cJSON *found = new_object();
    cJSON_ArrayForEach (child, part)
        set(found, child->string, metadata_of(child, member(metadata, child->string)));
    return found;
}

/* ---- loading and storing ---- */

/* Does every object of the state have its counterpart in the metadata? */
static bool mirrors(const cJSON *metadata, const cJSON *state)
{
    const cJSON *child;
    if (!cJSON_IsObject(metadata))
        return false;
    cJSON_ArrayForEach (child, state)
        if (cJSON_IsObject(state) && !mirrors(member(metadata, child->string), child))
            return false;
    return true;
}

/* The stored text is our own; whoever changed it by hand so that it is not a shadow any more gets
 * an empty one. */
static bool is_shadow(const cJSON *tree)
{
    const cJSON *section, *state = sky_json_get(tree, "state");
    cJSON_ArrayForEach (section, state)
        if (!cJSON_IsObject(section))
            return false;
    return cJSON_IsObject(state) && mirrors(sky_json_get(tree, "metadata"), state);
}

void sky_shadow_load(struct sky_shadow *ret_shadow, const struct sky_facts *facts)
{
    cJSON *tree = NULL;
    *ret_shadow = (struct sky_shadow){.version = facts->document_version};
    if (facts->document.len > 0 &&
        sky_json_parse(facts->document, SKY_JSON_DEPTH_MAX, &tree, NULL) == SKY_OK &&
        is_shadow(tree)) {
        const cJSON *timestamp = sky_json_get(tree, "timestamp");
        ret_shadow->timestamp_s = cJSON_IsNumber(timestamp) ? (int64_t)timestamp->valuedouble : 0;
        ret_shadow->state = cJSON_DetachItemFromObjectCaseSensitive(tree, "state");
        ret_shadow->metadata = cJSON_DetachItemFromObjectCaseSensitive(tree, "metadata");
    } else {
        ret_shadow->state = new_object();
        ret_shadow->metadata = new_object();
    }
    cJSON_Delete(tree);
}

void sky_shadow_done(struct sky_shadow *shadow)
{
    cJSON_Delete(shadow->state);
    cJSON_Delete(shadow->metadata);
}

sky_span sky_shadow_text(const struct sky_shadow *shadow, struct sky_arena *arena)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_key(&jw, "state");
    sky_jw_tree(&jw, shadow->state);
    sky_jw_key(&jw, "metadata");
    sky_jw_tree(&jw, shadow->metadata);
    sky_jw_put_int(&jw, "timestamp", shadow->timestamp_s);
    sky_jw_end_object(&jw);
    return sky_envelope_keep(arena, &out);
}

void sky_shadow_write_tree(struct sky_jw *jw, const char *key, const cJSON *tree,
                           const cJSON *delta)
{
    sky_jw_key(jw, key);
    sky_jw_object(jw);
    for (size_t i = 0; i < SKY_COUNT(section_names); i++) {
        const cJSON *section = member(tree, section_names[i]);
        if (section == NULL)
            continue;
        sky_jw_key(jw, section_names[i]);
        sky_jw_tree(jw, section);
    }
    if (delta != NULL) {
        sky_jw_key(jw, "delta");
        sky_jw_tree(jw, delta);
    }
    sky_jw_end_object(jw);
}

void sky_shadow_write(struct sky_jw *jw, const struct sky_shadow *shadow)
{
    const cJSON *desired = member(shadow->state, "desired");
    cJSON *delta = sky_shadow_difference(desired, member(shadow->state, "reported"));
    cJSON *stamps = delta != NULL ? metadata_of(delta, member(shadow->metadata, "desired")) : NULL;
    sky_jw_object(jw);
    sky_shadow_write_tree(jw, "state", shadow->state, delta);
    sky_shadow_write_tree(jw, "metadata", shadow->metadata, stamps);
    sky_jw_put_int(jw, "version", shadow->version);
    if (shadow->timestamp_s != 0)
        sky_jw_put_int(jw, "timestamp", shadow->timestamp_s);
    sky_jw_end_object(jw);
    cJSON_Delete(delta);
    cJSON_Delete(stamps);
}

sky_span sky_shadow_show(const struct sky_facts *facts, struct sky_arena *arena)
{
    struct sky_shadow shadow;
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_shadow_load(&shadow, facts);
    sky_shadow_write(&jw, &shadow);
    sky_shadow_done(&shadow);
    return sky_envelope_keep(arena, &out);
}

/* ---- checks ---- */

static bool has_null_in_array(const cJSON *value, bool inside)
{
    const cJSON *child;
    if (inside && cJSON_IsNull(value))
        return true;
    cJSON_ArrayForEach (child, value)
        if (has_null_in_array(child, inside || cJSON_IsArray(value)))
            return true;
    return false;
}

static size_t count_attributes(const cJSON *value)
{
    size_t count = 0;
    const cJSON *child;
    if (!cJSON_IsObject(value))
        return 1;
    cJSON_ArrayForEach (child, value)
        count += count_attributes(child);
    return count;
}

static enum sky_shadow_fault check_section(const cJSON *section,
                                           const struct sky_shadow_limits *limits)
{
    if (section == NULL || cJSON_IsNull(section))
        return SKY_SHADOW_FINE;
    if (!cJSON_IsObject(section))
        return SKY_SHADOW_SHAPE;
    if (has_null_in_array(section, false))
        return SKY_SHADOW_ARRAY_NULL;
    return sky_json_depth(section) > limits->depth_max ? SKY_SHADOW_DEEP : SKY_SHADOW_FINE;
}

enum sky_shadow_fault sky_shadow_check(const cJSON *state, const struct sky_shadow_limits *limits)
{
    const cJSON *reported = sky_json_get(state, "reported");
    const cJSON *desired = sky_json_get(state, "desired");
    if (reported == NULL && desired == NULL)
        return SKY_SHADOW_SHAPE;
    enum sky_shadow_fault fault = check_section(reported, limits);
    return fault != SKY_SHADOW_FINE ? fault : check_section(desired, limits);
}

enum sky_shadow_fault sky_shadow_measure(const struct sky_shadow *shadow,
                                         const struct sky_shadow_limits *limits)
{
    struct sky_buf out;
    sky_buf_init(&out, limits->bytes_max);
    bool fits = sky_json_print(&out, shadow->state);
    sky_buf_done(&out);
    if (!fits)
        return SKY_SHADOW_LARGE;
    bool many =
        limits->attributes_max > 0 && count_attributes(shadow->state) > limits->attributes_max;
    return many ? SKY_SHADOW_MANY : SKY_SHADOW_FINE;
}

/* ---- changing ---- */

static void merge_section(struct sky_shadow *shadow, const char *name, const cJSON *patch,
                          bool overwrite, int64_t now_s)
{
    if (overwrite || cJSON_IsNull(patch)) {
        drop(shadow->state, name);
        drop(shadow->metadata, name);
    }
    if (!cJSON_IsObject(patch))
        return;
    if (member(shadow->state, name) == NULL) {
        set(shadow->state, name, new_object());
        set(shadow->metadata, name, new_object());
    }
    merge_object(member(shadow->state, name), member(shadow->metadata, name), patch, now_s);
    if (member(shadow->state, name)->child == NULL) {
        drop(shadow->state, name);
        drop(shadow->metadata, name);
    }
}

void sky_shadow_merge(struct sky_shadow *shadow, const cJSON *state, bool overwrite, int64_t now_s)
{
    for (size_t i = 0; i < SKY_COUNT(section_names); i++) {
        const cJSON *patch = sky_json_get(state, section_names[i]);
        if (patch != NULL)
            merge_section(shadow, section_names[i], patch, overwrite, now_s);
    }
    shadow->timestamp_s = now_s;
}

static sky_err fault_error(enum sky_shadow_fault fault, const char *pointer, struct sky_why *why)
{
    bool size = fault == SKY_SHADOW_LARGE || fault == SKY_SHADOW_MANY || fault == SKY_SHADOW_DEEP;
    return sky_why_set(why, size ? SKY_ERR_LIMIT : SKY_ERR_INVALID, pointer, "%s",
                       sky_shadow_fault_text(fault));
}

static sky_err apply_desire(struct sky_shadow *shadow, const cJSON *patch,
                            const struct sky_shadow_limits *limits, int64_t now_s,
                            struct sky_why *why)
{
    const cJSON *version = sky_json_get(patch, "version");
    if (!cJSON_IsObject(patch) || sky_json_get(patch, "desired") == NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "/desired",
                           "give what is desired: {\"desired\":{...}} or {\"desired\":null}");
    if (sky_json_get(patch, "reported") != NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "/reported",
                           "only the device writes what it reports");
    if (version != NULL && !cJSON_IsNumber(version))
        return sky_why_set(why, SKY_ERR_INVALID, "/version", "the version is a number");
    if (version != NULL && version->valuedouble != (double)shadow->version)
        return sky_why_set(why, SKY_ERR_CONFLICT, "/version", "the shadow has version %lld now",
                           (long long)shadow->version);
    enum sky_shadow_fault fault = sky_shadow_check(patch, limits);
    if (fault == SKY_SHADOW_FINE) {
        sky_shadow_merge(shadow, patch, false, now_s);
        shadow->version++;
        fault = sky_shadow_measure(shadow, limits);
    }
    return fault == SKY_SHADOW_FINE ? SKY_OK : fault_error(fault, "/desired", why);
}

sky_err sky_shadow_desire(struct sky_shadow *shadow, sky_span patch,
                          const struct sky_shadow_limits *limits, int64_t now_s, cJSON **ret_patch,
                          struct sky_why *why)
{
    cJSON *tree = NULL;
    sky_err err = sky_json_parse(patch, SKY_ENVELOPE_DEPTH_MAX, &tree, why);
    if (err == SKY_OK)
        err = apply_desire(shadow, tree, limits, now_s, why);
    if (err == SKY_OK)
        *ret_patch = tree;
    else
        cJSON_Delete(tree);
    return err;
}

static sky_err check_fixture(const cJSON *fixture, const struct sky_shadow_limits *limits,
                             struct sky_why *why)
{
    const cJSON *section;
    if (!cJSON_IsObject(fixture))
        return sky_why_set(why, SKY_ERR_INVALID, "", "the shadow is not an object");
    cJSON_ArrayForEach (section, fixture)
        if (strcmp(section->string, "reported") != 0 && strcmp(section->string, "desired") != 0)
            return sky_why_set(why, SKY_ERR_INVALID, "",
                               "the shadow has reported and desired, not '%.40s'", section->string);
    enum sky_shadow_fault fault =
        fixture->child == NULL ? SKY_SHADOW_FINE : sky_shadow_check(fixture, limits);
    return fault == SKY_SHADOW_FINE ? SKY_OK : fault_error(fault, "", why);
}

sky_err sky_shadow_seed(sky_span fixture, const struct sky_shadow_limits *limits, int64_t now_ms,
                        struct sky_arena *arena, sky_span *ret_document, int64_t *ret_version,
                        struct sky_why *why)
{
    cJSON *tree = NULL;
    struct sky_shadow shadow;
    sky_shadow_load(&shadow, &(struct sky_facts){0});
    sky_err err = sky_json_parse(fixture, SKY_ENVELOPE_DEPTH_MAX, &tree, why);
    if (err == SKY_OK)
        err = check_fixture(tree, limits, why);
    if (err == SKY_OK) {
        sky_shadow_merge(&shadow, tree, false, now_ms / 1000);
        enum sky_shadow_fault fault = sky_shadow_measure(&shadow, limits);
        err = fault == SKY_SHADOW_FINE ? SKY_OK : fault_error(fault, "", why);
    }
    if (err == SKY_OK) {
        bool empty = shadow.state->child == NULL;
        shadow.timestamp_s = empty ? 0 : shadow.timestamp_s;
        *ret_document = sky_shadow_text(&shadow, arena);
        *ret_version = empty ? 0 : 1;
    }
    sky_shadow_done(&shadow);
    cJSON_Delete(tree);
    return err;
}
