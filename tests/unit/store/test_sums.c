/* The sums of a store's pages: what they notice, and what a file does without them. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/fold.h"
#include "store/internal.h"
#include "store/lost.h"
#include "store/pages.h"
#include "tests/support/store_sums.h"

enum { PAGE = SKY_SUMS_PAGE, FILE_MAX = 4 * 1024 * 1024, BLOB = 3 * PAGE };
enum { ROOM_AT = 20, FREE_AT = 32, APPLICATION_AT = 68 }; /* in the head of the file */

struct bench {
    char path[64], wal[72];
    struct sky_buf file; /* as it was read last */
};

static int make_bench(void **state)
{
    struct bench *bench = sky_mem_new(sizeof *bench);
    snprintf(bench->path, sizeof bench->path, "%s/skymock-sums-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    int fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(bench->wal, sizeof bench->wal, "%s-wal", bench->path);
    sky_buf_init(&bench->file, FILE_MAX);
    *state = bench;
    return 0;
}

static int remove_bench(void **state)
{
    struct bench *bench = *state;
    remove(bench->path);
    remove(bench->wal);
    sky_buf_done(&bench->file);
    free(bench);
    return 0;
}

static struct sky_store *opens(const struct bench *bench)
{
    struct sky_store *store = NULL;
    struct sky_why why = {.reason = ""};
    if (sky_store_open(bench->path, &store, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    return store;
}

static void refuses(const struct bench *bench, sky_err want, const char *reason)
{
    struct sky_store *store = NULL;
    struct sky_why why = {.reason = ""};
    sky_err err = sky_store_open(bench->path, &store, &why);
    if (err != want || strstr(why.reason, reason) == NULL)
        fail_msg("%s, not %s: %s", sky_err_slug(err), reason, why.reason);
}

static void read_file(struct bench *bench)
{
    FILE *file = fopen(bench->path, "rb");
    assert_non_null(file);
    sky_buf_clear(&bench->file);
    char *room = sky_buf_reserve(&bench->file, FILE_MAX);
    sky_buf_commit(&bench->file, fread(room, 1, FILE_MAX, file));
    fclose(file);
}

static void write_at(const struct bench *bench, size_t at, const void *bytes, size_t len)
{
    int fd = open(bench->path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    close(fd);
}

static void flip(const struct bench *bench, size_t at, uint8_t bits)
{
    char other = (char)(bench->file.bytes[at] ^ bits);
    write_at(bench, at, &other, 1);
}

static void mend(struct bench *bench)
{
    store_sums_mend(bench->file.bytes, bench->file.len);
    write_at(bench, 0, bench->file.bytes, bench->file.len);
}

static uint32_t number_at(const struct bench *bench, size_t at)
{
    const uint8_t *p = (const uint8_t *)bench->file.bytes + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static size_t pages_of(const struct bench *bench)
{
    assert_int_equal(bench->file.len % PAGE, 0);
    return bench->file.len / PAGE;
}

static void every_page_holds(struct bench *bench)
{
    read_file(bench);
    for (size_t i = 0; i < pages_of(bench); i++)
        if (!sky_sums_hold(bench->file.bytes + i * PAGE, i + 1))
            fail_msg("page %zu of %zu", i + 1, pages_of(bench));
}

/* With the mark that a file has sums, or not. */
static bool is_marked(const struct bench *bench)
{
    return bench->file.bytes[ROOM_AT] == SKY_SUMS_ROOM;
}

static sky_span blob(char out[BLOB], char seed)
{
    for (size_t i = 0; i < BLOB; i++)
        out[i] = (char)(seed + i % 61);
    return sky_span_of(out, BLOB);
}

/* Values that take pages to themselves: the journal's, each by its number. */
static void put(struct sky_store *store, uint64_t number, char seed)
{
    char bytes[BLOB];
    assert_int_equal(sky_store_put_page(store, number, number, blob(bytes, seed)), SKY_OK);
}

static sky_err get(struct sky_store *store, uint64_t number, char seed)
{
    char want[BLOB];
    struct sky_buf found;
    uint64_t first, last;
    sky_buf_init(&found, BLOB);
    sky_err err = sky_store_get_page(store, number, &first, &last, &found);
    if (err == SKY_OK && first != number)
        err = SKY_ERR_NOT_FOUND;
    if (err == SKY_OK)
        assert_true(sky_span_eq(sky_buf_span(&found), blob(want, seed)));
    sky_buf_done(&found);
    return err;
}

static void make_file(struct bench *bench)
{
    struct sky_store *store = opens(bench);
    put(store, 1, 'A');
    put(store, 2, 'k');
    sky_store_close(store);
    read_file(bench);
}

/* The page of the file that is nothing but some of that value. */
static size_t page_of(const struct bench *bench, char seed)
{
    char bytes[BLOB];
    blob(bytes, seed);
    for (size_t at = PAGE; at < bench->file.len; at += PAGE)
        if (memmem(bytes, sizeof bytes, bench->file.bytes + at + 8, PAGE - 2 * 8) != NULL)
            return at / PAGE;
    fail_msg("no page");
    return 0;
}

static void run_sql(const struct bench *bench, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A file of skymock's that plain SQLite has made, with so many bytes left free in each page. */
static void make_plain(struct bench *bench, int room, int page_size)
{
    sqlite3 *db;
    char head[120];
    int asked = room;
    snprintf(head, sizeof head,
             "PRAGMA page_size = %d; PRAGMA application_id = 0x534b594d; PRAGMA user_version = %d",
             page_size, SKY_STORE_VERSION);
    remove(bench->path);
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &asked),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, head, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sky_store__whole_schema, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    read_file(bench);
    assert_int_equal(bench->file.bytes[ROOM_AT], room);
}

/* ---- pages ---- */

static void fill(char page[PAGE])
{
    for (size_t i = 0; i < PAGE; i++)
        page[i] = (char)(i * 7 + i / 256);
}

static void every_bit_counts(void **state)
{
    char page[PAGE];
    (void)state;
    fill(page);
    sky_sums_seal(page, 7);
    assert_true(sky_sums_hold(page, 7));
    for (size_t bit = 0; bit < (size_t)8 * PAGE; bit++) {
        page[bit / 8] ^= (char)(1U << bit % 8);
        if (sky_sums_hold(page, 7))
            fail_msg("bit %zu", bit);
        page[bit / 8] ^= (char)(1U << bit % 8);
    }
    assert_true(sky_sums_hold(page, 7));
}

static void every_byte_counts_whatever_it_becomes(void **state)
{
    char page[PAGE];
    (void)state;
    fill(page);
    sky_sums_seal(page, 1);
    for (size_t at = 0; at < PAGE; at += 97)
        for (int other = 1; other < 256; other++) {
            page[at] ^= (char)other;
            assert_false(sky_sums_hold(page, 1));
            page[at] ^= (char)other;
        }
}

static void a_page_holds_in_its_own_place_only(void **state)
{
    char page[PAGE], wiped[PAGE] = "";
    (void)state;
    fill(page);
    sky_sums_seal(page, 7);
    assert_false(sky_sums_hold(page, 6));
    assert_false(sky_sums_hold(page, 8));
    for (uint64_t number = 1; number < 1000; number++)
        assert_false(sky_sums_hold(wiped, number));
}

/* Files have them in them. */
static void a_sum_is_what_it_was(void **state)
{
    (void)state;
    assert_true(sky_sum(1, SKY_SPAN("")) == 1);
    assert_true(sky_sum(1, SKY_SPAN("a page, and what is left over")) == 0x33b84aa1dc748252);
    assert_true(sky_sum(2, SKY_SPAN("a page, and what is left over")) == 0xe6500dd7836cb749);
}

/* ---- files ---- */

static void every_page_of_a_file_holds_once_it_is_closed(void **state)
{
    struct bench *bench = *state;
    make_file(bench);
    assert_true(is_marked(bench) && pages_of(bench) > 20);
    every_page_holds(bench);
    struct sky_store *store = opens(bench);
    put(store, 3, 'c');                                       /* in pages that are new, */
    assert_int_equal(sky_store_drop_pages(store, 2), SKY_OK); /* and some are free */
    sky_store_close(store);
    every_page_holds(bench);
    assert_true(number_at(bench, FREE_AT) > 0);
    store = opens(bench);
    assert_int_equal(get(store, 2, 'k'), SKY_OK);
    assert_int_equal(get(store, 3, 'c'), SKY_OK);
    put(store, 4, 'd'); /* where the first was */
    sky_store_close(store);
    every_page_holds(bench);
}

static void *fold(void *store)
{
    sky_store_fold(store);
    return NULL;
}

static void a_thread_that_folds_the_log_makes_sums(void **state)
{
    struct bench *bench = *state;
    pthread_t thread;
    make_file(bench);
    size_t before = pages_of(bench);
    struct sky_store *store = opens(bench);
    put(store, 3, 'c');
    assert_int_equal(pthread_create(&thread, NULL, fold, store), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sky_store_folded(store);
    every_page_holds(bench);
    assert_true(pages_of(bench) > before);
    assert_true(page_of(bench, 'c') > 0);
    assert_int_equal(get(store, 3, 'c'), SKY_OK);
    sky_store_close(store);
}

/* Every byte of the first page, and more than every bit of a page has one in its place in one of a
 * table and in one that is nothing but a value. */
static void a_flip_in_any_byte_is_told_at_the_start(void **state)
{
    struct bench *bench = *state;
    char reason[64];
    make_file(bench);
    const size_t pages[] = {0, 2, page_of(bench, 'A')};
    for (size_t i = 0; i < SKY_COUNT(pages); i++) {
        snprintf(reason, sizeof reason, "is damaged: page %zu is not as skymock wrote it: a bad",
                 pages[i] + 1);
        for (size_t at = pages[i] * PAGE; at < (pages[i] + 1) * PAGE; at += i ? 5 : 1) {
            flip(bench, at, (uint8_t)(1U << at % 8));
            refuses(bench, SKY_ERR_STORE, reason);
            flip(bench, at, 0);
        }
    }
    struct sky_store *store = opens(bench);
    assert_int_equal(get(store, 1, 'A'), SKY_OK);
    sky_store_close(store);
}

/* The bytes that say that there are sums, and how large a page is: whatever they become. */
static void the_mark_of_a_file_is_not_lost_unnoticed(void **state)
{
    struct bench *bench = *state;
    make_file(bench);
    const size_t places[] = {16, 17, ROOM_AT, APPLICATION_AT, APPLICATION_AT + 3};
    for (size_t i = 0; i < SKY_COUNT(places); i++)
        for (int bits = 1; bits < 256; bits++) {
            flip(bench, places[i], (uint8_t)bits);
            refuses(bench, SKY_ERR_STORE, "is damaged: page 1 is not as skymock wrote it");
            flip(bench, places[i], 0);
        }
    sky_store_close(opens(bench));
}

static void a_page_in_the_place_of_another_is_told(void **state)
{
    struct bench *bench = *state;
    make_file(bench);
    size_t a = page_of(bench, 'A'), b = page_of(bench, 'k');
    write_at(bench, a * PAGE, bench->file.bytes + b * PAGE, PAGE);
    refuses(bench, SKY_ERR_STORE, "is not as skymock wrote it");
}

static void a_file_that_ends_within_a_page_is_told(void **state)
{
    struct bench *bench = *state;
    make_file(bench);
    for (off_t less = 1; less < PAGE; less *= 3) {
        write_at(bench, 0, bench->file.bytes, bench->file.len);
        assert_int_equal(truncate(bench->path, (off_t)bench->file.len - less), 0);
        refuses(bench, SKY_ERR_STORE, "is damaged");
    }
    write_at(bench, 0, bench->file.bytes, bench->file.len);
    sky_store_close(opens(bench));
}

/* ---- while it is in use ---- */

static uint32_t draw(uint32_t *chance, uint32_t below)
{
    *chance = *chance * 1664525 + 1013904223;
    return (*chance >> 8) % below;
}

static void put_or_delete_some(struct sky_store *store, uint32_t *chance)
{
    static const char bytes[10 * PAGE] = "what is in it does not matter";
    for (uint32_t i = draw(chance, 6); i > 0; i--) {
        char name[8];
        snprintf(name, sizeof name, "n%u", draw(chance, 60));
        sky_span value = sky_span_of(bytes, draw(chance, sizeof bytes));
        sky_err err = draw(chance, 3) > 0 ? sky_store_put_note(store, sky_span_str(name), value)
                                          : sky_store_delete_note(store, sky_span_str(name));
        assert_true(err == SKY_OK || err == SKY_ERR_NOT_FOUND);
    }
}

/* As after a kill: another file of what is in this one and its log. */
static void opens_as_it_is(const struct bench *bench)
{
    struct bench copy;
    char line[320];
    snprintf(copy.path, sizeof copy.path, "%.40s.copy", bench->path);
    snprintf(copy.wal, sizeof copy.wal, "%.45s-wal", copy.path);
    snprintf(line, sizeof line, "cp %s %s && cp %s %s", bench->path, copy.path, bench->wal,
             copy.wal);
    assert_int_equal(system(line), 0);
    sky_store_close(opens(&copy));
    sky_store_close(opens(&copy));
    remove(copy.path);
}

/* With next to nothing held in memory: pages come from the file, and go there early. */
static void whatever_is_written_is_no_damage(void **state)
{
    struct bench *bench = *state;
    struct sky_store_lost lost;
    uint32_t chance = 5;
    struct sky_store *store = NULL;
    for (int turn = 0; turn < 1500; turn++) {
        if (store == NULL) {
            store = opens(bench);
            assert_int_equal(sqlite3_exec(store->db, "PRAGMA cache_size = 8", NULL, NULL, NULL),
                             SQLITE_OK);
        }
        uint32_t way = draw(&chance, 4);
        if (way == 0)
            sky_store_batch(store);
        if (way > 1)
            assert_int_equal(sky_store_begin(store), SKY_OK);
        put_or_delete_some(store, &chance);
        if (way == 2)
            sky_store_rollback(store);
        if (way == 3)
            assert_int_equal(sky_store_commit(store), SKY_OK);
        if (draw(&chance, 40) == 0 && sky_store_settle(store) == SKY_OK)
            sky_store_fold(store);
        if (draw(&chance, 100) == 0 && sky_store_settle(store) == SKY_OK)
            opens_as_it_is(bench);
        sky_store_lost(store, &lost);
        assert_true(lost.damaged == 0 && lost.refused == 0 && lost.batches == 0);
        if (draw(&chance, 100) == 0) {
            sky_store_close(store);
            every_page_holds(bench);
            store = NULL;
        }
    }
    sky_store_close(store);
}

static void a_flip_is_told_when_its_page_is_read(void **state)
{
    struct bench *bench = *state;
    struct sky_store_lost lost;
    struct sky_why why;
    char reason[64];
    make_file(bench);
    size_t page = page_of(bench, 'A');
    struct sky_store *store = opens(bench);
    assert_int_equal(sky_store_damage(store, &why), SKY_OK);
    sky_store_batch(store);
    put(store, 3, 'c');
    flip(bench, page * PAGE + 100, 4);
    sqlite3_db_release_memory(store->db); /* what it holds in memory is as it was */
    assert_int_equal(get(store, 1, 'A'), SKY_ERR_STORE);
    snprintf(reason, sizeof reason, "the file is damaged: page %zu is not as skymock wrote it",
             page + 1);
    (void)sky_store_why(store, &why);
    assert_non_null(strstr(why.reason, reason));
    assert_int_equal(sky_store_damage(store, &why), SKY_ERR_STORE);
    assert_non_null(strstr(why.reason, bench->path));
    assert_non_null(strstr(why.reason, "put back a copy of it"));
    sky_store_lost(store, &lost);
    assert_true(lost.damaged == 1 && lost.refused == 0);
    assert_int_equal(get(store, 2, 'k'), SKY_OK); /* all the rest is there, */
    /* but SQLite lets nobody build on what is damaged: the batch is lost, and told; */
    assert_int_equal(sky_store_put_page(store, 4, 4, SKY_SPAN("d")), SKY_ERR_STORE);
    assert_int_equal(sky_store_settle(store), SKY_ERR_STORE);
    put(store, 4, 'd'); /* the next one is not */
    assert_int_equal(get(store, 1, 'A'), SKY_ERR_STORE);
    flip(bench, page * PAGE + 100, 0);
    assert_int_equal(get(store, 1, 'A'), SKY_OK);
    sky_store_lost(store, &lost);
    assert_true(lost.damaged > 2 && lost.refused == 0 && lost.batches == 1);
    sky_store_close(store);
    store = opens(bench);
    assert_int_equal(get(store, 3, 'c'), SKY_ERR_NOT_FOUND);
    assert_int_equal(get(store, 4, 'd'), SKY_OK);
    sky_store_close(store);
}

/* ---- files of others ---- */

/* As every file was before there were sums. */
static void a_file_without_sums_is_used_as_it_was(void **state)
{
    struct bench *bench = *state;
    struct sky_store *store;
    make_plain(bench, 0, PAGE);
    for (int number = 1; number <= 3; number++) {
        store = opens(bench);
        put(store, (uint64_t)number, (char)('A' + number - 1));
        sky_store_close(store);
    }
    read_file(bench);
    assert_false(is_marked(bench));
    size_t page = page_of(bench, 'A'); /* what changes in a value is not noticed */
    flip(bench, page * PAGE + 100, 4);
    sky_store_close(opens(bench));
    flip(bench, page * PAGE + 100, 0);
    run_sql(bench, "DELETE FROM page WHERE last_seq = 2"); /* and anybody may write */
    store = opens(bench);
    assert_int_equal(get(store, 1, 'A'), SKY_OK);
    assert_int_equal(get(store, 2, 'B'), SKY_ERR_NOT_FOUND);
    assert_int_equal(get(store, 3, 'C'), SKY_OK);
    sky_store_close(store);
}

/* One that has room in its pages, but not this much, or pages of another size. */
static void a_file_of_other_pages_has_no_sums(void **state)
{
    struct bench *bench = *state;
    for (int room = SKY_SUMS_ROOM - 1; room <= SKY_SUMS_ROOM + 1; room += 2) {
        make_plain(bench, room, PAGE);
        struct sky_store *store = opens(bench);
        put(store, 1, 'A');
        sky_store_close(store);
        store = opens(bench);
        assert_int_equal(get(store, 1, 'A'), SKY_OK);
        sky_store_close(store);
    }
    for (int size = PAGE / 2; size <= PAGE * 2; size *= 4) {
        make_plain(bench, SKY_SUMS_ROOM, size);
        refuses(bench, SKY_ERR_STORE, "is damaged: page 1 is not as skymock wrote it");
    }
}

static void anybody_may_read_a_file_and_who_writes_is_told(void **state)
{
    struct bench *bench = *state;
    make_file(bench);
    run_sql(bench, "PRAGMA integrity_check; SELECT * FROM page");
    every_page_holds(bench);
    sky_store_close(opens(bench));
    run_sql(bench, "UPDATE page SET bytes = x'00' WHERE last_seq = 1");
    refuses(bench, SKY_ERR_STORE, "is not as skymock wrote it");
    read_file(bench);
    mend(bench);
    struct sky_store *store = opens(bench);
    assert_int_equal(get(store, 2, 'k'), SKY_OK);
    sky_store_close(store);
}

/* Somebody else's extension of SQLite leaves 8 bytes free, too. */
static void another_programs_sums_are_its_own(void **state)
{
    struct bench *bench = *state;
    make_plain(bench, SKY_SUMS_ROOM, PAGE);
    run_sql(bench, "PRAGMA application_id = 0x12345678");
    refuses(bench, SKY_ERR_INVALID, "another program's database");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_bench, remove_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_bit_counts),
        TEST(every_byte_counts_whatever_it_becomes),
        TEST(a_page_holds_in_its_own_place_only),
        TEST(a_sum_is_what_it_was),
        TEST(every_page_of_a_file_holds_once_it_is_closed),
        TEST(a_thread_that_folds_the_log_makes_sums),
        TEST(a_flip_in_any_byte_is_told_at_the_start),
        TEST(the_mark_of_a_file_is_not_lost_unnoticed),
        TEST(a_page_in_the_place_of_another_is_told),
        TEST(a_file_that_ends_within_a_page_is_told),
        TEST(whatever_is_written_is_no_damage),
        TEST(a_flip_is_told_when_its_page_is_read),
        TEST(a_file_without_sums_is_used_as_it_was),
        TEST(a_file_of_other_pages_has_no_sums),
        TEST(anybody_may_read_a_file_and_who_writes_is_told),
        TEST(another_programs_sums_are_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
