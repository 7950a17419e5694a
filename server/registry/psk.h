/* Pre-shared keys for TLS and DTLS: whose identity it is, which key is due, and after a handshake
 * that failed on the key, which mistake the device made. Runs on the loop: it asks the registry. */
#ifndef SKY_SERVER_REGISTRY_PSK_H
#define SKY_SERVER_REGISTRY_PSK_H

#include "server/registry/lookup.h"
#include "server/tls/identity.h"

enum { SKY_PSK_PEER_MAX = 64 };

/* A handshake in which a device named itself. A value; keep it until the handshake has ended. */
struct sky_psk_try {
    const struct sky_cloud *cloud; /* NULL: the identity has the shape of no cloud's */
    int64_t device_id;             /* 0: unknown */
    struct sky_psk key;            /* the key due; len 0: refused */
    char identity[SKY_TLS_IDENTITY_TEXT_MAX + 1]; /* as it came, if it is text */
    char peer[SKY_PSK_PEER_MAX];                  /* whose handshake, for the journal */
};

/* Looks the identity up, judges it, and journals a refusal with its reasons. True when
 * ret_try->key is to be used. `peer` is its address as text. Nothing given need outlive the call.
 */
bool sky_psk_open(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                  const char *peer, sky_span identity, struct sky_psk_try *ret_try);

/* The handshake is complete: journals it. */
void sky_psk_done(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                  const struct sky_psk_try *psk, sky_span cipher);

/* The handshake failed though the identity was good: tests the keys of known mistakes with `fits`
 * (NULL: cannot be tested) and journals which one the device has used. */
void sky_psk_failed(struct sky_registry *registry, const struct sky_door *door, uint32_t connection,
                    const struct sky_psk_try *psk,
                    bool (*fits)(void *ctx, const struct sky_psk *guess), void *ctx);

#endif
