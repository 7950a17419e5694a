/* What the running server knows of each device it has admitted: one session for each, online or
 * away, found by registry id. Knows delivery state; knows no bytes. */
#ifndef SKY_SERVER_REGISTRY_SESSIONS_H
#define SKY_SERVER_REGISTRY_SESSIONS_H

#include "server/registry/products.h"

struct sky_conn;
struct sky_fetcher;
struct sky_topic_node;

enum { SKY_SESSION_IDS = 16 };

/* Why a message does not reach a device: LIMIT, it is too long for what carries it; CONFLICT, as
 * things are. A value. */
struct sky_hindrance {
    sky_err err;                                /* SKY_OK: there is none */
    const char *reason;                         /* static */
    const struct sky_mqtt_session_limits *full; /* borrowed from its cloud; NULL: not its queue */
};

enum { SKY_HINDRANCE_TEXT = 160 };

/* The reason, and of a queue that is full how much it takes. In `out`, or static. */
const char *sky_hindrance_text(const struct sky_hindrance *hindrance, char out[SKY_HINDRANCE_TEXT]);

/* The way to a device that fetches what is sent to it. Whatever carries it embeds this. */
struct sky_fetcher_ops {
    bool (*is_online)(const struct sky_fetcher *fetcher);
    /* Can a message of so many bytes wait for `ttl_ms` of virtual time? 0 stands for the longest,
     * a negative one for as long as the device is online. */
    struct sky_hindrance (*hindrance)(const struct sky_fetcher *fetcher, size_t payload_len,
                                      int64_t ttl_ms);
    /* Lets it wait. Journals that, or why it cannot. */
    struct sky_hindrance (*push)(struct sky_fetcher *fetcher, sky_span topic, sky_span payload,
                                 uint64_t of, int64_t ttl_ms);
    /* Ends what is open; false when nothing is. `reason` is static. */
    bool (*kick)(struct sky_fetcher *fetcher, const char *reason);
    /* The session is about to go, and the fetcher with it. */
    void (*forget)(struct sky_fetcher *fetcher);
};
struct sky_fetcher {
    const struct sky_fetcher_ops *ops;
};

/* What few devices have of those that only connect and stay: messages, a gateway, a way to fetch.
 */
struct sky_session_work {
    uint64_t published, delivered; /* messages */
    struct {
        int64_t lived_ms, real_ms; /* when the second began that it counts in */
        uint32_t count[2];         /* publishes, with QoS 0 and above */
    } rate;
    uint32_t ids[SKY_SESSION_IDS]; /* that it gave its own messages lately, as far as a command's
                                      could be the same */
    uint8_t next_id;               /* place of the oldest of them */
    struct sky_topic_node *last_topic; /* the last one it published to; good in `last_epoch` */
    uint64_t last_epoch;
    int64_t resubscribe_by_ms;       /* lived time; see sky_session_expect_subscribe() */
    struct sky_fetcher *fetcher;     /* NULL: it has never come to fetch */
    struct sky_session *via;         /* the gateway by which it is online, on whose connection
                                        everything of it goes; NULL: none. Then its `conn` is NULL */
    struct sky_session *behind;      /* list of those online by this one */
    struct sky_session *prev, *next; /* in such a list */
    size_t behind_count;
};

struct sky_session {
    int64_t device_id;
    struct sky_product_info *product; /* never NULL, outlives the session */
    struct sky_party *party;          /* never NULL, outlives the session */
    struct sky_conn *conn;            /* NULL: away */
    struct sky_session_work *work;    /* never NULL; see sky_session_work() */
    struct sky_mqtt_session mqtt;
    int64_t last_seen_ms;  /* lived time, as the next two */
    int64_t last_login_ms; /* of the last try, admitted or not; 0: none */
    int64_t away_since_ms;
    uint32_t slot; /* index in the table; also its number as a subscriber */
    uint16_t keepalive_s;
    uint16_t traits;
    uint16_t packet_types; /* one bit for each type of MQTT packet that has come, decoded */
    uint16_t key_at;       /* where its key begins in its party's name */
    uint8_t tokens;        /* 1 + the place of its newest login token; 0: not looked up */
    bool token_waits : 1;  /* it fetched a login token and has not logged in since */
    bool clean : 1;        /* ends with the connection */
    bool kept : 1;         /* there is state to come back to */
    bool unread : 1;       /* of which the messages are still in the store only */
    bool silent : 1;       /* its present silence: noted past 1.0 of the keepalive, */
    bool dead : 1;         /* past 1.5 */
    bool listened : 1;     /* it left subscriptions that it needs, or lost them before */
    bool announced : 1;    /* a gateway said that it was online, once */
    bool subscribed_activation : 1; /* for the judgement at the end of an activation */
};

/* NULL when the device was never admitted since start. */
struct sky_session *sky_session_find(const struct sky_registry *registry, int64_t device_id);
struct sky_session *sky_session_at(const struct sky_registry *registry, uint32_t slot);
/* Finds or makes the session of a device of the registry. */
struct sky_session *sky_session_open(struct sky_registry *registry,
                                     const struct sky_product *product,
                                     const struct sky_device *device);
/* Takes it out of the table and frees it. Nothing may be connected, subscribed or waiting. */
void sky_session_drop(struct sky_registry *registry, struct sky_session *session);
void sky_sessions_done(struct sky_registry *registry); /* every session has been dropped */

/* That of sessions that have none: it can be read, but not be written to. */
extern const struct sky_session_work sky_session_at_rest;
/* Its own, to be written to; stays with the session. */
struct sky_session_work *sky_session_work(struct sky_session *session);

/* Valid as long as the session. */
static inline const char *sky_session_key(const struct sky_session *session)
{
    return session->party->name + session->key_at;
}
/* What it subscribed to is lost: it has to anew until then; 0: it has not. */
void sky_session_expect_subscribe(struct sky_session *session, int64_t by_ms);
/* Counts a message to or from the device, and books it into what is known of its behaviour.
 * With its packet id only where something may keep the acknowledgement from the device: to follow
 * each id costs as much as all other figures. */
void sky_session_carried(struct sky_registry *registry, struct sky_session *session,
                         const struct sky_behaviour_message *message);

/* Books the rules that one act exercised into the device's conduct; NULL: nobody's. What it broke
 * is booked with the event that shows it. */
void sky_session_judged(struct sky_session *session, const struct sky_judge *judge);

#endif
