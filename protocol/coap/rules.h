/* The rules every CoAP peer is held to, whatever its cloud: RFC 7252 and RFC 7959 as far as a
 * server can see them broken. */
#ifndef SKY_COAP_RULES_H
#define SKY_COAP_RULES_H

#include "protocol/base/rule.h"

enum sky_coap_rule_id {
    SKY_COAP_RULE_FORMAT,    /* RFC 7252 §3 */
    SKY_COAP_RULE_OPTION,    /* §5.4.1: no critical option that is not understood */
    SKY_COAP_RULE_BLOCKS,    /* RFC 7959 §2: blocks follow one another */
    SKY_COAP_RULE_BODY_SIZE, /* no longer than is put together here */
    SKY_COAP_RULES
};

/* One row for each of the above, ids "COAP-FORMAT" and so on. */
extern const struct sky_rule_table sky_coap_rules;
const struct sky_rule *sky_coap_rule(enum sky_coap_rule_id which);

#endif
