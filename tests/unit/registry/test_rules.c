/* What every part brings along fits together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/registry/rules.h"

static void what_is_built_in_is_fit_to_be_served(void **state)
{
    (void)state;
    struct sky_why why = {0};
    if (sky_rules_check(&why) != SKY_OK)
        fail_msg("%s", why.reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_built_in_is_fit_to_be_served)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
