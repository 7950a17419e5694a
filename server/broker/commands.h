/* Commands of the application to a device. */
#ifndef SKY_SERVER_BROKER_COMMANDS_H
#define SKY_SERVER_BROKER_COMMANDS_H

#include "server/broker/waits.h"

/* Correlation ids are digits, as SDKs copy them into JSON without quotes, and fit an int: they read
 * them with atoi(). They are far above those that devices count up for their own messages: an SDK
 * that tells messages apart by id alone takes the same one for an answer. */
enum { SKY_COMMAND_ID_FIRST = 1000000000, SKY_COMMAND_ID_LAST = INT32_MAX };

/* What the application wants of a device. */
struct sky_command_order {
    sky_span kind, name, params;
    int64_t wait_ms; /* real time to wait for the answer; 0: it is not waited for */
    int64_t ttl_ms;  /* virtual time that it may wait for a device that fetches, as in effects.h */
    sky_command_done_fn *done;
    void *ctx;
};

enum { SKY_COMMAND_DIGITS = 24 }; /* room for a correlation id that was made here */

struct sky_command_sent {
    char id[SKY_COMMAND_ID_MAX + 1]; /* the correlation id */
    uint64_t seq;                    /* in the journal */
    struct sky_command_wait *wait;   /* NULL: it is not waited for, or nothing was sent yet */
};

/* Sends a command of the session's cloud; one that its document keeps waits there for a device that
 * it does not reach now. NOT_FOUND: the cloud has none of that kind. INVALID: it
 * cannot be made of that name and these parameters. CONFLICT: it would not reach the device. LIMIT:
 * no packet can carry it. BUSY: too many wait already. Nothing was sent in any of these cases.
 * `done` is called once, later, unless the wait is cancelled. */
SKY_MUST_USE sky_err sky_command_send(struct sky_broker *broker, struct sky_session *session,
                                      const struct sky_command_order *order,
                                      struct sky_command_sent *ret_sent, struct sky_why *why);

/* A correlation id that the device has not used, as text in `out`. */
sky_span sky_command_fresh_id(struct sky_broker *broker, const struct sky_session *session,
                              char out[SKY_COMMAND_DIGITS]);

/* Notes the ids that the device gave a message of its own: no command gets one of them. */
void sky_command_ids_seen(struct sky_session *session, sky_span payload);

#endif
