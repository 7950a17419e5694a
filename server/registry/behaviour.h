/* How a device behaves, in figures: what it asks of the cloud, how it comes back, what it says
 * twice, how much it says and hears. Fed as things happen, so that nothing of it is looked for in
 * the journal. Values and pure functions: time is an argument; knows no sessions and no carriers.
 */
#ifndef SKY_SERVER_REGISTRY_BEHAVIOUR_H
#define SKY_SERVER_REGISTRY_BEHAVIOUR_H

#include "server/journal/event.h"

enum {
    SKY_BEHAVIOUR_TOPICS_MAX = 32, /* of one device, the first that come; the rest are "others" */
    SKY_BEHAVIOUR_TOPIC_LEN_MAX = 128, /* bytes; a longer one is one of the others */
    SKY_BEHAVIOUR_INTERVALS_MAX = 32,  /* the last ones */
    SKY_BEHAVIOUR_HANDSHAKES_MAX = 4,  /* kinds; more are counted with the last of them */
    SKY_BEHAVIOUR_CIPHER_MAX = 47,
    SKY_BEHAVIOUR_TIMES_MAX = 16, /* of answers, the last ones */
    SKY_BEHAVIOUR_ASKED_MAX = 8,  /* commands at once whose answers are timed */
    SKY_BEHAVIOUR_UNACKED_MAX = 8,
};

struct sky_traffic {
    uint64_t count, bytes; /* messages, and bytes of their payloads */
};

enum sky_way { SKY_WAY_UP, SKY_WAY_DOWN, SKY_WAYS };

struct sky_behaviour_topic {
    char *name; /* owned; NULL: the others */
    size_t len;
    struct sky_traffic traffic[SKY_WAYS];
};

/* From the end of a connection to the next CONNECT. */
struct sky_interval {
    uint32_t ms;  /* lived time, as far as it can be said */
    bool follows; /* an attempt that came to nothing: the device never acted on that connection */
};

struct sky_behaviour_handshake {
    enum sky_transport transport;
    bool psk;
    char version[12], cipher[SKY_BEHAVIOUR_CIPHER_MAX + 1];
    uint64_t full, resumed;
    uint32_t longest_ms; /* real time, of those that can be timed */
};

/* Commands whose answers are timed; the oldest go. */
struct sky_behaviour_waiting {
    struct {
        uint32_t id; /* a hash of it; 0: none */
        int64_t at_ms;
    } commands[SKY_BEHAVIOUR_ASKED_MAX];
    size_t next;
};

/* What few devices do that only connect and stay. What is owned is NULL until there is something to
 * keep in it. */
struct sky_behaviour_acts {
    uint64_t late, missed; /* silences past 1.0, past 1.5 of the keepalive */
    uint64_t filters_refused, unsubscribes;

    uint64_t intervals_seen;
    size_t interval_count;
    struct sky_interval *intervals; /* owned: the last ones, in order; of equal ones the first */

    uint64_t resent;        /* publishes with DUP */
    uint64_t reused;        /* without it, under the id of one that was not acknowledged */
    uint64_t retransmitted; /* CoAP messages that had come before */
    uint16_t unacked[SKY_BEHAVIOUR_UNACKED_MAX]; /* by this connection; not merged, as `waiting` */
    size_t unacked_count;

    uint64_t qos[SKY_WAYS][3];
    struct sky_behaviour_topic *topics; /* owned; the first place is that of the others */
    size_t topic_count, topic_room;
    size_t last_topic[SKY_WAYS]; /* devices speak of one thing again and again */
    uint64_t last_topic_id[SKY_WAYS];

    struct sky_behaviour_handshake *handshakes; /* owned */
    size_t handshake_count;
    uint64_t handshakes_failed;
    uint64_t http_logins, http_refused;
    uint64_t commands, answers; /* `answers` of those that could be timed */
    uint32_t times_ms[SKY_BEHAVIOUR_TIMES_MAX];
    struct sky_behaviour_waiting *waiting; /* owned; not merged: it ends with its chapter */
};

/* Zeroed: nobody knows of any. */
struct sky_behaviour {
    int64_t first_ms, last_ms; /* lived time at which it was heard of; 0: never */
    int64_t longest_silence_ms;
    struct sky_behaviour_acts *acts; /* owned; NULL: nothing else. Read by sky_behaviour_acts() */
    uint32_t connects, refused;
    uint32_t clean, kept; /* of those that were let in: with and without clean session */
    uint32_t filters;
    uint16_t keepalive_s; /* as last asked for */
    bool known;           /* there is something to tell */
};

/* Never NULL; zeroed where it has done nothing else. */
const struct sky_behaviour_acts *sky_behaviour_acts(const struct sky_behaviour *behaviour);

/* What goes on in this chapter. Zeroed: nothing. */
struct sky_behaviour_state {
    uint32_t connection; /* by which it logged in last; 0: never */
    bool let_in, acted;  /* by that one */
    int64_t ended_ms;    /* lived time at which that one ended; 0: it has not */
};

/* An event as it is recorded. */
struct sky_behaviour_event {
    const struct sky_event_head *head;
    const struct sky_attr *attrs;
    size_t count;
    bool refused; /* by a rule */
};
/* Is there anything in events of this type? */
bool sky_behaviour_reads(enum sky_event_type type);
void sky_behaviour_add(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                       const struct sky_behaviour_event *event, int64_t lived_ms);

/* A message to or from the device. The id is 0 where there is none. */
struct sky_behaviour_message {
    enum sky_way way;
    sky_span topic;
    uint64_t topic_id; /* of no other topic, ever; 0: the name has to be looked at */
    size_t len;        /* of the payload */
    uint8_t qos;
    bool dup;
    uint16_t packet_id;
};
void sky_behaviour_add_message(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                               const struct sky_behaviour_message *message, int64_t lived_ms);

/* A handshake that it has carried through; counted with others of its kind. */
void sky_behaviour_add_handshake(struct sky_behaviour *behaviour,
                                 const struct sky_behaviour_handshake *handshake);

static inline void sky_behaviour_add_silence(struct sky_behaviour *behaviour, int64_t silence_ms)
{
    if (silence_ms > behaviour->longest_silence_ms)
        behaviour->longest_silence_ms = silence_ms;
}

/* How many times of answers are at hand. */
size_t sky_behaviour_times(const struct sky_behaviour_acts *acts);

/* Adds what came later. */
void sky_behaviour_merge(struct sky_behaviour *into, const struct sky_behaviour *later);
void sky_behaviour_done(struct sky_behaviour *behaviour); /* zeroed again */

#endif
