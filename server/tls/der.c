#include "server/tls/der.h"

#include <arpa/inet.h>

enum {
    TAG_OID = 0x06,
    TAG_IA5_STRING = 0x16,
    TAG_SEQUENCE = 0x30,
    TAG_DNS_NAME = 0x82,   /* [2] IA5String */
    TAG_IP_ADDRESS = 0x87, /* [7] OCTET STRING */
    LENGTH_SHORT_MAX = 0x7f,
    LENGTH_ONE_BYTE = 0x81,
    LENGTH_TWO_BYTES = 0x82,
};

/* Definite lengths in the fewest bytes (X.690 §10.1); nothing here reaches 64 KiB. */
static void add_header(struct sky_buf *out, uint8_t tag, size_t len)
{
    sky_buf_add_byte(out, tag);
    if (len > 0xff) {
        sky_buf_add_byte(out, LENGTH_TWO_BYTES);
        sky_buf_add_byte(out, (uint8_t)(len >> 8));
    } else if (len > LENGTH_SHORT_MAX) {
        sky_buf_add_byte(out, LENGTH_ONE_BYTE);
    }
    sky_buf_add_byte(out, (uint8_t)len);
}

static size_t header_len(size_t len)
{
    return len > 0xff ? 4 : len > LENGTH_SHORT_MAX ? 3 : 2;
}

static bool parse_address(sky_span name, struct sky_der_name *ret_address, bool *ret_v4)
{
    char text[INET6_ADDRSTRLEN];
    if (sky_span_starts(name, SKY_SPAN("[")) && name.ptr[name.len - 1] == ']')
        name = sky_span_head(sky_span_tail(name, 1), name.len - 2); /* as in a URL */
    ret_address->tag = TAG_IP_ADDRESS;
    if (!sky_span_copy(name, text, sizeof text))
        return false;
    *ret_v4 = inet_pton(AF_INET, text, ret_address->bytes) == 1;
    ret_address->len = *ret_v4 ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    return *ret_v4 || inet_pton(AF_INET6, text, ret_address->bytes) == 1;
}

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_host(sky_span name)
{
    sky_span rest = sky_span_starts(name, SKY_SPAN("*.")) ? sky_span_tail(name, 2) : name;
    sky_span label;
    if (rest.len == 0 || name.len > SKY_DER_NAME_MAX)
        return false;
    while (sky_span_next(&rest, '.', &label)) {
        if (label.len == 0)
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!is_label_char(label.ptr[i]))
                return false;
    }
    return true;
}

bool sky_der_is_name(sky_span name)
{
    struct sky_der_name address;
    bool v4;
    return is_host(name) || parse_address(name, &address, &v4);
}

size_t sky_der_general_names(sky_span name, struct sky_der_name out[2])
{
    bool v4 = false;
    size_t count = parse_address(name, &out[0], &v4) ? 1 : 0;
    if (count == 1 && !v4)
        return count;
    out[count].tag = TAG_DNS_NAME;
    out[count].len = name.len;
    memcpy(out[count].bytes, name.ptr, name.len);
    return count + 1;
}

void sky_der_add_alt_names(struct sky_buf *out, const char *const *names, size_t count)
{
    struct sky_der_name general[2];
    size_t body = 0;
    for (size_t i = 0; i < count; i++) {
        size_t found = sky_der_general_names(sky_span_str(names[i]), general);
        for (size_t j = 0; j < found; j++)
            body += header_len(general[j].len) + general[j].len;
    }
    add_header(out, TAG_SEQUENCE, body);
    for (size_t i = 0; i < count; i++) {
        size_t found = sky_der_general_names(sky_span_str(names[i]), general);
        for (size_t j = 0; j < found; j++) {
            add_header(out, general[j].tag, general[j].len);
            sky_buf_add(out, sky_span_of(general[j].bytes, general[j].len));
        }
    }
}

void sky_der_add_purpose(struct sky_buf *out, enum sky_der_purpose purpose)
{
    /* id-kp (RFC 5280 §4.2.1.12), the last arc being the purpose */
    const uint8_t oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, (uint8_t)purpose};
    add_header(out, TAG_SEQUENCE, header_len(sizeof oid) + sizeof oid);
    add_header(out, TAG_OID, sizeof oid);
    sky_buf_add(out, sky_span_of(oid, sizeof oid));
}

void sky_der_add_filler(struct sky_buf *out, char with, size_t len)
{
    add_header(out, TAG_IA5_STRING, len);
    char *room = sky_buf_reserve(out, len);
    if (room == NULL)
        return;
    memset(room, with, len);
    sky_buf_commit(out, len);
}
