#include "protocol/cloud/latest.h"

#include "protocol/base/assert.h"

#define uthash_fatal(message) sky_assert_failed(message, __FILE__, __LINE__)
#include <uthash.h>

#include "protocol/base/json_view.h"
#include "protocol/cloud/envelope.h"

struct sky_latest_entry {
    sky_span name, value;
    UT_hash_handle hh;
};

static size_t row_bytes(const struct sky_latest_entry *row)
{
    return row->name.len + row->value.len + sizeof "\"\":," - 1;
}

/* The name as the writer spells it: a device may write the same one with escapes and without. */
static sky_span one_spelling(const struct sky_latest *latest, sky_span name)
{
    struct sky_buf out;
    if (name.len == 0 || name.len > SKY_LATEST_NAME_MAX || memchr(name.ptr, '\\', name.len) == NULL)
        return name;
    sky_buf_init(&out,
                 sizeof "\\u0000" * name.len + sizeof "\"\""); /* a stored one may be damaged */
    sky_json_respell(&out, name);
    return sky_json_text(sky_envelope_keep(latest->arena, &out));
}

static struct sky_latest_entry *find(const struct sky_latest *latest, sky_span name)
{
    struct sky_latest_entry *row;
    HASH_FIND(hh, latest->rows, name.ptr, name.len, row);
    return row;
}

static void add(struct sky_latest *latest, sky_span name, sky_span value)
{
    struct sky_latest_entry *row = sky_arena_take(latest->arena, sizeof *row);
    row->name = name;
    row->value = value;
    HASH_ADD_KEYPTR(hh, latest->rows, row->name.ptr, row->name.len, row);
    latest->bytes += row_bytes(row);
}

void sky_latest_open(struct sky_latest *latest, sky_span stored, struct sky_arena *arena)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(stored);
    *latest = (struct sky_latest){.arena = arena, .bytes = sizeof "{}" - 1};
    while (sky_json_next_member(&rest, &member))
        sky_latest_put(latest, member.key, member.value);
    latest->changed = false;
}

void sky_latest_close(struct sky_latest *latest)
{
    HASH_CLEAR(hh, latest->rows);
}

sky_span sky_latest_get(const struct sky_latest *latest, sky_span name)
{
    const struct sky_latest_entry *row = find(latest, one_spelling(latest, name));
    return row != NULL ? row->value : SKY_SPAN_NONE;
}

void sky_latest_put(struct sky_latest *latest, sky_span name, sky_span value)
{
    name = one_spelling(latest, name);
    struct sky_latest_entry *row = find(latest, name);
    const struct sky_latest_entry next = {.name = name, .value = value};
    size_t bytes = latest->bytes + row_bytes(&next) - (row != NULL ? row_bytes(row) : 0);
    bool many = row == NULL && HASH_COUNT(latest->rows) >= SKY_LATEST_NAMES_MAX;
    if (many || bytes > SKY_LATEST_BYTES_MAX || name.len > SKY_LATEST_NAME_MAX) {
        latest->full = true;
        return;
    }
    if (row == NULL) {
        add(latest, name, value);
    } else {
        row->value = value;
        latest->bytes = bytes;
    }
    latest->changed = true;
}

void sky_latest_drop(struct sky_latest *latest, sky_span name)
{
    struct sky_latest_entry *row = find(latest, one_spelling(latest, name));
    if (row == NULL)
        return;
    latest->bytes -= row_bytes(row);
    HASH_DELETE(hh, latest->rows, row);
    latest->changed = true;
}

/* Runs for every property a device has, at every post: no formatted printing here. */
static void write_rows(const struct sky_latest *latest, struct sky_buf *out)
{
    const struct sky_latest_entry *row;
    sky_buf_add_byte(out, '{');
    for (row = latest->rows; row != NULL; row = row->hh.next) {
        sky_buf_add(out, row == latest->rows ? SKY_SPAN("\"") : SKY_SPAN(",\""));
        sky_buf_add(out, row->name);
        sky_buf_add(out, SKY_SPAN("\":"));
        sky_buf_add(out, row->value);
    }
    sky_buf_add_byte(out, '}');
}

void sky_latest_save(struct sky_latest *latest, const struct sky_facts *facts, const char *name,
                     struct sky_effects *effects)
{
    struct sky_buf out;
    if (latest->full)
        sky_envelope_note(effects, "latest-values-full", sky_span_str(name));
    if (!latest->changed)
        return;
    sky_buf_init(&out, SKY_LATEST_BYTES_MAX);
    write_rows(latest, &out);
    sky_envelope_store(effects, facts, name, &out);
}
