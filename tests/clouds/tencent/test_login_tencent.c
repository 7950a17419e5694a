#include "tests/unit/cloud/login_case.h"

#define PSK "MTIzNDU2Nzg5MGFiY2RlZg==" /* 1234567890abcdef */
#define ID "PROD123456dev001"
#define USER ID ";12010126;A1B2C;1735689600"
#define SHA256_TOKEN "b0e2fb30b0636dd93a5f2e5186640c571a62d1c9aca8f7dd39e2ee89d9d219e8"
#define SHA1_TOKEN "5d817356a5cd97520cc89ce235666835bfb36e75"

static int setup(void **state)
{
    static struct login_bench bench;
    login_init(&bench, "tencent", "PROD123456", "", "dev001", PSK);
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
        {"hmacsha256, as in the document", ID, USER, SHA256_TOKEN ";hmacsha256", 0, NULL},
        {"hmacsha1", ID, USER, SHA1_TOKEN ";hmacsha1", 0, NULL},
        {"the SDK's id, and a signature for ever", ID, ID ";21010406;a1B2c;9223372036854775807",
         "0189d917548495f944e6c51e30801865021aba5e;hmacsha1", 0, "TEN-SDKAPPID"},
        {"the SDK on 32 bits", ID, ID ";21010406;a1B2c;2147483647",
         "8b359299ca1207c6ed305e5042dacf739f086bea;hmacsha1", 0, "TEN-SDKAPPID"},
        {"upper-case token", ID, USER, "5D817356A5CD97520CC89CE235666835BFB36E75;hmacsha1", 0,
         NULL},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
}

/* Signs any user name with the device's key. */
static int connect_signed(struct login_bench *b, const char *username)
{
    char token[SKY_DIGEST_HEX_MAX + 1], password[100];
    login_hmac(SKY_SHA256, "1234567890abcdef", username, token);
    snprintf(password, sizeof password, "%s;hmacsha256", token);
    return login_connect(b, ID, username, password);
}

static void what_is_wrong_with_a_login_has_its_code_and_rule(void **state)
{
    struct login_bench *b = *state;
    static const struct login_row rows[] = {
        {"three fields", ID, ID ";12010126;1735689600", SHA256_TOKEN ";hmacsha256", 4,
         "TEN-USERNAME-SHAPE"},
        {"no user name", ID, NULL, SHA256_TOKEN ";hmacsha256", 4, "TEN-USERNAME-SHAPE"},
        {"another client id", ID, "PROD123456dev002;12010126;A1B2C;1735689600",
         SHA256_TOKEN ";hmacsha256", 4, "TEN-USERNAME-CLIENTID"},
        {"no number", ID, ID ";12010126;A1B2C;tomorrow", SHA256_TOKEN ";hmacsha256", 4,
         "TEN-EXPIRY-FORMAT"},
        {"no expiry", ID, ID ";12010126;A1B2C;", SHA256_TOKEN ";hmacsha256", 4,
         "TEN-EXPIRY-FORMAT"},
        {"no method", ID, USER, SHA256_TOKEN, 4, "TEN-PASSWORD-SHAPE"},
        {"unknown method", ID, USER, SHA256_TOKEN ";HMACSHA256", 4, "TEN-HMAC-METHOD"},
        {"wrong token", ID, USER, SHA1_TOKEN ";hmacsha256", 4, "TEN-SIGN"},
        {"no password", ID, USER, NULL, 4, "TEN-NO-PASSWORD"},
        {"an empty password", ID, USER, "", 4, "TEN-NO-PASSWORD"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        login_check(b, &rows[i]);
}

static void a_password_without_a_method_is_explained(void **state)
{
    struct login_bench *b = *state;
    static const struct {
        const char *password, *says;
        enum sky_mistake mistake;
    } rows[] = {
        {SHA256_TOKEN, "cut off at 64 characters: ;hmacsha256 is missing", SKY_MISTAKE_DIGEST_FORM},
        {SHA256_TOKEN ";", "cut off at 65 characters: hmacsha256 is missing",
         SKY_MISTAKE_DIGEST_FORM},
        {SHA256_TOKEN ";hmacsha2", "cut off at 73 characters: 56 is missing",
         SKY_MISTAKE_DIGEST_FORM},
        {SHA1_TOKEN ";hmacsha", "cut off at 48 characters: 1 is missing", SKY_MISTAKE_DIGEST_FORM},
        {"MTIzNDU2Nzg5MGFiY2RlZg==", "the psk itself", SKY_MISTAKE_SECRET_SENT},
        {"1234567890abcdef", "the psk itself", SKY_MISTAKE_SECRET_SENT},
        {"hello", "not of the form token;method", SKY_MISTAKE_NONE},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
         "not of the form token;method", SKY_MISTAKE_NONE},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_explanation said;
        assert_int_equal(login_connect(b, ID, USER, rows[i].password), 4);
        assert_int_equal(b->admission.cause, SKY_CAUSE_SIGNATURE);
        login_explain(b, &said);
        if (said.mistake != rows[i].mistake || strstr(said.what, rows[i].says) == NULL)
            fail_msg("%s: %s: %s", rows[i].password, sky_mistake_name(said.mistake), said.what);
    }
}

static void sdks_constants_are_no_milliseconds(void **state)
{
    struct login_bench *b = *state;
    static const char *const expiries[] = {"92233720368547758", "9223372036854775807", "2147483647",
                                           "4294967295", "999999999999"};
    for (size_t i = 0; i < SKY_COUNT(expiries); i++) {
        char username[100];
        snprintf(username, sizeof username, "%s;12010126;A1B2C;%s", ID, expiries[i]);
        assert_int_equal(connect_signed(b, username), 0);
        assert_null(login_finding(b, "TEN-EXPIRY-MS"));
    }
    assert_int_equal(login_rule(b, "TEN-EXPIRY-MS")->severity, SKY_INFO);
}

static void a_signature_is_good_up_to_the_second_it_expires_in(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(connect_signed(b, ID ";12010126;A1B2C;1600000000"), 0);
    assert_true(login_kept(b, "TEN-EXPIRED"));
    assert_int_equal(connect_signed(b, ID ";12010126;A1B2C;1599999999"), 4);
    assert_non_null(login_finding(b, "TEN-EXPIRED"));
    assert_int_equal(b->admission.cause, SKY_CAUSE_STATE);
}

static void an_expiry_beyond_any_number_never_comes(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(connect_signed(b, ID ";12010126;A1B2C;18446744073709551615"), 0);
    assert_null(login_finding(b, "TEN-EXPIRY-MS"));
}

static void an_expiry_in_milliseconds_is_noticed(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(connect_signed(b, ID ";12010126;A1B2C;1735689600000"), 0);
    assert_non_null(login_finding(b, "TEN-EXPIRY-MS"));
}

static void habits_of_the_user_name_are_only_noticed(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(connect_signed(b, ID ";1;;1735689600"), 0);
    assert_non_null(login_finding(b, "TEN-SDKAPPID"));
    assert_non_null(login_finding(b, "TEN-CONNID"));
}

static void an_unknown_or_disabled_device_gets_5(void **state)
{
    struct login_bench *b = *state;
    b->device.enabled = false;
    assert_int_equal(connect_signed(b, USER), 5);
    assert_non_null(login_finding(b, "TEN-DEVICE-DISABLED"));
    b->facts.device = NULL;
    login_policy(b, "TEN-CLIENTID=report");
    assert_int_equal(connect_signed(b, USER), 5);
    assert_non_null(login_finding(b, "TEN-CLIENTID"));
    assert_int_equal(b->admission.cause, SKY_CAUSE_UNKNOWN);
}

static void the_channel_may_stand_in_for_the_password(void **state)
{
    struct login_bench *b = *state;
    login_over_tls(b, "mqtts");
    b->door.psk_device_id = 7;
    assert_int_equal(login_connect(b, ID, USER, NULL), 0);
    assert_int_equal(b->judge.count, 0);
    b->door.psk_device_id = 0;
    assert_int_equal(login_connect(b, ID, USER, NULL), 4);
    b->door.fingerprint = SKY_SPAN("aa11");
    assert_int_equal(login_connect(b, ID, USER, NULL), 5); /* registered for nobody */
    assert_non_null(strstr(login_finding(b, "TEN-CERTIFICATE-DEVICE"), "for no device"));
    snprintf(b->device.fingerprint, sizeof b->device.fingerprint, "aa11");
    assert_int_equal(login_connect(b, ID, USER, NULL), 0);
    assert_int_equal(login_connect(b, ID, USER, "anything"), 0);
}

static void another_devices_channel_is_refused(void **state)
{
    struct login_bench *b = *state;
    login_over_tls(b, "mqtts");
    b->door.psk_device_id = 8;
    assert_int_equal(login_connect(b, ID, USER, NULL), 5);
    assert_non_null(login_finding(b, "TEN-PSK-DEVICE"));
    b->door.psk_device_id = 0;
    b->door.fingerprint = SKY_SPAN("bb22");
    snprintf(b->device.fingerprint, sizeof b->device.fingerprint, "aa11");
    assert_int_equal(connect_signed(b, USER), 5);
    assert_non_null(login_finding(b, "TEN-CERTIFICATE-DEVICE"));
    b->device.fingerprint[0] = '\0';
    b->door.certificate_name = sky_span_str(b->device.key); /* issued here, in the right name, */
    assert_int_equal(connect_signed(b, USER), 0);
    b->facts.certificate_device_id = 8; /* but for a device of another product */
    assert_int_equal(connect_signed(b, USER), 5);
    assert_non_null(strstr(login_finding(b, "TEN-CERTIFICATE-DEVICE"), "another's"));
}

static void a_key_that_is_not_base64_signs_nothing(void **state)
{
    struct login_bench *b = *state;
    char token[SKY_DIGEST_HEX_MAX + 1], password[100];
    snprintf(b->device.secret, sizeof b->device.secret, "not base64!");
    login_hmac(SKY_SHA256, "", USER, token);
    snprintf(password, sizeof password, "%s;hmacsha256", token);
    login_policy(b, "TEN-SIGN=report");
    assert_int_equal(login_connect(b, ID, USER, password), 4);
    assert_non_null(login_finding(b, "TEN-PSK-BASE64"));
}

static void the_port_and_the_tls_version_are_only_noticed(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(connect_signed(b, USER), 0);
    assert_true(login_kept(b, "TEN-PORT-PSK"));
    b->listener.name = "mqtts";
    assert_int_equal(connect_signed(b, USER), 0);
    assert_non_null(login_finding(b, "TEN-PORT-PSK"));
    login_over_tls(b, "mqtts");
    b->door.tls_version = 0x0302;
    assert_int_equal(connect_signed(b, USER), 0);
    assert_true(login_kept(b, "TEN-PORT-PSK"));
    assert_string_equal(login_finding(b, "TEN-TLS-VERSION"), "the connection uses TLS 1.1");
}

static void a_keepalive_above_900_is_refused_in_the_current_profile(void **state)
{
    struct login_bench *b = *state;
    b->login.keepalive_s = 900;
    assert_int_equal(connect_signed(b, USER), 0);
    assert_true(login_kept(b, "TEN-KEEPALIVE-RANGE"));
    b->login.keepalive_s = 901;
    assert_int_equal(connect_signed(b, USER), 0);
    assert_non_null(login_finding(b, "TEN-KEEPALIVE-RANGE"));
    sky_policy_init(&b->policy, &b->catalogue, SKY_PROFILE_CURRENT);
    assert_int_equal(connect_signed(b, USER), 2);
}

static void connecting_too_often_is_noticed(void **state)
{
    struct login_bench *b = *state;
    b->facts.previous_login_ms = LOGIN_NOW_MS - 5000;
    assert_int_equal(connect_signed(b, USER), 0);
    assert_true(login_kept(b, "TEN-CONNECT-RATE"));
    b->facts.previous_login_ms = LOGIN_NOW_MS - 4999;
    assert_int_equal(connect_signed(b, USER), 0);
    assert_non_null(login_finding(b, "TEN-CONNECT-RATE"));
}

static void a_key_used_as_text_is_recognised(void **state)
{
    struct login_bench *b = *state;
    enum sky_mistake mistake;
    assert_int_equal(
        login_connect(
            b, ID, USER,
            "fe06c9d53d1b53c5ca270fc78f91b407ad1ebdb03c5fe6f7fc356939f3278c06;hmacsha256"),
        4);
    assert_string_equal(login_mistake_rule(b, &mistake), "TEN-PSK-NOT-DECODED");
    assert_int_equal(login_connect(b, ID, USER, SHA1_TOKEN ";hmacsha256"), 4);
    assert_string_equal(login_mistake_rule(b, &mistake), "TEN-HMAC-METHOD");
}

static void a_key_in_the_methods_place_is_not_told(void **state)
{
    struct login_bench *b = *state;
    assert_int_equal(login_connect(b, ID, USER, SHA256_TOKEN ";" PSK), 4);
    const char *told = login_finding(b, "TEN-HMAC-METHOD");
    assert_non_null(told);
    assert_null(strstr(told, PSK));
    assert_non_null(strstr(told, "'{psk}'"));
}

static void a_login_as_signed_here_is_let_in(void **state)
{
    struct login_bench *b = *state;
    login_as_signed(b, false, false);
    login_over_tls(b, "mqtts");
    login_as_signed(b, false, true);
}

static void a_made_key_is_of_the_form_a_registered_one_must_have(void **state)
{
    struct login_bench *b = *state;
    char secret[SKY_SECRET_MAX + 1];
    struct sky_why why;
    b->cloud->make_secret(SKY_SPAN(LOGIN_FRESH), secret);
    assert_int_equal(b->cloud->check_secret(sky_span_str(secret), &why), SKY_OK);
    static const char *const bad[] = {"", "abc", "no base64", "MTIz*DU2"};
    for (size_t i = 0; i < SKY_COUNT(bad); i++)
        assert_int_equal(b->cloud->check_secret(sky_span_str(bad[i]), &why), SKY_ERR_INVALID);
}

static void a_claim_is_the_client_id_as_a_whole(void **state)
{
    struct login_bench *b = *state;
    struct sky_claim claim;
    b->login.client_id = SKY_SPAN(ID);
    b->login.username = SKY_SPAN(USER);
    assert_true(b->cloud->claim(&b->login, &claim));
    assert_int_equal(claim.kind, SKY_CLAIM_JOINED);
    assert_true(sky_span_eq_str(claim.product, ID));
    enum sky_affinity sure = claim.affinity;
    b->login.username = SKY_SPAN("someone");
    assert_true(b->cloud->claim(&b->login, &claim));
    assert_true(claim.affinity < sure);
    b->login.client_id = SKY_SPAN("12345|securemode=3|");
    assert_false(b->cloud->claim(&b->login, &claim));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_way_to_write_a_login_is_taken),
        TEST(what_is_wrong_with_a_login_has_its_code_and_rule),
        TEST(a_password_without_a_method_is_explained),
        TEST(sdks_constants_are_no_milliseconds),
        TEST(a_signature_is_good_up_to_the_second_it_expires_in),
        TEST(an_expiry_beyond_any_number_never_comes),
        TEST(an_expiry_in_milliseconds_is_noticed),
        TEST(habits_of_the_user_name_are_only_noticed),
        TEST(an_unknown_or_disabled_device_gets_5),
        TEST(the_channel_may_stand_in_for_the_password),
        TEST(another_devices_channel_is_refused),
        TEST(a_key_that_is_not_base64_signs_nothing),
        TEST(the_port_and_the_tls_version_are_only_noticed),
        TEST(a_keepalive_above_900_is_refused_in_the_current_profile),
        TEST(connecting_too_often_is_noticed),
        TEST(a_key_used_as_text_is_recognised),
        TEST(a_key_in_the_methods_place_is_not_told),
        TEST(a_login_as_signed_here_is_let_in),
        TEST(a_made_key_is_of_the_form_a_registered_one_must_have),
        TEST(a_claim_is_the_client_id_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
