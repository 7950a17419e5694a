/* A route of the API called by the program itself: the same checks, the same handler, the same
 * answer, without a connection. */
#ifndef SKY_SERVER_ADMIN_INNER_H
#define SKY_SERVER_ADMIN_INNER_H

#include "server/suite/host.h"

struct sky_app;

/* As struct sky_suite_host has it; `ctx` is the app. */
void sky_inner_call(void *ctx, struct sky_suite_call *call, const char *method, const char *path,
                    const cJSON *body);
void sky_inner_cancel(void *ctx, struct sky_suite_call *call);

#endif
