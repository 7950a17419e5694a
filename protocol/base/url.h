/* The parts of an http or https URL, as views: enough to tell a good one from a bad one, and to
 * show it without what may be secret in it. Pure; resolves nothing. (RFC 3986 §3, RFC 9110 §4.2) */
#ifndef SKY_BASE_URL_H
#define SKY_BASE_URL_H

#include "protocol/base/span.h"

enum { SKY_URL_MAX = 512 }; /* bytes */

struct sky_url {
    sky_span scheme; /* http or https, in letters of either case */
    sky_span host;   /* an IPv6 address without its brackets */
    sky_span place;  /* host and port as they stand, without user name and password */
    sky_span path;   /* from the slash on, without the query; may be empty */
};

/* False, and nothing set, for what is no such URL or is longer than SKY_URL_MAX. */
bool sky_url_parse(sky_span text, struct sky_url *ret_url);

/* The URL without what may be secret in it: user name, password, query. Empty for what is none. */
sky_span sky_url_shown(sky_span text, char out[SKY_URL_MAX + 1]);

#endif
