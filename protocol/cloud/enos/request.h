/* One request on its way through: what every service works on, and what it is answered. Private to
 * this folder. */
#ifndef SKY_ENOS_REQUEST_H
#define SKY_ENOS_REQUEST_H

#include "protocol/base/json_view.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/latest.h"

/* The vendor's codes (common parameter page and each service's page). Where no code is published
 * the nearest is used: of events the model's, of tags that of an unreadable payload, for too many
 * sub-devices the first of all codes about devices. */
enum sky_enos_code {
    SKY_ENOS_CODE_OK = 200,
    SKY_ENOS_CODE_SUB_COUNT = 700,
    SKY_ENOS_CODE_KEY_TAKEN = 702,
    SKY_ENOS_CODE_NO_DEVICE = 705,
    SKY_ENOS_CODE_DISABLED = 723,
    SKY_ENOS_CODE_NOT_BEHIND = 740,
    SKY_ENOS_CODE_SIGNATURE = 742,
    SKY_ENOS_CODE_CERTIFICATE = 746,
    SKY_ENOS_CODE_NO_UPGRADE = 764,
    SKY_ENOS_CODE_NOT_STARTED = 765,
    SKY_ENOS_CODE_DYNAMIC = 770,
    SKY_ENOS_CODE_TOO_LARGE = 1008,
    SKY_ENOS_CODE_NO_RIGHT = 1009,
    SKY_ENOS_CODE_UNREADABLE = 1200,
    SKY_ENOS_CODE_MODEL = 1204,
    SKY_ENOS_CODE_POINT_FORMAT = 1206,
    SKY_ENOS_CODE_UPDATE_FORMAT = 1207,
    SKY_ENOS_CODE_QUERY_FORMAT = 1208,
    SKY_ENOS_CODE_DELETE_FORMAT = 1209,
    SKY_ENOS_CODE_NO_SUB_DEVICE = 1212,
    SKY_ENOS_CODE_NOT_JSON = 1220,
    SKY_ENOS_CODE_EMPTY = 1251,
    SKY_ENOS_CODE_TOPO_ADD = 1255,
    SKY_ENOS_CODE_TOPO_DELETE = 1256,
    SKY_ENOS_CODE_METHOD = 1260,
};

struct sky_enos_request {
    const struct sky_uplink *uplink;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    struct sky_envelope envelope;
    struct sky_latest latest; /* between sky_enos__open_values() and sky_enos__save_values() */
};

/* Reads the message, judging nothing. */
void sky_enos__begin(struct sky_enos_request *request, const struct sky_uplink *uplink,
                     const struct sky_facts *facts, struct sky_judge *judge,
                     struct sky_effects *effects);
/* Judges the message as such and returns the code that refuses it, or OK. */
enum sky_enos_code sky_enos__judge_message(struct sky_enos_request *request);
/* Both, and its version and method. False when the request has been answered with an error. */
bool sky_enos__open(struct sky_enos_request *request, const struct sky_uplink *uplink,
                    const struct sky_facts *facts, struct sky_judge *judge,
                    struct sky_effects *effects);
/* Judges what the params come to. True when they are refused, and that has been answered. */
bool sky_enos__refused_data(struct sky_enos_request *request, enum sky_enos_code code);

/* `data` is JSON. The message is the code's text, and none with OK; or it is given. */
void sky_enos__reply(const struct sky_enos_request *request, enum sky_enos_code code,
                     sky_span data);
void sky_enos__reply_saying(const struct sky_enos_request *request, enum sky_enos_code code,
                            sky_span message, sky_span data);
/* What an answer has for data when it has nothing to say. */
sky_span sky_enos__nothing(const struct sky_enos_request *request);
const char *sky_enos__code_text(enum sky_enos_code code);
void sky_enos__succeed(const struct sky_enos_request *request);
void sky_enos__fail(const struct sky_enos_request *request, enum sky_enos_code code);

/* The service's document as a table; saved under its name. */
void sky_enos__open_values(struct sky_enos_request *request);
void sky_enos__save_values(struct sky_enos_request *request, const struct sky_service *service);

#endif
