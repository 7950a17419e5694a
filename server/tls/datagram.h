/* What a datagram of DTLS consists of, before any library sees it. Pure. */
#ifndef SKY_SERVER_TLS_DATAGRAM_H
#define SKY_SERVER_TLS_DATAGRAM_H

#include "protocol/base/span.h"

/* What a datagram is, judged by its first record. */
enum sky_dtls_kind {
    SKY_DTLS_IS_OTHER,
    SKY_DTLS_IS_HELLO,
    SKY_DTLS_IS_HANDSHAKE,
    SKY_DTLS_IS_RECORD,
};
enum sky_dtls_kind sky_dtls_kind_of(sky_span datagram);

/* The whole records at the front. What follows them would be taken for the library's own fault, and
 * cost the peer its session. */
sky_span sky_dtls_whole_records(sky_span datagram);
/* What of it an open session needs to see: records that its keys protect. Others anybody can have
 * written; the library would end the session over some of them. */
sky_span sky_dtls_protected_records(sky_span records);

enum { SKY_DTLS_COOKIE_MAX = 32, SKY_DTLS_VERIFY_MAX = 28 + SKY_DTLS_COOKIE_MAX };
/* Writes the HelloVerifyRequest of DTLS 1.2 that answers a ClientHello, whose numbers it repeats
 * (RFC 6347 §4.2.1), and returns its length. `hello` is a whole record, sky_tls_hello_parse_dtls()
 * has read it. */
size_t sky_dtls_hello_verify(sky_span hello, sky_span cookie, uint8_t out[SKY_DTLS_VERIFY_MAX]);

#endif
