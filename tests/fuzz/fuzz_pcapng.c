/* A script of packets, comments and statistics into a capture file: every block has its length at
 * both ends, a multiple of four, and holds what was put into it. (draft-ietf-opsawg-pcapng §3.1) */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/capture/packets.h"
#include "server/capture/pcapng.h"

enum { SECTION = 0x0a0d0d0a, PACKET = 6, BLOCK_MIN = 12, OUT_MAX = 1 << 20 };

static size_t number(const struct sky_buf *out, size_t at, size_t bytes)
{
    size_t value = 0;
    SKY_ASSERT(at + bytes <= out->len);
    for (size_t i = 0; i < bytes; i++)
        value |= (size_t)(uint8_t)out->bytes[at + i] << 8 * i;
    return value;
}

/* The options between, up to their end. */
static void check_options(const struct sky_buf *out, size_t at, size_t end)
{
    while (at < end) {
        size_t code = number(out, at, 2), len = number(out, at + 2, 2);
        SKY_ASSERT(len <= SKY_PCAPNG_TEXT_MAX);
        at += 4 + len + (-len & 3);
        if (code == 0)
            SKY_ASSERT(len == 0 && at == end);
    }
    SKY_ASSERT(at == end);
}

static void check_blocks(const struct sky_buf *out, size_t packets)
{
    size_t at = 0, seen = 0;
    while (at < out->len) {
        size_t type = number(out, at, 4), len = number(out, at + 4, 4);
        SKY_ASSERT(len >= BLOCK_MIN && len % 4 == 0 && number(out, at + len - 4, 4) == len);
        SKY_ASSERT((at == 0) == (type == SECTION));
        if (type == PACKET) {
            size_t data = number(out, at + 20, 4);
            SKY_ASSERT(data == number(out, at + 24, 4));
            check_options(out, at + 28 + data + (-data & 3), at + len - 4);
            seen++;
        }
        at += len;
    }
    SKY_ASSERT(at == out->len && seen == packets);
}

/* The head of a packet in either version says how long the packet is. */
static size_t put_packet(struct sky_buf *out, struct sky_packet_flow *flow, uint8_t how,
                         sky_span data)
{
    uint8_t room[SKY_PACKET_HEAD_MAX];
    size_t block = out->len;
    uint32_t next = flow->next[how & 1];
    sky_span head = how & 2 ? sky_packet_udp(flow, how & 1, data, room)
                            : sky_packet_tcp(flow, how & 1, how & 0x1f, data, room);
    SKY_ASSERT(head.len > 0 && head.len <= sizeof room);
    unsigned version = (uint8_t)head.ptr[0] >> 4, at = version == 4 ? 2 : 4;
    size_t told = (size_t)room[at] << 8 | room[at + 1];
    SKY_ASSERT(told + (version == 4 ? 0 : 40) == head.len + data.len);
    SKY_ASSERT(how & 2 || flow->next[how & 1] - next <= data.len + 2);
    sky_pcapng_packet(out, how & 1, how * INT64_C(1000), head, data);
    return block;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_packet_flow flow = {0};
    struct sky_buf out;
    size_t packets = 0, last = 0;
    if (len < 1 || len > 16 * 1024)
        return 0;
    flow.peer.ss_family = flow.local.ss_family = bytes[0] & 1 ? AF_INET6 : AF_INET;
    sky_buf_init(&out, OUT_MAX);
    sky_pcapng_section(&out, "fuzz", sky_span_of(bytes, len));
    sky_pcapng_interface(&out, "one");
    for (size_t at = 1; at + 2 < len && out.len < OUT_MAX / 2; at += 2) {
        size_t size = bytes[at + 1] < len - at - 2 ? bytes[at + 1] : len - at - 2;
        sky_span data = sky_span_of(bytes + at + 2, size);
        if (bytes[at] % 8 == 7)
            sky_pcapng_statistics(&out, 0, bytes[at], packets, bytes[at + 1]);
        else if (bytes[at] % 8 == 6 && packets > 0)
            sky_pcapng_comment(&out, last, data);
        else
            last = put_packet(&out, &flow, bytes[at], data), packets++;
        if (bytes[at] % 8 == 7) /* a comment is for the last block only */
            last = put_packet(&out, &flow, 0, data), packets++;
        at += size;
    }
    SKY_ASSERT(!out.overflow);
    check_blocks(&out, packets);
    sky_buf_done(&out);
    return 0;
}
