/* Commands that wait for a device's answer, by device and correlation id, until it comes or
 * patience ends. */
#ifndef SKY_SERVER_BROKER_WAITS_H
#define SKY_SERVER_BROKER_WAITS_H

#include "server/broker/broker.h"

enum {
    SKY_COMMANDS_MAX = 1000, /* waiting at once */
    SKY_COMMAND_WAIT_MS_MAX = 60 * 1000,
    SKY_COMMAND_WAIT_MS_DEFAULT = 5 * 1000, /* what a cloud waits for a device in an RPC */
    SKY_COMMAND_ID_MAX = 64,                /* characters of a correlation id */
    SKY_COMMAND_SHOWN_MAX = 160,            /* of a topic that is shown */
    SKY_COMMAND_STRAY_SIZE = SKY_COMMAND_SHOWN_MAX + SKY_COMMAND_ID_MAX + 160,
};

struct sky_command_wait;

/* What a device answered. */
struct sky_command_answer {
    sky_span id, topic, payload;
};

/* How a command ended: with the device's answer, or without one (NULL). The wait is gone when this
 * returns. */
typedef void sky_command_done_fn(void *ctx, const struct sky_command_wait *wait,
                                 const struct sky_command_answer *answer);

struct sky_command_wait {
    struct sky_broker *broker;
    int64_t device_id, sent_ms;
    char id[SKY_COMMAND_ID_MAX + 1];
    char *topic; /* owned: that it went to */
    struct {
        char topic[SKY_COMMAND_SHOWN_MAX + 1], id[SKY_COMMAND_ID_MAX + 1]; /* cut */
        int64_t at_ms;                                                     /* real time */
        size_t count;
    } stray; /* the last answer that came meanwhile and is none to anything that waits */
    struct sky_timer timer;
    sky_command_done_fn *done;
    void *ctx;
    struct sky_command_wait *prev, *next;
};

/* Waits for the answer to the command `id`, sent to `topic` of the device, for `wait_ms` of real
 * time. `done` is called once, later, unless the wait is cancelled. */
struct sky_command_wait *sky_command_wait(struct sky_broker *broker, int64_t device_id, sky_span id,
                                          sky_span topic, int64_t wait_ms,
                                          sky_command_done_fn *done, void *ctx);
/* Whoever waited has gone. */
void sky_command_cancel(struct sky_command_wait *wait);
/* What an answer of the device under `id` is the answer to: the command with that id, or the only
 * one that waits of those to a topic within the filter `answers`. Not if the id is that of an
 * earlier command. NULL: to none. */
struct sky_command_wait *sky_command_asked(const struct sky_broker *broker,
                                           const struct sky_session *session, sky_span id,
                                           sky_span answers);
/* What the device's next answer without an id is the answer to: of the commands to a topic within
 * the filter, the one that waits longest. NULL: to none. */
struct sky_command_wait *sky_command_next(const struct sky_broker *broker,
                                          const struct sky_session *session, sky_span answers);
/* Wakes whoever waits. */
void sky_command_answered(struct sky_command_wait *wait, const struct sky_command_answer *answer);
/* The device's answer is none to anything that waits: those who wait are told when their patience
 * ends. */
void sky_command_stray(struct sky_broker *broker, const struct sky_session *session,
                       const struct sky_command_answer *answer);
/* The sentence that says what came instead of the answer; "" when nothing did. */
void sky_command_tell_stray(const struct sky_command_wait *wait, char out[SKY_COMMAND_STRAY_SIZE]);
/* Ends those that wait for an answer of the device: there will be none. */
void sky_commands_end(struct sky_broker *broker, int64_t device_id);
/* Ends all that wait, unanswered. */
void sky_commands_done(struct sky_broker *broker);

#endif
