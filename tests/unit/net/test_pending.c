/* Connections with real sockets: who has to go when too much waits for all of them, what leaves
 * before a turn ends, and who is unread. */
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "server/net/conn.h"
#include "server/os/listeners.h"
#include "tests/unit/registry/registry_case.h"

enum { PEERS = 20, MB = 1024 * 1024 };

struct pending_case {
    struct registry_case base;
    uv_loop_t loop;
    struct sky_net net;
    struct sky_conn *conns[PEERS]; /* the net's */
    struct sky_door door;
    int peers[PEERS];
    unsigned closed;
};

static struct pending_case *the_case;

static size_t on_bytes(struct sky_conn *conn, sky_span in)
{
    (void)conn;
    return in.len;
}

static void on_close(struct sky_conn *conn)
{
    sky_conn_left(conn);
    the_case->closed |= 1U << (conn->id - 1);
}

static struct sky_port port = {.on_bytes = on_bytes, .on_close = on_close};

static struct sky_conn *open_conn(struct pending_case *c, int i)
{
    int ends[2];
    struct sky_conn *conn = sky_mem_new(sizeof *conn);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    c->peers[i] = ends[1];
    conn->net = &c->net;
    conn->port = &port;
    conn->id = (uint32_t)i + 1;
    c->door =
        (struct sky_door){.listener = sky_listener_find(SKY_SPAN("mqtt")), .transport = SKY_TCP};
    conn->door = &c->door;
    sky_conn_rest(conn);
    conn->fd = ends[0];
    DL_APPEND(c->net.conns, conn);
    c->net.conn_count++;
    return conn;
}

static int set_up(void **state)
{
    struct pending_case *c = the_case = sky_mem_new(sizeof *c);
    registry_case_init(&c->base);
    assert_int_equal(uv_loop_init(&c->loop), 0);
    c->net.loop = &c->loop;
    assert_int_equal(sky_net_watch(&c->net), 0);
    c->net.registry = &c->base.registry;
    c->net.journal = c->base.journal;
    c->net.clock = &c->base.clock;
    c->net.read_buf = sky_mem_new(SKY_NET_READ_SIZE);
    c->net.share = SKY_NET_READ_SIZE;
    for (int i = 0; i < PEERS; i++)
        c->conns[i] = open_conn(c, i);
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct pending_case *c = *state;
    sky_net_close_conns(&c->net);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(c->net.pending.bytes, 0);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    sky_net_done(&c->net);
    for (int i = 0; i < PEERS; i++)
        close(c->peers[i]);
    registry_case_done(&c->base);
    free(c);
    return 0;
}

#define PENDING_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* The connections that are closed at the end of the turn, a bit each. */
static unsigned closed_by(struct pending_case *c)
{
    sky_net_flush(&c->net);
    return c->closed;
}

static unsigned findings(struct pending_case *c)
{
    struct sky_journal_stats stats;
    sky_journal_stats(c->base.journal, &stats);
    return (unsigned)stats.findings;
}

/* ---- what does not wait for the end of the turn ---- */

struct settling {
    int peer;
    unsigned times, late; /* how often; and how often its peer had something of it already */
};

static size_t read_all(int peer)
{
    static char bytes[MB];
    size_t all = 0;
    for (ssize_t got; (got = read(peer, bytes, sizeof bytes)) > 0;)
        all += (size_t)got;
    return all;
}

static void on_settle(void *ctx)
{
    struct settling *settling = ctx;
    char byte;
    settling->times++;
    settling->late += recv(settling->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void what_goes_out_before_the_turn_ends_is_settled_first(void **state)
{
    struct pending_case *c = *state;
    struct sky_conn *conn = c->conns[0];
    struct settling settling = {.peer = c->peers[0]};
    char *bytes = sky_mem_new(SKY_NET_FLUSH_SIZE);
    c->net.settle = on_settle;
    c->net.settle_ctx = &settling;
    sky_conn_write(conn, sky_span_of(bytes, SKY_NET_FLUSH_SIZE));
    assert_int_equal(settling.times, 0);
    sky_conn_write(conn, SKY_SPAN("x")); /* now it is too much to wait */
    assert_int_equal(settling.times, 1);
    assert_int_equal(settling.late, 0);
    assert_true(conn->work->sending.len > 0); /* the kernel does not take so much */
    size_t got = read_all(settling.peer);
    while (conn->work->sending.len > 0) {
        settling.times = 0;
        uv_run(&c->loop, UV_RUN_NOWAIT); /* with its rest goes what came behind it */
        if (conn->work->sending.len == 0)
            assert_true(settling.times > 0);
        got += read_all(settling.peer);
    }
    sky_net_flush(&c->net);
    assert_int_equal(got + read_all(settling.peer), SKY_NET_FLUSH_SIZE + 1);
    c->net.settle = NULL;
    free(bytes);
}

static void who_is_only_unread_is_excused_once_until_he_is_heard(void **state)
{
    struct pending_case *c = *state;
    struct sky_conn *conn = c->conns[0];
    assert_int_equal(write(c->peers[0], "x", 1), 1);
    assert_false(sky_conn_is_unheard(conn)); /* nobody waits for it */
    sky_conn_start(conn);
    assert_true(sky_conn_is_unheard(conn));
    assert_false(sky_conn_is_unheard(conn));
    sky_conn_is_heard(conn);
    assert_true(sky_conn_is_unheard(conn));
    sky_conn_is_heard(conn);
    uv_run(&c->loop, UV_RUN_NOWAIT);
    assert_false(sky_conn_is_unheard(conn)); /* it has been read */
}

/* ---- the bound ---- */

static void the_bound_itself_is_allowed(void **state)
{
    struct pending_case *c = *state;
    sky_conn_keeps(c->conns[0], SKY_PENDING_MAX - MB);
    sky_conn_keeps(c->conns[1], MB);
    assert_int_equal(c->net.pending.bytes, SKY_PENDING_MAX);
    assert_int_equal(closed_by(c), 0);
    assert_int_equal(findings(c), 0);
}

static void the_largest_goes_when_it_is_passed(void **state)
{
    struct pending_case *c = *state;
    sky_conn_keeps(c->conns[0], MB);
    sky_conn_keeps(c->conns[1], SKY_PENDING_MAX / 2);
    sky_conn_keeps(c->conns[2], SKY_PENDING_MAX / 2 - MB);
    assert_int_equal(c->net.pending.bytes, SKY_PENDING_MAX);
    sky_conn_keeps(c->conns[3], 1);
    assert_int_equal(closed_by(c), 1U << 1);
    assert_int_equal(findings(c), 1);
    assert_int_equal(c->net.pending.ended, 1);
    assert_int_equal(c->net.pending.bytes, SKY_PENDING_MAX / 2 + 1);
}

static void so_many_go_that_there_is_room_again(void **state)
{
    struct pending_case *c = *state;
    for (int i = 0; i < PEERS; i++)
        sky_conn_keeps(c->conns[i], SKY_PENDING_MAX / PEERS);
    sky_conn_keeps(c->conns[0], SKY_PENDING_MAX / PEERS + MB);
    (void)closed_by(c);
    assert_int_equal(c->net.pending.ended, 2); /* one would not do */
    assert_true(c->closed & 1);
    assert_true(c->net.pending.bytes <= SKY_PENDING_MAX - SKY_PENDING_EASE);
}

static void one_alone_may_have_all_that_it_may_have(void **state)
{
    struct pending_case *c = *state;
    assert_true(SKY_CONN_OUTPUT_MAX * 8 <= SKY_PENDING_MAX);
    char *bytes = sky_mem_new(SKY_CONN_OUTPUT_MAX);
    sky_conn_write(c->conns[0], sky_span_of(bytes, SKY_CONN_OUTPUT_MAX));
    free(bytes);
    assert_int_equal(closed_by(c), 0);
}

/* What has only been written in this turn is not what a peer has left unread. */
static void who_reads_stays(void **state)
{
    struct pending_case *c = *state;
    char said[100] = {0}, heard[200];
    sky_conn_keeps(c->conns[0], SKY_PENDING_MAX - 200);
    sky_conn_write(c->conns[1], sky_span_of(said, sizeof said));
    sky_conn_out(c->conns[1]);
    assert_in_range(c->net.pending.bytes, SKY_PENDING_MAX - 100, SKY_PENDING_MAX);
    sky_conn_keeps(c->conns[2], 200);
    assert_int_equal(read(c->peers[1], heard, sizeof heard), sizeof said);
    assert_int_equal(c->net.pending.bytes, SKY_PENDING_MAX);
    assert_int_equal(closed_by(c), 0);
}

/* Of one that a fault holds up nobody knows whether it would read. */
static void whom_a_fault_holds_up_is_not_accused(void **state)
{
    struct pending_case *c = *state;
    sky_conn_work(c->conns[0])->touched = 1;
    sky_conn_keeps(c->conns[0], SKY_PENDING_MAX + 1);
    assert_int_equal(closed_by(c), 1);
    assert_int_equal(findings(c), 0);
}

/* ---- what counts ---- */

static void what_is_written_counts_until_it_is_taken(void **state)
{
    struct pending_case *c = *state;
    char *bytes = sky_mem_new(3 * MB);
    static char heard[MB];
    sky_conn_write(c->conns[0], sky_span_of(bytes, 3 * MB));
    free(bytes);
    sky_net_flush(&c->net);
    assert_true(c->net.pending.bytes >= 3 * MB); /* the system takes less than that */
    for (ssize_t got = 1; c->net.pending.bytes > 0;) {
        got = read(c->peers[0], heard, sizeof heard);
        uv_run(&c->loop, UV_RUN_NOWAIT);
        assert_true(got > 0 || c->net.pending.bytes > 0);
    }
    assert_int_equal(c->closed, 0);
}

/* One that closes with output left goes on counting, and goes like any other, untold. */
static void who_is_closed_still_counts(void **state)
{
    struct pending_case *c = *state;
    char *bytes = sky_mem_new(3 * MB);
    sky_conn_write(c->conns[0], sky_span_of(bytes, 3 * MB));
    free(bytes);
    sky_conn_close(c->conns[0], "test");
    assert_int_equal(closed_by(c), 1);
    assert_true(c->net.pending.bytes >= 3 * MB);
    sky_conn_keeps(c->conns[1], MB);
    sky_conn_keeps(c->conns[2], SKY_PENDING_MAX - MB - c->net.pending.bytes);
    assert_int_equal(closed_by(c), 1);
    sky_conn_keeps(c->conns[3], MB + 1);
    assert_int_equal(closed_by(c), 1 | 1 << 2);
    assert_int_equal(findings(c), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PENDING_TEST(what_goes_out_before_the_turn_ends_is_settled_first),
        PENDING_TEST(who_is_only_unread_is_excused_once_until_he_is_heard),
        PENDING_TEST(the_bound_itself_is_allowed),
        PENDING_TEST(the_largest_goes_when_it_is_passed),
        PENDING_TEST(so_many_go_that_there_is_room_again),
        PENDING_TEST(one_alone_may_have_all_that_it_may_have),
        PENDING_TEST(who_reads_stays),
        PENDING_TEST(whom_a_fault_holds_up_is_not_accused),
        PENDING_TEST(what_is_written_counts_until_it_is_taken),
        PENDING_TEST(who_is_closed_still_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
