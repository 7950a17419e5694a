/* A CONNECT taken apart by this cloud's grammar, and the texts that its signatures are made over.
 * Private to this folder. */
#ifndef SKY_ALIYUN_LOGIN_H
#define SKY_ALIYUN_LOGIN_H

#include "protocol/cloud/admit.h"

enum sky_aliyun_kind {
    SKY_ALIYUN_DIRECT,   /* signed with the device secret */
    SKY_ALIYUN_REGISTER, /* signed with the product secret, to fetch the device's */
    SKY_ALIYUN_TOKEN,    /* with what POST /auth/devicename returned */
};

enum {
    SKY_ALIYUN_CLIENT_ID_MAX = 64,  /* characters in front of the block */
    SKY_ALIYUN_TOKEN_ID_CHARS = 20, /* iotId and iotToken, as in the documented example */
    SKY_ALIYUN_TOKEN_CHARS = 32,
    SKY_ALIYUN_REGISTER_CLOSE_MS = 15 * 1000,
    SKY_ALIYUN_SIGNMETHODS = 3,
};

struct sky_aliyun_login {
    enum sky_aliyun_kind kind;
    enum sky_shape shape;   /* of the client id */
    bool readable;          /* the client id's block could be read, if not without fault */
    sky_span id;            /* the part of the client id that is signed */
    struct sky_pairs block; /* what stands between the bars */
    bool named;             /* the user name is a&b: */
    sky_span device, product;
};

/* Views into `login`. */
void sky_aliyun__read(const struct sky_login *login, struct sky_aliyun_login *ret_in);
/* The value of a key between the bars; `ptr` is NULL when it is absent. */
sky_span sky_aliyun__item(const struct sky_aliyun_login *in, const char *key);
/* authType in either spelling. */
sky_span sky_aliyun__auth_type(const struct sky_aliyun_login *in);

extern const struct sky_signmethod sky_aliyun__signmethods[SKY_ALIYUN_SIGNMETHODS];
/* hmacmd5 when it is not stated; NULL when it is not known. */
const struct sky_signmethod *sky_aliyun__signmethod(const struct sky_aliyun_login *in);
/* One without a name is hmacmd5. */
const struct sky_signmethod *sky_aliyun__signmethod_named(sky_span name);
/* As above, but what was meant by a misspelt item is what was signed with; `*ret_misspelt` is that
 * item, or NULL. */
const struct sky_signmethod *sky_aliyun__signmethod_meant(const struct sky_pairs *items,
                                                          const struct sky_pair **ret_misspelt);

enum { SKY_ALIYUN_SAMPLES = 6 };
extern const struct sky_sample sky_aliyun__samples[SKY_ALIYUN_SAMPLES];

/* The login's text, or the registration's, in the order of the alphabet. */
struct sky_recipe sky_aliyun__recipe(const struct sky_aliyun_login *in, enum sky_digest digest);
struct sky_recipe sky_aliyun__register_recipe(sky_span product, sky_span device, sky_span random,
                                              enum sky_digest digest);
/* {"productKey":..,"deviceName":..,"deviceSecret":..} in the arena. */
sky_span sky_aliyun__secret_json(struct sky_arena *arena, const struct sky_facts *facts,
                                 sky_span secret);

/* The parts of struct sky_cloud. */
bool sky_aliyun__claim(const struct sky_login *login, struct sky_claim *ret_claim);
void sky_aliyun__admit(const struct sky_login *login, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects,
                       struct sky_admission *ret_admission);
bool sky_aliyun__suspect(const struct sky_login *login, const struct sky_facts *facts,
                         struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
void sky_aliyun__sign(const struct sky_sign_request *request, struct sky_arena *arena,
                      struct sky_credentials *ret_credentials);
void sky_aliyun__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1]);
bool sky_aliyun__psk_claim(const struct sky_door *door, sky_span identity,
                           struct sky_claim *ret_claim);
bool sky_aliyun__psk_admit(const struct sky_door *door, sky_span identity,
                           const struct sky_facts *facts, struct sky_judge *judge,
                           struct sky_psk *ret_key);
size_t sky_aliyun__psk_guesses(const struct sky_door *door, sky_span identity,
                               const struct sky_facts *facts, struct sky_psk *ret_guesses);
void sky_aliyun__psk_credentials(const struct sky_sign_request *request, struct sky_arena *arena,
                                 struct sky_credentials *ret_credentials);

/* Does a device come by itself that may not? Judges it for every way in. */
bool sky_aliyun__judge_direct(const struct sky_product *product, struct sky_judge *judge);

/* The other kinds of login, for admit.c. */
void sky_aliyun__admit_token(const struct sky_login *login, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects,
                             struct sky_admission *ret_admission);
void sky_aliyun__admit_register(const struct sky_login *login, const struct sky_aliyun_login *in,
                                const struct sky_facts *facts, struct sky_judge *judge,
                                struct sky_effects *effects, struct sky_admission *ret_admission);

/* The tables of struct sky_cloud. */
enum { SKY_ALIYUN_MISTAKES = 8, SKY_ALIYUN_HTTP_CALLS = 2 };
extern const struct sky_mistake_rule sky_aliyun__mistakes[SKY_ALIYUN_MISTAKES];
extern const struct sky_topic_table sky_aliyun__topics;
extern const struct sky_http_row sky_aliyun__http[SKY_ALIYUN_HTTP_CALLS];

#endif
