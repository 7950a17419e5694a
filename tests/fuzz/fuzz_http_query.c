/* Two lines: a header list and a query. A parameter has the value that a plain walk through the
 * query finds; a range lies in its file; a path is what its pattern says of it. */
#include "auth/text.h"
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/http/head.h"
#include "protocol/http/range.h"

enum { VALUE_MAX = 40 };

/* The first parameter whose name, decoded, is `wanted`. */
static bool walk(sky_span query, const char *wanted, char out[VALUE_MAX], bool *ret_bad)
{
    sky_span rest = query, piece;
    while (sky_span_next(&rest, '&', &piece)) {
        sky_span name = piece, value = SKY_SPAN_NONE;
        (void)sky_span_cut(piece, '=', &name, &value);
        if (!sky_span_eq_str(name, wanted))
            continue;
        *ret_bad = !sky_http_decode(value, true, out, VALUE_MAX);
        return true;
    }
    return false;
}

static void check_query(sky_span query)
{
    static const char *const names[] = {"a", "device", "limit", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char value[VALUE_MAX] = "", other[VALUE_MAX] = "";
        bool bad = false, other_bad = false;
        bool found = sky_http_query(query, names[i], value, sizeof value, &bad);
        SKY_ASSERT(found == walk(query, names[i], other, &other_bad) && bad == other_bad);
        SKY_ASSERT(!found || bad || strcmp(value, other) == 0);
    }
}

static void check_decode(sky_span text)
{
    char room[4096], other[4096];
    size_t len;
    bool read = sky_http_decode(text, true, room, sizeof room);
    if (!sky_percent_decode(text, true, other, sizeof other - 1, &len))
        SKY_ASSERT(!read);
    else
        SKY_ASSERT(!read || (strlen(room) == len && memcmp(room, other, len) == 0));
}

static void check_range(sky_span text, uint64_t size)
{
    struct sky_http_range range;
    enum sky_http_part part = sky_http_range(text, size, &range);
    SKY_ASSERT(range.first <= range.last && range.last < size);
    SKY_ASSERT(part == SKY_HTTP_PART || (range.first == 0 && range.last == size - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sky_span rest = sky_span_of(bytes, len > 4096 ? 4096 : len), line = SKY_SPAN_NONE, value;
    (void)sky_span_next(&rest, '\n', &line);
    check_range(line, 1);
    check_range(line, 1000);
    check_range(line, (uint64_t)INT64_MAX - 1);
    (void)sky_http_head_lists(line, "connection", "upgrade");
    if (sky_http_head_header(line, "host", &value))
        SKY_ASSERT(value.len == 0 || (value.ptr >= line.ptr && value.len <= line.len));
    check_decode(rest);
    check_query(rest);
    return 0;
}
