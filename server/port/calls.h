/* The clouds' HTTP calls that devices make: whose call it is, what the registry knows, what the
 * cloud answers, and for a refusal, why. An answer goes out only once what it promises is kept. */
#ifndef SKY_SERVER_PORT_CALLS_H
#define SKY_SERVER_PORT_CALLS_H

#include "protocol/cloud/cloud.h"

struct sky_app;
struct sky_held_answer;
struct sky_http_handler;

/* Answers that wait for the store, the longest waiting first. All zeros when none does. */
struct sky_calls {
    struct sky_held_answer *held; /* owned */
};

/* The HTTP port's handler for devices. A call that is cut short is judged by what came of it, so
 * that the device is told what it did wrong; nobody hears the answer. One that never came to be a
 * call (too long, chunked) is a finding on the path it was for. */
extern const struct sky_http_handler sky_calls_handler;

/* The store has settled: `kept` says whether what the held answers promise is durable. They go out,
 * as they are or as failures. */
void sky_calls_settled(struct sky_app *app, bool kept);

#endif
