/* The table of mistakes, and the variations that each stands for. Private to auth: explain.c tries
 * the variations and knows none by name. */
#ifndef SKY_AUTH_MISTAKES_H
#define SKY_AUTH_MISTAKES_H

#include "auth/suspicion.h"
#include "protocol/base/arena.h"

/* What a variation is a variation of. Two mistakes of one facet exclude each other. */
enum sky_facet {
    SKY_FACET_FIELDS, /* which fields */
    SKY_FACET_STYLE,  /* how written */
    SKY_FACET_ORDER,  /* in which order */
    SKY_FACET_KEYING, /* how the secret enters */
    SKY_FACET_SECRET, /* which secret */
    SKY_FACETS
};

/* How text and secret become a digest. */
enum sky_way {
    SKY_WAY_HMAC,
    SKY_WAY_APPEND,  /* digest of text, secret */
    SKY_WAY_PREPEND, /* digest of secret, text */
    SKY_WAY_SWAPPED, /* HMAC with the text as key */
    SKY_WAY_TWICE,   /* HMAC over text, secret */
    SKY_WAY_BARE,    /* digest of the text */
};

/* How far-fetched it is. Of two at once the ranks may add up to REMOTE. */
enum sky_rank { SKY_LIKELY, SKY_REMOTE, SKY_ALONE };

/* Writes `text` as something escaped it. */
typedef void sky_escape_fn(sky_span text, struct sky_buf *out);

/* One choice in one facet. */
struct sky_variant {
    enum sky_mistake mistake; /* NONE: as it is due */
    enum sky_rank rank;
    sky_span note; /* which of the mistake's forms it is, for people; may be empty */
    sky_span did;  /* continues "The device ..." better than the row's words; may be empty */
    union {
        struct {
            const struct sky_pair *list;
            size_t count;
        } fields;
        const uint8_t *order; /* a permutation of the due recipe's fields; NULL: as they come */
        struct {
            struct sky_style style;
            sky_span tail;         /* behind all */
            sky_escape_fn *escape; /* applied to all; NULL: not */
        } text;
        enum sky_way way;
        struct {
            sky_span key;
            struct sky_hmac_key *kept; /* of the key; NULL: not needed so far */
        } secret;
    };
};

enum { SKY_VARIANTS_MAX = 256 }; /* in one facet; what comes later is not tried */

/* All choices in all facets; [0] of each is the due one. */
struct sky_workshop {
    const struct sky_suspicion *suspicion;
    struct sky_arena arena;
    struct sky_variant list[SKY_FACETS][SKY_VARIANTS_MAX];
    size_t count[SKY_FACETS];
    struct sky_variant spare; /* takes what has no room */
};

/* Adds the variations that `self` stands for, if the suspicion has the material for any. */
typedef void sky_vary_fn(struct sky_workshop *shop, enum sky_mistake self);

struct sky_mistake_row {
    const char *name;  /* for programs */
    const char *did;   /* continues "The device ..." */
    const char *hint;  /* what to change, one sentence */
    sky_vary_fn *vary; /* NULL: recognised without varying what is signed */
};

/* Indexed by enum sky_mistake; the order of the enum is the order of trying. */
extern const struct sky_mistake_row sky_mistake_rows[SKY_MISTAKES];

/* Fills all facets. The suspicion must outlive the workshop. */
void sky_workshop_init(struct sky_workshop *shop, const struct sky_suspicion *suspicion);
void sky_workshop_done(struct sky_workshop *shop);

/* The next free variant of a facet, marked as `self`; the caller fills in its choice. */
struct sky_variant *sky_workshop_add(struct sky_workshop *shop, enum sky_facet facet,
                                     enum sky_mistake self);

/* The variations of which fields are signed, in vary_fields.c; of how they are written and how the
 * secret enters, in vary_text.c; of which secret, in vary_secret.c. */
sky_vary_fn sky_vary_whole_client_id, sky_vary_extra_signed, sky_vary_timestamp_left_out,
    sky_vary_timestamp_unsent, sky_vary_timestamp_unit, sky_vary_timestamp_twice,
    sky_vary_client_id_prefix, sky_vary_swapped_keys, sky_vary_field_names, sky_vary_text_part,
    sky_vary_field_forgotten, sky_vary_other_client_id, sky_vary_other_value, sky_vary_placeholder;
sky_vary_fn sky_vary_values_only, sky_vary_separators, sky_vary_text_tail, sky_vary_order,
    sky_vary_not_hmac, sky_vary_is_hmac, sky_vary_secret_in_front, sky_vary_hmac_swapped,
    sky_vary_secret_twice, sky_vary_no_secret, sky_vary_escaped;
sky_vary_fn sky_vary_not_decoded, sky_vary_decoded, sky_vary_product_secret, sky_vary_device_secret,
    sky_vary_old_secret, sky_vary_secret_whitespace, sky_vary_other_device, sky_vary_secret_cut,
    sky_vary_secret_altered;

/* What is left behind texts and secrets by those who read or write lines; the first is common. */
struct sky_tail {
    sky_span bytes;
    const char *what;
};
enum { SKY_TAILS = 6 };
extern const struct sky_tail sky_tails[SKY_TAILS];

#endif
