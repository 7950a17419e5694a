/* The rules of the way in: what a peer is held to before it has said who it is, whatever cloud it
 * turns out to mean. */
#ifndef SKY_SERVER_JUDGE_RULES_H
#define SKY_SERVER_JUDGE_RULES_H

#include "protocol/base/rule.h"

enum sky_door_rule {
    SKY_RULE_DOOR_FIRST_BYTE,
    SKY_RULE_DOOR_SLOW,
    SKY_RULE_DOOR_OUTPUT_FULL,
    SKY_RULE_DOOR_HTTP_REQUEST,
    SKY_RULE_DOOR_HTTP_PATH,
    SKY_RULE_DOOR_HTTP_HOST,
    SKY_RULE_DOOR_WEBSOCKET,
    SKY_RULE_LOGIN_UNRECOGNISED,
    SKY_RULE_TLS_VERSION,
    SKY_RULE_TLS_HANDSHAKE,
    SKY_RULE_TLS_NO_COMMON_SUITE,
    SKY_RULE_TLS_SERVER_CERT,
    SKY_RULE_TLS_CLIENT_CERT,
    SKY_RULE_TLS_PSK_IDENTITY,
    SKY_RULE_TLS_PSK_KEY,
    SKY_RULE_TLS_TIMEOUT,
    SKY_DOOR_RULES
};

/* One row for each of the above, ids "DOOR-FIRST-BYTE", "TLS-VERSION" and so on. */
extern const struct sky_rule_table sky_door_rules;

const struct sky_rule *sky_door_rule(enum sky_door_rule which);

/* The whole catalogue: the protocols' rules, every cloud's, and these. */
void sky_rules_catalogue(struct sky_catalogue *ret_catalogue);

#endif
