/* What answers on EnOS's topics, over MQTT and CoAP alike, and the commands its applications
 * send. */
#ifndef SKY_CLOUD_ENOS_SERVICES_H
#define SKY_CLOUD_ENOS_SERVICES_H

#include "protocol/cloud/cloud.h"
#include "protocol/cloud/enos/limits.h"

enum { SKY_ENOS_COMMANDS = 6 };

/* .../thing/measurepoint/post, post/batch, resume, resume/batch; keep the document "properties":
 * {"name":{"value":...,"quality":0..9,"time":ms}}. A resumed value never replaces a newer one. */
extern const struct sky_service sky_enos_measurepoint_post;
extern const struct sky_service sky_enos_measurepoint_post_batch;
extern const struct sky_service sky_enos_measurepoint_resume;
extern const struct sky_service sky_enos_measurepoint_resume_batch;
extern const struct sky_service sky_enos_event_post; /* .../thing/event/{id}/post */
/* .../thing/attribute/...; keep the document "attributes": {"name":value}. */
extern const struct sky_service sky_enos_attribute_update;
extern const struct sky_service sky_enos_attribute_query;
extern const struct sky_service sky_enos_attribute_delete;
/* .../thing/tag/...; keep the document "tags": {"tagKey":"tagValue"}. */
extern const struct sky_service sky_enos_tag_update;
extern const struct sky_service sky_enos_tag_query;
extern const struct sky_service sky_enos_tag_delete;
/* .../thing/service/..._reply: answers to commands. */
extern const struct sky_service sky_enos_command_answer;
/* /ext/session/.../thing/activate/info_reply: taken, and nothing more. */
extern const struct sky_service sky_enos_activation_answer;
/* .../ota/device/inform, getversion, progress, request, upgrade_reply. */
extern const struct sky_service sky_enos_ota_inform;
extern const struct sky_service sky_enos_ota_getversion;
extern const struct sky_service sky_enos_ota_progress;
extern const struct sky_service sky_enos_ota_request;
extern const struct sky_service sky_enos_ota_answer;
extern const struct sky_cloud_ota sky_enos_upgrades;
/* /sys/.../traffic/control: the answer to a command comes where that went. */
extern const struct sky_service sky_enos_traffic_answer;
/* .../thing/model/up_raw: bytes; answered, one at a time. */
extern const struct sky_service sky_enos_raw;
/* .../thing/model/down_raw_reply and .../rrpc/response/{id}: answers to the commands "raw" and
 * "rpc". */
extern const struct sky_service sky_enos_raw_answer;
extern const struct sky_service sky_enos_rpc_answer;
/* .../thing/log/post, .../network/status/report, .../connection/state/post: acknowledged, noted in
 * the journal. */
extern const struct sky_service sky_enos_log;
extern const struct sky_service sky_enos_network_status;
extern const struct sky_service sky_enos_connection_state;
extern const struct sky_service sky_enos_template; /* .../thing/tsltemplate/get: the model */
/* Of gateways: .../thing/topo/add, delete, get, .../thing/device/register, and
 * /ext/session/.../combine/login, login/batch, logout. */
extern const struct sky_service sky_enos_topo_add;
extern const struct sky_service sky_enos_topo_delete;
extern const struct sky_service sky_enos_topo_get;
extern const struct sky_service sky_enos_register;
extern const struct sky_service sky_enos_combine_login;
extern const struct sky_service sky_enos_combine_batch;
extern const struct sky_service sky_enos_combine_logout;
/* /ext/session/.../combine/enable_reply, disable_reply, delete_reply, and those of the device's own
 * .../thing/enable, ...: taken, and nothing more. */
extern const struct sky_service sky_enos_notice_answer;
/* Anything else under /sys/{product}/{device}/thing/ or /ext/session/.../combine/: the row behind
 * all others. */
extern const struct sky_service sky_enos_unknown;

extern const struct sky_command_row sky_enos_commands[SKY_ENOS_COMMANDS];

/* As struct sky_cloud.refused_publish: answers with a code on the reply topic. */
void sky_enos_refuse_publish(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects);

#endif
