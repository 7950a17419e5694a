#include "server/os/listeners.h"

#include "protocol/base/mem.h"

static const struct sky_listener_row general[] = {
    {"mqtt", 1883, SKY_LISTEN_CLEAR | SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_PSK, NULL},
    {"mqtts", 8883, SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_PSK | SKY_LISTEN_CERT_ASKED,
     NULL},
    {"coaps", 5684, SKY_LISTEN_DTLS | SKY_LISTEN_PSK, NULL},
    {"https", 8443,
     SKY_LISTEN_CLEAR | SKY_LISTEN_TLS | SKY_LISTEN_MQTT | SKY_LISTEN_HTTP | SKY_LISTEN_PSK, NULL},
    {"admin", 8080, SKY_LISTEN_CLEAR | SKY_LISTEN_HTTP | SKY_LISTEN_ADMIN, NULL},
};

const struct sky_listener_row *sky_listener_row(size_t index)
{
    if (index < SKY_COUNT(general))
        return &general[index];
    index -= SKY_COUNT(general);
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        if (index < sky_clouds[i]->listener_count)
            return &sky_clouds[i]->listeners[index];
        index -= sky_clouds[i]->listener_count;
    }
    return NULL;
}

const struct sky_listener_row *sky_listener_find(sky_span name)
{
    const struct sky_listener_row *row;
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++)
        if (sky_span_eq_str(name, row->name))
            return row;
    return NULL;
}
