/* A TLS client of the tests: the library's own, between two memory buffers. */
#ifndef SKY_TESTS_TLS_CLIENT_H
#define SKY_TESTS_TLS_CLIENT_H

#include <mbedtls/ssl.h>
#include <uv.h>

#include "server/os/clock.h"
#include "server/registry/rules.h"
#include "server/tls/ca.h"
#include "server/tls/channel.h"
#include "server/tls/rng.h"
#include "server/tls/rules.h"
#include "server/tls/server.h"

/* How a client is set up; zero is a client of today that trusts the authority. */
struct client_options {
    int min_minor, max_minor; /* 1: TLS 1.0 .. 3: TLS 1.2; 0: both 1.2 */
    const int *suites;        /* NULL: the library's */
    const char *server_name;  /* NULL: none sent, "localhost" expected */
    bool distrusts;           /* does not know the authority */
    const char *psk_identity; /* NULL: none */
    sky_span psk_key;
    const struct sky_ca_issued *certificate;
    const mbedtls_ssl_session *session; /* to resume; NULL: none */
    bool renegotiates;
    bool no_extended_secret, no_encrypt_then_mac;
    const mbedtls_ecp_group_id *curves; /* NULL: the library's */
    unsigned char record_code; /* max_fragment_length: MBEDTLS_SSL_MAX_FRAG_LEN_..., 0: none */
};

struct client {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt trust, certificate;
    mbedtls_pk_context key;
    struct sky_buf in, out; /* raw bytes from and for the server */
    int failed;             /* the library's error; 0: none */
    bool open;
};

/* What the server's side has to tell of one channel. */
struct served {
    struct sky_tls *tls;
    struct sky_buf clear;
    size_t opened, ended, raws; /* calls of hooks */
    char identity[64];
    const char *known_identity, *known_key;
    enum sky_lie lie; /* told when it is known who it is */
};

struct bench {
    uv_loop_t loop;
    struct sky_clock clock;
    struct sky_ca *ca;
    struct sky_tls_server *server;
    struct sky_tls_rng rng;
    bool threaded;
};

/* With `threaded`, costly steps go to workers of the loop. */
void bench_open(struct bench *bench, struct sky_ca *authority, bool threaded,
                size_t handshakes_max);
void bench_close(struct bench *bench);

void client_open(struct client *client, struct bench *bench, const struct client_options *options);
void client_close(struct client *client);

void served_open(struct served *served, struct bench *bench, unsigned allows);
void served_close(struct served *served, struct bench *bench);

/* One exchange of what is there, both ways; false when nothing moved. */
bool exchange(struct bench *bench, struct client *client, struct served *served);
/* Until nothing moves any more. */
void settle(struct bench *bench, struct client *client, struct served *served);

/* After a handshake: the client sends, the server echoes; both must get what was sent. */
void assert_echo(struct bench *bench, struct client *client, struct served *served, size_t len);

/* ---- one handshake ---- */

enum { PLAIN = SKY_LISTEN_TLS | SKY_LISTEN_MQTT };

/* Made once for all tests of a program: it costs half a second. */
extern struct sky_ca *ca;
extern struct sky_ca_issued device, device_rsa; /* "dev001", "dev,002" */
int make_ca(void **state);
int free_ca(void **state);

struct meeting {
    struct bench bench;
    struct client client;
    struct served served;
    struct sky_door door; /* after shake() */
};

void meet(struct meeting *m, const struct client_options *options, unsigned allows, bool threaded);
void shake(struct meeting *m);
void part(struct meeting *m);
void assert_open(const struct meeting *m);
void assert_failed(const struct meeting *m, enum sky_tls_rule rule, const char *says);

#endif
