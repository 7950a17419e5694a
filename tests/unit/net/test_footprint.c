#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/net/conn.h"
#include "server/registry/sessions.h"

/* What there is of each device that only connects and stays, in bytes: whoever adds to one of these
 * adds it tens of thousands of times. What few of them need is behind a pointer: of a connection in
 * its work, of a session in its work, of a party in its past, of a behaviour in its acts.
 * `./dev bench --rows idle` has the whole. */
enum {
    CONN_BYTES = 120,
    SESSION_BYTES = 104,
    PARTY_BYTES = 152,    /* and its name */
    BEHAVIOUR_BYTES = 56, /* of those */
};

static void an_idle_device_has_so_many_bytes(void **state)
{
    (void)state;
    assert_in_range(sizeof(struct sky_conn), 1, CONN_BYTES);
    assert_in_range(sizeof(struct sky_session), 1, SESSION_BYTES);
    assert_in_range(sizeof(struct sky_party), 1, PARTY_BYTES);
    assert_in_range(sizeof(struct sky_behaviour), 1, BEHAVIOUR_BYTES);
}

/* A connection has work of its own while there is something in it, and no longer. */
static void work_is_given_back_when_it_is_done(void **state)
{
    (void)state;
    struct sky_net net = {.last_id = 0};
    struct sky_conn conn = {.net = &net};
    sky_conn_rest(&conn);
    assert_int_equal(conn.work->out.len, 0);
    struct sky_conn_work *own = sky_conn_work(&conn);
    assert_ptr_equal(sky_conn_work(&conn), own);
    assert_ptr_equal(own->conn, &conn);
    assert_true(sky_buf_add(&own->in, SKY_SPAN("half a packet")));
    sky_conn_rest_if_idle(&conn);
    assert_ptr_equal(conn.work, own);
    sky_buf_done(&own->in);
    conn.dirty = true;
    sky_conn_rest_if_idle(&conn);
    assert_ptr_equal(conn.work, own);
    conn.dirty = false;
    sky_conn_rest_if_idle(&conn);
    assert_ptr_equal(conn.work, &sky_conn_at_rest);
    assert_int_equal(net.works.count, 1);
    assert_ptr_equal(sky_conn_work(&conn), own); /* the spare one */
    assert_int_equal(own->in.max, sky_conn_at_rest.in.max);
    sky_conn_work_free(own);
    sky_conn_works_done(&net.works);
}

static void so_many_are_kept_to_be_used_again(void **state)
{
    (void)state;
    static struct sky_conn conns[SKY_NET_WORKS_SPARE + 1];
    struct sky_net net = {.last_id = 0};
    for (size_t i = 0; i < SKY_COUNT(conns); i++) {
        conns[i].net = &net;
        sky_conn_rest(&conns[i]);
        (void)sky_conn_work(&conns[i]);
    }
    for (size_t i = 0; i < SKY_COUNT(conns); i++)
        sky_conn_rest_if_idle(&conns[i]);
    assert_int_equal(net.works.count, SKY_NET_WORKS_SPARE);
    sky_conn_works_done(&net.works);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_device_has_so_many_bytes),
        cmocka_unit_test(work_is_given_back_when_it_is_done),
        cmocka_unit_test(so_many_are_kept_to_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
