#include "server/tls/dtls.h"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/tls/datagram.h"
#include "server/tls/hello.h"
#include "server/tls/keylog.h"
#include "server/tls/records.h"
#include "server/tls/rng.h"

enum { ADDRESS_LEN = 20, TLS_1_2 = 0x0303 };

static const int suites[] = {MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8,
                             MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA256, 0};

/* Family, port and address without the padding around them: equal peers have equal bytes. */
struct address {
    uint8_t bytes[ADDRESS_LEN];
};

/* Handshakes in progress with one host, whose address has been proven by a cookie. */
struct host {
    struct address address; /* without the port */
    struct sky_dtls_peer *shaking;
    size_t count;
    UT_hash_handle hh;
};

struct sky_dtls_peer {
    struct sky_dtls *dtls;
    mbedtls_ssl_context ssl;
    struct sockaddr_storage from;
    struct address address;
    struct sky_timer retransmit;
    struct sky_timer deadline;         /* of the handshake */
    struct sky_tls_proof *proof;       /* owned; only during the handshake */
    void *state;                       /* the owner's */
    int64_t intermediate_ms, final_ms; /* mbedTLS's timer; final 0: not running */
    struct sky_dtls_peer *prev, *next; /* by last datagram, oldest first */
    struct sky_dtls_peer *next_dying;
    struct host *host; /* NULL: its handshake is not in progress */
    struct sky_dtls_peer *prev_shaking, *next_shaking, *prev_of_host, *next_of_host;
    int64_t advanced_ms;             /* when its handshake last went on */
    struct sky_dtls_peer *successor; /* handshakes from this one's address while it is open */
    struct sky_dtls_peer *incumbent; /* the other way round */
    bool adopted;                    /* no longer the spare */
    bool placed;                     /* in the table */
    bool open, closing, refused, looked_up;
    bool sending; /* the library waits for its datagram to be taken */
    bool ends;    /* with a word about it, as soon as the library takes one */
    bool frozen;
    uint64_t frozen_by;
    UT_hash_handle hh;
};

struct sky_dtls {
    struct sky_dtls_options options;
    mbedtls_ssl_config config;
    mbedtls_ssl_cookie_ctx cookies;
    struct sky_tls_rng rng;
    struct sky_dtls_peer *by_address; /* hash */
    struct sky_dtls_peer *by_age;     /* list */
    struct sky_dtls_peer *shaking; /* list of handshakes, the one that stands for longest first */
    struct host *hosts;            /* hash: theirs */
    struct sky_dtls_peer *dying;
    struct sky_dtls_peer *spare; /* listens: takes the ClientHello of whoever is new */
    size_t handshakes, frozen;
    uint64_t turned_away;
    int64_t crowd_told_ms;
    unsigned depth;    /* of calls in which peers must stay */
    sky_span datagram; /* at hand */
    bool unread;       /* mbedTLS has not fetched it yet */
    unsigned char clear[SKY_DTLS_CLEAR_MAX];
};

static struct address address_of(const struct sockaddr_storage *from)
{
    struct address address = {{0}};
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        memcpy(address.bytes, &v6->sin6_addr, 16);
        memcpy(address.bytes + 16, &v6->sin6_port, 2);
        address.bytes[18] = 6;
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        memcpy(address.bytes, &v4->sin_addr, 4);
        memcpy(address.bytes + 16, &v4->sin_port, 2);
        address.bytes[18] = 4;
    }
    return address;
}

static struct address host_of(struct address address)
{
    memset(address.bytes + 16, 0, 2);
    return address;
}

/* ---- what mbedTLS calls ---- */

static int on_send(void *ctx, const unsigned char *bytes, size_t len)
{
    struct sky_dtls_peer *peer = ctx;
    struct sky_dtls *dtls = peer->dtls;
    sky_span datagram = sky_span_of(bytes, len);
    if (peer->frozen)
        return (int)len;
    if (peer->proof != NULL)
        sky_tls_proof_saw_server(peer->proof, datagram);
    peer->sending = true;
    dtls->options.hooks->send(dtls->options.owner, &peer->from, datagram);
    peer->sending = false;
    return (int)len;
}

static int on_receive(void *ctx, unsigned char *bytes, size_t room)
{
    struct sky_dtls *dtls = ((struct sky_dtls_peer *)ctx)->dtls;
    size_t len = dtls->datagram.len < room ? dtls->datagram.len : room;
    if (!dtls->unread || len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(bytes, dtls->datagram.ptr, len);
    dtls->unread = false;
    return (int)len;
}

static int on_psk(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *identity, size_t len)
{
    struct sky_dtls *dtls = ctx;
    struct sky_dtls_peer *peer = SKY_CONTAINER_OF(ssl, struct sky_dtls_peer, ssl);
    struct sky_psk key = {.len = 0};
    sky_tls_proof_saw_exchange(peer->proof, ssl);
    peer->looked_up = true;
    peer->refused = len > SKY_DTLS_IDENTITY_MAX ||
                    dtls->options.hooks->psk_lookup(dtls->options.owner, peer,
                                                    sky_span_of(identity, len), &key) != SKY_OK;
    if (peer->refused)
        return -1;
    int rc = mbedtls_ssl_set_hs_psk(ssl, key.key, key.len);
    sky_mem_wipe(&key, sizeof key);
    return rc;
}

static void on_retransmit(struct sky_timer *timer, int64_t now_ms);
static void on_deadline(struct sky_timer *timer, int64_t now_ms);

static void set_timer(void *ctx, uint32_t intermediate_ms, uint32_t final_ms)
{
    struct sky_dtls_peer *peer = ctx;
    const struct sky_dtls_options *options = &peer->dtls->options;
    sky_timerq_cancel(options->timers, &peer->retransmit);
    peer->final_ms = final_ms == 0 ? 0 : *options->now_ms + final_ms;
    peer->intermediate_ms = *options->now_ms + intermediate_ms;
    if (final_ms != 0 && peer->adopted)
        sky_timerq_set(options->timers, &peer->retransmit, peer->final_ms, on_retransmit);
}

static int get_timer(void *ctx)
{
    const struct sky_dtls_peer *peer = ctx;
    int64_t now_ms = *peer->dtls->options.now_ms;
    if (peer->final_ms == 0)
        return -1;
    if (now_ms >= peer->final_ms)
        return 2;
    return now_ms >= peer->intermediate_ms ? 1 : 0;
}

/* ---- peers ---- */

static struct sky_dtls_peer *new_peer(struct sky_dtls *dtls)
{
    struct sky_dtls_peer *peer = sky_mem_new(sizeof *peer);
    peer->dtls = dtls;
    peer->proof = sky_mem_new(sizeof *peer->proof);
    mbedtls_ssl_init(&peer->ssl);
    SKY_ASSERT(mbedtls_ssl_setup(&peer->ssl, &dtls->config) == 0);
    mbedtls_ssl_set_timer_cb(&peer->ssl, peer, set_timer, get_timer);
    mbedtls_ssl_set_bio(&peer->ssl, peer, on_send, on_receive, NULL);
    return peer;
}

/* Its handshake is one step further: puts it behind the others, who have stood for longer. */
static void advance(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    peer->advanced_ms = *dtls->options.now_ms;
    if (peer->host == NULL)
        return;
    DL_DELETE2(dtls->shaking, peer, prev_shaking, next_shaking);
    DL_APPEND2(dtls->shaking, peer, prev_shaking, next_shaking);
    DL_DELETE2(peer->host->shaking, peer, prev_of_host, next_of_host);
    DL_APPEND2(peer->host->shaking, peer, prev_of_host, next_of_host);
}

static struct host *find_host(const struct sky_dtls *dtls, const struct address *address)
{
    struct address key = host_of(*address);
    struct host *host;
    HASH_FIND(hh, dtls->hosts, &key, sizeof key, host);
    return host;
}

static void begin_handshake(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    struct host *host = find_host(dtls, &peer->address);
    if (host == NULL) {
        host = sky_mem_new(sizeof *host);
        host->address = host_of(peer->address);
        HASH_ADD(hh, dtls->hosts, address, sizeof host->address, host);
    }
    peer->host = host;
    host->count++;
    dtls->handshakes++;
    DL_APPEND2(dtls->shaking, peer, prev_shaking, next_shaking);
    DL_APPEND2(host->shaking, peer, prev_of_host, next_of_host);
    peer->advanced_ms = *dtls->options.now_ms;
    sky_timerq_set(dtls->options.timers, &peer->deadline,
                   *dtls->options.now_ms + SKY_DTLS_HANDSHAKE_MS, on_deadline);
}

static void leave_host(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    struct host *host = peer->host;
    DL_DELETE2(dtls->shaking, peer, prev_shaking, next_shaking);
    DL_DELETE2(host->shaking, peer, prev_of_host, next_of_host);
    dtls->handshakes--;
    peer->host = NULL;
    if (--host->count > 0)
        return;
    HASH_DEL(dtls->hosts, host);
    free(host);
}

static void end_handshake(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    if (peer->proof == NULL)
        return;
    if (!peer->ends)
        sky_timerq_cancel(dtls->options.timers, &peer->deadline);
    sky_timerq_cancel(dtls->options.timers, &peer->retransmit);
    free(peer->proof);
    peer->proof = NULL;
    if (peer->host != NULL)
        leave_host(peer);
}

static void take_place(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    HASH_ADD(hh, dtls->by_address, address, sizeof peer->address, peer);
    DL_APPEND(dtls->by_age, peer);
    peer->placed = true;
}

static void leave_place(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    if (!peer->placed)
        return;
    HASH_DEL(dtls->by_address, peer);
    DL_DELETE(dtls->by_age, peer);
    peer->placed = false;
}

static void free_peer(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    end_handshake(peer);
    sky_timerq_cancel(dtls->options.timers, &peer->retransmit);
    sky_timerq_cancel(dtls->options.timers, &peer->deadline);
    leave_place(peer);
    dtls->frozen -= peer->frozen;
    if (peer->adopted && peer->looked_up)
        dtls->options.hooks->on_close(dtls->options.owner, peer);
    mbedtls_ssl_free(&peer->ssl);
    free(peer);
}

static void let_go(struct sky_dtls_peer *peer)
{
    struct sky_dtls_peer *successor = peer->successor;
    if (peer->closing)
        return;
    peer->closing = true;
    end_handshake(peer);
    LL_PREPEND2(peer->dtls->dying, peer, next_dying);
    if (peer->incumbent != NULL)
        peer->incumbent->successor = NULL;
    peer->incumbent = peer->successor = NULL;
    if (successor != NULL)
        let_go(successor);
}

/* Peers are freed when the outermost call is over, never below a call of their own. */
static void enter(struct sky_dtls *dtls)
{
    dtls->depth++;
}

static void leave(struct sky_dtls *dtls)
{
    while (dtls->depth == 1 && dtls->dying != NULL) {
        struct sky_dtls_peer *peer = dtls->dying;
        LL_DELETE2(dtls->dying, peer, next_dying);
        free_peer(peer);
    }
    dtls->depth--;
}

void sky_dtls_close(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    enter(dtls);
    if (peer->open && !peer->closing && !peer->frozen)
        (void)mbedtls_ssl_close_notify(&peer->ssl);
    let_go(peer);
    leave(dtls);
}

void sky_dtls_drop(struct sky_dtls_peer *peer)
{
    sky_dtls_freeze(peer, 0); /* so that not even a goodbye goes out */
    sky_dtls_close(peer);
}

void sky_dtls_refuse(struct sky_dtls_peer *peer)
{
    const struct sky_dtls_options *options = &peer->dtls->options;
    if (peer->sending) {
        peer->ends = true;
        sky_timerq_set(options->timers, &peer->deadline, *options->now_ms, on_deadline);
        return;
    }
    if (!peer->open && !peer->closing)
        (void)mbedtls_ssl_send_alert_message(&peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    sky_dtls_close(peer);
}

void sky_dtls_freeze(struct sky_dtls_peer *peer, uint64_t by)
{
    peer->dtls->frozen += !peer->frozen;
    peer->frozen = true;
    peer->frozen_by = by;
}

static bool hangs(const struct sky_dtls_peer *peer, uint64_t by)
{
    return peer->frozen && (by == 0 || peer->frozen_by == by);
}

void sky_dtls_thaw(struct sky_dtls *dtls, uint64_t by)
{
    struct sky_dtls_peer *peer, *next;
    if (dtls->frozen == 0)
        return;
    enter(dtls);
    DL_FOREACH_SAFE (dtls->by_age, peer, next) {
        if (peer->successor != NULL && hangs(peer->successor, by))
            let_go(peer->successor);
        if (hangs(peer, by))
            let_go(peer);
    }
    leave(dtls);
}

/* A successor that never says more was an old hello: nothing to tell. */
static void fail(struct sky_dtls_peer *peer, enum sky_dtls_failure failure)
{
    struct sky_dtls *dtls = peer->dtls;
    if (!peer->frozen && (failure != SKY_DTLS_SILENT || peer->incumbent == NULL))
        dtls->options.hooks->on_failure(dtls->options.owner, peer->looked_up ? peer : NULL,
                                        &peer->from, failure, peer->proof, dtls->datagram);
    let_go(peer);
}

static void on_deadline(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_dtls_peer *peer = SKY_CONTAINER_OF(timer, struct sky_dtls_peer, deadline);
    struct sky_dtls *dtls = peer->dtls;
    (void)now_ms;
    enter(dtls);
    if (peer->ends)
        sky_dtls_refuse(peer);
    else if (!peer->closing)
        fail(peer, SKY_DTLS_SILENT);
    leave(dtls);
}

/* ---- steps ---- */

/* A ClientHello in which nothing suits: is it for want of any suite with a pre-shared key? */
static enum sky_dtls_failure suite_failure(sky_span datagram)
{
    struct sky_tls_hello hello;
    if (!sky_tls_hello_parse_dtls(datagram, &hello))
        return SKY_DTLS_NO_SUITE;
    for (size_t i = 0; i < hello.suite_count; i++) {
        const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(hello.suites[i]);
        if (suite != NULL && mbedtls_ssl_ciphersuite_uses_psk(suite))
            return SKY_DTLS_NO_SUITE;
    }
    return SKY_DTLS_NO_PSK;
}

static enum sky_dtls_failure failure_of(const struct sky_dtls_peer *peer, int rc)
{
    if (peer->refused)
        return SKY_DTLS_IDENTITY;
    switch (rc) {
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return SKY_DTLS_KEY;
    case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
    case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE:
        return suite_failure(peer->dtls->datagram);
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
        return SKY_DTLS_VERSION;
    case MBEDTLS_ERR_SSL_TIMEOUT:
        return SKY_DTLS_SILENT;
    default:
        return SKY_DTLS_BROKEN;
    }
}

/* The device has restarted on the same port and proven its key: what there was with it before is
 * over (RFC 6347 §4.2.8). */
static void succeed(struct sky_dtls_peer *peer)
{
    struct sky_dtls_peer *incumbent = peer->incumbent;
    if (incumbent == NULL)
        return;
    incumbent->successor = peer->incumbent = NULL;
    incumbent->open = false; /* nothing can be sent to it any more */
    leave_place(incumbent);
    let_go(incumbent);
    take_place(peer);
}

/* As mbedtls_ssl_handshake() does, which stops nowhere: not even when the owner has let go of the
 * peer. */
static int handshake(struct sky_dtls_peer *peer)
{
    mbedtls_ssl_context *ssl = &peer->ssl;
    int rc = 0;
    while (rc == 0 && ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        if (ssl->state == MBEDTLS_SSL_SERVER_HELLO)
            sky_tls_decline_short_records(ssl);
        rc = mbedtls_ssl_handshake_step(ssl);
        if (peer->closing || peer->frozen)
            return MBEDTLS_ERR_SSL_WANT_READ;
    }
    return rc;
}

/* Handshakes as far as it goes. False when the peer is done for. */
static bool shake(struct sky_dtls_peer *peer)
{
    int before = peer->ssl.state, rc = handshake(peer);
    if (peer->ssl.state != before)
        advance(peer);
    if (rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE)
        return true;
    if (rc != 0) {
        fail(peer, failure_of(peer, rc));
        return false;
    }
    peer->open = true;
    end_handshake(peer);
    succeed(peer);
    peer->dtls->options.hooks->on_open(peer->dtls->options.owner, peer);
    return !peer->closing;
}

static void read_clear(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    const struct sky_dtls_options *options = &dtls->options;
    while (!peer->closing && !peer->frozen) {
        int rc = mbedtls_ssl_read(&peer->ssl, dtls->clear, sizeof dtls->clear);
        if (rc > 0) {
            options->hooks->on_clear(options->owner, peer, sky_span_of(dtls->clear, (size_t)rc));
        } else if (rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE ||
                   rc == MBEDTLS_ERR_SSL_TIMEOUT) {
            return;
        } else {
            let_go(peer); /* goodbye, or a record that cannot be right */
        }
    }
}

static void step(struct sky_dtls_peer *peer)
{
    struct sky_dtls *dtls = peer->dtls;
    enter(dtls);
    if (!peer->closing && !peer->frozen && (peer->open || shake(peer)) && peer->open)
        read_clear(peer);
    leave(dtls);
}

static void on_retransmit(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    step(SKY_CONTAINER_OF(timer, struct sky_dtls_peer, retransmit));
}

/* ---- datagrams ---- */

static void refuse_newcomer(struct sky_dtls *dtls, const struct sockaddr_storage *from,
                            enum sky_dtls_failure failure, sky_span datagram)
{
    dtls->options.hooks->on_failure(dtls->options.owner, NULL, from, failure, NULL, datagram);
}

static void tell_crowd(struct sky_dtls *dtls)
{
    int64_t now_ms = *dtls->options.now_ms;
    dtls->turned_away++;
    if (dtls->turned_away > 1 && now_ms - dtls->crowd_told_ms < SKY_DTLS_CROWD_MS)
        return;
    dtls->crowd_told_ms = now_ms;
    dtls->options.hooks->on_crowd(dtls->options.owner, dtls->turned_away);
}

/* Is there room for one more handshake from this address, or will be if `*ret_victim` goes? One
 * host that floods must not shut out others. */
static bool finds_room(const struct sky_dtls *dtls, const struct address *address,
                       struct sky_dtls_peer **ret_victim)
{
    const struct sky_dtls_options *options = &dtls->options;
    struct host *host = find_host(dtls, address);
    struct sky_dtls_peer *victim = NULL;
    if (host != NULL && host->count >= options->host_handshakes_max)
        victim = host->shaking;
    else if (dtls->handshakes >= options->handshakes_max)
        victim = dtls->shaking;
    *ret_victim = victim;
    return victim == NULL || *options->now_ms - victim->advanced_ms >= SKY_DTLS_HALF_OPEN_MS;
}

/* Makes room: whoever was silent for longest goes. */
static void make_room(struct sky_dtls *dtls)
{
    if (HASH_COUNT(dtls->by_address) >= dtls->options.peers_max)
        sky_dtls_close(dtls->by_age);
}

/* Whoever handshakes from the address of `there`, which is in the table; or NULL. */
static struct sky_dtls_peer *handshaking(struct sky_dtls_peer *there)
{
    return there == NULL ? NULL : there->open ? there->successor : there;
}

/* The spare context has seen a good cookie: it is the newcomer's from now on. A handshake that
 * was in progress is over then, but a session stays until the new one stands: the hello may be an
 * old one that the network held back. */
static void adopt(struct sky_dtls *dtls, struct sky_dtls_peer *there, struct sky_dtls_peer *victim)
{
    struct sky_dtls_peer *peer = dtls->spare, *other = handshaking(there);
    dtls->spare = new_peer(dtls);
    peer->adopted = true;
    if (victim != NULL && victim != other) {
        tell_crowd(dtls);
        let_go(victim);
    }
    begin_handshake(peer);
    if (other != NULL) {
        leave_place(other);
        let_go(other);
    }
    if (there != NULL && there->open) {
        there->successor = peer;
        peer->incumbent = there;
    } else {
        make_room(dtls);
        take_place(peer);
    }
    if (peer->final_ms != 0)
        sky_timerq_set(dtls->options.timers, &peer->retransmit, peer->final_ms, on_retransmit);
}

static bool offers_suite(const struct sky_tls_hello *hello)
{
    for (const int *suite = suites; *suite != 0; suite++)
        for (size_t i = 0; i < hello->suite_count; i++)
            if (hello->suites[i] == *suite)
                return true;
    return false;
}

/* A ClientHello without a cookie that looks like all others is answered without the library, which
 * would zero 33 KB for it. What is wrong with one that does not is for the library to find. */
static bool asks_for_cookie(struct sky_dtls *dtls, const struct sockaddr_storage *from,
                            const struct address *address)
{
    struct sky_tls_hello hello;
    unsigned char cookie[SKY_DTLS_COOKIE_MAX], *end = cookie;
    uint8_t answer[SKY_DTLS_VERIFY_MAX];
    if (!sky_tls_hello_parse_dtls(dtls->datagram, &hello) || hello.cookie ||
        hello.version != TLS_1_2 || !offers_suite(&hello) ||
        mbedtls_ssl_cookie_write(&dtls->cookies, &end, cookie + sizeof cookie, address->bytes,
                                 sizeof address->bytes) != 0)
        return false;
    size_t len =
        sky_dtls_hello_verify(dtls->datagram, sky_span_of(cookie, (size_t)(end - cookie)), answer);
    dtls->options.hooks->send(dtls->options.owner, from, sky_span_of(answer, len));
    return true;
}

/* A ClientHello, from an address with a peer `there` or without one. */
static void welcome(struct sky_dtls *dtls, const struct sockaddr_storage *from,
                    const struct address *address, struct sky_dtls_peer *there)
{
    struct sky_dtls_peer *peer = dtls->spare, *victim;
    if (!finds_room(dtls, address, &victim)) {
        tell_crowd(dtls);
        return; /* its retransmission tries again */
    }
    if (asks_for_cookie(dtls, from, address))
        return;
    peer->from = *from;
    peer->address = *address;
    SKY_ASSERT(mbedtls_ssl_set_client_transport_id(&peer->ssl, address->bytes,
                                                   sizeof address->bytes) == 0);
    sky_tls_proof_saw_client(peer->proof, dtls->datagram);
    int rc = handshake(peer);
    if (peer->ssl.state > MBEDTLS_SSL_CLIENT_HELLO && rc == MBEDTLS_ERR_SSL_WANT_READ) {
        adopt(dtls, there, victim);
        return;
    }
    if (rc != MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED)
        refuse_newcomer(dtls, from, failure_of(peer, rc), dtls->datagram);
    *peer->proof = (struct sky_tls_proof){0};
    peer->final_ms = 0;
    SKY_ASSERT(mbedtls_ssl_session_reset(&peer->ssl) == 0);
}

/* Does the ClientHello belong to the handshake that the peer is in? */
static bool is_its_hello(const struct sky_dtls_peer *peer, sky_span datagram)
{
    struct sky_tls_proof seen = {.has_client = false};
    sky_tls_proof_saw_client(&seen, datagram);
    return seen.has_client &&
           memcmp(seen.client_random, peer->proof->client_random, sizeof seen.client_random) == 0;
}

struct sky_dtls_peer *sky_dtls_find(const struct sky_dtls *dtls, const struct sockaddr_storage *at)
{
    struct address address = address_of(at);
    struct sky_dtls_peer *there;
    HASH_FIND(hh, dtls->by_address, &address, sizeof address, there);
    struct sky_dtls_peer *newer = handshaking(there);
    return newer != NULL ? newer : there;
}

/* The peer that a datagram from the address of `there` is for; NULL: for nobody yet. */
static struct sky_dtls_peer *addressee(struct sky_dtls_peer *there, enum sky_dtls_kind kind,
                                       sky_span datagram)
{
    struct sky_dtls_peer *newer = handshaking(there);
    if (kind == SKY_DTLS_IS_HELLO)
        return newer != NULL && is_its_hello(newer, datagram) ? newer : NULL;
    return kind == SKY_DTLS_IS_HANDSHAKE && newer != NULL ? newer : there;
}

static void sort(struct sky_dtls *dtls, const struct sockaddr_storage *from, sky_span datagram)
{
    struct address address = address_of(from);
    enum sky_dtls_kind kind = sky_dtls_kind_of(dtls->datagram);
    struct sky_dtls_peer *there;
    HASH_FIND(hh, dtls->by_address, &address, sizeof address, there);
    if (there == NULL && kind != SKY_DTLS_IS_HELLO) {
        refuse_newcomer(dtls, from, kind == SKY_DTLS_IS_OTHER ? SKY_DTLS_NOT_DTLS : SKY_DTLS_STRAY,
                        datagram);
        return;
    }
    struct sky_dtls_peer *peer = addressee(there, kind, dtls->datagram);
    if (peer == NULL) {
        welcome(dtls, from, &address, there);
        return;
    }
    DL_DELETE(dtls->by_age, there);
    DL_APPEND(dtls->by_age, there);
    if (peer->open)
        dtls->datagram = sky_dtls_protected_records(dtls->datagram);
    if (peer->proof != NULL)
        sky_tls_proof_saw_client(peer->proof, dtls->datagram);
    step(peer);
}

void sky_dtls_feed(struct sky_dtls *dtls, const struct sockaddr_storage *from, sky_span datagram)
{
    SKY_ASSERT(dtls->depth == 0);
    enter(dtls);
    dtls->datagram = sky_dtls_whole_records(datagram);
    dtls->unread = true;
    sort(dtls, from, datagram);
    dtls->datagram = SKY_SPAN_NONE;
    dtls->unread = false;
    leave(dtls);
}

bool sky_dtls_send(struct sky_dtls_peer *peer, sky_span clear)
{
    if (!peer->open || peer->closing)
        return false;
    return mbedtls_ssl_write(&peer->ssl, (const unsigned char *)clear.ptr, clear.len) ==
           (int)clear.len;
}

/* ---- the server ---- */

struct sky_dtls *sky_dtls_new(const struct sky_dtls_options *options)
{
    struct sky_dtls *dtls = sky_mem_new(sizeof *dtls);
    dtls->options = *options;
    if (options->peers_max == 0)
        dtls->options.peers_max = SKY_DTLS_PEERS_MAX;
    if (options->handshakes_max == 0)
        dtls->options.handshakes_max = SKY_DTLS_HANDSHAKES_MAX;
    if (options->host_handshakes_max == 0)
        dtls->options.host_handshakes_max = SKY_DTLS_HOST_HANDSHAKES_MAX;
    sky_tls_rng_init(&dtls->rng);
    mbedtls_ssl_cookie_init(&dtls->cookies);
    mbedtls_ssl_config_init(&dtls->config);
    SKY_ASSERT(mbedtls_ssl_cookie_setup(&dtls->cookies, sky_tls_rng_random, &dtls->rng) == 0);
    SKY_ASSERT(mbedtls_ssl_config_defaults(&dtls->config, MBEDTLS_SSL_IS_SERVER,
                                           MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    mbedtls_ssl_config *config = &dtls->config;
    mbedtls_ssl_conf_rng(config, sky_tls_rng_random, &dtls->rng);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_dtls_cookies(config, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
                                  &dtls->cookies);
    mbedtls_ssl_conf_handshake_timeout(config, SKY_DTLS_RETRANSMIT_MIN_MS,
                                       SKY_DTLS_RETRANSMIT_MAX_MS);
    mbedtls_ssl_conf_psk_cb(config, on_psk, dtls);
    sky_keylog_watch(dtls->options.keylog, config);
    dtls->spare = new_peer(dtls);
    return dtls;
}

void sky_dtls_free(struct sky_dtls *dtls)
{
    if (dtls == NULL)
        return;
    struct sky_dtls_peer *peer, *next;
    DL_FOREACH_SAFE (dtls->by_age, peer, next)
        sky_dtls_close(peer);
    free_peer(dtls->spare);
    mbedtls_ssl_config_free(&dtls->config);
    mbedtls_ssl_cookie_free(&dtls->cookies);
    sky_tls_rng_done(&dtls->rng);
    free(dtls);
}

size_t sky_dtls_peers(const struct sky_dtls *dtls)
{
    return HASH_COUNT(dtls->by_address);
}

uint64_t sky_dtls_turned_away(const struct sky_dtls *dtls)
{
    return dtls->turned_away;
}

void *sky_dtls_peer_state(const struct sky_dtls_peer *peer)
{
    return peer->state;
}

void sky_dtls_peer_set_state(struct sky_dtls_peer *peer, void *state)
{
    peer->state = state;
}

const struct sockaddr_storage *sky_dtls_peer_address(const struct sky_dtls_peer *peer)
{
    return &peer->from;
}

const char *sky_dtls_peer_cipher(const struct sky_dtls_peer *peer)
{
    const char *name = mbedtls_ssl_get_ciphersuite(&peer->ssl);
    return name != NULL ? name : "";
}
