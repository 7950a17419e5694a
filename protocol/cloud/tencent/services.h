/* What answers on Tencent's topics, the device shadow first, and the commands its applications
 * send. */
#ifndef SKY_CLOUD_TENCENT_SERVICES_H
#define SKY_CLOUD_TENCENT_SERVICES_H

#include "protocol/cloud/cloud.h"

enum {
    SKY_TENCENT_MESSAGE_MAX = 16 * 1024, /* bytes of a JSON message */
    SKY_TENCENT_SHADOW_DEPTH_MAX = 5,
    SKY_TENCENT_SHADOW_BYTES_MAX = 16 * 1024,
    SKY_TENCENT_COMMANDS = 1,
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

/* $shadow/operation/{product}/{device}, answered on $shadow/operation/result/...; keeps the
 * document "shadow". */
extern const struct sky_service sky_tencent_shadow;
extern const struct sky_service sky_tencent_time; /* $sys/operation/{product}/{device} */
extern const struct sky_service sky_tencent_log;  /* $log/operation/{product}/{device} */
/* Documented, and not played here: a finding. */
extern const struct sky_service sky_tencent_unplayed;
extern const struct sky_service sky_tencent_rpc_answer; /* $rrpc/txd/{product}/{device}/{id} */

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

#endif
