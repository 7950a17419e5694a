/* Images of firmware on their way into the store: piece by piece, with their digests made on the
 * way; and out of it again, once no upgrade refers to them. */
#ifndef SKY_SERVER_BROKER_IMAGES_H
#define SKY_SERVER_BROKER_IMAGES_H

#include "server/broker/broker.h"
#include "store/images.h"

enum {
    SKY_IMAGE_SWEEP_PIECES = 8, /* that are deleted in a turn of the loop */
    SKY_IMAGE_SWEEP_MS = 2,     /* real time until the next are */
};

/* An image in the making. */
struct sky_image_writer;

/* LIMIT: there is no room for an image of `size` bytes; `size` is the most that may come. */
SKY_MUST_USE sky_err sky_image_begin(struct sky_broker *broker, int64_t device_id, int64_t size,
                                     struct sky_image_writer **ret_writer, struct sky_why *why);
/* LIMIT: it has grown longer than was said. What failed once fails from then on. */
SKY_MUST_USE sky_err sky_image_add(struct sky_image_writer *writer, sky_span bytes);
/* It is complete. Frees the writer; when this fails the image is gone. INVALID: it is empty. */
SKY_MUST_USE sky_err sky_image_end(struct sky_image_writer *writer, struct sky_image *ret_image);
/* Gives it up. NULL is fine. */
void sky_image_abort(struct sky_image_writer *writer);

/* Digests of an image made up from `pattern`, into `image`; takes long. Pure: for a worker. */
void sky_image_digest(struct sky_image *image);
/* Stores an image that is made up, with its digests, under a name of its own. */
SKY_MUST_USE sky_err sky_image_add_made(struct sky_broker *broker, int64_t device_id,
                                        struct sky_image *image, struct sky_why *why);

/* Takes it out of the store, a little at a time: nobody refers to it any more. */
void sky_image_drop(struct sky_broker *broker, int64_t image_id);
void sky_images_done(struct sky_broker *broker);

/* Takes out of the store what no upgrade refers to; at the start also what was never completed. */
void sky_images_sweep(struct sky_broker *broker, bool at_start);

#endif
