#include "server/judge/waits.h"

#include <utlist.h>
#include <uv.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/os/clock.h"

enum { SOON_MS = 1, NS_PER_US = 1000 };

/* Everybody who is to look does, who has not looked for longest first, until the time is up: then
 * the rest do in the next turn. */
static void on_look(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_waits *waits = SKY_CONTAINER_OF(timer, struct sky_waits, look);
    struct sky_wait *wait;
    (void)now_ms;
    if (waits->news)
        DL_FOREACH (waits->list, wait)
            wait->due = true;
    waits->news = false;
    waits->pass++;
    waits->ends_ns = uv_hrtime() + (uint64_t)SKY_WAITS_TURN_US * NS_PER_US;
    while ((wait = waits->list) != NULL && wait->pass != waits->pass) {
        if (wait->due && sky_wait_time_is_up(wait)) {
            sky_wait_again(wait);
            break;
        }
        bool due = wait->due;
        wait->pass = waits->pass;
        wait->due = false;
        DL_DELETE(waits->list, wait);
        DL_APPEND(waits->list, wait);
        if (due)
            wait->look(wait);
    }
}

/* There is an event: everybody looks once, at the end of this turn. */
static void on_recorded(void *ctx, uint64_t seq)
{
    struct sky_waits *waits = ctx;
    (void)seq;
    if (waits->news)
        return;
    waits->news = true;
    sky_clock_patience(waits->clock, &waits->look, 0, on_look);
}

static void on_overdue(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_wait *wait = SKY_CONTAINER_OF(timer, struct sky_wait, deadline);
    (void)now_ms;
    wait->overdue = wait->due = true;
    sky_clock_patience(wait->waits->clock, &wait->waits->look, 0, on_look);
}

void sky_waits_open(struct sky_waits *waits, struct sky_clock *clock, struct sky_journal *journal)
{
    *waits = (struct sky_waits){.clock = clock, .journal = journal};
}

void sky_waits_close(struct sky_waits *waits)
{
    SKY_ASSERT(waits->list == NULL);
    sky_clock_forgive(waits->clock, &waits->look);
}

void sky_wait_begin(struct sky_waits *waits, struct sky_wait *wait)
{
    if (waits->list == NULL)
        sky_journal_watch(waits->journal, on_recorded, waits);
    wait->waits = waits;
    wait->due = true;
    DL_APPEND(waits->list, wait);
    sky_clock_patience(waits->clock, &waits->look, 0, on_look);
}

void sky_wait_end(struct sky_wait *wait)
{
    struct sky_waits *waits = wait->waits;
    DL_DELETE(waits->list, wait);
    sky_clock_forgive(waits->clock, &wait->deadline);
    if (waits->list == NULL)
        sky_journal_watch(waits->journal, NULL, NULL);
}

void sky_wait_until(struct sky_wait *wait, int64_t in_ms)
{
    sky_clock_patience(wait->waits->clock, &wait->deadline, in_ms, on_overdue);
}

void sky_wait_again(struct sky_wait *wait)
{
    struct sky_waits *waits = wait->waits;
    wait->due = true;
    if (!sky_timer_is_set(&waits->look))
        sky_clock_patience(waits->clock, &waits->look, SOON_MS, on_look);
}

bool sky_wait_time_is_up(const struct sky_wait *wait)
{
    return uv_hrtime() >= wait->waits->ends_ns;
}
