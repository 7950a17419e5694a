#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/subs.h"
#include "protocol/mqtt/topic.h"

static struct sky_subs *subs;
static struct sky_receivers found;

static int set_up(void **state)
{
    (void)state;
    subs = sky_subs_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sky_subs_free(subs);
    sky_receivers_done(&found);
    return 0;
}

static void add(uint32_t subscriber, const char *filter, uint8_t qos)
{
    assert_int_equal(sky_subs_add(subs, subscriber, sky_span_str(filter), qos), SKY_OK);
}

static bool drop_one(uint32_t subscriber, const char *filter)
{
    return sky_subs_remove(subs, subscriber, sky_span_str(filter));
}

/* The QoS with which `subscriber` receives `topic`; -1: it does not. */
static int qos_of(uint32_t subscriber, const char *topic)
{
    int qos = -1;
    sky_subs_match(subs, sky_span_str(topic), &found);
    for (size_t i = 0; i < found.count; i++) {
        if (found.list[i].subscriber == subscriber) {
            assert_int_equal(qos, -1); /* once only */
            qos = found.list[i].qos;
        }
    }
    return qos;
}

static void a_topic_reaches_exact_and_wildcard_subscribers(void **state)
{
    (void)state;
    add(1, "a/b", 0);
    add(2, "a/+", 1);
    add(3, "#", 0);
    add(4, "a/b/#", 1);
    add(5, "a/b/c", 1);
    sky_subs_match(subs, SKY_SPAN("a/b"), &found);
    assert_int_equal(found.count, 4);
    assert_int_equal(qos_of(1, "a/b"), 0);
    assert_int_equal(qos_of(2, "a/b"), 1);
    assert_int_equal(qos_of(3, "a/b"), 0);
    assert_int_equal(qos_of(4, "a/b"), 1);
    sky_subs_match(subs, SKY_SPAN("b"), &found);
    assert_int_equal(found.count, 1);
}

static void leading_wildcards_do_not_reach_hidden_topics(void **state)
{
    (void)state;
    add(1, "#", 0);
    add(2, "+/a", 0);
    add(3, "$x/a", 0);
    add(4, "$x/+", 0);
    sky_subs_match(subs, SKY_SPAN("$x/a"), &found);
    assert_int_equal(found.count, 2);
    assert_true(qos_of(3, "$x/a") == 0 && qos_of(4, "$x/a") == 0);
}

static void overlapping_filters_deliver_once_with_the_highest_qos(void **state)
{
    (void)state;
    add(7, "a/b", 0);
    add(7, "a/+", 1);
    add(7, "a/#", 0);
    sky_subs_match(subs, SKY_SPAN("a/b"), &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.list[0].qos, 1);
    assert_true(drop_one(7, "a/+"));
    assert_int_equal(qos_of(7, "a/b"), 0);
}

static void subscribing_again_replaces_the_qos(void **state)
{
    (void)state;
    add(1, "a/+", 0);
    add(1, "a/+", 1);
    assert_int_equal(sky_subs_count(subs, 1), 1);
    assert_int_equal(qos_of(1, "a/x"), 1);
    add(1, "a/+", 0);
    assert_int_equal(qos_of(1, "a/x"), 0);
}

static void removing_needs_the_same_filter_byte_for_byte(void **state)
{
    (void)state;
    add(1, "a/b", 0);
    add(2, "a/+", 0);
    assert_false(drop_one(1, "a/+"));
    assert_false(drop_one(1, "a/B"));
    assert_false(drop_one(2, "a/b"));
    assert_false(drop_one(99999, "a/b"));
    assert_true(drop_one(1, "a/b"));
    assert_false(drop_one(1, "a/b"));
    assert_int_equal(qos_of(1, "a/b"), -1);
    assert_int_equal(qos_of(2, "a/b"), 0);
}

static void every_change_moves_the_generation(void **state)
{
    (void)state;
    uint64_t before = sky_subs_generation(subs);
    add(1, "a", 0);
    assert_true(sky_subs_generation(subs) > before);
    before = sky_subs_generation(subs);
    add(1, "a", 1);
    assert_true(sky_subs_generation(subs) > before);
    before = sky_subs_generation(subs);
    sky_subs_match(subs, SKY_SPAN("a"), &found);
    assert_false(drop_one(1, "b"));
    sky_subs_drop(subs, 2);
    assert_true(sky_subs_generation(subs) == before);
    sky_subs_drop(subs, 1);
    assert_true(sky_subs_generation(subs) > before);
}

static void a_subscriber_has_filters_up_to_the_limit_and_no_more(void **state)
{
    (void)state;
    char filter[32];
    for (int i = 0; i < SKY_SUBS_PER_SUBSCRIBER_MAX; i++) {
        snprintf(filter, sizeof filter, i % 2 ? "f/%d" : "f/%d/+", i);
        add(1, filter, 0);
    }
    assert_int_equal(sky_subs_count(subs, 1), SKY_SUBS_PER_SUBSCRIBER_MAX);
    assert_int_equal(sky_subs_add(subs, 1, SKY_SPAN("more"), 0), SKY_ERR_LIMIT);
    assert_int_equal(sky_subs_add(subs, 1, SKY_SPAN("f/1"), 1), SKY_OK); /* it has that one */
    add(2, "more", 0);
    assert_int_equal(qos_of(1, "more"), -1);
    sky_subs_drop(subs, 1);
    assert_int_equal(sky_subs_count(subs, 1), 0);
    add(1, "more", 1);
}

static void wildcard_filters_are_as_deep_as_the_limit_and_no_deeper(void **state)
{
    (void)state;
    char filter[2 * SKY_SUBS_TRIE_DEPTH_MAX + 8] = "+";
    for (int i = 1; i < SKY_SUBS_TRIE_DEPTH_MAX; i++)
        strcat(filter, "/+");
    add(1, filter, 1);
    strcat(filter, "/+");
    assert_int_equal(sky_subs_add(subs, 1, sky_span_str(filter), 0), SKY_ERR_LIMIT);
    memset(filter, '/', sizeof filter - 1); /* without wildcards depth does not matter */
    filter[sizeof filter - 1] = '\0';
    add(2, filter, 0);
    assert_int_equal(qos_of(2, filter), 0);
    filter[SKY_SUBS_TRIE_DEPTH_MAX - 1] = '\0';
    assert_int_equal(qos_of(1, filter), 1);
}

static void topics_and_filters_of_full_length_are_fine(void **state)
{
    (void)state;
    static char text[65535];
    memset(text, 'x', sizeof text);
    sky_span whole = sky_span_of(text, sizeof text);
    assert_int_equal(sky_subs_add(subs, 1, whole, 0), SKY_OK);
    text[1] = '/';
    text[0] = '+';
    assert_int_equal(sky_subs_add(subs, 2, whole, 1), SKY_OK);
    text[0] = 'y';
    sky_subs_match(subs, whole, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.list[0].subscriber, 2);
}

static void sum_up(void *ctx, sky_span filter, uint8_t qos)
{
    char *text = ctx;
    sprintf(text + strlen(text), "%.*s=%d;", SKY_SPAN_ARGS(filter), qos);
}

static void each_visits_the_filters_of_one_subscriber(void **state)
{
    (void)state;
    char text[64] = "";
    add(1, "a", 0);
    add(2, "a", 1);
    add(1, "b/#", 1);
    sky_subs_each(subs, 1, sum_up, text);
    assert_true(strcmp(text, "a=0;b/#=1;") == 0 || strcmp(text, "b/#=1;a=0;") == 0);
    text[0] = '\0';
    sky_subs_each(subs, 77, sum_up, text);
    assert_string_equal(text, "");
}

/* ---- against a naive model ---- */

enum { SUBSCRIBERS = 12, FILTERS = 60, ROUNDS = 20000 };

static struct {
    char filters[FILTERS][32];
    bool has[SUBSCRIBERS][FILTERS];
    uint8_t qos[SUBSCRIBERS][FILTERS];
} model;

static void random_name(char out[32], unsigned *seed, const char *const *levels, int count)
{
    int depth = 1 + rand_r(seed) % 4;
    do {
        out[0] = '\0';
        for (int i = 0; i < depth; i++) {
            strcat(out, i > 0 ? "/" : "");
            strcat(out, levels[rand_r(seed) % count]);
        }
    } while (!sky_topic_valid_filter(sky_span_str(out)));
}

static int model_qos(size_t subscriber, const char *topic)
{
    int qos = -1;
    for (size_t f = 0; f < FILTERS; f++)
        if (model.has[subscriber][f] && model.qos[subscriber][f] > qos &&
            sky_topic_matches(sky_span_str(model.filters[f]), sky_span_str(topic)))
            qos = model.qos[subscriber][f];
    return qos;
}

static void check_against_model(unsigned *seed)
{
    static const char *const levels[] = {"a", "b", "", "$s", "ccc"};
    char topic[32];
    size_t want = 0;
    random_name(topic, seed, levels, 5);
    for (uint32_t s = 0; s < SUBSCRIBERS; s++) {
        int qos = model_qos(s, topic);
        want += qos >= 0;
        if (qos_of(s, topic) != qos)
            fail_msg("subscriber %u receives %s with %d, not %d", s, topic, qos_of(s, topic), qos);
    }
    assert_int_equal(found.count, want);
}

static void change_both(unsigned *seed)
{
    uint32_t s = (uint32_t)rand_r(seed) % SUBSCRIBERS;
    size_t f = (size_t)rand_r(seed) % FILTERS;
    uint8_t qos = rand_r(seed) % 2;
    switch (rand_r(seed) % 16) {
    case 0:
        sky_subs_drop(subs, s);
        memset(model.has[s], 0, sizeof model.has[s]);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        add(s, model.filters[f], qos);
        model.has[s][f] = true;
        model.qos[s][f] = qos;
        break;
    default:
        assert_int_equal(drop_one(s, model.filters[f]), model.has[s][f]);
        model.has[s][f] = false;
    }
}

static void random_changes_match_like_a_naive_list(void **state)
{
    static const char *const levels[] = {"a", "b", "", "$s", "+", "+", "#"};
    (void)state;
    unsigned seed = 20240613;
    for (size_t f = 0; f < FILTERS;) {
        bool known = false;
        random_name(model.filters[f], &seed, levels, 7);
        for (size_t g = 0; g < f; g++)
            known = known || strcmp(model.filters[f], model.filters[g]) == 0;
        f += !known;
    }
    for (int round = 0; round < ROUNDS; round++) {
        change_both(&seed);
        if (round % 10 == 0)
            check_against_model(&seed);
    }
    for (uint32_t s = 0; s < SUBSCRIBERS; s++) {
        size_t count = 0;
        for (size_t f = 0; f < FILTERS; f++)
            count += model.has[s][f];
        assert_int_equal(sky_subs_count(subs, s), count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_topic_reaches_exact_and_wildcard_subscribers),
        TEST(leading_wildcards_do_not_reach_hidden_topics),
        TEST(overlapping_filters_deliver_once_with_the_highest_qos),
        TEST(subscribing_again_replaces_the_qos),
        TEST(removing_needs_the_same_filter_byte_for_byte),
        TEST(every_change_moves_the_generation),
        TEST(a_subscriber_has_filters_up_to_the_limit_and_no_more),
        TEST(wildcard_filters_are_as_deep_as_the_limit_and_no_deeper),
        TEST(topics_and_filters_of_full_length_are_fine),
        TEST(each_visits_the_filters_of_one_subscriber),
        TEST(random_changes_match_like_a_naive_list),
    };
    return cmocka_run_group_tests_name("subs", tests, NULL, NULL);
}
