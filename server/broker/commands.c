#include "server/broker/commands.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/broker/delivery.h"
#include "server/broker/effects.h"
#include "server/broker/presence.h"

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
static sky_err check_way(struct sky_broker *broker, const struct sky_session *session,
                         struct sky_effect *effect, struct sky_why *why)
{
    uint8_t granted;
    if (!sky_delivery_reaches(session, 1))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "the device is not connected and keeps no session to come back to");
    if (sky_topic_subscribed(broker, session, effect->topic, &granted) && effect->qos > granted)
        effect->qos = granted;
    if (!sky_delivery_reaches(session, effect->qos))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "the device is not connected, and this is sent with QoS 0: it would "
                           "not be kept");
    return SKY_OK;
}

/* The command as effects, and its correlation id among them. */
static sky_err build(struct sky_broker *broker, struct sky_session *session,
                     const struct sky_command_order *order, struct sky_effects *effects,
                     sky_span *ret_id, struct sky_why *why)
{
    const struct sky_cloud *cloud = session->product->cloud;
    const struct sky_command_row *row = find_row(cloud, order->kind);
    if (row == NULL)
        return no_such_kind(cloud, order->kind, why);
    if (broker->commands.count >= SKY_COMMANDS_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "", "%d commands wait for answers already",
                           SKY_COMMANDS_MAX);
    char digits[24];
    int len =
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)++broker->commands.last_id);
    const struct sky_command_request request = {
        .name = order->name, .params = order->params, .id = sky_span_of(digits, (size_t)len)};
    struct sky_uplink to = sky_session_uplink(session);
    *ret_id = row->build(&to, &request, effects);
    if (ret_id->len == 0)
        return sky_why_set(why, SKY_ERR_INVALID, "/name",
                           "no '%s' can be made of the name '%.*s' and %zu bytes of parameters",
                           row->kind, SKY_SPAN_ARGS(sky_span_head(order->name, 100)),
                           order->params.len);
    sky_err err = SKY_OK;
    for (size_t i = 0; i < effects->count && err == SKY_OK; i++) {
        if (effects->list[i].kind != SKY_EFFECT_PUSH)
            continue;
        effects->list[i].delay_ms = order->ttl_ms;
        err = check_way(broker, session, &effects->list[i], why);
    }
    return err;
}

/* Does the device do what its cloud wants of it to get this? */
static bool is_listening(struct sky_broker *broker, const struct sky_session *session,
                         const struct sky_effects *effects)
{
    uint8_t qos;
    for (size_t i = 0; i < effects->count; i++)
        if (effects->list[i].kind == SKY_EFFECT_PUSH &&
            !sky_delivery_listened(broker, session, effects->list[i].topic, &qos))
            return false;
    return true;
}

static uint64_t record(struct sky_broker *broker, const struct sky_session *session,
                       const struct sky_command_order *order, sky_span id,
                       const struct sky_effects *effects)
{
    const struct sky_event_head head = {
        .type = SKY_EVENT_COMMAND, .direction = SKY_INSIDE, .device_id = session->device_id};
    const struct sky_attr attrs[] = {
        SKY_ATTR(SERVICE, order->kind), SKY_ATTR(NAME, id),
        SKY_ATTR(REASON, SKY_SPAN("sent all the same: the device does not subscribe to it"))};
    return sky_journal_add(
        broker->registry->journal, &head, attrs,
        is_listening(broker, session, effects) ? SKY_COUNT(attrs) - 1 : SKY_COUNT(attrs), NULL);
}

sky_err sky_command_send(struct sky_broker *broker, struct sky_session *session,
                         const struct sky_command_order *order, struct sky_command_sent *ret_sent,
                         struct sky_why *why)
{
    sky_span id = SKY_SPAN_NONE;
    struct sky_effects effects;
    sky_effects_init(&effects);
    sky_err err = build(broker, session, order, &effects, &id, why);
    if (err != SKY_OK)
        goto out;
    bool fits = sky_span_copy(id, ret_sent->id, sizeof ret_sent->id);
    SKY_ASSERT(fits);
    ret_sent->seq = record(broker, session, order, id, &effects);
    ret_sent->wait = order->wait_ms > 0 ? sky_command_wait(broker, session->device_id, id,
                                                           order->wait_ms, order->done, order->ctx)
                                        : NULL;
    sky_apply(broker, session, NULL, &effects, ret_sent->seq);
out:
    sky_effects_done(&effects);
    return err;
}
