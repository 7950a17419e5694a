#include "tests/unit/cloud/login_case.h"

#define STATIC "KV315idW,tPbZGCdmaE,2,3600"
#define DYNAMIC "KV315idW,tPbZGCdmaE,3,3600"
#define INFO "/topic/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info"

struct coap_bench {
    struct login_bench login;
    struct sky_coap_request request;
    struct sky_coap_decision decision;
};

static int setup(void **state)
{
    static struct coap_bench bench;
    login_init(&bench.login, "enos", "KV315idW", "productSecret001", "tPbZGCdmaE", "secret1");
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    login_done(&((struct coap_bench *)*state)->login);
    return 0;
}

static uint8_t ask(struct coap_bench *b, const char *identity, uint8_t method, const char *path,
                   unsigned saw)
{
    struct login_bench *l = &b->login;
    sky_judge_init(&l->judge, &l->policy);
    sky_effects_clear(&l->effects);
    b->request = (struct sky_coap_request){.message = {.code = method}};
    snprintf(b->request.message.path, sizeof b->request.message.path, "%s", path);
    const struct sky_coap_call call = {.request = &b->request,
                                       .saw = saw,
                                       .identity = sky_span_str(identity),
                                       .product = SKY_SPAN("KV315idW"),
                                       .device = SKY_SPAN("tPbZGCdmaE")};
    l->cloud->coap->decide(&call, &l->facts, &l->judge, &l->effects, &b->decision);
    return b->decision.code;
}

static void a_post_publishes_to_the_topic_behind_the_prefix(void **state)
{
    struct coap_bench *b = *state;
    assert_int_equal(
        ask(b, STATIC, SKY_COAP_POST, "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post", 0),
        SKY_COAP_CHANGED);
    assert_int_equal(b->decision.act, SKY_COAP_PUBLISH);
    assert_int_equal(b->decision.refused_code, SKY_COAP_FORBIDDEN);
    assert_true(
        sky_span_eq_str(b->decision.topic, "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post"));
    assert_non_null(login_effect(&b->login, SKY_EFFECT_ONLINE));
    b->login.device.state = SKY_DEVICE_ACTIVE;
    ask(b, STATIC, SKY_COAP_POST, "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post", 0);
    assert_int_equal(b->login.effects.count, 0);
}

static void a_get_fetches_what_waits(void **state)
{
    struct coap_bench *b = *state;
    assert_int_equal(ask(b, STATIC, SKY_COAP_GET,
                         "/topic/sys/KV315idW/tPbZGCdmaE/thing/service/measurepoint/set", 0),
                     SKY_COAP_CONTENT);
    assert_int_equal(b->decision.act, SKY_COAP_FETCH);
    assert_int_equal(b->decision.refused_code, SKY_COAP_CONTENT);
    char path[128];
    assert_true(b->login.cloud->coap->waiting_path(b->decision.topic, path, sizeof path));
    assert_string_equal(path, b->request.message.path);
    assert_false(b->login.cloud->coap->waiting_path(b->decision.topic, path, 10));
}

static void a_get_of_what_can_never_come_is_refused(void **state)
{
    struct coap_bench *b = *state;
    ask(b, STATIC, SKY_COAP_GET, "/topic/sys/KV315idW/other/thing/model/down_raw", 0);
    assert_int_equal(b->decision.refused_code, SKY_COAP_FORBIDDEN);
    ask(b, STATIC, SKY_COAP_GET, "/topic/nonsense", 0);
    assert_int_equal(b->decision.refused_code, SKY_COAP_NOT_FOUND);
    ask(b, STATIC, SKY_COAP_GET, "/topic/sys/KV315idW/tPbZGCdmaE/rrpc/response/1", 0);
    assert_int_equal(b->decision.refused_code, SKY_COAP_NOT_FOUND);
}

static void the_secret_is_fetched_with_the_products_key(void **state)
{
    struct coap_bench *b = *state;
    assert_int_equal(ask(b, DYNAMIC, SKY_COAP_GET, INFO, 0), SKY_COAP_CONTENT);
    assert_int_equal(b->decision.act, SKY_COAP_ANSWER);
    const struct sky_effect *activate = login_effect(&b->login, SKY_EFFECT_ACTIVATE);
    assert_non_null(activate);
    assert_true(sky_span_contains(b->decision.payload, activate->payload));
    assert_true(
        sky_span_starts(b->decision.payload, SKY_SPAN("{\"id\":\"1\",\"version\":\"1.0\"")));
    assert_true(login_kept(&b->login, "COAP-ACTIVATE-PATH"));
    assert_int_equal(b->login.judge.count, 0);
}

static void with_the_products_key_there_is_nothing_else_to_do(void **state)
{
    struct coap_bench *b = *state;
    static const struct {
        uint8_t method;
        const char *path;
        uint8_t code;
        const char *rule;
    } rows[] = {
        {SKY_COAP_POST, INFO, SKY_COAP_METHOD_NOT_ALLOWED, "COAP-ACTIVATE-METHOD"},
        {SKY_COAP_GET, "/topic/ext/session/KV315idW/other/thing/activate/info", SKY_COAP_FORBIDDEN,
         "COAP-ACTIVATE-OTHER-DEVICE"},
        {SKY_COAP_POST, "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post",
         SKY_COAP_FORBIDDEN, "COAP-ACTIVATE-PATH"},
        {SKY_COAP_GET, "/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info", SKY_COAP_NOT_FOUND,
         "COAP-PATH-PREFIX"},
        {SKY_COAP_GET, "/topical/ext", SKY_COAP_NOT_FOUND, "COAP-PATH-PREFIX"},
        {SKY_COAP_GET, "/topic", SKY_COAP_NOT_FOUND, "COAP-PATH-PREFIX"},
        {SKY_COAP_GET, "", SKY_COAP_NOT_FOUND, "COAP-PATH-PREFIX"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        assert_int_equal(ask(b, DYNAMIC, rows[i].method, rows[i].path, 0), rows[i].code);
        assert_int_equal(b->decision.act, SKY_COAP_ANSWER);
        assert_non_null(login_finding(&b->login, rows[i].rule));
        assert_int_equal(b->login.effects.count, 0);
    }
    b->login.device.secret_issued = true;
    ask(b, DYNAMIC, SKY_COAP_POST, "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post", 0);
    assert_non_null(login_finding(&b->login, "COAP-REAUTH"));
    ask(b, STATIC, SKY_COAP_POST, "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post", 0);
    assert_true(login_kept(&b->login, "COAP-REAUTH"));
}

static void other_methods_are_not_allowed(void **state)
{
    struct coap_bench *b = *state;
    assert_int_equal(ask(b, STATIC, SKY_COAP_PUT, "/topic/sys/a/b", 0),
                     SKY_COAP_METHOD_NOT_ALLOWED);
    assert_int_equal(ask(b, STATIC, SKY_COAP_DELETE, "/topic/sys/a/b", 0),
                     SKY_COAP_METHOD_NOT_ALLOWED);
}

static void oddities_of_the_message_are_noticed(void **state)
{
    struct coap_bench *b = *state;
    static const struct {
        unsigned saw;
        const char *path, *rule;
    } rows[] = {
        {SKY_COAP_SAW_OBSERVE, "/topic/x", "COAP-OBSERVE"},
        {0, "/.well-known/core", "COAP-OBSERVE"},
        {SKY_COAP_SAW_ID_REUSED, "/topic/x", "COAP-MID-REUSE"},
        {SKY_COAP_SAW_LARGE, "/topic/x", "COAP-PAYLOAD-SIZE"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        ask(b, STATIC, SKY_COAP_GET, rows[i].path, rows[i].saw);
        assert_non_null(login_finding(&b->login, rows[i].rule));
    }
    ask(b, STATIC, SKY_COAP_GET, "/topic/x", 0);
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        assert_true(login_kept(&b->login, rows[i].rule));
}

static void a_deleted_device_is_unauthorized(void **state)
{
    struct coap_bench *b = *state;
    b->login.facts.device = NULL;
    assert_int_equal(ask(b, STATIC, SKY_COAP_GET, INFO, 0), SKY_COAP_UNAUTHORIZED);
}

static void the_lifetime_is_in_the_identity(void **state)
{
    struct coap_bench *b = *state;
    int64_t (*lifetime_ms)(sky_span identity) = b->login.cloud->coap->lifetime_ms;
    assert_int_equal(lifetime_ms(SKY_SPAN("pk,dk,2,30")), 30000);
    assert_int_equal(lifetime_ms(SKY_SPAN("pk,dk,2,99999999999")), 86400000);
    assert_int_equal(lifetime_ms(SKY_SPAN("pk,dk,2,x")), 86400000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_post_publishes_to_the_topic_behind_the_prefix),
        TEST(a_get_fetches_what_waits),
        TEST(a_get_of_what_can_never_come_is_refused),
        TEST(the_secret_is_fetched_with_the_products_key),
        TEST(with_the_products_key_there_is_nothing_else_to_do),
        TEST(other_methods_are_not_allowed),
        TEST(oddities_of_the_message_are_noticed),
        TEST(a_deleted_device_is_unauthorized),
        TEST(the_lifetime_is_in_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
