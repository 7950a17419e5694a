#include "server/fault/fault.h"
#include "tests/unit/broker/broker_case.h"

#define DEVICE "aliyun/pk/device"

struct fault_case {
    struct broker_case base;
    struct sky_faults *faults;
    struct sky_session *device;
    struct sky_buf text;
};

static int open_case(void **state)
{
    void *base = NULL;
    struct fault_case *c = sky_mem_new(sizeof *c);
    (void)base;
    registry_case_init(&c->base.base);
    c->base.net.registry = &c->base.base.registry;
    c->base.net.journal = c->base.base.journal;
    c->base.net.clock = &c->base.base.clock;
    c->base.wire.clock = &c->base.base.clock;
    c->base.wire.journal = c->base.base.journal;
    c->base.broker.registry = &c->base.base.registry;
    c->base.broker.wire = &c->base.wire;
    sky_topics_init(&c->base.broker);
    sky_clock_freeze(&c->base.base.clock);
    c->faults = sky_faults_new(&c->base.base.registry, &c->base.wire, &c->base.net);
    c->device = broker_case_online(&c->base, "aliyun", "pk", "device");
    sky_buf_init(&c->text, 1024 * 1024);
    *state = c;
    return 0;
}

static int close_case(void **state)
{
    struct fault_case *c = *state;
    sky_faults_free(c->faults);
    sky_buf_done(&c->text);
    for (size_t i = 0; i < c->base.conn_count; i++)
        sky_conn_work_free(c->base.conns[i].work);
    sky_commands_done(&c->base.broker);
    sky_sessions_forget(&c->base.broker);
    sky_topics_done(&c->base.broker);
    sky_wire_done(&c->base.wire);
    registry_case_done(&c->base.base);
    free(c);
    return 0;
}

#define FAULT_TEST(test) cmocka_unit_test_setup_teardown(test, open_case, close_case)

static int64_t make(struct fault_case *c, const char *json)
{
    struct sky_why why;
    int64_t id = 0;
    cJSON *tree = cJSON_Parse(json);
    assert_non_null(tree);
    assert_int_equal(sky_faults_add(c->faults, tree, "", &why, &id), SKY_OK);
    cJSON_Delete(tree);
    return id;
}

/* Sends PUBACKs with these ids up to a number: a bit for each that went out. */
static uint64_t acknowledge(struct fault_case *c, uint16_t last)
{
    uint64_t went = 0;
    for (uint16_t id = 1; id <= last; id++) {
        struct sky_out out;
        sky_buf_clear(&c->device->conn->work->out);
        sky_out_begin(&out, SKY_POINT_PUBACK_DOWN, c->device->conn);
        out.as.ack.type = SKY_MQTT_PUBACK;
        out.as.ack.packet_id = id;
        assert_true(sky_wire_send(&c->base.wire, &out));
        went |= (uint64_t)(c->device->conn->work->out.len > 0) << id;
    }
    return went;
}

static const char *listed(struct fault_case *c, const char *name)
{
    struct sky_jw jw = sky_jw(&c->text);
    sky_buf_clear(&c->text);
    int64_t after = 0;
    sky_jw_array(&jw);
    while (sky_faults_print(c->faults, sky_span_str(name), &after, 1, &jw))
        continue; /* in pieces as in one */
    sky_jw_end_array(&jw);
    sky_buf_add_byte(&c->text, '\0');
    return c->text.bytes;
}

static void save(struct fault_case *c, const char *name)
{
    sky_buf_clear(&c->text);
    sky_faults_save(c->faults, sky_span_str(name), &c->text);
}

static void restore(struct fault_case *c, const char *name)
{
    struct sky_why why;
    struct sky_buf saved = c->text;
    sky_buf_init(&c->text, 1024 * 1024);
    assert_int_equal(sky_faults_restore(c->faults, sky_span_str(name), sky_buf_span(&saved), &why),
                     SKY_OK);
    sky_buf_done(&saved);
}

#define WITHHOLD "\"point\":\"puback-down\",\"action\":\"withhold\""

static void only_points_with_faults_are_armed(void **state)
{
    struct fault_case *c = *state;
    assert_int_equal(c->base.wire.points, 0);
    int64_t id = make(c, "{" WITHHOLD ",\"count\":1}");
    assert_int_equal(c->base.wire.points, 1U << SKY_POINT_PUBACK_DOWN);
    assert_int_equal(acknowledge(c, 3), 0xc);
    assert_int_equal(c->base.wire.points, 0); /* for it is spent */
    assert_true(sky_faults_drop(c->faults, id));
    assert_false(sky_faults_drop(c->faults, id));
    assert_string_equal(listed(c, ""), "[]");
}

static void the_limit_is_a_limit(void **state)
{
    struct fault_case *c = *state;
    struct sky_why why;
    int64_t id;
    for (int i = 0; i < SKY_FAULTS_MAX; i++)
        make(c, "{" WITHHOLD "}");
    cJSON *one = cJSON_Parse("{" WITHHOLD "}");
    assert_int_equal(sky_faults_add(c->faults, one, "/fault", &why, &id), SKY_ERR_LIMIT);
    assert_string_equal(why.pointer, "/fault");
    sky_faults_clear(c->faults, SKY_SPAN_NONE);
    assert_int_equal(sky_faults_add(c->faults, one, "", &why, &id), SKY_OK);
    cJSON_Delete(one);
}

static void a_bad_one_is_refused_where_it_is_bad(void **state)
{
    struct fault_case *c = *state;
    struct sky_why why;
    int64_t id;
    cJSON *bad = cJSON_Parse("{" WITHHOLD ",\"ms\":5}");
    assert_int_equal(sky_faults_add(c->faults, bad, "/steps/3/fault", &why, &id), SKY_ERR_INVALID);
    assert_string_equal(why.pointer, "/steps/3/fault/ms");
    cJSON_Delete(bad);
    bad = cJSON_Parse("[]");
    assert_int_equal(sky_faults_add(c->faults, bad, "", &why, &id), SKY_ERR_INVALID);
    cJSON_Delete(bad);
    assert_string_equal(listed(c, ""), "[]");
}

/* What is saved goes on where it was: with its number, its count, its chance and its time. */
static void saved_faults_go_on_where_they_were(void **state)
{
    struct fault_case *c = *state;
    make(c, "{" WITHHOLD ",\"probability\":0.5,\"seed\":7,\"skip\":3,\"count\":20,\"forMs\":1000}");
    acknowledge(c, 10);
    sky_clock_advance(&c->base.base.clock, 600);
    save(c, "");
    char *before = sky_mem_dup(c->text.bytes, c->text.len);
    uint64_t goes_on = acknowledge(c, 10);
    c->text.len = 0;
    sky_buf_add_str(&c->text, before);
    restore(c, "");
    save(c, "");
    assert_int_equal(c->text.len, strlen(before));
    assert_memory_equal(c->text.bytes, before, c->text.len);
    assert_int_equal(acknowledge(c, 10), goes_on);
    sky_clock_advance(&c->base.base.clock, 399);
    assert_int_not_equal(acknowledge(c, 63) >> 1, UINT64_MAX >> 1);
    sky_clock_advance(&c->base.base.clock, 1);
    assert_int_equal(acknowledge(c, 10), 0x7fe);
    free(before);
}

static void restoring_a_product_leaves_the_others_alone(void **state)
{
    struct fault_case *c = *state;
    make(c, "{" WITHHOLD ",\"name\":\"all\"}");
    make(c, "{" WITHHOLD ",\"name\":\"pk\",\"product\":\"aliyun/pk\"}");
    make(c, "{" WITHHOLD ",\"name\":\"one\",\"device\":\"" DEVICE "\"}");
    save(c, "aliyun/pk");
    sky_faults_clear(c->faults, SKY_SPAN("aliyun/pk"));
    make(c, "{" WITHHOLD ",\"name\":\"new\",\"product\":\"aliyun/pk\"}");
    make(c, "{" WITHHOLD ",\"name\":\"pk2\",\"product\":\"aliyun/pk2\"}");
    c->text.len = 0;
    save(c, "aliyun/pk"); /* the new one */
    struct sky_why why;
    char *saved = sky_mem_dup(c->text.bytes, c->text.len);
    sky_faults_clear(c->faults, SKY_SPAN(DEVICE));
    assert_int_equal(
        sky_faults_restore(c->faults, SKY_SPAN("aliyun/pk"), sky_span_str(saved), &why), SKY_OK);
    free(saved);
    const char *text = listed(c, "");
    assert_non_null(strstr(text, "\"all\""));
    assert_non_null(strstr(text, "\"new\""));
    assert_non_null(strstr(text, "\"pk2\""));
    assert_null(strstr(text, "\"one\""));
    assert_string_not_equal(listed(c, "aliyun/pk"), "[]");
}

static void what_is_no_saved_text_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[1]",
        "[{}]",
        "[{" WITHHOLD "}]",
        "[{" WITHHOLD ",\"id\":1,\"fired\":0,\"seen\":0,\"drawn\":0,\"leftMs\":0,\"x\":1}]",
        "[{\"point\":\"connect\",\"action\":\"set\",\"id\":1,\"fired\":0,\"seen\":0,\"drawn\":0,"
        "\"leftMs\":0}]"};
    struct fault_case *c = *state;
    struct sky_why why;
    make(c, "{" WITHHOLD "}");
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        assert_int_equal(sky_faults_restore(c->faults, SKY_SPAN_NONE, sky_span_str(texts[i]), &why),
                         SKY_ERR_INVALID);
    assert_string_not_equal(listed(c, ""), "[]");
}

/* A number that another run gave out already goes to nobody twice. */
static void a_restored_number_is_nobody_elses(void **state)
{
    struct fault_case *c = *state;
    make(c, "{" WITHHOLD ",\"product\":\"aliyun/pk\"}");
    save(c, "aliyun/pk");
    sky_faults_clear(c->faults, SKY_SPAN_NONE);
    sky_faults_free(c->faults);
    c->faults = sky_faults_new(&c->base.base.registry, &c->base.wire, &c->base.net);
    make(c, "{" WITHHOLD ",\"product\":\"aliyun/other\"}");
    restore(c, "aliyun/pk");
    int64_t next = make(c, "{" WITHHOLD "}");
    assert_int_equal(next, 3);
    assert_true(sky_faults_drop(c->faults, 2));
    assert_true(sky_faults_drop(c->faults, 1));
}

static void every_pair_is_possible_or_has_a_reason(void **state)
{
    (void)state;
    for (unsigned point = 0; point < SKY_POINT_CHOSEN_COUNT; point++) {
        for (unsigned action = 0; action < SKY_FAULT_ACTION_COUNT; action++) {
            const char *why =
                sky_fault_refusal((enum sky_point)point, (enum sky_fault_action)action);
            assert_true(why == NULL || strlen(why) > 10);
        }
        assert_int_equal(sky_fault_fields((enum sky_point)point) != 0,
                         sky_fault_refusal((enum sky_point)point, SKY_FAULT_SET) == NULL);
        assert_int_equal(point == SKY_POINT_HANDSHAKE,
                         sky_fault_refusal((enum sky_point)point, SKY_FAULT_CERTIFICATE) == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(only_points_with_faults_are_armed),
        FAULT_TEST(the_limit_is_a_limit),
        FAULT_TEST(a_bad_one_is_refused_where_it_is_bad),
        FAULT_TEST(saved_faults_go_on_where_they_were),
        FAULT_TEST(restoring_a_product_leaves_the_others_alone),
        FAULT_TEST(what_is_no_saved_text_changes_nothing),
        FAULT_TEST(a_restored_number_is_nobody_elses),
        cmocka_unit_test(every_pair_is_possible_or_has_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
