/* Gateways: devices that speak for others behind them. What a message of theirs says of those, as
 * values: whom it names, what the server knows of each, and what the cloud makes of it. */
#ifndef SKY_CLOUD_GATEWAY_H
#define SKY_CLOUD_GATEWAY_H

#include "auth/explain.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/effects.h"
#include "protocol/cloud/login.h"

struct sky_uplink;

enum {
    SKY_PEERS_MAX = 200,   /* devices that one message may name: each is looked up */
    SKY_BEHIND_MAX = 2000, /* devices bound to one gateway, whatever its cloud takes */
    SKY_PEER_FRESH = 64,   /* random characters for each */
};

/* A device that a gateway's message names. */
struct sky_peer {
    /* From the message, by the service's `peers`; the item is its JSON object, for the rest. */
    sky_span product, device; /* keys; empty: it names none */
    sky_span item;
    /* Looked up. The pointers are NULL where the registry has nothing. */
    const struct sky_product *known_product;
    const struct sky_device *known;
    bool allowed; /* its product is no gateway's, and may stand behind this one's */
    bool bound;   /* to this gateway */
    bool bound_elsewhere;
    bool online;           /* by this gateway */
    bool online_elsewhere; /* by another one, or on a connection of its own */
    sky_span fresh;        /* SKY_PEER_FRESH random characters, if the service reads them */
    sky_span document;     /* its document of the service's name, as stored; empty: none */
    int64_t document_version;
    const struct sky_model *model; /* of its product, if the service reads it; NULL: it has none */
    /* For the handler to fill in: what it judged of this device, by the rules of its own product;
     * and why it is turned away. SIGNATURE: the server asks the service for its suspicion. What
     * there is to tell is in the device's own journal, beside the gateway's. */
    struct sky_judge *judge;
    enum sky_cause cause;
};

/* What happens to devices behind a gateway that the gateway did not do itself. */
enum sky_behind_event {
    SKY_BEHIND_BOUND,   /* the application bound them to it */
    SKY_BEHIND_UNBOUND, /* took them away, or they are bound to another one now */
    SKY_BEHIND_ENABLED,
    SKY_BEHIND_DISABLED,
    SKY_BEHIND_DELETED, /* from the registry */
    SKY_BEHIND_OUSTED,  /* logged in elsewhere, when they were online here */
};

struct sky_cloud_gateway {
    /* A device's topics are open to the gateway that it is bound to; else to the one by which it is
     * online. */
    bool opens_when_bound;
    bool shared;                    /* a device may be bound to several gateways */
    uint16_t bound_max, online_max; /* of one gateway */
    /* Broken when a gateway uses the topics of a device bound to it that it never said was online;
     * NULL: that is as it should be, or cannot be. */
    const struct sky_rule *unannounced_rule;
    /* Tells a gateway that is online. The uplink is the gateway's, without topic and payload; each
     * message of its own takes `id`, fresh digits. `peers` have no judge. A push on a device's own
     * topic goes by the same connection: its effect names the device as `subject`. NULL: it is not
     * told. */
    void (*tell)(const struct sky_uplink *gateway, enum sky_behind_event event,
                 const struct sky_peer *peers, size_t count, sky_span id,
                 struct sky_effects *effects);
};

#endif
