/* Libraries of the system that few need: opened when somebody first asks for one, so that nobody
 * else pays for it, and for those it brings along, with memory and with time at every start. */
#ifndef SKY_SERVER_OS_LIBRARY_H
#define SKY_SERVER_OS_LIBRARY_H

#include <stddef.h>

#include "protocol/base/err.h"

/* For a table of names, `#define CALLS(CALL) CALL(f) CALL(g)`: a door keeps the pointers to the
 * functions in `static struct { CALLS(SKY_LIBRARY_POINTER) } lib;` and lists them for
 * sky_library_open() as `CALLS(SKY_LIBRARY_CALL)`. */
#define SKY_LIBRARY_POINTER(name) __typeof__(&name) name;
#define SKY_LIBRARY_CALL(name) {#name, &lib.name, SKY_LIBRARY_LINKED(name)},

/* Where the program has the library in it (SKY_STATIC), there is nothing to open. */
#ifdef SKY_LINKED
#define SKY_LIBRARY_LINKED(name) (void (*)(void)) name
#else
#define SKY_LIBRARY_LINKED(name) NULL
#endif

struct sky_library_call {
    const char *name;
    void *at;             /* the pointer to a function that is to be set */
    void (*linked)(void); /* the function, where it is in the program; NULL: look for it */
};

/* Opens the library for good, and finds each of these functions in it. `file` is what the dynamic
 * loader knows it by; it is not opened when all of them are in the program. On failure `why` says
 * what is missing, and nothing was set. */
SKY_MUST_USE sky_err sky_library_open(const char *file, const struct sky_library_call *calls,
                                      size_t count, struct sky_why *why);

#endif
