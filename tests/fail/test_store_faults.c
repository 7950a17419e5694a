/* A disk that fails at every single operation in turn: the store says so, and is what it was. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/lost.h"
#include "store/pages.h"
#include "store/snapshots.h"

#include "faulty_vfs.h"
#include "tests/support/seed_config.h"
#include "tests/support/store_dump.h"

enum { DUMP_MAX = 8 * 1024 * 1024, OPERATIONS_MAX = 5000 };

struct folder {
    char path[64], file[80], first[4096], second[256 * 1024];
};

/* Enough devices that a transaction spills from the page cache and the WAL grows. */
static void write_fixture(char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size,
                                  "{\"products\":[{\"cloud\":\"aliyun\",\"productKey\":\"p\","
                                  "\"topics\":[{\"topic\":\"/a\",\"pub\":true}],\"devices\":[");
    for (int i = 0; i < 300; i++)
        len += (size_t)snprintf(out + len, size - len,
                                "%s{\"deviceName\":\"d%d\",\"shadow\":{\"reported\":{\"n\":%d}}}",
                                i ? "," : "", i, i);
    snprintf(out + len, size - len,
             "]},{\"cloud\":\"enos\",\"productKey\":\"gates\",\"nodeType\":\"gateway\","
             "\"config\":{\"a\":1},\"devices\":[{\"deviceKey\":\"g\",\"subDevices\":["
             "{\"productKey\":\"before\",\"deviceKey\":\"d\"}]}]}]}");
}

static int make_folder(void **state)
{
    struct folder *folder = sky_mem_new(sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/skymock-faults-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/store", folder->path);
    snprintf(folder->first, sizeof folder->first,
             "{\"products\":[{\"cloud\":\"enos\",\"productKey\":\"before\","
             "\"devices\":[{\"deviceKey\":\"d\"}]}]}");
    write_fixture(folder->second, sizeof folder->second);
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
    faulty_vfs_heal();
    nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return 0;
}

static struct sky_store *opens(const struct folder *folder)
{
    struct sky_store *store = NULL;
    struct sky_why why = {.reason = ""};
    if (sky_store_open(folder->file, &store, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    return store;
}

static sky_err load(struct sky_store *store, const char *text, struct seed_record *record)
{
    struct sky_seed_config config = seed_config(record);
    struct sky_seed_count count;
    return sky_seed_load(store, sky_span_str(text), &config, &count);
}

static void dump(struct sky_store *store, struct sky_buf *out)
{
    sky_buf_clear(out);
    assert_true(store_dump(store, out));
}

static void remove_store(const struct folder *folder)
{
    char wal[96];
    snprintf(wal, sizeof wal, "%s-wal", folder->file);
    remove(folder->file);
    remove(wal);
}

/* One load with the n-th operation failing. True when it got through. */
static bool load_with_fault(const struct folder *folder, enum faulty_mode mode, int n,
                            bool only_once, struct sky_buf *before, struct sky_buf *after)
{
    struct seed_record record;
    struct sky_store *store = opens(folder);
    dump(store, before);
    faulty_vfs_arm(mode, n, only_once);
    sky_err err = load(store, folder->second, &record);
    bool fired = faulty_vfs_fired();
    faulty_vfs_heal();
    if (err == SKY_OK) {
        sky_store_close(store);
        return !fired;
    }
    assert_true(fired);
    assert_int_equal(err, SKY_ERR_STORE);
    assert_int_equal(record.reported, 1);
    assert_non_null(strstr(record.errors[0].reason, mode == FAULTY_FULL ? "is full" : "I/O error"));
    dump(store, after); /* the same store goes on working */
    assert_true(sky_span_eq(sky_buf_span(before), sky_buf_span(after)));
    sky_store_close(store);
    store = opens(folder); /* and so does the file */
    dump(store, after);
    assert_true(sky_span_eq(sky_buf_span(before), sky_buf_span(after)));
    sky_store_close(store);
    return false;
}

static void fail_in_turn(struct folder *folder, enum faulty_mode mode, bool only_once)
{
    struct sky_buf before, after;
    struct seed_record record;
    sky_buf_init(&before, DUMP_MAX);
    sky_buf_init(&after, DUMP_MAX);
    struct sky_store *store = opens(folder);
    assert_int_equal(load(store, folder->first, &record), SKY_OK);
    sky_store_close(store);
    int n = 1;
    while (!load_with_fault(folder, mode, n, only_once, &before, &after))
        assert_true(++n < OPERATIONS_MAX);
    assert_true(n > 3); /* it did fail a few times */
    store = opens(folder);
    assert_int_equal(sky_store_count_devices(store), 302);
    sky_store_close(store);
    sky_buf_done(&before);
    sky_buf_done(&after);
}

static void a_load_is_undone_when_the_disk_is_full(void **state)
{
    fail_in_turn(*state, FAULTY_FULL, false);
}

static void a_load_is_undone_when_one_write_fails(void **state)
{
    fail_in_turn(*state, FAULTY_FULL, true);
}

static void a_load_is_undone_when_the_disk_fails_for_good(void **state)
{
    fail_in_turn(*state, FAULTY_IO, false);
}

/* ---- snapshots ---- */

static void ignore_id(void *ctx, int64_t device_id)
{
    (void)ctx;
    (void)device_id;
}

static sky_err end(struct sky_store *store, sky_err err)
{
    if (err == SKY_OK)
        return sky_store_commit(store);
    sky_store_rollback(store);
    return err;
}

static sky_err take(struct sky_store *store)
{
    struct sky_snapshot snapshot = {.name = "s"};
    sky_err err = sky_store_begin(store);
    if (err != SKY_OK)
        return err;
    err = sky_store_add_snapshot(store, &snapshot, 0, 0, SKY_SPAN_NONE, SKY_SNAPSHOTS_BYTES_MAX);
    if (err == SKY_OK)
        err = sky_store_put_snapshot_session(store, &snapshot, 1, SKY_SPAN("state"));
    return end(store, err == SKY_OK ? sky_store_end_snapshot(store, &snapshot) : err);
}

static sky_err go_back(struct sky_store *store)
{
    struct sky_snapshot snapshot;
    sky_err err = sky_store_begin(store);
    if (err != SKY_OK)
        return err;
    err = sky_store_find_snapshot(store, SKY_SPAN("s"), SKY_SPAN(""), &snapshot);
    if (err == SKY_OK)
        err = sky_store_restore_snapshot(store, &snapshot, ignore_id, NULL);
    return end(store, err);
}

/* Tries until no operation fails any more; a try that fails has changed nothing. */
static void fails_whole(const struct folder *folder, sky_err (*act)(struct sky_store *store))
{
    struct sky_buf before, after;
    sky_buf_init(&before, DUMP_MAX);
    sky_buf_init(&after, DUMP_MAX);
    bool fired = true;
    int n = 1;
    for (; fired; n++) {
        struct sky_store *store = opens(folder);
        dump(store, &before);
        faulty_vfs_arm(FAULTY_FULL, n, false);
        sky_err err = act(store);
        fired = faulty_vfs_fired();
        faulty_vfs_heal();
        assert_true(n < OPERATIONS_MAX && err == (fired ? SKY_ERR_STORE : SKY_OK));
        dump(store, &after);
        assert_true(sky_span_eq(sky_buf_span(&before), sky_buf_span(&after)) == fired);
        sky_store_close(store);
    }
    assert_true(n > 3);
    sky_buf_done(&before);
    sky_buf_done(&after);
}

static void a_snapshot_is_taken_and_restored_whole_or_not_at_all(void **state)
{
    const struct folder *folder = *state;
    struct seed_record record;
    struct sky_store *store = opens(folder);
    assert_int_equal(load(store, folder->first, &record), SKY_OK);
    sky_store_close(store);
    fails_whole(folder, take);
    store = opens(folder);
    size_t devices = sky_store_count_devices(store);
    assert_int_equal(load(store, folder->second, &record), SKY_OK);
    sky_store_close(store);
    fails_whole(folder, go_back);
    store = opens(folder);
    assert_int_equal(sky_store_count_devices(store), devices);
    sky_store_close(store);
}

static void opening_fails_with_a_reason_and_can_be_tried_again(void **state)
{
    struct folder *folder = *state;
    for (int n = 1;; n++) {
        struct sky_store *store = NULL;
        struct sky_why why = {.reason = ""};
        assert_true(n < OPERATIONS_MAX);
        faulty_vfs_arm(FAULTY_IO, n, false);
        sky_err err = sky_store_open(folder->file, &store, &why);
        bool fired = faulty_vfs_fired();
        faulty_vfs_heal();
        if (err != SKY_OK) {
            assert_true(fired);
            assert_non_null(strstr(why.reason, folder->file));
            assert_null(store);
        }
        sky_store_close(store);
        sky_store_close(opens(folder));
        remove_store(folder);
        if (!fired)
            break;
    }
}

/* Writes more than the page cache holds, so that the disk is reached before the commit. */
static sky_err fill_pages(struct sky_store *store, sky_span bytes)
{
    sky_err err = SKY_OK;
    for (uint64_t i = 1; i <= 12 && err == SKY_OK; i++)
        err = sky_store_put_page(store, i, i, bytes);
    return err;
}

static void a_transaction_that_failed_takes_no_more_writes(void **state)
{
    enum { PAGE_LEN = 1024 * 1024 };
    struct folder *folder = *state;
    struct sky_store *store = opens(folder);
    sky_span bytes = sky_span_of(sky_mem_new(PAGE_LEN), PAGE_LEN);
    int failed = 0;
    for (int n = 1; n < 5000; n += 700) {
        struct sky_product late = {.cloud = "aliyun", .key = "late"}, found;
        uint64_t first, last;
        assert_int_equal(sky_store_begin(store), SKY_OK);
        faulty_vfs_arm(FAULTY_FULL, n, true);
        sky_err err = fill_pages(store, bytes);
        faulty_vfs_heal();
        if (err != SKY_OK) {
            failed++;
            assert_int_equal(err, SKY_ERR_STORE);
            assert_int_equal(sky_store_put_product(store, &late), SKY_ERR_STORE);
        }
        sky_store_rollback(store);
        assert_int_equal(
            sky_store_find_product(store, SKY_SPAN("aliyun"), SKY_SPAN("late"), &found),
            SKY_ERR_NOT_FOUND);
        assert_int_equal(sky_store_page_range(store, &first, &last), SKY_OK);
        assert_true(last == 0);
    }
    assert_true(failed > 0);
    sky_store_close(store);
    free((void *)bytes.ptr);
}

static void a_commit_that_failed_has_rolled_back(void **state)
{
    struct folder *folder = *state;
    struct sky_store *store = opens(folder);
    for (int n = 1;; n++) {
        struct sky_product product = {.cloud = "aliyun", .key = "p"}, found;
        assert_true(n < OPERATIONS_MAX);
        assert_int_equal(sky_store_begin(store), SKY_OK);
        assert_int_equal(sky_store_put_product(store, &product), SKY_OK);
        faulty_vfs_arm(FAULTY_FULL, n, true);
        sky_err err = sky_store_commit(store);
        faulty_vfs_heal();
        if (err == SKY_OK) {
            assert_int_equal(sky_store_get_product(store, product.id, &found), SKY_OK);
            assert_true(n > 1);
            break;
        }
        assert_int_equal(err, SKY_ERR_STORE);
        assert_int_equal(sky_store_find_product(store, SKY_SPAN("aliyun"), SKY_SPAN("p"), &found),
                         SKY_ERR_NOT_FOUND);
    }
    sky_store_close(store);
}

/* One batch of large documents with the n-th operation failing: settling tells whenever something
 * that was taken is not there, and the store goes on. True when nothing failed. */
static bool batch_with_fault(struct sky_store *store, int64_t device_id, int n, sky_span bytes,
                             int *taken_count, int *lost_count)
{
    struct sky_buf body;
    bool taken[12];
    int64_t version;
    faulty_vfs_arm(FAULTY_FULL, n, true);
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        sky_store_batch(store);
        taken[i] = sky_store_put_document(store, device_id, sky_span_str(name), bytes, n) == SKY_OK;
        *taken_count += taken[i];
    }
    sky_err err = sky_store_settle(store);
    bool fired = faulty_vfs_fired();
    faulty_vfs_heal();
    sky_buf_init(&body, SKY_STORE_BLOB_MAX);
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        sky_buf_clear(&body);
        bool there = sky_store_get_document(store, device_id, sky_span_str(name), &body,
                                            &version) == SKY_OK &&
                     version == n;
        if (taken[i] && !there) {
            assert_int_equal(err, SKY_ERR_STORE);
            (*lost_count)++;
        }
    }
    sky_buf_done(&body);
    assert_true(fired || err == SKY_OK);
    return !fired;
}

static void a_batch_that_is_lost_is_told(void **state)
{
    enum { DOCUMENT_LEN = 1024 * 1024 };
    struct folder *folder = *state;
    struct seed_record record;
    struct sky_store *store = opens(folder);
    struct sky_product product;
    struct sky_device device;
    int taken = 0, lost = 0;
    assert_int_equal(load(store, folder->first, &record), SKY_OK);
    assert_int_equal(sky_store_find_device(store, SKY_SPAN("enos"), SKY_SPAN("before"),
                                           SKY_SPAN("d"), &product, &device),
                     SKY_OK);
    sky_span bytes = sky_span_of(sky_mem_new(DOCUMENT_LEN), DOCUMENT_LEN);
    for (int n = 1; !batch_with_fault(store, device.id, n, bytes, &taken, &lost); n += 331)
        assert_true(n < 20000);
    assert_true(lost > 0 && taken > lost);
    sky_store_close(store);
    free((void *)bytes.ptr);
}

/* Whoever begins a transaction is refused, and still it is whoever settles who is told. */
static void a_batch_that_a_transaction_has_lost_is_told_when_it_is_settled(void **state)
{
    struct folder *folder = *state;
    struct seed_record record;
    struct sky_store_lost lost;
    struct sky_store *store = opens(folder);
    assert_int_equal(load(store, folder->first, &record), SKY_OK);
    for (uint64_t round = 1; round <= 2; round++) {
        sky_store_batch(store);
        assert_int_equal(sky_store_put_note(store, SKY_SPAN("n"), SKY_SPAN("1")), SKY_OK);
        faulty_vfs_arm(FAULTY_FULL, 1, false);
        assert_int_equal(sky_store_begin(store), SKY_ERR_STORE);
        faulty_vfs_heal();
        assert_int_equal(sky_store_begin(store), SKY_ERR_STORE);
        assert_int_equal(sky_store_settle(store), SKY_ERR_STORE);
        sky_store_lost(store, &lost);
        assert_true(lost.batches == round && lost.refused == round);
        assert_true(lost.commits == 0 && lost.damaged == 0);
        assert_int_equal(sky_store_settle(store), SKY_OK);
        assert_int_equal(sky_store_begin(store), SKY_OK);
        sky_store_rollback(store);
    }
    sky_store_close(store);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_load_is_undone_when_the_disk_is_full),
        TEST(a_load_is_undone_when_one_write_fails),
        TEST(a_load_is_undone_when_the_disk_fails_for_good),
        TEST(a_snapshot_is_taken_and_restored_whole_or_not_at_all),
        TEST(opening_fails_with_a_reason_and_can_be_tried_again),
        TEST(a_transaction_that_failed_takes_no_more_writes),
        TEST(a_commit_that_failed_has_rolled_back),
        TEST(a_batch_that_is_lost_is_told),
        TEST(a_batch_that_a_transaction_has_lost_is_told_when_it_is_settled),
    };
    faulty_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
