#include "protocol/coap/message.h"

#include <coap3/coap.h>
#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    HEADER_SIZE = 4, /* 3: version, type, token length; code; message id */
    VERSION = 1,
    PAYLOAD_MARKER = 0xff,
    FORMAT_TEXT = 0, /* Content-Formats (12.3) */
    FORMAT_OCTETS = 42,
    FORMAT_JSON = 50,
    HOST_MAX = 255, /* 5.10.1 */
    SHORT_MAX = 2,  /* bytes of a number below 65536 */
    SZX_RESERVED = 7,
    DELTA_TWO_BYTES = 14,
    DELTA_TWO_BYTES_MIN = 269,
};

/* ---- reading ---- */

/* The first fault counts. */
static void refuse(struct sky_coap_message *m, uint16_t number, enum sky_coap_code code)
{
    if (m->refusal != 0)
        return;
    m->refusal = (uint8_t)code;
    m->refused_option = number;
}

static bool append(char *to, size_t size, const char *bytes, size_t len)
{
    size_t used = strlen(to);
    if (used + len >= size)
        return false;
    memcpy(to + used, bytes, len);
    to[used + len] = '\0';
    return true;
}

/* One segment or item behind its separator; what would be taken for a level or an end is written
 * in percent notation (6.5). False when it does not fit. */
static bool join(char *to, size_t size, const char *separator, const coap_option_t *option)
{
    bool fits = append(to, size, separator, strlen(separator));
    for (size_t i = 0; fits && i < option->length; i++) {
        char byte = (char)option->value[i];
        if (byte == '/')
            fits = append(to, size, "%2F", 3);
        else if (byte == '\0')
            fits = append(to, size, "%00", 3);
        else
            fits = append(to, size, &byte, 1);
    }
    return fits;
}

static void read_path(const coap_option_t *option, struct sky_coap_message *m)
{
    if (option->length > SKY_COAP_SEGMENT_MAX)
        refuse(m, COAP_OPTION_URI_PATH, SKY_COAP_BAD_OPTION);
    else if (!join(m->path, sizeof m->path, "/", option))
        refuse(m, COAP_OPTION_URI_PATH, SKY_COAP_NOT_FOUND); /* nothing here has such a name */
}

static void read_query(const coap_option_t *option, struct sky_coap_message *m)
{
    if (option->length > SKY_COAP_SEGMENT_MAX ||
        !join(m->query, sizeof m->query, m->query[0] != '\0' ? "&" : "", option))
        refuse(m, COAP_OPTION_URI_QUERY, SKY_COAP_BAD_OPTION);
}

/* SZX 7 is to be answered with 4.00 (RFC 7959 §2.2), a value too long is no such option (5.4.3). */
static void read_block(uint16_t number, const coap_option_t *option, struct sky_coap_message *m)
{
    if (option->length > 3) {
        refuse(m, number, SKY_COAP_BAD_OPTION);
        return;
    }
    unsigned value = coap_decode_var_bytes(option->value, option->length);
    if ((value & 7) == SZX_RESERVED) {
        refuse(m, number, SKY_COAP_BAD_REQUEST);
        return;
    }
    struct sky_coap_block *block = number == COAP_OPTION_BLOCK1 ? &m->block1 : &m->block2;
    *block = (struct sky_coap_block){
        .number = value >> 4, .szx = value & 7, .more = value & 8, .present = true};
}

/* Options that are critical have odd numbers; elective ones that are not known are passed over
 * (5.4.1, 5.4.6). */
static void skip_unknown(uint16_t number, struct sky_coap_message *m)
{
    if (number & 1)
        refuse(m, number, SKY_COAP_BAD_OPTION);
}

/* A critical option of another length than its definition's is one that is not known (5.4.3). */
static bool has_length(uint16_t number, const coap_option_t *option, size_t min, size_t max,
                       struct sky_coap_message *m)
{
    bool fits = option->length >= min && option->length <= max;
    if (!fits)
        skip_unknown(number, m);
    return fits;
}

/* JSON is all there is (5.10.4). */
static void read_accept(const coap_option_t *option, struct sky_coap_message *m)
{
    if (has_length(COAP_OPTION_ACCEPT, option, 0, SHORT_MAX, m) &&
        coap_decode_var_bytes(option->value, option->length) != FORMAT_JSON)
        refuse(m, COAP_OPTION_ACCEPT, SKY_COAP_NOT_ACCEPTABLE);
}

/* What is JSON, or may well be, or is no more than bytes (5.10.3); it counts with a payload only.
 */
static void read_format(const coap_option_t *option, struct sky_coap_message *m)
{
    unsigned format = coap_decode_var_bytes(option->value, option->length);
    m->other_format = option->length <= SHORT_MAX && format != FORMAT_JSON &&
                      format != FORMAT_TEXT && format != FORMAT_OCTETS;
}

static void take_option(uint16_t number, const coap_option_t *option, struct sky_coap_message *m)
{
    switch (number) {
    case COAP_OPTION_URI_PATH:
        read_path(option, m);
        break;
    case COAP_OPTION_URI_QUERY:
        read_query(option, m);
        break;
    case COAP_OPTION_OBSERVE:
        m->observe = true;
        break;
    case COAP_OPTION_BLOCK1:
    case COAP_OPTION_BLOCK2:
        read_block(number, option, m);
        break;
    case COAP_OPTION_SIZE1:
        if (option->length <= sizeof m->size1)
            m->size1 = coap_decode_var_bytes(option->value, option->length);
        break;
    case COAP_OPTION_URI_HOST: /* this server has one host and one port */
        (void)has_length(number, option, 1, HOST_MAX, m);
        break;
    case COAP_OPTION_URI_PORT:
        (void)has_length(number, option, 0, SHORT_MAX, m);
        break;
    case COAP_OPTION_ACCEPT:
        read_accept(option, m);
        break;
    case COAP_OPTION_CONTENT_FORMAT:
        read_format(option, m);
        break;
    case COAP_OPTION_PROXY_URI: /* 5.10.2: this server is none */
    case COAP_OPTION_PROXY_SCHEME:
        refuse(m, number, SKY_COAP_NO_PROXY);
        break;
    default:
        skip_unknown(number, m);
    }
}

static bool is_repeatable(uint16_t number)
{
    return number == COAP_OPTION_URI_PATH || number == COAP_OPTION_URI_QUERY;
}

/* A delta in two more bytes is 269 at least (3.1); libcoap lets one past 65535 wrap around. */
static bool has_wrapped(uint8_t first, const coap_option_t *option)
{
    return first >> 4 == DELTA_TWO_BYTES && option->delta < DELTA_TWO_BYTES_MIN;
}

static bool read_options(const uint8_t *at, const uint8_t *end, struct sky_coap_message *m)
{
    uint32_t number = 0;
    for (size_t count = 0; at < end && *at != PAYLOAD_MARKER; count++) {
        coap_option_t option;
        size_t used = coap_opt_parse(at, (size_t)(end - at), &option);
        bool again = count > 0 && option.delta == 0;
        number += used > 0 ? option.delta : 0;
        if (used == 0 || has_wrapped(*at, &option) || number > UINT16_MAX ||
            count == SKY_COAP_OPTIONS_MAX)
            return false;
        if (again && !is_repeatable((uint16_t)number))
            skip_unknown((uint16_t)number, m); /* as if it were not known (5.4.5) */
        else
            take_option((uint16_t)number, &option, m);
        at += used;
    }
    if (at == end)
        return true;
    m->payload = sky_span_of(at + 1, (size_t)(end - at - 1));
    if (m->other_format)
        refuse(m, COAP_OPTION_CONTENT_FORMAT, SKY_COAP_UNSUPPORTED_FORMAT);
    return m->payload.len > 0; /* a marker with nothing behind it (3) */
}

enum sky_coap_parse sky_coap_parse(sky_span datagram, struct sky_coap_message *m)
{
    const uint8_t *at = (const uint8_t *)datagram.ptr;
    if (datagram.len < HEADER_SIZE || datagram.len > SKY_COAP_TAKEN_MAX || at[0] >> 6 != VERSION)
        return SKY_COAP_NO_COAP;
    *m = (struct sky_coap_message){.type = (enum sky_coap_type)(at[0] >> 4 & 3),
                                   .code = at[1],
                                   .id = (uint16_t)(at[2] << 8 | at[3])};
    size_t token_len = at[0] & 0x0f;
    const uint8_t *end = at + datagram.len;
    if (token_len > SKY_COAP_TOKEN_MAX || datagram.len < HEADER_SIZE + token_len)
        return SKY_COAP_MALFORMED;
    if (m->code == SKY_COAP_EMPTY)
        return datagram.len == HEADER_SIZE ? SKY_COAP_PARSED : SKY_COAP_MALFORMED;
    m->token = sky_span_of(at + HEADER_SIZE, token_len);
    return read_options(at + HEADER_SIZE + token_len, end, m) ? SKY_COAP_PARSED
                                                              : SKY_COAP_MALFORMED;
}

/* ---- writing ---- */

/* Options on their way out, in rising order of their numbers (3.1). */
struct writer {
    uint8_t *at, *end;
    uint16_t last;
    bool full;
};

static void put_option(struct writer *w, uint16_t number, sky_span value)
{
    SKY_ASSERT(number > w->last || w->last == 0);
    size_t used =
        w->full ? 0
                : coap_opt_encode(w->at, (size_t)(w->end - w->at), (uint16_t)(number - w->last),
                                  (const uint8_t *)value.ptr, value.len);
    w->full = used == 0;
    w->at += used;
    w->last = number;
}

static void put_uint(struct writer *w, uint16_t number, uint32_t value)
{
    uint8_t bytes[4];
    unsigned len = coap_encode_var_safe(bytes, sizeof bytes, value);
    put_option(w, number, sky_span_of(bytes, len));
}

static void put_block(struct writer *w, uint16_t number, const struct sky_coap_block *block)
{
    if (block->present)
        put_uint(w, number, block->number << 4 | (block->more ? 8u : 0) | block->szx);
}

static void put_bytes(struct writer *w, sky_span bytes)
{
    w->full = w->full || (size_t)(w->end - w->at) < bytes.len;
    if (w->full || bytes.len == 0)
        return;
    memcpy(w->at, bytes.ptr, bytes.len);
    w->at += bytes.len;
}

bool sky_coap_put(struct sky_buf *out, const struct sky_coap_reply *r)
{
    SKY_ASSERT(r->token.len <= SKY_COAP_TOKEN_MAX);
    uint8_t datagram[SKY_COAP_SENT_MAX];
    struct writer w = {.at = datagram, .end = datagram + sizeof datagram};
    const uint8_t header[HEADER_SIZE] = {
        (uint8_t)(VERSION << 6 | r->type << 4 | (uint8_t)r->token.len), r->code,
        (uint8_t)(r->id >> 8), (uint8_t)r->id};
    put_bytes(&w, sky_span_of(header, sizeof header));
    put_bytes(&w, r->token);
    if (r->json && r->payload.len > 0)
        put_uint(&w, COAP_OPTION_CONTENT_FORMAT, FORMAT_JSON);
    put_block(&w, COAP_OPTION_BLOCK2, &r->block2);
    put_block(&w, COAP_OPTION_BLOCK1, &r->block1);
    if (r->size2 > 0)
        put_uint(&w, COAP_OPTION_SIZE2, r->size2);
    if (r->size1 > 0)
        put_uint(&w, COAP_OPTION_SIZE1, r->size1);
    if (r->extra != 0)
        put_option(&w, r->extra, r->extra_value);
    if (r->payload.len > 0) {
        const uint8_t marker = PAYLOAD_MARKER;
        put_bytes(&w, sky_span_of(&marker, 1));
        put_bytes(&w, r->payload);
    }
    return !w.full && sky_buf_add(out, sky_span_of(datagram, (size_t)(w.at - datagram)));
}

void sky_coap_code_text(uint8_t code, char out[5])
{
    snprintf(out, 5, "%u.%02u", (unsigned)(code >> 5), (unsigned)(code & 0x1f));
}

const char *sky_coap_type_name(enum sky_coap_type type)
{
    static const char *const names[] = {"CON", "NON", "ACK", "RST"};
    SKY_ASSERT((size_t)type < SKY_COUNT(names));
    return names[type];
}
