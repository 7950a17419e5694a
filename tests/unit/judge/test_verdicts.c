#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/judge/verdicts.h"

/* Rows of no cloud, then rows of the first cloud there is and of the second. */
enum { COMMON, GRAVE, LIGHT, REMARK, FOREIGN };
static const struct sky_rule common[] = {{.id = "X-COMMON", .severity = SKY_ERROR}};
static const struct sky_rule own[] = {{.id = "X-GRAVE", .severity = SKY_ERROR},
                                      {.id = "X-LIGHT", .severity = SKY_WARNING},
                                      {.id = "X-REMARK", .severity = SKY_INFO}};
static const struct sky_rule foreign[] = {{.id = "X-FOREIGN", .severity = SKY_ERROR}};

static struct sky_catalogue catalogue;

static int fill_catalogue(void **state)
{
    (void)state;
    sky_catalogue_init(&catalogue);
    sky_catalogue_add(&catalogue,
                      (struct sky_rule_table){"general", common, SKY_COUNT(common), false});
    sky_catalogue_add(&catalogue,
                      (struct sky_rule_table){sky_clouds[0]->name, own, SKY_COUNT(own), true});
    sky_catalogue_add(&catalogue, (struct sky_rule_table){sky_clouds[1]->name, foreign,
                                                          SKY_COUNT(foreign), true});
    return 0;
}

/* The proofs of broken rules are in `proofs`, by the rule's index. */
static struct sky_conduct conduct_of(unsigned exercised, unsigned broken, unsigned refused,
                                     struct sky_proof *proofs)
{
    struct sky_conduct conduct = {0};
    for (size_t i = 0; i < catalogue.rule_count; i++) {
        size_t place = sky_catalogue_place(&catalogue, sky_catalogue_at(&catalogue, i));
        if (exercised >> i & 1)
            sky_rule_set_add(&conduct.exercised, place);
        if (!(broken >> i & 1))
            continue;
        proofs[i] = (struct sky_proof){.rule = sky_catalogue_at(&catalogue, i),
                                       .refused = refused >> i & 1,
                                       .next = conduct.proofs};
        conduct.proofs = &proofs[i];
    }
    return conduct;
}

static void conduct_comes_to_the_worst_of_its_rules(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned exercised, broken, refused;
        enum sky_verdict verdict;
    } table[] = {
        {"nothing seen", 0, 0, 0, SKY_VERDICT_NOT_EXERCISED},
        {"a rule kept", 1 << GRAVE, 0, 0, SKY_VERDICT_PASSED},
        {"a common rule kept", 1 << COMMON, 0, 0, SKY_VERDICT_PASSED},
        {"an error", 1 << GRAVE | 1 << LIGHT, 1 << GRAVE, 0, SKY_VERDICT_FAILED},
        {"a common error", 1 << COMMON, 1 << COMMON, 0, SKY_VERDICT_FAILED},
        {"a warning", 1 << GRAVE | 1 << LIGHT, 1 << LIGHT, 0, SKY_VERDICT_WARNED},
        {"a warning that refused", 1 << GRAVE | 1 << LIGHT, 1 << LIGHT, 1 << LIGHT,
         SKY_VERDICT_FAILED},
        {"another cloud's", 0, 1 << FOREIGN, 0, SKY_VERDICT_FAILED},
        {"a remark", 1 << REMARK, 1 << REMARK, 0, SKY_VERDICT_PASSED},
        {"a warning and an error", 1 << GRAVE | 1 << LIGHT, 1 << GRAVE | 1 << LIGHT, 0,
         SKY_VERDICT_FAILED},
    };
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        struct sky_proof proofs[FOREIGN + 1];
        struct sky_conduct conduct =
            conduct_of(table[i].exercised, table[i].broken, table[i].refused, proofs);
        enum sky_verdict verdict = sky_verdict_of_party(&catalogue, sky_clouds[0], &conduct);
        if (verdict != table[i].verdict)
            fail_msg("%s: %s, expected %s", table[i].what, sky_verdict_name(verdict),
                     sky_verdict_name(table[i].verdict));
    }
}

static void a_device_answers_to_its_cloud_and_to_general_rules(void **state)
{
    (void)state;
    assert_true(sky_verdict_concerns(&catalogue, COMMON, sky_clouds[0]));
    assert_true(sky_verdict_concerns(&catalogue, GRAVE, sky_clouds[0]));
    assert_false(sky_verdict_concerns(&catalogue, FOREIGN, sky_clouds[0]));
    assert_true(sky_verdict_concerns(&catalogue, FOREIGN, sky_clouds[1]));
}

static void several_devices_come_to_the_worst(void **state)
{
    (void)state;
    assert_int_equal(sky_verdict_worse(SKY_VERDICT_PASSED, SKY_VERDICT_FAILED), SKY_VERDICT_FAILED);
    assert_int_equal(sky_verdict_worse(SKY_VERDICT_NOT_EXERCISED, SKY_VERDICT_PASSED),
                     SKY_VERDICT_PASSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conduct_comes_to_the_worst_of_its_rules),
        cmocka_unit_test(a_device_answers_to_its_cloud_and_to_general_rules),
        cmocka_unit_test(several_devices_come_to_the_worst),
    };
    return cmocka_run_group_tests(tests, fill_catalogue, NULL);
}
