/* JSON text read in place: values are spans of it, each exactly as it was written, so that an id or
 * a number can be echoed digit for digit. Only for text that has passed sky_json_check(); anything
 * else yields fewer members, never a read outside the span. Nothing here builds a tree.
 *
 * A value begins with its first character and ends with its last: a string has its quotes. */
#ifndef SKY_BASE_JSON_VIEW_H
#define SKY_BASE_JSON_VIEW_H

#include "protocol/base/arena.h"
#include "protocol/base/buf.h"
#include "protocol/base/span.h"

enum { SKY_JSON_NUMBER_MAX = 63 }; /* characters of one number */

struct sky_json_member {
    sky_span key; /* without its quotes, escapes as written */
    sky_span value;
};

/* By the first character. */
bool sky_json_is_object(sky_span value);
bool sky_json_is_array(sky_span value);
bool sky_json_is_string(sky_span value);
bool sky_json_is_number(sky_span value);
bool sky_json_is_null(sky_span value);

/* What stands between the brackets of an object or array; empty for anything else. */
sky_span sky_json_inside(sky_span container);

/* Takes the next member or element off what sky_json_inside() gave. False at the end. */
bool sky_json_next_member(sky_span *rest, struct sky_json_member *ret_member);
bool sky_json_next_element(sky_span *rest, sky_span *ret_value);

/* The value under `key`; empty when it is absent or this is no object. To look for many keys in one
 * object, use an index. */
sky_span sky_json_member(sky_span object, const char *key);

/* A string without its quotes, escapes as written; any other value as it is. */
sky_span sky_json_text(sky_span value);

/* Of a key, or of what sky_json_text() gave: the order of two by their characters; whether one is
 * this text, which needs no escapes; and one with its escapes resolved. */
int sky_json_compare(sky_span a, sky_span b);
bool sky_json_reads(sky_span written, const char *text);
void sky_json_decode(struct sky_buf *out, sky_span written);

/* How long the same is with its escapes resolved, in UTF-8. */
struct sky_json_size {
    size_t bytes, characters;
};
struct sky_json_size sky_json_measure(sky_span written);

/* A string's characters, in the arena; empty for anything else. */
sky_span sky_json_string(struct sky_arena *arena, sky_span value);

/* A number's value; 0 for anything else. */
double sky_json_number(sky_span value);

/* Nesting depth: 0 for a scalar, 1 for {} or [1], 2 for {"a":{}}. */
int sky_json_depth(sky_span value);

/* The pointer (RFC 6901 §3) to the value of `text` that `part` is, or stands in: `part` is a piece
 * of the same memory. Whatever no longer fits is left out, so that it leads to what is around it.
 */
void sky_json_pointer(sky_span text, sky_span part, char *out, size_t out_size);
/* One step of a pointer: the slash, and the key, which stands in JSON text or is plain. */
void sky_json_pointer_step(struct sky_buf *out, sky_span key);
void sky_json_pointer_plain(struct sky_buf *out, sky_span key);

/* The value without blanks between its tokens: itself, or a copy in the arena. */
sky_span sky_json_compact(struct sky_arena *arena, sky_span value);

/* Writes a value without blanks, and each string in the one form that the writer has for
 * it, so that equal strings and keys are equal bytes. */
void sky_json_rewrite(struct sky_buf *out, sky_span value);
/* The same for one string without its quotes; those it puts around. */
void sky_json_respell(struct sky_buf *out, sky_span written);

/* Do two values mean the same? Members in any order; numbers by their value. */
bool sky_json_same(sky_span a, sky_span b, struct sky_arena *arena);

/* The members of one object, found by key in logarithmic time. */
struct sky_json_index {
    const struct sky_json_member *members; /* in the arena, in the order of their keys */
    size_t count;
};

/* Empty for anything but an object. */
struct sky_json_index sky_json_index(sky_span object, struct sky_arena *arena);
/* The value under `key`; empty when it is absent. */
sky_span sky_json_find(const struct sky_json_index *index, sky_span key);

#endif
