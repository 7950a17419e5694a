/* Allocation that cannot fail: running out of memory aborts, because every size that a peer can
 * influence has been limited before it gets here. */
#ifndef SKY_BASE_MEM_H
#define SKY_BASE_MEM_H

#include <stddef.h>

#define SKY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SKY_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Zeroed memory; the caller frees it with free(). */
void *sky_mem_new(size_t size);

/* Resizes as realloc() does; new bytes are not cleared. */
void *sky_mem_grow(void *old, size_t size);

/* A NUL-terminated copy of `len` bytes; the caller frees it with free(). */
char *sky_mem_dup(const char *bytes, size_t len);

/* Overwrites secrets in a way no compiler removes. */
void sky_mem_wipe(void *bytes, size_t len);

#endif
