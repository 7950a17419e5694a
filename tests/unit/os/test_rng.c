#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/os/rng.h"

static void a_seed_repeats_its_sequence(void **state)
{
    (void)state;
    struct sky_rng a, b;
    sky_rng_init_seeded(&a, 7);
    sky_rng_init_seeded(&b, 7);
    char from_a[201], from_b[201];
    sky_rng_text(&a, from_a, 200);
    sky_rng_text(&b, from_b, 100); /* in two draws, the same sequence */
    sky_rng_text(&b, from_b + 100, 100);
    assert_string_equal(from_a, from_b);
}

/* Test suites write such values down: they must not change from version to version. */
static void a_seed_means_the_same_in_every_version(void **state)
{
    (void)state;
    struct sky_rng rng;
    sky_rng_init_seeded(&rng, 1);
    char text[17];
    sky_rng_text(&rng, text, 16);
    assert_string_equal(text, "8LeqmtfhWD8woYXD");
}

/* A draw that is repeated from where a sequence had come to: faults do, over restarts. */
static void any_block_of_a_sequence_can_be_gone_to(void **state)
{
    (void)state;
    struct sky_rng a, b;
    uint8_t from_a[3 * SKY_DIGEST_MAX], from_b[SKY_DIGEST_MAX];
    sky_rng_init_seeded(&a, 7);
    sky_rng_init_seeded(&b, 7);
    sky_rng_bytes(&a, from_a, sizeof from_a);
    for (uint64_t block = 3; block-- > 0;) {
        sky_rng_seek(&b, block);
        sky_rng_bytes(&b, from_b, block == 1 ? 8 : sizeof from_b);
        assert_memory_equal(from_b, from_a + block * SKY_DIGEST_MAX,
                            block == 1 ? 8 : sizeof from_b);
    }
}

static void seeds_differ(void **state)
{
    (void)state;
    struct sky_rng a, b;
    sky_rng_init_seeded(&a, 1);
    sky_rng_init_seeded(&b, 2);
    uint8_t from_a[32], from_b[32];
    sky_rng_bytes(&a, from_a, sizeof from_a);
    sky_rng_bytes(&b, from_b, sizeof from_b);
    assert_memory_not_equal(from_a, from_b, sizeof from_a);
}

static void unseeded_sequences_differ(void **state)
{
    (void)state;
    struct sky_rng a, b;
    struct sky_why why;
    assert_int_equal(sky_rng_init(&a, &why), SKY_OK);
    assert_int_equal(sky_rng_init(&b, &why), SKY_OK);
    uint8_t from_a[32], from_b[32];
    sky_rng_bytes(&a, from_a, sizeof from_a);
    sky_rng_bytes(&b, from_b, sizeof from_b);
    assert_memory_not_equal(from_a, from_b, sizeof from_a);
}

static void text_uses_every_letter_and_digit_about_equally(void **state)
{
    (void)state;
    enum { DRAWN = 62000 };
    static char text[DRAWN + 1];
    struct sky_rng rng;
    sky_rng_init_seeded(&rng, 42);
    sky_rng_text(&rng, text, DRAWN);
    assert_int_equal(strlen(text), DRAWN);
    int seen[256] = {0};
    for (size_t i = 0; i < DRAWN; i++)
        seen[(unsigned char)text[i]]++;
    for (int c = 0; c < 256; c++) {
        if (c < 128 && isalnum(c))
            assert_in_range(seen[c], 850, 1150); /* 1000 expected, deviation 31 */
        else
            assert_int_equal(seen[c], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_repeats_its_sequence),
        cmocka_unit_test(a_seed_means_the_same_in_every_version),
        cmocka_unit_test(any_block_of_a_sequence_can_be_gone_to),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(unseeded_sequences_differ),
        cmocka_unit_test(text_uses_every_letter_and_digit_about_equally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
