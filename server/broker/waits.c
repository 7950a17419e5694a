#include "server/broker/waits.h"

#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"

static void end(struct sky_command_wait *wait, bool answered, sky_span topic, sky_span payload)
{
    struct sky_broker *broker = wait->broker;
    sky_clock_forgive(broker->registry->clock, &wait->timer);
    DL_DELETE(broker->commands.waiting, wait);
    broker->commands.count--;
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
    sky_journal_add(wait->broker->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    end(wait, false, SKY_SPAN_NONE, SKY_SPAN_NONE);
}

void sky_command_cancel(struct sky_command_wait *wait)
{
    wait->done = NULL;
    end(wait, false, SKY_SPAN_NONE, SKY_SPAN_NONE);
}

struct sky_command_wait *sky_command_wait(struct sky_broker *broker, int64_t device_id, sky_span id,
                                          int64_t wait_ms, sky_command_done_fn *done, void *ctx)
{
    struct sky_command_wait *wait = sky_mem_new(sizeof *wait);
    wait->broker = broker;
    wait->device_id = device_id;
    wait->sent_ms = broker->registry->clock->real_ms;
    wait->done = done;
    wait->ctx = ctx;
    sky_span_copy(id, wait->id, sizeof wait->id);
    DL_APPEND(broker->commands.waiting, wait);
    broker->commands.count++;
    sky_clock_patience(broker->registry->clock, &wait->timer, wait_ms, on_patience_over);
    return wait;
}

void sky_commands_answered(struct sky_broker *broker, const struct sky_session *session,
                           sky_span id, sky_span topic, sky_span payload)
{
    struct sky_command_wait *wait, *next;
    DL_FOREACH_SAFE (broker->commands.waiting, wait, next) {
        if (wait->device_id == session->device_id && sky_span_eq_str(id, wait->id)) {
            end(wait, true, topic, payload);
            return;
        }
    }
}

void sky_commands_done(struct sky_broker *broker)
{
    struct sky_command_wait *wait, *next;
    DL_FOREACH_SAFE (broker->commands.waiting, wait, next)
        sky_command_cancel(wait);
}
