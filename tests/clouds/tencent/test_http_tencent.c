#include "tests/unit/cloud/http_case.h"

/* The vendor's worked example of a signature. */
#define SECRET "8XzjN8rfgFVGDTNTUGau4snA"
#define SDK_BODY                                                                                   \
    "{\"deviceName\":\"device_1234\",\"nonce\":1439928322,\"productId\":\"S3EUVBRJLB\","           \
    "\"timestamp\":1568692235,\"signature\":"                                                      \
    "\"ZWM4YTEyMWE2ODUxYzk1M2Q0MDc2OWNmN2FhMTg1ZWM1ODgxMWNkNQ==\"}"
#define BODY "{\"ProductId\":\"PROD123456\",\"DeviceName\":\"dev001\"}"

static int setup(void **state)
{
    static struct http_bench bench;
    login_init(&bench.login, "tencent", "S3EUVBRJLB", SECRET, "device_1234",
               "MTIzNDU2Nzg5MGFiY2RlZg==");
    http_begin(&bench, "/register/dev", "application/x-www-form-urlencoded;charset=utf-8");
    bench.login.product.dynamic_activation = true;
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    login_done(&((struct http_bench *)*state)->login);
    return 0;
}

/* As the vendor's own example of the wrapped key, whose plain text has 53 bytes. */
static void begin_current(struct http_bench *b)
{
    login_done(&b->login);
    login_init(&b->login, "tencent", "PROD123456", "hzvf5LF9S0isvBhDSauWMaIk", "dev001",
               "lDZ6Uqt+I9E0wW7rvDUs7Q==");
    http_begin(b, "/device/register", "application/json");
    b->login.product.dynamic_activation = true;
}

static void the_sdks_request_is_answered_with_the_wrapped_key(void **state)
{
    struct http_bench *b = *state;
    const char *body = http_call(b, SDK_BODY, "");
    const char *start = "{\"code\":0,\"message\":\"\",\"len\":53,\"payload\":\"";
    assert_memory_equal(body, start, strlen(start));
    assert_int_equal(b->login.judge.count, 0);
    assert_true(login_kept(&b->login, "TEN-REGISTER-SIGN"));
}

/* Host without its port is what the SDK signs. */
static const char *call_current(struct http_bench *b, const char *signature)
{
    char extra[256];
    snprintf(extra, sizeof extra,
             "X-TC-Algorithm: hmacsha256\r\nX-TC-Timestamp: 1551000065\r\nX-TC-Nonce: 5456\r\n"
             "X-TC-Signature: %s\r\n",
             signature);
    const char *body = http_call(b, BODY, extra);
    return body;
}

static void the_documents_request_is_answered_with_the_vendors_ciphertext(void **state)
{
    struct http_bench *b = *state;
    begin_current(b);
    char text[512], hex[SKY_DIGEST_HEX_MAX + 1], base64[64];
    uint8_t digest[SKY_DIGEST_MAX];
    size_t len;
    snprintf(text, sizeof text,
             "POST\nexample\n/device/register\n\nhmacsha256\n1551000065\n5456\n%s",
             "9b672978fc27b0b13aab076bdb10741b2732caac7dfa96b10a9782f987c12434");
    login_hmac(SKY_SHA256, "hzvf5LF9S0isvBhDSauWMaIk", text, hex);
    assert_true(sky_hex_decode(sky_span_str(hex), digest, sizeof digest, &len));
    sky_base64_encode(sky_span_of(digest, len), base64);
    assert_string_equal(call_current(b, base64),
                        "{\"Response\":{\"Len\":53,\"Payload\":\"s6FB3a1BA/YYbcmSE12XpeDVmQNDcf1Qg"
                        "VD141RRbmmAnFwQfp1ECAu5O016mCOvYlJJ6V59yM4OqQSiWphfTg==\",\"RequestId\":"
                        "\"freshFRESH0123456789abcdefghijkl\"}}");
}

/* The worked signature of the document is over the vendor's host name. */
static void the_documents_worked_signature_is_right(void **state)
{
    struct http_bench *b = *state;
    begin_current(b);
    static const char headers[] =
        "Host: ap-guangzhou.gateway.tencentdevices.com\r\nX-TC-Algorithm: hmacsha256\r\n"
        "X-TC-Timestamp: 1551000065\r\nX-TC-Nonce: 5456\r\n"
        "X-TC-Signature: ToRYPve8zS+u3SMQw3Cn3vlVgnlLeiOsU1bzeZzIjWQ=\r\n";
    b->request.headers = sky_span_str(headers);
    b->request.body = sky_span_str(BODY);
    b->row->answer(&b->request, &b->login.facts, &b->login.judge, &b->login.effects, &b->answer);
    assert_true(sky_span_starts(b->answer.body, SKY_SPAN("{\"Response\":{\"Len\"")));
}

static void what_is_wrong_has_its_rule(void **state)
{
    struct http_bench *b = *state;
    static const struct {
        const char *body, *rule;
        enum sky_cause cause;
    } rows[] = {
        {"", "TEN-REGISTER-SHAPE", SKY_CAUSE_SHAPE},
        {"{}", "TEN-REGISTER-SHAPE", SKY_CAUSE_SHAPE},
        {"{\"deviceName\":\"device_1234\",\"productId\":\"S3EUVBRJLB\",\"nonce\":1,"
         "\"timestamp\":2}",
         "TEN-REGISTER-SHAPE", SKY_CAUSE_SHAPE},
        {"{\"deviceName\":\"device_1234\",\"productId\":\"S3EUVBRJLB\",\"nonce\":1,"
         "\"timestamp\":2,\"signature\":\"bm9uc2Vuc2U=\"}",
         "TEN-REGISTER-SIGN", SKY_CAUSE_SIGNATURE},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const char *body = http_call(b, rows[i].body, "");
        assert_memory_equal(body, "{\"code\":1", 9);
        assert_non_null(login_finding(&b->login, rows[i].rule));
        assert_int_equal(b->answer.cause, rows[i].cause);
    }
    begin_current(b);
    assert_non_null(strstr(call_current(b, "bm9uc2Vuc2U="), "\"Error\":{\"Code\":\"AuthFailure\""));
}

static void the_state_of_product_and_device_refuses(void **state)
{
    struct http_bench *b = *state;
    b->login.device.state = SKY_DEVICE_ACTIVE;
    assert_non_null(strstr(http_call(b, SDK_BODY, ""), "\"code\":0"));
    assert_non_null(login_finding(&b->login, "TEN-REGISTER-ACTIVE"));
    b->login.product.dynamic_activation = false;
    http_call(b, SDK_BODY, "");
    assert_non_null(login_finding(&b->login, "TEN-REGISTER-DISABLED"));
    assert_int_equal(b->answer.cause, SKY_CAUSE_STATE);
    b->login.facts.device = NULL;
    http_call(b, SDK_BODY, "");
    assert_int_equal(b->answer.cause, SKY_CAUSE_UNKNOWN);
}

static void a_product_without_a_secret_registers_nobody(void **state)
{
    struct http_bench *b = *state;
    b->login.product.secret[0] = '\0';
    http_call(b, SDK_BODY, "");
    assert_int_equal(b->answer.cause, SKY_CAUSE_SIGNATURE);
}

static void a_signature_with_the_devices_key_is_recognised(void **state)
{
    struct http_bench *b = *state;
    struct sky_suspicion suspicion = {.now_ms = LOGIN_NOW_MS};
    struct sky_explanation explanation;
    struct sky_arena arena;
    char hex[SKY_DIGEST_HEX_MAX + 1], base64[100], body[400];
    login_hmac(SKY_SHA1, b->login.device.secret,
               "deviceName=device_1234&nonce=1&productId=S3EUVBRJLB&timestamp=2", hex);
    sky_base64_encode(sky_span_str(hex), base64);
    snprintf(body, sizeof body,
             "{\"deviceName\":\"device_1234\",\"productId\":\"S3EUVBRJLB\",\"nonce\":1,"
             "\"timestamp\":2,\"signature\":\"%s\"}",
             base64);
    http_call(b, body, "");
    sky_arena_init(&arena);
    assert_true(b->row->suspect(&b->request, &b->login.facts, &suspicion, &arena));
    sky_explain(&suspicion, &explanation);
    sky_arena_done(&arena);
    assert_int_equal(explanation.mistake, SKY_MISTAKE_DEVICE_SECRET);
}

static void the_request_signed_here_is_granted(void **state)
{
    struct http_bench *b = *state;
    struct sky_credentials c;
    struct sky_arena arena;
    const struct sky_sign_request request = {.product = &b->login.product,
                                             .device = &b->login.device,
                                             .dynamic = true,
                                             .now_ms = LOGIN_NOW_MS,
                                             .fresh = SKY_SPAN(LOGIN_FRESH)};
    sky_arena_init(&arena);
    b->login.cloud->sign(&request, &arena, &c);
    assert_string_equal(c.https_path.ptr, "/register/dev");
    assert_non_null(strstr(http_call(b, c.https_form.ptr, ""), "\"code\":0"));
    sky_arena_done(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_sdks_request_is_answered_with_the_wrapped_key),
        TEST(the_documents_request_is_answered_with_the_vendors_ciphertext),
        TEST(the_documents_worked_signature_is_right),
        TEST(what_is_wrong_has_its_rule),
        TEST(the_state_of_product_and_device_refuses),
        TEST(a_product_without_a_secret_registers_nobody),
        TEST(a_signature_with_the_devices_key_is_recognised),
        TEST(the_request_signed_here_is_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
