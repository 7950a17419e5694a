#include "store/images.h"

#include "store/internal.h"

sky_err sky_store_add_image(struct sky_store *store, struct sky_image *image)
{
    sky_err err = sky_store__change(store, SKY_SQL_ADD_IMAGE,
                                    SKY_ARGS(SKY_STR(image->name), SKY_INT(image->size),
                                             SKY_STR(image->md5), SKY_STR(image->sha256),
                                             SKY_INT(image->pattern), SKY_INT(image->created_ms)));
    if (err == SKY_OK)
        image->id = sqlite3_last_insert_rowid(store->db);
    return err == SKY_ERR_NOT_FOUND ? SKY_ERR_EXISTS : err;
}

sky_err sky_store_put_piece(struct sky_store *store, int64_t image_id, int64_t place,
                            sky_span bytes)
{
    SKY_ASSERT(bytes.len > 0 && bytes.len <= SKY_IMAGE_PIECE);
    return sky_store__change(store, SKY_SQL_PUT_PIECE,
                             SKY_ARGS(SKY_INT(image_id), SKY_INT(place), SKY_BYTES(bytes)));
}

sky_err sky_store_set_image(struct sky_store *store, const struct sky_image *image)
{
    return sky_store__change(store, SKY_SQL_SET_IMAGE,
                             SKY_ARGS(SKY_INT(image->id), SKY_INT(image->size), SKY_STR(image->md5),
                                      SKY_STR(image->sha256)));
}

sky_err sky_store_shrink_image(struct sky_store *store, int64_t image_id, size_t pieces,
                               bool *ret_gone)
{
    SKY_ASSERT(pieces > 0);
    sky_err err = sky_store__run(store, SKY_SQL_DROP_PIECES,
                                 SKY_ARGS(SKY_INT(image_id), SKY_INT((int64_t)pieces)));
    if (err != SKY_OK)
        return err;
    *ret_gone = (size_t)sqlite3_changes(store->db) < pieces;
    return *ret_gone ? sky_store__change(store, SKY_SQL_DROP_IMAGE, SKY_ARGS(SKY_INT(image_id)))
                     : SKY_OK;
}

static sky_err read_image(struct sky_store *store, sqlite3_stmt *stmt, struct sky_image *ret_image)
{
    struct sky_image image = {.id = sqlite3_column_int64(stmt, 0)};
    sky_err err = sky_store__text(store, stmt, 1, image.name, sizeof image.name);
    if (err == SKY_OK)
        err = sky_store__number(store, stmt, 2, 0, SKY_IMAGE_MAX, &image.size);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, 3, image.md5, sizeof image.md5);
    if (err == SKY_OK)
        err = sky_store__text(store, stmt, 4, image.sha256, sizeof image.sha256);
    if (err == SKY_OK)
        err = sky_store__time(store, stmt, 6, &image.created_ms);
    image.pattern = sqlite3_column_int64(stmt, 5);
    if (err == SKY_OK)
        *ret_image = image;
    return err;
}

sky_err sky_store_find_image(struct sky_store *store, sky_span name, struct sky_image *ret_image)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_FIND_IMAGE, SKY_ARGS(SKY_TEXT(name)));
    if (err == SKY_OK)
        err = read_image(store, stmt, ret_image);
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_each_image(struct sky_store *store, sky_store_image_fn *each, void *ctx)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_EACH_IMAGE, SKY_NO_ARGS);
    while (err == SKY_OK) {
        struct sky_image image;
        err = read_image(store, stmt, &image);
        if (err != SKY_OK || !each(ctx, &image))
            break;
        err = sky_store__step(store, stmt);
    }
    sky_store__end(stmt);
    return err == SKY_ERR_NOT_FOUND ? SKY_OK : err;
}

sky_err sky_store_count_images(struct sky_store *store, int64_t *ret_count, int64_t *ret_bytes)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_COUNT_IMAGES, SKY_NO_ARGS);
    if (err == SKY_OK) {
        *ret_count = sqlite3_column_int64(stmt, 0);
        *ret_bytes = sqlite3_column_int64(stmt, 1);
    }
    sky_store__end(stmt);
    return err;
}

/* ---- reading ---- */

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014); any word of the
 * sequence can be had by its number. */
static uint64_t word_of(int64_t pattern, uint64_t number)
{
    uint64_t z = (uint64_t)pattern + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void sky_image_make(int64_t pattern, int64_t offset, char *out, size_t len)
{
    uint64_t at = (uint64_t)offset;
    while (len > 0) {
        uint64_t word = word_of(pattern, at / 8);
        size_t skip = at % 8, part = len < 8 - skip ? len : 8 - skip;
        for (size_t i = 0; i < part; i++) /* the same on every machine */
            out[i] = (char)(word >> (8 * (skip + i)));
        out += part;
        at += part;
        len -= part;
    }
}

static sky_err read_piece(struct sky_store *store, const struct sky_image *image, int64_t place,
                          size_t skip, size_t len, struct sky_buf *out)
{
    sqlite3_stmt *stmt;
    sky_err err = sky_store__first(store, &stmt, SKY_SQL_GET_PIECE,
                                   SKY_ARGS(SKY_INT(image->id), SKY_INT(place)));
    if (err == SKY_OK) {
        sky_span bytes = sky_store__span(stmt, 0);
        if (bytes.len < skip + len)
            err = sky_store__damaged(store, "a piece of an image is too short");
        else if (!sky_buf_add(out, sky_span_head(sky_span_tail(bytes, skip), len)))
            err = SKY_ERR_LIMIT;
    } else if (err == SKY_ERR_NOT_FOUND) {
        err = sky_store__damaged(store, "a piece of an image is missing");
    }
    sky_store__end(stmt);
    return err;
}

sky_err sky_store_read_image(struct sky_store *store, const struct sky_image *image, int64_t offset,
                             size_t max, struct sky_buf *out)
{
    if (offset < 0 || offset >= image->size)
        return SKY_OK;
    size_t skip = (size_t)(offset % SKY_IMAGE_PIECE), len = SKY_IMAGE_PIECE - skip;
    if ((int64_t)len > image->size - offset)
        len = (size_t)(image->size - offset);
    if (len > max)
        len = max;
    if (image->pattern == 0)
        return read_piece(store, image, offset / SKY_IMAGE_PIECE, skip, len, out);
    char *room = sky_buf_reserve(out, len);
    if (room == NULL)
        return SKY_ERR_LIMIT;
    sky_image_make(image->pattern, offset, room, len);
    sky_buf_commit(out, len);
    return SKY_OK;
}
