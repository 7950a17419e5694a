/* What the services on $thing have in common: a message is taken apart, judged in the documented
 * order, and answered with the code of the first thing wrong. Private to this folder. */
#ifndef SKY_TENCENT_SERVICES_THING_H
#define SKY_TENCENT_SERVICES_THING_H

#include "protocol/cloud/model.h"
#include "protocol/cloud/tencent/services.h"

/* One message on its way through. */
struct sky_tencent_thing {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    const char *down;     /* prefix of the topic that answers */
    const char *reply_to; /* the method that answers, where the message names none that is known */
    sky_span text, method, params; /* the whole object; the method without quotes, the message's
                                      unless it is known already */
    sky_span token;                /* as it came, empty when there is none to echo */
    int code;                      /* enum sky_tencent_thing_code, or the model's */
    char status[SKY_WHY_REASON_MAX];
};

/* One method of a topic. */
struct sky_tencent_method {
    const char *name;
    const char *reply; /* the method that answers; NULL: none does */
    /* Judges the rest with sky_tencent__thing_bad(), and does what is asked if nothing is; appends
     * the answer itself only where it is more than a code. */
    void (*run)(struct sky_tencent_thing *thing);
};

/* Finds the method, runs it, answers. */
void sky_tencent__thing(struct sky_tencent_thing *thing, const struct sky_tencent_method *methods,
                        size_t count);

/* States that a rule was kept or not. True when it was not: the code is set, and no other takes its
 * place. What is wrong is refused even where the rule is only reported: there is nothing sensible
 * to keep of it. */
bool sky_tencent__thing_bad(struct sky_tencent_thing *thing, enum sky_tencent_thing_code code,
                            const struct sky_rule *rule, bool kept, const char *fmt, ...)
    SKY_PRINTF(5, 6);

/* The timestamp of the message or of an event in it, milliseconds: absent, 0 from devices without a
 * clock, or within a day of now. */
bool sky_tencent__thing_late(struct sky_tencent_thing *thing, sky_span timestamp);
/* Parameters that are no object, or have a null in them, which is no value of any type. */
bool sky_tencent__thing_misfit(struct sky_tencent_thing *thing, sky_span params);

/* Parameters that do not fit the product's model, judged; the code is the model's. Nothing is unfit
 * where the product has none. */
bool sky_tencent__thing_unfit(struct sky_tencent_thing *thing, enum sky_model_part part,
                              sky_span id, sky_span params);

/* The answer {"method","clientToken","code","status"...}, which `more` follows: members of the
 * object, or the empty span. */
void sky_tencent__thing_reply(struct sky_tencent_thing *thing, const char *method, sky_span more);
/* The answer to a command that was sent to `down`. */
void sky_tencent__thing_answer(struct sky_tencent_thing *thing);

#endif
