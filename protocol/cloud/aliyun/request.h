/* One request on its way through: what every service works on, and what it is answered. Private to
 * this folder. */
#ifndef SKY_ALIYUN_REQUEST_H
#define SKY_ALIYUN_REQUEST_H

#include "protocol/base/json_view.h"
#include "protocol/cloud/aliyun/rules.h"
#include "protocol/cloud/aliyun/services.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/latest.h"

/* The vendor's codes (help pages 89301 to 89307, 120329 and 44542). What the cloud says to a topic
 * that it does not know is not documented: 404 is ours. */
enum sky_aliyun_code {
    SKY_ALIYUN_OK = 200,
    SKY_ALIYUN_NO_BLOCK = 400,
    SKY_ALIYUN_NOT_AUTHORIZED = 401,
    SKY_ALIYUN_NOT_FOUND = 404,
    SKY_ALIYUN_OUSTED = 427,
    SKY_ALIYUN_ONLINE_MANY = 428,
    SKY_ALIYUN_TOO_FAST = 429,
    SKY_ALIYUN_PARAMETER = 460,
    SKY_ALIYUN_NO_SESSION = 520,
    SKY_ALIYUN_DELETED = 521,
    SKY_ALIYUN_DISABLED = 522,
    SKY_ALIYUN_PRODUCT_QUERY = 5005,
    SKY_ALIYUN_NO_MODEL = 5159,
    SKY_ALIYUN_NO_DEVICE = 6100,
    SKY_ALIYUN_DESIRED_MANY = 6104,
    SKY_ALIYUN_PROPERTIES_MANY = 6106,
    SKY_ALIYUN_DEVICE_DISABLED = 6204,
    SKY_ALIYUN_NOT_JSON = 6207,
    SKY_ALIYUN_NO_PRODUCT = 6250,
    SKY_ALIYUN_DEVICE_NAME = 6280,
    SKY_ALIYUN_SUB_SIGNATURE = 6287,
    SKY_ALIYUN_NO_REGISTRATION = 6288,
    SKY_ALIYUN_UNKNOWN = 6304, /* this and the next of those 63xx that model.c has all of */
    SKY_ALIYUN_TIME = 6326,
    SKY_ALIYUN_EVENTS_MANY = 6356,
    SKY_ALIYUN_SUB_DEVICES_MANY = 6357,
    SKY_ALIYUN_BOUND_MANY = 6400,
    SKY_ALIYUN_NO_RELATION = 6401,
    SKY_ALIYUN_SELF = 6402,
    SKY_ALIYUN_BOUND_ELSEWHERE = 6619,
    SKY_ALIYUN_NO_CONFIG = 6710,
};

struct sky_aliyun_request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    struct sky_envelope envelope;
    sky_span error_data; /* JSON that goes along with an error */
};

/* Why a request is refused; OK: it is not. */
struct sky_aliyun_fault {
    enum sky_aliyun_code code;
    const char
        *what; /* in a finding's words, static or in the effects' arena; NULL: it is judged */
    const struct sky_rule *rule; /* that is broken; NULL: the code's */
};

/* Reads the message and judges that it is a JSON object, answering nothing: for what has no
 * answer. */
bool sky_aliyun__open(struct sky_aliyun_request *request, const struct sky_uplink *uplink,
                      const struct sky_facts *facts, struct sky_judge *judge,
                      struct sky_effects *effects);
/* The same for a request; `broken` answers one that is no JSON object. False when it has been
 * answered with an error. */
bool sky_aliyun__begin(struct sky_aliyun_request *request, enum sky_aliyun_code broken,
                       const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects);

/* The text of a code. */
const char *sky_aliyun__message_of(enum sky_aliyun_code code);
/* `data` is JSON. */
void sky_aliyun__reply(const struct sky_aliyun_request *request, enum sky_aliyun_code code,
                       sky_span data);
/* The request was in order, and so were the rules about it; answered unless it asks for no
 * answer. */
void sky_aliyun__succeed(const struct sky_aliyun_request *request, sky_span data);
/* Judges the fault. False when there is none; else the request has been answered. */
bool sky_aliyun__refused(const struct sky_aliyun_request *request, struct sky_aliyun_fault fault);

static inline struct sky_aliyun_fault sky_aliyun__fault(enum sky_aliyun_code code, const char *what)
{
    return (struct sky_aliyun_fault){code, what, NULL};
}

static inline struct sky_aliyun_fault sky_aliyun__too_many(enum sky_aliyun_code code,
                                                           const char *what)
{
    return (struct sky_aliyun_fault){code, what, ALI_RULE(ENTRIES)};
}

/* No fault. */
#define SKY_ALIYUN_SOUND ((struct sky_aliyun_fault){SKY_ALIYUN_OK, NULL, NULL})

/* A device as params name it: {"productKey":..,"deviceName":..}, in the arena. False: one of the
 * two is missing, or no string. */
bool sky_aliyun__read_name(struct sky_arena *arena, sky_span object, struct sky_name *ret_name);
/* Is it the one that speaks? */
bool sky_aliyun__is_own(const struct sky_uplink *uplink, const struct sky_name *name);

/* Has an object more members, or an array more elements? */
bool sky_aliyun__is_longer(sky_span container, size_t max);

/* A downlink to the device `to` on the topic /sys/{product}/{device}/{levels}; returns the id. */
sky_span sky_aliyun__push(const struct sky_uplink *to, sky_span levels, sky_span payload,
                          uint8_t qos, sky_span id, struct sky_effects *effects);
/* A request of the cloud's, whose method is the levels with dots between; `params` is JSON. */
sky_span sky_aliyun__message(sky_span levels, sky_span params, sky_span id,
                             struct sky_effects *effects);
/* Both. */
sky_span sky_aliyun__call(const struct sky_uplink *to, sky_span levels, sky_span params,
                          sky_span id, struct sky_effects *effects);

/* The part of the command "config". */
sky_span sky_aliyun__build_config(const struct sky_uplink *to,
                                  const struct sky_command_request *request,
                                  struct sky_effects *effects);

#endif
