#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/os/clock.h"
#include "server/os/slices.h"

/* An act of some pieces, which writes down its letter with each. */
struct act {
    struct sky_slice slice;
    char letter;
    int pieces;
};

static char done[16];

static bool step(struct sky_slice *slice)
{
    struct act *act = SKY_CONTAINER_OF(slice, struct act, slice);
    done[strlen(done)] = act->letter;
    return --act->pieces > 0;
}

static struct act act_of(char letter, int pieces)
{
    memset(done, 0, sizeof done);
    return (struct act){.slice = {.step = step}, .letter = letter, .pieces = pieces};
}

/* A turn that has just begun, as long as a test may take, or one that has had its time. */
static struct sky_clock turn(bool spent)
{
    const int64_t hour_us = INT64_C(3600) * 1000000, now_us = sky_clock_machine_us();
    return (struct sky_clock){.turn_began_us =
                                  spent ? now_us - SKY_TURN_BUDGET_US : now_us + hour_us};
}

static void take_turns(void **state)
{
    struct sky_slices slices = {0};
    struct act a = act_of('a', 3), b = act_of('b', 1), c = act_of('c', 2);
    const struct sky_clock clock = turn(false);
    (void)state;
    assert_true(sky_slices_are_done(&slices));
    sky_slices_run(&slices, &clock);
    sky_slices_add(&slices, &a.slice);
    sky_slices_add(&slices, &b.slice);
    sky_slices_add(&slices, &c.slice);
    assert_false(sky_slices_are_done(&slices));
    sky_slices_run(&slices, &clock);
    assert_string_equal(done, "abcaca");
    assert_true(sky_slices_are_done(&slices));
}

static void do_one_piece_where_there_is_no_time(void **state)
{
    struct sky_slices slices = {0};
    struct act a = act_of('a', 2), b = act_of('b', 2);
    const struct sky_clock clock = turn(true);
    (void)state;
    sky_slices_add(&slices, &a.slice);
    sky_slices_add(&slices, &b.slice);
    for (const char *wanted = "abab"; *wanted != '\0'; wanted++) {
        memset(done, 0, sizeof done);
        sky_slices_run(&slices, &clock);
        assert_int_equal(done[0], *wanted);
        assert_int_equal(done[1], 0);
    }
    assert_true(sky_slices_are_done(&slices));
}

static void one_that_is_removed_is_not_called_again(void **state)
{
    struct sky_slices slices = {0};
    struct act a = act_of('a', 2), b = act_of('b', 2);
    const struct sky_clock spent = turn(true), clock = turn(false);
    (void)state;
    sky_slices_add(&slices, &a.slice);
    sky_slices_add(&slices, &b.slice);
    sky_slices_run(&slices, &spent);
    sky_slices_remove(&slices, &a.slice);
    sky_slices_run(&slices, &clock);
    assert_string_equal(done, "abb");
}

static void a_turn_is_spent_with_its_budget(void **state)
{
    struct sky_clock clock = turn(true);
    (void)state;
    assert_true(sky_clock_turn_is_spent(&clock));
    clock = turn(false);
    assert_false(sky_clock_turn_is_spent(&clock));
    clock.turn_began_us = 0; /* none has begun */
    assert_false(sky_clock_turn_is_spent(&clock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_turns),
        cmocka_unit_test(do_one_piece_where_there_is_no_time),
        cmocka_unit_test(one_that_is_removed_is_not_called_again),
        cmocka_unit_test(a_turn_is_spent_with_its_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
