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
SKY_MUST_USE sky_err sky_snapshot_drop(struct sky_app *app, const struct sky_snapshot *snapshot);

#endif
