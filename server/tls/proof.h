/* Tests offline whether a pre-shared key is the one a client used: decrypts the client's encrypted
 * Finished record with the keys that the candidate leads to (RFC 4279 §2, RFC 5246 §6.3, §8.1, RFC
 * 7627 §4). Pure. */
#ifndef SKY_SERVER_TLS_PROOF_H
#define SKY_SERVER_TLS_PROOF_H

#include "protocol/base/span.h"

struct mbedtls_ssl_context;

enum { SKY_PROOF_RECORD_MAX = 256, SKY_TLS_RANDOM_LEN = 32, SKY_PROOF_HASH_MAX = 64 };

/* What was seen of a handshake in TLS 1.0 to 1.2 or DTLS 1.2 up to the client's Finished. A value.
 */
struct sky_tls_proof {
    uint8_t client_random[SKY_TLS_RANDOM_LEN], server_random[SKY_TLS_RANDOM_LEN];
    uint16_t suite;
    uint8_t sequence[8];                      /* of the record; for DTLS epoch and number */
    uint8_t version[2];                       /* as in the record header */
    uint8_t fragment[SKY_PROOF_RECORD_MAX];   /* the encrypted record without its header */
    size_t fragment_len;                      /* 0: no record was seen */
    uint8_t session_hash[SKY_PROOF_HASH_MAX]; /* RFC 7627 §3 */
    size_t session_hash_len;                  /* 0: no extended master secret */
    bool has_client, has_server;
    bool has_changed; /* TLS: the client's ChangeCipherSpec has passed */
};

/* Takes note of DTLS records that pass: ClientHello and the encrypted Finished from the client,
 * ServerHello from the server. Anything else is passed over. */
void sky_tls_proof_saw_client(struct sky_tls_proof *proof, sky_span datagram);
void sky_tls_proof_saw_server(struct sky_tls_proof *proof, sky_span datagram);
/* The same for whole records of TLS, one or more. */
void sky_tls_proof_saw_tls_client(struct sky_tls_proof *proof, sky_span records);
void sky_tls_proof_saw_tls_server(struct sky_tls_proof *proof, sky_span records);

/* The library has read ClientKeyExchange, and wants the key: the messages so far are part of an
 * extended master secret. */
void sky_tls_proof_saw_exchange(struct sky_tls_proof *proof, const struct mbedtls_ssl_context *ssl);

/* False also when too little was seen or the suite is no plain PSK one. */
bool sky_tls_proof_fits(const struct sky_tls_proof *proof, sky_span key);

#endif
