#include "server/broker/commands.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/envelope.h"
#include "server/broker/delivery.h"
#include "server/broker/effects.h"
#include "server/broker/presence.h"
#include "server/registry/lookup.h"

static const struct sky_command_row *find_row(const struct sky_cloud *cloud, sky_span kind)
{
    for (size_t i = 0; i < cloud->command_count; i++)
        if (sky_span_eq_str(kind, cloud->commands[i].kind))
            return &cloud->commands[i];
    return NULL;
}

static sky_err no_such_kind(const struct sky_cloud *cloud, sky_span kind, struct sky_why *why)
{
    struct sky_buf known;
    sky_buf_init(&known, SKY_WHY_REASON_MAX / 2);
    for (size_t i = 0; i < cloud->command_count; i++)
        sky_buf_addf(&known, "%s%s", i > 0 ? ", " : "", cloud->commands[i].kind);
    sky_why_set(why, SKY_ERR_NOT_FOUND, "/kind", "%s has no command '%.*s'; it has: %.*s",
                cloud->title, SKY_SPAN_ARGS(sky_span_head(kind, 40)),
                SKY_SPAN_ARGS(known.len > 0 ? sky_buf_span(&known) : SKY_SPAN("none")));
    sky_buf_done(&known);
    return SKY_ERR_NOT_FOUND;
}

/* Asks before anything is sent whether it would arrive, so that nobody waits for what cannot be
 * answered. Commands go to a device whether or not it subscribed, as SDKs expect; one that did gets
 * them with the quality of service it was granted. */
static sky_err check_way(struct sky_broker *broker, struct sky_session *session,
                         struct sky_effect *effect, struct sky_why *why)
{
    uint8_t granted;
    if (effect->topic.len > SKY_MQTT_STRING_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, "/name",
                           "the topic would be %zu bytes long; %d are possible", effect->topic.len,
                           SKY_MQTT_STRING_MAX);
    if (!sky_mqtt_publish_fits(effect->topic, effect->payload, effect->qos))
        return sky_why_set(
            why, SKY_ERR_LIMIT, "/params",
            "%zu bytes of payload to a topic of %zu are more than the %d of a packet",
            effect->payload.len, effect->topic.len, SKY_MQTT_PACKET_MAX);
    if (!sky_delivery_reaches(session, 1))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "the device is not connected and keeps no session to come back to");
    if (sky_topic_subscribed(broker, sky_session_carrier(session), effect->topic, &granted) &&
        effect->qos > granted)
        effect->qos = granted;
    if (!sky_delivery_reaches(session, effect->qos))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "the device is not connected, and this is sent with QoS 0: it would "
                           "not be kept");
    struct sky_hindrance hindrance = sky_delivery_hindrance(
        broker, session, effect->topic, effect->payload, effect->qos, effect->delay_ms);
    char text[SKY_HINDRANCE_TEXT];
    return hindrance.err == SKY_OK
               ? SKY_OK
               : sky_why_set(why, hindrance.err, hindrance.err == SKY_ERR_LIMIT ? "/params" : "",
                             "the command is not sent: %s", sky_hindrance_text(&hindrance, text));
}

/* The cloud's row made nothing of it. */
static sky_err no_such_command(const struct sky_command_row *row,
                               const struct sky_command_order *order, struct sky_arena *arena,
                               struct sky_why *why)
{
    size_t params_max = row->params_max > 0 ? row->params_max : SKY_ENVELOPE_PARAMS_MAX;
    if (order->params.len > params_max)
        return sky_why_set(why, SKY_ERR_LIMIT, "/params",
                           "%zu bytes of parameters; a '%s' takes %zu", order->params.len,
                           row->kind, params_max);
    if (sky_envelope_params(arena, order->params).len == 0)
        return sky_why_set(why, SKY_ERR_INVALID, "/params",
                           "the parameters of a '%s' are JSON, at most %d levels deep", row->kind,
                           SKY_ENVELOPE_DEPTH_MAX);
    if (order->name.len == 0 && order->params.len > 0)
        return sky_why_set(why, SKY_ERR_INVALID, "/params",
                           "no '%s' can be made of these parameters", row->kind);
    return sky_why_set(why, SKY_ERR_INVALID, "/name", "no '%s' can have the name '%.*s'", row->kind,
                       SKY_SPAN_ARGS(sky_span_head(order->name, 100)));
}

/* ---- correlation ids ---- */

static bool is_used(const struct sky_session *session, uint32_t id)
{
    for (size_t i = 0; i < SKY_SESSION_IDS; i++)
        if (session->work->ids[i] == id)
            return true;
    return false;
}

/* The ids of a gateway are those of all behind it: SDKs tell messages apart by id alone. They start
 * somewhere else after each start of the server: devices remember. */
static uint32_t fresh_id(struct sky_broker *broker, const struct sky_session *session)
{
    struct sky_commands *commands = &broker->commands;
    if (commands->last_id == 0)
        commands->first_id = commands->last_id =
            SKY_COMMAND_ID_FIRST + (uint32_t)(broker->registry->clock->real_ms / 1000 % 1000000000);
    do {
        commands->last_id =
            commands->last_id < SKY_COMMAND_ID_LAST ? commands->last_id + 1 : SKY_COMMAND_ID_FIRST;
    } while (is_used(sky_session_carrier(session), commands->last_id));
    return commands->last_id;
}

sky_span sky_command_fresh_id(struct sky_broker *broker, const struct sky_session *session,
                              char out[SKY_COMMAND_DIGITS])
{
    int len = snprintf(out, SKY_COMMAND_DIGITS, "%u", (unsigned)fresh_id(broker, session));
    return sky_span_of(out, (size_t)len);
}

/* The message need not be JSON; what only looks like an id does no harm. */
void sky_command_ids_seen(struct sky_session *session, sky_span payload)
{
    static const char key[] = "\"id\"";
    for (;;) {
        const char *found =
            payload.len > 0 ? memmem(payload.ptr, payload.len, key, sizeof key - 1) : NULL;
        if (found == NULL)
            return;
        payload = sky_span_tail(payload, (size_t)(found - payload.ptr) + sizeof key - 1);
        sky_span rest = sky_span_trim(sky_span_head(payload, 32));
        if (!sky_span_starts(rest, SKY_SPAN(":")))
            continue;
        rest = sky_span_trim(sky_span_tail(rest, 1));
        if (sky_span_starts(rest, SKY_SPAN("\"")))
            rest = sky_span_tail(rest, 1);
        size_t digits = 0;
        int64_t id;
        while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
            digits++;
        if (sky_span_to_int(sky_span_head(rest, digits), &id) && id >= SKY_COMMAND_ID_FIRST &&
            id <= SKY_COMMAND_ID_LAST) {
            struct sky_session_work *work = sky_session_work(session);
            work->ids[work->next_id] = (uint32_t)id;
            work->next_id = (work->next_id + 1) % SKY_SESSION_IDS;
        }
    }
}

/* What a row reads besides its document; `link` is the room for what URLs begin with. */
static void look_up(struct sky_broker *broker, struct sky_session *session, unsigned reads,
                    struct sky_lookup *lookup, char link[SKY_LINK_SIZE], struct sky_facts *facts)
{
    if (reads & SKY_READS_DEVICE) {
        sky_lookup_session(broker->registry, session, SKY_READS_DEVICE, lookup);
        *facts = lookup->facts;
    }
    facts->now_ms = broker->registry->clock->now_ms;
    facts->config = session->product->config;
    facts->config_version = session->product->config_version;
    facts->model = session->product->model;
    if (reads & SKY_READS_LINK)
        facts->link = sky_session_link(broker, session, link);
}

/* The command as its cloud makes it, with the document that its row asks for. */
static sky_err make(struct sky_broker *broker, struct sky_session *session,
                    const struct sky_command_row *row, const struct sky_command_order *order,
                    struct sky_effects *effects, sky_span *ret_id, struct sky_why *why)
{
    char digits[SKY_COMMAND_DIGITS], link[SKY_LINK_SIZE];
    struct sky_lookup lookup;
    struct sky_facts facts = {.now_ms = 0};
    struct sky_why said = {.reason = ""};
    const struct sky_command_request request = {.name = order->name,
                                                .params = order->params,
                                                .id = sky_command_fresh_id(broker, session, digits),
                                                .facts = &facts,
                                                .why = &said};
    struct sky_uplink to = sky_session_uplink(session);
    struct sky_buf document;
    look_up(broker, session, row->reads, &lookup, link, &facts);
    sky_buf_init(&document, SKY_DOCUMENT_MAX);
    sky_err err = SKY_ERR_NOT_FOUND;
    if (row->document != NULL)
        err =
            sky_store_get_document(broker->registry->store, session->device_id,
                                   sky_span_str(row->document), &document, &facts.document_version);
    facts.document = sky_buf_span(&document);
    if (err != SKY_OK && err != SKY_ERR_NOT_FOUND)
        err = sky_why_set(why, err, "", "the document '%s' cannot be read", row->document);
    else if (row->params_max > 0 && order->params.len > row->params_max)
        err = no_such_command(row, order, &effects->arena, why);
    else if ((*ret_id = row->build(&to, &request, effects)).len == 0)
        err = said.reason[0] != '\0'
                  ? sky_why_set(why, SKY_ERR_INVALID, said.pointer, "%s", said.reason)
                  : no_such_command(row, order, &effects->arena, why);
    else
        err = SKY_OK;
    sky_buf_done(&document);
    return err;
}

/* The document keeps what the device does not get now. */
static void take_out_pushes(struct sky_effects *effects)
{
    size_t kept = 0;
    for (size_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind != SKY_EFFECT_PUSH)
            effects->list[kept++] = effects->list[i];
    effects->count = kept;
}

static bool is_heard(struct sky_broker *broker, const struct sky_session *session,
                     const struct sky_effect *effect)
{
    uint8_t qos;
    return sky_delivery_listened(broker, session, effect->topic, &qos);
}

/* A cloud may say the same on several topics: it goes to those that the device listens to, or, if
 * to none, to the first. */
static void choose_topics(struct sky_broker *broker, const struct sky_session *session,
                          struct sky_effects *effects)
{
    size_t kept = 0, pushes = 0, heard = 0;
    for (size_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind == SKY_EFFECT_PUSH)
            heard += is_heard(broker, session, &effects->list[i]);
    for (size_t i = 0; i < effects->count; i++) {
        const struct sky_effect *effect = &effects->list[i];
        bool goes = effect->kind != SKY_EFFECT_PUSH ||
                    (heard > 0 ? is_heard(broker, session, effect) : pushes == 0);
        pushes += effect->kind == SKY_EFFECT_PUSH;
        if (goes)
            effects->list[kept++] = *effect;
    }
    effects->count = kept;
}

/* The command as effects, and its correlation id among them. */
static sky_err build(struct sky_broker *broker, struct sky_session *session,
                     const struct sky_command_row *row, const struct sky_command_order *order,
                     struct sky_effects *effects, sky_span *ret_id, struct sky_why *why)
{
    if (broker->commands.count >= SKY_COMMANDS_MAX)
        return sky_why_set(why, SKY_ERR_BUSY, "", "%d commands wait for answers already",
                           SKY_COMMANDS_MAX);
    sky_err err = make(broker, session, row, order, effects, ret_id, why);
    choose_topics(broker, session, effects);
    for (size_t i = 0; i < effects->count && err == SKY_OK; i++) {
        if (effects->list[i].kind != SKY_EFFECT_PUSH)
            continue;
        effects->list[i].delay_ms = order->ttl_ms;
        err = check_way(broker, session, &effects->list[i], why);
    }
    if (err == SKY_ERR_CONFLICT && row->traits & SKY_COMMAND_KEPT) {
        take_out_pushes(effects);
        err = SKY_OK;
    }
    return err;
}

/* Does the device do what its cloud wants of it to get this? */
static bool is_listening(struct sky_broker *broker, const struct sky_session *session,
                         const struct sky_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind == SKY_EFFECT_PUSH &&
            !is_heard(broker, session, &effects->list[i]))
            return false;
    return true;
}

/* Where the command goes. */
static sky_span topic_of(const struct sky_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind == SKY_EFFECT_PUSH)
            return effects->list[i].topic;
    return SKY_SPAN_NONE;
}

static uint64_t record(struct sky_broker *broker, const struct sky_session *session,
                       const struct sky_command_order *order, sky_span id,
                       const struct sky_effects *effects)
{
    const struct sky_event_head head = {
        .type = SKY_EVENT_COMMAND, .direction = SKY_INSIDE, .device_id = session->device_id};
    bool sent = topic_of(effects).len > 0;
    const struct sky_attr attrs[] = {
        SKY_ATTR(SERVICE, order->kind), SKY_ATTR(NAME, id),
        SKY_ATTR(REASON, sent ? SKY_SPAN("sent all the same: the device does not subscribe to it")
                              : SKY_SPAN("kept until the device asks: it is not reached now"))};
    bool plain = sent && is_listening(broker, session, effects);
    return sky_journal_add(broker->registry->journal, &head, attrs,
                           plain ? SKY_COUNT(attrs) - 1 : SKY_COUNT(attrs), NULL);
}

sky_err sky_command_send(struct sky_broker *broker, struct sky_session *session,
                         const struct sky_command_order *order, struct sky_command_sent *ret_sent,
                         struct sky_why *why)
{
    const struct sky_cloud *cloud = session->product->cloud;
    const struct sky_command_row *row = find_row(cloud, order->kind);
    if (row == NULL)
        return no_such_kind(cloud, order->kind, why);
    sky_span id = SKY_SPAN_NONE;
    struct sky_effects effects;
    sky_effects_init(&effects);
    sky_err err = build(broker, session, row, order, &effects, &id, why);
    if (err != SKY_OK)
        goto out;
    bool fits = sky_span_copy(id, ret_sent->id, sizeof ret_sent->id);
    SKY_ASSERT(fits);
    ret_sent->seq = record(broker, session, order, id, &effects);
    bool waits =
        order->wait_ms > 0 && !(row->traits & SKY_COMMAND_SILENT) && topic_of(&effects).len > 0;
    ret_sent->wait = waits ? sky_command_wait(broker, session->device_id, id, topic_of(&effects),
                                              order->wait_ms, order->done, order->ctx)
                           : NULL;
    sky_apply(broker, session, NULL, &effects, ret_sent->seq);
out:
    sky_effects_done(&effects);
    return err;
}
