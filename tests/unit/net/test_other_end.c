/* Who is at the other end of a connection: its address, and the client id that it gave. */
#include "server/net/client_id.h"
#include "server/net/conn.h"
#include "server/net/private.h"
#include "tests/unit/registry/registry_case.h"

static void assert_peer(const struct sockaddr_in6 *peer, const char *expected)
{
    struct sky_conn conn = {.fd = -1};
    char text[64];
    sky_conn__set_peer(&conn, peer);
    sky_conn_peer(&conn, text, sizeof text);
    assert_string_equal(text, expected);
    if (conn.six)
        free(conn.peer.six);
}

static void its_address_is_told_as_it_was(void **state)
{
    (void)state;
    struct sockaddr_in6 peer = {.sin6_family = AF_UNSPEC};
    assert_peer(&peer, "");
    assert_int_equal(uv_ip4_addr("192.0.2.1", 65535, (struct sockaddr_in *)&peer), 0);
    assert_peer(&peer, "192.0.2.1:65535");
    assert_int_equal(uv_ip6_addr("2001:db8::17", 1, &peer), 0);
    assert_peer(&peer, "[2001:db8::17]:1");
    assert_int_equal(uv_ip6_addr("::ffff:192.0.2.1", 40000, &peer), 0);
    assert_peer(&peer, "[::ffff:192.0.2.1]:40000");
}

struct id_case {
    struct registry_case base;
    struct sky_net net;
};

static int set_up(void **state)
{
    struct id_case *c = sky_mem_new(sizeof *c);
    registry_case_init(&c->base);
    c->net.registry = &c->base.registry;
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct id_case *c = *state;
    registry_case_done(&c->base);
    sky_texts_done(&c->net.client_ids);
    free(c);
    return 0;
}

static void assert_called(const struct sky_conn *conn, const char *expected)
{
    char room[SKY_CLIENT_ID_KEPT];
    if (!sky_span_eq_str(sky_conn_client_id(conn, room), expected))
        fail_msg("it is not called %s", expected);
}

static void give_back(struct id_case *c, struct sky_conn *conn)
{
    sky_texts_give(&c->net.client_ids, conn->client_id);
}

/* Before it is known whose it is, and after. */
static void its_client_id_is_told_as_it_was(void **state)
{
    struct id_case *c = *state;
    const struct sky_session *session = registry_case_session(&c->base, "aliyun", "pk", "device");
    static const char *const ids[] = {
        "device", "device|securemode=3|", "pk.device", "pk.device|securemode=3|",
        "other",  "devicedevice|",        "devic",     "|device",
        ""};
    for (size_t i = 0; i < SKY_COUNT(ids); i++) {
        struct sky_conn conn = {.net = &c->net};
        assert_called(&conn, "");
        sky_conn_called(&conn, sky_span_str(ids[i]));
        assert_called(&conn, ids[i]);
        conn.device_id = session->device_id;
        assert_called(&conn, ids[i]);
        sky_conn_called(&conn, sky_span_str(ids[i]));
        assert_called(&conn, ids[i]);
        give_back(c, &conn);
    }
}

static void what_many_say_is_kept_once(void **state)
{
    struct id_case *c = *state;
    static const char *const names[] = {"device", "second"};
    struct sky_conn conns[] = {{.net = &c->net}, {.net = &c->net}};
    char id[64];
    for (size_t i = 0; i < SKY_COUNT(names); i++) {
        conns[i].device_id = registry_case_session(&c->base, "aliyun", "pk", names[i])->device_id;
        snprintf(id, sizeof id, "pk.%s|securemode=3|", names[i]);
        sky_conn_called(&conns[i], sky_span_str(id));
    }
    assert_int_equal(c->net.client_ids.by_text.count, 1);
    assert_called(&conns[0], "pk.device|securemode=3|");
    assert_called(&conns[1], "pk.second|securemode=3|");
    give_back(c, &conns[0]);
    give_back(c, &conns[1]);
}

static void the_longest_is_kept_and_of_longer_ones_so_much(void **state)
{
    struct id_case *c = *state;
    char id[SKY_CLIENT_ID_KEPT + 2], room[SKY_CLIENT_ID_KEPT];
    struct sky_conn conn = {.net = &c->net};
    memset(id, 'x', sizeof id);
    memcpy(id, "device", strlen("device"));
    conn.device_id = registry_case_session(&c->base, "aliyun", "pk", "device")->device_id;
    for (size_t len = SKY_CLIENT_ID_KEPT; len <= SKY_CLIENT_ID_KEPT + 1; len++) {
        sky_conn_called(&conn, sky_span_of(id, len));
        assert_true(
            sky_span_eq(sky_conn_client_id(&conn, room), sky_span_of(id, SKY_CLIENT_ID_KEPT)));
    }
    give_back(c, &conn);
}

/* Of a device that has been taken out its connection is closing. */
static void without_its_device_it_is_not_known(void **state)
{
    struct id_case *c = *state;
    struct sky_conn conn = {.net = &c->net};
    struct sky_session *session = registry_case_session(&c->base, "aliyun", "pk", "device");
    conn.device_id = session->device_id;
    sky_conn_called(&conn, SKY_SPAN("device|securemode=3|"));
    sky_session_drop(&c->base.registry, session);
    assert_called(&conn, "");
    give_back(c, &conn);
}

#define ID_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_address_is_told_as_it_was),
        ID_TEST(its_client_id_is_told_as_it_was),
        ID_TEST(what_many_say_is_kept_once),
        ID_TEST(the_longest_is_kept_and_of_longer_ones_so_much),
        ID_TEST(without_its_device_it_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
