/* From whatever a file holds to the present schema, or not at all. */
#include <stdio.h>

#include "store/internal.h"

/* "SKYM": tells our files from other programs' (PRAGMA application_id). */
enum { APPLICATION_ID = 0x534b594d };

/* -1 when it cannot be read. */
static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static sky_err identify(sqlite3 *db, const char *path, int64_t *ret_version, struct sky_why *why)
{
    int64_t objects = number(db, "SELECT count(*) FROM sqlite_schema");
    int64_t application = objects < 0 ? -1 : number(db, "PRAGMA application_id");
    int64_t version = application < 0 ? -1 : number(db, "PRAGMA user_version");
    if (objects < 0 || sqlite3_errcode(db) == SQLITE_NOTADB)
        return sky_store__cannot(db, path, why);
    if (objects == 0 && application == 0 && version == 0) {
        *ret_version = 0;
        return SKY_OK;
    }
    if (application != APPLICATION_ID || version < 1)
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "\"%s\" is another program's database; it is left as it is, name "
                           "another file",
                           path);
    if (version > SKY_STORE_VERSION)
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "the store \"%s\" was written by a newer skymock (format %lld, this one "
                           "knows up to %d); use that one, or another file",
                           path, (long long)version, SKY_STORE_VERSION);
    *ret_version = version;
    return SKY_OK;
}

static bool climb(sqlite3 *db, int64_t version)
{
    char marks[96];
    snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             APPLICATION_ID, SKY_STORE_VERSION);
    if (version == 0 && sqlite3_exec(db, sky_store__whole_schema, NULL, NULL, NULL) != SQLITE_OK)
        return false;
    for (int64_t i = version; i > 0 && i < SKY_STORE_VERSION; i++)
        if (sqlite3_exec(db, sky_store__schema[i], NULL, NULL, NULL) != SQLITE_OK)
            return false;
    return version == SKY_STORE_VERSION || sqlite3_exec(db, marks, NULL, NULL, NULL) == SQLITE_OK;
}

sky_err sky_store__migrate(sqlite3 *db, const char *path, struct sky_why *why)
{
    /* EXCLUSIVE: from here on nobody else reads or writes the file, not even while it is only
     * being looked at. */
    if (sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK)
        return sky_store__cannot(db, path, why);
    int64_t version = 0;
    sky_err err = identify(db, path, &version, why);
    if (err == SKY_OK && version > 0)
        err = sky_store__check(db, version, path, why);
    if (err == SKY_OK &&
        !(climb(db, version) && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK))
        err = sky_store__cannot(db, path, why);
    if (err != SKY_OK && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}
