/* The delivery state of one MQTT session towards its client (4.4, 4.6): packet identifiers, the
 * in-flight window, redelivery, and the queue kept while the client is away.
 * Pure: packets go to the outlet handed in, time is an argument. Knows nothing of sockets. */
#ifndef SKY_MQTT_SESSION_H
#define SKY_MQTT_SESSION_H

#include "protocol/mqtt/packet.h"

/* A published message: one reference-counted block shared by all who wait for it. */
struct sky_mqtt_msg {
    uint32_t refs;
    uint32_t topic_len, payload_len;
    int64_t born_ms;
    uint64_t tag;  /* the caller's, e.g. the journal's number of the publish */
    size_t *total; /* counts the memory of all such messages; NULL: nobody does */
    char bytes[];  /* topic, then payload */
};

/* The caller owns the one reference it starts with; both spans are copied. While it lives, its
 * memory counts in `*total`, which lives longer, or NULL. */
struct sky_mqtt_msg *sky_mqtt_msg_new(sky_span topic, sky_span payload, int64_t born_ms,
                                      uint64_t tag, size_t *total);
struct sky_mqtt_msg *sky_mqtt_msg_ref(struct sky_mqtt_msg *msg);
void sky_mqtt_msg_unref(struct sky_mqtt_msg *msg); /* NULL is fine */
sky_span sky_mqtt_msg_topic(const struct sky_mqtt_msg *msg);
sky_span sky_mqtt_msg_payload(const struct sky_mqtt_msg *msg);

/* Bounds of one session; a cloud's row says them. */
struct sky_mqtt_session_limits {
    uint32_t inflight_max;    /* QoS 1 messages sent and not acknowledged; below 65535 */
    uint32_t queue_max;       /* messages waiting */
    uint32_t queue_bytes_max; /* topic and payload bytes waiting */
    int64_t queue_age_max_ms; /* older ones are dropped at resume; 0: no bound */
    /* Between the messages that a client which is back finds waiting; 0: they come at once. */
    int64_t resume_spacing_ms;
    bool inflight_queues; /* for a client that is away, what is not acknowledged takes up places of
                             those that wait */
};

/* Where messages go: embedded in whatever knows the client's present connection. */
struct sky_mqtt_outlet {
    /* Sends it. False, and nothing happened, when there is no room for it at the moment. */
    bool (*put)(struct sky_mqtt_outlet *outlet, const struct sky_mqtt_publish *publish,
                uint64_t tag);
};

struct sky_mqtt_session;

/* Whoever keeps a session's messages elsewhere as well, so that they outlive the process. */
struct sky_mqtt_keeper {
    /* A message joins those that are in flight or wait. Returns by what it is called below; 0: it
     * is not kept. */
    int64_t (*put)(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *session,
                   const struct sky_mqtt_msg *msg);
    /* It was sent for the first time, under this identifier. */
    void (*sent)(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *session,
                 int64_t kept, uint16_t packet_id);
    /* It was acknowledged, or dropped. */
    void (*gone)(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *session,
                 int64_t kept);
};

/* Embedded; zeroed is an empty session. Memory beyond this struct only while messages wait.
 *
 * `out` below leads to the client's present connection. NULL means that the client is away:
 * nothing is sent, what arrives waits. After it was away, sky_mqtt_session_resume() with the new
 * connection's outlet comes before any other call with one. */
struct sky_mqtt_session {
    struct sky_mqtt_window *window;       /* owned, NULL when nothing is in flight or waiting */
    const struct sky_mqtt_keeper *keeper; /* NULL: messages are here only */
    uint16_t last_id;
    uint32_t spaced; /* of what waited when the client came back: messages that are still to be sent
                        one by one; nothing else is sent before them */
};
/* Puts a message back that was kept, behind those that are there; the reference is taken over.
 * `packet_id` 0: it was never sent. */
void sky_mqtt_session_restore(struct sky_mqtt_session *session, struct sky_mqtt_msg *msg,
                              uint16_t packet_id, int64_t kept);

/* Drops all messages without a word to the keeper. Packet identifiers walk on: a client may
 * remember those it has seen lately.
 */
void sky_mqtt_session_done(struct sky_mqtt_session *session);
/* Calls `each` for those in flight, then for those that wait, in order; `packet_id` as above. */
void sky_mqtt_session_each(const struct sky_mqtt_session *session,
                           void (*each)(void *ctx, const struct sky_mqtt_msg *msg,
                                        uint16_t packet_id),
                           void *ctx);
size_t sky_mqtt_session_inflight(const struct sky_mqtt_session *session);
size_t sky_mqtt_session_waiting(const struct sky_mqtt_session *session);

enum sky_mqtt_delivery { SKY_DELIVERY_SENT, SKY_DELIVERY_QUEUED, SKY_DELIVERY_DROPPED };

/* Takes a QoS 1 message for the client, with a reference of its own. Sent now, with a fresh id,
 * if nothing waits before it, the window is open and `out` has room; queued if not. When the
 * queue is full it is the new message that is dropped: those waiting were promised earlier. QoS 0
 * needs no session: encode it directly. */
enum sky_mqtt_delivery sky_mqtt_session_deliver(struct sky_mqtt_session *session,
                                                const struct sky_mqtt_session_limits *limits,
                                                struct sky_mqtt_msg *msg,
                                                struct sky_mqtt_outlet *out);

/* Would a message of so many bytes, topic and payload, be sent or queued rather than dropped?
 * `away`: the client is; `room`: an outlet has room for it now. */
bool sky_mqtt_session_takes(const struct sky_mqtt_session *session,
                            const struct sky_mqtt_session_limits *limits, size_t bytes, bool away,
                            bool room);

/* The id that the next PUBACK should carry (4.6.0-2), the oldest in flight; 0: none is. */
uint16_t sky_mqtt_session_next_ack(const struct sky_mqtt_session *session);

/* The client acknowledged `id`. False for an id that is not in flight. Waiting messages that now
 * fit the window are sent. */
bool sky_mqtt_session_puback(struct sky_mqtt_session *session,
                             const struct sky_mqtt_session_limits *limits, uint16_t id,
                             struct sky_mqtt_outlet *out);

/* Sends the next of those that are spaced, if there is room for it; with the last, what came
 * meanwhile. True: call again after `resume_spacing_ms`. */
bool sky_mqtt_session_step(struct sky_mqtt_session *session,
                           const struct sky_mqtt_session_limits *limits,
                           struct sky_mqtt_outlet *out);

/* Sends what waits as far as the window and the room behind `out` go: for when the output has
 * drained. Not what is spaced. */
void sky_mqtt_session_pump(struct sky_mqtt_session *session,
                           const struct sky_mqtt_session_limits *limits,
                           struct sky_mqtt_outlet *out);

/* The client is back with the session kept: everything in flight again, in order, with DUP and
 * its old id (4.4.0-1, 4.6.0-1), then what waited as far as the window goes; waiting messages
 * older than the limit are dropped. Returns how many were dropped. Where they are spaced only the
 * first of them all is sent: if `spaced` is above 0 the rest is for sky_mqtt_session_step(). */
size_t sky_mqtt_session_resume(struct sky_mqtt_session *session,
                               const struct sky_mqtt_session_limits *limits, int64_t now_ms,
                               struct sky_mqtt_outlet *out);

#endif
