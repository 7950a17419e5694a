/* Mistakes in which fields, or which values of fields, are signed. */
#include "auth/mistakes.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    NONE = SKY_SIGN_FIELDS_MAX, /* no such field */
    PAIRED_EXTRAS_MAX = 8,      /* extra fields that are tried two at a time */
    TIMESTAMP_DIGITS_MAX = 18,  /* fits int64_t */
    DRIFT_MS = 20,              /* between two readings of a clock in one login */
    CLOCK_S = 5,                /* between the device's clock and ours */
};

static size_t field_named(const struct sky_recipe *due, sky_span key)
{
    for (size_t i = 0; i < due->field_count; i++)
        if (sky_span_eq_nocase(due->fields[i].key, key))
            return i;
    return NONE;
}

/* A point in time, whatever the cloud calls it. */
static size_t timestamp_field(const struct sky_suspicion *suspicion)
{
    static const char *const names[] = {"timestamp", "expiry", "et"};
    size_t at = NONE;
    for (size_t i = 0; i < SKY_COUNT(names) && at == NONE; i++)
        at = field_named(&suspicion->due, sky_span_str(names[i]));
    return at;
}

/* The field whose value the whole client id begins with, before its bar. */
static size_t client_id_field(const struct sky_suspicion *suspicion)
{
    sky_span whole = suspicion->whole_client_id, head, block;
    if (sky_span_cut(whole, '|', &head, &block))
        for (size_t i = 0; i < suspicion->due.field_count; i++)
            if (sky_span_eq(suspicion->due.fields[i].value, head))
                return i;
    return field_named(&suspicion->due, SKY_SPAN("clientId"));
}

/* A copy of the due fields with room for `more`, to be changed and handed to add_fields(). */
static struct sky_pair *copy_fields(struct sky_workshop *shop, size_t more)
{
    const struct sky_recipe *due = &shop->suspicion->due;
    struct sky_pair *list = sky_arena_take(&shop->arena, (due->field_count + more) * sizeof *list);
    memcpy(list, due->fields, due->field_count * sizeof *list);
    return list;
}

static struct sky_variant *add_fields(struct sky_workshop *shop, enum sky_mistake self,
                                      const struct sky_pair *list, size_t count)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_FIELDS, self);
    variant->fields.list = list;
    variant->fields.count = count;
    return variant;
}

/* The due fields with one value changed. */
static struct sky_variant *add_value(struct sky_workshop *shop, enum sky_mistake self, size_t at,
                                     sky_span value)
{
    struct sky_pair *list = copy_fields(shop, 0);
    list[at].value = value;
    return add_fields(shop, self, list, shop->suspicion->due.field_count);
}

void sky_vary_whole_client_id(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t at = client_id_field(shop->suspicion);
    if (at != NONE && shop->suspicion->whole_client_id.len > 0)
        add_value(shop, self, at, shop->suspicion->whole_client_id);
}

/* One, two or all of the extra fields, sorted in among the others or behind them. */
static struct sky_variant *add_extras(struct sky_workshop *shop, enum sky_mistake self,
                                      const struct sky_pair *extra, size_t count, bool sorted)
{
    size_t have = shop->suspicion->due.field_count;
    struct sky_pair *list = copy_fields(shop, count);
    for (size_t i = 0; i < count; i++)
        sky_fields_insert(list, have + i, extra[i], sorted);
    return add_fields(shop, self, list, have + count);
}

static void add_extra_pairs(struct sky_workshop *shop, enum sky_mistake self)
{
    const struct sky_pair *extra = shop->suspicion->extra;
    size_t count = shop->suspicion->extra_count;
    if (count > PAIRED_EXTRAS_MAX)
        count = PAIRED_EXTRAS_MAX;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            struct sky_pair two[] = {extra[i], extra[j]};
            struct sky_variant *variant =
                add_extras(shop, self, two, 2, shop->suspicion->due.sorted);
            variant->rank = SKY_REMOTE;
            variant->note = sky_arena_printf(&shop->arena, "%.*s and %.*s",
                                             SKY_SPAN_ARGS(two[0].key), SKY_SPAN_ARGS(two[1].key));
        }
    }
}

void sky_vary_extra_signed(struct sky_workshop *shop, enum sky_mistake self)
{
    const struct sky_suspicion *suspicion = shop->suspicion;
    SKY_ASSERT(suspicion->extra_count <= SKY_PAIRS_MAX);
    for (size_t i = 0; i < suspicion->extra_count; i++)
        add_extras(shop, self, &suspicion->extra[i], 1, suspicion->due.sorted)->note =
            suspicion->extra[i].key;
    if (suspicion->extra_count == 0)
        return;
    add_extra_pairs(shop, self);
    for (int sorted = suspicion->due.sorted; sorted >= 0; sorted--)
        add_extras(shop, self, suspicion->extra, suspicion->extra_count, sorted)->note =
            SKY_SPAN("everything that was sent");
}

void sky_vary_timestamp_left_out(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t at = timestamp_field(shop->suspicion), count = shop->suspicion->due.field_count;
    if (at == NONE || count < 2 || shop->suspicion->due.style.values_only)
        return;
    struct sky_pair *list = copy_fields(shop, 0);
    memmove(list + at, list + at + 1, (count - at - 1) * sizeof *list);
    add_fields(shop, self, list, count - 1);
}

static void add_unsent(struct sky_workshop *shop, enum sky_mistake self, sky_span value)
{
    struct sky_pair timestamp = {SKY_SPAN("timestamp"), value};
    size_t count = shop->suspicion->due.field_count;
    struct sky_pair *list = copy_fields(shop, 1);
    sky_fields_insert(list, count, timestamp, true);
    struct sky_variant *variant = add_fields(shop, self, list, count + 1);
    variant->rank = SKY_REMOTE;
    variant->note = value.len > 0 ? value : SKY_SPAN("an empty one");
}

/* An unsent timestamp can only be guessed: the constants of SDKs and of documents, nothing, and
 * the present second, alone or written in milliseconds. */
void sky_vary_timestamp_unsent(struct sky_workshop *shop, enum sky_mistake self)
{
    static const char *const known[] = {"", "0", "2524608000000", "789", "1548753362502"};
    if (!shop->suspicion->due.sorted || timestamp_field(shop->suspicion) != NONE)
        return;
    for (size_t i = 0; i < SKY_COUNT(known); i++)
        add_unsent(shop, self, sky_span_str(known[i]));
    for (int64_t off = -CLOCK_S; off <= CLOCK_S; off++) {
        long long second = shop->suspicion->now_ms / 1000 + off;
        add_unsent(shop, self, sky_arena_printf(&shop->arena, "%lld", second));
        add_unsent(shop, self, sky_arena_printf(&shop->arena, "%lld000", second));
    }
}

void sky_vary_timestamp_unit(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t at = timestamp_field(shop->suspicion);
    if (at == NONE)
        return;
    sky_span sent = shop->suspicion->due.fields[at].value, whole = sent, fraction;
    int64_t number;
    if (sky_span_cut(sent, '.', &whole, &fraction))
        add_value(shop, self, at, whole)->note = SKY_SPAN("without its fraction");
    if (!sky_span_to_int(whole, &number) || whole.len > TIMESTAMP_DIGITS_MAX)
        return;
    if (whole.len == sent.len)
        add_value(shop, self, at, sky_arena_printf(&shop->arena, "%.*s.0", SKY_SPAN_ARGS(whole)))
            ->note = SKY_SPAN("with a fraction");
    if (whole.len > 3)
        add_value(shop, self, at, sky_span_head(whole, whole.len - 3))->note =
            SKY_SPAN("in seconds, sent in milliseconds");
    add_value(shop, self, at, sky_arena_printf(&shop->arena, "%.*s000", SKY_SPAN_ARGS(whole)))
        ->note = SKY_SPAN("in milliseconds, sent in seconds");
}

void sky_vary_timestamp_twice(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t at = timestamp_field(shop->suspicion);
    int64_t sent;
    if (at == NONE || shop->suspicion->due.fields[at].value.len > TIMESTAMP_DIGITS_MAX ||
        !sky_span_to_int(shop->suspicion->due.fields[at].value, &sent))
        return;
    for (int off = -DRIFT_MS; off <= DRIFT_MS; off++) {
        if (off == 0)
            continue;
        struct sky_variant *variant = add_value(
            shop, self, at, sky_arena_printf(&shop->arena, "%lld", (long long)sent + off));
        variant->rank = SKY_REMOTE;
        variant->note = sky_arena_printf(&shop->arena, "%+d", off);
    }
}

void sky_vary_client_id_prefix(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t at = client_id_field(shop->suspicion);
    if (at == NONE)
        return;
    const struct sky_pair *field = &shop->suspicion->due.fields[at];
    add_value(shop, self, at,
              sky_arena_printf(&shop->arena, "%.*s%.*s", SKY_SPAN_ARGS(field->key),
                               SKY_SPAN_ARGS(field->value)))
        ->note = SKY_SPAN("the word stands there twice");
    if (sky_span_starts(field->value, field->key))
        add_value(shop, self, at, sky_span_tail(field->value, field->key.len))->note =
            SKY_SPAN("the word was taken off the id");
}

/* Which fields name product and device is not known here: any two that are neither client id nor
 * timestamp. */
void sky_vary_swapped_keys(struct sky_workshop *shop, enum sky_mistake self)
{
    const struct sky_recipe *due = &shop->suspicion->due;
    size_t id = client_id_field(shop->suspicion), time = timestamp_field(shop->suspicion);
    for (size_t i = 0; i < due->field_count; i++) {
        for (size_t j = i + 1; j < due->field_count; j++) {
            if (i == id || i == time || j == id || j == time)
                continue;
            struct sky_pair *list = copy_fields(shop, 0);
            list[i].value = due->fields[j].value;
            list[j].value = due->fields[i].value;
            add_fields(shop, self, list, due->field_count)->note =
                sky_arena_printf(&shop->arena, "%.*s and %.*s", SKY_SPAN_ARGS(due->fields[i].key),
                                 SKY_SPAN_ARGS(due->fields[j].key));
        }
    }
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static sky_span spell_lower(struct sky_workshop *shop, sky_span name)
{
    char *out = sky_arena_take(&shop->arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        out[i] = is_upper(name.ptr[i]) ? (char)(name.ptr[i] - 'A' + 'a') : name.ptr[i];
    return sky_span_of(out, name.len);
}

static sky_span spell_capital(struct sky_workshop *shop, sky_span name)
{
    char *out = (char *)(uintptr_t)sky_arena_copy(&shop->arena, name).ptr;
    if (name.len > 0 && out[0] >= 'a' && out[0] <= 'z')
        out[0] = (char)(out[0] - 'a' + 'A');
    return sky_span_of(out, name.len);
}

/* clientID for clientId. */
static sky_span spell_id(struct sky_workshop *shop, sky_span name)
{
    if (!sky_span_ends(name, SKY_SPAN("Id")))
        return name;
    return sky_arena_printf(&shop->arena, "%.*sID", (int)(name.len - 2), name.ptr);
}

/* client_id for clientId. */
static sky_span spell_snake(struct sky_workshop *shop, sky_span name)
{
    char *out = sky_arena_take(&shop->arena, 2 * name.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (is_upper(name.ptr[i]))
            out[len++] = '_';
        out[len++] = is_upper(name.ptr[i]) ? (char)(name.ptr[i] - 'A' + 'a') : name.ptr[i];
    }
    return sky_span_of(out, len);
}

/* The name that the neighbouring cloud has for the same thing. */
static sky_span spell_alias(struct sky_workshop *shop, sky_span name)
{
    static const char *const aliases[][2] = {{"deviceKey", "deviceName"},
                                             {"deviceName", "deviceKey"},
                                             {"productKey", "productId"},
                                             {"productId", "productKey"},
                                             {"timestamp", "timeStamp"}};
    (void)shop;
    for (size_t i = 0; i < SKY_COUNT(aliases); i++)
        if (sky_span_eq_str(name, aliases[i][0]))
            return sky_span_str(aliases[i][1]);
    return name;
}

typedef sky_span spell_fn(struct sky_workshop *shop, sky_span name);

/* All names by one spelling, and, where that changes several, each alone. */
static void add_spelling(struct sky_workshop *shop, enum sky_mistake self, spell_fn *spell)
{
    size_t count = shop->suspicion->due.field_count, changed = 0;
    struct sky_pair *all = copy_fields(shop, 0);
    for (size_t i = 0; i < count; i++) {
        sky_span right = all[i].key;
        all[i].key = spell(shop, right);
        if (sky_span_eq(all[i].key, right))
            continue;
        changed++;
        struct sky_pair *one = copy_fields(shop, 0);
        one[i].key = all[i].key;
        struct sky_variant *variant = add_fields(shop, self, one, count);
        variant->rank = SKY_REMOTE;
        variant->note = sky_arena_printf(&shop->arena, "%.*s for %.*s", SKY_SPAN_ARGS(all[i].key),
                                         SKY_SPAN_ARGS(right));
    }
    if (changed > 1)
        add_fields(shop, self, all, count)->rank = SKY_REMOTE;
}

void sky_vary_field_names(struct sky_workshop *shop, enum sky_mistake self)
{
    static spell_fn *const spellings[] = {spell_id, spell_alias, spell_lower, spell_capital,
                                          spell_snake};
    for (size_t i = 0; i < SKY_COUNT(spellings); i++)
        add_spelling(shop, self, spellings[i]);
}

/* The leading one, two, ... fields of a text of bare values. */
void sky_vary_text_part(struct sky_workshop *shop, enum sky_mistake self)
{
    const struct sky_recipe *due = &shop->suspicion->due;
    for (size_t count = 1; due->style.values_only && count < due->field_count; count++)
        add_fields(shop, self, due->fields, count);
}

/* One field left out or left empty, or two left out. */
static void leave_out(struct sky_workshop *shop, enum sky_mistake self, size_t one, size_t other)
{
    const struct sky_recipe *due = &shop->suspicion->due;
    struct sky_pair *list = copy_fields(shop, 0);
    size_t count = 0;
    for (size_t i = 0; i < due->field_count; i++)
        if (i != one && i != other)
            list[count++] = due->fields[i];
    if (count == 0)
        return;
    struct sky_variant *variant = add_fields(shop, self, list, count);
    variant->rank = one == other ? SKY_LIKELY : SKY_ALONE;
    variant->did =
        sky_arena_printf(&shop->arena, "left %.*s%s%.*s out of the signed text",
                         SKY_SPAN_ARGS(due->fields[one].key), one == other ? "" : " and ",
                         SKY_SPAN_ARGS(one == other ? SKY_SPAN_NONE : due->fields[other].key));
}

void sky_vary_field_forgotten(struct sky_workshop *shop, enum sky_mistake self)
{
    enum { PAIRED_MAX = 6 };
    const struct sky_recipe *due = &shop->suspicion->due;
    for (size_t i = 0; i < due->field_count; i++) {
        leave_out(shop, self, i, i);
        struct sky_variant *variant = add_value(shop, self, i, SKY_SPAN_NONE);
        variant->rank = SKY_ALONE;
        variant->did = sky_arena_printf(&shop->arena, "signed an empty %.*s",
                                        SKY_SPAN_ARGS(due->fields[i].key));
    }
    for (size_t i = 0; i < due->field_count && due->field_count <= PAIRED_MAX; i++)
        for (size_t j = i + 1; j < due->field_count; j++)
            leave_out(shop, self, i, j);
}

/* Another value in a field's place, with both of them told. */
static void add_other(struct sky_workshop *shop, enum sky_mistake self, size_t at, sky_span value,
                      enum sky_rank rank)
{
    enum { SHOWN = 48 };
    const struct sky_pair *field = &shop->suspicion->due.fields[at];
    if (value.len == 0 || sky_span_eq(value, field->value))
        return;
    struct sky_variant *variant = add_value(shop, self, at, value);
    bool id = at == client_id_field(shop->suspicion);
    variant->rank = rank;
    variant->did = sky_arena_printf(&shop->arena, "signed the %.*s %.*s, but sent %.*s",
                                    SKY_SPAN_ARGS(id ? SKY_SPAN("client id") : field->key),
                                    SKY_SPAN_ARGS(sky_span_head(value, SHOWN)),
                                    SKY_SPAN_ARGS(sky_span_head(field->value, SHOWN)));
}

static sky_span spell_upper(struct sky_workshop *shop, sky_span name)
{
    char *out = sky_arena_take(&shop->arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        out[i] = name.ptr[i] >= 'a' && name.ptr[i] <= 'z' ? (char)(name.ptr[i] - 'a' + 'A')
                                                          : name.ptr[i];
    return sky_span_of(out, name.len);
}

/* Without the marks of an address, or with `mark` between each two characters. */
static sky_span mark(struct sky_workshop *shop, sky_span id, char mark)
{
    char *out = sky_arena_take(&shop->arena, 2 * id.len + 1);
    size_t len = 0, digits = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] == ':' || id.ptr[i] == '-')
            continue;
        if (mark != '\0' && digits > 0 && digits % 2 == 0)
            out[len++] = mark;
        out[len++] = id.ptr[i];
        digits++;
    }
    return sky_span_of(out, len);
}

/* An address as it is printed elsewhere. */
static void add_addresses(struct sky_workshop *shop, enum sky_mistake self, size_t at)
{
    static const char marks[] = {'\0', ':', '-'};
    enum { ADDRESS_DIGITS = 12 };
    sky_span id = shop->suspicion->due.fields[at].value;
    sky_span bare = mark(shop, id, '\0');
    for (size_t i = 0; i < SKY_COUNT(marks); i++) {
        if (marks[i] != '\0' && bare.len != ADDRESS_DIGITS)
            continue;
        sky_span marked = mark(shop, id, marks[i]);
        enum sky_rank rank = marks[i] == '\0' ? SKY_REMOTE : SKY_ALONE;
        add_other(shop, self, at, marked, rank);
        if (sky_span_eq(marked, id))
            continue; /* the letter cases of the id itself are tried anyway */
        add_other(shop, self, at, spell_lower(shop, marked), rank);
        add_other(shop, self, at, spell_upper(shop, marked), rank);
    }
}

static void add_samples(struct sky_workshop *shop, enum sky_mistake self, size_t at)
{
    const struct sky_suspicion *suspicion = shop->suspicion;
    for (size_t i = 0; i < suspicion->sample_count; i++)
        if (sky_span_eq(suspicion->samples[i].key, suspicion->due.fields[at].key))
            add_other(shop, self, at, suspicion->samples[i].value, SKY_ALONE);
}

void sky_vary_other_client_id(struct sky_workshop *shop, enum sky_mistake self)
{
    static const char *const joints[] = {".", "&", "", "_", "-", ":", "/"};
    size_t at = client_id_field(shop->suspicion);
    if (at == NONE)
        return;
    sky_span id = shop->suspicion->due.fields[at].value, head, rest;
    sky_span product = shop->suspicion->product, device = shop->suspicion->device;
    add_other(shop, self, at, device, SKY_REMOTE);
    add_other(shop, self, at, spell_lower(shop, id), SKY_REMOTE);
    add_other(shop, self, at, spell_upper(shop, id), SKY_REMOTE);
    for (size_t i = 0; i < SKY_COUNT(joints) && product.len > 0 && device.len > 0; i++) {
        enum sky_rank rank = i < 2 ? SKY_REMOTE : SKY_ALONE;
        add_other(shop, self, at,
                  sky_arena_printf(&shop->arena, "%.*s%s%.*s", SKY_SPAN_ARGS(product), joints[i],
                                   SKY_SPAN_ARGS(device)),
                  rank);
        add_other(shop, self, at,
                  sky_arena_printf(&shop->arena, "%.*s%s%.*s", SKY_SPAN_ARGS(device), joints[i],
                                   SKY_SPAN_ARGS(product)),
                  SKY_ALONE);
    }
    add_other(shop, self, at, product, SKY_ALONE);
    add_addresses(shop, self, at);
    add_samples(shop, self, at);
    for (const char *end = "{&._|"; *end != '\0'; end++)
        if (sky_span_cut(id, *end, &head, &rest))
            add_other(shop, self, at, head, SKY_ALONE);
    if (shop->suspicion->whole_client_id.len > id.len) /* braces of its own, cut off too early */
        return;
    add_other(shop, self, at, shop->suspicion->whole_client_id, SKY_ALONE);
}

void sky_vary_other_value(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t id = client_id_field(shop->suspicion);
    for (size_t at = 0; at < shop->suspicion->due.field_count; at++) {
        sky_span value = shop->suspicion->due.fields[at].value;
        if (at == id)
            continue;
        add_other(shop, self, at, spell_lower(shop, value), SKY_ALONE);
        add_other(shop, self, at, spell_upper(shop, value), SKY_ALONE);
        add_other(shop, self, at, sky_span_trim(value), SKY_ALONE);
        add_other(shop, self, at, sky_arena_printf(&shop->arena, "%.*s ", SKY_SPAN_ARGS(value)),
                  SKY_ALONE);
        add_samples(shop, self, at);
    }
}

/* What examples and forgotten variables leave in a field's place. */
void sky_vary_placeholder(struct sky_workshop *shop, enum sky_mistake self)
{
    static const char *const frames[][2] = {{"${", "}"}, {"{", "}"},    {"<", ">"},   {"$", ""},
                                            {"", ""},    {"YOUR_", ""}, {"your_", ""}};
    static const char *const words[] = {"(null)", "NULL", "null", "undefined", "None", "%s", "%d"};
    const struct sky_recipe *due = &shop->suspicion->due;
    for (size_t at = 0; at < due->field_count; at++) {
        sky_span key = due->fields[at].key, snake = spell_snake(shop, key);
        for (size_t i = 0; i < SKY_COUNT(frames); i++) {
            sky_span name = frames[i][0][0] == 'Y'   ? spell_upper(shop, snake)
                            : frames[i][0][0] == 'y' ? snake
                                                     : key;
            add_other(shop, self, at,
                      sky_arena_printf(&shop->arena, "%s%.*s%s", frames[i][0], SKY_SPAN_ARGS(name),
                                       frames[i][1]),
                      SKY_ALONE);
        }
        for (size_t i = 0; i < SKY_COUNT(words); i++)
            add_other(shop, self, at, sky_span_str(words[i]), SKY_ALONE);
    }
}
