/* Libraries of the system that few need: opened when somebody first asks for one, so that nobody
 * else pays for it, and for those it brings along, with memory and with time at every start. */
#ifndef SKY_SERVER_OS_LIBRARY_H
#define SKY_SERVER_OS_LIBRARY_H

#include <stddef.h>

#include "protocol/base/err.h"

/* For a table of names, `#define CALLS(CALL) CALL(f) CALL(g)`: a door keeps the pointers to the
 * functions in `static struct { CALLS(SKY_LIBRARY_POINTER) } lib;` and lists them for
 * sky_library_open() as `CALLS(SKY_LIBRARY_CALL)`. Built with SKY_STATIC, the program has them. */
#define SKY_LIBRARY_POINTER(name) __typeof__(&name) name;
#ifdef SKY_STATIC
#define SKY_LIBRARY_CALL(name) {#name, &lib.name, (void (*)(void))name},
#else
#define SKY_LIBRARY_CALL(name) {#name, &lib.name, NULL},
#endif

struct sky_library_call {
    const char *name;
    void *at;             /* the pointer to a function that is to be set */
    void (*linked)(void); /* what it is set to; NULL: what the library has by that name */
};

/* Opens the library for good, and finds each of these functions in it. `file` is what the dynamic
 * loader knows it by; one that is linked is not opened. On failure `why` says what is missing, and
 * nothing was set. */
SKY_MUST_USE sky_err sky_library_open(const char *file, const struct sky_library_call *calls,
                                      size_t count, struct sky_why *why);

#endif
