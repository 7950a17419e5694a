#include "protocol/coap/rules.h"

#include "protocol/base/assert.h"

static const struct sky_rule rows[SKY_COAP_RULES] = {
    [SKY_COAP_RULE_FORMAT] =
        {"COAP-FORMAT", "Messages have the format of RFC 7252", "RFC 7252 §3",
         "Check version, token length and option lengths, and send no payload marker without a "
         "payload; a malformed message is answered with RST.",
         SKY_ERROR, SKY_ENFORCED},
    [SKY_COAP_RULE_OPTION] =
        {"COAP-CRITICAL-OPTION",
         "Requests carry no option that the server does not understand or cannot honour",
         "RFC 7252 §§5.4.1, 5.10, RFC 7959 §2.2",
         "Use Uri-Host, Uri-Port, Uri-Path, Uri-Query, Block1 and Block2 only, each as long and as "
         "often as the RFC allows; ask for and send JSON (Content-Format 50).",
         SKY_ERROR, SKY_ENFORCED},
    [SKY_COAP_RULE_BLOCKS] =
        {"COAP-BLOCK-ORDER", "The blocks of a body follow one another, all but the last one full",
         "RFC 7959 §§2.3-2.5",
         "Start with block 0, wait for each answer before the next block, and do not pause for "
         "longer than 93 seconds.",
         SKY_ERROR, SKY_ENFORCED},
    [SKY_COAP_RULE_BODY_SIZE] = {"COAP-BODY-SIZE", "A body in blocks has 64 KB at most",
                                 "RFC 7959 §2.9.3; the limit is this server's",
                                 "Split what is sent over several requests.", SKY_ERROR,
                                 SKY_ENFORCED},
};

const struct sky_rule_table sky_coap_rules = {
    .owner = "coap", .rows = rows, .count = SKY_COAP_RULES};

const struct sky_rule *sky_coap_rule(enum sky_coap_rule_id which)
{
    SKY_ASSERT(which < SKY_COAP_RULES);
    return &rows[which];
}
