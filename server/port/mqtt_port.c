/* A connection's life: CONNECT, silence, keepalive, whatever comes on it handed on, and its end. */
#include "server/port/mqtt_private.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/rules.h"
#include "server/broker/delivery.h"
#include "server/broker/gateways.h"
#include "server/broker/kept.h"
#include "server/broker/presence.h"
#include "server/broker/publish.h"
#include "server/broker/upgrades.h"
#include "server/net/client_id.h"
#include "server/net/secure.h"
#include "server/port/applications.h"
#include "server/registry/login.h"
#include "server/registry/parties.h"

enum {
    SEARCH_WAIT_MS = 5, /* about what the searches of one turn take */
};

/* ---- journal ---- */

uint64_t sky_mqtt__record(struct sky_conn *conn, enum sky_event_type type,
                          enum sky_direction direction, const struct sky_attr *attrs, size_t count,
                          const struct sky_judge *judge)
{
    const struct sky_event_head head = sky_conn_event(conn, type, direction);
    return sky_journal_add(conn->net->journal, &head, attrs, count, judge);
}

const struct sky_policy *sky_mqtt__policy(const struct sky_conn *conn)
{
    const struct sky_session *session = conn->state;
    return sky_product_policy(conn->net->registry, session != NULL ? session->product : NULL);
}

const struct sky_cloud *sky_mqtt__cloud(const struct sky_conn *conn)
{
    const struct sky_session *session = conn->state;
    return session != NULL ? session->product->cloud : NULL;
}

void sky_mqtt__send_ack(struct sky_conn *conn, enum sky_point point, enum sky_mqtt_type type,
                        uint16_t packet_id)
{
    struct sky_out out;
    sky_out_begin(&out, point, conn);
    out.as.ack.type = type;
    out.as.ack.packet_id = packet_id;
    sky_wire_send(sky_mqtt__port(conn)->broker->wire, &out);
}

/* Books one finding that stands for itself, in an event of its own. */
static void record_broken(struct sky_conn *conn, enum sky_event_type type,
                          const struct sky_rule *rule, const char *detail)
{
    struct sky_judge judge;
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    sky_judge_broken(&judge, rule, "%s", detail);
    const struct sky_attr attr = SKY_ATTR(REASON, sky_span_str(detail));
    sky_mqtt__record(conn, type, SKY_UP, &attr, 1, &judge);
    sky_session_judged(conn->state, &judge);
}

/* ---- what ends a connection ---- */

/* A packet that breaks the specification: nothing after it can be trusted (4.8.0-1). */
void sky_mqtt__malformed(struct sky_conn *conn, const struct sky_rule *rule, const char *what,
                         sky_span bytes)
{
    sky_conn_refused(conn, rule, bytes, what);
    sky_conn_close(conn, "the packet breaks the MQTT specification");
}

/* ---- keepalive ---- */

static void on_alarm(struct sky_timer *timer, int64_t now_ms);

static int64_t keepalive_ms(const struct sky_session *session)
{
    return session->keepalive_s * INT64_C(1000);
}

/* The next moment at which silence means something: past 1.0 of the keepalive it is noted, at 1.5
 * it ends the connection (3.1.2-24). Reading only moves last_seen_ms; the alarm looks again. */
static void set_alarm(struct sky_conn *conn)
{
    const struct sky_session *session = conn->state;
    int64_t due_ms = INT64_MAX;
    if (conn->closing)
        return;
    if (session->keepalive_s > 0 && !session->dead)
        due_ms = session->last_seen_ms +
                 (session->silent ? keepalive_ms(session) * 3 / 2 : keepalive_ms(session) + 1);
    if (session->work->resubscribe_by_ms != 0 && session->work->resubscribe_by_ms < due_ms)
        due_ms = session->work->resubscribe_by_ms;
    if (conn->work->cut_at_ms != 0 && conn->work->cut_at_ms < due_ms)
        due_ms = conn->work->cut_at_ms;
    if (due_ms != INT64_MAX)
        sky_clock_timer(conn->net->clock, &conn->alarm,
                        due_ms - sky_clock_lived_ms(conn->net->clock), on_alarm);
}

/* A whole packet has come (3.1.2-24 counts those, not bytes). */
void sky_mqtt__note_life(struct sky_conn *conn)
{
    struct sky_session *session = conn->state;
    int64_t now_ms = sky_clock_lived_ms(conn->net->clock);
    sky_behaviour_add_silence(sky_conduct_take_behaviour(&session->party->chapter),
                              now_ms - session->last_seen_ms);
    session->last_seen_ms = now_ms;
    sky_conn_is_heard(conn);
    if (!session->silent)
        return;
    session->silent = session->dead = false;
    set_alarm(conn);
}

/* An interval has passed in which the device spoke. */
static void note_keepalive(struct sky_conn *conn)
{
    static const enum sky_limit_rule kept[] = {SKY_LIMIT_KEEPALIVE_SILENT,
                                               SKY_LIMIT_KEEPALIVE_DEAD};
    struct sky_judge judge;
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    for (size_t i = 0; i < SKY_COUNT(kept); i++)
        sky_judge_kept(&judge, sky_cloud_limit_rule(sky_mqtt__cloud(conn), kept[i]));
    sky_session_judged(conn->state, &judge);
}

static void note_silence(struct sky_conn *conn, int64_t silence_ms)
{
    struct sky_session *session = conn->state;
    char detail[96];
    snprintf(detail, sizeof detail, "nothing for %lld ms; the keepalive is %u s",
             (long long)silence_ms, session->keepalive_s);
    session->silent = true;
    if (!sky_mqtt__touched(conn, AT_LIFE))
        record_broken(conn, SKY_EVENT_SILENCE,
                      sky_cloud_limit_rule(sky_mqtt__cloud(conn), SKY_LIMIT_KEEPALIVE_SILENT),
                      detail);
}

static void time_out(struct sky_conn *conn, int64_t silence_ms)
{
    struct sky_session *session = conn->state;
    struct sky_judge judge;
    const struct sky_rule *rule =
        sky_cloud_limit_rule(sky_mqtt__cloud(conn), SKY_LIMIT_KEEPALIVE_DEAD);
    char detail[96];
    snprintf(detail, sizeof detail, "nothing for %lld ms, 1.5 times the keepalive and more",
             (long long)silence_ms);
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    bool enforced = sky_judge_broken(&judge, rule, "%s", detail);
    const struct sky_attr attr = SKY_ATTR(REASON, sky_span_str(detail));
    session->dead = true;
    bool excused = sky_mqtt__touched(conn, AT_LIFE);
    if (judge.count > 0)
        sky_mqtt__record(conn, SKY_EVENT_TIMEOUT, SKY_INSIDE, &attr, 1, excused ? NULL : &judge);
    if (!excused)
        sky_session_judged(session, &judge);
    if (enforced)
        sky_conn_close(conn, "no packet within 1.5 times the keepalive");
}

static void judge_silence(struct sky_conn *conn)
{
    const struct sky_session *session = conn->state;
    int64_t silence_ms = sky_clock_lived_ms(conn->net->clock) - session->last_seen_ms;
    sky_behaviour_add_silence(sky_conduct_take_behaviour(&session->party->chapter), silence_ms);
    if (session->keepalive_s == 0)
        return;
    if (silence_ms <= keepalive_ms(session))
        note_keepalive(conn);
    else if (!session->silent)
        note_silence(conn, silence_ms);
    if (silence_ms >= keepalive_ms(session) * 3 / 2 && !session->dead)
        time_out(conn, silence_ms);
}

/* ---- subscriptions that were lost ---- */

/* It was told that no session is present, and has had time to subscribe again; 3.2.2.2. */
static void judge_deafness(struct sky_conn *conn)
{
    struct sky_session *session = conn->state;
    if (session->work->resubscribe_by_ms == 0 ||
        sky_clock_lived_ms(conn->net->clock) < session->work->resubscribe_by_ms)
        return;
    sky_session_expect_subscribe(session, 0);
    if (sky_mqtt__touched(conn, AT_LOGIN))
        return;
    record_broken(conn, SKY_EVENT_NOTE, sky_mqtt_rule(SKY_MQTT_RULE_RESUBSCRIBE),
                  "session present was 0, so what the device had subscribed to is lost; it has "
                  "sent no SUBSCRIBE since");
}

static void note_listening(struct sky_conn *conn)
{
    struct sky_judge judge;
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    sky_judge_kept(&judge, sky_mqtt_rule(SKY_MQTT_RULE_RESUBSCRIBE));
    sky_session_judged(conn->state, &judge);
}

/* A device that listened before it left has to subscribe again, unless its session is there. */
static void expect_subscribe(struct sky_conn *conn, bool present)
{
    enum { PATIENCE_MS = 60 * 1000 }; /* of a device without keepalive */
    struct sky_session *session = conn->state;
    int64_t by_ms = 0;
    if (session->listened && present)
        note_listening(conn);
    else if (session->listened)
        by_ms = sky_clock_lived_ms(conn->net->clock) + 1 +
                (session->keepalive_s > 0 ? keepalive_ms(session) : PATIENCE_MS);
    sky_session_expect_subscribe(session, by_ms);
}

struct listening {
    const struct sky_session *session;
    bool found;
};

static void look_at_filter(void *ctx, sky_span filter, uint8_t qos)
{
    (void)qos;
    struct listening *l = ctx;
    const struct sky_product_info *product = l->session->product;
    l->found |= sky_cloud_needs_filter(product->cloud, sky_span_str(product->product.key),
                                       sky_span_str(sky_session_key(l->session)), filter,
                                       l->session->traits);
}

/* The device leaves: does it have subscriptions that it would miss? */
static void note_filters(struct sky_conn *conn)
{
    struct sky_session *session = conn->state;
    struct listening listening = {.session = session};
    if (session->work->resubscribe_by_ms != 0)
        return; /* what it misses already it goes on to miss */
    sky_subs_each(sky_mqtt__port(conn)->broker->subs, session->slot, look_at_filter, &listening);
    session->listened = listening.found;
}

static void on_alarm(struct sky_timer *timer, int64_t due_ms)
{
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn, alarm);
    struct sky_clock *clock = conn->net->clock;
    SKY_ASSERT(conn->state != NULL && !conn->closing);
    (void)due_ms;
    if (sky_conn_is_unheard(conn)) {
        sky_clock_timer(clock, timer, SKY_CONN_EXCUSE_MS, on_alarm);
        return;
    }
    if (conn->work->cut_at_ms != 0 && sky_clock_lived_ms(clock) >= conn->work->cut_at_ms) {
        sky_conn_close(conn, "the cloud ends the connection");
        return;
    }
    judge_silence(conn);
    judge_deafness(conn);
    set_alarm(conn);
}

/* ---- CONNECT ---- */

static void stop_waiting(struct sky_conn *conn)
{
    if (!conn->waits)
        return;
    conn->waits = false;
    conn->net->registry->searches.waiting--;
}

static uint64_t record_connect(struct sky_conn *conn, const struct sky_mqtt_connect *connect,
                               const struct sky_lookup *lookup,
                               const struct sky_login_outcome *outcome,
                               const struct sky_judge *judge)
{
    struct sky_registry *registry = conn->net->registry;
    char peer[64];
    struct sky_buf explanation;
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    sky_conn_peer(conn, peer, sizeof peer);
    struct sky_attr attrs[14] = {
        SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)),
        SKY_ATTR(PEER, sky_span_str(peer)),
        SKY_ATTR(CLIENT_ID, connect->client_id),
        SKY_ATTR(USERNAME, connect->username),
        SKY_ATTR_INT(HAS_PASSWORD, connect->has_password),
        SKY_ATTR_INT(CLEAN_SESSION, connect->clean_session),
        SKY_ATTR_INT(KEEPALIVE, connect->keepalive_s),
        SKY_ATTR_INT(LEVEL, connect->level),
    };
    size_t count = 8;
    if (lookup->cloud != NULL)
        attrs[count++] = SKY_ATTR(CLOUD, sky_span_str(lookup->cloud->name));
    if (conn->state == NULL && lookup->cloud != NULL) {
        attrs[count++] = SKY_ATTR(PRODUCT, lookup->claim.product);
        attrs[count++] = SKY_ATTR(DEVICE_KEY, lookup->claim.device);
    }
    if (outcome->connack != 0 || outcome->refusal.explained) {
        sky_refusal_json(&outcome->refusal, judge, &explanation);
        attrs[count++] = SKY_ATTR(EXPLANATION, sky_buf_span(&explanation));
    }
    struct sky_event_head head = sky_conn_event(conn, SKY_EVENT_CONNECT, SKY_UP);
    if (lookup->device.id != 0) {
        head.device_id = lookup->device.id;
        if (sky_party_of_id(registry, lookup->device.id) == NULL) /* else it is looked up */
            (void)sky_party_of_device(registry, &lookup->product, &lookup->device);
    }
    uint64_t seq = sky_journal_add(conn->net->journal, &head, attrs, count, judge);
    sky_buf_done(&explanation);
    return seq;
}

static void begin_connack(struct sky_conn *conn, const struct sky_lookup *lookup, bool present,
                          uint8_t code, struct sky_out *out)
{
    sky_out_begin(out, SKY_POINT_CONNACK, conn);
    out->head.device_id = lookup->device.id;
    out->product_id = lookup->product.id;
    out->as.connack.session_present = present;
    out->as.connack.code = code;
}

static void refuse(struct sky_conn *conn, const struct sky_lookup *lookup,
                   const struct sky_login_outcome *outcome, const struct sky_judge *judge)
{
    struct sky_registry *registry = conn->net->registry;
    if (lookup->device.id != 0) {
        struct sky_session *session = sky_session_open(registry, &lookup->product, &lookup->device);
        session->last_login_ms = sky_clock_lived_ms(registry->clock);
        sky_session_judged(session, judge);
        sky_secure_behaved(conn, sky_conduct_take_behaviour(&session->party->chapter));
    }
    struct sky_out out;
    begin_connack(conn, lookup, false, outcome->connack, &out);
    sky_wire_send(sky_mqtt__port(conn)->broker->wire, &out);
    sky_conn_close(conn, "the login was refused");
}

/* The connection is the session's no more. A cloud may hold it against a device that it came to be
 * activated and did not listen. */
static void leave(struct sky_conn *conn)
{
    struct sky_session *session = conn->state;
    const struct sky_rule *rule = session->product->cloud->activation_unsubscribed;
    if (session->traits & SKY_TRAIT_ACTIVATION && !session->subscribed_activation && rule != NULL &&
        !sky_mqtt__touched(conn, AT_LOGIN))
        record_broken(conn, SKY_EVENT_OFFLINE, rule,
                      "left without having subscribed to the topic that brings its secret");
    note_filters(conn);
    sky_session_detach(sky_mqtt__port(conn)->broker, session);
}

/* A device has one connection: a second login closes the first (3.1.4-2). One that is closing
 * already, because the device left and came back within one turn of the loop, is no second one. */
static void take_over(struct sky_conn *conn, struct sky_session *session)
{
    struct sky_conn *old = session->conn;
    bool alone = old == NULL || old->closing;
    struct sky_judge judge;
    sky_judge_init(&judge, sky_product_policy(conn->net->registry, session->product));
    sky_judge_rule(&judge, sky_cloud_limit_rule(session->product->cloud, SKY_LIMIT_DUPLICATE_LOGIN),
                   alone, "logged in on connection %u while connection %u was open", conn->id,
                   alone ? 0 : old->id);
    sky_session_judged(session, &judge);
    if (!alone) {
        const struct sky_attr attr = SKY_ATTR_INT(OF, old->id);
        sky_mqtt__record(conn, SKY_EVENT_TAKEOVER, SKY_INSIDE, &attr, 1, &judge);
        sky_conn_close(old, "the device logged in again");
    }
    if (old != NULL)
        leave(old);
}

bool sky_mqtt_twin(struct sky_session *session)
{
    static const char *const reason = "a twin logged in";
    struct sky_conn *conn = session->conn;
    if (conn == NULL || conn->closing)
        return false;
    const struct sky_attr attr = SKY_ATTR(REASON, sky_span_str(reason));
    sky_mqtt__record(conn, SKY_EVENT_TAKEOVER, SKY_INSIDE, &attr, 1, NULL);
    sky_conn_close(conn, reason);
    leave(conn);
    return true;
}

static void on_spaced(struct sky_timer *timer, int64_t now_ms);

/* What waits is sent one by one, where the cloud does so. */
static void space(struct sky_conn *conn, bool more)
{
    const struct sky_session *session = conn->state;
    if (more)
        sky_clock_timer(conn->net->clock, &sky_conn_work(conn)->spaced,
                        session->product->cloud->limits.session.resume_spacing_ms, on_spaced);
}

static void on_spaced(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, spaced)->conn;
    SKY_ASSERT(conn->state != NULL && !conn->closing);
    space(conn, sky_deliver_spaced(sky_mqtt__port(conn)->broker, conn->state));
}

static void admit(struct sky_conn *conn, const struct sky_mqtt_connect *connect,
                  const struct sky_lookup *lookup, const struct sky_login_outcome *outcome,
                  const struct sky_judge *judge, const struct sky_effects *effects, uint64_t seq)
{
    struct sky_broker *broker = sky_mqtt__port(conn)->broker;
    struct sky_registry *registry = broker->registry;
    struct sky_session *session = sky_session_open(registry, &lookup->product, &lookup->device);
    struct sky_out connack;
    sky_session_expire(broker, session);
    /* Of a connection that fetches a secret nothing is kept: the next would be handed that one. */
    bool clean = connect->clean_session || outcome->traits & SKY_TRAIT_ACTIVATION;
    bool present = session->kept && !clean;
    begin_connack(conn, lookup, present, 0, &connack);
    sky_wire_decide(broker->wire, &connack);
    if (connack.as.connack.code != 0) { /* a fault's lie, by which the server lives, too */
        session->last_login_ms = sky_clock_lived_ms(registry->clock);
        sky_session_judged(session, judge);
        sky_wire_send(broker->wire, &connack);
        sky_conn_close(conn, "a fault refused the login");
        return;
    }
    conn->device_id = session->device_id;
    sky_conn_called(conn, connect->client_id);
    take_over(conn, session);
    sky_gateway_ousted(broker, session);
    if (clean)
        sky_session_wipe(broker, session);
    session->conn = conn;
    session->clean = clean;
    session->kept = !clean;
    if (session->kept)
        sky_kept_begin(broker, session);
    session->traits = (uint16_t)outcome->traits;
    session->keepalive_s = connect->keepalive_s;
    session->last_login_ms = session->last_seen_ms = sky_clock_lived_ms(registry->clock);
    session->silent = session->dead = session->subscribed_activation = false;
    session->token_waits = false;
    conn->state = session;
    registry->online++;
    sky_secure_behaved(conn, sky_conduct_take_behaviour(&session->party->chapter));
    sky_conn_forgive(conn);
    sky_session_judged(session, judge);
    sky_wire_send(broker->wire, &connack);
    expect_subscribe(conn, present);
    set_alarm(conn);
    if (present) {
        sky_deliver_resumed(broker, session);
        space(conn, session->mqtt.spaced > 0);
    }
    sky_apply(broker, session, NULL, effects, seq);
    sky_upgrades_arrived(broker, session);
}

static void on_turn_come(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn_work, patience)->conn;
    if (conn->closing)
        return;
    if (!sky_refusal_may_search(conn->net->registry) ||
        !sky_registry_lets_in(conn->net->registry)) {
        sky_clock_patience(conn->net->clock, timer, SEARCH_WAIT_MS, on_turn_come);
        return;
    }
    stop_waiting(conn);
    sky_conn_hold(conn, false);
    sky_conn_offer(conn);
}

/* Leaves the CONNECT in the input until the device may come in, or until its mistake can be
 * searched for: about as many turns as others wait already. */
static void wait_for_turn(struct sky_conn *conn, bool held)
{
    struct sky_searches *searches = &conn->net->registry->searches;
    int64_t turns = held ? 1 : (int64_t)(searches->waiting / SKY_SEARCHES_PER_TURN) + 1;
    conn->waits = true;
    searches->waiting++;
    sky_conn_hold(conn, true);
    sky_conn_patience(conn, turns * SEARCH_WAIT_MS, on_turn_come);
}

static void on_connect(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    struct sky_registry *registry = conn->net->registry;
    const struct sky_mqtt_connect *connect = &packet->as.connect;
    const struct sky_login login = sky_login_of(conn->door, connect);
    struct sky_login_outcome outcome = {0};
    struct sky_lookup lookup = {0};
    struct sky_judge judge;
    struct sky_effects effects;
    sky_effects_init(&effects);
    sky_judge_init(&judge, &registry->policy);
    if (conn->client_id == NULL)
        sky_conn_called(conn, connect->client_id);
    if (connect->level_known && sky_login_recognise(registry, &login, &lookup))
        judge.policy = sky_lookup_policy(registry, &lookup);
    bool held = lookup.product.id != 0 && sky_registry_holds(registry, lookup.product.id);
    if (!held)
        sky_login_decide(registry, &login, connect, &lookup, &judge, &effects, &outcome);
    if (held || outcome.postponed) {
        wait_for_turn(conn, held);
        goto out;
    }
    uint64_t seq = record_connect(conn, connect, &lookup, &outcome, &judge);
    if (outcome.connack != 0)
        refuse(conn, &lookup, &outcome, &judge);
    else
        admit(conn, connect, &lookup, &outcome, &judge, &effects, seq);
out:
    sky_effects_done(&effects);
}

/* ---- the port ---- */

static const struct handler {
    void (*run)(struct sky_conn *conn, const struct sky_mqtt_packet *packet);
    enum sky_point point; /* at which it enters */
} handlers[] = {
    [SKY_MQTT_CONNECT] = {on_connect, SKY_POINT_CONNECT},
    [SKY_MQTT_PUBLISH] = {sky_mqtt__on_publish, SKY_POINT_PUBLISH_UP},
    [SKY_MQTT_PUBACK] = {sky_mqtt__on_puback, SKY_POINT_PUBACK_UP},
    [SKY_MQTT_PUBREC] = {sky_mqtt__on_qos2_packet, SKY_POINT_PUBACK_UP},
    [SKY_MQTT_PUBREL] = {sky_mqtt__on_qos2_packet, SKY_POINT_PUBACK_UP},
    [SKY_MQTT_PUBCOMP] = {sky_mqtt__on_qos2_packet, SKY_POINT_PUBACK_UP},
    [SKY_MQTT_SUBSCRIBE] = {sky_mqtt__on_subscribe, SKY_POINT_SUBSCRIBE},
    [SKY_MQTT_UNSUBSCRIBE] = {sky_mqtt__on_unsubscribe, SKY_POINT_UNSUBSCRIBE},
    [SKY_MQTT_PINGREQ] = {sky_mqtt__on_pingreq, SKY_POINT_PINGREQ},
    [SKY_MQTT_DISCONNECT] = {sky_mqtt__on_disconnect, SKY_POINT_DISCONNECT},
};

enum sky_point sky_mqtt__point(enum sky_mqtt_type type)
{
    SKY_ASSERT((size_t)type < SKY_COUNT(handlers) && handlers[type].run != NULL);
    return handlers[type].point;
}

/* The first packet of each type: that it could be decoded tells which rules the device keeps. */
static void note_type(struct sky_conn *conn, unsigned type)
{
    struct sky_session *session = conn->state;
    struct sky_judge judge;
    if (session == NULL || session->packet_types >> type & 1)
        return;
    session->packet_types |= (uint16_t)(1 << type);
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    for (unsigned rule = 0; rule < SKY_MQTT_SPEC_RULES; rule++)
        if (sky_mqtt_rule_kept_by(rule, type))
            sky_judge_kept(&judge, sky_mqtt_rule(rule));
    if (type == SKY_MQTT_PUBLISH || type == SKY_MQTT_PUBACK)
        sky_judge_kept(&judge, sky_cloud_limit_rule(sky_mqtt__cloud(conn), SKY_LIMIT_PACKET_TYPE));
    sky_session_judged(session, &judge);
}

/* Nothing may follow DISCONNECT (3.14.4-2). */
static void judge_end(struct sky_conn *conn, size_t rest)
{
    struct sky_session *session = conn->state;
    struct sky_judge judge;
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    sky_judge_rule(&judge, sky_mqtt_rule(SKY_MQTT_RULE_AFTER_DISCONNECT), rest == 0,
                   "%zu bytes came behind DISCONNECT", rest);
    /* A device that leaves of its own accord was never closed for what it did not read. */
    sky_judge_kept(&judge, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL));
    sky_mqtt__record(conn, SKY_EVENT_DISCONNECT, SKY_UP, NULL, 0, &judge);
    sky_session_judged(session, &judge);
}

/* CONNECT comes first and once (3.1.0-1, 3.1.0-2); then every type has its handler. `bytes`
 * begins with the packet; more may lie behind it. */
void sky_mqtt__handle(struct sky_conn *conn, const struct sky_mqtt_packet *packet, sky_span bytes)
{
    bool logged_in = conn->state != NULL;
    if ((packet->type == SKY_MQTT_CONNECT) == logged_in) {
        char what[64];
        snprintf(what, sizeof what, "%s came where %s be CONNECT", sky_mqtt_type_name(packet->type),
                 logged_in ? "nothing more may" : "the first packet has to");
        sky_mqtt__malformed(
            conn,
            sky_mqtt_rule(logged_in ? SKY_MQTT_RULE_SECOND_CONNECT : SKY_MQTT_RULE_FIRST_PACKET),
            what, bytes);
        return;
    }
    SKY_ASSERT((size_t)packet->type < SKY_COUNT(handlers) && handlers[packet->type].run != NULL);
    handlers[packet->type].run(conn, packet);
    if (conn->waits)
        return;
    note_type(conn, packet->type);
    if (packet->type == SKY_MQTT_DISCONNECT && logged_in)
        judge_end(conn, bytes.len - packet->size);
}

/* ---- bytes ---- */

static bool is_application(const struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    return packet->type == SKY_MQTT_CONNECT && conn->state == NULL &&
           sky_mqtt__port(conn)->applications != NULL &&
           sky_applications_claim(&packet->as.connect);
}

static size_t on_bytes(struct sky_conn *conn, sky_span in)
{
    size_t used = 0;
    bool heard = false;
    while (used < in.len && !conn->closing && !conn->waits && !conn->late) {
        sky_span rest = sky_span_tail(in, used);
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        enum sky_mqtt_result result = sky_mqtt_decode(rest, SKY_MQTT_PACKET_MAX, &packet, &flaw);
        if (result == SKY_MQTT_MORE)
            break;
        if (result == SKY_MQTT_BAD) {
            char what[128];
            sky_mqtt_flaw_text(&flaw, what, sizeof what);
            sky_mqtt__malformed(conn, flaw.rule, what, rest);
            return in.len;
        }
        if (is_application(conn, &packet)) {
            conn->port = &sky_mqtt__port(conn)->applications->port;
            return used; /* with this packet first */
        }
        heard |= sky_mqtt__enter(conn, &packet, rest);
        if (conn->waits)
            break;
        used += packet.size;
    }
    if (conn->closing)
        return in.len;
    if (heard && conn->state != NULL)
        sky_mqtt__note_life(conn);
    return used;
}

/* The peer reads again: what waited for room goes out. */
static void on_drained(struct sky_conn *conn)
{
    struct sky_session *session = conn->state;
    if (session != NULL)
        sky_deliver_waiting(sky_mqtt__port(conn)->broker, session);
}

static void on_close(struct sky_conn *conn)
{
    stop_waiting(conn);
    if (conn->state != NULL)
        leave(conn);
    sky_wire_forget(sky_mqtt__port(conn)->broker->wire, conn);
    sky_conn_left(conn);
}

void sky_mqtt_port_init(struct sky_mqtt_port *port, struct sky_broker *broker)
{
    *port = (struct sky_mqtt_port){.port = {.on_bytes = on_bytes,
                                            .on_drained = on_drained,
                                            .on_cut = set_alarm,
                                            .on_close = on_close},
                                   .broker = broker};
}
