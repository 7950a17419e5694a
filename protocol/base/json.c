#include "protocol/base/json.h"

#include <math.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"

/* cJSON takes control characters for blanks, lets "01" and "\u0000" pass and recurses as it goes.
 * So a document is first scanned against RFC 8259 without recursion; the tree is built only from
 * what passed. */

struct scan {
    const char *start, *at, *end;
    const char *fault; /* what is wrong at `at`, once a step returned false */
    int depth, depth_max;
    uint64_t objects; /* bit n: the container at depth n + 1 is an object */
};

static bool fail(struct scan *scan, const char *fault)
{
    scan->fault = fault;
    return false;
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
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    return scan->at - first <= SKY_JSON_NUMBER_MAX || fail(scan, "a number with too many digits");
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

static bool scan_key(struct scan *scan)
{
    skip_blanks(scan);
    if (peek(scan) != '"')
        return fail(scan, "a key in double quotes is missing");
    if (!scan_string(scan))
        return false;
    skip_blanks(scan);
    if (peek(scan) != ':')
        return fail(scan, "':' is missing after a key");
    scan->at++;
    return true;
}

static bool in_object(const struct scan *scan)
{
    return scan->objects >> (scan->depth - 1) & 1;
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
            return !in_object(scan) || scan_key(scan);
        }
        if (peek(scan) != closer(scan))
            return fail(scan, in_object(scan) ? "',' or '}' is missing" : "',' or ']' is missing");
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

/* The way from a node up to the root, for naming it. */
struct step {
    const struct step *up; /* NULL at the root */
    const char *key;       /* NULL: an array's element */
    size_t index;
};

static void write_pointer(struct sky_buf *out, const struct step *step)
{
    if (step->up == NULL)
        return;
    write_pointer(out, step->up);
    sky_buf_add_byte(out, '/');
    if (step->key == NULL) {
        sky_buf_addf(out, "%zu", step->index);
        return;
    }
    for (const char *c = step->key; *c != '\0'; c++) {
        if (*c == '~' || *c == '/') /* RFC 6901 §3 */
            sky_buf_add_str(out, *c == '~' ? "~0" : "~1");
        else
            sky_buf_add_byte(out, (uint8_t)*c);
    }
}

static sky_err fault_in(const struct step *step, const char *fault, struct sky_why *why)
{
    struct sky_buf pointer;
    sky_buf_init(&pointer, SKY_WHY_POINTER_MAX - 1);
    write_pointer(&pointer, step);
    sky_buf_add_byte(&pointer, '\0');
    sky_err err =
        sky_why_set(why, SKY_ERR_INVALID, pointer.overflow ? "" : pointer.bytes, "%s", fault);
    sky_buf_done(&pointer);
    return err;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A key that `object` has twice, or NULL. */
static const char *twin_key(const cJSON *object)
{
    size_t count = 0;
    const cJSON *member;
    cJSON_ArrayForEach (member, object)
        count++;
    if (count < 2)
        return NULL;
    const char **keys = sky_mem_new(count * sizeof *keys);
    size_t at = 0;
    cJSON_ArrayForEach (member, object)
        keys[at++] = member->string;
    qsort(keys, count, sizeof *keys, compare_keys);
    const char *twin = NULL;
    for (at = 1; at < count && twin == NULL; at++)
        twin = strcmp(keys[at - 1], keys[at]) == 0 ? keys[at] : NULL;
    free(keys);
    return twin;
}

/* What the grammar does not forbid and the tree cannot carry: equal keys in one object (RFC 8259
 * §4) and numbers beyond a double (§6). */
static sky_err check_tree(const cJSON *node, const struct step *step, struct sky_why *why)
{
    if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
        return fault_in(step, "the number is too large", why);
    const char *twin = cJSON_IsObject(node) ? twin_key(node) : NULL;
    if (twin != NULL)
        return fault_in(&(struct step){step, twin, 0}, "the key is there twice", why);
    struct step below = {.up = step};
    const cJSON *child;
    cJSON_ArrayForEach (child, node) {
        below.key = child->string;
        sky_err err = check_tree(child, &below, why);
        if (err != SKY_OK)
            return err;
        below.index++;
    }
    return SKY_OK;
}

sky_err sky_json_parse(sky_span text, int depth_max, cJSON **ret_tree, struct sky_why *why)
{
    SKY_ASSERT(depth_max >= 0 && depth_max <= SKY_JSON_DEPTH_MAX);
    if (text.ptr == NULL)
        text = SKY_SPAN("");
    size_t valid = sky_utf8_valid(text);
    if (valid < text.len)
        return fault_at(text, valid, "a NUL byte or invalid UTF-8", why);
    struct scan scan = {
        .start = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .depth_max = depth_max};
    if (!scan_document(&scan))
        return fault_at(text, (size_t)(scan.at - scan.start), scan.fault, why);
    cJSON *tree = cJSON_ParseWithLength(text.ptr, text.len);
    SKY_ASSERT(tree != NULL);
    sky_err err = check_tree(tree, &(struct step){0}, why);
    if (err == SKY_OK)
        *ret_tree = tree;
    else
        cJSON_Delete(tree);
    return err;
}

int sky_json_depth(const cJSON *value)
{
    if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
        return 0;
    int deepest = 0;
    const cJSON *child;
    cJSON_ArrayForEach (child, value) {
        int depth = sky_json_depth(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

const cJSON *sky_json_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *sky_json_get_str(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(sky_json_get(object, key));
}
