#include "protocol/base/buf.h"
#include "server/port/mqtt.h"
#include "tests/unit/broker/broker_case.h"

#define TOPIC "/pk/device/user/both"

/* Decides one point, the same way each time. */
struct fault {
    enum sky_point point;
    struct sky_fate fate;
    unsigned seen;
    uint8_t code; /* what a CONNACK is made to say; 0: as it is */
};

static struct sky_fate decide(void *ctx, struct sky_passage *passage)
{
    struct fault *fault = ctx;
    if (passage->point != fault->point)
        return (struct sky_fate){0};
    fault->seen++;
    if (fault->code != 0)
        passage->out->as.connack.code = fault->code;
    return fault->fate;
}

static void install(struct broker_case *c, struct fault *fault)
{
    c->wire.points = UINT32_MAX;
    c->wire.filter = decide;
    c->wire.filter_ctx = fault;
}

static struct sky_buf datagrams;

static void send_datagram(void *channel, sky_span datagram)
{
    (void)channel;
    sky_buf_add(&datagrams, datagram);
}

static const struct sky_channel_kind kind = {.send = send_datagram};

static struct sky_coap_peer peer;

/* A confirmable GET that has come, and its answer. */
static void answer_coap(struct broker_case *c)
{
    static const uint8_t get[] = {0x41, 0x01, 0x12, 0x34, 0x77, 0xb1, 'a'};
    struct sky_coap_request request;
    struct sky_buf unused;
    unsigned saw;
    sky_buf_init(&unused, SKY_COAP_SENT_MAX);
    peer = (struct sky_coap_peer){0};
    assert_int_equal(sky_coap_receive(&peer, sky_span_of((const char *)get, sizeof get), 0,
                                      &request, &saw, &unused),
                     SKY_COAP_STEP_REQUEST);
    struct sky_out out = {
        .point = SKY_POINT_COAP_ANSWER,
        .to = {.channel = &peer, .kind = &kind},
        .as.coap = {.peer = &peer, .request = &request, .response = {.code = SKY_COAP_CONTENT}}};
    assert_true(sky_wire_send(&c->wire, &out));
    sky_buf_done(&unused);
    sky_coap_peer_done(&peer);
}

static void send_connack(struct broker_case *c, struct sky_conn *conn)
{
    struct sky_out out = {.point = SKY_POINT_CONNACK, .to = {.conn = conn}};
    assert_true(sky_wire_send(&c->wire, &out));
}

static void send_puback(struct broker_case *c, struct sky_conn *conn)
{
    struct sky_out out = {
        .point = SKY_POINT_PUBACK_DOWN, .to = {.conn = conn}, .as.ack = {SKY_MQTT_PUBACK, 7}};
    assert_true(sky_wire_send(&c->wire, &out));
}

static void answer_http(struct broker_case *c, struct sky_conn *conn)
{
    struct sky_out out = {.point = SKY_POINT_HTTP_ANSWER,
                          .to = {.conn = conn},
                          .as.http = {.reply = {.status = 200}}};
    assert_true(sky_wire_send(&c->wire, &out));
}

static void an_http_answer_passes_the_same_hook(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_HTTP_ANSWER, .fate = {.name = "f", .withhold = true}};
    answer_http(c, device->conn);
    assert_true(
        sky_span_starts(sky_buf_span(&device->conn->work->out), SKY_SPAN("HTTP/1.1 200 OK")));
    sky_buf_clear(&device->conn->work->out);
    install(c, &fault);
    answer_http(c, device->conn);
    assert_int_equal(device->conn->work->out.len, 0);
    assert_int_equal(fault.seen, 1);
}

/* A CONNACK, a PUBACK, a plain delivery and a CoAP answer are withheld by one and the same hook,
 * each without the others. */
static void whatever_goes_out_can_be_withheld_in_one_way(void **state)
{
    static const enum sky_point points[] = {SKY_POINT_CONNACK, SKY_POINT_PUBACK_DOWN,
                                            SKY_POINT_PUBLISH_DOWN, SKY_POINT_COAP_ANSWER};
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    sky_buf_init(&datagrams, 4096);
    for (size_t i = 0; i < SKY_COUNT(points); i++) {
        struct fault fault = {.point = points[i], .fate = {.name = "w", .withhold = true}};
        install(c, &fault);
        sky_buf_clear(&device->conn->work->out);
        sky_buf_clear(&datagrams);
        send_connack(c, device->conn);
        send_puback(c, device->conn);
        sky_deliver_to(&c->broker, device, SKY_SPAN(TOPIC), SKY_SPAN("x"), 0, 0, 0);
        answer_coap(c);
        assert_int_equal(fault.seen, 1);
        size_t at = 0, connacks = 0, pubacks = 0, publishes = 0;
        while (at < device->conn->work->out.len) {
            const uint8_t *packet = (const uint8_t *)device->conn->work->out.bytes + at;
            connacks += packet[0] >> 4 == SKY_MQTT_CONNACK;
            pubacks += packet[0] >> 4 == SKY_MQTT_PUBACK;
            publishes += packet[0] >> 4 == SKY_MQTT_PUBLISH;
            at += 2U + packet[1];
        }
        assert_int_equal(connacks, points[i] != SKY_POINT_CONNACK);
        assert_int_equal(pubacks, points[i] != SKY_POINT_PUBACK_DOWN);
        assert_int_equal(publishes, points[i] != SKY_POINT_PUBLISH_DOWN);
        assert_int_equal(datagrams.len > 0, points[i] != SKY_POINT_COAP_ANSWER);
        assert_int_equal(registry_case_events(&c->base, SKY_EVENT_FAULT, SKY_F_POINT), i + 1);
        assert_string_equal(c->base.text, sky_point_name(points[i]));
    }
    sky_buf_done(&datagrams);
}

static void what_is_withheld_is_not_told_as_sent(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_CONNACK, .fate = {.name = "f", .withhold = true}};
    install(c, &fault);
    send_connack(c, device->conn);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_CONNACK, SKY_F_NAME), 0);
    c->wire.points = 0;
    send_connack(c, device->conn);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_CONNACK, SKY_F_NAME), 1);
}

static void copies_follow_at_once_and_changes_reach_the_wire(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {
        .point = SKY_POINT_CONNACK, .fate = {.name = "f", .copies = 2}, .code = 3};
    install(c, &fault);
    send_connack(c, device->conn);
    static const char thrice[] = "\x20\x02\x00\x03\x20\x02\x00\x03\x20\x02\x00\x03";
    assert_int_equal(device->conn->work->out.len, sizeof thrice - 1);
    assert_memory_equal(device->conn->work->out.bytes, thrice, sizeof thrice - 1);
}

static void what_is_delayed_goes_when_virtual_time_has_come(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_PUBLISH_DOWN, .fate = {.name = "f", .delay_ms = 1000}};
    struct sky_mqtt_publish got;
    install(c, &fault);
    sky_deliver_to(&c->broker, device, SKY_SPAN(TOPIC), SKY_SPAN("late"), 1, 0, 0);
    sky_clock_advance(&c->base.clock, 999);
    assert_int_equal(broker_case_published(device, &got), 0);
    sky_clock_advance(&c->base.clock, 1);
    assert_int_equal(broker_case_published(device, &got), 1);
    assert_true(sky_span_eq_str(got.payload, "late"));
}

static void nothing_waits_for_a_connection_that_went(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_CONNACK, .fate = {.name = "f", .delay_ms = 1000}};
    install(c, &fault);
    send_connack(c, device->conn);
    sky_wire_forget(&c->wire, device->conn);
    sky_clock_advance(&c->base.clock, 2000);
    assert_int_equal(device->conn->work->out.len, 0);
    assert_null(c->wire.held);
}

static void a_packet_from_a_device_enters_in_one_way_too(void **state)
{
    static const char ping[] = "\xc0\x00";
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_port mqtt;
    sky_mqtt_port_init(&mqtt, &c->broker);
    device->conn->port = &mqtt.port;
    struct fault fault = {.point = SKY_POINT_PINGREQ, .fate = {.name = "f", .withhold = true}};
    install(c, &fault);
    assert_int_equal(mqtt.port.on_bytes(device->conn, SKY_SPAN("\xc0\x00")), sizeof ping - 1);
    assert_int_equal(device->conn->work->out.len, 0);
    fault.fate = (struct sky_fate){.name = "f", .delay_ms = 500};
    mqtt.port.on_bytes(device->conn, SKY_SPAN("\xc0\x00"));
    assert_int_equal(device->conn->work->out.len, 0);
    sky_clock_advance(&c->base.clock, 500);
    assert_int_equal(device->conn->work->out.len, 2);
    fault.fate = (struct sky_fate){.name = "f", .copies = 2};
    mqtt.port.on_bytes(device->conn, SKY_SPAN("\xc0\x00"));
    assert_int_equal(device->conn->work->out.len, 8);
}

static void the_servers_own_closes_pass_too(void **state)
{
    struct broker_case *c = *state;
    struct fault fault = {.point = SKY_POINT_CLOSE, .fate = {.name = "f", .withhold = true}};
    const struct sky_event_head head = {.type = SKY_EVENT_CLOSE};
    assert_true(sky_wire_may_close(&c->wire, &head, "why"));
    install(c, &fault);
    assert_false(sky_wire_may_close(&c->wire, &head, "why"));
    assert_int_equal(fault.seen, 1);
}

static void so_many_passages_wait_and_no_more(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_CONNACK, .fate = {.name = "f", .delay_ms = 1000}};
    install(c, &fault);
    for (int i = 0; i < SKY_WIRE_HELD_MAX; i++)
        send_connack(c, device->conn);
    assert_int_equal(device->conn->work->out.len, 0);
    send_connack(c, device->conn);
    assert_int_equal(device->conn->work->out.len, 4);
}

static void so_many_bytes_wait_and_no_more(void **state)
{
    enum { PIECE = 1024 * 1024 };
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_PUBLISH_DOWN, .fate = {.name = "f", .delay_ms = 1000}};
    char *bytes = sky_mem_new(PIECE);
    struct sky_out out = {.point = SKY_POINT_PUBLISH_DOWN,
                          .to = {.conn = device->conn},
                          .as.raw = sky_span_of(bytes, PIECE),
                          .is_raw = true};
    install(c, &fault);
    for (int i = 0; i < SKY_WIRE_HELD_BYTES_MAX / PIECE; i++) {
        out.decided = false;
        assert_true(sky_wire_send(&c->wire, &out));
    }
    assert_int_equal(device->conn->work->out.len, 0);
    out.decided = false;
    assert_true(sky_wire_send(&c->wire, &out));
    assert_int_equal(device->conn->work->out.len, PIECE);
    sky_wire_forget(&c->wire, device->conn);
    assert_int_equal(c->wire.held_bytes, 0);
    free(bytes);
}

/* Two change places; the second does not wait for a third. */
static void what_is_put_behind_the_next_goes_with_it(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct fault fault = {.point = SKY_POINT_CONNACK,
                          .fate = {.name = "f", .reorder = true, .delay_ms = 1000}};
    static const char swapped[] = "\x40\x02\x00\x07\x20\x02\x00\x00";
    install(c, &fault);
    send_connack(c, device->conn);
    assert_int_equal(c->wire.behind, 1);
    assert_int_equal(device->conn->work->out.len, 0);
    c->wire.points = 0; /* it follows all the same */
    send_puback(c, device->conn);
    assert_int_equal(c->wire.behind, 0);
    assert_int_equal(device->conn->work->out.len, sizeof swapped - 1);
    assert_memory_equal(device->conn->work->out.bytes, swapped, sizeof swapped - 1);
}

static void changed_bytes_are_others_and_as_many(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    static const char whole[] = "\x40\x02\x00\x07";
    struct fault fault = {.point = SKY_POINT_PUBACK_DOWN, .fate = {.name = "f"}};
    install(c, &fault);
    for (uint64_t chance = 0; chance < 1000; chance++) {
        unsigned differ = 0;
        fault.fate.corrupt = (unsigned)(1 + chance % 5);
        fault.fate.corrupt_anywhere = true;
        fault.fate.chance = chance * UINT64_C(0x9e3779b97f4a7c15);
        sky_buf_clear(&device->conn->work->out);
        send_puback(c, device->conn);
        assert_int_equal(device->conn->work->out.len, sizeof whole - 1);
        for (size_t i = 0; i < sizeof whole - 1; i++)
            differ += device->conn->work->out.bytes[i] != whole[i];
        assert_int_equal(differ, fault.fate.corrupt > 4 ? 4 : fault.fate.corrupt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(whatever_goes_out_can_be_withheld_in_one_way),
        BROKER_TEST(an_http_answer_passes_the_same_hook),
        BROKER_TEST(what_is_withheld_is_not_told_as_sent),
        BROKER_TEST(copies_follow_at_once_and_changes_reach_the_wire),
        BROKER_TEST(what_is_delayed_goes_when_virtual_time_has_come),
        BROKER_TEST(nothing_waits_for_a_connection_that_went),
        BROKER_TEST(a_packet_from_a_device_enters_in_one_way_too),
        BROKER_TEST(the_servers_own_closes_pass_too),
        BROKER_TEST(so_many_passages_wait_and_no_more),
        BROKER_TEST(so_many_bytes_wait_and_no_more),
        BROKER_TEST(what_is_put_behind_the_next_goes_with_it),
        BROKER_TEST(changed_bytes_are_others_and_as_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
