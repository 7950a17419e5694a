/* What a cloud tells a gateway of its own accord: a device behind it was bound, disabled, logged in
 * elsewhere. */
#ifndef SKY_SERVER_BROKER_NOTICES_H
#define SKY_SERVER_BROKER_NOTICES_H

#include "server/broker/broker.h"

/* As broker->tell_gateway. */
void sky_notice_send(struct sky_broker *broker, struct sky_session *gateway,
                     enum sky_behind_event event, const struct sky_product *product,
                     const struct sky_device *device);

#endif
