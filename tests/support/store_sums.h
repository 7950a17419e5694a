/* A store's file as bytes, of which some were changed on purpose: each page gets the sum of what is
 * in it now, so that what looks at it behind the sums has something to look at. */
#ifndef SKY_TESTS_STORE_SUMS_H
#define SKY_TESTS_STORE_SUMS_H

#include "store/sums.h"

static inline void store_sums_mend(char *file, size_t len)
{
    for (size_t at = 0; at + SKY_SUMS_PAGE <= len; at += SKY_SUMS_PAGE)
        sky_sums_seal(file + at, at / SKY_SUMS_PAGE + 1);
}

#endif
