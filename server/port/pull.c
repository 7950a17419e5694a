#include "server/port/pull.h"

#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

static void drop(struct sky_pull *pull, struct sky_pull_item *item)
{
    DL_DELETE(pull->items, item);
    pull->count--;
    free((char *)item->topic.ptr);
    free((char *)item->payload.ptr);
    free(item);
}

void sky_pull_done(struct sky_pull *pull)
{
    while (pull->items != NULL)
        drop(pull, pull->items);
    SKY_ASSERT(pull->count == 0);
}

static sky_span copy(sky_span bytes)
{
    return sky_span_of(sky_mem_dup(bytes.ptr, bytes.len), bytes.len);
}

sky_err sky_pull_add(struct sky_pull *pull, sky_span topic, sky_span payload, uint64_t of,
                     int64_t until_ms)
{
    if (pull->count >= SKY_PULL_MAX || payload.len > SKY_PULL_PAYLOAD_MAX)
        return SKY_ERR_LIMIT;
    struct sky_pull_item *item = sky_mem_new(sizeof *item);
    item->topic = copy(topic);
    item->payload = copy(payload);
    item->of = of;
    item->until_ms = until_ms;
    DL_APPEND(pull->items, item);
    pull->count++;
    return SKY_OK;
}

void sky_pull_drop_first(struct sky_pull *pull)
{
    SKY_ASSERT(pull->items != NULL);
    drop(pull, pull->items);
}

void sky_pull_expire(struct sky_pull *pull, int64_t now_ms,
                     void (*gone)(void *ctx, const struct sky_pull_item *item), void *ctx)
{
    struct sky_pull_item *item, *next;
    DL_FOREACH_SAFE (pull->items, item, next) {
        if (now_ms < item->until_ms)
            continue;
        if (gone != NULL)
            gone(ctx, item);
        drop(pull, item);
    }
}

int64_t sky_pull_next_ms(const struct sky_pull *pull)
{
    int64_t next_ms = INT64_MAX;
    const struct sky_pull_item *item;
    DL_FOREACH (pull->items, item)
        if (item->until_ms < next_ms)
            next_ms = item->until_ms;
    return next_ms;
}
