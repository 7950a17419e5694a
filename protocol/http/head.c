#include "protocol/http/head.h"

#include "auth/text.h"
#include "protocol/base/mem.h"

/* The methods there are, and whether a body comes with them. */
static const struct method {
    const char *name;
    bool has_body;
} methods[] = {{"GET", false},  {"HEAD", false},   {"POST", true},    {"PUT", true},
               {"PATCH", true}, {"DELETE", false}, {"OPTIONS", false}};

/* ---- lines ---- */

size_t sky_http_head_blank(sky_span in)
{
    size_t len = 0;
    while (sky_span_starts(sky_span_tail(in, len), SKY_SPAN("\r\n")))
        len += 2;
    return len;
}

size_t sky_http_head_len(sky_span in)
{
    size_t line = 0;
    while (line < in.len) {
        const char *end = memchr(in.ptr + line, '\n', in.len - line);
        if (end == NULL)
            return 0;
        size_t next = (size_t)(end - in.ptr) + 1;
        bool ends_well = next - line >= 2 && end[-1] == '\r';
        if (!ends_well || next - line == 2)
            return next;
        line = next;
    }
    return 0;
}

int sky_http_head_excess(sky_span in)
{
    return sky_span_contains(in, SKY_SPAN("\n")) ? 431 : 414;
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

/* What methods and names of headers are made of (RFC 9110 §5.6.2). */
static bool is_token(sky_span text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!plain && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* Without the blanks around it; nothing else counts as one (RFC 9110 §5.6.3). */
static sky_span trim(sky_span text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = sky_span_tail(text, 1);
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Splits "Name: value". False when it is no header line; a name never ends in a blank, and a line
 * never goes on with the next one (RFC 9112 §5). */
static bool split_header(sky_span line, sky_span *ret_name, sky_span *ret_value)
{
    if (!sky_span_cut(line, ':', ret_name, ret_value) || !is_token(*ret_name))
        return false;
    *ret_value = trim(*ret_value);
    return memchr(line.ptr, '\0', line.len) == NULL && memchr(line.ptr, '\n', line.len) == NULL &&
           memchr(line.ptr, '\r', line.len) == NULL;
}

/* Goes on to the next header of that name. */
static bool next_header(sky_span *headers, const char *name, sky_span *ret_value)
{
    sky_span key, value;
    while (headers->len > 0) {
        if (split_header(take_line(headers), &key, &value) &&
            sky_span_eq_nocase(key, sky_span_str(name))) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

bool sky_http_head_header(sky_span headers, const char *name, sky_span *ret_value)
{
    return next_header(&headers, name, ret_value);
}

static bool has_item(sky_span list, const char *item)
{
    sky_span piece;
    while (sky_span_next(&list, ',', &piece)) {
        if (sky_span_eq_nocase(trim(piece), sky_span_str(item)))
            return true;
    }
    return false;
}

bool sky_http_head_lists(sky_span headers, const char *name, const char *item)
{
    sky_span value;
    while (next_header(&headers, name, &value)) {
        if (has_item(value, item))
            return true;
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

/* ---- the request line ---- */

/* What is being collected while the head is read. */
struct parse {
    struct sky_http_head *head;
    const char **reason;
    const struct method *method;
    size_t hosts;
    bool absolute, has_length, coded;
    bool closes, stays, upgrades, websocket; /* what the lists of Connection and Upgrade have */
};

static int refuse(struct parse *parse, int status, const char *reason)
{
    *parse->reason = reason;
    return status;
}

/* A name or address, and perhaps a port (RFC 3986 §3.2, without user information). */
static bool is_authority(sky_span text)
{
    static const char marks[] = "-._~%!$&'()*+,;=:[]";
    const char *colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
    const char *bracket = text.len > 0 ? memrchr(text.ptr, ']', text.len) : NULL;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!plain && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    sky_span name = sky_http_host_name(text), port = SKY_SPAN_NONE;
    if (colon != NULL && colon > bracket)
        port = sky_span_tail(text, (size_t)(colon - text.ptr) + 1);
    int64_t number = 0;
    bool bracketed = text.len > 0 && text.ptr[0] == '[';
    if (bracketed && bracket != NULL && bracket != text.ptr + text.len - 1 && bracket[1] != ':')
        return false;
    return name.len > 0 && (port.len == 0 || (sky_span_to_int(port, &number) && number < 65536)) &&
           bracketed == (bracket != NULL) && (bracketed || memchr(name.ptr, ':', name.len) == NULL);
}

sky_span sky_http_host_name(sky_span host)
{
    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);
        return end != NULL ? sky_span_of(host.ptr + 1, (size_t)(end - host.ptr) - 1)
                           : SKY_SPAN_NONE;
    }
    const char *colon = host.len > 0 ? memrchr(host.ptr, ':', host.len) : NULL;
    return colon != NULL ? sky_span_head(host, (size_t)(colon - host.ptr)) : host;
}

/* Takes "http://host" off an absolute target, which every server is to accept (§3.2.2). */
static bool take_authority(struct parse *parse, sky_span *target)
{
    static const sky_span schemes[] = {SKY_SPAN("http://"), SKY_SPAN("https://")};
    for (size_t i = 0; i < SKY_COUNT(schemes); i++) {
        if (!sky_span_eq_nocase(sky_span_head(*target, schemes[i].len), schemes[i]))
            continue;
        sky_span rest = sky_span_tail(*target, schemes[i].len);
        size_t len = 0;
        while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
            len++;
        parse->absolute = true;
        parse->head->host = sky_span_head(rest, len);
        *target = sky_span_tail(rest, len);
        return is_authority(parse->head->host);
    }
    return true;
}

_Static_assert(SKY_HTTP_TARGET_MAX == 4096, "as its refusal says");

static int parse_target(struct parse *parse, sky_span target)
{
    struct sky_http_head *head = parse->head;
    if (target.len > SKY_HTTP_TARGET_MAX)
        return refuse(parse, 414, "the request target is longer than 4096 bytes");
    for (size_t i = 0; i < target.len; i++) {
        if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == 0x7f)
            return refuse(parse, 400, "the request target is not a path");
    }
    if (!take_authority(parse, &target))
        return refuse(parse, 400, "the request target names no host");
    bool asterisk = sky_span_eq(target, SKY_SPAN("*")) &&
                    sky_span_eq(head->method, SKY_SPAN("OPTIONS")) && !parse->absolute;
    if (parse->absolute && (target.len == 0 || target.ptr[0] == '?')) {
        head->path = SKY_SPAN("/");
        head->query = sky_span_tail(target, 1);
    } else if (!asterisk && (target.len == 0 || target.ptr[0] != '/')) {
        return refuse(parse, 400, "the request target is not a path");
    } else if (!sky_span_cut(target, '?', &head->path, &head->query)) {
        head->path = target;
    }
    return 0;
}

/* "HTTP/1.1": name in capitals, one digit each (§2.3). */
static int parse_version(struct parse *parse, sky_span version)
{
    sky_span digits = sky_span_tail(version, 5), minor = SKY_SPAN_NONE, major;
    int64_t number;
    if (!sky_span_starts(version, SKY_SPAN("HTTP/")))
        return refuse(parse, 400, "the request line does not end in a version");
    if (!sky_span_cut(digits, '.', &major, &minor))
        major = digits;
    if (major.len != 1 || !sky_span_to_int(major, &number) || minor.len > 1 ||
        (minor.len == 0 && digits.len != 1) || (minor.len == 1 && !sky_span_to_int(minor, &number)))
        return refuse(parse, 400, "the version is not HTTP/DIGIT.DIGIT");
    if (major.ptr[0] != '1')
        return refuse(parse, 505, "only HTTP/1.0 and HTTP/1.1 are spoken");
    if (minor.len == 0)
        return refuse(parse, 400, "the version is not HTTP/DIGIT.DIGIT");
    parse->head->older = minor.ptr[0] == '0';
    parse->head->keep_alive = !parse->head->older;
    return 0;
}

static int parse_request_line(struct parse *parse, sky_span line)
{
    sky_span target, version, rest;
    struct sky_http_head *head = parse->head;
    if (!sky_span_cut(line, ' ', &head->method, &rest) ||
        !sky_span_cut(rest, ' ', &target, &version))
        return refuse(parse, 400, "the request line is not METHOD TARGET VERSION");
    if (!is_token(head->method))
        return refuse(parse, 400, "the method is not a word");
    int status = parse_target(parse, target);
    if (status == 0)
        status = parse_version(parse, version);
    if (status != 0)
        return status;
    parse->method = find_method(head->method);
    return parse->method != NULL ? 0 : refuse(parse, 501, "the method is not known");
}

/* ---- header lines ---- */

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

/* Whoever does not know a coding cannot tell where the body ends (§6.1). */
static int parse_coding(struct parse *parse, sky_span value)
{
    if (parse->head->older)
        return refuse(parse, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (parse->coded)
        return refuse(parse, 400, "there are two Transfer-Encoding");
    parse->coded = true;
    parse->head->chunked = sky_span_eq_nocase(value, SKY_SPAN("chunked"));
    if (parse->head->chunked)
        return 0;
    sky_span last = value, rest = value;
    while (sky_span_next(&rest, ',', &last))
        continue;
    if (!sky_span_eq_nocase(trim(last), SKY_SPAN("chunked")))
        return refuse(parse, 400, "the last transfer coding is not chunked");
    return refuse(parse, 501, "no transfer coding but chunked is known");
}

static int parse_header(struct parse *parse, sky_span line)
{
    struct sky_http_head *head = parse->head;
    sky_span name, value;
    if (!split_header(line, &name, &value))
        return refuse(parse, 400, "a header line is not NAME: VALUE");
    if (sky_span_eq_nocase(name, SKY_SPAN("content-length")))
        return parse_length(parse, value);
    if (sky_span_eq_nocase(name, SKY_SPAN("transfer-encoding")))
        return parse_coding(parse, value);
    if (sky_span_eq_nocase(name, SKY_SPAN("connection"))) {
        parse->closes |= has_item(value, "close");
        parse->stays |= has_item(value, "keep-alive");
        parse->upgrades |= has_item(value, "upgrade");
    } else if (sky_span_eq_nocase(name, SKY_SPAN("upgrade"))) {
        parse->websocket |= has_item(value, "websocket");
    } else if (sky_span_eq_nocase(name, SKY_SPAN("expect"))) {
        /* An older client does not know what to do with the answer (RFC 9110 §10.1.1). */
        head->expects_continue =
            !head->older && sky_span_eq_nocase(value, SKY_SPAN("100-continue"));
    } else if (sky_span_eq_nocase(name, SKY_SPAN("host"))) {
        if (!parse->absolute)
            head->host = value;
        parse->hosts++;
        if (!is_authority(value))
            head->host_fault = "its Host is no name or address";
    }
    return 0;
}

static void conclude(struct parse *parse)
{
    struct sky_http_head *head = parse->head;
    if (parse->closes)
        head->keep_alive = false;
    else if (parse->stays)
        head->keep_alive = true;
    head->upgrades = !head->older && sky_span_eq(head->method, SKY_SPAN("GET")) &&
                     parse->upgrades && parse->websocket;
    if (parse->hosts > 1)
        head->host_fault = "it has two Host";
    else if (parse->hosts == 0 && !head->older)
        head->host_fault = "it has no Host";
}

/* Neither length nor chunks: no body (§6.3). Both: somebody between may have read it otherwise. */
static int check_body(struct parse *parse)
{
    if (parse->coded && parse->has_length)
        return refuse(parse, 400, "there are both Content-Length and Transfer-Encoding");
    if (!parse->method->has_body && parse->head->body_len > 0)
        return refuse(parse, 400, "this method takes no body");
    return 0;
}

int sky_http_head_parse(sky_span head, struct sky_http_head *ret_head, const char **ret_reason)
{
    struct parse parse = {.head = ret_head, .reason = ret_reason};
    *ret_head = (struct sky_http_head){0};
    bool ends_well = sky_span_ends(head, SKY_SPAN("\r\n"));
    sky_span rest = sky_span_head(head, head.len - (ends_well ? 2 : 0)); /* the empty line */
    int status = parse_request_line(&parse, take_line(&rest));
    ret_head->headers = rest.len > 2 ? sky_span_head(rest, rest.len - 2) : SKY_SPAN_NONE;
    if (!ends_well)
        return refuse(&parse, 400, "a line ends in LF without its CR");
    while (status == 0 && rest.len > 0)
        status = parse_header(&parse, take_line(&rest));
    if (status != 0)
        return status;
    conclude(&parse);
    return check_body(&parse);
}

/* ---- percent-encoding ---- */

bool sky_http_decode(sky_span text, bool plus, char *out, size_t out_size)
{
    char decoded[SKY_HTTP_TARGET_MAX];
    size_t len;
    return sky_percent_decode(text, plus, decoded, sizeof decoded, &len) &&
           memchr(decoded, '\0', len) == NULL &&
           sky_span_copy(sky_span_of(decoded, len), out, out_size);
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
