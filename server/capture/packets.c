#include "server/capture/packets.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "protocol/base/assert.h"

enum {
    HOP_LIMIT = 64,
    WINDOW = 65535,
    WINDOW_SHIFT = 14, /* RFC 7323 §2.3: as wide as it gets, for nobody has to wait here */
    SEGMENT_MAX = 65495,
};

/* What SYN carries: maximum segment size (RFC 9293 §3.2), no-operation, window scale. */
static const uint8_t syn_options[] = {2, 4, SEGMENT_MAX >> 8, SEGMENT_MAX & 255, 1,
                                      3, 3, WINDOW_SHIFT};

/* The checksum of RFC 1071, summed up over parts that have an even length but for the last. */
static uint32_t add_up(uint32_t sum, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (; len > 1; at += 2, len -= 2)
        sum += (uint32_t)at[0] << 8 | at[1];
    if (len > 0)
        sum += (uint32_t)at[0] << 8;
    return (sum & 0xffff) + (sum >> 16);
}

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* From where to where: ports as the network has them, and addresses where they stand in the packet,
 * which is all of the pseudo header but length and protocol (RFC 9293 §3.1, RFC 8200 §8.1). */
struct ends {
    uint16_t from, to;
    const void *addresses;
    size_t len;
};

static struct ends put_ipv4(const struct sockaddr_in *from, const struct sockaddr_in *to,
                            uint16_t id, uint8_t protocol, size_t len, uint8_t *out)
{
    struct ip ip = {.ip_hl = sizeof ip / 4,
                    .ip_v = 4,
                    .ip_len = htons((uint16_t)(sizeof ip + len)),
                    .ip_id = htons(id),
                    .ip_off = htons(IP_DF),
                    .ip_ttl = HOP_LIMIT,
                    .ip_p = protocol,
                    .ip_src = from->sin_addr,
                    .ip_dst = to->sin_addr};
    ip.ip_sum = folded(add_up(0, &ip, sizeof ip));
    memcpy(out, &ip, sizeof ip);
    return (struct ends){from->sin_port, to->sin_port, out + offsetof(struct ip, ip_src),
                         2 * sizeof ip.ip_src};
}

static struct ends put_ipv6(const struct sockaddr_in6 *from, const struct sockaddr_in6 *to,
                            uint8_t protocol, size_t len, uint8_t *out)
{
    struct ip6_hdr ip = {.ip6_src = from->sin6_addr, .ip6_dst = to->sin6_addr};
    ip.ip6_flow = htonl(6u << 28);
    ip.ip6_plen = htons((uint16_t)len);
    ip.ip6_nxt = protocol;
    ip.ip6_hlim = HOP_LIMIT;
    memcpy(out, &ip, sizeof ip);
    return (struct ends){from->sin6_port, to->sin6_port, out + offsetof(struct ip6_hdr, ip6_src),
                         2 * sizeof ip.ip6_src};
}

/* The IP header; returns its length, 0: there is no address. */
static size_t put_ip(struct sky_packet_flow *flow, bool from_peer, uint8_t protocol, size_t len,
                     uint8_t *out, struct ends *ret_ends)
{
    const void *from = from_peer ? &flow->peer : &flow->local,
               *to = from_peer ? &flow->local : &flow->peer;
    if (flow->peer.ss_family != flow->local.ss_family)
        return 0;
    if (flow->peer.ss_family == AF_INET) {
        *ret_ends = put_ipv4(from, to, flow->id[from_peer]++, protocol, len, out);
        return sizeof(struct ip);
    }
    if (flow->peer.ss_family != AF_INET6)
        return 0;
    *ret_ends = put_ipv6(from, to, protocol, len, out);
    return sizeof(struct ip6_hdr);
}

static uint16_t checksum(const struct ends *ends, uint8_t protocol, const uint8_t *head,
                         size_t head_len, sky_span data)
{
    const uint32_t pseudo = (uint32_t)protocol + (uint32_t)(head_len + data.len);
    uint32_t sum = add_up(pseudo, ends->addresses, ends->len);
    return folded(add_up(add_up(sum, head, head_len), data.ptr, data.len));
}

sky_span sky_packet_tcp(struct sky_packet_flow *flow, bool from_peer, unsigned flags, sky_span data,
                        uint8_t out[SKY_PACKET_HEAD_MAX])
{
    SKY_ASSERT(data.len <= SKY_PACKET_DATA_MAX);
    size_t options = flags & SKY_PACKET_SYN ? sizeof syn_options : 0;
    size_t head = sizeof(struct tcphdr) + options;
    struct ends ends;
    size_t ip = put_ip(flow, from_peer, IPPROTO_TCP, head + data.len, out, &ends);
    if (ip == 0)
        return SKY_SPAN_NONE;
    struct tcphdr tcp = {0};
    tcp.th_sport = ends.from;
    tcp.th_dport = ends.to;
    tcp.th_seq = htonl(flow->next[from_peer]);
    tcp.th_ack = htonl(flags & SKY_PACKET_ACK ? flow->next[!from_peer] : 0);
    tcp.th_off = head / 4 & 15;
    tcp.th_flags = (uint8_t)flags;
    tcp.th_win = htons(WINDOW);
    memcpy(out + ip, &tcp, sizeof tcp);
    memcpy(out + ip + sizeof tcp, syn_options, options);
    tcp.th_sum = checksum(&ends, IPPROTO_TCP, out + ip, head, data);
    memcpy(out + ip, &tcp, sizeof tcp);
    flow->next[from_peer] +=
        (uint32_t)data.len + ((flags & (SKY_PACKET_SYN | SKY_PACKET_FIN)) != 0);
    return sky_span_of(out, ip + head);
}

sky_span sky_packet_udp(struct sky_packet_flow *flow, bool from_peer, sky_span data,
                        uint8_t out[SKY_PACKET_HEAD_MAX])
{
    SKY_ASSERT(data.len <= SKY_PACKET_DATA_MAX);
    size_t head = sizeof(struct udphdr);
    struct ends ends;
    size_t ip = put_ip(flow, from_peer, IPPROTO_UDP, head + data.len, out, &ends);
    if (ip == 0)
        return SKY_SPAN_NONE;
    struct udphdr udp = {0};
    udp.uh_sport = ends.from;
    udp.uh_dport = ends.to;
    udp.uh_ulen = htons((uint16_t)(head + data.len));
    memcpy(out + ip, &udp, sizeof udp);
    udp.uh_sum = checksum(&ends, IPPROTO_UDP, out + ip, head, data);
    if (udp.uh_sum == 0)
        udp.uh_sum = 0xffff; /* 0 would mean that there is none (RFC 768) */
    memcpy(out + ip, &udp, sizeof udp);
    return sky_span_of(out, ip + head);
}
