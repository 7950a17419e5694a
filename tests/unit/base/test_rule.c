#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/base/rule.h"

static const struct sky_rule first_rows[] = {
    {"ONE-A", "a", "doc", "fix", SKY_ERROR, {SKY_ENFORCE, SKY_REPORT}, NULL},
    {"ONE-B", "b", "doc", "fix", SKY_WARNING, {SKY_REPORT, SKY_OFF}, NULL},
};
static const struct sky_rule second_rows[] = {
    {"TWO-A", "c", "doc", "fix", SKY_INFO, {SKY_OFF, SKY_ENFORCE}, NULL},
};
static const struct sky_rule third_rows[] = {
    {"THREE-A", "d", "doc", "fix", SKY_ERROR, {SKY_ENFORCE, SKY_ENFORCE}, NULL},
};
static const struct sky_rule_table first = {"one", first_rows, 2, false};
static const struct sky_rule_table second = {"two", second_rows, 1, true};

static struct sky_catalogue catalogue;

static int set_up(void **state)
{
    (void)state;
    sky_catalogue_init(&catalogue);
    sky_catalogue_add(&catalogue, first);
    sky_catalogue_add(&catalogue, second);
    return 0;
}

static void counts_rows_through_all_tables(void **state)
{
    (void)state;
    assert_int_equal(catalogue.rule_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sky_catalogue_index(&catalogue, sky_catalogue_at(&catalogue, i)), i);
    assert_ptr_equal(sky_catalogue_at(&catalogue, 2), &second_rows[0]);
    assert_string_equal(sky_catalogue_owner(&catalogue, 1), "one");
    assert_string_equal(sky_catalogue_owner(&catalogue, 2), "two");
    assert_ptr_equal(sky_catalogue_find(&catalogue, SKY_SPAN("TWO-A")), &second_rows[0]);
    assert_null(sky_catalogue_find(&catalogue, SKY_SPAN("TWO")));
}

static void general_rules_have_places_of_their_own_and_all_others_share_theirs(void **state)
{
    (void)state;
    struct sky_catalogue all;
    sky_catalogue_init(&all);
    sky_catalogue_add(&all, second);
    sky_catalogue_add(&all, first);
    sky_catalogue_add(&all, (struct sky_rule_table){"three", third_rows, 1, true});
    assert_int_equal(sky_catalogue_index(&all, &third_rows[0]), 3);
    assert_int_equal(sky_catalogue_place(&all, &first_rows[0]), 0);
    assert_int_equal(sky_catalogue_place(&all, &first_rows[1]), 1);
    assert_int_equal(sky_catalogue_place(&all, &second_rows[0]), SKY_RULES_GENERAL_MAX);
    assert_int_equal(sky_catalogue_place(&all, &third_rows[0]), SKY_RULES_GENERAL_MAX);
}

/* The longest tables there may be, of every kind, and as many as there may be. */
static void a_set_has_room_for_every_rule_a_device_can_answer_to(void **state)
{
    static struct sky_rule general[SKY_RULES_GENERAL_MAX];
    static struct sky_rule special[SKY_TABLES_SPECIAL_MAX][SKY_RULES_SPECIAL_MAX];
    (void)state;
    struct sky_catalogue all;
    struct sky_policy policy;
    sky_catalogue_init(&all);
    sky_catalogue_add(&all, (struct sky_rule_table){"all", general, SKY_RULES_GENERAL_MAX, false});
    for (size_t i = 0; i < SKY_TABLES_SPECIAL_MAX; i++)
        sky_catalogue_add(&all,
                          (struct sky_rule_table){"one", special[i], SKY_RULES_SPECIAL_MAX, true});
    sky_policy_init(&policy, &all, SKY_PROFILE_SEED);
    for (size_t i = 0; i < SKY_TABLES_SPECIAL_MAX; i++) {
        struct sky_judge judge;
        const struct sky_rule *last = &special[i][SKY_RULES_SPECIAL_MAX - 1];
        sky_judge_init(&judge, &policy);
        assert_true(sky_judge_broken(&judge, last, "broke"));
        assert_int_equal(sky_catalogue_place(&all, last), SKY_RULE_PLACES - 1);
        assert_true(sky_rule_set_has(&judge.exercised, SKY_RULE_PLACES - 1));
    }
}

static void every_rule_has_an_id_of_its_own(void **state)
{
    (void)state;
    struct sky_why why = {0};
    struct sky_catalogue twice = catalogue;
    assert_int_equal(sky_catalogue_check(&catalogue, &why), SKY_OK);
    const struct sky_rule same[] = {second_rows[0]};
    sky_catalogue_add(&twice, (struct sky_rule_table){"three", same, 1, true});
    assert_int_equal(sky_catalogue_check(&twice, &why), SKY_ERR_EXISTS);
    assert_non_null(strstr(why.reason, "TWO-A"));
}

static void the_profile_chooses_the_default_action(void **state)
{
    (void)state;
    struct sky_policy policy;
    sky_policy_init(&policy, &catalogue, SKY_PROFILE_SEED);
    assert_int_equal(sky_policy_action(&policy, &first_rows[0]), SKY_ENFORCE);
    assert_int_equal(sky_policy_action(&policy, &second_rows[0]), SKY_OFF);
    sky_policy_init(&policy, &catalogue, SKY_PROFILE_CURRENT);
    assert_int_equal(sky_policy_action(&policy, &first_rows[1]), SKY_OFF);
}

static void an_override_names_a_rule_and_an_action(void **state)
{
    static const struct {
        const char *text;
        sky_err err;
    } rows[] = {
        {"ONE-A=off", SKY_OK},           {"ONE-A=report", SKY_OK},
        {"ONE-A", SKY_ERR_INVALID},      {"ONE-A=Off", SKY_ERR_INVALID},
        {"ONE-A=off ", SKY_ERR_INVALID}, {"ONE-C=off", SKY_ERR_NOT_FOUND},
        {"", SKY_ERR_INVALID},           {"=off", SKY_ERR_NOT_FOUND},
    };
    (void)state;
    struct sky_policy policy;
    sky_policy_init(&policy, &catalogue, SKY_PROFILE_SEED);
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_why why = {0};
        assert_int_equal(sky_policy_override(&policy, sky_span_str(rows[i].text), &why),
                         rows[i].err);
        assert_int_equal(why.reason[0] != '\0', rows[i].err != SKY_OK);
    }
    assert_int_equal(sky_policy_action(&policy, &first_rows[0]), SKY_REPORT);
}

static void a_judge_records_what_was_exercised_and_what_broke(void **state)
{
    (void)state;
    struct sky_policy policy;
    struct sky_judge judge;
    sky_policy_init(&policy, &catalogue, SKY_PROFILE_SEED);
    sky_judge_init(&judge, &policy);
    assert_false(sky_judge_rule(&judge, &first_rows[0], true, "kept"));
    assert_true(sky_rule_set_has(&judge.exercised, 0));
    assert_int_equal(judge.count, 0);
    assert_false(sky_judge_broken(&judge, &first_rows[1], "did %d", 7)); /* only reported */
    assert_null(judge.refused);
    assert_string_equal(judge.findings[0].detail, "did 7");
    assert_true(sky_judge_broken(&judge, &first_rows[0], "broke"));
    assert_ptr_equal(judge.refused, &first_rows[0]);
    assert_false(sky_judge_broken(&judge, &second_rows[0], "off"));
    assert_false(
        sky_rule_set_has(&judge.exercised, sky_catalogue_place(&catalogue, &second_rows[0])));
    assert_int_equal(judge.count, 2);
}

static void a_judge_counts_the_findings_it_has_no_room_for(void **state)
{
    (void)state;
    struct sky_policy policy;
    struct sky_judge judge;
    sky_policy_init(&policy, &catalogue, SKY_PROFILE_SEED);
    sky_judge_init(&judge, &policy);
    for (int i = 0; i < SKY_FINDINGS_MAX + 3; i++)
        assert_true(sky_judge_broken(&judge, &first_rows[0], "%0300d", i));
    assert_int_equal(judge.count, SKY_FINDINGS_MAX);
    assert_int_equal(judge.lost, 3);
    assert_int_equal(strlen(judge.findings[0].detail), SKY_FINDING_DETAIL_MAX - 1);
}

static void rule_sets_merge(void **state)
{
    (void)state;
    struct sky_rule_set a = {0}, b = {0};
    sky_rule_set_add(&a, 0);
    sky_rule_set_add(&b, SKY_RULE_PLACES - 1);
    sky_rule_set_merge(&a, &b);
    assert_true(sky_rule_set_has(&a, 0) && sky_rule_set_has(&a, SKY_RULE_PLACES - 1));
    assert_false(sky_rule_set_has(&a, 64));
}

static void names_read_back(void **state)
{
    (void)state;
    enum sky_action action;
    enum sky_profile profile = SKY_PROFILE_SEED;
    for (int i = SKY_ENFORCE; i <= SKY_OFF; i++) {
        const char *name = sky_action_name((enum sky_action)i);
        assert_true(sky_action_parse(sky_span_str(name), &action));
        assert_int_equal(action, i);
    }
    assert_true(sky_profile_parse(SKY_SPAN("current"), &profile));
    assert_int_equal(profile, SKY_PROFILE_CURRENT);
    assert_false(sky_profile_parse(SKY_SPAN("future"), &profile));
    assert_string_equal(sky_severity_name(SKY_WARNING), "warning");
    assert_string_equal(sky_err_slug(SKY_ERR_NOT_FOUND), "not_found");
    assert_string_equal(sky_err_text(SKY_OK), "it worked");
}

static void a_reason_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct sky_why why;
    assert_int_equal(sky_why_set(&why, SKY_ERR_LIMIT, "/a", "%0400d", 1), SKY_ERR_LIMIT);
    assert_int_equal(strlen(why.reason), SKY_WHY_REASON_MAX - 1);
    assert_string_equal(why.pointer, "/a");
    assert_int_equal(sky_why_set(NULL, SKY_ERR_IO, NULL, "x"), SKY_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_rows_through_all_tables),
        cmocka_unit_test(general_rules_have_places_of_their_own_and_all_others_share_theirs),
        cmocka_unit_test(a_set_has_room_for_every_rule_a_device_can_answer_to),
        cmocka_unit_test(every_rule_has_an_id_of_its_own),
        cmocka_unit_test(the_profile_chooses_the_default_action),
        cmocka_unit_test(an_override_names_a_rule_and_an_action),
        cmocka_unit_test(a_judge_records_what_was_exercised_and_what_broke),
        cmocka_unit_test(a_judge_counts_the_findings_it_has_no_room_for),
        cmocka_unit_test(rule_sets_merge),
        cmocka_unit_test(names_read_back),
        cmocka_unit_test(a_reason_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests_name("rule", tests, set_up, NULL);
}
