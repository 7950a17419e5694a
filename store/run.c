/* How every statement is run, and how columns are read. */
#include <stdio.h>

#include "store/internal.h"

static const char *const texts[SKY_SQL_COUNT] = {
#define X(name, text) [SKY_SQL_##name] = text,
    SKY_STORE_STATEMENTS(X)
#undef X
};

/* ---- failures ---- */

void sky_store__one_line(sky_span text, char *out, size_t out_size)
{
    size_t len = text.len < out_size ? text.len : out_size - 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        out[i] = c < 0x20 || c == 0x7f ? ' ' : (c < 0x80 ? (char)c : '?');
    }
    out[len] = '\0';
}

void sky_store__refusal(sqlite3 *db, char out[SKY_WHY_REASON_MAX])
{
    char said[SKY_STORE_WRONG_MAX];
    int code = sqlite3_errcode(db);
    const char *remedy = code == SQLITE_FULL       ? "; make room on its disk"
                         : code == SQLITE_READONLY ? "; make it, its folder and its disk writable"
                         : code == SQLITE_IOERR    ? "; see what the system says of its disk"
                                                   : "";
    sky_store__one_line(sky_span_str(sqlite3_errmsg(db)), said, sizeof said);
    snprintf(out, SKY_WHY_REASON_MAX, "%s%s", said, remedy);
}

static sky_err refused(struct sky_store *store)
{
    sky_store__refusal(store->db, store->message);
    if (sqlite3_errcode(store->db) == SQLITE_CORRUPT) {
        char wrong[SKY_STORE_WRONG_MAX];
        sky_store__wrong(store->db, sky_span_str(sqlite3_errmsg(store->db)), wrong);
        return sky_store__damaged(store, wrong);
    }
    switch (sqlite3_extended_errcode(store->db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return SKY_ERR_EXISTS;
    case SQLITE_CONSTRAINT_NOTNULL: /* what it belongs to, which the statement looked for */
        return SKY_ERR_NOT_FOUND;
    default:
        store->lost.refused++;
        return SKY_ERR_STORE;
    }
}

sky_err sky_store__damaged(struct sky_store *store, const char *what)
{
    if (store->lost.damaged++ == 0)
        snprintf(store->damage, sizeof store->damage, "%s", what);
    snprintf(store->message, sizeof store->message, "the file is damaged: %s", what);
    return SKY_ERR_STORE;
}

sky_err sky_store_damage(const struct sky_store *store, struct sky_why *why)
{
    if (store->lost.damaged == 0)
        return SKY_OK;
    return sky_store__is_damaged(sqlite3_db_filename(store->db, "main"),
                                 sky_span_str(store->damage), why);
}

sky_err sky_store_blame(struct sky_store *store, const char *what)
{
    return sky_store__damaged(store, what);
}

sky_err sky_store_why(const struct sky_store *store, struct sky_why *why)
{
    const char *path = sqlite3_db_filename(store->db, "main");
    const char *reason = store->message[0] != '\0' ? store->message : "no reason given";
    if (path == NULL || path[0] == '\0')
        return sky_why_set(why, SKY_ERR_STORE, "", "the store in memory refused: %s", reason);
    return sky_why_set(why, SKY_ERR_STORE, "", "the store \"%s\" refused: %s", path, reason);
}

/* ---- statements ---- */

static int bind(sqlite3_stmt *stmt, int at, const struct sky_arg *arg)
{
    const char *bytes = arg->bytes.ptr ? arg->bytes.ptr : "";
    switch (arg->kind) {
    case SKY_ARG_INT:
        return sqlite3_bind_int64(stmt, at, arg->number);
    case SKY_ARG_TEXT:
        return sqlite3_bind_text64(stmt, at, bytes, arg->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case SKY_ARG_BLOB:
        return sqlite3_bind_blob64(stmt, at, bytes, arg->bytes.len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static sqlite3_stmt *prepared(struct sky_store *store, enum sky_sql which)
{
    /* Every text fits the schema; when it cannot be prepared, it is the file that has changed. */
    if (store->stmts[which] == NULL)
        (void)sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                 &store->stmts[which], NULL);
    return store->stmts[which];
}

sqlite3_stmt *sky_store__start(struct sky_store *store, enum sky_sql which,
                               const struct sky_arg *args, size_t count)
{
    /* After a full disk SQLite undoes the whole transaction by itself. A write that came next
     * would stand alone, so nothing runs until the caller has rolled back. */
    if (store->in_transaction && sqlite3_get_autocommit(store->db))
        return NULL;
    sqlite3_stmt *stmt = prepared(store, which);
    if (stmt == NULL) {
        refused(store);
        return NULL;
    }
    SKY_ASSERT(!sqlite3_stmt_busy(stmt));
    SKY_ASSERT((size_t)sqlite3_bind_parameter_count(stmt) == count);
    for (size_t i = 0; i < count; i++) {
        if (bind(stmt, (int)i + 1, &args[i]) != SQLITE_OK) {
            refused(store);
            sky_store__end(stmt);
            return NULL;
        }
    }
    return stmt;
}

sky_err sky_store__step(struct sky_store *store, sqlite3_stmt *stmt)
{
    switch (sqlite3_step(stmt)) {
    case SQLITE_ROW:
        return SKY_OK;
    case SQLITE_DONE:
        return SKY_ERR_NOT_FOUND;
    default:
        return refused(store);
    }
}

void sky_store__end(sqlite3_stmt *stmt)
{
    if (stmt == NULL)
        return;
    sqlite3_reset(stmt);          /* the step has reported its error already */
    sqlite3_clear_bindings(stmt); /* they point into the caller's memory */
}

sky_err sky_store__first(struct sky_store *store, sqlite3_stmt **ret_stmt, enum sky_sql which,
                         const struct sky_arg *args, size_t count)
{
    *ret_stmt = sky_store__start(store, which, args, count);
    return *ret_stmt == NULL ? SKY_ERR_STORE : sky_store__step(store, *ret_stmt);
}

sky_err sky_store__run(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                       size_t count)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    SKY_ASSERT(err != SKY_OK); /* such a statement has no rows */
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store__change(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                          size_t count)
{
    sky_err err = sky_store__run(store, which, args, count);
    return err == SKY_OK && sqlite3_changes(store->db) == 0 ? SKY_ERR_NOT_FOUND : err;
}

/* ---- columns ---- */

sky_span sky_store__span(sqlite3_stmt *stmt, int column)
{
    const void *bytes = sqlite3_column_blob(stmt, column);
    return sky_span_of(bytes, (size_t)sqlite3_column_bytes(stmt, column));
}

sky_err sky_store__append(sqlite3_stmt *stmt, int column, struct sky_buf *out)
{
    return sky_buf_add(out, sky_store__span(stmt, column)) ? SKY_OK : SKY_ERR_LIMIT;
}

sky_err sky_store__bytes(struct sky_store *store, enum sky_sql which, const struct sky_arg *args,
                         size_t count, struct sky_buf *out)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    if (err == SKY_OK)
        err = sky_store__append(stmt, 0, out);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store__number(struct sky_store *store, sqlite3_stmt *stmt, int column, int64_t min,
                          int64_t max, int64_t *ret_number)
{
    *ret_number = sqlite3_column_int64(stmt, column);
    if (*ret_number >= min && *ret_number <= max)
        return SKY_OK;
    return sky_store__damaged(store, "a number is outside the range that is written");
}

sky_err sky_store__time(struct sky_store *store, sqlite3_stmt *stmt, int column, int64_t *ret_ms)
{
    /* The virtual clock can be set to before 1970, but not this far. */
    return sky_store__number(store, stmt, column, -SKY_STORE_NUMBER_MAX, SKY_STORE_NUMBER_MAX,
                             ret_ms);
}

sky_err sky_store__text(struct sky_store *store, sqlite3_stmt *stmt, int column, char *out,
                        size_t out_size)
{
    if (sky_span_copy(sky_store__span(stmt, column), out, out_size))
        return SKY_OK;
    return sky_store__damaged(store, "a text is longer than any that is written");
}

sky_err sky_store__each_key(struct sky_store *store, sky_store_key_fn *each, void *ctx,
                            enum sky_sql which, const struct sky_arg *args, size_t count)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, which, args, count);
    while (err == SKY_OK && each(ctx, sky_store__span(stmt, 0)))
        err = sky_store__step(store, stmt);
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}
