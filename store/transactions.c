/* Several writes as one: transactions, batches, and the brackets of a single call. */
#include "store/internal.h"

/* Not a kept statement: it must run even when nothing can be prepared any more. */
static void undo(struct sky_store *store, const char *sql)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    store->generation++;
}

/* After a full disk SQLite has undone everything by itself. */
static bool batch_is_gone(const struct sky_store *store)
{
    return store->in_batch && sqlite3_get_autocommit(store->db);
}

static void lose_batch(struct sky_store *store)
{
    undo(store, "ROLLBACK");
    store->in_batch = false;
    store->batch_lost = true; /* until whoever settles has been told */
    store->lost.batches++;
}

void sky_store_batch(struct sky_store *store)
{
    if (store->in_transaction)
        return;
    if (batch_is_gone(store))
        lose_batch(store);
    if (store->in_batch)
        return;
    store->changes_before = sqlite3_total_changes64(store->db);
    store->in_batch = sky_store__run(store, SKY_SQL_BEGIN, SKY_NO_ARGS) == SKY_OK;
}

static void end_batch(struct sky_store *store)
{
    if (batch_is_gone(store) ||
        (store->in_batch && sky_store__run(store, SKY_SQL_COMMIT, SKY_NO_ARGS) != SKY_OK))
        lose_batch(store);
    else if (store->in_batch && sqlite3_total_changes64(store->db) > store->changes_before)
        store->lost.kept++;
    store->in_batch = false;
}

sky_err sky_store_settle(struct sky_store *store)
{
    end_batch(store);
    sky_err err = store->batch_lost ? SKY_ERR_STORE : SKY_OK;
    store->batch_lost = false;
    return err;
}

sky_err sky_store_begin(struct sky_store *store)
{
    SKY_ASSERT(!store->in_transaction);
    end_batch(store);
    sky_err err = store->batch_lost ? SKY_ERR_STORE : SKY_OK;
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_BEGIN, SKY_NO_ARGS);
    store->in_transaction = err == SKY_OK;
    return err;
}

sky_err sky_store_commit(struct sky_store *store)
{
    SKY_ASSERT(store->in_transaction);
    sky_err err = sky_store__run(store, SKY_SQL_COMMIT, SKY_NO_ARGS);
    if (err != SKY_OK)
        sky_store_rollback(store);
    store->in_transaction = false;
    return err;
}

void sky_store_rollback(struct sky_store *store)
{
    SKY_ASSERT(store->in_transaction);
    undo(store, "ROLLBACK");
    store->in_transaction = false;
}

sky_err sky_store__enter(struct sky_store *store)
{
    return sky_store__run(store, SKY_SQL_SAVEPOINT, SKY_NO_ARGS);
}

sky_err sky_store__leave(struct sky_store *store, sky_err err)
{
    if (err == SKY_OK)
        err = sky_store__run(store, SKY_SQL_RELEASE, SKY_NO_ARGS);
    bool is_bracketed = store->in_transaction || store->in_batch;
    if (err != SKY_OK)
        undo(store, is_bracketed ? "ROLLBACK TO whole; RELEASE whole" : "ROLLBACK");
    return err;
}

sky_err sky_store__change_all(struct sky_store *store, const enum sky_sql *list, size_t list_count,
                              const struct sky_arg *args, size_t count)
{
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = sky_store__change(store, list[0], args, count);
    for (size_t i = 1; i < list_count && err == SKY_OK; i++)
        err = sky_store__run(store, list[i], args, count);
    return sky_store__leave(store, err);
}
