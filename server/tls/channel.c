#include "server/tls/channel.h"

#include <mbedtls/platform.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_internal.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/clock.h"
#include "server/os/worker.h"
#include "server/tls/ca.h"
#include "server/tls/proof.h"
#include "server/tls/records.h"
#include "server/tls/server.h"
#include "server/tls/steps.h"

enum { CLEAR_ALERT_RECORD = SKY_TLS_RECORD_HEADER + 2 };

/* What a channel needs until its handshake is over, or, if that failed, until it is freed. While
 * `work` is under way the worker owns it, and the library's context with it. */
struct handshake {
    uv_work_t work;
    int result;            /* of the worker's last step */
    enum sky_tls_step at;  /* the step last taken, by whoever took it */
    struct sky_buf input;  /* whole records the worker may read */
    struct sky_buf output; /* what it wrote */
    bool hello_known, psk_refused, alerted;
    enum sky_tls_step step; /* as of the loop's last look */
    int alert_sent;
    struct sky_tls_hello hello;
    char *offered;               /* hello in words, once somebody has asked */
    struct sky_tls_proof *proof; /* owned; NULL on listeners without pre-shared keys */
    struct sky_curve_key *pair;  /* owned; NULL: no exchange of our own is under way */
};

struct sky_tls {
    mbedtls_ssl_context ssl;
    struct sky_tls_server *server;
    struct sky_tls_flavour *flavour; /* NULL until the first record is complete */
    const struct sky_tls_hooks *hooks;
    void *ctx;
    unsigned allows;
    enum sky_tls_state state;
    bool busy;     /* a worker has it */
    bool orphaned; /* freed while a worker had it */
    bool pumping;  /* in the middle of sky_tls_feed() */
    bool said_goodbye, resumed, ended;
    bool known;  /* on_known() was called */
    bool paused; /* and asked to wait */
    bool lied;   /* the library has the certificate of the lie */
    enum sky_lie lie;
    uint16_t record_max; /* what the client asked for; 0: nothing */
    struct handshake *handshake;
    sky_span source;      /* whole records the library may read now */
    struct sky_buf *sink; /* where it writes */
    struct sky_buf in;    /* fed, not yet read */
    struct sky_buf raw;   /* for the peer */
    int suite;            /* chosen; 0: none yet */
    uint16_t version;
    int64_t psk_device_id;
    char *server_name, *fingerprint, *common_name; /* owned; NULL: none */
    char *identity;
    size_t identity_len;
    struct sky_tls_failure *failure;
    struct sky_ca_waiter waiter; /* for the certificates */
    struct sky_ca_waiter lies;   /* for those that are wrong on purpose */
    struct sky_tls *prev, *next; /* of those whose clients are awaited */
    int64_t since_ms;            /* real time: since when, */
    int awaited_at;              /* and in which of the library's states */
    bool awaited;
};

/* ---- the library's view of the wire ---- */

static int on_recv(void *ctx, unsigned char *out, size_t room)
{
    struct sky_tls *tls = ctx;
    sky_span head = sky_span_head(tls->source, room);
    if (head.len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, head.ptr, head.len);
    tls->source = sky_span_tail(tls->source, head.len);
    return (int)head.len;
}

/* Alerts of a handshake are noticed on their way out. Those of a full one are in the clear: the
 * server's own ChangeCipherSpec comes after everything that can go wrong. */
static int on_send(void *ctx, const unsigned char *bytes, size_t len)
{
    struct sky_tls *tls = ctx;
    struct handshake *handshake = tls->handshake;
    if (handshake != NULL && handshake->proof != NULL)
        sky_tls_proof_saw_tls_server(handshake->proof, sky_span_of(bytes, len));
    if (handshake != NULL && bytes[0] == MBEDTLS_SSL_MSG_ALERT) {
        handshake->alerted = true;
        if (len == CLEAR_ALERT_RECORD)
            handshake->alert_sent = bytes[len - 1];
    }
    if (!sky_buf_add(tls->sink, sky_span_of(bytes, len)))
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    return (int)len;
}

/* For something of ours. */
static bool is_waiting(const struct sky_tls *tls)
{
    return tls->busy || tls->waiter.waiting || tls->lies.waiting || tls->paused;
}

/* ---- ending ---- */

/* It is the client's turn, or not any more. */
static void await_client(struct sky_tls *tls, bool awaited)
{
    struct sky_tls_server *server = tls->server;
    if (tls->awaited)
        DL_DELETE(server->awaited, tls);
    tls->awaited = awaited;
    tls->since_ms = server->options.clock->real_ms;
    if (!awaited)
        return; /* a worker may have it */
    tls->awaited_at = tls->ssl.state;
    DL_APPEND(server->awaited, tls);
}

static void leave_handshake(struct sky_tls *tls)
{
    SKY_ASSERT(tls->server->handshakes > 0);
    tls->server->handshakes--;
    await_client(tls, false);
    sky_ca_forget(tls->server->options.ca, &tls->waiter);
    sky_lies_forget(tls->server->lies, &tls->lies);
}

static void free_handshake(struct sky_tls *tls)
{
    struct handshake *handshake = tls->handshake;
    if (handshake == NULL)
        return;
    sky_buf_done(&handshake->input);
    sky_buf_done(&handshake->output);
    free(handshake->offered);
    free(handshake->proof);
    sky_curve_free(handshake->pair);
    free(handshake);
    tls->handshake = NULL;
}

static void set_state(struct sky_tls *tls, enum sky_tls_state state)
{
    if (tls->state == SKY_TLS_HANDSHAKING && state != SKY_TLS_HANDSHAKING)
        leave_handshake(tls);
    tls->state = state;
}

static bool asks(const struct sky_tls *tls)
{
    return tls->flavour->asks != SKY_TLS_ASKS_NOTHING;
}

static void explain(struct sky_tls *tls, struct sky_tls_evidence *evidence)
{
    const struct handshake *handshake = tls->handshake;
    evidence->allows = tls->allows;
    evidence->suite = tls->suite;
    evidence->alert_sent = SKY_TLS_NO_ALERT;
    if (handshake != NULL) {
        evidence->alert_sent = handshake->alert_sent;
        evidence->psk_refused = handshake->psk_refused;
        evidence->hello = handshake->hello_known ? &handshake->hello : NULL;
        evidence->name_covered =
            sky_ca_ready(tls->server->options.ca) &&
            sky_ca_covers(tls->server->options.ca, sky_span_str(handshake->hello.server_name));
    }
    tls->failure = sky_mem_new(sizeof *tls->failure);
    sky_tls_explain(evidence, tls->failure);
}

static void end(struct sky_tls *tls, enum sky_tls_state state)
{
    set_state(tls, state);
    if (tls->ended)
        return;
    tls->ended = true;
    tls->hooks->on_end(tls->ctx);
}

/* The library gave up with this code. */
static void fail(struct sky_tls *tls, int code)
{
    struct handshake *handshake = tls->handshake;
    struct sky_tls_evidence evidence = {
        .end = SKY_TLS_END_ERROR,
        .step = handshake != NULL ? handshake->at : SKY_TLS_STEP_OPEN,
        .code = code,
        .alert_received = SKY_TLS_NO_ALERT,
        .certificate_missing = code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE};
    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        evidence.alert_received = tls->ssl.in_msg[1];
    else if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        evidence.alert_received = MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY;
    else if (handshake != NULL && !handshake->alerted)
        (void)mbedtls_ssl_send_alert_message(&tls->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    tls->suite = sky_tls_suite_of(&tls->ssl);
    explain(tls, &evidence);
    tls->source = SKY_SPAN_NONE;
    mbedtls_ssl_free(&tls->ssl);
    end(tls, SKY_TLS_FAILED);
}

/* ---- the handshake ---- */

/* The library's own setter takes no more than MBEDTLS_PSK_MAX_LEN bytes, while one cloud's keys are
 * as long as SKY_PSK_KEY_MAX. The buffer of the premaster secret, which holds the key twice
 * (RFC 4279 §2), has room for them, as it is made for Diffie-Hellman's too. */
_Static_assert(MBEDTLS_PREMASTER_SIZE >= 4 + 2 * SKY_PSK_KEY_MAX, "a key fits twice");

static int set_key(mbedtls_ssl_context *ssl, const struct sky_psk *key)
{
    if (key->len <= MBEDTLS_PSK_MAX_LEN)
        return mbedtls_ssl_set_hs_psk(ssl, key->key, key->len);
    SKY_ASSERT(ssl->handshake->psk == NULL && key->len <= SKY_PSK_KEY_MAX);
    ssl->handshake->psk = mbedtls_calloc(1, key->len); /* which the library frees */
    SKY_ASSERT(ssl->handshake->psk != NULL);
    memcpy(ssl->handshake->psk, key->key, key->len);
    ssl->handshake->psk_len = key->len;
    return 0;
}

static void become_known(struct sky_tls *tls)
{
    if (tls->known)
        return;
    tls->known = true;
    if (tls->hooks->on_known != NULL)
        tls->hooks->on_known(tls->ctx);
}

static int find_key(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *identity, size_t len)
{
    struct sky_tls *tls = SKY_CONTAINER_OF(ssl, struct sky_tls, ssl);
    struct sky_psk key = {0};
    (void)ctx;
    SKY_ASSERT(!tls->busy && tls->identity == NULL);
    sky_tls_proof_saw_exchange(tls->handshake->proof, ssl);
    tls->identity_len = len < SKY_TLS_IDENTITY_MAX ? len : SKY_TLS_IDENTITY_MAX;
    tls->identity = sky_mem_dup((const char *)identity, tls->identity_len);
    sky_err err = SKY_ERR_LIMIT;
    if (len <= SKY_TLS_IDENTITY_MAX && tls->hooks->psk_lookup != NULL)
        err = tls->hooks->psk_lookup(tls->ctx, sky_tls_identity(tls), &key, &tls->psk_device_id);
    int rc = err == SKY_OK ? set_key(ssl, &key) : MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;
    tls->handshake->psk_refused = rc != 0;
    sky_mem_wipe(&key, sizeof key);
    become_known(tls);
    return rc;
}

/* Would the next step wait for bytes that are not there? */
static bool is_starved(const struct sky_tls *tls)
{
    return sky_tls_is_reading(&tls->ssl) && tls->source.len == 0 &&
           !mbedtls_ssl_check_pending(&tls->ssl);
}

static bool misses_certificate(const struct sky_tls *tls)
{
    return tls->flavour->asks == SKY_TLS_REQUIRES && sky_tls_has_certificate(&tls->ssl, true) &&
           mbedtls_ssl_get_verify_result(&tls->ssl) & MBEDTLS_X509_BADCERT_MISSING;
}

static bool is_costly(const struct sky_tls *tls)
{
    return sky_tls_is_costly(&tls->ssl, asks(tls), tls->source, tls->handshake->pair);
}

static int take_step(struct sky_tls *tls)
{
    int before = tls->ssl.state;
    tls->handshake->at = sky_tls_step_of(&tls->ssl, asks(tls));
    if (before == MBEDTLS_SSL_SERVER_HELLO)
        sky_tls_decline_short_records(&tls->ssl);
    bool tickets =
        before == MBEDTLS_SSL_CLIENT_HELLO || before == MBEDTLS_SSL_SERVER_NEW_SESSION_TICKET;
    if (tickets) /* never on a worker */
        tls->server->lying = tls->lied;
    int rc = sky_tls_exchange_step(&tls->server->exchange, &tls->ssl, &tls->handshake->pair);
    if (rc == 0 && before == MBEDTLS_SSL_SERVER_HELLO)
        tls->resumed = tls->ssl.state == MBEDTLS_SSL_SERVER_CHANGE_CIPHER_SPEC;
    if (rc == 0 && before == MBEDTLS_SSL_CLIENT_CERTIFICATE && misses_certificate(tls))
        return MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE;
    return rc;
}

static void on_work(uv_work_t *work)
{
    sky_worker_step_back();
    struct sky_tls *tls = work->data;
    do {
        tls->handshake->result = take_step(tls);
    } while (tls->handshake->result == 0 && is_costly(tls) && !is_starved(tls));
}

static void on_worked(uv_work_t *work, int status);

/* Gives the channel to a worker, with a copy of the input at hand. */
static void hand_over(struct sky_tls *tls)
{
    struct handshake *handshake = tls->handshake;
    SKY_ASSERT(!tls->busy && handshake->input.len == 0);
    if (!sky_buf_add(&handshake->input, tls->source)) {
        fail(tls, MBEDTLS_ERR_SSL_INVALID_RECORD);
        return;
    }
    tls->busy = true;
    tls->source = sky_buf_span(&handshake->input);
    tls->sink = &handshake->output;
    handshake->work.data = tls;
    int rc = uv_queue_work(tls->server->options.loop, &handshake->work, on_work, on_worked);
    SKY_ASSERT(rc == 0);
}

static void note_certificate(struct sky_tls *tls)
{
    const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(&tls->ssl);
    char name[SKY_CERTIFICATE_NAME_MAX + 1];
    if (certificate == NULL)
        return;
    tls->fingerprint = sky_mem_new(SKY_FINGERPRINT_HEX + 1);
    sky_certificate_fingerprint(certificate, tls->fingerprint);
    if (mbedtls_ssl_get_verify_result(&tls->ssl) == 0 && sky_certificate_name(certificate, name))
        tls->common_name = sky_mem_dup(name, strlen(name));
}

static void finish_handshake(struct sky_tls *tls)
{
    tls->version = (uint16_t)(MBEDTLS_SSL_MAJOR_VERSION_3 << 8 | tls->ssl.minor_ver);
    note_certificate(tls);
    set_state(tls, SKY_TLS_OPEN);
    tls->hooks->on_open(tls->ctx);
    free_handshake(tls);
}

/* Steps on as far as the input reaches, or until a worker has to take over. */
static void shake_hands(struct sky_tls *tls)
{
    while (tls->state == SKY_TLS_HANDSHAKING && !tls->paused) {
        tls->handshake->step = sky_tls_step_of(&tls->ssl, asks(tls));
        tls->suite = sky_tls_suite_of(&tls->ssl);
        if (tls->ssl.state == MBEDTLS_SSL_HANDSHAKE_OVER) {
            finish_handshake(tls);
            return;
        }
        if (is_starved(tls))
            return;
        if (tls->server->options.loop != NULL && is_costly(tls)) {
            hand_over(tls);
            return;
        }
        int rc = take_step(tls);
        if (rc == MBEDTLS_ERR_SSL_WANT_READ)
            return;
        if (rc != 0)
            fail(tls, rc);
    }
}

/* The first record is there: reads it for explanations and sets the library up. */
static void begin(struct sky_tls *tls)
{
    struct handshake *handshake = tls->handshake;
    handshake->hello_known = sky_tls_hello_parse(tls->source, &handshake->hello) == SKY_TLS_OK;
    tls->record_max = handshake->hello.record_max;
    const char *name = handshake->hello.server_name;
    if (name[0] != '\0')
        tls->server_name = sky_mem_dup(name, strlen(name));
    tls->flavour = sky_tls_server_flavour(tls->server, tls->allows, &handshake->hello, find_key);
    if (tls->flavour->psk)
        handshake->proof = sky_mem_new(sizeof *handshake->proof);
    int failed = mbedtls_ssl_setup(&tls->ssl, &tls->flavour->conf);
    SKY_ASSERT(!failed);
    mbedtls_ssl_set_bio(&tls->ssl, tls, on_send, on_recv, NULL);
    if (!tls->flavour->psk || !sky_tls_offers_only_psk(&handshake->hello))
        become_known(tls);
}

/* The certificates of the lie take the place of the usual ones. False: they are not made yet. */
static bool is_lie_ready(struct sky_tls *tls)
{
    struct sky_ca_identity identities[SKY_CA_IDENTITIES_MAX];
    if (tls->lie == SKY_LIE_NONE || tls->lied || tls->ssl.state > MBEDTLS_SSL_CLIENT_HELLO)
        return true;
    if (!sky_lies_ready(tls->server->lies)) {
        if (!tls->lies.waiting)
            sky_lies_when_ready(tls->server->lies, &tls->lies);
        return false;
    }
    size_t count = sky_lies_identities(tls->server->lies, tls->lie, identities);
    for (size_t i = 0; i < count; i++) {
        int failed = mbedtls_ssl_set_hs_own_cert(&tls->ssl, identities[i].chain, identities[i].key);
        SKY_ASSERT(!failed);
    }
    tls->lied = count > 0;
    return true;
}

/* Makes them, or waits for them. */
static bool are_certificates_ready(struct sky_tls *tls)
{
    struct sky_ca *ca = tls->server->options.ca;
    sky_ca_prepare(ca);
    if (!sky_ca_ready(ca))
        sky_ca_when_ready(ca, &tls->waiter);
    return sky_ca_ready(ca);
}

/* ---- bytes ---- */

/* Hands out what has been decrypted. */
static void deliver(struct sky_tls *tls, size_t len)
{
    if (len > 0)
        tls->hooks->on_clear(tls->ctx, sky_span_of(tls->server->clear, len));
}

static void decrypt(struct sky_tls *tls)
{
    struct sky_tls_server *server = tls->server;
    SKY_ASSERT(!server->reading);
    server->reading = true;
    size_t have = 0;
    int rc = 0;
    while (tls->state == SKY_TLS_OPEN) {
        rc = mbedtls_ssl_read(&tls->ssl, server->clear + have, SKY_TLS_CLEAR_SIZE - have);
        if (rc <= 0)
            break;
        have += (size_t)rc;
        if (have < SKY_TLS_CLEAR_SIZE)
            continue;
        deliver(tls, have);
        have = 0;
    }
    if (tls->state == SKY_TLS_OPEN)
        deliver(tls, have);
    server->reading = false;
    if (tls->state != SKY_TLS_OPEN || rc == MBEDTLS_ERR_SSL_WANT_READ)
        return;
    if (rc == 0 || rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        end(tls, SKY_TLS_CLOSED);
    else
        fail(tls, rc);
}

/* Works on whole records; returns how many bytes are done with. */
static size_t pump(struct sky_tls *tls, sky_span whole)
{
    if (whole.len == 0 && tls->flavour == NULL)
        return 0;
    tls->source = whole;
    if (tls->flavour == NULL && !are_certificates_ready(tls))
        return 0;
    if (tls->flavour == NULL)
        begin(tls);
    if (tls->paused || !is_lie_ready(tls))
        return 0;
    if (tls->handshake != NULL && tls->handshake->proof != NULL)
        sky_tls_proof_saw_tls_client(tls->handshake->proof, whole);
    if (tls->state == SKY_TLS_HANDSHAKING)
        shake_hands(tls);
    if (tls->state == SKY_TLS_OPEN)
        decrypt(tls);
    return tls->busy ? whole.len : whole.len - tls->source.len;
}

/* Before the client's Finished messages may be spread over records. */
static bool is_in_clear(const struct sky_tls *tls)
{
    return tls->state == SKY_TLS_HANDSHAKING && tls->ssl.state != MBEDTLS_SSL_CLIENT_FINISHED;
}

static void pump_kept(struct sky_tls *tls)
{
    tls->pumping = true;
    size_t ready = is_in_clear(tls) ? sky_tls_join_records(&tls->in)
                                    : sky_tls_whole_records(sky_buf_span(&tls->in)).len;
    sky_buf_drop(&tls->in, pump(tls, sky_span_head(sky_buf_span(&tls->in), ready)));
    if (tls->in.len == 0)
        sky_buf_done(&tls->in);
    tls->pumping = false;
}

static void finish_feeding(struct sky_tls *tls)
{
    bool awaited = !is_waiting(tls);
    if (tls->state == SKY_TLS_HANDSHAKING &&
        (awaited != tls->awaited || (awaited && tls->awaited_at != tls->ssl.state)))
        await_client(tls, awaited); /* bytes that complete nothing do not count */
    bool alive = tls->state == SKY_TLS_HANDSHAKING || tls->state == SKY_TLS_OPEN;
    if (tls->in.overflow && alive && !tls->busy)
        fail(tls, MBEDTLS_ERR_SSL_INVALID_RECORD);
    /* While a worker is at it, what the loop wrote waits for the rest of the flight: a client that
     * dislikes the certificate would hang up before the worker is done. */
    if (tls->raw.len > 0 && !tls->busy)
        tls->hooks->on_raw(tls->ctx);
}

void sky_tls_feed(struct sky_tls *tls, sky_span raw)
{
    SKY_ASSERT(!tls->pumping && !tls->orphaned);
    if (tls->state == SKY_TLS_CLOSED || tls->state == SKY_TLS_FAILED)
        return;
    if (is_waiting(tls)) {
        sky_buf_add(&tls->in, raw);
    } else if (tls->in.len > 0 || tls->state == SKY_TLS_HANDSHAKING) {
        sky_buf_add(&tls->in, raw);
        pump_kept(tls);
    } else {
        tls->pumping = true;
        size_t used = pump(tls, sky_tls_whole_records(raw));
        tls->pumping = false;
        if (tls->state == SKY_TLS_HANDSHAKING || tls->state == SKY_TLS_OPEN)
            sky_buf_add(&tls->in, sky_span_tail(raw, used));
    }
    finish_feeding(tls);
}

/* Goes on, on the loop, with what came while the channel was away. */
static void resume(struct sky_tls *tls)
{
    if (tls->state == SKY_TLS_HANDSHAKING)
        pump_kept(tls);
    finish_feeding(tls);
}

/* What the worker left unread goes back in front of what came meanwhile. */
static void take_back(struct sky_tls *tls)
{
    struct handshake *handshake = tls->handshake;
    struct sky_buf input = handshake->input;
    sky_buf_init(&handshake->input, SKY_TLS_INPUT_MAX);
    sky_buf_drop(&input, input.len - tls->source.len);
    sky_buf_add(&input, sky_buf_span(&tls->in));
    input.overflow = input.overflow || tls->in.overflow;
    sky_buf_done(&tls->in);
    tls->in = input;
    tls->source = SKY_SPAN_NONE;
    sky_buf_add(&tls->raw, sky_buf_span(&handshake->output));
    sky_buf_done(&handshake->output);
    tls->sink = &tls->raw;
    tls->busy = false;
}

static void on_worked(uv_work_t *work, int status)
{
    struct sky_tls *tls = work->data;
    (void)status;
    take_back(tls);
    if (tls->orphaned) {
        sky_tls_free(tls);
        return;
    }
    if (tls->state != SKY_TLS_HANDSHAKING)
        return; /* given up or closed meanwhile */
    int rc = tls->handshake->result;
    if (rc != 0 && rc != MBEDTLS_ERR_SSL_WANT_READ)
        fail(tls, rc);
    resume(tls);
}

static void on_certificates(struct sky_ca_waiter *waiter)
{
    resume(SKY_CONTAINER_OF(waiter, struct sky_tls, waiter));
}

static void on_lies(struct sky_ca_waiter *waiter)
{
    resume(SKY_CONTAINER_OF(waiter, struct sky_tls, lies));
}

/* ---- from outside ---- */

/* An alert, in the clear, among what nobody has read yet. */
static int find_alert(sky_span records)
{
    size_t len;
    for (; sky_tls_record_len(records, &len) == SKY_TLS_OK; records = sky_span_tail(records, len))
        if ((uint8_t)records.ptr[0] == MBEDTLS_SSL_MSG_ALERT && len == CLEAR_ALERT_RECORD)
            return (uint8_t)records.ptr[len - 1];
    return SKY_TLS_NO_ALERT;
}

/* Among what came while a worker had the channel, or what it has before it. */
static int unread_alert(const struct sky_tls *tls)
{
    int alert = find_alert(sky_buf_span(&tls->in));
    return alert == SKY_TLS_NO_ALERT && tls->busy ? find_alert(sky_buf_span(&tls->handshake->input))
                                                  : alert;
}

/* It has said hello, which nobody has read yet, as there are no certificates to answer with. */
static bool waits_for_certificates(const struct sky_tls *tls)
{
    struct sky_tls_hello hello;
    return tls->waiter.waiting && sky_tls_hello_parse(sky_buf_span(&tls->in), &hello) == SKY_TLS_OK;
}

void sky_tls_give_up(struct sky_tls *tls, enum sky_tls_end end)
{
    SKY_ASSERT(end != SKY_TLS_END_ERROR);
    tls->ended = true;
    if (tls->state == SKY_TLS_HANDSHAKING) {
        struct sky_tls_evidence evidence = {.end = end,
                                            .step = tls->handshake->step,
                                            .kept_waiting = waits_for_certificates(tls),
                                            .alert_received = unread_alert(tls)};
        explain(tls, &evidence);
        set_state(tls, SKY_TLS_FAILED);
    } else if (tls->state == SKY_TLS_OPEN) {
        set_state(tls, SKY_TLS_CLOSED);
    }
}

/* One more may begin: there is room, or a client that has been silent for long makes some. */
static bool finds_room(struct sky_tls_server *server)
{
    struct sky_tls *silent = server->awaited;
    if (server->handshakes < server->options.handshakes_max)
        return true;
    sky_tls_server_crowded(server);
    if (silent == NULL || server->options.clock->real_ms - silent->since_ms < SKY_TLS_HALF_OPEN_MS)
        return false;
    sky_tls_give_up(silent, SKY_TLS_END_CROWD);
    silent->hooks->on_end(silent->ctx);
    return true;
}

struct sky_tls *sky_tls_new(struct sky_tls_server *server, unsigned allows,
                            const struct sky_tls_hooks *hooks, void *ctx)
{
    if (!finds_room(server))
        return NULL;
    struct sky_tls *tls = sky_mem_new(sizeof *tls);
    struct handshake *handshake = sky_mem_new(sizeof *handshake);
    server->handshakes++;
    tls->server = server;
    tls->hooks = hooks;
    tls->ctx = ctx;
    tls->allows = allows;
    tls->handshake = handshake;
    tls->sink = &tls->raw;
    tls->waiter.ready = on_certificates;
    tls->lies.ready = on_lies;
    mbedtls_ssl_init(&tls->ssl);
    sky_buf_init(&tls->in, SKY_TLS_INPUT_MAX);
    sky_buf_init(&tls->raw, SKY_TLS_OUTPUT_MAX);
    sky_buf_init(&handshake->input, SKY_TLS_INPUT_MAX);
    sky_buf_init(&handshake->output, SKY_TLS_OUTPUT_MAX);
    handshake->alert_sent = SKY_TLS_NO_ALERT;
    await_client(tls, true);
    return tls;
}

void sky_tls_free(struct sky_tls *tls)
{
    if (tls == NULL)
        return;
    SKY_ASSERT(!tls->pumping);
    set_state(tls, SKY_TLS_CLOSED);
    if (tls->busy) {
        tls->orphaned = true; /* on_worked() comes back to it */
        return;
    }
    mbedtls_ssl_free(&tls->ssl);
    free_handshake(tls);
    sky_buf_done(&tls->in);
    sky_buf_done(&tls->raw);
    free(tls->server_name);
    free(tls->fingerprint);
    free(tls->common_name);
    free(tls->identity);
    free(tls->failure);
    free(tls);
}

void sky_tls_seal(struct sky_tls *tls, struct sky_buf *clear)
{
    if (tls->state == SKY_TLS_HANDSHAKING)
        return;
    sky_span rest = sky_buf_span(clear);
    while (rest.len > 0 && tls->state == SKY_TLS_OPEN) {
        sky_span next = sky_span_head(rest, tls->record_max > 0 ? tls->record_max : rest.len);
        int rc = mbedtls_ssl_write(&tls->ssl, (const unsigned char *)next.ptr, next.len);
        if (rc < 0)
            fail(tls, rc);
        else
            rest = sky_span_tail(rest, (size_t)rc);
    }
    sky_buf_clear(clear);
}

bool sky_tls_keeps_waiting(const struct sky_tls *tls)
{
    return tls->state == SKY_TLS_HANDSHAKING && is_waiting(tls);
}

void sky_tls_lie(struct sky_tls *tls, enum sky_lie lie)
{
    tls->lie = lie;
}

void sky_tls_pause(struct sky_tls *tls)
{
    tls->paused = true;
}

void sky_tls_resume(struct sky_tls *tls)
{
    tls->paused = false;
    resume(tls);
}

enum sky_lie sky_tls_lie_shown(const struct sky_tls *tls)
{
    return tls->lied ? tls->lie : SKY_LIE_NONE;
}

struct sky_buf *sky_tls_raw(struct sky_tls *tls)
{
    return &tls->raw;
}

void sky_tls_close(struct sky_tls *tls)
{
    if (tls->state == SKY_TLS_FAILED || tls->said_goodbye)
        return;
    tls->said_goodbye = true;
    tls->ended = true;
    if (tls->state != SKY_TLS_HANDSHAKING)
        (void)mbedtls_ssl_close_notify(&tls->ssl);
    set_state(tls, SKY_TLS_CLOSED);
}

enum sky_tls_state sky_tls_state(const struct sky_tls *tls)
{
    return tls->state;
}

/* ---- results ---- */

void sky_tls_fill_door(const struct sky_tls *tls, struct sky_door *door)
{
    door->tls_version = tls->version;
    door->server_name = sky_span_str(tls->server_name);
    door->fingerprint = sky_span_str(tls->fingerprint);
    door->certificate_name = sky_span_str(tls->common_name);
    door->psk_device_id = tls->version != 0 ? tls->psk_device_id : 0;
}

const char *sky_tls_cipher(const struct sky_tls *tls)
{
    const mbedtls_ssl_ciphersuite_t *suite = mbedtls_ssl_ciphersuite_from_id(tls->suite);
    return suite != NULL ? suite->name : "";
}

sky_span sky_tls_identity(const struct sky_tls *tls)
{
    return sky_span_of(tls->identity, tls->identity_len);
}

bool sky_tls_psk_fits(const struct sky_tls *tls, sky_span key)
{
    const struct handshake *handshake = tls->handshake;
    return handshake != NULL && handshake->proof != NULL &&
           sky_tls_proof_fits(handshake->proof, key);
}

bool sky_tls_resumed(const struct sky_tls *tls)
{
    return tls->resumed;
}

const char *sky_tls_offered(const struct sky_tls *tls)
{
    struct handshake *handshake = tls->handshake;
    if (handshake == NULL || !handshake->hello_known)
        return "";
    if (handshake->offered == NULL) {
        handshake->offered = sky_mem_new(SKY_TLS_OFFERED_MAX);
        sky_tls_offer_text(&handshake->hello, handshake->offered);
    }
    return handshake->offered;
}

const struct sky_tls_failure *sky_tls_failure(const struct sky_tls *tls)
{
    return tls->failure;
}
