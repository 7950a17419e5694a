#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/grammar.h"
#include "protocol/base/mem.h"

static void assert_span(const char *due, sky_span span)
{
    if (!sky_span_eq_str(span, due))
        fail_msg("due \"%s\", got \"%.*s\"", due, SKY_SPAN_ARGS(span));
}

static void assert_value(const char *due, const struct sky_pairs *pairs, const char *key)
{
    const struct sky_pair *pair = sky_pairs_find(pairs, key);
    if (pair == NULL)
        fail_msg("no \"%s\"", key);
    else
        assert_span(due, pair->value);
}

struct barred_case {
    const char *text;
    enum sky_shape shape;
    const char *head, *block; /* NULL: untouched */
    size_t count;
    bool padded;
};

static const struct barred_case barred_cases[] = {
    {"12345|securemode=3,signmethod=hmacsha1,timestamp=789|", SKY_SHAPE_OK, "12345",
     "|securemode=3,signmethod=hmacsha1,timestamp=789|", 3, false},
    {"pk.dn|timestamp=2524608000000,_v=sdk-c-3.0.1,securemode=2,signmethod=hmacsha256,lan=C,gw=0,"
     "ext=0|",
     SKY_SHAPE_OK, "pk.dn",
     "|timestamp=2524608000000,_v=sdk-c-3.0.1,securemode=2,signmethod=hmacsha256,lan=C,gw=0,ext=0|",
     7, false},
    {"dk{ip=1.2.3.4,version=2}|securemode=2|", SKY_SHAPE_OK, "dk{ip=1.2.3.4,version=2}",
     "|securemode=2|", 1, false},
    {"a|x=1,\n        y=2,\n\ty2= 3 |", SKY_SHAPE_OK, "a", "|x=1,\n        y=2,\n\ty2= 3 |", 3,
     true},
    {"a|x=1|\r\n", SKY_SHAPE_OK, "a", "|x=1|\r\n", 1, true},
    {"a|x=|", SKY_SHAPE_OK, "a", "|x=|", 1, false},
    {"a|x=1=2|", SKY_SHAPE_OK, "a", "|x=1=2|", 1, false},
    {"a||", SKY_SHAPE_OK, "a", "||", 0, false},
    {"|x=1|", SKY_SHAPE_OK, "", "|x=1|", 1, false},
    {"", SKY_SHAPE_NO_BAR, NULL, NULL, 0, false},
    {"plain", SKY_SHAPE_NO_BAR, NULL, NULL, 0, false},
    {"a|", SKY_SHAPE_NOT_CLOSED, "a", "|", 0, false},
    {"a|x=1", SKY_SHAPE_NOT_CLOSED, "a", "|x=1", 1, false},
    {"a|x=1|y", SKY_SHAPE_NOT_CLOSED, "a", "|x=1|y", 1, false},
    {"a|x=1|y=2|", SKY_SHAPE_NOT_CLOSED, "a", "|x=1|y=2|", 1, false},
    {"a|x=1,y|", SKY_SHAPE_NO_EQUALS, "a", "|x=1,y|", 1, false},
    {"a|=1,y=2|", SKY_SHAPE_NO_EQUALS, "a", "|=1,y=2|", 1, false},
    {"a|x=1,|", SKY_SHAPE_OK, "a", "|x=1,|", 1, false},
    {"a|x=1,,|", SKY_SHAPE_NO_EQUALS, "a", "|x=1,,|", 1, false},
    {"a|,|", SKY_SHAPE_NO_EQUALS, "a", "|,|", 0, false},
    {"a|x=1,,y=2|", SKY_SHAPE_NO_EQUALS, "a", "|x=1,,y=2|", 2, false},
};

static void a_barred_id_is_split_at_its_first_bar_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(barred_cases); i++) {
        const struct barred_case *c = &barred_cases[i];
        sky_span head = SKY_SPAN_NONE, block = SKY_SPAN_NONE;
        struct sky_pairs pairs = {.count = 0};
        enum sky_shape shape = sky_grammar_barred(sky_span_str(c->text), &head, &block, &pairs);
        if (shape != c->shape)
            fail_msg("\"%s\": %s", c->text, sky_shape_text(shape));
        assert_span(c->head ? c->head : "", head);
        assert_span(c->block ? c->block : "", block);
        assert_int_equal(c->count, pairs.count);
        assert_int_equal(c->padded, pairs.padded);
        if (c->head == NULL)
            assert_null(head.ptr);
    }
}

static void items_come_in_any_order_and_unknown_ones_stay(void **state)
{
    (void)state;
    sky_span head, block;
    struct sky_pairs pairs;
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_barred(SKY_SPAN("id|z=9, b = 2 ,a=1,b=3,Z=8|"),
                                                      &head, &block, &pairs));
    assert_span("z", pairs.list[0].key);
    assert_value("9", &pairs, "z");
    assert_value("2", &pairs, "b");
    assert_value("1", &pairs, "a");
    assert_value("8", &pairs, "Z");
    assert_null(sky_pairs_find(&pairs, "c"));
    assert_null(sky_pairs_find(&pairs, ""));
}

static size_t write_items(char *out, size_t items, char between)
{
    size_t len = 0;
    for (size_t i = 0; i < items; i++) {
        if (i > 0)
            out[len++] = between;
        len += (size_t)sprintf(out + len, "k%zu=%zu", i, i);
    }
    return len;
}

static void as_many_items_as_the_limit_pass_and_one_more_does_not(void **state)
{
    (void)state;
    for (size_t items = SKY_PAIRS_MAX; items <= SKY_PAIRS_MAX + 1; items++) {
        char text[512] = "id|", scratch[512];
        size_t len = 3 + write_items(text + 3, items, ',');
        text[len++] = '|';
        sky_span head = SKY_SPAN_NONE, block;
        struct sky_pairs pairs = {.count = 77};
        bool fits = items == SKY_PAIRS_MAX;
        assert_int_equal(fits ? SKY_SHAPE_OK : SKY_SHAPE_TOO_MANY,
                         sky_grammar_barred(sky_span_of(text, len), &head, &block, &pairs));
        assert_int_equal(fits ? items : 77, pairs.count);
        assert_int_equal(fits, head.ptr != NULL);

        len = write_items(text, items, '&');
        pairs.count = 77;
        assert_int_equal(fits ? SKY_SHAPE_OK : SKY_SHAPE_TOO_MANY,
                         sky_grammar_form(sky_span_of(text, len), scratch, sizeof scratch, &pairs));
        assert_int_equal(fits ? items : 77, pairs.count);
    }
}

static void fields_are_exactly_as_many_as_wanted(void **state)
{
    (void)state;
    sky_span fields[4] = {SKY_SPAN_NONE};
    assert_int_equal(SKY_SHAPE_FIELD_COUNT, sky_grammar_fields(SKY_SPAN("a;b;c"), ';', fields, 4));
    assert_int_equal(SKY_SHAPE_FIELD_COUNT,
                     sky_grammar_fields(SKY_SPAN("a;b;c;d;e"), ';', fields, 4));
    assert_null(fields[0].ptr);
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_fields(SKY_SPAN("a;;c&x;"), ';', fields, 4));
    assert_span("a", fields[0]);
    assert_span("", fields[1]);
    assert_span("c&x", fields[2]);
    assert_span("", fields[3]);
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_fields(SKY_SPAN("device&pk"), '&', fields, 2));
    assert_span("device", fields[0]);
    assert_span("pk", fields[1]);
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_fields(SKY_SPAN_NONE, '&', fields, 1));
    assert_span("", fields[0]);
    assert_int_equal(SKY_SHAPE_FIELD_COUNT, sky_grammar_fields(SKY_SPAN_NONE, '&', fields, 2));
}

static void a_form_is_decoded(void **state)
{
    (void)state;
    char scratch[128];
    struct sky_pairs pairs;
    sky_span text = SKY_SPAN("productKey=123&deviceName=t%65st%2B&a+b=c+d&&e=%00&f=1=2&\r\n");
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_form(text, scratch, sizeof scratch, &pairs));
    assert_int_equal(5, pairs.count);
    assert_value("123", &pairs, "productKey");
    assert_value("test+", &pairs, "deviceName");
    assert_value("c d", &pairs, "a b");
    assert_value("1=2", &pairs, "f");
    assert_int_equal(1, sky_pairs_find(&pairs, "e")->value.len);
    assert_int_equal(0, sky_pairs_find(&pairs, "e")->value.ptr[0]);
    assert_true(pairs.padded);
}

static void an_empty_form_has_no_pairs(void **state)
{
    (void)state;
    char scratch[1];
    struct sky_pairs pairs = {.count = 9};
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_form(SKY_SPAN_NONE, scratch, 1, &pairs));
    assert_int_equal(0, pairs.count);
    assert_false(pairs.padded);
}

static void broken_forms_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sky_shape shape;
    } cases[] = {
        {"a", SKY_SHAPE_NO_EQUALS},        {"=a", SKY_SHAPE_NO_EQUALS},
        {"a=1&b", SKY_SHAPE_NO_EQUALS},    {"a=%", SKY_SHAPE_BAD_ENCODING},
        {"a=%4", SKY_SHAPE_BAD_ENCODING},  {"a=%4g", SKY_SHAPE_BAD_ENCODING},
        {"a=%g4", SKY_SHAPE_BAD_ENCODING}, {"%zz=1", SKY_SHAPE_BAD_ENCODING},
    };
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        char scratch[32];
        struct sky_pairs pairs = {.count = 77};
        assert_int_equal(cases[i].shape, sky_grammar_form(sky_span_str(cases[i].text), scratch,
                                                          sizeof scratch, &pairs));
        assert_int_equal(77, pairs.count);
    }
}

static void every_shape_has_words(void **state)
{
    (void)state;
    for (int shape = SKY_SHAPE_OK; shape <= SKY_SHAPE_BAD_ENCODING; shape++)
        assert_true(strlen(sky_shape_text((enum sky_shape)shape)) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_barred_id_is_split_at_its_first_bar_only),
        cmocka_unit_test(items_come_in_any_order_and_unknown_ones_stay),
        cmocka_unit_test(as_many_items_as_the_limit_pass_and_one_more_does_not),
        cmocka_unit_test(fields_are_exactly_as_many_as_wanted),
        cmocka_unit_test(a_form_is_decoded),
        cmocka_unit_test(an_empty_form_has_no_pairs),
        cmocka_unit_test(broken_forms_are_refused),
        cmocka_unit_test(every_shape_has_words),
    };
    return cmocka_run_group_tests_name("grammar", tests, NULL, NULL);
}
