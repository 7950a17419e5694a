/* What answers on Aliyun's topics, and the commands its applications send. */
#ifndef SKY_CLOUD_ALIYUN_SERVICES_H
#define SKY_CLOUD_ALIYUN_SERVICES_H

#include "protocol/cloud/cloud.h"

enum {
    SKY_ALIYUN_MESSAGE_MAX = 256 * 1024, /* bytes of a JSON message */
    SKY_ALIYUN_TAGS_MAX = 200,           /* tags in one message */
    SKY_ALIYUN_SHADOW_DEPTH_MAX = 5,
    SKY_ALIYUN_SHADOW_BYTES_MAX = 16 * 1024,
    SKY_ALIYUN_SHADOW_ATTRIBUTES_MAX = 128,
    SKY_ALIYUN_COMMANDS = 4,
};

/* .../thing/event/property/post; keeps the document "properties":
 * {"name":{"value":...,"time":ms}}. */
extern const struct sky_service sky_aliyun_property_post;
extern const struct sky_service sky_aliyun_event_post; /* .../thing/event/{id}/post */
/* .../thing/deviceinfo/update and delete; keep the document "tags": {"attrKey":"attrValue"}. */
extern const struct sky_service sky_aliyun_tags_update;
extern const struct sky_service sky_aliyun_tags_delete;
/* /ota/device/inform/{product}/{device}; keeps the document "versions": {"module":"version"}. */
extern const struct sky_service sky_aliyun_version;
extern const struct sky_service sky_aliyun_time; /* /ext/ntp/{product}/{device}/request */
/* .../rrpc/response/{id} and /ext/rrpc/{id}/...: answers to the commands "rpc", "custom-rpc". */
extern const struct sky_service sky_aliyun_rpc_answer;
extern const struct sky_service sky_aliyun_custom_rpc_answer;
/* .../thing/service/..._reply: answers to the commands "property-set" and "service". */
extern const struct sky_service sky_aliyun_command_answer;
/* Documented, and not played here: a finding, and an answer 404 unless there is no form for one. */
extern const struct sky_service sky_aliyun_unplayed;
extern const struct sky_service sky_aliyun_unplayed_unanswered;
/* Anything else under .../thing/: the row behind all others. */
extern const struct sky_service sky_aliyun_unknown;
/* /shadow/update/{product}/{device}, answered on /shadow/get/...; keeps the document "shadow". */
extern const struct sky_service sky_aliyun_shadow;

extern const struct sky_command_row sky_aliyun_commands[SKY_ALIYUN_COMMANDS];

/* As in struct sky_cloud. */
SKY_MUST_USE sky_err sky_aliyun_shadow_patch(const struct sky_uplink *to,
                                             const struct sky_facts *facts, sky_span patch,
                                             struct sky_effects *effects, struct sky_why *why);
SKY_MUST_USE sky_err sky_aliyun_shadow_seed(sky_span fixture, int64_t now_ms,
                                            struct sky_arena *arena, sky_span *ret_document,
                                            int64_t *ret_version, struct sky_why *why);

#endif
