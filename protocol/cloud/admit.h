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

/* What a signature comes to: `enforced` says that it was wrong and is refused for it. One that is
 * wrong and let in all the same deserves its explanation, too. */
void sky_admit_signature(struct sky_admission *admission, bool right, bool enforced);

/* The last step: a rule that was broken and is enforced refuses, whatever step it belongs to. */
void sky_admit_settle(struct sky_admission *admission, const struct sky_judge *judge);

/* The user name DEVICE&PRODUCT; false, and nothing taken, when it is not that. */
bool sky_admit_names(sky_span username, sky_span *ret_device, sky_span *ret_product);

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

/* For sign(): the signature as it is sent, and a pre-shared key in hex, in the arena. */
sky_span sky_credentials_signature(const struct sky_recipe *recipe, const char *secret,
                                   struct sky_arena *arena);
sky_span sky_credentials_key(const struct sky_psk *key, struct sky_arena *arena);

/* Adds to the material of an explanation what is there: empty values are left out. */
void sky_suspect_secret(struct sky_suspicion *suspicion, enum sky_secret_role role, sky_span bytes);
void sky_suspect_extra(struct sky_suspicion *suspicion, const char *name, sky_span value);

/* What a cloud's documents and SDKs have in a field's place. */
struct sky_sample {
    const char *key, *value;
};
void sky_suspect_samples(struct sky_suspicion *suspicion, const struct sky_sample *samples,
                         size_t count);

/* The item whose key is `wanted` but for letter case, '_' or '-'; NULL: there is none, or one that
 * is spelt right. */
const struct sky_pair *sky_pairs_misspelt(const struct sky_pairs *pairs, const char *wanted);
/* "; there is signMethod", for the finding that a key is missing; empty: nothing is like it. */
sky_span sky_misspelt_note(const struct sky_pairs *pairs, const char *wanted, char room[static 80]);
/* Notes in the suspicion that a parameter went by another name than it has here. */
void sky_suspect_spelling(struct sky_suspicion *suspicion, sky_span sent, const char *wanted,
                          struct sky_arena *arena);

/* What stands behind an identity that belongs to no text, as a phrase ("a line break"), and takes
 * it off; NULL: nothing. */
const char *sky_identity_tail(sky_span *identity);

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
