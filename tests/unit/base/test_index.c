#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/index.h"
#include "protocol/base/mem.h"

enum { MANY = 3000, HASHES = 64 };

struct thing {
    int64_t key;
    bool in;
};

/* Few of them, so that nearly all meet others on their way. */
static uint32_t hash_of(const void *thing)
{
    return sky_index_hash_number(((const struct thing *)thing)->key % HASHES);
}

static bool has_key(const void *thing, const void *key)
{
    return ((const struct thing *)thing)->key == *(const int64_t *)key;
}

static struct thing *find(const struct sky_index *index, int64_t key)
{
    return sky_index_find(index, sky_index_hash_number(key % HASHES), has_key, &key);
}

/* Whatever is done, in whatever order: who is in is found, and nobody else. */
static void finds_who_is_in_and_nobody_else(void **state)
{
    (void)state;
    static struct thing things[MANY];
    struct sky_index index = {0};
    size_t count = 0;
    uint32_t chance = 1;
    for (size_t i = 0; i < MANY; i++)
        things[i].key = (int64_t)i;
    assert_null(find(&index, 0));
    for (int round = 0; round < 6; round++) {
        for (size_t i = 0; i < MANY / 4; i++) {
            chance = chance * 1664525 + 1013904223;
            struct thing *thing = &things[chance % (MANY >> (round & 1 ? 3 : 0))];
            if (thing->in)
                sky_index_remove(&index, thing, hash_of);
            else
                sky_index_add(&index, thing, hash_of);
            count = thing->in ? count - 1 : count + 1;
            thing->in = !thing->in;
        }
        assert_int_equal(index.count, count);
        for (size_t i = 0; i < MANY; i++)
            assert_ptr_equal(find(&index, things[i].key), things[i].in ? &things[i] : NULL);
    }
    sky_index_done(&index);
    assert_int_equal(index.count, 0);
}

/* What one costs: a quarter of the places is free, and at most five eighths are. */
static void a_thing_costs_less_than_three_places(void **state)
{
    (void)state;
    static struct thing things[MANY];
    struct sky_index index = {0};
    for (size_t i = 0; i < MANY; i++) {
        things[i].key = (int64_t)i;
        sky_index_add(&index, &things[i], hash_of);
        assert_true(4 * index.count <= 3 * index.room);
        assert_true(index.room <= 16 || 3 * index.count > index.room);
    }
    sky_index_done(&index);
}

static void texts_have_the_published_hashes(void **state)
{
    (void)state;
    assert_int_equal(sky_index_hash_text(SKY_SPAN("")), 0x811c9dc5);
    assert_int_equal(sky_index_hash_text(SKY_SPAN("a")), 0xe40c292c);
    assert_int_equal(sky_index_hash_text(SKY_SPAN("foobar")), 0xbf9cf968);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_who_is_in_and_nobody_else),
        cmocka_unit_test(a_thing_costs_less_than_three_places),
        cmocka_unit_test(texts_have_the_published_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
