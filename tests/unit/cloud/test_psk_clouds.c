/* Pre-shared keys: whose identity, which key, and what wrong keys are made of. */
#include "tests/unit/cloud/login_case.h"

#define TEN_PSK "MTIzNDU2Nzg5MGFiY2RlZg=="

static bool admit(struct login_bench *b, const char *identity, struct sky_psk *key)
{
    sky_judge_init(&b->judge, &b->policy);
    return b->cloud->psk->admit(&b->door, sky_span_str(identity), &b->facts, &b->judge, key);
}

static void expect_key(const struct sky_psk *key, const char *hex)
{
    char have[2 * SKY_PSK_KEY_MAX + 1];
    sky_hex_lower(sky_span_of(key->key, key->len), have);
    assert_string_equal(have, hex);
}

static void begin_enos(struct login_bench *b)
{
    login_init(b, "enos", "KV315idW", "productSecret001", "tPbZGCdmaE", "M3yy874uGY8INjEGddTR");
    b->door.transport = SKY_DTLS;
    b->product.dynamic_activation = true;
}

static void enos_keys_are_16_bytes_of_the_secrets_hash(void **state)
{
    (void)state;
    struct login_bench b;
    struct sky_psk key;
    begin_enos(&b);
    assert_true(admit(&b, "KV315idW,tPbZGCdmaE,2,3600", &key));
    expect_key(&key, "43e307fffce19a0176803de3445fe0e3");
    assert_int_equal(b.judge.count, 0);
    assert_true(admit(&b, "KV315idW,tPbZGCdmaE,3,3600", &key));
    expect_key(&key, "5538151080cc68e6c2c1d7b93fcfb2fa");
    login_done(&b);
}

static void enos_identities_are_judged_field_by_field(void **state)
{
    (void)state;
    static const struct {
        const char *identity, *rule; /* NULL: admitted */
    } rows[] = {
        {"KV315idW,tPbZGCdmaE,2,30", NULL},
        {"KV315idW,tPbZGCdmaE,2,86400", NULL},
        {"KV315idW,tPbZGCdmaE,2,29", "COAP-LIFETIME-RANGE"},
        {"KV315idW,tPbZGCdmaE,2,86401", "COAP-LIFETIME-RANGE"},
        {"KV315idW,tPbZGCdmaE,2,1h", "COAP-LIFETIME-RANGE"},
        {"KV315idW,tPbZGCdmaE,2,-60", "COAP-LIFETIME-RANGE"},
        {"KV315idW,tPbZGCdmaE,1,60", "COAP-SECUREMODE"},
        {"KV315idW, tPbZGCdmaE,2,60", "COAP-IDENTITY-SPACE"},
        {"KV315idW,tPbZGCdmaE,2", "COAP-IDENTITY-SHAPE"},
        {"KV315idW,tPbZGCdmaE,2,60,1", "COAP-IDENTITY-SHAPE"},
        {"", "COAP-IDENTITY-SHAPE"},
    };
    struct login_bench b;
    struct sky_psk key;
    begin_enos(&b);
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        assert_int_equal(admit(&b, rows[i].identity, &key), rows[i].rule == NULL);
        if (rows[i].rule != NULL)
            assert_non_null(login_finding(&b, rows[i].rule));
    }
    login_done(&b);
}

static void enos_devices_must_be_in_the_right_state(void **state)
{
    (void)state;
    struct login_bench b;
    struct sky_psk key;
    begin_enos(&b);
    b.device.state = SKY_DEVICE_ACTIVE;
    assert_true(admit(&b, "KV315idW,tPbZGCdmaE,2,60", &key));
    assert_false(admit(&b, "KV315idW,tPbZGCdmaE,3,60", &key));
    assert_non_null(login_finding(&b, "ENOS-DYNAMIC-ALREADY-ACTIVE"));
    b.product.dynamic_activation = false;
    assert_false(admit(&b, "KV315idW,tPbZGCdmaE,3,60", &key));
    assert_non_null(login_finding(&b, "COAP-DYNAMIC-DISABLED"));
    b.device.enabled = false;
    assert_false(admit(&b, "KV315idW,tPbZGCdmaE,2,60", &key));
    assert_non_null(login_finding(&b, "ENOS-DEVICE-DISABLED"));
    b.facts.device = NULL;
    assert_false(admit(&b, "KV315idW,tPbZGCdmaE,2,60", &key));
    assert_non_null(login_finding(&b, "COAP-DEVICE-UNKNOWN"));
    login_done(&b);
}

/* The mistake that leads to the key, or NONE. */
static enum sky_mistake guess(struct login_bench *b, const char *identity, const char *hex)
{
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    char have[2 * SKY_PSK_KEY_MAX + 1];
    size_t count = b->cloud->psk->guesses(&b->door, sky_span_str(identity), &b->facts, guesses);
    assert_in_range(count, 1, SKY_PSK_GUESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_true(guesses[i].what[0] != '\0');
        sky_hex_lower(sky_span_of(guesses[i].key, guesses[i].len), have);
        if (strcmp(have, hex) == 0)
            return guesses[i].mistake;
    }
    return SKY_MISTAKE_NONE;
}

static void enos_wrong_keys_are_guessed(void **state)
{
    (void)state;
    struct login_bench b;
    begin_enos(&b);
    assert_int_equal(guess(&b, "KV315idW,tPbZGCdmaE,2,60", "e307fffce19a0176803de3445fe0e3a7"),
                     SKY_MISTAKE_PSK_SLICE);
    assert_int_equal(guess(&b, "KV315idW,tPbZGCdmaE,2,60", "5538151080cc68e6c2c1d7b93fcfb2fa"),
                     SKY_MISTAKE_PRODUCT_SECRET);
    assert_int_equal(guess(&b, "KV315idW,tPbZGCdmaE,3,60", "43e307fffce19a0176803de3445fe0e3"),
                     SKY_MISTAKE_DEVICE_SECRET);
    login_done(&b);
}

static void tencent_keys_are_the_decoded_ones(void **state)
{
    (void)state;
    struct login_bench b;
    struct sky_psk key;
    login_init(&b, "tencent", "PROD123456", "", "dev001", TEN_PSK);
    login_over_tls(&b, "mqtts");
    assert_true(admit(&b, "PROD123456dev001", &key));
    assert_int_equal(key.len, 16);
    assert_memory_equal(key.key, "1234567890abcdef", 16);
    assert_int_equal(
        guess(&b, "PROD123456dev001", "4d54497a4e4455324e7a67354d4746695932526c5a673d3d"),
        SKY_MISTAKE_KEY_NOT_DECODED);
    b.device.enabled = false;
    assert_false(admit(&b, "PROD123456dev001", &key));
    b.facts.device = NULL;
    assert_false(admit(&b, "PROD123456dev001", &key));
    assert_non_null(login_finding(&b, "TEN-PSK-IDENTITY"));
    login_done(&b);
}

static void aliyun_keys_are_the_signatures_text(void **state)
{
    (void)state;
    static const char text[] = "8B822A077426D2593B379A8B41768D89F550AC70C5926D2BF5B80D4A9A836B27";
    static const char identity[] = "devicename|hmacsha256|pk&device|2524608000000";
    struct login_bench b;
    struct sky_psk key;
    login_init(&b, "aliyun", "pk", "productsecret", "device", "secret");
    login_over_tls(&b, "mqtt");
    assert_true(admit(&b, identity, &key));
    assert_int_equal(key.len, 64);
    assert_memory_equal(key.key, text, 64);
    assert_int_equal(
        guess(&b, identity, "8b822a077426d2593b379a8b41768d89f550ac70c5926d2bf5b80d4a9a836b27"),
        SKY_MISTAKE_PSK_TEXT);
    assert_int_equal(guess(&b, identity, "736563726574"), SKY_MISTAKE_PSK_SLICE);
    assert_false(admit(&b, "productname|hmacsha256|pk&device|2524608000000", &key));
    assert_non_null(login_finding(&b, "ALI-PSK-IDENTITY"));
    login_done(&b);
}

/* An identity with something behind it, or in the document's braces, is refused for just that. */
static void what_is_wrong_around_an_identity_is_told(void **state)
{
    (void)state;
#define ALI_ID "devicename|hmacsha256|PROD123456&dev001|2524608000000"
    static const struct {
        const char *cloud;
        sky_span identity;
        const char *rule, *says;
    } rows[] = {
        {"tencent", SKY_SPAN("PROD123456dev001\0"), "TEN-PSK-IDENTITY",
         "'PROD123456dev001' has a NUL"},
        {"tencent", SKY_SPAN("PROD123456dev001\n"), "TEN-PSK-IDENTITY", "a line break behind it"},
        {"tencent", SKY_SPAN("PROD123456dev001\r\n"), "TEN-PSK-IDENTITY", "a line break"},
        {"tencent", SKY_SPAN("PROD123456dev001 "), "TEN-PSK-IDENTITY", "a blank behind it"},
        {"enos", SKY_SPAN("PROD123456,dev001,2,3600\0"), "COAP-IDENTITY-SPACE",
         "has a NUL behind it"},
        {"enos", SKY_SPAN("PROD123456,dev001,2,3600\n"), "COAP-IDENTITY-SPACE",
         "has a line break behind it"},
        {"enos", SKY_SPAN("PROD123456, dev001,2,3600"), "COAP-IDENTITY-SPACE", "blanks in it"},
        {"enos", SKY_SPAN("{PROD123456},{dev001},{2},{3600}"), "COAP-IDENTITY-SHAPE", "in braces"},
        {"enos", SKY_SPAN("{PROD123456,dev001,2,3600}"), "COAP-IDENTITY-SHAPE", "in braces"},
        {"enos", SKY_SPAN("PROD123456,{dev001},2,3600"), "COAP-IDENTITY-SHAPE", "in braces"},
        {"aliyun", SKY_SPAN(ALI_ID "\0"), "ALI-PSK-IDENTITY", "a NUL behind it"},
        {"aliyun", SKY_SPAN(ALI_ID "\n"), "ALI-PSK-IDENTITY", "a line break behind it"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct login_bench b;
        struct sky_psk key;
        struct sky_claim claim;
        login_init(&b, rows[i].cloud, "PROD123456", "ps", "dev001", TEN_PSK);
        b.door.transport = strcmp(rows[i].cloud, "enos") == 0 ? SKY_DTLS : SKY_TLS;
        assert_true(b.cloud->psk->claim(&b.door, rows[i].identity, &claim));
        if (claim.kind == SKY_CLAIM_NAMED)
            assert_true(sky_span_eq_str(claim.product, "PROD123456") &&
                        sky_span_eq_str(claim.device, "dev001"));
        else
            assert_true(sky_span_eq_str(claim.product, "PROD123456dev001"));
        sky_judge_init(&b.judge, &b.policy);
        assert_false(b.cloud->psk->admit(&b.door, rows[i].identity, &b.facts, &b.judge, &key));
        const char *told = login_finding(&b, rows[i].rule);
        if (told == NULL || strstr(told, rows[i].says) == NULL)
            fail_msg("%s: %s: %s", rows[i].cloud, rows[i].says, told != NULL ? told : "nothing");
        login_done(&b);
    }
}

static void the_identity_and_key_signed_here_are_admitted(void **state)
{
    (void)state;
    static const struct {
        const char *cloud, *secret;
        enum sky_transport transport;
    } rows[] = {{"aliyun", "secret", SKY_TLS},
                {"tencent", TEN_PSK, SKY_TLS},
                {"enos", "M3yy874uGY8INjEGddTR", SKY_DTLS}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct login_bench b;
        struct sky_credentials c;
        struct sky_arena arena;
        struct sky_psk key;
        struct sky_claim claim;
        login_init(&b, rows[i].cloud, "PROD123456", "ps", "dev001", rows[i].secret);
        b.door.transport = rows[i].transport;
        const struct sky_sign_request request = {.product = &b.product,
                                                 .device = &b.device,
                                                 .tls = true,
                                                 .now_ms = LOGIN_NOW_MS,
                                                 .fresh = SKY_SPAN(LOGIN_FRESH)};
        sky_arena_init(&arena);
        b.cloud->sign(&request, &arena, &c);
        assert_true(b.cloud->psk->claim(&b.door, c.psk_identity, &claim));
        assert_true(admit(&b, c.psk_identity.ptr, &key));
        expect_key(&key, c.psk_key_hex.ptr);
        sky_arena_done(&arena);
        login_done(&b);
    }
}

static void an_identity_is_claimed_by_the_cloud_it_has_the_form_of(void **state)
{
    (void)state;
    static const struct {
        const char *identity, *cloud;
        enum sky_transport transport;
    } rows[] = {
        {"devicename|hmacsha256|pk&device|2524608000000", "aliyun", SKY_TLS},
        {"PROD123456dev001", "tencent", SKY_TLS},
        {"KV315idW,tPbZGCdmaE,2,60", "enos", SKY_DTLS},
        {"anything", "enos", SKY_DTLS},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct sky_door door = {.transport = rows[i].transport};
        for (size_t c = 0; sky_clouds[c] != NULL; c++) {
            struct sky_claim claim;
            bool claimed = sky_clouds[c]->psk != NULL &&
                           sky_clouds[c]->psk->claim(&door, sky_span_str(rows[i].identity), &claim);
            assert_int_equal(claimed, strcmp(sky_clouds[c]->name, rows[i].cloud) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enos_keys_are_16_bytes_of_the_secrets_hash),
        cmocka_unit_test(enos_identities_are_judged_field_by_field),
        cmocka_unit_test(enos_devices_must_be_in_the_right_state),
        cmocka_unit_test(enos_wrong_keys_are_guessed),
        cmocka_unit_test(tencent_keys_are_the_decoded_ones),
        cmocka_unit_test(aliyun_keys_are_the_signatures_text),
        cmocka_unit_test(what_is_wrong_around_an_identity_is_told),
        cmocka_unit_test(the_identity_and_key_signed_here_are_admitted),
        cmocka_unit_test(an_identity_is_claimed_by_the_cloud_it_has_the_form_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
