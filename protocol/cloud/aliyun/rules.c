#include "protocol/cloud/aliyun/rules.h"

#include "protocol/cloud/rule_rows.h"

/* The vendor's documents, by the titles its users know. */
#define TCP "Aliyun IoT: MQTT-TCP连接通信"
#define DIRECT TCP " / MQTT客户端域名直连"
#define HTTPS TCP " / 使用HTTPS认证再连接模式"
#define OLD "Aliyun IoT (2017): 使用MQTT域名连接模式"
#define OLD_HTTPS "Aliyun IoT (2017): 使用HTTPS认证再连接模式"
#define STANDARD "Aliyun IoT help: MQTT协议规范"
#define LIMITS "Aliyun IoT help: 使用限制"
#define TOPICS "Aliyun IoT help: Topic列表"
#define SHADOW "Aliyun IoT help: 设备影子"
#define CODES "Aliyun IoT help: MQTT连接错误码"
#define REGISTER "Aliyun IoT help: 基于MQTT通道的设备动态注册"
#define HTTPS_REGISTER "Aliyun IoT help: 基于HTTPS的设备动态注册"
#define MODEL "Aliyun IoT help: Alink协议"
#define TSL "Aliyun IoT help: 物模型TSL; 云端运行日志 / 63xx"
#define TOPOLOGY "Aliyun IoT help: 管理拓扑关系"
#define COMBINE "Aliyun IoT help: 子设备上下线"
#define OTA "Aliyun IoT help: OTA升级"
#define SDK "Aliyun Link Kit C SDK"

const struct sky_rule sky_aliyun_rules[ALI_RULES] = {
#define RULE(name, ...) [ALI_RULE_##name] = SKY_RULE_ROW(name, __VA_ARGS__),
#include "protocol/cloud/aliyun/rules.def"
#undef RULE
};
