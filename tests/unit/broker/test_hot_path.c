/* What a publish costs: one that no service handles touches neither JSON nor SQLite, and one that
 * a service handles is checked once and read without a tree. The entry points are wrapped by the
 * linker, counted, and called all the same. */
#include "tests/unit/broker/broker_case.h"

#include "protocol/base/json_tree.h"
#include "store/internal.h"

static size_t statements, checks, trees;

int __real_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_step(sqlite3_stmt *stmt);
cJSON *__real_cJSON_ParseWithLength(const char *text, size_t len);
cJSON *__wrap_cJSON_ParseWithLength(const char *text, size_t len);
sky_err __real_sky_json_check(sky_span text, int depth_max, struct sky_why *why);
sky_err __wrap_sky_json_check(sky_span text, int depth_max, struct sky_why *why);

int __wrap_sqlite3_step(sqlite3_stmt *stmt)
{
    statements++;
    return __real_sqlite3_step(stmt);
}

cJSON *__wrap_cJSON_ParseWithLength(const char *text, size_t len)
{
    trees++;
    return __real_cJSON_ParseWithLength(text, len);
}

sky_err __wrap_sky_json_check(sky_span text, int depth_max, struct sky_why *why)
{
    checks++;
    return __real_sky_json_check(text, depth_max, why);
}

static void publish(struct broker_case *c, struct sky_session *session, const char *topic,
                    const char *payload)
{
    const struct sky_act act = {.session = session,
                                .topic = sky_span_str(topic),
                                .payload = sky_span_str(payload),
                                .connection = session->conn->id,
                                .packet_id = 9,
                                .qos = 1};
    sky_publish(&c->broker, &act);
}

static void what_no_service_handles_touches_neither_json_nor_the_store(void **state)
{
    static const char topic[] = "/pk/device/user/both";
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_session *away = registry_case_session(&c->base, "aliyun", "pk", "second");
    away->kept = true;
    broker_case_subscribe(c, device, topic, 1);
    broker_case_subscribe(c, away, "/pk/device/#", 1);
    statements = checks = trees = 0;
    for (int i = 0; i < 100; i++)
        publish(c, device, topic, "{\"json\":true}");
    assert_int_equal(checks, 0);
    assert_int_equal(trees, 0);
    assert_int_equal(statements, 0);
    struct sky_mqtt_publish got;
    assert_int_equal(broker_case_published(device, &got), 100);
}

static void what_a_turn_changes_is_one_transaction(void **state)
{
    static const char topic[] = "/sys/pk/device/thing/event/property/post";
    static const char payload[] = "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{\"a\":1},"
                                  "\"method\":\"thing.event.property.post\"}";
    enum { READS_AND_WRITES = 3 }; /* of one post: device and document read, document written */
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    publish(c, device, topic, payload);
    assert_int_equal(sky_store_settle(c->base.store), SKY_OK);
    statements = checks = trees = 0;
    for (int i = 0; i < 100; i++)
        publish(c, device, topic, payload);
    assert_int_equal(sky_store_settle(c->base.store), SKY_OK);
    assert_int_equal(checks, 100);
    assert_int_equal(trees, 0);
    assert_int_equal(statements, 100 * READS_AND_WRITES + 2); /* BEGIN and COMMIT */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(what_no_service_handles_touches_neither_json_nor_the_store),
        BROKER_TEST(what_a_turn_changes_is_one_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
