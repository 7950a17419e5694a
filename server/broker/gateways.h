/* Gateways and the devices behind them: logging in and out, binding, and telling gateways what they
 * did not do themselves. `of` is the journal's number of the act; 0: none. */
#ifndef SKY_SERVER_BROKER_GATEWAYS_H
#define SKY_SERVER_BROKER_GATEWAYS_H

#include "server/broker/broker.h"

/* The gateway makes use of a topic of the device: that brings it online, where its cloud has it so,
 * and breaks a rule if the gateway never said that it was. */
void sky_gateway_use(struct sky_broker *broker, struct sky_session *gateway,
                     struct sky_session *device, struct sky_judge *judge);

/* The device is online by the gateway from now on, and nowhere else. */
void sky_gateway_login(struct sky_broker *broker, struct sky_session *gateway,
                       struct sky_session *device, uint64_t of);
/* The device has come by itself: the gateway is told. */
void sky_gateway_ousted(struct sky_broker *broker, struct sky_session *device);

/* Binds, unless the cloud shares devices taking it from other gateways, who are told. LIMIT: as
 * many are bound as the cloud takes. */
SKY_MUST_USE sky_err sky_gateway_bind(struct sky_broker *broker, int64_t gateway_id,
                                      const struct sky_product *product,
                                      const struct sky_device *device, uint64_t of);
/* OK also when it is not bound. */
SKY_MUST_USE sky_err sky_gateway_unbind(struct sky_broker *broker, int64_t gateway_id,
                                        int64_t device_id, uint64_t of);

/* What stands behind this gateway is nobody else's, unless the cloud shares devices; others that
 * had it are told. */
SKY_MUST_USE sky_err sky_gateway_claim(struct sky_broker *broker, const struct sky_product *product,
                                       int64_t gateway_id);

/* The application bound the device to this gateway, or took it away: that one is told. */
void sky_gateway_told(struct sky_broker *broker, int64_t gateway_id,
                      const struct sky_product *product, const struct sky_device *device,
                      enum sky_behind_event event);

/* The application changed something about the device: its gateways are told, those that are online;
 * disabled or deleted, it goes offline. To be called before a deletion, after anything else. */
void sky_gateway_changed(struct sky_broker *broker, const struct sky_product *product,
                         const struct sky_device *device, enum sky_behind_event event);

#endif
