/* The form in which one cloud's vendor writes models, as tables; and what a model is compiled to.
 * For the clouds' folders and for model*.c alone. */
#ifndef SKY_CLOUD_MODEL_FORM_H
#define SKY_CLOUD_MODEL_FORM_H

#include "protocol/base/arena.h"
#include "protocol/base/json.h"
#include "protocol/cloud/model.h"

/* ---- a cloud's form ---- */

enum sky_model_kind {
    SKY_MODEL_INT,
    SKY_MODEL_FLOAT,
    SKY_MODEL_DOUBLE,
    SKY_MODEL_BOOL,
    SKY_MODEL_CHOICE, /* an enum: of numbers or of texts, by its form */
    SKY_MODEL_TEXT,
    SKY_MODEL_TIMESTAMP, /* digits, milliseconds or seconds */
    SKY_MODEL_DATE,      /* yyyy-MM-dd HH:mm:ss */
    SKY_MODEL_STRUCT,
    SKY_MODEL_ARRAY,
    SKY_MODEL_KINDS,
    SKY_MODEL_ANY = SKY_MODEL_KINDS, /* in rows of codes */
};

/* How a value is written, or'ed; and what else sets a kind apart. */
enum {
    SKY_MODEL_AS_NUMBER = 1 << 0,
    SKY_MODEL_AS_TEXT = 1 << 1,
    SKY_MODEL_AS_LITERAL = 1 << 2,    /* true and false */
    SKY_MODEL_IN_CHARACTERS = 1 << 3, /* a text's length, instead of bytes */
    SKY_MODEL_WITH_MAPPING = 1 << 4,  /* a bool's two values must have their texts */
    SKY_MODEL_WITH_QUALITY = 1 << 5,  /* {"value":n,"quality":q} when the model says so */
};

/* A type by the vendor's name. */
struct sky_model_kind_row {
    const char *name;
    enum sky_model_kind kind;
    unsigned forms, tolerated;
    double min, max; /* what a number can hold; of a text its length and of an array its size where
                        the model says nothing. `max` 0: no bound */
};

/* Where a type is written. */
enum sky_model_place { SKY_MODEL_OF_FIELD, SKY_MODEL_OF_MEMBER, SKY_MODEL_OF_ELEMENT };

struct sky_model_shape {
    sky_span name;  /* of the type, without quotes; empty: it has none */
    sky_span specs; /* what else is said of it; may be empty */
    unsigned forms; /* in place of the row's; 0: those count */
};

/* The vendor's names of members; NULL: there is no such. */
struct sky_model_keys {
    const char *id, *required;
    const char *access;  /* its value holds a 'w' where the application may write */
    const char *quality; /* true: values have one */
    /* In the specs: */
    const char *min, *max, *length_min, *length_max, *size;
    const char *mapping, *members, *element; /* NULL: the specs themselves */
};

/* Top-level members, by what they hold. */
enum sky_model_group {
    SKY_MODEL_GROUP_PROPERTIES,
    SKY_MODEL_GROUP_ATTRIBUTES,
    SKY_MODEL_GROUP_EVENTS,
    SKY_MODEL_GROUP_SERVICES,
    SKY_MODEL_GROUPS,
};
struct sky_model_group_row {
    const char *key;        /* NULL: the cloud has none of these */
    const char *in, *out;   /* of events and services */
    const char *const *own; /* ids that the cloud itself puts there: left out. Ends with NULL;
                               NULL: none */
};

/* The first row that fits a fault has its code. */
struct sky_model_code {
    enum sky_model_fault_kind fault;
    enum sky_model_kind kind; /* of the value due; ANY: also where there is none */
    int code;
};

struct sky_model_build;

struct sky_cloud_model {
    const struct sky_model_kind_row *kinds;
    size_t kind_count;
    struct sky_model_keys keys;
    struct sky_model_group_row groups[SKY_MODEL_GROUPS];
    void (*shape)(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                  struct sky_model_shape *ret_shape);
    size_t items_max; /* properties and events together; 0: no such limit */
    const struct sky_model_code *codes;
    size_t code_count;
    int code;                         /* for all other faults */
    const struct sky_rule *rule;      /* broken by what does not fit */
    const struct sky_rule *form_rule; /* by what is tolerated; NULL: nothing is */
};

/* A piece of the model that is written as a string which holds JSON: its value, or an empty span
 * with the fault noted. */
sky_span sky_model_unwrap(struct sky_model_build *build, sky_span string);

/* ---- what it is compiled to ---- */

struct sky_model_set {
    const struct sky_model_field *fields; /* in the order of their ids */
    size_t count;
};

struct sky_model_type {
    const struct sky_model_kind_row *row;
    unsigned forms;
    bool quality;
    double min, max;         /* of number, length or size; `max` 0 of the last two: none */
    const sky_span *choices; /* as written between quotes, in order */
    size_t choice_count;
    struct sky_model_set members;
    const struct sky_model_type *element; /* NULL: any */
};

struct sky_model_field {
    sky_span id; /* as it is written in the text, without its quotes */
    bool required, read_only;
    struct sky_model_type type;
};

/* An event or a service. */
struct sky_model_act {
    sky_span id;
    struct sky_model_set in, out;
};

struct sky_model {
    const struct sky_cloud_model *form;
    struct sky_arena arena; /* all that follows */
    sky_span text;
    struct sky_model_set sets[SKY_MODEL_GROUP_ATTRIBUTES + 1];
    struct {
        const struct sky_model_act *acts; /* in the order of their ids */
        size_t count;
    } acts[SKY_MODEL_GROUPS];
};

#endif
