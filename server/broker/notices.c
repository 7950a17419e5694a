#include "server/broker/notices.h"

#include "server/broker/commands.h"
#include "server/broker/effects.h"
#include "server/broker/presence.h"

void sky_notice_send(struct sky_broker *broker, struct sky_session *gateway,
                     enum sky_behind_event event, const struct sky_product *product,
                     const struct sky_device *device)
{
    const struct sky_cloud_gateway *rules = gateway->product->cloud->gateway;
    if (rules->tell == NULL)
        return;
    const struct sky_session *session = sky_session_find(broker->registry, device->id);
    struct sky_uplink to = sky_session_uplink(gateway);
    const struct sky_peer peer = {.product = sky_span_str(product->key),
                                  .device = sky_span_str(device->key),
                                  .known_product = product,
                                  .known = device,
                                  .online = session != NULL && session->work->via == gateway};
    char id[SKY_COMMAND_DIGITS];
    struct sky_effects effects;
    sky_effects_init(&effects);
    rules->tell(&to, event, &peer, 1, sky_command_fresh_id(broker, gateway, id), &effects);
    sky_apply(broker, gateway, NULL, &effects, 0);
    sky_effects_done(&effects);
}
