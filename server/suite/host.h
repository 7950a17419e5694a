/* What runs of suites need of the program, as values and functions: the admin API fills it in. */
#ifndef SKY_SERVER_SUITE_HOST_H
#define SKY_SERVER_SUITE_HOST_H

#include "server/judge/waits.h"
#include "server/registry/registry.h"
#include "server/suite/suite.h"
#include "store/snapshots.h"

/* How the device comes. */
struct sky_suite_where {
    bool online;
    unsigned transports; /* bit per enum sky_transport by which it has come; 0: never seen */
    bool psk;            /* by a pre-shared key */
    char listener[32];   /* of its last connection; "": not known */
};

/* A call of a route, from its begin until it is done or cancelled; embedded in who waits. */
struct sky_suite_call {
    void *state; /* the host's own; NULL: none is on its way */
    void (*done)(struct sky_suite_call *call, int status, const cJSON *body);
};

/* What the runs need of the program. */
struct sky_suite_host {
    void *ctx;
    struct sky_registry *registry;
    struct sky_device_names *names;
    struct sky_waits *waits;
    /* Calls a route; done() comes later, or from within. */
    void (*call)(void *ctx, struct sky_suite_call *call, const char *method, const char *path,
                 const cJSON *body);
    void (*cancel)(void *ctx, struct sky_suite_call *call); /* done() does not come any more */
    /* Sets whether it is online, and adds what else is known. */
    void (*where)(void *ctx, int64_t device_id, struct sky_suite_where *where);
    /* A topic that the device's session subscribes to, without wildcards: owned; NULL: none. */
    char *(*topic)(void *ctx, int64_t device_id);
    /* Keeps the state of a device, and puts it back: documents, record, session. */
    sky_err (*keep)(void *ctx, const struct sky_product *product, const struct sky_device *device,
                    struct sky_snapshot *ret_kept);
    void (*put_back)(void *ctx, const struct sky_snapshot *kept);
    void (*end_fault)(void *ctx, int64_t id);
    void (*set_clock)(void *ctx, int64_t now_ms, bool frozen);
};

#endif
