/* The log of writes: commits land in it beside the file, and it has to be folded into that now and
 * then, which waits for the disk. Knows no thread: who calls has one. */
#ifndef SKY_STORE_FOLD_H
#define SKY_STORE_FOLD_H

#include "store/store.h"

enum {
    SKY_STORE_LOG_FOLD = 2 * 1024, /* pages of 4 KB in the log before it is worth it, */
    SKY_STORE_LOG_STEP = 256,      /* how many more before it is again, */
    SKY_STORE_LOG_MAX = 16 * 1024, /* and from which on whoever commits does it, and waits */
};

bool sky_store_wants_folding(const struct sky_store *store);
/* In a thread beside all that uses the store, one at a time. */
void sky_store_fold(struct sky_store *store);
/* After it, where the store is used. */
void sky_store_folded(struct sky_store *store);

#endif
