#include "server/port/applications.h"

#include <stdlib.h>

#include "auth/digest.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/subs.h"
#include "server/broker/behind.h"
#include "server/broker/delivery.h"

/* One client id, connected or away. */
struct sky_application {
    char *client_id;       /* owned */
    struct sky_conn *conn; /* NULL: away */
    struct sky_mqtt_session mqtt;
    int64_t last_seen_ms; /* real time, as the keepalive is meant: a test moves the other */
    uint32_t place;       /* in the list; also its number as a subscriber */
    uint16_t keepalive_s;
    bool clean; /* its session ends with the connection */
};

static const struct sky_mqtt_session_limits limits = {
    .inflight_max = SKY_APPLICATION_INFLIGHT_MAX,
    .queue_max = SKY_APPLICATION_QUEUE_MAX,
    .queue_bytes_max = SKY_APPLICATION_QUEUE_BYTES,
};

static struct sky_applications *home_of(const struct sky_conn *conn)
{
    return SKY_CONTAINER_OF(conn->port, struct sky_applications, port);
}

bool sky_applications_claim(const struct sky_mqtt_connect *connect)
{
    return (sky_span_eq_str(connect->client_id, "app") ||
            sky_span_starts(connect->client_id, SKY_SPAN("app:"))) &&
           sky_span_eq_str(connect->username, "app");
}

/* ---- journal ---- */

static uint64_t record(struct sky_conn *conn, enum sky_event_type type, sky_span client_id,
                       const struct sky_attr *attrs, size_t count)
{
    struct sky_draft draft;
    sky_draft_begin(&draft, sky_conn_event(conn, type, SKY_INSIDE));
    if (client_id.len > 0)
        sky_draft_add(&draft, SKY_ATTR(CLIENT_ID, client_id));
    for (size_t i = 0; i < count; i++)
        sky_draft_add(&draft, attrs[i]);
    return sky_journal_record(conn->net->journal, &draft, NULL);
}

static uint64_t record_act(struct sky_conn *conn, enum sky_event_type type,
                           const struct sky_attr *attrs, size_t count)
{
    const struct sky_application *app = conn->state;
    return record(conn, type, app != NULL ? sky_span_str(app->client_id) : SKY_SPAN_NONE, attrs,
                  count);
}

static void record_drop(struct sky_broker *broker, const struct sky_application *app,
                        sky_span topic, uint64_t of, const char *reason)
{
    const struct sky_event_head head = {.type = SKY_EVENT_DROP, .direction = SKY_INSIDE};
    const struct sky_attr attrs[] = {SKY_ATTR(CLIENT_ID, sky_span_str(app->client_id)),
                                     SKY_ATTR_INT(OF, (int64_t)of), SKY_ATTR(TOPIC, topic),
                                     SKY_ATTR(REASON, sky_span_str(reason))};
    sky_journal_add(broker->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

/* ---- what they hear ---- */

static bool is_connected(const struct sky_application *app)
{
    return app->conn != NULL && !app->conn->closing;
}

static bool put(struct sky_conn *conn, const struct sky_mqtt_publish *publish)
{
    struct sky_buf *out = sky_conn_out(conn);
    return sky_mqtt_publish_size(publish) <= out->max - out->len &&
           sky_mqtt_put_publish(out, publish);
}

/* Where an application's QoS 1 messages go. */
struct outlet {
    struct sky_mqtt_outlet base;
    struct sky_conn *conn;
};

static bool put_next(struct sky_mqtt_outlet *base, const struct sky_mqtt_publish *publish,
                     uint64_t tag)
{
    (void)tag;
    return put(SKY_CONTAINER_OF(base, struct outlet, base)->conn, publish);
}

static void hear_one(struct sky_broker *broker, struct sky_application *app,
                     const struct sky_mqtt_publish *publish, uint64_t of, struct sky_mqtt_msg **msg)
{
    if (publish->qos == 0) {
        if (is_connected(app) && !put(app->conn, publish))
            record_drop(broker, app, publish->topic, of, "the application does not read");
        return;
    }
    struct outlet outlet = {.base = {put_next}, .conn = app->conn};
    if (*msg == NULL)
        *msg = sky_mqtt_msg_new(publish->topic, publish->payload,
                                sky_clock_lived_ms(broker->registry->clock), of,
                                &broker->message_bytes);
    if (sky_mqtt_session_deliver(&app->mqtt, &limits, *msg,
                                 is_connected(app) ? &outlet.base : NULL) == SKY_DELIVERY_DROPPED) {
        const struct sky_hindrance full = {.reason = "the application's queue is full",
                                           .full = &limits};
        char text[SKY_HINDRANCE_TEXT];
        record_drop(broker, app, publish->topic, of, sky_hindrance_text(&full, text));
    }
}

static void overhear(void *ctx, sky_span topic, sky_span payload, uint8_t qos, uint64_t of)
{
    struct sky_applications *self = ctx;
    struct sky_mqtt_msg *msg = NULL;
    sky_subs_match(self->subs, topic, &self->receivers);
    for (size_t i = 0; i < self->receivers.count; i++) {
        const struct sky_receiver *to = &self->receivers.list[i];
        const struct sky_mqtt_publish publish = {
            .topic = topic, .payload = payload, .qos = qos < to->qos ? qos : to->qos};
        if (sky_mqtt_publish_fits(topic, payload, publish.qos))
            hear_one(self->broker, self->list[to->subscriber], &publish, of, &msg);
    }
    sky_mqtt_msg_unref(msg);
}

/* Devices pay for what is overheard only while somebody subscribes. */
static void listen_if_needed(struct sky_applications *self)
{
    bool needed = false;
    for (uint32_t i = 0; i < SKY_APPLICATIONS_MAX; i++)
        needed |= self->list[i] != NULL && sky_subs_count(self->subs, i) > 0;
    self->broker->overhear = needed ? overhear : NULL;
    self->broker->overhear_ctx = self;
}

/* ---- sessions ---- */

static void wipe(struct sky_applications *self, struct sky_application *app)
{
    sky_subs_drop(self->subs, app->place);
    sky_mqtt_session_done(&app->mqtt);
    listen_if_needed(self);
}

static void forget(struct sky_applications *self, struct sky_application *app)
{
    SKY_ASSERT(app->conn == NULL);
    wipe(self, app);
    self->list[app->place] = NULL;
    free(app->client_id);
    free(app);
}

static void detach(struct sky_applications *self, struct sky_application *app)
{
    app->conn->state = NULL;
    app->conn = NULL;
    if (app->clean)
        forget(self, app);
}

/* The place for a client id: its own, else a free one, else that of one that has been away for
 * longest; NULL when all are connected. */
static struct sky_application **place_of(struct sky_applications *self, sky_span client_id)
{
    struct sky_application **free_place = NULL, **away = NULL;
    for (size_t i = 0; i < SKY_APPLICATIONS_MAX; i++) {
        struct sky_application **place = &self->list[i];
        if (*place != NULL && sky_span_eq_str(client_id, (*place)->client_id))
            return place;
        if (*place == NULL && free_place == NULL)
            free_place = place;
        if (*place != NULL && (*place)->conn == NULL &&
            (away == NULL || (*place)->last_seen_ms < (*away)->last_seen_ms))
            away = place;
    }
    if (free_place == NULL && away != NULL)
        forget(self, *away);
    return free_place != NULL ? free_place : away;
}

static struct sky_application *open_session(struct sky_applications *self,
                                            struct sky_application **place, sky_span client_id)
{
    if (*place != NULL)
        return *place;
    *place = sky_mem_new(sizeof **place);
    (*place)->client_id = sky_mem_dup(client_id.ptr, client_id.len);
    (*place)->place = (uint32_t)(place - self->list);
    (*place)->clean = true; /* as yet there is nothing to come back to */
    return *place;
}

/* ---- CONNECT ---- */

static void on_silence(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn;
    const struct sky_application *app = conn->state;
    if (conn->closing || app == NULL)
        return;
    int64_t left_ms =
        app->last_seen_ms + app->keepalive_s * INT64_C(1500) - conn->net->clock->real_ms;
    if (left_ms <= 0 && sky_conn_is_unheard(conn))
        left_ms = SKY_CONN_EXCUSE_MS;
    if (left_ms > 0)
        sky_clock_patience(conn->net->clock, timer, left_ms, on_silence);
    else
        sky_conn_close(conn, "no packet within 1.5 times the keepalive");
}

/* What refuses an application; NULL: it is let in. */
static const char *judge(const struct sky_applications *self,
                         const struct sky_mqtt_connect *connect, uint8_t *ret_code)
{
    *ret_code = SKY_CONNACK_NOT_AUTHORIZED;
    if (self->token != NULL && !sky_digest_eq(connect->password, sky_span_str(self->token)))
        return "the password of an application is the admin token, and this is another";
    if (connect->has_will)
        return "CONNECT carries a will; this server takes none, of applications neither";
    *ret_code = SKY_CONNACK_PROTOCOL;
    if (!connect->level_known)
        return "MQTT 3.1.1 is spoken here";
    *ret_code = SKY_CONNACK_CLIENT_ID;
    if (connect->client_id.len > SKY_APPLICATION_ID_MAX)
        return "the client id of an application has at most 128 bytes";
    *ret_code = SKY_CONNACK_ACCEPTED;
    return NULL;
}

static void answer(struct sky_conn *conn, const struct sky_mqtt_connect *connect, bool present,
                   uint8_t code, const char *reason)
{
    char peer[64];
    sky_conn_peer(conn, peer, sizeof peer);
    const struct sky_attr attrs[] = {
        SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)),
        SKY_ATTR(PEER, sky_span_str(peer)),
        SKY_ATTR(USERNAME, connect->username),
        SKY_ATTR_INT(HAS_PASSWORD, connect->has_password),
        SKY_ATTR_INT(CLEAN_SESSION, connect->clean_session),
        SKY_ATTR_INT(KEEPALIVE, connect->keepalive_s),
        SKY_ATTR_INT(CODE, code),
        SKY_ATTR_INT(SESSION_PRESENT, present),
        SKY_ATTR(REASON, sky_span_str(reason)),
    };
    record(conn, SKY_EVENT_CONNECT, sky_span_head(connect->client_id, SKY_APPLICATION_ID_MAX),
           attrs, SKY_COUNT(attrs) - (reason == NULL));
    sky_mqtt_put_connack(sky_conn_out(conn), present, (enum sky_mqtt_connack)code);
    if (code != SKY_CONNACK_ACCEPTED)
        sky_conn_close(conn, "the application's login was refused");
}

static void on_connect(struct sky_conn *conn, const struct sky_mqtt_connect *connect)
{
    struct sky_applications *self = home_of(conn);
    struct sky_clock *clock = conn->net->clock;
    uint8_t code;
    const char *reason = judge(self, connect, &code);
    struct sky_application **place = reason == NULL ? place_of(self, connect->client_id) : NULL;
    if (reason == NULL && place == NULL) {
        reason = "64 applications are connected already";
        code = SKY_CONNACK_UNAVAILABLE;
    }
    if (reason != NULL) {
        answer(conn, connect, false, code, reason);
        return;
    }
    if (*place != NULL && (*place)->conn != NULL) { /* 3.1.4-2 */
        const struct sky_attr attr = SKY_ATTR_INT(OF, (*place)->conn->id);
        record(conn, SKY_EVENT_TAKEOVER, connect->client_id, &attr, 1);
        sky_conn_close((*place)->conn, "the application logged in again");
        detach(self, *place);
    }
    struct sky_application *app = open_session(self, place, connect->client_id);
    bool present = !app->clean && !connect->clean_session;
    if (!present)
        wipe(self, app);
    app->conn = conn;
    app->clean = connect->clean_session;
    app->keepalive_s = connect->keepalive_s;
    app->last_seen_ms = clock->real_ms;
    conn->state = app;
    sky_conn_forgive(conn);
    if (app->keepalive_s > 0)
        sky_conn_patience(conn, app->keepalive_s * INT64_C(1500), on_silence);
    answer(conn, connect, present, SKY_CONNACK_ACCEPTED, NULL);
    struct outlet outlet = {.base = {put_next}, .conn = conn};
    sky_mqtt_session_resume(&app->mqtt, &limits, sky_clock_lived_ms(clock), &outlet.base);
}

/* ---- what they do ---- */

static void on_publish(struct sky_conn *conn, const struct sky_mqtt_publish *publish)
{
    struct sky_broker *broker = home_of(conn)->broker;
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, publish->topic),
                                     SKY_ATTR(PAYLOAD, publish->payload),
                                     SKY_ATTR_INT(QOS, publish->qos)};
    if (publish->qos > 1) {
        sky_conn_close(conn, "the application published with QoS 2");
        return;
    }
    uint64_t seq = record_act(conn, SKY_EVENT_PUBLISH, attrs, SKY_COUNT(attrs));
    if (publish->qos == 1)
        sky_mqtt_put_ack(sky_conn_out(conn), SKY_MQTT_PUBACK, publish->packet_id);
    (void)sky_deliver_message(broker, sky_behind_owner(broker, publish->topic), publish->topic,
                              publish->payload, publish->qos, seq);
}

static void record_filters(struct sky_conn *conn, enum sky_event_type type,
                           const struct sky_mqtt_filters *filters, const uint8_t *codes)
{
    struct sky_buf json;
    const struct sky_attr attr = SKY_ATTR(FILTERS, sky_wire_filters(filters, codes, &json));
    record_act(conn, type, &attr, 1);
    sky_buf_done(&json);
}

static void on_subscribe(struct sky_conn *conn, const struct sky_mqtt_filters *filters)
{
    struct sky_applications *self = home_of(conn);
    const struct sky_application *app = conn->state;
    struct sky_mqtt_filters walk = *filters;
    uint8_t codes[SKY_MQTT_FILTERS_MAX];
    sky_span filter;
    uint8_t qos;
    for (size_t i = 0; sky_mqtt_filter_next(&walk, &filter, &qos); i++) {
        bool fits = sky_subs_has(self->subs, app->place, filter) ||
                    sky_subs_count(self->subs, app->place) < SKY_SUBS_PER_DEVICE_MAX;
        codes[i] = qos < 2 && fits && sky_subs_add(self->subs, app->place, filter, qos) == SKY_OK
                       ? qos
                       : SKY_SUBACK_FAILURE;
    }
    listen_if_needed(self);
    record_filters(conn, SKY_EVENT_SUBSCRIBE, filters, codes);
    sky_mqtt_put_suback(sky_conn_out(conn), filters->packet_id, codes, filters->count);
}

static void on_unsubscribe(struct sky_conn *conn, const struct sky_mqtt_filters *filters)
{
    struct sky_applications *self = home_of(conn);
    const struct sky_application *app = conn->state;
    struct sky_mqtt_filters walk = *filters;
    sky_span filter;
    uint8_t qos;
    while (sky_mqtt_filter_next(&walk, &filter, &qos))
        sky_subs_remove(self->subs, app->place, filter);
    listen_if_needed(self);
    record_filters(conn, SKY_EVENT_UNSUBSCRIBE, filters, NULL);
    sky_mqtt_put_ack(sky_conn_out(conn), SKY_MQTT_UNSUBACK, filters->packet_id);
}

static void handle(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    struct sky_application *app = conn->state;
    struct outlet outlet = {.base = {put_next}, .conn = conn};
    if ((packet->type == SKY_MQTT_CONNECT) != (app == NULL)) {
        sky_conn_close(conn, "the application sent a second CONNECT");
        return;
    }
    switch (packet->type) {
    case SKY_MQTT_CONNECT:
        on_connect(conn, &packet->as.connect);
        break;
    case SKY_MQTT_PUBLISH:
        on_publish(conn, &packet->as.publish);
        break;
    case SKY_MQTT_PUBACK:
        (void)sky_mqtt_session_puback(&app->mqtt, &limits, packet->as.packet_id, &outlet.base);
        break;
    case SKY_MQTT_SUBSCRIBE:
        on_subscribe(conn, &packet->as.filters);
        break;
    case SKY_MQTT_UNSUBSCRIBE:
        on_unsubscribe(conn, &packet->as.filters);
        break;
    case SKY_MQTT_PINGREQ:
        sky_mqtt_put_pingresp(sky_conn_out(conn));
        break;
    case SKY_MQTT_DISCONNECT:
        sky_conn_close(conn, "the application disconnected");
        break;
    default:
        sky_conn_close(conn, "the application sent a QoS 2 packet");
    }
}

/* ---- the port ---- */

static size_t on_bytes(struct sky_conn *conn, sky_span in)
{
    size_t used = 0;
    while (used < in.len && !conn->closing) {
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        enum sky_mqtt_result result =
            sky_mqtt_decode(sky_span_tail(in, used), SKY_MQTT_PACKET_MAX, &packet, &flaw);
        if (result == SKY_MQTT_MORE)
            break;
        if (result == SKY_MQTT_BAD) {
            char what[128];
            sky_mqtt_flaw_text(&flaw, what, sizeof what);
            const struct sky_attr attr = SKY_ATTR(REASON, sky_span_str(what));
            record_act(conn, SKY_EVENT_MALFORMED, &attr, 1);
            sky_conn_close(conn, "the packet breaks the MQTT specification");
            break;
        }
        handle(conn, &packet);
        used += packet.size;
    }
    struct sky_application *app = conn->state;
    if (used > 0 && app != NULL) {
        sky_conn_is_heard(conn);
        app->last_seen_ms = conn->net->clock->real_ms;
    }
    return conn->closing ? in.len : used;
}

static void on_drained(struct sky_conn *conn)
{
    struct sky_application *app = conn->state;
    struct outlet outlet = {.base = {put_next}, .conn = conn};
    if (app != NULL && app->mqtt.window != NULL)
        sky_mqtt_session_pump(&app->mqtt, &limits, &outlet.base);
}

static void on_close(struct sky_conn *conn)
{
    const struct sky_attr attrs[] = {SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)),
                                     SKY_ATTR(REASON, sky_span_str(conn->work->close_reason))};
    record_act(conn, SKY_EVENT_CLOSE, attrs, SKY_COUNT(attrs));
    if (conn->state != NULL)
        detach(home_of(conn), conn->state);
}

void sky_applications_init(struct sky_applications *self, struct sky_broker *broker,
                           const char *token)
{
    *self = (struct sky_applications){
        .port = {.on_bytes = on_bytes, .on_drained = on_drained, .on_close = on_close},
        .broker = broker,
        .token = token,
        .subs = sky_subs_new()};
}

void sky_applications_done(struct sky_applications *self)
{
    if (self->subs == NULL)
        return;
    for (size_t i = 0; i < SKY_APPLICATIONS_MAX; i++)
        if (self->list[i] != NULL)
            forget(self, self->list[i]);
    sky_receivers_done(&self->receivers);
    sky_subs_free(self->subs);
    self->subs = NULL;
}
