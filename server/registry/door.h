/* What of the rules of the way in a device has kept by having come so far that it says who it is.
 */
#ifndef SKY_SERVER_REGISTRY_DOOR_H
#define SKY_SERVER_REGISTRY_DOOR_H

#include "protocol/base/rule.h"
#include "protocol/cloud/login.h"

/* Judges the version of TLS; true when the peer is to be refused for it. */
bool sky_door_judge_version(const struct sky_door *door, struct sky_judge *judge);
/* Judges every rule of the way in, the version of TLS among them; true as above. */
bool sky_door_judge(const struct sky_door *door, struct sky_judge *judge);

#endif
