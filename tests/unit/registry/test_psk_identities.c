/* Which device an identity of a pre-shared key names, and what is said of one that names none. */
#include "server/registry/psk.h"
#include "tests/unit/registry/registry_case.h"

static const struct sky_listener_row mqtts = {.name = "mqtts"}, coaps = {.name = "coaps"};
static const struct sky_door over_tls = {
    .listener = &mqtts, .transport = SKY_TLS, .tls_version = SKY_TLS_1_2};
static const struct sky_door over_dtls = {
    .listener = &coaps, .transport = SKY_DTLS, .tls_version = SKY_TLS_1_2};

static void an_identity_that_is_no_text_is_shown_and_explained(void **state)
{
    static const struct {
        const struct sky_door *door;
        sky_span identity;
        const char *shown, *mistake, *says;
    } rows[] = {
        {&over_tls, SKY_SPAN("PROD123456dev001\0"), "PROD123456dev001\\0", "identity-zero-byte",
         "ends with a zero byte"},
        {&over_tls, SKY_SPAN("PROD123456dev001\n"), "PROD123456dev001\\n", "identity-line-end",
         "ends with a line end"},
        {&over_tls, SKY_SPAN("devicename|hmacsha256|pk&device|2524608000000\r\n"),
         "devicename|hmacsha256|pk&device|2524608000000\\r\\n", "identity-line-end",
         "ends with a line end"},
        {&over_dtls, SKY_SPAN("KV315idW,tPbZGCdmaE,2,86400\0"), "KV315idW,tPbZGCdmaE,2,86400\\0",
         "identity-zero-byte", "ends with a zero byte"},
        {&over_dtls, SKY_SPAN("\tKV315idW,tPbZGCdmaE,2,86400"), "\\tKV315idW,tPbZGCdmaE,2,86400",
         "identity-no-text", "no text"},
    };
    struct registry_case *c = *state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_psk_try try;
        assert_false(
            sky_psk_open(&c->registry, rows[i].door, 1, "192.0.2.1:5", rows[i].identity, &try));
        assert_int_equal(try.key.len, 0);
        if (try.device_id == 0) /* whose verdict it is */
            fail_msg("row %zu", i);
        assert_int_equal(registry_case_events(c, SKY_EVENT_PSK_HANDSHAKE, SKY_F_IDENTITY), i + 1);
        assert_string_equal(c->text, rows[i].shown);
        registry_case_events(c, SKY_EVENT_PSK_HANDSHAKE, SKY_F_PEER);
        assert_string_equal(c->text, "192.0.2.1:5");
        assert_int_equal(registry_case_findings(c, "TLS-PSK-IDENTITY"), i + 1);
        assert_non_null(strstr(c->text, rows[i].shown));
        assert_non_null(strstr(c->text, rows[i].says));
        assert_non_null(strstr(c->text, "registered device"));
        registry_case_events(c, SKY_EVENT_PSK_HANDSHAKE, SKY_F_EXPLANATION);
        assert_non_null(strstr(c->text, rows[i].mistake));
    }
}

static void an_unknown_name_is_not_said_to_be_right(void **state)
{
    struct registry_case *c = *state;
    struct sky_psk_try try;
    assert_false(sky_psk_open(&c->registry, &over_tls, 1, "192.0.2.1:5",
                              SKY_SPAN("PROD123456nobody\0"), &try));
    assert_int_equal(registry_case_findings(c, "TLS-PSK-IDENTITY"), 1);
    assert_null(strstr(c->text, "registered device"));
    assert_true(sky_psk_open(&c->registry, &over_tls, 1, "192.0.2.1:5",
                             SKY_SPAN("PROD123456dev001"), &try));
    assert_int_equal(try.key.len, 16);
}

static void who_comes_by_the_wrong_encryption_is_told_so(void **state)
{
    struct registry_case *c = *state;
    struct sky_psk_try try;
    assert_false(sky_psk_open(&c->registry, &over_tls, 1, "192.0.2.1:5",
                              SKY_SPAN("KV315idW,tPbZGCdmaE,2,86400"), &try));
    assert_int_equal(registry_case_findings(c, "TLS-PSK-IDENTITY"), 1);
    assert_non_null(strstr(c->text, "Envision EnOS takes it over DTLS only, not over TLS"));
    assert_false(sky_psk_open(&c->registry, &over_tls, 1, "192.0.2.1:5",
                              SKY_SPAN("KV315idW,nobody,2,86400"), &try));
    assert_int_equal(registry_case_findings(c, "TLS-PSK-IDENTITY"), 2);
    assert_non_null(strstr(c->text, "has the shape of no cloud's"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(an_identity_that_is_no_text_is_shown_and_explained),
        REGISTRY_TEST(an_unknown_name_is_not_said_to_be_right),
        REGISTRY_TEST(who_comes_by_the_wrong_encryption_is_told_so),
    };
    return cmocka_run_group_tests_name("psk_identities", tests, NULL, NULL);
}
