/* A history of states, one a line, merged into a shadow and into a tree that knows nothing of it:
 * both are the same after each, every value has its time, limits are kept, what is stored loads as
 * it was. Each line is also what a fixture and an application say to each cloud that has shadows.
 */
#include <stdlib.h>

#include "cloud_bench.h"
#include "protocol/base/json_tree.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/shadow.h"

enum { STEPS_MAX = 12 };

static const char *const names[] = {"reported", "desired"};

/* ---- the model ---- */

static void drop_nulls(cJSON *node)
{
    cJSON *next;
    for (cJSON *child = cJSON_IsObject(node) ? node->child : NULL; child != NULL; child = next) {
        next = child->next;
        if (cJSON_IsNull(child))
            cJSON_Delete(cJSON_DetachItemViaPointer(node, child));
        else
            drop_nulls(child);
    }
}

static void merge(cJSON *into, const cJSON *patch)
{
    const cJSON *change;
    cJSON_ArrayForEach (change, patch) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(into, change->string);
        if (cJSON_IsObject(old) && cJSON_IsObject(change)) {
            merge(old, change);
            continue;
        }
        if (old != NULL)
            cJSON_Delete(cJSON_DetachItemViaPointer(into, old));
        if (cJSON_IsNull(change))
            continue;
        cJSON *copy = cJSON_Duplicate(change, true);
        drop_nulls(copy);
        cJSON_AddItemToObject(into, change->string, copy);
    }
}

static void model_take(cJSON *model, const cJSON *state, bool overwrite)
{
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++) {
        const cJSON *patch = cJSON_GetObjectItemCaseSensitive(state, names[i]);
        cJSON *section = cJSON_GetObjectItemCaseSensitive(model, names[i]);
        if (patch == NULL)
            continue;
        if (overwrite || cJSON_IsNull(patch)) {
            cJSON_DeleteItemFromObjectCaseSensitive(model, names[i]);
            section = NULL;
        }
        if (section == NULL)
            section = cJSON_AddObjectToObject(model, names[i]);
        merge(section, patch);
        if (section->child == NULL)
            cJSON_DeleteItemFromObjectCaseSensitive(model, names[i]);
    }
}

/* ---- held against it ---- */

static cJSON *tree_of(sky_span text)
{
    cJSON *tree;
    SKY_ASSERT(sky_json_parse(text, SKY_JSON_DEPTH_MAX, &tree, NULL) == SKY_OK);
    return tree;
}

/* Where the state has a value that is no object, the metadata has its time. */
static void check_stamps(const cJSON *state, const cJSON *stamps, int64_t now_s)
{
    const cJSON *child;
    SKY_ASSERT(cJSON_IsObject(stamps));
    if (!cJSON_IsObject(state)) {
        const cJSON *stamp = cJSON_GetObjectItemCaseSensitive(stamps, "timestamp");
        SKY_ASSERT(cJSON_IsNumber(stamp) && stamp->valuedouble <= (double)now_s);
        return;
    }
    SKY_ASSERT(cJSON_GetArraySize(state) == cJSON_GetArraySize(stamps));
    cJSON_ArrayForEach (child, state)
        check_stamps(child, cJSON_GetObjectItemCaseSensitive(stamps, child->string), now_s);
}

static void check(const struct sky_shadow *shadow, const cJSON *model, int64_t now_s)
{
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++) {
        const cJSON *due = cJSON_GetObjectItemCaseSensitive(model, names[i]);
        SKY_ASSERT((shadow->state.sections[i].len > 0) == (due != NULL));
        SKY_ASSERT((shadow->metadata.sections[i].len > 0) == (due != NULL));
        if (due == NULL)
            continue;
        cJSON *state = tree_of(shadow->state.sections[i]);
        cJSON *stamps = tree_of(shadow->metadata.sections[i]);
        SKY_ASSERT(cJSON_Compare(state, due, true));
        check_stamps(state, stamps, now_s);
        cJSON_Delete(state);
        cJSON_Delete(stamps);
    }
}

static void check_stored(const struct sky_shadow *shadow, struct sky_arena *arena)
{
    struct sky_shadow again;
    const struct sky_facts facts = {.document = sky_shadow_text(shadow),
                                    .document_version = shadow->version};
    sky_shadow_load(&again, &facts, arena);
    for (size_t i = 0; i < SKY_SHADOW_SECTIONS; i++) {
        SKY_ASSERT(sky_span_eq(again.state.sections[i], shadow->state.sections[i]));
        SKY_ASSERT(sky_span_eq(again.metadata.sections[i], shadow->metadata.sections[i]));
    }
    SKY_ASSERT(again.timestamp_s == shadow->timestamp_s);
    SKY_ASSERT(sky_json_check(sky_shadow_show(&facts, arena), SKY_JSON_DEPTH_MAX, NULL) == SKY_OK);
}

/* What the application asked for and the device already has is not told to it. */
static void check_changed(const struct sky_shadow *shadow, sky_span desired)
{
    sky_span changed = sky_shadow_changed(shadow, desired);
    SKY_ASSERT(changed.len == 0 || (sky_json_is_object(changed) &&
                                    sky_json_check(changed, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK));
    sky_span reported = shadow->state.sections[SKY_SHADOW_REPORTED];
    SKY_ASSERT(sky_shadow_changed(shadow, reported).len == 0);
}

static void step(struct sky_shadow *shadow, cJSON *model, sky_span line, bool overwrite,
                 const struct sky_shadow_limits *limits, int64_t now_s)
{
    const struct sky_shadow before = *shadow;
    if (sky_json_check(line, SKY_ENVELOPE_DEPTH_MAX, NULL) != SKY_OK)
        return;
    if (!sky_json_is_object(line) || sky_shadow_check(line, limits) != SKY_SHADOW_FINE)
        return;
    cJSON *state = tree_of(line);
    if (sky_shadow_merge(shadow, line, overwrite, limits, now_s) == SKY_SHADOW_FINE)
        model_take(model, state, overwrite);
    else
        SKY_ASSERT(memcmp(&before, shadow, sizeof before) == 0);
    check(shadow, model, now_s);
    check_stored(shadow, shadow->arena);
    check_changed(shadow, sky_json_member(line, "desired"));
    cJSON_Delete(state);
}

static void tell_clouds(struct cloud_bench *bench, sky_span line)
{
    for (unsigned c = 0; sky_clouds[c] != NULL; c++) {
        const struct sky_cloud_shadow *shadow = sky_clouds[c]->shadow;
        struct sky_why why = {.reason = ""};
        sky_span document;
        int64_t version;
        if (shadow == NULL)
            continue;
        bench_init(bench, c);
        struct sky_arena *arena = &bench->effects.arena;
        const struct sky_uplink to = {.cloud = bench->cloud,
                                      .product = sky_span_str(bench->product.key),
                                      .device = sky_span_str(bench->device.key)};
        if (shadow->seed(line, bench->facts.now_ms, arena, &document, &version, &why) == SKY_OK) {
            SKY_ASSERT(sky_json_check(document, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK);
            bench->facts.document = document;
            bench->facts.document_version = version;
        } else {
            SKY_ASSERT(why.reason[0] != '\0');
        }
        why.reason[0] = '\0';
        if (shadow->patch(&to, &bench->facts, line, &bench->effects, &why) == SKY_OK)
            bench_check_effects(&bench->effects);
        else
            SKY_ASSERT(why.reason[0] != '\0' && bench->effects.count == 0);
        bench_done(bench);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct cloud_bench bench;
    struct sky_shadow shadow;
    struct sky_arena arena;
    if (len < 2 || len > 4096)
        return 0;
    const struct sky_shadow_limits limits = {.depth_max = 1 + bytes[0] % 12,
                                             .bytes_max = 40u + 16u * (bytes[0] / 12u),
                                             .attributes_max = bytes[1] % 32};
    cJSON *model = cJSON_CreateObject();
    sky_arena_init(&arena);
    sky_shadow_load(&shadow, &(struct sky_facts){.now_ms = 0}, &arena);
    sky_span rest = sky_span_of(bytes + 2, len - 2), line;
    for (int i = 0; i < STEPS_MAX && sky_span_next(&rest, '\n', &line); i++) {
        line = sky_span_trim(line);
        step(&shadow, model, line, bytes[1] >> 5 & 1 && i % 2, &limits, 1000 + i);
        tell_clouds(&bench, line);
    }
    sky_arena_done(&arena);
    cJSON_Delete(model);
    return 0;
}
