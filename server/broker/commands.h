/* Commands of the application to a device, and the device's answers: each waits here, by device
 * and correlation id, until the answer comes or patience ends. */
#ifndef SKY_SERVER_BROKER_COMMANDS_H
#define SKY_SERVER_BROKER_COMMANDS_H

#include "protocol/base/timerq.h"
#include "protocol/cloud/cloud.h"

struct sky_app;
struct sky_session;

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

/* What the application wants of a device. */
struct sky_command_order {
    sky_span kind, name, params;
    int64_t wait_ms; /* real time to wait for the answer; 0: it is not waited for */
    int64_t ttl_ms;  /* virtual time that it may wait for a device that fetches, as in effects.h */
    sky_command_done_fn *done;
    void *ctx;
};

struct sky_command_wait {
    struct sky_app *app;
    int64_t device_id, sent_ms;
    char id[SKY_COMMAND_ID_MAX + 1];
    struct sky_timer timer;
    sky_command_done_fn *done;
    void *ctx;
    struct sky_command_wait *prev, *next;
};

struct sky_commands {
    struct sky_command_wait *waiting; /* list */
    size_t count;
    uint64_t last_id;
};

struct sky_command_sent {
    char id[SKY_COMMAND_ID_MAX + 1]; /* the correlation id */
    uint64_t seq;                    /* in the journal */
    struct sky_command_wait *wait;   /* NULL: it is not waited for */
};

/* Sends a command of the session's cloud. NOT_FOUND: the cloud has none of that kind. INVALID: it
 * cannot be made of that name and these parameters. CONFLICT: it would not reach the device, which
 * is away. LIMIT: too many wait already. Nothing was sent
 * in any of these cases. `done` is called once, later, unless the wait is cancelled. */
SKY_MUST_USE sky_err sky_command_send(struct sky_app *app, struct sky_session *session,
                                      const struct sky_command_order *order,
                                      struct sky_command_sent *ret_sent, struct sky_why *why);
/* Whoever waited has gone. */
void sky_command_cancel(struct sky_command_wait *wait);
/* An ANSWER effect: wakes whoever waits for it. */
void sky_commands_answered(struct sky_app *app, const struct sky_session *session, sky_span id,
                           sky_span topic, sky_span payload);
/* Ends all that wait, unanswered. */
void sky_commands_done(struct sky_app *app);

#endif
