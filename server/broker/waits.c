#include "server/broker/waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"

static void end(struct sky_command_wait *wait, const struct sky_command_answer *answer)
{
    struct sky_broker *broker = wait->broker;
    sky_clock_forgive(broker->registry->clock, &wait->timer);
    DL_DELETE(broker->commands.waiting, wait);
    broker->commands.count--;
    if (wait->done != NULL)
        wait->done(wait->ctx, wait, answer);
    free(wait->topic);
    free(wait);
}

static void on_patience_over(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_command_wait *wait = SKY_CONTAINER_OF(timer, struct sky_command_wait, timer);
    const struct sky_event_head head = {
        .type = SKY_EVENT_TIMEOUT, .direction = SKY_INSIDE, .device_id = wait->device_id};
    char stray[SKY_COMMAND_STRAY_SIZE];
    sky_command_tell_stray(wait, stray);
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, sky_span_str(wait->id)),
                                     SKY_ATTR(REASON, SKY_SPAN("the command was not answered")),
                                     SKY_ATTR(DETAIL, sky_span_str(stray))};
    (void)now_ms;
    sky_journal_add(wait->broker->registry->journal, &head, attrs,
                    stray[0] != '\0' ? SKY_COUNT(attrs) : SKY_COUNT(attrs) - 1, NULL);
    end(wait, NULL);
}

void sky_command_cancel(struct sky_command_wait *wait)
{
    wait->done = NULL;
    end(wait, NULL);
}

struct sky_command_wait *sky_command_wait(struct sky_broker *broker, int64_t device_id, sky_span id,
                                          sky_span topic, int64_t wait_ms,
                                          sky_command_done_fn *done, void *ctx)
{
    struct sky_command_wait *wait = sky_mem_new(sizeof *wait);
    wait->broker = broker;
    wait->device_id = device_id;
    wait->sent_ms = broker->registry->clock->real_ms;
    wait->done = done;
    wait->ctx = ctx;
    sky_span_copy(id, wait->id, sizeof wait->id);
    wait->topic = sky_mem_dup(topic.ptr, topic.len);
    DL_APPEND(broker->commands.waiting, wait);
    broker->commands.count++;
    sky_clock_patience(broker->registry->clock, &wait->timer, wait_ms, on_patience_over);
    return wait;
}

/* Was it the id of a command of this server, whether or not one waits for the answer? */
static bool is_ours(const struct sky_broker *broker, sky_span id)
{
    int64_t number;
    return sky_span_to_int(id, &number) && number >= broker->commands.first_id &&
           number <= broker->commands.last_id;
}

struct sky_command_wait *sky_command_asked(const struct sky_broker *broker,
                                           const struct sky_session *session, sky_span id,
                                           sky_span answers)
{
    struct sky_command_wait *wait, *only = NULL;
    size_t count = 0;
    DL_FOREACH (broker->commands.waiting, wait) {
        if (wait->device_id != session->device_id)
            continue;
        if (sky_span_eq_str(id, wait->id))
            return wait;
        if (sky_topic_matches(answers, sky_span_str(wait->topic))) {
            only = wait;
            count++;
        }
    }
    return count == 1 && !is_ours(broker, id) ? only : NULL;
}

struct sky_command_wait *sky_command_next(const struct sky_broker *broker,
                                          const struct sky_session *session, sky_span answers)
{
    struct sky_command_wait *wait;
    DL_FOREACH (broker->commands.waiting, wait)
        if (wait->device_id == session->device_id &&
            sky_topic_matches(answers, sky_span_str(wait->topic)))
            return wait;
    return NULL;
}

void sky_command_answered(struct sky_command_wait *wait, const struct sky_command_answer *answer)
{
    end(wait, answer);
}

void sky_command_stray(struct sky_broker *broker, const struct sky_session *session,
                       const struct sky_command_answer *answer)
{
    struct sky_command_wait *wait;
    DL_FOREACH (broker->commands.waiting, wait) {
        if (wait->device_id != session->device_id)
            continue;
        sky_span_copy(sky_span_head(answer->topic, SKY_COMMAND_SHOWN_MAX), wait->stray.topic,
                      sizeof wait->stray.topic);
        sky_span_copy(sky_span_head(answer->id, SKY_COMMAND_ID_MAX), wait->stray.id,
                      sizeof wait->stray.id);
        wait->stray.at_ms = broker->registry->clock->real_ms;
        wait->stray.count++;
    }
}

void sky_command_tell_stray(const struct sky_command_wait *wait, char out[SKY_COMMAND_STRAY_SIZE])
{
    out[0] = '\0';
    if (wait->stray.count == 0)
        return;
    char before[64] = "";
    if (wait->stray.count > 1)
        snprintf(before, sizeof before, ", the last of %zu", wait->stray.count);
    snprintf(out, SKY_COMMAND_STRAY_SIZE,
             "an answer with %s%s came on %s after %lld ms%s, and is taken for none",
             wait->stray.id[0] != '\0' ? "the id " : "no id", wait->stray.id, wait->stray.topic,
             (long long)(wait->stray.at_ms - wait->sent_ms), before);
}

void sky_commands_end(struct sky_broker *broker, int64_t device_id)
{
    struct sky_command_wait *wait, *next;
    DL_FOREACH_SAFE (broker->commands.waiting, wait, next)
        if (wait->device_id == device_id)
            end(wait, NULL);
}

void sky_commands_done(struct sky_broker *broker)
{
    struct sky_command_wait *wait, *next;
    DL_FOREACH_SAFE (broker->commands.waiting, wait, next)
        sky_command_cancel(wait);
}
