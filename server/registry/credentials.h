/* What a device must send to log in, as JSON: for `skymock sign --json` and the admin API. */
#ifndef SKY_SERVER_REGISTRY_CREDENTIALS_H
#define SKY_SERVER_REGISTRY_CREDENTIALS_H

#include "protocol/base/json.h"
#include "protocol/cloud/cloud.h"

/* Writes the members, without the braces around them; those a cloud has no use for are left out. */
void sky_credentials_write(struct sky_jw *jw, const struct sky_credentials *credentials);
/* Signs, and writes the members likewise; where the request asks for the plain way in, the others
 * follow as objects: over TLS, and to fetch the secret, if the product permits that. */
void sky_credentials_tell(struct sky_jw *jw, const struct sky_cloud *cloud,
                          const struct sky_sign_request *request);

#endif
