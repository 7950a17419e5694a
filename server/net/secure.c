#include "server/net/secure.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/net/bend.h"
#include "server/os/config.h"
#include "server/registry/door.h"
#include "server/registry/psk.h"
#include "server/registry/refusal.h"
#include "server/tls/ca.h"
#include "server/tls/channel.h"
#include "server/tls/keylog.h"
#include "server/tls/rules.h"
#include "server/tls/server.h"

enum { SHOWN_SIZE = 80 };

/* ---- shared ---- */

static void on_certificates(struct sky_ca_waiter *waiter)
{
    struct sky_net *net = SKY_CONTAINER_OF(waiter, struct sky_net, certificates);
    const char *trouble = sky_ca_trouble(net->ca);
    if (trouble != NULL)
        fprintf(stderr, "skymock: certificates are not kept: %s\n", trouble);
}

_Static_assert(SKY_TLS_HANDSHAKES_MAX == 4096, "as is said");

static void on_crowd(void *owner, uint64_t turned_away)
{
    struct sky_net *net = owner;
    const struct sky_attr attrs[] = {
        SKY_ATTR(NAME, SKY_SPAN("tls-crowd")), SKY_ATTR_INT(COUNT, (int64_t)turned_away),
        SKY_ATTR(REASON, SKY_SPAN("4096 TLS handshakes are in progress: the ones that stand "
                                  "for longest are given up, or newcomers have to try again"))};
    const struct sky_event_head head = {
        .type = SKY_EVENT_NOTE, .direction = SKY_UP, .transport = SKY_TLS};
    sky_journal_add(net->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

struct sky_ca_options sky_secure_ca_options(const struct sky_config *config, const char *dir,
                                            int64_t now_ms)
{
    return (struct sky_ca_options){.dir = dir,
                                   .names = (const char *const *)config->san.list,
                                   .name_count = config->san.count,
                                   .host = config->advertise_host,
                                   .cert_file = config->tls_cert,
                                   .key_file = config->tls_key,
                                   .ca_file = config->tls_ca,
                                   .now_ms = now_ms};
}

sky_err sky_secure_open(struct sky_net *net, const struct sky_config *config, struct sky_why *why)
{
    char *dir = sky_ca_dir_beside(config->store);
    struct sky_ca_options options = sky_secure_ca_options(config, dir, net->clock->real_ms);
    options.loop = net->loop;
    sky_err err = sky_ca_open(&options, &net->ca, why);
    bool kept = dir != NULL;
    free(dir);
    if (err == SKY_OK && config->tls_keylog != NULL)
        err = sky_keylog_open(config->tls_keylog, &net->keylog, why);
    if (err != SKY_OK)
        return err;
    const struct sky_tls_options tls = {.loop = net->loop,
                                        .ca = net->ca,
                                        .clock = net->clock,
                                        .on_crowd = on_crowd,
                                        .owner = net,
                                        .keylog = net->keylog};
    net->tls = sky_tls_server_new(&tls);
    /* In memory they are made when the first handshake wants them: most runs of that kind never
     * speak TLS, and RSA keys cost them half a second of a processor. */
    net->certificates.ready = on_certificates;
    if (kept)
        sky_ca_when_ready(net->ca, &net->certificates);
    return SKY_OK;
}

void sky_secure_close(struct sky_net *net)
{
    sky_ca_stop(net->ca);
}

void sky_secure_free(struct sky_net *net)
{
    sky_tls_server_free(net->tls);
    sky_ca_free(net->ca);
    sky_keylog_close(net->keylog);
    net->tls = NULL;
    net->ca = NULL;
    net->keylog = NULL;
}

/* ---- the journal ---- */

/* Why it was not carried through, and how the client ended it, if it did. */
static void add_failure(struct sky_draft *draft, const struct sky_tls_failure *failure)
{
    sky_draft_add(draft, SKY_ATTR(REASON, sky_span_str(failure->reason)));
    sky_draft_add(draft, SKY_ATTR(STATE, sky_span_str(failure->ended)));
    if (failure->alert_received == SKY_TLS_NO_ALERT)
        return;
    sky_draft_add(draft, SKY_ATTR_INT(CODE, failure->alert_received));
    sky_draft_add(draft, SKY_ATTR(NAME, sky_span_str(sky_tls_alert_name(failure->alert_received))));
}

static void record(struct sky_conn *conn, const struct sky_tls_failure *failure,
                   const struct sky_judge *judge)
{
    char peer[64], identity[SKY_TLS_IDENTITY_TEXT_MAX + 1];
    sky_conn_peer(conn, peer, sizeof peer);
    sky_tls_identity_text(sky_tls_identity(conn->work->tls), identity);
    const struct sky_refusal refusal = {.explained = false};
    struct sky_buf explanation;
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    struct sky_draft draft;
    struct sky_event_head head = sky_conn_event(conn, SKY_EVENT_TLS_HANDSHAKE, SKY_UP);
    head.transport = SKY_TLS;
    head.device_id = conn->door->psk_device_id;
    sky_draft_begin(&draft, head);
    sky_draft_add(&draft, SKY_ATTR(LISTENER, sky_span_str(conn->door->listener->name)));
    sky_draft_add(&draft, SKY_ATTR(PEER, sky_span_str(peer)));
    sky_draft_add(&draft, SKY_ATTR(CIPHER, sky_span_str(sky_tls_cipher(conn->work->tls))));
    if (conn->door->tls_version != 0)
        sky_draft_add(
            &draft,
            SKY_ATTR(TLS_VERSION, sky_span_str(sky_tls_version_name(conn->door->tls_version))));
    if (conn->door->server_name.len > 0)
        sky_draft_add(&draft, SKY_ATTR(SERVER_NAME, conn->door->server_name));
    if (failure != NULL && identity[0] != '\0')
        sky_draft_add(&draft, SKY_ATTR(IDENTITY, sky_span_str(identity)));
    if (failure != NULL && sky_tls_offered(conn->work->tls)[0] != '\0')
        sky_draft_add(&draft, SKY_ATTR(OFFERED, sky_span_str(sky_tls_offered(conn->work->tls))));
    char shown[SHOWN_SIZE];
    if (sky_tls_resumed(conn->work->tls)) {
        sky_draft_add(&draft, SKY_ATTR(DETAIL, SKY_SPAN("resumed")));
    } else if (sky_tls_lie_shown(conn->work->tls) != SKY_LIE_NONE) {
        snprintf(shown, sizeof shown, "the certificate shown is a fault: %s",
                 sky_lie_name(sky_tls_lie_shown(conn->work->tls)));
        sky_draft_add(&draft, SKY_ATTR(DETAIL, sky_span_str(shown)));
    }
    if (failure != NULL) {
        sky_refusal_json(&refusal, judge, &explanation);
        add_failure(&draft, failure);
        sky_draft_add(&draft, SKY_ATTR(EXPLANATION, sky_buf_span(&explanation)));
    }
    sky_journal_record(conn->net->journal, &draft, judge);
    sky_buf_done(&explanation);
}

static bool fits(void *ctx, const struct sky_psk *guess)
{
    return sky_tls_psk_fits(ctx, sky_span_of(guess->key, guess->len));
}

/* A handshake that failed: what the client offered, what was chosen, why it failed. A wrong
 * pre-shared key is told with the device it belongs to. Where a fault had its hands on it nobody is
 * judged: refusing a bad certificate, say, is right. */
static void record_failure(struct sky_conn *conn)
{
    const struct sky_tls_failure *failure = sky_tls_failure(conn->work->tls);
    struct sky_judge judge;
    sky_tls_fill_door(conn->work->tls, sky_conn_own_door(conn));
    sky_judge_init(&judge, &conn->net->registry->policy);
    if (conn->work->touched == 0 && failure->rule != NULL)
        sky_judge_broken(&judge, failure->rule, "%s", failure->reason);
    record(conn, failure, &judge);
    if (conn->work->touched == 0 && failure->rule == sky_tls_rule(SKY_RULE_TLS_PSK_KEY) &&
        conn->work->psk != NULL && conn->work->psk->key.len > 0)
        sky_psk_failed(conn->net->registry, conn->door, conn->id, conn->work->psk, fits,
                       conn->work->tls);
}

/* ---- hooks ---- */

static void on_raw(void *ctx)
{
    sky_conn_touch(ctx);
}

static void on_open(void *ctx)
{
    struct sky_conn *conn = ctx;
    struct sky_judge judge;
    sky_conn_work(conn)->handshake_ms = conn->net->clock->real_ms - conn->work->handshake_ms;
    sky_tls_fill_door(conn->work->tls, sky_conn_own_door(conn));
    sky_judge_init(&judge, &conn->net->registry->policy);
    sky_door_judge_version(conn->door, &judge);
    record(conn, NULL, &judge);
    if (conn->work->psk != NULL)
        sky_psk_done(conn->net->registry, conn->door, conn->id, conn->work->psk,
                     sky_span_str(sky_tls_cipher(conn->work->tls)));
}

static void on_clear(void *ctx, sky_span clear)
{
    sky_conn_clear(ctx, clear);
}

static void on_end(void *ctx)
{
    struct sky_conn *conn = ctx;
    const struct sky_tls_failure *failure = sky_tls_failure(conn->work->tls);
    if (failure != NULL)
        record_failure(conn);
    if (failure != NULL)
        sky_conn_close(conn, "TLS failed");
    else
        sky_conn_gone(conn, "the peer closed TLS");
}

static sky_err psk_lookup(void *ctx, sky_span identity, struct sky_psk *ret_key,
                          int64_t *ret_device_id)
{
    struct sky_conn *conn = ctx;
    if (conn->work->psk == NULL)
        sky_conn_work(conn)->psk = sky_mem_new(sizeof *conn->work->psk);
    char peer[SKY_PSK_PEER_MAX];
    sky_conn_peer(conn, peer, sizeof peer);
    if (!sky_psk_open(conn->net->registry, conn->door, conn->id, peer, identity, conn->work->psk))
        return SKY_ERR_DENIED;
    *ret_key = conn->work->psk->key;
    *ret_device_id = conn->work->psk->device_id;
    return SKY_OK;
}

static void on_delay_over(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_conn *conn = SKY_CONTAINER_OF(timer, struct sky_conn, alarm);
    (void)now_ms;
    sky_tls_resume(conn->work->tls);
}

/* The moment at which a fault can have its hands on a handshake. The port has no alarm yet. */
static void on_known(void *ctx)
{
    struct sky_conn *conn = ctx;
    const struct sky_net *net = conn->net;
    if (net->fate_of == NULL || conn->closing)
        return;
    sky_tls_fill_door(conn->work->tls, sky_conn_own_door(conn));
    const struct sky_fate fate = net->fate_of(net->fate_ctx, conn, true);
    if (fate.name == NULL)
        return;
    sky_tls_lie(conn->work->tls, (enum sky_lie)fate.certificate);
    if (fate.corrupt > 0)
        sky_conn_corrupt(
            conn, fate.corrupt_anywhere ? fate.chance % SKY_FATE_FLIGHT_MIN : fate.corrupt_at,
            fate.corrupt);
    conn->mute = fate.withhold; /* the library goes on until it returns */
    if (fate.cut)               /* what it ends with comes then */
        sky_conn_cut_off(conn, fate.cut_at, "a fault cut the handshake off");
    else
        sky_conn_suffer(conn, &fate);
    if (fate.withhold && fate.then == SKY_BREAK_NONE)
        sky_conn_freeze(conn, fate.fault, "a fault withheld the handshake");
    if (fate.delay_ms > 0 && !conn->closing) {
        sky_tls_pause(conn->work->tls);
        sky_clock_timer(net->clock, &conn->alarm, fate.delay_ms, on_delay_over);
    }
}

static const struct sky_tls_hooks hooks = {on_raw, on_open, on_clear, on_end, psk_lookup, on_known};

/* ---- one connection ---- */

void sky_secure_start(struct sky_conn *conn)
{
    sky_conn_own_door(conn)->transport = SKY_TLS;
    sky_conn_work(conn)->handshake_ms = conn->net->clock->real_ms;
    sky_conn_work(conn)->tls =
        sky_tls_new(conn->net->tls, conn->door->listener->allows, &hooks, conn);
    if (conn->work->tls == NULL)
        sky_conn_close(conn, "4096 TLS handshakes are in progress, the most that may");
}

const char *sky_secure_lie_refusal(const struct sky_net *net, enum sky_lie lie)
{
    return net->tls != NULL ? sky_lies_refusal(net->tls->lies, lie) : NULL;
}

void sky_secure_prepare_lies(struct sky_net *net)
{
    if (net->tls != NULL)
        sky_lies_prepare(net->tls->lies);
}

void sky_secure_behaved(const struct sky_conn *conn, struct sky_behaviour *behaviour)
{
    if (conn->work->tls == NULL)
        return;
    bool resumed = sky_tls_resumed(conn->work->tls);
    struct sky_behaviour_handshake handshake = {
        .transport = SKY_TLS,
        .psk = conn->work->psk != NULL,
        .full = !resumed,
        .resumed = resumed,
        .longest_ms = conn->work->handshake_ms > 0 ? (uint32_t)conn->work->handshake_ms : 0};
    snprintf(handshake.version, sizeof handshake.version, "%s",
             sky_tls_version_name(conn->door->tls_version));
    snprintf(handshake.cipher, sizeof handshake.cipher, "%s", sky_tls_cipher(conn->work->tls));
    sky_behaviour_add_handshake(behaviour, &handshake);
}

void sky_secure_give_up(struct sky_conn *conn, bool timed_out)
{
    if (conn->work->tls == NULL || sky_tls_state(conn->work->tls) != SKY_TLS_HANDSHAKING)
        return;
    sky_tls_give_up(conn->work->tls, timed_out ? SKY_TLS_END_TIMEOUT : SKY_TLS_END_PEER_LEFT);
    if (sky_tls_failure(conn->work->tls) != NULL)
        record_failure(conn);
}
