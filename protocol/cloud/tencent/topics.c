/* The topics a device has without its product's owner adding any: the four that every product is
 * created with (TOPIC规范), and those of the platform's services, as SDKs use them. */
#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/login.h"
#include "protocol/cloud/tencent/services.h"

#define PUB SKY_MAY_PUB
#define SUB SKY_MAY_SUB

static const struct sky_topic_row rows[] = {
    {"{product}/{device}/control", SUB, NULL},
    {"{product}/{device}/event", PUB, NULL},
    {"$shadow/operation/{product}/{device}", PUB, &sky_tencent_shadow},
    {"$shadow/operation/result/{product}/{device}", SUB, NULL},
    {"$sys/operation/{product}/{device}", PUB, &sky_tencent_time},
    {"$sys/operation/result/{product}/{device}", SUB, NULL},
    {"$log/operation/{product}/{device}", PUB, &sky_tencent_log},
    {"$log/operation/result/{product}/{device}", SUB, NULL},
    {"$config/operation/{product}/{device}", PUB, &sky_tencent_config},
    {"$config/operation/result/{product}/{device}", SUB, NULL},
    {"$config/report/{product}/{device}", PUB, &sky_tencent_config},
    {"$config/update/{product}/{device}", SUB, NULL},
    {"$gateway/operation/{product}/{device}", PUB, &sky_tencent_gateway},
    {"$gateway/operation/result/{product}/{device}", SUB, NULL},
    {"$template/operation/{product}/{device}", PUB, &sky_tencent_template},
    {"$template/operation/result/{product}/{device}", SUB, NULL},
    {"$thing/up/property/{product}/{device}", PUB, &sky_tencent_property},
    {"$thing/up/event/{product}/{device}", PUB, &sky_tencent_event},
    {"$thing/up/action/{product}/{device}", PUB, &sky_tencent_action},
    {"$thing/up/service/{product}/{device}", PUB, &sky_tencent_file},
    {"$thing/up/raw/{product}/{device}", PUB | SKY_RAW, NULL},
    {"$thing/down/raw/{product}/{device}", SUB | SKY_RAW, NULL},
    {"$thing/down/+/{product}/{device}", SUB, NULL},
    {"$resource/up/service/{product}/{device}", PUB, &sky_tencent_resource},
    {"$resource/down/service/{product}/{device}", SUB, NULL},
    {"$ota/report/{product}/{device}", PUB, &sky_tencent_ota},
    {"$ota/update/{product}/{device}", SUB, NULL},
    {"$rrpc/rxd/{product}/{device}/+", SUB, NULL},
    {"$rrpc/txd/{product}/{device}/+", PUB, &sky_tencent_rpc_answer},
    {"$broadcast/rxd/{product}/{device}", SUB, NULL},
};

const struct sky_topic_table sky_tencent__topics = {rows, SKY_COUNT(rows)};
