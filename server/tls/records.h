/* How records are cut, where that is between a client and the TLS library: handshake messages that
 * a client spread over records, which the library does not put together, and clients that ask for
 * short records, which the library cannot keep for its certificate. */
#ifndef SKY_SERVER_TLS_RECORDS_H
#define SKY_SERVER_TLS_RECORDS_H

#include "protocol/base/buf.h"

struct mbedtls_ssl_context;

/* Joins records at the front of `in`, in place, so that no handshake message is spread over several
 * (RFC 5246 §6.2.1 allows that; headers of records are not in the transcript, §7.4.9). Stops behind
 * a ChangeCipherSpec, after which records are encrypted. Returns how many bytes the library may
 * read: whole records with whole messages, or all when what follows is no TLS. */
size_t sky_tls_join_records(struct sky_buf *in);

/* The complete records at the front; all of it when what follows is no TLS, so that the library
 * refuses it. That the library never sees half a record keeps workers from waiting for bytes. */
sky_span sky_tls_whole_records(sky_span raw);

/* Before ServerHello: leaves the client's max_fragment_length unanswered, so that it does not hold
 * (RFC 6066 §4), if the server's certificate or a message of CoAP would not fit. */
void sky_tls_decline_short_records(struct mbedtls_ssl_context *ssl);

#endif
