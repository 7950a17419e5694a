/* The one door to cJSON: trees, for what is small, rare and trusted enough to be worth one, as
 * fixtures and the bodies of the admin API are. What a device sends is read in place: json.h. */
#ifndef SKY_BASE_JSON_TREE_H
#define SKY_BASE_JSON_TREE_H

#include <cjson/cJSON.h>

#include "protocol/base/json.h"

/* Builds the tree of a text that sky_json_check() takes; its errors are sky_json_check()'s. The
 * caller frees the tree with cJSON_Delete(). */
SKY_MUST_USE sky_err sky_json_parse(sky_span text, int depth_max, cJSON **ret_tree,
                                    struct sky_why *why);

/* Member access without surprises: exact case, NULL when absent or of another type. */
const cJSON *sky_json_get(const cJSON *object, const char *key);
const char *sky_json_get_str(const cJSON *object, const char *key);
/* The same, but "" for what is not there. */
const char *sky_json_text_of(const cJSON *object, const char *key);

/* A member in place of the one of that name, or a new one; takes the value over. */
void sky_json_put(cJSON *object, const char *key, cJSON *value);

/* Prints a tree compactly onto `out`. False if it did not fit. */
bool sky_json_print(struct sky_buf *out, const cJSON *value);

#endif
