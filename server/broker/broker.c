#include "server/broker/broker.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/topic.h"
#include "server/app.h"
#include "server/broker/apply.h"
#include "server/port/coap.h"

void sky_broker_init(struct sky_broker *broker)
{
    *broker = (struct sky_broker){.subs = sky_subs_new()};
}

static void free_node(struct sky_topic_node *node)
{
    sky_receivers_done(&node->receivers);
    free(node);
}

static void free_nodes(struct sky_broker *broker)
{
    struct sky_topic_node *node, *next;
    HASH_ITER (hh, broker->nodes, node, next) {
        HASH_DEL(broker->nodes, node);
        free_node(node);
    }
    broker->node_bytes = 0;
}

void sky_broker_done(struct sky_broker *broker)
{
    free_nodes(broker);
    sky_subs_free(broker->subs);
    *broker = (struct sky_broker){0};
}

void sky_broker_forget(struct sky_app *app)
{
    free_nodes(&app->broker);
    app->broker.epoch++;
}

/* ---- topics ---- */

/* One at a time: to forget all at once would hold everybody up. */
static void forget_oldest(struct sky_broker *broker)
{
    struct sky_topic_node *oldest = broker->nodes; /* the table keeps them in order of arrival */
    broker->node_bytes -=
        sizeof *oldest + oldest->len + oldest->receivers.room * sizeof *oldest->receivers.list;
    HASH_DEL(broker->nodes, oldest);
    free_node(oldest);
    broker->epoch++;
}

static struct sky_topic_node *find_node(struct sky_app *app, sky_span topic)
{
    struct sky_broker *broker = &app->broker;
    struct sky_topic_node *node;
    HASH_FIND(hh, broker->nodes, topic.ptr, topic.len, node);
    if (node != NULL)
        return node;
    while (broker->nodes != NULL && (HASH_COUNT(broker->nodes) >= SKY_TOPIC_NODES_MAX ||
                                     broker->node_bytes >= SKY_TOPIC_BYTES_MAX))
        forget_oldest(broker);
    node = sky_mem_new(sizeof *node + topic.len);
    broker->node_bytes += sizeof *node + topic.len;
    memcpy(node->name, topic.ptr, topic.len);
    node->len = (uint16_t)topic.len;
    node->publisher = UINT32_MAX;
    node->generation = UINT64_MAX;
    HASH_ADD_KEYPTR(hh, broker->nodes, node->name, node->len, node);
    return node;
}

/* The topic's node with the right of this publisher in it. Devices publish to the same topic again
 * and again, so the last one is looked at first. */
static struct sky_topic_node *node_for(struct sky_app *app, struct sky_session *session,
                                       sky_span topic)
{
    struct sky_topic_node *node = session->last_topic;
    if (node == NULL || session->last_epoch != app->broker.epoch ||
        !sky_span_eq(topic, sky_span_of(node->name, node->len))) {
        node = session->last_topic = find_node(app, topic);
        session->last_epoch = app->broker.epoch;
    }
    if (node->publisher != session->slot) {
        const struct sky_product_info *product = session->product;
        node->row = NULL;
        node->fits = sky_cloud_topic_fits(&product->cloud->limits, topic);
        node->right = (uint8_t)sky_cloud_right(
            product->cloud, sky_span_str(product->product.key), sky_span_str(session->device_key),
            product->topics, product->topic_count, topic, SKY_MAY_PUB, &node->row);
        node->publisher = session->slot;
    }
    return node;
}

static const struct sky_receivers *receivers_of(struct sky_app *app, struct sky_topic_node *node)
{
    uint64_t generation = sky_subs_generation(app->broker.subs);
    if (node->generation != generation) {
        size_t room = node->receivers.room;
        sky_subs_match(app->broker.subs, sky_span_of(node->name, node->len), &node->receivers);
        app->broker.node_bytes += (node->receivers.room - room) * sizeof *node->receivers.list;
        node->generation = generation;
    }
    return &node->receivers;
}

/* ---- delivery ---- */

/* A message on its way to receivers: encoded for each, shared by those who must wait for it. */
struct parcel {
    sky_span topic, payload;
    uint64_t of;
    bool whole;               /* the journal has no publish with this content: deliveries show it */
    struct sky_mqtt_msg *msg; /* made when the first receiver has to keep it */
};

/* The tag of a kept message: the number of its publish, and whether deliveries show the content. */
#define TAG_WHOLE (UINT64_C(1) << 63)

static void record_delivery(struct sky_app *app, const struct sky_session *session,
                            const struct parcel *parcel, uint8_t qos, uint16_t packet_id, bool dup)
{
    struct sky_attr attrs[6];
    size_t count = 0;
    attrs[count++] = SKY_ATTR_INT(OF, (int64_t)parcel->of);
    attrs[count++] = SKY_ATTR_INT(QOS, qos);
    if (packet_id != 0)
        attrs[count++] = SKY_ATTR_INT(PACKET_ID, packet_id);
    if (dup)
        attrs[count++] = SKY_ATTR_INT(DUP, 1);
    if (parcel->whole) {
        attrs[count++] = SKY_ATTR(TOPIC, parcel->topic);
        attrs[count++] = SKY_ATTR(PAYLOAD, parcel->payload);
    }
    const struct sky_conn *conn = session->conn;
    const struct sky_event_head head = {.type = SKY_EVENT_PUBLISH,
                                        .direction = SKY_DOWN,
                                        .transport = conn ? conn->door.transport : SKY_TCP,
                                        .connection = conn ? conn->id : 0,
                                        .device_id = session->device_id};
    sky_journal_add(app->journal, &head, attrs, count, NULL);
}

static void record_drop(struct sky_app *app, const struct sky_session *session,
                        const struct parcel *parcel, const char *reason)
{
    const struct sky_attr attrs[] = {SKY_ATTR_INT(OF, (int64_t)parcel->of),
                                     SKY_ATTR(TOPIC, parcel->topic),
                                     SKY_ATTR(REASON, sky_span_str(reason))};
    const struct sky_event_head head = {
        .type = SKY_EVENT_DROP, .direction = SKY_DOWN, .device_id = session->device_id};
    sky_journal_add(app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

void sky_broker_sent(struct sky_mqtt_session *mqtt, const struct sky_mqtt_msg *msg, uint16_t id,
                     bool again)
{
    struct sky_session *session = SKY_CONTAINER_OF(mqtt, struct sky_session, mqtt);
    const struct parcel parcel = {.topic = sky_mqtt_msg_topic(msg),
                                  .payload = sky_mqtt_msg_payload(msg),
                                  .of = msg->tag & ~TAG_WHOLE,
                                  .whole = msg->tag & TAG_WHOLE};
    session->delivered++;
    record_delivery(session->conn->app, session, &parcel, 1, id, again);
}

static bool is_online(const struct sky_session *session)
{
    return session->conn != NULL && !session->conn->closing;
}

static void deliver_0(struct sky_app *app, struct sky_session *session, struct parcel *parcel)
{
    if (!is_online(session)) {
        if (parcel->whole)
            record_drop(app, session, parcel, "QoS 0 and the device is away");
        return;
    }
    const struct sky_mqtt_publish publish = {.topic = parcel->topic, .payload = parcel->payload};
    if (!sky_mqtt_put_publish(sky_conn_out(session->conn), &publish)) {
        record_drop(app, session, parcel, "the device does not read: too much waits for it");
        return;
    }
    session->delivered++;
    record_delivery(app, session, parcel, 0, 0, false);
}

static void deliver_1(struct sky_app *app, struct sky_session *session, struct parcel *parcel)
{
    bool online = is_online(session);
    if (!online && !session->kept) {
        record_drop(app, session, parcel, "the device is away and its session is not kept");
        return;
    }
    if (parcel->msg == NULL)
        parcel->msg = sky_mqtt_msg_new(parcel->topic, parcel->payload, app->clock.now_ms,
                                       parcel->of | (parcel->whole ? TAG_WHOLE : 0));
    enum sky_mqtt_delivery done =
        sky_mqtt_session_deliver(&session->mqtt, &session->product->cloud->limits.session,
                                 parcel->msg, online ? sky_conn_out(session->conn) : NULL);
    if (done == SKY_DELIVERY_DROPPED)
        record_drop(app, session, parcel, "the device's queue is full");
}

static void deliver(struct sky_app *app, struct sky_session *session, struct parcel *parcel,
                    uint8_t qos)
{
    if (qos == 0)
        deliver_0(app, session, parcel);
    else
        deliver_1(app, session, parcel);
}

static size_t spread(struct sky_app *app, const struct sky_receivers *to, struct parcel *parcel,
                     uint8_t qos)
{
    for (size_t i = 0; i < to->count; i++) {
        struct sky_session *session = sky_session_at(app, to->list[i].subscriber);
        deliver(app, session, parcel, qos < to->list[i].qos ? qos : to->list[i].qos);
    }
    sky_mqtt_msg_unref(parcel->msg);
    return to->count;
}

size_t sky_broker_spread(struct sky_app *app, sky_span topic, sky_span payload, uint8_t qos,
                         uint64_t of)
{
    struct parcel parcel = {.topic = topic, .payload = payload, .of = of, .whole = true};
    return spread(app, receivers_of(app, find_node(app, topic)), &parcel, qos);
}

static void push(struct sky_app *app, struct sky_session *session, sky_span topic, sky_span payload,
                 uint8_t qos, uint64_t of)
{
    struct parcel parcel = {.topic = topic, .payload = payload, .of = of, .whole = true};
    deliver(app, session, &parcel, qos);
    sky_mqtt_msg_unref(parcel.msg);
}

void sky_broker_push(struct sky_app *app, struct sky_session *session, sky_span topic,
                     sky_span payload, uint8_t qos, uint64_t of, int64_t ttl_ms)
{
    if (!is_online(session) && sky_coap_fetches(session))
        sky_coap_push(app, session, topic, payload, of, ttl_ms);
    else
        push(app, session, topic, payload, qos, of);
}

bool sky_broker_subscribes(struct sky_app *app, const struct sky_session *session, sky_span topic,
                           uint8_t *ret_qos)
{
    const struct sky_receivers *all = receivers_of(app, find_node(app, topic));
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].subscriber == session->slot) {
            *ret_qos = all->list[i].qos;
            return true;
        }
    }
    return false;
}

bool sky_broker_reaches(const struct sky_session *session, uint8_t qos)
{
    if (session == NULL)
        return false;
    return is_online(session) || sky_coap_fetches(session) || (qos > 0 && session->kept);
}

bool sky_broker_listens(struct sky_app *app, const struct sky_session *session, sky_span topic,
                        uint8_t *ret_qos)
{
    const struct sky_product_info *product = session->product;
    if (sky_broker_subscribes(app, session, topic, ret_qos))
        return true;
    *ret_qos = 1;
    return sky_cloud_is_pushed(product->cloud, sky_span_str(product->product.key),
                               sky_span_str(session->device_key), topic, session->traits);
}

bool sky_broker_reply(struct sky_app *app, struct sky_session *session, sky_span topic,
                      sky_span payload, uint8_t qos, uint64_t of)
{
    uint8_t granted = 1;
    if (!sky_broker_subscribes(app, session, topic, &granted) &&
        !(session->traits & SKY_TRAIT_AUTO_SUBSCRIBED))
        return false;
    push(app, session, topic, payload, qos < granted ? qos : granted, of);
    return true;
}

/* ---- publishing ---- */

/* Counts the publish. True for the first in a second that is more than the cloud takes: one finding
 * says as much as a thousand. */
static bool is_too_fast(const struct sky_app *app, struct sky_session *session, unsigned qos_class)
{
    uint32_t rate_max = session->product->cloud->limits.publish_rate_max[qos_class];
    int64_t second = app->clock.now_ms / 1000;
    if (session->rate_second != second) {
        session->rate_second = second;
        session->rate[0] = session->rate[1] = 0;
    }
    return ++session->rate[qos_class] == rate_max + 1 && rate_max > 0;
}

static void judge_rate(const struct sky_app *app, const struct sky_act *act,
                       struct sky_judge *judge)
{
    const struct sky_cloud *cloud = act->session->product->cloud;
    unsigned qos_class = act->qos > 0;
    if (cloud->limits.publish_rate_max[qos_class] == 0)
        return;
    sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_PUBLISH_RATE),
                   !is_too_fast(app, act->session, qos_class),
                   "more than %u messages with QoS %u within one second",
                   cloud->limits.publish_rate_max[qos_class], qos_class);
}

/* The general limits on a publish. False: the act ends here, and `result` says how. */
static bool within_limits(const struct sky_act *act, bool topic_fits, struct sky_judge *judge,
                          bool *ret_acknowledge, struct sky_act_result *result)
{
    const struct sky_cloud *cloud = act->session->product->cloud;
    const struct sky_cloud_limits *limits = &cloud->limits;
    sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_RETAIN), !act->retain,
                   "the retain flag is set; the message is delivered but not retained");
    if (sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_QOS2_PUBLISH), act->qos < 2,
                       "published with QoS 2 to %.*s; use QoS 0 or 1", SKY_SPAN_ARGS(act->topic))) {
        result->close = true;
        return false;
    }
    if (sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_PAYLOAD_SIZE),
                       act->payload.len <= limits->payload_max,
                       "payload of %zu bytes; at most %u are carried", act->payload.len,
                       limits->payload_max) ||
        sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_TOPIC_LENGTH), topic_fits,
                       "topic of %zu bytes; at most %u with at most %u slashes are taken: %.*s",
                       act->topic.len, limits->topic_len_max, limits->topic_slashes_max,
                       SKY_SPAN_ARGS(act->topic))) {
        *ret_acknowledge = cloud->publish_violation == SKY_VIOLATION_ACK;
        return false;
    }
    return true;
}

static const enum sky_limit_rule right_rules[] = {
    [SKY_RIGHT_NONE] = SKY_LIMIT_TOPIC_PUB,
    [SKY_RIGHT_DIRECTION] = SKY_LIMIT_TOPIC_DIRECTION,
    [SKY_RIGHT_OTHER] = SKY_LIMIT_TOPIC_OTHER,
};
static const char *const right_texts[] = {
    [SKY_RIGHT_GRANTED] = "",
    [SKY_RIGHT_NONE] = "no topic of this device",
    [SKY_RIGHT_DIRECTION] = "a topic the device may only subscribe to",
    [SKY_RIGHT_OTHER] = "a topic of another device",
};

/* False: the device may not publish there, and the rule is enforced. With the right to, every rule
 * about it is kept. */
static bool has_right(const struct sky_act *act, enum sky_right right, struct sky_judge *judge)
{
    const struct sky_cloud *cloud = act->session->product->cloud;
    bool refused = false;
    for (size_t i = SKY_COUNT(right_rules) - 1; i >= SKY_RIGHT_NONE; i--) {
        /* A topic used the wrong way round, or another's, is also one without the right to it. */
        bool kept = right == SKY_RIGHT_GRANTED || (i != right && i != SKY_RIGHT_NONE);
        refused |=
            sky_judge_rule(judge, sky_cloud_limit_rule(cloud, right_rules[i]), kept,
                           "published to %.*s: %s", SKY_SPAN_ARGS(act->topic), right_texts[right]);
    }
    return !refused;
}

static uint64_t record_publish(struct sky_app *app, const struct sky_act *act,
                               const struct sky_topic_row *row, const struct sky_judge *judge)
{
    struct sky_attr attrs[7];
    size_t count = 0;
    attrs[count++] = SKY_ATTR(TOPIC, act->topic);
    attrs[count++] = SKY_ATTR(PAYLOAD, act->payload);
    attrs[count++] = SKY_ATTR_INT(QOS, act->qos);
    if (act->packet_id != 0)
        attrs[count++] = SKY_ATTR_INT(PACKET_ID, act->packet_id);
    if (act->dup)
        attrs[count++] = SKY_ATTR_INT(DUP, 1);
    if (act->retain)
        attrs[count++] = SKY_ATTR_INT(RETAIN, 1);
    if (row != NULL && row->service != NULL)
        attrs[count++] = SKY_ATTR(SERVICE, sky_span_str(row->service->name));
    const struct sky_event_head head = {.type = SKY_EVENT_PUBLISH,
                                        .direction = SKY_UP,
                                        .transport = act->transport,
                                        .connection = act->connection,
                                        .device_id = act->session->device_id};
    return sky_journal_add(app->journal, &head, attrs, count, judge);
}

/* The facts a service reads, looked up because its row asks for them. */
struct service_facts {
    struct sky_facts facts;
    struct sky_product product;
    struct sky_device device;
    struct sky_buf document;
    char fresh[65];
};

/* Any error but NOT_FOUND of a document means that it is there and cannot be read. */
static sky_err gather(struct sky_app *app, const struct sky_session *session,
                      const char *document_name, struct service_facts *f)
{
    sky_err err = SKY_OK;
    f->facts = (struct sky_facts){.now_ms = app->clock.now_ms};
    sky_rng_text(&app->rng, f->fresh, sizeof f->fresh - 1);
    f->facts.fresh = sky_span_of(f->fresh, sizeof f->fresh - 1);
    if (sky_store_get_device(app->store, session->device_id, &f->product, &f->device) == SKY_OK) {
        f->facts.product = &f->product;
        f->facts.device = &f->device;
    }
    sky_buf_init(&f->document, SKY_DOCUMENT_MAX);
    if (document_name != NULL)
        err = sky_store_get_document(app->store, session->device_id, sky_span_str(document_name),
                                     &f->document, &f->facts.document_version);
    f->facts.document = sky_buf_span(&f->document);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

static struct sky_uplink uplink_of(const struct sky_act *act)
{
    struct sky_uplink uplink = sky_session_uplink(act->session);
    uplink.topic = act->topic;
    uplink.payload = act->payload;
    uplink.qos = act->qos;
    uplink.transport = act->transport;
    return uplink;
}

/* Does the device receive what the service answers? */
static bool receives_reply(struct sky_app *app, const struct sky_act *act,
                           const struct sky_service *service, const struct sky_uplink *uplink)
{
    const struct sky_topic_keys keys = {uplink->product, uplink->device};
    char topic[SKY_PATTERN_MAX + 2 * SKY_KEY_MAX];
    uint8_t qos;
    if (act->on_reply != NULL || uplink->traits & SKY_TRAIT_AUTO_SUBSCRIBED)
        return true;
    return service->reply != NULL &&
           sky_topic_fill(sky_span_str(service->reply), &keys, topic, sizeof topic) &&
           sky_broker_subscribes(app, act->session, sky_span_str(topic), &qos);
}

/* A document that cannot be read must not be taken for one that is not there: then the service is
 * not asked, and the journal says why. */
static void serve(struct sky_app *app, const struct sky_act *act, const struct sky_service *service,
                  struct sky_judge *judge)
{
    struct service_facts f;
    struct sky_uplink uplink = uplink_of(act);
    uplink.reply_subscribed = receives_reply(app, act, service, &uplink);
    sky_err err = gather(app, act->session, service->document, &f);
    if (err == SKY_OK) {
        service->handle(&uplink, &f.facts, judge, &app->effects);
    } else {
        struct sky_effect *note = sky_effects_add(&app->effects, SKY_EFFECT_NOTE);
        note->name = SKY_SPAN("document-unreadable");
        note->payload = sky_span_str(sky_err_text(err));
    }
    sky_buf_done(&f.document);
}

/* The cloud's own answer to what it refuses, where it has one. */
static void answer_refusal(struct sky_app *app, const struct sky_act *act, struct sky_judge *judge)
{
    const struct sky_cloud *cloud = act->session->product->cloud;
    if (cloud->refused_publish == NULL)
        return;
    struct service_facts f;
    struct sky_uplink uplink = uplink_of(act);
    (void)gather(app, act->session, NULL, &f);
    cloud->refused_publish(&uplink, &f.facts, judge, &app->effects);
    sky_buf_done(&f.document);
}

static void record_service(struct sky_app *app, const struct sky_act *act,
                           const struct sky_judge *judge, uint64_t of)
{
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, act->topic), SKY_ATTR_INT(OF, (int64_t)of)};
    const struct sky_event_head head = {.type = SKY_EVENT_SERVICE,
                                        .direction = SKY_INSIDE,
                                        .transport = act->transport,
                                        .connection = act->connection,
                                        .device_id = act->session->device_id};
    sky_journal_add(app->journal, &head, attrs, SKY_COUNT(attrs), judge);
}

void sky_broker_subscribed(struct sky_app *app, struct sky_session *session, sky_span filter,
                           uint64_t of)
{
    const struct sky_cloud *cloud = session->product->cloud;
    if (cloud->subscribed == NULL)
        return;
    const struct sky_act act = {.session = session,
                                .topic = filter,
                                .transport = session->conn->door.transport,
                                .connection = session->conn->id};
    struct sky_uplink uplink = uplink_of(&act);
    struct sky_judge judge;
    struct service_facts f;
    sky_judge_init(&judge, sky_product_policy(app, session->product));
    (void)gather(app, session, NULL, &f);
    cloud->subscribed(&uplink, &f.facts, &judge, &app->effects);
    sky_buf_done(&f.document);
    if (judge.count > 0)
        record_service(app, &act, &judge, of);
    const struct sky_rule *due = cloud->activation_unsubscribed;
    if (due != NULL &&
        sky_rule_set_has(&judge.exercised, sky_catalogue_index(&app->catalogue, due)))
        session->subscribed_activation = true;
    sky_session_judged(app, session, &judge);
    sky_apply(app, session, NULL, &app->effects, of);
}

void sky_broker_resume(struct sky_app *app, struct sky_session *session)
{
    size_t dropped =
        sky_mqtt_session_resume(&session->mqtt, &session->product->cloud->limits.session,
                                app->clock.now_ms, sky_conn_out(session->conn));
    if (dropped == 0)
        return;
    const struct sky_attr attrs[] = {
        SKY_ATTR_INT(COUNT, (int64_t)dropped),
        SKY_ATTR(REASON, SKY_SPAN("the messages waited longer than the cloud keeps them"))};
    const struct sky_event_head head = {.type = SKY_EVENT_DROP,
                                        .direction = SKY_DOWN,
                                        .transport = session->conn->door.transport,
                                        .connection = session->conn->id,
                                        .device_id = session->device_id};
    sky_journal_add(app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

struct sky_act_result sky_broker_publish(struct sky_app *app, const struct sky_act *act)
{
    struct sky_session *session = act->session;
    const struct sky_cloud *cloud = session->product->cloud;
    struct sky_act_result result = {0};
    bool acknowledged = true;
    struct sky_judge judge;
    sky_judge_init(&judge, sky_product_policy(app, session->product));
    SKY_ASSERT(app->effects.count == 0);

    struct sky_topic_node *node = node_for(app, session, act->topic);
    const struct sky_topic_row *row = node->row;
    result.right = node->right;
    judge_rate(app, act, &judge);
    bool carried = within_limits(act, node->fits, &judge, &acknowledged, &result);
    if (carried && !has_right(act, result.right, &judge)) {
        carried = false;
        acknowledged = cloud->publish_violation == SKY_VIOLATION_ACK;
    }
    if (!carried && !result.close)
        answer_refusal(app, act, &judge);
    result.served = carried && row != NULL && row->service != NULL;
    if (result.served)
        serve(app, act, row->service, &judge);

    session->published++;
    uint64_t seq = record_publish(app, act, row, &judge);
    sky_session_judged(app, session, &judge);
    if (acknowledged && !result.close && act->on_ack != NULL)
        act->on_ack(act);
    if (carried && !result.served) {
        struct parcel parcel = {.topic = act->topic, .payload = act->payload, .of = seq};
        spread(app, receivers_of(app, node), &parcel, act->qos > 1 ? 1 : act->qos);
    }
    result.judged_bad = judge.refused != NULL;
    if (app->effects.count > 0)
        sky_apply(app, session, act, &app->effects, seq);
    return result;
}
