#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/admin/match.h"

#define DEVICE "/api/v1/devices/{cloud}/{product}/{device}"

static void paths_match_their_pattern_only(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } table[] = {
        {"/health", "/health", true},
        {"/health", "/health/", false},
        {"/health", "//health", false},
        {"/health", "/healthy", false},
        {"/health", "/Health", false},
        {"/health", "", false},
        {"/health", "/", false},
        {DEVICE, "/api/v1/devices/c/p/d", true},
        {DEVICE, "/api/v1/devices/c/p", false},
        {DEVICE, "/api/v1/devices/c/p/", false},
        {DEVICE, "/api/v1/devices/c//d", false},
        {DEVICE, "/api/v1/devices/c/p/d/e", false},
        {DEVICE "/shadow", "/api/v1/devices/c/p/d/shadow", true},
        {DEVICE, "/api/v1/devices/c/p/%zz", false},
        {DEVICE, "/api/v1/devices/c/p/%00", false},
        {DEVICE, "/api/v1/devices/c/p/%2", false},
    };
    struct sky_path_vars vars;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        bool matches =
            sky_match_path(sky_span_str(table[i].pattern), sky_span_str(table[i].path), &vars);
        if (matches != table[i].matches)
            fail_msg("%s against %s", table[i].path, table[i].pattern);
    }
}

static void placeholders_are_decoded(void **state)
{
    (void)state;
    struct sky_path_vars vars;
    assert_true(
        sky_match_path(SKY_SPAN(DEVICE), SKY_SPAN("/api/v1/devices/c/a%2Fb/x+y%20z"), &vars));
    assert_string_equal(vars.cloud, "c");
    assert_string_equal(vars.product, "a/b");
    assert_string_equal(vars.device, "x+y z");
}

static void a_key_is_as_long_as_a_key_may_be(void **state)
{
    (void)state;
    char path[128] = "/api/v1/devices/c/p/";
    size_t at = strlen(path);
    struct sky_path_vars vars;
    memset(path + at, 'k', SKY_KEY_MAX);
    assert_true(sky_match_path(SKY_SPAN(DEVICE), sky_span_of(path, at + SKY_KEY_MAX), &vars));
    path[at + SKY_KEY_MAX] = 'k';
    assert_false(sky_match_path(SKY_SPAN(DEVICE), sky_span_of(path, at + SKY_KEY_MAX + 1), &vars));
}

static void what_was_matched_before_stays_when_nothing_matches(void **state)
{
    (void)state;
    struct sky_path_vars vars = {.device = "before"};
    assert_false(
        sky_match_path(SKY_SPAN(DEVICE "/shadow"), SKY_SPAN("/api/v1/devices/c/p/d/x"), &vars));
    assert_string_equal(vars.device, "before");
}

static void a_slip_is_nearer_than_something_else(void **state)
{
    (void)state;
    sky_span path = SKY_SPAN("/api/v1/evnets");
    unsigned meant = sky_match_nearness(SKY_SPAN("/api/v1/events"), path);
    assert_true(meant > sky_match_nearness(SKY_SPAN("/api/v1/clock"), path));
    assert_true(meant > sky_match_nearness(SKY_SPAN("/health"), path));
    assert_int_equal(sky_match_nearness(SKY_SPAN("/health"), SKY_SPAN("/nothing/like/it")), 0);
}

static void a_device_is_named_by_three_keys(void **state)
{
    (void)state;
    struct sky_path_vars vars;
    assert_true(sky_match_device(SKY_SPAN("c/p/d"), &vars));
    assert_string_equal(vars.cloud, "c");
    assert_string_equal(vars.product, "p");
    assert_string_equal(vars.device, "d");
    static const char *const others[] = {"",     "c",    "c/p", "c/p/",
                                         "/p/d", "c//d", "//",  "abcdefghijklmnopq/p/d"};
    for (size_t i = 0; i < SKY_COUNT(others); i++)
        assert_false(sky_match_device(sky_span_str(others[i]), &vars));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_match_their_pattern_only),
        cmocka_unit_test(placeholders_are_decoded),
        cmocka_unit_test(a_key_is_as_long_as_a_key_may_be),
        cmocka_unit_test(what_was_matched_before_stays_when_nothing_matches),
        cmocka_unit_test(a_slip_is_nearer_than_something_else),
        cmocka_unit_test(a_device_is_named_by_three_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
