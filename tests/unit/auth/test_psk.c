#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/psk.h"
#include "auth/text.h"
#include "protocol/base/facts.h"

static const struct sky_psk_recipe recipe = {.digest = SKY_SHA256, .from = 8, .len = 16};

static struct sky_secret secret_of(enum sky_secret_role role, const char *text, const char *name)
{
    return (struct sky_secret){role, sky_span_str(text), sky_span_str(name)};
}

static const struct sky_psk *find(const struct sky_psk *guesses, size_t count, const char *hex)
{
    uint8_t key[SKY_PSK_KEY_MAX];
    size_t len;
    assert_true(sky_hex_decode(sky_span_str(hex), key, sizeof key, &len));
    for (size_t i = 0; i < count; i++)
        if (guesses[i].len == len && memcmp(guesses[i].key, key, len) == 0)
            return &guesses[i];
    return NULL;
}

static void a_slice_is_counted_from_zero_and_half_open(void **state)
{
    (void)state;
    char hex[33];
    uint8_t key[16];
    sky_psk_slice(SKY_SHA256, SKY_SPAN("M3yy874uGY8INjEGddTR"), 8, 16, key);
    sky_hex_lower(sky_span_of(key, 16), hex);
    assert_string_equal("43e307fffce19a0176803de3445fe0e3", hex);
    sky_psk_slice(SKY_SHA256, SKY_SPAN("M3yy874uGY8INjEGddTR"), 16, 16, key);
    sky_hex_lower(sky_span_of(key, 16), hex);
    assert_string_equal("76803de3445fe0e3a728b0609c38144b", hex);
}

static void the_classic_slip_is_guessed_first(void **state)
{
    (void)state;
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    struct sky_secret secrets[] = {secret_of(SKY_SECRET_DUE, "M3yy874uGY8INjEGddTR", NULL)};
    size_t count = sky_psk_guesses(&recipe, secrets, 1, guesses, SKY_PSK_GUESSES_MAX);
    assert_true(count > 10);
    assert_ptr_equal(&guesses[0], find(guesses, count, "e307fffce19a0176803de3445fe0e3a7"));
    assert_int_equal(SKY_MISTAKE_PSK_SLICE, guesses[0].mistake);
}

static void no_guess_is_the_due_key_nor_another_guess(void **state)
{
    (void)state;
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    struct sky_secret secrets[] = {
        secret_of(SKY_SECRET_DUE, "same", NULL), secret_of(SKY_SECRET_PRODUCT, "same", NULL),
        secret_of(SKY_SECRET_OLD, "older", NULL), secret_of(SKY_SECRET_OTHER, "older", "dev2")};
    struct sky_psk due;
    assert_true(sky_psk_key(&recipe, SKY_SPAN("same"), &due));
    size_t count = sky_psk_guesses(&recipe, secrets, 4, guesses, SKY_PSK_GUESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_false(guesses[i].len == due.len && memcmp(guesses[i].key, due.key, due.len) == 0);
        for (size_t j = 0; j < i; j++)
            assert_false(guesses[i].len == guesses[j].len &&
                         memcmp(guesses[i].key, guesses[j].key, guesses[i].len) == 0);
    }
    assert_int_equal(SKY_MISTAKE_OLD_SECRET, guesses[count - 1].mistake);
}

static void no_guess_tells_a_secret(void **state)
{
    (void)state;
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    struct sky_secret secrets[] = {secret_of(SKY_SECRET_DUE, "Zq7-very-own", NULL),
                                   secret_of(SKY_SECRET_PRODUCT, "Zq7-of-product", NULL),
                                   secret_of(SKY_SECRET_OTHER, "Zq7-of-another", "dev2")};
    size_t count = sky_psk_guesses(&recipe, secrets, 3, guesses, SKY_PSK_GUESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(guesses[i].what) > 0);
        assert_null(strstr(guesses[i].what, "Zq7"));
        assert_true(guesses[i].mistake != SKY_MISTAKE_NONE);
    }
    assert_non_null(strstr(guesses[count - 1].what, "dev2"));
}

static void the_list_of_guesses_is_never_overrun(void **state)
{
    (void)state;
    struct sky_secret secrets[] = {secret_of(SKY_SECRET_DUE, "due", NULL),
                                   secret_of(SKY_SECRET_PRODUCT, "product", NULL)};
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX + 1];
    for (size_t max = 0; max <= SKY_PSK_GUESSES_MAX; max++) {
        memset(guesses, 0x5a, sizeof guesses);
        size_t count = sky_psk_guesses(&recipe, secrets, 2, guesses, max);
        assert_true(count <= max);
        assert_int_equal(0x5a, guesses[max].key[0]);
    }
}

static void a_secret_may_be_the_key_itself(void **state)
{
    (void)state;
    const struct sky_psk_recipe itself = {.len = 0, .form = SKY_KEY_BASE64};
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX], due;
    struct sky_secret secrets[] = {secret_of(SKY_SECRET_DUE, "MTIzNDU2Nzg5MGFiY2RlZg==", NULL)};
    assert_true(sky_psk_key(&itself, secrets[0].bytes, &due));
    assert_int_equal(16, due.len);
    assert_memory_equal("1234567890abcdef", due.key, 16);
    size_t count = sky_psk_guesses(&itself, secrets, 1, guesses, SKY_PSK_GUESSES_MAX);
    const struct sky_psk *text =
        find(guesses, count, "4d54497a4e4455324e7a67354d4746695932526c5a673d3d");
    assert_non_null(text);
    assert_int_equal(SKY_MISTAKE_KEY_NOT_DECODED, text->mistake);
}

static void a_key_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    const struct sky_psk_recipe itself = {.len = 0};
    char text[SKY_PSK_KEY_MAX + 1];
    memset(text, 'k', sizeof text);
    struct sky_psk key = {.len = 7};
    assert_true(sky_psk_key(&itself, sky_span_of(text, SKY_PSK_KEY_MAX), &key));
    key.len = 7;
    assert_false(sky_psk_key(&itself, sky_span_of(text, SKY_PSK_KEY_MAX + 1), &key));
    assert_int_equal(7, key.len);
}

static void secrets_of_any_length_are_guessed_from(void **state)
{
    (void)state;
    char text[SKY_SECRET_MAX + 2];
    memset(text, 's', sizeof text);
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    for (size_t len = 1; len <= SKY_SECRET_MAX; len++) {
        struct sky_secret due = {SKY_SECRET_DUE, sky_span_of(text, len), SKY_SPAN_NONE};
        assert_true(sky_psk_guesses(&recipe, &due, 1, guesses, SKY_PSK_GUESSES_MAX) > 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_is_counted_from_zero_and_half_open),
        cmocka_unit_test(the_classic_slip_is_guessed_first),
        cmocka_unit_test(no_guess_is_the_due_key_nor_another_guess),
        cmocka_unit_test(no_guess_tells_a_secret),
        cmocka_unit_test(the_list_of_guesses_is_never_overrun),
        cmocka_unit_test(a_secret_may_be_the_key_itself),
        cmocka_unit_test(a_key_beyond_the_limit_is_refused),
        cmocka_unit_test(secrets_of_any_length_are_guessed_from),
    };
    return cmocka_run_group_tests_name("psk", tests, NULL, NULL);
}
