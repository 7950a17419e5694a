/* One device put back as it was before something was done to it: what goes back, what closes for
 * that, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/admin/admin.h"
#include "server/admin/snapshots.h"
#include "server/broker/delivery.h"
#include "server/broker/kept.h"
#include "server/broker/presence.h"
#include "server/os/config.h"
#include "server/os/listeners.h"
#include "server/registry/sessions.h"

#define FILTER SKY_SPAN("/pk/device/user/get")

struct bench {
    struct sky_config config;
    struct sky_app app;
    struct sky_conn conns[2];
    struct sky_door door;
    size_t conn_count;
    struct sky_port port;
    struct sky_product product; /* aliyun/pk */
    struct sky_device device;   /* "device" */
    struct sky_snapshot snapshot;
};

static void find(struct bench *b, const char *key, struct sky_device *ret_device)
{
    assert_int_equal(sky_store_find_device(b->app.store, SKY_SPAN("aliyun"), SKY_SPAN("pk"),
                                           sky_span_str(key), &b->product, ret_device),
                     SKY_OK);
}

static int open_bench(void **state)
{
    char *argv[] = {(char[]){"skymock"}, (char[]){"--fixtures"},
                    (char[]){SKY_SOURCE_DIR "/tests/support/fixtures.json"}};
    struct bench *b = sky_mem_new(sizeof *b);
    struct sky_why why;
    if (sky_config_parse(&b->config, SKY_COMMAND_SERVE, 3, argv, &why) != SKY_OK ||
        sky_app_prepare(&b->app, &b->config, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    find(b, "device", &b->device);
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < b->conn_count; i++)
        sky_conn_work_free(b->conns[i].work);
    sky_app_release(&b->app);
    sky_config_done(&b->config);
    free(b);
    return 0;
}

static struct sky_session *session_of(struct bench *b, const struct sky_device *device)
{
    return sky_session_open(&b->app.registry, &b->product, device);
}

/* Without a clean session, as those that have something to come back to. */
static struct sky_session *come(struct bench *b, const struct sky_device *device)
{
    struct sky_session *session = session_of(b, device);
    struct sky_conn *conn = &b->conns[b->conn_count++];
    conn->net = &b->app.net;
    conn->port = &b->port;
    conn->id = (uint32_t)b->conn_count;
    b->door =
        (struct sky_door){.listener = sky_listener_find(SKY_SPAN("mqtt")), .transport = SKY_TCP};
    conn->door = &b->door;
    sky_conn_rest(conn);
    conn->state = session;
    conn->device_id = session->device_id;
    session->conn = conn;
    session->kept = true;
    b->app.registry.online++;
    return session;
}

static void subscribe(struct bench *b, struct sky_session *session)
{
    assert_int_equal(sky_session_subscribe(&b->app.broker, session, FILTER, 1), SKY_OK);
}

static void keep(struct bench *b)
{
    assert_int_equal(sky_snapshot_keep_device(&b->app, &b->product, &b->device, &b->snapshot),
                     SKY_OK);
}

static void put_back(struct bench *b)
{
    assert_int_equal(sky_snapshot_restore(&b->app, &b->snapshot), SKY_OK);
    assert_int_equal(sky_snapshot_drop(&b->app, &b->snapshot), SKY_OK);
    assert_int_equal(sky_store_left_snapshot(b->app.store, &b->snapshot), SKY_ERR_NOT_FOUND);
}

static void put_document(struct bench *b, const struct sky_device *device, const char *body)
{
    assert_int_equal(
        sky_store_put_document(b->app.store, device->id, SKY_SPAN("shadow"), sky_span_str(body), 1),
        SKY_OK);
}

static void document_is(struct bench *b, const struct sky_device *device, const char *body)
{
    struct sky_buf found;
    int64_t version;
    sky_buf_init(&found, 1024);
    sky_err err =
        sky_store_get_document(b->app.store, device->id, SKY_SPAN("shadow"), &found, &version);
    assert_int_equal(err, body != NULL ? SKY_OK : SKY_ERR_NOT_FOUND);
    if (body != NULL)
        assert_true(sky_span_eq_str(sky_buf_span(&found), body));
    sky_buf_done(&found);
}

static void push(struct bench *b, struct sky_session *session)
{
    struct sky_mqtt_msg *msg =
        sky_mqtt_msg_new(FILTER, SKY_SPAN("x"), sky_clock_lived_ms(&b->app.clock), 0, NULL);
    sky_kept_put_back(session, msg, 0);
}

static size_t messages_of(struct sky_session *session)
{
    return sky_mqtt_session_inflight(&session->mqtt) + sky_mqtt_session_waiting(&session->mqtt);
}

static bool count_snapshot(void *ctx, const struct sky_snapshot *snapshot)
{
    (void)snapshot;
    ++*(size_t *)ctx;
    return true;
}

/* ---- tests ---- */

static void the_record_goes_back_and_its_connection_closes(void **state)
{
    struct bench *b = *state;
    struct sky_device other, changed = b->device;
    find(b, "second", &other);
    struct sky_session *mine = come(b, &b->device), *its = come(b, &other);
    put_document(b, &b->device, "{}");
    keep(b);
    changed.enabled = false;
    snprintf(changed.secret, sizeof changed.secret, "another");
    assert_int_equal(sky_store_set_device(b->app.store, &changed), SKY_OK);
    put_document(b, &b->device, "{\"a\":1}");
    put_document(b, &other, "{\"a\":2}");
    put_back(b);
    find(b, "device", &changed);
    assert_memory_equal(&changed, &b->device, sizeof changed);
    document_is(b, &b->device, "{}");
    document_is(b, &other, "{\"a\":2}");
    assert_null(mine->conn);
    assert_true(b->conns[0].closing);
    assert_ptr_equal(its->conn, &b->conns[1]);
    assert_false(its->conn->closing);
}

static void documents_alone_close_nothing(void **state)
{
    struct bench *b = *state;
    struct sky_session *session = come(b, &b->device);
    subscribe(b, session);
    keep(b);
    put_document(b, &b->device, "{}");
    put_back(b);
    document_is(b, &b->device, NULL);
    assert_ptr_equal(session->conn, &b->conns[0]);
    assert_false(session->conn->closing);
}

/* It came, became active, got a token and subscribed after the case had begun. */
static void what_a_device_does_by_coming_is_left_alone(void **state)
{
    struct bench *b = *state;
    struct sky_device active = b->device;
    struct sky_token token = {.device_id = b->device.id, .id = "i", .token = "t", .expires_ms = 9};
    keep(b);
    active.state = SKY_DEVICE_ACTIVE;
    assert_int_not_equal(active.state, b->device.state);
    assert_int_equal(sky_store_set_device(b->app.store, &active), SKY_OK);
    assert_int_equal(sky_store_put_token(b->app.store, 0, &token), SKY_OK);
    struct sky_session *session = come(b, &b->device);
    subscribe(b, session);
    put_back(b);
    assert_ptr_equal(session->conn, &b->conns[0]);
    assert_false(session->conn->closing);
    assert_int_equal(sky_subs_count(b->app.broker.subs, session->slot), 1);
    assert_int_equal(sky_store_find_token(b->app.store, SKY_SPAN("i"), &token), SKY_OK);
    find(b, "device", &active);
    assert_int_equal(active.state, SKY_DEVICE_ACTIVE);
}

/* It fetched another secret, and has no other; the record is as it was in everything else. */
static void a_secret_that_was_fetched_stays(void **state)
{
    struct bench *b = *state;
    struct sky_device fetched = b->device;
    (void)session_of(b, &b->device);
    keep(b);
    snprintf(fetched.old_secret, sizeof fetched.old_secret, "%s", fetched.secret);
    snprintf(fetched.secret, sizeof fetched.secret, "fetched");
    fetched.secret_issued = true;
    fetched.enabled = false;
    assert_int_equal(sky_store_set_device(b->app.store, &fetched), SKY_OK);
    put_back(b);
    find(b, "device", &fetched);
    assert_string_equal(fetched.secret, "fetched");
    assert_string_equal(fetched.old_secret, b->device.secret);
    assert_true(fetched.secret_issued && fetched.enabled);
}

static void a_secret_that_was_set_does_not(void **state)
{
    struct bench *b = *state;
    struct sky_device set = b->device;
    (void)session_of(b, &b->device);
    b->device.secret_issued = true;
    assert_int_equal(sky_store_set_device(b->app.store, &b->device), SKY_OK);
    keep(b);
    snprintf(set.secret, sizeof set.secret, "set");
    assert_int_equal(sky_store_set_device(b->app.store, &set), SKY_OK);
    put_back(b);
    find(b, "device", &set);
    assert_memory_equal(&set, &b->device, sizeof set);
}

static void one_that_is_away_has_what_it_had(void **state)
{
    struct bench *b = *state;
    struct sky_session *session = session_of(b, &b->device);
    session->kept = true;
    subscribe(b, session);
    push(b, session);
    keep(b);
    sky_session_wipe(&b->app.broker, session);
    assert_int_equal(messages_of(session), 0);
    put_back(b);
    assert_int_equal(messages_of(session), 1);
    assert_int_equal(sky_subs_count(b->app.broker.subs, session->slot), 1);
}

static void a_message_that_waits_now_closes(void **state)
{
    struct bench *b = *state;
    struct sky_session *session = come(b, &b->device);
    subscribe(b, session);
    keep(b);
    push(b, session);
    put_back(b);
    assert_true(b->conns[0].closing);
    assert_null(session->conn);
    assert_int_equal(messages_of(session), 0);
    assert_int_equal(sky_subs_count(b->app.broker.subs, session->slot), 1);
}

static void a_temporary_device_comes_back_as_one(void **state)
{
    struct bench *b = *state;
    struct sky_device brief = {.product_id = b->product.id, .enabled = true, .temporary = true};
    snprintf(brief.key, sizeof brief.key, "brief");
    snprintf(brief.secret, sizeof brief.secret, "s");
    assert_int_equal(sky_store_add_device(b->app.store, &brief), SKY_OK);
    put_document(b, &brief, "{}");
    b->device = brief;
    keep(b);
    assert_int_equal(sky_store_reset_device(b->app.store, brief.id), SKY_OK);
    put_back(b);
    find(b, "brief", &brief);
    assert_int_equal(brief.id, b->device.id);
    assert_true(brief.temporary);
    document_is(b, &brief, "{}");
}

/* Another device has its key by then, and goes for it. */
static void one_that_was_deleted_takes_the_place_of_its_namesake(void **state)
{
    struct bench *b = *state;
    struct sky_device namesake = b->device;
    keep(b);
    assert_int_equal(sky_store_delete_device(b->app.store, b->device.id), SKY_OK);
    assert_int_equal(sky_store_add_device(b->app.store, &namesake), SKY_OK);
    struct sky_session *session = come(b, &namesake);
    assert_int_not_equal(session->device_id, b->device.id);
    put_back(b);
    find(b, "device", &namesake);
    assert_int_equal(namesake.id, b->device.id);
    assert_true(b->conns[0].closing);
}

static void nothing_comes_back_without_its_product(void **state)
{
    struct bench *b = *state;
    struct sky_device device;
    keep(b);
    assert_int_equal(sky_store_delete_product(b->app.store, b->product.id), SKY_OK);
    put_back(b);
    assert_int_equal(sky_store_get_device(b->app.store, b->device.id, &b->product, &device),
                     SKY_ERR_NOT_FOUND);
    document_is(b, &b->device, NULL);
}

static void faults_of_the_device_go_back_and_others_stay(void **state)
{
    static const char *const texts[] = {
        "{\"point\":\"connack\",\"action\":\"withhold\",\"device\":\"aliyun/pk/device\"}",
        "{\"point\":\"connack\",\"action\":\"withhold\",\"device\":\"aliyun/pk/second\"}"};
    struct bench *b = *state;
    struct sky_buf found;
    struct sky_why why;
    int64_t id, after = 0;
    keep(b);
    for (size_t i = 0; i < SKY_COUNT(texts); i++) {
        cJSON *json = cJSON_Parse(texts[i]);
        assert_int_equal(sky_faults_add(b->app.faults, json, "", &why, &id), SKY_OK);
        cJSON_Delete(json);
    }
    put_back(b);
    sky_buf_init(&found, 4096);
    struct sky_jw jw = sky_jw(&found);
    sky_jw_array(&jw);
    sky_faults_print(b->app.faults, SKY_SPAN_NONE, &after, 10, &jw);
    sky_jw_end_array(&jw);
    assert_true(sky_span_contains(sky_buf_span(&found), SKY_SPAN("second")));
    assert_false(sky_span_contains(sky_buf_span(&found), SKY_SPAN("pk/device")));
    sky_buf_done(&found);
}

/* Neither lists nor limits know of it. */
static void it_is_nobodys(void **state)
{
    struct bench *b = *state;
    struct sky_snapshot again;
    size_t count = 0;
    keep(b);
    assert_int_equal(sky_snapshot_keep_device(&b->app, &b->product, &b->device, &again),
                     SKY_ERR_EXISTS);
    assert_int_equal(sky_store_each_snapshot(b->app.store, count_snapshot, &count), SKY_OK);
    assert_int_equal(count, 0);
    struct sky_snapshot named = {.name = "s"};
    assert_int_equal(sky_snapshot_take(&b->app, NULL, &named), SKY_OK);
    put_back(b);
}

static void what_was_left_of_a_server_that_was_killed_is_put_back(void **state)
{
    struct bench *b = *state;
    struct sky_device changed = b->device;
    keep(b);
    changed.enabled = false;
    assert_int_equal(sky_store_set_device(b->app.store, &changed), SKY_OK);
    assert_int_equal(sky_admin_recover(&b->app), SKY_OK);
    find(b, "device", &changed);
    assert_true(changed.enabled);
    assert_int_equal(sky_store_left_snapshot(b->app.store, &b->snapshot), SKY_ERR_NOT_FOUND);
}

static double ms_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)(now.tv_sec - start->tv_sec) * 1e3 +
           (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

/* A case has one: others in the registry cost it nothing. */
static void it_is_cheap_among_many_devices(void **state)
{
    enum { OTHERS = 10000, ROUNDS = 50 };
    struct bench *b = *state;
    struct timespec start;
    assert_int_equal(sky_store_begin(b->app.store), SKY_OK);
    for (int i = 0; i < OTHERS; i++) {
        struct sky_device other = {.product_id = b->product.id, .enabled = true};
        snprintf(other.key, sizeof other.key, "other%d", i);
        snprintf(other.secret, sizeof other.secret, "s");
        assert_int_equal(sky_store_add_device(b->app.store, &other), SKY_OK);
        put_document(b, &other, "{}");
        session_of(b, &other);
    }
    assert_int_equal(sky_store_commit(b->app.store), SKY_OK);
    struct sky_session *session = come(b, &b->device);
    subscribe(b, session);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (int i = 0; i < ROUNDS; i++) {
        keep(b);
        put_document(b, &b->device, i % 2 ? "{}" : "[]");
        put_back(b);
    }
    double ms = ms_since(&start) / ROUNDS;
    print_message("%.3f ms to keep, put back and drop\n", ms);
    assert_true(ms < 20); /* of this process alone; one that looks at all of them takes more */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_record_goes_back_and_its_connection_closes),
        TEST(documents_alone_close_nothing),
        TEST(what_a_device_does_by_coming_is_left_alone),
        TEST(a_secret_that_was_fetched_stays),
        TEST(a_secret_that_was_set_does_not),
        TEST(one_that_is_away_has_what_it_had),
        TEST(a_message_that_waits_now_closes),
        TEST(a_temporary_device_comes_back_as_one),
        TEST(one_that_was_deleted_takes_the_place_of_its_namesake),
        TEST(nothing_comes_back_without_its_product),
        TEST(faults_of_the_device_go_back_and_others_stay),
        TEST(it_is_nobodys),
        TEST(what_was_left_of_a_server_that_was_killed_is_put_back),
        TEST(it_is_cheap_among_many_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
