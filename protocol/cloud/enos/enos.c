/* Envision EnOS. */
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/behind.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/model.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/mqtt/subs.h"

extern const struct sky_cloud sky_cloud_enos;

/* The number of CoAP's option is the vendor's own. */
enum { WAITING_OPTION = 2100 };

static const struct sky_listener_row listeners[] = {
    {"enos-mqtt", 11883, SKY_LISTEN_CLEAR | SKY_LISTEN_MQTT, &sky_cloud_enos},
    {"enos-mqtts", 18883, SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_CERT_REQUIRED,
     &sky_cloud_enos},
};

/* A wrong secret in a key is another rule than in a password. */
static const struct sky_mistake_rule psk_mistakes[] = {
    {SKY_MISTAKE_PRODUCT_SECRET, ENOS_RULE(COAP_PSK_WRONG_SECRET)},
    {SKY_MISTAKE_DEVICE_SECRET, ENOS_RULE(COAP_PSK_WRONG_SECRET)},
    {SKY_MISTAKE_PSK_SLICE, ENOS_RULE(COAP_PSK_KEY)},
    {SKY_MISTAKE_PSK_TEXT, ENOS_RULE(COAP_PSK_KEY)},
};

static const struct sky_cloud_psk psk = {.claim = sky_enos__psk_claim,
                                         .admit = sky_enos__psk_admit,
                                         .guesses = sky_enos__psk_guesses,
                                         .key_rule = ENOS_RULE(COAP_PSK_KEY),
                                         .mistake_rules = psk_mistakes,
                                         .mistake_rule_count = SKY_COUNT(psk_mistakes)};

static const struct sky_cloud_coap coap = {.decide = sky_enos__coap,
                                           .waiting_option = WAITING_OPTION,
                                           .waiting_path = sky_enos__coap_waiting_path,
                                           .lifetime_ms = sky_enos__coap_lifetime_ms,
                                           .lifetime_rule = ENOS_RULE(COAP_LIFETIME_EXPIRED),
                                           .dtls_rule = ENOS_RULE(COAP_DTLS_REQUIRED),
                                           .psk_rule = ENOS_RULE(COAP_PSK_ONLY),
                                           .cipher_rule = ENOS_RULE(COAP_CIPHER)};

const struct sky_cloud sky_cloud_enos = {
    .name = "enos",
    .title = "Envision EnOS",
    .words = {"productKey", "productSecret", "deviceKey", "deviceSecret"},
    .limits =
        {.payload_max = SKY_ENOS_MESSAGE_MAX,
         .topic_len_max = UINT16_MAX,
         .topic_slashes_max = UINT16_MAX,
         .filters_per_packet_max = SKY_MQTT_FILTERS_MAX,
         .filters_per_device_max = SKY_SUBS_PER_DEVICE_MAX,
         .keepalive = {[SKY_PROFILE_SEED] = {60, 300}, [SKY_PROFILE_CURRENT] = {0, UINT16_MAX}},
         .session = {.inflight_max = 100,
                     .queue_max = 1000,
                     .queue_bytes_max = 4 * 1024 * 1024,
                     .queue_age_max_ms = INT64_C(48) * 3600 * 1000},
         .level_3 = true}, /* ENOS-MQTT-VERSION refuses it */
    .publish_violation = SKY_VIOLATION_ACK,

    .rules = {.owner = "enos", .rows = sky_enos_rules, .count = ENOS_RULES, .special = true},
    /* The document says nothing of wills, QoS 2 and keepalives: the general rows serve. */
    .limit_rules = {[SKY_LIMIT_DUPLICATE_LOGIN] = ENOS_RULE(DUPLICATE_LOGIN),
                    [SKY_LIMIT_TOPIC_PUB] = ENOS_RULE(TOPIC_ACL),
                    [SKY_LIMIT_TOPIC_SUB] = ENOS_RULE(TOPIC_ACL),
                    [SKY_LIMIT_TOPIC_DIRECTION] = ENOS_RULE(TOPIC_ACL),
                    [SKY_LIMIT_TOPIC_OTHER] = ENOS_RULE(TOPIC_ACL)},
    .mistake_rules = sky_enos__mistakes,
    .mistake_rule_count = SKY_ENOS_MISTAKES,
    .activation_unsubscribed = ENOS_RULE(ACTIVATE_NOT_SUBSCRIBED),
    .listeners = listeners,
    .listener_count = SKY_COUNT(listeners),
    .topics = &sky_enos__topics,
    .commands = sky_enos_commands,
    .command_count = SKY_ENOS_COMMANDS,
    .answer_id = ENOS_RULE(ANSWER_ID),

    .claim = sky_enos__claim,
    .login_form = "client id {id}|securemode=2,signmethod=sha256,timestamp={ms}|, user name "
                  "{deviceKey}&{productKey}, password the signature",
    .admit = sky_enos__admit,
    .suspect = sky_enos__suspect,
    .sign = sky_enos__sign,
    .subscribed = sky_enos__subscribed,
    .refused_publish = sky_enos_refuse_publish,
    .make_secret = sky_enos__make_secret,
    .psk = &psk,
    .coap = &coap,
    .model = &sky_enos__model,
    .gateway = &sky_enos__gateway,
    .ota = &sky_enos_upgrades,
};
