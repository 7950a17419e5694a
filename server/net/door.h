/* What is told of peers at the door: those that never became a device, and how connections end. */
#ifndef SKY_SERVER_NET_DOOR_H
#define SKY_SERVER_NET_DOOR_H

#include "server/judge/rules.h"
#include "server/net/conn.h"

enum { SKY_DOOR_BYTES_SHOWN = 48 }; /* of what an offender sent, as hex in the journal */

/* Records that the peer is turned away before any login: the rule it broke, its first bytes, and
 * what was wrong in one phrase. */
void sky_door_refused(struct sky_conn *conn, const struct sky_rule *rule, sky_span bytes,
                      const char *what);

/* Judges the version of TLS; true when the peer is to be refused for it. */
bool sky_door_judge_version(const struct sky_door *door, struct sky_judge *judge);
/* A device has come so far that it says who it is: what of the rules of the way in it has kept by
 * that, and its version of TLS. True when it is to be refused. */
bool sky_door_judge(const struct sky_door *door, struct sky_judge *judge);

/* Records the end of a connection and its reason. */
void sky_door_left(struct sky_conn *conn);

#endif
