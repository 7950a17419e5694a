/* Paths against patterns like "/api/v1/devices/{cloud}/{product}/{device}". Pure. */
#ifndef SKY_SERVER_ADMIN_MATCH_H
#define SKY_SERVER_ADMIN_MATCH_H

#include "store/store.h"

/* What a path has in place of a pattern's placeholders, decoded. */
struct sky_path_vars {
    char cloud[SKY_CLOUD_NAME_MAX + 1];
    char product[SKY_KEY_MAX + 1];
    char device[SKY_KEY_MAX + 1];
    char name[SKY_STORE_NAME_MAX + 1]; /* of a document, or what has a number */
};

/* `path` is percent-encoded. A placeholder takes one non-empty segment; one that is longer than
 * any key, or badly encoded, does not match. */
bool sky_match_path(sky_span pattern, sky_span path, struct sky_path_vars *ret_vars);

/* How near a path that matches nothing is to a pattern: segments from the front that are equal,
 * two points each, or slips of each other, one point. */
unsigned sky_match_nearness(sky_span pattern, sky_span path);

/* "cloud/product" as one text. False when it is not that. */
bool sky_match_product(sky_span text, struct sky_path_vars *ret_vars);

/* "cloud/product/device" as one text. False when it is not that. */
bool sky_match_device(sky_span text, struct sky_path_vars *ret_vars);

#endif
