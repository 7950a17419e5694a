/* A DTLS server between memory buffers, and clients of it: the library's own. Datagrams are lost
 * where a test says so, and time is a number. */
#ifndef SKY_TESTS_DTLS_CLIENT_H
#define SKY_TESTS_DTLS_CLIENT_H

#include <mbedtls/ssl.h>

#include "protocol/base/buf.h"
#include "server/tls/dtls.h"
#include "server/tls/rng.h"

enum { CLIENTS_MAX = 8, TEXT_MAX = 20 * 1024 };

/* How a client is set up; zero speaks CCM-8 with the key that the server knows. */
struct client_options {
    int suite;            /* 0: TLS_PSK_WITH_AES_128_CCM_8 */
    const char *identity; /* NULL: "known" */
    sky_span key;         /* NONE: KEY */
    bool dtls_1_0, no_extended_secret, no_encrypt_then_mac;
    unsigned char record_code; /* max_fragment_length; 0: none */
    int timeout_min_ms;        /* of retransmission; 0: the library's */
};

struct bench;

struct client {
    struct bench *bench;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    int suites[2];
    struct sockaddr_storage address;
    struct sky_buf in; /* datagrams, each behind its length in two bytes */
    int64_t intermediate_ms, final_ms;
    int result; /* of the last handshake step or read */
    bool open;
    char text[TEXT_MAX]; /* the last message received */
    size_t text_len;
};

struct bench {
    struct sky_dtls *dtls;
    struct sky_timerq timers;
    int64_t now_ms;
    struct sky_tls_rng rng;
    struct client *clients[CLIENTS_MAX];
    size_t client_count;

    /* What has passed, and whether the next is to be lost: NULL loses nothing. */
    bool (*lose)(void *ctx, size_t number, bool from_client);
    void *lose_ctx;
    size_t passed;
    sky_span last_from_client; /* owned copy */

    /* What the server told. */
    size_t opened, closed, failed, sent, crowds;
    uint64_t turned_away;
    enum sky_dtls_failure failure;
    bool failure_with_peer;
    struct sky_tls_proof proof;
    struct sky_dtls_peer *peer; /* the last that opened */
    bool echo, close_on_message;
    size_t received, received_len;
};

extern const sky_span KEY; /* of the identity "known", 16 bytes */

void bench_open(struct bench *bench, size_t peers_max, size_t handshakes_max);
void bench_close(struct bench *bench); /* and every client that is still open */

/* `port` tells clients apart: the same one is the same address. */
void client_open(struct client *client, struct bench *bench, uint16_t port,
                 const struct client_options *options);
void client_close(struct client *client);

/* Moves datagrams until nothing moves any more. */
void settle(struct bench *bench);
/* Lets time pass on both sides, then settles. */
void pass(struct bench *bench, int64_t ms);
/* The first steps of a client without anybody else's: its datagrams go to the server. */
void client_step(struct client *client);
bool client_send(struct client *client, sky_span text);
/* The alert that ended the client's handshake, or -1. */
int client_alert(const struct client *client);

struct sockaddr_storage address_of_port(uint16_t port);

#endif
