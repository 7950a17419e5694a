#include "server/tls/records.h"

#include <mbedtls/ssl_internal.h>

#include "server/tls/hello.h"

enum {
    MESSAGE_HEADER = 4,
    JOINED_MAX = 16384, /* bytes: what a record may hold (RFC 5246 §6.2.1) */
    SHORT = 2048,       /* bytes of a record: less holds no certificate, nor a block of CoAP */
};

/* The record that is being joined: it begins at `head`, and its last message at `message`. */
struct joint {
    size_t head, message;
    bool joining;
};

static size_t payload_len(const uint8_t *record)
{
    return (size_t)record[3] << 8 | record[4];
}

/* Is the last message complete, in a record that ends at `end`? Messages are passed over once. */
static bool is_whole(const uint8_t *at, struct joint *joint, size_t end)
{
    while (end - joint->message >= MESSAGE_HEADER) {
        const uint8_t *header = at + joint->message;
        size_t len =
            MESSAGE_HEADER + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
        if (len > end - joint->message)
            return len > JOINED_MAX; /* the library refuses it */
        joint->message += len;
    }
    return joint->message == end && end > joint->head + SKY_TLS_RECORD_HEADER;
}

/* Puts the record behind what has been kept, which ends at `end`; returns where it ends now. */
static size_t put(uint8_t *at, struct joint *joint, size_t end, const uint8_t *record)
{
    size_t len = payload_len(record);
    uint8_t *head = at + joint->head;
    if (joint->joining && record[0] == MBEDTLS_SSL_MSG_HANDSHAKE &&
        payload_len(head) + len <= JOINED_MAX) {
        memmove(at + end, record + SKY_TLS_RECORD_HEADER, len);
        len += payload_len(head);
        head[3] = (uint8_t)(len >> 8);
        head[4] = (uint8_t)len;
        return joint->head + SKY_TLS_RECORD_HEADER + len;
    }
    memmove(at + end, record, SKY_TLS_RECORD_HEADER + len);
    *joint = (struct joint){.head = end, .message = end + SKY_TLS_RECORD_HEADER};
    return end + SKY_TLS_RECORD_HEADER + len;
}

size_t sky_tls_join_records(struct sky_buf *in)
{
    uint8_t *at = (uint8_t *)in->bytes;
    struct joint joint = {.joining = false};
    size_t read = 0, kept = 0, ready = 0, len = 0;
    bool clear = true;
    enum sky_tls_parse found;
    while ((found = sky_tls_record_len(sky_span_tail(sky_buf_span(in), read), &len)) ==
           SKY_TLS_OK) {
        size_t before = kept;
        kept = put(at, &joint, kept, at + read);
        read += len;
        if (joint.head == before)
            ready = before; /* nothing can be added to what came before */
        uint8_t type = at[joint.head];
        clear = clear && type != MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC;
        joint.joining = clear && type == MBEDTLS_SSL_MSG_HANDSHAKE && !is_whole(at, &joint, kept);
        if (!joint.joining)
            ready = kept;
    }
    if (read > kept)
        memmove(at + kept, at + read, in->len - read);
    in->len -= read - kept;
    return found == SKY_TLS_BAD ? in->len : ready;
}

/* Bytes of the message with the certificate that has been chosen; 0: there is none. */
static size_t certificate_len(struct mbedtls_ssl_context *ssl)
{
    size_t len = 0;
    for (const mbedtls_x509_crt *each = mbedtls_ssl_own_cert(ssl); each != NULL; each = each->next)
        len += 3 + each->raw.len;
    return len > 0 ? MESSAGE_HEADER + 3 + len : 0;
}

void sky_tls_decline_short_records(struct mbedtls_ssl_context *ssl)
{
    unsigned char *code = &ssl->session_negotiate->mfl_code;
    size_t len = (size_t)256 << *code; /* 1 to 4: 512 to 4096 */
    if (*code != MBEDTLS_SSL_MAX_FRAG_LEN_NONE && (len < SHORT || len < certificate_len(ssl)))
        *code = MBEDTLS_SSL_MAX_FRAG_LEN_NONE;
}

sky_span sky_tls_whole_records(sky_span raw)
{
    size_t used = 0, len = 0;
    enum sky_tls_parse found;
    while ((found = sky_tls_record_len(sky_span_tail(raw, used), &len)) == SKY_TLS_OK)
        used += len;
    return found == SKY_TLS_BAD ? raw : sky_span_head(raw, used);
}
