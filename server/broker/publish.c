#include "server/broker/publish.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/broker/commands.h"
#include "server/broker/delivery.h"
#include "server/broker/gateways.h"
#include "server/broker/peers.h"
#include "server/broker/presence.h"
#include "server/broker/upgrades.h"
#include "server/registry/lookup.h"
#include "store/images.h"

/* Counts the publish. True for the first in a second that is more than the cloud takes: one finding
 * says as much as a thousand. The second is over when it is over by either clock: a device keeps
 * its pace by its own, which goes on while virtual time stands still, and whoever advances virtual
 * time lets a second pass in no time. */
static bool is_too_fast(const struct sky_broker *broker, struct sky_session *session,
                        unsigned qos_class)
{
    uint32_t rate_max = session->product->cloud->limits.publish_rate_max[qos_class];
    const struct sky_clock *clock = broker->registry->clock;
    struct sky_session_work *work = sky_session_work(session);
    int64_t lived_ms = sky_clock_lived_ms(clock);
    if (work->rate.count[0] + work->rate.count[1] == 0 || lived_ms - work->rate.lived_ms >= 1000 ||
        clock->real_ms - work->rate.real_ms >= 1000) {
        work->rate.lived_ms = lived_ms;
        work->rate.real_ms = clock->real_ms;
        work->rate.count[0] = work->rate.count[1] = 0;
    }
    return ++work->rate.count[qos_class] == rate_max + 1;
}

static void judge_rate(const struct sky_broker *broker, const struct sky_act *act,
                       struct sky_judge *judge)
{
    const struct sky_cloud *cloud = act->session->product->cloud;
    unsigned qos_class = act->qos > 0;
    if (cloud->limits.publish_rate_max[qos_class] == 0)
        return;
    sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_PUBLISH_RATE),
                   !is_too_fast(broker, act->session, qos_class),
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

bool sky_right_judge(const struct sky_cloud *cloud, enum sky_right right,
                     enum sky_limit_rule without, struct sky_judge *judge, const char *act,
                     sky_span topic, const char *why)
{
    const enum sky_limit_rule rules[] = {
        [SKY_RIGHT_NONE] = without,
        [SKY_RIGHT_DIRECTION] = SKY_LIMIT_TOPIC_DIRECTION,
        [SKY_RIGHT_OTHER] = SKY_LIMIT_TOPIC_OTHER,
    };
    bool refused = false;
    if (right == SKY_RIGHT_GRANTED) { /* as nearly always */
        for (size_t i = SKY_RIGHT_NONE; i < SKY_COUNT(rules); i++)
            sky_judge_kept(judge, sky_cloud_limit_rule(cloud, rules[i]));
        return true;
    }
    for (size_t i = SKY_COUNT(rules) - 1; i >= SKY_RIGHT_NONE; i--) {
        const struct sky_rule *rule = sky_cloud_limit_rule(cloud, rules[i]);
        bool judged = false, kept = true; /* a cloud may have one rule for several of them */
        for (size_t j = SKY_RIGHT_NONE; j < SKY_COUNT(rules); j++) {
            if (sky_cloud_limit_rule(cloud, rules[j]) != rule)
                continue;
            judged |= j > i;
            /* A topic used the wrong way round, or another's, is also one without the right to
             * it. */
            kept &= j != right && j != SKY_RIGHT_NONE;
        }
        if (!judged)
            refused |=
                sky_judge_rule(judge, rule, kept, "%s %.*s%s", act, SKY_SPAN_ARGS(topic), why);
    }
    return !refused;
}

static bool has_right(const struct sky_act *act, enum sky_right right, struct sky_judge *judge)
{
    static const char *const texts[] = {
        [SKY_RIGHT_GRANTED] = "",
        [SKY_RIGHT_NONE] = ": no topic of this device",
        [SKY_RIGHT_DIRECTION] = ": a topic the device may only subscribe to",
        [SKY_RIGHT_OTHER] = ": a topic of another device",
    };
    const struct sky_product_info *product = act->session->product;
    if (right == SKY_RIGHT_OTHER && product->product.node == SKY_NODE_GATEWAY)
        return sky_right_judge(product->cloud, right, SKY_LIMIT_TOPIC_PUB, judge, "published to",
                               act->topic,
                               ": a topic of another device; of one behind this gateway that is "
                               "not online by it, if it is: log it in first");
    return sky_right_judge(act->session->product->cloud, right, SKY_LIMIT_TOPIC_PUB, judge,
                           "published to", act->topic, texts[right]);
}

static uint64_t record_publish(struct sky_broker *broker, const struct sky_act *act,
                               const struct sky_topic_row *row, const struct sky_judge *judge)
{
    struct sky_draft draft;
    sky_draft_begin(&draft, (struct sky_event_head){.type = SKY_EVENT_PUBLISH,
                                                    .direction = SKY_UP,
                                                    .transport = act->transport,
                                                    .connection = act->connection,
                                                    .device_id = act->session->device_id});
    sky_draft_add(&draft, SKY_ATTR(TOPIC, act->topic));
    sky_draft_add(&draft, SKY_ATTR(PAYLOAD, act->payload));
    sky_draft_add(&draft, SKY_ATTR_INT(QOS, act->qos));
    if (act->packet_id != 0)
        sky_draft_add(&draft, SKY_ATTR_INT(PACKET_ID, act->packet_id));
    if (act->dup)
        sky_draft_add(&draft, SKY_ATTR_INT(DUP, 1));
    if (act->retain)
        sky_draft_add(&draft, SKY_ATTR_INT(RETAIN, 1));
    if (row != NULL && row->service != NULL)
        sky_draft_add(&draft, SKY_ATTR(SERVICE, sky_span_str(row->service->name)));
    return sky_journal_record(broker->registry->journal, &draft, judge);
}

/* The facts a service reads, looked up because its row asks for them. Peers and the like live in
 * the effects' arena. */
struct service_facts {
    struct sky_facts facts;
    struct sky_lookup lookup; /* filled when the device or random characters are read */
    struct sky_buf document, piece;
    char link[SKY_LINK_SIZE];
};

/* Any error but NOT_FOUND of a document means that it is there and cannot be read. */
static sky_err gather(struct sky_broker *broker, const struct sky_session *session, unsigned reads,
                      const char *document_name, struct service_facts *f)
{
    struct sky_registry *registry = broker->registry;
    sky_err err = SKY_OK;
    f->facts = (struct sky_facts){.now_ms = registry->clock->now_ms};
    if (reads & (SKY_READS_DEVICE | SKY_READS_FRESH)) {
        sky_lookup_session(registry, session, reads, &f->lookup);
        f->facts = f->lookup.facts;
    }
    if (reads & SKY_READS_CONFIG) {
        f->facts.config = session->product->config;
        f->facts.config_version = session->product->config_version;
    }
    if (reads & SKY_READS_MODEL)
        f->facts.model = session->product->model;
    sky_buf_init(&f->document, SKY_DOCUMENT_MAX);
    sky_buf_init(&f->piece, SKY_PIECE_MAX);
    if (document_name != NULL)
        err =
            sky_store_get_document(registry->store, session->device_id, sky_span_str(document_name),
                                   &f->document, &f->facts.document_version);
    f->facts.document = sky_buf_span(&f->document);
    if (reads & SKY_READS_LINK)
        f->facts.link = sky_session_link(broker, session, f->link);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

/* The bytes of an image that the service wants to see. */
static void read_piece(struct sky_broker *broker, const struct sky_service *service,
                       const struct sky_uplink *uplink, struct sky_arena *arena,
                       struct service_facts *f)
{
    struct sky_store *store = broker->registry->store;
    struct sky_piece_request wanted = {.offset = 0};
    struct sky_image image;
    size_t before;
    if (!service->wants(uplink, &f->facts, arena, &wanted))
        return;
    SKY_ASSERT(wanted.size <= SKY_PIECE_MAX);
    sky_err err = sky_store_find_image(store, wanted.file, &image);
    do {
        before = f->piece.len;
        if (err == SKY_OK)
            err = sky_store_read_image(store, &image, wanted.offset + (int64_t)before,
                                       wanted.size - before, &f->piece);
    } while (err == SKY_OK && f->piece.len > before && f->piece.len < wanted.size);
    f->facts.piece = sky_buf_span(&f->piece);
    f->facts.piece_read = err == SKY_OK;
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
static bool receives_reply(struct sky_broker *broker, const struct sky_act *act,
                           const struct sky_service *service, const struct sky_uplink *uplink)
{
    const struct sky_topic_keys keys = {uplink->product, uplink->device};
    char topic[SKY_PATTERN_MAX + 2 * SKY_KEY_MAX];
    uint8_t qos;
    if (act->replies != NULL || uplink->traits & SKY_TRAIT_AUTO_SUBSCRIBED)
        return true;
    return service->reply != NULL &&
           sky_topic_fill(sky_span_str(service->reply), &keys, topic, sizeof topic) &&
           sky_topic_subscribed(broker, sky_session_carrier(act->session), sky_span_str(topic),
                                &qos);
}

/* A document that cannot be read must not be taken for one that is not there: then the service is
 * not asked, and the journal says why. */
static void serve(struct sky_broker *broker, const struct sky_act *act,
                  const struct sky_service *service, struct sky_judge *judge,
                  struct sky_effects *effects, struct sky_facts *ret_facts)
{
    struct service_facts f;
    struct sky_uplink uplink = uplink_of(act);
    uplink.reply_subscribed = receives_reply(broker, act, service, &uplink);
    sky_err err = gather(broker, act->session, service->reads, service->document, &f);
    if (err == SKY_OK && service->reads & SKY_READS_COUNTS)
        sky_peers_count(broker, act->session, &f.facts);
    if (err == SKY_OK && service->reads & SKY_READS_BEHIND &&
        (service->lists == NULL || service->lists(&uplink)))
        err = sky_peers_list(broker, act->session, &effects->arena, &f.facts);
    if (err == SKY_OK && service->peers != NULL)
        err = sky_peers_look_up(broker, act->session, service, &uplink, &effects->arena, &f.facts);
    if (err == SKY_OK) {
        if (service->wants != NULL)
            read_piece(broker, service, &uplink, &effects->arena, &f);
        service->handle(&uplink, &f.facts, judge, effects);
        ret_facts->peers = f.facts.peers;
        ret_facts->peer_count = f.facts.peer_count;
    } else {
        struct sky_effect *note = sky_effects_add(effects, SKY_EFFECT_NOTE);
        note->name = SKY_SPAN("document-unreadable");
        note->payload = sky_span_str(sky_err_text(err));
    }
    sky_buf_done(&f.document);
    sky_buf_done(&f.piece);
}

/* The cloud's own answer to what it refuses, where it has one. */
static void answer_refusal(struct sky_broker *broker, const struct sky_act *act,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    const struct sky_cloud *cloud = act->session->product->cloud;
    if (cloud->refused_publish == NULL)
        return;
    struct service_facts f;
    struct sky_uplink uplink = uplink_of(act);
    (void)gather(broker, act->session, 0, NULL, &f);
    if (cloud->gateway != NULL && act->session->product->product.node == SKY_NODE_GATEWAY)
        sky_peers_look_up_topic(broker, act->session, &uplink, &effects->arena, &f.facts);
    cloud->refused_publish(&uplink, &f.facts, judge, effects);
    sky_buf_done(&f.document);
}

static void record_service(struct sky_broker *broker, const struct sky_act *act,
                           const struct sky_judge *judge, uint64_t of)
{
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, act->topic), SKY_ATTR_INT(OF, (int64_t)of)};
    const struct sky_event_head head = {.type = SKY_EVENT_SERVICE,
                                        .direction = SKY_INSIDE,
                                        .transport = act->transport,
                                        .connection = act->connection,
                                        .device_id = act->session->device_id};
    sky_journal_add(broker->registry->journal, &head, attrs, SKY_COUNT(attrs), judge);
}

void sky_publish_subscribed(struct sky_broker *broker, struct sky_session *session, sky_span filter,
                            uint64_t of)
{
    const struct sky_cloud *cloud = session->product->cloud;
    if (cloud->subscribed == NULL)
        return;
    const struct sky_act act = {.session = session,
                                .topic = filter,
                                .transport = session->conn->door->transport,
                                .connection = session->conn->id};
    struct sky_uplink uplink = uplink_of(&act);
    struct sky_judge judge;
    struct service_facts f;
    struct sky_effects effects;
    sky_effects_init(&effects);
    sky_judge_init(&judge, sky_product_policy(broker->registry, session->product));
    (void)gather(broker, session, SKY_READS_DEVICE | SKY_READS_FRESH, NULL, &f);
    cloud->subscribed(&uplink, &f.facts, &judge, &effects);
    sky_buf_done(&f.document);
    if (judge.count > 0)
        record_service(broker, &act, &judge, of);
    const struct sky_rule *due = cloud->activation_unsubscribed;
    if (due != NULL &&
        sky_rule_set_has(&judge.exercised, sky_catalogue_place(&broker->registry->catalogue, due)))
        session->subscribed_activation = true;
    sky_session_judged(session, &judge);
    sky_apply(broker, session, NULL, &effects, of);
    sky_effects_done(&effects);
}

/* A gateway's act on the topic of a device behind it is that device's. */
static struct sky_act attribute(struct sky_broker *broker, const struct sky_act *act,
                                const struct sky_topic_node *node)
{
    struct sky_act own = *act;
    if (node->subject != act->session->slot)
        own.session = sky_session_at(broker->registry, node->subject);
    return own;
}

struct sky_act_result sky_publish(struct sky_broker *broker, const struct sky_act *as_it_came)
{
    struct sky_topic_node *node = sky_topic_of(broker, as_it_came->session, as_it_came->topic);
    const struct sky_act own = attribute(broker, as_it_came, node), *act = &own;
    struct sky_session *session = act->session;
    const struct sky_cloud *cloud = session->product->cloud;
    struct sky_act_result result = {.right = node->right};
    bool acknowledged = true;
    struct sky_facts facts = {.peer_count = 0};
    struct sky_judge judge;
    struct sky_effects effects;
    sky_judge_init(&judge, sky_product_policy(broker->registry, session->product));
    sky_effects_init(&effects);
    const struct sky_topic_row *row = node->row;
    uint64_t topic_id = node->id;
    judge_rate(broker, act, &judge);
    bool carried = within_limits(act, node->fits, &judge, &acknowledged, &result);
    if (carried && !has_right(act, result.right, &judge)) {
        carried = false;
        acknowledged = cloud->publish_violation == SKY_VIOLATION_ACK;
    }
    if (!carried && !result.close)
        answer_refusal(broker, act, &judge, &effects);
    if (carried && session != as_it_came->session)
        sky_gateway_use(broker, as_it_came->session, session, &judge);
    result.served = carried && row != NULL && row->service != NULL;
    if (result.served) {
        sky_command_ids_seen(as_it_came->session, act->payload);
        serve(broker, act, row->service, &judge, &effects, &facts);
    }

    const struct sky_behaviour_message message = {
        .way = SKY_WAY_UP,
        .topic = act->topic,
        .topic_id = topic_id,
        .len = act->payload.len,
        .qos = act->qos,
        .dup = act->dup,
        .packet_id = sky_wire_is_armed(broker->wire, SKY_POINT_PUBACK_DOWN) ? act->packet_id : 0};
    sky_session_carried(broker->registry, session, &message);
    uint64_t seq = record_publish(broker, act, row, &judge);
    if (carried && broker->on_uplink != NULL)
        broker->on_uplink(broker->on_uplink_ctx, act, seq);
    if (carried && broker->overhear != NULL)
        broker->overhear(broker->overhear_ctx, act->topic, act->payload,
                         act->qos > 1 ? 1 : act->qos, seq);
    sky_session_judged(session, &judge);
    if (acknowledged && !result.close && act->on_ack != NULL)
        act->on_ack(as_it_came);
    if (facts.peer_count > 0) {
        struct sky_uplink uplink = uplink_of(act);
        sky_peers_judged(broker, row->service, &uplink, &facts, seq);
    }
    if (carried && !result.served) {
        sky_deliver_carried(broker, node, act->topic, act->payload, act->qos > 1 ? 1 : act->qos,
                            seq);
    }
    result.judged_bad = judge.refused != NULL;
    if (effects.count > 0)
        sky_apply(broker, session, act->replies, &effects, seq);
    if (result.served && row->service->document != NULL &&
        strcmp(row->service->document, SKY_OTA_DOCUMENT) == 0)
        sky_upgrades_look(broker, session, seq);
    sky_effects_done(&effects);
    return result;
}
