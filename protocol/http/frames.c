#include "protocol/http/frames.h"

enum step { OPCODE, LENGTH, LONG_LENGTH, KEY, PAYLOAD };

enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PONG = 10, FINAL = 0x80, MASKED = 0x80 };

static bool is_control(const struct sky_ws_frames *frames)
{
    return frames->opcode >= CLOSE;
}

static enum sky_ws_code fail(enum sky_ws_code code, const char *what, const char **ret_what)
{
    *ret_what = what;
    return code;
}

static enum sky_ws_code take_opcode(struct sky_ws_frames *frames, uint8_t byte, const char **what)
{
    bool final = (byte & FINAL) != 0;
    frames->opcode = byte & 0x0f;
    frames->step = LENGTH;
    if ((byte & 0x70) != 0)
        return fail(SKY_WS_PROTOCOL_ERROR, "a frame has reserved bits set", what);
    if (is_control(frames)) {
        if (frames->opcode > PONG)
            return fail(SKY_WS_PROTOCOL_ERROR, "a frame has an unknown opcode", what);
        return final ? SKY_WS_GOING_ON
                     : fail(SKY_WS_PROTOCOL_ERROR, "a control frame is fragmented", what);
    }
    if (frames->opcode == TEXT) /* MQTT 3.1.1, MQTT-6.0.0-1 */
        return fail(SKY_WS_UNACCEPTABLE, "MQTT came in a text frame; it goes in binary frames",
                    what);
    if (frames->opcode > BINARY)
        return fail(SKY_WS_PROTOCOL_ERROR, "a frame has an unknown opcode", what);
    if ((frames->opcode == CONTINUATION) != frames->fragmented)
        return fail(SKY_WS_PROTOCOL_ERROR,
                    frames->fragmented ? "a message begins before the one before it has ended"
                                       : "a frame goes on with a message that never began",
                    what);
    frames->fragmented = !final;
    return SKY_WS_GOING_ON;
}

_Static_assert(SKY_WS_FRAME_MAX == 1048576, "as its refusal says");

static enum sky_ws_code end_length(struct sky_ws_frames *frames, const char **what)
{
    static const uint64_t at_least[] = {[0] = 0, [2] = 126, [8] = 65536};
    frames->step = KEY;
    frames->count = 4;
    if (frames->left >> 63 != 0 || frames->left < at_least[frames->size])
        return fail(SKY_WS_PROTOCOL_ERROR, "a frame's length is written with too many bytes", what);
    if (frames->left > SKY_WS_FRAME_MAX)
        return fail(SKY_WS_TOO_LONG, "a frame has more than 1048576 bytes", what);
    if (frames->opcode == CLOSE && frames->left == 1)
        return fail(SKY_WS_PROTOCOL_ERROR, "a close frame has half a code", what);
    return SKY_WS_GOING_ON;
}

static enum sky_ws_code take_length(struct sky_ws_frames *frames, uint8_t byte, const char **what)
{
    uint8_t length = byte & 0x7f;
    if ((byte & MASKED) == 0)
        return fail(SKY_WS_PROTOCOL_ERROR, "a client's frame is not masked", what);
    if (is_control(frames) && length > 125)
        return fail(SKY_WS_PROTOCOL_ERROR, "a control frame is longer than 125 bytes", what);
    frames->size = length == 126 ? 2 : length == 127 ? 8 : 0;
    frames->left = frames->size > 0 ? 0 : length;
    frames->count = frames->size;
    frames->step = LONG_LENGTH;
    return frames->size > 0 ? SKY_WS_GOING_ON : end_length(frames, what);
}

static enum sky_ws_code take_head(struct sky_ws_frames *frames, uint8_t byte, const char **what)
{
    switch (frames->step) {
    case OPCODE:
        return take_opcode(frames, byte, what);
    case LENGTH:
        return take_length(frames, byte, what);
    case LONG_LENGTH:
        frames->left = frames->left << 8 | byte;
        return --frames->count > 0 ? SKY_WS_GOING_ON : end_length(frames, what);
    default: /* KEY */
        if (--frames->count == 0)
            frames->step = frames->left > 0 ? PAYLOAD : OPCODE;
        return SKY_WS_GOING_ON;
    }
}

enum sky_ws_code sky_ws_frames_follow(struct sky_ws_frames *frames, sky_span in, size_t *ret_good,
                                      const char **ret_what)
{
    enum sky_ws_code code = SKY_WS_GOING_ON;
    size_t at = 0;
    while (at < in.len) {
        if (frames->step == PAYLOAD) {
            size_t rest = in.len - at;
            size_t piece = frames->left < rest ? (size_t)frames->left : rest;
            at += piece;
            frames->left -= piece;
            if (frames->left == 0)
                frames->step = OPCODE;
            continue;
        }
        code = take_head(frames, (uint8_t)in.ptr[at], ret_what);
        if (code != SKY_WS_GOING_ON)
            break;
        at++;
    }
    *ret_good = at;
    return code;
}
