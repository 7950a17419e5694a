/* Blocks of a capture file, "PCAP Next Generation" (draft-ietf-opsawg-pcapng): appended to a
 * buffer. Pure; knows nothing of what the packets are. */
#ifndef SKY_SERVER_CAPTURE_PCAPNG_H
#define SKY_SERVER_CAPTURE_PCAPNG_H

#include "protocol/base/buf.h"

enum { SKY_PCAPNG_TEXT_MAX = 4096 }; /* bytes of one option; longer ones are cut */

/* Section Header Block (draft §4.1), with which a file begins. `comment` may be empty. */
void sky_pcapng_section(struct sky_buf *out, const char *application, sky_span comment);
/* Interface Description Block (§4.2), of IP packets with times in milliseconds. The first one is
 * number 0. */
void sky_pcapng_interface(struct sky_buf *out, const char *name);

/* Enhanced Packet Block (§4.3): a packet in two parts. */
void sky_pcapng_packet(struct sky_buf *out, uint32_t interface, int64_t unix_ms, sky_span head,
                       sky_span rest);
/* Adds a comment (§3.5) to the packet whose block begins there, and which is the last in `out`. */
void sky_pcapng_comment(struct sky_buf *out, size_t block, sky_span comment);

/* Interface Statistics Block (§4.6). */
void sky_pcapng_statistics(struct sky_buf *out, uint32_t interface, int64_t unix_ms,
                           uint64_t received, uint64_t lost);

#endif
