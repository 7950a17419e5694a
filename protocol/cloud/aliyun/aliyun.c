/* Alibaba Cloud IoT, as documented around 2018. */
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/model.h"
#include "protocol/cloud/aliyun/rules.h"
#include "protocol/cloud/aliyun/services.h"
#include "protocol/cloud/aliyun/sub_device.h"

extern const struct sky_cloud sky_cloud_aliyun;

/* The regions of the documents; every name makes the certificate longer, for devices with small
 * buffers. */
static const char *const hosts[] = {
    "*.iot-as-mqtt.cn-shanghai.aliyuncs.com",    "*.iot-as-mqtt.us-west-1.aliyuncs.com",
    "*.iot-as-mqtt.ap-southeast-1.aliyuncs.com", "*.mqtt.iothub.aliyuncs.com",
    "iot-auth.cn-shanghai.aliyuncs.com",         "iot-auth.us-west-1.aliyuncs.com",
    "iot-auth.ap-southeast-1.aliyuncs.com",      NULL};

static const struct sky_cloud_http http = {sky_aliyun__http, SKY_ALIYUN_HTTP_CALLS};
static const struct sky_cloud_psk psk = {.claim = sky_aliyun__psk_claim,
                                         .admit = sky_aliyun__psk_admit,
                                         .guesses = sky_aliyun__psk_guesses,
                                         .key_rule = ALI_RULE(PSK_KEY)};
static const struct sky_cloud_shadow shadow = {
    .document = "shadow", .patch = sky_aliyun_shadow_patch, .seed = sky_aliyun_shadow_seed};

const struct sky_cloud sky_cloud_aliyun = {
    .name = "aliyun",
    .title = "Alibaba Cloud IoT",
    .words = {"productKey", "productSecret", "deviceName", "deviceSecret"},
    .limits = {.payload_max = 256 * 1024,
               .topic_len_max = 128,
               .topic_slashes_max = 7,
               .filters_per_packet_max = 8,
               .filters_per_device_max = 100,
               .publish_rate_max = {30, 10},
               .keepalive = {[SKY_PROFILE_SEED] = {60, 300}, [SKY_PROFILE_CURRENT] = {30, 1200}},
               .session = {.inflight_max = 100,
                           .queue_max = 1000,
                           .queue_bytes_max = 4 * 1024 * 1024,
                           .queue_age_max_ms = INT64_C(7) * 24 * 3600 * 1000},
               .level_3 = true},
    .publish_violation = SKY_VIOLATION_ACK,

    .rules = {.owner = "aliyun", .rows = sky_aliyun_rules, .count = ALI_RULES, .special = true},
    .limit_rules = {[SKY_LIMIT_WILL] = ALI_RULE(WILL),
                    [SKY_LIMIT_PUBLISH_RATE] = ALI_RULE(PUBLISH_RATE),
                    [SKY_LIMIT_RETAIN] = ALI_RULE(RETAIN),
                    [SKY_LIMIT_QOS2_PUBLISH] = ALI_RULE(QOS2),
                    [SKY_LIMIT_QOS2_SUBSCRIBE] = ALI_RULE(QOS2),
                    [SKY_LIMIT_KEEPALIVE] = ALI_RULE(KEEPALIVE_RANGE),
                    [SKY_LIMIT_KEEPALIVE_SILENT] = ALI_RULE(KEEPALIVE_TIMEOUT),
                    [SKY_LIMIT_DUPLICATE_LOGIN] = ALI_RULE(DUPLICATE_LOGIN),
                    [SKY_LIMIT_PAYLOAD_SIZE] = ALI_RULE(PAYLOAD_SIZE),
                    [SKY_LIMIT_TOPIC_PUB] = ALI_RULE(TOPIC_PUB),
                    [SKY_LIMIT_TOPIC_SUB] = ALI_RULE(TOPIC_SUB),
                    [SKY_LIMIT_SUB_COUNT] = ALI_RULE(SUB_COUNT)},
    .mistake_rules = sky_aliyun__mistakes,
    .mistake_rule_count = SKY_ALIYUN_MISTAKES,
    .topics = &sky_aliyun__topics,
    .commands = sky_aliyun_commands,
    .command_count = SKY_ALIYUN_COMMANDS,
    .answer_id = ALI_RULE(ANSWER_ID),

    .claim = sky_aliyun__claim,
    .login_form = "client id {id}|securemode=3,signmethod=hmacsha1,timestamp={ms}|, user name "
                  "{deviceName}&{productKey}, password the signature",
    .admit = sky_aliyun__admit,
    .suspect = sky_aliyun__suspect,
    .sign = sky_aliyun__sign,
    .refused_publish = sky_aliyun__refused_publish,
    .make_secret = sky_aliyun__make_secret,
    .http = &http,
    .psk = &psk,
    .shadow = &shadow,
    .gateway = &sky_aliyun__gateway,
    .ota = &sky_aliyun__ota,
    .host_names = hosts,
    .model = &sky_aliyun__model,
};
