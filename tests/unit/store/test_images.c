/* Images: any part can be read without the rest, be it kept or made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/images.h"
#include "store/internal.h"

enum { SIZE = 2 * SKY_IMAGE_PIECE + 100 };

static int open_store(void **state)
{
    struct sky_why why;
    struct sky_store *store;
    assert_int_equal(sky_store_open(":memory:", &store, &why), SKY_OK);
    *state = store;
    return 0;
}

static int close_store(void **state)
{
    sky_store_close(*state);
    return 0;
}

static char byte_at(int64_t at)
{
    return (char)(at * 31 + at / SKY_IMAGE_PIECE);
}

static struct sky_image add(struct sky_store *store, const char *name, int64_t pattern)
{
    static char piece[SKY_IMAGE_PIECE];
    struct sky_image image = {.size = SIZE, .pattern = pattern, .created_ms = 7};
    snprintf(image.name, sizeof image.name, "%s", name);
    assert_int_equal(sky_store_add_image(store, &image), SKY_OK);
    assert_true(image.id > 0);
    for (int64_t at = 0; pattern == 0 && at < SIZE; at += SKY_IMAGE_PIECE) {
        size_t len = SIZE - at < SKY_IMAGE_PIECE ? (size_t)(SIZE - at) : SKY_IMAGE_PIECE;
        for (size_t i = 0; i < len; i++)
            piece[i] = byte_at(at + (int64_t)i);
        assert_int_equal(
            sky_store_put_piece(store, image.id, at / SKY_IMAGE_PIECE, sky_span_of(piece, len)),
            SKY_OK);
    }
    return image;
}

/* Returns how many bytes came, all of which are as they should be. */
static size_t read_at(struct sky_store *store, const struct sky_image *image, int64_t offset,
                      size_t max)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_IMAGE_PIECE);
    assert_int_equal(sky_store_read_image(store, image, offset, max, &out), SKY_OK);
    size_t len = out.len;
    for (size_t i = 0; i < len; i++) {
        char due = byte_at(offset + (int64_t)i);
        if (image->pattern != 0)
            sky_image_make(image->pattern, offset + (int64_t)i, &due, 1);
        assert_int_equal(out.bytes[i], due);
    }
    sky_buf_done(&out);
    return len;
}

static void any_part_can_be_read(void **state)
{
    static const struct {
        int64_t offset;
        size_t max, len;
    } parts[] = {
        {0, 10, 10},
        {0, SKY_IMAGE_PIECE, SKY_IMAGE_PIECE},
        {1, SKY_IMAGE_PIECE, SKY_IMAGE_PIECE - 1}, /* to the end of its piece */
        {SKY_IMAGE_PIECE - 1, 10, 1},
        {SKY_IMAGE_PIECE, 3, 3},
        {2 * SKY_IMAGE_PIECE, SKY_IMAGE_PIECE, 100},
        {SIZE - 1, 10, 1},
        {SIZE, 10, 0},
        {SIZE + 1, 10, 0},
        {INT64_MAX, 10, 0},
        {-1, 10, 0},
        {5, 0, 0},
    };
    struct sky_store *store = *state;
    struct sky_image kept = add(store, "u1-a", 0), made = add(store, "u1-b", 42);
    for (size_t i = 0; i < SKY_COUNT(parts); i++) {
        assert_int_equal(read_at(store, &kept, parts[i].offset, parts[i].max), parts[i].len);
        assert_int_equal(read_at(store, &made, parts[i].offset, parts[i].max), parts[i].len);
    }
}

/* The bytes of a pattern never change: devices go on where they broke off, after a restart too. */
static void made_up_bytes_are_the_same_for_ever(void **state)
{
    (void)state;
    static const uint8_t first[] = {0xc1, 0x5c, 0x02, 0x89, 0xec, 0x2d, 0x0a, 0x91};
    char bytes[64], other[64];
    sky_image_make(1, 0, bytes, sizeof bytes);
    sky_image_make(2, 0, other, sizeof other);
    assert_memory_not_equal(bytes, other, sizeof bytes);
    for (size_t from = 0; from < sizeof bytes; from++) {
        sky_image_make(1, (int64_t)from, other, sizeof bytes - from);
        assert_memory_equal(other, bytes + from, sizeof bytes - from);
    }
    assert_memory_equal(bytes, first, sizeof first); /* splitmix64 with seed 1 */
}

static void images_are_found_by_name(void **state)
{
    struct sky_store *store = *state;
    struct sky_image image = add(store, "u7-x", 0), found;
    int64_t count, bytes;
    snprintf(image.md5, sizeof image.md5, "0123456789abcdef0123456789abcdef");
    assert_int_equal(sky_store_set_image(store, &image), SKY_OK);
    assert_int_equal(sky_store_find_image(store, SKY_SPAN("u7-x"), &found), SKY_OK);
    assert_int_equal(found.id, image.id);
    assert_int_equal(found.size, SIZE);
    assert_string_equal(found.md5, image.md5);
    struct sky_image twin = image;
    assert_int_equal(sky_store_add_image(store, &twin), SKY_ERR_EXISTS);
    add(store, "u7-y", 9);
    assert_int_equal(sky_store_count_images(store, &count, &bytes), SKY_OK);
    assert_int_equal(count, 2);
    assert_int_equal(bytes, SIZE); /* what is made up takes no room */
    bool gone = true;
    assert_int_equal(sky_store_shrink_image(store, image.id, 2, &gone), SKY_OK);
    assert_false(gone);
    assert_int_equal(sky_store_find_image(store, SKY_SPAN("u7-x"), &found), SKY_OK);
    assert_int_equal(sky_store_shrink_image(store, image.id, 2, &gone), SKY_OK);
    assert_true(gone);
    assert_int_equal(sky_store_find_image(store, SKY_SPAN("u7-x"), &found), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_shrink_image(store, image.id, 2, &gone), SKY_ERR_NOT_FOUND);
    assert_int_equal(sky_store_put_piece(store, image.id, 0, SKY_SPAN("x")), SKY_ERR_NOT_FOUND);
}

static void a_missing_piece_is_an_error(void **state)
{
    struct sky_store *store = *state;
    struct sky_image image = {.size = SIZE, .name = "u1-z"};
    struct sky_buf out;
    sky_buf_init(&out, SKY_IMAGE_PIECE);
    assert_int_equal(sky_store_add_image(store, &image), SKY_OK);
    assert_int_equal(sky_store_read_image(store, &image, 0, 10, &out), SKY_ERR_STORE);
    assert_int_equal(sky_store_put_piece(store, image.id, 0, SKY_SPAN("short")), SKY_OK);
    assert_int_equal(sky_store_read_image(store, &image, 0, 10, &out), SKY_ERR_STORE);
    assert_int_equal(out.len, 0);
    sky_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_part_can_be_read, open_store, close_store),
        cmocka_unit_test(made_up_bytes_are_the_same_for_ever),
        cmocka_unit_test_setup_teardown(images_are_found_by_name, open_store, close_store),
        cmocka_unit_test_setup_teardown(a_missing_piece_is_an_error, open_store, close_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
