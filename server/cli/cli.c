#include "server/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

#include "server/os/clock.h"

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

int64_t sky_cli_now_ms(void)
{
    return sky_clock_machine_us() / 1000;
}
