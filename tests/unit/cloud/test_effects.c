#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/cloud/effects.h"

static void effects_are_kept_in_order_and_start_empty(void **state)
{
    (void)state;
    struct sky_effects effects;
    sky_effects_init(&effects);
    sky_effects_add(&effects, SKY_EFFECT_CLOSE)->delay_ms = 5;
    sky_effects_message(&effects, SKY_EFFECT_PUSH, SKY_SPAN("t"), SKY_SPAN("p"), 1);
    assert_int_equal(effects.count, 2);
    assert_int_equal(effects.list[0].kind, SKY_EFFECT_CLOSE);
    assert_int_equal(effects.list[0].topic.len, 0);
    assert_int_equal(effects.list[1].kind, SKY_EFFECT_PUSH);
    assert_int_equal(effects.list[1].qos, 1);
    assert_int_equal(effects.list[1].delay_ms, 0);
    sky_effects_done(&effects);
}

static void a_cleared_list_forgets_and_is_filled_again(void **state)
{
    (void)state;
    struct sky_effects effects;
    sky_effects_init(&effects);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < SKY_EFFECTS_MAX; i++)
            sky_effects_add(&effects, SKY_EFFECT_NOTE)->name =
                sky_arena_printf(&effects.arena, "%d", round);
        assert_int_equal(effects.count, SKY_EFFECTS_MAX);
        sky_effects_clear(&effects);
        assert_int_equal(effects.count, 0);
    }
    sky_effects_done(&effects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_are_kept_in_order_and_start_empty),
        cmocka_unit_test(a_cleared_list_forgets_and_is_filled_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
