/* A message on its way in and its answer's out: what it asks for, its cloud decides. */
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/coap/rules.h"
#include "protocol/mqtt/topic.h"
#include "server/broker/publish.h"
#include "server/port/coap_private.h"
#include "server/registry/lookup.h"

/* ---- the journal ---- */

static const char *method_name(uint8_t code)
{
    static const char *const names[] = {"empty", "GET", "POST", "PUT", "DELETE"};
    return code < SKY_COUNT(names) ? names[code] : "unknown";
}

static uint64_t record_request(const struct sky_coap_channel *channel,
                               const struct sky_coap_request *request, unsigned saw,
                               const struct sky_judge *judge)
{
    const struct sky_coap_message *m = &request->message;
    struct sky_attr attrs[8] = {
        SKY_ATTR(METHOD, sky_span_str(method_name(m->code))),
        SKY_ATTR(PATH, sky_span_str(m->path)),
        SKY_ATTR(NAME, sky_span_str(sky_coap_type_name(m->type))),
        SKY_ATTR_INT(MESSAGE_ID, m->id),
        SKY_ATTR_INT(PAYLOAD_LEN, (int64_t)m->payload.len),
    };
    size_t count = 5;
    if (saw & SKY_COAP_SAW_DUPLICATE)
        attrs[count++] = SKY_ATTR_INT(DUP, 1);
    if (m->block1.present)
        attrs[count++] = SKY_ATTR_INT(COUNT, (int64_t)m->block1.number);
    return sky_coap__record(channel, SKY_EVENT_COAP_REQUEST, SKY_UP, attrs, count, judge);
}

static void send_datagram(void *owner, sky_span datagram)
{
    const struct sky_coap_channel *channel = owner;
    if (datagram.len == 0)
        return;
    sky_coap__tap(channel, false, datagram);
    (void)sky_dtls_send(channel->peer, datagram);
}

static void know(void *owner, struct sky_who *ret_who)
{
    const struct sky_coap_channel *channel = owner;
    sky_address_text((const struct sockaddr *)sky_dtls_peer_address(channel->peer), ret_who->room,
                     sizeof ret_who->room);
    ret_who->listener = sky_span_str(channel->door.listener->name);
    ret_who->peer = sky_span_str(ret_who->room);
    ret_who->server_name = channel->door.server_name;
    ret_who->identity = sky_span_str(channel->psk.identity);
}

static void end(void *owner, const struct sky_fate *fate)
{
    const struct sky_coap_channel *channel = owner;
    sky_coap__end_peer(channel->peer, fate);
}

static const struct sky_channel_kind channel_kind = {
    .send = send_datagram, .know = know, .end = end};

struct sky_carrier sky_coap__carrier(struct sky_coap_channel *channel)
{
    return (struct sky_carrier){.channel = channel, .kind = &channel_kind};
}

static struct sky_out out_of(struct sky_coap_channel *channel)
{
    return (struct sky_out){.point = SKY_POINT_COAP_ANSWER,
                            .head = {.transport = SKY_DTLS,
                                     .connection = channel->id,
                                     .device_id = channel->psk.device_id},
                            .to = sky_coap__carrier(channel)};
}

/* ---- judging the message as such ---- */

static void judge_message(struct sky_judge *judge, unsigned saw, const struct sky_coap_message *m)
{
    sky_judge_rule(judge, sky_coap_rule(SKY_COAP_RULE_FORMAT), !(saw & SKY_COAP_SAW_MALFORMED),
                   "the message is malformed");
    if (saw & SKY_COAP_SAW_MALFORMED)
        return;
    sky_judge_rule(judge, sky_coap_rule(SKY_COAP_RULE_OPTION), !(saw & SKY_COAP_SAW_OPTION),
                   "option %u cannot be honoured", m->refused_option);
    if (!m->block1.present && !m->block2.present)
        return;
    sky_judge_rule(judge, sky_coap_rule(SKY_COAP_RULE_BLOCKS), !(saw & SKY_COAP_SAW_GAP),
                   "block %u does not follow the one before, or is not full",
                   m->block1.present ? m->block1.number : m->block2.number);
    sky_judge_rule(judge, sky_coap_rule(SKY_COAP_RULE_BODY_SIZE), !(saw & SKY_COAP_SAW_TOO_LARGE),
                   "the body is longer than %d bytes", SKY_COAP_BODY_MAX);
}

static void begin_judgement(const struct sky_coap_channel *channel, unsigned saw,
                            struct sky_judge *judge)
{
    const struct sky_session *session = channel->device->session;
    sky_judge_init(judge, sky_product_policy(channel->port->registry, session->product));
    judge_message(judge, saw, &channel->port->request.message);
}

/* A message that the exchange has dealt with by itself: a duplicate, a block, a broken one. */
static void note_message(struct sky_coap_channel *channel, unsigned saw, sky_span clear)
{
    struct sky_judge judge;
    begin_judgement(channel, saw, &judge);
    sky_session_judged(channel->device->session, &judge);
    if (saw & SKY_COAP_SAW_PING) {
        sky_coap__record(channel, SKY_EVENT_PING, SKY_UP, NULL, 0, NULL);
    } else if (saw & SKY_COAP_SAW_MALFORMED) {
        const struct sky_attr attr =
            SKY_ATTR(BYTES_HEX, sky_span_head(clear, SKY_CONN_BYTES_SHOWN));
        sky_coap__record(channel, SKY_EVENT_MALFORMED, SKY_UP, &attr, 1, &judge);
    } else if (channel->port->out.len > 0 || saw != 0) {
        record_request(channel, &channel->port->request, saw, &judge);
    }
}

/* ---- carrying out what the cloud decides ---- */

/* The decision, with its views copied: effects take their arena along. */
struct decided {
    struct sky_coap_decision what;
    char topic[SKY_COAP_PATH_MAX + 1];
};

static void keep(struct sky_coap_port *port, struct decided *decided)
{
    port->served = false;
    sky_buf_clear(&port->body);
    sky_buf_add(&port->body, decided->what.payload);
    if (!sky_span_copy(decided->what.topic, decided->topic, sizeof decided->topic))
        decided->topic[0] = '\0';
    decided->what.topic = sky_span_str(decided->topic);
}

/* The first reply counts: services have one. */
static void take_reply(void *ctx, const struct sky_effect *reply)
{
    struct sky_coap_port *port = ctx;
    if (port->body.len > 0 || port->reply_code != 0)
        return;
    port->reply_code = reply->coap_code;
    if (reply->coap_code == 0)
        sky_buf_add(&port->body, reply->payload);
}

static uint8_t publish(struct sky_coap_channel *channel, const struct decided *decided)
{
    struct sky_coap_port *port = channel->port;
    const struct sky_coap_decision *what = &decided->what;
    const struct sky_reply_sink replies = {take_reply, port};
    const struct sky_act act = {.session = channel->device->session,
                                .topic = what->topic,
                                .payload = port->request.body,
                                .transport = SKY_DTLS,
                                .connection = channel->id,
                                .qos = port->request.message.type == SKY_COAP_CON ? 1 : 0,
                                .replies = &replies};
    if (!sky_topic_valid_name(what->topic))
        return SKY_COAP_NOT_FOUND;
    port->reply_code = 0;
    struct sky_act_result result = sky_publish(port->broker, &act);
    port->served = result.served;
    if (result.judged_bad && result.right == SKY_RIGHT_NONE)
        return SKY_COAP_NOT_FOUND;
    if (result.judged_bad && result.right != SKY_RIGHT_GRANTED)
        return what->refused_code;
    if (port->reply_code != 0)
        return port->reply_code;
    return result.judged_bad && port->body.len == 0 ? SKY_COAP_BAD_REQUEST : what->code;
}

/* The command whose turn it is, if that is what the device asks for. */
static uint8_t fetch(struct sky_coap_channel *channel, const struct decided *decided)
{
    struct sky_coap_device *device = channel->device;
    const struct sky_pull_item *item = sky_pull_first(&device->pull);
    if (item == NULL || !sky_span_eq(item->topic, decided->what.topic))
        return decided->what.refused_code;
    const struct sky_attr attrs[] = {SKY_ATTR_INT(OF, (int64_t)item->of),
                                     SKY_ATTR(TOPIC, item->topic),
                                     SKY_ATTR(PAYLOAD, item->payload)};
    sky_coap__record(channel, SKY_EVENT_PUBLISH, SKY_DOWN, attrs, SKY_COUNT(attrs), NULL);
    const struct sky_behaviour_message message = {
        .way = SKY_WAY_DOWN, .topic = item->topic, .len = item->payload.len};
    sky_session_carried(channel->port->registry, device->session, &message);
    sky_buf_add(&channel->port->body, item->payload);
    sky_pull_drop_first(&device->pull);
    sky_coap__watch_waiting(device);
    return decided->what.code;
}

static uint8_t carry_out(struct sky_coap_channel *channel, const struct decided *decided)
{
    switch (decided->what.act) {
    case SKY_COAP_PUBLISH:
        return publish(channel, decided);
    case SKY_COAP_FETCH:
        return fetch(channel, decided);
    case SKY_COAP_ANSWER:
    case SKY_COAP_REPEAT:
        break;
    }
    return decided->what.code;
}

/* ---- answering ---- */

static bool is_error(uint8_t code)
{
    return code >> 5 > 2;
}

/* Tells the device what waits for it, in an option of the answer. */
static void announce_waiting(const struct sky_coap_device *device, char *path, size_t path_size,
                             struct sky_coap_response *response)
{
    const struct sky_cloud_coap *coap = device->session->product->cloud->coap;
    const struct sky_pull_item *item = sky_pull_first(&device->pull);
    if (item == NULL || coap == NULL || coap->waiting_option == 0 ||
        !coap->waiting_path(item->topic, path, path_size))
        return;
    response->extra = coap->waiting_option;
    response->extra_value = sky_span_str(path);
}

static void answer(struct sky_coap_channel *channel, const struct decided *decided, uint8_t code,
                   uint64_t of)
{
    struct sky_coap_port *port = channel->port;
    char path[SKY_COAP_PATH_MAX + 1];
    struct sky_out out = out_of(channel);
    struct sky_coap_response *response = &out.as.coap.response;
    response->code = code;
    if (decided->what.act == SKY_COAP_REPEAT) {
        sky_coap_repeat(&channel->coap, &port->request, port->registry->clock->real_ms, &port->out);
        return;
    }
    if (port->body.overflow) {
        const struct sky_attr attrs[] = {
            SKY_ATTR(NAME, SKY_SPAN("answer-too-long")), SKY_ATTR_INT(OF, (int64_t)of),
            SKY_ATTR(REASON, SKY_SPAN("blocks carry 64 KB of an answer at most"))};
        sky_coap__record(channel, SKY_EVENT_NOTE, SKY_INSIDE, attrs, SKY_COUNT(attrs), NULL);
        response->code = SKY_COAP_INTERNAL;
    }
    if (!is_error(response->code))
        response->body = sky_buf_span(&port->body);
    if (decided->what.act != SKY_COAP_ANSWER)
        announce_waiting(channel->device, path, sizeof path, response);
    out.of = of;
    out.is_reply = port->served;
    out.as.coap.peer = &channel->coap;
    out.as.coap.request = &port->request;
    sky_wire_send(port->broker->wire, &out);
}

static void decide(struct sky_coap_channel *channel, unsigned saw, struct sky_judge *judge,
                   struct sky_effects *effects, struct decided *ret_decided)
{
    struct sky_registry *registry = channel->port->registry;
    const struct sky_session *session = channel->device->session;
    const struct sky_cloud *cloud = session->product->cloud;
    struct sky_lookup lookup;
    const struct sky_coap_call call = {.request = &channel->port->request,
                                       .saw = saw,
                                       .identity = sky_span_str(channel->psk.identity),
                                       .product = sky_span_str(session->product->product.key),
                                       .device = sky_span_str(sky_session_key(session)),
                                       .profile = registry->catalogue.profile};
    bool known = call.request->message.code <= SKY_COAP_DELETE; /* RFC 7252 §5.8 */
    ret_decided->what = (struct sky_coap_decision){.code = known ? SKY_COAP_NOT_FOUND
                                                                 : SKY_COAP_METHOD_NOT_ALLOWED};
    if (cloud->coap != NULL && known) {
        sky_lookup_session(registry, session, SKY_READS_DEVICE | SKY_READS_FRESH, &lookup);
        cloud->coap->decide(&call, &lookup.facts, judge, effects, &ret_decided->what);
    }
    keep(channel->port, ret_decided);
}

static void serve_request(struct sky_coap_channel *channel, unsigned saw)
{
    struct sky_coap_port *port = channel->port;
    struct sky_session *session = channel->device->session;
    const struct sky_cloud_coap *coap = session->product->cloud->coap;
    struct sky_judge judge;
    struct decided decided;
    struct sky_effects effects;
    sky_effects_init(&effects);
    begin_judgement(channel, saw, &judge);
    if (coap != NULL && coap->lifetime_rule != NULL)
        sky_judge_kept(&judge, coap->lifetime_rule);
    decide(channel, saw, &judge, &effects, &decided);
    uint64_t seq = record_request(channel, &channel->port->request, saw, &judge);
    sky_session_judged(session, &judge);
    sky_apply(port->broker, session, NULL, &effects, seq);
    sky_effects_done(&effects);
    uint8_t code = carry_out(channel, &decided);
    answer(channel, &decided, code, seq);
}

static void serve(void *owner, sky_span clear)
{
    struct sky_coap_channel *channel = owner;
    struct sky_coap_port *port = channel->port;
    unsigned saw = 0;
    if (channel->device == NULL)
        return;
    sky_buf_clear(&port->out);
    enum sky_coap_step step = sky_coap_receive(
        &channel->coap, clear, port->registry->clock->real_ms, &port->request, &saw, &port->out);
    sky_coap__heard(channel);
    if (step == SKY_COAP_STEP_REQUEST)
        serve_request(channel, saw);
    else
        note_message(channel, saw, clear);
    if (port->out.len == 0)
        return;
    struct sky_out out = out_of(channel);
    out.is_raw = true;
    out.as.raw = sky_buf_span(&port->out);
    sky_wire_send(port->broker->wire, &out);
}

void sky_coap__serve(struct sky_coap_channel *channel, sky_span clear)
{
    struct sky_wire *wire = channel->port->broker->wire;
    if (sky_wire_is_armed(wire, SKY_POINT_COAP_REQUEST)) {
        struct sky_coap_request request = {0};
        const struct sky_in in = {
            .point = SKY_POINT_COAP_REQUEST,
            .head = {.transport = SKY_DTLS,
                     .connection = channel->id,
                     .device_id = channel->psk.device_id},
            .bytes = clear,
            .request = sky_coap_parse(clear, &request.message) == SKY_COAP_PARSED ? &request : NULL,
            .from = sky_coap__carrier(channel),
            .again = serve};
        if (!sky_wire_enter(wire, &in))
            return;
    }
    serve(channel, clear);
}
