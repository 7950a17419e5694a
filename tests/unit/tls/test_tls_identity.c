/* Identities of pre-shared keys that are no text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/tls/identity.h"

static void an_identity_is_shown_with_escapes(void **state)
{
    static const struct {
        sky_span identity;
        const char *text, *mistake, *meant;
    } rows[] = {
        {SKY_SPAN(""), "", NULL, NULL},
        {SKY_SPAN("PROD123456dev001"), "PROD123456dev001", NULL, NULL},
        {SKY_SPAN("2,pk,a b,\xc3\xa4"), "2,pk,a b,\xc3\xa4", NULL, NULL},
        {SKY_SPAN("back\\slash"), "back\\slash", NULL, NULL},
        {SKY_SPAN("dev\0"), "dev\\0", "identity-zero-byte", "dev"},
        {SKY_SPAN("dev\0\0"), "dev\\0\\0", "identity-zero-byte", "dev"},
        {SKY_SPAN("dev\n\0"), "dev\\n\\0", "identity-zero-byte", "dev"},
        {SKY_SPAN("dev\n"), "dev\\n", "identity-line-end", "dev"},
        {SKY_SPAN("dev\r\n"), "dev\\r\\n", "identity-line-end", "dev"},
        {SKY_SPAN("dev\r"), "dev\\r", "identity-line-end", "dev"},
        {SKY_SPAN("\0dev"), "\\0dev", "identity-no-text", "dev"},
        {SKY_SPAN("de\0v"), "de\\0v", "identity-no-text", "de\\0v"},
        {SKY_SPAN("dev\t\x7f"), "dev\\t\\x7f", "identity-no-text", "dev"},
        {SKY_SPAN("d\xff\xc3"), "d\\xff\\xc3", "identity-no-text", "d\\xff\\xc3"},
        {SKY_SPAN("\0"), "\\0", "identity-zero-byte", ""},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char text[SKY_TLS_IDENTITY_TEXT_MAX + 1];
        sky_span meant;
        sky_tls_identity_text(rows[i].identity, text);
        assert_string_equal(text, rows[i].text);
        const struct sky_tls_identity_mistake *mistake =
            sky_tls_identity_mistake(rows[i].identity, &meant);
        assert_int_equal(mistake == NULL, rows[i].mistake == NULL);
        if (mistake == NULL)
            continue;
        assert_string_equal(mistake->name, rows[i].mistake);
        sky_tls_identity_text(meant, text);
        assert_string_equal(text, rows[i].meant);
    }
}

static void a_long_identity_is_cut(void **state)
{
    char identity[SKY_TLS_IDENTITY_TEXT_MAX + 1], text[SKY_TLS_IDENTITY_TEXT_MAX + 1];
    (void)state;
    memset(identity, 'x', sizeof identity);
    sky_tls_identity_text(sky_span_of(identity, SKY_TLS_IDENTITY_TEXT_MAX), text);
    assert_int_equal(strlen(text), SKY_TLS_IDENTITY_TEXT_MAX);
    assert_int_equal(text[SKY_TLS_IDENTITY_TEXT_MAX - 1], 'x');
    sky_tls_identity_text(sky_span_of(identity, SKY_TLS_IDENTITY_TEXT_MAX + 1), text);
    assert_int_equal(strlen(text), SKY_TLS_IDENTITY_TEXT_MAX);
    assert_string_equal(text + SKY_TLS_IDENTITY_TEXT_MAX - 4, "x...");
    memset(identity, 0, sizeof identity);
    sky_tls_identity_text(sky_span_of(identity, sizeof identity), text);
    assert_string_equal(text + SKY_TLS_IDENTITY_TEXT_MAX - 6, "\\0...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_shown_with_escapes),
        cmocka_unit_test(a_long_identity_is_cut),
    };
    return cmocka_run_group_tests_name("tls_identity", tests, NULL, NULL);
}
