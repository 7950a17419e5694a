/* The journal's pages: opaque bytes by range of numbers. */
#include "store/pages.h"

#include "store/internal.h"

/* SQLite's integers are signed; numbers beyond are past every page. */
static int64_t bounded(uint64_t seq)
{
    return seq > INT64_MAX ? INT64_MAX : (int64_t)seq;
}

static int64_t sum_of(int64_t first_seq, int64_t last_seq, sky_span bytes)
{
    return (int64_t)sky_sum((uint64_t)first_seq * 31 + (uint64_t)last_seq, bytes);
}

sky_err sky_store_put_page(struct sky_store *store, uint64_t first_seq, uint64_t last_seq,
                           sky_span bytes)
{
    SKY_ASSERT(first_seq > 0 && first_seq <= last_seq);
    if (bytes.len > SKY_STORE_BLOB_MAX || last_seq > (uint64_t)SKY_STORE_NUMBER_MAX)
        return SKY_ERR_LIMIT;
    return sky_store__run(store, SKY_SQL_PUT_PAGE,
                          SKY_ARGS(SKY_INT((int64_t)last_seq), SKY_INT((int64_t)first_seq),
                                   SKY_BYTES(bytes),
                                   SKY_INT(sum_of((int64_t)first_seq, (int64_t)last_seq, bytes))));
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

/* ---- checking ---- */

/* A row as it was found, and what became of it. */
struct page_row {
    int64_t first_seq, last_seq;
    bool whole;     /* as it was put */
    bool plausible; /* at least its numbers may be */
};

static sky_err next_row(struct sky_store *store, int64_t behind, struct page_row *ret_row)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_NEXT_PAGE, SKY_ARGS(SKY_INT(behind)));
    if (err == SKY_OK) {
        int64_t first = sqlite3_column_int64(stmt, 0), last = sqlite3_column_int64(stmt, 1);
        sky_span bytes = sky_store__span(stmt, 2);
        bool ordered = first > behind && first <= last && last <= SKY_STORE_NUMBER_MAX;
        bool old = sqlite3_column_type(stmt, 3) == SQLITE_NULL;
        *ret_row = (struct page_row){
            .first_seq = first,
            .last_seq = last,
            .whole =
                ordered && (old || sqlite3_column_int64(stmt, 3) == sum_of(first, last, bytes)),
            /* Every number stands for some bytes. */
            .plausible = ordered && (uint64_t)(last - first) <= bytes.len,
        };
    }
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_check_pages(struct sky_store *store, uint64_t *ret_last, uint64_t *ret_lost)
{
    struct page_row row;
    int64_t behind = 0, lost = 0;
    bool nameless = false; /* what was dropped last left a gap of unknown width */
    sky_err err = sky_store__enter(store);
    if (err != SKY_OK)
        return err;
    err = sky_store_drop_pages(store, 1); /* numbers that are none */
    while (err == SKY_OK && (err = next_row(store, behind, &row)) == SKY_OK) {
        if (!row.whole)
            err = sky_store__run(store, SKY_SQL_DROP_PAGE, SKY_ARGS(SKY_INT(row.last_seq)));
        nameless = !row.whole && !row.plausible;
        if (nameless)
            continue;
        lost += behind > 0 ? row.first_seq - behind - 1 : 0;
        lost += row.whole ? 0 : row.last_seq - row.first_seq + 1;
        behind = row.last_seq;
    }
    err = sky_store__leave(store, err == SKY_ERR_NOT_FOUND ? SKY_OK : err);
    if (err == SKY_OK) {
        *ret_last = (uint64_t)behind;
        *ret_lost = (uint64_t)lost + nameless;
    }
    return err;
}
