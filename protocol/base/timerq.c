#include "protocol/base/timerq.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { ROOM_MIN = 16 };

void sky_timerq_init(struct sky_timerq *queue)
{
    *queue = (struct sky_timerq){0};
}

void sky_timerq_done(struct sky_timerq *queue)
{
    free(queue->heap);
    sky_timerq_init(queue);
}

static bool is_before(const struct sky_timer *a, const struct sky_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : (int32_t)(a->order - b->order) < 0;
}

static void put(struct sky_timerq *queue, size_t at, struct sky_timer *timer)
{
    queue->heap[at] = timer;
    timer->place = (uint32_t)at + 1;
}

/* Places `timer` at the free slot `at` or above it. */
static size_t sift_up(struct sky_timerq *queue, size_t at, struct sky_timer *timer)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!is_before(timer, queue->heap[parent]))
            break;
        put(queue, at, queue->heap[parent]);
        at = parent;
    }
    put(queue, at, timer);
    return at;
}

/* Places `timer` at the free slot `at` or below it. */
static void sift_down(struct sky_timerq *queue, size_t at, struct sky_timer *timer)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && is_before(queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!is_before(queue->heap[child], timer))
            break;
        put(queue, at, queue->heap[child]);
        at = child;
    }
    put(queue, at, timer);
}

static void settle(struct sky_timerq *queue, size_t at, struct sky_timer *timer)
{
    if (sift_up(queue, at, timer) == at)
        sift_down(queue, at, timer);
}

void sky_timerq_set(struct sky_timerq *queue, struct sky_timer *timer, int64_t due_ms,
                    sky_timer_fn *fire)
{
    SKY_ASSERT(fire != NULL);
    if (!sky_timer_is_set(timer)) {
        if (queue->count == queue->room) {
            queue->room = queue->room ? queue->room * 2 : ROOM_MIN;
            queue->heap = sky_mem_grow(queue->heap, queue->room * sizeof *queue->heap);
        }
        timer->place = (uint32_t)++queue->count;
    }
    SKY_ASSERT(timer->place <= queue->count);
    timer->due_ms = due_ms;
    timer->order = queue->order++;
    timer->fire = fire;
    settle(queue, timer->place - 1, timer);
}

void sky_timerq_cancel(struct sky_timerq *queue, struct sky_timer *timer)
{
    if (!sky_timer_is_set(timer))
        return;
    size_t at = timer->place - 1;
    SKY_ASSERT(at < queue->count && queue->heap[at] == timer);
    timer->place = 0;
    struct sky_timer *last = queue->heap[--queue->count];
    if (last != timer)
        settle(queue, at, last);
}

int64_t sky_timerq_next_ms(const struct sky_timerq *queue)
{
    return queue->count > 0 ? queue->heap[0]->due_ms : INT64_MAX;
}

size_t sky_timerq_run(struct sky_timerq *queue, int64_t now_ms)
{
    size_t fired = 0;
    while (queue->count > 0 && queue->heap[0]->due_ms <= now_ms) {
        struct sky_timer *timer = queue->heap[0];
        sky_timerq_cancel(queue, timer);
        timer->fire(timer, timer->due_ms);
        fired++;
    }
    return fired;
}
