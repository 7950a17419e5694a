#include "server/journal/names.h"

#include <string.h>

const char *sky_device_names_get(struct sky_device_names *names, int64_t id)
{
    struct sky_device_name *name = &names->cache[(uint64_t)id % SKY_DEVICE_NAMES_CACHED];
    if (name->id == id)
        return name->text;
    if (names->store == NULL ||
        sky_store_device_name(names->store, id, name->text, sizeof name->text) != SKY_OK) {
        name->id = 0;
        return "";
    }
    name->id = id;
    return name->text;
}

bool sky_device_names_is(struct sky_device_names *names, int64_t id, sky_span cloud,
                         sky_span product, sky_span device)
{
    sky_span name = sky_span_str(sky_device_names_get(names, id));
    if (name.len != cloud.len + product.len + device.len + 2 || name.ptr[cloud.len] != '/' ||
        name.ptr[cloud.len + product.len + 1] != '/')
        return false;
    /* Devices differ at the end. */
    return sky_span_eq(sky_span_tail(name, name.len - device.len), device) &&
           memcmp(name.ptr, cloud.ptr, cloud.len) == 0 &&
           memcmp(name.ptr + cloud.len + 1, product.ptr, product.len) == 0;
}
