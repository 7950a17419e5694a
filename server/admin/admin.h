/* The admin API: what a test suite asks and orders, over HTTP. One table of routes dispatches it
 * and describes it. */
#ifndef SKY_SERVER_ADMIN_ADMIN_H
#define SKY_SERVER_ADMIN_ADMIN_H

struct sky_app;
struct sky_http_handler;

void sky_admin_open(struct sky_app *app);
/* No call may be left. */
void sky_admin_free(struct sky_app *app);

/* The handler of the API, for the HTTP port. */
struct sky_http_handler sky_admin_handler(struct sky_app *app);

#endif
