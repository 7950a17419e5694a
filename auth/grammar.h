/* The little grammars that IoT logins are written in. Views into the input, no allocation.
 * Knows shapes, not meanings: which keys matter is the cloud's business. */
#ifndef SKY_AUTH_GRAMMAR_H
#define SKY_AUTH_GRAMMAR_H

#include "protocol/base/span.h"

enum { SKY_PAIRS_MAX = 24 };

struct sky_pair {
    sky_span key, value;
};

/* An ordered list of key=value. */
struct sky_pairs {
    struct sky_pair list[SKY_PAIRS_MAX];
    size_t count;
    bool padded; /* blanks or control characters stood around an item and were trimmed */
};

/* NULL when absent; the first of equal keys. */
const struct sky_pair *sky_pairs_find(const struct sky_pairs *pairs, const char *key);

/* What is wrong with an input's shape; OK is 0. */
enum sky_shape {
    SKY_SHAPE_OK,
    SKY_SHAPE_NO_BAR,       /* no '|' at all */
    SKY_SHAPE_NOT_CLOSED,   /* the block has no closing '|', or text follows it */
    SKY_SHAPE_NO_EQUALS,    /* an item without '=' or with an empty key */
    SKY_SHAPE_TOO_MANY,     /* more than SKY_PAIRS_MAX items */
    SKY_SHAPE_FIELD_COUNT,  /* not the number of fields wanted */
    SKY_SHAPE_BAD_ENCODING, /* broken %XX in a form */
};
const char *sky_shape_text(enum sky_shape shape); /* a phrase for messages */

/* `cid|k=v,k=v|`: split at the first '|' only, items in any order. Blanks and control characters
 * around keys, values and behind the closing bar are trimmed and leave the `padded` mark. Sets all
 * out-parameters except on NO_BAR and TOO_MANY; with NOT_CLOSED and NO_EQUALS they hold what could
 * be read. `*ret_block` is the part from the first bar on. */
enum sky_shape sky_grammar_barred(sky_span text, sky_span *ret_head, sky_span *ret_block,
                                  struct sky_pairs *ret_pairs);

/* `a<at>b<at>c`, exactly `count` fields. */
enum sky_shape sky_grammar_fields(sky_span text, char at, sky_span *ret_fields, size_t count);

/* application/x-www-form-urlencoded, blanks around items trimmed. What is decoded is written into
 * `scratch`, as long as the text at least, and is valid as long as that. */
enum sky_shape sky_grammar_form(sky_span text, char *scratch, size_t scratch_size,
                                struct sky_pairs *ret_pairs);

#endif
