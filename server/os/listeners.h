/* The listeners there can be: a row says name, default port and what is let in. Clouds add theirs.
 * Values only: who opens them is the network's business. */
#ifndef SKY_SERVER_OS_LISTENERS_H
#define SKY_SERVER_OS_LISTENERS_H

#include "protocol/cloud/cloud.h"

/* Every listener there can be, the general ones first; NULL past the end. */
const struct sky_listener_row *sky_listener_row(size_t index);
/* NULL: there is none of that name. */
const struct sky_listener_row *sky_listener_find(sky_span name);

#endif
