/* Session tickets (RFC 5077): a session sealed with a key that only this server has and changes
 * every day. Bytes in, bytes out; time is an argument, so a ticket ages with whatever clock the
 * caller has. Knows no TLS. */
#ifndef SKY_SERVER_TLS_TICKETS_H
#define SKY_SERVER_TLS_TICKETS_H

#include <mbedtls/gcm.h>

#include "protocol/base/span.h"
#include "server/tls/rng.h"

enum {
    SKY_TICKET_LIFETIME_S = 24 * 60 * 60, /* of a ticket, and of a key in use */
    SKY_TICKET_NAME = 8,                  /* bytes: which key */
    SKY_TICKET_ISSUED = 8,
    SKY_TICKET_NONCE = 12,
    SKY_TICKET_TAG = 16,
    SKY_TICKET_OVERHEAD = SKY_TICKET_NAME + SKY_TICKET_ISSUED + SKY_TICKET_NONCE + SKY_TICKET_TAG,
};

/* The key in use and the one before it, so that every ticket lives for its full time. */
struct sky_tickets {
    struct sky_tls_rng *rng; /* borrowed */
    struct sky_ticket_key {
        mbedtls_gcm_context gcm;
        uint8_t name[SKY_TICKET_NAME];
        int64_t made_ms;
        bool made;
    } keys[2];
    unsigned in_use;
};

void sky_tickets_init(struct sky_tickets *tickets, struct sky_tls_rng *rng);
void sky_tickets_done(struct sky_tickets *tickets);

/* Seals `plain` into `out`, where it may lie itself. `label` must be the same to open it. False
 * when `room` is too small. */
bool sky_tickets_seal(struct sky_tickets *tickets, int64_t now_ms, uint8_t label, sky_span plain,
                      uint8_t *out, size_t room, size_t *ret_len);

/* Opens in place; `*ret_plain` lies in `ticket`. False: too old, from the future, with another
 * label, damaged, or none of ours. */
bool sky_tickets_open(struct sky_tickets *tickets, int64_t now_ms, uint8_t label, uint8_t *ticket,
                      size_t len, sky_span *ret_plain);

#endif
