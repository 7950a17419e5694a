/* The store as a file: what it refuses, what it leaves alone, and what a kill cannot take. */
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/fold.h"
#include "store/internal.h"
#include "store/pages.h"
#include "tests/support/store_sums.h"

struct folder {
    char path[64], file[80];
};

static int make_folder(void **state)
{
    struct folder *folder = sky_mem_new(sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/skymock-store-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/store", folder->path);
    *state = folder;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return 0;
}

static struct sky_store *opens(const char *path)
{
    struct sky_store *store = NULL;
    struct sky_why why = {.reason = ""};
    if (sky_store_open(path, &store, &why) != SKY_OK)
        fail_msg("%s: %s", path, why.reason);
    return store;
}

static void refuses(const char *path, sky_err want, const char *reason)
{
    struct sky_store *store = NULL;
    struct sky_why why = {.reason = ""};
    sky_err err = sky_store_open(path, &store, &why);
    if (err != want || strstr(why.reason, reason) == NULL)
        fail_msg("%s: %s: %s", path, sky_err_slug(err), why.reason);
    assert_null(store);
}

static void write_file(const char *path, sky_span bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const char *path, struct sky_buf *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *room = sky_buf_reserve(out, out->max);
    sky_buf_commit(out, fread(room, 1, out->max, file));
    fclose(file);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Bytes of which some were changed, as if skymock had written them. */
static void write_mended(const char *path, struct sky_buf *bytes)
{
    store_sums_mend(bytes->bytes, bytes->len);
    write_file(path, sky_buf_span(bytes));
}

/* Refused, and not one byte of the file is another. */
static void refuses_untouched(const char *path, const char *reason)
{
    struct sky_buf before, after;
    sky_buf_init(&before, 1024 * 1024);
    sky_buf_init(&after, 1024 * 1024);
    read_file(path, &before);
    refuses(path, SKY_ERR_INVALID, reason);
    read_file(path, &after);
    assert_true(sky_span_eq(sky_buf_span(&before), sky_buf_span(&after)));
    sky_buf_done(&before);
    sky_buf_done(&after);
}

/* ---- opening ---- */

static void keeps_what_was_written_over_a_restart(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    struct sky_product product = {.cloud = "aliyun", .key = "pk"}, found;
    assert_int_equal(sky_store_put_product(store, &product), SKY_OK);
    sky_store_close(store);
    store = opens(folder->file);
    assert_int_equal(sky_store_get_product(store, product.id, &found), SKY_OK);
    assert_string_equal(found.key, "pk");
    sky_store_close(store);
}

static void makes_a_file_that_only_its_owner_can_read(void **state)
{
    struct folder *folder = *state;
    struct stat info;
    sky_store_close(opens(folder->file));
    assert_int_equal(stat(folder->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void takes_an_empty_file(void **state)
{
    struct folder *folder = *state;
    write_file(folder->file, SKY_SPAN(""));
    sky_store_close(opens(folder->file));
    sky_store_close(opens(folder->file));
}

static void undoes_an_open_transaction_when_closed(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    struct sky_product product = {.cloud = "aliyun", .key = "pk"};
    assert_int_equal(sky_store_begin(store), SKY_OK);
    assert_int_equal(sky_store_put_product(store, &product), SKY_OK);
    sky_store_close(store);
    store = opens(folder->file);
    assert_int_equal(sky_store_get_product(store, product.id, &product), SKY_ERR_NOT_FOUND);
    sky_store_close(store);
}

static void refuses_names_that_cannot_be_a_store(void **state)
{
    struct folder *folder = *state;
    char path[128];
    refuses("", SKY_ERR_INVALID, "needs a name");
    refuses(folder->path, SKY_ERR_IO, "cannot be opened");
    snprintf(path, sizeof path, "%s/none/store", folder->path);
    refuses(path, SKY_ERR_IO, "No such file or directory; does its folder exist");
}

static void refuses_a_file_that_is_no_database(void **state)
{
    struct folder *folder = *state;
    char bytes[5000];
    memset(bytes, 'x', sizeof bytes);
    write_file(folder->file, SKY_SPAN("{\"products\": []}"));
    refuses_untouched(folder->file, "is not a database");
    write_file(folder->file, sky_span_of(bytes, sizeof bytes));
    refuses_untouched(folder->file, "is not a database");
}

static void refuses_the_database_of_another_program(void **state)
{
    struct folder *folder = *state;
    run_sql(folder->file, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    refuses_untouched(folder->file, "another program's");
    run_sql(folder->file, "PRAGMA user_version = 1");
    refuses_untouched(folder->file, "another program's");
}

/* The file as the program of that version made it, with a device 1 in it. */
static void write_version(const char *path, int version, const char *rows)
{
    char marks[96];
    remove(path);
    for (int i = 0; i < version; i++)
        run_sql(path, sky_store__schema[i]);
    snprintf(marks, sizeof marks, "PRAGMA application_id = 0x534b594d; PRAGMA user_version = %d",
             version);
    run_sql(path, marks);
    run_sql(path, "INSERT INTO product (id, cloud, key, secret, dynamic_activation,"
                  " require_certificate, https_auth) VALUES (1, 'aliyun', 'pk', '', 0, 0, 1);"
                  "INSERT INTO device (id, product_id, key, secret, old_secret, asset_id,"
                  " fingerprint, state, enabled, secret_issued)"
                  " VALUES (1, 1, 'dev', 's', '', '', '', 0, 1, 0)");
    run_sql(path, rows);
}

static void refuses_a_file_of_a_newer_version(void **state)
{
    struct folder *folder = *state;
    write_version(folder->file, SKY_STORE_VERSION, "PRAGMA user_version = 6");
    refuses_untouched(folder->file, "newer skymock (format 6, this one knows up to 5)");
    run_sql(folder->file, "PRAGMA journal_mode = WAL");
    refuses_untouched(folder->file, "newer skymock");
    run_sql(folder->file, "PRAGMA user_version = 5");
    sky_store_close(opens(folder->file));
}

static void brings_every_version_up_to_date(void **state)
{
    struct folder *folder = *state;
    for (int version = 1; version <= SKY_STORE_VERSION; version++) {
        write_version(folder->file, version, "INSERT INTO note VALUES ('n', 'kept')");
        for (int round = 0; round < 2; round++) { /* and leaves it there */
            struct sky_store *store = opens(folder->file);
            struct sky_product product;
            struct sky_device device;
            struct sky_token token = {.device_id = 1, .id = "i", .token = "t"};
            struct sky_kept_session session = {.device_id = 1};
            assert_int_equal(sky_store_get_device(store, 1, &product, &device), SKY_OK);
            assert_string_equal(device.key, "dev");
            assert_int_equal(sky_store_put_token(store, 0, &token), SKY_OK);
            assert_int_equal(sky_store_put_session(store, &session), SKY_OK);
            assert_int_equal(sky_store_put_subscription(store, 1, SKY_SPAN("a"), 1), SKY_OK);
            assert_int_equal(sky_store_drop_session(store, 1), SKY_OK);
            sky_store_close(store);
        }
    }
}

/* Files of the versions before have these very texts in them. */
static void leaves_the_released_steps_of_the_schema_as_they_were(void **state)
{
    static const uint64_t sums[] = {0xc6a3502e748eada2, 0xe9bb9f353cfae185, 0x84b450e6ec25330d,
                                    0xded9abe7ff119311, 0x0d296e35d0016302};
    (void)state;
    assert_int_equal(SKY_COUNT(sums), SKY_STORE_VERSION);
    for (size_t i = 0; i < SKY_STORE_VERSION; i++) {
        uint64_t sum = 0xcbf29ce484222325; /* FNV-1a */
        for (const char *c = sky_store__schema[i]; *c; c++)
            sum = (sum ^ (uint8_t)*c) * 0x100000001b3;
        if (sum != sums[i])
            fail_msg("step %zu is another: 0x%016llx", i, (unsigned long long)sum);
    }
}

/* A new file's tables and those of one that has climbed from version 1 are the same, to the word.
 */
static void the_whole_schema_is_what_the_steps_come_to(void **state)
{
    static const char text[] =
        "SELECT group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, ''),"
        " char(10)) FROM (SELECT * FROM sqlite_schema ORDER BY type, name)";
    sqlite3 *dbs[2];
    sqlite3_stmt *stmts[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(sqlite3_open(":memory:", &dbs[i]), SQLITE_OK);
    for (int i = 0; i < SKY_STORE_VERSION; i++)
        assert_int_equal(sqlite3_exec(dbs[0], sky_store__schema[i], NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(dbs[1], sky_store__whole_schema, NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sqlite3_prepare_v2(dbs[i], text, -1, &stmts[i], NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(stmts[i]), SQLITE_ROW);
    }
    assert_string_equal(sqlite3_column_text(stmts[0], 0), sqlite3_column_text(stmts[1], 0));
    for (int i = 0; i < 2; i++) {
        sqlite3_finalize(stmts[i]);
        sqlite3_close(dbs[i]);
    }
}

static void brings_the_tokens_of_version_1_along(void **state)
{
    struct folder *folder = *state;
    struct sky_token found;
    size_t newest;
    write_version(folder->file, 1,
                  "INSERT INTO token VALUES ('later', 't2', 1, 20);"
                  "INSERT INTO token VALUES ('sooner', 't1', 1, 10)");
    struct sky_store *store = opens(folder->file);
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("sooner"), &found), SKY_OK);
    assert_int_equal(sky_store_find_token(store, SKY_SPAN("later"), &found), SKY_OK);
    assert_string_equal(found.token, "t2");
    assert_int_equal(found.device_id, 1);
    assert_int_equal(sky_store_newest_token(store, 1, &newest), SKY_OK);
    assert_int_equal(newest, 1);
    sky_store_close(store);
}

/* What they were made as is not known: what they are now is what a reset goes back to. */
static void devices_of_version_4_are_reset_to_what_they_are(void **state)
{
    struct folder *folder = *state;
    struct sky_product product;
    struct sky_device device;
    write_version(folder->file, 4, "UPDATE device SET secret = 'own', enabled = 0");
    struct sky_store *store = opens(folder->file);
    assert_int_equal(sky_store_get_device(store, 1, &product, &device), SKY_OK);
    struct sky_device other = device;
    other.enabled = true;
    other.secret[0] = 'x';
    assert_int_equal(sky_store_set_device(store, &other), SKY_OK);
    assert_int_equal(sky_store_reset_device(store, 1), SKY_OK);
    assert_int_equal(sky_store_get_device(store, 1, &product, &other), SKY_OK);
    assert_memory_equal(&device, &other, sizeof device);
    sky_store_close(store);
}

static void refuses_a_file_that_is_damaged(void **state)
{
    struct folder *folder = *state;
    struct sky_buf bytes;
    sky_store_close(opens(folder->file));
    sky_buf_init(&bytes, 1024 * 1024);
    read_file(folder->file, &bytes);
    memset(bytes.bytes + 100, 0xff, bytes.len - 100); /* all but SQLite's file header */
    write_file(folder->file, sky_buf_span(&bytes));
    refuses(folder->file, SKY_ERR_STORE, "is damaged: page 1 is not as skymock wrote it");
    write_mended(folder->file, &bytes);
    refuses(folder->file, SKY_ERR_STORE, "is damaged: database disk image is malformed");
    sky_buf_done(&bytes);
}

/* Changes that SQLite itself has nothing against. */
static void refuses_tables_that_are_not_as_they_were_made(void **state)
{
    static const char *const changes[] = {
        "DROP TABLE note",
        "DROP INDEX token_by_id",
        "DROP INDEX device_by_key; CREATE INDEX device_by_key ON device (product_id, key)",
        "ALTER TABLE device RENAME COLUMN secret TO secreT",
        "CREATE TABLE z (a)",
        "CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM device; END",
    };
    struct folder *folder = *state;
    for (size_t i = 0; i < SKY_COUNT(changes); i++) {
        struct sky_buf bytes;
        sky_buf_init(&bytes, 1024 * 1024);
        remove(folder->file);
        sky_store_close(opens(folder->file));
        run_sql(folder->file, changes[i]);
        read_file(folder->file, &bytes);
        write_mended(folder->file, &bytes);
        refuses(folder->file, SKY_ERR_STORE,
                "is damaged: its tables are not as they were made; put back a copy of it");
        sky_buf_done(&bytes);
    }
}

static void says_in_one_line_what_the_damage_is(void **state)
{
    struct folder *folder = *state;
    struct sky_buf bytes;
    struct sky_store *store;
    struct sky_why why;
    sky_store_close(opens(folder->file));
    sky_buf_init(&bytes, 1024 * 1024);
    read_file(folder->file, &bytes);
    /* SQLite quotes the text from the bad character on, line ends and all. */
    sky_span text = sky_buf_span(&bytes);
    const char *at = memmem(text.ptr, text.len, "seed_secret TEXT", 16);
    assert_non_null(at);
    bytes.bytes[at - text.ptr - 1] = '\'';
    write_mended(folder->file, &bytes);
    assert_int_equal(sky_store_open(folder->file, &store, &why), SKY_ERR_STORE);
    assert_null(strchr(why.reason, '\n'));
    assert_non_null(strstr(why.reason, "start anew"));
    sky_buf_done(&bytes);
}

/* ---- one at a time ---- */

static void refuses_a_file_that_is_in_use(void **state)
{
    struct folder *folder = *state;
    int up[2], down[2], status;
    char byte = 0;
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t child = fork(); /* before there is a store: SQLite's locks are not inherited */
    if (child == 0) {
        struct sky_store *store = opens(folder->file);
        bool told = write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) == 1;
        sky_store_close(store);
        _exit(told ? 0 : 1);
    }
    assert_int_equal(read(up[0], &byte, 1), 1);
    refuses(folder->file, SKY_ERR_BUSY, "another process has the store");
    assert_int_equal(write(down[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    sky_store_close(opens(folder->file));
    for (int i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
}

/* ---- the log of writes ---- */

/* As the journal does: pages of 256 KB. */
static void write_pages(struct sky_store *store, uint64_t *seq, int count)
{
    static char bytes[256 * 1024];
    for (int i = 0; i < count; i++, ++*seq)
        assert_int_equal(sky_store_put_page(store, *seq, *seq, sky_span_of(bytes, sizeof bytes)),
                         SKY_OK);
}

static long long size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (long long)info.st_size;
}

static void *fold(void *store)
{
    sky_store_fold(store);
    return NULL;
}

static void its_log_is_folded_in_a_thread(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    uint64_t seq = 1, first, last;
    pthread_t thread;
    write_pages(store, &seq, 20);
    assert_false(sky_store_wants_folding(store));
    write_pages(store, &seq, 20);
    assert_true(sky_store_wants_folding(store));
    assert_int_equal(pthread_create(&thread, NULL, fold, store), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sky_store_folded(store);
    assert_false(sky_store_wants_folding(store));
    assert_true(size_of(folder->file) >= 40 * 256 * 1024);
    write_pages(store, &seq, 20); /* the log begins anew */
    assert_false(sky_store_wants_folding(store));
    sky_store_close(store);
    store = opens(folder->file);
    assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
    assert_true(first == 1 && last == seq - 1);
    sky_store_close(store);
}

static void a_log_that_nobody_folds_has_a_bound(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    const long long bound = (SKY_STORE_LOG_MAX + 1024) * 4096LL;
    char log[PATH_MAX];
    uint64_t seq = 1;
    snprintf(log, sizeof log, "%s-wal", folder->file);
    while (seq * 256 * 1024 < 2 * (uint64_t)bound) {
        write_pages(store, &seq, 1);
        assert_true(size_of(log) < bound);
    }
    sky_store_close(store);
}

/* ---- kill -9 ---- */

/* Adds devices one by one, or by ten in a transaction or a batch, and reports each number once it
 * is in. */
static void write_until_killed(const char *path, int report)
{
    struct sky_store *store = opens(path);
    struct sky_product product = {.cloud = "aliyun", .key = "pk"};
    struct sky_device device = {.enabled = true};
    bool good = sky_store_put_product(store, &product) == SKY_OK;
    device.product_id = product.id;
    for (int i = 1; good; i++) {
        int way = i / 100 % 3;
        bool first = i % 10 == 0, last = i % 10 == 9;
        if (way == 1 && first)
            good = sky_store_begin(store) == SKY_OK;
        if (way == 2)
            sky_store_batch(store);
        snprintf(device.key, sizeof device.key, "d%d", i);
        good = good && sky_store_add_device(store, &device) == SKY_OK;
        if (way == 1 && last)
            good = good && sky_store_commit(store) == SKY_OK;
        if (way == 2 && last)
            good = good && sky_store_settle(store) == SKY_OK;
        if (good && (way == 0 || last))
            good = write(report, &i, sizeof i) == sizeof i;
    }
    _exit(1);
}

static int last_reported(int from)
{
    int number, last = 0;
    while (read(from, &number, sizeof number) == sizeof number)
        last = number;
    return last;
}

static void loses_nothing_acknowledged_when_killed(void **state)
{
    struct folder *folder = *state;
    for (int round = 0; round < 5; round++) {
        char path[96];
        int ends[2], number;
        snprintf(path, sizeof path, "%s%d", folder->file, round);
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            write_until_killed(path, ends[1]);
        }
        close(ends[1]);
        do /* at some point in the middle of its work, another one each round */
            assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
        while (number < 150 + 577 * round);
        kill(child, SIGKILL);
        int last = last_reported(ends[0]), status;
        last = last > number ? last : number;
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        struct sky_store *store = opens(path);
        assert_true(sky_store_count_devices(store) >= (size_t)last);
        for (int i = 1; i <= last; i++) {
            struct sky_product product;
            struct sky_device device;
            char key[16];
            snprintf(key, sizeof key, "d%d", i);
            if (sky_store_find_device(store, SKY_SPAN("aliyun"), SKY_SPAN("pk"), sky_span_str(key),
                                      &product, &device) != SKY_OK)
                fail_msg("%s of %d is lost", key, last);
        }
        sky_store_close(store);
    }
}

/* ---- batches ---- */

static struct sky_product put_product(struct sky_store *store)
{
    struct sky_product product = {.cloud = "aliyun", .key = "pk"};
    assert_int_equal(sky_store_put_product(store, &product), SKY_OK);
    return product;
}

static sky_err add(struct sky_store *store, const struct sky_product *product, const char *key)
{
    struct sky_device device = {.product_id = product->id, .enabled = true};
    snprintf(device.key, sizeof device.key, "%s", key);
    return sky_store_add_device(store, &device);
}

/* A process that writes a batch and ends without a word. */
static void write_and_die(const char *path, bool settles)
{
    pid_t child = fork();
    if (child == 0) {
        struct sky_store *store = opens(path);
        struct sky_product product = put_product(store);
        sky_store_batch(store);
        bool good = add(store, &product, "one") == SKY_OK && add(store, &product, "two") == SKY_OK;
        if (settles)
            good = good && sky_store_settle(store) == SKY_OK;
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_batch_is_durable_once_it_is_settled(void **state)
{
    struct folder *folder = *state;
    for (int settles = 0; settles <= 1; settles++) {
        char path[96];
        snprintf(path, sizeof path, "%s%d", folder->file, settles);
        write_and_die(path, settles);
        struct sky_store *store = opens(path);
        assert_int_equal(sky_store_count_devices(store), settles ? 2 : 0);
        sky_store_close(store);
    }
}

static void a_batch_is_seen_before_it_is_settled(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    struct sky_product product = put_product(store);
    sky_store_batch(store);
    sky_store_batch(store);
    assert_int_equal(add(store, &product, "one"), SKY_OK);
    assert_int_equal(sky_store_count_devices(store), 1);
    assert_int_equal(sky_store_settle(store), SKY_OK);
    assert_int_equal(sky_store_settle(store), SKY_OK); /* nothing is open */
    sky_store_close(store);
}

static void a_write_that_fails_leaves_the_rest_of_its_batch(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    struct sky_product product = put_product(store);
    sky_store_batch(store);
    assert_int_equal(add(store, &product, "one"), SKY_OK);
    assert_int_equal(add(store, &product, "one"), SKY_ERR_EXISTS);
    assert_int_equal(sky_store_reset_device(store, 9), SKY_ERR_NOT_FOUND); /* several statements */
    assert_int_equal(add(store, &product, "two"), SKY_OK);
    assert_int_equal(sky_store_settle(store), SKY_OK);
    assert_int_equal(sky_store_count_devices(store), 2);
    sky_store_close(store);
}

static void a_transaction_settles_the_batch_and_stands_for_itself(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    struct sky_product product = put_product(store);
    sky_store_batch(store);
    assert_int_equal(add(store, &product, "one"), SKY_OK);
    assert_int_equal(sky_store_begin(store), SKY_OK);
    sky_store_batch(store); /* in a transaction already */
    assert_int_equal(add(store, &product, "two"), SKY_OK);
    sky_store_rollback(store);
    assert_int_equal(sky_store_settle(store), SKY_OK);
    assert_int_equal(sky_store_count_devices(store), 1);
    sky_store_close(store);
}

static void closing_keeps_an_open_batch(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder->file);
    struct sky_product product = put_product(store);
    sky_store_batch(store);
    assert_int_equal(add(store, &product, "one"), SKY_OK);
    sky_store_close(store);
    store = opens(folder->file);
    assert_int_equal(sky_store_count_devices(store), 1);
    sky_store_close(store);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_what_was_written_over_a_restart),
        TEST(makes_a_file_that_only_its_owner_can_read),
        TEST(takes_an_empty_file),
        TEST(undoes_an_open_transaction_when_closed),
        TEST(refuses_names_that_cannot_be_a_store),
        TEST(refuses_a_file_that_is_no_database),
        TEST(refuses_the_database_of_another_program),
        TEST(refuses_a_file_of_a_newer_version),
        TEST(brings_every_version_up_to_date),
        TEST(leaves_the_released_steps_of_the_schema_as_they_were),
        TEST(the_whole_schema_is_what_the_steps_come_to),
        TEST(brings_the_tokens_of_version_1_along),
        TEST(devices_of_version_4_are_reset_to_what_they_are),
        TEST(refuses_a_file_that_is_damaged),
        TEST(refuses_tables_that_are_not_as_they_were_made),
        TEST(says_in_one_line_what_the_damage_is),
        TEST(refuses_a_file_that_is_in_use),
        TEST(its_log_is_folded_in_a_thread),
        TEST(a_log_that_nobody_folds_has_a_bound),
        TEST(loses_nothing_acknowledged_when_killed),
        TEST(a_batch_is_durable_once_it_is_settled),
        TEST(a_batch_is_seen_before_it_is_settled),
        TEST(a_write_that_fails_leaves_the_rest_of_its_batch),
        TEST(a_transaction_settles_the_batch_and_stands_for_itself),
        TEST(closing_keeps_an_open_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
