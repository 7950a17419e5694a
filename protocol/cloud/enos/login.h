/* A CONNECT or a PSK identity taken apart by this cloud's grammar, and what its signatures are made
 * over. Private to this folder. */
#ifndef SKY_ENOS_LOGIN_H
#define SKY_ENOS_LOGIN_H

#include "protocol/cloud/admit.h"

enum {
    SKY_ENOS_CLIENT_ID_MAX = 64, /* characters in front of the block */
    SKY_ENOS_SIGNMETHODS = 6,
    SKY_ENOS_TIMESTAMP_DIGITS = 13,
    SKY_ENOS_LIFETIME_MIN_S = 30,
    SKY_ENOS_LIFETIME_MAX_S = 86400,
    SKY_ENOS_PSK_FROM = 8, /* the 9th byte, counted from one */
    SKY_ENOS_PSK_LEN = 16,
};

struct sky_enos_login {
    enum sky_shape shape;   /* of the client id */
    bool readable;          /* its block could be read, if not without fault */
    sky_span id;            /* what stands in front of the first bar, as it is signed */
    struct sky_pairs block; /* what stands between the bars */
    bool dynamic;           /* securemode=3: signed with the product secret */
    bool named;             /* the user name is a&b: */
    sky_span device, product;
};

/* Views into `login`. */
void sky_enos__read(const struct sky_login *login, struct sky_enos_login *ret_in);
/* The value of a key between the bars; `ptr` is NULL when it is absent. */
sky_span sky_enos__item(const struct sky_enos_login *in, const char *key);
/* Also under the name the document misspells; NULL when there is none or it is not known. */
const struct sky_signmethod *sky_enos__signmethod(const struct sky_enos_login *in);
struct sky_recipe sky_enos__recipe(const struct sky_enos_login *in, enum sky_digest digest);
/* The secret that is due, as registered. */
const char *sky_enos__secret(const struct sky_facts *facts, bool dynamic);

/* Judges whether the device may come by itself; true when it is to be refused. */
bool sky_enos__judge_direct(const struct sky_facts *facts, struct sky_judge *judge);

/* The topic a secret is handed out on, and the message that does it, in the arena. */
sky_span sky_enos__activation_topic(struct sky_arena *arena, sky_span product, sky_span device);
sky_span sky_enos__activation_json(struct sky_arena *arena, const struct sky_facts *facts,
                                   sky_span secret);
/* Appends the ACTIVATE with a new secret; returns the message. */
sky_span sky_enos__activate(const struct sky_facts *facts, struct sky_effects *effects);

/* productKey,deviceKey,secureMode,lifetime */
struct sky_enos_identity {
    bool four;   /* it has four fields; without blanks and braces around them: */
    bool blanks; /* there were some */
    bool braces;
    bool dynamic;
    sky_span product, device, mode, lifetime;
};
void sky_enos__read_identity(sky_span text, struct sky_enos_identity *ret_identity);

/* The parts of struct sky_cloud. */
bool sky_enos__claim(const struct sky_login *login, struct sky_claim *ret_claim);
void sky_enos__admit(const struct sky_login *login, const struct sky_facts *facts,
                     struct sky_judge *judge, struct sky_effects *effects,
                     struct sky_admission *ret_admission);
bool sky_enos__suspect(const struct sky_login *login, const struct sky_facts *facts,
                       struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
void sky_enos__sign(const struct sky_sign_request *request, struct sky_arena *arena,
                    struct sky_credentials *ret_credentials);
void sky_enos__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1]);
void sky_enos__subscribed(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects);
bool sky_enos__psk_claim(const struct sky_door *door, sky_span identity,
                         struct sky_claim *ret_claim);
bool sky_enos__psk_admit(const struct sky_door *door, sky_span identity,
                         const struct sky_facts *facts, struct sky_judge *judge,
                         struct sky_psk *ret_key);
size_t sky_enos__psk_guesses(const struct sky_door *door, sky_span identity,
                             const struct sky_facts *facts, struct sky_psk *ret_guesses);
void sky_enos__psk_credentials(const struct sky_sign_request *request, struct sky_arena *arena,
                               struct sky_credentials *ret_credentials);
bool sky_enos__coap_waiting_path(sky_span topic, char *out, size_t out_size);
int64_t sky_enos__coap_lifetime_ms(sky_span identity);
void sky_enos__coap(const struct sky_coap_call *call, const struct sky_facts *facts,
                    struct sky_judge *judge, struct sky_effects *effects,
                    struct sky_coap_decision *ret_decision);

/* The tables of struct sky_cloud. */
enum { SKY_ENOS_MISTAKES = 15 };
extern const struct sky_mistake_rule sky_enos__mistakes[SKY_ENOS_MISTAKES];
extern const struct sky_topic_table sky_enos__topics;

#endif
