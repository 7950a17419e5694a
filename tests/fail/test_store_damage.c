/* A store's file with bytes flipped, pages wiped, or cut short: it is refused with a reason, but
 * for pages that are free. With the sums of what is in its pages then, it is refused or works as
 * far as can be, and nothing of the journal is missing that was not counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/internal.h"
#include "store/lost.h"
#include "store/pages.h"
#include "store/snapshots.h"
#include "store/topology.h"
#include "tests/support/seed_config.h"
#include "tests/support/store_sums.h"

enum { FILE_MAX = 1024 * 1024, PAGE = 4096, DEVICES = 40, JOURNAL_PAGES = 6, JOURNAL_PAGE = 20000 };

static const char fixture[] =
    "{\"products\":[{\"cloud\":\"aliyun\",\"productKey\":\"pk\","
    "\"rules\":[\"X=off\"],\"topics\":[{\"topic\":\"/a\",\"pub\":true}],"
    "\"devices\":[{\"deviceName\":\"d1\",\"shadow\":{\"reported\":{\"n\":1}}},"
    "{\"deviceName\":\"new\"}]},"
    "{\"cloud\":\"aliyun\",\"productKey\":\"gates\",\"nodeType\":\"gateway\",\"config\":[1],"
    "\"devices\":[{\"deviceName\":\"g\",\"subDevices\":["
    "{\"productKey\":\"pk\",\"deviceName\":\"new\"},"
    "{\"productKey\":\"pk\",\"deviceName\":\"d1\"}]}]}]}";

struct bench {
    char path[64];
    uint64_t chance;     /* the state of a sequence that is the same on every run */
    struct sky_buf good; /* the file before */
    struct sky_buf bad;  /* and as it is tried */
    size_t refused, used;
};

static uint64_t draw(struct bench *bench, uint64_t below)
{
    bench->chance = bench->chance * 6364136223846793005 + 1442695040888963407;
    return (bench->chance >> 33) % below;
}

/* What a journal page holds: too large for one of the file's pages, and never twice the same. */
static sky_span journal_bytes(char out[JOURNAL_PAGE], uint64_t first_seq)
{
    for (size_t i = 0; i < JOURNAL_PAGE; i++)
        out[i] = (char)(i * 31 + i / 256 + first_seq);
    return sky_span_of(out, JOURNAL_PAGE);
}

/* ---- the file ---- */

static void write_file(const char *path, sky_span bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static void remove_files(const struct bench *bench)
{
    char wal[80];
    snprintf(wal, sizeof wal, "%s-wal", bench->path);
    remove(bench->path);
    remove(wal);
}

static void fill_store(struct sky_store *store)
{
    struct seed_record record;
    struct sky_seed_config config = seed_config(&record);
    struct sky_seed_count count;
    char bytes[JOURNAL_PAGE];
    assert_int_equal(sky_store_begin(store), SKY_OK);
    assert_int_equal(sky_seed_load(store, sky_span_str(fixture), &config, &count), SKY_OK);
    for (int i = 0; i < DEVICES; i++) {
        struct sky_device device = {.product_id = 1, .secret = "s3cr3t", .enabled = true};
        snprintf(device.key, sizeof device.key, "pump-%d", i);
        assert_int_equal(sky_store_add_device(store, &device), SKY_OK);
        struct sky_token token = {.device_id = device.id, .token = "t"};
        snprintf(token.id, sizeof token.id, "token-%d", i);
        struct sky_kept_session session = {.device_id = device.id, .last_id = 9};
        struct sky_kept_message message = {
            .topic = SKY_SPAN("/a/b"), .payload = journal_bytes(bytes, 0), .tag = 5};
        message.payload.len = (size_t)i * 300;
        assert_int_equal(sky_store_put_token(store, 0, &token), SKY_OK);
        assert_int_equal(sky_store_put_session(store, &session), SKY_OK);
        assert_int_equal(sky_store_put_subscription(store, device.id, SKY_SPAN("/a/#"), 1), SKY_OK);
        assert_int_equal(sky_store_put_message(store, device.id, &message), SKY_OK);
    }
    struct sky_snapshot snapshot = {.name = "s"};
    assert_int_equal(
        sky_store_add_snapshot(store, &snapshot, 0, 0, SKY_SPAN("[]"), SKY_SNAPSHOTS_BYTES_MAX),
        SKY_OK);
    assert_int_equal(sky_store_put_snapshot_session(store, &snapshot, 1, SKY_SPAN("state")),
                     SKY_OK);
    for (uint64_t seq = 1; seq <= 10 * JOURNAL_PAGES; seq += 10)
        assert_int_equal(sky_store_put_page(store, seq, seq + 9, journal_bytes(bytes, seq)),
                         SKY_OK);
    assert_int_equal(sky_store_put_note(store, SKY_SPAN("ca"), journal_bytes(bytes, 1)), SKY_OK);
    /* Some free pages, too. */
    assert_int_equal(sky_store_put_note(store, SKY_SPAN("gone"), journal_bytes(bytes, 1)), SKY_OK);
    assert_int_equal(sky_store_delete_note(store, SKY_SPAN("gone")), SKY_OK);
    assert_int_equal(sky_store_commit(store), SKY_OK);
}

static int make_bench(void **state)
{
    struct bench *bench = sky_mem_new(sizeof *bench);
    struct sky_store *store;
    struct sky_why why;
    /* A thousand files written and synced: in memory, where there is such a folder. */
    snprintf(bench->path, sizeof bench->path, "%s/skymock-damage-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    int fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sky_store_open(bench->path, &store, &why), SKY_OK);
    fill_store(store);
    sky_store_close(store);
    sky_buf_init(&bench->good, FILE_MAX);
    sky_buf_init(&bench->bad, FILE_MAX);
    FILE *file = fopen(bench->path, "rb");
    assert_non_null(file);
    sky_buf_commit(&bench->good, fread(sky_buf_reserve(&bench->good, FILE_MAX), 1, FILE_MAX, file));
    fclose(file);
    assert_true(bench->good.len % PAGE == 0 && bench->good.len > (size_t)40 * PAGE);
    *state = bench;
    return 0;
}

static int remove_bench(void **state)
{
    struct bench *bench = *state;
    remove_files(bench);
    sky_buf_done(&bench->good);
    sky_buf_done(&bench->bad);
    free(bench);
    return 0;
}

/* ---- using it ---- */

static void one_line(const struct sky_why *why)
{
    assert_true(why->reason[0] != '\0');
    for (const char *c = why->reason; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            fail_msg("not one line: %s", why->reason);
}

/* Whatever came back, it is one of the ways in which a call may end. */
static void ends(struct sky_store *store, sky_err err)
{
    struct sky_why why = {.reason = ""};
    assert_true(err == SKY_OK || err == SKY_ERR_NOT_FOUND || err == SKY_ERR_EXISTS ||
                err == SKY_ERR_LIMIT || err == SKY_ERR_STORE);
    if (err == SKY_ERR_STORE) {
        (void)sky_store_why(store, &why);
        one_line(&why);
    }
}

static bool take_product(void *ctx, const struct sky_product *product)
{
    struct sky_store *store = ctx;
    struct sky_product_topic topics[SKY_PRODUCT_TOPICS_MAX];
    size_t count;
    struct sky_buf lines;
    sky_buf_init(&lines, SKY_STORE_BLOB_MAX);
    ends(store, sky_store_get_topics(store, product->id, topics, &count));
    ends(store, sky_store_get_rules(store, product->id, &lines));
    assert_true(product->node <= SKY_NODE_SUB);
    int64_t version;
    ends(store,
         sky_store_get_product_document(store, product->id, SKY_SPAN("config"), &lines, &version));
    sky_buf_done(&lines);
    return true;
}

static bool take_document(void *ctx, sky_span name, sky_span body, int64_t version)
{
    return ctx != NULL && name.len <= SKY_STORE_BLOB_MAX && body.len <= SKY_STORE_BLOB_MAX &&
           version != INT64_MAX;
}

static bool take_message(void *ctx, const struct sky_kept_message *message)
{
    assert_true(message->topic.len > 0 && message->topic.len <= SKY_STORE_TOPIC_MAX);
    assert_true(message->payload.len <= SKY_STORE_PAYLOAD_MAX);
    return ctx != NULL;
}

static bool take_neighbour(void *ctx, const struct sky_product *product,
                           const struct sky_device *device)
{
    assert_true(device->id != 0 && product->node <= SKY_NODE_SUB);
    return ctx != NULL;
}

static bool take_device(void *ctx, const struct sky_product *product,
                        const struct sky_device *device)
{
    struct sky_store *store = ctx;
    struct sky_product found;
    struct sky_device same;
    size_t place;
    char name[SKY_STORE_TITLE_MAX + 1];
    ends(store,
         sky_store_find_device(store, sky_span_str(product->cloud), sky_span_str(product->key),
                               sky_span_str(device->key), &found, &same));
    ends(store, sky_store_device_name(store, device->id, name, sizeof name));
    ends(store, sky_store_newest_token(store, device->id, &place));
    ends(store, sky_store_each_document(store, device->id, take_document, store));
    ends(store, sky_store_each_message(store, device->id, take_message, store));
    ends(store, sky_store_each_behind(store, device->id, 100, take_neighbour, store));
    ends(store, sky_store_each_gateway(store, device->id, take_neighbour, store));
    (void)sky_store_count_behind(store, device->id);
    return true;
}

static bool take_session(void *ctx, const struct sky_kept_session *session)
{
    return ctx != NULL && session->away_since_ms <= INT64_C(1) << 53;
}

static bool take_subscription(void *ctx, int64_t device_id, sky_span filter, uint8_t qos)
{
    (void)device_id;
    assert_true(filter.len > 0 && filter.len <= SKY_STORE_TOPIC_MAX && qos <= 2);
    return ctx != NULL;
}

static bool take_key(void *ctx, sky_span key)
{
    return ctx != NULL && key.len <= SKY_STORE_BLOB_MAX;
}

static void read_all(struct sky_store *store)
{
    ends(store, sky_store_each_product(store, take_product, store));
    ends(store, sky_store_each_device(store, 0, 0, 1000, take_device, store));
    ends(store, sky_store_each_session(store, take_session, store));
    ends(store, sky_store_each_subscription(store, take_subscription, store));
    ends(store, sky_store_each_note(store, SKY_SPAN(""), take_key, store));
    (void)sky_store_count_devices(store);
}

/* Every journal page is there, byte by byte, or counted. */
static void read_journal(struct sky_store *store)
{
    char want[JOURNAL_PAGE];
    uint64_t lost, last, first, held = 0;
    struct sky_buf page;
    sky_err err = sky_store_check_pages(store, &last, &lost);
    ends(store, err);
    sky_buf_init(&page, SKY_STORE_BLOB_MAX);
    for (uint64_t seq = 1; err == SKY_OK; seq = last + 1) {
        sky_buf_clear(&page);
        err = sky_store_get_page(store, seq, &first, &last, &page);
        if (err != SKY_OK)
            break;
        held += last - first + 1;
        assert_true(sky_span_eq(sky_buf_span(&page), journal_bytes(want, first)));
    }
    if (err == SKY_ERR_NOT_FOUND && held + lost < 10 * (uint64_t)JOURNAL_PAGES)
        fail_msg("%llu numbers held, %llu lost", (unsigned long long)held,
                 (unsigned long long)lost);
    sky_buf_done(&page);
}

static void ignore_id(void *ctx, int64_t device_id)
{
    (void)ctx;
    (void)device_id;
}

static void write_some(struct sky_store *store)
{
    struct seed_record record;
    struct sky_seed_config config = seed_config(&record);
    struct sky_seed_count count;
    struct sky_kept_session session = {.device_id = 5};
    struct sky_kept_message message = {.topic = SKY_SPAN("a")};
    char bytes[JOURNAL_PAGE];
    sky_store_batch(store);
    ends(store, sky_store_put_session(store, &session));
    ends(store, sky_store_put_message(store, 5, &message));
    ends(store, sky_store_put_page(store, 1000, 1001, journal_bytes(bytes, 1)));
    ends(store, sky_store_put_note(store, SKY_SPAN("n"), journal_bytes(bytes, 1)));
    ends(store, sky_store_settle(store));
    sky_err err = sky_seed_load(store, sky_span_str(fixture), &config, &count);
    assert_true(err == SKY_OK || record.reported > 0);
    if (sky_store_begin(store) == SKY_OK) {
        struct sky_snapshot snapshot = {.name = "s"}, again = {.name = "again"};
        err = sky_store_find_snapshot(store, SKY_SPAN("s"), SKY_SPAN(""), &snapshot);
        if (err == SKY_OK)
            err = sky_store_restore_snapshot(store, &snapshot, ignore_id, NULL);
        if (err == SKY_OK || err == SKY_ERR_NOT_FOUND)
            err =
                sky_store_add_snapshot(store, &again, 0, 0, SKY_SPAN_NONE, SKY_SNAPSHOTS_BYTES_MAX);
        if (err == SKY_OK)
            ends(store, sky_store_commit(store));
        else
            sky_store_rollback(store);
    }
    ends(store, sky_store_delete_device(store, 7));
    ends(store, sky_store_drop_pages(store, 21));
    ends(store, sky_store_reset_devices(store, 0));
    ends(store, sky_store_delete_product(store, 1));
}

/* False: it is refused. */
static bool opens(struct bench *bench, sky_span bytes)
{
    struct sky_store *store = NULL;
    struct sky_why why = {.reason = ""};
    remove_files(bench);
    write_file(bench->path, bytes);
    if (sky_store_open(bench->path, &store, &why) != SKY_OK) {
        one_line(&why);
        assert_null(store);
        if (strstr(why.reason, "another file") == NULL && strstr(why.reason, "read-only") == NULL &&
            strstr(why.reason, "newer skymock") == NULL)
            fail_msg("what is to be done? %s", why.reason);
        return false;
    }
    read_journal(store);
    read_all(store);
    write_some(store);
    sky_store_close(store);
    return true;
}

static uint32_t number_at(const struct bench *bench, size_t at)
{
    const uint8_t *p = (const uint8_t *)bench->good.bytes + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What is in such a page is nobody's: SQLite, "Database File Format", 1.5, the freelist. */
static bool is_free(const struct bench *bench, size_t page)
{
    for (size_t trunk = number_at(bench, 32); trunk != 0;
         trunk = number_at(bench, (trunk - 1) * PAGE))
        for (size_t i = 0; i < number_at(bench, (trunk - 1) * PAGE + 4); i++)
            if (number_at(bench, (trunk - 1) * PAGE + 8 + 4 * i) == page)
                return true;
    return false;
}

static char *begin(struct bench *bench)
{
    sky_buf_clear(&bench->bad);
    sky_buf_add(&bench->bad, sky_buf_span(&bench->good));
    return bench->bad.bytes;
}

/* The bad file, of which that byte's page is another: told as it is. Then behind the sums. */
static void survives(struct bench *bench, size_t at)
{
    bool same = sky_span_eq(sky_buf_span(&bench->bad), sky_buf_span(&bench->good));
    if (opens(bench, sky_buf_span(&bench->bad)) && !same && !is_free(bench, at / PAGE + 1))
        fail_msg("byte %zu of %zu is not missed", at, bench->good.len);
    store_sums_mend(bench->bad.bytes, bench->bad.len);
    bool used = opens(bench, sky_buf_span(&bench->bad));
    bench->used += used;
    bench->refused += !used;
}

/* ---- the damages ---- */

static void flip(struct bench *bench, size_t at)
{
    begin(bench)[at] ^= (char)(1 + draw(bench, 255));
    survives(bench, at);
}

static void a_flipped_byte(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < 100; i++) /* SQLite's header, every byte */
        flip(bench, i);
    for (size_t i = 0; i < 200; i++) /* the schema */
        flip(bench, 100 + draw(bench, 2 * PAGE));
    for (size_t i = 0; i < 400; i++)
        flip(bench, draw(bench, bench->good.len));
    assert_true(bench->refused > 50 && bench->used > 100);
}

static void a_wiped_page(void **state)
{
    struct bench *bench = *state;
    for (size_t at = 0; at < bench->good.len; at += PAGE) {
        memset(begin(bench) + at, 0, PAGE);
        survives(bench, at);
        char *page = begin(bench) + at;
        if (at / PAGE % 2 == 0) { /* another page in its place, or nothing that makes sense */
            size_t other = draw(bench, bench->good.len / PAGE) * PAGE;
            memcpy(page, bench->good.bytes + other, PAGE);
        } else {
            for (size_t i = 0; i < PAGE; i++)
                page[i] = (char)draw(bench, 256);
        }
        survives(bench, at);
    }
    assert_true(bench->refused > 40);
}

static void a_file_cut_short(void **state)
{
    struct bench *bench = *state;
    /* One byte is an empty file to SQLite. */
    for (size_t len = 2; len < bench->good.len; len += 1 + draw(bench, PAGE)) {
        begin(bench);
        bench->bad.len = len;
        survives(bench, len);
    }
    assert_true(bench->refused > 20);
}

/* ---- the log of a file that was not closed ---- */

enum { LOG_NOTES = 20, LOG_FLIPS = 300, NOTE_NAME = 32 };

static void read_file(const char *path, struct sky_buf *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    sky_buf_init(out, FILE_MAX);
    sky_buf_commit(out, fread(sky_buf_reserve(out, FILE_MAX), 1, FILE_MAX, file));
    fclose(file);
}

static sky_span note_name(char out[NOTE_NAME], int number)
{
    snprintf(out, NOTE_NAME, "note-%02d", number);
    return sky_span_str(out);
}

/* How many of the notes are there: the first ones, and as they were put. */
static int count_notes(struct sky_store *store)
{
    char name[NOTE_NAME], want[JOURNAL_PAGE];
    int count = 0;
    bool gone = false;
    for (int i = 0; i < LOG_NOTES; i++) {
        struct sky_buf note;
        sky_buf_init(&note, SKY_STORE_BLOB_MAX);
        sky_err err = sky_store_get_note(store, note_name(name, i), &note);
        assert_true(err == SKY_OK || err == SKY_ERR_NOT_FOUND);
        if (err == SKY_OK) {
            assert_false(gone);
            assert_true(sky_span_eq(sky_buf_span(&note), journal_bytes(want, (uint64_t)i)));
        }
        gone = err != SKY_OK;
        count += err == SKY_OK;
        sky_buf_done(&note);
    }
    return count;
}

/* Opens what the bytes make, and gives how many of the notes are in it. */
static int count_after(const char *path, const char *wal, const struct sky_buf *file,
                       const struct sky_buf *log, uint64_t *ret_lost)
{
    struct sky_store *store;
    struct sky_why why = {.reason = ""};
    write_file(path, sky_buf_span(file));
    write_file(wal, sky_buf_span(log));
    if (sky_store_open(path, &store, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    int count = count_notes(store);
    struct sky_store_lost lost;
    sky_store_lost(store, &lost);
    *ret_lost = lost.commits;
    sky_store_close(store);
    return count;
}

static void a_flipped_byte_of_the_log_is_counted(void **state)
{
    struct bench *bench = *state;
    struct sky_store *store;
    struct sky_why why;
    struct sky_buf file, log;
    char wal[80], name[NOTE_NAME], bytes[JOURNAL_PAGE];
    uint64_t lost;
    int spoilt = 0;
    snprintf(wal, sizeof wal, "%s-wal", bench->path);
    assert_int_equal(sky_store_open(bench->path, &store, &why), SKY_OK);
    for (int i = 0; i < LOG_NOTES; i++)
        assert_int_equal(
            sky_store_put_note(store, note_name(name, i), journal_bytes(bytes, (uint64_t)i)),
            SKY_OK);
    read_file(bench->path, &file);
    read_file(wal, &log);
    sky_store_close(store);
    assert_int_equal(count_after(bench->path, wal, &file, &log, &lost), LOG_NOTES);
    assert_true(lost == 0);
    for (size_t i = 0; i < LOG_FLIPS; i++) {
        /* The head, every byte, and then anywhere. */
        size_t at = i < 32 ? i : draw(bench, log.len);
        uint8_t was = log.bytes[at];
        log.bytes[at] ^= (uint8_t)(1 + draw(bench, 255));
        int count = count_after(bench->path, wal, &file, &log, &lost);
        if (lost < (uint64_t)(LOG_NOTES - count))
            fail_msg("byte %zu: %d notes, but %llu lost", at, count, (unsigned long long)lost);
        spoilt += count < LOG_NOTES;
        log.bytes[at] = was;
    }
    assert_true(spoilt > LOG_FLIPS / 2);
    log.len -= 100; /* killed while it wrote: what was not committed is nobody's loss */
    assert_int_equal(count_after(bench->path, wal, &file, &log, &lost), LOG_NOTES - 1);
    assert_true(lost == 0);
    sky_buf_done(&file);
    sky_buf_done(&log);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_bench, remove_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_byte),
        TEST(a_wiped_page),
        TEST(a_file_cut_short),
        TEST(a_flipped_byte_of_the_log_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
