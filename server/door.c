#include "server/door.h"

#include "protocol/base/mem.h"
#include "server/app.h"

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
    struct sky_judge judge;
    char peer[64];
    sky_judge_init(&judge, &conn->app->policy);
    sky_judge_rule(&judge, rule, false, "%s (listener %s)", what, conn->door.listener->name);
    sky_conn_peer(conn, peer, sizeof peer);
    const struct sky_attr attrs[] = {
        SKY_ATTR(LISTENER, sky_span_str(conn->door.listener->name)),
        SKY_ATTR(PEER, sky_span_str(peer)), SKY_ATTR(REASON, sky_span_str(what)),
        SKY_ATTR(BYTES_HEX, sky_span_head(bytes, SKY_DOOR_BYTES_SHOWN))};
    const struct sky_event_head head = head_of(conn, SKY_EVENT_MALFORMED);
    sky_journal_add(conn->app->journal, &head, attrs, SKY_COUNT(attrs), &judge);
}

void sky_door_left(struct sky_conn *conn)
{
    const struct sky_attr attrs[] = {SKY_ATTR(LISTENER, sky_span_str(conn->door.listener->name)),
                                     SKY_ATTR(REASON, sky_span_str(conn->close_reason))};
    const struct sky_event_head head = head_of(conn, SKY_EVENT_CLOSE);
    sky_journal_add(conn->app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}
