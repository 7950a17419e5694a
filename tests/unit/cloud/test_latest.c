#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/latest.h"

static void put(struct sky_latest *latest, const char *name, const char *value)
{
    sky_latest_put(latest, sky_span_str(name), sky_span_str(value));
}

/* What is saved after `change` was applied to `stored`; NULL: nothing. */
static const char *after(struct service_bench *bench, const char *stored,
                         void (*change)(struct sky_latest *latest))
{
    struct sky_latest latest;
    sky_effects_clear(&bench->effects);
    sky_latest_open(&latest, sky_span_str(stored), &bench->effects.arena);
    change(&latest);
    sky_latest_save(&latest, &bench->facts, "properties", &bench->effects);
    sky_latest_close(&latest);
    const struct sky_effect *effect = bench_effect(bench, SKY_EFFECT_PUT_DOCUMENT);
    return effect != NULL ? effect->payload.ptr : NULL;
}

static void nothing(struct sky_latest *latest)
{
    assert_int_equal(sky_latest_get(latest, SKY_SPAN("zz")).len, 0);
}

static void set_b(struct sky_latest *latest)
{
    put(latest, "b", "[1]");
}

static void drop_a(struct sky_latest *latest)
{
    sky_latest_drop(latest, SKY_SPAN("a"));
    sky_latest_drop(latest, SKY_SPAN("zz"));
}

static void values_change_in_place(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    assert_null(after(&bench, "{\"a\":1,\"b\":2}", nothing));
    assert_string_equal(after(&bench, "{\"a\":1,\"b\":2,\"c\":3}", set_b),
                        "{\"a\":1,\"b\":[1],\"c\":3}");
    assert_string_equal(after(&bench, "", set_b), "{\"b\":[1]}");
    assert_string_equal(after(&bench, "{\"a\":{\"b\":\"},{\"},\"b\":2}", drop_a), "{\"b\":2}");
    assert_string_equal(after(&bench, "{\"a\":1}", drop_a), "{}");
    assert_null(after(&bench, "{\"b\":1}", drop_a));
    bench_done(&bench);
}

static void set_escaped(struct sky_latest *latest)
{
    put(latest, "\\u0061", "2");
    put(latest, "\\u00e4\\\"\\\\", "3");
}

static void drop_escaped(struct sky_latest *latest)
{
    sky_latest_drop(latest, SKY_SPAN("\\u0061"));
}

static void a_name_is_one_however_it_is_spelled(void **state)
{
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    assert_string_equal(after(&bench, "{\"a\":1}", set_escaped),
                        "{\"a\":2,\"\xc3\xa4\\\"\\\\\":3}");
    assert_string_equal(after(&bench, "{\"a\":1}", drop_escaped), "{}");
    bench_done(&bench);
}

static void damaged_documents_are_read_as_far_as_they_go(void **state)
{
    static const char *const damaged[] = {
        "{",        "}",  "{\"a", "{\"a\":",           "[1]",
        "{\"a\":1", "\"", "{,}",  "{\"\\ud800\\\":1}", "{\"\xff\\u\":1}"};
    struct service_bench bench;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    for (size_t i = 0; i < SKY_COUNT(damaged); i++)
        assert_non_null(after(&bench, damaged[i], set_b));
    bench_done(&bench);
}

static void names_are_limited_in_number(void **state)
{
    struct service_bench bench;
    struct sky_latest latest;
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    sky_latest_open(&latest, SKY_SPAN_NONE, &bench.effects.arena);
    for (int i = 0; i < SKY_LATEST_NAMES_MAX; i++) {
        sky_latest_put(&latest, sky_arena_printf(&bench.effects.arena, "n%d", i), SKY_SPAN("1"));
        assert_false(latest.full);
    }
    put(&latest, "n0", "2");
    assert_false(latest.full);
    put(&latest, "one more", "1");
    assert_true(latest.full);
    assert_int_equal(sky_latest_get(&latest, SKY_SPAN("one more")).len, 0);
    sky_latest_save(&latest, &bench.facts, "properties", &bench.effects);
    assert_non_null(bench_effect(&bench, SKY_EFFECT_NOTE));
    assert_non_null(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT));
    sky_latest_close(&latest);
    bench_done(&bench);
}

static void names_are_limited_in_length(void **state)
{
    struct service_bench bench;
    struct sky_latest latest;
    char name[SKY_LATEST_NAME_MAX + 1];
    (void)state;
    bench_init(&bench, "enos", "pk", "dk");
    memset(name, 'n', sizeof name);
    sky_latest_open(&latest, SKY_SPAN_NONE, &bench.effects.arena);
    sky_latest_put(&latest, sky_span_of(name, SKY_LATEST_NAME_MAX), SKY_SPAN("1"));
    assert_false(latest.full);
    sky_latest_put(&latest, sky_span_of(name, SKY_LATEST_NAME_MAX + 1), SKY_SPAN("1"));
    assert_true(latest.full);
    sky_latest_close(&latest);
    bench_done(&bench);
}

static void the_document_is_limited_in_size(void **state)
{
    const size_t overhead = strlen("{\"a\":,");
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct service_bench bench;
        struct sky_latest latest;
        bench_init(&bench, "enos", "pk", "dk");
        size_t len = SKY_LATEST_BYTES_MAX - overhead - 1 + over;
        char *value = sky_arena_take(&bench.effects.arena, len);
        memset(value, '1', len);
        sky_latest_open(&latest, SKY_SPAN_NONE, &bench.effects.arena);
        sky_latest_put(&latest, SKY_SPAN("a"), sky_span_of(value, len));
        assert_int_equal(latest.full, over);
        sky_latest_save(&latest, &bench.facts, "properties", &bench.effects);
        assert_int_equal(bench_effect(&bench, SKY_EFFECT_PUT_DOCUMENT) != NULL, !over);
        sky_latest_close(&latest);
        bench_done(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_change_in_place),
        cmocka_unit_test(a_name_is_one_however_it_is_spelled),
        cmocka_unit_test(damaged_documents_are_read_as_far_as_they_go),
        cmocka_unit_test(names_are_limited_in_number),
        cmocka_unit_test(names_are_limited_in_length),
        cmocka_unit_test(the_document_is_limited_in_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
