#include "server/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

int sky_cli_fail(const char *fmt, ...)
{
    va_list args;
    fputs("skymock: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return SKY_EXIT_TROUBLE;
}
