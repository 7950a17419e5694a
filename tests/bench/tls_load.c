/* The load of `./dev bench` for TLS: one request and its answer by each connection, or many.
 *
 *   tls_load handshake NAME=VALUE...   each connection asks once, and is closed
 *   tls_load keepalive NAME=VALUE...   each is opened first, then asks `messages` times
 *
 * port, pid    of the server
 * requests     a file: what each connection asks, one a line, in hexadecimal
 * connections, messages
 * window       connections that are open at once (handshake)
 * answer       how each answer begins, in hexadecimal
 *
 * Every handshake is a full one, with a key on an elliptic curve. An answer that begins otherwise,
 * and a server that closes, end the run with exit status 1. Prints JSON. */
#include "served.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { REQUEST_MAX = 8192, ANSWER_MAX = 64 * 1024, EVENTS = 256, JOIN_WIDTH = 16 };

/* What TLS 1.3 is spoken with has no kind of key in its name; clients' own order of groups. */
static const char suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";

struct peer {
    int fd;
    SSL *ssl;
    bool shaken;
    uint32_t watched;
    uint64_t asked, answered;
    uint8_t *request, *answer; /* owned */
    size_t request_len, answer_len;
};

static struct {
    bool keepalive, asking;
    uint64_t port, pid, connections, messages, window;
    const char *requests;
    uint8_t answer[REQUEST_MAX];
    size_t answer_len;
    int epoll;
    SSL_CTX *tls;
    struct peer *peers;
    uint64_t opened, shaken, closed, answered;
} load = {.messages = 1, .window = 16};

static size_t from_hex(const char *text, uint8_t *bytes)
{
    size_t len = strspn(text, "0123456789abcdef") / 2;
    if (len > REQUEST_MAX)
        fail("a request is too long");
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    return len;
}

static void watch(struct peer *peer, uint32_t events, int how)
{
    if (how == EPOLL_CTL_MOD && events == peer->watched)
        return;
    peer->watched = events;
    struct epoll_event event = {.events = events, .data.ptr = peer};
    if (epoll_ctl(load.epoll, how, peer->fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void open_next(void)
{
    static const int yes = 1;
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)load.port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct peer *peer = &load.peers[load.opened++];
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (peer->fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(peer->fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    peer->ssl = SSL_new(load.tls);
    SSL_set_fd(peer->ssl, peer->fd);
    SSL_set_connect_state(peer->ssl);
    watch(peer, EPOLLOUT, EPOLL_CTL_ADD);
}

static void close_peer(struct peer *peer)
{
    SSL_shutdown(peer->ssl);
    SSL_free(peer->ssl);
    close(peer->fd);
    free(peer->answer);
    peer->ssl = NULL;
    peer->answer = NULL;
    load.closed++;
}

/* False: later. */
static bool went(struct peer *peer, int result)
{
    int error = SSL_get_error(peer->ssl, result);
    if (result > 0)
        return true;
    if (error == SSL_ERROR_WANT_READ)
        watch(peer, EPOLLIN, EPOLL_CTL_MOD);
    else if (error == SSL_ERROR_WANT_WRITE)
        watch(peer, EPOLLOUT, EPOLL_CTL_MOD);
    else
        fail("the server closed, or TLS failed: %s", ERR_error_string(ERR_get_error(), NULL));
    return false;
}

static void ask(struct peer *peer)
{
    /* A request is short: there is room in the socket, which had nothing to take. */
    if (!went(peer, SSL_write(peer->ssl, peer->request, (int)peer->request_len)))
        fail("no room for a request");
    peer->asked++;
    watch(peer, EPOLLIN, EPOLL_CTL_MOD);
}

/* Whether the answer has come: all of its body, if it is one of HTTP. */
static bool is_whole(const struct peer *peer)
{
    static const char field[] = "\r\ncontent-length:";
    const uint8_t *end = memmem(peer->answer, peer->answer_len, "\r\n\r\n", 4);
    if (!load.keepalive)
        return peer->answer_len >= load.answer_len;
    if (end == NULL)
        return false;
    for (const uint8_t *at = peer->answer; at < end; at++)
        if (strncasecmp((const char *)at, field, sizeof field - 1) == 0) {
            size_t length = strtoul((const char *)at + sizeof field - 1, NULL, 10);
            size_t whole = (size_t)(end - peer->answer) + 4 + length;
            if (peer->answer_len > whole)
                fail("more came than was asked for");
            return peer->answer_len == whole;
        }
    fail("an answer without a length");
}

static void on_answer(struct peer *peer)
{
    if (memcmp(peer->answer, load.answer, load.answer_len) != 0)
        fail("another answer: %.*s", (int)peer->answer_len, (const char *)peer->answer);
    peer->answer_len = 0;
    load.answered++;
    if (++peer->answered < load.messages)
        ask(peer);
    else
        close_peer(peer);
}

static void on_shaken(struct peer *peer)
{
    X509 *certificate = SSL_get1_peer_certificate(peer->ssl);
    if (certificate == NULL || EVP_PKEY_base_id(X509_get0_pubkey(certificate)) != EVP_PKEY_EC ||
        SSL_session_reused(peer->ssl))
        fail("not a full handshake with a key on an elliptic curve");
    X509_free(certificate);
    peer->shaken = true;
    peer->answer = malloc(ANSWER_MAX + 1);
    load.shaken++;
    watch(peer, EPOLLIN, EPOLL_CTL_MOD);
    if (load.asking)
        ask(peer);
}

static void on_event(struct peer *peer)
{
    if (!peer->shaken) {
        if (went(peer, SSL_do_handshake(peer->ssl)))
            on_shaken(peer);
        return;
    }
    while (peer->ssl != NULL) {
        int got = SSL_read(peer->ssl, peer->answer + peer->answer_len,
                           (int)(ANSWER_MAX - peer->answer_len));
        if (!went(peer, got))
            return;
        peer->answer_len += (size_t)got;
        peer->answer[peer->answer_len] = '\0';
        if (is_whole(peer))
            on_answer(peer);
        else if (peer->answer_len == ANSWER_MAX)
            fail("an answer is too long");
    }
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load.epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++)
        on_event(events[i].data.ptr);
}

static void parse(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        const struct {
            const char *name;
            uint64_t *number;
        } numbers[] = {{"port=", &load.port},
                       {"pid=", &load.pid},
                       {"connections=", &load.connections},
                       {"messages=", &load.messages},
                       {"window=", &load.window}};
        bool known = false;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (strncmp(argv[i], numbers[k].name, strlen(numbers[k].name)) == 0) {
                *numbers[k].number = strtoull(value + 1, NULL, 10);
                known = true;
            }
        if (strncmp(argv[i], "requests=", 9) == 0)
            load.requests = value + 1;
        else if (strncmp(argv[i], "answer=", 7) == 0)
            load.answer_len = from_hex(value + 1, load.answer);
        else if (!known)
            fail("no option %s", argv[i]);
    }
    if (argc < 2 || load.requests == NULL || load.connections == 0 || load.pid == 0)
        fail("handshake|keepalive port=N pid=N requests=FILE connections=N ...");
    load.keepalive = strcmp(argv[1], "keepalive") == 0;
}

static void read_requests(void)
{
    static char line[2 * REQUEST_MAX + 2];
    static uint8_t bytes[REQUEST_MAX];
    FILE *file = fopen(load.requests, "r");
    load.peers = calloc(load.connections, sizeof *load.peers);
    for (uint64_t i = 0; i < load.connections; i++) {
        if (file == NULL || fgets(line, sizeof line, file) == NULL)
            fail("too few requests");
        struct peer *peer = &load.peers[i];
        peer->request_len = from_hex(line, bytes);
        peer->request = malloc(peer->request_len);
        memcpy(peer->request, bytes, peer->request_len);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    read_requests();
    load.epoll = epoll_create1(0);
    load.tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(load.tls, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_cipher_list(load.tls, suites) != 1)
        fail("OpenSSL has none of %s", suites);
    uint64_t width = load.keepalive ? JOIN_WIDTH : load.window;
    struct measure measure = measure_begin((pid_t)load.pid);
    load.asking = !load.keepalive;
    while (load.keepalive ? load.shaken < load.connections : load.closed < load.connections) {
        while (load.opened < load.connections &&
               load.opened - (load.keepalive ? load.shaken : load.closed) < width)
            open_next();
        turn();
    }
    if (load.keepalive) {
        load.asking = true;
        measure = measure_begin((pid_t)load.pid);
        for (uint64_t i = 0; i < load.connections; i++)
            ask(&load.peers[i]);
        while (load.closed < load.connections)
            turn();
    }
    putchar('{');
    measure_end(&measure, load.answered);
    puts("}");
    return 0;
}
