#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/files.h"

static void a_name_says_whose_it_is(void **state)
{
    (void)state;
    struct sky_file_name name = {.id = 0};
    char text[SKY_FILE_NAME_MAX + 1];
    struct sky_arena arena;
    sky_span fresh = SKY_SPAN("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab");
    sky_file_image_name(INT64_MAX, fresh, text);
    assert_true(strlen(text) < 64);
    assert_true(sky_file_read_name(sky_span_str(text), &name));
    assert_int_equal(name.kind, SKY_FILE_IMAGE);
    assert_true(name.id == INT64_MAX);
    sky_arena_init(&arena);
    sky_span config = sky_file_config_name(INT64_MAX, SKY_SPAN("{}"), &arena);
    assert_true(config.len <= SKY_FILE_NAME_MAX);
    assert_true(sky_file_read_name(config, &name));
    assert_int_equal(name.kind, SKY_FILE_CONFIG);
    assert_false(sky_span_eq(config, sky_file_config_name(INT64_MAX, SKY_SPAN("[]"), &arena)));
    sky_arena_done(&arena);
}

static void other_names_are_none(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",     "-",          "u",     "u1",   "u-x",
        "x1-x", "u1x-y",      "u-1-2", "U1-x", "u9223372036854775808-x",
        "auth", "favicon.ico"};
    char longest[SKY_FILE_NAME_MAX + 2] = "u1-";
    struct sky_file_name name;
    for (size_t i = 0; i < SKY_COUNT(names); i++)
        assert_false(sky_file_read_name(sky_span_str(names[i]), &name));
    memset(longest + 3, 'x', sizeof longest - 3);
    assert_true(sky_file_read_name(sky_span_of(longest, SKY_FILE_NAME_MAX), &name));
    assert_false(sky_file_read_name(sky_span_of(longest, SKY_FILE_NAME_MAX + 1), &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_says_whose_it_is),
        cmocka_unit_test(other_names_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
