/* A script for one session, its keeper and a client that comes and goes: messages arrive in order,
 * each first time once, those in flight again with DUP and their identifier, the bounds are kept,
 * and whoever keeps the messages elsewhere is told of every one of them. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/mqtt/session.h"

enum { MESSAGES_MAX = 400 };

/* What the client, and the keeper, know of each message, by its tag. */
struct seen {
    bool kept, sent, gone;
    uint16_t id; /* under which it was sent */
};

struct script {
    struct sky_mqtt_outlet outlet;
    struct sky_mqtt_keeper keeper;
    struct sky_mqtt_session session;
    struct sky_mqtt_session_limits limits;
    struct seen seen[MESSAGES_MAX + 1];
    uint64_t last_tag; /* the newest that was made */
    uint64_t last_put; /* of those sent for the first time, the last */
    uint64_t again;    /* of those sent again since the client is back, the last */
    unsigned room;     /* packets that the outlet takes */
    bool away;
    int64_t now_ms;
};

static struct script *of_outlet(struct sky_mqtt_outlet *outlet)
{
    return (struct script *)(void *)((char *)outlet - offsetof(struct script, outlet));
}

static struct script *of_keeper(const struct sky_mqtt_keeper *keeper)
{
    return (struct script *)(uintptr_t)((const char *)keeper - offsetof(struct script, keeper));
}

static bool put(struct sky_mqtt_outlet *outlet, const struct sky_mqtt_publish *publish,
                uint64_t tag)
{
    struct script *self = of_outlet(outlet);
    struct seen *seen = &self->seen[tag];
    SKY_ASSERT(!self->away && tag >= 1 && tag <= self->last_tag && !seen->gone);
    SKY_ASSERT(publish->qos == 1 && publish->packet_id != 0 && publish->dup == seen->sent);
    if (self->room == 0)
        return false;
    self->room--;
    if (seen->sent) {
        SKY_ASSERT(publish->packet_id == seen->id && tag > self->again);
        self->again = tag;
    } else {
        SKY_ASSERT(tag > self->last_put);
        self->last_put = tag;
        for (uint64_t other = 1; other <= self->last_tag; other++)
            SKY_ASSERT(!self->seen[other].sent || self->seen[other].gone ||
                       self->seen[other].id != publish->packet_id);
        seen->sent = true;
        seen->id = publish->packet_id;
    }
    return true;
}

static int64_t keeper_put(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *session,
                          const struct sky_mqtt_msg *msg)
{
    struct script *self = of_keeper(keeper);
    SKY_ASSERT(session == &self->session && !self->seen[msg->tag].kept);
    self->seen[msg->tag].kept = true;
    return (int64_t)msg->tag;
}

static void keeper_sent(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *session,
                        int64_t kept, uint16_t packet_id)
{
    const struct seen *seen = &of_keeper(keeper)->seen[kept];
    (void)session;
    SKY_ASSERT(seen->sent && !seen->gone && seen->id == packet_id);
}

static void keeper_gone(const struct sky_mqtt_keeper *keeper, struct sky_mqtt_session *session,
                        int64_t kept)
{
    struct seen *seen = &of_keeper(keeper)->seen[kept];
    (void)session;
    SKY_ASSERT(seen->kept && !seen->gone);
    seen->gone = true;
}

static void deliver(struct script *self, uint8_t size)
{
    if (self->last_tag == MESSAGES_MAX)
        return;
    bool takes = sky_mqtt_session_takes(&self->session, &self->limits, size + 1u, self->away,
                                        self->room > 0);
    struct sky_mqtt_msg *msg = sky_mqtt_msg_new(
        SKY_SPAN("t"), sky_span_of("................", size), self->now_ms, ++self->last_tag, NULL);
    struct seen *seen = &self->seen[self->last_tag];
    enum sky_mqtt_delivery delivery = sky_mqtt_session_deliver(&self->session, &self->limits, msg,
                                                               self->away ? NULL : &self->outlet);
    sky_mqtt_msg_unref(msg);
    SKY_ASSERT(takes == (delivery != SKY_DELIVERY_DROPPED));
    SKY_ASSERT(seen->sent == (delivery == SKY_DELIVERY_SENT));
    SKY_ASSERT(seen->gone || seen->kept == takes);
    seen->gone = !takes;
}

static void acknowledge(struct script *self, uint8_t which)
{
    uint16_t id = which == 0 ? sky_mqtt_session_next_ack(&self->session) : which;
    bool due = false;
    for (uint64_t tag = 1; tag <= self->last_tag; tag++)
        due |= id != 0 && self->seen[tag].id == id && !self->seen[tag].gone;
    SKY_ASSERT(sky_mqtt_session_puback(&self->session, &self->limits, id,
                                       self->away ? NULL : &self->outlet) == due);
}

static void come_back(struct script *self)
{
    self->away = false;
    self->again = 0;
    (void)sky_mqtt_session_resume(&self->session, &self->limits, self->now_ms, &self->outlet);
}

static void each(void *ctx, const struct sky_mqtt_msg *msg, uint16_t packet_id)
{
    struct script *self = ctx;
    SKY_ASSERT(!self->seen[msg->tag].gone && self->seen[msg->tag].id == packet_id);
}

static void check(struct script *self)
{
    size_t inflight = 0, waiting = 0;
    for (uint64_t tag = 1; tag <= self->last_tag; tag++) {
        inflight += self->seen[tag].sent && !self->seen[tag].gone;
        waiting += !self->seen[tag].sent && !self->seen[tag].gone;
    }
    SKY_ASSERT(sky_mqtt_session_inflight(&self->session) == inflight);
    SKY_ASSERT(sky_mqtt_session_waiting(&self->session) == waiting);
    SKY_ASSERT(inflight <= self->limits.inflight_max && waiting <= self->limits.queue_max);
    sky_mqtt_session_each(&self->session, each, self);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct script self;
    if (len < 2 || len > 2 * MESSAGES_MAX)
        return 0;
    self = (struct script){.outlet = {put},
                           .keeper = {keeper_put, keeper_sent, keeper_gone},
                           .limits = {.inflight_max = 1 + bytes[0] % 5,
                                      .queue_max = bytes[0] / 5 % 8,
                                      .queue_bytes_max = 64,
                                      .queue_age_max_ms = bytes[1] & 1 ? 50 : 0,
                                      .resume_spacing_ms = bytes[1] & 2 ? 10 : 0,
                                      .inflight_queues = bytes[1] & 4},
                           .room = 4};
    self.session.keeper = &self.keeper;
    self.session.last_id = bytes[1] & 8 ? UINT16_MAX - 2 : 0;
    for (size_t i = 2; i < len; i++) {
        unsigned act = bytes[i] % 8, more = bytes[i] / 8u;
        if (act < 3)
            deliver(&self, (uint8_t)(more % 16));
        else if (act == 3)
            acknowledge(&self, (uint8_t)(more % 8));
        else if (act == 4 && self.away)
            come_back(&self);
        else if (act == 4)
            self.away = true;
        else if (act == 5)
            self.room = more % 8;
        else if (act == 6 && !self.away)
            (void)sky_mqtt_session_step(&self.session, &self.limits, &self.outlet);
        else
            self.now_ms += more;
        if (act == 7 && !self.away)
            sky_mqtt_session_pump(&self.session, &self.limits, &self.outlet);
        check(&self);
    }
    sky_mqtt_session_done(&self.session);
    return 0;
}
