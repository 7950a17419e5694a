#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"

static sky_span s(const char *text)
{
    return sky_span_str(text);
}

static void a_name_has_no_wildcards(void **state)
{
    (void)state;
    assert_true(sky_topic_valid_name(s("/")));
    assert_true(sky_topic_valid_name(s("a b/$c")));
    assert_false(sky_topic_valid_name(s("")));
    assert_false(sky_topic_valid_name(s("a/+")));
    assert_false(sky_topic_valid_name(s("a#")));
}

static void a_filter_has_wildcards_as_whole_levels_only(void **state)
{
    static const struct {
        const char *filter;
        enum sky_filter_flaw flaw;
    } rows[] = {
        {"", SKY_FILTER_EMPTY},      {"a", SKY_FILTER_GOOD},       {"/", SKY_FILTER_GOOD},
        {"#", SKY_FILTER_GOOD},      {"+", SKY_FILTER_GOOD},       {"/#", SKY_FILTER_GOOD},
        {"a/#", SKY_FILTER_GOOD},    {"+/a/+/#", SKY_FILTER_GOOD}, {"//", SKY_FILTER_GOOD},
        {"/+", SKY_FILTER_GOOD},     {"+/+", SKY_FILTER_GOOD},     {"#/", SKY_FILTER_HASH},
        {"a#", SKY_FILTER_HASH},     {"#a", SKY_FILTER_HASH},      {"a/#/b", SKY_FILTER_HASH},
        {"##", SKY_FILTER_HASH},     {"a+", SKY_FILTER_PLUS},      {"+a", SKY_FILTER_PLUS},
        {"a/b+/c", SKY_FILTER_PLUS}, {"++", SKY_FILTER_PLUS},      {"+#", SKY_FILTER_PLUS},
        {"a/+#", SKY_FILTER_PLUS},   {"+/#+", SKY_FILTER_HASH},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        if (sky_topic_filter_flaw(s(rows[i].filter)) != rows[i].flaw)
            fail_msg("%s has another flaw", rows[i].filter);
        assert_int_equal(sky_topic_valid_filter(s(rows[i].filter)),
                         rows[i].flaw == SKY_FILTER_GOOD);
    }
}

static void topics_match_as_the_specification_says(void **state)
{
    static const struct {
        const char *filter, *topic;
        bool match;
    } rows[] = {
        /* the examples of 4.7.1 to 4.7.3 */
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/#", "sport", true},
        {"#", "a/b", true},
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+", "/finance", false},
        {"#", "$SYS/a", false},
        {"+/monitor/Clients", "$SYS/monitor/Clients", false},
        {"$SYS/#", "$SYS/a/b", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        {"ACCOUNTS", "Accounts", false},
        {"/finance", "finance", false},
        /* and the corners */
        {"a", "a", true},
        {"a", "a/", false},
        {"a/", "a", false},
        {"a", "ab", false},
        {"ab", "a", false},
        {"a/b", "a", false},
        {"a/b", "a/b/c", false},
        {"/", "/", true},
        {"#", "/", true},
        {"/#", "/", true},
        {"/#", "a", false},
        {"+/#", "a", true},
        {"+", "a", true},
        {"a/+/c", "a//c", true},
        {"a/+/#", "a", false},
        {"a/+/#", "a/b", true},
        {"a/$b", "a/$b", true},
        {"a/+", "a/$b", true},
        {"a/#", "a/$b", true},
        {"+/a", "$x/a", false},
        {"+", "$", false},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_topic_matches(s(rows[i].filter), s(rows[i].topic)) != rows[i].match)
            fail_msg("%s and %s", rows[i].filter, rows[i].topic);
}

enum { NAMES_MAX = 4000, NAME_SIZE = 24 };

struct names {
    char text[NAMES_MAX][NAME_SIZE];
    size_t count;
};

/* All names of one level more than those from `first` on. */
static void add_level(struct names *names, size_t first, const char *const *levels)
{
    for (size_t i = first, end = names->count; i < end; i++) {
        for (const char *const *level = levels; *level != NULL; level++) {
            assert_true(names->count < NAMES_MAX);
            char longer[NAME_SIZE];
            snprintf(longer, sizeof longer, "%.16s/%.4s", names->text[i], *level);
            memcpy(names->text[names->count++], longer, sizeof longer);
        }
    }
}

static void list_names(struct names *names, int depth, const char *const *levels)
{
    names->count = 0;
    for (const char *const *level = levels; *level != NULL; level++)
        snprintf(names->text[names->count++], NAME_SIZE, "%s", *level);
    for (size_t first = 0; --depth > 0;) {
        size_t end = names->count;
        add_level(names, first, levels);
        first = end;
    }
}

static const struct sky_topic_keys keys = {{"pk", 2}, {"dev", 3}};

static void a_filter_is_within_a_pattern_with_the_keys_filled_in(void **state)
{
    static const struct {
        const char *filter, *pattern;
        bool within;
    } rows[] = {
        {"/sys/pk/dev/thing", "/sys/{product}/{device}/thing", true},
        {"/sys/pk/dev2/thing", "/sys/{product}/{device}/thing", false},
        {"/sys/pk/de/thing", "/sys/{product}/{device}/thing", false},
        {"/sys/dev/pk/thing", "/sys/{product}/{device}/thing", false},
        {"/sys/pk/dev", "/sys/{product}/{device}/thing", false},
        {"/sys/pk/dev/thing/x", "/sys/{product}/{device}/thing", false},
        {"/sys/pk/+/thing", "/sys/{product}/{device}/thing", false},
        {"/sys/pk/dev/#", "/sys/{product}/{device}/thing", false},
        {"/sys/pk/dev/#", "/sys/{product}/{device}/#", true},
        {"/sys/pk/dev", "/sys/{product}/{device}/#", true},
        {"/sys/pk/dev/+/#", "/sys/{product}/{device}/#", true},
        {"/sys/pk/#", "/sys/{product}/{device}/#", false},
        {"/sys/pk/dev/+/get", "/sys/{product}/{device}/+/get", true},
        {"/sys/pk/dev/a/get", "/sys/{product}/{device}/+/get", true},
        {"/sys/pk/dev/#", "/sys/{product}/{device}/+/get", false},
        {"pkdev/data", "{product}{device}/data", true},
        {"pkdev2/data", "{product}{device}/data", false},
        {"pk-dev", "{product}-{device}", true},
        {"pk-de", "{product}-{device}", false},
        {"{product}", "{product}", false},
        {"{other}/pk", "{other}/{product}", true},
        {"{product/pk", "{product/{product}", true},
        {"#", "#", true},
        {"#", "+/#", true},
        {"a/#", "a/+/#", false},
        {"$sys/a", "#", false},
        {"$sys/#", "+/#", false},
        {"$sys/#", "$sys/#", true},
        {"a/$b", "a/+", true},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_topic_within(s(rows[i].filter), s(rows[i].pattern), &keys) != rows[i].within)
            fail_msg("%s and %s", rows[i].filter, rows[i].pattern);
}

/* Every pair of filters of up to three levels, tried with every topic of up to five over letters
 * among which one ("z") is in no filter. */
static void within_means_that_no_topic_escapes_the_pattern(void **state)
{
    static struct names filters, topics;
    size_t wrong = 0, within = 0;
    (void)state;
    list_names(&filters, 3, (const char *const[]){"a", "$", "", "+", "#", NULL});
    list_names(&topics, 5, (const char *const[]){"a", "$", "", "z", NULL});
    for (size_t f = 0; f < filters.count; f++) {
        sky_span filter = s(filters.text[f]);
        for (size_t p = 0; p < filters.count && sky_topic_valid_filter(filter); p++) {
            sky_span pattern = s(filters.text[p]);
            if (!sky_topic_valid_filter(pattern))
                continue;
            bool escapes = false;
            for (size_t t = 0; t < topics.count && !escapes; t++)
                escapes = topics.text[t][0] != '\0' &&
                          sky_topic_matches(filter, s(topics.text[t])) &&
                          !sky_topic_matches(pattern, s(topics.text[t]));
            within += !escapes;
            wrong += sky_topic_within(filter, pattern, &keys) == escapes;
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(within > filters.count / 2);
}

static void a_key_grants_no_wildcard(void **state)
{
    (void)state;
    const struct sky_topic_keys wild = {SKY_SPAN("+"), SKY_SPAN("#")};
    assert_false(sky_topic_within(s("a/+"), s("a/{product}"), &wild));
    assert_false(sky_topic_within(s("a/#"), s("a/{device}"), &wild));
    assert_false(sky_topic_within(s("a/b"), s("a/{product}"), &wild));
    const struct sky_topic_keys slash = {SKY_SPAN("a/b"), SKY_SPAN("")};
    assert_false(sky_topic_within(s("a/b"), s("{product}"), &slash));
    assert_true(sky_topic_within(s("/x"), s("{device}/x"), &slash));
}

static void a_filter_of_another_device_is_recognised(void **state)
{
    static const struct {
        const char *filter, *pattern;
        bool within;
    } rows[] = {
        {"/sys/p/d/thing", "/sys/{product}/{device}/thing", true},
        {"/sys/p//thing", "/sys/{product}/{device}/thing", false},
        {"/sys/p/+/thing", "/sys/{product}/{device}/thing", true},
        {"/sys/+/+/thing", "/sys/{product}/{device}/thing", true},
        {"/sys/p/d/other", "/sys/{product}/{device}/thing", false},
        {"/sys/#", "/sys/{product}/{device}/thing", false},
        {"ab/data", "{product}{device}/data", true},
        {"a/data", "{product}{device}/data", false},
        {"+/data", "{product}{device}/data", true},
        {"a-b", "{product}-{device}", true},
        {"a--b", "{product}-{device}", true},
        {"-b", "{product}-{device}", false},
        {"a-", "{product}-{device}", false},
        {"+", "{product}-{device}", false},
        {"xay", "x{device}y", true},
        {"xyyy", "x{device}y", true},
        {"xy", "x{device}y", false},
        {"xaz", "x{device}y", false},
        {"x", "x", true},
        {"y", "x", false},
        {"aabab", "{product}ab", true},
        {"aabab", "{product}ab{device}", true},
        {"aabab", "{product}b{device}b", true},
        {"abab", "{product}abb", false},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (sky_topic_within_any(s(rows[i].filter), s(rows[i].pattern)) != rows[i].within)
            fail_msg("%s and %s", rows[i].filter, rows[i].pattern);
}

static void patterns_are_filled_in_when_they_fit(void **state)
{
    (void)state;
    char out[16];
    assert_true(sky_topic_fill(s("/{product}/{device}"), &keys, out, sizeof out));
    assert_string_equal(out, "/pk/dev");
    assert_true(sky_topic_fill(s("{product}{device}{x}"), &keys, out, sizeof out));
    assert_string_equal(out, "pkdev{x}");
    assert_true(sky_topic_fill(s("/{product}/{device}"), &keys, out, 8));
    assert_false(sky_topic_fill(s("/{product}/{device}"), &keys, out, 7));
    assert_string_equal(out, "");
    assert_true(sky_topic_fill(s(""), &keys, out, 1));
}

static void levels_count_from_zero_and_may_be_empty(void **state)
{
    (void)state;
    assert_int_equal(sky_topic_levels(s("/a//b")), 4);
    assert_int_equal(sky_topic_levels(s("a")), 1);
    assert_int_equal(sky_topic_levels(s("a/")), 2);
    assert_int_equal(sky_topic_level(s("/a//b"), 0).len, 0);
    assert_true(sky_span_eq_str(sky_topic_level(s("/a//b"), 1), "a"));
    assert_int_equal(sky_topic_level(s("/a//b"), 2).len, 0);
    assert_true(sky_span_eq_str(sky_topic_level(s("/a//b"), 3), "b"));
    assert_int_equal(sky_topic_level(s("/a//b"), 4).len, 0);
    assert_int_equal(sky_topic_level(s("/a//b"), 99).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_no_wildcards),
        cmocka_unit_test(a_filter_has_wildcards_as_whole_levels_only),
        cmocka_unit_test(topics_match_as_the_specification_says),
        cmocka_unit_test(a_filter_is_within_a_pattern_with_the_keys_filled_in),
        cmocka_unit_test(within_means_that_no_topic_escapes_the_pattern),
        cmocka_unit_test(a_key_grants_no_wildcard),
        cmocka_unit_test(a_filter_of_another_device_is_recognised),
        cmocka_unit_test(patterns_are_filled_in_when_they_fit),
        cmocka_unit_test(levels_count_from_zero_and_may_be_empty),
    };
    return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
