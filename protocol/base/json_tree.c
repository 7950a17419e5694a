#include "protocol/base/json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"

/* cJSON takes control characters for blanks, lets "01" and "\u0000" pass and recurses as it goes:
 * so the tree is built only from what has been checked. */
sky_err sky_json_parse(sky_span text, int depth_max, cJSON **ret_tree, struct sky_why *why)
{
    sky_err err = sky_json_check(text, depth_max, why);
    if (err != SKY_OK)
        return err;
    cJSON *tree = cJSON_ParseWithLength(text.ptr, text.len);
    SKY_ASSERT(tree != NULL);
    *ret_tree = tree;
    return SKY_OK;
}

const cJSON *sky_json_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *sky_json_get_str(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(sky_json_get(object, key));
}

const char *sky_json_text_of(const cJSON *object, const char *key)
{
    const char *text = sky_json_get_str(object, key);
    return text != NULL ? text : "";
}

void sky_json_put(cJSON *object, const char *key, cJSON *value)
{
    if (sky_json_get(object, key) != NULL)
        cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
    else
        cJSON_AddItemToObject(object, key, value);
}

/* Whole numbers that a double holds exactly are written without exponent; others in the shortest
 * of two forms that reads back as the same number. */
static void write_double(struct sky_jw *jw, double value)
{
    const double exact_max = 9007199254740992.0; /* 2^53 */
    if (!isfinite(value)) {
        sky_jw_null(jw);
    } else if (fabs(value) <= exact_max && value == floor(value)) {
        sky_jw_int(jw, (int64_t)value);
    } else {
        char text[32];
        snprintf(text, sizeof text, "%.15g", value);
        if (strtod(text, NULL) != value)
            snprintf(text, sizeof text, "%.17g", value);
        sky_jw_raw(jw, sky_span_str(text));
    }
}

static void write_tree(struct sky_jw *jw, const cJSON *value);

static void write_members(struct sky_jw *jw, const cJSON *parent)
{
    const cJSON *child;
    cJSON_ArrayForEach (child, parent) {
        if (cJSON_IsObject(parent))
            sky_jw_key(jw, child->string);
        write_tree(jw, child);
    }
}

static void write_tree(struct sky_jw *jw, const cJSON *value)
{
    if (cJSON_IsObject(value)) {
        sky_jw_object(jw);
        write_members(jw, value);
        sky_jw_end_object(jw);
    } else if (cJSON_IsArray(value)) {
        sky_jw_array(jw);
        write_members(jw, value);
        sky_jw_end_array(jw);
    } else if (cJSON_IsString(value)) {
        sky_jw_str(jw, sky_span_str(value->valuestring));
    } else if (cJSON_IsNumber(value)) {
        write_double(jw, value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        sky_jw_bool(jw, cJSON_IsTrue(value));
    } else {
        sky_jw_null(jw);
    }
}

bool sky_json_print(struct sky_buf *out, const cJSON *value)
{
    struct sky_jw jw = sky_jw(out);
    write_tree(&jw, value);
    return !out->overflow;
}
