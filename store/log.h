/* What was found in the write-ahead log of a store that had not been closed. */
#ifndef SKY_STORE_LOG_H
#define SKY_STORE_LOG_H

#include "store/store.h"

/* Commits that were in the log when the store was opened and that are lost, for it is damaged. */
uint64_t sky_store_log_lost(const struct sky_store *store);

#endif
