/* Images of firmware: bytes kept in pieces, or made up from a formula, so that any part of one can
 * be read without the rest. Knows nothing of who is to install them. */
#ifndef SKY_STORE_IMAGES_H
#define SKY_STORE_IMAGES_H

#include "store/store.h"

enum {
    SKY_IMAGE_MAX = 64 * 1024 * 1024, /* bytes of one image */
    SKY_IMAGE_PIECE = 64 * 1024,      /* bytes that are kept, and read, at once */
    SKY_IMAGE_NAME_MAX = 63,          /* characters */
    SKY_IMAGES_MAX = 10000,           /* images kept */
};
/* Bytes of all that are kept in pieces. */
#define SKY_IMAGES_BYTES_MAX (INT64_C(1024) * 1024 * 1024)

/* A value. */
struct sky_image {
    int64_t id;
    char name[SKY_IMAGE_NAME_MAX + 1];
    int64_t size;
    char md5[2 * 16 + 1], sha256[2 * 32 + 1]; /* lower hex; empty until it is complete */
    int64_t pattern;                          /* what its bytes are made up from; 0: pieces */
    int64_t created_ms;
};

/* Creates it, without bytes, and sets its id. EXISTS: there is one of that name. */
SKY_MUST_USE sky_err sky_store_add_image(struct sky_store *store, struct sky_image *image);
/* Its piece number `place`: SKY_IMAGE_PIECE bytes, or less if it is the last. */
SKY_MUST_USE sky_err sky_store_put_piece(struct sky_store *store, int64_t image_id, int64_t place,
                                         sky_span bytes);
/* Sets size and digests, once all is there. */
SKY_MUST_USE sky_err sky_store_set_image(struct sky_store *store, const struct sky_image *image);
SKY_MUST_USE sky_err sky_store_find_image(struct sky_store *store, sky_span name,
                                          struct sky_image *ret_image);
/* Deletes pieces of it, `pieces` at the most, as that takes its time; with the last, itself. */
SKY_MUST_USE sky_err sky_store_shrink_image(struct sky_store *store, int64_t image_id,
                                            size_t pieces, bool *ret_gone);
typedef bool sky_store_image_fn(void *ctx, const struct sky_image *image);
/* In the order in which they were made. */
SKY_MUST_USE sky_err sky_store_each_image(struct sky_store *store, sky_store_image_fn *each,
                                          void *ctx);
/* How many there are, and the bytes of those kept in pieces. */
SKY_MUST_USE sky_err sky_store_count_images(struct sky_store *store, int64_t *ret_count,
                                            int64_t *ret_bytes);

/* Appends bytes from `offset` on: `max` at the most, and none behind the end of the piece in which
 * that lies; nothing past the end of the image. */
SKY_MUST_USE sky_err sky_store_read_image(struct sky_store *store, const struct sky_image *image,
                                          int64_t offset, size_t max, struct sky_buf *out);

/* The documents of this name that any devices have. */
typedef bool sky_store_named_fn(void *ctx, int64_t device_id, sky_span body);
SKY_MUST_USE sky_err sky_store_each_document_called(struct sky_store *store, sky_span name,
                                                    sky_store_named_fn *each, void *ctx);

/* The bytes of an image made up from `pattern`: those from `offset` on. Pure. */
void sky_image_make(int64_t pattern, int64_t offset, char *out, size_t len);

#endif
