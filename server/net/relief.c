/* Who has to go when too much waits for all peers together, see pending.h. */
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/net/bend.h"
#include "server/net/private.h"
#include "server/registry/rules.h"

static const char reason[] = "too much waits for all peers together, and most of it for this one";

struct holder {
    struct sky_conn *conn;
    size_t bytes;
};

static int by_size(const void *one, const void *other)
{
    size_t a = ((const struct holder *)one)->bytes, b = ((const struct holder *)other)->bytes;
    return a < b ? 1 : a > b ? -1 : 0;
}

static size_t add_holders(struct sky_conn *list, struct holder *holders, size_t count)
{
    struct sky_conn *conn;
    DL_FOREACH (list, conn)
        if (conn->work->pending.bytes > 0)
            holders[count++] = (struct holder){conn, conn->work->pending.bytes};
    return count;
}

/* It is told of, unless it is over anyway, or a fault may be what holds its output. */
static void end(struct sky_conn *conn)
{
    if (!conn->closing && conn->work->touched == 0)
        sky_conn_refused(conn, sky_door_rule(SKY_RULE_DOOR_OUTPUT_FULL), SKY_SPAN_NONE, reason);
    conn->net->pending.ended += !conn->closing;
    conn->work->pending.outgrown = true;
    sky_conn_reset(conn, reason);
    sky_conn__book(conn);
}

static void end_largest(struct sky_net *net)
{
    size_t count = 0;
    const struct sky_conn *conn;
    DL_COUNT(net->lingering, conn, count);
    count += net->conn_count;
    struct holder *holders = sky_mem_new(count * sizeof *holders);
    count = add_holders(net->conns, holders, 0);
    count = add_holders(net->lingering, holders, count);
    qsort(holders, count, sizeof *holders, by_size);
    for (size_t i = 0; i < count && net->pending.bytes > SKY_PENDING_MAX - SKY_PENDING_EASE; i++)
        end(holders[i].conn);
    free(holders);
}

/* Nobody has left unread what only waits for the end of the turn. */
void sky_net__relieve(struct sky_net *net)
{
    struct sky_pending *pending = &net->pending;
    if (pending->easing)
        return;
    pending->easing = true;
    sky_net__flush_early(net);
    if (pending->bytes > SKY_PENDING_MAX)
        end_largest(net);
    pending->easing = false;
}
