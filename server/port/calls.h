/* The clouds' HTTP calls that devices make: whose call it is, what the registry knows, what the
 * cloud answers, and for a refusal, why. An answer goes out only once what it promises is kept. */
#ifndef SKY_SERVER_PORT_CALLS_H
#define SKY_SERVER_PORT_CALLS_H

#include "protocol/cloud/cloud.h"

struct sky_app;
struct sky_held_answer;
struct sky_http_call;

/* Answers that wait for the store, the longest waiting first. All zeros when none does. */
struct sky_calls {
    struct sky_held_answer *held; /* owned */
};

/* The HTTP port's handler for devices. */
void sky_calls_take(struct sky_http_call *call);
/* The peer has left, or was closed, before the whole body came: what came is judged, so that the
 * device is told what it did wrong; nobody hears the answer. */
void sky_calls_cut_short(const struct sky_http_call *call);
/* The store has settled: `kept` says whether what the held answers promise is durable. They go out,
 * as they are or as failures. */
void sky_calls_settled(struct sky_app *app, bool kept);

/* A call that never came to be answered (too long, chunked): journals it as a finding on the path
 * it was for. `*reason` is one phrase. Returns the status to answer with: `status`, or 405, and a
 * reason for that, when already the method is not the path's. */
int sky_call_refused(struct sky_app *app, const struct sky_door *door, uint32_t connection,
                     sky_span method, sky_span path, int status, const char **reason);

#endif
