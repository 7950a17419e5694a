/* What the files of this room share. */
#ifndef SKY_SERVER_CAPTURE_PRIVATE_H
#define SKY_SERVER_CAPTURE_PRIVATE_H

#include "server/capture/capture.h"

/* It leaves the capture. */
void sky_capture__free_chunk(struct sky_capture *capture, struct sky_capture_chunk *chunk);
/* What stands before all packets, and behind them. */
void sky_capture__put_head(const struct sky_captures *self, const struct sky_capture *capture,
                           struct sky_buf *out);
void sky_capture__put_end(const struct sky_captures *self, const struct sky_capture *capture,
                          struct sky_buf *out);

#endif
