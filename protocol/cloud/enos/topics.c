/* The topics a device has, over MQTT and, behind /topic, over CoAP. What the cloud sends down
 * reaches the device without a subscription: SDKs subscribe to replies at most. */
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/services.h"

#define PUB SKY_MAY_PUB
#define SUB (SKY_MAY_SUB | SKY_ANSWER)
#define DOWN (SKY_MAY_SUB | SKY_PUSHED)
#define SYS "/sys/{product}/{device}"
#define SESSION "/ext/session/{product}/{device}"

static const struct sky_topic_row rows[] = {
    {SYS "/thing/measurepoint/post", PUB, &sky_enos_measurepoint_post},
    {SYS "/thing/measurepoint/post/batch", PUB, &sky_enos_measurepoint_post_batch},
    {SYS "/thing/measurepoint/resume", PUB, &sky_enos_measurepoint_resume},
    {SYS "/thing/measurepoint/resume/batch", PUB, &sky_enos_measurepoint_resume_batch},
    {SYS "/thing/measurepoint/#", SUB, NULL},
    {SYS "/thing/event/+/post", PUB, &sky_enos_event_post},
    {SYS "/thing/event/+/post_reply", SUB, NULL},
    {SYS "/thing/attribute/update", PUB, &sky_enos_attribute_update},
    {SYS "/thing/attribute/query", PUB, &sky_enos_attribute_query},
    {SYS "/thing/attribute/delete", PUB, &sky_enos_attribute_delete},
    {SYS "/thing/attribute/+", SUB, NULL},
    {SYS "/thing/tag/update", PUB, &sky_enos_tag_update},
    {SYS "/thing/tag/query", PUB, &sky_enos_tag_query},
    {SYS "/thing/tag/delete", PUB, &sky_enos_tag_delete},
    {SYS "/thing/tag/+", SUB, NULL},
    /* replies to commands end in _reply, which a pattern cannot say: both directions share it */
    {SYS "/thing/service/#", PUB | DOWN, &sky_enos_command_answer},
    {SYS "/thing/model/up_raw", PUB | SKY_RAW, &sky_enos_raw},
    {SYS "/thing/model/up_raw_reply", SUB | SKY_RAW, NULL},
    {SYS "/thing/model/down_raw", DOWN | SKY_RAW, NULL},
    {SYS "/thing/model/down_raw_reply", PUB | SKY_RAW, &sky_enos_raw_answer},
    {SYS "/thing/enable", DOWN, NULL},
    {SYS "/thing/disable", DOWN, NULL},
    {SYS "/thing/delete", DOWN, NULL},
    {SYS "/thing/enable_reply", PUB, &sky_enos_notice_answer},
    {SYS "/thing/disable_reply", PUB, &sky_enos_notice_answer},
    {SYS "/thing/delete_reply", PUB, &sky_enos_notice_answer},
    {SYS "/thing/topo/add", PUB, &sky_enos_topo_add},
    {SYS "/thing/topo/delete", PUB, &sky_enos_topo_delete},
    {SYS "/thing/topo/get", PUB, &sky_enos_topo_get},
    {SYS "/thing/topo/+", SUB, NULL},
    {SYS "/thing/device/register", PUB, &sky_enos_register},
    {SYS "/thing/device/register_reply", SUB, NULL},
    {SYS "/thing/tsltemplate/get", PUB, &sky_enos_template},
    {SYS "/thing/tsltemplate/get_reply", SUB, NULL},
    {SYS "/thing/log/post", PUB, &sky_enos_log},
    {SYS "/thing/log/post_reply", SUB, NULL},
    {SYS "/thing/#", PUB | SUB, &sky_enos_unknown},
    {SYS "/ota/device/upgrade", DOWN, NULL},
    {SYS "/ota/device/inform", PUB, &sky_enos_ota_inform},
    {SYS "/ota/device/getversion", PUB, &sky_enos_ota_getversion},
    {SYS "/ota/device/progress", PUB, &sky_enos_ota_progress},
    {SYS "/ota/device/request", PUB, &sky_enos_ota_request},
    {SYS "/ota/device/upgrade_reply", PUB, &sky_enos_ota_answer},
    {SYS "/ota/device/#", PUB | SUB, &sky_enos_unknown},
    {SYS "/rrpc/request/+", DOWN | SKY_RAW, NULL},
    {SYS "/rrpc/response/+", PUB | SKY_RAW, &sky_enos_rpc_answer},
    {SYS "/network/status/report", PUB, &sky_enos_network_status},
    {SYS "/network/status/report_reply", SUB, NULL},
    {SYS "/connection/state/post", PUB, &sky_enos_connection_state},
    {SYS "/connection/state/post_reply", SUB, NULL},
    {SYS "/traffic/control", PUB | DOWN, &sky_enos_traffic_answer},
    {SESSION "/thing/activate/info", DOWN, NULL},
    {SESSION "/thing/activate/info_reply", PUB, &sky_enos_activation_answer},
    {SESSION "/combine/enable", DOWN, NULL},
    {SESSION "/combine/disable", DOWN, NULL},
    {SESSION "/combine/delete", DOWN, NULL},
    {SESSION "/combine/enable_reply", PUB, &sky_enos_notice_answer},
    {SESSION "/combine/disable_reply", PUB, &sky_enos_notice_answer},
    {SESSION "/combine/delete_reply", PUB, &sky_enos_notice_answer},
    {SESSION "/combine/login", PUB, &sky_enos_combine_login},
    {SESSION "/combine/login/batch", PUB, &sky_enos_combine_batch},
    {SESSION "/combine/logout", PUB, &sky_enos_combine_logout},
    {SESSION "/combine/#", PUB | SUB, &sky_enos_unknown},
    {"/ext/auth/identity/response", DOWN, NULL},
};

const struct sky_topic_table sky_enos__topics = {rows, SKY_COUNT(rows)};
