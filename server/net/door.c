#include "server/net/door.h"

#include "protocol/base/mem.h"
#include "protocol/cloud/admit.h"
#include "server/app.h"
#include "server/tls/explain.h"

static struct sky_event_head head_of(const struct sky_conn *conn, enum sky_event_type type)
{
    return (struct sky_event_head){.type = type,
                                   .direction = SKY_UP,
                                   .transport = conn->door.transport,
                                   .connection = conn->id,
                                   .device_id = conn->device_id};
}

void sky_door_refused(struct sky_conn *conn, const struct sky_rule *rule, sky_span bytes,
                      const char *what)
{
    const struct sky_refusal refusal = {.explained = false};
    struct sky_judge judge;
    struct sky_buf explanation;
    char peer[64];
    sky_judge_init(&judge, &conn->app->policy);
    sky_judge_rule(&judge, rule, false, "%s (listener %s)", what, conn->door.listener->name);
    sky_conn_peer(conn, peer, sizeof peer);
    sky_buf_init(&explanation, SKY_REFUSAL_JSON_MAX);
    sky_refusal_json(&refusal, &judge, &explanation);
    const struct sky_attr attrs[] = {
        SKY_ATTR(LISTENER, sky_span_str(conn->door.listener->name)),
        SKY_ATTR(PEER, sky_span_str(peer)), SKY_ATTR(REASON, sky_span_str(what)),
        SKY_ATTR(BYTES_HEX, sky_span_head(bytes, SKY_DOOR_BYTES_SHOWN)),
        SKY_ATTR(EXPLANATION, sky_buf_span(&explanation))};
    const struct sky_event_head head = head_of(conn, SKY_EVENT_MALFORMED);
    sky_journal_add(conn->app->journal, &head, attrs, SKY_COUNT(attrs), &judge);
    sky_buf_done(&explanation);
    struct sky_session *session = sky_session_find(conn->app, conn->device_id);
    if (session != NULL)
        sky_session_judged(conn->app, session, &judge);
}

static void judge_kept(struct sky_judge *judge, const enum sky_door_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sky_judge_rule(judge, sky_door_rule(rules[i]), true, " ");
}

bool sky_door_judge_version(const struct sky_door *door, struct sky_judge *judge)
{
    return sky_judge_rule(judge, sky_door_rule(SKY_RULE_TLS_VERSION),
                          door->tls_version >= SKY_TLS_1_2, "negotiated %s",
                          sky_tls_version_name(door->tls_version));
}

bool sky_door_judge(const struct sky_door *door, struct sky_judge *judge)
{
    static const enum sky_door_rule always[] = {SKY_RULE_DOOR_FIRST_BYTE, SKY_RULE_DOOR_SLOW};
    static const enum sky_door_rule tls[] = {SKY_RULE_TLS_HANDSHAKE, SKY_RULE_TLS_NO_COMMON_SUITE,
                                             SKY_RULE_TLS_TIMEOUT};
    static const enum sky_door_rule psk[] = {SKY_RULE_TLS_PSK_IDENTITY, SKY_RULE_TLS_PSK_KEY};
    static const enum sky_door_rule certificate[] = {SKY_RULE_TLS_SERVER_CERT,
                                                     SKY_RULE_TLS_CLIENT_CERT};
    static const enum sky_door_rule websocket[] = {SKY_RULE_DOOR_WEBSOCKET};
    judge_kept(judge, always, SKY_COUNT(always));
    if (sky_door_is_websocket(door))
        judge_kept(judge, websocket, SKY_COUNT(websocket));
    if (door->tls_version == 0)
        return false;
    judge_kept(judge, tls, SKY_COUNT(tls));
    if (door->psk_device_id != 0)
        judge_kept(judge, psk, SKY_COUNT(psk));
    else
        judge_kept(judge, certificate, door->fingerprint.len > 0 ? 2 : 1);
    return sky_door_judge_version(door, judge);
}

void sky_door_left(struct sky_conn *conn)
{
    const struct sky_attr attrs[] = {SKY_ATTR(LISTENER, sky_span_str(conn->door.listener->name)),
                                     SKY_ATTR(REASON, sky_span_str(conn->close_reason))};
    const struct sky_event_head head = head_of(conn, SKY_EVENT_CLOSE);
    sky_journal_add(conn->app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}
