/* Commands of the application to a device, and the device's answers: each waits here, by device
 * and correlation id, until the answer comes or patience ends. */
#ifndef SKY_SERVER_COMMANDS_H
#define SKY_SERVER_COMMANDS_H

#include "protocol/base/timerq.h"
#include "protocol/cloud/cloud.h"

struct sky_app;
struct sky_session;

enum {
    SKY_COMMANDS_MAX = 1000, /* waiting at once */
    SKY_COMMAND_WAIT_MS_MAX = 60 * 1000,
    SKY_COMMAND_ID_MAX = 64, /* characters of a correlation id */
};

/* How a command ended. `payload` is the device's answer, empty on timeout or cancellation. */
typedef void sky_command_done_fn(void *ctx, bool answered, sky_span topic, sky_span payload);

struct sky_command_wait {
    struct sky_app *app;
    int64_t device_id;
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

/* Sends command `kind` of the session's cloud and waits `wait_ms` of real time for the answer.
 * NOT_FOUND: the cloud has no such command. LIMIT: too many wait already. `done` is called once,
 * later, unless the returned command is cancelled; with `wait_ms` 0 it is not waited for, `done`
 * is never called and `*ret_command` is NULL. */
SKY_MUST_USE sky_err sky_command_send(struct sky_app *app, struct sky_session *session,
                                      sky_span kind, sky_span name, sky_span params,
                                      int64_t wait_ms, sky_command_done_fn *done, void *ctx,
                                      struct sky_command_wait **ret_command, struct sky_why *why);
/* Whoever waited has gone. */
void sky_command_cancel(struct sky_command_wait *command);
/* An ANSWER effect: wakes whoever waits for it. */
void sky_commands_answered(struct sky_app *app, const struct sky_session *session, sky_span id,
                           sky_span topic, sky_span payload);
/* Ends all that wait, unanswered. */
void sky_commands_done(struct sky_app *app);

#endif
