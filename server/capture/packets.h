/* IP packets around bytes that went another way: the TCP or UDP that would have carried them in the
 * clear. Pure. */
#ifndef SKY_SERVER_CAPTURE_PACKETS_H
#define SKY_SERVER_CAPTURE_PACKETS_H

#include <netinet/in.h>

#include "protocol/base/span.h"

enum {
    SKY_PACKET_HEAD_MAX = 40 + 28,   /* IPv6, and TCP with what SYN carries */
    SKY_PACKET_DATA_MAX = 64 * 1000, /* bytes of one packet, so that IPv4 can carry it too */
};

/* A connection as both sides count it. Embedded. */
struct sky_packet_flow {
    struct sockaddr_storage peer, local;
    uint32_t next[2]; /* sequence number of the next byte from us, and from the peer */
    uint16_t id[2];   /* of the next IPv4 packet */
};

enum sky_packet_flags {
    SKY_PACKET_FIN = 1,
    SKY_PACKET_SYN = 2,
    SKY_PACKET_RST = 4,
    SKY_PACKET_PSH = 8,
    SKY_PACKET_ACK = 16,
};

/* The head of the next TCP segment or UDP datagram with this data, in `out`; the flow has moved on.
 * Empty: there is no address to make it for. */
sky_span sky_packet_tcp(struct sky_packet_flow *flow, bool from_peer, unsigned flags, sky_span data,
                        uint8_t out[SKY_PACKET_HEAD_MAX]);
sky_span sky_packet_udp(struct sky_packet_flow *flow, bool from_peer, sky_span data,
                        uint8_t out[SKY_PACKET_HEAD_MAX]);

#endif
