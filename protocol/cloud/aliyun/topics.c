/* The topics a device has without its product's owner adding any. thing/, rrpc/ and broadcast/
 * may be used in both directions as a whole (MQTT协议规范): SDKs subscribe to requests too. */
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/services.h"

#define PUB SKY_MAY_PUB
#define SUB SKY_MAY_SUB
#define BOTH (SKY_MAY_PUB | SKY_MAY_SUB)
#define SYS "/sys/{product}/{device}"
#define THING SYS "/thing"

static const struct sky_topic_row rows[] = {
    {THING "/event/property/post", BOTH, &sky_aliyun_property_post},
    {THING "/event/+/post", BOTH, &sky_aliyun_event_post},
    {THING "/deviceinfo/update", BOTH, &sky_aliyun_tags_update},
    {THING "/deviceinfo/delete", BOTH, &sky_aliyun_tags_delete},
    {THING "/service/#", BOTH, &sky_aliyun_command_answer},
    {THING "/model/up_raw", BOTH | SKY_RAW, &sky_aliyun_raw},
    {THING "/model/down_raw_reply", BOTH | SKY_RAW, &sky_aliyun_loose_answer},
    {THING "/model/#", BOTH | SKY_RAW, &sky_aliyun_unplayed_unanswered},
    {THING "/event/property/batch/post", BOTH, &sky_aliyun_batch_post},
    {THING "/event/property/pack/post", BOTH, &sky_aliyun_pack_post},
    {THING "/event/property/history/post", BOTH, &sky_aliyun_history_post},
    {THING "/property/desired/get", BOTH, &sky_aliyun_desired_get},
    {THING "/property/desired/delete", BOTH, &sky_aliyun_desired_delete},
    {THING "/topo/add", BOTH, &sky_aliyun_topo_add},
    {THING "/topo/delete", BOTH, &sky_aliyun_topo_delete},
    {THING "/topo/get", BOTH, &sky_aliyun_topo_get},
    {THING "/topo/add/notify_reply", BOTH, &sky_aliyun_command_answer},
    {THING "/topo/change_reply", BOTH, &sky_aliyun_loose_answer},
    {THING "/gateway/permit_reply", BOTH, &sky_aliyun_command_answer},
    {THING "/disable_reply", BOTH, &sky_aliyun_loose_answer},
    {THING "/enable_reply", BOTH, &sky_aliyun_loose_answer},
    {THING "/delete_reply", BOTH, &sky_aliyun_loose_answer},
    {THING "/sub/register", BOTH, &sky_aliyun_sub_register},
    {THING "/sub/unregister", BOTH, &sky_aliyun_sub_unregister},
    {THING "/proxy/provisioning/product_register", BOTH, &sky_aliyun_proxy_register},
    {THING "/list/found", BOTH, &sky_aliyun_list_found},
    {THING "/config/get", BOTH, &sky_aliyun_config_get},
    {THING "/config/push_reply", BOTH, &sky_aliyun_loose_answer},
    {THING "/config/log/get", BOTH, &sky_aliyun_log_config},
    {THING "/config/log/push_reply", BOTH, &sky_aliyun_loose_answer},
    {THING "/config/#", BOTH, &sky_aliyun_unplayed},
    {THING "/file/download", BOTH, &sky_aliyun_file_download},
    {THING "/file/download_reply", BOTH | SKY_RAW, NULL},
    {THING "/file/#", BOTH, &sky_aliyun_unplayed},
    {THING "/ota/firmware/get", BOTH, &sky_aliyun_firmware_get},
    {THING "/ota/#", BOTH, &sky_aliyun_unplayed},
    {THING "/job/update", BOTH, &sky_aliyun_job_update},
    {THING "/job/get", BOTH, &sky_aliyun_job_get},
    {THING "/job/notify_reply", BOTH, &sky_aliyun_command_answer},
    {THING "/log/post", BOTH, &sky_aliyun_log_post},
    {THING "/lan/#", BOTH, &sky_aliyun_unplayed},
    {THING "/dsltemplate/get", BOTH, &sky_aliyun_model_get},
    {THING "/dynamicTsl/get", BOTH, &sky_aliyun_model_get},
    {THING "/reset", BOTH, &sky_aliyun_reset},
    {THING "/#", BOTH, &sky_aliyun_unknown},
    {SYS "/_thing/#", BOTH, &sky_aliyun_unplayed}, /* of the smart-living SDK 2.x */
    {SYS "/rrpc/response/+", BOTH, &sky_aliyun_rpc_answer},
    {SYS "/rrpc/#", BOTH, NULL},
    {SYS "/broadcast/request/+", SUB | SKY_PUSHED, NULL},
    {"/ext/rrpc/+/#", BOTH, &sky_aliyun_custom_rpc_answer},
    {"/ext/ntp/{product}/{device}/request", PUB, &sky_aliyun_time},
    {"/ext/ntp/{product}/{device}/response", SUB, NULL},
    {"/ext/session/{product}/{device}/combine/login", BOTH, &sky_aliyun_login},
    {"/ext/session/{product}/{device}/combine/logout", BOTH, &sky_aliyun_logout},
    {"/ext/session/{product}/{device}/combine/batch_login", BOTH, &sky_aliyun_batch_login},
    {"/ext/session/{product}/{device}/combine/batch_logout", BOTH, &sky_aliyun_batch_logout},
    {"/ext/session/{product}/{device}/combine/#", BOTH, &sky_aliyun_unknown},
    {"/ext/error/{product}/{device}", SUB, NULL},
    {"/ext/register", SUB | SKY_PUSHED, NULL},
    {"/ext/regnwl", SUB | SKY_PUSHED, NULL},
    {"/ext/network/probe/+", SUB, NULL},
    {"/ota/device/inform/{product}/{device}", PUB, &sky_aliyun_version},
    {"/ota/device/progress/{product}/{device}", PUB, &sky_aliyun_progress},
    {"/ota/device/request/{product}/{device}", BOTH, &sky_aliyun_ota_request},
    {"/ota/device/upgrade/{product}/{device}", SUB | SKY_PUSHED, NULL},
    {"/shadow/update/{product}/{device}", PUB, &sky_aliyun_shadow},
    {"/shadow/get/{product}/{device}", SUB, NULL},
    {"/broadcast/{product}/#", BOTH | SKY_CUSTOM, NULL}, /* the rest of the name is anybody's */
    /* the custom topics of a new product: since 2018 below user/, before that without it */
    {"/{product}/{device}/user/update", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/user/update/error", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/user/get", SUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/update", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/update/error", PUB | SKY_CUSTOM, NULL},
    {"/{product}/{device}/get", SUB | SKY_CUSTOM, NULL},
};

const struct sky_topic_table sky_aliyun__topics = {rows, SKY_COUNT(rows)};
