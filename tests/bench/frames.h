/* MQTT control packets as the load writes and both it and the bare server read them. */
#ifndef SKY_TESTS_BENCH_FRAMES_H
#define SKY_TESTS_BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Writes a packet with that first byte and body; returns its size. */
static inline size_t frame(char *out, uint8_t first, const char *body, size_t len)
{
    char *at = out;
    size_t rest = len;
    *at++ = (char)first;
    do {
        *at++ = (char)((rest & 127) | (rest > 127 ? 128 : 0));
        rest >>= 7;
    } while (rest > 0);
    if (len > 0)
        memcpy(at, body, len);
    return (size_t)(at - out) + len;
}

/* The body of the packet that begins here, or NULL while its header or body is not whole. */
static inline const uint8_t *body_of(const uint8_t *at, const uint8_t *end, const uint8_t **ret_end)
{
    size_t len = 0;
    for (int shift = 0; ++at < end; shift += 7) {
        len |= (size_t)(*at & 127) << shift;
        if ((*at & 128) != 0)
            continue;
        *ret_end = at + 1 + len;
        return (size_t)(end - at - 1) >= len ? at + 1 : NULL;
    }
    return NULL;
}

#endif
