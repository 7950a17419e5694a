/* Bytes as hexadecimal, base64 and percent text and back, and UTF-8 against the table of RFC 3629
 * §4. What is written reads back; what reads back, but for letter case, was written so. */

#include "auth/text.h"
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"

enum { INPUT_MAX = 4096, ROOM = 3 * INPUT_MAX + 1 };

static char written[ROOM];
static uint8_t back[ROOM];

static void writes_and_reads(sky_span in)
{
    size_t len;
    sky_hex_lower(in, written);
    SKY_ASSERT(strlen(written) == 2 * in.len);
    SKY_ASSERT(sky_hex_decode(sky_span_str(written), back, in.len, &len) && len == in.len);
    SKY_ASSERT(sky_span_eq(sky_span_of(back, len), in));
    SKY_ASSERT(in.len == 0 || !sky_hex_decode(sky_span_str(written), back, in.len - 1, &len));
    sky_base64_encode(in, written);
    SKY_ASSERT(strlen(written) == sky_base64_len(in.len));
    SKY_ASSERT(sky_base64_decode(sky_span_str(written), back, in.len, &len) && len == in.len);
    SKY_ASSERT(sky_span_eq(sky_span_of(back, len), in));
    SKY_ASSERT(in.len == 0 || !sky_base64_decode(sky_span_str(written), back, in.len - 1, &len));
    sky_percent_encode(in, written);
    SKY_ASSERT(strlen(written) <= 3 * in.len);
    for (int plus = 0; plus < 2; plus++) {
        SKY_ASSERT(sky_percent_decode(sky_span_str(written), plus, (char *)back, in.len + 1, &len));
        SKY_ASSERT(sky_span_eq(sky_span_of(back, len), in));
    }
}

static void reads_and_writes(sky_span in)
{
    size_t len = 0, other;
    if (sky_hex_decode(in, back, sizeof back, &len)) {
        sky_hex_upper(sky_span_of(back, len), written);
        SKY_ASSERT(sky_span_eq_nocase(sky_span_str(written), in));
    }
    if (sky_base64_decode(in, back, sizeof back, &len)) {
        sky_base64_encode(sky_span_of(back, len), written);
        SKY_ASSERT(sky_span_eq(sky_span_str(written), in));
    }
    if (sky_percent_decode(in, true, (char *)back, in.len + 1, &len)) {
        SKY_ASSERT(len <= in.len);
        SKY_ASSERT(sky_percent_decode(in, false, written, in.len + 1, &other) && other == len);
    }
}

/* RFC 3629 §4, a row each: what the first byte is, what the second, how many follow that. */
static size_t utf8_first(const uint8_t *at, size_t len)
{
    static const struct {
        uint8_t from, to, second_from, second_to, more;
    } rows[] = {{0xc2, 0xdf, 0x80, 0xbf, 0}, {0xe0, 0xe0, 0xa0, 0xbf, 1},
                {0xe1, 0xec, 0x80, 0xbf, 1}, {0xed, 0xed, 0x80, 0x9f, 1},
                {0xee, 0xef, 0x80, 0xbf, 1}, {0xf0, 0xf0, 0x90, 0xbf, 2},
                {0xf1, 0xf3, 0x80, 0xbf, 2}, {0xf4, 0xf4, 0x80, 0x8f, 2}};
    if (len > 0 && at[0] < 0x80)
        return at[0] != 0;
    for (size_t i = 0; i < SKY_COUNT(rows) && len > 1; i++) {
        if (at[0] < rows[i].from || at[0] > rows[i].to)
            continue;
        bool good =
            at[1] >= rows[i].second_from && at[1] <= rows[i].second_to && len >= 2u + rows[i].more;
        for (size_t more = 0; good && more < rows[i].more; more++)
            good = (at[2 + more] & 0xc0) == 0x80;
        return good ? 2u + rows[i].more : 0;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t valid = 0, size;
    if (len > INPUT_MAX)
        return 0;
    sky_span in = sky_span_of(bytes, len);
    writes_and_reads(in);
    reads_and_writes(in);
    do {
        size = utf8_first(bytes + valid, len - valid);
        SKY_ASSERT(sky_utf8_first(sky_span_tail(in, valid)) == size);
        valid += size;
    } while (size > 0);
    SKY_ASSERT(sky_utf8_valid(in) == valid);
    return 0;
}
