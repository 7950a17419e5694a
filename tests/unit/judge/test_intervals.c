#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/judge/intervals.h"

enum { MAX = SKY_BEHAVIOUR_INTERVALS_MAX };

/* What real devices do, and what only looks like it. A negative interval begins a ramp: the device
 * had got through before it. */
static const struct row {
    const char *device;
    const char *kind;
    int ms[MAX + 1]; /* ends with 0; an interval of 0 ms stands as 1 */
} rows[] = {
    {"too few", "none", {-1000, 2000}},
    {"mqtt.js: every second", "constant", {-1003, 1001, 1012, 1004, 1002}},
    {"mqtt.js: every second, kicked each time", "constant", {-1003, -1001, -1012, -1004}},
    {"a fixed wait of 200 ms on a busy machine", "constant", {-204, 231, 207, 249, 202}},
    {"at once, then every five seconds", "constant", {-2, 5003, 5001, 5008}},
    {"every second, and restarted by hand once", "constant", {-1001, 1002, 1004, 1001, 20}},
    {"hammering", "constant", {-1, 1, 2, 1, 1, 3}},
    {"five seconds and a fifth by chance", "constant", {-4100, 5700, 5950, 4600, 5100}},
    {"paho: 1 to 120 s, doubling",
     "exponential",
     {-1004, 2003, 4001, 8010, 16004, 32002, 64003, 120002, 120004, 120001}},
    {"EnOS Python: paho's 1 to 120 s, cut off early", "exponential", {-1002, 2001, 4004}},
    {"iotkit: 1 to 60 s, doubling",
     "exponential",
     {-1010, 2012, 4008, 8011, 16010, 32009, 60010, 60012}},
    {"iotkit over TLS, a third of a second to connect",
     "exponential",
     {-1330, 2340, 4325, 8335, 16330}},
    {"qcloud: a first wait by chance, then doubling to 60 s",
     "exponential",
     {-1630, 3264, 6521, 13042, 26081, 52160, 60002, 60001}},
    {"a longest wait that is met once", "exponential", {-1000, 2001, 4002, 8001, 10000}},
    {"half as much again", "exponential", {-1000, 1502, 2250, 3376, 5063}},
    {"at once, then doubling", "exponential", {-1, 1001, 2002, 4003, 8001}},
    {"doubling from 100 ms", "exponential", {-103, 204, 402, 811, 1603}},
    {"two ramps, unannounced", "exponential", {-1000, 2001, 4002, 8001, 1001, 2000, 4003}},
    {"two ramps; the longer tells", "exponential", {-1000, -1002, -1001, 2000, 4001, 8002}},
    {"a second more each time", "linear", {-1004, 2001, 3003, 4002, 5005}},
    {"a fifth of a second more, up to one", "linear", {-204, 402, 605, 803, 1002, 1001, 1003}},
    {"half of the wait by chance", "exponential-jitter", {-740, 1930, 2210, 7600, 9100, 29000}},
    {"all of the wait by chance",
     "exponential-jitter",
     {-400, 1100, 3900, 2200, 15000, 9000, 48000}},
    {"up to a second by chance on top, up to a minute",
     "exponential-jitter",
     {-1130, 2890, 4020, 8760, 16090, 32970}},
    {"a fifth by chance", "exponential-jitter", {-870, 2300, 3500, 9100, 13500, 37000}},
    {"by chance between one and five", "none", {-4100, 1200, 4800, 2300, 1100, 3900}},
    {"less each time", "none", {-20000, 10000, 5000, 2500}},
};

static void each_device_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_interval intervals[MAX];
        size_t count = 0;
        for (const int *ms = rows[i].ms; *ms != 0; ms++)
            intervals[count++] =
                (struct sky_interval){.ms = (uint32_t)abs(*ms), .follows = *ms > 0};
        const char *kind = sky_interval_class_name(sky_intervals_class(intervals, count));
        if (strcmp(kind, rows[i].kind) != 0)
            fail_msg("%s: %s, not %s", rows[i].device, rows[i].kind, kind);
    }
}

/* Whatever connecting takes, and however late timers are: the same chance each time. */
static void noise_of_some_milliseconds_changes_nothing(void **state)
{
    (void)state;
    uint32_t chance = 1;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        if (strcmp(rows[i].kind, "exponential-jitter") == 0 || rows[i].ms[3] == 0)
            continue;
        for (size_t round = 0; round < 100; round++) {
            struct sky_interval intervals[MAX];
            size_t count = 0;
            for (const int *ms = rows[i].ms; *ms != 0; ms++) {
                chance = chance * 1664525 + 1013904223;
                intervals[count++] = (struct sky_interval){
                    .ms = (uint32_t)abs(*ms) + (chance >> 16) % 10, .follows = *ms > 0};
            }
            const char *kind = sky_interval_class_name(sky_intervals_class(intervals, count));
            if (strcmp(kind, rows[i].kind) != 0)
                fail_msg("%s: %s, not %s", rows[i].device, rows[i].kind, kind);
        }
    }
}

static void extremes_are_no_trouble(void **state)
{
    (void)state;
    struct sky_interval intervals[MAX];
    const uint32_t values[] = {0, 1, UINT32_MAX};
    assert_int_equal(sky_intervals_class(NULL, 0), SKY_INTERVALS_NONE);
    for (size_t count = 1; count <= MAX; count++) {
        for (size_t shift = 0; shift < SKY_COUNT(values); shift++) {
            for (size_t i = 0; i < count; i++)
                intervals[i] = (struct sky_interval){.ms = values[(i + shift) % SKY_COUNT(values)]};
            (void)sky_intervals_class(intervals, count);
        }
        memset(intervals, 0, sizeof intervals);
        assert_int_equal(sky_intervals_class(intervals, count),
                         count < SKY_INTERVALS_MIN ? SKY_INTERVALS_NONE : SKY_INTERVALS_CONSTANT);
    }
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (int i = SKY_INTERVALS_NONE; i <= SKY_INTERVALS_EXPONENTIAL_JITTER; i++) {
        enum sky_interval_class kind;
        assert_true(
            sky_interval_class_parse(sky_interval_class_name((enum sky_interval_class)i), &kind));
        assert_int_equal(kind, i);
    }
    enum sky_interval_class kind;
    assert_false(sky_interval_class_parse("quadratic", &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_has_its_class),
        cmocka_unit_test(noise_of_some_milliseconds_changes_nothing),
        cmocka_unit_test(extremes_are_no_trouble),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
