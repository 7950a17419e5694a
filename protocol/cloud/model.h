/* Thing models: what a product's devices may report and be told, and whether a message keeps to it.
 * A cloud's own form of model is compiled once for each product; the messages are then read in
 * place. What a form looks like is in model_form.h, one of a cloud's in its folder's model.c.
 *
 * In the handler of a service: facts carry the product's model, NULL where it has none, which takes
 * everything. Where the cloud drops bad properties one by one:
 *
 *     const struct sky_model_ask ask = {facts->model, envelope.text, judge};
 *     while (sky_json_next_member(&rest, &property)) {
 *         struct sky_model_fault fault;
 *         sky_span value = ...; // without {"value":..,"time":..} around it
 *         if (sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE, property.key, value,
 *                                   &fault))
 *             put_property(...);
 *         else
 *             note(property.key, fault.code); // and sky_model_say(&fault, text, sizeof text)
 *     }
 *
 * Where it refuses the whole, and for what has an id of its own, as events and services have:
 *
 *     if (!sky_model_takes(&ask, SKY_MODEL_EVENT, id, params, 0, &fault))
 *         reply(..., fault.code);
 *
 * Both judge the cloud's rule, kept or broken, with findings that name the JSON pointer of each
 * value that does not fit: `message` is the whole text that the values are pieces of. A value whose
 * form is merely tolerated breaks a milder rule, and is taken. With the rule off, the model is not
 * looked at. Names are as they are written in the message, without their quotes.
 *
 * For what a device is sent, there is nobody to judge: sky_model_check() with SKY_MODEL_WRITE for
 * properties that are to be set, SKY_MODEL_COMPLETE for the input of a service; sky_model_say()
 * puts the first fault into words. What the cloud answers when a device asks for the model is made
 * of sky_model_text(). */
#ifndef SKY_CLOUD_MODEL_H
#define SKY_CLOUD_MODEL_H

#include "protocol/base/rule.h"

enum {
    SKY_MODEL_TEXT_MAX = 256 * 1024, /* bytes of a model as it is given */
    SKY_MODEL_DEPTH_MAX = 4,         /* of values in values: an array of a struct's members is 3 */
    SKY_MODEL_TYPES_MAX = 4096,      /* of all values, members and elements */
    SKY_MODEL_FIELDS_MAX = 1024,     /* properties, or members of one struct, or inputs, ... */
    SKY_MODEL_CHOICES_MAX = 1024,    /* values of one enum */
    SKY_MODEL_ID_MAX = 128,          /* bytes of an identifier */
    SKY_MODEL_WHYS_MAX = 8,
    SKY_MODEL_SENTENCE_MAX = 192,
};

struct sky_model; /* immutable */
struct sky_cloud_model;
struct sky_model_type;

/* What is wrong with a model, in the order of its text; those beyond the room are counted. */
struct sky_model_whys {
    struct sky_why list[SKY_MODEL_WHYS_MAX];
    size_t count, lost;
};

/* Reads a model of this cloud's form. On SKY_OK the caller frees it with sky_model_free(); else
 * INVALID or LIMIT, and there is at least one why. `whys` may be NULL. */
SKY_MUST_USE sky_err sky_model_compile(const struct sky_cloud_model *form, sky_span text,
                                       struct sky_model **ret_model, struct sky_model_whys *whys);
void sky_model_free(struct sky_model *model); /* NULL is none */

/* The text it was compiled from, without blanks; lives as long as the model. */
sky_span sky_model_text(const struct sky_model *model);

/* ---- checking ---- */

/* What a value may belong to. */
enum sky_model_part {
    SKY_MODEL_PROPERTIES, /* or measure points */
    SKY_MODEL_ATTRIBUTES,
    SKY_MODEL_EVENT,       /* what it reports; needs the event's id */
    SKY_MODEL_SERVICE_IN,  /* what a service, or action, is called with; needs its id */
    SKY_MODEL_SERVICE_OUT, /* and what it returns */
};

/* What to look for besides unknown names and wrong values, or'ed. */
enum {
    SKY_MODEL_REQUIRED = 1 << 0, /* all that the model marks as required */
    SKY_MODEL_COMPLETE = 1 << 1, /* all that the model has */
    SKY_MODEL_WRITE = 1 << 2,    /* the application sets these: none is read-only */
};

enum sky_model_fault_kind {
    SKY_MODEL_FINE,
    SKY_MODEL_FORM,       /* taken, but documented otherwise */
    SKY_MODEL_NO_ITEM,    /* no such event or service */
    SKY_MODEL_NOT_OBJECT, /* no object of names and values at all */
    SKY_MODEL_UNKNOWN,    /* no such property, or parameter, or member (`type` is the struct) */
    SKY_MODEL_TYPE,
    SKY_MODEL_ELEMENT, /* of an array, and of another type than it */
    SKY_MODEL_RANGE,
    SKY_MODEL_LENGTH,
    SKY_MODEL_ENUM,
    SKY_MODEL_SIZE,
    SKY_MODEL_QUALITY, /* is missing, or out of range */
    SKY_MODEL_MISSING,
    SKY_MODEL_ACCESS,
};

/* One fault; all of it points into the message and the model. */
struct sky_model_fault {
    enum sky_model_fault_kind kind;
    int code;                          /* the cloud's; 0 when it is FINE or FORM */
    sky_span name;                     /* of the property or parameter, or of the struct's member */
    sky_span value;                    /* what is wrong; of what is missing, the object around it */
    const struct sky_model_type *type; /* that the model has for the value; NULL: it has none */
};

/* Is `name` in that part of the model, and does `value` fit it? `id` is an event's or a service's,
 * or empty. The first fault, with kind FINE when there is none; returns its kind. */
enum sky_model_fault_kind sky_model_check_value(const struct sky_model *model,
                                                enum sky_model_part part, sky_span id,
                                                sky_span name, sky_span value, unsigned flags,
                                                struct sky_model_fault *ret_fault);

/* The same for an object of names and values: tells each one's first fault to `on_fault`, then what
 * is missing. Returns how many faults there are, FORM among them. */
size_t sky_model_check(const struct sky_model *model, enum sky_model_part part, sky_span id,
                       sky_span object, unsigned flags,
                       void (*on_fault)(void *ctx, const struct sky_model_fault *fault), void *ctx);

/* A sentence about a fault, without its place. */
void sky_model_say(const struct sky_model_fault *fault, char *out, size_t out_size);

/* Would the model have these parameters of a command? NULL has them all. What is merely of another
 * form is sent, and a point that is reported with its quality is set without. Else `why` says what
 * is wrong, and with which code the cloud refuses it. */
bool sky_model_sends(const struct sky_model *model, enum sky_model_part part, sky_span id,
                     sky_span params, unsigned flags, struct sky_why *why);

/* ---- checking and judging in one ---- */

struct sky_model_ask {
    const struct sky_model *model; /* NULL: everything is taken, nothing judged */
    sky_span message;              /* the root that a finding's pointer begins at */
    struct sky_judge *judge;
};

/* May the cloud take this? On false `ret_fault`, which may be NULL, is the first one refused. */
bool sky_model_takes_value(const struct sky_model_ask *ask, enum sky_model_part part, sky_span id,
                           sky_span name, sky_span value, struct sky_model_fault *ret_fault);
bool sky_model_takes(const struct sky_model_ask *ask, enum sky_model_part part, sky_span id,
                     sky_span object, unsigned flags, struct sky_model_fault *ret_fault);

#endif
