/* Watches the frames that a WebSocket client sends, byte by byte, for what the server has to end
 * the connection for (RFC 6455 §5). Takes nothing apart and keeps no payload: that is the
 * library's business, which is less strict. Pure. */
#ifndef SKY_HTTP_FRAMES_H
#define SKY_HTTP_FRAMES_H

#include "protocol/base/span.h"

enum { SKY_WS_FRAME_MAX = 1024 * 1024 }; /* bytes of a frame's payload; more: 1009 */

/* Why a connection is closed (§7.4.1). */
enum sky_ws_code {
    SKY_WS_GOING_ON = 0,
    SKY_WS_NORMAL = 1000,
    SKY_WS_PROTOCOL_ERROR = 1002,
    SKY_WS_UNACCEPTABLE = 1003, /* data of a kind that is not taken */
    SKY_WS_TOO_LONG = 1009,
    SKY_WS_INTERNAL_ERROR = 1011,
};

/* All zeros before the first frame. */
struct sky_ws_frames {
    int step;
    uint8_t opcode;
    uint8_t count;   /* bytes of the length, or of the key, that are still to come */
    uint8_t size;    /* bytes of the length */
    bool fragmented; /* the message goes on in the next data frame */
    uint64_t left;   /* bytes of payload that are still to come */
};

/* Returns SKY_WS_GOING_ON, or the code to close with and in a (static) phrase why; `*ret_good`
 * bytes of `in` stand before what is wrong. */
enum sky_ws_code sky_ws_frames_follow(struct sky_ws_frames *frames, sky_span in, size_t *ret_good,
                                      const char **ret_what);

#endif
