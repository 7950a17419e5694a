#include "protocol/cloud/enos/rules.h"

#include "protocol/cloud/rule_rows.h"

/* The vendor's documents, by the titles its users know. */
#define CONNECT "EnOS: 与EnOS Cloud建立连接"
#define DIRECT CONNECT " / 直接使用MQTT协议"
#define STATIC CONNECT " / 静态激活"
#define DYNAMIC CONNECT " / 动态激活"
#define COAP "EnOS: CoAP连接通信"
#define PER_DEVICE COAP " / 一机一密接入"
#define PER_PRODUCT COAP " / 一型一密接入"
#define MESSAGES COAP " / CoAP消息说明"
#define SECURITY "EnOS: 安全认证机制"
#define CODES "EnOS: 通用参数与返回码"
#define LIMITS "EnOS: Device Connectivity / Limitations"
#define TOPOLOGY "EnOS: Add Topological Relationships for Sub-device"
#define SUB_LOGIN "EnOS: MQTT reference / combine/login"
#define OTA "EnOS: MQTT reference / ota/device/progress"
#define CHANNELS "EnOS: 离线消息通道"

const struct sky_rule sky_enos_rules[ENOS_RULES] = {
#define RULE(name, ...) [ENOS_RULE_##name] = SKY_RULE_ROW(name, __VA_ARGS__),
#include "protocol/cloud/enos/rules.def"
#include "protocol/cloud/enos/rules_coap.def"
#undef RULE
};
