#include "server/tls/datagram.h"

enum {
    RECORD_HEADER = 13, /* RFC 6347 §4.1 */
    RECORD_FIRST_TYPE = 20,
    RECORD_HANDSHAKE = 22,
    RECORD_LAST_TYPE = 26,
    VERSION_MAJOR = 0xfe,
    HELLO_CLIENT = 1,
};

/* Length of the whole record at the front, or 0. */
static size_t record_len(sky_span bytes)
{
    const uint8_t *header = (const uint8_t *)bytes.ptr;
    if (bytes.len < RECORD_HEADER)
        return 0;
    size_t len = RECORD_HEADER + ((size_t)header[11] << 8 | header[12]);
    return len <= bytes.len ? len : 0;
}

static bool is_encrypted(sky_span record)
{
    return record.ptr[3] != 0 || record.ptr[4] != 0; /* the epoch */
}

sky_span sky_dtls_whole_records(sky_span datagram)
{
    size_t len = 0, more;
    while ((more = record_len(sky_span_tail(datagram, len))) > 0)
        len += more;
    return sky_span_head(datagram, len);
}

sky_span sky_dtls_protected_records(sky_span records)
{
    size_t len = 0, more;
    while (records.len > 0 && !is_encrypted(records))
        records = sky_span_tail(records, record_len(records));
    while ((more = record_len(sky_span_tail(records, len))) > 0 &&
           is_encrypted(sky_span_tail(records, len)))
        len += more;
    return sky_span_head(records, len);
}

enum sky_dtls_kind sky_dtls_kind_of(sky_span datagram)
{
    const uint8_t *at = (const uint8_t *)datagram.ptr;
    if (datagram.len <= RECORD_HEADER || at[0] < RECORD_FIRST_TYPE || at[0] > RECORD_LAST_TYPE ||
        at[1] != VERSION_MAJOR)
        return SKY_DTLS_IS_OTHER;
    bool encrypted = is_encrypted(datagram);
    if (at[0] == RECORD_HANDSHAKE && !encrypted && at[RECORD_HEADER] == HELLO_CLIENT)
        return SKY_DTLS_IS_HELLO;
    return at[0] == RECORD_HANDSHAKE || !encrypted ? SKY_DTLS_IS_HANDSHAKE : SKY_DTLS_IS_RECORD;
}
