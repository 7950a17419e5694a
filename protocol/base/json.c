#include "protocol/base/json.h"

#include <math.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"

/* One pass without recursion. The keys of every object that is open lie on a stack, those of the
 * innermost on top; when an object ends, its keys are sorted to find equal ones. A container's way
 * from the root is then the last key, or the index, at each level: so a fault can be pointed at. */

enum { KEYS_FEW = 32 };

struct level {
    size_t keys;  /* an object's begin here on the stack */
    size_t index; /* of an array's present element */
};

struct scan {
    const char *start, *at, *end;
    const char *fault; /* what is wrong at `at`, once a step returned false */
    bool pointed;      /* the fault is in a value as such, not in how it is written */
    int depth, depth_max;
    uint64_t objects; /* bit n: the container at depth n + 1 is an object */
    struct level levels[SKY_JSON_DEPTH_MAX];
    sky_span *keys; /* without their quotes; `few` as long as they fit */
    size_t key_count, key_room;
    sky_span few[KEYS_FEW];
};

static bool fail(struct scan *scan, const char *fault)
{
    scan->fault = fault;
    return false;
}

static bool fail_in_value(struct scan *scan, const char *fault)
{
    scan->pointed = true;
    return fail(scan, fault);
}

static char peek(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && memchr(" \t\r\n", *scan->at, 4) != NULL)
        scan->at++;
}

static bool scan_hex4(struct scan *scan, unsigned *ret_unit)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        char c = peek(scan);
        char lower = (char)(c | 0x20);
        if (is_digit(c))
            unit = unit << 4 | (unsigned)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            unit = unit << 4 | (unsigned)(lower - 'a' + 10);
        else
            return fail(scan, "\\u needs four hexadecimal digits");
    }
    *ret_unit = unit;
    return true;
}

/* Behind "\u". */
static bool scan_unicode_escape(struct scan *scan)
{
    unsigned unit, low;
    if (!scan_hex4(scan, &unit))
        return false;
    if (unit == 0)
        return fail(scan, "\\u0000 is not accepted in a string");
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit > 0xdbff || scan->end - scan->at < 2 || memcmp(scan->at, "\\u", 2) != 0)
        return fail(scan, "half of a surrogate pair");
    scan->at += 2;
    if (!scan_hex4(scan, &low))
        return false;
    return (low >= 0xdc00 && low <= 0xdfff) || fail(scan, "half of a surrogate pair");
}

static bool scan_string(struct scan *scan)
{
    for (scan->at++; scan->at < scan->end; scan->at++) {
        unsigned char c = (unsigned char)*scan->at;
        if (c < 0x20)
            return fail(scan, "a control character in a string must be escaped");
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c != '\\')
            continue;
        scan->at++;
        if (peek(scan) == 'u') {
            scan->at++;
            if (!scan_unicode_escape(scan))
                return false;
            scan->at--;
        } else if (peek(scan) == '\0' || strchr("\"\\/bfnrt", peek(scan)) == NULL) {
            return fail(scan, "an unknown escape in a string");
        }
    }
    return fail(scan, "a string without its closing quote");
}

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(peek(scan)))
        return fail(scan, "a digit is missing in a number");
    while (is_digit(peek(scan)))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    const char *first = scan->at;
    bool exponent = false;
    if (peek(scan) == '-')
        scan->at++;
    if (peek(scan) == '0' && scan->at + 1 < scan->end && is_digit(scan->at[1]))
        return fail(scan, "a number with a leading zero");
    if (!scan_digits(scan))
        return false;
    if (peek(scan) == '.') {
        scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        exponent = true;
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (scan->at - first > SKY_JSON_NUMBER_MAX)
        return fail(scan, "a number of more than 63 characters");
    return !exponent || isfinite(sky_json_number(sky_span_of(first, (size_t)(scan->at - first)))) ||
           fail_in_value(scan, "the number is larger than 1.8e308");
}

static bool scan_scalar(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    char c = peek(scan);
    if (c == '"')
        return scan_string(scan);
    if (c == '-' || is_digit(c))
        return scan_number(scan);
    for (size_t i = 0; i < SKY_COUNT(words); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, words[i], len) == 0) {
            scan->at += len;
            return true;
        }
    }
    return fail(scan, "a value is missing");
}

static bool in_object(const struct scan *scan)
{
    return scan->objects >> (scan->depth - 1) & 1;
}

static struct level *level(struct scan *scan)
{
    return &scan->levels[scan->depth - 1];
}

static void push_key(struct scan *scan, sky_span key)
{
    if (scan->key_count == scan->key_room) {
        bool few = scan->keys == scan->few;
        scan->key_room *= 2;
        scan->keys = sky_mem_grow(few ? NULL : scan->keys, scan->key_room * sizeof *scan->keys);
        if (few)
            memcpy(scan->keys, scan->few, sizeof scan->few);
    }
    scan->keys[scan->key_count++] = key;
}

static bool scan_key(struct scan *scan)
{
    skip_blanks(scan);
    if (peek(scan) != '"')
        return fail(scan, "a key in double quotes is missing");
    const char *first = scan->at + 1;
    if (!scan_string(scan))
        return false;
    if (scan->key_count - level(scan)->keys == SKY_JSON_MEMBERS_MAX)
        return fail_in_value(scan, "an object with more than 65536 members");
    push_key(scan, sky_span_of(first, (size_t)(scan->at - 1 - first)));
    skip_blanks(scan);
    if (peek(scan) != ':')
        return fail(scan, "':' is missing after a key");
    scan->at++;
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    const sky_span *first = a, *second = b;
    return sky_json_compare(*first, *second);
}

/* Where the innermost object ends. One of two equal keys is left on top of the stack. */
static bool drop_keys(struct scan *scan)
{
    sky_span *keys = scan->keys + level(scan)->keys;
    size_t count = scan->key_count - level(scan)->keys;
    if (count > 1)
        qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (sky_json_compare(keys[i - 1], keys[i]) != 0)
            continue;
        keys[count - 1] = keys[i];
        return fail_in_value(scan, "the key is there twice");
    }
    scan->key_count -= count;
    return true;
}

static char closer(const struct scan *scan)
{
    return in_object(scan) ? '}' : ']';
}

static bool open_container(struct scan *scan)
{
    if (scan->depth == scan->depth_max)
        return fail(scan, "nested too deeply");
    uint64_t bit = UINT64_C(1) << scan->depth++;
    scan->objects = *scan->at++ == '{' ? scan->objects | bit : scan->objects & ~bit;
    *level(scan) = (struct level){.keys = scan->key_count};
    return true;
}

/* Reads a scalar, or opens a container up to where its first value begins. `*ret_whole` says that
 * the value is complete: a scalar, or a container without members. */
static bool scan_value(struct scan *scan, bool *ret_whole)
{
    skip_blanks(scan);
    *ret_whole = true;
    if (peek(scan) != '{' && peek(scan) != '[')
        return scan_scalar(scan);
    if (!open_container(scan))
        return false;
    skip_blanks(scan);
    if (peek(scan) == closer(scan))
        return true; /* closed by the caller, as any other container */
    *ret_whole = false;
    return !in_object(scan) || scan_key(scan);
}

/* Behind a whole value: closes what ends here, and stops where the next value begins or, with
 * depth 0, at the end. */
static bool scan_after(struct scan *scan)
{
    while (scan->depth > 0) {
        skip_blanks(scan);
        if (peek(scan) == ',') {
            scan->at++;
            level(scan)->index++;
            return !in_object(scan) || scan_key(scan);
        }
        if (peek(scan) != closer(scan))
            return fail(scan, in_object(scan) ? "',' or '}' is missing" : "',' or ']' is missing");
        if (in_object(scan) && !drop_keys(scan))
            return false;
        scan->at++;
        scan->depth--;
    }
    return true;
}

static bool scan_document(struct scan *scan)
{
    do {
        bool whole;
        if (!scan_value(scan, &whole) || (whole && !scan_after(scan)))
            return false;
    } while (scan->depth > 0);
    skip_blanks(scan);
    return scan->at == scan->end || fail(scan, "something follows the value");
}

/* Lines and columns count from 1, columns in characters. */
static sky_err fault_at(sky_span text, size_t offset, const char *fault, struct sky_why *why)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if ((text.ptr[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return sky_why_set(why, SKY_ERR_INVALID, "", "not JSON at line %d, column %d: %s", line, column,
                       fault);
}

static sky_err fault_in_value(struct scan *scan, struct sky_why *why)
{
    struct sky_buf pointer;
    sky_buf_init(&pointer, SKY_WHY_POINTER_MAX - 1);
    for (int i = 0; i < scan->depth; i++) {
        size_t end = i + 1 < scan->depth ? scan->levels[i + 1].keys : scan->key_count;
        if (scan->objects >> i & 1)
            sky_json_pointer_step(&pointer, scan->keys[end - 1]);
        else
            sky_buf_addf(&pointer, "/%zu", scan->levels[i].index);
    }
    sky_buf_add_byte(&pointer, '\0');
    sky_err err =
        sky_why_set(why, SKY_ERR_INVALID, pointer.overflow ? "" : pointer.bytes, "%s", scan->fault);
    sky_buf_done(&pointer);
    return err;
}

static void begin_scan(struct scan *scan, sky_span text, int depth_max)
{
    scan->start = scan->at = text.ptr;
    scan->end = text.ptr + text.len;
    scan->pointed = false;
    scan->depth = 0;
    scan->depth_max = depth_max;
    scan->objects = 0;
    scan->keys = scan->few;
    scan->key_count = 0;
    scan->key_room = KEYS_FEW;
}

sky_err sky_json_check(sky_span text, int depth_max, struct sky_why *why)
{
    SKY_ASSERT(depth_max >= 0 && depth_max <= SKY_JSON_DEPTH_MAX);
    if (text.ptr == NULL)
        text = SKY_SPAN("");
    size_t valid = sky_utf8_valid(text);
    if (valid < text.len)
        return fault_at(text, valid, "a NUL byte or invalid UTF-8", why);
    struct scan scan; /* its arrays are written before they are read */
    begin_scan(&scan, text, depth_max);
    sky_err err = SKY_OK;
    if (!scan_document(&scan))
        err = scan.pointed ? fault_in_value(&scan, why)
                           : fault_at(text, (size_t)(scan.at - scan.start), scan.fault, why);
    if (scan.keys != scan.few)
        free(scan.keys);
    return err;
}
