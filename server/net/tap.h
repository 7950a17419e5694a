/* Where whoever captures traffic sees what devices and the server say, in the clear, whatever
 * encrypted it. Nobody captures: a pointer is tested, and no more. The admin API is not seen. */
#ifndef SKY_SERVER_NET_TAP_H
#define SKY_SERVER_NET_TAP_H

#include <netinet/in.h>

#include "protocol/base/span.h"
#include "protocol/cloud/cloud.h"

/* Between whom. A value. */
struct sky_tap_ends {
    uint32_t connection; /* as the journal has it */
    bool datagrams;
    const struct sky_listener_row *listener;
    struct sockaddr_storage peer;
    /* Our side: what the system is asked for, so only of a connection that is new to who asks. */
    void (*find_local)(const void *owner, struct sockaddr_storage *ret_local);
    const void *owner;
};

enum sky_tap_end {
    SKY_TAP_PEER_LEFT,
    SKY_TAP_PEER_RESET,
    SKY_TAP_WE_LEFT,
    SKY_TAP_WE_RESET,
    SKY_TAP_SILENT, /* nobody is told */
};

/* Whoever captures embeds this; struct sky_net has the pointer while anything is captured. */
struct sky_tap {
    void (*bytes)(struct sky_tap *tap, const struct sky_tap_ends *ends, bool from_peer,
                  sky_span bytes);
    /* It is over. `ends` is NULL when nobody may see it. */
    void (*end)(struct sky_tap *tap, uint32_t connection, const struct sky_tap_ends *ends,
                enum sky_tap_end how);
};

#endif
