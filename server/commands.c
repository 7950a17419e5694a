#include "server/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/apply.h"

static void end(struct sky_command_wait *command, bool answered, sky_span topic, sky_span payload)
{
    struct sky_app *app = command->app;
    sky_timerq_cancel(&app->patience, &command->timer);
    DL_DELETE(app->commands.waiting, command);
    app->commands.count--;
    if (command->done != NULL)
        command->done(command->ctx, answered, topic, payload);
    free(command);
}

static void on_patience_over(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    end(SKY_CONTAINER_OF(timer, struct sky_command_wait, timer), false, SKY_SPAN_NONE,
        SKY_SPAN_NONE);
}

void sky_command_cancel(struct sky_command_wait *command)
{
    command->done = NULL;
    end(command, false, SKY_SPAN_NONE, SKY_SPAN_NONE);
}

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

static struct sky_command_wait *wait_for(struct sky_app *app, const struct sky_session *session,
                                         sky_span id, int64_t wait_ms, sky_command_done_fn *done,
                                         void *ctx)
{
    struct sky_command_wait *command = sky_mem_new(sizeof *command);
    command->app = app;
    command->device_id = session->device_id;
    sky_span_copy(id, command->id, sizeof command->id);
    command->done = done;
    command->ctx = ctx;
    DL_APPEND(app->commands.waiting, command);
    app->commands.count++;
    sky_app_patience(app, &command->timer, wait_ms, on_patience_over);
    return command;
}

sky_err sky_command_send(struct sky_app *app, struct sky_session *session, sky_span kind,
                         sky_span name, sky_span params, int64_t wait_ms, sky_command_done_fn *done,
                         void *ctx, struct sky_command_wait **ret_command, struct sky_why *why)
{
    const struct sky_cloud *cloud = session->product->cloud;
    const struct sky_command_row *row = find_row(cloud, kind);
    if (row == NULL)
        return no_such_kind(cloud, kind, why);
    if (app->commands.count >= SKY_COMMANDS_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "", "%d commands wait for answers already",
                           SKY_COMMANDS_MAX);
    char id_text[24];
    int id_len =
        snprintf(id_text, sizeof id_text, "%llu", (unsigned long long)++app->commands.last_id);
    const struct sky_command_request request = {
        .name = name, .params = params, .id = sky_span_of(id_text, (size_t)id_len)};
    struct sky_uplink to = sky_session_uplink(session);
    sky_span id = row->build(&to, &request, &app->effects);
    *ret_command = wait_ms > 0 ? wait_for(app, session, id, wait_ms, done, ctx) : NULL;
    sky_apply(app, session, NULL, &app->effects, 0);
    return SKY_OK;
}

void sky_commands_answered(struct sky_app *app, const struct sky_session *session, sky_span id,
                           sky_span topic, sky_span payload)
{
    struct sky_command_wait *command, *next;
    DL_FOREACH_SAFE (app->commands.waiting, command, next) {
        if (command->device_id == session->device_id && sky_span_eq_str(id, command->id)) {
            end(command, true, topic, payload);
            return;
        }
    }
}

void sky_commands_done(struct sky_app *app)
{
    struct sky_command_wait *command, *next;
    DL_FOREACH_SAFE (app->commands.waiting, command, next)
        sky_command_cancel(command);
}
