/* What a device that is in does, what answers it, on which topics, and the commands that are sent
 * to it. Knows nothing of what carries a message. */
#ifndef SKY_CLOUD_SERVICE_H
#define SKY_CLOUD_SERVICE_H

#include "protocol/base/rule.h"
#include "protocol/cloud/effects.h"
#include "protocol/cloud/gateway.h"
#include "protocol/cloud/login.h"

/* ---- what devices do ---- */

/* One act of an admitted device, whatever carried it. */
struct sky_uplink {
    const struct sky_cloud *cloud;
    sky_span product, device; /* keys of the sender */
    sky_span topic, payload;
    enum sky_transport transport;
    uint8_t qos;
    unsigned traits;
    bool reply_subscribed; /* the device receives what is published to the service's `reply` */
};

/* What is looked up for a service because its row asks for it, or'ed. The time is always there. */
enum {
    SKY_READS_DEVICE = 1 << 0, /* product and device as they are registered */
    SKY_READS_FRESH = 1 << 1,  /* random characters */
    SKY_READS_BEHIND = 1 << 2, /* the devices bound to it, and how many are online by it */
    SKY_READS_COUNTS = 1 << 6, /* only how many are bound to it and online by it */
    SKY_READS_CONFIG = 1 << 3, /* its product's remote configuration */
    SKY_READS_LINK = 1 << 4,   /* what URLs of files begin with */
    SKY_READS_MODEL = 1 << 5,  /* its product's thing model */
};

enum { SKY_PIECE_MAX = 128 * 1024 }; /* bytes of a file in one message */

/* A part of a file that a service wants to see: of the image with that name (ota.h). */
struct sky_piece_request {
    sky_span file; /* as in the document, or in the arena */
    int64_t offset;
    size_t size; /* at most SKY_PIECE_MAX; less comes where the file ends before */
};

/* A service: what answers on a topic. */
struct sky_service {
    const char *name;     /* "property-post": shown in the journal */
    const char *document; /* the device document it reads and may replace; NULL: none */
    unsigned reads;       /* SKY_READS_..., 0: none */
    void (*handle)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects);
    const char *reply; /* pattern of the topic it answers on, where it matters to the service
                          whether the device subscribed to it; NULL: it does not */
    /* The devices that a gateway's message names: fills in keys and item of each, which lie in the
     * payload or the arena, and returns how many; no more than SKY_PEERS_MAX. NULL: none are looked
     * up. Does not look at whether the sender is a gateway. */
    size_t (*peers)(const struct sky_uplink *uplink, struct sky_arena *arena,
                    struct sky_peer ret_peers[SKY_PEERS_MAX]);
    /* Does this message need SKY_READS_BEHIND, where the row has it? NULL: every one does. */
    bool (*lists)(const struct sky_uplink *uplink);
    /* After SKY_CAUSE_SIGNATURE of a peer: as sky_cloud.suspect. The facts are the peer's. NULL:
     * there is nothing to recompute. */
    bool (*suspect)(const struct sky_uplink *uplink, const struct sky_peer *peer,
                    struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
    /* Which bytes of a file it is to find as facts->piece; told from the act and the document.
     * False: none. NULL: it never reads any. */
    bool (*wants)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                  struct sky_arena *arena, struct sky_piece_request *ret_piece);
};

/* Rights on a topic, or'ed. */
enum {
    SKY_MAY_PUB = 1 << 0,
    SKY_MAY_SUB = 1 << 1,
    SKY_PUSHED = 1 << 2, /* downlinks here reach the device without a subscription */
    SKY_RAW = 1 << 3,    /* the payload is opaque bytes */
    SKY_CUSTOM = 1 << 4, /* a product's own: no session is subscribed to it by itself */
    SKY_ANSWER = 1 << 5, /* only answers to the device's own requests come here */
};

/* A row of a cloud's topic tree; the first row that matches counts. */
struct sky_topic_row {
    const char *pattern; /* see protocol/mqtt/topic.h */
    unsigned rights;
    const struct sky_service *service; /* NULL: carried to subscribers, nothing answers */
};

/* In order: the first row that fits a topic is its row. */
struct sky_topic_table {
    const struct sky_topic_row *rows;
    size_t count;
};

enum sky_right {
    SKY_RIGHT_GRANTED,
    SKY_RIGHT_NONE,      /* no row */
    SKY_RIGHT_DIRECTION, /* its own topic, the other way round */
    SKY_RIGHT_OTHER,     /* another device's topic */
};

/* What a publish without the right does on the wire, besides being dropped. */
enum sky_violation {
    SKY_VIOLATION_ACK,    /* acknowledged all the same */
    SKY_VIOLATION_NO_ACK, /* acknowledgement withheld */
};

/* A command the application may send to a device (admin API). */
struct sky_command_request {
    sky_span name;   /* service, property or method; may be empty */
    sky_span params; /* JSON */
    sky_span id;     /* fresh correlation id, digits */
    const struct sky_facts
        *facts;          /* the time, configuration, model, the row's document and reads */
    struct sky_why *why; /* the build may say why it makes none; NULL: nobody asks */
};

/* What is peculiar about a command, or'ed. */
enum {
    SKY_COMMAND_SILENT = 1 << 0, /* devices do not answer it: nobody waits */
    SKY_COMMAND_KEPT = 1 << 1,   /* the document holds what it wants: a device that it does not
                                    reach now asks for that when it is back */
};
struct sky_command_row {
    const char *kind;  /* "property-set", "service", "rpc" */
    const char *about; /* for people: what it is, and what is to be given; NULL: not said */
    /* Appends the downlink (PUSH) and returns the correlation id that ANSWER will carry. Of several
     * downlinks, on topics of different age, a device gets those that it listens to. */
    sky_span (*build)(const struct sky_uplink *to, const struct sky_command_request *request,
                      struct sky_effects *effects);
    unsigned traits;      /* SKY_COMMAND_..., 0: none */
    unsigned reads;       /* SKY_READS_DEVICE and _LINK, 0: none */
    const char *document; /* the device document it reads and may replace; NULL: none */
    size_t params_max;    /* bytes; 0: as many as any command's */
};

#endif
