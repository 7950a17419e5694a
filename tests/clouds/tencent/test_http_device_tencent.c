#include "tests/unit/cloud/http_case.h"

#define PSK "MTIzNDU2Nzg5MGFiY2RlZg=="
#define LOG_BODY                                                                                   \
    "{\"DeviceName\":\"dev001\",\"Message\":[\"INF|2020-05-18 15:27:19|TAG|hello\\n\\f\"],"        \
    "\"ProductId\":\"PROD123456\"}"
#define PUBLISH_BODY                                                                               \
    "{\"ProductId\":\"PROD123456\",\"DeviceName\":\"dev001\",\"TopicName\":"                       \
    "\"PROD123456/dev001/data\",\"Payload\":\"123\",\"Qos\":1}"
#define HEADERS(signature)                                                                         \
    "Host: ap-guangzhou.gateway.tencentdevices.com\r\nX-TC-Algorithm: hmacsha256\r\n"              \
    "X-TC-Timestamp: 1589786839\r\nX-TC-Nonce: 5456\r\nX-TC-Signature: " signature "\r\n"
#define OLD_LINES "INF|2020-05-18 15:27:19|mqtt.c|main(1): hello\n\f"
#define OLD_DEVICE "dev001##########################################"
#define OLD_LOG(signature, kind) signature kind "###PROD123456" OLD_DEVICE "1589786839" OLD_LINES
#define OLD_SIGNATURE "a5f5fb1d9d4b5e9012177417a307432843ade45a"

static int setup(void **state)
{
    static struct http_bench bench;
    login_init(&bench.login, "tencent", "PROD123456", "secret", "dev001", PSK);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    login_done(&((struct http_bench *)*state)->login);
    return 0;
}

static sky_span call(struct http_bench *b, const char *path, const char *headers, sky_span body)
{
    struct login_bench *l = &b->login;
    http_begin(b, path, "application/json");
    sky_judge_init(&l->judge, &l->policy);
    sky_effects_clear(&l->effects);
    b->request.headers = sky_span_str(headers);
    b->request.body = body;
    b->answer = (struct sky_http_answer){0};
    b->row->answer(&b->request, &l->facts, &l->judge, &l->effects, &b->answer);
    assert_int_equal(b->answer.status, 200);
    assert_true(b->answer.body.len > 0 && b->answer.body.len < 256);
    assert_false(sky_span_contains(b->answer.body, SKY_SPAN(": ")));
    return b->answer.body;
}

/* Signed for the name "example", as the headers below have it. */
static sky_span call_signed(struct http_bench *b, const char *path, const char *algorithm,
                            const char *body)
{
    char text[512], hex[SKY_DIGEST_HEX_MAX + 1], base64[64], headers[512];
    uint8_t digest[SKY_DIGEST_MAX];
    size_t len;
    sky_span whole = sky_span_str(body);
    sky_digest_hash(SKY_SHA256, &whole, 1, digest);
    sky_hex_lower(sky_span_of(digest, sky_digest_len(SKY_SHA256)), hex);
    snprintf(text, sizeof text, "POST\nexample\n%s\n\n%s\n1589786839\n5456\n%s", path, algorithm,
             hex);
    bool sha1 = sky_span_ends(sky_span_str(algorithm), SKY_SPAN("1"));
    login_hmac(sha1 ? SKY_SHA1 : SKY_SHA256, PSK, text, hex);
    assert_true(sky_hex_decode(sky_span_str(hex), digest, sizeof digest, &len));
    sky_base64_encode(sky_span_of(digest, len), base64);
    snprintf(headers, sizeof headers,
             "Host: example:443\r\nX-TC-Algorithm: %s\r\nX-TC-Timestamp: 1589786839\r\n"
             "X-TC-Nonce: 5456\r\nX-TC-Signature: %s\r\n",
             algorithm, base64);
    return call(b, path, headers, whole);
}

static const struct sky_effect *note_of(const struct http_bench *b)
{
    const struct sky_effects *effects = &b->login.effects;
    return effects->count == 1 && effects->list[0].kind == SKY_EFFECT_NOTE ? &effects->list[0]
                                                                           : NULL;
}

static void the_documents_log_is_taken(void **state)
{
    struct http_bench *b = *state;
    sky_span body =
        call(b, "/device/reportlog", HEADERS("AJ9JVPLfqggJg3K/YlDrdHkQF5uaQX9Jlkn184Kgyy4="),
             SKY_SPAN(LOG_BODY));
    assert_true(sky_span_eq_str(
        body, "{\"Response\":{\"RequestId\":\"freshFRESH0123456789abcdefghijkl\"}}"));
    assert_int_equal(b->login.judge.count, 0);
    assert_true(sky_span_eq_str(note_of(b)->name, "device-log"));
    assert_true(login_kept(&b->login, "TEN-HTTP-CALL") && login_kept(&b->login, "TEN-HTTP-SIGN"));
}

static void the_documents_publish_is_the_devices(void **state)
{
    struct http_bench *b = *state;
    sky_span body =
        call(b, "/device/publish", HEADERS("fkvZax9fCxR/aUKCZJNr5Wd1OLtSa2BBHzMmPE1/EWk="),
             SKY_SPAN(PUBLISH_BODY));
    assert_true(sky_span_starts(body, SKY_SPAN("{\"Response\":{\"RequestId\"")));
    assert_true(sky_span_eq_str(b->answer.topic, "PROD123456/dev001/data"));
    assert_true(sky_span_eq_str(b->answer.payload, "123"));
    assert_int_equal(b->answer.qos, 1);
    assert_true(sky_span_contains(b->answer.refused_body, SKY_SPAN("\"Error\"")));
}

static void every_spelling_of_the_algorithm_signs_itself(void **state)
{
    static const char *const spellings[] = {"hmacsha1", "hmacsha256", "HmacSha1", "HmacSha256"};
    struct http_bench *b = *state;
    for (size_t i = 0; i < SKY_COUNT(spellings); i++) {
        call_signed(b, "/device/reportlog", spellings[i], LOG_BODY);
        assert_int_equal(b->login.judge.count, 0);
    }
    call_signed(b, "/device/reportlog", "hmacmd5", LOG_BODY);
    assert_non_null(login_finding(&b->login, "TEN-HTTP-CALL"));
}

static void payloads_may_be_bytes(void **state)
{
    struct http_bench *b = *state;
    call_signed(b, "/device/publish", "hmacsha256",
                "{\"ProductId\":\"PROD123456\",\"DeviceName\":\"dev001\",\"TopicName\":\"t\","
                "\"Payload\":\"AAEC\",\"PayloadEncoding\":\"base64\"}");
    assert_int_equal(b->answer.payload.len, 3);
    assert_memory_equal(b->answer.payload.ptr, "\0\1\2", 3);
    assert_int_equal(b->answer.qos, 0);
}

static void what_is_wrong_has_its_rule(void **state)
{
#define NAMES "{\"ProductId\":\"PROD123456\",\"DeviceName\":\"dev001\""
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/device/reportlog", "{\"ProductId\":\"PROD123456\"}"},
        {"/device/reportlog", "no JSON"},
        {"/device/reportlog", NAMES "}"},
        {"/device/reportlog", NAMES ",\"Message\":\"a line\"}"},
        {"/device/publish", NAMES ",\"Payload\":\"x\"}"},
        {"/device/publish", NAMES ",\"TopicName\":\"a/+\",\"Payload\":\"x\"}"},
        {"/device/publish", NAMES ",\"TopicName\":\"t\",\"Payload\":{}}"},
        {"/device/publish", NAMES ",\"TopicName\":\"t\",\"Payload\":\"x\",\"Qos\":2}"},
        {"/device/publish",
         NAMES ",\"TopicName\":\"t\",\"Payload\":\"?\",\"PayloadEncoding\":\"base64\"}"},
        {"/device/publish",
         NAMES ",\"TopicName\":\"t\",\"Payload\":\"x\",\"PayloadEncoding\":\"zip\"}"},
    };
    struct http_bench *b = *state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_span body = call_signed(b, rows[i].path, "hmacsha256", rows[i].body);
        assert_true(sky_span_contains(body, SKY_SPAN("\"Code\":\"InvalidParameterValue\"")));
        assert_non_null(login_finding(&b->login, "TEN-HTTP-CALL"));
        assert_int_equal(b->answer.cause, SKY_CAUSE_SHAPE);
        assert_int_equal(b->answer.topic.len, 0);
    }
}

static void strangers_and_forgers_are_refused(void **state)
{
    struct http_bench *b = *state;
    sky_span body = call(b, "/device/publish", HEADERS("bm9uc2Vuc2U="), SKY_SPAN(PUBLISH_BODY));
    assert_true(sky_span_contains(body, SKY_SPAN("AuthFailure")));
    assert_int_equal(b->answer.cause, SKY_CAUSE_SIGNATURE);
    assert_non_null(login_finding(&b->login, "TEN-HTTP-SIGN"));
    b->login.device.enabled = false;
    body = call_signed(b, "/device/publish", "hmacsha1", PUBLISH_BODY);
    assert_true(sky_span_contains(body, SKY_SPAN("FailedOperation")));
    assert_int_equal(b->answer.cause, SKY_CAUSE_STATE);
    assert_int_equal(b->answer.topic.len, 0);
    b->login.facts.device = NULL;
    body = call_signed(b, "/device/publish", "hmacsha1", PUBLISH_BODY);
    assert_true(sky_span_contains(body, SKY_SPAN("ResourceNotFound")));
    assert_int_equal(b->answer.cause, SKY_CAUSE_UNKNOWN);
}

/* Its signature cannot be checked: who has a certificate is believed, nobody else. */
static void a_certificates_signature_is_believed(void **state)
{
    static const char headers[] = "Host: example\r\nX-TC-Algorithm: rsa-sha256\r\n"
                                  "X-TC-Timestamp: 1\r\nX-TC-Nonce: 2\r\nX-TC-Signature: eA==\r\n";
    struct http_bench *b = *state;
    call(b, "/device/reportlog", headers, SKY_SPAN(LOG_BODY));
    assert_int_equal(b->answer.cause, SKY_CAUSE_SIGNATURE);
    snprintf(b->login.device.fingerprint, sizeof b->login.device.fingerprint, "%064d", 7);
    call(b, "/device/reportlog", headers, SKY_SPAN(LOG_BODY));
    assert_int_equal(b->answer.cause, SKY_CAUSE_NONE);
}

static void the_decoded_key_is_recognised(void **state)
{
    struct http_bench *b = *state;
    struct sky_suspicion suspicion = {.now_ms = LOGIN_NOW_MS};
    struct sky_explanation explanation;
    struct sky_arena arena;
    struct sky_recipe recipe;
    char signature[SKY_SIGNATURE_MAX + 1], headers[512];
    static const char format[] =
        "Host: example\r\nX-TC-Algorithm: hmacsha256\r\nX-TC-Timestamp: 1589786839\r\n"
        "X-TC-Nonce: 5456\r\nX-TC-Signature: %s\r\n";
    sky_arena_init(&arena);
    snprintf(headers, sizeof headers, format, "eA==");
    call(b, "/device/publish", headers, SKY_SPAN(PUBLISH_BODY));
    assert_true(b->row->suspect(&b->request, &b->login.facts, &suspicion, &arena));
    recipe = suspicion.due;
    recipe.key_form = SKY_KEY_BASE64;
    recipe.encoding = SKY_BASE64;
    sky_sign_write(&recipe, SKY_SPAN(PSK), signature);
    snprintf(headers, sizeof headers, format, signature);
    call(b, "/device/publish", headers, SKY_SPAN(PUBLISH_BODY));
    suspicion = (struct sky_suspicion){.now_ms = LOGIN_NOW_MS};
    assert_true(b->row->suspect(&b->request, &b->login.facts, &suspicion, &arena));
    sky_explain(&suspicion, &explanation);
    sky_arena_done(&arena);
    assert_int_equal(explanation.mistake, SKY_MISTAKE_KEY_DECODED);
}

/* ---- the old form ---- */

static void an_old_log_is_taken(void **state)
{
    struct http_bench *b = *state;
    struct sky_claim claim;
    sky_span body = call(b, "/cgi-bin/report-log", "", SKY_SPAN(OLD_LOG(OLD_SIGNATURE, "P")));
    assert_true(sky_span_eq_str(body, "{\"Retcode\":0}"));
    assert_int_equal(b->login.judge.count, 0);
    assert_true(sky_span_eq_str(note_of(b)->payload, OLD_LINES));
    assert_true(b->row->claim(&b->request, &claim, NULL));
    assert_true(sky_span_eq_str(claim.product, "PROD123456"));
    assert_true(sky_span_eq_str(claim.device, "dev001"));
}

static void an_old_log_that_is_wrong_is_not(void **state)
{
    struct http_bench *b = *state;
    static char long_log[3001] = OLD_LOG(OLD_SIGNATURE, "P");
    const struct {
        sky_span body;
        const char *rule;
        enum sky_cause cause;
    } rows[] = {
        {SKY_SPAN("short"), "TEN-HTTP-CALL", SKY_CAUSE_SHAPE},
        {sky_span_of(long_log, sizeof long_log), "TEN-HTTP-CALL", SKY_CAUSE_SHAPE},
        {sky_span_of(long_log, sizeof long_log - 1), "TEN-HTTP-SIGN", SKY_CAUSE_SIGNATURE},
        {SKY_SPAN(OLD_LOG("b5f5fb1d9d4b5e9012177417a307432843ade45a", "P")), "TEN-HTTP-SIGN",
         SKY_CAUSE_SIGNATURE},
        {SKY_SPAN(OLD_LOG(OLD_SIGNATURE, "C")), "TEN-HTTP-SIGN", SKY_CAUSE_SIGNATURE},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_span body = call(b, "/cgi-bin/report-log", "", rows[i].body);
        assert_true(sky_span_eq_str(body, "{\"Retcode\":-1}"));
        assert_non_null(login_finding(&b->login, rows[i].rule));
        assert_int_equal(b->answer.cause, rows[i].cause);
        assert_int_equal(b->login.effects.count, 0);
    }
    snprintf(b->login.device.fingerprint, sizeof b->login.device.fingerprint, "%064d", 7);
    call(b, "/cgi-bin/report-log", "", SKY_SPAN(OLD_LOG(OLD_SIGNATURE, "C")));
    assert_int_equal(b->answer.cause, SKY_CAUSE_NONE);
    b->login.device.enabled = false;
    call(b, "/cgi-bin/report-log", "", SKY_SPAN(OLD_LOG(OLD_SIGNATURE, "P")));
    assert_int_equal(b->answer.cause, SKY_CAUSE_STATE);
    b->login.facts.device = NULL;
    call(b, "/cgi-bin/report-log", "", SKY_SPAN(OLD_LOG(OLD_SIGNATURE, "P")));
    assert_int_equal(b->answer.cause, SKY_CAUSE_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_documents_log_is_taken),
        TEST(the_documents_publish_is_the_devices),
        TEST(every_spelling_of_the_algorithm_signs_itself),
        TEST(payloads_may_be_bytes),
        TEST(what_is_wrong_has_its_rule),
        TEST(strangers_and_forgers_are_refused),
        TEST(a_certificates_signature_is_believed),
        TEST(the_decoded_key_is_recognised),
        TEST(an_old_log_is_taken),
        TEST(an_old_log_that_is_wrong_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
