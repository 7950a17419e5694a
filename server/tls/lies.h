/* Certificates that are wrong on purpose, one for each way in which a device has to notice it: made
 * of the server's own keys, on a worker, all at once, when somebody first wants one. RSA and ECDSA
 * of each, so that whoever speaks only one of them sees it too. */
#ifndef SKY_SERVER_TLS_LIES_H
#define SKY_SERVER_TLS_LIES_H

#include "server/tls/ca.h"

/* Row: enumerator, name. */
#define SKY_LIES(X)                                                                                \
    X(EXPIRED, "expired")             /* since yesterday */                                        \
    X(NOT_YET_VALID, "not-yet-valid") /* before next year */                                       \
    X(WRONG_NAME, "wrong-name")       /* of a host that nobody has */                              \
    X(UNKNOWN_CA, "unknown-ca")       /* signed by somebody else */                                \
    X(SELF_SIGNED, "self-signed")                                                                  \
    X(LARGE, "large") /* nothing wrong but its size: SKY_LIE_LARGE_SIZE bytes and a little more */ \
    X(WEAK_KEY, "weak-key") /* RSA of 1024 bits, signed with SHA-1; there is no ECDSA one */

enum sky_lie {
    SKY_LIE_NONE,
#define X(name, text) SKY_LIE_##name,
    SKY_LIES(X)
#undef X
        SKY_LIE_COUNT
};

/* Chain and handshake message must fit one record of 16384 bytes, which is as much as a TLS library
 * needs to take; many have room for 4096. */
enum { SKY_LIE_LARGE_SIZE = 14000 };

const char *sky_lie_name(enum sky_lie lie);

struct sky_clock;
struct sky_lies;

/* `loop` NULL: the caller's thread makes them. All are borrowed. */
struct sky_lies *sky_lies_new(uv_loop_t *loop, struct sky_ca *ca, const struct sky_clock *clock);
/* Nobody waits any more, and the loop has run out of work. NULL is fine. */
void sky_lies_free(struct sky_lies *lies);

/* Why it cannot be told, in a sentence, or NULL. */
const char *sky_lies_refusal(const struct sky_lies *lies, enum sky_lie lie);
/* Starts making them. Idempotent. */
void sky_lies_prepare(struct sky_lies *lies);
bool sky_lies_ready(const struct sky_lies *lies);
/* As with the authority. */
void sky_lies_when_ready(struct sky_lies *lies, struct sky_ca_waiter *waiter);
void sky_lies_forget(struct sky_lies *lies, struct sky_ca_waiter *waiter);

/* When ready: chains and keys, valid as long as `lies`. Returns how many; 0: it cannot be told. */
size_t sky_lies_identities(struct sky_lies *lies, enum sky_lie lie,
                           struct sky_ca_identity out[SKY_CA_IDENTITIES_MAX]);

#endif
