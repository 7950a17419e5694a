#include "server/broker/holdings.h"

#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/base/pack.h"
#include "protocol/base/utf8.h"
#include "protocol/mqtt/topic.h"
#include "server/broker/kept.h"
#include "server/broker/presence.h"

enum { KEPT = 1, CLEAN = 2 };

/* ---- writing ---- */

struct filter {
    sky_span text; /* the subscription's */
    uint8_t qos;
};

struct filters {
    struct filter *list; /* owned */
    size_t count;
};

static void take_filter(void *ctx, sky_span filter, uint8_t qos)
{
    struct filters *filters = ctx;
    filters->list[filters->count++] = (struct filter){filter, qos};
}

static int in_order(const void *a, const void *b)
{
    const struct filter *one = a, *other = b;
    return sky_span_order(one->text, other->text);
}

static void write_filters(struct sky_broker *broker, const struct sky_session *session,
                          struct sky_buf *out)
{
    struct filters filters = {.count = 0};
    size_t count = sky_subs_count(broker->subs, session->slot);
    filters.list = sky_mem_grow(NULL, (count + 1) * sizeof *filters.list);
    sky_subs_each(broker->subs, session->slot, take_filter, &filters);
    qsort(filters.list, filters.count, sizeof *filters.list, in_order);
    sky_pack_int(out, (int64_t)filters.count);
    for (size_t i = 0; i < filters.count; i++) {
        sky_pack_span(out, filters.list[i].text);
        sky_pack_int(out, filters.list[i].qos);
    }
    free(filters.list);
}

static void write_message(void *ctx, const struct sky_mqtt_msg *msg, uint16_t packet_id)
{
    struct sky_buf *out = ctx;
    sky_pack_int(out, packet_id);
    sky_pack_int(out, msg->born_ms);
    sky_pack_int(out, (int64_t)msg->tag);
    sky_pack_span(out, sky_mqtt_msg_topic(msg));
    sky_pack_span(out, sky_mqtt_msg_payload(msg));
}

void sky_holdings_write(struct sky_broker *broker, struct sky_session *session, struct sky_buf *out)
{
    bool here = session->conn != NULL || session->work->via != NULL;
    if (!here && !session->kept)
        return;
    sky_kept_read(broker, session);
    sky_pack_int(out, session->mqtt.last_id);
    sky_pack_int(out, session->conn == NULL ? session->away_since_ms
                                            : sky_clock_lived_ms(broker->registry->clock));
    sky_pack_int(out, (session->kept ? KEPT : 0) | (here && session->clean ? CLEAN : 0));
    sky_pack_int(out, session->work->via != NULL ? session->work->via->device_id : 0);
    write_filters(broker, session, out);
    sky_pack_int(out, (int64_t)(sky_mqtt_session_inflight(&session->mqtt) +
                                sky_mqtt_session_waiting(&session->mqtt)));
    sky_mqtt_session_each(&session->mqtt, write_message, out);
}

size_t sky_holdings_messages(sky_span bytes)
{
    struct sky_unpack in = {.rest = bytes};
    for (size_t i = 0; i < SKY_HOLDINGS_HEAD / sizeof(int64_t) + 2; i++)
        (void)sky_unpack_int(&in);
    for (int64_t left = sky_unpack_int(&in); left > 0 && !in.bad; left--) {
        (void)sky_unpack_span(&in);
        (void)sky_unpack_int(&in);
    }
    int64_t count = sky_unpack_int(&in);
    return in.bad || count < 0 ? 0 : (size_t)count;
}

/* ---- putting back ---- */

static void turn_out(struct sky_broker *broker, struct sky_session *session, const char *reason)
{
    if (session->work->via != NULL)
        sky_session_go_offline(broker, session, reason, 0);
    if (session->conn != NULL && !session->conn->closing)
        sky_conn_close(session->conn, reason);
    sky_session_detach(broker, session);
    sky_session_wipe(broker, session);
    session->tokens = 0; /* they may be others */
    session->token_waits = false;
    sky_session_expect_subscribe(session, 0);
}

static void read_filters(struct sky_broker *broker, struct sky_session *session,
                         struct sky_unpack *in)
{
    for (int64_t left = sky_unpack_int(in); left > 0 && !in->bad; left--) {
        sky_span filter = sky_unpack_span(in);
        int64_t qos = sky_unpack_int(in);
        in->bad |= qos < 0 || qos > 1 || !sky_topic_valid_filter(filter) ||
                   sky_utf8_valid(filter) != filter.len;
        if (!in->bad)
            in->bad = sky_session_subscribe(broker, session, filter, (uint8_t)qos) != SKY_OK;
    }
}

static void read_messages(struct sky_broker *broker, struct sky_session *session,
                          struct sky_unpack *in, int64_t shift_ms)
{
    for (int64_t left = sky_unpack_int(in); left > 0 && !in->bad; left--) {
        int64_t packet_id = sky_unpack_int(in), born_ms = sky_unpack_int(in),
                tag = sky_unpack_int(in);
        sky_span topic = sky_unpack_span(in), payload = sky_unpack_span(in);
        in->bad |= packet_id < 0 || packet_id > UINT16_MAX || !sky_topic_valid_name(topic) ||
                   sky_utf8_valid(topic) != topic.len || !sky_mqtt_publish_fits(topic, payload, 1);
        if (!in->bad)
            sky_kept_put_back(session,
                              sky_mqtt_msg_new(topic, payload, born_ms + shift_ms, (uint64_t)tag,
                                               &broker->message_bytes),
                              (uint16_t)packet_id);
    }
}

sky_err sky_holdings_put_back(struct sky_broker *broker, struct sky_session *session,
                              sky_span bytes, int64_t shift_ms, const char *reason)
{
    struct sky_unpack in = {.rest = bytes};
    turn_out(broker, session, reason);
    if (bytes.len == 0)
        return SKY_OK;
    int64_t last_id = sky_unpack_int(&in), since_ms = sky_unpack_int(&in) + shift_ms;
    bool kept = sky_unpack_int(&in) & KEPT;
    (void)sky_unpack_int(&in); /* the gateway it was online by, which is to bring it again */
    if (!kept || in.bad)
        return in.bad ? SKY_ERR_INVALID : SKY_OK;
    /* The ids that the device has seen since are not given again (MQTT 3.1.1 §2.3.1). */
    if (session->mqtt.last_id == 0)
        session->mqtt.last_id = (uint16_t)last_id;
    session->kept = true;
    session->clean = false;
    session->away_since_ms = since_ms;
    sky_kept_begin(broker, session);
    read_filters(broker, session, &in);
    read_messages(broker, session, &in, shift_ms);
    sky_kept_away(broker, session);
    if (in.bad)
        sky_session_wipe(broker, session);
    return in.bad ? SKY_ERR_INVALID : SKY_OK;
}
