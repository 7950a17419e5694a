/* Whom the admin listener answers: not a web page that somebody's browser has loaded from
 * elsewhere, whether it sends its requests across sites or has its own name point here. Pure. */
#ifndef SKY_SERVER_ADMIN_GUARD_H
#define SKY_SERVER_ADMIN_GUARD_H

#include "protocol/base/span.h"

struct sky_config;

/* Is `name`, a host without its port, one of this server's? Loopback names and addresses are, for
 * no page can have them point elsewhere; else those it was given: where the listener is, and
 * --san, --advertise-host and --admin-host. */
bool sky_guard_host(const struct sky_config *config, const char *listener_host, sky_span name);

/* Has the page of this Origin header come from the host, with its port, that it asks (RFC 6454 §7)?
 */
bool sky_guard_origin(sky_span origin, sky_span host);

#endif
