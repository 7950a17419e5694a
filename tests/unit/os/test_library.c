#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/os/library.h"

static double (*cosine)(double);
static void (*nothing)(void);

static void finds_what_is_there(void **state)
{
    static const struct sky_library_call calls[] = {{"cos", &cosine, NULL}};
    struct sky_why why;
    (void)state;
    assert_int_equal(sky_library_open("libm.so.6", calls, SKY_COUNT(calls), &why), SKY_OK);
    assert_true(cosine(0) == 1);
}

static void says_what_is_missing(void **state)
{
    static double (*sine)(double);
    static const struct sky_library_call calls[] = {{"sin", &sine, NULL},
                                                    {"no_such_call", &nothing, NULL}};
    struct sky_why why;
    (void)state;
    assert_int_equal(sky_library_open("libm.so.6", calls, SKY_COUNT(calls), &why),
                     SKY_ERR_NOT_FOUND);
    assert_non_null(strstr(why.reason, "no_such_call"));
    assert_true(sine == NULL && nothing == NULL);
    assert_int_equal(sky_library_open("libnosuch.so.1", calls, 1, &why), SKY_ERR_NOT_FOUND);
    assert_non_null(strstr(why.reason, "libnosuch.so.1"));
}

static void act(void)
{
}

static void takes_what_is_linked(void **state)
{
    static const struct sky_library_call calls[] = {{"act", &nothing, act}};
    struct sky_why why;
    (void)state;
    assert_int_equal(sky_library_open("", calls, SKY_COUNT(calls), &why), SKY_OK);
    assert_true(nothing == act);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(takes_what_is_linked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
