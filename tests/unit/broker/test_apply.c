#include "tests/unit/broker/broker_case.h"

#include "server/broker/effects.h"
#include "store/internal.h"

#define TOPIC "/pk/device/user/both"

static struct sky_effects effects;

/* One effect of that kind on its way; its other members are set through what is returned. */
static struct sky_effect *add(enum sky_effect_kind kind)
{
    if (effects.count == 0)
        sky_effects_init(&effects);
    struct sky_effect *effect = sky_effects_add(&effects, kind);
    effect->topic = SKY_SPAN(TOPIC);
    effect->name = SKY_SPAN("name");
    effect->payload = SKY_SPAN("payload");
    return effect;
}

static void apply(struct broker_case *c, struct sky_session *session,
                  const struct sky_reply_sink *replies)
{
    assert_int_equal(sky_apply(&c->broker, session, replies, &effects, 77), SKY_OK);
    sky_effects_done(&effects);
}

static struct sky_device read_device(struct broker_case *c, const struct sky_session *session)
{
    struct sky_product product;
    struct sky_device device;
    assert_int_equal(sky_store_get_device(c->base.store, session->device_id, &product, &device),
                     SKY_OK);
    return device;
}

static void a_reply_goes_to_a_device_that_subscribed(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    add(SKY_EFFECT_REPLY);
    apply(c, device, NULL);
    assert_int_equal(broker_case_published(device, &got), 0);
    broker_case_subscribe(c, device, TOPIC, 1);
    add(SKY_EFFECT_REPLY)->qos = 1;
    apply(c, device, NULL);
    assert_int_equal(broker_case_published(device, &got), 1);
    assert_int_equal(got.qos, 1);
    assert_true(sky_span_eq_str(got.payload, "payload"));
}

static void a_reply_needs_no_subscription_where_the_session_subscribes_by_itself(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    device->traits = SKY_TRAIT_AUTO_SUBSCRIBED;
    add(SKY_EFFECT_REPLY);
    apply(c, device, NULL);
    assert_int_equal(broker_case_published(device, &got), 1);
}

static void take_reply(void *ctx, const struct sky_effect *reply)
{
    sky_span *got = ctx;
    *got = reply->payload;
}

static void a_reply_goes_to_the_carrier_that_asks_for_it(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    sky_span reply = SKY_SPAN_NONE;
    const struct sky_reply_sink sink = {take_reply, &reply};
    broker_case_subscribe(c, device, TOPIC, 0);
    add(SKY_EFFECT_REPLY);
    apply(c, device, &sink);
    assert_true(sky_span_eq_str(reply, "payload"));
    assert_int_equal(broker_case_published(device, &got), 0);
}

static void a_push_needs_no_subscription(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    add(SKY_EFFECT_PUSH);
    apply(c, device, NULL);
    assert_int_equal(broker_case_published(device, &got), 1);
}

static void a_publish_goes_to_all_who_subscribed_and_is_told_when_nobody_did(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_session *second = broker_case_online(c, "aliyun", "pk", "second");
    struct sky_mqtt_publish got;
    add(SKY_EFFECT_PUBLISH);
    apply(c, device, NULL);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DROP, SKY_F_TOPIC), 1);
    assert_string_equal(c->base.text, TOPIC);
    broker_case_subscribe(c, device, TOPIC, 0);
    broker_case_subscribe(c, second, TOPIC, 0);
    add(SKY_EFFECT_PUBLISH);
    apply(c, device, NULL);
    assert_int_equal(broker_case_published(device, &got), 1);
    assert_int_equal(broker_case_published(second, &got), 1);
}

static void a_document_is_stored_with_its_version(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "aliyun", "pk", "device");
    struct sky_buf body;
    int64_t version = 0;
    sky_buf_init(&body, SKY_DOCUMENT_MAX);
    add(SKY_EFFECT_PUT_DOCUMENT)->version = 4;
    apply(c, device, NULL);
    assert_int_equal(
        sky_store_get_document(c->base.store, device->device_id, SKY_SPAN("name"), &body, &version),
        SKY_OK);
    assert_int_equal(version, 4);
    assert_true(sky_span_eq_str(sky_buf_span(&body), "payload"));
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_DOCUMENT, SKY_F_NAME), 1);
    sky_buf_done(&body);
}

static void an_activation_replaces_the_secret_and_remembers_the_old_one(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *session = registry_case_session(&c->base, "enos", "KV315idW", "tPbZGCdmaE");
    add(SKY_EFFECT_ACTIVATE);
    apply(c, session, NULL);
    struct sky_device device = read_device(c, session);
    assert_string_equal(device.secret, "payload");
    assert_string_equal(device.old_secret, "M3yy874uGY8INjEGddTR");
    assert_true(device.secret_issued);
    assert_int_equal(device.state, SKY_DEVICE_INACTIVE);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_ACTIVATE, SKY_F_NAME), 1);
}

static void a_device_comes_into_use_once(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *session = registry_case_session(&c->base, "enos", "KV315idW", "tPbZGCdmaE");
    for (int i = 0; i < 2; i++) {
        add(SKY_EFFECT_ONLINE);
        apply(c, session, NULL);
    }
    assert_int_equal(read_device(c, session).state, SKY_DEVICE_ACTIVE);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_ONLINE, SKY_F_NAME), 1);
}

static void a_token_is_good_for_its_time(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *session = registry_case_session(&c->base, "aliyun", "pk", "device");
    struct sky_token token;
    add(SKY_EFFECT_MINT_TOKEN)->delay_ms = 5000;
    apply(c, session, NULL);
    assert_int_equal(sky_store_find_token(c->base.store, SKY_SPAN("name"), &token), SKY_OK);
    assert_string_equal(token.token, "payload");
    assert_int_equal(token.device_id, session->device_id);
    assert_int_equal(token.expires_ms, sky_clock_lived_ms(&c->base.clock) + 5000);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_TOKEN, SKY_F_NAME), 1);
}

static void a_device_keeps_its_last_tokens(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *session = registry_case_session(&c->base, "aliyun", "pk", "device");
    struct sky_token token;
    char name[16];
    for (int i = 0; i <= SKY_STORE_TOKENS_MAX; i++) {
        struct sky_effect *mint = add(SKY_EFFECT_MINT_TOKEN);
        snprintf(name, sizeof name, "t%d", i);
        mint->name = sky_span_str(name);
        mint->delay_ms = 5000 + i;
        if (i == 3)
            session->tokens = 0; /* as after a restart */
        apply(c, session, NULL);
    }
    assert_int_equal(sky_store_find_token(c->base.store, SKY_SPAN("t0"), &token),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_find_token(c->base.store, SKY_SPAN("t1"), &token), SKY_OK);
    assert_int_equal(sky_store_find_token(c->base.store, SKY_SPAN("t16"), &token), SKY_OK);
}

static void an_answer_is_told(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *session = registry_case_session(&c->base, "aliyun", "pk", "device");
    add(SKY_EFFECT_ANSWER);
    apply(c, session, NULL);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_ANSWER, SKY_F_PAYLOAD), 1);
    assert_string_equal(c->base.text, "payload");
}

static void a_close_comes_at_once_or_after_its_delay(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_session *second = broker_case_online(c, "aliyun", "pk", "second");
    add(SKY_EFFECT_CLOSE);
    apply(c, device, NULL);
    assert_true(device->conn->closing);
    add(SKY_EFFECT_CLOSE)->delay_ms = 1000;
    apply(c, second, NULL);
    assert_int_equal(second->conn->work->cut_at_ms,
                     sky_clock_lived_ms(&c->base.clock) + 1000); /* the port sees to it */
}

static void a_close_of_a_device_that_is_away_does_nothing(void **state)
{
    struct broker_case *c = *state;
    add(SKY_EFFECT_CLOSE);
    apply(c, registry_case_session(&c->base, "aliyun", "pk", "device"), NULL);
}

static void a_note_is_for_the_journal(void **state)
{
    struct broker_case *c = *state;
    add(SKY_EFFECT_NOTE);
    apply(c, registry_case_session(&c->base, "aliyun", "pk", "device"), NULL);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_NOTE, SKY_F_NAME), 1);
    assert_string_equal(c->base.text, "name");
}

static void what_the_store_refuses_is_noted_and_nobody_is_told_that_it_went_well(void **state)
{
    static const enum sky_effect_kind kinds[] = {SKY_EFFECT_PUT_DOCUMENT, SKY_EFFECT_ACTIVATE,
                                                 SKY_EFFECT_ONLINE, SKY_EFFECT_MINT_TOKEN};
    struct broker_case *c = *state;
    struct sky_session *device = broker_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    assert_int_equal(sky_store_delete_device(c->base.store, device->device_id), SKY_OK);
    for (size_t i = 0; i < SKY_COUNT(kinds); i++)
        add(kinds[i]);
    add(SKY_EFFECT_PUSH);
    assert_int_equal(sky_apply(&c->broker, device, NULL, &effects, 77), SKY_ERR_NOT_FOUND);
    sky_effects_done(&effects);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_NOTE, SKY_F_REASON),
                     SKY_COUNT(kinds));
    assert_int_equal(broker_case_published(device, &got), 0);
}

/* The device whose act it is is told of, whatever was the matter with the subjects before. */
static void a_subject_that_is_gone_does_not_hide_what_is_wrong_with_the_next(void **state)
{
    struct broker_case *c = *state;
    struct sky_session *device = registry_case_session(&c->base, "aliyun", "pk", "device");
    struct sky_session *other = registry_case_session(&c->base, "tencent", "PROD123456", "dev001");
    static const char damage[] =
        "UPDATE device SET asset_id = printf('%.*c', 100000, 'x') WHERE key = 'dev001'";
    add(SKY_EFFECT_NOTE)->subject = INT64_MAX;
    add(SKY_EFFECT_NOTE)->subject = other->device_id;
    assert_int_equal(sqlite3_exec(c->base.store->db, damage, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sky_apply(&c->broker, device, NULL, &effects, 77), SKY_ERR_STORE);
    sky_effects_done(&effects);
    assert_int_equal(registry_case_events(&c->base, SKY_EVENT_NOTE, SKY_F_NAME), 1);
    assert_string_equal(c->base.text, "device-behind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(a_reply_goes_to_a_device_that_subscribed),
        BROKER_TEST(a_reply_needs_no_subscription_where_the_session_subscribes_by_itself),
        BROKER_TEST(a_reply_goes_to_the_carrier_that_asks_for_it),
        BROKER_TEST(a_push_needs_no_subscription),
        BROKER_TEST(a_publish_goes_to_all_who_subscribed_and_is_told_when_nobody_did),
        BROKER_TEST(a_document_is_stored_with_its_version),
        BROKER_TEST(an_activation_replaces_the_secret_and_remembers_the_old_one),
        BROKER_TEST(a_device_comes_into_use_once),
        BROKER_TEST(a_token_is_good_for_its_time),
        BROKER_TEST(a_device_keeps_its_last_tokens),
        BROKER_TEST(a_subject_that_is_gone_does_not_hide_what_is_wrong_with_the_next),
        BROKER_TEST(an_answer_is_told),
        BROKER_TEST(a_close_comes_at_once_or_after_its_delay),
        BROKER_TEST(a_close_of_a_device_that_is_away_does_nothing),
        BROKER_TEST(a_note_is_for_the_journal),
        BROKER_TEST(what_the_store_refuses_is_noted_and_nobody_is_told_that_it_went_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
