/* tests/mqtt-conformance.json says for every statement of MQTT 3.1.1 which test shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/rules.h"

enum { FILE_SIZE_MAX = 256 * 1024 };

static cJSON *table;
static const cJSON *statements;

/* The text of a file, or NULL if there is none; the caller frees it. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = sky_mem_new(FILE_SIZE_MAX + 1);
    size_t len = fread(text, 1, FILE_SIZE_MAX, file);
    fclose(file);
    assert_true(len < FILE_SIZE_MAX);
    return text;
}

static int set_up(void **state)
{
    (void)state;
    struct sky_why why;
    char *text = read_text(SKY_SOURCE_DIR "/tests/mqtt-conformance.json");
    assert_non_null(text);
    if (sky_json_parse(sky_span_str(text), 4, &table, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    free(text);
    statements = sky_json_get(table, "statements");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cJSON_Delete(table);
    return 0;
}

static void every_statement_has_a_test_or_a_reason(void **state)
{
    const cJSON *row;
    size_t count = 0;
    (void)state;
    cJSON_ArrayForEach (row, statements) {
        const char *id = sky_json_get_str(row, "id");
        const cJSON *applies = sky_json_get(row, "applies");
        assert_true(id != NULL && strncmp(id, "MQTT-", 5) == 0);
        assert_non_null(sky_json_get_str(row, "statement"));
        assert_true(cJSON_IsBool(applies));
        if (sky_json_get_str(row, cJSON_IsTrue(applies) ? "test" : "why") == NULL)
            fail_msg("%s has neither a test nor a reason", id);
        count++;
    }
    assert_int_equal(count, 141); /* as many as appendix B has */
}

/* Looks for a test of that name in tests/unit/<layer>/test_<group>.c. */
static bool is_unit_test(const char *layer, sky_span group, sky_span name)
{
    char path[512], function[256];
    snprintf(path, sizeof path, SKY_SOURCE_DIR "/tests/unit/%s/test_%.*s.c", layer,
             SKY_SPAN_ARGS(group));
    snprintf(function, sizeof function, "(%.*s)", SKY_SPAN_ARGS(name));
    char *text = read_text(path);
    bool found = text != NULL && strstr(text, function) != NULL;
    free(text);
    return found;
}

static void every_unit_test_named_is_there(void **state)
{
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach (row, statements) {
        sky_span test = sky_span_str(sky_json_get_str(row, "test")), group, name;
        if (test.len == 0 || sky_span_starts(test, SKY_SPAN("wire:")))
            continue;
        assert_true(sky_span_cut(test, ':', &group, &name));
        assert_true(sky_span_starts(group, SKY_SPAN("unit.")));
        group = sky_span_tail(group, strlen("unit."));
        if (!is_unit_test("mqtt", group, name) && !is_unit_test("base", group, name))
            fail_msg("there is no test %.*s", SKY_SPAN_ARGS(test));
    }
}

static const cJSON *find_row(const char *id)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, statements) {
        if (strcmp(sky_json_get_str(row, "id"), id) == 0)
            return row;
    }
    return NULL;
}

static void every_rule_with_a_number_is_a_statement_that_applies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sky_mqtt_rules.count; i++) {
        const char *id = sky_mqtt_rules.rows[i].id;
        if (id[5] < '0' || id[5] > '9')
            continue;
        if (!cJSON_IsTrue(sky_json_get(find_row(id), "applies")))
            fail_msg("%s is a rule and not in the table", id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_has_a_test_or_a_reason),
        cmocka_unit_test(every_unit_test_named_is_there),
        cmocka_unit_test(every_rule_with_a_number_is_a_statement_that_applies),
    };
    return cmocka_run_group_tests_name("conformance", tests, set_up, tear_down);
}
