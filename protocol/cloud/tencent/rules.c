#include "protocol/cloud/tencent/rules.h"

#include "protocol/cloud/rule_rows.h"

/* The vendor's documents, by the titles its users know. */
#define MQTT "Tencent IoT Hub: MQTT协议说明"
#define DIFFERENCES MQTT " / 和标准MQTT区别"
#define TOPICS MQTT " / TOPIC规范"
#define SIGNING "Tencent IoT Hub: 基于MQTT的签名认证接入指引"
#define FIELDS SIGNING " / 操作步骤"
#define LIMITS "Tencent IoT Hub: 使用限制"
#define SHADOW "Tencent IoT Hub: 设备影子"
#define REGISTER "Tencent IoT Hub: 动态注册接口说明"
#define THING "Tencent IoT Explorer: 物模型协议"
#define RESOURCES "Tencent IoT Explorer: 资源管理协议, 文件管理协议"
#define HTTP "Tencent IoT Hub: 设备基于 HTTP 接入"
#define OTA "Tencent IoT Hub: 设备固件升级"
#define GATEWAY "Tencent IoT Hub: 网关子设备"
#define SDK "Tencent IoT Hub C SDK"

const struct sky_rule sky_tencent_rules[TEN_RULES] = {
#define RULE(name, ...) [TEN_RULE_##name] = SKY_RULE_ROW(name, __VA_ARGS__),
#include "protocol/cloud/tencent/rules.def"
#undef RULE
};
