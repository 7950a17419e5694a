#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/session.h"

static struct sky_mqtt_session session;
static struct sky_mqtt_session_limits limits;
static struct sky_buf out;

static bool put(struct sky_mqtt_outlet *outlet, const struct sky_mqtt_publish *publish,
                uint64_t tag)
{
    (void)outlet;
    (void)tag;
    return sky_mqtt_publish_size(publish) <= out.max - out.len &&
           sky_mqtt_put_publish(&out, publish);
}
static struct sky_mqtt_outlet outlet = {put};

static int set_up(void **state)
{
    (void)state;
    session = (struct sky_mqtt_session){0};
    limits = (struct sky_mqtt_session_limits){
        .inflight_max = 3, .queue_max = 4, .queue_bytes_max = 1000, .queue_age_max_ms = 0};
    sky_buf_init(&out, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sky_mqtt_session_done(&session);
    sky_buf_done(&out);
    return 0;
}

/* Delivers the one-letter payload `letter`. */
static enum sky_mqtt_delivery deliver_at(char letter, struct sky_mqtt_outlet *to, int64_t born_ms)
{
    struct sky_mqtt_msg *msg =
        sky_mqtt_msg_new(SKY_SPAN("t"), sky_span_of(&letter, 1), born_ms, 0, NULL);
    enum sky_mqtt_delivery delivery = sky_mqtt_session_deliver(&session, &limits, msg, to);
    sky_mqtt_msg_unref(msg);
    return delivery;
}

static enum sky_mqtt_delivery deliver(char letter, struct sky_mqtt_outlet *to)
{
    return deliver_at(letter, to, 0);
}

/* What was sent since the last time, as "a1 b2 a1!" with packet ids and '!' for DUP. */
static const char *sent(void)
{
    static char text[256];
    sky_span rest = sky_buf_span(&out);
    struct sky_mqtt_packet packet;
    struct sky_mqtt_flaw flaw;
    text[0] = '\0';
    while (sky_mqtt_decode(rest, SKY_MQTT_PACKET_MAX, &packet, &flaw) == SKY_MQTT_OK) {
        const struct sky_mqtt_publish *p = &packet.as.publish;
        assert_true(packet.type == SKY_MQTT_PUBLISH && p->qos == 1 && !p->retain);
        sprintf(text + strlen(text), "%s%c%u%s", text[0] ? " " : "", p->payload.ptr[0],
                p->packet_id, p->dup ? "!" : "");
        rest = sky_span_tail(rest, packet.size);
    }
    assert_int_equal(rest.len, 0);
    sky_buf_clear(&out);
    return text;
}

static bool puback(uint16_t id)
{
    return sky_mqtt_session_puback(&session, &limits, id, &outlet);
}

static void a_message_is_shared_and_counted(void **state)
{
    (void)state;
    size_t total = 7;
    struct sky_mqtt_msg *msg = sky_mqtt_msg_new(SKY_SPAN("a/b"), SKY_SPAN("xyz"), 5, 9, &total);
    assert_int_equal(total, 7 + sizeof *msg + 6);
    assert_true(sky_span_eq_str(sky_mqtt_msg_topic(msg), "a/b"));
    assert_true(sky_span_eq_str(sky_mqtt_msg_payload(msg), "xyz"));
    assert_true(msg->refs == 1 && msg->born_ms == 5 && msg->tag == 9);
    assert_int_equal(sky_mqtt_session_deliver(&session, &limits, msg, &outlet), SKY_DELIVERY_SENT);
    assert_int_equal(msg->refs, 2);
    assert_true(puback(1));
    assert_int_equal(msg->refs, 1);
    assert_int_equal(sky_mqtt_session_deliver(&session, &limits, msg, NULL), SKY_DELIVERY_QUEUED);
    sky_mqtt_session_done(&session);
    assert_int_equal(msg->refs, 1);
    limits.queue_max = 0;
    assert_int_equal(sky_mqtt_session_deliver(&session, &limits, msg, NULL), SKY_DELIVERY_DROPPED);
    assert_int_equal(msg->refs, 1);
    sky_mqtt_msg_unref(sky_mqtt_msg_ref(msg));
    assert_int_equal(total, 7 + sizeof *msg + 6);
    sky_mqtt_msg_unref(msg);
    assert_int_equal(total, 7);
    sky_mqtt_msg_unref(NULL);
}

static void messages_are_sent_while_the_window_is_open(void **state)
{
    (void)state;
    assert_int_equal(deliver('a', &outlet), SKY_DELIVERY_SENT);
    assert_int_equal(deliver('b', &outlet), SKY_DELIVERY_SENT);
    assert_int_equal(deliver('c', &outlet), SKY_DELIVERY_SENT);
    assert_int_equal(deliver('d', &outlet), SKY_DELIVERY_QUEUED);
    assert_string_equal(sent(), "a1 b2 c3");
    assert_int_equal(sky_mqtt_session_inflight(&session), 3);
    assert_int_equal(sky_mqtt_session_waiting(&session), 1);
}

static void an_acknowledgement_opens_the_window_for_what_waited(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'e'; c++)
        deliver(c, &outlet);
    sent();
    assert_true(puback(1));
    assert_string_equal(sent(), "d4");
    assert_true(puback(3)); /* out of order */
    assert_string_equal(sent(), "e5");
    assert_true(puback(2) && puback(4) && puback(5));
    assert_string_equal(sent(), "");
}

static void nothing_overtakes_what_waits(void **state)
{
    (void)state;
    deliver('a', NULL);
    assert_int_equal(deliver('b', &outlet), SKY_DELIVERY_QUEUED);
    assert_string_equal(sent(), "");
    sky_mqtt_session_pump(&session, &limits, &outlet);
    assert_string_equal(sent(), "a1 b2");
}

static void an_id_that_is_not_in_flight_changes_nothing(void **state)
{
    (void)state;
    assert_false(puback(1));
    deliver('a', &outlet);
    assert_false(puback(2));
    assert_false(puback(0));
    assert_true(puback(1));
    assert_false(puback(1));
    deliver('b', NULL);
    assert_false(puback(0)); /* a waiting message has no id yet */
    assert_int_equal(sky_mqtt_session_waiting(&session), 1);
}

static void the_next_acknowledgement_is_for_the_oldest(void **state)
{
    (void)state;
    assert_int_equal(sky_mqtt_session_next_ack(&session), 0);
    deliver('a', NULL);
    assert_int_equal(sky_mqtt_session_next_ack(&session), 0);
    deliver('b', NULL);
    sky_mqtt_session_resume(&session, &limits, 0, &outlet);
    assert_int_equal(sky_mqtt_session_next_ack(&session), 1);
    assert_true(puback(1));
    assert_int_equal(sky_mqtt_session_next_ack(&session), 2);
}

static void memory_is_held_only_while_messages_wait(void **state)
{
    (void)state;
    assert_null(session.window);
    deliver('a', &outlet);
    assert_non_null(session.window);
    assert_true(puback(1));
    assert_null(session.window);
    deliver('b', &outlet);
    assert_string_equal(sent(), "a1 b2"); /* ids go on all the same */
}

static void the_new_message_is_dropped_when_the_queue_is_full(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'd'; c++)
        assert_int_equal(deliver(c, NULL), SKY_DELIVERY_QUEUED);
    assert_int_equal(deliver('e', NULL), SKY_DELIVERY_DROPPED);
    sky_mqtt_session_resume(&session, &limits, 0, &outlet);
    assert_string_equal(sent(), "a1 b2 c3");
    assert_true(puback(1));
    assert_string_equal(sent(), "d4");
}

static void the_queue_is_bounded_in_bytes_too(void **state)
{
    (void)state;
    limits.queue_bytes_max = 5; /* each message has two: topic and payload */
    assert_int_equal(deliver('a', NULL), SKY_DELIVERY_QUEUED);
    assert_int_equal(deliver('b', NULL), SKY_DELIVERY_QUEUED);
    assert_int_equal(deliver('c', NULL), SKY_DELIVERY_DROPPED);
    limits.queue_bytes_max = 6;
    assert_int_equal(deliver('d', NULL), SKY_DELIVERY_QUEUED);
    sky_mqtt_session_resume(&session, &limits, 0, &outlet); /* in flight bytes do not count */
    for (char c = 'e'; c <= 'g'; c++)
        assert_int_equal(deliver(c, &outlet), SKY_DELIVERY_QUEUED);
    assert_int_equal(deliver('h', &outlet), SKY_DELIVERY_DROPPED);
}

static void resuming_sends_again_in_order_with_dup_and_old_ids(void **state)
{
    (void)state;
    for (char c = 'a'; c <= 'd'; c++)
        deliver(c, &outlet);
    sent();
    assert_true(sky_mqtt_session_puback(&session, &limits, 2, NULL)); /* as the link broke */
    deliver('e', NULL);
    assert_int_equal(sky_mqtt_session_resume(&session, &limits, 0, &outlet), 0);
    assert_string_equal(sent(), "a1! c3! d4");
    sky_mqtt_session_resume(&session, &limits, 0, &outlet);
    assert_string_equal(sent(), "a1! c3! d4!");
    assert_true(puback(1) && puback(3));
    assert_string_equal(sent(), "e5");
}

static void resuming_drops_what_waited_too_long(void **state)
{
    (void)state;
    deliver_at('a', &outlet, 0); /* in flight: has to be sent again whatever its age */
    sent();
    limits.queue_age_max_ms = 100;
    deliver_at('b', NULL, 99);
    deliver_at('c', NULL, 150);
    deliver_at('d', NULL, 100);
    deliver_at('e', NULL, 99);
    assert_int_equal(sky_mqtt_session_resume(&session, &limits, 200, &outlet), 2);
    assert_string_equal(sent(), "a1! c2 d3");
}

static void resuming_an_empty_session_sends_nothing(void **state)
{
    (void)state;
    limits.queue_age_max_ms = 1;
    assert_int_equal(sky_mqtt_session_resume(&session, &limits, 10, &outlet), 0);
    deliver_at('a', NULL, 0);
    assert_int_equal(sky_mqtt_session_resume(&session, &limits, 10, &outlet), 1);
    assert_string_equal(sent(), "");
    assert_null(session.window);
}

static void a_full_output_makes_messages_wait_and_is_not_marked(void **state)
{
    (void)state;
    sky_buf_done(&out);
    sky_buf_init(&out, 17); /* a message takes eight bytes */
    assert_int_equal(deliver('a', &outlet), SKY_DELIVERY_SENT);
    assert_int_equal(deliver('b', &outlet), SKY_DELIVERY_SENT);
    assert_int_equal(deliver('c', &outlet), SKY_DELIVERY_QUEUED);
    assert_false(out.overflow);
    assert_string_equal(sent(), "a1 b2");
    sky_mqtt_session_pump(&session, &limits, &outlet);
    assert_string_equal(sent(), "c3");
    sky_mqtt_session_resume(&session, &limits, 0, &outlet); /* redelivery too stops at the bound */
    assert_string_equal(sent(), "a1! b2!");
    assert_int_equal(deliver('d', &outlet), SKY_DELIVERY_QUEUED);
    assert_true(puback(3)); /* acknowledged before it was sent again */
    assert_string_equal(sent(), "d4");
    assert_false(out.overflow);
}

static void ids_wrap_past_zero_and_skip_those_in_flight(void **state)
{
    (void)state;
    session.last_id = 65533;
    for (char c = 'a'; c <= 'c'; c++)
        deliver(c, &outlet);
    assert_string_equal(sent(), "a65534 b65535 c1");
    assert_true(puback(65534) && puback(65535));
    session.last_id = 65535;
    deliver('d', &outlet);
    assert_string_equal(sent(), "d2"); /* 1 is still in flight */
}

static void a_whole_circle_of_ids_keeps_the_oldest_its_own(void **state)
{
    (void)state;
    deliver('a', &outlet);
    for (int i = 0; i < 3 * 65535; i++) {
        deliver('b', &outlet);
        uint16_t id = session.last_id;
        assert_true(id > 1);
        assert_true(puback(id));
        sky_buf_clear(&out);
    }
    assert_int_equal(sky_mqtt_session_next_ack(&session), 1);
}

static void random_traffic_arrives_once_and_in_order(void **state)
{
    (void)state;
    unsigned seed = 20240614;
    uint16_t outstanding[8];
    size_t count = 0;
    char next = 'a', want = 'a';
    limits = (struct sky_mqtt_session_limits){
        .inflight_max = 5, .queue_max = 20, .queue_bytes_max = 1000};
    for (int round = 0; round < 50000; round++) {
        if (rand_r(&seed) % 2 == 0) {
            if (deliver(next, &outlet) != SKY_DELIVERY_DROPPED)
                next = next == 'z' ? 'a' : (char)(next + 1);
        } else if (count > 0) {
            size_t at = (size_t)rand_r(&seed) % count;
            assert_true(puback(outstanding[at]));
            outstanding[at] = outstanding[--count];
        }
        sky_span rest = sky_buf_span(&out);
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        while (sky_mqtt_decode(rest, 100, &packet, &flaw) == SKY_MQTT_OK) {
            assert_int_equal(packet.as.publish.payload.ptr[0], want);
            want = want == 'z' ? 'a' : (char)(want + 1);
            assert_true(count < limits.inflight_max);
            outstanding[count++] = packet.as.publish.packet_id;
            rest = sky_span_tail(rest, packet.size);
        }
        sky_buf_clear(&out);
        assert_int_equal(sky_mqtt_session_inflight(&session), count);
    }
}

/* The first at once, each of the others when it is asked for. */
static void what_waited_may_be_spaced(void **state)
{
    (void)state;
    limits.resume_spacing_ms = 500;
    deliver('a', &outlet);
    deliver('b', &outlet);
    assert_string_equal(sent(), "a1 b2");
    deliver('c', NULL);
    assert_int_equal(sky_mqtt_session_resume(&session, &limits, 0, &outlet), 0);
    assert_string_equal(sent(), "a1!");
    assert_int_equal(session.spaced, 2);
    assert_int_equal(deliver('d', &outlet), SKY_DELIVERY_QUEUED); /* it came later */
    sky_mqtt_session_pump(&session, &limits, &outlet);
    assert_true(puback(1));
    assert_string_equal(sent(), "");
    assert_true(sky_mqtt_session_step(&session, &limits, &outlet));
    assert_string_equal(sent(), "b2!");
    assert_false(sky_mqtt_session_step(&session, &limits, &outlet));
    assert_string_equal(sent(), "c3 d4");
    assert_false(sky_mqtt_session_step(&session, &limits, &outlet));
    assert_string_equal(sent(), "");
}

static void what_is_spaced_may_be_acknowledged_before_it_is_sent_again(void **state)
{
    (void)state;
    limits.resume_spacing_ms = 500;
    deliver('a', &outlet);
    deliver('b', &outlet);
    deliver('c', &outlet);
    sent();
    sky_mqtt_session_resume(&session, &limits, 0, &outlet);
    assert_string_equal(sent(), "a1!");
    assert_true(puback(2));
    assert_int_equal(session.spaced, 1);
    assert_false(sky_mqtt_session_step(&session, &limits, &outlet));
    assert_string_equal(sent(), "c3!");
    assert_true(puback(1) && puback(3));
    assert_int_equal(session.spaced, 0);
}

/* It is asked for again, and nothing is lost of a replay that was cut short. */
static void what_is_spaced_waits_for_room(void **state)
{
    (void)state;
    limits.resume_spacing_ms = 500;
    deliver('a', NULL);
    deliver('b', NULL);
    sky_mqtt_session_resume(&session, &limits, 0, &outlet);
    assert_string_equal(sent(), "a1");
    out.max = 0;
    assert_true(sky_mqtt_session_step(&session, &limits, &outlet));
    out.max = 4096;
    sky_mqtt_session_resume(&session, &limits, 0, &outlet);
    assert_string_equal(sent(), "a1!");
    assert_false(sky_mqtt_session_step(&session, &limits, &outlet));
    assert_string_equal(sent(), "b2");
}

static void what_is_not_acknowledged_may_take_up_the_queue(void **state)
{
    (void)state;
    limits.inflight_queues = true;
    for (int i = 0; i < 3; i++)
        assert_int_equal(deliver('a', &outlet), SKY_DELIVERY_SENT);
    assert_true(sky_mqtt_session_takes(&session, &limits, 2, true, false));
    assert_int_equal(deliver('b', NULL), SKY_DELIVERY_QUEUED);
    assert_false(sky_mqtt_session_takes(&session, &limits, 2, true, false));
    assert_int_equal(deliver('c', NULL), SKY_DELIVERY_DROPPED);
    assert_true(sky_mqtt_session_takes(&session, &limits, 2, false, false)); /* while it is here */
    assert_int_equal(deliver('c', &outlet), SKY_DELIVERY_QUEUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_message_is_shared_and_counted),
        TEST(messages_are_sent_while_the_window_is_open),
        TEST(an_acknowledgement_opens_the_window_for_what_waited),
        TEST(nothing_overtakes_what_waits),
        TEST(an_id_that_is_not_in_flight_changes_nothing),
        TEST(the_next_acknowledgement_is_for_the_oldest),
        TEST(memory_is_held_only_while_messages_wait),
        TEST(the_new_message_is_dropped_when_the_queue_is_full),
        TEST(what_waited_may_be_spaced),
        TEST(what_is_spaced_may_be_acknowledged_before_it_is_sent_again),
        TEST(what_is_spaced_waits_for_room),
        TEST(what_is_not_acknowledged_may_take_up_the_queue),
        TEST(the_queue_is_bounded_in_bytes_too),
        TEST(resuming_sends_again_in_order_with_dup_and_old_ids),
        TEST(resuming_drops_what_waited_too_long),
        TEST(resuming_an_empty_session_sends_nothing),
        TEST(a_full_output_makes_messages_wait_and_is_not_marked),
        TEST(ids_wrap_past_zero_and_skip_those_in_flight),
        TEST(a_whole_circle_of_ids_keeps_the_oldest_its_own),
        TEST(random_traffic_arrives_once_and_in_order),
    };
    return cmocka_run_group_tests_name("mqtt_session", tests, NULL, NULL);
}
