/* Datagrams of strangers at the DTLS door. The first byte says whose the datagram behind it is. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/tls/dtls.h"
#include "server/tls/hello.h"

static void on_send(void *owner, const struct sockaddr_storage *to, sky_span datagram)
{
    (void)owner;
    (void)to;
    SKY_ASSERT(datagram.len > 0);
}

static sky_err psk_lookup(void *owner, struct sky_dtls_peer *peer, sky_span identity,
                          struct sky_psk *ret_key)
{
    (void)owner;
    (void)peer;
    SKY_ASSERT(identity.len <= SKY_DTLS_IDENTITY_MAX);
    *ret_key = (struct sky_psk){.len = 16};
    return SKY_OK;
}

static void on_open(void *owner, struct sky_dtls_peer *peer)
{
    (void)owner;
    (void)peer;
}

static void on_clear(void *owner, struct sky_dtls_peer *peer, sky_span clear)
{
    (void)owner;
    SKY_ASSERT(clear.len <= SKY_DTLS_CLEAR_MAX);
    (void)sky_dtls_send(peer, clear);
}

static void on_failure(void *owner, struct sky_dtls_peer *peer, const struct sockaddr_storage *from,
                       enum sky_dtls_failure failure, const struct sky_tls_proof *proof,
                       sky_span datagram)
{
    (void)owner;
    (void)peer;
    (void)from;
    (void)failure;
    (void)datagram;
    if (proof != NULL)
        (void)sky_tls_proof_fits(proof, SKY_SPAN("0123456789abcdef"));
}

static void on_crowd(void *owner, uint64_t turned_away)
{
    (void)owner;
    (void)turned_away;
}

static void on_close(void *owner, struct sky_dtls_peer *peer)
{
    (void)owner;
    (void)peer;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct sky_dtls_hooks hooks = {on_send,    psk_lookup, on_open, on_clear,
                                                on_failure, on_close,   on_crowd};
    static struct sky_timerq timers;
    static int64_t now_ms;
    static struct sky_dtls *dtls;
    if (dtls == NULL) {
        const struct sky_dtls_options options = {.hooks = &hooks,
                                                 .timers = &timers,
                                                 .now_ms = &now_ms,
                                                 .peers_max = 50,
                                                 .handshakes_max = 50};
        sky_timerq_init(&timers);
        dtls = sky_dtls_new(&options);
    }
    if (len == 0)
        return 0;
    struct sockaddr_storage from = {.ss_family = AF_INET};
    ((struct sockaddr_in *)&from)->sin_port = htons((uint16_t)(1 + bytes[0] % 4));
    struct sky_tls_hello hello;
    sky_span datagram = sky_span_of(bytes + 1, len - 1);
    (void)sky_tls_hello_parse_dtls(datagram, &hello);
    sky_dtls_feed(dtls, &from, datagram);
    SKY_ASSERT(sky_dtls_peers(dtls) == 0); /* nobody guesses a cookie */
    struct sky_tls_proof proof = {.has_client = false};
    sky_tls_proof_saw_client(&proof, datagram);
    sky_tls_proof_saw_server(&proof, datagram);
    (void)sky_tls_proof_fits(&proof, SKY_SPAN("0123456789abcdef"));
    now_ms += 100;
    sky_timerq_run(&timers, now_ms);
    return 0;
}
