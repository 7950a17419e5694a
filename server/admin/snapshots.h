/* The state of the server, or of one product of it, kept to go back to: what the store copies, and
 * what is in memory only. Knows no requests. */
#ifndef SKY_SERVER_ADMIN_SNAPSHOTS_H
#define SKY_SERVER_ADMIN_SNAPSHOTS_H

#include "server/app.h"
#include "store/snapshots.h"

/* Under the name given, of the product, or of all (NULL); sets the rest. Durable when this returns.
 * EXISTS, LIMIT, or what the store says; then nothing is left of it. */
SKY_MUST_USE sky_err sky_snapshot_take(struct sky_app *app, const struct sky_product *product,
                                       struct sky_snapshot *snapshot);
/* What it holds is as it was then. Connections of devices that are changed by that, or whose
 * sessions are, close; no others do. Durable when this returns. */
SKY_MUST_USE sky_err sky_snapshot_restore(struct sky_app *app, const struct sky_snapshot *snapshot);

#endif
