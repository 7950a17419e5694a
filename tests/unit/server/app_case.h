/* A server without a network: registry, rules, journal and broker as they really are, with the
 * devices of tests/support/fixtures.json, time standing still, and connections whose output is
 * looked at instead of being sent. */
#ifndef SKY_TEST_APP_CASE_H
#define SKY_TEST_APP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/journal/read.h"
#include "server/os/config.h"

#define APP_CASE_NOW_MS INT64_C(1600000000000)

enum { APP_CASE_CONNS = 2 };

struct app_case {
    struct sky_config config;
    struct sky_app app;
    struct sky_conn conns[APP_CASE_CONNS];
    size_t conn_count;
    char text[256]; /* of the last event asked for */
};

static inline int app_case_open(void **state)
{
    static char name[] = "skymock", option[] = "--fixtures";
    static char path[] = SKY_SOURCE_DIR "/tests/support/fixtures.json";
    char *argv[] = {name, option, path, NULL};
    struct app_case *c = sky_mem_new(sizeof *c);
    struct sky_why why;
    if (sky_config_parse(&c->config, SKY_COMMAND_SERVE, 3, argv, &why) != SKY_OK ||
        sky_app_prepare(&c->app, &c->config, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    sky_clock_freeze(&c->app.clock);
    sky_clock_set(&c->app.clock, APP_CASE_NOW_MS);
    *state = c;
    return 0;
}

static inline int app_case_close(void **state)
{
    struct app_case *c = *state;
    for (size_t i = 0; i < c->conn_count; i++)
        sky_buf_done(&c->conns[i].out);
    sky_app_release(&c->app);
    sky_config_done(&c->config);
    free(c);
    return 0;
}

#define APP_TEST(test) cmocka_unit_test_setup_teardown(test, app_case_open, app_case_close)

/* Overrides a rule for all products: "ID=action". */
static inline void app_case_rule(struct app_case *c, const char *override)
{
    assert_int_equal(sky_policy_override(&c->app.policy, sky_span_str(override), NULL), SKY_OK);
}

static inline void app_case_find(struct app_case *c, const char *cloud, const char *product,
                                 const char *device, struct sky_product *ret_product,
                                 struct sky_device *ret_device)
{
    assert_int_equal(sky_store_find_device(c->app.store, sky_span_str(cloud), sky_span_str(product),
                                           sky_span_str(device), ret_product, ret_device),
                     SKY_OK);
}

/* The session of a device that is away. */
static inline struct sky_session *app_case_session(struct app_case *c, const char *cloud,
                                                   const char *product, const char *device)
{
    struct sky_product found_product;
    struct sky_device found_device;
    app_case_find(c, cloud, product, device, &found_product, &found_device);
    return sky_session_open(&c->app, &found_product, &found_device);
}

/* A connection on the listener `mqtt`, on nobody's behalf. */
static inline struct sky_conn *app_case_conn(struct app_case *c)
{
    assert_true(c->conn_count < APP_CASE_CONNS);
    struct sky_conn *conn = &c->conns[c->conn_count++];
    conn->app = &c->app;
    conn->id = (uint32_t)c->conn_count;
    conn->door =
        (struct sky_door){.listener = sky_front_find_row(SKY_SPAN("mqtt")), .transport = SKY_TCP};
    sky_buf_init(&conn->out, SKY_CONN_OUTPUT_MAX);
    return conn;
}

/* The session of a device that is connected. */
static inline struct sky_session *app_case_online(struct app_case *c, const char *cloud,
                                                  const char *product, const char *device)
{
    struct sky_session *session = app_case_session(c, cloud, product, device);
    session->conn = app_case_conn(c);
    session->conn->state = session;
    session->conn->device_id = session->device_id;
    session->clean = true;
    c->app.sessions.online++;
    return session;
}

static inline void app_case_subscribe(struct app_case *c, const struct sky_session *session,
                                      const char *filter, uint8_t qos)
{
    assert_int_equal(sky_subs_add(c->app.broker.subs, session->slot, sky_span_str(filter), qos),
                     SKY_OK);
}

/* Takes the next packet off what was put out to the device; false when there is none. The packet's
 * views are good until more is put out. */
static inline bool app_case_take(struct sky_session *session, size_t *at,
                                 struct sky_mqtt_packet *ret_packet)
{
    const struct sky_rule *rule = NULL;
    sky_span rest = sky_span_tail(sky_buf_span(&session->conn->out), *at);
    if (rest.len == 0)
        return false;
    assert_int_equal(sky_mqtt_decode(rest, SKY_MQTT_PACKET_MAX, ret_packet, &rule), SKY_MQTT_OK);
    *at += ret_packet->size;
    return true;
}

/* How many PUBLISH packets were put out to the device, the last of them, if any, in `ret_last`. */
static inline size_t app_case_published(struct sky_session *session,
                                        struct sky_mqtt_publish *ret_last)
{
    struct sky_mqtt_packet packet;
    size_t at = 0, count = 0;
    while (app_case_take(session, &at, &packet)) {
        if (packet.type != SKY_MQTT_PUBLISH)
            continue;
        *ret_last = packet.as.publish;
        count++;
    }
    return count;
}

/* ---- the journal ---- */

/* How many events of a type there are; `field` of the last one as text in `c->text`. */
static inline size_t app_case_events(struct app_case *c, enum sky_event_type type,
                                     enum sky_event_field field)
{
    struct sky_cursor cursor;
    struct sky_event event;
    size_t count = 0;
    c->text[0] = '\0';
    sky_cursor_init(&cursor, c->app.journal, 0);
    while (sky_cursor_next(&cursor, &event)) {
        if (event.head.type != type)
            continue;
        const struct sky_attr *attr = sky_event_get(&event, field);
        if (attr != NULL)
            sky_span_copy(sky_span_head(attr->bytes, sizeof c->text - 1), c->text, sizeof c->text);
        count++;
    }
    sky_cursor_done(&cursor);
    return count;
}

/* How many events name this rule; what is said of the last one in `c->text`. */
static inline size_t app_case_findings(struct app_case *c, const char *rule)
{
    struct sky_cursor cursor;
    struct sky_event event;
    size_t count = 0;
    c->text[0] = '\0';
    sky_cursor_init(&cursor, c->app.journal, 0);
    while (sky_cursor_next(&cursor, &event)) {
        for (size_t i = 0; i < event.finding_count; i++) {
            if (!sky_span_eq_str(event.findings[i].rule_id, rule))
                continue;
            sky_span_copy(event.findings[i].detail, c->text, sizeof c->text);
            count++;
        }
    }
    sky_cursor_done(&cursor);
    return count;
}

static inline size_t app_case_index(const struct app_case *c, const char *id)
{
    const struct sky_rule *rule = sky_catalogue_find(&c->app.catalogue, sky_span_str(id));
    if (rule == NULL)
        fail_msg("there is no rule %s", id);
    return sky_catalogue_index(&c->app.catalogue, rule);
}

/* Has the device been seen to keep the rule, and never to break it? */
static inline bool app_case_kept(const struct app_case *c, const struct sky_session *session,
                                 const char *id)
{
    size_t index = app_case_index(c, id);
    return sky_rule_set_has(&session->conduct.exercised, index) &&
           !sky_rule_set_has(&session->conduct.broken, index);
}

#endif
