#include "protocol/mqtt/session.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { ROOM_MIN = 4 }; /* a power of two, as every room */

/* ---- messages ---- */

static size_t msg_size(const struct sky_mqtt_msg *msg)
{
    return sizeof *msg + msg->topic_len + msg->payload_len;
}

struct sky_mqtt_msg *sky_mqtt_msg_new(sky_span topic, sky_span payload, int64_t born_ms,
                                      uint64_t tag, size_t *total)
{
    SKY_ASSERT(topic.len > 0 && topic.len <= SKY_MQTT_STRING_MAX);
    SKY_ASSERT(payload.len <= SKY_MQTT_PACKET_MAX);
    struct sky_mqtt_msg *msg = sky_mem_grow(NULL, sizeof *msg + topic.len + payload.len);
    *msg = (struct sky_mqtt_msg){.refs = 1,
                                 .topic_len = (uint32_t)topic.len,
                                 .payload_len = (uint32_t)payload.len,
                                 .born_ms = born_ms,
                                 .tag = tag,
                                 .total = total};
    if (total != NULL)
        *total += msg_size(msg);
    memcpy(msg->bytes, topic.ptr, topic.len);
    if (payload.len > 0)
        memcpy(msg->bytes + topic.len, payload.ptr, payload.len);
    return msg;
}

struct sky_mqtt_msg *sky_mqtt_msg_ref(struct sky_mqtt_msg *msg)
{
    SKY_ASSERT(msg->refs > 0 && msg->refs < UINT32_MAX);
    msg->refs++;
    return msg;
}

void sky_mqtt_msg_unref(struct sky_mqtt_msg *msg)
{
    if (msg == NULL)
        return;
    SKY_ASSERT(msg->refs > 0);
    if (--msg->refs > 0)
        return;
    if (msg->total != NULL)
        *msg->total -= msg_size(msg);
    free(msg);
}

sky_span sky_mqtt_msg_topic(const struct sky_mqtt_msg *msg)
{
    return sky_span_of(msg->bytes, msg->topic_len);
}

sky_span sky_mqtt_msg_payload(const struct sky_mqtt_msg *msg)
{
    return sky_span_of(msg->bytes + msg->topic_len, msg->payload_len);
}

static uint64_t msg_bytes(const struct sky_mqtt_msg *msg)
{
    return (uint64_t)msg->topic_len + msg->payload_len;
}

/* ---- the window: a ring of messages in the order they came ---- */

struct slot {
    struct sky_mqtt_msg *msg; /* a reference */
    int64_t kept;             /* as the keeper calls it; 0: it is not kept */
    uint16_t id;              /* 0: waiting */
};

/* First come those in flight, then those that wait. The first `sent` were sent over the present
 * connection; any others in flight are to be sent again. */
struct sky_mqtt_window {
    uint32_t head, count, room;
    uint32_t inflight, sent;
    uint64_t waiting_bytes;
    struct slot slots[];
};

static struct slot *slot_at(struct sky_mqtt_window *window, uint32_t index)
{
    return &window->slots[(window->head + index) & (window->room - 1)];
}

static struct sky_mqtt_window *grow_window(struct sky_mqtt_window *old)
{
    uint32_t room = old != NULL ? old->room * 2 : ROOM_MIN;
    struct sky_mqtt_window *window = sky_mem_new(sizeof *window + room * sizeof window->slots[0]);
    if (old != NULL) {
        *window = *old;
        window->head = 0;
        for (uint32_t i = 0; i < old->count; i++)
            window->slots[i] = *slot_at(old, i);
        free(old);
    }
    window->room = room;
    return window;
}

static void push(struct sky_mqtt_session *session, struct sky_mqtt_msg *msg)
{
    struct sky_mqtt_window *window = session->window;
    if (window == NULL || window->count == window->room)
        session->window = window = grow_window(window);
    *slot_at(window, window->count++) = (struct slot){.msg = msg};
    window->waiting_bytes += msg_bytes(msg);
}

/* Takes one message out, whatever its state; frees the window with the last. */
static void take_out(struct sky_mqtt_session *session, uint32_t index)
{
    struct sky_mqtt_window *window = session->window;
    struct slot gone = *slot_at(window, index);
    /* The oldest goes first nearly always: then nothing moves. */
    for (uint32_t i = index; i > 0; i--)
        *slot_at(window, i) = *slot_at(window, i - 1);
    window->head = (window->head + 1) & (window->room - 1);
    window->count--;
    if (gone.id != 0)
        window->inflight--;
    else
        window->waiting_bytes -= msg_bytes(gone.msg);
    if (index < window->sent)
        window->sent--;
    else if (index < window->sent + session->spaced)
        session->spaced--;
    if (gone.kept != 0 && session->keeper != NULL)
        session->keeper->gone(session->keeper, session, gone.kept);
    sky_mqtt_msg_unref(gone.msg);
    if (window->count == 0) {
        free(window);
        session->window = NULL;
        session->spaced = 0;
    }
}

/* The place of `id` among those in flight, or their number. */
static uint32_t find_id(struct sky_mqtt_window *window, uint16_t id)
{
    uint32_t at = 0;
    while (at < window->inflight && slot_at(window, at)->id != id)
        at++;
    return at;
}

/* 2.3.1-2: an identifier that is not in use; 2.3.1-1: never 0. */
static uint16_t fresh_id(struct sky_mqtt_session *session)
{
    SKY_ASSERT(session->window->inflight < UINT16_MAX);
    uint16_t id = session->last_id;
    do {
        id = id == UINT16_MAX ? 1 : (uint16_t)(id + 1);
    } while (find_id(session->window, id) < session->window->inflight);
    return id;
}

/* Sends the slot number `sent`; false when it has to wait. */
static bool send_next(struct sky_mqtt_session *session,
                      const struct sky_mqtt_session_limits *limits, struct sky_mqtt_outlet *out)
{
    struct sky_mqtt_window *window = session->window;
    struct slot *slot = slot_at(window, window->sent);
    bool again = slot->id != 0;
    if (!again && window->inflight >= limits->inflight_max)
        return false;
    const struct sky_mqtt_publish publish = {.topic = sky_mqtt_msg_topic(slot->msg),
                                             .payload = sky_mqtt_msg_payload(slot->msg),
                                             .packet_id = again ? slot->id : fresh_id(session),
                                             .qos = 1,
                                             .dup = again};
    if (!out->put(out, &publish, slot->msg->tag))
        return false;
    if (!again) {
        slot->id = session->last_id = publish.packet_id;
        window->inflight++;
        window->waiting_bytes -= msg_bytes(slot->msg);
        if (slot->kept != 0)
            session->keeper->sent(session->keeper, session, slot->kept, slot->id);
    }
    window->sent++;
    return true;
}

/* ---- interface ---- */

void sky_mqtt_session_done(struct sky_mqtt_session *session)
{
    const struct sky_mqtt_keeper *keeper = session->keeper;
    session->keeper = NULL;
    while (session->window != NULL)
        take_out(session, 0);
    session->keeper = keeper;
}

void sky_mqtt_session_restore(struct sky_mqtt_session *session, struct sky_mqtt_msg *msg,
                              uint16_t packet_id, int64_t kept)
{
    push(session, msg);
    struct sky_mqtt_window *window = session->window;
    struct slot *slot = slot_at(window, window->count - 1);
    slot->kept = kept;
    /* Those in flight come first; what says otherwise, or twice the same, was damaged. */
    if (packet_id == 0 || window->inflight != window->count - 1 ||
        find_id(window, packet_id) < window->inflight)
        return;
    slot->id = packet_id;
    window->inflight++;
    window->waiting_bytes -= msg_bytes(msg);
}

void sky_mqtt_session_each(const struct sky_mqtt_session *session,
                           void (*each)(void *ctx, const struct sky_mqtt_msg *msg,
                                        uint16_t packet_id),
                           void *ctx)
{
    for (uint32_t i = 0; session->window != NULL && i < session->window->count; i++)
        each(ctx, slot_at(session->window, i)->msg, slot_at(session->window, i)->id);
}

size_t sky_mqtt_session_inflight(const struct sky_mqtt_session *session)
{
    return session->window != NULL ? session->window->inflight : 0;
}

size_t sky_mqtt_session_waiting(const struct sky_mqtt_session *session)
{
    return session->window != NULL ? session->window->count - session->window->inflight : 0;
}

void sky_mqtt_session_pump(struct sky_mqtt_session *session,
                           const struct sky_mqtt_session_limits *limits,
                           struct sky_mqtt_outlet *out)
{
    SKY_ASSERT(limits->inflight_max < UINT16_MAX);
    struct sky_mqtt_window *window = session->window;
    if (window == NULL || out == NULL || session->spaced > 0)
        return;
    while (window->sent < window->count && send_next(session, limits, out))
        ;
}

bool sky_mqtt_session_step(struct sky_mqtt_session *session,
                           const struct sky_mqtt_session_limits *limits,
                           struct sky_mqtt_outlet *out)
{
    if (session->spaced > 0 && send_next(session, limits, out))
        session->spaced--;
    sky_mqtt_session_pump(session, limits, out);
    return session->spaced > 0;
}

/* Is there something before the next message, or no room in the window? */
static bool is_blocked(const struct sky_mqtt_session *session,
                       const struct sky_mqtt_session_limits *limits)
{
    const struct sky_mqtt_window *window = session->window;
    return limits->inflight_max == 0 ||
           (window != NULL &&
            (window->sent < window->count || window->inflight >= limits->inflight_max));
}

static bool is_full(const struct sky_mqtt_session *session,
                    const struct sky_mqtt_session_limits *limits, uint64_t bytes, bool away)
{
    uint64_t waiting = session->window != NULL ? session->window->waiting_bytes : 0;
    size_t count = sky_mqtt_session_waiting(session);
    if (away && limits->inflight_queues)
        count += sky_mqtt_session_inflight(session);
    return count >= limits->queue_max || waiting + bytes > limits->queue_bytes_max;
}

bool sky_mqtt_session_takes(const struct sky_mqtt_session *session,
                            const struct sky_mqtt_session_limits *limits, size_t bytes, bool away,
                            bool room)
{
    return (!away && room && !is_blocked(session, limits)) ||
           !is_full(session, limits, bytes, away);
}

enum sky_mqtt_delivery sky_mqtt_session_deliver(struct sky_mqtt_session *session,
                                                const struct sky_mqtt_session_limits *limits,
                                                struct sky_mqtt_msg *msg,
                                                struct sky_mqtt_outlet *out)
{
    bool blocked = out == NULL || is_blocked(session, limits);
    bool full = is_full(session, limits, msg_bytes(msg), out == NULL);
    if (blocked && full)
        return SKY_DELIVERY_DROPPED;
    push(session, sky_mqtt_msg_ref(msg));
    if (session->keeper != NULL)
        slot_at(session->window, session->window->count - 1)->kept =
            session->keeper->put(session->keeper, session, msg);
    if (blocked)
        return SKY_DELIVERY_QUEUED;
    sky_mqtt_session_pump(session, limits, out);
    const struct sky_mqtt_window *window = session->window;
    if (window->sent == window->count)
        return SKY_DELIVERY_SENT;
    if (!full)
        return SKY_DELIVERY_QUEUED; /* the outlet has no room now */
    take_out(session, window->count - 1);
    return SKY_DELIVERY_DROPPED;
}

uint16_t sky_mqtt_session_next_ack(const struct sky_mqtt_session *session)
{
    return sky_mqtt_session_inflight(session) > 0 ? slot_at(session->window, 0)->id : 0;
}

bool sky_mqtt_session_puback(struct sky_mqtt_session *session,
                             const struct sky_mqtt_session_limits *limits, uint16_t id,
                             struct sky_mqtt_outlet *out)
{
    if (session->window == NULL)
        return false;
    uint32_t at = find_id(session->window, id);
    if (at == session->window->inflight)
        return false;
    take_out(session, at);
    sky_mqtt_session_pump(session, limits, out);
    return true;
}

/* The waiting messages are in order of age only as far as the caller's clock went forward, so
 * each is looked at. */
static size_t drop_stale(struct sky_mqtt_session *session, int64_t born_min_ms)
{
    size_t dropped = 0;
    uint32_t at = (uint32_t)sky_mqtt_session_inflight(session);
    while (session->window != NULL && at < session->window->count) {
        if (slot_at(session->window, at)->msg->born_ms >= born_min_ms) {
            at++;
            continue;
        }
        take_out(session, at);
        dropped++;
    }
    return dropped;
}

size_t sky_mqtt_session_resume(struct sky_mqtt_session *session,
                               const struct sky_mqtt_session_limits *limits, int64_t now_ms,
                               struct sky_mqtt_outlet *out)
{
    size_t dropped = 0;
    if (limits->queue_age_max_ms > 0)
        dropped = drop_stale(session, now_ms - limits->queue_age_max_ms);
    session->spaced = 0;
    if (session->window != NULL) {
        session->window->sent = 0;
        session->spaced = limits->resume_spacing_ms > 0 ? session->window->count : 0;
    }
    (void)sky_mqtt_session_step(session, limits, out);
    return dropped;
}
