#include "server/broker/topics.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/broker/behind.h"

static void free_node(struct sky_topic_node *node)
{
    sky_receivers_done(&node->receivers);
    free(node);
}

static void free_nodes(struct sky_broker *broker)
{
    struct sky_topic_node *node, *next;
    HASH_ITER (hh, broker->nodes, node, next) {
        HASH_DEL(broker->nodes, node);
        free_node(node);
    }
    broker->node_bytes = 0;
}

void sky_topics_init(struct sky_broker *broker)
{
    broker->subs = sky_subs_new();
}

void sky_topics_done(struct sky_broker *broker)
{
    free_nodes(broker);
    sky_subs_free(broker->subs);
    broker->subs = NULL;
}

void sky_topics_forget(struct sky_broker *broker)
{
    free_nodes(broker);
    broker->epoch++;
}

/* One at a time: to forget all at once would hold everybody up. */
static void forget_oldest(struct sky_broker *broker)
{
    struct sky_topic_node *oldest = broker->nodes; /* the table keeps them in order of arrival */
    broker->node_bytes -=
        sizeof *oldest + oldest->len + oldest->receivers.room * sizeof *oldest->receivers.list;
    HASH_DEL(broker->nodes, oldest);
    free_node(oldest);
    broker->epoch++;
}

static struct sky_topic_node *find_node(struct sky_broker *broker, sky_span topic)
{
    struct sky_topic_node *node;
    HASH_FIND(hh, broker->nodes, topic.ptr, topic.len, node);
    if (node != NULL)
        return node;
    while (broker->nodes != NULL && (HASH_COUNT(broker->nodes) >= SKY_TOPIC_NODES_MAX ||
                                     broker->node_bytes >= SKY_TOPIC_BYTES_MAX))
        forget_oldest(broker);
    node = sky_mem_new(sizeof *node + topic.len);
    broker->node_bytes += sizeof *node + topic.len;
    memcpy(node->name, topic.ptr, topic.len);
    node->len = (uint16_t)topic.len;
    node->id = ++broker->last_node_id;
    node->publisher = UINT32_MAX;
    node->generation = UINT64_MAX;
    HASH_ADD_KEYPTR(hh, broker->nodes, node->name, node->len, node);
    return node;
}

/* The topic's node with the right of this publisher in it. Devices publish to the same topic again
 * and again, so the last one is looked at first. */
struct sky_topic_node *sky_topic_of(struct sky_broker *broker, struct sky_session *session,
                                    sky_span topic)
{
    if (broker->generation != broker->registry->generation) {
        broker->generation = broker->registry->generation;
        sky_topics_forget(broker);
    }
    struct sky_session_work *work = sky_session_work(session);
    struct sky_topic_node *node = work->last_topic;
    if (node == NULL || work->last_epoch != broker->epoch ||
        !sky_span_eq(topic, sky_span_of(node->name, node->len))) {
        node = work->last_topic = find_node(broker, topic);
        work->last_epoch = broker->epoch;
    }
    /* A gateway's right to what is not its own changes with who stands behind it, whether that one
     * came by itself, whether it is enabled: it is found out each time. */
    if (node->publisher != session->slot || sky_behind_is_gateway(session)) {
        const struct sky_session *subject = session;
        node->row = NULL;
        node->right =
            (uint8_t)sky_behind_right(broker, session, topic, SKY_MAY_PUB, &node->row, &subject);
        node->fits = sky_cloud_topic_fits(&subject->product->cloud->limits, node->row, topic);
        node->publisher = session->slot;
        node->subject = subject->slot;
    }
    return node;
}

const struct sky_receivers *sky_topic_receivers(struct sky_broker *broker,
                                                struct sky_topic_node *node)
{
    uint64_t generation = sky_subs_generation(broker->subs);
    if (node->generation != generation) {
        size_t room = node->receivers.room;
        sky_subs_match(broker->subs, sky_span_of(node->name, node->len), &node->receivers);
        broker->node_bytes += (node->receivers.room - room) * sizeof *node->receivers.list;
        node->generation = generation;
    }
    return &node->receivers;
}

const struct sky_receivers *sky_receivers_of(struct sky_broker *broker, sky_span topic)
{
    return sky_topic_receivers(broker, find_node(broker, topic));
}

bool sky_topic_subscribed(struct sky_broker *broker, const struct sky_session *session,
                          sky_span topic, uint8_t *ret_qos)
{
    const struct sky_receivers *all = sky_receivers_of(broker, topic);
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].subscriber == session->slot) {
            *ret_qos = all->list[i].qos;
            return true;
        }
    }
    return false;
}
