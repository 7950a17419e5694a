/* A server without sockets: what registry_case.h has, and wire and broker above it, with
 * connections whose output is looked at instead of being sent. */
#ifndef SKY_TEST_BROKER_CASE_H
#define SKY_TEST_BROKER_CASE_H

#include <stdlib.h>

#include "server/broker/delivery.h"
#include "server/broker/presence.h"
#include "server/broker/publish.h"
#include "server/broker/waits.h"
#include "server/os/listeners.h"
#include "tests/unit/registry/registry_case.h"

enum { BROKER_CASE_CONNS = 4 };

struct broker_case {
    struct registry_case base;
    struct sky_net net;
    struct sky_wire wire;
    struct sky_broker broker;
    struct sky_conn conns[BROKER_CASE_CONNS];
    struct sky_door door;
    size_t conn_count;
};

static inline int broker_case_open(void **state)
{
    struct broker_case *c = sky_mem_new(sizeof *c);
    registry_case_init(&c->base);
    c->net.registry = &c->base.registry;
    c->net.journal = c->base.journal;
    c->net.clock = &c->base.clock;
    c->wire.clock = &c->base.clock;
    c->wire.journal = c->base.journal;
    c->broker.registry = &c->base.registry;
    c->broker.wire = &c->wire;
    sky_topics_init(&c->broker);
    *state = c;
    return 0;
}

static inline int broker_case_close(void **state)
{
    struct broker_case *c = *state;
    for (size_t i = 0; i < c->conn_count; i++) {
        sky_conn_work_free(c->conns[i].work);
        if (c->conns[i].own_door)
            free(c->conns[i].door);
        sky_texts_give(&c->net.client_ids, c->conns[i].client_id);
    }
    sky_texts_done(&c->net.client_ids);
    sky_commands_done(&c->broker);
    sky_sessions_forget(&c->broker);
    sky_topics_done(&c->broker);
    sky_wire_done(&c->wire);
    registry_case_done(&c->base);
    free(c);
    return 0;
}

#define BROKER_TEST(test) cmocka_unit_test_setup_teardown(test, broker_case_open, broker_case_close)

static struct sky_port broker_case_port;

static inline struct sky_conn *broker_case_conn(struct broker_case *c)
{
    assert_true(c->conn_count < BROKER_CASE_CONNS);
    struct sky_conn *conn = &c->conns[c->conn_count++];
    conn->net = &c->net;
    conn->port = &broker_case_port;
    conn->id = (uint32_t)c->conn_count;
    sky_conn_rest(conn);
    c->door =
        (struct sky_door){.listener = sky_listener_find(SKY_SPAN("mqtt")), .transport = SKY_TCP};
    conn->door = &c->door;
    (void)sky_conn_work(conn);
    return conn;
}

static inline struct sky_session *broker_case_online(struct broker_case *c, const char *cloud,
                                                     const char *product, const char *device)
{
    struct sky_session *session = registry_case_session(&c->base, cloud, product, device);
    session->conn = broker_case_conn(c);
    session->conn->state = session;
    session->conn->device_id = session->device_id;
    session->clean = true;
    c->base.registry.online++;
    return session;
}

static inline void broker_case_subscribe(struct broker_case *c, const struct sky_session *session,
                                         const char *filter, uint8_t qos)
{
    assert_int_equal(sky_subs_add(c->broker.subs, session->slot, sky_span_str(filter), qos),
                     SKY_OK);
}

static inline bool broker_case_take(struct sky_session *session, size_t *at,
                                    struct sky_mqtt_packet *ret_packet)
{
    struct sky_mqtt_flaw flaw = {.rule = NULL};
    sky_span rest = sky_span_tail(sky_buf_span(&session->conn->work->out), *at);
    if (rest.len == 0)
        return false;
    assert_int_equal(sky_mqtt_decode(rest, SKY_MQTT_PACKET_MAX, ret_packet, &flaw), SKY_MQTT_OK);
    *at += ret_packet->size;
    return true;
}

static inline size_t broker_case_published(struct sky_session *session,
                                           struct sky_mqtt_publish *ret_last)
{
    struct sky_mqtt_packet packet;
    size_t at = 0, count = 0;
    *ret_last = (struct sky_mqtt_publish){0}; /* no optimizer sees that there was one */
    while (broker_case_take(session, &at, &packet)) {
        if (packet.type != SKY_MQTT_PUBLISH)
            continue;
        *ret_last = packet.as.publish;
        count++;
    }
    return count;
}

#endif
