#include "tests/unit/cloud/http_case.h"

#define FORM "application/x-www-form-urlencoded"
/* The document's sample with a right signature. */
#define SAMPLE                                                                                     \
    "productKey=123&sign=7F9C0941A986FE6D3AD883EDA7EFDA9C&timestamp=123&version=default"           \
    "&clientId=123&resources=mqtt&deviceName=test&signmethod=hmacmd5"

static int setup(void **state)
{
    static struct http_bench bench;
    login_init(&bench.login, "aliyun", "123", "productsecret", "test", "secret");
    http_begin(&bench, "/auth/devicename", FORM ";charset=utf-8");
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    login_done(&((struct http_bench *)*state)->login);
    return 0;
}

static void a_token_comes_compact_in_the_documents_order(void **state)
{
    struct http_bench *b = *state;
    assert_string_equal(http_call(b, SAMPLE, ""),
                        "{\"code\":200,\"data\":{\"iotId\":\"freshFRESH0123456789\",\"iotToken\":"
                        "\"abcdefghijklmnopqrstuvwxyzABCDEF\",\"resources\":{\"mqtt\":{\"host\":"
                        "\"127.0.0.1\",\"port\":1883}}},\"message\":\"success\"}");
    assert_int_equal(b->login.judge.count, 0);
    const struct sky_effect *mint = login_effect(&b->login, SKY_EFFECT_MINT_TOKEN);
    assert_non_null(mint);
    assert_true(sky_span_eq_str(mint->name, "freshFRESH0123456789"));
    assert_true(sky_span_eq_str(mint->payload, "abcdefghijklmnopqrstuvwxyzABCDEF"));
    assert_int_equal(mint->delay_ms, INT64_C(7) * 24 * 3600 * 1000);
}

static void resources_come_only_when_asked_for(void **state)
{
    struct http_bench *b = *state;
    const char *body = http_call(b,
                                 "productKey=123&sign=7F9C0941A986FE6D3AD883EDA7EFDA9C"
                                 "&timestamp=123&clientId=123&deviceName=test",
                                 "");
    assert_null(strstr(body, "resources"));
    assert_non_null(strstr(body, "\"code\":200"));
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-SIGNMETHOD-DEFAULT"));
}

static void the_samples_misspelling_is_taken_unsigned(void **state)
{
    struct http_bench *b = *state;
    const char *body = http_call(b,
                                 "productKey=123&sign=7F9C0941A986FE6D3AD883EDA7EFDA9C"
                                 "&timestamp=123&version=default&clientId=123&resouces=mqtt"
                                 "&deviceName=test",
                                 "");
    assert_non_null(strstr(body, "\"resources\""));
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-RESOUCES-TYPO"));
}

/* Extra parameters are signed too, wherever they stand in the form. */
static void everything_else_that_is_sent_is_signed(void **state)
{
    struct http_bench *b = *state;
    char sign[SKY_DIGEST_HEX_MAX + 1], body[256];
    login_hmac(SKY_SHA256, "secret", "a1clientId123deviceNametestproductKey123z%9", sign);
    snprintf(
        body, sizeof body,
        "z=%%259&productKey=123&deviceName=test&clientId=123&a=1&signmethod=hmacsha256&sign=%s",
        sign);
    assert_non_null(strstr(http_call(b, body, ""), "\"code\":200"));
}

static void what_is_wrong_has_its_code_and_rule(void **state)
{
    struct http_bench *b = *state;
#define ID65 "12345678901234567890123456789012345678901234567890123456789012345"
    static const struct {
        const char *body, *code, *rule;
    } rows[] = {
        {"productKey=123&deviceName=test&sign=00", "460", "ALI-HTTPS-PARAM-MISSING"},
        {"deviceName=test&sign=00&clientId=1", "460", "ALI-HTTPS-PARAM-MISSING"},
        {"productKey=123&deviceName=test&clientId=1", "460", "ALI-HTTPS-PARAM-MISSING"},
        {"productKey=123&deviceName=%zz&clientId=1&sign=00", "460", "ALI-HTTPS-PARAM-MISSING"},
        {"", "460", "ALI-HTTPS-PARAM-MISSING"},
        {"productKey=123&deviceName=test&sign=00&clientId=" ID65, "460",
         "ALI-HTTPS-CLIENTID-LENGTH"},
        {"productKey=123&deviceName=test&sign=00&clientId=1&signmethod=md5", "460",
         "ALI-HTTPS-SIGNMETHOD"},
        {"productKey=123&deviceName=test&sign=00&clientId=1&signmethod=hmacsha1", "401",
         "ALI-HTTPS-SIGN"},
        {"productKey=123&deviceName=test&sign=00&clientId=1"
         "&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1",
         "460", NULL},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char code[32];
        const char *body = http_call(b, rows[i].body, "");
        snprintf(code, sizeof code, "{\"code\":%s,", rows[i].code);
        if (strncmp(body, code, strlen(code)) != 0)
            fail_msg("%s: %s", rows[i].body, body);
        assert_int_equal(b->answer.status, 200);
        if (rows[i].rule != NULL && login_finding(&b->login, rows[i].rule) == NULL)
            fail_msg("%s: no %s", rows[i].body, rows[i].rule);
        assert_int_equal(b->login.effects.count, 0);
    }
}

static void the_state_of_product_and_device_has_its_codes(void **state)
{
    struct http_bench *b = *state;
    b->login.product.https_auth = false;
    assert_non_null(strstr(http_call(b, SAMPLE, ""), "6200"));
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-AUTH-TYPE"));
    b->login.product.https_auth = true;
    b->login.product.node = SKY_NODE_SUB;
    assert_non_null(strstr(http_call(b, SAMPLE, ""), "401"));
    assert_non_null(login_finding(&b->login, "ALI-SUB-DIRECT"));
    b->login.product.node = SKY_NODE_DEVICE;
    b->login.device.enabled = false;
    assert_non_null(strstr(http_call(b, SAMPLE, ""), "401"));
    b->login.facts.device = NULL;
    assert_non_null(strstr(http_call(b, SAMPLE, ""), "5001"));
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-DEVICE"));
    assert_int_equal(b->answer.cause, SKY_CAUSE_UNKNOWN);
}

static void the_way_it_is_sent_is_judged(void **state)
{
    struct http_bench *b = *state;
    b->login.door.transport = SKY_HTTP;
    assert_non_null(strstr(http_call(b, SAMPLE, ""), "\"code\":200"));
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-PLAIN"));
    b->request.content_type = SKY_SPAN("application/json");
    assert_non_null(strstr(http_call(b, SAMPLE, ""), "460"));
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-CONTENT-TYPE"));
    b->request.content_type = SKY_SPAN("APPLICATION/X-WWW-FORM-URLENCODED");
    b->request.method = SKY_SPAN("GET");
    http_call(b, SAMPLE, "");
    assert_int_equal(b->answer.status, 405);
    assert_non_null(login_finding(&b->login, "ALI-HTTPS-METHOD"));
}

static void a_signature_over_too_much_is_recognised(void **state)
{
    struct http_bench *b = *state;
    struct sky_suspicion suspicion = {.now_ms = LOGIN_NOW_MS};
    struct sky_explanation explanation;
    struct sky_arena arena;
    http_call(b,
              "productKey=123&sign=A0CD255AD2564B0528FFCFE404AC9D8B&timestamp=123&version=default"
              "&clientId=123&resouces=mqtt&deviceName=test&signmethod=hmacmd5",
              "");
    assert_int_equal(b->answer.cause, SKY_CAUSE_SIGNATURE);
    sky_arena_init(&arena);
    assert_true(b->row->suspect(&b->request, &b->login.facts, &suspicion, &arena));
    sky_explain(&suspicion, &explanation);
    sky_arena_done(&arena);
    assert_int_equal(explanation.mistake, SKY_MISTAKE_EXTRA_SIGNED);
}

static struct sky_explanation explain_call(struct http_bench *b)
{
    struct sky_suspicion suspicion = {.now_ms = LOGIN_NOW_MS};
    struct sky_explanation said;
    struct sky_arena arena;
    sky_arena_init(&arena);
    assert_true(b->row->suspect(&b->request, &b->login.facts, &suspicion, &arena));
    sky_explain(&suspicion, &said);
    sky_arena_done(&arena);
    return said;
}

/* signMethod is what the registration's page has. */
static void another_pages_spelling_is_recognised(void **state)
{
    struct http_bench *b = *state;
    static const char *const keys[] = {"signMethod", "SignMethod", "sign_method", "SIGNMETHOD"};
    char sign[SKY_DIGEST_HEX_MAX + 1], body[256];
    login_hmac(SKY_SHA1, "secret", "clientId123deviceNametestproductKey123timestamp123", sign);
    for (size_t i = 0; i < SKY_COUNT(keys); i++) {
        snprintf(body, sizeof body,
                 "productKey=123&timestamp=123&clientId=123&deviceName=test&%s=hmacsha1&sign=%s",
                 keys[i], sign);
        assert_non_null(strstr(http_call(b, body, ""), "401"));
        struct sky_explanation said = explain_call(b);
        assert_int_equal(said.mistake, SKY_MISTAKE_FIELD_SPELLING);
        assert_non_null(strstr(said.what, keys[i]));
        assert_non_null(strstr(login_finding(&b->login, "ALI-HTTPS-SIGNMETHOD-DEFAULT"), keys[i]));
    }
    http_call(b, "productKey=123&deviceName=test&clientid=123&sign=00", "");
    assert_non_null(strstr(login_finding(&b->login, "ALI-HTTPS-PARAM-MISSING"),
                           "clientId is missing; there is clientid"));
}

/* It is told, and never repeated: neither as it came nor in the text that it became part of. */
static void a_secret_posted_in_clear_is_told_and_not_repeated(void **state)
{
    struct http_bench *b = *state;
    static const char *const keys[] = {"deviceSecret", "productSecret", "devicesecret"};
    b->login.device.secret[0] = '\0';
    snprintf(b->login.device.secret, sizeof b->login.device.secret, "Zq7TheOwnOne");
    for (size_t i = 0; i < SKY_COUNT(keys); i++) {
        char body[256];
        snprintf(body, sizeof body,
                 "productKey=123&clientId=123&deviceName=test&%s=Zq7TheOwnOne&sign="
                 "00112233445566778899AABBCCDDEEFF",
                 keys[i]);
        http_call(b, body, "");
        assert_non_null(login_finding(&b->login, "ALI-HTTPS-SECRET-SENT"));
        struct sky_explanation said = explain_call(b);
        assert_int_equal(said.mistake, SKY_MISTAKE_SECRET_SENT);
        assert_non_null(strstr(said.what, "in clear"));
        assert_null(strstr(said.what, "Zq7"));
        assert_null(strstr(said.signed_text, "Zq7"));
        assert_null(strstr(said.hint, "Zq7"));
    }
    http_call(b, "productKey=123&clientId=123&deviceName=test&deviceSecret=Zq7TheOwnOne", "");
    const char *told = login_finding(&b->login, "ALI-HTTPS-PARAM-MISSING");
    assert_non_null(strstr(told, "sign is missing; a secret was posted instead"));
    for (size_t i = 0; i < b->login.judge.count; i++)
        assert_null(strstr(b->login.judge.findings[i].detail, "Zq7"));
}

static void a_claim_reads_the_form_decoded(void **state)
{
    struct http_bench *b = *state;
    struct sky_claim claim;
    struct sky_arena arena;
    sky_arena_init(&arena);
    b->request.body = SKY_SPAN("productKey=a%2Bb&deviceName=dn&x=%20");
    assert_true(b->row->claim(&b->request, &claim, &arena));
    assert_true(sky_span_eq_str(claim.product, "a+b"));
    assert_true(sky_span_eq_str(claim.device, "dn"));
    b->request.body = SKY_SPAN("productKey=a");
    assert_false(b->row->claim(&b->request, &claim, &arena));
    b->request.body = SKY_SPAN("{}");
    assert_false(b->row->claim(&b->request, &claim, &arena));
    sky_arena_done(&arena);
}

/* ---- registration ---- */

#define REGISTER                                                                                   \
    "productKey=pk&deviceName=device&random=8Ygb7ULYh53B6OA"                                       \
    "&sign=FF91FDE318EF90DF336437C704FDB82688169780CF26478714455ECE893FED8A"                       \
    "&signMethod=hmacsha256"

static void begin_register(struct http_bench *b)
{
    login_done(&b->login);
    login_init(&b->login, "aliyun", "pk", "productsecret", "device", "secret");
    http_begin(b, "/auth/register/device", FORM);
    b->login.product.dynamic_activation = true;
}

static void a_registration_is_answered_with_a_new_secret(void **state)
{
    struct http_bench *b = *state;
    begin_register(b);
    assert_string_equal(http_call(b, REGISTER, ""),
                        "{\"code\":200,\"data\":{\"productKey\":\"pk\",\"deviceName\":\"device\","
                        "\"deviceSecret\":\"freshFRESH0123456789abcdefghijkl\"},"
                        "\"message\":\"success\"}");
    assert_non_null(login_effect(&b->login, SKY_EFFECT_ACTIVATE));
    assert_int_equal(b->login.judge.count, 0);
}

static void a_registration_is_refused_with_a_code(void **state)
{
    struct http_bench *b = *state;
    begin_register(b);
    assert_non_null(
        strstr(http_call(b, "productKey=pk&deviceName=device&random=1&sign=00", ""), "460"));
    assert_non_null(login_finding(&b->login, "ALI-REGISTER-PARAM"));
    assert_non_null(strstr(
        http_call(b, "productKey=pk&deviceName=device&random=1&sign=00&signMethod=hmacmd5", ""),
        "401"));
    assert_non_null(login_finding(&b->login, "ALI-REGISTER-SIGN"));
    b->login.device.state = SKY_DEVICE_ACTIVE;
    assert_non_null(strstr(http_call(b, REGISTER, ""), "6200"));
    assert_non_null(login_finding(&b->login, "ALI-REGISTER-ACTIVE"));
    b->login.product.node = SKY_NODE_SUB;
    assert_non_null(strstr(http_call(b, REGISTER, ""), "401"));
    assert_non_null(login_finding(&b->login, "ALI-SUB-DIRECT"));
    b->login.product.node = SKY_NODE_DEVICE;
    b->login.product.dynamic_activation = false;
    assert_non_null(strstr(http_call(b, REGISTER, ""), "6200"));
    assert_non_null(login_finding(&b->login, "ALI-REGISTER-DISABLED"));
    assert_int_equal(b->login.effects.count, 0);
}

static void the_forms_signed_here_are_granted(void **state)
{
    struct http_bench *b = *state;
    struct sky_sign_request request = {.product = &b->login.product,
                                       .device = &b->login.device,
                                       .now_ms = LOGIN_NOW_MS,
                                       .fresh = SKY_SPAN(LOGIN_FRESH)};
    struct sky_credentials c;
    struct sky_arena arena;
    sky_arena_init(&arena);
    b->login.cloud->sign(&request, &arena, &c);
    assert_string_equal(c.https_path.ptr, "/auth/devicename");
    assert_non_null(strstr(http_call(b, c.https_form.ptr, ""), "\"code\":200"));
    begin_register(b);
    request.dynamic = true;
    b->login.cloud->sign(&request, &arena, &c);
    assert_string_equal(c.https_path.ptr, "/auth/register/device");
    assert_non_null(strstr(http_call(b, c.https_form.ptr, ""), "\"code\":200"));
    sky_arena_done(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_comes_compact_in_the_documents_order),
        TEST(another_pages_spelling_is_recognised),
        TEST(a_secret_posted_in_clear_is_told_and_not_repeated),
        TEST(resources_come_only_when_asked_for),
        TEST(the_samples_misspelling_is_taken_unsigned),
        TEST(everything_else_that_is_sent_is_signed),
        TEST(what_is_wrong_has_its_code_and_rule),
        TEST(the_state_of_product_and_device_has_its_codes),
        TEST(the_way_it_is_sent_is_judged),
        TEST(a_signature_over_too_much_is_recognised),
        TEST(a_claim_reads_the_form_decoded),
        TEST(a_registration_is_answered_with_a_new_secret),
        TEST(a_registration_is_refused_with_a_code),
        TEST(the_forms_signed_here_are_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
