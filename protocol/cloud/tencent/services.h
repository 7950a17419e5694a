/* What answers on Tencent's topics, the device shadow first, and the commands its applications
 * send. */
#ifndef SKY_CLOUD_TENCENT_SERVICES_H
#define SKY_CLOUD_TENCENT_SERVICES_H

#include "protocol/cloud/envelope.h"

enum {
    SKY_TENCENT_MESSAGE_MAX = 16 * 1024, /* bytes of a JSON message */
    SKY_TENCENT_SHADOW_DEPTH_MAX = 5,
    SKY_TENCENT_SHADOW_BYTES_MAX = 16 * 1024,
    SKY_TENCENT_VALUES_BYTES_MAX = 64 * 1024, /* of all properties and controls of a device */
    SKY_TENCENT_BROADCAST_MAX = 8 * 1024,     /* bytes; 使用限制 */
    SKY_TENCENT_LOG_LEVEL_MAX = 4,            /* 0 off, 1 error, 2 warning, 3 info, 4 debug */
    SKY_TENCENT_BEHIND_MAX = 1500,            /* devices bound to a gateway */
    SKY_TENCENT_COMMANDS = 9,
};

/* "result" of a shadow answer. The vendor publishes only 0 and 5005; the others are this
 * server's own, in a range of their own. */
enum sky_tencent_shadow_result {
    SKY_TENCENT_SHADOW_OK = 0,
    SKY_TENCENT_SHADOW_VERSION = 5005, /* the payload is the present document */
    SKY_TENCENT_SHADOW_NOT_JSON = 9400,
    SKY_TENCENT_SHADOW_TYPE = 9401,
    SKY_TENCENT_SHADOW_DELTA = 9402, /* delta is for the cloud to send */
    SKY_TENCENT_SHADOW_STATE = 9403,
    SKY_TENCENT_SHADOW_ARRAY_NULL = 9404,
    SKY_TENCENT_SHADOW_DEPTH = 9405,
    SKY_TENCENT_SHADOW_SIZE = 9406,
};

/* "code" of an answer on $thing ("物模型协议 / 错误码"). */
enum sky_tencent_thing_code {
    SKY_TENCENT_THING_OK = 0,
    SKY_TENCENT_THING_NOT_JSON = 400,
    SKY_TENCENT_THING_UNKNOWN = 403, /* method or identifier */
    SKY_TENCENT_THING_TIME = 405,
    SKY_TENCENT_THING_VALUE = 406,
};

/* $shadow/operation/{product}/{device}, answered on $shadow/operation/result/...; keeps the
 * document "shadow". */
extern const struct sky_service sky_tencent_shadow;
/* $template/operation/{product}/{device}: the same protocol over the properties of $thing. */
extern const struct sky_service sky_tencent_template;
extern const struct sky_service sky_tencent_time;       /* $sys/operation/{product}/{device} */
extern const struct sky_service sky_tencent_log;        /* $log/operation/{product}/{device} */
extern const struct sky_service sky_tencent_rpc_answer; /* $rrpc/txd/{product}/{device}/{id} */
/* $thing/up/{property,event,action,service}/{product}/{device}, answered on $thing/down/...;
 * properties are kept in the document "properties", a shadow whose times are in milliseconds: what
 * is desired are the controls that the device has not answered. */
extern const struct sky_service sky_tencent_property;
extern const struct sky_service sky_tencent_event;
extern const struct sky_service sky_tencent_action;
extern const struct sky_service sky_tencent_file;     /* $thing/up/service */
extern const struct sky_service sky_tencent_resource; /* $resource/up/service */

/* $config/operation/{product}/{device}, and $config/report/... of older SDKs. */
extern const struct sky_service sky_tencent_config;
extern const struct sky_service sky_tencent_ota; /* $ota/report/{product}/{device} */
extern const struct sky_cloud_ota sky_tencent_upgrades;
extern const struct sky_service sky_tencent_gateway; /* $gateway/operation/{product}/{device} */
extern const struct sky_cloud_gateway sky_tencent_behind;

extern const struct sky_command_row sky_tencent_commands[SKY_TENCENT_COMMANDS];

/* "$shadow/operation/result/p/d" for "$shadow/operation/p/d", and so for the other services;
 * in the arena. */
sky_span sky_tencent_result_topic(const struct sky_uplink *uplink, const char *service,
                                  struct sky_arena *arena);

/* As in struct sky_cloud. */
SKY_MUST_USE sky_err sky_tencent_shadow_patch(const struct sky_uplink *to,
                                              const struct sky_facts *facts, sky_span patch,
                                              struct sky_effects *effects, struct sky_why *why);
SKY_MUST_USE sky_err sky_tencent_shadow_seed(sky_span fixture, int64_t now_ms,
                                             struct sky_arena *arena, sky_span *ret_document,
                                             int64_t *ret_version, struct sky_why *why);

/* ---- between the files of the services ---- */

/* False, judged, when this is no JSON object with the type that the service answers: the vendor
 * documents no answer to anything else. */
bool sky_tencent__open(const struct sky_uplink *uplink, const char *type, struct sky_judge *judge,
                       struct sky_envelope *ret_envelope);
/* "{prefix}/{product}/{device}", in the arena. */
sky_span sky_tencent__topic(const struct sky_uplink *uplink, const char *prefix,
                            struct sky_arena *arena);

/* The commands, as struct sky_command_row has them. */
sky_span sky_tencent__build_rpc(const struct sky_uplink *to,
                                const struct sky_command_request *request,
                                struct sky_effects *effects);
sky_span sky_tencent__build_broadcast(const struct sky_uplink *to,
                                      const struct sky_command_request *request,
                                      struct sky_effects *effects);
sky_span sky_tencent__build_raw(const struct sky_uplink *to,
                                const struct sky_command_request *request,
                                struct sky_effects *effects);
sky_span sky_tencent__build_log_level(const struct sky_uplink *to,
                                      const struct sky_command_request *request,
                                      struct sky_effects *effects);
sky_span sky_tencent__build_control(const struct sky_uplink *to,
                                    const struct sky_command_request *request,
                                    struct sky_effects *effects);
sky_span sky_tencent__build_template(const struct sky_uplink *to,
                                     const struct sky_command_request *request,
                                     struct sky_effects *effects);
sky_span sky_tencent__build_config(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects);
sky_span sky_tencent__build_notice(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects);
sky_span sky_tencent__build_action(const struct sky_uplink *to,
                                   const struct sky_command_request *request,
                                   struct sky_effects *effects);

#endif
