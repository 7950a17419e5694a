/* The rules a device of this cloud is held to. The text is in rules.def. */
#ifndef SKY_TENCENT_RULES_H
#define SKY_TENCENT_RULES_H

#include "protocol/base/rule.h"

enum {
#define RULE(name, ...) TEN_RULE_##name,
#include "protocol/cloud/tencent/rules.def"
#undef RULE
    TEN_RULES
};

extern const struct sky_rule sky_tencent_rules[TEN_RULES];

/* TEN_RULE(SIGN) is the row's address, a constant. */
#define TEN_RULE(name) (&sky_tencent_rules[TEN_RULE_##name])

#endif
