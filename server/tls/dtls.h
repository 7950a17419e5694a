/* A DTLS 1.2 server with pre-shared keys: datagrams of many peers in, clear messages out.
 * Has no socket and reads no clock: datagrams, time and timers come from the owner. A peer costs
 * nothing before it has proven its address with a cookie (RFC 6347 §4.2.1).
 * Speaks TLS_PSK_WITH_AES_128_CCM_8 and TLS_PSK_WITH_AES_128_CBC_SHA256 and nothing else, sends
 * no identity hint (RFC 4279 §5.2 leaves it out; a client in the field fails on one). */
#ifndef SKY_SERVER_TLS_DTLS_H
#define SKY_SERVER_TLS_DTLS_H

#include <netinet/in.h>

#include "auth/psk.h"
#include "protocol/base/timerq.h"
#include "server/tls/proof.h"

enum {
    SKY_DTLS_PEERS_MAX = 20000,          /* the one silent for longest makes room */
    SKY_DTLS_HANDSHAKES_MAX = 2000,      /* in progress */
    SKY_DTLS_HOST_HANDSHAKES_MAX = 1000, /* of one IP address, whatever its ports */
    /* Where that is reached, a handshake that stood for so long makes room; if there is none,
     * whoever is new has to try again, which is due after as much (RFC 6347 §4.2.4.1). */
    SKY_DTLS_HALF_OPEN_MS = 1000,
    SKY_DTLS_CROWD_MS = 1000, /* how often a crowd is told of */
    SKY_DTLS_HANDSHAKE_MS = 60 * 1000,
    SKY_DTLS_RETRANSMIT_MIN_MS = 1000, /* RFC 6347 §4.2.4.1 */
    SKY_DTLS_RETRANSMIT_MAX_MS = 16000,
    SKY_DTLS_IDENTITY_MAX = 160,    /* bytes */
    SKY_DTLS_CLEAR_MAX = 16 * 1024, /* bytes of one message: a whole record */
};

struct sky_dtls;
struct sky_dtls_peer;
struct sky_keylog;

/* Why a handshake did not succeed. */
enum sky_dtls_failure {
    SKY_DTLS_NOT_DTLS, /* no record of DTLS */
    SKY_DTLS_STRAY,    /* a record of a session that is not here, or not here any more */
    SKY_DTLS_NO_SUITE, /* none of the two suites offered */
    SKY_DTLS_NO_PSK,   /* not a single PSK suite offered */
    SKY_DTLS_IDENTITY, /* the identity was refused: alert 115 */
    SKY_DTLS_KEY,      /* the key does not fit: alert 20 */
    SKY_DTLS_VERSION,  /* below DTLS 1.2 */
    SKY_DTLS_SILENT,   /* the peer stopped in the middle */
    SKY_DTLS_BROKEN,   /* anything else the library refused */
};

/* What the owner does. `owner` is the owner's own; hooks must not free peers but may close them. */
struct sky_dtls_hooks {
    void (*send)(void *owner, const struct sockaddr_storage *to, sky_span datagram);
    /* The key of an identity; anything but SKY_OK refuses it. */
    sky_err (*psk_lookup)(void *owner, struct sky_dtls_peer *peer, sky_span identity,
                          struct sky_psk *ret_key);
    void (*on_open)(void *owner, struct sky_dtls_peer *peer);
    void (*on_clear)(void *owner, struct sky_dtls_peer *peer, sky_span clear);
    /* `peer` is NULL for one that looked no key up; `proof` tests keys after SKY_DTLS_KEY;
     * `datagram` is what came in last, NONE for SKY_DTLS_SILENT. */
    void (*on_failure)(void *owner, struct sky_dtls_peer *peer, const struct sockaddr_storage *from,
                       enum sky_dtls_failure failure, const struct sky_tls_proof *proof,
                       sky_span datagram);
    /* The peer's memory is about to go; called once for each that opened or looked a key up. */
    void (*on_close)(void *owner, struct sky_dtls_peer *peer);
    /* So many handshakes are in progress that some have been turned away: how many ever. */
    void (*on_crowd)(void *owner, uint64_t turned_away);
};

struct sky_dtls_options {
    const struct sky_dtls_hooks *hooks; /* borrowed */
    void *owner;
    struct sky_timerq *timers; /* borrowed; real time */
    const int64_t *now_ms;     /* borrowed; the time of `timers` */
    struct sky_keylog *keylog; /* borrowed; NULL: secrets are written nowhere */
    size_t peers_max, handshakes_max, host_handshakes_max; /* 0: SKY_DTLS_..._MAX */
};

struct sky_dtls *sky_dtls_new(const struct sky_dtls_options *options);
void sky_dtls_free(struct sky_dtls *dtls); /* closes all peers; NULL is fine */

void sky_dtls_feed(struct sky_dtls *dtls, const struct sockaddr_storage *from, sky_span datagram);
/* Sends a clear message to an open peer; false when it cannot be sent. */
bool sky_dtls_send(struct sky_dtls_peer *peer, sky_span clear);
/* Says goodbye and lets go: at once, or within a hook when the outermost call returns. */
void sky_dtls_close(struct sky_dtls_peer *peer);

/* Lets go without a word. */
void sky_dtls_drop(struct sky_dtls_peer *peer);
/* Lets go of one that shakes hands with an alert that says so; of an open one as sky_dtls_close().
 */
void sky_dtls_refuse(struct sky_dtls_peer *peer);
/* Leaves it hanging: nothing is read from it or sent to it any more, until it shakes hands anew, or
 * sky_dtls_thaw(). It goes as others that are silent do. */
void sky_dtls_freeze(struct sky_dtls_peer *peer, uint64_t by);
/* Lets go, without a word, of those that were frozen `by`; 0: of all. */
void sky_dtls_thaw(struct sky_dtls *dtls, uint64_t by);
/* Whoever is at the address, the latest if several handshakes are in progress; NULL: nobody. */
struct sky_dtls_peer *sky_dtls_find(const struct sky_dtls *dtls,
                                    const struct sockaddr_storage *address);

size_t sky_dtls_peers(const struct sky_dtls *dtls);
/* Handshakes that made room, and hellos that found none. */
uint64_t sky_dtls_turned_away(const struct sky_dtls *dtls);

/* The owner's value of a peer, NULL at first. */
void *sky_dtls_peer_state(const struct sky_dtls_peer *peer);
void sky_dtls_peer_set_state(struct sky_dtls_peer *peer, void *state);
const struct sockaddr_storage *sky_dtls_peer_address(const struct sky_dtls_peer *peer);
const char *sky_dtls_peer_cipher(const struct sky_dtls_peer *peer); /* static; "" before known */

#endif
