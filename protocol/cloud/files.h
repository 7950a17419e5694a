/* Names of what devices download, as they stand behind facts->link: one path segment, short, that
 * says what it is and cannot be guessed. Knows neither their bytes nor how they are carried. */
#ifndef SKY_CLOUD_FILES_H
#define SKY_CLOUD_FILES_H

#include "protocol/base/arena.h"
#include "protocol/cloud/login.h"

enum {
    SKY_FILE_NAME_MAX = 63,
    SKY_FILE_SECRET = 24, /* random characters of an image's name */
};

enum sky_file_kind {
    SKY_FILE_IMAGE,  /* of a device's upgrade */
    SKY_FILE_CONFIG, /* a product's remote configuration */
};

struct sky_file_name {
    enum sky_file_kind kind;
    int64_t id; /* of the device, or of the product */
};

/* False: nothing that skymock hands out is called so. */
bool sky_file_read_name(sky_span name, struct sky_file_name *ret_name);

/* A name for an image, made with random characters of which at least SKY_FILE_SECRET are there. */
void sky_file_image_name(int64_t device_id, sky_span fresh, char out[SKY_FILE_NAME_MAX + 1]);

/* The name of a configuration; it is good for these bytes only, and in the arena. */
sky_span sky_file_config_name(int64_t product_id, sky_span config, struct sky_arena *arena);

#endif
