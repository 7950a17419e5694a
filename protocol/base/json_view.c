#include "protocol/base/json_view.h"

#include <stdlib.h>

#include "protocol/base/json_write.h"

/* ---- steps over text ---- */

/* Behind the string that begins at `at` (its opening quote), or the end of the text. */
static size_t after_string(sky_span text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\')
            at++;
    return at < text.len ? at + 1 : text.len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static sky_span trim(sky_span text)
{
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = sky_span_tail(text, 1);
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static unsigned hex4(const char *digits)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        unit = unit << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

/* Behind "\u". */
static uint32_t take_unicode(sky_span *rest)
{
    uint32_t unit = rest->len >= 4 ? hex4(rest->ptr) : 0xfffd;
    *rest = sky_span_tail(*rest, 4);
    if (unit < 0xd800 || unit > 0xdbff || rest->len < 6)
        return unit;
    uint32_t low = hex4(rest->ptr + 2);
    *rest = sky_span_tail(*rest, 6);
    return 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
}

/* The next character of a string without its quotes; there is one. */
static uint32_t take_point(sky_span *rest)
{
    static const char letters[] = "bfnrt", plain[] = "\b\f\n\r\t";
    unsigned char lead = (unsigned char)rest->ptr[0];
    if (lead == '\\' && rest->len > 1) {
        char letter = rest->ptr[1];
        const char *found = memchr(letters, letter, sizeof letters - 1);
        *rest = sky_span_tail(*rest, 2);
        if (letter == 'u')
            return take_unicode(rest);
        return (unsigned char)(found != NULL ? plain[found - letters] : letter);
    }
    size_t len = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len && i < rest->len; i++)
        point = point << 6 | ((unsigned char)rest->ptr[i] & 0x3f);
    *rest = sky_span_tail(*rest, len);
    return point;
}

static void put_point(struct sky_buf *out, uint32_t point)
{
    if (point < 0x80) {
        sky_buf_add_byte(out, (uint8_t)point);
        return;
    }
    int tails = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    sky_buf_add_byte(out, (uint8_t)(leads[tails] | point >> (6 * tails)));
    while (tails-- > 0)
        sky_buf_add_byte(out, (uint8_t)(0x80 | (point >> (6 * tails) & 0x3f)));
}

/* ---- kinds ---- */

static bool starts_with(sky_span value, char c)
{
    return value.len > 0 && value.ptr[0] == c;
}

bool sky_json_is_object(sky_span value)
{
    return starts_with(value, '{');
}

bool sky_json_is_array(sky_span value)
{
    return starts_with(value, '[');
}

bool sky_json_is_string(sky_span value)
{
    return value.len >= 2 && value.ptr[0] == '"';
}

bool sky_json_is_number(sky_span value)
{
    return starts_with(value, '-') || (value.len > 0 && value.ptr[0] >= '0' && value.ptr[0] <= '9');
}

bool sky_json_is_null(sky_span value)
{
    return starts_with(value, 'n');
}

/* ---- members and elements ---- */

sky_span sky_json_inside(sky_span container)
{
    bool whole =
        container.len >= 2 && (sky_json_is_object(container) || sky_json_is_array(container));
    return whole ? trim(sky_span_of(container.ptr + 1, container.len - 2)) : SKY_SPAN_NONE;
}

bool sky_json_next_element(sky_span *rest, sky_span *ret_value)
{
    if (rest->len == 0)
        return false;
    /* What a character means to who skips a value; most mean nothing. */
    enum { PLAIN, QUOTE, OPENING, CLOSING, COMMA };
    static const uint8_t meanings[256] = {
        ['"'] = QUOTE,   ['{'] = OPENING, ['['] = OPENING,
        ['}'] = CLOSING, [']'] = CLOSING, [','] = COMMA,
    };
    size_t at = 0, depth = 0;
    while (at < rest->len) {
        uint8_t meaning = meanings[(uint8_t)rest->ptr[at]];
        if (meaning == COMMA && depth == 0)
            break;
        depth += meaning == OPENING;
        depth -= depth > 0 && meaning == CLOSING;
        at = meaning == QUOTE ? after_string(*rest, at) : at + 1;
    }
    *ret_value = trim(sky_span_head(*rest, at));
    *rest = sky_span_tail(*rest, at + 1);
    return true;
}

bool sky_json_next_member(sky_span *rest, struct sky_json_member *ret_member)
{
    sky_span whole;
    if (!sky_json_next_element(rest, &whole) || !sky_json_is_string(whole))
        return false;
    size_t quote = after_string(whole, 0);
    ret_member->key = sky_json_text(sky_span_head(whole, quote));
    sky_span behind = trim(sky_span_tail(whole, quote)); /* the colon and the value */
    ret_member->value = trim(sky_span_tail(behind, 1));
    return true;
}

sky_span sky_json_member(sky_span object, const char *key)
{
    struct sky_json_member member;
    sky_span rest = sky_json_is_object(object) ? sky_json_inside(object) : SKY_SPAN_NONE;
    while (sky_json_next_member(&rest, &member))
        if (sky_json_reads(member.key, key))
            return member.value;
    return SKY_SPAN_NONE;
}

/* ---- strings and numbers ---- */

sky_span sky_json_text(sky_span value)
{
    return sky_json_is_string(value) ? sky_span_of(value.ptr + 1, value.len - 2) : value;
}

/* UTF-8 sorts by bytes as its characters do, so both halves below agree. */
int sky_json_compare(sky_span a, sky_span b)
{
    size_t at = 0, shorter = a.len < b.len ? a.len : b.len;
    while (at < shorter && a.ptr[at] == b.ptr[at] && a.ptr[at] != '\\')
        at++;
    a = sky_span_tail(a, at);
    b = sky_span_tail(b, at);
    if (!starts_with(a, '\\') && !starts_with(b, '\\')) {
        int first = a.len > 0 ? (unsigned char)a.ptr[0] : -1;
        return first - (b.len > 0 ? (unsigned char)b.ptr[0] : -1);
    }
    while (a.len > 0 && b.len > 0) {
        uint32_t first = take_point(&a), second = take_point(&b);
        if (first != second)
            return first < second ? -1 : 1;
    }
    return (a.len > 0) - (b.len > 0);
}

bool sky_json_reads(sky_span written, const char *text)
{
    return sky_json_compare(written, sky_span_str(text)) == 0;
}

void sky_json_decode(struct sky_buf *out, sky_span written)
{
    while (written.len > 0) {
        const char *escape = memchr(written.ptr, '\\', written.len);
        size_t plain = escape != NULL ? (size_t)(escape - written.ptr) : written.len;
        sky_buf_add(out, sky_span_head(written, plain));
        written = sky_span_tail(written, plain);
        if (written.len > 0)
            put_point(out, take_point(&written));
    }
}

struct sky_json_size sky_json_measure(sky_span written)
{
    struct sky_json_size size = {0};
    while (written.len > 0) {
        uint32_t point = take_point(&written);
        size.bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        size.characters++;
    }
    return size;
}

sky_span sky_json_string(struct sky_arena *arena, sky_span value)
{
    struct sky_buf plain;
    if (!sky_json_is_string(value))
        return SKY_SPAN_NONE;
    sky_buf_init(&plain, value.len);
    sky_json_decode(&plain, sky_json_text(value));
    sky_span kept = sky_arena_copy(arena, sky_buf_span(&plain));
    sky_buf_done(&plain);
    return kept;
}

double sky_json_number(sky_span value)
{
    char text[SKY_JSON_NUMBER_MAX + 1];
    return sky_json_is_number(value) && sky_span_copy(value, text, sizeof text) ? strtod(text, NULL)
                                                                                : 0;
}

/* ---- whole values ---- */

void sky_json_pointer_plain(struct sky_buf *out, sky_span key)
{
    sky_buf_add_byte(out, '/');
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~' || key.ptr[i] == '/')
            sky_buf_add_str(out, key.ptr[i] == '~' ? "~0" : "~1");
        else
            sky_buf_add_byte(out, (uint8_t)key.ptr[i]);
    }
}

void sky_json_pointer_step(struct sky_buf *out, sky_span key)
{
    struct sky_buf plain;
    sky_buf_init(&plain, key.len);
    sky_json_decode(&plain, key);
    sky_json_pointer_plain(out, sky_buf_span(&plain));
    sky_buf_done(&plain);
}

static bool holds(const char *from, sky_span upto, sky_span part)
{
    return part.ptr >= from && part.ptr + part.len <= upto.ptr + upto.len;
}

/* Steps into the member or element that holds the part. False: none does. */
static bool step_towards(sky_span *value, sky_span part, struct sky_buf *step)
{
    struct sky_json_member member;
    sky_span element, rest = sky_json_inside(*value);
    bool object = sky_json_is_object(*value);
    for (size_t i = 0; !object && sky_json_next_element(&rest, &element); i++) {
        if (holds(element.ptr, element, part)) {
            *value = element;
            return sky_buf_addf(step, "/%zu", i);
        }
    }
    while (object && sky_json_next_member(&rest, &member)) {
        if (holds(member.key.ptr, member.value, part)) {
            *value = member.value;
            sky_json_pointer_step(step, member.key);
            return !step->overflow;
        }
    }
    return false;
}

void sky_json_pointer(sky_span text, sky_span part, char *out, size_t out_size)
{
    size_t len = 0;
    struct sky_buf step;
    sky_buf_init(&step, out_size - 1);
    text = trim(text);
    while (!(part.ptr == text.ptr && part.len == text.len) && step_towards(&text, part, &step) &&
           len + step.len < out_size) {
        memcpy(out + len, step.bytes, step.len);
        len += step.len;
        sky_buf_clear(&step);
    }
    out[len] = '\0';
    sky_buf_done(&step);
}

int sky_json_depth(sky_span value)
{
    int depth = 0, deepest = 0;
    for (size_t at = 0; at < value.len;) {
        char c = value.ptr[at];
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        deepest = depth > deepest ? depth : deepest;
        at = c == '"' ? after_string(value, at) : at + 1;
    }
    return deepest;
}

void sky_json_respell(struct sky_buf *out, sky_span written)
{
    struct sky_buf plain;
    struct sky_jw jw = sky_jw(out);
    sky_buf_init(&plain, written.len);
    sky_json_decode(&plain, written);
    sky_jw_str(&jw, sky_buf_span(&plain));
    sky_buf_done(&plain);
}

/* Takes the next token, or run of tokens, off the text, without the blanks before it. */
static sky_span take_run(sky_span *rest)
{
    size_t at = 0, end = 0;
    while (at < rest->len && is_blank(rest->ptr[at]))
        at++;
    for (end = at; end < rest->len && !is_blank(rest->ptr[end]) && rest->ptr[end] != '"';)
        end++;
    if (end == at && end < rest->len)
        end = after_string(*rest, end);
    sky_span run = sky_span_head(sky_span_tail(*rest, at), end - at);
    *rest = sky_span_tail(*rest, end);
    return run;
}

void sky_json_rewrite(struct sky_buf *out, sky_span value)
{
    while (value.len > 0) {
        sky_span run = take_run(&value);
        if (sky_json_is_string(run) && memchr(run.ptr, '\\', run.len) != NULL)
            sky_json_respell(out, sky_json_text(run));
        else
            sky_buf_add(out, run);
    }
}

sky_span sky_json_compact(struct sky_arena *arena, sky_span value)
{
    if (!sky_json_is_object(value) && !sky_json_is_array(value))
        return value;
    char *out = sky_arena_take(arena, value.len + 1);
    size_t len = 0;
    while (value.len > 0) {
        sky_span run = take_run(&value);
        if (run.len > 0)
            memcpy(out + len, run.ptr, run.len);
        len += run.len;
    }
    return sky_span_of(out, len);
}

static int compare_members(const void *a, const void *b)
{
    const struct sky_json_member *first = a, *second = b;
    return sky_json_compare(first->key, second->key);
}

struct sky_json_index sky_json_index(sky_span object, struct sky_arena *arena)
{
    struct sky_json_member member, *members;
    sky_span inside = sky_json_is_object(object) ? sky_json_inside(object) : SKY_SPAN_NONE;
    sky_span rest = inside;
    size_t count = 0;
    while (sky_json_next_member(&rest, &member))
        count++;
    if (count == 0)
        return (struct sky_json_index){0};
    members = sky_arena_take(arena, count * sizeof *members);
    rest = inside;
    for (size_t i = 0; i < count; i++)
        (void)sky_json_next_member(&rest, &members[i]);
    qsort(members, count, sizeof *members, compare_members);
    return (struct sky_json_index){members, count};
}

sky_span sky_json_find(const struct sky_json_index *index, sky_span key)
{
    const struct sky_json_member wanted = {.key = key};
    if (index->count == 0)
        return SKY_SPAN_NONE;
    const struct sky_json_member *found =
        bsearch(&wanted, index->members, index->count, sizeof wanted, compare_members);
    return found != NULL ? found->value : SKY_SPAN_NONE;
}

static bool same_elements(sky_span a, sky_span b, struct sky_arena *arena)
{
    sky_span first, second;
    a = sky_json_inside(a);
    b = sky_json_inside(b);
    while (sky_json_next_element(&a, &first))
        if (!sky_json_next_element(&b, &second) || !sky_json_same(first, second, arena))
            return false;
    return b.len == 0;
}

static bool same_members(sky_span a, sky_span b, struct sky_arena *arena)
{
    const struct sky_json_index first = sky_json_index(a, arena), second = sky_json_index(b, arena);
    if (first.count != second.count)
        return false;
    for (size_t i = 0; i < first.count; i++)
        if (sky_json_compare(first.members[i].key, second.members[i].key) != 0 ||
            !sky_json_same(first.members[i].value, second.members[i].value, arena))
            return false;
    return true;
}

bool sky_json_same(sky_span a, sky_span b, struct sky_arena *arena)
{
    if (sky_span_eq(a, b))
        return true;
    if (sky_json_is_number(a) && sky_json_is_number(b))
        return sky_json_number(a) == sky_json_number(b);
    if (sky_json_is_string(a) && sky_json_is_string(b))
        return sky_json_compare(sky_json_text(a), sky_json_text(b)) == 0;
    if (sky_json_is_array(a) && sky_json_is_array(b))
        return same_elements(a, b, arena);
    return sky_json_is_object(a) && sky_json_is_object(b) && same_members(a, b, arena);
}
