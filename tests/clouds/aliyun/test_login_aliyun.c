#include "tests/unit/cloud/login_case.h"

/* The document's example: 12345, device, pk, 789, secret. */
#define GOOD "FAFD82A3D602B37FB0FA8B7892F24A477F851A14"
#define NO_TIMESTAMP "3504E4DF7CE4766D30F796EE973C9CE7FC5425CB"

static int setup(void **state)
{
    static struct login_bench bench;
    login_init(&bench, "aliyun", "pk", "productsecret", "device", "secret");
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    login_done(*state);
    return 0;
}

static void every_way_to_write_a_login_is_taken(void **state)
{
    struct login_bench *b = *state;
    static const struct login_row rows[] = {
        {"as in the document", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk",
         GOOD, 0, NULL},
        {"another order", "12345|timestamp=789,signmethod=hmacsha1,securemode=3|", "device&pk",
         GOOD, 0, NULL},
        {"lower-case password", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
         "device&pk", "fafd82a3d602b37fb0fa8b7892f24a477f851a14", 0, NULL},
        {"line ends and blanks, as an old SDK sends them",
         "12345|securemode=3,\n        signmethod=hmacsha1,\n        timestamp=789|", "device&pk",
         GOOD, 0, NULL},
        {"without a timestamp", "12345|securemode=3,signmethod=hmacsha1|", "device&pk",
         NO_TIMESTAMP, 0, NULL},
        {"hmacmd5", "12345|securemode=3,signmethod=hmacmd5,timestamp=789|", "device&pk",
         "14B198324FE55E1D3C88F2E705E201EE", 0, NULL},
        {"hmacsha256", "12345|securemode=3,signmethod=hmacsha256,timestamp=789|", "device&pk",
         "6074A46A91B1EBB2CC4EA42790AD0E80202C9843859FC292E57C4EB19FAD9E57", 0, NULL},
        {"no method means hmacmd5", "12345|securemode=3,timestamp=789|", "device&pk",
         "14B198324FE55E1D3C88F2E705E201EE", 0, "ALI-SIGNMETHOD-MISSING"},
        {"the C SDK's block",
         "pk.device|timestamp=2524608000000,_v=sdk-c-3.0.1,securemode=3,signmethod=hmacsha256,"
         "lan=C,gw=0,ext=0|",
         "device&pk", "2EAB47D05EC94FAB1A34E7E9F54AEBD34A1E15770F932E05300193007E0091E9", 0, NULL},
        {"unknown keys", "12345|securemode=3,signmethod=hmacsha1,timestamp=789,a=b|", "device&pk",
         GOOD, 0, NULL},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
}

static void what_is_wrong_with_a_login_has_its_code_and_rule(void **state)
{
    struct login_bench *b = *state;
    static const char long_id[] =
        "12345678901234567890123456789012345678901234567890123456789012345"
        "|securemode=3,signmethod=hmacsha1,timestamp=789|";
    static const struct login_row rows[] = {
        {"no block", "12345", "device&pk", GOOD, 2, "ALI-CLIENTID-SHAPE"},
        {"block not closed", "12345|securemode=3,signmethod=hmacsha1,timestamp=789", "device&pk",
         GOOD, 2, "ALI-CLIENTID-SHAPE"},
        {"nothing before the block", "|securemode=3,signmethod=hmacsha1,timestamp=789|",
         "device&pk", GOOD, 2, "ALI-CLIENTID-SHAPE"},
        {"an item without =", "12345|securemode=3,signmethod=hmacsha1,timestamp=789,x|",
         "device&pk", GOOD, 2, "ALI-EXT-PARAM"},
        {"65 characters", long_id, "device&pk", GOOD, 2, "ALI-CLIENTID-LENGTH"},
        {"no securemode", "12345|signmethod=hmacsha1,timestamp=789|", "device&pk", GOOD, 2,
         "ALI-SECUREMODE"},
        {"securemode 4", "12345|securemode=4,signmethod=hmacsha1,timestamp=789|", "device&pk", GOOD,
         2, "ALI-SECUREMODE"},
        {"TLS stated over TCP", "12345|securemode=2,signmethod=hmacsha1,timestamp=789|",
         "device&pk", GOOD, 2, "ALI-SECUREMODE-MISMATCH"},
        {"unknown method", "12345|securemode=3,signmethod=sha1,timestamp=789|", "device&pk", GOOD,
         2, "ALI-SIGNMETHOD"},
        {"half a user name", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device",
         GOOD, 4, "ALI-USERNAME-SHAPE"},
        {"three names", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk&x",
         GOOD, 4, "ALI-USERNAME-SHAPE"},
        {"another signature", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk",
         NO_TIMESTAMP, 4, "ALI-SIGN"},
        {"a short password", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk",
         "FAFD82A3", 4, "ALI-SIGN"},
        {"no password", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk", NULL,
         4, "ALI-SIGN"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
}

static int connect_example(struct login_bench *b)
{
    return login_connect(b, "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk",
                         GOOD);
}

static int connect_example_tls(struct login_bench *b)
{
    return login_connect(b, "12345|securemode=2,signmethod=hmacsha1,timestamp=789|", "device&pk",
                         GOOD);
}

static void an_id_of_64_characters_is_not_too_long(void **state)
{
    struct login_bench *b = *state;
    char sign[SKY_DIGEST_HEX_MAX + 1];
#define ID64 "1234567890123456789012345678901234567890123456789012345678901234"
    login_hmac(SKY_SHA1, "secret", "clientId" ID64 "deviceNamedeviceproductKeypk", sign);
    assert_int_equal(login_connect(b, ID64 "|securemode=3,signmethod=hmacsha1|", "device&pk", sign),
                     0);
    assert_true(login_kept(b, "ALI-CLIENTID-LENGTH"));
}

static void a_good_login_keeps_every_rule_it_was_held_to(void **state)
{
    struct login_bench *b = *state;
    static const char *const kept[] = {"ALI-CLIENTID-SHAPE",        "ALI-SECUREMODE",
                                       "ALI-SECUREMODE-MISMATCH",   "ALI-SIGN",
                                       "ALI-SIGN-VALUES-ONLY",      "ALI-SIGN-PLAIN-HASH",
                                       "ALI-SIGN-SIGNS-SIGNMETHOD", "ALI-USERNAME-ORDER",
                                       "ALI-DEVICE-UNKNOWN",        "ALI-TIMESTAMP-OPTIONAL"};
    assert_int_equal(connect_example(b), 0);
    for (size_t i = 0; i < SKY_COUNT(kept); i++)
        if (!login_kept(b, kept[i]))
            fail_msg("%s was not kept", kept[i]);
    assert_non_null(login_effect(b, SKY_EFFECT_ONLINE));
    assert_false(login_kept(b, "ALI-TOKEN-INVALID"));
}

static void securemode_2_is_for_tls_only(void **state)
{
    struct login_bench *b = *state;
    login_over_tls(b, "mqtt");
    assert_int_equal(connect_example_tls(b), 0);
    assert_int_equal(connect_example(b), 2);
    assert_non_null(login_finding(b, "ALI-SECUREMODE-MISMATCH"));
}

static void an_unknown_device_is_refused_even_where_that_is_only_reported(void **state)
{
    struct login_bench *b = *state;
    login_policy(b, "ALI-DEVICE-UNKNOWN=report");
    b->facts.device = NULL;
    assert_int_equal(connect_example(b), 5);
    assert_int_equal(b->admission.cause, SKY_CAUSE_UNKNOWN);
    assert_non_null(login_finding(b, "ALI-DEVICE-UNKNOWN"));
}

static void swapped_names_are_told_apart_from_unknown_ones(void **state)
{
    struct login_bench *b = *state;
    b->facts.device = NULL;
    b->facts.product = NULL;
    b->facts.swapped_known = true;
    assert_int_equal(login_connect(b, "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
                                   "pk&device", GOOD),
                     5);
    assert_non_null(login_finding(b, "ALI-USERNAME-ORDER"));
    assert_null(login_finding(b, "ALI-DEVICE-UNKNOWN"));
}

static void a_wrong_signature_that_is_only_reported_is_let_in_and_to_be_explained(void **state)
{
    struct login_bench *b = *state;
    login_policy(b, "ALI-SIGN=report");
    assert_int_equal(login_connect(b, "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
                                   "device&pk", NO_TIMESTAMP),
                     0);
    assert_int_equal(b->admission.cause, SKY_CAUSE_SIGNATURE);
    assert_non_null(login_finding(b, "ALI-SIGN"));
}

static void a_device_without_a_secret_matches_no_signature(void **state)
{
    struct login_bench *b = *state;
    char sign[SKY_DIGEST_HEX_MAX + 1];
    b->device.secret[0] = '\0';
    login_hmac(SKY_SHA1, "", "clientId12345deviceNamedeviceproductKeypktimestamp789", sign);
    assert_int_equal(login_connect(b, "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
                                   "device&pk", sign),
                     4);
}

static void the_state_of_the_device_refuses_with_5(void **state)
{
    struct login_bench *b = *state;
    b->device.enabled = false;
    assert_int_equal(connect_example(b), 5);
    assert_non_null(login_finding(b, "ALI-DEVICE-DISABLED"));
    b->device.enabled = true;
    b->product.require_certificate = true;
    assert_int_equal(connect_example(b), 5);
    assert_non_null(login_finding(b, "ALI-CERTIFICATE"));
    b->product.require_certificate = false;
    b->product.node = SKY_NODE_SUB;
    assert_int_equal(connect_example(b), 5);
    assert_non_null(login_finding(b, "ALI-SUB-DIRECT"));
    b->product.node = SKY_NODE_GATEWAY;
    b->door.psk_device_id = 8;
    assert_int_equal(connect_example(b), 5);
    assert_non_null(login_finding(b, "ALI-PSK-DEVICE"));
    b->door.psk_device_id = 7;
    assert_int_equal(connect_example(b), 0);
}

static void the_host_name_is_judged_where_it_is_the_vendors(void **state)
{
    struct login_bench *b = *state;
    b->door.server_name = SKY_SPAN("localhost");
    assert_int_equal(connect_example(b), 0);
    assert_false(login_kept(b, "ALI-HOST"));
    b->door.server_name = SKY_SPAN("pk.iot-as-mqtt.cn-shanghai.aliyuncs.com");
    assert_int_equal(connect_example(b), 0);
    assert_true(login_kept(b, "ALI-HOST"));
    b->door.server_name = SKY_SPAN("other.iot-as-mqtt.cn-shanghai.aliyuncs.com");
    assert_int_equal(connect_example(b), 0);
    assert_non_null(login_finding(b, "ALI-HOST"));
}

static void the_sdks_doubled_keepalive_is_noticed(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        uint16_t keepalive_s;
        bool noticed;
    } rows[] = {{60, false},  {300, false}, {301, false}, {480, true},
                {481, false}, {1200, true}, {1202, false}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        b->login.keepalive_s = rows[i].keepalive_s;
        connect_example(b);
        assert_int_equal(login_finding(b, "ALI-KEEPALIVE-SDK-DOUBLING") != NULL, rows[i].noticed);
    }
}

static void version_4_of_the_sdk_doubles_nothing(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *client_id;
        bool noticed;
    } rows[] = {
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,_v=sdk-c-3.0.1|", true},
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,_v=sdk-c-4.2.0|", false},
        {"12345|_v=sdk-c-4.0.0,securemode=3,signmethod=hmacsha1,timestamp=789|", false},
    };
    b->login.keepalive_s = 1200;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        login_connect(b, rows[i].client_id, "device&pk", GOOD);
        assert_int_equal(login_finding(b, "ALI-KEEPALIVE-SDK-DOUBLING") != NULL, rows[i].noticed);
    }
}

static void a_rule_set_to_enforce_refuses_whatever_it_is(void **state)
{
    struct login_bench *b = *state;
    login_policy(b, "ALI-SIGNMETHOD-MISSING=enforce");
    assert_int_equal(login_connect(b, "12345|securemode=3,timestamp=789|", "device&pk",
                                   "14B198324FE55E1D3C88F2E705E201EE"),
                     5);
    assert_int_equal(b->effects.count, 0);
}

static void the_block_says_what_kind_of_session_it_is(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *client_id;
        unsigned traits;
    } rows[] = {
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,gw=0,ext=0|", 0},
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,gw=1,ext=0|", SKY_TRAIT_GATEWAY},
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,ext=3|", SKY_TRAIT_CUSTOM_RPC},
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,ext=2|", 0},
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789,_ss=1|", SKY_TRAIT_AUTO_SUBSCRIBED},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        assert_int_equal(login_connect(b, rows[i].client_id, "device&pk", GOOD), 0);
        assert_int_equal(b->admission.traits, rows[i].traits);
    }
}

static void a_mistake_in_the_signature_has_its_own_rule(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *password, *rule;
    } rows[] = {
        {"6F2E85580829A91CCE65DF1CB2B1FE0FD44FA7B2", "ALI-SIGN-VALUES-ONLY"},
        {"C22D11DEE6C3422A09445A8717BE11D92C6DA02A", "ALI-SIGN-CLIENTID-FULL"},
        {"B6D178039A5A5FB0D99F708BF28E6B9143F40009", "ALI-SIGN-SIGNS-SIGNMETHOD"},
        {"356BE3508FD8ABE906A6393683DEBC1296CFAC08", "ALI-SIGN-PLAIN-HASH"},
        {NO_TIMESTAMP, "ALI-TIMESTAMP-OPTIONAL"},
        {"6074A46A91B1EBB2CC4EA42790AD0E80202C9843859FC292E57C4EB19FAD9E57", "ALI-SIGNMETHOD"},
        {"0000000000000000000000000000000000000000", "none"},
    };
    enum sky_mistake mistake;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        assert_int_equal(login_connect(b, "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
                                       "device&pk", rows[i].password),
                         4);
        assert_string_equal(login_mistake_rule(b, &mistake), rows[i].rule);
    }
}

static void a_login_as_signed_here_is_let_in(void **state)
{
    struct login_bench *b = *state;
    login_as_signed(b, false, false);
    login_over_tls(b, "mqtt");
    login_as_signed(b, false, true);
    b->product.dynamic_activation = true;
    login_as_signed(b, true, true);
}

/* ---- with a token ---- */

static void give_token(struct login_bench *b)
{
    snprintf(b->token.id, sizeof b->token.id, "42Ze0mk3556498a1AlTP");
    snprintf(b->token.token, sizeof b->token.token, "0d7fdeb9dc1f4344a2cc0d45edcb0bcb");
    b->token.device_id = b->device.id;
    b->token.expires_ms = LOGIN_NOW_MS + 1;
    b->facts.token = &b->token;
}

static void a_token_logs_in_with_a_block_or_without(void **state)
{
    struct login_bench *b = *state;
    static const char *const client_ids[] = {"001122334455",
                                             "pk.device|securemode=-1,signmethod=hmacsha256|",
                                             "pk.device|securemode=0,_v=sdk-c-3.0.1|"};
    give_token(b);
    login_over_tls(b, "mqtt");
    for (size_t i = 0; i < SKY_COUNT(client_ids); i++) {
        assert_int_equal(login_connect(b, client_ids[i], b->token.id, b->token.token), 0);
        assert_int_equal(b->judge.count, 0);
        assert_true(login_kept(b, "ALI-TOKEN-PAIR"));
        assert_non_null(login_effect(b, SKY_EFFECT_ONLINE));
    }
}

static void a_bad_token_gets_3(void **state)
{
    struct login_bench *b = *state;
    give_token(b);
    login_over_tls(b, "mqtt");
    assert_int_equal(login_connect(b, "mac", b->token.id, "another"), 3);
    assert_non_null(login_finding(b, "ALI-TOKEN-PAIR"));
    b->product.node = SKY_NODE_SUB;
    assert_int_equal(login_connect(b, "mac", b->token.id, b->token.token), 5);
    assert_non_null(login_finding(b, "ALI-SUB-DIRECT"));
    b->product.node = SKY_NODE_DEVICE;
    b->facts.now_ms = b->token.expires_ms;
    assert_int_equal(login_connect(b, "mac", b->token.id, b->token.token), 3);
    assert_non_null(login_finding(b, "ALI-TOKEN-EXPIRED"));
    b->facts.token = NULL;
    assert_int_equal(login_connect(b, "mac", "nobody", "nothing"), 3);
    assert_non_null(login_finding(b, "ALI-TOKEN-INVALID"));
}

static void a_token_over_plain_tcp_is_noticed(void **state)
{
    struct login_bench *b = *state;
    give_token(b);
    assert_int_equal(login_connect(b, "mac", b->token.id, b->token.token), 0);
    assert_non_null(login_finding(b, "ALI-TOKEN-NO-TLS"));
}

/* ---- for a secret ---- */

#define REGISTER_ID "id|securemode=2,authType=register,random=123,signmethod=hmacsha256|"
#define REGISTER_SIGN "F2254080E380AE71AFAAC58CACB732B6ADDF35366AFB7D8C6F4D16788360F5AE"

static void a_registration_is_answered_with_a_new_secret_and_a_closed_door(void **state)
{
    struct login_bench *b = *state;
    static const char *const client_ids[] = {
        REGISTER_ID, "id|securemode=-2,authtype=register,random=123,signmethod=hmacsha256|"};
    b->product.dynamic_activation = true;
    login_over_tls(b, "mqtt");
    for (size_t i = 0; i < SKY_COUNT(client_ids); i++) {
        assert_int_equal(login_connect(b, client_ids[i], "device&pk", REGISTER_SIGN), 0);
        assert_int_equal(b->admission.traits, SKY_TRAIT_ACTIVATION);
        const struct sky_effect *push = login_effect(b, SKY_EFFECT_PUSH);
        const struct sky_effect *activate = login_effect(b, SKY_EFFECT_ACTIVATE);
        const struct sky_effect *close = login_effect(b, SKY_EFFECT_CLOSE);
        assert_true(push != NULL && activate != NULL && close != NULL);
        assert_true(sky_span_eq_str(push->topic, "/ext/register"));
        assert_int_equal(close->delay_ms, 15000);
        char expected[256];
        snprintf(expected, sizeof expected,
                 "{\"productKey\":\"pk\",\"deviceName\":\"device\",\"deviceSecret\":\"%.*s\"}",
                 SKY_SPAN_ARGS(activate->payload));
        assert_true(sky_span_eq_str(push->payload, expected));
        assert_int_equal(activate->payload.len, 32);
    }
}

static void what_is_not_played_here_is_no_other_mistake_of_the_device(void **state)
{
    static const char *const logins[] = {
        "id|authType=regnwl,securemode=-2,random=123,signmethod=hmacsha256|",
        "id|authType=connwl,securemode=-2,_ss=1|",
    };
    struct login_bench *b = *state;
    for (size_t i = 0; i < SKY_COUNT(logins); i++) {
        assert_int_equal(login_connect(b, logins[i], "device&pk", "a token"), 2);
        assert_int_equal(b->judge.count, 1);
        assert_non_null(strstr(login_finding(b, "ALI-AUTH-TYPE"), "not played here"));
    }
}

static void a_registration_is_refused_with_its_own_codes(void **state)
{
    struct login_bench *b = *state;
    static const struct login_row rows[] = {
        {"unknown type", "id|securemode=2,authType=regnwl,random=123,signmethod=hmacsha256|",
         "device&pk", REGISTER_SIGN, 2, "ALI-AUTH-TYPE"},
        {"no random", "id|securemode=2,authType=register,signmethod=hmacsha256|", "device&pk",
         REGISTER_SIGN, 2, "ALI-REGISTER-PARAM"},
        {"wrong signature", REGISTER_ID, "device&pk", GOOD, 4, "ALI-REGISTER-SIGN"},
        {"half a user name", REGISTER_ID, "device", REGISTER_SIGN, 4, "ALI-USERNAME-SHAPE"},
    };
    b->product.dynamic_activation = true;
    assert_int_equal(login_connect(b, REGISTER_ID, "device&pk", REGISTER_SIGN), 2);
    assert_non_null(login_finding(b, "ALI-REGISTER-TLS"));
    login_over_tls(b, "mqtt");
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
    b->device.state = SKY_DEVICE_ACTIVE;
    assert_int_equal(login_connect(b, REGISTER_ID, "device&pk", REGISTER_SIGN), 4);
    assert_non_null(login_finding(b, "ALI-REGISTER-ACTIVE"));
    b->product.node = SKY_NODE_SUB;
    assert_int_equal(login_connect(b, REGISTER_ID, "device&pk", REGISTER_SIGN), 4);
    assert_non_null(login_finding(b, "ALI-SUB-DIRECT"));
    b->product.dynamic_activation = false;
    assert_int_equal(login_connect(b, REGISTER_ID, "device&pk", REGISTER_SIGN), 4);
    assert_non_null(login_finding(b, "ALI-REGISTER-DISABLED"));
}

/* ---- whose login it is ---- */

static void a_claim_names_product_and_device_or_a_token(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *client_id, *username;
        int kind; /* -1: no claim */
        const char *product, *device;
    } rows[] = {
        {"12345|securemode=3,signmethod=hmacsha1|", "device&pk", SKY_CLAIM_NAMED, "pk", "device"},
        {"12345", "device&pk", SKY_CLAIM_NAMED, "pk", "device"},
        {"12345|securemode=3|", "device", SKY_CLAIM_NAMED, "", ""},
        {"mac", "iotId", SKY_CLAIM_TOKEN, "iotId", ""},
        {"x|securemode=-1|", "iotId", SKY_CLAIM_TOKEN, "iotId", ""},
        {"PIDdn", "PIDdn;1;2;3", -1, "", ""},
        {"anything", NULL, -1, "", ""},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_claim claim = {0};
        b->login.client_id = sky_span_str(rows[i].client_id);
        b->login.username = sky_span_str(rows[i].username);
        bool claimed = b->cloud->claim(&b->login, &claim);
        assert_int_equal(claimed, rows[i].kind >= 0);
        if (!claimed)
            continue;
        assert_int_equal(claim.kind, rows[i].kind);
        assert_true(sky_span_eq_str(claim.product, rows[i].product));
        assert_true(sky_span_eq_str(claim.device, rows[i].device));
        assert_in_range(claim.affinity, SKY_AFFINITY_OPEN, SKY_AFFINITY_OWN);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Only documented values of authType change the kind of a login. */
static void an_unknown_auth_type_is_an_unknown_item(void **state)
{
    struct login_bench *b = *state;
    static const char *const ids[] = {
        "12345|securemode=3,tokenType=0,token=abc,authtype=custom-ilop,signmethod=hmacsha1,"
        "timestamp=789|",
        "12345|securemode=3,authType=deviceSecret,signmethod=hmacsha1,timestamp=789|",
        "12345|securemode=3,authType=,signmethod=hmacsha1,timestamp=789|",
        "12345|securemode=3,authtype=REGISTER,signmethod=hmacsha1,timestamp=789|",
    };
    for (size_t i = 0; i < SKY_COUNT(ids); i++) {
        assert_int_equal(login_connect(b, ids[i], "device&pk", GOOD), 0);
        assert_null(login_finding(b, "ALI-AUTH-TYPE"));
    }
}

static void a_misspelt_signmethod_is_told(void **state)
{
    struct login_bench *b = *state;
    static const char *const ids[] = {
        "12345|securemode=3,signMethod=hmacsha1,timestamp=789|",
        "12345|securemode=3,sign_method=hmacsha1,timestamp=789|",
        "12345|securemode=3,SIGNMETHOD=hmacsha1,timestamp=789|",
        "12345|securemode=3,sign-method=hmacsha1,timestamp=789|",
    };
    for (size_t i = 0; i < SKY_COUNT(ids); i++) {
        struct sky_explanation said;
        assert_int_equal(login_connect(b, ids[i], "device&pk", GOOD), 4);
        assert_non_null(strstr(login_finding(b, "ALI-SIGNMETHOD-MISSING"), "; there is "));
        assert_true(login_explain(b, &said));
        assert_int_equal(said.mistake, SKY_MISTAKE_FIELD_SPELLING);
        assert_int_equal(said.second, SKY_MISTAKE_NONE);
        assert_non_null(strstr(said.what, "where the parameter is signmethod"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_way_to_write_a_login_is_taken),
        TEST(an_unknown_auth_type_is_an_unknown_item),
        TEST(a_misspelt_signmethod_is_told),
        TEST(what_is_wrong_with_a_login_has_its_code_and_rule),
        TEST(an_id_of_64_characters_is_not_too_long),
        TEST(a_good_login_keeps_every_rule_it_was_held_to),
        TEST(securemode_2_is_for_tls_only),
        TEST(an_unknown_device_is_refused_even_where_that_is_only_reported),
        TEST(swapped_names_are_told_apart_from_unknown_ones),
        TEST(a_wrong_signature_that_is_only_reported_is_let_in_and_to_be_explained),
        TEST(a_device_without_a_secret_matches_no_signature),
        TEST(the_state_of_the_device_refuses_with_5),
        TEST(the_host_name_is_judged_where_it_is_the_vendors),
        TEST(the_sdks_doubled_keepalive_is_noticed),
        TEST(version_4_of_the_sdk_doubles_nothing),
        TEST(a_rule_set_to_enforce_refuses_whatever_it_is),
        TEST(the_block_says_what_kind_of_session_it_is),
        TEST(a_mistake_in_the_signature_has_its_own_rule),
        TEST(a_login_as_signed_here_is_let_in),
        TEST(a_token_logs_in_with_a_block_or_without),
        TEST(a_bad_token_gets_3),
        TEST(a_token_over_plain_tcp_is_noticed),
        TEST(a_registration_is_answered_with_a_new_secret_and_a_closed_door),
        TEST(what_is_not_played_here_is_no_other_mistake_of_the_device),
        TEST(a_registration_is_refused_with_its_own_codes),
        TEST(a_claim_names_product_and_device_or_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
