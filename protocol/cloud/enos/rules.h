/* The rules a device of this cloud is held to, over MQTT and over CoAP. The text is in rules.def
 * and rules_coap.def. */
#ifndef SKY_ENOS_RULES_H
#define SKY_ENOS_RULES_H

#include "protocol/base/rule.h"

enum {
#define RULE(name, ...) ENOS_RULE_##name,
#include "protocol/cloud/enos/rules.def"
#include "protocol/cloud/enos/rules_coap.def"
#undef RULE
    ENOS_RULES
};

extern const struct sky_rule sky_enos_rules[ENOS_RULES];

/* ENOS_RULE(SIGN_STATIC) is the row's address, a constant. */
#define ENOS_RULE(name) (&sky_enos_rules[ENOS_RULE_##name])

#endif
