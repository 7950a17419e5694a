/* A small complete cloud that only tests have, the measure of what a cloud costs: what is in this
 * folder, and its name in the list. No device but those of the tests speaks its dialect. */
#ifndef SKY_TEST_FOURTH_H
#define SKY_TEST_FOURTH_H

#include "protocol/cloud/cloud.h"

enum {
#define RULE(name, ...) FOUR_RULE_##name,
#include "tests/unit/cloud/fourth/rules.def"
#undef RULE
    FOUR_RULES
};
extern const struct sky_rule sky_fourth_rules[FOUR_RULES];
#define FOUR_RULE(name) (&sky_fourth_rules[FOUR_RULE_##name])

enum { SKY_FOURTH_MISTAKES = 3, SKY_FOURTH_SECRET_LEN = 24 };
extern const struct sky_mistake_rule sky_fourth__mistakes[SKY_FOURTH_MISTAKES];

bool sky_fourth__claim(const struct sky_login *login, struct sky_claim *ret_claim);
void sky_fourth__admit(const struct sky_login *login, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects,
                       struct sky_admission *ret_admission);
bool sky_fourth__suspect(const struct sky_login *login, const struct sky_facts *facts,
                         struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
void sky_fourth__sign(const struct sky_sign_request *request, struct sky_arena *arena,
                      struct sky_credentials *ret_credentials);
void sky_fourth__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1]);

#endif
