#include "server/port/http_head.h"

#include <stdlib.h>

#include "auth/text.h"
#include "protocol/base/mem.h"

/* The methods there are, and whether a body comes with them. */
static const struct method {
    const char *name;
    bool has_body;
} methods[] = {{"GET", false},  {"HEAD", false},   {"POST", true},    {"PUT", true},
               {"PATCH", true}, {"DELETE", false}, {"OPTIONS", false}};

static const struct phrase {
    int status;
    const char *text;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *sky_http_phrase(int status)
{
    for (size_t i = 0; i < SKY_COUNT(phrases); i++) {
        if (phrases[i].status == status)
            return phrases[i].text;
    }
    return "Unknown";
}

size_t sky_http_head_len(sky_span in)
{
    const char *end = in.len ? memmem(in.ptr, in.len, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - in.ptr) + 4 : 0;
}

/* Takes one line off the front, without its CRLF. */
static sky_span take_line(sky_span *rest)
{
    const char *end = memmem(rest->ptr, rest->len, "\r\n", 2);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    sky_span line = sky_span_head(*rest, len);
    *rest = sky_span_tail(*rest, end ? len + 2 : len);
    return line;
}

/* Splits "Name: value". False when it is no header line; a name never ends in a blank, and a line
 * never goes on with the next one (RFC 9112 §5). */
static bool split_header(sky_span line, sky_span *ret_name, sky_span *ret_value)
{
    if (!sky_span_cut(line, ':', ret_name, ret_value) || ret_name->len == 0)
        return false;
    for (size_t i = 0; i < ret_name->len; i++) {
        if ((unsigned char)ret_name->ptr[i] <= ' ' || ret_name->ptr[i] == 0x7f)
            return false;
    }
    *ret_value = sky_span_trim(*ret_value);
    return memchr(line.ptr, '\0', line.len) == NULL && memchr(line.ptr, '\n', line.len) == NULL &&
           memchr(line.ptr, '\r', line.len) == NULL;
}

bool sky_http_head_header(sky_span headers, const char *name, sky_span *ret_value)
{
    sky_span key, value;
    while (headers.len > 0) {
        if (split_header(take_line(&headers), &key, &value) &&
            sky_span_eq_nocase(key, sky_span_str(name))) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static const struct method *find_method(sky_span name)
{
    for (size_t i = 0; i < SKY_COUNT(methods); i++) {
        if (sky_span_eq_str(name, methods[i].name))
            return &methods[i];
    }
    return NULL;
}

/* What is being collected while the head is read. */
struct parse {
    struct sky_http_head *head;
    const char **reason;
    const struct method *method;
    bool has_length, chunked;
};

static int refuse(struct parse *parse, int status, const char *reason)
{
    *parse->reason = reason;
    return status;
}

static bool is_target(sky_span target)
{
    if (target.len == 0 || target.ptr[0] != '/')
        return false;
    for (size_t i = 0; i < target.len; i++) {
        if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static int parse_request_line(struct parse *parse, sky_span line)
{
    sky_span target, version, rest;
    struct sky_http_head *head = parse->head;
    if (!sky_span_cut(line, ' ', &head->method, &rest) ||
        !sky_span_cut(rest, ' ', &target, &version))
        return refuse(parse, 400, "the request line is not METHOD TARGET VERSION");
    if (target.len > SKY_HTTP_TARGET_MAX)
        return refuse(parse, 431, "the request target is too long");
    if (!is_target(target))
        return refuse(parse, 400, "the request target is not a path");
    if (!sky_span_cut(target, '?', &head->path, &head->query))
        head->path = target;
    if (!sky_span_starts(version, SKY_SPAN("HTTP/")))
        return refuse(parse, 400, "the request line does not end in a version");
    if (!sky_span_starts(version, SKY_SPAN("HTTP/1.")) || version.len != 8)
        return refuse(parse, 505, "only HTTP/1.0 and HTTP/1.1 are spoken");
    head->keep_alive = version.ptr[7] != '0';
    parse->method = find_method(head->method);
    if (parse->method == NULL)
        return refuse(parse, 501, "the method is not known");
    return 0;
}

static int parse_length(struct parse *parse, sky_span value)
{
    int64_t len;
    if (!sky_span_to_int(value, &len))
        return refuse(parse, 400, "Content-Length is not a number");
    if (parse->has_length && (uint64_t)len != parse->head->body_len)
        return refuse(parse, 400, "there are two different Content-Length");
    parse->has_length = true;
    parse->head->body_len = (uint64_t)len;
    return 0;
}

static int parse_header(struct parse *parse, sky_span line)
{
    sky_span name, value;
    if (!split_header(line, &name, &value))
        return refuse(parse, 400, "a header line is not NAME: VALUE");
    if (sky_span_eq_nocase(name, SKY_SPAN("content-length")))
        return parse_length(parse, value);
    if (sky_span_eq_nocase(name, SKY_SPAN("transfer-encoding")))
        parse->chunked = true;
    else if (sky_span_eq_nocase(name, SKY_SPAN("expect")))
        parse->head->expects_continue = sky_span_eq_nocase(value, SKY_SPAN("100-continue"));
    else if (sky_span_eq_nocase(name, SKY_SPAN("connection"))) {
        if (sky_span_eq_nocase(value, SKY_SPAN("close")))
            parse->head->keep_alive = false;
        else if (sky_span_eq_nocase(value, SKY_SPAN("keep-alive")))
            parse->head->keep_alive = true;
    }
    return 0;
}

/* The length must be known beforehand: what answers here never reads chunks. */
static int check_body(struct parse *parse)
{
    if (parse->chunked)
        return refuse(parse, 411, "a chunked body is not taken, send Content-Length");
    if (parse->method->has_body && !parse->has_length)
        return refuse(parse, 411, "Content-Length is missing");
    if (!parse->method->has_body && parse->head->body_len > 0)
        return refuse(parse, 400, "this method takes no body");
    return 0;
}

int sky_http_head_parse(sky_span head, struct sky_http_head *ret_head, const char **ret_reason)
{
    struct parse parse = {.head = ret_head, .reason = ret_reason};
    *ret_head = (struct sky_http_head){0};
    sky_span rest = sky_span_head(head, head.len - 2); /* without the empty line */
    int status = parse_request_line(&parse, take_line(&rest));
    ret_head->headers = rest.len > 2 ? sky_span_head(rest, rest.len - 2) : SKY_SPAN_NONE;
    while (status == 0 && rest.len > 0)
        status = parse_header(&parse, take_line(&rest));
    return status ? status : check_body(&parse);
}

bool sky_http_decode(sky_span text, bool plus, char *out, size_t out_size)
{
    size_t len = 0, taken;
    for (size_t i = 0; i < text.len; i++) {
        if (len + 1 >= out_size)
            return false;
        char c = text.ptr[i];
        if (c == '%') {
            uint8_t byte;
            if (text.len - i < 3 ||
                !sky_hex_decode(sky_span_of(text.ptr + i + 1, 2), &byte, 1, &taken) || byte == 0)
                return false;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return true;
}

bool sky_http_query(sky_span query, const char *name, char *out, size_t out_size, bool *ret_bad)
{
    sky_span piece, key, value;
    *ret_bad = false;
    while (sky_span_next(&query, '&', &piece)) {
        if (!sky_span_cut(piece, '=', &key, &value)) {
            key = piece;
            value = SKY_SPAN_NONE;
        }
        if (!sky_span_eq_str(key, name))
            continue;
        *ret_bad = !sky_http_decode(value, true, out, out_size);
        return true;
    }
    return false;
}
