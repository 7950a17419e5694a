/* Entries of the journal: an event that is written reads back as it was; any bytes in an entry's
 * place, or some of its bytes changed, are refused or read inside of it; what is read renders as
 * JSON and as a line that moves nobody's cursor. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/journal/entry.h"
#include "server/journal/journal.h"
#include "server/journal/line.h"
#include "server/os/clock.h"

enum { FIELD_MAX = 4096, ROOM = 256 * 1024 };
_Static_assert(SKY_EVENT_FIELD_COUNT <= 64, "a bit for each");

static _Alignas(8) char room[ROOM];
static struct sky_event event;

static bool is_inside(sky_span part, sky_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* Damage may say a field twice; whoever writes does not. */
static bool says_twice(void)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < event.attr_count; i++) {
        const uint64_t bit = UINT64_C(1) << event.attrs[i].field;
        if (seen & bit)
            return true;
        seen |= bit;
    }
    return false;
}

static void render(void)
{
    static struct sky_clock clock;
    static struct sky_journal *journal;
    static struct sky_device_names names;
    static struct sky_catalogue catalogue;
    static struct sky_cursor cursor;
    struct sky_buf out;
    if (journal == NULL) {
        sky_clock_init(&clock);
        journal = sky_journal_new(SKY_JOURNAL_BYTES_MIN, 1000, NULL, &clock);
        sky_catalogue_init(&catalogue);
        sky_cursor_init(&cursor, journal, 0);
    }
    const struct sky_event_printer printer = {&cursor, &catalogue, &names};
    sky_buf_init(&out, SIZE_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_event_print(&printer, &event, &jw);
    SKY_ASSERT(says_twice() ||
               sky_json_check(sky_buf_span(&out), SKY_JSON_DEPTH_MAX, NULL) == SKY_OK);
    sky_buf_clear(&out);
    sky_event_show(&printer, &event, &out);
    for (size_t i = 0; i < out.len; i++)
        SKY_ASSERT((uint8_t)out.bytes[i] >= 0x20 && out.bytes[i] != 0x7f);
    sky_buf_done(&out);
}

static void read_any(sky_span bytes)
{
    struct sky_entry_head head;
    if (!sky_entry_read(bytes, &event))
        return;
    SKY_ASSERT(sky_entry_read_head(bytes, &head) && head.size <= bytes.len);
    SKY_ASSERT(event.attr_count <= SKY_JOURNAL_ATTRS_MAX &&
               event.finding_count <= SKY_FINDINGS_MAX && is_inside(event.refused, bytes));
    for (size_t i = 0; i < event.attr_count; i++)
        SKY_ASSERT(event.attrs[i].field < SKY_EVENT_FIELD_COUNT &&
                   is_inside(event.attrs[i].bytes, bytes));
    for (size_t i = 0; i < event.finding_count; i++)
        SKY_ASSERT(is_inside(event.findings[i].rule_id, bytes) &&
                   is_inside(event.findings[i].detail, bytes));
    render();
}

/* An event with these fields, one a line behind a byte that says which. */
static sky_span write_one(sky_span in)
{
    struct sky_attr attrs[SKY_JOURNAL_ATTRS_MAX];
    struct sky_entry_head head = {.seq = 7, .now_ms = 1000, .real_ms = 2000, .device_id = 3};
    size_t count = 0;
    sky_span line;
    while (count < SKY_COUNT(attrs) && sky_span_next(&in, '\n', &line)) {
        if (line.len == 0)
            continue;
        const uint8_t first = (uint8_t)line.ptr[0];
        attrs[count++] =
            (struct sky_attr){.field = (enum sky_event_field)(first % SKY_EVENT_FIELD_COUNT),
                              .bytes = sky_span_tail(line, 1),
                              .number = first};
    }
    head.type = (uint8_t)(count % SKY_EVENT_TYPE_COUNT);
    head.size = (uint32_t)sky_entry_size(attrs, count, NULL, FIELD_MAX);
    SKY_ASSERT(head.size <= ROOM && head.size % SKY_ENTRY_ALIGN == 0);
    sky_entry_write(room, &head, attrs, count, NULL, FIELD_MAX);
    SKY_ASSERT(sky_entry_read(sky_span_of(room, head.size), &event));
    SKY_ASSERT(event.seq == 7 && event.attr_count == count && event.head.device_id == 3);
    for (size_t i = 0; i < count; i++) {
        SKY_ASSERT(event.attrs[i].field == attrs[i].field);
        SKY_ASSERT(event.attrs[i].bytes.len == 0 ||
                   sky_span_eq(event.attrs[i].bytes, sky_span_head(attrs[i].bytes, FIELD_MAX)));
    }
    render();
    return sky_span_of(room, head.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1 || len > ROOM / 2)
        return 0;
    sky_span in = sky_span_of(bytes, len), edits = SKY_SPAN_NONE, fields = SKY_SPAN_NONE;
    if (bytes[0] & 1) { /* any bytes, aligned as in a page */
        memcpy(room, bytes + 1, len - 1);
        read_any(sky_span_of(room, len - 1));
        return 0;
    }
    if (!sky_span_cut(sky_span_tail(in, 1), '\0', &edits, &fields))
        return 0;
    sky_span entry = write_one(fields);
    for (size_t i = 0; i + 2 < edits.len; i += 3)
        room[((uint8_t)edits.ptr[i] * 256u + (uint8_t)edits.ptr[i + 1]) % entry.len] =
            edits.ptr[i + 2];
    read_any(entry);
    return 0;
}
