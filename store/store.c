/* The handle: opening, transactions, and how every statement is run. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/internal.h"

static const char *const texts[SKY_SQL_COUNT] = {
#define X(name, text) [SKY_SQL_##name] = text,
    SKY_STORE_STATEMENTS(X)
#undef X
};

/* ---- failures ---- */

static sky_err refused(struct sky_store *store)
{
    snprintf(store->message, sizeof store->message, "%s", sqlite3_errmsg(store->db));
    switch (sqlite3_extended_errcode(store->db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return SKY_ERR_EXISTS;
    default:
        return SKY_ERR_STORE;
    }
}

static sky_err damaged(struct sky_store *store, const char *what)
{
    snprintf(store->message, sizeof store->message, "the file is damaged: %s", what);
    return SKY_ERR_STORE;
}

sky_err sky_store_why(const struct sky_store *store, struct sky_why *why)
{
    return sky_why_set(why, SKY_ERR_STORE, "", "the database refused: %s",
                       store->message[0] ? store->message : "no reason given");
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
    if (store->stmts[which] == NULL) {
        int code = sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      &store->stmts[which], NULL);
        SKY_ASSERT((code & 0xff) != SQLITE_ERROR); /* the text itself is wrong */
    }
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

sky_err sky_store__text(struct sky_store *store, sqlite3_stmt *stmt, int column, char *out,
                        size_t out_size)
{
    if (sky_span_copy(sky_store__span(stmt, column), out, out_size))
        return SKY_OK;
    return damaged(store, "a text is longer than any that is written");
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

/* ---- transactions ---- */

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

void sky_store_batch(struct sky_store *store)
{
    if (store->in_transaction)
        return;
    if (batch_is_gone(store)) {
        store->in_batch = false;
        store->batch_lost = true;
    }
    if (!store->in_batch)
        store->in_batch = sky_store__run(store, SKY_SQL_BEGIN, SKY_NO_ARGS) == SKY_OK;
}

sky_err sky_store_settle(struct sky_store *store)
{
    sky_err err = store->batch_lost || batch_is_gone(store) ? SKY_ERR_STORE : SKY_OK;
    if (store->in_batch && !batch_is_gone(store) &&
        sky_store__run(store, SKY_SQL_COMMIT, SKY_NO_ARGS) != SKY_OK)
        err = SKY_ERR_STORE;
    store->in_batch = store->batch_lost = false;
    if (err != SKY_OK)
        undo(store, "ROLLBACK");
    return err;
}

sky_err sky_store_begin(struct sky_store *store)
{
    SKY_ASSERT(!store->in_transaction);
    sky_err err = sky_store_settle(store);
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

uint64_t sky_store_generation(const struct sky_store *store)
{
    return store->generation;
}

/* ---- opening and closing ---- */

/* The file holds secrets, so it is made for its owner only. Only a file that was not there is
 * opened here: closing a descriptor of one that is open elsewhere in this process would give up
 * the locks on it (POSIX fcntl). */
static void create_private(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static bool exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* A WAL loses nothing that was committed when the process is killed; with NORMAL only a power cut
 * may take the last commits, never the file's consistency. Exclusive locking keeps others out and
 * needs no shared memory. */
static bool configure(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, SKY_STORE_BLOB_MAX + 4096);
    return exec(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON;"
                    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                    "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;");
}

sky_err sky_store__cannot(sqlite3 *db, const char *path, struct sky_why *why)
{
    switch (sqlite3_errcode(db)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sky_why_set(why, SKY_ERR_BUSY, "",
                           "another process has the store \"%s\" open; stop it, or give this one a "
                           "store of its own",
                           path);
    case SQLITE_NOTADB:
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "\"%s\" is not a database; it is left as it is, name another file",
                           path);
    case SQLITE_CANTOPEN:
        return sky_why_set(why, SKY_ERR_IO, "",
                           "the store \"%s\" cannot be opened; does its folder exist, and may this "
                           "user write there?",
                           path);
    default:
        return sky_why_set(why, SKY_ERR_STORE, "", "the store \"%s\" cannot be used: %s", path,
                           sqlite3_errmsg(db));
    }
}

static sky_err open_database(const char *path, sqlite3 **ret_db, struct sky_why *why)
{
    bool file = strcmp(path, ":memory:") != 0;
    if (file)
        create_private(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, ret_db, flags, NULL) != SQLITE_OK || !configure(*ret_db))
        return sky_store__cannot(*ret_db, path, why);
    if (sqlite3_db_readonly(*ret_db, "main") == 1)
        return sky_why_set(why, SKY_ERR_IO, "",
                           "the store \"%s\" is read-only for this user; make it writable", path);
    /* A file that turns out not to be ours must not even have its own WAL folded into it. */
    sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sky_err err = sky_store__migrate(*ret_db, path, why);
    if (err != SKY_OK)
        return err;
    sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    if (file && !exec(*ret_db, "PRAGMA journal_mode = WAL"))
        return sky_store__cannot(*ret_db, path, why);
    return SKY_OK;
}

sky_err sky_store_open(const char *path, struct sky_store **ret_store, struct sky_why *why)
{
    if (path[0] == '\0')
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "the store needs a name: a file, or \":memory:\"");
    /* Counting every allocation would take a lock for each. Too late once something is open. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3 *db = NULL;
    sky_err err = open_database(path, &db, why);
    if (err != SKY_OK) {
        sqlite3_close(db);
        return err;
    }
    struct sky_store *store = sky_mem_new(sizeof *store);
    store->db = db;
    *ret_store = store;
    return SKY_OK;
}

void sky_store_close(struct sky_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < SKY_SQL_COUNT; i++)
        sqlite3_finalize(store->stmts[i]);
    if (store->in_batch && !sqlite3_get_autocommit(store->db))
        exec(store->db, "COMMIT");
    int code = sqlite3_close(store->db);
    SKY_ASSERT(code == SQLITE_OK);
    free(store);
}
