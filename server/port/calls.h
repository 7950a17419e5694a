/* The clouds' HTTP calls that devices make: whose call it is, what the registry knows, what the
 * cloud answers, and for a refusal, why. An answer goes out only once what it promises is kept. */
#ifndef SKY_SERVER_PORT_CALLS_H
#define SKY_SERVER_PORT_CALLS_H

#include "protocol/cloud/cloud.h"

struct sky_broker;
struct sky_held_answer;
struct sky_http_handler;
struct sky_net;
struct sky_ws;

struct sky_calls {
    struct sky_broker *broker;  /* borrowed, as the next two */
    const struct sky_net *net;  /* for the port that answers name */
    struct sky_ws *ws;          /* borrowed, once it is open */
    const char *advertise_host; /* what answers tell devices to connect to; NULL: where they came */
    struct sky_held_answer *held; /* owned: answers that wait for the store, the longest first */
};

/* The handler of devices' calls, for the HTTP port. A call that is cut short is judged by what came
 * of it, so that the device is told what it did wrong; one that never came to be a call (too long,
 * chunked) is a finding on the path it was for. */
struct sky_http_handler sky_calls_handler(struct sky_calls *calls);

/* The store has settled: `kept` says whether what the held answers promise is durable. They go out,
 * as they are or as failures. */
void sky_calls_settled(struct sky_calls *calls, bool kept);

#endif
