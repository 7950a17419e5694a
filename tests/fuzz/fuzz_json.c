/* What is accepted reads in place as cJSON's tree of it, prints to text that is accepted and prints
 * the same again, and means the same without its blanks; of anything else no byte outside is read.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/json_view.h"

enum { DEPTH_MAX = 8, TEXT_MAX = 1024 * 1024 };

static void reads_as(sky_span value, const cJSON *node, struct sky_arena *arena);

static void members_read_as(sky_span object, const cJSON *node, struct sky_arena *arena)
{
    const struct sky_json_index index = sky_json_index(object, arena);
    struct sky_json_member member;
    sky_span rest = sky_json_inside(object);
    const cJSON *child, *other;
    SKY_ASSERT((size_t)cJSON_GetArraySize(node) == index.count);
    cJSON_ArrayForEach (child, node) {
        struct sky_buf key;
        SKY_ASSERT(sky_json_next_member(&rest, &member));
        sky_buf_init(&key, TEXT_MAX);
        sky_json_decode(&key, member.key);
        SKY_ASSERT(sky_span_eq_str(sky_buf_span(&key), child->string));
        sky_buf_done(&key);
        SKY_ASSERT(sky_json_find(&index, member.key).ptr == member.value.ptr);
        for (other = child->next; other != NULL; other = other->next)
            SKY_ASSERT(strcmp(child->string, other->string) != 0);
        reads_as(member.value, child, arena);
    }
    SKY_ASSERT(!sky_json_next_member(&rest, &member));
}

static void elements_read_as(sky_span array, const cJSON *node, struct sky_arena *arena)
{
    sky_span value, rest = sky_json_inside(array);
    const cJSON *child;
    cJSON_ArrayForEach (child, node) {
        SKY_ASSERT(sky_json_next_element(&rest, &value));
        reads_as(value, child, arena);
    }
    SKY_ASSERT(!sky_json_next_element(&rest, &value));
}

static void reads_as(sky_span value, const cJSON *node, struct sky_arena *arena)
{
    SKY_ASSERT(sky_json_is_object(value) == (bool)cJSON_IsObject(node));
    SKY_ASSERT(sky_json_is_array(value) == (bool)cJSON_IsArray(node));
    SKY_ASSERT(sky_json_is_string(value) == (bool)cJSON_IsString(node));
    SKY_ASSERT(sky_json_is_number(value) == (bool)cJSON_IsNumber(node));
    SKY_ASSERT(sky_json_is_null(value) == (bool)cJSON_IsNull(node));
    SKY_ASSERT(sky_span_eq_str(value, "true") == (bool)cJSON_IsTrue(node));
    if (cJSON_IsObject(node))
        members_read_as(value, node, arena);
    else if (cJSON_IsArray(node))
        elements_read_as(value, node, arena);
    else if (cJSON_IsString(node))
        SKY_ASSERT(sky_span_eq_str(sky_json_string(arena, value), node->valuestring));
    else if (cJSON_IsNumber(node))
        SKY_ASSERT(sky_json_number(value) == node->valuedouble);
}

/* Another text for the same value. */
static void rewrites(sky_span text, struct sky_arena *arena)
{
    struct sky_buf once, twice;
    sky_buf_init(&once, text.len);
    sky_buf_init(&twice, text.len);
    sky_json_rewrite(&once, text);
    sky_json_rewrite(&twice, sky_buf_span(&once));
    SKY_ASSERT(!once.overflow && sky_span_eq(sky_buf_span(&once), sky_buf_span(&twice)));
    SKY_ASSERT(sky_json_check(sky_buf_span(&once), DEPTH_MAX, NULL) == SKY_OK);
    SKY_ASSERT(sky_json_same(text, sky_buf_span(&once), arena));
    SKY_ASSERT(sky_json_same(text, sky_json_compact(arena, text), arena));
    sky_buf_done(&once);
    sky_buf_done(&twice);
}

static bool print_again(sky_span text, struct sky_buf *out)
{
    cJSON *tree;
    struct sky_why why = {0};
    struct sky_arena arena;
    if (sky_json_parse(text, DEPTH_MAX, &tree, &why) != SKY_OK) {
        SKY_ASSERT(why.reason[0] != '\0');
        return false;
    }
    sky_arena_init(&arena);
    text = sky_span_trim(text);
    SKY_ASSERT(sky_json_depth(text) <= DEPTH_MAX);
    reads_as(text, tree, &arena);
    rewrites(text, &arena);
    SKY_ASSERT(sky_json_print(out, tree));
    cJSON_Delete(tree);
    sky_arena_done(&arena);
    return true;
}

/* Whatever it is. */
static void read_unchecked(sky_span text)
{
    struct sky_json_member member;
    sky_span value, rest = sky_json_inside(text);
    struct sky_buf out;
    sky_buf_init(&out, TEXT_MAX);
    while (sky_json_next_member(&rest, &member))
        sky_json_decode(&out, member.key);
    for (rest = sky_json_inside(text); sky_json_next_element(&rest, &value);)
        (void)(sky_json_number(value) + sky_json_depth(value));
    SKY_ASSERT(sky_json_compare(text, text) == 0);
    sky_json_rewrite(&out, text);
    sky_buf_clear(&out);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_str(&jw, text);
    SKY_ASSERT(out.overflow || sky_json_check(sky_buf_span(&out), 1, NULL) == SKY_OK);
    sky_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_buf once, twice;
    sky_buf_init(&once, TEXT_MAX);
    sky_buf_init(&twice, TEXT_MAX);
    if (len < TEXT_MAX / 8) {
        read_unchecked(sky_span_of(bytes, len));
        if (print_again(sky_span_of(bytes, len), &once)) {
            SKY_ASSERT(print_again(sky_buf_span(&once), &twice));
            SKY_ASSERT(sky_span_eq(sky_buf_span(&once), sky_buf_span(&twice)));
        }
    }
    sky_buf_done(&once);
    sky_buf_done(&twice);
    return 0;
}
