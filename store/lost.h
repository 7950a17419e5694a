/* What did not reach the store's file, or did not stay there: for whoever counts. */
#ifndef SKY_STORE_LOST_H
#define SKY_STORE_LOST_H

#include "store/store.h"

struct sky_store_lost {
    uint64_t commits; /* of the log that was found when the store was opened, for it is damaged; */
    uint64_t batches; /* with all that was written in them; the others are since then */
    uint64_t kept;    /* batches in which something was written, and that is in the file */
    uint64_t refused; /* statements, by the database: disk full, I/O error */
    uint64_t damaged; /* times that a page, or a row, held what was never written */
};
void sky_store_lost(const struct sky_store *store, struct sky_store_lost *ret_lost);
/* STORE, and the first damage that was found since the store was opened, in the words of one that
 * is found then; OK while there is none. */
SKY_MUST_USE sky_err sky_store_damage(const struct sky_store *store, struct sky_why *why);

/* For whoever finds that what the store gave is not what anybody puts into it: counts it, keeps the
 * reason, and returns SKY_ERR_STORE. */
sky_err sky_store_blame(struct sky_store *store, const char *what);

#endif
