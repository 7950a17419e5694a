/* The ClientHello as the client sent it, read for explanations only: the handshake itself is the
 * TLS library's. A codec: no I/O, no memory of its own. */
#ifndef SKY_SERVER_TLS_HELLO_H
#define SKY_SERVER_TLS_HELLO_H

#include "protocol/base/span.h"

enum {
    SKY_TLS_RECORD_HEADER = 5,
    SKY_TLS_RECORD_MAX = 16384 + 2048, /* bytes of a record's payload (RFC 5246 §6.2.3) */
    SKY_TLS_HELLO_SUITES_MAX = 160,
    SKY_TLS_HELLO_GROUPS_MAX = 24,
    SKY_TLS_HELLO_VERSIONS_MAX = 8,
    SKY_TLS_HELLO_NAME_MAX = 253,
};

/* Values; lists longer than their limit are cut, and `*_count` says how much was kept. */
struct sky_tls_hello {
    uint16_t version; /* the highest offered without the supported_versions extension */
    uint16_t versions[SKY_TLS_HELLO_VERSIONS_MAX]; /* that extension's (RFC 8446 §4.2.1) */
    uint16_t suites[SKY_TLS_HELLO_SUITES_MAX];
    uint16_t groups[SKY_TLS_HELLO_GROUPS_MAX];
    size_t version_count, suite_count, group_count;
    char server_name[SKY_TLS_HELLO_NAME_MAX + 1]; /* empty: none, or no plain host name */
    uint16_t record_max; /* bytes of a record asked for (RFC 6066 §4); 0: not asked */
    bool ticket;         /* brought a session ticket */
    bool cookie;         /* of DTLS: brought one */
};

enum sky_tls_parse { SKY_TLS_MORE, SKY_TLS_OK, SKY_TLS_BAD };

/* Bytes of the first record in `raw`, its header included. BAD: no TLS record starts here. */
enum sky_tls_parse sky_tls_record_len(sky_span raw, size_t *ret_len);

/* Reads the ClientHello in the first record, in which all of it must be. BAD: it is none, or it is
 * malformed. */
enum sky_tls_parse sky_tls_hello_parse(sky_span raw, struct sky_tls_hello *ret_hello);

/* Reads the ClientHello at the front of a DTLS datagram (RFC 6347 §4.3.2); `version` is given as
 * that of the TLS it derives from. False: it is none, malformed, or in fragments. */
bool sky_tls_hello_parse_dtls(sky_span datagram, struct sky_tls_hello *ret_hello);

#endif
