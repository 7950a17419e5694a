/* Effects: what a cloud wants done, as a list of values. The dialects only append here; the server
 * applies the list in one place, in order. */
#ifndef SKY_CLOUD_EFFECTS_H
#define SKY_CLOUD_EFFECTS_H

#include "protocol/base/arena.h"
#include "protocol/base/facts.h"
#include "protocol/base/span.h"

enum sky_effect_kind {
    SKY_EFFECT_REPLY,        /* answer to this uplink: published to the device if it subscribed to
                                the topic (or the session subscribes by itself); the body of the
                                acknowledgement over CoAP */
    SKY_EFFECT_PUSH,         /* to this device whether or not it subscribed */
    SKY_EFFECT_PUBLISH,      /* to everyone subscribed */
    SKY_EFFECT_PUT_DOCUMENT, /* replace the device's document `name` */
    SKY_EFFECT_ACTIVATE,     /* the device's secret becomes `payload`, handed out, not yet used */
    SKY_EFFECT_ONLINE,       /* the device is in use with its present secret from now on */
    SKY_EFFECT_RESET,        /* it may fetch a secret again, as before it was ever in use */
    SKY_EFFECT_MINT_TOKEN,   /* a login token: `name` is its id, `payload` the token */
    SKY_EFFECT_ANSWER,       /* the device answered the command with correlation id `name`, one
                                that goes to a topic within the filter `answers` */
    SKY_EFFECT_BIND,         /* `devices` stand behind this gateway from now on, and, unless the
                                cloud shares them, behind no other */
    SKY_EFFECT_UNBIND,       /* they do not any more; those online go offline */
    SKY_EFFECT_LOGIN,        /* they are online by this gateway, and nowhere else */
    SKY_EFFECT_LOGOUT,       /* they are not any more */
    SKY_EFFECT_REGISTER,     /* `registrations` become devices */
    SKY_EFFECT_UPGRADE,      /* the upgrade of the module `name` came into another state: `state`,
                                and why, `payload`; see ota.h */
    SKY_EFFECT_CLOSE,        /* close the connection after `delay_ms` */
    SKY_EFFECT_NOTE,         /* only for the journal: `name` says what, `payload` details */
};

/* A device to be. */
struct sky_registration {
    int64_t product_id;
    sky_span device, secret;
};

struct sky_effect {
    enum sky_effect_kind kind;
    uint8_t qos;
    int64_t subject; /* id of the device behind this gateway to which it happens; 0: whose uplink
                        this is */
    sky_span topic, name, payload, answers; /* live in the list's arena or are static */
    int64_t delay_ms;       /* CLOSE: how long from now; MINT_TOKEN: how long it is valid;
                               PUSH: how long it may wait for a device that fetches, 0: as
                               long as can be, negative: only while the device is online */
    int64_t version;        /* PUT_DOCUMENT: the document's new version */
    const int64_t *devices; /* ids, in the arena: BIND, UNBIND, LOGIN, LOGOUT */
    const struct sky_registration *registrations; /* REGISTER */
    size_t device_count;                          /* of either */
    const char *state;                            /* UPGRADE: the name of its state */
    uint8_t coap_code; /* REPLY: what a CoAP answer says in its place; 0: it is the body */
    bool in_order;     /* ANSWER: this kind carries no id; it is to the command that waits longest
                          of those within `answers` */
};

enum {
    SKY_EFFECTS_MAX = 256,   /* one for each device that a gateway's message names, and some */
    SKY_EFFECTS_ROOM = 4096, /* bytes that need no memory taken */
};

/* A local value of the act at hand. It points into itself: not to be copied. */
struct sky_effects {
    struct sky_arena arena;
    _Alignas(max_align_t) char room[SKY_EFFECTS_ROOM];
    struct sky_effect list[SKY_EFFECTS_MAX];
    size_t count;
};

void sky_effects_init(struct sky_effects *effects);
void sky_effects_done(struct sky_effects *effects);
void sky_effects_clear(struct sky_effects *effects);

/* Appends a zeroed effect of that kind and returns it to be filled in. Asserts on one too many: a
 * handler has a fixed, small number of effects. */
struct sky_effect *sky_effects_add(struct sky_effects *effects, enum sky_effect_kind kind);

/* ONLINE, unless the device has been in use with its present secret before. */
void sky_effects_online(struct sky_effects *effects, const struct sky_device *device);

/* The common ones in one call. The spans must live in `effects->arena` or be static. */
void sky_effects_message(struct sky_effects *effects, enum sky_effect_kind kind, sky_span topic,
                         sky_span payload, uint8_t qos);

#endif
