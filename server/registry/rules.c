#include "server/registry/rules.h"

#include "protocol/base/assert.h"
#include "protocol/cloud/cloud.h"
#include "server/os/config.h"
#include "server/tls/rules.h"

static const struct sky_rule rows[SKY_DOOR_RULES] = {
    [SKY_RULE_DOOR_FIRST_BYTE] =
        {"DOOR-FIRST-BYTE", "The first byte opens a protocol that the port speaks",
         "MQTT 3.1.1 §3.1, RFC 5246 §6.2.1, RFC 9112 §3",
         "Check host, port and whether the client is set up for TLS: 0x10 opens MQTT, 0x16 opens "
         "TLS, a capital letter opens HTTP.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_DOOR_SLOW] =
        {"DOOR-SLOW", "The login or request is complete soon after the connection is accepted",
         "MQTT 3.1.1 §3.1",
         "Send CONNECT as soon as the connection stands; a packet cut short, or a remaining length "
         "that promises more than is sent, looks the same.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_DOOR_OUTPUT_FULL] =
        {"DOOR-OUTPUT-FULL", "What the server sends is read", "RFC 9293 §3.8",
         "Keep reading from the socket while publishing; a blocked receive task lets the server's "
         "answers pile up.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_DOOR_HTTP_REQUEST] =
        {"DOOR-HTTP-REQUEST", "An HTTP request is complete, of known length, and not too long",
         "RFC 9112 §6.3",
         "Send Content-Length with every POST, exactly as long as the body, and no chunks.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_DOOR_HTTP_PATH] = {"DOOR-HTTP-PATH",
                                 "An HTTP call goes to a path that one of the clouds serves",
                                 "the HTTP pages of every cloud",
                                 "Compare method and path with the cloud's document.", SKY_ERROR,
                                 SKY_ENFORCED, NULL},
    [SKY_RULE_DOOR_HTTP_HOST] =
        {"DOOR-HTTP-HOST", "An HTTP/1.1 request has exactly one Host, a name or address",
         "RFC 9112 §3.2",
         "Send one Host header with the name the device connects to; servers and what stands "
         "before them answer 400 without it.",
         SKY_WARNING, SKY_REPORTED, NULL},
    [SKY_RULE_DOOR_WEBSOCKET] =
        {"DOOR-WEBSOCKET",
         "MQTT over WebSocket offers the subprotocol mqtt and goes in masked binary frames",
         "MQTT 3.1.1 §6, RFC 6455 §§4.2.1, 5.1-5.5",
         "Have the client send Sec-WebSocket-Protocol: mqtt and Sec-WebSocket-Version: 13, and "
         "write packets with the binary opcode, masked; they may be split over frames at will.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_LOGIN_UNRECOGNISED] =
        {"LOGIN-UNRECOGNISED", "The login has the shape of one of the clouds' logins",
         "the login pages of every cloud; 'skymock sign' prints each form",
         "Compare client id and user name with what 'skymock sign CLOUD/PRODUCT/DEVICE' prints.",
         SKY_ERROR, SKY_ENFORCED, NULL},
    [SKY_RULE_EXPECTED_EVENT] =
        {"EXPECTED-EVENT", "What the test suite expects happens, as often as it has said",
         "the test suite: POST /api/v1/expected",
         "The detail says what was expected and how often it came; POST /api/v1/verify with the "
         "same pattern shows what came nearest.",
         SKY_ERROR, SKY_REPORTED, NULL},
};

const struct sky_rule_table sky_door_rules = {
    .owner = "transport", .rows = rows, .count = SKY_DOOR_RULES};

const struct sky_rule *sky_door_rule(enum sky_door_rule which)
{
    SKY_ASSERT(which < SKY_DOOR_RULES);
    return &rows[which];
}

sky_err sky_rules_check(struct sky_why *why)
{
    struct sky_catalogue catalogue;
    sky_err err = sky_clouds_check(sky_clouds, why);
    if (err != SKY_OK)
        return err;
    sky_rules_catalogue(SKY_PROFILE_SEED, &catalogue);
    return sky_catalogue_check(&catalogue, why);
}

void sky_rules_catalogue(enum sky_profile profile, struct sky_catalogue *ret_catalogue)
{
    sky_catalogue_init(ret_catalogue);
    ret_catalogue->profile = profile;
    sky_cloud_fill_catalogue(ret_catalogue);
    sky_catalogue_add(ret_catalogue, sky_door_rules);
    sky_catalogue_add(ret_catalogue, sky_tls_rules);
}

sky_err sky_rules_policy(const struct sky_config *config, const struct sky_catalogue *catalogue,
                         struct sky_policy *policy, struct sky_why *why)
{
    sky_err err = SKY_OK;
    sky_policy_init(policy, catalogue, config->profile);
    for (size_t i = 0; err == SKY_OK && i < config->rules.count; i++) {
        struct sky_why inside;
        const char *text = config->rules.list[i];
        err = sky_policy_override(policy, sky_span_str(text), &inside);
        if (err != SKY_OK)
            err = sky_config_blame(config, &config->rules, i,
                                   sky_why_set(why, err, "", "%.60s: %.180s", text, inside.reason),
                                   why);
    }
    return err;
}
