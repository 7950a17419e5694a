#include "server/net/work.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/registry/psk.h"
#include "server/tls/channel.h"

const struct sky_conn_work sky_conn_at_rest = {
    .in = {.max = SKY_CONN_INPUT_MAX + SKY_NET_READ_SIZE},
    .out = {.max = SKY_CONN_OUTPUT_MAX},
    .sending = {.max = SKY_CONN_OUTPUT_MAX},
};

struct sky_conn_work *sky_conn_work(struct sky_conn *conn)
{
    struct sky_conn_works *spare = &conn->net->works;
    if (conn->work != &sky_conn_at_rest)
        return conn->work;
    if (spare->count > 0) {
        conn->work = spare->list[--spare->count];
    } else {
        conn->work = sky_mem_grow(NULL, sizeof *conn->work);
        *conn->work = sky_conn_at_rest;
    }
    conn->work->conn = conn;
    return conn->work;
}

void sky_conn_rest(struct sky_conn *conn)
{
    conn->work = (struct sky_conn_work *)&sky_conn_at_rest; /* written to by nobody: see above */
}

/* As it was when it was new, but for memory that has been seen to. */
static bool is_idle(const struct sky_conn_work *work)
{
    return work->in.room == 0 && work->out.room == 0 && work->sending.room == 0 &&
           work->pending.aside == 0 && work->wrap == NULL && work->bend == NULL &&
           work->tls == NULL && work->psk == NULL && work->touched == 0 && work->cut_at_ms == 0 &&
           work->handshake_ms == 0 && !sky_timer_is_set(&work->patience) &&
           !sky_timer_is_set(&work->spaced);
}

void sky_conn_rest_if_idle(struct sky_conn *conn)
{
    struct sky_conn_works *spare = &conn->net->works;
    if (conn->work == &sky_conn_at_rest || conn->dirty || conn->closing || !is_idle(conn->work))
        return;
    SKY_ASSERT(conn->work->pending.bytes == 0 && conn->work->wrapping == NULL);
    if (spare->count < SKY_NET_WORKS_SPARE)
        spare->list[spare->count++] = conn->work;
    else
        free(conn->work);
    sky_conn_rest(conn);
}

void sky_conn_work_free(struct sky_conn_work *work)
{
    if (work == &sky_conn_at_rest)
        return;
    sky_buf_done(&work->in);
    sky_buf_done(&work->out);
    sky_buf_done(&work->sending);
    sky_tls_free(work->tls);
    if (work->psk != NULL)
        sky_mem_wipe(work->psk, sizeof *work->psk);
    free(work->psk);
    free(work->bend);
    free(work);
}

void sky_conn_works_done(struct sky_conn_works *works)
{
    while (works->count > 0)
        free(works->list[--works->count]);
}

void sky_conn_patience(struct sky_conn *conn, int64_t in_ms, sky_timer_fn *fire)
{
    conn->excused = false;
    sky_clock_patience(conn->net->clock, &sky_conn_work(conn)->patience, in_ms, fire);
}

void sky_conn_forgive(struct sky_conn *conn)
{
    sky_clock_forgive(conn->net->clock, &conn->work->patience);
}
