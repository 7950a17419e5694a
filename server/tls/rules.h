/* The rules of TLS and DTLS handshakes, whatever cloud the device turns out to mean. */
#ifndef SKY_SERVER_TLS_RULES_H
#define SKY_SERVER_TLS_RULES_H

#include "protocol/base/rule.h"

enum sky_tls_rule {
    SKY_RULE_TLS_VERSION,
    SKY_RULE_TLS_HANDSHAKE,
    SKY_RULE_TLS_NO_COMMON_SUITE,
    SKY_RULE_TLS_SERVER_CERT,
    SKY_RULE_TLS_CLIENT_CERT,
    SKY_RULE_TLS_PSK_IDENTITY,
    SKY_RULE_TLS_PSK_KEY,
    SKY_RULE_TLS_TIMEOUT,
    SKY_TLS_RULES
};

/* One row for each of the above, ids "TLS-VERSION" and so on. */
extern const struct sky_rule_table sky_tls_rules;

const struct sky_rule *sky_tls_rule(enum sky_tls_rule which);

#endif
