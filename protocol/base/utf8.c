#include "protocol/base/utf8.h"

/* Bytes at the front of `text` that are ASCII without NUL, in whole words only. */
static size_t ascii_words(const unsigned char *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        /* Without high bits in the word, taking one from each byte sets a high bit only if some
         * byte was zero. */
        if (((word | (word - ones)) & highs) != 0)
            break;
    }
    return at;
}

static bool is_tail(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the valid sequence at the front of `text`, or 0. The bounds on the second byte keep
 * out overlong forms, surrogates, and what lies beyond U+10FFFF (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *text, size_t len)
{
    unsigned char lead = text[0];
    if (lead < 0x80)
        return lead != 0;
    if (lead < 0xc2 || lead > 0xf4 || len < 2)
        return 0;
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < low || text[1] > high)
        return 0;
    if (lead < 0xe0)
        return 2;
    if (len < 3 || !is_tail(text[2]))
        return 0;
    if (lead < 0xf0)
        return 3;
    return len >= 4 && is_tail(text[3]) ? 4 : 0;
}

size_t sky_utf8_valid(sky_span text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t at = 0;
    while (at < text.len) {
        size_t step = ascii_words(bytes + at, text.len - at);
        if (step == 0)
            step = sequence(bytes + at, text.len - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

size_t sky_utf8_first(sky_span text)
{
    return text.len > 0 ? sequence((const unsigned char *)text.ptr, text.len) : 0;
}
