/* Packets as a test writes them: hexadecimal bytes and 'text', blanks between as one likes. */
#ifndef TESTS_UNIT_MQTT_HEX_H
#define TESTS_UNIT_MQTT_HEX_H

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/span.h"

static inline uint8_t hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c);
    SKY_ASSERT(c != '\0' && at != NULL);
    return (uint8_t)(at - digits);
}

/* The bytes of `text`, in memory of exactly their size so that a sanitizer sees one byte too many
 * being read; free `ptr`. */
static inline sky_span hex(const char *text)
{
    char *bytes = sky_mem_new(strlen(text));
    size_t len = 0;
    while (*text != '\0') {
        if (*text == '\'') {
            for (text++; *text != '\''; text++)
                bytes[len++] = *text;
            text++;
        } else if (*text == ' ') {
            text++;
        } else {
            bytes[len++] = (char)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
            text += 2;
        }
    }
    return sky_span_of(sky_mem_grow(bytes, len), len);
}

#endif
