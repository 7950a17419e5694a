#include "server/tls/rules.h"

#include "protocol/base/assert.h"

static const struct sky_rule rows[SKY_TLS_RULES] = {
    [SKY_RULE_TLS_VERSION] =
        {"TLS-VERSION", "TLS 1.2 is spoken", "RFC 8996 §§4-5; the clouds' access pages ask for 1.2",
         "Set the TLS library's maximum version to 1.2 or later and keep 1.2 enabled.", SKY_WARNING,
         SKY_REPORTED, NULL},
    [SKY_RULE_TLS_HANDSHAKE] =
        {"TLS-HANDSHAKE", "The TLS handshake is carried through", "RFC 5246 §7.3",
         "The reason names the step and the alert; compare them with the client library's log.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_TLS_NO_COMMON_SUITE] =
        {"TLS-NO-COMMON-SUITE", "A cipher suite is offered that the port speaks", "RFC 5246 §7.4.1",
         "Enable an RSA or ECDHE suite with AES, or a PSK suite on a port that takes pre-shared "
         "keys.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_TLS_SERVER_CERT] =
        {"TLS-SERVER-CERT", "The server's certificate is accepted", "RFC 5246 §7.4.2, RFC 6125 §6",
         "Give the device the CA certificate this server hands out, connect by a name the "
         "certificate carries, and check the device's clock.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_TLS_CLIENT_CERT] =
        {"TLS-CLIENT-CERT", "A client certificate is shown where one is required, with its own key",
         "RFC 5246 §§7.4.6, 7.4.8",
         "Load certificate and private key of this device into the TLS library, and make sure the "
         "two belong together.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_TLS_PSK_IDENTITY] =
        {"TLS-PSK-IDENTITY", "The PSK identity names a registered device", "RFC 4279 §§2, 5",
         "Compose the identity exactly as the cloud prescribes, and register the device here.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_TLS_PSK_KEY] =
        {"TLS-PSK-KEY", "The pre-shared key is the device's", "RFC 4279 §2",
         "Derive the key from this device's secret as the cloud prescribes; decoding base64 or "
         "hexadecimal once too often or too seldom is the usual mistake.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_TLS_TIMEOUT] =
        {"TLS-TIMEOUT", "The TLS handshake is finished soon after it begins", "RFC 5246 §7.3",
         "Look for a client that waits for something it never asked for, or for a handshake "
         "record that is cut short.",
         SKY_ERROR, SKY_ENFORCED, NULL},
};

const struct sky_rule_table sky_tls_rules = {
    .owner = "transport", .rows = rows, .count = SKY_TLS_RULES};

const struct sky_rule *sky_tls_rule(enum sky_tls_rule which)
{
    SKY_ASSERT(which < SKY_TLS_RULES);
    return &rows[which];
}
