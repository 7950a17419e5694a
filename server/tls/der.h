/* DER of the X.509 extensions that the TLS library reads but cannot write (RFC 5280 §4.2.1).
 * Pure: names go in, bytes come out. */
#ifndef SKY_SERVER_TLS_DER_H
#define SKY_SERVER_TLS_DER_H

#include "protocol/base/buf.h"

enum { SKY_DER_NAME_MAX = 253 }; /* characters of a host name (RFC 1035 §2.3.4) */

/* Is this a host name, one that begins with `*.`, or an IP address? */
bool sky_der_is_name(sky_span name);

/* The GeneralName of each name, as sky_der_general_names() hands it out. */
struct sky_der_name {
    uint8_t tag; /* 0x82: dNSName, 0x87: iPAddress */
    uint8_t bytes[SKY_DER_NAME_MAX];
    size_t len;
};
/* One name becomes one GeneralName; an IPv4 address becomes two, because there are TLS libraries
 * that compare whatever they connect to with host names only. Returns how many. */
size_t sky_der_general_names(sky_span name, struct sky_der_name out[2]);

/* Appends the value of subjectAltName. */
void sky_der_add_alt_names(struct sky_buf *out, const char *const *names, size_t count);

/* Appends an IA5String of so many times the character. */
void sky_der_add_filler(struct sky_buf *out, char with, size_t len);

/* Appends the value of extKeyUsage with one purpose. */
enum sky_der_purpose { SKY_DER_SERVER_AUTH = 1, SKY_DER_CLIENT_AUTH = 2 };
void sky_der_add_purpose(struct sky_buf *out, enum sky_der_purpose purpose);

#endif
