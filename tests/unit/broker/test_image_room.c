/* Images of firmware: how much room they have, and who makes it. */
#include "tests/unit/broker/broker_case.h"

#include "protocol/cloud/files.h"
#include "protocol/cloud/ota.h"
#include "server/broker/images.h"
#include "store/snapshots.h"

enum { NOW_MS = 5000, SECOND_MS = 1000, NAMES_SIZE = 2048 };

static struct sky_session *device_of(struct broker_case *c)
{
    c->base.clock.real_ms = NOW_MS;
    return registry_case_session(&c->base, "tencent", "PROD123456", "dev001");
}

/* As many as take all the room there is, complete or not; the names of all of them. */
static void fill(struct broker_case *c, int64_t device_id, bool complete, char names[NAMES_SIZE])
{
    size_t len = 0;
    for (int64_t left = SKY_IMAGES_BYTES_MAX; left > 0; left -= SKY_IMAGE_MAX) {
        struct sky_image image = {.size = SKY_IMAGE_MAX};
        char fresh[SKY_FILE_SECRET + 1];
        sky_rng_text(&c->base.rng, fresh, SKY_FILE_SECRET);
        sky_file_image_name(device_id, sky_span_str(fresh), image.name);
        assert_int_equal(sky_store_add_image(c->base.store, &image), SKY_OK);
        memset(image.md5, '0', complete ? sizeof image.md5 - 1 : 0);
        assert_int_equal(sky_store_set_image(c->base.store, &image), SKY_OK);
        len += (size_t)snprintf(names + len, NAMES_SIZE - len, "%s ", image.name);
    }
}

static void refer_to(struct broker_case *c, int64_t device_id, const char *name)
{
    assert_int_equal(sky_store_put_document(c->base.store, device_id, SKY_SPAN(SKY_OTA_DOCUMENT),
                                            sky_span_str(name), 1),
                     SKY_OK);
}

static sky_err ask_for(struct broker_case *c, int64_t device_id, int64_t size)
{
    struct sky_image_writer *writer = NULL;
    struct sky_why why = {0};
    sky_err err = sky_image_begin(&c->broker, device_id, size, &writer, &why);
    if (err != SKY_OK)
        assert_non_null(strstr(why.reason, "leave no room"));
    sky_image_abort(writer);
    return err;
}

static void they_have_so_much_room(void **state)
{
    struct broker_case *c = *state;
    int64_t id = device_of(c)->device_id;
    struct sky_image_writer *writer;
    struct sky_why why;
    assert_int_equal(ask_for(c, id, SKY_IMAGES_BYTES_MAX + 1), SKY_ERR_LIMIT);
    assert_int_equal(sky_image_begin(&c->broker, id, SKY_IMAGES_BYTES_MAX, &writer, &why), SKY_OK);
    assert_int_equal(ask_for(c, id, 0), SKY_OK);
    assert_int_equal(ask_for(c, id, 1), SKY_ERR_LIMIT);
    sky_image_abort(writer);
    assert_int_equal(ask_for(c, id, SKY_IMAGES_BYTES_MAX), SKY_OK);
    sky_images_done(&c->broker);
}

static void what_nobody_refers_to_makes_room(void **state)
{
    struct broker_case *c = *state;
    int64_t id = device_of(c)->device_id;
    char names[NAMES_SIZE];
    fill(c, id, true, names);
    refer_to(c, id, "{\"file\":\"another\"}");
    assert_int_equal(ask_for(c, id, 1), SKY_OK);
    sky_images_done(&c->broker);
}

/* Whoever asks in the same second is not worth another search. */
static void what_an_upgrade_refers_to_stays(void **state)
{
    struct broker_case *c = *state;
    int64_t id = device_of(c)->device_id;
    char names[NAMES_SIZE];
    fill(c, id, true, names);
    refer_to(c, id, names);
    assert_int_equal(ask_for(c, id, 1), SKY_ERR_LIMIT);
    refer_to(c, id, "{}");
    c->base.clock.real_ms += SECOND_MS - 1;
    assert_int_equal(ask_for(c, id, 1), SKY_ERR_LIMIT);
    c->base.clock.real_ms++;
    assert_int_equal(ask_for(c, id, 1), SKY_OK);
    sky_images_done(&c->broker);
}

static void what_a_snapshot_refers_to_stays(void **state)
{
    struct broker_case *c = *state;
    int64_t id = device_of(c)->device_id;
    char names[NAMES_SIZE];
    fill(c, id, true, names);
    struct sky_snapshot snapshot = {.name = "s"};
    refer_to(c, id, names);
    assert_int_equal(
        sky_store_add_snapshot(c->base.store, &snapshot, 0, 0, SKY_SPAN("[]"), INT64_MAX), SKY_OK);
    refer_to(c, id, "{}");
    assert_int_equal(ask_for(c, id, 1), SKY_ERR_LIMIT);
    assert_int_equal(sky_store_drop_snapshot(c->base.store, snapshot.id), SKY_OK);
    c->base.clock.real_ms += SECOND_MS;
    assert_int_equal(ask_for(c, id, 1), SKY_OK);
    sky_images_done(&c->broker);
}

/* Only a start knows that nobody is making it any more. */
static void what_was_never_completed_goes_at_the_start(void **state)
{
    struct broker_case *c = *state;
    int64_t id = device_of(c)->device_id;
    char names[NAMES_SIZE];
    fill(c, id, false, names);
    sky_images_sweep(&c->broker, false);
    assert_int_equal(ask_for(c, id, 1), SKY_ERR_LIMIT);
    sky_images_sweep(&c->broker, true);
    assert_int_equal(ask_for(c, id, 1), SKY_OK);
    sky_images_done(&c->broker);
}

static void an_image_is_as_long_as_was_said_and_not_empty(void **state)
{
    struct broker_case *c = *state;
    int64_t id = device_of(c)->device_id;
    struct sky_image_writer *writer;
    struct sky_image image;
    struct sky_why why;
    assert_int_equal(sky_image_begin(&c->broker, id, 3, &writer, &why), SKY_OK);
    assert_int_equal(sky_image_end(writer, &image), SKY_ERR_INVALID);
    assert_int_equal(sky_image_begin(&c->broker, id, 3, &writer, &why), SKY_OK);
    assert_int_equal(sky_image_add(writer, SKY_SPAN("abc")), SKY_OK);
    assert_int_equal(sky_image_end(writer, &image), SKY_OK);
    assert_int_equal(image.size, 3);
    assert_string_equal(image.md5, "900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(sky_image_begin(&c->broker, id, 3, &writer, &why), SKY_OK);
    assert_int_equal(sky_image_add(writer, SKY_SPAN("abcd")), SKY_ERR_LIMIT);
    assert_int_equal(sky_image_add(writer, SKY_SPAN("a")), SKY_ERR_LIMIT);
    assert_int_equal(sky_image_end(writer, &image), SKY_ERR_LIMIT);
    sky_images_done(&c->broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(they_have_so_much_room),
        BROKER_TEST(what_nobody_refers_to_makes_room),
        BROKER_TEST(what_an_upgrade_refers_to_stays),
        BROKER_TEST(what_a_snapshot_refers_to_stays),
        BROKER_TEST(what_was_never_completed_goes_at_the_start),
        BROKER_TEST(an_image_is_as_long_as_was_said_and_not_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
