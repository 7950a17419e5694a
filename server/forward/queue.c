#include "server/forward/queue.h"

#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

const struct sky_forward_limits sky_forward_limits = {
    .target = {SKY_FORWARD_TARGET_MESSAGES_MAX, SKY_FORWARD_TARGET_BYTES_MAX},
    .total = {SKY_FORWARD_MESSAGES_MAX, SKY_FORWARD_BYTES_MAX},
    .parallel = SKY_FORWARD_PARALLEL_MAX};

void sky_forward_queue_init(struct sky_forward_queue *queue,
                            const struct sky_forward_limits *limits)
{
    *queue = (struct sky_forward_queue){.limits = *limits};
    sky_timerq_init(&queue->paused);
}

static void count(struct sky_forward_target *target, enum sky_forward_count what)
{
    target->counts[what]++;
    target->queue->counts[what]++;
}

/* ---- room ---- */

static size_t size_of(sky_span body)
{
    return sizeof(struct sky_forward_message) + body.len;
}

static bool fits(const struct sky_forward_bounds *held, const struct sky_forward_bounds *max,
                 size_t size)
{
    return held->messages < max->messages && held->bytes <= max->bytes &&
           size <= max->bytes - held->bytes;
}

static void hold(struct sky_forward_target *target, size_t size)
{
    target->held.messages++;
    target->held.bytes += size;
    target->queue->held.messages++;
    target->queue->held.bytes += size;
}

static void let_go(struct sky_forward_target *target, size_t size)
{
    target->held.messages--;
    target->held.bytes -= size;
    target->queue->held.messages--;
    target->queue->held.bytes -= size;
}

/* ---- targets ---- */

static void drop_target(struct sky_forward_queue *queue, struct sky_forward_target *target)
{
    struct sky_forward_lane *lane, *next_lane;
    HASH_ITER (hh, target->lanes, lane, next_lane) {
        struct sky_forward_message *message, *next;
        LL_FOREACH_SAFE (lane->first, message, next) {
            let_go(target, size_of(message->body));
            free(message);
        }
        sky_timerq_cancel(&queue->paused, &lane->pause);
        HASH_DEL(target->lanes, lane);
        free(lane);
    }
    LL_DELETE(queue->targets, target);
    queue->target_count--;
    free(target);
}

void sky_forward_queue_done(struct sky_forward_queue *queue)
{
    while (queue->targets != NULL)
        drop_target(queue, queue->targets);
    sky_timerq_done(&queue->paused);
}

static struct sky_forward_target *find_idle(const struct sky_forward_queue *queue)
{
    struct sky_forward_target *target = queue->targets;
    while (target != NULL && target->held.messages > 0)
        target = target->next;
    return target;
}

struct sky_forward_target *sky_forward_target(struct sky_forward_queue *queue, sky_span url)
{
    struct sky_forward_target *target;
    LL_FOREACH (queue->targets, target)
        if (sky_span_eq_str(url, target->url))
            return target;
    struct sky_url parts;
    if (!sky_url_parse(url, &parts))
        return NULL;
    if (queue->target_count >= SKY_FORWARD_TARGETS_MAX) {
        struct sky_forward_target *idle = find_idle(queue);
        if (idle == NULL)
            return NULL;
        drop_target(queue, idle);
    }
    target = sky_mem_new(sizeof *target);
    bool copied = sky_span_copy(url, target->url, sizeof target->url);
    SKY_ASSERT(copied);
    target->queue = queue;
    LL_APPEND(queue->targets, target);
    queue->target_count++;
    return target;
}

/* ---- in ---- */

static struct sky_forward_lane *lane_of(struct sky_forward_target *target, int64_t device_id)
{
    struct sky_forward_lane *lane;
    HASH_FIND(hh, target->lanes, &device_id, sizeof device_id, lane);
    if (lane != NULL)
        return lane;
    lane = sky_mem_new(sizeof *lane);
    lane->target = target;
    lane->device_id = device_id;
    HASH_ADD(hh, target->lanes, device_id, sizeof lane->device_id, lane);
    DL_APPEND(target->ready, lane);
    return lane;
}

bool sky_forward_put(struct sky_forward_target *target, int64_t device_id, uint64_t seq,
                     sky_span body)
{
    const struct sky_forward_queue *queue = target->queue;
    size_t size = size_of(body);
    if (!fits(&target->held, &queue->limits.target, size) ||
        !fits(&queue->held, &queue->limits.total, size)) {
        count(target, SKY_FORWARD_COUNT_LOST);
        return false;
    }
    struct sky_forward_message *message = sky_mem_new(size);
    memcpy(message->bytes, body.ptr, body.len);
    message->body = sky_span_of(message->bytes, body.len);
    message->seq = seq;
    message->lane = lane_of(target, device_id);
    if (message->lane->first == NULL)
        message->lane->first = message;
    else
        message->lane->last->next = message;
    message->lane->last = message;
    hold(target, size);
    return true;
}

/* ---- out ---- */

static void on_pause_over(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_forward_lane *lane = SKY_CONTAINER_OF(timer, struct sky_forward_lane, pause);
    (void)now_ms;
    DL_APPEND(lane->target->ready, lane);
}

static bool is_away(const struct sky_forward_target *target)
{
    return target->tries > 0;
}

static bool may_ask(const struct sky_forward_target *target, int64_t now_ms)
{
    if (target->ready == NULL)
        return false;
    if (is_away(target))
        return target->asked == 0 && target->next_ms <= now_ms;
    return target->asked < target->queue->limits.parallel;
}

struct sky_forward_message *sky_forward_take(struct sky_forward_queue *queue, int64_t now_ms)
{
    struct sky_forward_target *target;
    sky_timerq_run(&queue->paused, now_ms);
    LL_FOREACH (queue->targets, target) {
        if (!may_ask(target, now_ms))
            continue;
        struct sky_forward_lane *lane = target->ready;
        DL_DELETE(target->ready, lane);
        target->asked++;
        return lane->first;
    }
    return NULL;
}

int64_t sky_forward_next_ms(const struct sky_forward_queue *queue)
{
    const struct sky_forward_target *target;
    int64_t next_ms = sky_timerq_next_ms(&queue->paused);
    LL_FOREACH (queue->targets, target) {
        if (may_ask(target, INT64_MAX)) {
            int64_t at_ms = is_away(target) ? target->next_ms : INT64_MIN;
            next_ms = at_ms < next_ms ? at_ms : next_ms;
        }
    }
    return next_ms;
}

/* ---- how it went ---- */

/* Before the next try, after so many. */
static int64_t delay_ms(unsigned tries)
{
    int64_t ms = SKY_FORWARD_DELAY_MS;
    while (tries-- > 1 && ms < SKY_FORWARD_DELAY_MAX_MS)
        ms *= 2;
    return ms < SKY_FORWARD_DELAY_MAX_MS ? ms : SKY_FORWARD_DELAY_MAX_MS;
}

/* Those that were on their way when the target went away count as one try. */
static void note_reach(struct sky_forward_target *target, bool reached, int64_t now_ms)
{
    if (reached)
        target->tries = 0;
    else if (!is_away(target) || target->next_ms <= now_ms)
        target->next_ms = now_ms + delay_ms(++target->tries);
}

/* The first message tries again later; with the target away all others of it wait anyway. */
static void keep(struct sky_forward_lane *lane, bool reached, int64_t now_ms)
{
    struct sky_forward_target *target = lane->target;
    count(target, SKY_FORWARD_COUNT_TRIES);
    if (!lane->failed)
        target->failing++;
    lane->failed = true;
    if (reached)
        sky_timerq_set(&target->queue->paused, &lane->pause, now_ms + delay_ms(++lane->tries),
                       on_pause_over);
    else
        DL_APPEND(target->ready, lane);
}

/* The next message's turn, behind those of other devices. */
static void move_on(struct sky_forward_lane *lane)
{
    struct sky_forward_target *target = lane->target;
    struct sky_forward_message *message = lane->first;
    lane->first = message->next;
    lane->tries = 0;
    if (lane->failed)
        target->failing--;
    lane->failed = false;
    let_go(target, size_of(message->body));
    free(message);
    if (lane->first != NULL) {
        DL_APPEND(target->ready, lane);
        return;
    }
    HASH_DEL(target->lanes, lane);
    free(lane);
}

struct sky_forward_change sky_forward_settle(struct sky_forward_message *message,
                                             enum sky_forward_outcome outcome, int64_t now_ms)
{
    struct sky_forward_lane *lane = message->lane;
    struct sky_forward_target *target = lane->target;
    SKY_ASSERT(lane->first == message && target->asked > 0);
    bool went_well = target->failing == 0, reached = outcome != SKY_FORWARD_AWAY;
    target->asked--;
    note_reach(target, reached, now_ms);
    if (outcome == SKY_FORWARD_FAILED && lane->tries == 0)
        lane->since_ms = now_ms;
    bool gives_up =
        outcome == SKY_FORWARD_FAILED && now_ms - lane->since_ms >= SKY_FORWARD_STUBBORN_MS;
    if (!gives_up && (outcome == SKY_FORWARD_FAILED || outcome == SKY_FORWARD_AWAY)) {
        keep(lane, reached, now_ms);
        return (struct sky_forward_change){.began = went_well};
    }
    count(target, gives_up                         ? SKY_FORWARD_COUNT_LOST
                  : outcome == SKY_FORWARD_REFUSED ? SKY_FORWARD_COUNT_REFUSED
                                                   : SKY_FORWARD_COUNT_TAKEN);
    move_on(lane);
    return (struct sky_forward_change){.ended = !went_well && target->failing == 0,
                                       .lost = gives_up};
}
