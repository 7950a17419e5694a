/* A device shadow: what the device reports, what the application desires, and when each value was
 * last written. Merging, comparing and limits, from text to text; knows no cloud's messages and no
 * topic. Every function takes time in proportion to the text it is given, but for sorting keys. */
#ifndef SKY_CLOUD_SHADOW_H
#define SKY_CLOUD_SHADOW_H

#include "protocol/base/json.h"
#include "protocol/cloud/cloud.h"

struct sky_shadow_limits {
    int depth_max;         /* of "reported" and of "desired"; {"a":1} is 1 deep */
    size_t bytes_max;      /* of the state as compact JSON */
    size_t attributes_max; /* values that are no objects, over both sections; 0: any number */
};

enum sky_shadow_section { SKY_SHADOW_REPORTED, SKY_SHADOW_DESIRED, SKY_SHADOW_SECTIONS };

/* "reported" and "desired", or what stands for them in the metadata: compact objects, empty spans
 * where a section is absent. */
struct sky_shadow_tree {
    sky_span sections[SKY_SHADOW_SECTIONS];
};

/* A section that has no members is absent from both trees. In the metadata every value that is no
 * object has {"timestamp":seconds} in its place. */
struct sky_shadow {
    struct sky_arena *arena; /* borrowed: all text lives there */
    struct sky_shadow_tree state, metadata;
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
enum { SKY_SHADOW_FAULT_TEXT = 96 };
/* What is wrong, and which limit that passes: in `out`, or static. */
const char *sky_shadow_fault_text(enum sky_shadow_fault fault,
                                  const struct sky_shadow_limits *limits,
                                  char out[SKY_SHADOW_FAULT_TEXT]);

/* The shadow in the facts' document; the empty one when there is none. */
void sky_shadow_load(struct sky_shadow *ret_shadow, const struct sky_facts *facts,
                     struct sky_arena *arena);
bool sky_shadow_is_empty(const struct sky_shadow *shadow);

/* Is this the "state" of an update, JSON that has been checked: an object with one section or both,
 * each sound and not nested too deeply? */
enum sky_shadow_fault sky_shadow_check(sky_span state, const struct sky_shadow_limits *limits);

/* Takes over a state that sky_shadow_check() found sound, all at one time: objects are merged,
 * null removes, anything else (arrays too) replaces. `overwrite`: a section that is there replaces
 * the stored one. Does not count the version. LARGE or MANY when the shadow would pass its limits:
 * then it is as it was. */
enum sky_shadow_fault sky_shadow_merge(struct sky_shadow *shadow, sky_span state, bool overwrite,
                                       const struct sky_shadow_limits *limits, int64_t now_s);

/* Writes the metadata that belongs to `value` when all of it is written now. */
void sky_shadow_write_stamps(struct sky_buf *out, sky_span value, int64_t now_s);

/* What the device must be told after `desired` was asked for: its values, without the nulls, that
 * differ from what is reported. An object in the shadow's arena; empty when there is nothing. */
sky_span sky_shadow_changed(const struct sky_shadow *shadow, sky_span desired);

/* Writes {"state":{...},"metadata":{...},"version":n,"timestamp":s}, with the delta in both trees
 * when there is one; without a timestamp for a shadow that was never changed. */
void sky_shadow_write(struct sky_jw *jw, const struct sky_shadow *shadow);

/* One of the two trees as a member `key`: the sections in their documented order, then `delta`
 * unless it is empty. */
void sky_shadow_write_tree(struct sky_jw *jw, const char *key, const struct sky_shadow_tree *tree,
                           sky_span delta);

/* What sky_shadow_write() writes, for whoever asks from outside: text in the arena. */
sky_span sky_shadow_show(const struct sky_facts *facts, struct sky_arena *arena);

/* The text to store, in the shadow's arena; the version is kept beside it. */
sky_span sky_shadow_text(const struct sky_shadow *shadow);

/* ---- the application's side, the same in every cloud ---- */

/* Reads {"desired":...} with an optional "version" and merges it into `shadow`, version counted.
 * `*ret_desired` is what was asked for, a span of `patch`. INVALID, LIMIT or CONFLICT, with the
 * shadow as it was. */
SKY_MUST_USE sky_err sky_shadow_desire(struct sky_shadow *shadow, sky_span patch,
                                       const struct sky_shadow_limits *limits, int64_t now_s,
                                       sky_span *ret_desired, struct sky_why *why);

/* As sky_cloud_shadow.seed, with the cloud's limits. A shadow with anything in it is version 1. */
SKY_MUST_USE sky_err sky_shadow_seed(sky_span fixture, const struct sky_shadow_limits *limits,
                                     int64_t now_ms, struct sky_arena *arena,
                                     sky_span *ret_document, int64_t *ret_version,
                                     struct sky_why *why);

#endif
