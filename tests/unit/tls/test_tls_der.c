/* Names and purposes as DER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "server/tls/der.h"

static void assert_hex(const struct sky_buf *der, const char *hex)
{
    char *got = sky_mem_new(2 * der->len + 1);
    sky_hex_lower(sky_buf_span(der), got);
    assert_string_equal(got, hex);
    free(got);
}

static void names_become_general_names(void **state)
{
    static const char *const names[] = {"*.b.c", "127.0.0.1", "::1"};
    struct sky_buf der;
    (void)state;
    sky_buf_init(&der, 1024);
    sky_der_add_alt_names(&der, names, SKY_COUNT(names));
    assert_hex(&der, "302a"
                     "82052a2e622e63"
                     "87047f000001"
                     "82093132372e302e302e31"
                     "871000000000000000000000000000000001");
    sky_buf_done(&der);
}

/* X.690 §10.1: the shortest form, on both sides of 127 and 255. */
static void lengths_take_the_fewest_bytes(void **state)
{
    static const struct {
        size_t name;
        const char *starts;
    } rows[] = {{125, "307f827d"},     {126, "308180827e"},   {127, "308181827f"},
                {128, "308183828180"}, {252, "3081ff8281fc"}, {253, "308201008281fd"}};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char name[SKY_DER_NAME_MAX + 1] = {0};
        const char *const names[] = {name};
        struct sky_buf der;
        char hex[2 * 7 + 1];
        memset(name, 'a', rows[i].name);
        sky_buf_init(&der, 1024);
        sky_der_add_alt_names(&der, names, 1);
        sky_hex_lower(sky_span_head(sky_buf_span(&der), 7), hex);
        assert_memory_equal(hex, rows[i].starts, strlen(rows[i].starts));
        sky_buf_done(&der);
    }
}

static void purposes_are_object_identifiers(void **state)
{
    struct sky_buf der;
    (void)state;
    sky_buf_init(&der, 64);
    sky_der_add_purpose(&der, SKY_DER_SERVER_AUTH);
    assert_hex(&der, "300a06082b06010505070301");
    sky_buf_clear(&der);
    sky_der_add_purpose(&der, SKY_DER_CLIENT_AUTH);
    assert_hex(&der, "300a06082b06010505070302");
    sky_buf_done(&der);
}

static void only_host_names_and_addresses_are_names(void **state)
{
    static const char *const good[] = {"a",       "a.b",       "*.a.b",   "a-b_c.d",
                                       "1.2.3.4", "fe80::1:2", "UPPER.x", "::"};
    static const char *const bad[] = {"",        "a..b",  ".a",      "a.",  "*",
                                      "*.",      "a.*.b", "a b.c",   "a/b", "a:80",
                                      "http://", "*a.b",  "\xc3\xa4"};
    char longest[SKY_DER_NAME_MAX + 2] = {0};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(good); i++)
        if (!sky_der_is_name(sky_span_str(good[i])))
            fail_msg("'%s' is refused", good[i]);
    for (size_t i = 0; i < SKY_COUNT(bad); i++)
        if (sky_der_is_name(sky_span_str(bad[i])))
            fail_msg("'%s' is taken", bad[i]);
    memset(longest, 'a', SKY_DER_NAME_MAX);
    assert_true(sky_der_is_name(sky_span_str(longest)));
    longest[SKY_DER_NAME_MAX] = 'a';
    assert_false(sky_der_is_name(sky_span_str(longest)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_general_names),
        cmocka_unit_test(lengths_take_the_fewest_bytes),
        cmocka_unit_test(purposes_are_object_identifiers),
        cmocka_unit_test(only_host_names_and_addresses_are_names),
    };
    return cmocka_run_group_tests_name("tls_der", tests, NULL, NULL);
}
