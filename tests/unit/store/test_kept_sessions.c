/* Sessions that outlive their connection: what is kept of them, and what takes them along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/internal.h"

struct fixture {
    struct sky_store *store;
    int64_t product_id, devices[3];
};

static int open_store(void **state)
{
    struct fixture *fixture = sky_mem_new(sizeof *fixture);
    struct sky_why why;
    struct sky_product product = {.cloud = "aliyun", .key = "pk"};
    assert_int_equal(sky_store_open(":memory:", &fixture->store, &why), SKY_OK);
    assert_int_equal(sky_store_put_product(fixture->store, &product), SKY_OK);
    fixture->product_id = product.id;
    for (size_t i = 0; i < SKY_COUNT(fixture->devices); i++) {
        struct sky_device device = {.product_id = product.id, .enabled = true};
        snprintf(device.key, sizeof device.key, "d%zu", i);
        assert_int_equal(sky_store_add_device(fixture->store, &device), SKY_OK);
        fixture->devices[i] = device.id;
    }
    *state = fixture;
    return 0;
}

static int close_store(void **state)
{
    struct fixture *fixture = *state;
    sky_store_close(fixture->store);
    free(fixture);
    return 0;
}

static void put_session(struct fixture *fixture, size_t device, int64_t away_since_ms,
                        uint16_t last_id)
{
    struct sky_kept_session session = {
        .device_id = fixture->devices[device], .away_since_ms = away_since_ms, .last_id = last_id};
    assert_int_equal(sky_store_put_session(fixture->store, &session), SKY_OK);
}

static sky_err subscribe(struct fixture *fixture, size_t device, const char *filter, uint8_t qos)
{
    return sky_store_put_subscription(fixture->store, fixture->devices[device],
                                      sky_span_str(filter), qos);
}

static int64_t put_message(struct fixture *fixture, size_t device, uint16_t packet_id,
                           const char *payload)
{
    struct sky_kept_message message = {.packet_id = packet_id,
                                       .born_ms = -7,
                                       .tag = UINT64_MAX - packet_id,
                                       .topic = SKY_SPAN("a/b"),
                                       .payload = sky_span_str(payload)};
    assert_int_equal(sky_store_put_message(fixture->store, fixture->devices[device], &message),
                     SKY_OK);
    return message.id;
}

/* ---- everything kept, as text ---- */

struct listing {
    struct fixture *fixture;
    struct sky_buf text;
    size_t left; /* rows until the walk is ended */
};

static bool list_message(void *ctx, const struct sky_kept_message *message)
{
    struct listing *listing = ctx;
    sky_buf_addf(&listing->text, " #%u@%lld/%llu:%.*s=%.*s", message->packet_id,
                 (long long)message->born_ms, (unsigned long long)(UINT64_MAX - message->tag),
                 SKY_SPAN_ARGS(message->topic), SKY_SPAN_ARGS(message->payload));
    return --listing->left > 0;
}

/* What a damaged message comes as: those behind it come, too. */
static bool list_unnamed(void *ctx, const struct sky_kept_message *message)
{
    struct listing *listing = ctx;
    assert_int_equal(message->topic.len, 0);
    return --listing->left > 0;
}

static bool list_session(void *ctx, const struct sky_kept_session *session)
{
    struct listing *listing = ctx;
    sky_buf_addf(&listing->text, "%lld %lld %u", (long long)session->device_id,
                 (long long)session->away_since_ms, session->last_id);
    assert_int_equal(
        sky_store_each_message(listing->fixture->store, session->device_id, list_message, listing),
        SKY_OK);
    sky_buf_add_str(&listing->text, "\n");
    return --listing->left > 0;
}

static bool list_subscription(void *ctx, int64_t device_id, sky_span filter, uint8_t qos)
{
    struct listing *listing = ctx;
    sky_buf_addf(&listing->text, "%lld %.*s %u\n", (long long)device_id, SKY_SPAN_ARGS(filter),
                 qos);
    return --listing->left > 0;
}

static void holds(struct fixture *fixture, const char *want)
{
    struct listing listing = {.fixture = fixture, .left = 1000};
    sky_buf_init(&listing.text, 65536);
    assert_int_equal(sky_store_each_session(fixture->store, list_session, &listing), SKY_OK);
    assert_int_equal(sky_store_each_subscription(fixture->store, list_subscription, &listing),
                     SKY_OK);
    sky_buf_add_byte(&listing.text, 0);
    assert_string_equal(listing.text.bytes, want);
    sky_buf_done(&listing.text);
}

static int64_t rows(struct fixture *fixture, const char *table)
{
    char sql[64];
    sqlite3_stmt *stmt;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_prepare_v2(fixture->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return count;
}

/* ---- what is kept ---- */

static void keeps_every_field_in_order(void **state)
{
    struct fixture *fixture = *state;
    put_session(fixture, 1, 5000, 65535);
    put_session(fixture, 0, 0, 0);
    put_session(fixture, 0, -9, 3); /* replaced, what belongs to it stays */
    assert_int_equal(subscribe(fixture, 1, "z/#", 1), SKY_OK);
    assert_int_equal(subscribe(fixture, 1, "a/+", 0), SKY_OK);
    assert_int_equal(subscribe(fixture, 0, "z/#", 0), SKY_OK);
    assert_int_equal(subscribe(fixture, 0, "z/#", 2), SKY_OK);
    put_message(fixture, 0, 65535, "one");
    put_message(fixture, 1, 9, "theirs");
    put_message(fixture, 0, 0, "");
    put_session(fixture, 0, -9, 4);
    holds(fixture, "1 -9 4 #65535@-7/65535:a/b=one #0@-7/0:a/b=\n"
                   "2 5000 65535 #9@-7/9:a/b=theirs\n"
                   "1 z/# 2\n"
                   "2 a/+ 0\n"
                   "2 z/# 1\n");
}

static void changes_and_drops_what_it_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct sky_store *store = fixture->store;
    int64_t device = fixture->devices[0];
    put_session(fixture, 0, 0, 0);
    int64_t one = put_message(fixture, 0, 0, "1"), two = put_message(fixture, 0, 0, "2");
    put_message(fixture, 0, 0, "3");
    assert_int_equal(sky_store_sent_message(store, device, two, 77), SKY_OK);
    assert_int_equal(sky_store_sent_message(store, fixture->devices[1], two, 78),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_delete_message(store, fixture->devices[1], one), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_delete_message(store, device, one), SKY_OK);
    assert_int_equal(sky_store_delete_message(store, device, one), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_sent_message(store, device, one, 78), SKY_ERR_NOT_FOUND);
    assert_int_equal(subscribe(fixture, 0, "a", 0), SKY_OK);
    assert_int_equal(subscribe(fixture, 0, "b", 0), SKY_OK);
    assert_int_equal(sky_store_delete_subscription(store, device, SKY_SPAN("a")), SKY_OK);
    assert_int_equal(sky_store_delete_subscription(store, device, SKY_SPAN("a")),
                     SKY_ERR_NOT_FOUND);
    holds(fixture, "1 0 0 #77@-7/0:a/b=2 #0@-7/0:a/b=3\n1 b 0\n");
}

static void a_walk_ends_when_it_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct listing listing = {.fixture = fixture};
    put_session(fixture, 0, 0, 0);
    put_session(fixture, 1, 0, 0);
    for (int i = 1; i <= 3; i++) {
        put_message(fixture, 0, 1, "x");
        assert_int_equal(subscribe(fixture, 0, i == 1 ? "a" : i == 2 ? "b" : "c", 1), SKY_OK);
    }
    sky_buf_init(&listing.text, 4096);
    listing.left = 2;
    assert_int_equal(sky_store_each_subscription(fixture->store, list_subscription, &listing),
                     SKY_OK);
    listing.left = 1;
    assert_int_equal(
        sky_store_each_message(fixture->store, fixture->devices[0], list_message, &listing),
        SKY_OK);
    sky_buf_add_byte(&listing.text, 0);
    assert_string_equal(listing.text.bytes, "1 a 1\n1 b 1\n #1@-7/1:a/b=x");
    sky_buf_done(&listing.text);
}

/* ---- what is refused ---- */

static void nothing_is_kept_without_a_device_and_a_session(void **state)
{
    struct fixture *fixture = *state;
    struct sky_kept_session stray = {.device_id = 99};
    assert_int_equal(sky_store_put_session(fixture->store, &stray), SKY_ERR_NOT_FOUND);
    assert_int_equal(subscribe(fixture, 0, "a", 0), SKY_ERR_NOT_FOUND);
    struct sky_kept_message message = {.topic = SKY_SPAN("a")};
    assert_int_equal(sky_store_put_message(fixture->store, fixture->devices[0], &message),
                     SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_drop_session(fixture->store, fixture->devices[0]), SKY_OK);
    assert_int_equal(sky_store_delete_device(fixture->store, fixture->devices[1]), SKY_OK);
    stray.device_id = fixture->devices[1];
    assert_int_equal(sky_store_put_session(fixture->store, &stray), SKY_ERR_NOT_FOUND);
    holds(fixture, "");
}

static void bounds_topics_and_payloads(void **state)
{
    struct fixture *fixture = *state;
    struct sky_store *store = fixture->store;
    int64_t device = fixture->devices[0];
    char *bytes = sky_mem_new(SKY_STORE_PAYLOAD_MAX + 1);
    memset(bytes, 'x', SKY_STORE_PAYLOAD_MAX + 1);
    put_session(fixture, 0, 0, 0);
    sky_span fits = sky_span_of(bytes, SKY_STORE_TOPIC_MAX),
             over = sky_span_of(bytes, SKY_STORE_TOPIC_MAX + 1);
    assert_int_equal(sky_store_put_subscription(store, device, fits, 1), SKY_OK);
    assert_int_equal(sky_store_put_subscription(store, device, over, 1), SKY_ERR_LIMIT);
    struct sky_kept_message message = {.topic = fits};
    message.payload = sky_span_of(bytes, SKY_STORE_PAYLOAD_MAX);
    assert_int_equal(sky_store_put_message(store, device, &message), SKY_OK);
    message.payload.len++;
    assert_int_equal(sky_store_put_message(store, device, &message), SKY_ERR_LIMIT);
    message.payload.len--;
    message.topic = over;
    assert_int_equal(sky_store_put_message(store, device, &message), SKY_ERR_LIMIT);
    assert_int_equal(rows(fixture, "subscription"), 1);
    assert_int_equal(rows(fixture, "message"), 1);
    free(bytes);
}

/* ---- what takes a session along ---- */

static void fill(struct fixture *fixture)
{
    for (size_t i = 0; i < SKY_COUNT(fixture->devices); i++) {
        put_session(fixture, i, 0, 0);
        assert_int_equal(subscribe(fixture, i, "a", 1), SKY_OK);
        assert_int_equal(subscribe(fixture, i, "b", 1), SKY_OK);
        put_message(fixture, i, 1, "x");
    }
}

static void left_are(struct fixture *fixture, int64_t sessions)
{
    assert_int_equal(rows(fixture, "session"), sessions);
    assert_int_equal(rows(fixture, "subscription"), 2 * sessions);
    assert_int_equal(rows(fixture, "message"), sessions);
}

static void a_session_takes_along_what_belongs_to_it(void **state)
{
    struct fixture *fixture = *state;
    struct sky_store *store = fixture->store;
    struct sky_seeded seeded = {.secret = "s"};
    fill(fixture);
    assert_int_equal(sky_store_drop_session(store, fixture->devices[0]), SKY_OK);
    left_are(fixture, 2);
    assert_int_equal(sky_store_delete_device(store, fixture->devices[1]), SKY_OK);
    left_are(fixture, 1);
    assert_int_equal(sky_store__set_seeded(store, fixture->devices[2], &seeded), SKY_OK);
    assert_int_equal(sky_store_reset_device(store, fixture->devices[2]), SKY_OK);
    left_are(fixture, 0);
}

static void resetting_all_devices_drops_all_sessions(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_int_equal(sky_store_reset_devices(fixture->store, 0), SKY_OK);
    left_are(fixture, 0);
}

static void deleting_a_product_drops_its_devices_sessions(void **state)
{
    struct fixture *fixture = *state;
    struct sky_product other = {.cloud = "aliyun", .key = "other"};
    assert_int_equal(sky_store_put_product(fixture->store, &other), SKY_OK);
    struct sky_device device = {.product_id = other.id, .key = "d"};
    assert_int_equal(sky_store_add_device(fixture->store, &device), SKY_OK);
    fixture->devices[0] = device.id;
    fill(fixture);
    assert_int_equal(sky_store_delete_product(fixture->store, fixture->product_id), SKY_OK);
    left_are(fixture, 1);
}

/* ---- what the store never writes ---- */

static void says_that_it_is_damaged_instead_of_handing_out_what_cannot_be(void **state)
{
    static const char *const damages[] = {
        "UPDATE session SET last_id = 65536",
        "UPDATE session SET last_id = -1",
        "UPDATE session SET away_since_ms = 9223372036854775807",
        "UPDATE session SET away_since_ms = -9223372036854775807",
        "UPDATE subscription SET qos = 3 WHERE filter = 'b'",
        "UPDATE subscription SET filter = '' WHERE filter = 'b'",
        "UPDATE subscription SET filter = zeroblob(65536) WHERE filter = 'b'",
        "UPDATE message SET packet_id = 65536",
        "UPDATE message SET born_ms = 9223372036854775807",
        "UPDATE message SET topic = ''",
        "UPDATE message SET topic = zeroblob(65536)",
        "UPDATE message SET payload = zeroblob(655361)",
    };
    struct fixture *fixture = *state;
    struct sky_store *store = fixture->store;
    struct listing listing = {.fixture = fixture};
    struct sky_why why;
    sky_buf_init(&listing.text, 65536);
    for (size_t i = 0; i < SKY_COUNT(damages); i++) {
        bool of_session = strncmp(damages[i], "UPDATE session", 14) == 0;
        fill(fixture);
        assert_int_equal(sqlite3_exec(store->db, damages[i], NULL, NULL, NULL), SQLITE_OK);
        listing.left = 1000;
        if (of_session)
            assert_int_equal(sky_store_each_session(store, list_session, &listing), SKY_ERR_STORE);
        else if (strncmp(damages[i], "UPDATE sub", 10) == 0)
            assert_int_equal(sky_store_each_subscription(store, list_subscription, &listing),
                             SKY_ERR_STORE);
        else
            assert_int_equal(
                sky_store_each_message(store, fixture->devices[0], list_unnamed, &listing), SKY_OK);
        (void)sky_store_why(store, &why);
        assert_non_null(strstr(why.reason, "the file is damaged"));
        for (size_t device = 0; device < SKY_COUNT(fixture->devices); device++)
            assert_int_equal(sky_store_drop_session(store, fixture->devices[device]), SKY_OK);
    }
    sky_buf_done(&listing.text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_every_field_in_order),
        TEST(changes_and_drops_what_it_is_told),
        TEST(a_walk_ends_when_it_is_told),
        TEST(nothing_is_kept_without_a_device_and_a_session),
        TEST(bounds_topics_and_payloads),
        TEST(a_session_takes_along_what_belongs_to_it),
        TEST(resetting_all_devices_drops_all_sessions),
        TEST(deleting_a_product_drops_its_devices_sessions),
        TEST(says_that_it_is_damaged_instead_of_handing_out_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
