/* What a device subscribes to: may it, and is there room? */
#include "protocol/base/assert.h"
#include "protocol/mqtt/rules.h"
#include "server/broker/behind.h"
#include "server/broker/gateways.h"
#include "server/broker/presence.h"
#include "server/broker/publish.h"
#include "server/broker/upgrades.h"
#include "server/port/mqtt_private.h"

/* `*ret_row` is as sky_cloud_right() sets it. */
static bool may_subscribe(struct sky_broker *broker, struct sky_session *session, sky_span filter,
                          struct sky_judge *judge, const struct sky_topic_row **ret_row)
{
    const struct sky_session *subject = session;
    enum sky_right right =
        sky_behind_right(broker, session, filter, SKY_MAY_SUB, ret_row, &subject);
    bool may = sky_right_judge(session->product->cloud, right, SKY_LIMIT_TOPIC_SUB, judge,
                               "subscribed to", filter, " without the right to");
    if (may && subject != session)
        sky_gateway_use(broker, session, sky_session_at(broker->registry, subject->slot), judge);
    if (may)
        sky_upgrades_arrived(broker, subject);
    return may;
}

/* False: too many filters, and the rule is enforced. One that is held already only changes its
 * QoS (3.8.4-3). */
static bool has_room(const struct sky_subs *subs, const struct sky_session *session,
                     sky_span filter, size_t number, struct sky_judge *judge)
{
    const struct sky_cloud_limits *limits = &session->product->cloud->limits;
    size_t held = sky_subs_count(subs, session->slot);
    size_t devices = 1 + session->work->behind_count; /* each may hold as many */
    return !sky_judge_rule(
        judge, sky_cloud_limit_rule(session->product->cloud, SKY_LIMIT_SUB_COUNT),
        number < limits->filters_per_packet_max &&
            (held < limits->filters_per_device_max * devices ||
             sky_subs_has(subs, session->slot, filter)),
        "filter number %zu of its packet, with %zu held; at most %u and %u are taken", number + 1,
        held, limits->filters_per_packet_max, limits->filters_per_device_max);
}

/* The SUBACK code for one filter; adds the subscription when it is granted (3.8.4-5). */
static uint8_t subscribe_one(struct sky_conn *conn, sky_span filter, uint8_t qos, size_t number,
                             struct sky_judge *judge)
{
    struct sky_session *session = conn->state;
    const struct sky_cloud *cloud = session->product->cloud;
    const struct sky_topic_row *row = NULL;
    struct sky_subs *subs = sky_mqtt__port(conn)->broker->subs;
    if (sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_QOS2_SUBSCRIBE), qos < 2,
                       "asked for QoS 2 on %.*s", SKY_SPAN_ARGS(filter)) ||
        !may_subscribe(sky_mqtt__port(conn)->broker, session, filter, judge, &row) ||
        sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_TOPIC_LENGTH),
                       sky_cloud_topic_fits(&cloud->limits, row, filter),
                       "filter of %zu bytes; at most %u with at most %u slashes are taken: %.*s",
                       filter.len, cloud->limits.topic_len_max, cloud->limits.topic_slashes_max,
                       SKY_SPAN_ARGS(filter)) ||
        !has_room(subs, session, filter, number, judge))
        return SKY_SUBACK_FAILURE;
    uint8_t granted = qos > 1 ? 1 : qos;
    size_t devices =
        1 + session->work->behind_count; /* a gateway has the filters of all behind it */
    bool fits = sky_subs_has(subs, session->slot, filter) ||
                sky_subs_count(subs, session->slot) < SKY_SUBS_PER_DEVICE_MAX * devices;
    if (fits &&
        sky_session_subscribe(sky_mqtt__port(conn)->broker, session, filter, granted) == SKY_OK)
        return granted;
    sky_judge_broken(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_SUB_COUNT),
                     "more than %d filters, or %d levels in one with wildcards: %.*s",
                     SKY_SUBS_PER_DEVICE_MAX, SKY_SUBS_TRIE_DEPTH_MAX, SKY_SPAN_ARGS(filter));
    return SKY_SUBACK_FAILURE;
}

static uint64_t record_filters(struct sky_conn *conn, enum sky_event_type type,
                               const struct sky_mqtt_filters *filters,
                               const struct sky_judge *judge)
{
    struct sky_buf json;
    const struct sky_attr attrs[] = {SKY_ATTR_INT(PACKET_ID, filters->packet_id),
                                     SKY_ATTR(FILTERS, sky_wire_filters(filters, NULL, &json))};
    uint64_t seq = sky_mqtt__record(conn, type, SKY_UP, attrs, SKY_COUNT(attrs), judge);
    sky_buf_done(&json);
    return seq;
}

/* What the cloud does when a topic is subscribed to, after the SUBACK. */
static void tell_cloud(struct sky_conn *conn, struct sky_mqtt_filters filters, const uint8_t *codes,
                       uint64_t of)
{
    struct sky_session *session = conn->state;
    if (session->product->cloud->subscribed == NULL)
        return;
    sky_span filter;
    uint8_t qos;
    for (size_t i = 0; sky_mqtt_filter_next(&filters, &filter, &qos); i++)
        if (codes[i] != SKY_SUBACK_FAILURE && !conn->closing)
            sky_publish_subscribed(sky_mqtt__port(conn)->broker, session, filter, of);
}

void sky_mqtt__on_subscribe(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    struct sky_mqtt_filters filters = packet->as.filters;
    uint8_t codes[SKY_MQTT_FILTERS_MAX];
    struct sky_judge judge;
    sky_span filter;
    uint8_t qos;
    size_t count = 0;
    sky_judge_init(&judge, sky_mqtt__policy(conn));
    while (sky_mqtt_filter_next(&filters, &filter, &qos)) {
        SKY_ASSERT(count < SKY_MQTT_FILTERS_MAX);
        codes[count] = subscribe_one(conn, filter, qos, count, &judge);
        count++;
    }
    filters = packet->as.filters;
    struct sky_session *session = conn->state;
    if (session->work->resubscribe_by_ms != 0)
        sky_judge_kept(&judge, sky_mqtt_rule(SKY_MQTT_RULE_RESUBSCRIBE));
    sky_session_expect_subscribe(session, 0);
    uint64_t seq = record_filters(conn, SKY_EVENT_SUBSCRIBE, &filters, &judge);
    sky_session_judged(conn->state, &judge);
    struct sky_out out;
    sky_out_begin(&out, SKY_POINT_SUBACK, conn);
    out.as.suback.filters = filters;
    out.as.suback.codes = codes;
    out.as.suback.lies = false;
    sky_wire_send(sky_mqtt__port(conn)->broker->wire, &out);
    tell_cloud(conn, filters, codes, seq);
}

void sky_mqtt__on_unsubscribe(struct sky_conn *conn, const struct sky_mqtt_packet *packet)
{
    struct sky_session *session = conn->state;
    struct sky_mqtt_filters filters = packet->as.filters;
    sky_span filter;
    uint8_t qos;
    while (sky_mqtt_filter_next(&filters, &filter, &qos))
        sky_session_unsubscribe(sky_mqtt__port(conn)->broker, session, filter);
    record_filters(conn, SKY_EVENT_UNSUBSCRIBE, &packet->as.filters, NULL);
    sky_mqtt__send_ack(conn, SKY_POINT_UNSUBACK, SKY_MQTT_UNSUBACK, packet->as.filters.packet_id);
}
