/* The secrets of TLS and DTLS sessions, for whoever captured the encrypted wire: a file in the
 * format that Wireshark reads ("NSS key log", draft-ietf-tls-keylogfile §2), a line a handshake. */
#ifndef SKY_SERVER_TLS_KEYLOG_H
#define SKY_SERVER_TLS_KEYLOG_H

#include <mbedtls/ssl.h>

#include "protocol/base/err.h"

struct sky_keylog;

/* Appends to the file; makes one that only its owner may read. */
SKY_MUST_USE sky_err sky_keylog_open(const char *path, struct sky_keylog **ret_keylog,
                                     struct sky_why *why);
void sky_keylog_close(struct sky_keylog *keylog); /* NULL is fine */

/* The sessions of this configuration are logged, in whatever thread they are made; `keylog` is
 * borrowed, NULL: they are not. */
void sky_keylog_watch(struct sky_keylog *keylog, mbedtls_ssl_config *config);

#endif
