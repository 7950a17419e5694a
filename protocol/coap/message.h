/* CoAP messages (RFC 7252): datagrams to views and values to datagrams.
 * Pure: no I/O, no allocation, no logging. libcoap reads and writes the options; what they mean is
 * decided here. Must never know of devices or clouds. */
#ifndef SKY_COAP_MESSAGE_H
#define SKY_COAP_MESSAGE_H

#include "protocol/base/buf.h"
#include "protocol/base/span.h"

enum {
    SKY_COAP_TAKEN_MAX = 16 * 1024, /* bytes of a message taken: as long as a DTLS record */
    SKY_COAP_SENT_MAX = 1600,       /* of one sent: a block of 1024 and a path as option fit */
    SKY_COAP_TOKEN_MAX = 8,         /* bytes (3) */
    SKY_COAP_SEGMENT_MAX = 255,     /* bytes of one Uri-Path or Uri-Query option (5.10) */
    SKY_COAP_PATH_MAX = 512,        /* bytes of all Uri-Path segments with their slashes */
    SKY_COAP_QUERY_MAX = 256,       /* bytes of all Uri-Query items */
    SKY_COAP_OPTIONS_MAX = 64,      /* options in one message */
};

enum sky_coap_type { SKY_COAP_CON, SKY_COAP_NON, SKY_COAP_ACK, SKY_COAP_RST };

#define SKY_COAP_CODE(class_, detail) ((class_) << 5 | (detail))
enum sky_coap_code {
    SKY_COAP_EMPTY = SKY_COAP_CODE(0, 0),
    SKY_COAP_GET = SKY_COAP_CODE(0, 1),
    SKY_COAP_POST = SKY_COAP_CODE(0, 2),
    SKY_COAP_PUT = SKY_COAP_CODE(0, 3),
    SKY_COAP_DELETE = SKY_COAP_CODE(0, 4),
    SKY_COAP_CHANGED = SKY_COAP_CODE(2, 4),
    SKY_COAP_CONTENT = SKY_COAP_CODE(2, 5),
    SKY_COAP_CONTINUE = SKY_COAP_CODE(2, 31),
    SKY_COAP_BAD_REQUEST = SKY_COAP_CODE(4, 0),
    SKY_COAP_UNAUTHORIZED = SKY_COAP_CODE(4, 1),
    SKY_COAP_BAD_OPTION = SKY_COAP_CODE(4, 2),
    SKY_COAP_FORBIDDEN = SKY_COAP_CODE(4, 3),
    SKY_COAP_NOT_FOUND = SKY_COAP_CODE(4, 4),
    SKY_COAP_METHOD_NOT_ALLOWED = SKY_COAP_CODE(4, 5),
    SKY_COAP_NOT_ACCEPTABLE = SKY_COAP_CODE(4, 6),
    SKY_COAP_INCOMPLETE = SKY_COAP_CODE(4, 8),
    SKY_COAP_TOO_LARGE = SKY_COAP_CODE(4, 13),
    SKY_COAP_UNSUPPORTED_FORMAT = SKY_COAP_CODE(4, 15),
    SKY_COAP_INTERNAL = SKY_COAP_CODE(5, 0),
    SKY_COAP_NO_PROXY = SKY_COAP_CODE(5, 5),
};

/* A Block1 or Block2 option (RFC 7959 §2.2). */
struct sky_coap_block {
    uint32_t number;
    uint8_t szx; /* block size is 16 << szx; 7 is reserved */
    bool present, more;
};

static inline size_t sky_coap_block_size(uint8_t szx)
{
    return (size_t)16 << szx;
}

/* A message taken apart. `path` and `query` are the struct's own; the rest views the datagram.
 * A slash or NUL within a segment stands as %2F or %00, so that it is not taken for a level. */
struct sky_coap_message {
    enum sky_coap_type type;
    uint8_t code;
    uint16_t id;
    sky_span token, payload;
    char path[SKY_COAP_PATH_MAX + 1];   /* "/topic/sys/..."; "" without Uri-Path */
    char query[SKY_COAP_QUERY_MAX + 1]; /* items joined with '&' */
    struct sky_coap_block block1, block2;
    uint32_t size1; /* announced length of the whole body; 0: not announced */
    bool observe;
    bool other_format;       /* the payload is said to be of a format that is not taken */
    uint8_t refusal;         /* code that a request is to be answered with for its options; or 0 */
    uint16_t refused_option; /* number of the first of them */
};

enum sky_coap_parse {
    SKY_COAP_PARSED,
    SKY_COAP_MALFORMED, /* type and id are set: a confirmable one is to be reset (4.2) */
    SKY_COAP_NO_COAP,   /* too short, or another version: to be ignored in silence (3) */
};

enum sky_coap_parse sky_coap_parse(sky_span datagram, struct sky_coap_message *ret_message);

/* A message to be sent. Views; NONE spans and absent blocks leave the option out. */
struct sky_coap_reply {
    enum sky_coap_type type;
    uint8_t code;
    uint16_t id;
    sky_span token, payload;
    bool json; /* Content-Format is application/json */
    struct sky_coap_block block1, block2;
    uint32_t size2; /* length of the whole body, with the first block of several; or 0 */
    uint32_t size1; /* bytes of a body that is taken at most, where one was too long; or 0 */
    uint16_t extra; /* number of one more option, above those here; 0: none */
    sky_span extra_value;
};

/* Appends the datagram to `out`; false, and nothing appended, when it does not fit. */
bool sky_coap_put(struct sky_buf *out, const struct sky_coap_reply *reply);

/* "2.05"; static storage is not used: `out` takes 5 bytes. */
void sky_coap_code_text(uint8_t code, char out[5]);
/* "CON"; static. */
const char *sky_coap_type_name(enum sky_coap_type type);

#endif
