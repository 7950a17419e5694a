/* The rules of the way in: what a peer is held to before it has said who it is, whatever cloud it
 * turns out to mean. */
#ifndef SKY_SERVER_REGISTRY_RULES_H
#define SKY_SERVER_REGISTRY_RULES_H

#include "protocol/base/err.h"
#include "protocol/base/rule.h"

struct sky_config;

enum sky_door_rule {
    SKY_RULE_DOOR_FIRST_BYTE,
    SKY_RULE_DOOR_SLOW,
    SKY_RULE_DOOR_OUTPUT_FULL,
    SKY_RULE_DOOR_HTTP_REQUEST,
    SKY_RULE_DOOR_HTTP_PATH,
    SKY_RULE_DOOR_HTTP_HOST,
    SKY_RULE_DOOR_WEBSOCKET,
    SKY_RULE_LOGIN_UNRECOGNISED,
    SKY_RULE_EXPECTED_EVENT,
    SKY_DOOR_RULES
};

/* One row for each of the above, ids "DOOR-FIRST-BYTE" and so on. */
extern const struct sky_rule_table sky_door_rules;

const struct sky_rule *sky_door_rule(enum sky_door_rule which);

/* Is every cloud built in fit to be served, and every rule's id its own? For tests, and for debug
 * builds, before anything else is done with a cloud. */
SKY_MUST_USE sky_err sky_rules_check(struct sky_why *why);

/* The whole catalogue: the protocols' rules, every cloud's, these, and those of TLS; with the hints
 * of that profile. */
void sky_rules_catalogue(enum sky_profile profile, struct sky_catalogue *ret_catalogue);

/* The policy of a configuration: its profile, then its --rule options. */
SKY_MUST_USE sky_err sky_rules_policy(const struct sky_config *config,
                                      const struct sky_catalogue *catalogue,
                                      struct sky_policy *policy, struct sky_why *why);

#endif
