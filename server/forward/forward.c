#include "server/forward/forward.h"

#include <stdio.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "protocol/http/answer.h"
#include "server/journal/json.h"

/* ---- what is told ---- */

/* What an event says besides the target; zeroes are left out. */
struct news {
    const char *name, *reason;
    int64_t device_id;
    uint64_t of; /* seq of the publish */
    int status;
    uint64_t count;
};

sky_span sky_forward_shown(const struct sky_forward_target *target, char out[SKY_URL_MAX + 1])
{
    return sky_url_shown(sky_span_str(target->url), out);
}

static void tell(const struct sky_forward *forward, const struct sky_forward_target *target,
                 const struct news *news)
{
    struct sky_draft draft;
    char url[SKY_URL_MAX + 1];
    sky_draft_begin(&draft, (struct sky_event_head){.type = SKY_EVENT_FORWARD,
                                                    .direction = SKY_INSIDE,
                                                    .device_id = news->device_id});
    sky_draft_add(&draft, SKY_ATTR(NAME, sky_span_str(news->name)));
    if (target != NULL)
        sky_draft_add(&draft, SKY_ATTR(TARGET, sky_forward_shown(target, url)));
    if (news->status != 0)
        sky_draft_add(&draft, SKY_ATTR_INT(STATUS, news->status));
    if (news->reason != NULL)
        sky_draft_add(&draft, SKY_ATTR(REASON, sky_span_str(news->reason)));
    if (news->count != 0)
        sky_draft_add(&draft, SKY_ATTR_INT(COUNT, (int64_t)news->count));
    if (news->of != 0)
        sky_draft_add(&draft, SKY_ATTR_INT(OF, (int64_t)news->of));
    sky_journal_record(forward->journal, &draft, NULL);
}

/* One event says that messages get lost, and one how many more it were, when it is over: when what
 * waited has gone. */
static void tell_no_room(const struct sky_forward *forward, struct sky_forward_target *target,
                         int64_t device_id, uint64_t seq)
{
    if (target->full) {
        target->unsaid_lost++;
        return;
    }
    target->full = true;
    tell(forward, target,
         &(struct news){.name = "lost",
                        .reason = "more messages wait than there is room for",
                        .device_id = device_id,
                        .of = seq,
                        .count = 1});
}

static void tell_room_again(const struct sky_forward *forward, struct sky_forward_target *target)
{
    if (target->unsaid_lost > 0)
        tell(forward, target,
             &(struct news){.name = "lost",
                            .reason = "there was no room for more messages",
                            .count = target->unsaid_lost});
    target->full = false;
    target->unsaid_lost = 0;
}

/* ---- out ---- */

static void on_timer(struct sky_timer *timer, int64_t now_ms);

/* Sends what may go, and comes back when there may be more. */
static void pump(struct sky_forward *forward)
{
    struct sky_forward_message *message;
    int64_t now_ms = forward->clock->real_ms;
    while ((message = sky_forward_take(&forward->queue, now_ms)) != NULL)
        sky_post_send(forward->post, message->lane->target->url, message->body, message);
    int64_t next_ms = sky_forward_next_ms(&forward->queue);
    if (next_ms == INT64_MAX)
        sky_clock_forgive(forward->clock, &forward->timer);
    else
        sky_clock_patience(forward->clock, &forward->timer, next_ms - now_ms, on_timer);
}

static void on_timer(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    pump(SKY_CONTAINER_OF(timer, struct sky_forward, timer));
}

static enum sky_forward_outcome outcome_of(const struct sky_post_result *result)
{
    enum { REQUEST_TIMEOUT = 408, TOO_MANY_REQUESTS = 429 };
    int status = result->status;
    if (status >= 200 && status < 300)
        return SKY_FORWARD_TAKEN;
    if (status >= 400 && status < 500 && status != REQUEST_TIMEOUT && status != TOO_MANY_REQUESTS)
        return SKY_FORWARD_REFUSED;
    return result->sent ? SKY_FORWARD_FAILED : SKY_FORWARD_AWAY;
}

static const char *words_for(const struct sky_post_result *result)
{
    if (result->status == 0)
        return result->reason;
    if (result->status >= 300 && result->status < 400)
        return "it points elsewhere, and is not followed there";
    return sky_http_phrase(result->status);
}

static void on_answered(void *ctx, void *tag, const struct sky_post_result *result)
{
    struct sky_forward *forward = ctx;
    struct sky_forward_message *message = tag; /* may be gone once it is settled */
    struct sky_forward_target *target = message->lane->target;
    enum sky_forward_outcome outcome = outcome_of(result);
    struct news news = {
        .device_id = message->lane->device_id, .of = message->seq, .status = result->status};
    if (outcome != SKY_FORWARD_TAKEN) {
        news.reason = target->reason;
        snprintf(target->reason, sizeof target->reason, "%s", words_for(result));
    }
    struct sky_forward_change change =
        sky_forward_settle(message, outcome, forward->clock->real_ms);
    if (change.began)
        news.name = "failed";
    else if (change.lost)
        news.name = "lost", news.count = 1;
    else if (outcome == SKY_FORWARD_REFUSED)
        news.name = "refused";
    if (news.name != NULL)
        tell(forward, target, &news);
    if (change.ended)
        tell(forward, target, &(struct news){.name = "recovered"});
    if (target->held.messages == 0)
        tell_room_again(forward, target);
    pump(forward);
}

/* ---- in ---- */

static sky_err open_post(struct sky_forward *forward, struct sky_why *why)
{
    if (forward->post != NULL)
        return SKY_OK;
    return sky_post_open(forward->loop, forward->clock, forward->ca_file, on_answered, forward,
                         &forward->post, why);
}

static sky_span body_of(struct sky_forward *forward, const struct sky_act *act, uint64_t seq)
{
    const struct sky_session *session = act->session;
    struct sky_jw jw = sky_jw(&forward->body);
    int64_t now_ms = forward->clock->now_ms;
    char time[SKY_TIME_TEXT_MAX];
    sky_time_text(now_ms, time);
    sky_buf_clear(&forward->body);
    sky_jw_object(&jw);
    sky_jw_put_int(&jw, "seq", (int64_t)seq);
    sky_jw_put_str(&jw, "time", time);
    sky_jw_put_int(&jw, "unixMs", now_ms);
    sky_jw_put_str(&jw, "cloud", session->product->product.cloud);
    sky_jw_put_str(&jw, "product", session->product->product.key);
    sky_jw_put_str(&jw, "device", sky_session_key(session));
    sky_jw_put_str(&jw, "transport", sky_transport_name(act->transport));
    sky_jw_put_span(&jw, "topic", act->topic);
    sky_jw_put_int(&jw, "qos", act->qos);
    (void)sky_payload_put(act->payload, &jw);
    sky_jw_end_object(&jw);
    return sky_buf_span(&forward->body);
}

_Static_assert(SKY_FORWARD_TARGETS_MAX == 16 && SKY_FORWARD_BODY_MAX == 4194304, "as is said");

void sky_forward_uplink(struct sky_forward *forward, sky_span url, const struct sky_act *act,
                        uint64_t seq)
{
    int64_t device_id = act->session->device_id;
    struct sky_forward_target *target = sky_forward_target(&forward->queue, url);
    sky_span body = body_of(forward, act, seq);
    struct sky_why why;
    const char *reason = NULL;
    if (target == NULL)
        reason = "no URL, or one more than the 16 that messages can wait for";
    else if (forward->body.overflow)
        reason = "as JSON it is longer than 4194304 bytes";
    else if (open_post(forward, &why) != SKY_OK)
        reason = why.reason;
    if (reason != NULL) {
        forward->queue.counts[SKY_FORWARD_COUNT_LOST]++;
        tell(forward, target,
             &(struct news){
                 .name = "lost", .reason = reason, .device_id = device_id, .of = seq, .count = 1});
        return;
    }
    if (sky_forward_put(target, device_id, seq, body))
        sky_clock_patience(forward->clock, &forward->timer, 0, on_timer);
    else
        tell_no_room(forward, target, device_id, seq);
}

/* ---- begin and end ---- */

sky_err sky_forward_open(struct sky_forward *forward, uv_loop_t *loop, struct sky_clock *clock,
                         struct sky_journal *journal, const char *ca_file, bool now,
                         struct sky_why *why)
{
    *forward =
        (struct sky_forward){.ca_file = ca_file, .loop = loop, .clock = clock, .journal = journal};
    sky_forward_queue_init(&forward->queue, &sky_forward_limits);
    sky_buf_init(&forward->body, SKY_FORWARD_BODY_MAX);
    return now ? open_post(forward, why) : SKY_OK;
}

void sky_forward_close(struct sky_forward *forward)
{
    sky_post_close(forward->post); /* it reads what the queue owns */
    sky_clock_forgive(forward->clock, &forward->timer);
    sky_forward_queue_done(&forward->queue);
    sky_buf_done(&forward->body);
}

static void on_farewell(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    uv_stop(SKY_CONTAINER_OF(timer, struct sky_forward, farewell)->loop);
}

size_t sky_forward_farewell(struct sky_forward *forward)
{
    struct sky_forward_target *target;
    sky_clock_patience(forward->clock, &forward->farewell, SKY_FORWARD_FAREWELL_MS, on_farewell);
    while (forward->queue.held.messages > 0 && sky_timer_is_set(&forward->farewell))
        uv_run(forward->loop, UV_RUN_ONCE);
    sky_clock_forgive(forward->clock, &forward->farewell);
    LL_FOREACH (forward->queue.targets, target) {
        tell_room_again(forward, target);
        if (target->held.messages > 0)
            tell(forward, target,
                 &(struct news){.name = "lost",
                                .reason = "the server stopped before they were taken",
                                .count = target->held.messages});
    }
    return forward->queue.held.messages;
}
