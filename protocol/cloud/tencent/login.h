/* A CONNECT taken apart by this cloud's grammar, and what its signatures are made over. Private to
 * this folder. */
#ifndef SKY_TENCENT_LOGIN_H
#define SKY_TENCENT_LOGIN_H

#include "protocol/cloud/admit.h"

enum {
    SKY_TENCENT_PRODUCT_ID = 10, /* characters of a product id */
    SKY_TENCENT_KEY_MAX = 96,    /* bytes of a decoded device key */
    SKY_TENCENT_KEY_BYTES = 16,  /* bytes of one made here */
    SKY_TENCENT_SIGN_AHEAD_S = 3600,
    SKY_TENCENT_SIGNMETHODS = 2,
};

struct sky_tencent_login {
    bool four; /* the user name has four fields: */
    sky_span client_id, sdkappid, connid, expiry;
    bool pair; /* the password has two: */
    sky_span token, method;
};

/* Views into `login`. */
void sky_tencent__read(const struct sky_login *login, struct sky_tencent_login *ret_in);

extern const struct sky_signmethod sky_tencent__signmethods[SKY_TENCENT_SIGNMETHODS];
const struct sky_signmethod *sky_tencent__signmethod(sky_span name); /* NULL: not known */

/* The user name, field by field; as a whole where it does not have them. */
struct sky_recipe sky_tencent__recipe(const struct sky_login *login,
                                      const struct sky_tencent_login *in, enum sky_digest digest);

/* The parts of struct sky_cloud. */
bool sky_tencent__claim(const struct sky_login *login, struct sky_claim *ret_claim);
void sky_tencent__admit(const struct sky_login *login, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects,
                        struct sky_admission *ret_admission);
bool sky_tencent__suspect(const struct sky_login *login, const struct sky_facts *facts,
                          struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
void sky_tencent__sign(const struct sky_sign_request *request, struct sky_arena *arena,
                       struct sky_credentials *ret_credentials);
sky_err sky_tencent__check_secret(sky_span secret, struct sky_why *why);
void sky_tencent__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1]);
bool sky_tencent__psk_claim(const struct sky_door *door, sky_span identity,
                            struct sky_claim *ret_claim);
bool sky_tencent__psk_admit(const struct sky_door *door, sky_span identity,
                            const struct sky_facts *facts, struct sky_judge *judge,
                            struct sky_psk *ret_key);
size_t sky_tencent__psk_guesses(const struct sky_door *door, sky_span identity,
                                const struct sky_facts *facts, struct sky_psk *ret_guesses);
/* The body of POST /register/dev, for `skymock sign`. */
void sky_tencent__sign_registration(const struct sky_sign_request *request, struct sky_arena *arena,
                                    struct sky_credentials *ret_credentials);

/* The tables of struct sky_cloud. */
enum { SKY_TENCENT_MISTAKES = 2, SKY_TENCENT_HTTP_CALLS = 5 };
extern const struct sky_mistake_rule sky_tencent__mistakes[SKY_TENCENT_MISTAKES];
extern const struct sky_topic_table sky_tencent__topics;
extern const struct sky_http_row sky_tencent__http[SKY_TENCENT_HTTP_CALLS];

#endif
