#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/explain.h"
#include "auth/text.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"
#include "protocol/base/similar.h"

static const char own_secret[] = "Zq7TheOwnOne";
static const char whole_id[] = "12345|securemode=3,signmethod=hmacsha1,timestamp=789|";
static const char due_text[] = "clientId12345deviceNamedeviceproductKeypktimestamp789";

/* A login signed as `keying` wants; every test changes what the device did. */
static struct sky_suspicion suspect(enum sky_keying keying, enum sky_digest digest)
{
    return (struct sky_suspicion){
        .due = {.digest = digest,
                .keying = keying,
                .sorted = true,
                .fields = {{SKY_SPAN("clientId"), SKY_SPAN("12345")},
                           {SKY_SPAN("deviceName"), SKY_SPAN("device")},
                           {SKY_SPAN("productKey"), SKY_SPAN("pk")},
                           {SKY_SPAN("timestamp"), SKY_SPAN("789")}},
                .field_count = 4},
        .extra = {{SKY_SPAN("securemode"), SKY_SPAN("3")},
                  {SKY_SPAN("signmethod"), SKY_SPAN("hmacsha1")}},
        .extra_count = 2,
        .whole_client_id = sky_span_str(whole_id),
        .now_ms = 1548753362502,
        .secrets = {{SKY_SECRET_DUE, sky_span_str(own_secret), SKY_SPAN_NONE}},
        .secret_count = 1,
        .secret_word = "deviceSecret",
    };
}

/* A text of one bare value is due. */
static void sign_text(struct sky_suspicion *suspicion, sky_span text)
{
    suspicion->due.field_count = 0;
    suspicion->due.style.values_only = true;
    sky_recipe_add(&suspicion->due, "", text);
}

static void add_secret(struct sky_suspicion *suspicion, enum sky_secret_role role,
                       const char *secret, const char *name)
{
    assert_true(suspicion->secret_count < SKY_SECRETS_MAX);
    suspicion->secrets[suspicion->secret_count++] =
        (struct sky_secret){role, sky_span_str(secret), sky_span_str(name)};
}

/* What a device sends that signs `text` this way. */
static const char *signed_by_device(enum sky_keying keying, enum sky_digest digest, sky_span text,
                                    const char *secret)
{
    static char hex[SKY_DIGEST_HEX_MAX + 1];
    uint8_t made[SKY_DIGEST_MAX];
    struct sky_recipe recipe = {.digest = digest, .keying = keying, .style = {.values_only = true}};
    sky_recipe_add(&recipe, "", text);
    sky_hex_upper(sky_span_of(made, sky_sign(&recipe, sky_span_str(secret), made)), hex);
    return hex;
}

static struct sky_explanation explain(struct sky_suspicion *suspicion, const char *given)
{
    struct sky_explanation said;
    suspicion->given = sky_span_str(given);
    sky_explain(suspicion, &said);
    return said;
}

static void assert_mistakes(const struct sky_explanation *said, enum sky_mistake first,
                            enum sky_mistake second)
{
    if (said->mistake != first || said->second != second)
        fail_msg("due %s+%s, got %s+%s: %s", sky_mistake_name(first), sky_mistake_name(second),
                 sky_mistake_name(said->mistake), sky_mistake_name(said->second), said->what);
}

static void the_explanation_has_text_prefix_mistake_and_advice(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    struct sky_explanation said = explain(
        &suspicion, signed_by_device(SKY_HMAC, SKY_SHA1, SKY_SPAN("12345devicepk789"), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_VALUES_ONLY, SKY_MISTAKE_NONE);
    assert_string_equal(due_text, said.signed_text);
    assert_string_equal("12345devicepk789", said.sent_text);
    const char *due = signed_by_device(SKY_HMAC, SKY_SHA1, sky_span_str(due_text), own_secret);
    assert_true(sky_span_eq_nocase(sky_span_str(said.expected_prefix), sky_span_of(due, 8)));
    assert_non_null(strstr(said.what, "It signed \"12345devicepk789\""));
    assert_true(strlen(said.hint) > 10);
}

static void an_appended_secret_stands_as_a_placeholder(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HASH_APPEND, SKY_SHA256);
    struct sky_explanation said =
        explain(&suspicion, signed_by_device(SKY_HASH_APPEND, SKY_SHA256,
                                             SKY_SPAN("12345devicepk789"), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_VALUES_ONLY, SKY_MISTAKE_NONE);
    assert_string_equal("clientId12345deviceNamedeviceproductKeypktimestamp789{deviceSecret}",
                        said.signed_text);
    assert_string_equal("12345devicepk789{deviceSecret}", said.sent_text);
    assert_non_null(strstr(said.what, "\"12345devicepk789{deviceSecret}\""));
    suspicion.secret_word = NULL;
    said = explain(&suspicion, "00");
    assert_non_null(strstr(said.signed_text, "{secret}"));
}

static void another_device_is_named(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    char names[SKY_SECRETS_MAX][16], secrets[SKY_SECRETS_MAX][24];
    for (size_t i = 1; i < SKY_SECRETS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "device-%zu", i);
        snprintf(secrets[i], sizeof secrets[i], "Zq7OfDevice%zu", i);
        add_secret(&suspicion, SKY_SECRET_OTHER, secrets[i], names[i]);
    }
    struct sky_explanation said = explain(
        &suspicion, signed_by_device(SKY_HMAC, SKY_SHA256, sky_span_str(due_text), secrets[71]));
    assert_mistakes(&said, SKY_MISTAKE_OTHER_DEVICE, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "(device-71)"));
}

static void other_devices_are_tried_decoded_where_the_due_secret_is(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    suspicion.due.key_form = SKY_KEY_BASE64;
    suspicion.secrets[0].bytes = SKY_SPAN("MTIzNDU2Nzg5MGFiY2RlZg==");
    add_secret(&suspicion, SKY_SECRET_OTHER, "no base64!", "broken");
    add_secret(&suspicion, SKY_SECRET_OTHER, "ZmVkY2JhMDk4NzY1NDMyMQ==", "dev2");
    struct sky_explanation said =
        explain(&suspicion,
                signed_by_device(SKY_HMAC, SKY_SHA1, sky_span_str(due_text), "fedcba0987654321"));
    assert_mistakes(&said, SKY_MISTAKE_OTHER_DEVICE, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "dev2"));
}

static void a_mislabelled_digest_is_told_with_both_names(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    suspicion.method = SKY_SPAN("hmacsha256");
    struct sky_explanation said = explain(
        &suspicion, signed_by_device(SKY_HMAC, SKY_SHA1, sky_span_str(due_text), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_OTHER_DIGEST, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "(SHA-1, while the login says hmacsha256)"));
}

static void a_digest_of_another_length_is_told_even_if_nothing_matches(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    struct sky_explanation said = explain(&suspicion, "0123456789012345678901234567890123456789");
    assert_mistakes(&said, SKY_MISTAKE_NONE, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "40 hexadecimal digits are of a SHA-1"));
    assert_non_null(strstr(said.what, "SHA-256 is due"));
    said = explain(&suspicion, "01234567890123456789");
    assert_non_null(strstr(said.what, "20 hexadecimal digits are no digest"));
}

static void what_is_no_hexadecimal_is_told(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    struct sky_explanation said = explain(&suspicion, "FAFD82A3D602B37FB0FA8B7892F24A477F851Axx");
    assert_mistakes(&said, SKY_MISTAKE_NONE, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "not hexadecimal: character 39 of 40"));
    said = explain(&suspicion, "");
    assert_non_null(strstr(said.what, "empty"));
    assert_non_null(strstr(said.hint, "HMAC with SHA-1, keyed with the deviceSecret"));
}

static void a_right_digest_in_a_wrong_form_is_recognised(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    uint8_t made[SKY_DIGEST_MAX];
    char given[9][200] = {""};
    suspicion.secrets[0].bytes = SKY_SPAN("secret"); /* the digest has a byte below 0x10 */
    sky_sign(&suspicion.due, suspicion.secrets[0].bytes, made);
    for (size_t i = 0; i < 20; i++) {
        sprintf(given[0] + strlen(given[0]), "%x", made[i]);
        sprintf(given[1] + strlen(given[1]), "%02x", (unsigned)(int8_t)made[i]);
        sprintf(given[2] + strlen(given[2]), "%x", (unsigned)(int8_t)made[i]);
        sprintf(given[3] + strlen(given[3]), "%02x:", made[i]);
    }
    given[3][59] = '\0';
    sky_base64_encode(sky_span_of(made, 20), given[4]);
    char hex[41];
    sky_hex_lower(sky_span_of(made, 20), hex);
    sky_base64_encode(SKY_SPAN_NONE, given[5]);
    sky_base64_encode(sky_span_str(hex), given[5]);
    snprintf(given[6], sizeof given[6], "%.39s", hex);
    snprintf(given[7], sizeof given[7], "%.16s", hex);
    snprintf(given[8], sizeof given[8], "0x%s\n", hex);
    for (size_t i = 0; i < SKY_COUNT(given); i++) {
        struct sky_explanation said = explain(&suspicion, given[i]);
        assert_mistakes(&said, SKY_MISTAKE_DIGEST_FORM, SKY_MISTAKE_NONE);
    }
}

static void a_cut_off_digest_is_cut_of_the_due_one_only(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    const char *due = signed_by_device(SKY_HMAC, SKY_SHA256, sky_span_str(due_text), own_secret);
    char cut[65];
    snprintf(cut, sizeof cut, "%.15s", due);
    struct sky_explanation said = explain(&suspicion, cut);
    assert_mistakes(&said, SKY_MISTAKE_NONE, SKY_MISTAKE_NONE);
    snprintf(cut, sizeof cut, "%.40s", due); /* as long as a SHA-1 */
    said = explain(&suspicion, cut);
    assert_mistakes(&said, SKY_MISTAKE_DIGEST_FORM, SKY_MISTAKE_NONE);
}

static void a_digit_or_two_altered_are_found(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    char given[65];
    snprintf(given, sizeof given, "%s",
             signed_by_device(SKY_HMAC, SKY_SHA256, sky_span_str(due_text), own_secret));
    static const size_t places[] = {0, 63, 30};
    for (size_t i = 0; i < SKY_COUNT(places); i++) {
        char *digit = &given[places[i]];
        *digit = *digit == '0' ? '1' : '0';
        struct sky_explanation said = explain(&suspicion, given);
        assert_mistakes(&said, i < 2 ? SKY_MISTAKE_DIGEST_ALTERED : SKY_MISTAKE_NONE,
                        SKY_MISTAKE_NONE);
        if (i == 0)
            assert_non_null(strstr(said.what, "digit 1 of 64"));
    }
}

static void two_mistakes_of_different_kinds_are_recognised(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    add_secret(&suspicion, SKY_SECRET_PRODUCT, "Zq7OfTheProduct", NULL);
    static const struct {
        enum sky_keying keying;
        enum sky_digest digest;
        const char *text, *secret;
        enum sky_mistake first, second;
    } cases[] = {
        {SKY_HASH_APPEND, SKY_SHA256, "12345devicepk789", own_secret, SKY_MISTAKE_VALUES_ONLY,
         SKY_MISTAKE_NOT_HMAC},
        {SKY_HMAC, SKY_MD5, "12345devicepk789", own_secret, SKY_MISTAKE_VALUES_ONLY,
         SKY_MISTAKE_OTHER_DIGEST},
        {SKY_HMAC, SKY_SHA256, "12345devicepk789", "Zq7OfTheProduct", SKY_MISTAKE_VALUES_ONLY,
         SKY_MISTAKE_PRODUCT_SECRET},
        {SKY_HMAC, SKY_SHA256, "12345devicepk", own_secret, SKY_MISTAKE_TIMESTAMP_LEFT_OUT,
         SKY_MISTAKE_VALUES_ONLY},
        {SKY_HMAC, SKY_SHA256, "device12345pk789", own_secret, SKY_MISTAKE_VALUES_ONLY,
         SKY_MISTAKE_FIELD_ORDER},
        {SKY_HASH_APPEND, SKY_SHA1, "clientId12345deviceNamedeviceproductKeypktimestamp789",
         own_secret, SKY_MISTAKE_NOT_HMAC, SKY_MISTAKE_OTHER_DIGEST},
        {SKY_HMAC, SKY_SHA256, "clientId12345deviceNamedeviceproductKeypk", "Zq7OfTheProduct",
         SKY_MISTAKE_TIMESTAMP_LEFT_OUT, SKY_MISTAKE_PRODUCT_SECRET},
    };
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        struct sky_explanation said =
            explain(&suspicion, signed_by_device(cases[i].keying, cases[i].digest,
                                                 sky_span_str(cases[i].text), cases[i].secret));
        assert_mistakes(&said, cases[i].first, cases[i].second);
        assert_non_null(strstr(said.what, ", and "));
    }
}

static void three_mistakes_are_too_many_to_recognise(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    struct sky_explanation said =
        explain(&suspicion, signed_by_device(SKY_HASH_APPEND, SKY_SHA1,
                                             SKY_SPAN("12345devicepk789"), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_NONE, SKY_MISTAKE_NONE);
}

static void when_nothing_matches_the_right_way_is_shown(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HASH_APPEND, SKY_SHA256);
    struct sky_explanation said =
        explain(&suspicion,
                signed_by_device(SKY_HASH_APPEND, SKY_SHA256, sky_span_str(due_text), "unheard"));
    assert_mistakes(&said, SKY_MISTAKE_NONE, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "No known mistake"));
    assert_non_null(strstr(said.what, "combinations of text, keying and 1 secret were tried"));
    assert_non_null(strstr(said.hint, "plain SHA-256 of the text"));
    assert_non_null(strstr(said.hint, said.expected_prefix));
    assert_non_null(strstr(said.hint, "Or the secret that signed is not the one of the fixture."));
}

static void a_right_signature_has_no_mistake(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    struct sky_explanation said = explain(
        &suspicion, signed_by_device(SKY_HMAC, SKY_SHA1, sky_span_str(due_text), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_NONE, SKY_MISTAKE_NONE);
    assert_string_equal("The signature is right.", said.what);
}

static void control_characters_are_made_visible(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    char text[80];
    snprintf(text, sizeof text, "%s\r\n", due_text);
    struct sky_explanation said =
        explain(&suspicion, signed_by_device(SKY_HMAC, SKY_SHA1, sky_span_str(text), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_TEXT_TAIL, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "timestamp789\\r\\n\""));
}

static void the_beginning_of_bare_values_is_recognised(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    suspicion.due = (struct sky_recipe){
        .digest = SKY_SHA1, .keying = SKY_HMAC, .style = {.values_only = true, .between = ";"}};
    sky_recipe_add(&suspicion.due, "clientId", SKY_SPAN("PIDdn"));
    sky_recipe_add(&suspicion.due, "sdkappid", SKY_SPAN("12010126"));
    sky_recipe_add(&suspicion.due, "connid", SKY_SPAN("A1B2C"));
    sky_recipe_add(&suspicion.due, "expiry", SKY_SPAN("1735689600"));
    struct sky_explanation said =
        explain(&suspicion,
                signed_by_device(SKY_HMAC, SKY_SHA1, SKY_SPAN("PIDdn;12010126;A1B2C"), own_secret));
    assert_mistakes(&said, SKY_MISTAKE_TEXT_PART, SKY_MISTAKE_NONE);
    assert_non_null(strstr(said.what, "It signed \"PIDdn;12010126;A1B2C\""));
}

static void a_long_text_is_clipped_visibly_at_a_character(void **state)
{
    (void)state;
    static char text[SKY_SIGN_TEXT_MAX + 1];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    for (size_t start = 0; start < 2; start++) {
        sign_text(&suspicion, sky_span_of(text, SKY_SIGN_TEXT_MAX - 2));
        text[0] = start == 0 ? '\xc3' : 'x';
        text[1] = start == 0 ? '\xa4' : 'x';
        struct sky_explanation said = explain(&suspicion, "00");
        size_t len = strlen(said.signed_text);
        assert_true(len < SKY_EXPLAIN_TEXT_MAX && len > SKY_EXPLAIN_TEXT_MAX - 8);
        assert_string_equal("\xa4...", said.signed_text + len - 4);
    }
}

static void a_text_beyond_the_limit_is_told(void **state)
{
    (void)state;
    static char text[SKY_SIGN_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA1);
    sign_text(&suspicion, sky_span_of(text, SKY_SIGN_TEXT_MAX));
    struct sky_explanation said = explain(&suspicion, "00");
    assert_null(strstr(said.what, "longer than"));
    sign_text(&suspicion, sky_span_of(text, SKY_SIGN_TEXT_MAX + 1));
    said = explain(&suspicion, "00");
    assert_non_null(strstr(said.what, "longer than 2048 bytes"));
    assert_string_equal("", said.expected_prefix);
}

/* The most material that there can be: nothing overflows, and the work is bounded. */
static void the_largest_suspicion_is_explained(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect(SKY_HMAC, SKY_SHA256);
    char names[SKY_PAIRS_MAX][16];
    for (size_t i = 0; i < SKY_PAIRS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "someThing%zuId", i);
        suspicion.extra[i] = (struct sky_pair){sky_span_str(names[i]), SKY_SPAN("value")};
    }
    suspicion.extra_count = SKY_PAIRS_MAX;
    for (size_t i = 4; i < SKY_SIGN_FIELDS_MAX; i++)
        suspicion.due.fields[i] = suspicion.extra[i];
    suspicion.due.field_count = SKY_SIGN_FIELDS_MAX;
    while (suspicion.secret_count < SKY_SECRETS_MAX)
        add_secret(&suspicion, SKY_SECRET_OTHER, names[suspicion.secret_count % SKY_PAIRS_MAX],
                   "dev");
    struct sky_explanation said =
        explain(&suspicion, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    assert_true(said.cost <= SKY_EXPLAIN_BLOCKS_MAX && said.cost > SKY_EXPLAIN_BLOCKS_MAX - 64);
    static char text[SKY_SIGN_TEXT_MAX];
    memset(text, 'x', sizeof text);
    suspicion.due.field_count = 4;
    suspicion.due.fields[0].value = sky_span_of(text, SKY_SIGN_TEXT_MAX - 64);
    said = explain(&suspicion, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    assert_true(said.cost <= SKY_EXPLAIN_BLOCKS_MAX && said.cost > SKY_EXPLAIN_BLOCKS_MAX - 64);
    assert_non_null(strstr(said.what, "No known mistake"));
    suspicion = suspect(SKY_HMAC, SKY_SHA256);
    said = explain(&suspicion, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    assert_true(said.cost < SKY_EXPLAIN_BLOCKS_MAX);
}

static void assert_not_in(const char *secret, const struct sky_explanation *said)
{
    assert_null(strstr(said->what, secret));
    assert_null(strstr(said->hint, secret));
    assert_null(strstr(said->signed_text, secret));
    assert_null(strstr(said->sent_text, secret));
}

static void no_explanation_tells_a_secret_or_the_digest(void **state)
{
    (void)state;
    static const char *const texts[] = {due_text, "12345devicepk789", "nonsense"};
    static const char *const secrets[] = {own_secret, "Zq7OfTheProduct", "Zq7OfAnother",
                                          "Zq7Old",   "Zq7TheOwnOne\n",  "unheard"};
    for (int keying = 0; keying < 2; keying++)
        for (int done = 0; done < 2; done++)
            for (size_t t = 0; t < SKY_COUNT(texts); t++)
                for (size_t s = 0; s < SKY_COUNT(secrets); s++) {
                    struct sky_suspicion suspicion = suspect((enum sky_keying)keying, SKY_SHA1);
                    add_secret(&suspicion, SKY_SECRET_PRODUCT, "Zq7OfTheProduct", NULL);
                    add_secret(&suspicion, SKY_SECRET_OLD, "Zq7Old", NULL);
                    add_secret(&suspicion, SKY_SECRET_OTHER, "Zq7OfAnother", "dev2");
                    char due[SKY_DIGEST_HEX_MAX + 1];
                    strcpy(due, signed_by_device((enum sky_keying)keying, SKY_SHA1,
                                                 sky_span_str(due_text), own_secret));
                    struct sky_explanation said =
                        explain(&suspicion, signed_by_device((enum sky_keying)done, SKY_SHA1,
                                                             sky_span_str(texts[t]), secrets[s]));
                    assert_not_in("Zq7", &said);
                    char ninth[10];
                    snprintf(ninth, sizeof ninth, "%.9s", due);
                    for (char *c = ninth; *c != '\0'; c++)
                        *c = *c >= 'A' ? (char)(*c + 32) : *c;
                    assert_not_in(ninth, &said);
                    assert_int_equal(8, strlen(said.expected_prefix));
                }
}

static void every_mistake_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_string_equal("", sky_mistake_name(SKY_MISTAKE_NONE));
    for (int a = SKY_MISTAKE_NONE + 1; a < SKY_MISTAKES; a++) {
        assert_true(strlen(sky_mistake_name((enum sky_mistake)a)) > 0);
        for (int b = SKY_MISTAKE_NONE; b < a; b++)
            assert_string_not_equal(sky_mistake_name((enum sky_mistake)a),
                                    sky_mistake_name((enum sky_mistake)b));
    }
}

static void similar_names_are_a_slip_apart(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool similar;
    } cases[] = {
        {"device001", "device001", false},
        {"device001", "Device001", true},
        {"device001", "device01", true},
        {"device001", "devcie001", true},
        {"device001", "devices02x", false},
        {"device001", "dvice01", true},
        {"device001", "dvce01", false},
        {"device001", "", false},
        {"", "a", false},
        {"pk", "pl", true},
        {"pk", "ab", false},
        {"abcd", "abdc", true},
        {"abcd", "abxy", false},
        {"sensor-a", "actor-b", false},
    };
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        sky_span a = sky_span_str(cases[i].a), b = sky_span_str(cases[i].b);
        if (sky_similar(a, b) != cases[i].similar || sky_similar(b, a) != cases[i].similar)
            fail_msg("%s, %s", cases[i].a, cases[i].b);
    }
}

static void the_distance_counts_a_transposition_as_one(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t apart;
    } cases[] = {{"pump-7", "pump-17", 1},     {"pump-7", "pump-18", 2},
                 {"pump-71", "pump-17", 1},    {"Pump-17", "pump-17", 0},
                 {"sensor001", "sensro01", 2}, {"valve12", "vavle21", 2}};
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        size_t apart = 99;
        assert_true(
            sky_similar_distance(sky_span_str(cases[i].a), sky_span_str(cases[i].b), &apart));
        assert_int_equal(cases[i].apart, apart);
    }
    size_t apart = 99;
    assert_false(sky_similar_distance(SKY_SPAN("pump-17"), SKY_SPAN("valve-17"), &apart));
    assert_int_equal(99, apart);
}

static void names_beyond_the_limit_are_never_similar(void **state)
{
    (void)state;
    char a[SKY_KEY_MAX + 1], b[SKY_KEY_MAX + 1];
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[3] = 'b';
    assert_true(sky_similar(sky_span_of(a, SKY_KEY_MAX), sky_span_of(b, SKY_KEY_MAX)));
    assert_false(sky_similar(sky_span_of(a, SKY_KEY_MAX + 1), sky_span_of(b, SKY_KEY_MAX)));
}

/* A cloud with another style altogether gets the whole search from its recipe alone. */
static struct sky_suspicion suspect_token(enum sky_encoding encoding)
{
    struct sky_suspicion suspicion = {
        .due = {.digest = SKY_SHA256,
                .keying = SKY_HMAC,
                .key_form = SKY_KEY_BASE64,
                .encoding = encoding,
                .style = {.values_only = true, .between = "\n"},
                .sorted = true},
        .now_ms = 1548753362502,
        .secrets = {{SKY_SECRET_DUE, SKY_SPAN("MTIzNDU2Nzg5MGFiY2RlZg=="), SKY_SPAN_NONE}},
        .secret_count = 1,
        .secret_word = "accessKey",
    };
    sky_recipe_add(&suspicion.due, "et", SKY_SPAN("1735689600"));
    sky_recipe_add(&suspicion.due, "method", SKY_SPAN("sha256"));
    sky_recipe_add(&suspicion.due, "res", SKY_SPAN("products/p1/devices/d1"));
    sky_recipe_add(&suspicion.due, "version", SKY_SPAN("2018-10-31"));
    return suspicion;
}

static const char token_text[] = "1735689600\nsha256\nproducts/p1/devices/d1\n2018-10-31";

/* What a device sends that signs `text` with the key in this form, written in this encoding. */
static const char *token_of_device(enum sky_keying keying, enum sky_key_form form,
                                   enum sky_encoding encoding, const char *text)
{
    static char given[SKY_SIGNATURE_MAX + 1];
    struct sky_recipe done = {.digest = SKY_SHA256,
                              .keying = keying,
                              .key_form = form,
                              .encoding = encoding,
                              .style = {.values_only = true}};
    sky_recipe_add(&done, "", sky_span_str(text));
    sky_sign_write(&done, SKY_SPAN("MTIzNDU2Nzg5MGFiY2RlZg=="), given);
    return given;
}

static void a_token_in_base64_is_explained_as_well(void **state)
{
    (void)state;
    const char *const joined = "1735689600sha256products/p1/devices/d12018-10-31",
                      *const pairs = "et=1735689600&method=sha256&res=products/p1/devices/d1"
                                     "&version=2018-10-31",
                      *const disordered = "products/p1/devices/d1\n1735689600\nsha256\n2018-10-31",
                      *const part = "1735689600\nsha256\nproducts/p1/devices/d1";
    const struct {
        enum sky_keying keying;
        enum sky_key_form form;
        enum sky_encoding encoding;
        const char *text;
        enum sky_mistake first, second;
    } rows[] = {
        {SKY_HMAC, SKY_KEY_TEXT, SKY_BASE64, token_text, SKY_MISTAKE_KEY_NOT_DECODED, 0},
        {SKY_HMAC, SKY_KEY_BASE64, SKY_HEX, token_text, SKY_MISTAKE_DIGEST_FORM, 0},
        {SKY_HMAC, SKY_KEY_BASE64, SKY_BASE64_PERCENT, token_text, SKY_MISTAKE_DIGEST_FORM, 0},
        {SKY_HMAC, SKY_KEY_BASE64, SKY_BASE64_OF_HEX, token_text, SKY_MISTAKE_DIGEST_FORM, 0},
        {SKY_HASH_APPEND, SKY_KEY_BASE64, SKY_BASE64, token_text, SKY_MISTAKE_NOT_HMAC, 0},
        {SKY_HMAC, SKY_KEY_BASE64, SKY_BASE64, joined, SKY_MISTAKE_SEPARATORS, 0},
        {SKY_HMAC, SKY_KEY_BASE64, SKY_BASE64, pairs, SKY_MISTAKE_SEPARATORS, 0},
        {SKY_HMAC, SKY_KEY_BASE64, SKY_BASE64, disordered, SKY_MISTAKE_FIELD_ORDER, 0},
        {SKY_HMAC, SKY_KEY_TEXT, SKY_BASE64, part, SKY_MISTAKE_TEXT_PART,
         SKY_MISTAKE_KEY_NOT_DECODED},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_suspicion suspicion = suspect_token(SKY_BASE64);
        struct sky_explanation said =
            explain(&suspicion,
                    token_of_device(rows[i].keying, rows[i].form, rows[i].encoding, rows[i].text));
        assert_mistakes(&said, rows[i].first, rows[i].second);
        assert_string_equal(token_text, said.signed_text);
        assert_string_equal("DJB1kwpN", said.expected_prefix);
    }
    struct sky_suspicion suspicion = suspect_token(SKY_BASE64);
    struct sky_explanation said = explain(&suspicion, "nonsense");
    assert_non_null(strstr(said.what, "no digest in base64"));
    assert_non_null(strstr(said.hint, "the accessKey decoded from base64, written in base64"));
}

static void a_right_signature_is_right_in_every_encoding(void **state)
{
    (void)state;
    for (int encoding = 0; encoding < SKY_ENCODINGS; encoding++) {
        struct sky_suspicion suspicion = suspect_token((enum sky_encoding)encoding);
        char given[SKY_SIGNATURE_MAX + 1];
        sky_sign_write(&suspicion.due, suspicion.secrets[0].bytes, given);
        struct sky_explanation said = explain(&suspicion, given);
        assert_string_equal("The signature is right.", said.what);
    }
}

static void a_secret_that_is_no_key_is_told(void **state)
{
    (void)state;
    struct sky_suspicion suspicion = suspect_token(SKY_BASE64);
    suspicion.secrets[0].bytes = SKY_SPAN("no base64!");
    struct sky_explanation said = explain(&suspicion, "00");
    assert_non_null(strstr(said.what, "The registered accessKey does not have the form"));
    assert_string_equal("", said.signed_text);
}

/* ---- no false name ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static size_t random_text(uint32_t *seed, const char *alphabet, size_t len, char *out)
{
    size_t letters = strlen(alphabet);
    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[next_random(seed) % letters];
    return len;
}

/* A digest of either length in any encoding, hexadecimal and printable text of any length, bytes.
 */
static size_t random_signature(uint32_t *seed, char *out)
{
    uint8_t bytes[SKY_DIGEST_MAX];
    size_t len = next_random(seed) % 80;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)next_random(seed);
    switch (next_random(seed) % 4) {
    case 0:
        sky_encoding_write((enum sky_encoding)(next_random(seed) % SKY_ENCODINGS),
                           sky_span_of(bytes, sky_digest_len(next_random(seed) % SKY_DIGESTS)),
                           out);
        return strlen(out);
    case 1:
        return random_text(seed, "0123456789abcdef", len, out);
    case 2:
        return random_text(
            seed, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 =:-+/'\"", len,
            out);
    default:
        memcpy(out, bytes, sizeof bytes);
        return sky_digest_len(next_random(seed) % SKY_DIGESTS);
    }
}

/* What is wrong at random has no name. SKY_RANDOM_SIGNATURES=n tries more of them. */
static void a_random_signature_is_no_known_mistake(void **state)
{
    (void)state;
    const char *wanted = getenv("SKY_RANDOM_SIGNATURES");
    long count = wanted != NULL ? strtol(wanted, NULL, 10) : 10000;
    uint32_t seed = 20261128;
    struct sky_suspicion kinds[] = {suspect(SKY_HMAC, SKY_SHA1),
                                    suspect(SKY_HASH_APPEND, SKY_SHA256),
                                    suspect_token(SKY_BASE64)};
    for (size_t i = 0; i < SKY_COUNT(kinds); i++) {
        add_secret(&kinds[i], SKY_SECRET_PRODUCT, "Zq7OfTheProduct", NULL);
        add_secret(&kinds[i], SKY_SECRET_OTHER, "Zq7OfAnother", "dev2");
    }
    for (long i = 0; i < count; i++) {
        char given[4 * SKY_SIGNATURE_MAX];
        struct sky_suspicion *suspicion = &kinds[i % (long)SKY_COUNT(kinds)];
        struct sky_explanation said;
        suspicion->given = sky_span_of(given, random_signature(&seed, given));
        sky_explain(suspicion, &said);
        if (said.mistake != SKY_MISTAKE_NONE)
            fail_msg("%ld: %.*s: %s: %s", i, SKY_SPAN_ARGS(suspicion->given),
                     sky_mistake_name(said.mistake), said.what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_explanation_has_text_prefix_mistake_and_advice),
        cmocka_unit_test(an_appended_secret_stands_as_a_placeholder),
        cmocka_unit_test(another_device_is_named),
        cmocka_unit_test(other_devices_are_tried_decoded_where_the_due_secret_is),
        cmocka_unit_test(a_mislabelled_digest_is_told_with_both_names),
        cmocka_unit_test(a_digest_of_another_length_is_told_even_if_nothing_matches),
        cmocka_unit_test(what_is_no_hexadecimal_is_told),
        cmocka_unit_test(a_right_digest_in_a_wrong_form_is_recognised),
        cmocka_unit_test(a_cut_off_digest_is_cut_of_the_due_one_only),
        cmocka_unit_test(a_digit_or_two_altered_are_found),
        cmocka_unit_test(two_mistakes_of_different_kinds_are_recognised),
        cmocka_unit_test(three_mistakes_are_too_many_to_recognise),
        cmocka_unit_test(when_nothing_matches_the_right_way_is_shown),
        cmocka_unit_test(a_right_signature_has_no_mistake),
        cmocka_unit_test(control_characters_are_made_visible),
        cmocka_unit_test(the_beginning_of_bare_values_is_recognised),
        cmocka_unit_test(a_long_text_is_clipped_visibly_at_a_character),
        cmocka_unit_test(a_text_beyond_the_limit_is_told),
        cmocka_unit_test(the_largest_suspicion_is_explained),
        cmocka_unit_test(no_explanation_tells_a_secret_or_the_digest),
        cmocka_unit_test(every_mistake_has_a_name_of_its_own),
        cmocka_unit_test(a_token_in_base64_is_explained_as_well),
        cmocka_unit_test(a_right_signature_is_right_in_every_encoding),
        cmocka_unit_test(a_secret_that_is_no_key_is_told),
        cmocka_unit_test(a_random_signature_is_no_known_mistake),
        cmocka_unit_test(similar_names_are_a_slip_apart),
        cmocka_unit_test(the_distance_counts_a_transposition_as_one),
        cmocka_unit_test(names_beyond_the_limit_are_never_similar),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
