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
    {"$config/operation/{product}/{device}", PUB, &sky_tencent_unplayed},
    {"$config/operation/result/{product}/{device}", SUB, NULL},
    {"$gateway/operation/{product}/{device}", PUB, &sky_tencent_unplayed},
    {"$gateway/operation/result/{product}/{device}", SUB, NULL},
    {"$template/operation/{product}/{device}", PUB, &sky_tencent_unplayed},
    {"$template/operation/result/{product}/{device}", SUB, NULL},
    {"$ota/report/{product}/{device}", PUB, &sky_tencent_unplayed},
    {"$ota/update/{product}/{device}", SUB, NULL},
    {"$rrpc/rxd/{product}/{device}/+", SUB, NULL},
    {"$rrpc/txd/{product}/{device}/+", PUB, &sky_tencent_rpc_answer},
    {"$broadcast/rxd/{product}/{device}", SUB, NULL},
};

const struct sky_topic_table sky_tencent__topics = {rows, SKY_COUNT(rows)};
