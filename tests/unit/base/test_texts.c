#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/texts.h"

static void one_is_kept_for_all_who_have_it(void **state)
{
    (void)state;
    struct sky_texts texts = {0};
    char own[] = "what all of a kind say";
    const struct sky_text *first = sky_texts_take(&texts, sky_span_str(own));
    own[0] = 'W';
    const struct sky_text *other = sky_texts_take(&texts, sky_span_str(own));
    const struct sky_text *again = sky_texts_take(&texts, SKY_SPAN("what all of a kind say"));
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, other);
    assert_int_equal(texts.by_text.count, 2);
    sky_texts_give(&texts, first);
    assert_int_equal(texts.by_text.count, 2);
    assert_true(sky_span_eq_str(sky_text_span(again), "what all of a kind say"));
    sky_texts_give(&texts, again);
    assert_int_equal(texts.by_text.count, 1);
    sky_texts_give(&texts, other);
    sky_texts_give(&texts, NULL);
    sky_texts_done(&texts);
}

static void any_bytes_are_a_text(void **state)
{
    (void)state;
    struct sky_texts texts = {0};
    const struct sky_text *none = sky_texts_take(&texts, SKY_SPAN(""));
    const struct sky_text *nul = sky_texts_take(&texts, sky_span_of("\0", 1));
    const struct sky_text *nuls = sky_texts_take(&texts, sky_span_of("\0\0", 2));
    assert_int_equal(texts.by_text.count, 3);
    assert_int_equal(sky_text_span(none).len, 0);
    assert_int_equal(sky_text_span(nul).len, 1);
    assert_int_equal(sky_text_span(nuls).len, 2);
    sky_texts_give(&texts, nul);
    sky_texts_give(&texts, nuls);
    sky_texts_give(&texts, none);
    sky_texts_done(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_kept_for_all_who_have_it),
        cmocka_unit_test(any_bytes_are_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
