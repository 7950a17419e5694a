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
};

struct sky_command_wait;

/* How a command ended: with the device's answer, or without one (then both spans are empty). The
 * wait is gone when this returns. */
typedef void sky_command_done_fn(void *ctx, const struct sky_command_wait *wait, bool answered,
                                 sky_span topic, sky_span payload);

struct sky_command_wait {
    struct sky_broker *broker;
    int64_t device_id, sent_ms;
    char id[SKY_COMMAND_ID_MAX + 1];
    struct sky_timer timer;
    sky_command_done_fn *done;
    void *ctx;
    struct sky_command_wait *prev, *next;
};

/* Waits for the answer to the command `id` of the device for `wait_ms` of real time. `done` is
 * called once, later, unless the wait is cancelled. */
struct sky_command_wait *sky_command_wait(struct sky_broker *broker, int64_t device_id, sky_span id,
                                          int64_t wait_ms, sky_command_done_fn *done, void *ctx);
/* Whoever waited has gone. */
void sky_command_cancel(struct sky_command_wait *wait);
/* An ANSWER effect: wakes whoever waits for it. */
void sky_commands_answered(struct sky_broker *broker, const struct sky_session *session,
                           sky_span id, sky_span topic, sky_span payload);
/* Ends all that wait, unanswered. */
void sky_commands_done(struct sky_broker *broker);

#endif
