#include "tests/unit/cloud/login_case.h"

/* The document's examples: 123456, tPbZGCdmaE, KV315idW, 1548753362502. */
#define SECRET "M3yy874uGY8INjEGddTR"
#define STATIC "123456|securemode=2,signmethod=sha256,timestamp=1548753362502|"
#define DYNAMIC "123456|securemode=3,signmethod=sha256,timestamp=1548753362502|"
#define USER "tPbZGCdmaE&KV315idW"
#define GOOD "A3C438DDCB6EAA0CF07AD1C36655245CCDD67AA1917E4CC4EFF57BF6F464ABFF"
#define CONTENT "clientId123456deviceKeytPbZGCdmaEproductKeyKV315idWtimestamp1548753362502"

static int setup(void **state)
{
    static struct login_bench bench;
    login_init(&bench, "enos", "KV315idW", "productSecret001", "tPbZGCdmaE", SECRET);
    for (size_t i = 0; i < bench.cloud->listener_count; i++)
        if (strcmp(bench.cloud->listeners[i].name, "enos-mqtt") == 0)
            bench.listener = bench.cloud->listeners[i];
    bench.product.dynamic_activation = true;
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
        {"as in the document", STATIC, USER, GOOD, 0, NULL},
        {"another order", "123456|timestamp=1548753362502,signmethod=sha256,securemode=2|", USER,
         GOOD, 0, NULL},
        {"lower-case password", STATIC, USER,
         "a3c438ddcb6eaa0cf07ad1c36655245ccdd67aa1917e4cc4eff57bf6f464abff", 0,
         "ENOS-PASSWORD-UPPERCASE"},
        {"the Python SDK's method",
         "123456|securemode=2,signmethod=hmacsha256,timestamp=1548753362502|", USER, GOOD, 0,
         "ENOS-SIGNMETHOD"},
        {"the old C SDK's method",
         "123456|securemode=2,signmethod=hmacsha1,timestamp=1548753362502|", USER,
         "E42C1186C3BFFE98E1EA8AB320CD800D579212AA", 0, "ENOS-SIGNMETHOD"},
        {"sha1", "123456|securemode=2,signmethod=sha1,timestamp=1548753362502|", USER,
         "E42C1186C3BFFE98E1EA8AB320CD800D579212AA", 0, "ENOS-SIGNMETHOD"},
        {"md5", "123456|securemode=2,signmethod=md5,timestamp=1548753362502|", USER,
         "10AF8DC95019A1FE05CD146A9E64778B", 0, "ENOS-SIGNMETHOD"},
        {"the C SDK's id",
         "KV315idW.tPbZGCdmaE|securemode=2,signmethod=sha256,timestamp=2524608000000|", USER,
         "E86A6AEBC68B108A2BA60510F55BF1E3F780A6E9403A9C12F2A02EDA431FD1A0", 0, NULL},
        {"the Java SDK's id",
         "tPbZGCdmaE{ip=10.0.0.5,version=2.3.0}|securemode=2,signmethod=sha256,"
         "timestamp=1548753362502|",
         USER, "19C343ACF8F95AC60E1EC21865BBDA16D071879CCE16713C3664B2A47FE8F0DA", 0, NULL},
        {"the Python SDK's timestamp",
         "tPbZGCdmaE|securemode=2,signmethod=sha256,timestamp=1548753362502.125|", USER,
         "9D59E0F68AE9CC66A6B287937F93AAA3540400C3766C8A4F62C8A6F0D4DF531C", 0,
         "ENOS-TIMESTAMP-FORMAT"},
        {"blanks", "123456|securemode=2, signmethod=sha256, timestamp=1548753362502|", USER, GOOD,
         0, "ENOS-CLIENTID-BLANKS"},
        {"one item more", "123456|securemode=2,signmethod=sha256,timestamp=1548753362502,a=b|",
         USER, GOOD, 0, "ENOS-CLIENTID-UNKNOWN-KEY"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
}

static void what_is_wrong_with_a_login_has_its_code_and_rule(void **state)
{
    struct login_bench *b = *state;
    static const struct login_row rows[] = {
        {"no block", "123456", USER, GOOD, 2, "ENOS-CLIENTID-SHAPE"},
        {"block not closed", "123456|securemode=2,signmethod=sha256,timestamp=1548753362502", USER,
         GOOD, 2, "ENOS-CLIENTID-SHAPE"},
        {"no id", "|securemode=2,signmethod=sha256,timestamp=1548753362502|", USER, GOOD, 2,
         "ENOS-CLIENTID-EMPTY"},
        {"65 characters",
         "12345678901234567890123456789012345678901234567890123456789012345"
         "|securemode=2,signmethod=sha256,timestamp=1548753362502|",
         USER, GOOD, 2, "ENOS-CLIENTID-LENGTH"},
        {"no securemode", "123456|signmethod=sha256,timestamp=1548753362502|", USER, GOOD, 2,
         "ENOS-SECUREMODE-MISSING"},
        {"an integration channel", "123456|securemode=4,signmethod=sha256,timestamp=1548753362502|",
         USER, GOOD, 2, "ENOS-SECUREMODE"},
        {"no signmethod", "123456|securemode=2,timestamp=1548753362502|", USER, GOOD, 2,
         "ENOS-SIGNMETHOD-MISSING"},
        {"the document's misspelling",
         "123456|securemode=2,sighmethod=sha256,timestamp=1548753362502|", USER, GOOD, 2,
         "ENOS-SIGNMETHOD-MISSPELT"},
        {"unknown method", "123456|securemode=2,signmethod=crc32,timestamp=1548753362502|", USER,
         GOOD, 2, "ENOS-SIGNMETHOD-UNKNOWN"},
        {"no timestamp", "123456|securemode=2,signmethod=sha256|", USER, GOOD, 2,
         "ENOS-TIMESTAMP-MISSING"},
        {"half a user name", STATIC, "tPbZGCdmaE", GOOD, 4, "ENOS-USERNAME-SHAPE"},
        {"wrong password", STATIC, USER,
         "00C438DDCB6EAA0CF07AD1C36655245CCDD67AA1917E4CC4EFF57BF6F464ABFF", 4, "ENOS-SIGN-STATIC"},
        {"no password", STATIC, USER, NULL, 4, "ENOS-SIGN-STATIC"},
        {"device secret for an activation", DYNAMIC, USER, GOOD, 4, "ENOS-SIGN-DYNAMIC"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
}

static void the_misspelt_method_is_not_called_missing_too(void **state)
{
    struct login_bench *b = *state;
    login_policy(b, "ENOS-SIGNMETHOD-MISSPELT=report");
    assert_int_equal(login_connect(b,
                                   "123456|securemode=2,sighmethod=sha256,timestamp=1548753362502|",
                                   USER, GOOD),
                     0);
    assert_null(login_finding(b, "ENOS-SIGNMETHOD-MISSING"));
}

static void an_id_is_measured_without_its_braces(void **state)
{
    struct login_bench *b = *state;
    char hex[SKY_DIGEST_HEX_MAX + 1];
#define LONG "tPbZGCdmaE{ip=10.0.0.5,version=2.3.0,compress=none,more=0123456789012345}"
    login_hash(SKY_SHA256,
               "clientId" LONG "deviceKeytPbZGCdmaEproductKeyKV315idWtimestamp1548753362502" SECRET,
               hex);
    assert_int_equal(login_connect(b,
                                   LONG "|securemode=2,signmethod=sha256,timestamp=1548753362502|",
                                   USER, hex),
                     0);
    assert_true(login_kept(b, "ENOS-CLIENTID-LENGTH"));
    assert_non_null(login_finding(b, "ENOS-CLIENTID-SUFFIX"));
}

static void an_id_copied_with_its_field_name_is_let_in_and_noticed(void **state)
{
    struct login_bench *b = *state;
    char hex[SKY_DIGEST_HEX_MAX + 1];
    login_hash(
        SKY_SHA256,
        "clientIdclientIdid1deviceKeytPbZGCdmaEproductKeyKV315idWtimestamp1548753362502" SECRET,
        hex);
    assert_int_equal(
        login_connect(b, "clientIdid1|securemode=2,signmethod=sha256,timestamp=1548753362502|",
                      USER, hex),
        0);
    assert_non_null(login_finding(b, "ENOS-CLIENTID-LITERAL-PREFIX"));
}

static void protocol_level_3_is_refused_with_1(void **state)
{
    struct login_bench *b = *state;
    b->login.level = 3;
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 1);
    assert_non_null(login_finding(b, "ENOS-MQTT-VERSION"));
}

static void a_static_login_is_in_use_from_then_on(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 0);
    assert_int_equal(b->effects.count, 1);
    assert_non_null(login_effect(b, SKY_EFFECT_ONLINE));
    assert_int_equal(b->admission.traits, 0);
    assert_true(login_kept(b, "ENOS-SIGN-WRONG-SECRET"));
    assert_true(login_kept(b, "ENOS-SECRET-STALE"));
}

static void who_is_not_registered_gets_5(void **state)
{
    struct login_bench *b = *state;
    b->facts.device = NULL;
    login_policy(b, "ENOS-DEVICE-UNKNOWN=report");
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 5);
    assert_non_null(strstr(login_finding(b, "ENOS-DEVICE-UNKNOWN"), "705"));
    b->facts.swapped_known = true;
    assert_int_equal(login_connect(b, STATIC, "KV315idW&tPbZGCdmaE", GOOD), 5);
    assert_non_null(login_finding(b, "ENOS-USERNAME-ORDER"));
    assert_null(login_finding(b, "ENOS-DEVICE-UNKNOWN"));
}

static void the_state_of_device_and_product_refuses_with_5(void **state)
{
    struct login_bench *b = *state;
    b->device.enabled = false;
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 5);
    assert_non_null(strstr(login_finding(b, "ENOS-DEVICE-DISABLED"), "723"));
    b->device.enabled = true;
    b->product.require_certificate = true;
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 5);
    assert_non_null(strstr(login_finding(b, "ENOS-CERT-REQUIRED"), "the product requires one"));
    b->door.fingerprint = SKY_SPAN("cc33"); /* anybody can make one */
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 5);
    assert_non_null(strstr(login_finding(b, "ENOS-CERT-MISMATCH"), "for no device"));
    b->door.fingerprint = SKY_SPAN("aa11");
    snprintf(b->device.fingerprint, sizeof b->device.fingerprint, "aa11");
    login_over_tls(b, "enos-mqtts");
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 0);
    assert_true(login_kept(b, "ENOS-PORT-AUTH"));
    b->door.fingerprint = SKY_SPAN("bb22");
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 5);
    assert_non_null(login_finding(b, "ENOS-CERT-MISMATCH"));
}

static void the_wrong_port_is_only_noticed(void **state)
{
    struct login_bench *b = *state;
    b->listener = (struct sky_listener_row){.name = "mqtt"};
    assert_int_equal(login_connect(b, STATIC, USER, GOOD), 0);
    assert_non_null(login_finding(b, "ENOS-PORT-AUTH"));
}

static void a_wrong_signature_that_is_only_reported_is_let_in_and_to_be_explained(void **state)
{
    struct login_bench *b = *state;
    login_policy(b, "ENOS-SIGN-STATIC=report");
    assert_int_equal(login_connect(b, STATIC, USER, "nonsense"), 0);
    assert_int_equal(b->admission.cause, SKY_CAUSE_SIGNATURE);
}

static void a_missing_secret_matches_no_signature(void **state)
{
    struct login_bench *b = *state;
    char hex[SKY_DIGEST_HEX_MAX + 1];
    b->product.secret[0] = '\0';
    login_hash(SKY_SHA256, CONTENT, hex);
    assert_int_equal(login_connect(b, DYNAMIC, USER, hex), 4);
}

/* ---- fetching a secret ---- */

static int activate(struct login_bench *b)
{
    char hex[SKY_DIGEST_HEX_MAX + 1];
    login_hash(SKY_SHA256, CONTENT "productSecret001", hex);
    return login_connect(b, DYNAMIC, USER, hex);
}

static void expect_message(const struct sky_effect *push, sky_span secret)
{
    char expected[512];
    snprintf(expected, sizeof expected,
             "{\"id\":\"1\",\"version\":\"1.0\",\"method\":\"thing.activate.info\",\"params\":"
             "{\"assetId\":\"asset1\",\"productKey\":\"KV315idW\",\"deviceKey\":\"tPbZGCdmaE\","
             "\"deviceSecret\":\"%.*s\"}}",
             SKY_SPAN_ARGS(secret));
    assert_non_null(push);
    assert_true(
        sky_span_eq_str(push->topic, "/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info"));
    assert_true(sky_span_eq_str(push->payload, expected));
    assert_int_equal(push->qos, 1);
}

static void an_activation_pushes_a_new_secret_without_being_asked(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(activate(b), 0);
    assert_int_equal(b->admission.traits, SKY_TRAIT_ACTIVATION);
    const struct sky_effect *effect = login_effect(b, SKY_EFFECT_ACTIVATE);
    assert_non_null(effect);
    assert_int_equal(effect->payload.len, 32);
    expect_message(login_effect(b, SKY_EFFECT_PUSH), effect->payload);
    assert_null(login_effect(b, SKY_EFFECT_ONLINE));
}

static void the_secret_comes_again_for_a_device_that_subscribes(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *filter;
        unsigned traits;
        bool pushed;
    } rows[] = {
        {"/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info", SKY_TRAIT_ACTIVATION, true},
        {"/ext/session/KV315idW/tPbZGCdmaE/thing/activate/+", SKY_TRAIT_ACTIVATION, true},
        {"/ext/session/KV315idW/tPbZGCdmaE/combine/enable", SKY_TRAIT_ACTIVATION, false},
        {"/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info", 0, false},
    };
    b->device.secret_issued = true;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct sky_uplink uplink = {.cloud = b->cloud,
                                          .product = SKY_SPAN("KV315idW"),
                                          .device = SKY_SPAN("tPbZGCdmaE"),
                                          .topic = sky_span_str(rows[i].filter),
                                          .traits = rows[i].traits};
        sky_judge_init(&b->judge, &b->policy);
        sky_effects_clear(&b->effects);
        b->cloud->subscribed(&uplink, &b->facts, &b->judge, &b->effects);
        assert_int_equal(b->effects.count, rows[i].pushed);
        assert_int_equal(login_kept(b, "ENOS-ACTIVATE-NOT-SUBSCRIBED"), rows[i].pushed);
        if (rows[i].pushed)
            expect_message(&b->effects.list[0], SKY_SPAN(SECRET));
    }
}

static void activation_depends_on_the_products_switch(void **state)
{
    struct login_bench *b = *state;
    b->product.dynamic_activation = false;
    assert_int_equal(activate(b), 5);
    assert_non_null(strstr(login_finding(b, "ENOS-DYNAMIC-DISABLED"), "770"));
}

static void a_device_may_activate_again_until_it_has_been_online(void **state)
{
    struct login_bench *b = *state;
    b->device.secret_issued = true;
    assert_int_equal(activate(b), 0);
    assert_non_null(login_finding(b, "ENOS-ACTIVATE-NO-RECONNECT"));
    b->device.state = SKY_DEVICE_ACTIVE;
    assert_int_equal(activate(b), 5);
    assert_non_null(login_finding(b, "ENOS-DYNAMIC-ALREADY-ACTIVE"));
    assert_int_equal(b->effects.count, 0);
    login_policy(b, "ENOS-DYNAMIC-ALREADY-ACTIVE=report");
    assert_int_equal(activate(b), 0); /* and then it keeps the secret that it uses */
    assert_null(login_effect(b, SKY_EFFECT_ACTIVATE));
    expect_message(login_effect(b, SKY_EFFECT_PUSH), SKY_SPAN(SECRET));
}

static void a_mistake_in_the_signature_has_its_own_rule(void **state)
{
    struct login_bench *b = *state;
    char hex[SKY_DIGEST_HEX_MAX + 1];
    enum sky_mistake mistake;
    static const struct {
        const char *text, *rule;
    } rows[] = {
        {CONTENT "productSecret001", "ENOS-SIGN-WRONG-SECRET"},
        {CONTENT "before", "ENOS-SECRET-STALE"},
        {"123456tPbZGCdmaEKV315idW1548753362502" SECRET, "ENOS-SIGN-CONTENT-ORDER"},
        {"productKeyKV315idWdeviceKeytPbZGCdmaEclientId123456timestamp1548753362502" SECRET,
         "ENOS-SIGN-CONTENT-ORDER"},
        {"clientId123456deviceKeytPbZGCdmaEproductKeyKV315idWtimestamp1548753362" SECRET,
         "ENOS-TIMESTAMP-MISMATCH"},
    };
    snprintf(b->device.old_secret, sizeof b->device.old_secret, "before");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        login_hash(SKY_SHA256, rows[i].text, hex);
        assert_int_equal(login_connect(b, STATIC, USER, hex), 4);
        assert_string_equal(login_mistake_rule(b, &mistake), rows[i].rule);
    }
    assert_int_equal(
        login_connect(b, STATIC, USER,
                      "5D2540DF585041CFF1DB1AF9C9809CFD7E3962F128BB94626814239C6C3F09A6"),
        4);
    assert_string_equal(login_mistake_rule(b, &mistake), "ENOS-SIGN-IS-HMAC");
    login_hash(SKY_SHA256, CONTENT SECRET, hex);
    assert_int_equal(login_connect(b, DYNAMIC, USER, hex), 4);
    assert_string_equal(login_mistake_rule(b, &mistake), "ENOS-SIGN-WRONG-SECRET");
}

static void a_login_as_signed_here_is_let_in(void **state)
{
    struct login_bench *b = *state;
    login_as_signed(b, false, false);
    login_as_signed(b, true, false);
}

static void a_claim_has_the_device_in_front(void **state)
{
    struct login_bench *b = *state;
    struct sky_claim claim;
    b->login.client_id = SKY_SPAN(STATIC);
    b->login.username = SKY_SPAN(USER);
    assert_true(b->cloud->claim(&b->login, &claim));
    assert_true(sky_span_eq_str(claim.product, "KV315idW"));
    assert_true(sky_span_eq_str(claim.device, "tPbZGCdmaE"));
    b->login.client_id = SKY_SPAN("PROD123456dev001");
    b->login.username = SKY_SPAN("PROD123456dev001;1;2;3");
    assert_false(b->cloud->claim(&b->login, &claim));
}

/* A login in the common frame is worth most to the cloud whose marks it bears. */
static void the_block_tells_clouds_apart(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *client_id, *cloud;
    } rows[] = {
        {STATIC, "enos"},
        {"dk|securemode=2,signmethod=sha1,timestamp=1|", "enos"},
        {"12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "aliyun"},
        {"pk.dn|timestamp=2524608000000,_v=sdk-c-3.0.1,securemode=3,signmethod=hmacsha256,lan=C|",
         "aliyun"},
    };
    b->login.username = SKY_SPAN("a&b");
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        unsigned best = 0;
        const char *winner = "";
        b->login.client_id = sky_span_str(rows[i].client_id);
        for (size_t c = 0; sky_clouds[c] != NULL; c++) {
            struct sky_claim claim;
            if (sky_clouds[c]->claim(&b->login, &claim) && claim.affinity > best) {
                best = claim.affinity;
                winner = sky_clouds[c]->name;
            }
        }
        assert_string_equal(winner, rows[i].cloud);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What the vendor's SDKs have built in is no device's fault: noted at most. */
static void what_vendors_sdks_send_is_at_most_noted(void **state)
{
    struct login_bench *b = *state;
    static const char *const rules[] = {"ENOS-SIGNMETHOD", "ENOS-TIMESTAMP-FORMAT",
                                        "ENOS-PASSWORD-UPPERCASE"};
    for (size_t i = 0; i < SKY_COUNT(rules); i++)
        assert_int_equal(login_rule(b, rules[i])->severity, SKY_INFO);
    static const struct {
        const char *method, *timestamp;
        enum sky_digest digest;
    } rows[] = {{"hmacsha256", "1795193949692.8596", SKY_SHA256},
                {"hmacsha1", "1548753362", SKY_SHA1},
                {"sha256", "2524608000000", SKY_SHA256}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char id[128], text[512], password[SKY_DIGEST_HEX_MAX + 1];
        snprintf(id, sizeof id, "123456|securemode=2,signmethod=%s,timestamp=%s|", rows[i].method,
                 rows[i].timestamp);
        snprintf(text, sizeof text, "clientId123456deviceKey%sproductKey%stimestamp%s%s",
                 b->device.key, b->product.key, rows[i].timestamp, b->device.secret);
        snprintf(password, sizeof password, "%s", login_hash(rows[i].digest, text, (char[65]){0}));
        char user[160];
        snprintf(user, sizeof user, "%s&%s", b->device.key, b->product.key);
        assert_int_equal(login_connect(b, id, user, password), 0);
        for (size_t j = 0; j < b->judge.count; j++)
            if (b->judge.findings[j].rule->severity != SKY_INFO &&
                strstr(b->judge.findings[j].rule->id, "PORT") == NULL)
                fail_msg("%s: %s", rows[i].method, b->judge.findings[j].rule->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_vendors_sdks_send_is_at_most_noted),
        TEST(every_way_to_write_a_login_is_taken),
        TEST(what_is_wrong_with_a_login_has_its_code_and_rule),
        TEST(the_misspelt_method_is_not_called_missing_too),
        TEST(an_id_is_measured_without_its_braces),
        TEST(an_id_copied_with_its_field_name_is_let_in_and_noticed),
        TEST(protocol_level_3_is_refused_with_1),
        TEST(a_static_login_is_in_use_from_then_on),
        TEST(who_is_not_registered_gets_5),
        TEST(the_state_of_device_and_product_refuses_with_5),
        TEST(the_wrong_port_is_only_noticed),
        TEST(a_wrong_signature_that_is_only_reported_is_let_in_and_to_be_explained),
        TEST(a_missing_secret_matches_no_signature),
        TEST(an_activation_pushes_a_new_secret_without_being_asked),
        TEST(the_secret_comes_again_for_a_device_that_subscribes),
        TEST(activation_depends_on_the_products_switch),
        TEST(a_device_may_activate_again_until_it_has_been_online),
        TEST(a_mistake_in_the_signature_has_its_own_rule),
        TEST(a_login_as_signed_here_is_let_in),
        TEST(a_claim_has_the_device_in_front),
        TEST(the_block_tells_clouds_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
