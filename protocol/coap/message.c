#include "protocol/coap/message.h"

#include <coap3/coap.h>
#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    HEADER_SIZE = 4, /* 3: version, type, token length; code; message id */
    VERSION = 1,
    PAYLOAD_MARKER = 0xff,
    FORMAT_JSON = 50,
    SZX_RESERVED = 7,
};

/* ---- reading ---- */

/* Appends one segment or item behind its separator; false when it does not fit. */
static bool join(char *to, size_t size, const char *separator, const coap_option_t *option)
{
    size_t len = strlen(to), separator_len = strlen(separator);
    if (len + separator_len + option->length >= size ||
        memchr(option->value, '\0', option->length) != NULL)
        return false;
    memcpy(to + len, separator, separator_len);
    memcpy(to + len + separator_len, option->value, option->length);
    to[len + separator_len + option->length] = '\0';
    return true;
}

static bool read_uint(const coap_option_t *option, size_t len_max, uint32_t *ret_value)
{
    if (option->length > len_max)
        return false;
    *ret_value = (uint32_t)coap_decode_var_bytes(option->value, option->length);
    return true;
}

static bool read_block(const coap_option_t *option, struct sky_coap_block *ret_block)
{
    uint32_t value;
    if (!read_uint(option, 3, &value) || (value & 7) == SZX_RESERVED)
        return false;
    *ret_block = (struct sky_coap_block){
        .number = value >> 4, .szx = value & 7, .more = value & 8, .present = true};
    return true;
}

/* One option; false makes the message malformed. Critical options have odd numbers (5.4.6). */
static bool take_option(uint16_t number, const coap_option_t *option, struct sky_coap_message *m)
{
    switch (number) {
    case COAP_OPTION_URI_PATH:
        return join(m->path, sizeof m->path, "/", option);
    case COAP_OPTION_URI_QUERY:
        return join(m->query, sizeof m->query, m->query[0] != '\0' ? "&" : "", option);
    case COAP_OPTION_OBSERVE:
        m->observe = true;
        return true;
    case COAP_OPTION_BLOCK1:
        return read_block(option, &m->block1);
    case COAP_OPTION_BLOCK2:
        return read_block(option, &m->block2);
    case COAP_OPTION_SIZE1:
        return read_uint(option, 4, &m->size1);
    case COAP_OPTION_URI_HOST: /* this server has one host and one port */
    case COAP_OPTION_URI_PORT:
    case COAP_OPTION_ACCEPT: /* JSON is all there is */
        return true;
    default:
        if ((number & 1) && m->unknown_critical == 0)
            m->unknown_critical = number;
        return true;
    }
}

static bool read_options(const uint8_t *at, const uint8_t *end, struct sky_coap_message *m)
{
    uint32_t number = 0;
    for (size_t count = 0; at < end && *at != PAYLOAD_MARKER; count++) {
        coap_option_t option;
        size_t used = coap_opt_parse(at, (size_t)(end - at), &option);
        number += used > 0 ? option.delta : 0;
        if (used == 0 || count == SKY_COAP_OPTIONS_MAX || number > UINT16_MAX ||
            !take_option((uint16_t)number, &option, m))
            return false;
        at += used;
    }
    if (at == end)
        return true;
    m->payload = sky_span_of(at + 1, (size_t)(end - at - 1));
    return m->payload.len > 0; /* a marker with nothing behind it (3) */
}

enum sky_coap_parse sky_coap_parse(sky_span datagram, struct sky_coap_message *m)
{
    const uint8_t *at = (const uint8_t *)datagram.ptr;
    if (datagram.len < HEADER_SIZE || datagram.len > SKY_COAP_DATAGRAM_MAX || at[0] >> 6 != VERSION)
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
    uint8_t datagram[SKY_COAP_DATAGRAM_MAX];
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
