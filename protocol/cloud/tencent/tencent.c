/* Tencent IoT Hub. */
#include "protocol/cloud/tencent/login.h"
#include "protocol/cloud/tencent/model.h"
#include "protocol/cloud/tencent/rules.h"
#include "protocol/cloud/tencent/services.h"
#include "protocol/mqtt/subs.h"

extern const struct sky_cloud sky_cloud_tencent;

/* The regions of the documents; every name makes the certificate longer, for devices with small
 * buffers. */
static const char *const hosts[] = {
    "*.iotcloud.tencentdevices.com",   "*.ap-guangzhou.iothub.tencentdevices.com",
    "gateway.tencentdevices.com",      "ap-guangzhou.gateway.tencentdevices.com",
    "devicelog.iot.cloud.tencent.com", NULL};

static const struct sky_cloud_http http = {sky_tencent__http, SKY_TENCENT_HTTP_CALLS};
static const struct sky_cloud_psk psk = {.claim = sky_tencent__psk_claim,
                                         .admit = sky_tencent__psk_admit,
                                         .guesses = sky_tencent__psk_guesses,
                                         .key_rule = TEN_RULE(PSK_KEY)};
static const struct sky_cloud_shadow shadow = {
    .document = "shadow", .patch = sky_tencent_shadow_patch, .seed = sky_tencent_shadow_seed};

const struct sky_cloud sky_cloud_tencent = {
    .name = "tencent",
    .title = "Tencent IoT Hub",
    .words = {"productId", "productSecret", "deviceName", "psk"},
    .limits = {.payload_max = 16 * 1024,
               .topic_len_max = 255,
               .topic_slashes_max = 10,
               .filters_per_packet_max = 1,
               .filters_per_device_max = SKY_SUBS_PER_DEVICE_MAX,
               .publish_rate_max = {30, 30}, /* one edition has 10 with QoS 1 */
               .keepalive = {[SKY_PROFILE_SEED] = {60, 300}, [SKY_PROFILE_CURRENT] = {0, 900}},
               .session = {.inflight_max = 50,
                           .queue_max = 150,
                           .queue_bytes_max = 150 * 16 * 1024,
                           .queue_age_max_ms = INT64_C(24) * 3600 * 1000,
                           .resume_spacing_ms = 500,
                           .inflight_queues = true},
               .level_3 = true},
    .publish_violation = SKY_VIOLATION_NO_ACK,

    .rules = {.owner = "tencent", .rows = sky_tencent_rules, .count = TEN_RULES, .special = true},
    .keepalive_rule = TEN_RULE(KEEPALIVE_RANGE),
    .limit_rules = {[SKY_LIMIT_WILL] = TEN_RULE(WILL),
                    [SKY_LIMIT_PUBLISH_RATE] = TEN_RULE(PUBLISH_RATE),
                    [SKY_LIMIT_RETAIN] = TEN_RULE(RETAIN),
                    [SKY_LIMIT_QOS2_PUBLISH] = TEN_RULE(QOS2_PUBLISH),
                    [SKY_LIMIT_QOS2_SUBSCRIBE] = TEN_RULE(QOS2_SUBSCRIBE),
                    [SKY_LIMIT_PACKET_TYPE] = TEN_RULE(PACKET_TYPE),
                    [SKY_LIMIT_DUPLICATE_LOGIN] = TEN_RULE(DUPLICATE_LOGIN),
                    [SKY_LIMIT_PAYLOAD_SIZE] = TEN_RULE(PAYLOAD_SIZE),
                    [SKY_LIMIT_TOPIC_PUB] = TEN_RULE(TOPIC_PUB),
                    [SKY_LIMIT_TOPIC_SUB] = TEN_RULE(TOPIC_SUB),
                    [SKY_LIMIT_TOPIC_DIRECTION] = TEN_RULE(TOPIC_DIRECTION),
                    [SKY_LIMIT_TOPIC_OTHER] = TEN_RULE(TOPIC_OTHER_DEVICE),
                    [SKY_LIMIT_SUB_COUNT] = TEN_RULE(SUB_COUNT)},
    .mistake_rules = sky_tencent__mistakes,
    .mistake_rule_count = SKY_TENCENT_MISTAKES,
    .topics = &sky_tencent__topics,
    .commands = sky_tencent_commands,
    .command_count = SKY_TENCENT_COMMANDS,
    .answer_id = TEN_RULE(ANSWER_ID),

    .claim = sky_tencent__claim,
    .login_form = "client id {productId}{deviceName}, user name "
                  "{clientId};{sdkappid};{connid};{expiry}, password {token};hmacsha256",
    .admit = sky_tencent__admit,
    .suspect = sky_tencent__suspect,
    .sign = sky_tencent__sign,
    .check_secret = sky_tencent__check_secret,
    .make_secret = sky_tencent__make_secret,
    .http = &http,
    .psk = &psk,
    .shadow = &shadow,
    .gateway = &sky_tencent_behind,
    .ota = &sky_tencent_upgrades,
    .host_names = hosts,
    .model = &sky_tencent__model,
};
