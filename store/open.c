/* Opening and closing the file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/lost.h"

/* The file holds secrets, so it is made for its owner only. Only a file that was not there is
 * opened here: closing a descriptor of one that is open elsewhere in this process would give up
 * the locks on it (POSIX fcntl). */
static int create_private(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno == EEXIST ? 0 : errno;
}

/* `number` is the system's. */
static sky_err cannot_open(const char *path, int number, struct sky_why *why)
{
    const char *remedy = "does its folder exist, and may this user write there?";
    if (number == EROFS)
        remedy = "name a file on a disk that may be written";
    else if (number == ENOSPC || number == EDQUOT)
        remedy = "make room on its disk";
    else if (number == EMFILE || number == ENFILE)
        remedy = "raise the limit of file descriptors (ulimit -n)";
    return sky_why_set(why, SKY_ERR_IO, "", "the store \"%s\" cannot be opened%s%s; %s", path,
                       number != 0 ? ": " : "", number != 0 ? strerror(number) : "", remedy);
}

static bool exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* In a file that is new: one that is there keeps the pages and the room in them that it has. */
static bool ask_for_sums(sqlite3 *db)
{
    int room = SKY_SUMS_ROOM;
    char size[40];
    snprintf(size, sizeof size, "PRAGMA page_size = %d", SKY_SUMS_PAGE);
    sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &room);
    return exec(db, size);
}

/* A WAL loses nothing that was committed when the process is killed; only a power cut may take the
 * last commits. Whoever writes never waits for the disk, which may take half a second: what folds
 * the log does (fold.c), and keeps the file whole. One wait is given up for it, where a log begins
 * anew: its first block has to reach the disk no later than those behind it, as the system writes
 * them. What is deleted is overwritten where that costs no write of its own. */
static bool configure(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, SKY_STORE_BLOB_MAX + 4096);
    return exec(db, "PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST;"
                    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;" SKY_STORE_WRITES_ON
                    "PRAGMA journal_size_limit = 16777216;");
}

void sky_store__wrong(sqlite3 *db, sky_span sqlite_says, char out[SKY_STORE_WRONG_MAX])
{
    uint64_t page = 0;
    sqlite3_file_control(db, "main", SKY_SUMS_FCNTL_WRONG, &page);
    if (page > 0)
        snprintf(out, SKY_STORE_WRONG_MAX,
                 "page %llu is not as skymock wrote it: a bad disk, or another program",
                 (unsigned long long)page);
    else
        sky_store__one_line(sqlite_says, out, SKY_STORE_WRONG_MAX);
}

sky_err sky_store__is_damaged(const char *path, sky_span what, struct sky_why *why)
{
    char said[100];
    sky_store__one_line(what, said, sizeof said);
    return sky_why_set(why, SKY_ERR_STORE, "",
                       "the store \"%s\" is damaged: %s; put back a copy of it, or name another "
                       "file to start anew",
                       path, said);
}

sky_err sky_store__cannot(sqlite3 *db, const char *path, struct sky_why *why)
{
    struct stat info;
    char wrong[SKY_STORE_WRONG_MAX], said[SKY_WHY_REASON_MAX];
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
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
            return sky_why_set(
                why, SKY_ERR_IO, "",
                "the store \"%s\" cannot be opened: it is a folder; name a file in it", path);
        return cannot_open(path, sqlite3_system_errno(db), why);
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: /* its own statements do not fit it */
        sky_store__wrong(db, sky_span_str(sqlite3_errmsg(db)), wrong);
        return sky_store__is_damaged(path, sky_span_str(wrong), why);
    default:
        sky_store__refusal(db, said);
        return sky_why_set(why, SKY_ERR_STORE, "", "the store \"%s\" cannot be used: %s", path,
                           said);
    }
}

static sky_err open_database(const char *path, sqlite3 **ret_db, struct sky_why *why)
{
    bool file = strcmp(path, ":memory:") != 0;
    int refused = file ? create_private(path) : 0;
    if (refused != 0)
        return cannot_open(path, refused, why);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, ret_db, flags, SKY_STORE_VFS) != SQLITE_OK || !configure(*ret_db) ||
        (file && !ask_for_sums(*ret_db)))
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
    if ((file && !exec(*ret_db, "PRAGMA journal_mode = WAL")) ||
        !exec(*ret_db, SKY_STORE_SCOPE_TABLES))
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
    sky_sums_open();
    sqlite3 *db = NULL;
    uint64_t log_lost = strcmp(path, ":memory:") != 0 ? sky_store__log_lost(path) : 0;
    sky_err err = open_database(path, &db, why);
    if (err != SKY_OK) {
        sqlite3_close(db);
        return err;
    }
    struct sky_store *store = sky_mem_new(sizeof *store);
    store->db = db;
    store->lost.commits = log_lost;
    sky_store__watch_log(store);
    *ret_store = store;
    return SKY_OK;
}

void sky_store_lost(const struct sky_store *store, struct sky_store_lost *ret_lost)
{
    *ret_lost = store->lost;
}

void sky_store_close(struct sky_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < SKY_SQL_COUNT; i++)
        sqlite3_finalize(store->stmts[i]);
    if (store->in_batch && !sqlite3_get_autocommit(store->db))
        exec(store->db, "COMMIT");
    sqlite3_close(store->folder);
    exec(store->db, SKY_STORE_WAITS); /* the log is folded now */
    int code = sqlite3_close(store->db);
    SKY_ASSERT(code == SQLITE_OK);
    free(store);
}
