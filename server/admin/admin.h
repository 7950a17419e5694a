/* The admin API: what a test suite asks and orders, over HTTP. One table of routes dispatches it
 * and describes it. */
#ifndef SKY_SERVER_ADMIN_ADMIN_H
#define SKY_SERVER_ADMIN_ADMIN_H

#include "protocol/base/err.h"

struct sky_app;
struct sky_fixture_result;
struct sky_http_handler;
struct sky_strings;

void sky_admin_open(struct sky_app *app);
/* Puts devices back that a server that was killed had kept as they were before a test. */
SKY_MUST_USE sky_err sky_admin_recover(struct sky_app *app);
/* No call may be left. */
void sky_admin_free(struct sky_app *app);

/* The fixtures have been read again, as struct sky_fixture_reload tells. */
void sky_admin_reloaded(struct sky_app *app, const struct sky_strings *errors,
                        const struct sky_fixture_result *result);

/* The handler of the API, for the HTTP port. */
struct sky_http_handler sky_admin_handler(struct sky_app *app);

#endif
