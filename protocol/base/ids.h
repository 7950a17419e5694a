/* Numbers of devices, one behind the other in a buffer, whatever its bytes are aligned to. */
#ifndef SKY_BASE_IDS_H
#define SKY_BASE_IDS_H

#include "protocol/base/buf.h"

static inline size_t sky_ids_count(const struct sky_buf *ids)
{
    return ids->len / sizeof(int64_t);
}

static inline void sky_ids_add(struct sky_buf *ids, int64_t id)
{
    sky_buf_add(ids, sky_span_of(&id, sizeof id));
}

/* `place` is below the count. */
static inline int64_t sky_ids_at(const struct sky_buf *ids, size_t place)
{
    int64_t id;
    memcpy(&id, ids->bytes + place * sizeof id, sizeof id);
    return id;
}

#endif
