/* A device shadow: what the device reports, what the application desires, and when each value was
 * last written. Merging, comparing and limits; knows no cloud's messages and no topic. */
#ifndef SKY_CLOUD_SHADOW_H
#define SKY_CLOUD_SHADOW_H

#include "protocol/base/json.h"
#include "protocol/cloud/cloud.h"

struct sky_shadow_limits {
    int depth_max;         /* of "reported" and of "desired"; {"a":1} is 1 deep */
    size_t bytes_max;      /* of the state as compact JSON */
    size_t attributes_max; /* values that are no objects, over both sections; 0: any number */
};

/* Sections are "reported" and "desired"; one that is empty is absent from both trees. In the
 * metadata every value that is no object has {"timestamp":seconds} in its place. */
struct sky_shadow {
    cJSON *state, *metadata; /* owned objects */
    int64_t version;
    int64_t timestamp_s; /* of the last change; 0: never changed */
};

enum sky_shadow_fault {
    SKY_SHADOW_FINE,
    SKY_SHADOW_SHAPE,      /* a section is neither an object nor null, or none is there */
    SKY_SHADOW_ARRAY_NULL, /* a null inside an array */
    SKY_SHADOW_DEEP,
    SKY_SHADOW_LARGE,
    SKY_SHADOW_MANY,
};
/* One sentence; static. */
const char *sky_shadow_fault_text(enum sky_shadow_fault fault);

/* The shadow in the facts' document; the empty one when there is none. */
void sky_shadow_load(struct sky_shadow *ret_shadow, const struct sky_facts *facts);
void sky_shadow_done(struct sky_shadow *shadow);

/* Is this the "state" of an update: an object with one section or both, each sound? */
enum sky_shadow_fault sky_shadow_check(const cJSON *state, const struct sky_shadow_limits *limits);
/* Does the shadow keep its limits? */
enum sky_shadow_fault sky_shadow_measure(const struct sky_shadow *shadow,
                                         const struct sky_shadow_limits *limits);

/* Takes over a state that sky_shadow_check() found sound, all at one time: objects are merged,
 * null removes, anything else (arrays too) replaces. `overwrite`: a section that is there replaces
 * the stored one. Does not count the version. */
void sky_shadow_merge(struct sky_shadow *shadow, const cJSON *state, bool overwrite, int64_t now_s);

/* The metadata that belongs to `value` when all of it is written now; the caller owns it. */
cJSON *sky_shadow_stamps(const cJSON *value, int64_t now_s);

/* What of `desired` differs from `reported` (which may be NULL). A new object that the caller
 * owns; NULL when there is nothing. */
cJSON *sky_shadow_difference(const cJSON *desired, const cJSON *reported);

/* What the device must be told after `desired` was asked for: its values, without the nulls, that
 * differ from what is reported. As above. */
cJSON *sky_shadow_changed(const struct sky_shadow *shadow, const cJSON *desired);

/* Writes {"state":{...},"metadata":{...},"version":n,"timestamp":s}, with the delta in both trees
 * when there is one; without a timestamp for a shadow that was never changed. */
void sky_shadow_write(struct sky_jw *jw, const struct sky_shadow *shadow);

/* One of the two trees as a member `key`: the sections in their documented order, then `delta`
 * unless it is NULL. */
void sky_shadow_write_tree(struct sky_jw *jw, const char *key, const cJSON *tree,
                           const cJSON *delta);

/* What sky_shadow_write() writes, for whoever asks from outside: text in the arena. */
sky_span sky_shadow_show(const struct sky_facts *facts, struct sky_arena *arena);

/* The text to store; the version is kept beside it. */
sky_span sky_shadow_text(const struct sky_shadow *shadow, struct sky_arena *arena);

/* ---- the application's side, the same in every cloud ---- */

/* Reads {"desired":...} with an optional "version" and merges it into `shadow`, version counted.
 * `*ret_patch` is the tree read, which the caller owns: its "desired" is what was asked for.
 * INVALID, LIMIT or CONFLICT, with the shadow unchanged or half changed: drop it then. */
SKY_MUST_USE sky_err sky_shadow_desire(struct sky_shadow *shadow, sky_span patch,
                                       const struct sky_shadow_limits *limits, int64_t now_s,
                                       cJSON **ret_patch, struct sky_why *why);

/* As sky_cloud.seed_shadow, with the cloud's limits. A shadow with anything in it is version 1. */
SKY_MUST_USE sky_err sky_shadow_seed(sky_span fixture, const struct sky_shadow_limits *limits,
                                     int64_t now_ms, struct sky_arena *arena,
                                     sky_span *ret_document, int64_t *ret_version,
                                     struct sky_why *why);

#endif
