/* TLS 1.0 to 1.2 between a peer's raw bytes and its clear ones.
 * A channel has no socket: raw bytes are fed in and fetched, clear ones come by a hook and are
 * sealed. It never knows what they mean, and looks keys up through a hook only.
 * The costly steps of a full handshake run on workers of the loop. While one does, the channel
 * belongs to it: the loop only collects input. Everything that looks at the outside (hooks, pre-
 * shared keys, tickets) happens on the loop. */
#ifndef SKY_SERVER_TLS_CHANNEL_H
#define SKY_SERVER_TLS_CHANNEL_H

#include "protocol/base/buf.h"
#include "protocol/cloud/cloud.h"
#include "server/tls/explain.h"
#include "server/tls/lies.h"

struct sky_tls;
struct sky_tls_server;

enum {
    SKY_TLS_INPUT_MAX = 512 * 1024,       /* bytes fed but not yet decrypted */
    SKY_TLS_OUTPUT_MAX = 5 * 1024 * 1024, /* bytes sealed but not yet fetched */
    SKY_TLS_IDENTITY_MAX = 256,           /* bytes of a PSK identity that is looked up */
};

/* How a channel speaks to its owner: on the loop, from within sky_tls_feed() or by itself when a
 * worker is done. A hook may seal and close but must not free the channel. */
struct sky_tls_hooks {
    /* Raw bytes wait in sky_tls_raw(). */
    void (*on_raw)(void *ctx);
    /* The handshake is over; sky_tls_fill_door() has the results. */
    void (*on_open)(void *ctx);
    /* Decrypted bytes; they are gone when the hook returns. */
    void (*on_clear)(void *ctx, sky_span clear);
    /* Nothing more will be decrypted: the peer said goodbye (sky_tls_failure() is NULL) or the
     * channel failed. An alert may wait in sky_tls_raw(). Called once. */
    void (*on_end)(void *ctx);
    /* The key of a PSK identity; anything but SKY_OK refuses it. */
    sky_err (*psk_lookup)(void *ctx, sky_span identity, struct sky_psk *ret_key,
                          int64_t *ret_device_id);
    /* It is known who shakes hands: the ClientHello is read, or, if that offers nothing but
     * pre-shared keys, the identity is looked up. Called once; the place for sky_tls_lie() and
     * sky_tls_pause(). NULL: nobody is told. */
    void (*on_known)(void *ctx);
};

/* `allows` is the listener's: SKY_LISTEN_PSK and SKY_LISTEN_CERT_* count here. When handshakes_max
 * are in progress already, one whose client has been silent for long ends; NULL if there is none.
 * `hooks` must outlive the channel. */
struct sky_tls *sky_tls_new(struct sky_tls_server *server, unsigned allows,
                            const struct sky_tls_hooks *hooks, void *ctx);
/* NULL is fine. No hook is called any more, even if a worker is still busy. */
void sky_tls_free(struct sky_tls *tls);

/* Raw bytes from the peer. */
void sky_tls_feed(struct sky_tls *tls, sky_span raw);

/* Encrypts all of `clear` into sky_tls_raw() and empties it. Before the handshake is over nothing
 * happens; on a channel that has ended the bytes are dropped. */
void sky_tls_seal(struct sky_tls *tls, struct sky_buf *clear);

/* Raw bytes for the peer: the caller sends them and drops them from the buffer, or takes the
 * buffer's memory for itself and leaves it empty. */
struct sky_buf *sky_tls_raw(struct sky_tls *tls);

/* Says goodbye: no more is sealed. Idempotent. */
void sky_tls_close(struct sky_tls *tls);

/* The peer went away, or took too long. If that cut a handshake short, sky_tls_failure() says so
 * from then on; no hook is called. */
void sky_tls_give_up(struct sky_tls *tls, enum sky_tls_end end);

enum sky_tls_state { SKY_TLS_HANDSHAKING, SKY_TLS_OPEN, SKY_TLS_CLOSED, SKY_TLS_FAILED };
enum sky_tls_state sky_tls_state(const struct sky_tls *tls);

/* From within on_known(): shows a certificate that is wrong on purpose, and resumes no session. */
void sky_tls_lie(struct sky_tls *tls, enum sky_lie lie);
/* From within on_known(): the handshake stands until sky_tls_resume(). */
void sky_tls_pause(struct sky_tls *tls);
void sky_tls_resume(struct sky_tls *tls);

/* ---- what came of it: valid as long as the channel ---- */

/* Sets the fields that TLS proves: version, server name, certificate, PSK device. Only the server
 * name is there before the handshake is over. */
void sky_tls_fill_door(const struct sky_tls *tls, struct sky_door *door);
const char *
sky_tls_cipher(const struct sky_tls *tls); /* "TLS-RSA-WITH-..."; "" before it is known */
sky_span sky_tls_identity(const struct sky_tls *tls); /* the PSK identity, or empty */
/* After a failed handshake: was this the pre-shared key that the client used? */
bool sky_tls_psk_fits(const struct sky_tls *tls, sky_span key);
enum sky_lie sky_tls_lie_shown(const struct sky_tls *tls);
bool sky_tls_resumed(const struct sky_tls *tls); /* with a session ticket */
/* Is it this side's turn: are certificates being made, or is a worker at a step? The client cannot
 * be blamed for the time that takes. */
bool sky_tls_keeps_waiting(const struct sky_tls *tls);
/* What the client offered, in words for the journal; "" before the ClientHello is complete and
 * after the handshake is over. */
const char *sky_tls_offered(const struct sky_tls *tls);
/* NULL unless the channel failed. */
const struct sky_tls_failure *sky_tls_failure(const struct sky_tls *tls);

#endif
