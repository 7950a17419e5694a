/* Blocking requests over a plain socket, and streams of events that are read beside other things,
 * for the commands that ask a running server. */
#ifndef SKY_SERVER_CLI_HTTP_CLIENT_H
#define SKY_SERVER_CLI_HTTP_CLIENT_H

#include "protocol/base/buf.h"
#include "protocol/base/json_tree.h"
#include "server/os/config.h"

enum {
    SKY_HTTP_CLIENT_TIMEOUT_S = 10,
    SKY_HTTP_CLIENT_ANSWER_MAX = 2047 * 1024 * 1024, /* bytes of an answer, headers included */
    SKY_HTTP_EVENT_MAX = 64 * 1024 * 1024,           /* bytes of one event of a stream */
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

/* The same with POST and a JSON body; empty: none. */
SKY_MUST_USE sky_err sky_http_post(const char *url, const char *path, const char *token,
                                   sky_span json, int *ret_status, struct sky_buf *ret_body,
                                   struct sky_why *why);

/* A stream of server-sent events. */
struct sky_http_stream {
    int fd;              /* to poll() for reading */
    struct sky_buf text; /* what has come and was not taken */
};
struct sky_http_event {
    char name[32];
    struct sky_buf data; /* initialised by the caller */
};

/* Waits for the answer's head. DENIED: it was another one than 200. */
SKY_MUST_USE sky_err sky_http_stream_open(const char *url, const char *path, const char *token,
                                          struct sky_http_stream *ret_stream, struct sky_why *why);
void sky_http_stream_close(struct sky_http_stream *stream);
/* Reads once what is there, without waiting. False at its end; what has come may still be taken. */
bool sky_http_stream_read(struct sky_http_stream *stream);
/* Takes the next event that has a name and has come whole. False: none has. */
bool sky_http_stream_next(struct sky_http_stream *stream, struct sky_http_event *event);

/* Why an answer is no 2xx, in the server's own words; returns the error. */
sky_err sky_http_refused(const char *url, int status, sky_span body, struct sky_why *why);

/* GET of a 200 with JSON, as a tree, which the caller frees. */
SKY_MUST_USE sky_err sky_http_get_json(const char *url, const char *path, const char *token,
                                       cJSON **ret_tree, struct sky_why *why);

#endif
