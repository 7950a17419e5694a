/* What the sources behind store.h share: the handle, running statements (run.c), bracketing them
 * (transactions.c) and reading columns. Nothing outside store/ includes this; sqlite3.h ends here
 * and in sums.c. */
#ifndef SKY_STORE_INTERNAL_H
#define SKY_STORE_INTERNAL_H

#include <sqlite3.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "store/lost.h"
#include "store/statements.h"
#include "store/store.h"
#include "store/sums.h"

enum sky_sql {
#define X(name, text) SKY_SQL_##name,
    SKY_STORE_STATEMENTS(X)
#undef X
        SKY_SQL_COUNT
};

enum { SKY_STORE_WRONG_MAX = 100 }; /* bytes of what is said of damage */

struct sky_store {
    sqlite3 *db;                        /* owned */
    sqlite3_stmt *stmts[SKY_SQL_COUNT]; /* owned; NULL until first used */
    uint64_t generation;
    struct sky_store_lost lost;
    bool in_transaction;
    bool in_batch, batch_lost; /* writes wait for sky_store_settle(); some are gone, untold */
    int64_t changes_before;    /* the batch; as SQLite counts them */
    int log_pages, log_folded; /* of the log of writes, and so many of them are in the file */
    sqlite3 *folder;           /* owned: a second connection, for the thread that folds; */
    int folder_done;           /* and what came of it: log_folded, or -1 */
    char message[SKY_WHY_REASON_MAX]; /* what the database said last when it refused */
    char damage[SKY_STORE_WRONG_MAX]; /* the first that was found; empty: none */
};

/* Step i leads from version i to version i + 1 (PRAGMA user_version); step 0 starts from an empty
 * file. A released step is never changed. */
enum { SKY_STORE_VERSION = 5 };
extern const char *const sky_store__schema[SKY_STORE_VERSION];
/* All of them in one: the tables of the present version. */
extern const char sky_store__whole_schema[];

/* Brings an open database up to date. Refuses, having written nothing, what is not ours. */
SKY_MUST_USE sky_err sky_store__migrate(sqlite3 *db, const char *path, struct sky_why *why);

/* Every connection goes through the sums. */
#define SKY_STORE_VFS SKY_SUMS_VFS
/* Does a connection wait for the disk? To write it need not, to fold the log it has to. */
#define SKY_STORE_WRITES_ON "PRAGMA synchronous = OFF;"
#define SKY_STORE_WAITS "PRAGMA synchronous = NORMAL;"

void sky_store__watch_log(struct sky_store *store);

/* Refuses a file of that version whose pages or tables are not in order. */
SKY_MUST_USE sky_err sky_store__check(sqlite3 *db, int64_t version, const char *path,
                                      struct sky_why *why);

/* Commits in the file's write-ahead log that cannot be taken, for it is damaged. To be asked before
 * the file is opened. */
uint64_t sky_store__log_lost(const char *path);

/* Says that the file is damaged, and what is to be done. */
sky_err sky_store__is_damaged(const char *path, sky_span what, struct sky_why *why);
/* What is wrong with the file as far as its reader has seen: what SQLite calls it, or the page
 * whose sum is not that of what is in it. */
void sky_store__wrong(sqlite3 *db, sky_span sqlite_says, char out[SKY_STORE_WRONG_MAX]);
/* What SQLite said, which may quote what a file holds: what fits, in one line. */
void sky_store__one_line(sky_span text, char *out, size_t out_size);
/* What SQLite said when it refused something, and what is to be done. */
void sky_store__refusal(sqlite3 *db, char out[SKY_WHY_REASON_MAX]);
/* Puts into words why the file could not be opened or read. */
sky_err sky_store__cannot(sqlite3 *db, const char *path, struct sky_why *why);

/* ---- running statements ---- */

enum sky_arg_kind { SKY_ARG_INT, SKY_ARG_TEXT, SKY_ARG_BLOB };
struct sky_arg {
    enum sky_arg_kind kind;
    sky_span bytes; /* borrowed until the statement is ended */
    int64_t number;
};
#define SKY_INT(value) ((struct sky_arg){.kind = SKY_ARG_INT, .number = (value)})
#define SKY_TEXT(span) ((struct sky_arg){.kind = SKY_ARG_TEXT, .bytes = (span)})
#define SKY_STR(text) SKY_TEXT(sky_span_str(text))
#define SKY_BYTES(span) ((struct sky_arg){.kind = SKY_ARG_BLOB, .bytes = (span)})
/* The last two parameters of the functions below: one argument for each ?N of the statement. */
#define SKY_ARGS(...)                                                                              \
    (const struct sky_arg[]){__VA_ARGS__}, SKY_COUNT(((const struct sky_arg[]){__VA_ARGS__}))
#define SKY_NO_ARGS NULL, 0

/* Prepares on first use, binds, and hands out the statement, which is to be ended. NULL on
 * failure, which is then in store->message. */
sqlite3_stmt *sky_store__start(struct sky_store *store, enum sky_sql which,
                               const struct sky_arg *args, size_t count);
/* OK: there is a row; NOT_FOUND: there is none, or none any more. */
SKY_MUST_USE sky_err sky_store__step(struct sky_store *store, sqlite3_stmt *stmt);
void sky_store__end(sqlite3_stmt *stmt); /* NULL is fine */

/* Starts and steps to the first row. The caller ends `*ret_stmt` whatever came back. */
SKY_MUST_USE sky_err sky_store__first(struct sky_store *store, sqlite3_stmt **ret_stmt,
                                      enum sky_sql which, const struct sky_arg *args, size_t count);
/* Appends the first column of the first row. LIMIT if it does not fit. */
SKY_MUST_USE sky_err sky_store__bytes(struct sky_store *store, enum sky_sql which,
                                      const struct sky_arg *args, size_t count,
                                      struct sky_buf *out);
/* Runs a statement without result rows. */
SKY_MUST_USE sky_err sky_store__run(struct sky_store *store, enum sky_sql which,
                                    const struct sky_arg *args, size_t count);
/* The same; NOT_FOUND when it changed nothing. */
SKY_MUST_USE sky_err sky_store__change(struct sky_store *store, enum sky_sql which,
                                       const struct sky_arg *args, size_t count);

/* Brackets several writes of one call: all of them, or none when `err` is not OK. Works inside
 * and outside a transaction. */
SKY_MUST_USE sky_err sky_store__enter(struct sky_store *store);
SKY_MUST_USE sky_err sky_store__leave(struct sky_store *store, sky_err err);

/* Runs statements with the same arguments as one. NOT_FOUND when the first changed nothing. */
SKY_MUST_USE sky_err sky_store__change_all(struct sky_store *store, const enum sky_sql *list,
                                           size_t list_count, const struct sky_arg *args,
                                           size_t count);

/* ---- many devices at once (scope.c) ---- */

/* Who is meant from here on: devices, and products. To be called in a bracket or transaction. The
 * first is NOT_FOUND when there is no such device; 0: all products. */
SKY_MUST_USE sky_err sky_store__scope_device(struct sky_store *store, int64_t device_id);
SKY_MUST_USE sky_err sky_store__scope_products(struct sky_store *store, int64_t product_id);
/* The devices that the statement takes in, in order of their place, so that `*ret_last` is where to
 * go on; NOT_FOUND: there are no more. */
SKY_MUST_USE sky_err sky_store__scope_next(struct sky_store *store, enum sky_sql which,
                                           const struct sky_arg *args, size_t count,
                                           int64_t *ret_last);
/* The next `limit` devices behind that one's place, of the product, or (0) of all. */
SKY_MUST_USE sky_err sky_store__scope_living(struct sky_store *store, int64_t product_id,
                                             int64_t *after_id, size_t limit);
/* Calls `each` with the first column of each row. */
SKY_MUST_USE sky_err sky_store__each_id(struct sky_store *store, enum sky_sql which,
                                        const struct sky_arg *args, size_t count,
                                        sky_store_id_fn *each, void *ctx);

/* ---- reading columns ---- */

enum { SKY_PRODUCT_WIDTH = 8, SKY_DEVICE_WIDTH = 11 };

/* Borrowed until the next step. */
sky_span sky_store__span(sqlite3_stmt *stmt, int column);
/* Appends column `column`. LIMIT if it does not fit. */
SKY_MUST_USE sky_err sky_store__append(sqlite3_stmt *stmt, int column, struct sky_buf *out);
/* SKY_ERR_STORE, and the reason kept: the file holds what the store never writes. */
sky_err sky_store__damaged(struct sky_store *store, const char *what);
/* Each fails only then. Numbers and times have a range, so that callers may count on from them. */
SKY_MUST_USE sky_err sky_store__number(struct sky_store *store, sqlite3_stmt *stmt, int column,
                                       int64_t min, int64_t max, int64_t *ret_number);
SKY_MUST_USE sky_err sky_store__time(struct sky_store *store, sqlite3_stmt *stmt, int column,
                                     int64_t *ret_ms);
SKY_MUST_USE sky_err sky_store__text(struct sky_store *store, sqlite3_stmt *stmt, int column,
                                     char *out, size_t out_size);
SKY_MUST_USE sky_err sky_store__product(struct sky_store *store, sqlite3_stmt *stmt, int column,
                                        struct sky_product *ret_product);
SKY_MUST_USE sky_err sky_store__device(struct sky_store *store, sqlite3_stmt *stmt, int column,
                                       struct sky_device *ret_device);
/* The greatest product key not above `key`. */
SKY_MUST_USE sky_err sky_store__find_product_up_to(struct sky_store *store, sky_span cloud,
                                                   sky_span key, struct sky_product *ret_product);
/* Calls `each` with the first column of each row. */
SKY_MUST_USE sky_err sky_store__each_key(struct sky_store *store, sky_store_key_fn *each, void *ctx,
                                         enum sky_sql which, const struct sky_arg *args,
                                         size_t count);

/* ---- for seeding ---- */

enum { SKY_DEVICES_AT_ONCE = 16 }; /* as many as the statement has rows */
/* Adds up to so many devices of one product, which is there, as fixtures have them: never activated
 * yet. For two thirds of what they cost one by one. EXISTS as for one. */
SKY_MUST_USE sky_err sky_store__add_devices(struct sky_store *store,
                                            const struct sky_device *devices, size_t count);

/* What fixtures say of a device; `secret` is never empty once stored. */
struct sky_seeded {
    bool known; /* some fixture named it before */
    bool enabled;
    char secret[SKY_SECRET_MAX + 1];
    char asset_id[SKY_KEY_MAX + 1];
    char fingerprint[SKY_FINGERPRINT_HEX + 1];
};
SKY_MUST_USE sky_err sky_store__find_seeded(struct sky_store *store, int64_t product_id,
                                            sky_span key, struct sky_device *ret_device,
                                            struct sky_seeded *ret_seeded);
SKY_MUST_USE sky_err sky_store__set_seeded(struct sky_store *store, int64_t device_id,
                                           const struct sky_seeded *seeded);
/* NOT_FOUND when the fixtures said the same before: what changed since stays. */
SKY_MUST_USE sky_err sky_store__seed_product_document(struct sky_store *store, int64_t product_id,
                                                      sky_span name, sky_span body);
/* The fixtures name the devices behind a gateway: before the first the others are in doubt, behind
 * the last those go that were not named. EXISTS when the device is to stand behind one gateway only
 * and the fixtures put it behind another; with `moves`, it is taken from there. */
SKY_MUST_USE sky_err sky_store__doubt_bindings(struct sky_store *store, int64_t gateway_id);
SKY_MUST_USE sky_err sky_store__seed_binding(struct sky_store *store, int64_t gateway_id,
                                             int64_t device_id, bool shared, bool moves);
SKY_MUST_USE sky_err sky_store__drop_doubted(struct sky_store *store, int64_t gateway_id);

#endif
