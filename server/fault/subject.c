/* Passages as patterns see them, and what `set` makes of them. */
#include "protocol/base/mem.h"
#include "server/fault/private.h"

#include "server/registry/sessions.h"
#include "server/wire/ways.h"

/* ---- on the way in ---- */

static void add_connect(struct sky_draft *draft, const struct sky_mqtt_connect *connect)
{
    draft->head.type = SKY_EVENT_CONNECT;
    sky_draft_add(draft, SKY_ATTR(CLIENT_ID, connect->client_id));
    sky_draft_add(draft, SKY_ATTR(USERNAME, connect->username));
    sky_draft_add(draft, SKY_ATTR_INT(CLEAN_SESSION, connect->clean_session));
    sky_draft_add(draft, SKY_ATTR_INT(KEEPALIVE, connect->keepalive_s));
    sky_draft_add(draft, SKY_ATTR_INT(LEVEL, connect->level));
}

static void add_publish(struct sky_draft *draft, const struct sky_mqtt_publish *publish)
{
    draft->head.type = SKY_EVENT_PUBLISH;
    sky_draft_add(draft, SKY_ATTR(TOPIC, publish->topic));
    sky_draft_add(draft, SKY_ATTR(PAYLOAD, publish->payload));
    sky_draft_add(draft, SKY_ATTR_INT(QOS, publish->qos));
    if (publish->packet_id != 0)
        sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, publish->packet_id));
    if (publish->dup)
        sky_draft_add(draft, SKY_ATTR_INT(DUP, 1));
    if (publish->retain)
        sky_draft_add(draft, SKY_ATTR_INT(RETAIN, 1));
}

static void add_packet(struct sky_fault_subject *s, const struct sky_mqtt_packet *packet)
{
    struct sky_draft *draft = &s->draft;
    switch (packet->type) {
    case SKY_MQTT_CONNECT:
        add_connect(draft, &packet->as.connect);
        return;
    case SKY_MQTT_PUBLISH:
        add_publish(draft, &packet->as.publish);
        return;
    case SKY_MQTT_SUBSCRIBE:
    case SKY_MQTT_UNSUBSCRIBE:
        draft->head.type =
            packet->type == SKY_MQTT_SUBSCRIBE ? SKY_EVENT_SUBSCRIBE : SKY_EVENT_UNSUBSCRIBE;
        sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, packet->as.filters.packet_id));
        sky_draft_add(draft,
                      SKY_ATTR(FILTERS, sky_wire_filters(&packet->as.filters, NULL, &s->room)));
        return;
    case SKY_MQTT_PUBACK:
        draft->head.type = SKY_EVENT_PUBACK;
        break;
    case SKY_MQTT_PINGREQ:
        draft->head.type = SKY_EVENT_PING;
        return;
    case SKY_MQTT_DISCONNECT:
        draft->head.type = SKY_EVENT_DISCONNECT;
        return;
    default:
        draft->head.type = SKY_EVENT_NOTE;
        sky_draft_add(draft, SKY_ATTR(NAME, sky_span_str(sky_mqtt_type_name(packet->type))));
    }
    sky_draft_add(draft, SKY_ATTR_INT(PACKET_ID, packet->as.packet_id));
}

/* ---- on the way out ---- */

static void add_http(struct sky_draft *draft, const struct sky_http_response *answer)
{
    draft->head.type = SKY_EVENT_HTTP_AUTH;
    sky_draft_add(draft, SKY_ATTR(METHOD, answer->method));
    sky_draft_add(draft, SKY_ATTR(PATH, answer->path));
    sky_draft_add(draft, SKY_ATTR_INT(STATUS, answer->reply.status));
    sky_draft_add(draft, SKY_ATTR(PAYLOAD, answer->reply.body));
}

/* What is chosen by is the request: the answer says nothing of it. */
static void add_coap(struct sky_draft *draft, const struct sky_coap_message *request)
{
    static const char *const names[] = {"empty", "GET", "POST", "PUT", "DELETE"};
    if (draft->attrs[draft->count - 1].field == SKY_F_PATH)
        draft->count--; /* of what waits */
    if (request->code < SKY_COUNT(names))
        sky_draft_add(draft, SKY_ATTR(METHOD, sky_span_str(names[request->code])));
    sky_draft_add(draft, SKY_ATTR(PATH, sky_span_str(request->path)));
}

static void add_out(struct sky_fault_subject *s, struct sky_out *out)
{
    bool told = sky_way_tell(out, &s->draft, &s->room);
    if (told && out->point == SKY_POINT_COAP_ANSWER)
        add_coap(&s->draft, &out->as.coap.request->message);
    if (told)
        return;
    s->draft.head.direction = SKY_DOWN;
    if (out->point == SKY_POINT_HTTP_ANSWER && !out->is_raw)
        add_http(&s->draft, &out->as.http);
}

/* ---- both ---- */

static const struct sky_attr *attr_of(const struct sky_draft *draft, enum sky_event_field field)
{
    return sky_attr_find(draft->attrs, draft->count, field);
}

static sky_span bytes_of(const struct sky_draft *draft, enum sky_event_field field)
{
    const struct sky_attr *attr = attr_of(draft, field);
    return attr != NULL ? attr->bytes : SKY_SPAN_NONE;
}

static void add_who(struct sky_fault_subject *s, const struct sky_passage *passage)
{
    const struct sky_who *who = sky_passage_who(passage, &s->who);
    const struct sky_attr attrs[] = {SKY_ATTR(LISTENER, who->listener), SKY_ATTR(PEER, who->peer),
                                     SKY_ATTR(CLIENT_ID, who->client_id),
                                     SKY_ATTR(SERVER_NAME, who->server_name),
                                     SKY_ATTR(IDENTITY, who->identity)};
    for (size_t i = 0; i < SKY_COUNT(attrs); i++)
        if (attrs[i].bytes.len > 0 && attr_of(&s->draft, attrs[i].field) == NULL)
            sky_draft_add(&s->draft, attrs[i]);
}

void sky_fault__subject(const struct sky_passage *passage, const struct sky_registry *registry,
                        struct sky_device_names *names, bool who, struct sky_fault_subject *s)
{
    const struct sky_session *session = sky_session_find(registry, passage->head->device_id);
    struct sky_out *out = passage->out;
    sky_buf_init(&s->room, 0);
    sky_draft_begin(&s->draft, *passage->head);
    if (out != NULL)
        add_out(s, out);
    else if (passage->in != NULL && passage->in->packet != NULL)
        add_packet(s, passage->in->packet);
    if (who)
        add_who(s, passage);
    s->subject = (struct sky_subject){.head = &s->draft.head,
                                      .attrs = s->draft.attrs,
                                      .attr_count = s->draft.count,
                                      .topic = bytes_of(&s->draft, SKY_F_TOPIC),
                                      .payload = bytes_of(&s->draft, SKY_F_PAYLOAD)};
    if (out != NULL && out->point == SKY_POINT_PUBLISH_DOWN && !out->is_raw) {
        s->subject.topic = out->as.publish.packet.topic;
        s->subject.payload = out->as.publish.packet.payload;
    }
    if (session != NULL)
        s->subject.device = session->party->name;
    else
        s->subject.device = passage->head->device_id != 0
                                ? sky_device_names_get(names, passage->head->device_id)
                                : "";
}

void sky_fault__subject_done(struct sky_fault_subject *subject)
{
    sky_buf_done(&subject->room);
}

/* ---- set ---- */

static bool sets(const struct sky_fault *fault, enum sky_fault_field field)
{
    return fault->fields >> field & 1;
}

static bool sets_payload(const struct sky_fault *fault)
{
    return sets(fault, SKY_FAULT_FIELD_PAYLOAD) || sets(fault, SKY_FAULT_FIELD_MERGE);
}

/* RFC 7396 */
static void merge(cJSON *into, const cJSON *patch)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, patch) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(into, member->string), *fresh = old;
        if (cJSON_IsNull(member)) {
            cJSON_DeleteItemFromObjectCaseSensitive(into, member->string);
            continue;
        }
        if (!cJSON_IsObject(member) || !cJSON_IsObject(old))
            fresh = cJSON_IsObject(member) ? cJSON_CreateObject() : cJSON_Duplicate(member, true);
        if (cJSON_IsObject(member))
            merge(fresh, member);
        if (old == NULL)
            cJSON_AddItemToObject(into, member->string, fresh);
        else if (fresh != old)
            cJSON_ReplaceItemInObjectCaseSensitive(into, member->string, fresh);
    }
}

/* What is told in place of a payload. What is no JSON object has nothing to merge with. */
static sky_span lie(struct sky_fault *fault, sky_span told)
{
    cJSON *tree = NULL;
    if (sets(fault, SKY_FAULT_FIELD_PAYLOAD))
        told = fault->payload;
    if (!sets(fault, SKY_FAULT_FIELD_MERGE) ||
        sky_json_parse(told, SKY_JSON_DEPTH_MAX, &tree, NULL) != SKY_OK)
        return told;
    if (cJSON_IsObject(tree)) {
        merge(tree, fault->merge);
        sky_buf_done(&fault->merged);
        sky_buf_init(&fault->merged, 8 * SKY_FAULT_PAYLOAD_MAX);
        if (sky_json_print(&fault->merged, tree))
            told = sky_buf_span(&fault->merged);
    }
    cJSON_Delete(tree);
    return told;
}

static void set_publish(struct sky_fault *fault, struct sky_out *out)
{
    struct sky_mqtt_publish *packet = &out->as.publish.packet;
    const int64_t *numbers = fault->numbers;
    if (sets(fault, SKY_FAULT_FIELD_TOPIC))
        packet->topic = fault->topic;
    packet->payload = lie(fault, packet->payload);
    if (sets(fault, SKY_FAULT_FIELD_QOS))
        packet->qos = (uint8_t)numbers[SKY_FAULT_FIELD_QOS];
    if (packet->qos == 0)
        packet->packet_id = 0;
    else if (sets(fault, SKY_FAULT_FIELD_PACKET_ID))
        packet->packet_id = (uint16_t)numbers[SKY_FAULT_FIELD_PACKET_ID];
    else if (packet->packet_id == 0)
        packet->packet_id = UINT16_MAX; /* one that the session will not come to for long */
    if (packet->qos == 0)
        packet->dup = false;
    size_t size = sky_mqtt_publish_size(packet); /* the lie may be longer than the truth */
    bool outgrown = size > SKY_MQTT_PACKET_MAX;
    if (outgrown)
        packet->payload =
            sky_span_head(packet->payload, packet->payload.len - (size - SKY_MQTT_PACKET_MAX));
    out->as.publish.whole |= outgrown || sets(fault, SKY_FAULT_FIELD_TOPIC) || sets_payload(fault);
}

static void set_http(struct sky_fault *fault, struct sky_http_reply *reply)
{
    if (sets(fault, SKY_FAULT_FIELD_STATUS))
        reply->status = (int)fault->numbers[SKY_FAULT_FIELD_STATUS];
    if (!sets_payload(fault))
        return;
    reply->body = lie(fault, reply->body);
    if (reply->content_type == NULL)
        reply->content_type = "application/json";
}

static void set_coap(struct sky_fault *fault, struct sky_coap_response *response)
{
    int64_t status = fault->numbers[SKY_FAULT_FIELD_STATUS];
    if (sets(fault, SKY_FAULT_FIELD_STATUS))
        response->code = (uint8_t)(status / 100 << 5 | status % 100);
    response->body = lie(fault, response->body);
}

void sky_fault__set(struct sky_fault *fault, struct sky_out *out)
{
    const int64_t *numbers = fault->numbers;
    if (out->is_raw)
        return;
    switch (out->point) {
    case SKY_POINT_CONNACK:
        if (sets(fault, SKY_FAULT_FIELD_CODE)) {
            out->as.connack.code = (uint8_t)numbers[SKY_FAULT_FIELD_CODE];
            out->as.connack.session_present &= out->as.connack.code == 0; /* 3.2.2-4 */
        }
        if (sets(fault, SKY_FAULT_FIELD_SESSION_PRESENT))
            out->as.connack.session_present = numbers[SKY_FAULT_FIELD_SESSION_PRESENT];
        break;
    case SKY_POINT_PUBACK_DOWN:
    case SKY_POINT_UNSUBACK:
        out->as.ack.packet_id = (uint16_t)numbers[SKY_FAULT_FIELD_PACKET_ID];
        break;
    case SKY_POINT_SUBACK:
        if (sets(fault, SKY_FAULT_FIELD_PACKET_ID))
            out->as.suback.filters.packet_id = (uint16_t)numbers[SKY_FAULT_FIELD_PACKET_ID];
        out->as.suback.lies = sets(fault, SKY_FAULT_FIELD_CODE);
        out->as.suback.lie = (uint8_t)numbers[SKY_FAULT_FIELD_CODE];
        break;
    case SKY_POINT_PUBLISH_DOWN:
        set_publish(fault, out);
        break;
    case SKY_POINT_HTTP_ANSWER:
        set_http(fault, &out->as.http.reply);
        break;
    case SKY_POINT_COAP_ANSWER:
        set_coap(fault, &out->as.coap.response);
        break;
    default:
        SKY_ASSERT(false);
    }
}
