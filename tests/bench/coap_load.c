/* Load for CoAP over DTLS: opens sessions one after another, then asks each in turn.
 *
 *     coap_load PORT PID SESSIONS_FILE COUNT REQUESTS
 *
 * A line of the file is identity, key in hexadecimal and path, tabs between. PID is the server's.
 * Prints JSON: of the handshakes, of the requests, and the memory a session takes. */
#include "served.h"

#include <arpa/inet.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { KEY_LEN = 16, MESSAGE_MAX = 512, PATIENCE_S = 10, RESENDS = 5 };

struct session {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_timing_delay_context delay;
    int socket;
    char identity[160], path[200];
    unsigned char key[KEY_LEN];
};

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context rng;

static void check(int good, const char *what)
{
    if (!good)
        fail("%s", what);
}

static int on_send(void *ctx, const unsigned char *bytes, size_t len)
{
    struct session *session = ctx;
    return (int)send(session->socket, bytes, len, 0);
}

static int on_receive(void *ctx, unsigned char *bytes, size_t len, uint32_t timeout_ms)
{
    struct session *session = ctx;
    (void)timeout_ms;
    ssize_t got = recv(session->socket, bytes, len, 0);
    return got < 0 ? MBEDTLS_ERR_SSL_TIMEOUT : (int)got;
}

static void connect_socket(struct session *session, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    session->socket = socket(AF_INET, SOCK_DGRAM, 0);
    check(session->socket >= 0, "no more sockets: raise ulimit -n");
    setsockopt(session->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    check(connect(session->socket, (struct sockaddr *)&address, sizeof address) == 0, "connect");
}

static void open_session(struct session *session, int port)
{
    static const int suites[] = {MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8, 0};
    mbedtls_ssl_config *config = &session->config;
    connect_socket(session, port);
    mbedtls_ssl_config_init(config);
    mbedtls_ssl_init(&session->ssl);
    mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &rng);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_psk(config, session->key, KEY_LEN, (unsigned char *)session->identity,
                         strlen(session->identity));
    check(mbedtls_ssl_setup(&session->ssl, config) == 0, "memory");
    mbedtls_ssl_set_bio(&session->ssl, session, on_send, NULL, on_receive);
    mbedtls_ssl_set_timer_cb(&session->ssl, &session->delay, mbedtls_timing_set_delay,
                             mbedtls_timing_get_delay);
    int rc = mbedtls_ssl_handshake(&session->ssl);
    for (int again = 0; rc == MBEDTLS_ERR_SSL_WANT_READ && again < RESENDS; again++)
        rc = mbedtls_ssl_handshake(&session->ssl);
    if (rc != 0)
        fail("a handshake failed: -0x%04x", -rc);
}

/* A confirmable GET of the path, and its acknowledgement. */
static void ask(struct session *session, unsigned id)
{
    unsigned char message[MESSAGE_MAX] = {0x40, 1, (unsigned char)(id >> 8), (unsigned char)id};
    size_t len = 4;
    char path[sizeof session->path], *rest = path, *segment;
    strcpy(path, session->path);
    for (int first = 1; (segment = strsep(&rest, "/")) != NULL; first = 0) {
        size_t size = strlen(segment);
        if (size == 0)
            continue;
        int delta = first || len == 4 ? 11 : 0;
        message[len++] = (unsigned char)(delta << 4 | (size < 13 ? size : 13));
        if (size >= 13)
            message[len++] = (unsigned char)(size - 13);
        memcpy(message + len, segment, size);
        len += size;
    }
    check(mbedtls_ssl_write(&session->ssl, message, len) == (int)len, "write");
    int got = mbedtls_ssl_read(&session->ssl, message, sizeof message);
    check(got >= 4 && message[2] == (unsigned char)(id >> 8) && message[3] == (unsigned char)id,
          "no answer");
}

static void read_line(FILE *file, struct session *session)
{
    char hex[2 * KEY_LEN + 1];
    check(fscanf(file, "%159s\t%32s\t%199s", session->identity, hex, session->path) == 3,
          "the file has too few lines");
    for (size_t i = 0; i < KEY_LEN; i++) {
        unsigned byte;
        check(sscanf(hex + 2 * i, "%2x", &byte) == 1, "a key is not hexadecimal");
        session->key[i] = (unsigned char)byte;
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    check(argc == 6, "usage: coap_load PORT PID SESSIONS_FILE COUNT REQUESTS");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    size_t count = (size_t)atol(argv[4]), requests = (size_t)atol(argv[5]);
    FILE *file = fopen(argv[3], "r");
    check(file != NULL, "cannot read the file");
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&rng);
    check(mbedtls_ctr_drbg_seed(&rng, mbedtls_entropy_func, &entropy, NULL, 0) == 0, "entropy");
    struct session *sessions = calloc(count, sizeof *sessions);
    check(sessions != NULL, "memory");
    pid_t pid = (pid_t)atoi(argv[2]);
    uint64_t resident = resident_bytes(pid);
    for (size_t i = 0; i < count; i++)
        read_line(file, &sessions[i]);
    struct measure measure = measure_begin(pid);
    for (size_t i = 0; i < count; i++)
        open_session(&sessions[i], atoi(argv[1]));
    printf("{\"handshakes\": {");
    measure_end(&measure, count);
    printf("}, \"session_bytes\": %.1f, \"requests\": {",
           ((double)resident_bytes(pid) - (double)resident) / (double)count);
    measure = measure_begin(pid);
    for (size_t i = 0; i < requests; i++)
        ask(&sessions[i % count], (unsigned)(1 + i / count));
    measure_end(&measure, requests);
    puts("}}");
    return 0;
}
