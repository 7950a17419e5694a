/* The clouds' HTTP calls that devices make: whose call it is, what the registry knows, what the
 * cloud answers, and for a refusal, why. */
#ifndef SKY_SERVER_CALLS_H
#define SKY_SERVER_CALLS_H

#include "protocol/cloud/cloud.h"

struct sky_app;

/* Answers one call completely. `ret_body` is appended to; `*ret_status` is the HTTP status, 404
 * for a path that no cloud serves and 405 for the wrong method on one that is served. */
void sky_call_answer(struct sky_app *app, const struct sky_http_request *request,
                     uint32_t connection, int *ret_status, struct sky_buf *ret_body);

/* A call that never came to be answered (too long, chunked, cut short): journals it as a finding
 * on the path it was for. `reason` is one phrase. */
void sky_call_refused(struct sky_app *app, const struct sky_door *door, uint32_t connection,
                      sky_span method, sky_span path, int status, const char *reason);

#endif
