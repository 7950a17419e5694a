#include "auth/text.h"

static void hex_with(const char digits[static 16], sky_span bytes, char *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = (uint8_t)bytes.ptr[i];
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *out = '\0';
}

void sky_hex_lower(sky_span bytes, char *out)
{
    hex_with("0123456789abcdef", bytes, out);
}

void sky_hex_upper(sky_span bytes, char *out)
{
    hex_with("0123456789ABCDEF", bytes, out);
}

int sky_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool sky_hex_decode(sky_span text, uint8_t *out, size_t out_size, size_t *ret_len)
{
    if (text.len % 2 != 0 || text.len / 2 > out_size)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = sky_hex_digit(text.ptr[i]), low = sky_hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *ret_len = text.len / 2;
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sky_base64_encode(sky_span bytes, char *out)
{
    const uint8_t *in = (const uint8_t *)bytes.ptr;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *out = '\0';
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* RFC 4648 §3.5: bits behind the last byte must be zero, so that one text means one value. */
static bool decode_group(const char *in, size_t bytes, uint8_t *out)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i <= bytes ? base64_digit(in[i]) : 0;
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
    }
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(group >> (16 - 8 * i));
    return bytes == 3 || (group & (bytes == 2 ? 0xffu : 0xffffu)) == 0;
}

bool sky_base64_decode(sky_span text, uint8_t *out, size_t out_size, size_t *ret_len)
{
    if (text.len % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    size_t len = text.len / 4 * 3 - padding;
    if (len > out_size)
        return false;
    for (size_t i = 0, at = 0; i < text.len; i += 4, at += 3)
        if (!decode_group(text.ptr + i, len - at < 3 ? len - at : 3, out + at))
            return false;
    *ret_len = len;
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

void sky_percent_encode(sky_span text, char *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.ptr[i])) {
            *out++ = text.ptr[i];
            continue;
        }
        *out++ = '%';
        sky_hex_upper(sky_span_of(text.ptr + i, 1), out);
        out += 2;
    }
    *out = '\0';
}

bool sky_percent_decode(sky_span text, bool plus, char *out, size_t out_size, size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? sky_hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? sky_hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (len == out_size)
            return false;
        out[len++] = c;
    }
    *ret_len = len;
    return true;
}
