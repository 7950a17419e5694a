/* What else a body must be, beyond the kinds of its members: by the routes, and by whoever has a
 * body before it is sent, as device suites do. */
#ifndef SKY_SERVER_ADMIN_CHECKS_H
#define SKY_SERVER_ADMIN_CHECKS_H

#include "protocol/base/json_tree.h"

/* INVALID, and `why` has the reason and the pointer, with `at` in front. */
SKY_MUST_USE sky_err sky_check_message(const cJSON *body, const char *at, struct sky_why *why);
/* An upgrade whose image is not the request's body itself. */
SKY_MUST_USE sky_err sky_check_upgrade(const cJSON *body, const char *at, struct sky_why *why);

#endif
