/* The log of writes (SQLite's WAL), which is folded into the file beside whoever writes. */
#include "store/fold.h"

#include "store/internal.h"

/* After each commit. A log that has been folded whole begins anew with the next write. One that
 * nobody gets to fold is folded by whoever writes, so that it has a bound. */
static int on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct sky_store *store = ctx;
    if (pages < store->log_folded)
        store->log_folded = 0;
    store->log_pages = pages;
    if (pages >= SKY_STORE_LOG_MAX) {
        sqlite3_exec(db, SKY_STORE_WAITS, NULL, NULL, NULL);
        (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        sqlite3_exec(db, SKY_STORE_WRITES_ON, NULL, NULL, NULL);
    }
    return SQLITE_OK;
}

void sky_store__watch_log(struct sky_store *store)
{
    sqlite3_wal_hook(store->db, on_commit, store);
}

bool sky_store_wants_folding(const struct sky_store *store)
{
    return store->log_pages >= SKY_STORE_LOG_FOLD &&
           store->log_pages - store->log_folded >= SKY_STORE_LOG_STEP;
}

/* A connection sees that there is a log when it has read. */
static bool open_folder(struct sky_store *store)
{
    if (store->folder != NULL)
        return true;
    if (sqlite3_open_v2(sqlite3_db_filename(store->db, "main"), &store->folder,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, SKY_STORE_VFS) == SQLITE_OK &&
        sqlite3_exec(store->folder, SKY_STORE_WAITS "PRAGMA schema_version", NULL, NULL, NULL) ==
            SQLITE_OK)
        return true;
    sqlite3_close(store->folder);
    store->folder = NULL;
    return false;
}

void sky_store_fold(struct sky_store *store)
{
    store->folder_done = -1;
    if (open_folder(store))
        (void)sqlite3_wal_checkpoint_v2(store->folder, "main", SQLITE_CHECKPOINT_PASSIVE, NULL,
                                        &store->folder_done);
}

void sky_store_folded(struct sky_store *store)
{
    bool failed = store->folder_done < 0; /* it is tried again when there is more */
    store->log_folded = failed ? store->log_pages : store->folder_done;
}
