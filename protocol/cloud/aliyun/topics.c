/* The topics a device has without its product's owner adding any. thing/, rrpc/ and broadcast/
 * may be used in both directions as a whole (MQTT协议规范): SDKs subscribe to requests too. */
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/services.h"

#define PUB SKY_MAY_PUB
#define SUB SKY_MAY_SUB
#define BOTH (SKY_MAY_PUB | SKY_MAY_SUB)

const struct sky_topic_row sky_aliyun__topics[SKY_ALIYUN_TOPICS] = {
    {"/sys/{product}/{device}/thing/event/property/post", BOTH, &sky_aliyun_property_post},
    {"/sys/{product}/{device}/thing/event/+/post", BOTH, &sky_aliyun_event_post},
    {"/sys/{product}/{device}/thing/deviceinfo/update", BOTH, &sky_aliyun_tags_update},
    {"/sys/{product}/{device}/thing/deviceinfo/delete", BOTH, &sky_aliyun_tags_delete},
    {"/sys/{product}/{device}/thing/service/#", BOTH, &sky_aliyun_command_answer},
    {"/sys/{product}/{device}/thing/model/#", BOTH | SKY_RAW, NULL},
    {"/sys/{product}/{device}/thing/#", BOTH, &sky_aliyun_unknown},
    {"/sys/{product}/{device}/rrpc/response/+", BOTH, &sky_aliyun_rpc_answer},
    {"/sys/{product}/{device}/rrpc/#", BOTH, NULL},
    {"/ext/rrpc/+/#", BOTH, &sky_aliyun_custom_rpc_answer},
    {"/ext/ntp/{product}/{device}/request", PUB, &sky_aliyun_time},
    {"/ext/ntp/{product}/{device}/response", SUB, NULL},
    {"/ext/session/{product}/{device}/combine/#", BOTH, NULL},
    {"/ext/error/{product}/{device}", SUB, NULL},
    {"/ext/register", SUB | SKY_PUSHED, NULL},
    {"/ota/device/inform/{product}/{device}", PUB, NULL},
    {"/ota/device/progress/{product}/{device}", PUB, NULL},
    {"/ota/device/request/{product}/{device}", BOTH, NULL},
    {"/ota/device/upgrade/{product}/{device}", SUB, NULL},
    {"/shadow/update/{product}/{device}", PUB, &sky_aliyun_shadow},
    {"/shadow/get/{product}/{device}", SUB, NULL},
    {"/broadcast/{product}/#", BOTH, NULL},
    /* the custom topics of a new product: since 2018 below user/, before that without it */
    {"/{product}/{device}/user/update", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/user/update/error", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/user/get", SUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/update", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/update/error", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/get", SUB | SKY_CUSTOM, NULL},
};
