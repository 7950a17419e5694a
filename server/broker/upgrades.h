/* Upgrades of devices' firmware, as far as they need a server: who is to be told when, what has run
 * out of time, who of the API waits for the end. What an upgrade is, protocol/cloud/ota.h has. A
 * device without one that is open costs nothing here. */
#ifndef SKY_SERVER_BROKER_UPGRADES_H
#define SKY_SERVER_BROKER_UPGRADES_H

#include "protocol/cloud/ota.h"
#include "server/broker/broker.h"

enum {
    SKY_UPGRADE_WAIT_MS_MAX = 10 * 60 * 1000,
    SKY_UPGRADE_WAITS_MAX = 1000, /* calls that wait at once */
    /* Real time in which a device that has come, or subscribed, reports its version of its own
     * accord: an SDK that is told before that may not listen yet. */
    SKY_UPGRADE_SETTLE_MS = 1000,
};

/* Opens what the store has of upgrades; also after the store was changed behind the broker's back.
 */
SKY_MUST_USE sky_err sky_upgrades_load(struct sky_broker *broker, struct sky_why *why);
/* The same for one device. */
void sky_upgrades_load_of(struct sky_broker *broker, int64_t device_id);
/* Appends the ids of the devices whose upgrades are watched, each an int64_t. */
void sky_upgrades_add_watched(const struct sky_broker *broker, struct sky_buf *ids);
void sky_upgrades_done(struct sky_broker *broker);

/* ---- what happens to devices ---- */

/* The device is here, or subscribed to something. */
void sky_upgrades_arrived(struct sky_broker *broker, const struct sky_session *session);
/* It published to a service of upgrades; or its document was changed. Tells it what is due. */
void sky_upgrades_look(struct sky_broker *broker, struct sky_session *session, uint64_t of);

/* ---- what the application does ---- */

/* The upgrades of a device, open to be read or changed. Owned; to be closed. */
struct sky_upgrades_view {
    struct sky_facts facts;
    struct sky_buf document;
    struct sky_arena arena;
    struct sky_ota ota;
};
/* NOT_FOUND: the cloud has no upgrades. Fails, too, when the document cannot be read. Closed in
 * every case. */
SKY_MUST_USE sky_err sky_upgrades_view(struct sky_broker *broker, const struct sky_session *session,
                                       struct sky_upgrades_view *ret_view, struct sky_why *why);
void sky_upgrades_close(struct sky_upgrades_view *view);
/* Stores what was changed, and lets it take its course. */
void sky_upgrades_store(struct sky_broker *broker, struct sky_session *session,
                        struct sky_upgrades_view *view);

/* ---- who waits ---- */

/* The upgrade is over, or patience is: then it is still open, or gone (NULL). */
typedef void sky_upgrade_done_fn(void *ctx, const struct sky_ota *ota,
                                 const struct sky_ota_upgrade *upgrade);
struct sky_upgrade_wait;
/* `done` is called once, later, unless the wait is cancelled. NULL: too many wait. */
struct sky_upgrade_wait *sky_upgrade_wait(struct sky_broker *broker, int64_t device_id,
                                          sky_span module, int64_t wait_ms,
                                          sky_upgrade_done_fn *done, void *ctx);
void sky_upgrade_cancel_wait(struct sky_upgrade_wait *wait);
/* Ends those of the device: what they wait for is gone. */
void sky_upgrades_end_waits(struct sky_broker *broker, int64_t device_id);

#endif
