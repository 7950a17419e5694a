#include "server/port/mqtt.h"
#include "tests/unit/broker/broker_case.h"
#include "tests/unit/registry/login_try.h"

enum { PACKET_MAX = 4096 };

static struct sky_mqtt_port mqtt;

/* A packet of a client being written: fixed header, two bytes of remaining length, body. */
struct writer {
    struct sky_buf bytes;
};

static void begin(struct writer *w, uint8_t first)
{
    sky_buf_init(&w->bytes, PACKET_MAX);
    sky_buf_add_byte(&w->bytes, first);
    sky_buf_add_byte(&w->bytes, 0x80);
    sky_buf_add_byte(&w->bytes, 0);
}

static void put_number(struct writer *w, size_t number)
{
    sky_buf_add_byte(&w->bytes, (uint8_t)(number >> 8));
    sky_buf_add_byte(&w->bytes, (uint8_t)number);
}

static void put_text(struct writer *w, const char *text)
{
    put_number(w, strlen(text));
    sky_buf_add_str(&w->bytes, text);
}

/* Hands the packet to the port, which takes all of it. */
static void hand_over(struct writer *w, struct sky_conn *conn)
{
    size_t length = w->bytes.len - 3;
    w->bytes.bytes[1] = (char)(0x80 | (length & 0x7f));
    w->bytes.bytes[2] = (char)(length >> 7);
    size_t used = mqtt.port.on_bytes(conn, sky_buf_span(&w->bytes));
    assert_int_equal(used, w->bytes.len);
    sky_buf_done(&w->bytes);
}

static struct sky_conn *open_conn(struct broker_case *c)
{
    struct sky_conn *conn = broker_case_conn(c);
    sky_mqtt_port_init(&mqtt, &c->broker);
    conn->port = &mqtt.port;
    return conn;
}

static void log_in(struct broker_case *c, struct sky_conn *conn, bool clean)
{
    struct login_try t;
    struct writer w;
    login_try_sign(&t, &c->base, "aliyun", "pk", "device", false);
    begin(&w, 0x10);
    put_text(&w, "MQTT");
    sky_buf_add_byte(&w.bytes, 4);
    sky_buf_add_byte(&w.bytes, clean ? 0xc2 : 0xc0);
    put_number(&w, 60);
    put_text(&w, t.credentials.client_id);
    put_text(&w, t.credentials.username);
    put_text(&w, t.credentials.password);
    hand_over(&w, conn);
    assert_non_null(conn->state);
}

/* The last code of the SUBACK to a subscription. */
static uint8_t subscribe(struct sky_conn *conn, const char *filter, uint8_t qos)
{
    struct writer w;
    begin(&w, 0x82);
    put_number(&w, 1);
    put_text(&w, filter);
    sky_buf_add_byte(&w.bytes, qos);
    hand_over(&w, conn);
    return (uint8_t)conn->work->out.bytes[conn->work->out.len - 1];
}

static size_t takeovers(struct broker_case *c)
{
    return registry_case_events(&c->base, SKY_EVENT_TAKEOVER, SKY_F_NAME);
}

static void a_second_login_takes_over_and_keeps_what_is_kept(void **state)
{
    struct broker_case *c = *state;
    struct sky_conn *first = open_conn(c), *second = open_conn(c);
    log_in(c, first, false);
    struct sky_session *session = first->state;
    assert_true(registry_case_kept(&c->base, session, "ALI-DUPLICATE-LOGIN"));
    subscribe(first, "/pk/device/user/both", 1);
    log_in(c, second, false);
    assert_true(first->closing);
    assert_null(first->state);
    assert_ptr_equal(session->conn, second);
    assert_int_equal(second->work->out.bytes[2], 1); /* session present */
    assert_int_equal(sky_subs_count(c->broker.subs, session->slot), 1);
    assert_int_equal(c->base.registry.online, 1);
    assert_int_equal(takeovers(c), 1);
    assert_int_equal(registry_case_findings(&c->base, "ALI-DUPLICATE-LOGIN"), 1);
}

static void one_that_left_and_came_back_at_once_takes_nothing_over(void **state)
{
    struct broker_case *c = *state;
    struct sky_conn *first = open_conn(c), *second = open_conn(c);
    log_in(c, first, true);
    mqtt.port.on_bytes(first, SKY_SPAN("\xe0\x00"));
    assert_true(first->closing);
    log_in(c, second, true);
    assert_int_equal(takeovers(c), 0);
    assert_int_equal(registry_case_findings(&c->base, "ALI-DUPLICATE-LOGIN"), 0);
    mqtt.port.on_close(first);
    struct sky_session *session = second->state;
    assert_ptr_equal(session->conn, second);
    assert_int_equal(c->base.registry.online, 1);
}

static void a_clock_that_jumps_past_the_keepalive_notes_silence_and_closes(void **state)
{
    struct broker_case *c = *state;
    struct sky_conn *conn = open_conn(c);
    log_in(c, conn, true);
    sky_clock_set(&c->base.clock, REGISTRY_CASE_NOW_MS + 3600 * 1000);
    sky_clock_run(&c->base.clock);
    assert_true(conn->closing);
    assert_int_equal(registry_case_findings(&c->base, "ALI-KEEPALIVE-TIMEOUT"), 1);
    assert_int_equal(registry_case_findings(&c->base, "MQTT-KEEPALIVE-DEAD"), 1);
}

static void a_cut_comes_when_its_moment_has_come(void **state)
{
    struct broker_case *c = *state;
    struct sky_conn *conn = open_conn(c);
    log_in(c, conn, true);
    sky_conn_cut(conn, 1000);
    sky_clock_advance(&c->base.clock, 999);
    assert_false(conn->closing);
    sky_clock_advance(&c->base.clock, 1);
    assert_true(conn->closing);
}

static void half_a_packet_is_no_sign_of_life(void **state)
{
    struct broker_case *c = *state;
    struct sky_conn *conn = open_conn(c);
    log_in(c, conn, true);
    sky_clock_advance(&c->base.clock, 60000);
    assert_int_equal(mqtt.port.on_bytes(conn, SKY_SPAN("\xc0")), 0);
    sky_clock_advance(&c->base.clock, 1);
    assert_int_equal(registry_case_findings(&c->base, "ALI-KEEPALIVE-TIMEOUT"), 1);
    assert_int_equal(mqtt.port.on_bytes(conn, SKY_SPAN("\xc0\x00")), 2);
    sky_clock_advance(&c->base.clock, 60000);
    assert_int_equal(registry_case_findings(&c->base, "ALI-KEEPALIVE-TIMEOUT"), 1);
    assert_false(conn->closing);
}

static void a_device_that_speaks_in_time_keeps_its_keepalive(void **state)
{
    struct broker_case *c = *state;
    struct sky_conn *conn = open_conn(c);
    log_in(c, conn, true);
    assert_false(registry_case_kept(&c->base, conn->state, "ALI-KEEPALIVE-TIMEOUT"));
    sky_clock_advance(&c->base.clock, 50000);
    mqtt.port.on_bytes(conn, SKY_SPAN("\xc0\x00"));
    sky_clock_advance(&c->base.clock, 50000);
    assert_true(registry_case_kept(&c->base, conn->state, "ALI-KEEPALIVE-TIMEOUT"));
    assert_true(registry_case_kept(&c->base, conn->state, "MQTT-KEEPALIVE-DEAD"));
}

/* Comes with keepalive 60, subscribes to `filter` if there is one, and leaves. */
static void visit(struct broker_case *c, const char *filter)
{
    struct sky_conn *conn = open_conn(c);
    log_in(c, conn, true);
    if (filter != NULL)
        subscribe(conn, filter, 1);
    mqtt.port.on_bytes(conn, SKY_SPAN("\xe0\x00"));
    mqtt.port.on_close(conn);
}

static struct sky_conn *come_back(struct broker_case *c, bool clean)
{
    struct sky_conn *conn = open_conn(c);
    log_in(c, conn, clean);
    return conn;
}

static void ping(struct sky_conn *conn)
{
    assert_int_equal(mqtt.port.on_bytes(conn, SKY_SPAN("\xc0\x00")), 2);
}

static size_t deaf(struct broker_case *c)
{
    return registry_case_findings(&c->base, "MQTT-RESUBSCRIBE");
}

static void who_lost_its_subscriptions_has_a_keepalive_to_subscribe_again(void **state)
{
    struct broker_case *c = *state;
    visit(c, "/pk/device/user/both");
    struct sky_conn *conn = come_back(c, true);
    sky_clock_advance(&c->base.clock, 50000);
    ping(conn);
    sky_clock_advance(&c->base.clock, 10000);
    assert_int_equal(deaf(c), 0);
    sky_clock_advance(&c->base.clock, 1);
    assert_int_equal(deaf(c), 1);
    ping(conn);
    sky_clock_advance(&c->base.clock, 60000);
    assert_int_equal(deaf(c), 1);
}

static void who_subscribes_again_in_time_is_not_accused(void **state)
{
    struct broker_case *c = *state;
    visit(c, "/pk/device/user/both");
    struct sky_conn *conn = come_back(c, true);
    assert_false(registry_case_kept(&c->base, conn->state, "MQTT-RESUBSCRIBE"));
    sky_clock_advance(&c->base.clock, 59000);
    subscribe(conn, "/pk/device/user/both", 1);
    sky_clock_advance(&c->base.clock, 59000);
    ping(conn);
    sky_clock_advance(&c->base.clock, 59000);
    assert_int_equal(deaf(c), 0);
    assert_true(registry_case_kept(&c->base, conn->state, "MQTT-RESUBSCRIBE"));
}

static void who_leaves_before_that_still_has_to(void **state)
{
    struct broker_case *c = *state;
    visit(c, "/pk/device/user/both");
    visit(c, NULL);
    come_back(c, true);
    sky_clock_advance(&c->base.clock, 61000);
    assert_int_equal(deaf(c), 1);
}

static void who_finds_its_session_or_never_listened_is_not_accused(void **state)
{
    struct broker_case *c = *state;
    visit(c, NULL);
    struct sky_conn *conn = come_back(c, false);
    subscribe(conn, "/pk/device/user/both", 1);
    conn = come_back(c, false);
    assert_true(registry_case_kept(&c->base, conn->state, "MQTT-RESUBSCRIBE"));
    sky_clock_advance(&c->base.clock, 61000);
    assert_int_equal(deaf(c), 0);
}

static void who_unsubscribed_has_nothing_to_subscribe_to(void **state)
{
    struct broker_case *c = *state;
    struct writer w;
    struct sky_conn *conn = come_back(c, true);
    subscribe(conn, "/pk/device/user/both", 1);
    begin(&w, 0xa2);
    put_number(&w, 2);
    put_text(&w, "/pk/device/user/both");
    hand_over(&w, conn);
    come_back(c, true);
    sky_clock_advance(&c->base.clock, 61000);
    assert_int_equal(deaf(c), 0);
}

static void a_device_may_hold_so_many_filters_and_change_those_it_holds(void **state)
{
    static const struct sky_product_topic any = {.pattern = "/{product}/{device}/user/+",
                                                 .sub = true};
    struct broker_case *c = *state;
    struct sky_conn *conn = open_conn(c);
    char filter[64];
    registry_case_rule(&c->base, "ALI-SUB-COUNT=enforce");
    log_in(c, conn, true);
    struct sky_session *session = conn->state;
    size_t max = session->product->cloud->limits.filters_per_device_max;
    assert_int_equal(sky_store_put_topics(c->base.store, session->product->product.id, &any, 1),
                     SKY_OK);
    sky_products_follow(&c->base.registry);
    for (size_t i = 0; i < max; i++) {
        snprintf(filter, sizeof filter, "/pk/device/user/%zu", i);
        assert_int_equal(subscribe(conn, filter, 0), 0);
    }
    assert_int_equal(subscribe(conn, "/pk/device/user/more", 0), SKY_SUBACK_FAILURE);
    assert_int_equal(registry_case_findings(&c->base, "ALI-SUB-COUNT"), 1);
    assert_int_equal(subscribe(conn, filter, 1), 1);
    assert_int_equal(registry_case_findings(&c->base, "ALI-SUB-COUNT"), 1);
}

static void a_filter_too_deep_to_be_kept_is_refused_with_a_reason(void **state)
{
    static const struct sky_product_topic any = {.pattern = "/{product}/{device}/#", .sub = true};
    struct broker_case *c = *state;
    struct sky_conn *conn = open_conn(c);
    char filter[512] = "/pk/device";
    log_in(c, conn, true);
    struct sky_session *session = conn->state;
    assert_int_equal(sky_store_put_topics(c->base.store, session->product->product.id, &any, 1),
                     SKY_OK);
    sky_products_follow(&c->base.registry);
    for (size_t levels = 3; levels < SKY_SUBS_TRIE_DEPTH_MAX; levels++)
        strcat(filter, "/+");
    assert_int_equal(subscribe(conn, filter, 0), 0);
    assert_int_equal(registry_case_findings(&c->base, "ALI-SUB-COUNT"), 0);
    strcat(filter, "/+");
    assert_int_equal(subscribe(conn, filter, 0), SKY_SUBACK_FAILURE);
    assert_int_equal(registry_case_findings(&c->base, "ALI-SUB-COUNT"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_second_login_takes_over_and_keeps_what_is_kept),
        BROKER_TEST(one_that_left_and_came_back_at_once_takes_nothing_over),
        BROKER_TEST(a_clock_that_jumps_past_the_keepalive_notes_silence_and_closes),
        BROKER_TEST(a_cut_comes_when_its_moment_has_come),
        BROKER_TEST(half_a_packet_is_no_sign_of_life),
        BROKER_TEST(a_device_that_speaks_in_time_keeps_its_keepalive),
        BROKER_TEST(who_lost_its_subscriptions_has_a_keepalive_to_subscribe_again),
        BROKER_TEST(who_subscribes_again_in_time_is_not_accused),
        BROKER_TEST(who_leaves_before_that_still_has_to),
        BROKER_TEST(who_finds_its_session_or_never_listened_is_not_accused),
        BROKER_TEST(who_unsubscribed_has_nothing_to_subscribe_to),
        BROKER_TEST(a_device_may_hold_so_many_filters_and_change_those_it_holds),
        BROKER_TEST(a_filter_too_deep_to_be_kept_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
