/* What the admissions of all clouds have in common: refusing once, signing methods by name, what
 * the channel proves, and the material of explanations. Knows no cloud's grammar. */
#ifndef SKY_CLOUD_ADMIT_H
#define SKY_CLOUD_ADMIT_H

#include "protocol/cloud/cloud.h"

enum { SKY_ADMIT_SHOWN = 48 }; /* characters of a peer's text that a finding quotes */

/* Shortens a peer's text to what a finding quotes. */
sky_span sky_admit_shown(sky_span text);
/* The same for the value of a key that may be missing (`ptr` NULL): "missing" then. */
sky_span sky_admit_value(sky_span value);

/* Refuses, unless that has happened already: the first reason is the one told. */
void sky_admit_refuse(struct sky_admission *admission, uint8_t connack, enum sky_cause cause);

/* The last step: a rule that was broken and is enforced refuses, whatever step it belongs to. */
void sky_admit_settle(struct sky_admission *admission, const struct sky_judge *judge);

/* Characters, not bytes, of UTF-8 text. */
size_t sky_admit_chars(sky_span text);
bool sky_admit_has_lower(sky_span text);

/* A cloud's name for a digest. */
struct sky_signmethod {
    const char *name;
    enum sky_digest digest;
};
/* NULL: not one of `rows`. */
const struct sky_signmethod *sky_signmethod_find(const struct sky_signmethod *rows, size_t count,
                                                 sky_span name);

/* A recipe in the making: appends a field to the signed text. False when there are too many. */
bool sky_recipe_add(struct sky_recipe *recipe, const char *name, sky_span value);
/* As sky_sign_matches(), but a secret that is not there matches nothing. */
bool sky_recipe_matches(const struct sky_recipe *recipe, const char *secret, sky_span hex);
/* The signature in hex; `out` takes SKY_DIGEST_HEX_MAX + 1. */
void sky_recipe_hex(const struct sky_recipe *recipe, sky_span secret, bool upper, char *out);

/* Adds to the material of an explanation what is there: empty values are left out. */
void sky_suspect_secret(struct sky_suspicion *suspicion, enum sky_secret_role role, sky_span bytes);
void sky_suspect_extra(struct sky_suspicion *suspicion, const char *name, sky_span value);

/* A right signature keeps every rule that a mistake in it would have broken. */
void sky_admit_no_mistake(const struct sky_mistake_rule *rows, size_t count,
                          struct sky_judge *judge);

/* What the certificate says about the device that the login names. */
enum sky_certificate {
    SKY_CERTIFICATE_NONE,    /* none was shown */
    SKY_CERTIFICATE_STRANGE, /* nobody's: not registered, and not from a trusted authority */
    SKY_CERTIFICATE_OWN,     /* registered for the device, or issued in its name */
    SKY_CERTIFICATE_OTHER,   /* registered for another device, or issued in another's name */
};
enum sky_certificate sky_admit_certificate(const struct sky_door *door,
                                           const struct sky_facts *facts);
/* Judges whether one is shown where product or listener require it, and whether what is shown is
 * the device's. True when the login is to be refused. */
bool sky_admit_judge_certificate(const struct sky_door *door, const struct sky_facts *facts,
                                 const struct sky_rule *required, const struct sky_rule *own,
                                 struct sky_judge *judge);

/* Did some other device's pre-shared key open the channel? */
static inline bool sky_door_is_others(const struct sky_door *door, const struct sky_device *device)
{
    return door->psk_device_id != 0 && door->psk_device_id != device->id;
}

/* The value of an HTTP header, name in any case; empty when it is absent. */
sky_span sky_http_header(const struct sky_http_request *request, const char *name);

static inline bool sky_door_is_websocket(const struct sky_door *door)
{
    return door->transport == SKY_WS || door->transport == SKY_WSS;
}

static inline bool sky_door_is_encrypted(const struct sky_door *door)
{
    return door->transport != SKY_TCP && door->transport != SKY_HTTP && door->transport != SKY_WS;
}

#endif
