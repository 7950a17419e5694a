#include "tests/unit/server/app_case.h"

#include "server/broker/apply.h"

#define TOPIC "/pk/device/user/both"

/* One effect of that kind on its way; its other members are set through what is returned. */
static struct sky_effect *add(struct app_case *c, enum sky_effect_kind kind)
{
    struct sky_effect *effect = sky_effects_add(&c->app.effects, kind);
    effect->topic = SKY_SPAN(TOPIC);
    effect->name = SKY_SPAN("name");
    effect->payload = SKY_SPAN("payload");
    return effect;
}

static void apply(struct app_case *c, struct sky_session *session, const struct sky_act *act)
{
    assert_int_equal(sky_apply(&c->app, session, act, &c->app.effects, 77), SKY_OK);
    assert_int_equal(c->app.effects.count, 0);
}

static struct sky_device read_device(struct app_case *c, const struct sky_session *session)
{
    struct sky_product product;
    struct sky_device device;
    assert_int_equal(sky_store_get_device(c->app.store, session->device_id, &product, &device),
                     SKY_OK);
    return device;
}

static void a_reply_goes_to_a_device_that_subscribed(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    add(c, SKY_EFFECT_REPLY);
    apply(c, device, NULL);
    assert_int_equal(app_case_published(device, &got), 0);
    app_case_subscribe(c, device, TOPIC, 1);
    add(c, SKY_EFFECT_REPLY)->qos = 1;
    apply(c, device, NULL);
    assert_int_equal(app_case_published(device, &got), 1);
    assert_int_equal(got.qos, 1);
    assert_true(sky_span_eq_str(got.payload, "payload"));
}

static void a_reply_needs_no_subscription_where_the_session_subscribes_by_itself(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    device->traits = SKY_TRAIT_AUTO_SUBSCRIBED;
    add(c, SKY_EFFECT_REPLY);
    apply(c, device, NULL);
    assert_int_equal(app_case_published(device, &got), 1);
}

static void take_reply(void *ctx, const struct sky_effect *reply)
{
    sky_span *got = ctx;
    *got = reply->payload;
}

static void a_reply_goes_to_the_carrier_that_asks_for_it(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    sky_span reply = SKY_SPAN_NONE;
    const struct sky_act act = {.session = device, .on_reply = take_reply, .ctx = &reply};
    app_case_subscribe(c, device, TOPIC, 0);
    add(c, SKY_EFFECT_REPLY);
    apply(c, device, &act);
    assert_true(sky_span_eq_str(reply, "payload"));
    assert_int_equal(app_case_published(device, &got), 0);
}

static void a_push_needs_no_subscription(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    add(c, SKY_EFFECT_PUSH);
    apply(c, device, NULL);
    assert_int_equal(app_case_published(device, &got), 1);
}

static void a_publish_goes_to_all_who_subscribed_and_is_told_when_nobody_did(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_session *second = app_case_online(c, "aliyun", "pk", "second");
    struct sky_mqtt_publish got;
    add(c, SKY_EFFECT_PUBLISH);
    apply(c, device, NULL);
    assert_int_equal(app_case_events(c, SKY_EVENT_DROP, SKY_F_TOPIC), 1);
    assert_string_equal(c->text, TOPIC);
    app_case_subscribe(c, device, TOPIC, 0);
    app_case_subscribe(c, second, TOPIC, 0);
    add(c, SKY_EFFECT_PUBLISH);
    apply(c, device, NULL);
    assert_int_equal(app_case_published(device, &got), 1);
    assert_int_equal(app_case_published(second, &got), 1);
}

static void a_document_is_stored_with_its_version(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_session(c, "aliyun", "pk", "device");
    struct sky_buf body;
    int64_t version = 0;
    sky_buf_init(&body, SKY_DOCUMENT_MAX);
    add(c, SKY_EFFECT_PUT_DOCUMENT)->version = 4;
    apply(c, device, NULL);
    assert_int_equal(
        sky_store_get_document(c->app.store, device->device_id, SKY_SPAN("name"), &body, &version),
        SKY_OK);
    assert_int_equal(version, 4);
    assert_true(sky_span_eq_str(sky_buf_span(&body), "payload"));
    assert_int_equal(app_case_events(c, SKY_EVENT_DOCUMENT, SKY_F_NAME), 1);
    sky_buf_done(&body);
}

static void an_activation_replaces_the_secret_and_remembers_the_old_one(void **state)
{
    struct app_case *c = *state;
    struct sky_session *session = app_case_session(c, "enos", "KV315idW", "tPbZGCdmaE");
    add(c, SKY_EFFECT_ACTIVATE);
    apply(c, session, NULL);
    struct sky_device device = read_device(c, session);
    assert_string_equal(device.secret, "payload");
    assert_string_equal(device.old_secret, "M3yy874uGY8INjEGddTR");
    assert_true(device.secret_issued);
    assert_int_equal(device.state, SKY_DEVICE_INACTIVE);
    assert_int_equal(app_case_events(c, SKY_EVENT_ACTIVATE, SKY_F_NAME), 1);
}

static void a_device_comes_into_use_once(void **state)
{
    struct app_case *c = *state;
    struct sky_session *session = app_case_session(c, "enos", "KV315idW", "tPbZGCdmaE");
    for (int i = 0; i < 2; i++) {
        add(c, SKY_EFFECT_ONLINE);
        apply(c, session, NULL);
    }
    assert_int_equal(read_device(c, session).state, SKY_DEVICE_ACTIVE);
    assert_int_equal(app_case_events(c, SKY_EVENT_ONLINE, SKY_F_NAME), 1);
}

static void a_token_is_good_for_its_time(void **state)
{
    struct app_case *c = *state;
    struct sky_session *session = app_case_session(c, "aliyun", "pk", "device");
    struct sky_token token;
    add(c, SKY_EFFECT_MINT_TOKEN)->delay_ms = 5000;
    apply(c, session, NULL);
    assert_int_equal(sky_store_find_token(c->app.store, SKY_SPAN("name"), &token), SKY_OK);
    assert_string_equal(token.token, "payload");
    assert_int_equal(token.device_id, session->device_id);
    assert_int_equal(token.expires_ms, APP_CASE_NOW_MS + 5000);
    assert_int_equal(app_case_events(c, SKY_EVENT_TOKEN, SKY_F_NAME), 1);
}

static void a_device_keeps_its_last_tokens(void **state)
{
    struct app_case *c = *state;
    struct sky_session *session = app_case_session(c, "aliyun", "pk", "device");
    struct sky_token token;
    char name[16];
    for (int i = 0; i <= SKY_STORE_TOKENS_MAX; i++) {
        struct sky_effect *mint = add(c, SKY_EFFECT_MINT_TOKEN);
        snprintf(name, sizeof name, "t%d", i);
        mint->name = sky_span_str(name);
        mint->delay_ms = 5000 + i;
        if (i == 3)
            session->tokens = 0; /* as after a restart */
        apply(c, session, NULL);
    }
    assert_int_equal(sky_store_find_token(c->app.store, SKY_SPAN("t0"), &token), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_find_token(c->app.store, SKY_SPAN("t1"), &token), SKY_OK);
    assert_int_equal(sky_store_find_token(c->app.store, SKY_SPAN("t16"), &token), SKY_OK);
}

static void an_answer_is_told(void **state)
{
    struct app_case *c = *state;
    struct sky_session *session = app_case_session(c, "aliyun", "pk", "device");
    add(c, SKY_EFFECT_ANSWER);
    apply(c, session, NULL);
    assert_int_equal(app_case_events(c, SKY_EVENT_ANSWER, SKY_F_PAYLOAD), 1);
    assert_string_equal(c->text, "payload");
}

static void a_close_comes_at_once_or_after_its_delay(void **state)
{
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_session *second = app_case_online(c, "aliyun", "pk", "second");
    add(c, SKY_EFFECT_CLOSE);
    apply(c, device, NULL);
    assert_true(device->conn->closing);
    add(c, SKY_EFFECT_CLOSE)->delay_ms = 1000;
    apply(c, second, NULL);
    sky_clock_advance(&c->app.clock, 999);
    assert_false(second->conn->closing);
    sky_clock_advance(&c->app.clock, 1);
    assert_true(second->conn->closing);
}

static void a_close_of_a_device_that_is_away_does_nothing(void **state)
{
    struct app_case *c = *state;
    add(c, SKY_EFFECT_CLOSE);
    apply(c, app_case_session(c, "aliyun", "pk", "device"), NULL);
}

static void a_note_is_for_the_journal(void **state)
{
    struct app_case *c = *state;
    add(c, SKY_EFFECT_NOTE);
    apply(c, app_case_session(c, "aliyun", "pk", "device"), NULL);
    assert_int_equal(app_case_events(c, SKY_EVENT_NOTE, SKY_F_NAME), 1);
    assert_string_equal(c->text, "name");
}

static void what_the_store_refuses_is_noted_and_nobody_is_told_that_it_went_well(void **state)
{
    static const enum sky_effect_kind kinds[] = {SKY_EFFECT_PUT_DOCUMENT, SKY_EFFECT_ACTIVATE,
                                                 SKY_EFFECT_ONLINE, SKY_EFFECT_MINT_TOKEN};
    struct app_case *c = *state;
    struct sky_session *device = app_case_online(c, "aliyun", "pk", "device");
    struct sky_mqtt_publish got;
    assert_int_equal(sky_store_delete_device(c->app.store, device->device_id), SKY_OK);
    for (size_t i = 0; i < SKY_COUNT(kinds); i++)
        add(c, kinds[i]);
    add(c, SKY_EFFECT_PUSH);
    assert_int_equal(sky_apply(&c->app, device, NULL, &c->app.effects, 77), SKY_ERR_NOT_FOUND);
    assert_int_equal(c->app.effects.count, 0);
    assert_int_equal(app_case_events(c, SKY_EVENT_NOTE, SKY_F_REASON), SKY_COUNT(kinds));
    assert_int_equal(app_case_published(device, &got), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        APP_TEST(a_reply_goes_to_a_device_that_subscribed),
        APP_TEST(a_reply_needs_no_subscription_where_the_session_subscribes_by_itself),
        APP_TEST(a_reply_goes_to_the_carrier_that_asks_for_it),
        APP_TEST(a_push_needs_no_subscription),
        APP_TEST(a_publish_goes_to_all_who_subscribed_and_is_told_when_nobody_did),
        APP_TEST(a_document_is_stored_with_its_version),
        APP_TEST(an_activation_replaces_the_secret_and_remembers_the_old_one),
        APP_TEST(a_device_comes_into_use_once),
        APP_TEST(a_token_is_good_for_its_time),
        APP_TEST(a_device_keeps_its_last_tokens),
        APP_TEST(an_answer_is_told),
        APP_TEST(a_close_comes_at_once_or_after_its_delay),
        APP_TEST(a_close_of_a_device_that_is_away_does_nothing),
        APP_TEST(a_note_is_for_the_journal),
        APP_TEST(what_the_store_refuses_is_noted_and_nobody_is_told_that_it_went_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
