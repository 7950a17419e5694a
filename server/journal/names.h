/* Names of devices by id, remembered. An id keeps its name for ever; a device that was deleted and
 * made again has another id, and the name that it had. */
#ifndef SKY_SERVER_JOURNAL_NAMES_H
#define SKY_SERVER_JOURNAL_NAMES_H

#include "store/store.h"

enum {
    SKY_DEVICE_NAME_MAX = SKY_CLOUD_NAME_MAX + 2 * SKY_KEY_MAX + 2, /* cloud/product/device */
    SKY_DEVICE_NAMES_CACHED = 4096, /* of a server with so many a name is looked up once */
};

struct sky_device_names {
    struct sky_store *store; /* borrowed; NULL: no device has a name */
    struct sky_device_name {
        int64_t id; /* 0: free */
        char text[SKY_DEVICE_NAME_MAX + 1];
    } cache[SKY_DEVICE_NAMES_CACHED];
};

/* "cloud/product/device", valid until the next call; empty when there never was such a device. */
const char *sky_device_names_get(struct sky_device_names *names, int64_t id);
/* Is that its name? */
bool sky_device_names_is(struct sky_device_names *names, int64_t id, sky_span cloud,
                         sky_span product, sky_span device);

#endif
