/* Reading fixtures: walks a JSON tree along tables of fields and collects every error with the
 * place it stands at. Knows JSON, but not what a product is. Private to the seed. */
#ifndef SKY_STORE_SEED_READ_H
#define SKY_STORE_SEED_READ_H

#include "protocol/base/json_tree.h"
#include "store/seed.h"

/* ---- errors and places ---- */

struct sky_seed_reader {
    const struct sky_seed_config *config;
    char pointer[SKY_WHY_POINTER_MAX]; /* JSON pointer to where we are; cut when too long */
    size_t pointer_len;
    size_t errors;
};

/* Goes down to a member or element; returns what sky_seed_up() needs to come back. */
size_t sky_seed_down_key(struct sky_seed_reader *reader, const char *key);
size_t sky_seed_down_index(struct sky_seed_reader *reader, size_t index);
void sky_seed_up(struct sky_seed_reader *reader, size_t mark);

/* Reports an error where we are. */
void sky_seed_error(struct sky_seed_reader *reader, const char *fmt, ...) SKY_PRINTF(2, 3);
/* The same, at member `key` of where we are. */
void sky_seed_error_at(struct sky_seed_reader *reader, const char *key, const char *fmt, ...)
    SKY_PRINTF(3, 4);

/* A reason that came from elsewhere, its pointer taken as below member `key` (NULL: below where we
 * are). */
void sky_seed_error_below(struct sky_seed_reader *reader, const char *key,
                          const struct sky_why *why);

/* A text from the input, fit for a message: cut to a bearable length, no control characters. */
enum { SKY_SEED_SHOWN_MAX = 48 };
struct sky_seed_shown {
    char text[SKY_SEED_SHOWN_MAX + 4];
};
struct sky_seed_shown sky_seed_show(const char *text);

/* ---- objects by table ---- */

enum sky_seed_kind {
    SKY_SEED_STRING,
    SKY_SEED_BOOL,
    SKY_SEED_LIST,
    SKY_SEED_OBJECT,
    SKY_SEED_MAP,
    SKY_SEED_ANY
};

/* A member that may or must be there. MAP is an object or a list. */
struct sky_seed_field {
    const char *name;
    enum sky_seed_kind kind;
    bool required;
    const cJSON *value; /* set by reading; NULL: absent, or of the wrong type (reported) */
};

/* Reports wrong types, missing and unknown members. False when `value` is no object at all.
 * `hint` may turn the name of an unknown member into one that was probably meant; may be NULL. */
bool sky_seed_object(struct sky_seed_reader *reader, const cJSON *value,
                     struct sky_seed_field *fields, size_t count,
                     const char *(*hint)(const struct sky_seed_reader *reader, const char *name,
                                         const struct sky_seed_field *fields, size_t count));

/* Reports when the value is not of that kind. */
bool sky_seed_is(struct sky_seed_reader *reader, const cJSON *value, enum sky_seed_kind kind);

/* Copies a string of 1 to `max` bytes without control characters; absent leaves `out` empty.
 * False, reported, when it breaks these bounds. */
bool sky_seed_text(struct sky_seed_reader *reader, const struct sky_seed_field *field, char *out,
                   size_t max);
bool sky_seed_key(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                  char out[SKY_KEY_MAX + 1]);
bool sky_seed_bool(const struct sky_seed_field *field, bool otherwise);

#endif
