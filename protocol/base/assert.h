/* Assertions that stay in release builds: a broken invariant stops the program where it broke. */
#ifndef SKY_BASE_ASSERT_H
#define SKY_BASE_ASSERT_H

#define SKY_ASSERT(condition)                                                                      \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : sky_assert_failed(#condition, __FILE__, __LINE__))

/* Writes one line to standard error and aborts. */
_Noreturn void sky_assert_failed(const char *condition, const char *file, int line);

#endif
