/* Files that are in the program: the build writes tables of them (server/embed.cmake). */
#ifndef SKY_SERVER_OS_EMBEDDED_H
#define SKY_SERVER_OS_EMBEDDED_H

#include <stddef.h>

struct sky_embedded {
    const char *name;  /* the file's, without its folder */
    const char *bytes; /* with a NUL behind them */
    size_t len;
    const char *sha256; /* of the bytes, 64 lower-case hex digits */
};

#endif
