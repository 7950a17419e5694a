/* Commands that wait for answers: how many may, how long, and who gets which answer. */
#include "tests/unit/broker/broker_case.h"

#include "server/broker/commands.h"
#include "server/broker/effects.h"

/* What a wait was told when it ended. */
struct ended {
    size_t times, answered;
    char id[SKY_COMMAND_ID_MAX + 1], payload[64];
};

static void on_done(void *ctx, const struct sky_command_wait *wait,
                    const struct sky_command_answer *answer)
{
    struct ended *ended = ctx;
    ended->times++;
    ended->answered += answer != NULL;
    snprintf(ended->id, sizeof ended->id, "%s", wait->id);
    if (answer != NULL)
        sky_span_copy(answer->payload, ended->payload, sizeof ended->payload);
}

static sky_err order(struct broker_case *c, struct sky_session *session, int64_t wait_ms,
                     struct ended *ended, struct sky_command_sent *ret_sent)
{
    struct sky_why why;
    const struct sky_command_order what = {.kind = SKY_SPAN("rpc"),
                                           .params = SKY_SPAN("ping"),
                                           .wait_ms = wait_ms,
                                           .done = on_done,
                                           .ctx = ended};
    return sky_command_send(&c->broker, session, &what, ret_sent, &why);
}

static void answer(struct broker_case *c, struct sky_session *session, const char *id)
{
    struct sky_effects effects;
    sky_effects_init(&effects);
    struct sky_effect *effect = sky_effects_add(&effects, SKY_EFFECT_ANSWER);
    effect->name = sky_span_str(id);
    effect->topic = SKY_SPAN("t");
    effect->payload = SKY_SPAN("pong");
    effect->answers = SKY_SPAN("$rrpc/rxd/PROD123456/dev001/+");
    sky_apply(&c->broker, session, NULL, &effects, 0);
    sky_effects_done(&effects);
}

static void only_so_many_wait_at_once(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    struct ended ended = {0};
    struct sky_command_sent sent;
    char middle[sizeof sent.id] = "";
    for (int i = 0; i < SKY_COMMANDS_MAX; i++) {
        assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_OK);
        if (i == SKY_COMMANDS_MAX / 2)
            strcpy(middle, sent.id);
    }
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_ERR_BUSY);
    answer(c, device, middle);
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_OK);
    assert_int_equal(ended.times, 1);
    assert_string_equal(ended.id, middle);
    assert_string_equal(ended.payload, "pong");
}

static void what_is_not_waited_for_takes_no_place(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    struct ended ended = {0};
    struct sky_command_sent sent;
    assert_int_equal(order(c, device, 0, &ended, &sent), SKY_OK);
    assert_null(sent.wait);
    assert_int_equal(c->broker.commands.count, 0);
    answer(c, device, sent.id);
    assert_int_equal(ended.times, 0);
}

/* The level of a log is asked for by the device when it is back. */
static void a_kept_command_waits_in_its_document(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "tencent", "PROD123456", "dev001");
    const struct sky_command_order level = {
        .kind = SKY_SPAN("log-level"), .params = SKY_SPAN("{\"log_level\":3}"), .wait_ms = 1000};
    struct sky_command_sent sent;
    struct sky_why why = {0};
    struct sky_buf document;
    int64_t version = 0;
    assert_int_equal(sky_command_send(&c->broker, device, &level, &sent, &why), SKY_OK);
    assert_null(sent.wait);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_COMMAND, SKY_F_REASON), 1);
    sky_buf_init(&document, SKY_DOCUMENT_MAX);
    assert_int_equal(sky_store_get_document(c->base.store, device->device_id, SKY_SPAN("log"),
                                            &document, &version),
                     SKY_OK);
    assert_true(sky_span_eq_str(sky_buf_span(&document), "{\"log_level\":3}"));
    assert_int_equal(version, 1);
    sky_buf_done(&document);
}

static void what_no_device_answers_is_not_waited_for(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    static char bytes[8 * 1024 + 1];
    struct sky_command_order order = {.kind = SKY_SPAN("broadcast"),
                                      .params = sky_span_of(bytes, sizeof bytes - 1),
                                      .wait_ms = 1000};
    struct sky_command_sent sent;
    struct sky_why why = {0};
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(sky_command_send(&c->broker, device, &order, &sent, &why), SKY_OK);
    assert_null(sent.wait);
    order.params.len++;
    assert_int_equal(sky_command_send(&c->broker, device, &order, &sent, &why), SKY_ERR_LIMIT);
}

static void patience_ends_at_its_moment_and_not_before(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    struct ended ended = {0};
    struct sky_command_sent sent;
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_OK);
    int64_t sent_ms = c->base.clock.real_ms;
    sky_timerq_run(&c->base.clock.patience, sent_ms + 999);
    assert_int_equal(ended.times, 0);
    sky_timerq_run(&c->base.clock.patience, sent_ms + 1000);
    assert_int_equal(ended.times, 1);
    assert_int_equal(ended.answered, 0);
    answer(c, device, sent.id); /* too late */
    assert_int_equal(ended.times, 1);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_TIMEOUT, SKY_F_NAME), 1);
    assert_string_equal(c->base.text, sent.id);
}

static void an_answer_counts_for_its_device_and_once(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    struct sky_session *other = broker_case_online(c, "tencent", "PROD123456", "dev002");
    struct ended ended = {0};
    struct sky_command_sent sent;
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_OK);
    answer(c, other, sent.id);
    assert_int_equal(ended.times, 0);
    answer(c, device, sent.id);
    answer(c, device, sent.id);
    assert_int_equal(ended.times, 1);
    assert_int_equal(ended.answered, 1);
}

static void whoever_has_gone_is_not_told(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "tencent", "PROD123456", "dev001");
    struct ended ended = {0};
    struct sky_command_sent sent;
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_OK);
    sky_command_cancel(sent.wait);
    answer(c, device, sent.id);
    assert_int_equal(ended.times, 0);
    assert_int_equal(c->broker.commands.count, 0);
}

static void what_was_refused_was_not_sent(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "tencent", "PROD123456", "dev001");
    struct ended ended = {0};
    struct sky_command_sent sent;
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_ERR_CONFLICT);
    device->kept = true; /* but a call with QoS 0 is not */
    assert_int_equal(order(c, device, 1000, &ended, &sent), SKY_ERR_CONFLICT);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_COMMAND, SKY_F_NAME), 0);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_REASON), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(only_so_many_wait_at_once),
        BROKER_TEST(what_is_not_waited_for_takes_no_place),
        BROKER_TEST(a_kept_command_waits_in_its_document),
        BROKER_TEST(what_no_device_answers_is_not_waited_for),
        BROKER_TEST(patience_ends_at_its_moment_and_not_before),
        BROKER_TEST(an_answer_counts_for_its_device_and_once),
        BROKER_TEST(whoever_has_gone_is_not_told),
        BROKER_TEST(what_was_refused_was_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
