/* One blocking GET over a plain socket, for the commands that ask a running server. */
#ifndef SKY_SERVER_CLI_HTTP_CLIENT_H
#define SKY_SERVER_CLI_HTTP_CLIENT_H

#include "protocol/base/buf.h"
#include "server/os/config.h"

enum {
    SKY_HTTP_CLIENT_TIMEOUT_S = 10,
    SKY_HTTP_CLIENT_ANSWER_MAX = 2047 * 1024 * 1024, /* bytes of an answer, headers included */
};

/* "http://HOST:PORT", the host without brackets. */
SKY_MUST_USE sky_err sky_http_parse_url(const char *url, char host[SKY_HOST_MAX + 1],
                                        uint16_t *ret_port, struct sky_why *why);

/* Onto a target, with what a path or query cannot hold escaped. */
void sky_http_add_escaped(struct sky_buf *target, const char *text);

/* Asks `url` (http://HOST:PORT) for `path`, with `token` as bearer unless NULL. The answer's body
 * replaces the content of `ret_body`, which the caller initialised. IO when nobody answers. */
SKY_MUST_USE sky_err sky_http_get(const char *url, const char *path, const char *token,
                                  int *ret_status, struct sky_buf *ret_body, struct sky_why *why);

#endif
