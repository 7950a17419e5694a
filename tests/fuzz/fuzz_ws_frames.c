/* Frames from arbitrary bytes: whatever the cut, the same is found at the same place. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/http/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_ws_frames whole = {0}, cut = {0};
    const char *what;
    sky_span in = sky_span_of(bytes, len);
    size_t good, first, second = 0, at = len > 0 ? bytes[0] % (len + 1) : 0;
    enum sky_ws_code code = sky_ws_frames_follow(&whole, in, &good, &what);
    SKY_ASSERT(good <= len && (code != SKY_WS_GOING_ON || good == len));
    enum sky_ws_code other = sky_ws_frames_follow(&cut, sky_span_head(in, at), &first, &what);
    if (other == SKY_WS_GOING_ON)
        other = sky_ws_frames_follow(&cut, sky_span_tail(in, at), &second, &what);
    SKY_ASSERT(other == code && first + second == good);
    return 0;
}
