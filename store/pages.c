/* The journal's pages: opaque bytes by range of numbers. */
#include "store/internal.h"

/* SQLite's integers are signed; numbers beyond are past every page. */
static int64_t bounded(uint64_t seq)
{
    return seq > INT64_MAX ? INT64_MAX : (int64_t)seq;
}

sky_err sky_store_put_page(struct sky_store *store, uint64_t first_seq, uint64_t last_seq,
                           sky_span bytes)
{
    SKY_ASSERT(first_seq > 0 && first_seq <= last_seq && last_seq <= INT64_MAX);
    if (bytes.len > SKY_STORE_BLOB_MAX)
        return SKY_ERR_LIMIT;
    return sky_store__run(
        store, SKY_SQL_PUT_PAGE,
        SKY_ARGS(SKY_INT((int64_t)last_seq), SKY_INT((int64_t)first_seq), SKY_BYTES(bytes)));
}

sky_err sky_store_get_page(struct sky_store *store, uint64_t seq, uint64_t *ret_first_seq,
                           uint64_t *ret_last_seq, struct sky_buf *ret_bytes)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_GET_PAGE, SKY_ARGS(SKY_INT(bounded(seq))));
    if (err == SKY_OK)
        err = sky_store__append(stmt, 2, ret_bytes);
    if (err == SKY_OK) {
        *ret_first_seq = (uint64_t)sqlite3_column_int64(stmt, 0);
        *ret_last_seq = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_drop_pages(struct sky_store *store, uint64_t last_seq_below)
{
    return sky_store__run(store, SKY_SQL_DROP_PAGES, SKY_ARGS(SKY_INT(bounded(last_seq_below))));
}

sky_err sky_store_page_range(struct sky_store *store, uint64_t *ret_first, uint64_t *ret_last)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_PAGE_RANGE, SKY_NO_ARGS);
    if (err == SKY_OK) {
        *ret_first = (uint64_t)sqlite3_column_int64(stmt, 0);
        *ret_last = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    sky_store__end(stmt);
    return err;
}
