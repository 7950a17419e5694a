#include "store/seed_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

/* ---- errors and places ---- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

struct sky_seed_shown sky_seed_show(const char *text)
{
    struct sky_seed_shown shown;
    size_t len = strnlen(text, SKY_SEED_SHOWN_MAX + 1);
    bool cut = len > SKY_SEED_SHOWN_MAX;
    if (cut) /* not within a character: continuation bytes are 10xxxxxx */
        for (len = SKY_SEED_SHOWN_MAX; len > 0 && (text[len] & 0xc0) == 0x80;)
            len--;
    for (size_t i = 0; i < len; i++)
        shown.text[i] = is_control(text[i]) ? '?' : text[i];
    memcpy(shown.text + len, cut ? "..." : "", cut ? 4 : 1);
    return shown;
}

static size_t down(struct sky_seed_reader *reader, const char *token)
{
    size_t mark = reader->pointer_len;
    char *out = reader->pointer;
    size_t len = mark, room = sizeof reader->pointer - 3; /* an escape and the NUL */
    if (len < room)
        out[len++] = '/';
    for (const char *c = token; *c && len < room; c++) {
        if (*c == '~' || *c == '/') { /* RFC 6901 §3 */
            out[len++] = '~';
            out[len++] = *c == '~' ? '0' : '1';
        } else {
            out[len++] = *c;
        }
    }
    out[len] = '\0';
    reader->pointer_len = len;
    return mark;
}

size_t sky_seed_down_key(struct sky_seed_reader *reader, const char *key)
{
    return down(reader, sky_seed_show(key).text);
}

/* Of each device that is read: nothing is formatted for those that have no error. */
size_t sky_seed_down_index(struct sky_seed_reader *reader, size_t index)
{
    char digits[24], *first = &digits[sizeof digits - 1];
    *first = '\0';
    do
        *--first = (char)('0' + index % 10);
    while ((index /= 10) > 0);
    return down(reader, first);
}

void sky_seed_up(struct sky_seed_reader *reader, size_t mark)
{
    SKY_ASSERT(mark <= reader->pointer_len);
    reader->pointer_len = mark;
    reader->pointer[mark] = '\0';
}

SKY_PRINTF(2, 0)
static void report(struct sky_seed_reader *reader, const char *fmt, va_list args)
{
    const struct sky_seed_config *config = reader->config;
    if (reader->errors++ >= SKY_SEED_ERRORS_MAX || config->on_error == NULL)
        return;
    struct sky_why why;
    memcpy(why.pointer, reader->pointer, sizeof why.pointer);
    vsnprintf(why.reason, sizeof why.reason, fmt, args);
    config->on_error(config->ctx, &why);
}

void sky_seed_error(struct sky_seed_reader *reader, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report(reader, fmt, args);
    va_end(args);
}

void sky_seed_error_at(struct sky_seed_reader *reader, const char *key, const char *fmt, ...)
{
    size_t mark = sky_seed_down_key(reader, key);
    va_list args;
    va_start(args, fmt);
    report(reader, fmt, args);
    va_end(args);
    sky_seed_up(reader, mark);
}

void sky_seed_error_below(struct sky_seed_reader *reader, const char *key,
                          const struct sky_why *why)
{
    size_t mark = reader->pointer_len;
    if (key != NULL)
        (void)sky_seed_down_key(reader, key);
    size_t used = reader->pointer_len;
    used +=
        (size_t)snprintf(reader->pointer + used, sizeof reader->pointer - used, "%s", why->pointer);
    reader->pointer_len = used < sizeof reader->pointer ? used : sizeof reader->pointer - 1;
    sky_seed_error(reader, "%s", why->reason);
    sky_seed_up(reader, mark);
}

/* ---- objects by table ---- */

static const char *type_name(const cJSON *value)
{
    return cJSON_IsString(value)   ? "a string"
           : cJSON_IsNumber(value) ? "a number"
           : cJSON_IsBool(value)   ? "true or false"
           : cJSON_IsArray(value)  ? "a list"
           : cJSON_IsObject(value) ? "an object"
                                   : "null";
}

static const struct {
    const char *name;
    int types; /* of cJSON, or'ed */
} kinds[] = {
    [SKY_SEED_STRING] = {"a string", cJSON_String},
    [SKY_SEED_BOOL] = {"true or false", cJSON_True | cJSON_False},
    [SKY_SEED_LIST] = {"a list", cJSON_Array},
    [SKY_SEED_OBJECT] = {"an object", cJSON_Object},
    [SKY_SEED_MAP] = {"an object or a list", cJSON_Object | cJSON_Array},
    [SKY_SEED_ANY] = {"a value", ~0},
};

static bool is_of(const cJSON *value, enum sky_seed_kind kind)
{
    return value->type & kinds[kind].types;
}

bool sky_seed_is(struct sky_seed_reader *reader, const cJSON *value, enum sky_seed_kind kind)
{
    if (is_of(value, kind))
        return true;
    sky_seed_error(reader, "expected %s, this is %s", kinds[kind].name, type_name(value));
    return false;
}

static struct sky_seed_field *find_field(struct sky_seed_field *fields, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static const char *similar_field(const struct sky_seed_reader *reader, const char *name,
                                 const struct sky_seed_field *fields, size_t count)
{
    sky_span given = sky_span_str(name);
    if (reader->config->similar == NULL || given.len > SKY_SEED_SHOWN_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (reader->config->similar(given, sky_span_str(fields[i].name)))
            return fields[i].name;
    return NULL;
}

static void report_unknown(struct sky_seed_reader *reader, const char *name, const char *meant,
                           const struct sky_seed_field *fields, size_t count)
{
    if (meant != NULL) {
        sky_seed_error_at(reader, name, "unknown field \"%s\"; did you mean \"%s\"?",
                          sky_seed_show(name).text, meant);
        return;
    }
    char known[SKY_WHY_REASON_MAX] = "";
    size_t len = 0;
    for (size_t i = 0; i < count && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "",
                                fields[i].name);
    sky_seed_error_at(reader, name, "unknown field \"%s\"; known here: %s",
                      sky_seed_show(name).text, known);
}

bool sky_seed_object(struct sky_seed_reader *reader, const cJSON *value,
                     struct sky_seed_field *fields, size_t count,
                     const char *(*hint)(const struct sky_seed_reader *reader, const char *name,
                                         const struct sky_seed_field *fields, size_t count))
{
    if (!sky_seed_is(reader, value, SKY_SEED_OBJECT))
        return false;
    const cJSON *member;
    cJSON_ArrayForEach (member, value) {
        struct sky_seed_field *field = find_field(fields, count, member->string);
        if (field == NULL) {
            const char *meant = hint ? hint(reader, member->string, fields, count) : NULL;
            if (meant == NULL)
                meant = similar_field(reader, member->string, fields, count);
            report_unknown(reader, member->string, meant, fields, count);
            continue;
        }
        if (is_of(member, field->kind)) { /* as nearly always */
            field->value = member;
            continue;
        }
        size_t mark = sky_seed_down_key(reader, field->name);
        (void)sky_seed_is(reader, member, field->kind);
        sky_seed_up(reader, mark);
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && cJSON_GetObjectItemCaseSensitive(value, fields[i].name) == NULL)
            sky_seed_error(reader, "\"%s\" is missing", fields[i].name);
    return true;
}

bool sky_seed_text(struct sky_seed_reader *reader, const struct sky_seed_field *field, char *out,
                   size_t max)
{
    out[0] = '\0';
    if (field->value == NULL)
        return true;
    sky_span text = sky_span_str(field->value->valuestring);
    if (text.len == 0)
        sky_seed_error_at(reader, field->name, "\"%s\" is empty; give a value%s", field->name,
                          field->required ? "" : ", or leave the field out");
    else if (text.len > max)
        sky_seed_error_at(reader, field->name, "\"%s\" has %zu bytes; %zu is the most", field->name,
                          text.len, max);
    for (size_t i = 0; i < text.len && text.len <= max; i++) {
        if (is_control(text.ptr[i])) {
            sky_seed_error_at(reader, field->name,
                              "\"%s\" has a control character (byte 0x%02x) in it", field->name,
                              (unsigned char)text.ptr[i]);
            return false;
        }
    }
    return text.len > 0 && sky_span_copy(text, out, max + 1);
}

sky_err sky_seed_check_key(const char *what, sky_span key, struct sky_why *why)
{
    if (key.len == 0)
        return sky_why_set(why, SKY_ERR_INVALID, "", "\"%s\" is empty; give a value", what);
    if (key.len > SKY_KEY_MAX)
        return sky_why_set(why, SKY_ERR_INVALID, "", "\"%s\" has %zu bytes; %d is the most", what,
                           key.len, SKY_KEY_MAX);
    for (size_t i = 0; i < key.len; i++)
        if (is_control(key.ptr[i]) || memchr(" /+#", key.ptr[i], 4) != NULL)
            return sky_why_set(why, SKY_ERR_INVALID, "",
                               "\"%s\" has '%c' in it; blanks, control characters, '/', '+' and "
                               "'#' are not for keys: keys are parts of topics",
                               what, is_control(key.ptr[i]) ? '?' : key.ptr[i]);
    return SKY_OK;
}

bool sky_seed_key(struct sky_seed_reader *reader, const struct sky_seed_field *field,
                  char out[SKY_KEY_MAX + 1])
{
    out[0] = '\0';
    if (field->value == NULL)
        return false;
    struct sky_why why;
    sky_span key = sky_span_str(field->value->valuestring);
    if (sky_seed_check_key(field->name, key, &why) == SKY_OK)
        return sky_span_copy(key, out, SKY_KEY_MAX + 1);
    sky_seed_error_at(reader, field->name, "%s", why.reason);
    return false;
}

bool sky_seed_bool(const struct sky_seed_field *field, bool otherwise)
{
    return field->value ? cJSON_IsTrue(field->value) : otherwise;
}
