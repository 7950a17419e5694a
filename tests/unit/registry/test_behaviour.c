#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/registry/behaviour.h"

/* A device and what is told of it. */
struct watched {
    struct sky_behaviour behaviour;
    struct sky_behaviour_state state;
};

static void happen(struct watched *w, enum sky_event_type type, enum sky_direction direction,
                   uint32_t connection, const struct sky_attr *attr, int64_t lived_ms)
{
    const struct sky_event_head head = {
        .type = type, .direction = direction, .connection = connection, .device_id = 1};
    const struct sky_behaviour_event event = {.head = &head, .attrs = attr, .count = attr != NULL};
    assert_true(sky_behaviour_reads(type));
    sky_behaviour_add(&w->behaviour, &w->state, &event, lived_ms);
}

static void connect(struct watched *w, uint32_t connection, int64_t lived_ms)
{
    const struct sky_attr attr = SKY_ATTR_INT(KEEPALIVE, 60);
    happen(w, SKY_EVENT_CONNECT, SKY_UP, connection, &attr, lived_ms);
}

static void refuse(struct watched *w, uint32_t connection, int64_t lived_ms)
{
    const struct sky_event_head head = {.type = SKY_EVENT_CONNECT, .connection = connection};
    const struct sky_behaviour_event event = {.head = &head, .refused = true};
    sky_behaviour_add(&w->behaviour, &w->state, &event, lived_ms);
}

static void end(struct watched *w, uint32_t connection, int64_t lived_ms)
{
    happen(w, SKY_EVENT_CLOSE, SKY_UP, connection, NULL, lived_ms);
}

static void publish(struct watched *w, const char *topic, uint16_t id, bool dup)
{
    const struct sky_behaviour_message message = {.way = SKY_WAY_UP,
                                                  .topic = sky_span_str(topic),
                                                  .len = 10,
                                                  .qos = id != 0,
                                                  .dup = dup,
                                                  .packet_id = id};
    sky_behaviour_add_message(&w->behaviour, &w->state, &message, 1000);
}

static void intervals_run_from_an_end_to_the_next_connect(void **state)
{
    (void)state;
    struct watched w = {.state = {0}};
    const struct sky_attr refusal = SKY_ATTR_INT(CODE, 3);
    connect(&w, 1, 1000);
    happen(&w, SKY_EVENT_PING, SKY_UP, 1, NULL, 1500);
    end(&w, 1, 2000);
    connect(&w, 2, 3000); /* 1000, behind a connection that was of use */
    end(&w, 2, 4000);
    refuse(&w, 3, 6000); /* 2000, and ended at once */
    refuse(&w, 4, 10000);
    connect(&w, 5, 18000);
    happen(&w, SKY_EVENT_CONNACK, SKY_DOWN, 5, &refusal, 18000); /* a lie */
    connect(&w, 6, 34000);
    connect(&w, 7, 35000); /* takes over: nothing has ended */
    end(&w, 6, 35000);
    end(&w, 7, 40000);
    connect(&w, 8, 45000);
    const uint32_t due[] = {1000, 2000, 4000, 8000, 16000, 5000};
    assert_int_equal(w.behaviour.acts->interval_count, SKY_COUNT(due));
    for (size_t i = 0; i < SKY_COUNT(due); i++) {
        assert_int_equal(w.behaviour.acts->intervals[i].ms, due[i]);
        assert_int_equal(w.behaviour.acts->intervals[i].follows, i > 0);
    }
    assert_int_equal(w.behaviour.connects, 8);
    assert_int_equal(w.behaviour.refused, 3);
    sky_behaviour_done(&w.behaviour);
}

static void the_way_to_the_longest_wait_is_not_pushed_out(void **state)
{
    (void)state;
    struct watched w = {.state = {0}};
    int64_t now_ms = 1000;
    for (uint32_t i = 0; i < 1000; i++) {
        connect(&w, i + 1, now_ms);
        end(&w, i + 1, now_ms);
        now_ms += i < 7 ? 1000 << i : 120000;
    }
    assert_int_equal(w.behaviour.acts->intervals_seen, 999);
    assert_int_equal(w.behaviour.acts->intervals[0].ms, 1000);
    assert_true(w.behaviour.acts->interval_count <= 12);

    struct watched other = {.state = {0}};
    for (uint32_t i = 0; i < 100; i++) {
        connect(&other, i + 1, now_ms);
        end(&other, i + 1, now_ms);
        now_ms += i % 2 == 0 ? 1000 : 2000 + i;
    }
    assert_int_equal(other.behaviour.acts->interval_count, SKY_BEHAVIOUR_INTERVALS_MAX);
    assert_int_equal(other.behaviour.acts->intervals[SKY_BEHAVIOUR_INTERVALS_MAX - 1].ms, 1000);
    sky_behaviour_done(&w.behaviour);
    sky_behaviour_done(&other.behaviour);
}

static void what_is_sent_twice_is_counted(void **state)
{
    (void)state;
    struct watched w = {.state = {0}};
    const struct sky_attr first = SKY_ATTR_INT(PACKET_ID, 1), again = SKY_ATTR_INT(DUP, 1);
    connect(&w, 1, 1000);
    publish(&w, "t", 1, false);
    happen(&w, SKY_EVENT_PUBACK, SKY_DOWN, 1, &first, 1000);
    publish(&w, "t", 1, false); /* the id is free again */
    publish(&w, "t", 1, true);
    publish(&w, "u", 1, false);
    happen(&w, SKY_EVENT_COAP_REQUEST, SKY_UP, 1, &again, 1000);
    assert_int_equal(w.behaviour.acts->resent, 1);
    assert_int_equal(w.behaviour.acts->reused, 1);
    assert_int_equal(w.behaviour.acts->retransmitted, 1);
    sky_behaviour_done(&w.behaviour);
}

static void so_many_topics_have_a_place(void **state)
{
    (void)state;
    struct watched w = {.state = {0}};
    char topic[SKY_BEHAVIOUR_TOPIC_LEN_MAX + 2];
    memset(topic, 'x', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    publish(&w, topic, 0, false); /* too long by one */
    publish(&w, topic + 1, 0, false);
    for (int i = 0; i < SKY_BEHAVIOUR_TOPICS_MAX; i++) {
        snprintf(topic, sizeof topic, "topic/%d", i);
        publish(&w, topic, 0, false);
        publish(&w, topic, 0, false);
    }
    assert_int_equal(w.behaviour.acts->topic_count, SKY_BEHAVIOUR_TOPICS_MAX + 1);
    assert_int_equal(w.behaviour.acts->topics[0].traffic[SKY_WAY_UP].count, 3);
    assert_int_equal(w.behaviour.acts->topics[1].len, SKY_BEHAVIOUR_TOPIC_LEN_MAX);
    assert_int_equal(w.behaviour.acts->topics[2].traffic[SKY_WAY_UP].bytes, 20);
    sky_behaviour_done(&w.behaviour);
}

/* A number says which topic it is, as long as it is that of the message before. */
static void a_topic_known_by_its_number_counts_as_by_its_name(void **state)
{
    (void)state;
    struct watched w = {.state = {0}};
    const struct {
        const char *topic;
        uint64_t id;
    } messages[] = {{"t", 1}, {"t", 1}, {"u", 2}, {"u", 2}, {"t", 1}, {"t", 0}, {"t", 3}, {"u", 3}};
    for (size_t round = 0; round < 2; round++) { /* nothing is left of what was */
        for (size_t i = 0; i < SKY_COUNT(messages); i++) {
            const struct sky_behaviour_message message = {.way = SKY_WAY_UP,
                                                          .topic = sky_span_str(messages[i].topic),
                                                          .topic_id = messages[i].id,
                                                          .len = 10};
            sky_behaviour_add_message(&w.behaviour, &w.state, &message, 1000);
        }
        assert_int_equal(w.behaviour.acts->topic_count, 3);
        assert_int_equal(w.behaviour.acts->topics[1].traffic[SKY_WAY_UP].count,
                         6); /* not looked at */
        assert_int_equal(w.behaviour.acts->topics[2].traffic[SKY_WAY_UP].count, 2);
        sky_behaviour_done(&w.behaviour);
    }
}

static void answers_are_timed(void **state)
{
    (void)state;
    struct watched w = {.state = {0}};
    const struct sky_attr a = SKY_ATTR(NAME, SKY_SPAN("a")), b = SKY_ATTR(NAME, SKY_SPAN("b"));
    happen(&w, SKY_EVENT_COMMAND, SKY_INSIDE, 0, &a, 1000);
    happen(&w, SKY_EVENT_COMMAND, SKY_INSIDE, 0, &b, 1010);
    happen(&w, SKY_EVENT_ANSWER, SKY_UP, 1, &b, 1030);
    happen(&w, SKY_EVENT_ANSWER, SKY_UP, 1, &b, 1040); /* once is enough */
    happen(&w, SKY_EVENT_ANSWER, SKY_UP, 1, &a, 1050);
    assert_int_equal(w.behaviour.acts->commands, 2);
    assert_int_equal(w.behaviour.acts->answers, 2);
    assert_int_equal(w.behaviour.acts->times_ms[0], 20);
    assert_int_equal(w.behaviour.acts->times_ms[1], 50);
    sky_behaviour_done(&w.behaviour);
}

/* Two chapters merged are the same as one: whatever belongs to a device goes on across them. */
static void chapters_make_up_a_run(void **state)
{
    (void)state;
    struct watched whole = {.state = {0}}, parts = {.state = {0}};
    struct sky_behaviour run = {.first_ms = 0};
    const struct sky_behaviour_handshake handshake = {
        .version = "TLS 1.2", .cipher = "X", .full = 1, .longest_ms = 7};
    struct watched *both[] = {&whole, &parts};
    for (size_t i = 0; i < SKY_COUNT(both); i++) {
        connect(both[i], 1, 1000);
        publish(both[i], "a", 1, false);
        publish(both[i], "b", 2, true);
        sky_behaviour_add_handshake(&both[i]->behaviour, &handshake);
        sky_behaviour_add_silence(&both[i]->behaviour, 70);
        end(both[i], 1, 2000);
        if (i == 1) {
            sky_behaviour_merge(&run, &parts.behaviour);
            sky_behaviour_done(&parts.behaviour);
        }
        connect(both[i], 2, 5000);
        publish(both[i], "b", 3, false);
        publish(both[i], "c", 4, false);
        sky_behaviour_add_handshake(&both[i]->behaviour, &handshake);
        sky_behaviour_add_silence(&both[i]->behaviour, 50);
    }
    sky_behaviour_merge(&run, &parts.behaviour);
    const struct sky_behaviour *due = &whole.behaviour;
    assert_int_equal(run.first_ms, due->first_ms);
    assert_int_equal(run.last_ms, due->last_ms);
    assert_int_equal(run.connects, due->connects);
    assert_int_equal(run.keepalive_s, due->keepalive_s);
    assert_int_equal(run.longest_silence_ms, 70);
    assert_int_equal(run.acts->resent, due->acts->resent);
    assert_int_equal(run.acts->interval_count, 1);
    assert_int_equal(run.acts->intervals[0].ms, 3000);
    assert_memory_equal(run.acts->qos, due->acts->qos, sizeof run.acts->qos);
    assert_int_equal(run.acts->handshake_count, 1);
    assert_int_equal(run.acts->handshakes[0].full, 2);
    assert_int_equal(run.acts->topic_count, due->acts->topic_count);
    for (size_t i = 0; i < run.acts->topic_count; i++)
        assert_memory_equal(run.acts->topics[i].traffic, due->acts->topics[i].traffic,
                            sizeof run.acts->topics[i].traffic);
    sky_behaviour_done(&run);
    sky_behaviour_done(&whole.behaviour);
    sky_behaviour_done(&parts.behaviour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_run_from_an_end_to_the_next_connect),
        cmocka_unit_test(the_way_to_the_longest_wait_is_not_pushed_out),
        cmocka_unit_test(what_is_sent_twice_is_counted),
        cmocka_unit_test(so_many_topics_have_a_place),
        cmocka_unit_test(a_topic_known_by_its_number_counts_as_by_its_name),
        cmocka_unit_test(answers_are_timed),
        cmocka_unit_test(chapters_make_up_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
