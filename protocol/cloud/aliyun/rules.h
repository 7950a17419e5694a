/* The rules a device of this cloud is held to. The text is in rules.def. */
#ifndef SKY_ALIYUN_RULES_H
#define SKY_ALIYUN_RULES_H

#include "protocol/base/rule.h"

enum {
#define RULE(name, ...) ALI_RULE_##name,
#include "protocol/cloud/aliyun/rules.def"
#undef RULE
    ALI_RULES
};

extern const struct sky_rule sky_aliyun_rules[ALI_RULES];

/* ALI_RULE(SIGN) is the row's address, a constant. */
#define ALI_RULE(name) (&sky_aliyun_rules[ALI_RULE_##name])

#endif
