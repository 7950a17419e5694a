/* The state of the server, of one product, or for a while of one device, kept to go back to: what
 * the store copies, and what is in memory only. Knows no requests. */
#ifndef SKY_SERVER_ADMIN_SNAPSHOTS_H
#define SKY_SERVER_ADMIN_SNAPSHOTS_H

#include "server/app.h"
#include "store/snapshots.h"

/* Under the name given, of the product, or of all (NULL); sets the rest. Durable when this returns.
 * EXISTS, LIMIT, or what the store says; then nothing is left of it. */
SKY_MUST_USE sky_err sky_snapshot_take(struct sky_app *app, const struct sky_product *product,
                                       struct sky_snapshot *snapshot);
/* The same in pieces of `limit` devices at the most; nobody sees it before the last one. */
struct sky_snapshot_taking {
    struct sky_app *app;
    struct sky_snapshot snapshot; /* id 0: not begun */
    int64_t product_id, after_id;
    struct sky_buf ids;   /* of the piece */
    struct sky_buf state; /* of the session at hand */
};
void sky_snapshot_taking_init(struct sky_snapshot_taking *taking, struct sky_app *app,
                              const struct sky_product *product, const char *name);
void sky_snapshot_taking_done(struct sky_snapshot_taking *taking);
/* NOT_FOUND: that was the last piece, and it is complete. */
SKY_MUST_USE sky_err sky_snapshot_take_some(struct sky_snapshot_taking *taking, size_t limit);
/* What becomes of this one device is to be undone: its record and documents, its session, its
 * faults. Nobody sees this one, and it counts against nobody's. One device has one at a time:
 * EXISTS. */
SKY_MUST_USE sky_err sky_snapshot_keep_device(struct sky_app *app,
                                              const struct sky_product *product,
                                              const struct sky_device *device,
                                              struct sky_snapshot *ret_snapshot);
/* What it holds is as it was then. Connections of devices that are changed by that, or whose
 * sessions are, close; no others do. Durable when this returns. Of one device: a secret that it
 * fetched and, while it is online, that it became active and what it subscribed to are its own
 * doing and stay, so that its connection closes only when its record is changed, or a message waits
 * or waited for it. */
SKY_MUST_USE sky_err sky_snapshot_restore(struct sky_app *app, const struct sky_snapshot *snapshot);
/* The same for the devices that one with a name is of, in pieces of `limit` at the most. */
struct sky_snapshot_restoring {
    struct sky_app *app;
    const struct sky_snapshot *snapshot; /* borrowed */
    struct sky_store_restore walk;
    int stage;
    struct sky_buf changed;  /* ids of devices of the piece; some of them twice */
    struct sky_buf aged;     /* of those that are away and hold the same: its time is another */
    struct sky_buf there;    /* of those that are in the snapshot */
    struct sky_buf put_back; /* of those that were changed, all of them */
    size_t looked_at;        /* of these, for upgrades that go on */
    struct sky_buf state;    /* of the device at hand, then, */
    struct sky_buf present;  /* and now */
    struct sky_buf faults;
    int64_t shift_ms;
};
void sky_snapshot_restoring_init(struct sky_snapshot_restoring *restoring, struct sky_app *app,
                                 const struct sky_snapshot *snapshot);
void sky_snapshot_restoring_done(struct sky_snapshot_restoring *restoring);
/* NOT_FOUND: that was the last piece. */
SKY_MUST_USE sky_err sky_snapshot_restore_some(struct sky_snapshot_restoring *restoring,
                                               size_t limit);
SKY_MUST_USE sky_err sky_snapshot_drop(struct sky_app *app, const struct sky_snapshot *snapshot);

#endif
