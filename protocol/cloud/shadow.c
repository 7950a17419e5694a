#include "protocol/cloud/shadow.h"

#include <stdio.h>

#include "protocol/base/json_view.h"
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

const char *sky_shadow_fault_text(enum sky_shadow_fault fault,
                                  const struct sky_shadow_limits *limits,
                                  char out[SKY_SHADOW_FAULT_TEXT])
{
    size_t most;
    const char *unit;
    if (fault == SKY_SHADOW_DEEP)
        most = (size_t)limits->depth_max, unit = "levels";
    else if (fault == SKY_SHADOW_LARGE)
        most = limits->bytes_max, unit = "bytes of JSON";
    else if (fault == SKY_SHADOW_MANY)
        most = limits->attributes_max, unit = "values";
    else
        return fault_texts[fault];
    snprintf(out, SKY_SHADOW_FAULT_TEXT, "%s: at most %zu %s", fault_texts[fault], most, unit);
    return out;
}

static struct sky_shadow_tree sections_of(sky_span object)
{
    struct sky_shadow_tree tree;
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++)
        tree.sections[i] = sky_json_member(object, section_names[i]);
    return tree;
}

/* ---- writing ---- */

static void put_key(struct sky_buf *out, sky_span key)
{
    if (out->len > 0 && out->bytes[out->len - 1] != '{')
        sky_buf_add_byte(out, ',');
    sky_buf_add_byte(out, '"');
    sky_buf_add(out, key);
    sky_buf_add_str(out, "\":");
}

static void write_without_nulls(struct sky_buf *out, sky_span value)
{
    struct sky_json_member child;
    sky_span rest = sky_json_inside(value);
    if (!sky_json_is_object(value)) {
        sky_buf_add(out, value);
        return;
    }
    sky_buf_add_byte(out, '{');
    while (!out->overflow && sky_json_next_member(&rest, &child)) {
        if (sky_json_is_null(child.value))
            continue;
        put_key(out, child.key);
        write_without_nulls(out, child.value);
    }
    sky_buf_add_byte(out, '}');
}

void sky_shadow_write_stamps(struct sky_buf *out, sky_span value, int64_t now_s)
{
    struct sky_json_member child;
    sky_span rest = sky_json_inside(value);
    if (sky_json_is_null(value)) {
        sky_buf_add(out, value);
    } else if (sky_json_is_object(value)) {
        sky_buf_add_byte(out, '{');
        while (sky_json_next_member(&rest, &child)) {
            put_key(out, child.key);
            sky_shadow_write_stamps(out, child.value, now_s);
        }
        sky_buf_add_byte(out, '}');
    } else { /* an array too, as it is written whole */
        sky_buf_addf(out, "{\"timestamp\":%lld}", (long long)now_s);
    }
}

/* ---- comparing ---- */

/* Writes what of the object `desired` differs from `reported`, which may be empty. False, with
 * nothing written, when nothing does. */
static bool write_difference(struct sky_buf *out, sky_span desired, sky_span reported,
                             struct sky_arena *arena)
{
    const struct sky_json_index have = sky_json_index(reported, arena);
    struct sky_json_member want;
    sky_span rest = sky_json_inside(desired);
    const size_t start = out->len;
    sky_buf_add_byte(out, '{');
    while (sky_json_next_member(&rest, &want)) {
        sky_span old = sky_json_find(&have, want.key);
        const size_t before = out->len;
        bool differs = true;
        put_key(out, want.key);
        if (sky_json_is_object(want.value) && sky_json_is_object(old))
            differs = write_difference(out, want.value, old, arena);
        else if (sky_json_same(want.value, old, arena))
            differs = false;
        else
            sky_buf_add(out, want.value);
        if (!differs)
            out->len = before;
    }
    bool any = out->len > start + 1;
    if (any)
        sky_buf_add_byte(out, '}');
    else
        out->len = start;
    return any;
}

static sky_span difference(sky_span desired, sky_span reported, struct sky_arena *arena)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    (void)write_difference(&out, desired, reported, arena);
    return sky_envelope_keep(arena, &out);
}

sky_span sky_shadow_changed(const struct sky_shadow *shadow, sky_span desired)
{
    struct sky_buf wanted, out;
    if (!sky_json_is_object(desired))
        return SKY_SPAN_NONE;
    sky_buf_init(&out, desired.len);
    sky_json_rewrite(&out, desired);
    sky_buf_init(&wanted, desired.len);
    write_without_nulls(&wanted, sky_buf_span(&out));
    sky_span changed = difference(sky_buf_span(&wanted),
                                  shadow->state.sections[SKY_SHADOW_REPORTED], shadow->arena);
    sky_buf_done(&wanted);
    sky_buf_done(&out);
    return changed;
}

/* The part of `metadata` that stands for `part` of the state. */
static void write_metadata_of(struct sky_buf *out, sky_span part, sky_span metadata,
                              struct sky_arena *arena)
{
    struct sky_json_member child;
    sky_span rest = sky_json_inside(part);
    if (!sky_json_is_object(part)) {
        sky_buf_add(out, metadata.len > 0 ? metadata : SKY_SPAN("{}"));
        return;
    }
    const struct sky_json_index stamps = sky_json_index(metadata, arena);
    sky_buf_add_byte(out, '{');
    while (sky_json_next_member(&rest, &child)) {
        put_key(out, child.key);
        write_metadata_of(out, child.value, sky_json_find(&stamps, child.key), arena);
    }
    sky_buf_add_byte(out, '}');
}

/* ---- loading and storing ---- */

/* The stored text is our own; whoever changed it by hand so that it is not a shadow any more gets
 * an empty one. */
void sky_shadow_load(struct sky_shadow *ret_shadow, const struct sky_facts *facts,
                     struct sky_arena *arena)
{
    *ret_shadow = (struct sky_shadow){.arena = arena, .version = facts->document_version};
    sky_span document = sky_span_trim(facts->document);
    if (document.len == 0 || sky_json_check(document, SKY_JSON_DEPTH_MAX, NULL) != SKY_OK)
        return;
    struct sky_shadow_tree state = sections_of(sky_json_member(document, "state"));
    struct sky_shadow_tree metadata = sections_of(sky_json_member(document, "metadata"));
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++)
        if (state.sections[i].len > 0 &&
            (!sky_json_is_object(state.sections[i]) || !sky_json_is_object(metadata.sections[i])))
            return;
    ret_shadow->state = state;
    ret_shadow->metadata = metadata;
    ret_shadow->timestamp_s = (int64_t)sky_json_number(sky_json_member(document, "timestamp"));
}

bool sky_shadow_is_empty(const struct sky_shadow *shadow)
{
    return shadow->state.sections[SKY_SHADOW_REPORTED].len == 0 &&
           shadow->state.sections[SKY_SHADOW_DESIRED].len == 0;
}

void sky_shadow_write_tree(struct sky_jw *jw, const char *key, const struct sky_shadow_tree *tree,
                           sky_span delta)
{
    sky_jw_key(jw, key);
    sky_jw_object(jw);
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++) {
        if (tree->sections[i].len == 0)
            continue;
        sky_jw_key(jw, section_names[i]);
        sky_jw_raw(jw, tree->sections[i]);
    }
    if (delta.len > 0) {
        sky_jw_key(jw, "delta");
        sky_jw_raw(jw, delta);
    }
    sky_jw_end_object(jw);
}

sky_span sky_shadow_text(const struct sky_shadow *shadow)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_shadow_write_tree(&jw, "state", &shadow->state, SKY_SPAN_NONE);
    sky_shadow_write_tree(&jw, "metadata", &shadow->metadata, SKY_SPAN_NONE);
    sky_jw_put_int(&jw, "timestamp", shadow->timestamp_s);
    sky_jw_end_object(&jw);
    return sky_envelope_keep(shadow->arena, &out);
}

void sky_shadow_write(struct sky_jw *jw, const struct sky_shadow *shadow)
{
    const sky_span *state = shadow->state.sections;
    struct sky_buf stamps;
    sky_span delta =
        difference(state[SKY_SHADOW_DESIRED], state[SKY_SHADOW_REPORTED], shadow->arena);
    sky_buf_init(&stamps, SKY_ENVELOPE_REPLY_MAX);
    if (delta.len > 0)
        write_metadata_of(&stamps, delta, shadow->metadata.sections[SKY_SHADOW_DESIRED],
                          shadow->arena);
    sky_jw_object(jw);
    sky_shadow_write_tree(jw, "state", &shadow->state, delta);
    sky_shadow_write_tree(jw, "metadata", &shadow->metadata, sky_buf_span(&stamps));
    sky_jw_put_int(jw, "version", shadow->version);
    if (shadow->timestamp_s != 0)
        sky_jw_put_int(jw, "timestamp", shadow->timestamp_s);
    sky_jw_end_object(jw);
    sky_buf_done(&stamps);
}

sky_span sky_shadow_show(const struct sky_facts *facts, struct sky_arena *arena)
{
    struct sky_shadow shadow;
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_shadow_load(&shadow, facts, arena);
    sky_shadow_write(&jw, &shadow);
    return sky_envelope_keep(arena, &out);
}

/* ---- checks ---- */

/* `inside`: an array is around the value. */
static bool has_null_in_array(sky_span value, bool inside)
{
    sky_span child, rest = sky_json_inside(value);
    struct sky_json_member member;
    if (sky_json_is_object(value)) {
        while (sky_json_next_member(&rest, &member))
            if (has_null_in_array(member.value, inside))
                return true;
        return false;
    }
    while (sky_json_next_element(&rest, &child))
        if (has_null_in_array(child, true))
            return true;
    return inside && sky_json_is_null(value);
}

static size_t count_attributes(sky_span value)
{
    struct sky_json_member child;
    sky_span rest = sky_json_inside(value);
    size_t count = 0;
    if (!sky_json_is_object(value))
        return value.len > 0 ? 1 : 0;
    while (sky_json_next_member(&rest, &child))
        count += count_attributes(child.value);
    return count;
}

enum sky_shadow_fault sky_shadow_check(sky_span state, const struct sky_shadow_limits *limits)
{
    const struct sky_shadow_tree sent = sections_of(state);
    bool any = false;
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++) {
        sky_span section = sent.sections[i];
        any |= section.len > 0;
        if (section.len == 0 || sky_json_is_null(section))
            continue;
        if (!sky_json_is_object(section))
            return SKY_SHADOW_SHAPE;
        if (sky_json_depth(section) > limits->depth_max)
            return SKY_SHADOW_DEEP;
        if (has_null_in_array(section, false))
            return SKY_SHADOW_ARRAY_NULL;
    }
    return any ? SKY_SHADOW_FINE : SKY_SHADOW_SHAPE;
}

/* Does a state keep the limits? Members that are null do not count. */
static enum sky_shadow_fault measure(const struct sky_shadow_tree *state,
                                     const struct sky_shadow_limits *limits)
{
    struct sky_buf out;
    size_t attributes = 0;
    sky_buf_init(&out, limits->bytes_max);
    sky_buf_add_byte(&out, '{');
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++) {
        if (!sky_json_is_object(state->sections[i]))
            continue;
        put_key(&out, sky_span_str(section_names[i]));
        size_t before = out.len;
        write_without_nulls(&out, state->sections[i]);
        attributes += count_attributes(sky_span_tail(sky_buf_span(&out), before));
    }
    sky_buf_add_byte(&out, '}');
    bool large = out.overflow;
    sky_buf_done(&out);
    if (large)
        return SKY_SHADOW_LARGE;
    bool many = limits->attributes_max > 0 && attributes > limits->attributes_max;
    return many ? SKY_SHADOW_MANY : SKY_SHADOW_FINE;
}

/* ---- changing ---- */

/* A section on its way into the next one. */
struct merge {
    struct sky_buf state, metadata;
    struct sky_arena *arena;
    int64_t now_s;
};

static void put_keys(struct merge *merge, sky_span key)
{
    put_key(&merge->state, key);
    put_key(&merge->metadata, key);
}

static void put_new(struct merge *merge, sky_span value)
{
    size_t before = merge->state.len;
    write_without_nulls(&merge->state, value);
    sky_shadow_write_stamps(&merge->metadata, sky_span_tail(sky_buf_span(&merge->state), before),
                            merge->now_s);
}

/* What was there stays in its place, what is new follows. */
static void merge_object(struct merge *merge, sky_span state, sky_span metadata, sky_span patch)
{
    const struct sky_json_index changes = sky_json_index(patch, merge->arena),
                                stored = sky_json_index(state, merge->arena),
                                stamps = sky_json_index(metadata, merge->arena);
    struct sky_json_member member;
    sky_buf_add_byte(&merge->state, '{');
    sky_buf_add_byte(&merge->metadata, '{');
    for (sky_span rest = sky_json_inside(state); sky_json_next_member(&rest, &member);) {
        sky_span change = sky_json_find(&changes, member.key);
        sky_span stamp = sky_json_find(&stamps, member.key);
        if (sky_json_is_null(change))
            continue;
        put_keys(merge, member.key);
        if (change.len == 0) {
            sky_buf_add(&merge->state, member.value);
            sky_buf_add(&merge->metadata, stamp.len > 0 ? stamp : SKY_SPAN("{}"));
        } else if (sky_json_is_object(change) && sky_json_is_object(member.value)) {
            merge_object(merge, member.value, stamp, change);
        } else {
            put_new(merge, change);
        }
    }
    for (sky_span rest = sky_json_inside(patch); sky_json_next_member(&rest, &member);) {
        if (sky_json_is_null(member.value) || sky_json_find(&stored, member.key).len > 0)
            continue;
        put_keys(merge, member.key);
        put_new(merge, member.value);
    }
    sky_buf_add_byte(&merge->state, '}');
    sky_buf_add_byte(&merge->metadata, '}');
}

static void merge_section(struct sky_shadow *shadow, size_t section, sky_span patch, bool overwrite,
                          int64_t now_s)
{
    sky_span *state = &shadow->state.sections[section];
    sky_span *metadata = &shadow->metadata.sections[section];
    struct merge merge = {.arena = shadow->arena, .now_s = now_s};
    if (overwrite || sky_json_is_null(patch))
        *state = *metadata = SKY_SPAN_NONE;
    if (!sky_json_is_object(patch))
        return;
    sky_buf_init(&merge.state, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_init(&merge.metadata, SKY_ENVELOPE_REPLY_MAX);
    merge_object(&merge, *state, *metadata, patch);
    *state = sky_envelope_keep(shadow->arena, &merge.state);
    *metadata = sky_envelope_keep(shadow->arena, &merge.metadata);
    if (sky_span_eq_str(*state, "{}"))
        *state = *metadata = SKY_SPAN_NONE;
}

/* The limits come first: what alone would pass them is not merged at all. */
enum sky_shadow_fault sky_shadow_merge(struct sky_shadow *shadow, sky_span state, bool overwrite,
                                       const struct sky_shadow_limits *limits, int64_t now_s)
{
    struct sky_buf out;
    sky_buf_init(&out, state.len);
    sky_json_rewrite(&out, state);
    const struct sky_shadow_tree patch = sections_of(sky_envelope_keep(shadow->arena, &out));
    struct sky_shadow next = *shadow;
    enum sky_shadow_fault fault = measure(&patch, limits);
    if (fault != SKY_SHADOW_FINE)
        return fault;
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++)
        if (patch.sections[i].len > 0)
            merge_section(&next, i, patch.sections[i], overwrite, now_s);
    fault = measure(&next.state, limits);
    if (fault != SKY_SHADOW_FINE)
        return fault;
    next.timestamp_s = now_s;
    *shadow = next;
    return SKY_SHADOW_FINE;
}

static sky_err fault_error(enum sky_shadow_fault fault, const struct sky_shadow_limits *limits,
                           const char *pointer, struct sky_why *why)
{
    char text[SKY_SHADOW_FAULT_TEXT];
    bool size = fault == SKY_SHADOW_LARGE || fault == SKY_SHADOW_MANY || fault == SKY_SHADOW_DEEP;
    return sky_why_set(why, size ? SKY_ERR_LIMIT : SKY_ERR_INVALID, pointer, "%s",
                       sky_shadow_fault_text(fault, limits, text));
}

static sky_err check_desire(const struct sky_shadow *shadow, sky_span patch, struct sky_why *why)
{
    sky_span version = sky_json_member(patch, "version");
    if (sky_json_member(patch, "desired").len == 0)
        return sky_why_set(why, SKY_ERR_INVALID, "/desired",
                           "give what is desired: {\"desired\":{...}} or {\"desired\":null}");
    if (sky_json_member(patch, "reported").len > 0)
        return sky_why_set(why, SKY_ERR_INVALID, "/reported",
                           "only the device writes what it reports");
    if (version.len > 0 && !sky_json_is_number(version))
        return sky_why_set(why, SKY_ERR_INVALID, "/version", "the version is a number");
    if (version.len > 0 && sky_json_number(version) != (double)shadow->version)
        return sky_why_set(why, SKY_ERR_CONFLICT, "/version", "the shadow has version %lld now",
                           (long long)shadow->version);
    return SKY_OK;
}

sky_err sky_shadow_desire(struct sky_shadow *shadow, sky_span patch,
                          const struct sky_shadow_limits *limits, int64_t now_s,
                          sky_span *ret_desired, struct sky_why *why)
{
    patch = sky_span_trim(patch);
    sky_err err = sky_json_check(patch, SKY_ENVELOPE_DEPTH_MAX, why);
    if (err == SKY_OK)
        err = check_desire(shadow, patch, why);
    if (err != SKY_OK)
        return err;
    enum sky_shadow_fault fault = sky_shadow_check(patch, limits);
    if (fault == SKY_SHADOW_FINE)
        fault = sky_shadow_merge(shadow, patch, false, limits, now_s);
    if (fault != SKY_SHADOW_FINE)
        return fault_error(fault, limits, "/desired", why);
    shadow->version++;
    *ret_desired = sky_json_member(patch, "desired");
    return SKY_OK;
}

static sky_err check_fixture(sky_span fixture, struct sky_why *why)
{
    struct sky_json_member section;
    sky_span rest = sky_json_inside(fixture);
    if (!sky_json_is_object(fixture))
        return sky_why_set(why, SKY_ERR_INVALID, "", "the shadow is not an object");
    while (sky_json_next_member(&rest, &section))
        if (!sky_json_reads(section.key, "reported") && !sky_json_reads(section.key, "desired"))
            return sky_why_set(why, SKY_ERR_INVALID, "",
                               "the shadow has reported and desired, not '%.*s'",
                               SKY_SPAN_ARGS(sky_span_head(section.key, 40)));
    return SKY_OK;
}

sky_err sky_shadow_seed(sky_span fixture, const struct sky_shadow_limits *limits, int64_t now_ms,
                        struct sky_arena *arena, sky_span *ret_document, int64_t *ret_version,
                        struct sky_why *why)
{
    struct sky_shadow shadow;
    sky_shadow_load(&shadow, &(struct sky_facts){0}, arena);
    fixture = sky_span_trim(fixture);
    sky_err err = sky_json_check(fixture, SKY_ENVELOPE_DEPTH_MAX, why);
    if (err == SKY_OK)
        err = check_fixture(fixture, why);
    if (err != SKY_OK)
        return err;
    if (sky_json_inside(fixture).len > 0) {
        enum sky_shadow_fault fault = sky_shadow_check(fixture, limits);
        if (fault == SKY_SHADOW_FINE)
            fault = sky_shadow_merge(&shadow, fixture, false, limits, now_ms / 1000);
        if (fault != SKY_SHADOW_FINE)
            return fault_error(fault, limits, "", why);
    }
    bool empty = sky_shadow_is_empty(&shadow);
    shadow.timestamp_s = empty ? 0 : shadow.timestamp_s;
    *ret_document = sky_shadow_text(&shadow);
    *ret_version = empty ? 0 : 1;
    return SKY_OK;
}
