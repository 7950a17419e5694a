/* What the loads of `./dev bench` read of the server they measure: its process's CPU time and
 * memory; and how they end when something is not as it must be. */
#ifndef SKY_TESTS_BENCH_SERVED_H
#define SKY_TESTS_BENCH_SERVED_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* A load that cannot go on, or has seen what must not be, says so and exits with 1: the run has
 * failed. */
__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static inline uint64_t nanoseconds(clockid_t clock)
{
    struct timespec at;
    if (clock_gettime(clock, &at) != 0)
        fail("no clock: has the server ended?");
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static inline uint64_t now_ns(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}

/* CPU time of all threads of the process, those that have ended too. */
static inline uint64_t cpu_ns(pid_t pid)
{
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0)
        fail("no process %d", (int)pid);
    return nanoseconds(clock);
}

static inline uint64_t resident_bytes(pid_t pid)
{
    char path[64];
    unsigned long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*u %llu", &pages) != 1)
        fail("cannot read %s", path);
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a measure began with, and how it is told as members of a JSON object. */
struct measure {
    pid_t pid;
    uint64_t began_ns, cpu_ns;
};

static inline struct measure measure_begin(pid_t pid)
{
    return (struct measure){pid, now_ns(), cpu_ns(pid)};
}

static inline void measure_end(const struct measure *measure, uint64_t items)
{
    uint64_t cpu = cpu_ns(measure->pid) - measure->cpu_ns;
    uint64_t passed = now_ns() - measure->began_ns;
    printf("\"items\": %llu, \"seconds\": %.6f, \"cpu_us\": %.3f", (unsigned long long)items,
           (double)passed / 1e9, (double)cpu / 1e3);
}

#endif
