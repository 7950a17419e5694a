/* The catalogue as a whole, and the ways from a limit or a mistake to its rule. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "tests/unit/cloud/login_case.h"

enum { TEXT_MAX = 200 };

static void fill(struct sky_catalogue *catalogue)
{
    sky_catalogue_init(catalogue);
    sky_cloud_fill_catalogue(catalogue);
}

static bool is_id(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isupper((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-' &&
            *text != '.')
            return false;
    return true;
}

static void every_rule_has_an_id_of_its_own_and_all_its_texts(void **state)
{
    (void)state;
    struct sky_catalogue catalogue;
    fill(&catalogue);
    for (size_t i = 0; i < catalogue.rule_count; i++) {
        const struct sky_rule *rule = sky_catalogue_at(&catalogue, i);
        assert_true(rule->id != NULL && is_id(rule->id));
        assert_ptr_equal(sky_catalogue_find(&catalogue, sky_span_str(rule->id)), rule);
        const char *const texts[] = {rule->statement, rule->source, rule->hint};
        for (size_t t = 0; t < SKY_COUNT(texts); t++)
            if (texts[t] == NULL || strlen(texts[t]) < 4 || strlen(texts[t]) > TEXT_MAX)
                fail_msg("%s: text %zu", rule->id, t);
    }
}

static void warnings_refuse_nothing_but_wills_and_qos_2(void **state)
{
    (void)state;
    for (size_t c = 0; sky_clouds[c] != NULL; c++) {
        for (size_t i = 0; i < sky_clouds[c]->rules.count; i++) {
            const struct sky_rule *rule = &sky_clouds[c]->rules.rows[i];
            bool refused = strstr(rule->id, "-WILL") != NULL || strstr(rule->id, "-QOS2") != NULL;
            if (rule->severity == SKY_ERROR)
                continue;
            for (size_t p = 0; p < SKY_PROFILES; p++)
                if ((rule->action[p] == SKY_ENFORCE) != refused)
                    fail_msg("%s: action %d", rule->id, (int)rule->action[p]);
        }
    }
}

static void a_limit_is_the_clouds_own_rule_or_mqtts(void **state)
{
    (void)state;
    static const struct {
        const char *cloud;
        enum sky_limit_rule limit;
        const char *id;
    } rows[] = {
        {"aliyun", SKY_LIMIT_WILL, "ALI-WILL"},
        {"aliyun", SKY_LIMIT_QOS2_SUBSCRIBE, "ALI-QOS2"},
        {"aliyun", SKY_LIMIT_KEEPALIVE, "ALI-KEEPALIVE-RANGE"},
        {"aliyun", SKY_LIMIT_KEEPALIVE_DEAD, "MQTT-KEEPALIVE-DEAD"},
        {"tencent", SKY_LIMIT_QOS2_PUBLISH, "TEN-QOS2-PUBLISH"},
        {"tencent", SKY_LIMIT_KEEPALIVE, "MQTT-KEEPALIVE-RANGE"},
        {"tencent", SKY_LIMIT_TOPIC_OTHER, "TEN-TOPIC-OTHER-DEVICE"},
        {"enos", SKY_LIMIT_WILL, "MQTT-WILL"},
        {"enos", SKY_LIMIT_TOPIC_OTHER, "ENOS-TOPIC-ACL"},
        {NULL, SKY_LIMIT_WILL, "MQTT-WILL"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct sky_cloud *cloud =
            rows[i].cloud != NULL ? sky_cloud_find(sky_span_str(rows[i].cloud)) : NULL;
        assert_string_equal(sky_cloud_limit_rule(cloud, rows[i].limit)->id, rows[i].id);
    }
}

static void a_mistake_means_one_rule_at_the_most(void **state)
{
    (void)state;
    for (size_t c = 0; sky_clouds[c] != NULL; c++) {
        const struct sky_cloud *cloud = sky_clouds[c];
        assert_true(cloud->mistake_rule_count > 0);
        for (size_t i = 0; i < cloud->mistake_rule_count; i++) {
            assert_non_null(cloud->mistake_rules[i].rule);
            assert_ptr_equal(sky_cloud_mistake_rule(cloud, cloud->mistake_rules[i].mistake),
                             cloud->mistake_rules[i].rule);
        }
        assert_null(sky_cloud_mistake_rule(cloud, SKY_MISTAKE_NONE));
    }
}

static void the_same_mistake_is_another_rule_in_a_key_or_a_form(void **state)
{
    (void)state;
    const struct sky_cloud *enos = sky_cloud_find(SKY_SPAN("enos"));
    assert_string_equal(sky_cloud_mistake_rule(enos, SKY_MISTAKE_PRODUCT_SECRET)->id,
                        "ENOS-SIGN-WRONG-SECRET");
    assert_string_equal(sky_cloud_psk_mistake_rule(enos, SKY_MISTAKE_PRODUCT_SECRET)->id,
                        "COAP-PSK-WRONG-SECRET");
    assert_string_equal(sky_cloud_psk_mistake_rule(enos, SKY_MISTAKE_OLD_SECRET)->id,
                        "ENOS-SECRET-STALE");
    const struct sky_cloud *aliyun = sky_cloud_find(SKY_SPAN("aliyun"));
    assert_string_equal(sky_cloud_mistake_rule(aliyun, SKY_MISTAKE_EXTRA_SIGNED)->id,
                        "ALI-SIGN-SIGNS-SIGNMETHOD");
    assert_string_equal(
        sky_cloud_http_mistake_rule(aliyun, &aliyun->http->rows[0], SKY_MISTAKE_EXTRA_SIGNED)->id,
        "ALI-HTTPS-SIGN-EXCLUDED");
}

static void a_cloud_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t c = 0; sky_clouds[c] != NULL; c++)
        assert_ptr_equal(sky_cloud_find(sky_span_str(sky_clouds[c]->name)), sky_clouds[c]);
    assert_null(sky_cloud_find(SKY_SPAN("no-cloud")));
    assert_null(sky_cloud_find(SKY_SPAN("")));
}

static void a_keepalive_is_60_to_300_seconds_by_the_seeds(void **state)
{
    (void)state;
    for (size_t c = 0; sky_clouds[c] != NULL; c++) {
        const struct sky_cloud *cloud = sky_clouds[c];
        assert_int_equal(cloud->limits.keepalive[SKY_PROFILE_SEED].min_s, 60);
        assert_int_equal(cloud->limits.keepalive[SKY_PROFILE_SEED].max_s, 300);
    }
}

/* With a secret that the cloud made itself. */
static void what_a_cloud_signs_it_claims_and_lets_in(void **state)
{
    (void)state;
    for (size_t c = 0; sky_clouds[c] != NULL; c++) {
        char secret[SKY_SECRET_MAX + 1];
        struct login_bench b;
        sky_clouds[c]->make_secret(SKY_SPAN(LOGIN_FRESH), secret);
        login_init(&b, sky_clouds[c]->name, "PROD123456", "product secret", "dev001", secret);
        login_as_signed(&b, false, false);
        login_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_an_id_of_its_own_and_all_its_texts),
        cmocka_unit_test(warnings_refuse_nothing_but_wills_and_qos_2),
        cmocka_unit_test(a_limit_is_the_clouds_own_rule_or_mqtts),
        cmocka_unit_test(a_mistake_means_one_rule_at_the_most),
        cmocka_unit_test(the_same_mistake_is_another_rule_in_a_key_or_a_form),
        cmocka_unit_test(what_a_cloud_signs_it_claims_and_lets_in),
        cmocka_unit_test(a_cloud_is_found_by_its_name),
        cmocka_unit_test(a_keepalive_is_60_to_300_seconds_by_the_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
