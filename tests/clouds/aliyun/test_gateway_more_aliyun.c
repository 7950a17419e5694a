/* What gateways post for those behind them, how many those may be, and what gateways are told. */
#include "tests/clouds/aliyun/gateway_aliyun.h"

enum { SUB1 = 1, BOUND, ONLINE, DISABLED };

static const struct gateway_device devices[] = {
    {.product = "spk", .device = "sub1", .secret = "secret", .bound = true},
    {.product = "spk", .device = "bound", .bound = true},
    {.product = "spk", .device = "online", .bound = true, .online = true},
    {.product = "spk", .device = "disabled", .bound = true, .disabled = true},
};

/* ---- posts for others ---- */

#define PACK SYS "event/property/pack/post"
#define PACK_METHOD "thing.event.property.pack.post"
#define HISTORY SYS "event/property/history/post"
#define HISTORY_METHOD "thing.event.property.history.post"
#define OF(who, rest) "{\"identity\":" who rest "}"

static const struct gateway_device posting[] = {
    {.product = "spk",
     .device = "bound",
     .bound = true,
     .document = "{\"a\":{\"value\":0,\"time\":1}}"},
    {.product = "spk", .device = "sub1"},
};

static const struct gateway_case post_cases[] = {
    {.name = "a pack for itself and for one behind it",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":{\"value\":1,\"time\":5}},\"subDevices\":[" OF(
         NAME("bound"), ",\"properties\":{\"b\":{\"value\":2,\"time\":6}},"
                        "\"events\":{\"e\":{\"value\":{},\"time\":5}}") "]}"),
     .reply_topic = PACK "_reply",
     .reply = OK("{}", PACK_METHOD),
     .did = "put 0 {\"a\":{\"value\":1,\"time\":5}}, "
            "put 1 {\"a\":{\"value\":0,\"time\":1},\"b\":{\"value\":2,\"time\":6}}"},
    {.name = "a pack for one that is not behind it, and nothing is kept",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"properties\":{\"a\":1},\"subDevices\":[" OF(
         NAME("bound"), ",\"properties\":{\"b\":2}") "," OF(NAME("sub1"),
                                                            ",\"properties\":{\"b\":2}") "]}"),
     .reply_topic = PACK "_reply",
     .reply = REPLY("6401", "{}", "topological relation does not exist", PACK_METHOD),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "a pack for nobody",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"subDevices\":[" OF(NAME("nobody"), "") "]}"),
     .reply_topic = PACK "_reply",
     .reply = REPLY("6100", "{}", "device not found", PACK_METHOD),
     .rule = "ALI-DEVICE-UNKNOWN",
     .peer_rule = "ALI-DEVICE-UNKNOWN"},
    {.name = "a pack whose device has no name",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"subDevices\":[{\"properties\":{\"a\":1}}]}"),
     .reply_topic = PACK "_reply",
     .reply = BAD("{}", PACK_METHOD),
     .rule = "ALI-PARAMS",
     .peer_rule = "ALI-PARAMS"},
    {.name = "a pack with a list of properties",
     .service = &sky_aliyun_pack_post,
     .topic = PACK,
     .payload = ASK("{\"subDevices\":[" OF(NAME("bound"), ",\"properties\":[]") "]}"),
     .reply_topic = PACK "_reply",
     .reply = BAD("{}", PACK_METHOD),
     .rule = "ALI-PARAMS"},
    {.name = "what was does not change what is",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK(
         "[" OF(NAMED("gpk", "gdn"), ",\"properties\":[{\"a\":{\"value\":1,\"time\":5}}]") "," OF(
             NAME("bound"), ",\"events\":[{\"e\":{\"value\":{},\"time\":5}}]") "]"),
     .reply_topic = HISTORY "_reply",
     .reply = OK("{}", HISTORY_METHOD)},
    {.name = "another's past",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK("[" OF(NAME("sub1"), "") "]"),
     .reply_topic = HISTORY "_reply",
     .reply = REPLY("6401", "{}", "topological relation does not exist", HISTORY_METHOD),
     .rule = "ALI-SUB-DEVICE",
     .peer_rule = "ALI-SUB-DEVICE"},
    {.name = "a past whose properties are no list",
     .service = &sky_aliyun_history_post,
     .topic = HISTORY,
     .payload = ASK("[" OF(NAME("bound"), ",\"properties\":{}") "]"),
     .reply_topic = HISTORY "_reply",
     .reply = BAD("{}", HISTORY_METHOD),
     .rule = "ALI-PARAMS"},
};

static void a_gateway_posts_for_those_behind_it(void **state)
{
    (void)state;
    run_gateway_cases(post_cases, SKY_COUNT(post_cases), posting, SKY_COUNT(posting));
}

/* ---- limits ---- */

/* So many devices, each of them the same, in a message of this form. */
static void check_count(const struct sky_service *service, const char *topic, const char *before,
                        const char *device, const char *after, size_t count, bool fits)
{
    struct gateway_bench bench;
    struct sky_buf out;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, 3);
    sky_buf_init(&out, 256 * 1024);
    sky_buf_addf(&out, "{\"id\":\"1\",\"params\":%s", before);
    for (size_t i = 0; i < count; i++)
        sky_buf_addf(&out, "%s%s", i > 0 ? "," : "", device);
    sky_buf_addf(&out, "%s}", after);
    sky_buf_add_byte(&out, '\0');
    struct sky_peer peers[SKY_PEERS_MAX];
    struct sky_judge judges[64];
    bench.base.uplink.topic = sky_span_str(topic);
    bench.base.uplink.payload = sky_span_str(out.bytes);
    bench.base.facts.product = &bench.product;
    bench.product.node = SKY_NODE_GATEWAY;
    size_t found = service->peers(&bench.base.uplink, &bench.base.effects.arena, peers);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count && i < SKY_COUNT(judges); i++) {
        sky_judge_init(&judges[i], &bench.base.policy);
        peers[i].judge = &judges[i];
        peers[i].known_product = &bench.products[2];
        peers[i].known = &bench.known[0];
        peers[i].bound = peers[i].online = peers[i].allowed = true;
    }
    bench.base.facts.peers = peers;
    bench.base.facts.peer_count = count;
    service->handle(&bench.base.uplink, &bench.base.facts, &bench.base.judge, &bench.base.effects);
    const struct sky_effect *reply = bench_effect(&bench.base, SKY_EFFECT_REPLY);
    if (sky_span_starts(reply->payload, SKY_SPAN("{\"code\":200,")) != fits)
        fail_msg("%s with %zu: %.*s", topic, count, SKY_SPAN_ARGS(reply->payload));
    if (!fits)
        assert_string_equal(bench.base.judge.findings[0].rule->id, "ALI-ENTRIES");
    sky_buf_done(&out);
    bench_done(&bench.base);
}

static void devices_of_one_message_are_limited_in_number(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        check_count(&sky_aliyun_pack_post, PACK, "{\"subDevices\":[", OF(NAME("online"), ""), "]}",
                    SKY_ALIYUN_SUB_DEVICES_MAX + over, !over);
        check_count(&sky_aliyun_topo_add, ADD, "[", SIGNED, "]", SKY_ALIYUN_ADD_MAX + over, !over);
        check_count(&sky_aliyun_batch_login, BATCH_LOGIN, "{\"deviceList\":[", SIGNED, "]}",
                    SKY_ALIYUN_BATCH_MAX + over, !over);
        check_count(&sky_aliyun_batch_logout, BATCH_LOGOUT, "[", NAME("online"), "]",
                    SKY_ALIYUN_BATCH_MAX + over, !over);
    }
}

static void devices_behind_a_gateway_are_limited_in_number(void **state)
{
    static const struct {
        const struct sky_service *service;
        const char *topic, *payload;
        bool online;
        const char *code;
    } rows[] = {
        {&sky_aliyun_topo_add, ADD, ASK("[" SIGNED "]"), false, "{\"code\":6400,"},
        {&sky_aliyun_login, LOGIN, ASK(SIGNED), true, "{\"code\":428,"},
        {&sky_aliyun_batch_login, BATCH_LOGIN, ASK("{\"deviceList\":[" SIGNED "]}"), true,
         "{\"code\":428,"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        for (size_t over = 0; over <= 1; over++) {
            struct gateway_bench bench;
            const struct gateway_device one = {
                .product = "spk", .device = "sub1", .secret = "secret", .bound = rows[i].online};
            gateway_init(&bench, "aliyun", "gpk", "gdn", &one, 1);
            bench.online_count = rows[i].online ? SKY_ALIYUN_BOUND_MAX - 1 + over : 0;
            bench.behind_more = rows[i].online ? 0 : SKY_ALIYUN_BOUND_MAX - 1 + over;
            gateway_send(&bench, rows[i].service, rows[i].topic, rows[i].payload);
            sky_span reply = bench_effect(&bench.base, SKY_EFFECT_REPLY)->payload;
            if (sky_span_starts(reply, sky_span_str(rows[i].code)) != (over == 1))
                fail_msg("%s with %zu more: %.*s", rows[i].topic, over, SKY_SPAN_ARGS(reply));
            bench_done(&bench.base);
        }
}

/* ---- what it is told ---- */

#define CHANGE(status)                                                                             \
    "{\"method\":\"thing.topo.change\",\"id\":\"77\",\"params\":{\"status\":" status               \
    ",\"subList\":[{\"productKey\":\"spk\",\"deviceName\":\"online\"}]},\"version\":\"1.0.0\"}"
#define NOTICE(what)                                                                               \
    "{\"method\":\"thing." what "\",\"id\":\"77\",\"params\":{},\"version\":\"1.0.0\"}"
#define ERROR(code, message) "{\"code\":" code ",\"id\":\"77\",\"message\":\"" message "\"}"

static void a_gateway_is_told_what_happens_behind_it(void **state)
{
    static const struct {
        enum sky_behind_event event;
        bool online;
        const char *topics[3], *payloads[3];
    } rows[] = {
        {SKY_BEHIND_BOUND, false, {SYS "topo/change"}, {CHANGE("0")}},
        {SKY_BEHIND_UNBOUND, false, {SYS "topo/change"}, {CHANGE("1")}},
        {SKY_BEHIND_UNBOUND,
         true,
         {"/ext/error/gpk/gdn", SYS "topo/change"},
         {ERROR("6401", "topological relation does not exist"), CHANGE("1")}},
        {SKY_BEHIND_ENABLED,
         false,
         {"/sys/spk/online/thing/enable", SYS "topo/change"},
         {NOTICE("enable"), CHANGE("2")}},
        {SKY_BEHIND_DISABLED,
         false,
         {"/sys/spk/online/thing/disable", SYS "topo/change"},
         {NOTICE("disable"), CHANGE("8")}},
        {SKY_BEHIND_DISABLED,
         true,
         {"/sys/spk/online/thing/disable", "/ext/error/gpk/gdn", SYS "topo/change"},
         {NOTICE("disable"), ERROR("522", "device forbidden"), CHANGE("8")}},
        {SKY_BEHIND_DELETED,
         true,
         {"/sys/spk/online/thing/delete", "/ext/error/gpk/gdn", SYS "topo/change"},
         {NOTICE("delete"), ERROR("521", "device deleted"), CHANGE("1")}},
        {SKY_BEHIND_OUSTED,
         false,
         {"/ext/error/gpk/gdn"},
         {ERROR("427", "device connected elsewhere")}},
    };
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    const struct sky_cloud *cloud = bench.base.uplink.cloud;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_effects *effects = &bench.base.effects;
        const struct sky_peer peer = {.product = SKY_SPAN("spk"),
                                      .device = SKY_SPAN("online"),
                                      .known = &bench.known[ONLINE - 1],
                                      .online = rows[i].online};
        sky_effects_clear(effects);
        cloud->gateway->tell(&bench.base.uplink, rows[i].event, &peer, 1, SKY_SPAN("77"), effects);
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(j < effects->count, rows[i].topics[j] != NULL);
            if (j == effects->count)
                break;
            const struct sky_effect *effect = &effects->list[j];
            assert_int_equal(effect->kind, SKY_EFFECT_PUSH);
            assert_span("told", "the topic", effect->topic, rows[i].topics[j]);
            assert_span("told", "the payload", effect->payload, rows[i].payloads[j]);
            assert_int_equal(effect->subject,
                             sky_span_starts(effect->topic, SKY_SPAN("/sys/spk")) ? ONLINE : 0);
        }
    }
    bench_done(&bench.base);
}

static void what_a_gateway_sends_for_others_comes_to_nothing(void **state)
{
    static const struct {
        int device;
        const char *payload;
    } rows[] = {
        {BOUND, "{\"code\":520,\"id\":\"5\",\"message\":\"device session error\"}"},
        {DISABLED, "{\"code\":522,\"id\":\"5\",\"message\":\"device forbidden\"}"},
        {0, NULL},
    };
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    const struct sky_cloud *cloud = bench.base.uplink.cloud;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct service_bench *base = &bench.base;
        struct sky_peer peer = {.product = SKY_SPAN("spk"), .device = SKY_SPAN("x")};
        if (rows[i].device > 0)
            peer.known = &bench.known[rows[i].device - 1];
        base->facts.peers = &peer;
        base->facts.peer_count = rows[i].device > 0;
        base->uplink.topic = SKY_SPAN("/sys/spk/x/thing/event/property/post");
        base->uplink.payload = SKY_SPAN("{\"id\":5,\"params\":{}}");
        sky_judge_init(&base->judge, &base->policy);
        sky_effects_clear(&base->effects);
        cloud->refused_publish(&base->uplink, &base->facts, &base->judge, &base->effects);
        const struct sky_effect *push = bench_effect(base, SKY_EFFECT_PUSH);
        assert_int_equal(push != NULL, rows[i].payload != NULL);
        assert_int_equal(base->judge.count, rows[i].payload != NULL);
        if (push == NULL)
            continue;
        assert_string_equal(base->judge.findings[0].rule->id, "ALI-SUB-ONLINE");
        assert_span("refused", "the topic", push->topic, "/ext/error/gpk/gdn");
        assert_span("refused", "the payload", push->payload, rows[i].payload);
    }
    bench_done(&bench.base);
}

static void one_that_was_online_is_not_taken_away_in_silence(void **state)
{
    struct gateway_bench bench;
    (void)state;
    gateway_init(&bench, "aliyun", "gpk", "gdn", devices, SKY_COUNT(devices));
    gateway_send(&bench, &sky_aliyun_topo_delete, DELETE, ASK("[" NAME("online") "]"));
    const struct sky_effect *push = bench_effect(&bench.base, SKY_EFFECT_PUSH);
    assert_non_null(push);
    assert_span("deleted", "the payload", push->payload,
                "{\"code\":6401,\"id\":\"1\",\"message\":\"topological relation does not exist\"}");
    bench_done(&bench.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_posts_for_those_behind_it),
        cmocka_unit_test(devices_of_one_message_are_limited_in_number),
        cmocka_unit_test(devices_behind_a_gateway_are_limited_in_number),
        cmocka_unit_test(a_gateway_is_told_what_happens_behind_it),
        cmocka_unit_test(what_a_gateway_sends_for_others_comes_to_nothing),
        cmocka_unit_test(one_that_was_online_is_not_taken_away_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
