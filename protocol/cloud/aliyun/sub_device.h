/* What a gateway's message says of the devices behind it, and how each of them is signed. Private
 * to this folder. */
#ifndef SKY_ALIYUN_SUB_DEVICE_H
#define SKY_ALIYUN_SUB_DEVICE_H

#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/request.h"

/* Where the devices stand in a message's params. */
enum sky_aliyun_place {
    SKY_ALIYUN_ITSELF,      /* params is the device */
    SKY_ALIYUN_LIST,        /* a list of devices */
    SKY_ALIYUN_DEVICE_LIST, /* {"deviceList":[..]} */
    SKY_ALIYUN_PROXIED,     /* {"proxieds":[..]} */
    SKY_ALIYUN_SUB_DEVICES, /* {"subDevices":[{"identity":device,..}]} */
    SKY_ALIYUN_IDENTITIES,  /* [{"identity":device,..}] */
};

/* The list, or the one device; empty when there is none of that form. */
sky_span sky_aliyun__devices(sky_span params, enum sky_aliyun_place place);

/* As struct sky_service has it. */
size_t sky_aliyun__find_peers(const struct sky_uplink *uplink, enum sky_aliyun_place place,
                              struct sky_arena *arena, struct sky_peer ret_peers[SKY_PEERS_MAX]);

/* sky_aliyun__begin() of a message that names devices, which only a gateway may send: false, and
 * answered, also when it is none, when the devices are not there in that form, and when there are
 * more than `max`. */
bool sky_aliyun__begin_gateway(struct sky_aliyun_request *request, enum sky_aliyun_place place,
                               size_t max, const struct sky_uplink *uplink,
                               const struct sky_facts *facts, struct sky_judge *judge,
                               struct sky_effects *effects);
/* For a message that names none. */
bool sky_aliyun__refused_gateway(const struct sky_aliyun_request *request);
/* Asks for the fault of each device, and returns the first. */
typedef struct sky_aliyun_fault sky_aliyun_fault_of(const struct sky_aliyun_request *request,
                                                    struct sky_peer *peer);
struct sky_aliyun_fault sky_aliyun__first_fault(const struct sky_aliyun_request *request,
                                                sky_aliyun_fault_of *fault_of);
/* The same, answered. False when there is none. */
bool sky_aliyun__refused_peers(const struct sky_aliyun_request *request,
                               sky_aliyun_fault_of *fault_of);
/* Is it one that first_fault() found one with? */
bool sky_aliyun__is_faulty(const struct sky_peer *peer);

/* Judges by a rule for the gateway and for the device itself, if there is one. */
void sky_aliyun__judge_peer(const struct sky_aliyun_request *request, struct sky_peer *peer,
                            const struct sky_rule *rule, bool kept, const char *what);
/* A fault of one device, so judged; SOUND, and so judged, when `kept`. */
struct sky_aliyun_fault sky_aliyun__peer_fault(const struct sky_aliyun_request *request,
                                               struct sky_peer *peer, const struct sky_rule *rule,
                                               bool kept, enum sky_aliyun_code code,
                                               const char *what);

/* [{"deviceName":..,"productKey":..}, ..] of those that `is_one` picks; NULL: of all. */
sky_span sky_aliyun__names(const struct sky_aliyun_request *request,
                           bool (*is_one)(const struct sky_peer *peer));

/* One effect on all of these devices that `is_one` picks; none when it picks none. */
void sky_aliyun__affect(const struct sky_aliyun_request *request, enum sky_effect_kind kind,
                        bool (*is_one)(const struct sky_peer *peer));

/* Tells a gateway that something of a device behind it was not done, or is at an end. */
void sky_aliyun__push_error(const struct sky_uplink *gateway, enum sky_aliyun_code code,
                            sky_span id, struct sky_effects *effects);

/* ---- signatures (help pages 89299 and 89300) ---- */

/* How a device says that it is signed. */
struct sky_aliyun_sub_sign {
    struct sky_recipe recipe;
    sky_span given, method;
};

/* Of a device that is added or logged in: `params` are the message's, for what stands in them
 * beside a list. What is wrong with it, or NULL. */
const char *sky_aliyun__read_sub_sign(struct sky_arena *arena, sky_span params,
                                      const struct sky_peer *peer,
                                      struct sky_aliyun_sub_sign *ret_sign);
/* Judges it: SOUND, or the code. */
struct sky_aliyun_fault sky_aliyun__check_sub_sign(const struct sky_aliyun_request *request,
                                                   struct sky_peer *peer,
                                                   enum sky_aliyun_code code);
/* As struct sky_service has it. */
bool sky_aliyun__suspect_sub(const struct sky_uplink *uplink, const struct sky_peer *peer,
                             struct sky_suspicion *ret_suspicion, struct sky_arena *arena);

/* Of a device that registers with its product's secret through a gateway. */
const char *sky_aliyun__read_proxy_sign(struct sky_arena *arena, const struct sky_peer *peer,
                                        struct sky_aliyun_sub_sign *ret_sign);

/* The parts of struct sky_cloud. */
extern const struct sky_cloud_gateway sky_aliyun__gateway;
void sky_aliyun__refused_publish(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                 struct sky_judge *judge, struct sky_effects *effects);

#endif
