/* The coming and going of devices: what their sessions are left with when a connection ends, when
 * they stayed away for too long, when they are turned out. */
#ifndef SKY_SERVER_BROKER_PRESENCE_H
#define SKY_SERVER_BROKER_PRESENCE_H

#include "server/broker/broker.h"
#include "server/net/link.h"

/* Whose connection, subscriptions and messages serve it: its gateway's, or its own. */
static inline struct sky_session *sky_session_carrier(const struct sky_session *session)
{
    return session->work->via != NULL ? session->work->via : (struct sky_session *)session;
}
/* On an MQTT connection that is not closing, its gateway's or its own? */
bool sky_session_is_connected(const struct sky_session *session);
/* Is the device to be reached, over MQTT or by what it fetches? */
bool sky_session_is_online(const struct sky_session *session);

/* The uplink value for an act of this session, without topic and payload. */
struct sky_uplink sky_session_uplink(const struct sky_session *session);

/* What the URLs begin with that it is handed; see server/net/link.h. */
sky_span sky_session_link(const struct sky_broker *broker, const struct sky_session *session,
                          char out[SKY_LINK_SIZE]);

/* The device is not on its connection any more: that has closed, or another takes its place. What
 * a clean session held goes with it (3.1.2-6). */
void sky_session_detach(struct sky_broker *broker, struct sky_session *session);
/* A subscription is granted, or given back. The first fails as sky_subs_add() does. */
SKY_MUST_USE sky_err sky_session_subscribe(struct sky_broker *broker, struct sky_session *session,
                                           sky_span filter, uint8_t qos);
void sky_session_unsubscribe(struct sky_broker *broker, struct sky_session *session,
                             sky_span filter);
/* Drops subscriptions and messages, keeps conduct (clean session, 3.1.2-6). */
void sky_session_wipe(struct sky_broker *broker, struct sky_session *session);
/* Drops them if the device has been away for longer than its cloud keeps a session. */
void sky_session_expire(struct sky_broker *broker, struct sky_session *session);
/* Closes the device's connection, if any, and whatever else is open to it, for the stated reason.
 * False when it is away. */
bool sky_session_kick(struct sky_session *session, const char *reason);
/* Ends it for good: subscriptions, messages, conduct. Closes its connection. */
void sky_session_forget(struct sky_broker *broker, struct sky_session *session);
/* The same, of a device that is in the registry no more: nor is its party. */
void sky_session_leave(struct sky_broker *broker, struct sky_session *session);
/* Every session, when the server stops; connections have been closed. */
void sky_sessions_forget(struct sky_broker *broker);

/* ---- devices that are online by a gateway ---- */

/* The gateway's subscriptions to topics of these devices end; puts the list in order. */
void sky_session_end_filters(struct sky_broker *broker, struct sky_session *gateway,
                             struct sky_name *devices, size_t count);
/* Its keys, which live as long as the session. */
struct sky_name sky_session_name(const struct sky_session *session);
/* It is not any more, for this reason, and the gateway's subscriptions to its topics end. `of` is
 * the journal's number of the act; 0: none. */
void sky_session_go_offline(struct sky_broker *broker, struct sky_session *device,
                            const char *reason, uint64_t of);
/* Only it is not any more. */
void sky_session_part_one(struct sky_broker *broker, struct sky_session *device, const char *reason,
                          uint64_t of);
/* None is by this gateway any more. Its subscriptions stay, as its session does. */
void sky_session_part(struct sky_broker *broker, struct sky_session *gateway, const char *reason);
/* Journals what became of the device, with its gateway's name; `reason` may be NULL. */
void sky_session_record_behind(struct sky_broker *broker, enum sky_event_type type,
                               int64_t device_id, const char *gateway, const char *reason,
                               uint64_t of);

#endif
