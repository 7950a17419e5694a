/* What devices download: images of their upgrades, and configurations; whole or in part, in pieces
 * as they read them. Who may, says the name. */
#ifndef SKY_SERVER_PORT_DOWNLOADS_H
#define SKY_SERVER_PORT_DOWNLOADS_H

#include "server/broker/broker.h"
#include "server/port/http.h"

/* Answers a call for a file, now and later. False, and nothing done: it is for none that there is.
 */
bool sky_download_take(struct sky_broker *broker, struct sky_http_call *call);

#endif
