#include "server/tls/datagram.h"

#include "protocol/base/assert.h"

enum {
    RECORD_HEADER = 13, /* RFC 6347 §4.1 */
    RECORD_FIRST_TYPE = 20,
    RECORD_HANDSHAKE = 22,
    RECORD_LAST_TYPE = 26,
    VERSION_MAJOR = 0xfe,
    VERSION_1_2 = 0xfd,
    HELLO_CLIENT = 1,
    HELLO_VERIFY_REQUEST = 3,
    MESSAGE_HEADER = 12, /* §4.2.2 */
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

size_t sky_dtls_hello_verify(sky_span hello, sky_span cookie, uint8_t out[SKY_DTLS_VERIFY_MAX])
{
    SKY_ASSERT(hello.len >= RECORD_HEADER + MESSAGE_HEADER && cookie.len <= SKY_DTLS_COOKIE_MAX);
    const uint8_t *their = (const uint8_t *)hello.ptr;
    uint8_t body_len = (uint8_t)(3 + cookie.len);
    const uint8_t record[] = {RECORD_HANDSHAKE,
                              VERSION_MAJOR,
                              VERSION_1_2,
                              0,
                              0,
                              their[5],
                              their[6],
                              their[7],
                              their[8],
                              their[9],
                              their[10],
                              0,
                              (uint8_t)(MESSAGE_HEADER + body_len)};
    const uint8_t message[] = {HELLO_VERIFY_REQUEST,
                               0,
                               0,
                               body_len,
                               their[RECORD_HEADER + 4],
                               their[RECORD_HEADER + 5],
                               0,
                               0,
                               0,
                               0,
                               0,
                               body_len};
    const uint8_t body[] = {VERSION_MAJOR, VERSION_1_2, (uint8_t)cookie.len};
    uint8_t *at = out;
    _Static_assert(sizeof record == RECORD_HEADER && sizeof message == MESSAGE_HEADER, "headers");
    memcpy(at, record, sizeof record);
    memcpy(at += sizeof record, message, sizeof message);
    memcpy(at += sizeof message, body, sizeof body);
    memcpy(at += sizeof body, cookie.ptr, cookie.len);
    return (size_t)(at - out) + cookie.len;
}
