#include "server/broker/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/broker/apply.h"

/* ---- waiting ---- */

static void end(struct sky_command_wait *wait, bool answered, sky_span topic, sky_span payload)
{
    struct sky_app *app = wait->app;
    sky_timerq_cancel(&app->patience, &wait->timer);
    DL_DELETE(app->commands.waiting, wait);
    app->commands.count--;
    if (wait->done != NULL)
        wait->done(wait->ctx, wait, answered, topic, payload);
    free(wait);
}

static void on_patience_over(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_command_wait *wait = SKY_CONTAINER_OF(timer, struct sky_command_wait, timer);
    const struct sky_event_head head = {
        .type = SKY_EVENT_TIMEOUT, .direction = SKY_INSIDE, .device_id = wait->device_id};
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, sky_span_str(wait->id)),
                                     SKY_ATTR(REASON, SKY_SPAN("the command was not answered"))};
    (void)now_ms;
    sky_journal_add(wait->app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    end(wait, false, SKY_SPAN_NONE, SKY_SPAN_NONE);
}

void sky_command_cancel(struct sky_command_wait *wait)
{
    wait->done = NULL;
    end(wait, false, SKY_SPAN_NONE, SKY_SPAN_NONE);
}

static struct sky_command_wait *wait_for(struct sky_app *app, const struct sky_session *session,
                                         sky_span id, const struct sky_command_order *order)
{
    struct sky_command_wait *wait = sky_mem_new(sizeof *wait);
    wait->app = app;
    wait->device_id = session->device_id;
    wait->sent_ms = app->clock.real_ms;
    wait->done = order->done;
    wait->ctx = order->ctx;
    sky_span_copy(id, wait->id, sizeof wait->id);
    DL_APPEND(app->commands.waiting, wait);
    app->commands.count++;
    sky_app_patience(app, &wait->timer, order->wait_ms, on_patience_over);
    return wait;
}

/* ---- sending ---- */

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
                cloud->title, SKY_SPAN_ARGS(sky_span_head(kind, 40)), (int)known.len,
                known.bytes ? known.bytes : "none");
    sky_buf_done(&known);
    return SKY_ERR_NOT_FOUND;
}

/* Asks before anything is sent whether it would arrive, so that nobody waits for what cannot be
 * answered. Commands go to a device whether or not it subscribed, as SDKs expect; one that did gets
 * them with the quality of service it was granted. */
static sky_err check_way(struct sky_app *app, const struct sky_session *session,
                         struct sky_effect *effect, struct sky_why *why)
{
    uint8_t granted;
    if (!sky_broker_reaches(session, 1))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "the device is not connected and keeps no session to come back to");
    if (sky_broker_subscribes(app, session, effect->topic, &granted) && effect->qos > granted)
        effect->qos = granted;
    if (!sky_broker_reaches(session, effect->qos))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "the device is not connected, and this is sent with QoS 0: it would "
                           "not be kept");
    return SKY_OK;
}

/* The command as effects, and its correlation id among them. */
static sky_err build(struct sky_app *app, struct sky_session *session,
                     const struct sky_command_order *order, sky_span *ret_id, struct sky_why *why)
{
    const struct sky_cloud *cloud = session->product->cloud;
    const struct sky_command_row *row = find_row(cloud, order->kind);
    if (row == NULL)
        return no_such_kind(cloud, order->kind, why);
    if (app->commands.count >= SKY_COMMANDS_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "", "%d commands wait for answers already",
                           SKY_COMMANDS_MAX);
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)++app->commands.last_id);
    const struct sky_command_request request = {
        .name = order->name, .params = order->params, .id = sky_span_of(digits, (size_t)len)};
    struct sky_uplink to = sky_session_uplink(session);
    SKY_ASSERT(app->effects.count == 0);
    *ret_id = row->build(&to, &request, &app->effects);
    if (ret_id->len == 0)
        return sky_why_set(why, SKY_ERR_INVALID, "/name",
                           "no '%s' can be made of the name '%.*s' and %zu bytes of parameters",
                           row->kind, SKY_SPAN_ARGS(sky_span_head(order->name, 100)),
                           order->params.len);
    sky_err err = SKY_OK;
    for (size_t i = 0; i < app->effects.count && err == SKY_OK; i++) {
        if (app->effects.list[i].kind != SKY_EFFECT_PUSH)
            continue;
        app->effects.list[i].delay_ms = order->ttl_ms;
        err = check_way(app, session, &app->effects.list[i], why);
    }
    return err;
}

/* Does the device do what its cloud wants of it to get this? */
static bool is_listening(struct sky_app *app, const struct sky_session *session)
{
    uint8_t qos;
    for (size_t i = 0; i < app->effects.count; i++)
        if (app->effects.list[i].kind == SKY_EFFECT_PUSH &&
            !sky_broker_listens(app, session, app->effects.list[i].topic, &qos))
            return false;
    return true;
}

static uint64_t record(struct sky_app *app, const struct sky_session *session,
                       const struct sky_command_order *order, sky_span id)
{
    const struct sky_event_head head = {
        .type = SKY_EVENT_COMMAND, .direction = SKY_INSIDE, .device_id = session->device_id};
    const struct sky_attr attrs[] = {
        SKY_ATTR(SERVICE, order->kind), SKY_ATTR(NAME, id),
        SKY_ATTR(REASON, SKY_SPAN("sent all the same: the device does not subscribe to it"))};
    return sky_journal_add(app->journal, &head, attrs,
                           is_listening(app, session) ? SKY_COUNT(attrs) - 1 : SKY_COUNT(attrs),
                           NULL);
}

sky_err sky_command_send(struct sky_app *app, struct sky_session *session,
                         const struct sky_command_order *order, struct sky_command_sent *ret_sent,
                         struct sky_why *why)
{
    sky_span id = SKY_SPAN_NONE;
    sky_err err = build(app, session, order, &id, why);
    if (err != SKY_OK) {
        sky_effects_clear(&app->effects);
        return err;
    }
    bool fits = sky_span_copy(id, ret_sent->id, sizeof ret_sent->id);
    SKY_ASSERT(fits);
    ret_sent->seq = record(app, session, order, id);
    ret_sent->wait = order->wait_ms > 0 ? wait_for(app, session, id, order) : NULL;
    sky_apply(app, session, NULL, &app->effects, ret_sent->seq);
    return SKY_OK;
}

void sky_commands_answered(struct sky_app *app, const struct sky_session *session, sky_span id,
                           sky_span topic, sky_span payload)
{
    struct sky_command_wait *wait, *next;
    DL_FOREACH_SAFE (app->commands.waiting, wait, next) {
        if (wait->device_id == session->device_id && sky_span_eq_str(id, wait->id)) {
            end(wait, true, topic, payload);
            return;
        }
    }
}

void sky_commands_done(struct sky_app *app)
{
    struct sky_command_wait *wait, *next;
    DL_FOREACH_SAFE (app->commands.waiting, wait, next)
        sky_command_cancel(wait);
}
