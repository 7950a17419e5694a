/* Bytes as text: hexadecimal and base64 (RFC 4648 §4, §8), and what a URL needs escaped. */
#ifndef SKY_AUTH_TEXT_H
#define SKY_AUTH_TEXT_H

#include "protocol/base/span.h"

/* `out` takes 2 * bytes.len + 1. */
void sky_hex_lower(sky_span bytes, char *out);
void sky_hex_upper(sky_span bytes, char *out);
/* 0..15, or -1 when `c` is no hexadecimal digit. */
int sky_hex_digit(char c);
/* Either case, even length; false otherwise or when it does not fit. */
bool sky_hex_decode(sky_span text, uint8_t *out, size_t out_size, size_t *ret_len);

static inline size_t sky_base64_len(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}
/* `out` takes sky_base64_len(bytes.len) + 1. */
void sky_base64_encode(sky_span bytes, char *out);
/* Strict: padded, no blanks, no stray bits; false otherwise or when it does not fit. A false
 * answer may have written part of `out`. */
bool sky_base64_decode(sky_span text, uint8_t *out, size_t out_size, size_t *ret_len);

/* %XX for all but RFC 3986 §2.3's unreserved characters; `out` takes 3 * text.len + 1. */
void sky_percent_encode(sky_span text, char *out);
/* A '+' stays one unless `plus` says that this is a form, where it is a blank. False when a '%' is
 * not followed by two digits, or it does not fit. */
bool sky_percent_decode(sky_span text, bool plus, char *out, size_t out_size, size_t *ret_len);

#endif
