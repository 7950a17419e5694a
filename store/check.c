/* Is a file that says it is ours what this program wrote? Asked once, when it is opened: what comes
 * later relies on it. */
#include "store/internal.h"

/* The last line of SQLite's report, which may begin with the name of the database. */
static sky_span last_line(sky_span report)
{
    sky_span line = SKY_SPAN_NONE;
    while (sky_span_next(&report, '\n', &line))
        ;
    return line;
}

/* Every page of the file is where it belongs, every index has its rows. Takes longer the more
 * of a journal there is, which is read whole. */
static sky_err check_pages(sqlite3 *db, const char *path, struct sky_why *why)
{
    sqlite3_stmt *stmt = NULL;
    sky_err err = SKY_OK;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        err = sky_store__cannot(db, path, why);
    } else {
        sky_span report = sky_store__span(stmt, 0);
        char wrong[SKY_STORE_WRONG_MAX];
        sky_store__wrong(db, last_line(report), wrong);
        if (!sky_span_eq_str(report, "ok"))
            err = sky_store__is_damaged(path, sky_span_str(wrong), why);
    }
    sqlite3_finalize(stmt);
    return err;
}

/* The next object of two schemas, in the same order. */
static bool same_object(sqlite3_stmt *found, sqlite3_stmt *wanted)
{
    for (int column = 0; column < sqlite3_column_count(wanted); column++)
        if (sqlite3_column_type(found, column) != sqlite3_column_type(wanted, column) ||
            !sky_span_eq(sky_store__span(found, column), sky_store__span(wanted, column)))
            return false;
    return true;
}

static bool same_schema(sqlite3 *found, sqlite3 *wanted)
{
    static const char text[] =
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
    sqlite3_stmt *a = NULL, *b = NULL;
    bool same = sqlite3_prepare_v2(found, text, -1, &a, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(wanted, text, -1, &b, NULL) == SQLITE_OK;
    bool more = same;
    while (same && more) {
        int step = sqlite3_step(a);
        more = step == SQLITE_ROW;
        same = step == sqlite3_step(b) && (more ? same_object(a, b) : step == SQLITE_DONE);
    }
    sqlite3_finalize(a);
    sqlite3_finalize(b);
    return same;
}

static sky_err check_schema(sqlite3 *db, int64_t version, const char *path, struct sky_why *why)
{
    sqlite3 *wanted = NULL;
    bool same = sqlite3_open(":memory:", &wanted) == SQLITE_OK;
    bool whole = version == SKY_STORE_VERSION; /* as nearly always */
    if (whole && same)
        same = sqlite3_exec(wanted, sky_store__whole_schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int64_t i = 0; i < version && same && !whole; i++)
        same = sqlite3_exec(wanted, sky_store__schema[i], NULL, NULL, NULL) == SQLITE_OK;
    same = same && same_schema(db, wanted);
    sqlite3_close(wanted);
    return same
               ? SKY_OK
               : sky_store__is_damaged(path, SKY_SPAN("its tables are not as they were made"), why);
}

sky_err sky_store__check(sqlite3 *db, int64_t version, const char *path, struct sky_why *why)
{
    sky_err err = check_schema(db, version, path, why);
    return err == SKY_OK ? check_pages(db, path, why) : err;
}
