/* What waits to be handed over, and what may go next: to each target the messages of one device
 * strictly one after the other, those of different devices side by side. A message keeps its place
 * until it is taken, refused or given up, and what does not fit in is lost and counted.
 * Two things can be wrong, and each has its own patience, which doubles up to a bound: a target
 * that cannot be reached is tried with one message at a time until it can; a message that reached
 * it and was not taken waits with its device, and holds up nobody else. Pure: no I/O, and time is
 * an argument. */
#ifndef SKY_SERVER_FORWARD_QUEUE_H
#define SKY_SERVER_FORWARD_QUEUE_H

#include <uthash.h>

#include "protocol/base/timerq.h"
#include "protocol/base/url.h"

enum {
    SKY_FORWARD_TARGETS_MAX = 16,
    SKY_FORWARD_PARALLEL_MAX = 16, /* requests to one target at a time */
    SKY_FORWARD_TARGET_MESSAGES_MAX = 100 * 1000,
    SKY_FORWARD_TARGET_BYTES_MAX = 64 * 1024 * 1024, /* with what is kept beside each message */
    SKY_FORWARD_MESSAGES_MAX = 200 * 1000,           /* of all targets */
    SKY_FORWARD_BYTES_MAX = 128 * 1024 * 1024,
    SKY_FORWARD_DELAY_MS = 100, /* before the second try; then twice as long each time */
    SKY_FORWARD_DELAY_MAX_MS = 5 * 1000,
    /* A message that reached its target and was not taken for so long is given up. While a target
     * cannot be reached nothing is: then the bounds above are the patience. */
    SKY_FORWARD_STUBBORN_MS = 10 * 60 * 1000,
    SKY_FORWARD_REASON_MAX = 200, /* characters that say why the last try failed */
};

/* How a try ended. */
enum sky_forward_outcome {
    SKY_FORWARD_TAKEN,
    SKY_FORWARD_REFUSED, /* for good: no further try would help */
    SKY_FORWARD_FAILED,  /* it reached the target, which answered with a failure or not at all */
    SKY_FORWARD_AWAY,    /* the target could not be reached */
};

enum sky_forward_count {
    SKY_FORWARD_COUNT_TAKEN,
    SKY_FORWARD_COUNT_REFUSED,
    SKY_FORWARD_COUNT_LOST,  /* for want of room, or given up */
    SKY_FORWARD_COUNT_TRIES, /* that failed, of messages that stayed */
    SKY_FORWARD_COUNTS
};

struct sky_forward_bounds {
    size_t messages, bytes;
};
struct sky_forward_limits {
    struct sky_forward_bounds target, total;
    unsigned parallel;
};
extern const struct sky_forward_limits sky_forward_limits; /* of the constants above */

struct sky_forward_lane;

struct sky_forward_message {
    struct sky_forward_message *next; /* of its lane */
    struct sky_forward_lane *lane;
    uint64_t seq; /* of the publish in the journal */
    sky_span body;
    char bytes[];
};

/* The messages of one device to one target; there is one as long as there are any. */
struct sky_forward_lane {
    struct sky_forward_target *target;
    int64_t device_id;
    struct sky_forward_message *first, *last; /* the first is asked about, may go, or pauses */
    struct sky_timer pause;
    unsigned tries;                       /* answers that were failures, of the first message */
    int64_t since_ms;                     /* when the first of them came */
    bool failed;                          /* some try with the first message failed */
    struct sky_forward_lane *prev, *next; /* among those that may go */
    UT_hash_handle hh;
};

struct sky_forward_target {
    struct sky_forward_queue *queue;
    char url[SKY_URL_MAX + 1];
    struct sky_forward_lane *lanes; /* hash by device */
    struct sky_forward_lane *ready; /* those that may go, in this order */
    struct sky_forward_bounds held;
    unsigned asked;  /* messages on their way */
    size_t failing;  /* lanes that failed */
    unsigned tries;  /* in a row, that did not reach it */
    int64_t next_ms; /* then: when to try again */
    uint64_t counts[SKY_FORWARD_COUNTS];
    uint64_t unsaid_lost; /* for want of room, since `full` */
    bool full;            /* something was lost, and what waited then still waits */
    char reason[SKY_FORWARD_REASON_MAX];
    struct sky_forward_target *next;
};

struct sky_forward_queue {
    struct sky_forward_limits limits;
    struct sky_forward_target *targets; /* list */
    size_t target_count;
    struct sky_forward_bounds held;
    struct sky_timerq paused; /* lanes, in the time of the caller */
    uint64_t counts[SKY_FORWARD_COUNTS];
};

void sky_forward_queue_init(struct sky_forward_queue *queue,
                            const struct sky_forward_limits *limits);
void sky_forward_queue_done(struct sky_forward_queue *queue);

/* The target with this URL. When there are too many, one makes room that has nothing waiting; NULL
 * when there is none, or when sky_url_parse() takes it for no URL. Valid until the next call with
 * another URL, or as long as something waits for it. */
struct sky_forward_target *sky_forward_target(struct sky_forward_queue *queue, sky_span url);

/* Copies the body. False, and counted as lost, when there is no room for it. */
bool sky_forward_put(struct sky_forward_target *target, int64_t device_id, uint64_t seq,
                     sky_span body);

/* The next message that may go now, NULL: none may. It is valid until sky_forward_settle(), which
 * whoever takes it must call. */
struct sky_forward_message *sky_forward_take(struct sky_forward_queue *queue, int64_t now_ms);

/* What a try changed, besides the message's own fate. */
struct sky_forward_change {
    bool began; /* everything had gone well, and this try failed */
    bool ended; /* nothing that failed waits any more */
    bool lost;  /* the message was given up */
};
/* The message that was taken had this outcome; it is freed unless it stays. */
struct sky_forward_change sky_forward_settle(struct sky_forward_message *message,
                                             enum sky_forward_outcome outcome, int64_t now_ms);

/* When sky_forward_take() may have something: a time that has come, one to come, or INT64_MAX: not
 * before the next put or settle. */
int64_t sky_forward_next_ms(const struct sky_forward_queue *queue);

#endif
