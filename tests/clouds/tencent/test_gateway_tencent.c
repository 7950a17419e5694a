#include "tests/unit/cloud/gateway_case.h"

#include "protocol/cloud/tencent/services.h"

#define TOPIC "$gateway/operation/GATEWAY001/gw"
#define DOWN "$gateway/operation/result/GATEWAY001/gw"
#define PSK "MTIzNDU2Nzg5MGFiY2RlZg=="

/* The vectors' device, and one for each other answer. */
static const struct gateway_device devices[] = {
    {.product = "PROD123456", .device = "sub001", .secret = PSK},
    {.product = "PROD123456", .device = "mine", .secret = PSK, .bound = true, .online = true},
    {.product = "PROD123456", .device = "theirs", .secret = PSK, .bound_elsewhere = true},
    {.product = "PROD123456", .device = "off", .secret = PSK, .bound = true, .disabled = true},
    {.product = "GATEWAY002", .device = "other", .secret = PSK, .node = SKY_NODE_GATEWAY},
    {.product = "STRANGE001", .device = "odd", .secret = PSK, .disallowed = true},
};

#define NAMED(product, device) "\"product_id\":\"" product "\",\"device_name\":\"" device "\""
#define ONE(type, product, device)                                                                 \
    "{\"type\":\"" type "\",\"payload\":{\"devices\":[{" NAMED(product, device) "}]}}"
#define ANSWER(type, product, device, result)                                                      \
    "{\"type\":\"" type                                                                            \
    "\",\"payload\":{\"devices\":[{" NAMED(product, device) ",\"result\":" result "}]}}"
#define BIND(product, device, signature, method, auth)                                             \
    "{\"type\":\"bind\",\"payload\":{\"devices\":[{" NAMED(                                        \
        product, device) ",\"signature\":\"" signature                                             \
                         "\",\"random\":121213,\"timestamp\":1589786839,\"signmethod\":\"" method  \
                         "\",\"authtype\":\"" auth "\"}]}}"
#define SHA1 "pgzuLHmSi6kAVDKWNABjs3mED2I="

static const struct gateway_case cases[] = {
    {.name = "the devices that are bound",
     .payload = "{\"type\":\"describe_sub_devices\"}",
     .reply = "{\"type\":\"describe_sub_devices\",\"payload\":{\"devices\":[{" NAMED(
         "PROD123456", "mine") "},{" NAMED("PROD123456", "off") "}]}}"},
    {.name = "a bind with HMAC-SHA1",
     .payload = BIND("PROD123456", "sub001", SHA1, "hmacsha1", "psk"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "0"),
     .did = "bind 1"},
    {.name = "a bind with HMAC-SHA256",
     .payload = BIND("PROD123456", "sub001",
                     "YQnp2LG+KMZhx91H8jxG40OzHcA/CieAkjB4EwMB2bI=", "hmacsha256", "psk"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "0"),
     .did = "bind 1"},
    {.name = "801: a bind without a signature",
     .payload = ONE("bind", "PROD123456", "sub001"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "801"),
     .rule = "TEN-GATEWAY-PARAMETER"},
    {.name = "801: a number as text",
     .payload = "{\"type\":\"bind\",\"payload\":{\"devices\":[{" NAMED(
         "PROD123456", "sub001") ",\"signature\":\"" SHA1 "\",\"random\":\"121213\",\"timestamp\":"
                                 "1589786839,\"signmethod\":\"hmacsha1\",\"authtype\":\"psk\"}]}}",
     .reply = ANSWER("bind", "PROD123456", "sub001", "801"),
     .rule = "TEN-GATEWAY-PARAMETER"},
    {.name = "801: no devices",
     .payload = "{\"type\":\"bind\",\"payload\":{\"devices\":[]}}",
     .reply = "{\"type\":\"bind\",\"payload\":{\"devices\":[{\"result\":801}]}}",
     .rule = "TEN-GATEWAY-PARAMETER"},
    {.name = "801: no payload",
     .payload = "{\"type\":\"online\"}",
     .reply = "{\"type\":\"online\",\"payload\":{\"devices\":[{\"result\":801}]}}",
     .rule = "TEN-GATEWAY-PARAMETER"},
    {.name = "801: no name",
     .payload = "{\"type\":\"online\",\"payload\":{\"devices\":[{\"product_id\":\"PROD123456\"}]}}",
     .reply = ANSWER("online", "PROD123456", "", "801"),
     .rule = "TEN-GATEWAY-PARAMETER"},
    {.name = "802: nobody knows the device",
     .payload = BIND("PROD123456", "sub002", SHA1, "hmacsha1", "psk"),
     .reply = ANSWER("bind", "PROD123456", "sub002", "802"),
     .peer_rule = "TEN-GATEWAY-DEVICE"},
    {.name = "802: nor the product",
     .payload = ONE("online", "NOBODY0001", "sub001"),
     .reply = ANSWER("online", "NOBODY0001", "sub001", "802"),
     .peer_rule = "TEN-GATEWAY-DEVICE"},
    {.name = "803: with the decoded key",
     .payload = BIND("PROD123456", "sub001", "+r8EXVpgwyv6Ejx4delUvDqDuzo=", "hmacsha1", "psk"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "803"),
     .rule = "TEN-GATEWAY-SIGN",
     .peer_rule = "TEN-GATEWAY-SIGN",
     .suspected = true},
    {.name = "803: without a certificate",
     .payload =
         BIND("PROD123456", "sub001", "jQeuJZNV/+J/fJWTWIkIbKzMmww=", "hmacsha1", "certificate"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "803"),
     .rule = "TEN-GATEWAY-SIGN",
     .peer_rule = "TEN-GATEWAY-SIGN",
     .suspected = true},
    {.name = "804: a method that there is not",
     .payload = BIND("PROD123456", "sub001", SHA1, "hmacmd5", "psk"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "804"),
     .rule = "TEN-GATEWAY-METHOD",
     .peer_rule = "TEN-GATEWAY-METHOD"},
    {.name = "804: a key that there is not",
     .payload = BIND("PROD123456", "sub001", SHA1, "hmacsha1", "key"),
     .reply = ANSWER("bind", "PROD123456", "sub001", "804"),
     .rule = "TEN-GATEWAY-METHOD",
     .peer_rule = "TEN-GATEWAY-METHOD"},
    {.name = "806: bound to another gateway",
     .payload = BIND("PROD123456", "theirs", "LfkeUvN0bV5Ml9saK0AgkANKp70=", "hmacsha1", "psk"),
     .reply = ANSWER("bind", "PROD123456", "theirs", "806"),
     .peer_rule = "TEN-GATEWAY-ELSEWHERE"},
    {.name = "807: a gateway",
     .payload = BIND("GATEWAY002", "other", SHA1, "hmacsha1", "psk"),
     .reply = ANSWER("bind", "GATEWAY002", "other", "807"),
     .peer_rule = "TEN-GATEWAY-ORDINARY"},
    {.name = "809: bound already",
     .payload = BIND("PROD123456", "mine", "wxyy8s37zaFNvl/cEyOfSkOT6Zo=", "hmacsha1", "psk"),
     .reply = ANSWER("bind", "PROD123456", "mine", "809")},
    {.name = "810: of a product that it does not take",
     .payload = BIND("STRANGE001", "odd", SHA1, "hmacsha1", "psk"),
     .reply = ANSWER("bind", "STRANGE001", "odd", "810"),
     .peer_rule = "TEN-GATEWAY-PRODUCT"},
    {.name = "a device comes online",
     .payload = ONE("online", "PROD123456", "mine"),
     .reply = ANSWER("online", "PROD123456", "mine", "0"),
     .did = "login 2"},
    {.name = "-1: one that is not bound",
     .payload = ONE("online", "PROD123456", "sub001"),
     .reply = ANSWER("online", "PROD123456", "sub001", "-1"),
     .peer_rule = "TEN-GATEWAY-UNBOUND"},
    {.name = "-2: one that is disabled",
     .payload = ONE("online", "PROD123456", "off"),
     .reply = ANSWER("online", "PROD123456", "off", "-2"),
     .peer_rule = "TEN-DEVICE-DISABLED"},
    {.name = "810: of a product that it does not take any more",
     .payload = ONE("offline", "STRANGE001", "odd"),
     .reply = ANSWER("offline", "STRANGE001", "odd", "810"),
     .peer_rule = "TEN-GATEWAY-PRODUCT"},
    {.name = "a device goes offline",
     .payload = ONE("offline", "PROD123456", "mine"),
     .reply = ANSWER("offline", "PROD123456", "mine", "0"),
     .did = "logout 2"},
    {.name = "a device is unbound",
     .payload = ONE("unbind", "PROD123456", "mine"),
     .reply = ANSWER("unbind", "PROD123456", "mine", "0"),
     .did = "unbind 2"},
    {.name = "-1: one that is not bound is not unbound",
     .payload = ONE("unbind", "PROD123456", "sub001"),
     .reply = ANSWER("unbind", "PROD123456", "sub001", "-1"),
     .peer_rule = "TEN-GATEWAY-UNBOUND"},
    {.name = "several in one message are answered in one",
     .payload = "{\"type\":\"online\",\"payload\":{\"devices\":[{" NAMED(
         "PROD123456", "sub001") "},{" NAMED("PROD123456", "mine") "}]}}",
     .reply = "{\"type\":\"online\",\"payload\":{\"devices\":[{" NAMED(
         "PROD123456", "sub001") ",\"result\":-1},{" NAMED("PROD123456",
                                                           "mine") ",\"result\":0}]}}",
     .did = "login 2",
     .peer_rule = "TEN-GATEWAY-UNBOUND"},
    {.name = "what it was told is no question", .payload = "{\"type\":\"change\",\"result\":0}"},
    {.name = "another type", .payload = "{\"type\":\"search\"}", .rule = "TEN-GATEWAY-REQUEST"},
    {.name = "no JSON", .payload = "online", .rule = "TEN-GATEWAY-REQUEST"},
};

static void gateways_are_answered(void **state)
{
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    bench.base.facts.now_ms = INT64_C(1589786839) * 1000; /* when the binds were signed */
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        struct gateway_case row = cases[i];
        row.service = &sky_tencent_gateway;
        row.topic = TOPIC;
        row.reply_topic = DOWN;
        run_gateway_case(&bench, &row);
    }
    bench_done(&bench.base);
}

static void only_gateways_bind(void **state)
{
    static const struct gateway_case row = {
        .name = "808: the sender is no gateway",
        .service = &sky_tencent_gateway,
        .topic = TOPIC,
        .reply_topic = DOWN,
        .payload = BIND("PROD123456", "sub001", SHA1, "hmacsha1", "psk"),
        .reply = ANSWER("bind", "PROD123456", "sub001", "808"),
        .rule = "TEN-GATEWAY-SENDER"};
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    bench.node = SKY_NODE_DEVICE;
    run_gateway_case(&bench, &row);
    bench_done(&bench.base);
}

/* How old a signature may be is a switch: it is only told. */
static void an_old_signature_is_refused_on_request(void **state)
{
    static const struct gateway_case row = {
        .name = "805: signed long ago",
        .service = &sky_tencent_gateway,
        .topic = TOPIC,
        .reply_topic = DOWN,
        .payload = BIND("PROD123456", "sub001", SHA1, "hmacsha1", "psk"),
        .reply = ANSWER("bind", "PROD123456", "sub001", "805"),
        .rule = "TEN-GATEWAY-EXPIRED",
        .peer_rule = "TEN-GATEWAY-EXPIRED"};
    struct gateway_case timely = row;
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    bench_set(&bench.base, "TEN-GATEWAY-EXPIRED", "enforce");
    run_gateway_case(&bench, &row);
    bench.base.facts.now_ms = INT64_C(1589786839) * 1000 + 599999;
    timely.reply = ANSWER("bind", "PROD123456", "sub001", "0");
    timely.did = "bind 1";
    timely.rule = timely.peer_rule = NULL;
    run_gateway_case(&bench, &timely);
    bench_done(&bench.base);
}

/* The key is a digest of the certificate's file, and only another digest is known here. */
static void a_device_with_a_certificate_is_believed(void **state)
{
    static const struct gateway_case row = {
        .name = "a certificate's bind",
        .service = &sky_tencent_gateway,
        .topic = TOPIC,
        .reply_topic = DOWN,
        .payload =
            BIND("PROD123456", "sub001", "jQeuJZNV/+J/fJWTWIkIbKzMmww=", "hmacsha1", "certificate"),
        .reply = ANSWER("bind", "PROD123456", "sub001", "0"),
        .did = "bind 1",
        .rule = "TEN-GATEWAY-EXPIRED",
        .peer_rule = "TEN-GATEWAY-EXPIRED"};
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    snprintf(bench.known[0].fingerprint, sizeof bench.known[0].fingerprint, "%064d", 7);
    run_gateway_case(&bench, &row);
    bench_done(&bench.base);
}

static void other_texts_than_the_due_one_are_recognised(void **state)
{
    static const struct {
        const char *payload;
        enum sky_mistake mistake;
    } rows[] = {
        {BIND("PROD123456", "sub001", "sS7X5tbh/vWt0TQMiH9WLs9ZYnc=", "hmacsha1", "psk"),
         SKY_MISTAKE_SEPARATORS},
        {BIND("PROD123456", "sub001", "IMz2puO6AnHwQqkpIVuD1zukLjo=", "hmacsha1", "psk"),
         SKY_MISTAKE_SEPARATORS},
        {BIND("PROD123456", "sub001", "BBXwRHaquIN1iwQ6FJ4hEtrodbM=", "hmacsha1", "psk"),
         SKY_MISTAKE_SWAPPED_KEYS},
        {BIND("PROD123456", "sub001", "+r8EXVpgwyv6Ejx4delUvDqDuzo=", "hmacsha1", "psk"),
         SKY_MISTAKE_NONE},
    };
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_suspicion suspicion = {.now_ms = 0};
        gateway_send(&bench, &sky_tencent_gateway, TOPIC, rows[i].payload);
        assert_int_equal(bench.peers[0].cause, SKY_CAUSE_SIGNATURE);
        assert_true(sky_tencent_gateway.suspect(&bench.base.uplink, &bench.peers[0], &suspicion,
                                                &bench.base.effects.arena));
        assert_int_equal(suspicion.plain, rows[i].mistake);
    }
    bench_done(&bench.base);
}

/* The finding of the gateway says whose signature it is. */
static void whoever_signs_is_judged(void **state)
{
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    gateway_send(&bench, &sky_tencent_gateway, TOPIC,
                 BIND("PROD123456", "sub001", "bm8=", "hmacsha1", "psk"));
    const struct sky_judge *judges[] = {&bench.base.judge, bench.peers[0].judge};
    for (size_t i = 0; i < SKY_COUNT(judges); i++) {
        assert_int_equal(judges[i]->count, 1);
        assert_string_equal(judges[i]->findings[0].rule->id, "TEN-GATEWAY-SIGN");
        assert_non_null(strstr(judges[i]->findings[0].detail, "PROD123456/sub001"));
    }
    bench_done(&bench.base);
}

static void who_comes_online_is_active_from_then_on(void **state)
{
    static const struct {
        const char *payload;
        enum sky_device_state state;
        bool activates;
    } rows[] = {
        {ONE("online", "PROD123456", "mine"), SKY_DEVICE_INACTIVE, true},
        {ONE("online", "PROD123456", "mine"), SKY_DEVICE_ACTIVE, false},
        {ONE("online", "PROD123456", "off"), SKY_DEVICE_INACTIVE, false},
        {ONE("offline", "PROD123456", "mine"), SKY_DEVICE_INACTIVE, false},
        {BIND("PROD123456", "sub001", SHA1, "hmacsha1", "psk"), SKY_DEVICE_INACTIVE, false},
    };
    static struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, SKY_COUNT(devices));
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        bench.known[1].state = rows[i].state;
        gateway_send(&bench, &sky_tencent_gateway, TOPIC, rows[i].payload);
        const struct sky_effect *online = bench_effect(&bench.base, SKY_EFFECT_ONLINE);
        assert_int_equal(online != NULL, rows[i].activates);
        if (online != NULL)
            assert_int_equal(online->subject, 2);
    }
    bench_done(&bench.base);
}

/* 18 devices with names of 10 and 6 characters are the most that the C SDK can read. */
static void a_long_list_is_told(void **state)
{
    static struct sky_name names[SKY_TENCENT_BEHIND_MAX];
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "GATEWAY001", "gw");
    for (size_t i = 0; i < SKY_COUNT(names); i++)
        names[i] = (struct sky_name){SKY_SPAN("PROD123456"), SKY_SPAN("sub001")};
    bench.facts.behind = names;
    bench.facts.behind_count = 18;
    bench_send(&bench, &sky_tencent_gateway, SKY_SPAN(TOPIC),
               SKY_SPAN("{\"type\":\"describe_sub_devices\"}"));
    assert_int_equal(bench.judge.count, 0);
    bench.facts.behind_count = 19;
    bench_send(&bench, &sky_tencent_gateway, SKY_SPAN(TOPIC),
               SKY_SPAN("{\"type\":\"describe_sub_devices\"}"));
    assert_string_equal(bench.judge.findings[0].rule->id, "TEN-GATEWAY-LIST");
    bench.facts.behind_count = SKY_TENCENT_BEHIND_MAX;
    bench_send(&bench, &sky_tencent_gateway, SKY_SPAN(TOPIC),
               SKY_SPAN("{\"type\":\"describe_sub_devices\"}"));
    assert_non_null(bench_effect(&bench, SKY_EFFECT_REPLY));
    bench_done(&bench);
}

static void one_more_than_a_gateway_takes_is_not_bound(void **state)
{
    static struct gateway_bench bench;
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        gateway_init(&bench, "tencent", "GATEWAY001", "gw", devices, 1);
        gateway_send(&bench, &sky_tencent_gateway, TOPIC,
                     BIND("PROD123456", "sub001", SHA1, "hmacsha1", "psk"));
        bench.base.facts.behind_count = SKY_TENCENT_BEHIND_MAX - 1 + more;
        sky_effects_clear(&bench.base.effects);
        bench.base.facts.peer_count =
            sky_tencent_gateway.peers(&bench.base.uplink, &bench.base.effects.arena, bench.peers);
        gateway_look_up(&bench, &bench.peers[0], 0);
        sky_tencent_gateway.handle(&bench.base.uplink, &bench.base.facts, &bench.base.judge,
                                   &bench.base.effects);
        assert_int_equal(bench_effect(&bench.base, SKY_EFFECT_BIND) != NULL, more == 0);
        assert_span("bind", "the reply", bench_effect(&bench.base, SKY_EFFECT_REPLY)->payload,
                    more == 0 ? ANSWER("bind", "PROD123456", "sub001", "0")
                              : ANSWER("bind", "PROD123456", "sub001", "-2"));
        bench_done(&bench.base);
    }
}

static void a_change_of_the_topology_is_told(void **state)
{
    static const struct {
        enum sky_behind_event event;
        const char *payload;
    } rows[] = {
        {SKY_BEHIND_BOUND, "{\"type\":\"change\",\"payload\":{\"status\":1,\"devices\":[{" NAMED(
                               "PROD123456", "sub001") "}]}}"},
        {SKY_BEHIND_UNBOUND, "{\"type\":\"change\",\"payload\":{\"status\":0,\"devices\":[{" NAMED(
                                 "PROD123456", "sub001") "}]}}"},
        {SKY_BEHIND_DELETED, "{\"type\":\"change\",\"payload\":{\"status\":0,\"devices\":[{" NAMED(
                                 "PROD123456", "sub001") "}]}}"},
        {SKY_BEHIND_ENABLED, NULL},
        {SKY_BEHIND_DISABLED, NULL},
        {SKY_BEHIND_OUSTED, NULL},
    };
    const struct sky_peer peer = {.product = SKY_SPAN("PROD123456"), .device = SKY_SPAN("sub001")};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "tencent", "GATEWAY001", "gw");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct service_case as_service = {.name = "a change"};
        sky_effects_clear(&bench.effects);
        sky_tencent_behind.tell(&bench.uplink, rows[i].event, &peer, 1, SKY_SPAN("1"),
                                &bench.effects);
        assert_effect(&as_service, "the message", bench_effect(&bench, SKY_EFFECT_REPLY), DOWN,
                      rows[i].payload);
    }
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gateways_are_answered),
        cmocka_unit_test(only_gateways_bind),
        cmocka_unit_test(an_old_signature_is_refused_on_request),
        cmocka_unit_test(a_device_with_a_certificate_is_believed),
        cmocka_unit_test(other_texts_than_the_due_one_are_recognised),
        cmocka_unit_test(whoever_signs_is_judged),
        cmocka_unit_test(who_comes_online_is_active_from_then_on),
        cmocka_unit_test(a_long_list_is_told),
        cmocka_unit_test(one_more_than_a_gateway_takes_is_not_bound),
        cmocka_unit_test(a_change_of_the_topology_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
