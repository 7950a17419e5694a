#define _DEFAULT_SOURCE
#include "protocol/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/assert.h"

void sky_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "skymock: %s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}

void *sky_mem_new(size_t size)
{
    void *fresh = calloc(1, size ? size : 1);
    SKY_ASSERT(fresh != NULL);
    return fresh;
}

void *sky_mem_grow(void *old, size_t size)
{
    void *grown = realloc(old, size ? size : 1);
    SKY_ASSERT(grown != NULL);
    return grown;
}

char *sky_mem_dup(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    SKY_ASSERT(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

void sky_mem_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}
