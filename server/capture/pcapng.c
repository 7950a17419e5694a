#include "server/capture/pcapng.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_RAW = 101, /* the packet begins with an IP header, of version 4 or 6 */

    OPT_END = 0,
    OPT_COMMENT = 1,
    SHB_USERAPPL = 4,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
    MILLISECONDS = 3, /* of if_tsresol: a power of ten, negated */

    LENGTH_SIZE = 4, /* of a block, which stands at both its ends */
    PACKET_HEAD = 28,
};

/* ---- numbers, least byte first: the magic says so ---- */

static void put(struct sky_buf *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        sky_buf_add_byte(out, (uint8_t)(value >> 8 * i));
}

static void put_time(struct sky_buf *out, int64_t unix_ms)
{
    put(out, (uint64_t)unix_ms >> 32, 4);
    put(out, (uint64_t)unix_ms & UINT32_MAX, 4);
}

static void pad(struct sky_buf *out, size_t len)
{
    put(out, 0, (int)(-len & 3));
}

static void put_option(struct sky_buf *out, unsigned code, sky_span value)
{
    value = sky_span_head(value, SKY_PCAPNG_TEXT_MAX);
    put(out, code, 2);
    put(out, value.len, 2);
    sky_buf_add(out, value);
    pad(out, value.len);
}

/* ---- blocks ---- */

static size_t begin(struct sky_buf *out, uint32_t type)
{
    size_t block = out->len;
    put(out, type, 4);
    put(out, 0, LENGTH_SIZE);
    return block;
}

static void end(struct sky_buf *out, size_t block)
{
    uint32_t len = (uint32_t)(out->len + LENGTH_SIZE - block);
    put(out, len, LENGTH_SIZE);
    if (out->overflow)
        return;
    for (int i = 0; i < LENGTH_SIZE; i++)
        out->bytes[block + 4 + (size_t)i] = (char)(len >> 8 * i);
}

void sky_pcapng_section(struct sky_buf *out, const char *application, sky_span comment)
{
    size_t block = begin(out, BLOCK_SECTION);
    put(out, BYTE_ORDER_MAGIC, 4);
    put(out, 1, 2); /* version 1.0 */
    put(out, 0, 2);
    put(out, UINT64_MAX, 8); /* how long the section is: not told */
    if (comment.len > 0)
        put_option(out, OPT_COMMENT, comment);
    put_option(out, SHB_USERAPPL, sky_span_str(application));
    put(out, OPT_END, 4);
    end(out, block);
}

void sky_pcapng_interface(struct sky_buf *out, const char *name)
{
    static const char resolution = MILLISECONDS;
    size_t block = begin(out, BLOCK_INTERFACE);
    put(out, LINKTYPE_RAW, 2);
    put(out, 0, 2);
    put(out, 0, 4); /* packets are never cut */
    put_option(out, IF_NAME, sky_span_str(name));
    put_option(out, IF_TSRESOL, sky_span_of(&resolution, 1));
    put(out, OPT_END, 4);
    end(out, block);
}

void sky_pcapng_packet(struct sky_buf *out, uint32_t interface, int64_t unix_ms, sky_span head,
                       sky_span rest)
{
    size_t len = head.len + rest.len, block = begin(out, BLOCK_PACKET);
    put(out, interface, 4);
    put_time(out, unix_ms);
    put(out, len, 4); /* captured, */
    put(out, len, 4); /* and sent */
    sky_buf_add(out, head);
    sky_buf_add(out, rest);
    pad(out, len);
    end(out, block);
}

/* The block is opened at its end; if it had options already, behind the last of them. */
void sky_pcapng_comment(struct sky_buf *out, size_t block, sky_span comment)
{
    size_t len = 0;
    for (size_t i = 0; i < 4; i++)
        len |= (size_t)(uint8_t)out->bytes[block + 20 + i] << 8 * i;
    size_t bare = PACKET_HEAD + len + (-len & 3) + LENGTH_SIZE;
    SKY_ASSERT(out->len - block >= bare);
    out->len -= LENGTH_SIZE + (out->len - block > bare ? 4 : 0);
    put_option(out, OPT_COMMENT, comment);
    put(out, OPT_END, 4);
    end(out, block);
}

void sky_pcapng_statistics(struct sky_buf *out, uint32_t interface, int64_t unix_ms,
                           uint64_t received, uint64_t lost)
{
    size_t block = begin(out, BLOCK_STATISTICS);
    put(out, interface, 4);
    put_time(out, unix_ms);
    put(out, ISB_IFRECV, 2);
    put(out, 8, 2);
    put(out, received, 8);
    put(out, ISB_IFDROP, 2);
    put(out, 8, 2);
    put(out, lost, 8);
    put(out, OPT_END, 4);
    end(out, block);
}
