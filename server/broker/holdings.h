/* What a device's session holds besides its connection, as bytes: what it subscribed to, and the
 * messages that are in flight or wait. To be compared, kept, and put back. */
#ifndef SKY_SERVER_BROKER_HOLDINGS_H
#define SKY_SERVER_BROKER_HOLDINGS_H

#include "server/broker/broker.h"

/* The bytes before these say when it went away and how far its packet ids have come: both go on by
 * themselves, and make no difference. */
enum { SKY_HOLDINGS_HEAD = 2 * sizeof(int64_t) };

/* Appends; nothing when there is no session to speak of: it is neither connected nor to come back
 * to. */
void sky_holdings_write(struct sky_broker *broker, struct sky_session *session,
                        struct sky_buf *out);
/* How many messages are in such a writing. */
size_t sky_holdings_messages(sky_span bytes);
/* The device holds this instead of what it did; its connection, if any, is closed for the stated
 * reason. What ended with a connection then has ended. `shift_ms` is lived time between the writing
 * and now. INVALID: the bytes are no such writing, and it holds nothing. */
SKY_MUST_USE sky_err sky_holdings_put_back(struct sky_broker *broker, struct sky_session *session,
                                           sky_span bytes, int64_t shift_ms, const char *reason);

#endif
