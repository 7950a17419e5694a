/* What answers on Aliyun's topics, and the commands its applications send. */
#ifndef SKY_CLOUD_ALIYUN_SERVICES_H
#define SKY_CLOUD_ALIYUN_SERVICES_H

#include "protocol/cloud/cloud.h"

enum {
    SKY_ALIYUN_MESSAGE_MAX = 256 * 1024, /* bytes of a JSON message */
    SKY_ALIYUN_SDK_BUFFER = 2048,        /* bytes of a message that the C SDK takes at most */
    SKY_ALIYUN_PROPERTIES_MAX = 200,     /* of one device in one message */
    SKY_ALIYUN_DESIRED_MAX = 10,         /* that the application wants at once */
    SKY_ALIYUN_EVENTS_MAX = 20,          /* the same */
    SKY_ALIYUN_SUB_DEVICES_MAX = 20,     /* in one message of their properties */
    SKY_ALIYUN_TAGS_MAX = 200,           /* in one message */
    SKY_ALIYUN_TAG_KEY_MAX = 100,        /* characters */
    SKY_ALIYUN_LOG_ENTRIES_MAX = 40,     /* in one message */
    /* Of the gateways' limits there are several editions; these are the latest but one. */
    SKY_ALIYUN_BOUND_MAX = 1500,      /* sub-devices of one gateway, and of those online */
    SKY_ALIYUN_ADD_MAX = 30,          /* added in one message */
    SKY_ALIYUN_BATCH_MAX = 50,        /* logged in or out in one message */
    SKY_ALIYUN_TOLD_MAX = 24,         /* of which a gateway is told one by one at once */
    SKY_ALIYUN_STREAM_FILE = 1,       /* number of an image that is fetched by messages */
    SKY_ALIYUN_FILE_TOKEN_MAX = 1024, /* bytes of JSON that an answer repeats */
    SKY_ALIYUN_SHADOW_DEPTH_MAX = 5,
    SKY_ALIYUN_SHADOW_BYTES_MAX = 16 * 1024,
    SKY_ALIYUN_SHADOW_ATTRIBUTES_MAX = 128,
    SKY_ALIYUN_COMMANDS = 13,
};

#define SKY_ALIYUN_MAIN_MODULE "default" /* what goes without a name in upgrades */

/* Documents that services and commands share. */
#define SKY_ALIYUN_DESIRED "desired"       /* {"name":{"value":..,"version":n}} */
#define SKY_ALIYUN_JOBS "jobs"             /* {"taskId":{"taskId":..,"status":..,..}} */
#define SKY_ALIYUN_LOG_CONFIG "log-config" /* {"mode":0} */

/* .../thing/event/property/post, .../batch/post and .../pack/post; keep the document
 * "properties":
 * {"name":{"value":...,"time":ms}}. */
extern const struct sky_service sky_aliyun_property_post;
extern const struct sky_service sky_aliyun_batch_post;
extern const struct sky_service sky_aliyun_pack_post;
extern const struct sky_service sky_aliyun_history_post; /* .../thing/event/property/history/post */
extern const struct sky_service sky_aliyun_event_post;   /* .../thing/event/{id}/post */
extern const struct sky_service sky_aliyun_raw;          /* .../thing/model/up_raw */
/* .../thing/property/desired/get and delete. */
extern const struct sky_service sky_aliyun_desired_get;
extern const struct sky_service sky_aliyun_desired_delete;
/* .../thing/deviceinfo/update and delete; keep the document "tags": {"attrKey":"attrValue"}. */
extern const struct sky_service sky_aliyun_tags_update;
extern const struct sky_service sky_aliyun_tags_delete;
/* .../thing/log/post and .../thing/config/log/get. */
extern const struct sky_service sky_aliyun_log_post;
extern const struct sky_service sky_aliyun_log_config;
/* .../thing/job/update and get. */
extern const struct sky_service sky_aliyun_job_update;
extern const struct sky_service sky_aliyun_job_get;
/* .../thing/topo/add, delete and get, .../thing/list/found: a gateway's topology. */
extern const struct sky_service sky_aliyun_topo_add;
extern const struct sky_service sky_aliyun_topo_delete;
extern const struct sky_service sky_aliyun_topo_get;
extern const struct sky_service sky_aliyun_list_found;
/* .../thing/sub/register and unregister, .../thing/proxy/provisioning/product_register. */
extern const struct sky_service sky_aliyun_sub_register;
extern const struct sky_service sky_aliyun_sub_unregister;
extern const struct sky_service sky_aliyun_proxy_register;
/* /ext/session/{product}/{device}/combine/... */
extern const struct sky_service sky_aliyun_login;
extern const struct sky_service sky_aliyun_logout;
extern const struct sky_service sky_aliyun_batch_login;
extern const struct sky_service sky_aliyun_batch_logout;
extern const struct sky_service sky_aliyun_model_get; /* .../thing/{dsltemplate,dynamicTsl}/get */
/* .../thing/config/get */
extern const struct sky_service sky_aliyun_config_get;
/* /ota/device/{inform, request, progress}/{product}/{device}, .../thing/ota/firmware/get and
 * .../thing/file/download; of the document of upgrades (protocol/cloud/ota.h). */
extern const struct sky_service sky_aliyun_version;
extern const struct sky_service sky_aliyun_ota_request;
extern const struct sky_service sky_aliyun_progress;
extern const struct sky_service sky_aliyun_firmware_get;
extern const struct sky_service sky_aliyun_file_download;
extern const struct sky_service sky_aliyun_time;  /* /ext/ntp/{product}/{device}/request */
extern const struct sky_service sky_aliyun_reset; /* .../thing/reset */
/* .../rrpc/response/{id} and /ext/rrpc/{id}/...: answers to the commands "rpc", "service-sync" and
 * "custom-rpc". */
extern const struct sky_service sky_aliyun_rpc_answer;
extern const struct sky_service sky_aliyun_custom_rpc_answer;
/* ..._reply: answers to all other commands. What comes to the second need not be JSON. */
extern const struct sky_service sky_aliyun_command_answer;
extern const struct sky_service sky_aliyun_loose_answer;
/* Documented, and not played here: a finding, and an answer 404 unless there is no form for one. */
extern const struct sky_service sky_aliyun_unplayed;
extern const struct sky_service sky_aliyun_unplayed_unanswered;
/* Anything else under .../thing/: the row behind all others. */
extern const struct sky_service sky_aliyun_unknown;
/* /shadow/update/{product}/{device}, answered on /shadow/get/...; keeps the document "shadow". */
extern const struct sky_service sky_aliyun_shadow;

/* The part of struct sky_cloud. */
extern const struct sky_cloud_ota sky_aliyun__ota;

extern const struct sky_command_row sky_aliyun_commands[SKY_ALIYUN_COMMANDS];

/* As in struct sky_cloud. */
SKY_MUST_USE sky_err sky_aliyun_shadow_patch(const struct sky_uplink *to,
                                             const struct sky_facts *facts, sky_span patch,
                                             struct sky_effects *effects, struct sky_why *why);
SKY_MUST_USE sky_err sky_aliyun_shadow_seed(sky_span fixture, int64_t now_ms,
                                            struct sky_arena *arena, sky_span *ret_document,
                                            int64_t *ret_version, struct sky_why *why);

#endif
