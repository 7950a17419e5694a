/* The members of patterns: where each finds its values in a subject. */
#include <stdio.h>

#include "protocol/base/mem.h"
#include "server/pattern/private.h"

static const struct sky_attr *attr_of(const struct sky_subject *subject, enum sky_event_field field)
{
    return sky_attr_find(subject->attrs, subject->attr_count, field);
}

static bool once(struct sky_walk *walk)
{
    return walk->at++ == 0;
}

static bool put_text(sky_span text, struct sky_value *ret_value)
{
    *ret_value = (struct sky_value){.kind = SKY_VALUE_TEXT, .text = text};
    return true;
}

static bool put_number(enum sky_value_kind kind, int64_t number, struct sky_value *ret_value)
{
    *ret_value = (struct sky_value){.kind = kind, .number = (double)number};
    return true;
}

/* ---- of the head ---- */

static bool type_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                    struct sky_value *ret_value)
{
    (void)member;
    return once(walk) && put_number(SKY_VALUE_TEXT, look->subject->head->type, ret_value);
}

static bool direction_of(struct sky_look *look, const struct sky_member *member,
                         struct sky_walk *walk, struct sky_value *ret_value)
{
    (void)member;
    return once(walk) && put_number(SKY_VALUE_TEXT, look->subject->head->direction, ret_value);
}

/* An act of the server itself came by nothing. */
static bool transport_of(struct sky_look *look, const struct sky_member *member,
                         struct sky_walk *walk, struct sky_value *ret_value)
{
    const struct sky_event_head *head = look->subject->head;
    (void)member;
    return once(walk) && (head->connection != 0 || head->direction != SKY_INSIDE) &&
           put_number(SKY_VALUE_TEXT, head->transport, ret_value);
}

static bool connection_of(struct sky_look *look, const struct sky_member *member,
                          struct sky_walk *walk, struct sky_value *ret_value)
{
    (void)member;
    return once(walk) && look->subject->head->connection != 0 &&
           put_number(SKY_VALUE_NUMBER, look->subject->head->connection, ret_value);
}

/* ---- who ---- */

const char *sky_look_device(struct sky_look *look)
{
    const struct sky_subject *subject = look->subject;
    if (look->device == NULL)
        look->device = subject->device != NULL ? subject->device
                       : subject->head->device_id != 0
                           ? sky_device_names_get(subject->names, subject->head->device_id)
                           : "";
    return look->device;
}

static bool device_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                      struct sky_value *ret_value)
{
    (void)member;
    if (!once(walk))
        return false;
    sky_span name = sky_span_str(sky_look_device(look));
    return name.len > 0 && put_text(name, ret_value);
}

/* Who claims no device, or a wrong one, may still have named a product. */
static bool product_of(struct sky_look *look, const struct sky_member *member,
                       struct sky_walk *walk, struct sky_value *ret_value)
{
    (void)member;
    if (!once(walk))
        return false;
    const char *name = sky_look_device(look), *slash = strrchr(name, '/');
    if (slash != NULL)
        return put_text(sky_span_of(name, (size_t)(slash - name)), ret_value);
    const struct sky_attr *cloud = attr_of(look->subject, SKY_F_CLOUD),
                          *product = attr_of(look->subject, SKY_F_PRODUCT);
    if (cloud == NULL || product == NULL || cloud->bytes.len == 0 || product->bytes.len == 0)
        return false;
    return put_text(sky_arena_printf(&look->arena, "%.*s/%.*s", SKY_SPAN_ARGS(cloud->bytes),
                                     SKY_SPAN_ARGS(product->bytes)),
                    ret_value);
}

static bool cloud_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                     struct sky_value *ret_value)
{
    sky_span name = sky_span_str(sky_look_device(look)), cloud, rest;
    if (!once(walk))
        return false;
    if (sky_span_cut(name, '/', &cloud, &rest))
        return put_text(cloud, ret_value);
    const struct sky_attr *attr = attr_of(look->subject, member->field);
    return attr != NULL && put_text(attr->bytes, ret_value);
}

/* ---- of the fields ---- */

static bool text_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                    struct sky_value *ret_value)
{
    const struct sky_attr *attr = attr_of(look->subject, member->field);
    return once(walk) && attr != NULL && put_text(attr->bytes, ret_value);
}

static bool number_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                      struct sky_value *ret_value)
{
    const struct sky_attr *attr = attr_of(look->subject, member->field);
    return once(walk) && attr != NULL && put_number(SKY_VALUE_NUMBER, attr->number, ret_value);
}

static bool flag_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                    struct sky_value *ret_value)
{
    const struct sky_attr *attr = attr_of(look->subject, member->field);
    return once(walk) && attr != NULL && put_number(SKY_VALUE_FLAG, attr->number != 0, ret_value);
}

/* A flag of a message, which the journal notes only when it is set. */
static bool mark_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                    struct sky_value *ret_value)
{
    enum sky_event_type type = look->subject->head->type;
    const struct sky_attr *attr = attr_of(look->subject, member->field);
    if (!once(walk) ||
        (attr == NULL && type != SKY_EVENT_PUBLISH && type != SKY_EVENT_COAP_REQUEST))
        return false;
    return put_number(SKY_VALUE_FLAG, attr != NULL && attr->number != 0, ret_value);
}

static bool topic_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                     struct sky_value *ret_value)
{
    (void)member;
    return once(walk) && look->subject->topic.len > 0 && put_text(look->subject->topic, ret_value);
}

/* The next of the filters of a SUBSCRIBE, SUBACK or UNSUBSCRIBE, as the journal has them: a list of
 * objects. */
static bool next_of_filters(struct sky_look *look, struct sky_walk *walk, const char *key,
                            sky_span *ret_value)
{
    sky_span element;
    const struct sky_attr *attr = attr_of(look->subject, SKY_F_FILTERS);
    if (once(walk) && attr != NULL)
        walk->rest = sky_json_inside(attr->bytes);
    while (sky_json_next_element(&walk->rest, &element)) {
        *ret_value = sky_json_member(element, key);
        if (ret_value->len > 0)
            return true;
    }
    return false;
}

static bool filter_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                      struct sky_value *ret_value)
{
    sky_span filter;
    (void)member;
    return next_of_filters(look, walk, "filter", &filter) &&
           put_text(sky_json_string(&look->arena, filter), ret_value);
}

/* The packet's own, or each filter's. */
static bool number_of_each(struct sky_look *look, const struct sky_member *member,
                           struct sky_walk *walk, struct sky_value *ret_value)
{
    sky_span number;
    if (attr_of(look->subject, member->field) != NULL)
        return number_of(look, member, walk, ret_value);
    if (!next_of_filters(look, walk, member->name, &number))
        return false;
    *ret_value = (struct sky_value){.kind = SKY_VALUE_NUMBER, .number = sky_json_number(number)};
    return true;
}

/* ---- of the judgement ---- */

static bool rule_of(struct sky_look *look, const struct sky_member *member, struct sky_walk *walk,
                    struct sky_value *ret_value)
{
    const struct sky_subject *subject = look->subject;
    (void)member;
    size_t at = walk->at++;
    return at < subject->finding_count && put_text(subject->findings[at].rule_id, ret_value);
}

static bool refused_of(struct sky_look *look, const struct sky_member *member,
                       struct sky_walk *walk, struct sky_value *ret_value)
{
    sky_span rule = look->subject->refused;
    (void)member;
    if (once(walk))
        return put_number(SKY_VALUE_FLAG, rule.len > 0, ret_value);
    return walk->at == 2 && rule.len > 0 && put_text(rule, ret_value);
}

static bool mistake_of(struct sky_look *look, const struct sky_member *member,
                       struct sky_walk *walk, struct sky_value *ret_value)
{
    const struct sky_attr *attr = attr_of(look->subject, SKY_F_EXPLANATION);
    (void)member;
    sky_span mistake = attr != NULL ? sky_json_member(attr->bytes, "mistake") : SKY_SPAN_NONE;
    return once(walk) && sky_json_is_string(mistake) &&
           put_text(sky_json_string(&look->arena, mistake), ret_value);
}

/* ---- of it all ---- */

/* The texts of a subject, counted: whose it is, what it carries, its fields, what is said of it.
 * No numbers, and no names of members. */
static sky_span text_at(struct sky_look *look, size_t at)
{
    const struct sky_subject *subject = look->subject;
    const sky_span own[] = {sky_span_str(sky_look_device(look)), subject->topic, subject->payload};
    if (at < SKY_COUNT(own))
        return own[at];
    at -= SKY_COUNT(own);
    if (at < subject->attr_count)
        return sky_event_field_kind(subject->attrs[at].field) == SKY_KIND_TEXT
                   ? subject->attrs[at].bytes
                   : SKY_SPAN_NONE;
    const struct sky_event_finding *finding = &subject->findings[(at - subject->attr_count) / 2];
    return (at - subject->attr_count) % 2 == 0 ? finding->rule_id : finding->detail;
}

static bool any_text_of(struct sky_look *look, const struct sky_member *member,
                        struct sky_walk *walk, struct sky_value *ret_value)
{
    const struct sky_subject *subject = look->subject;
    size_t count = 3 + subject->attr_count + 2 * subject->finding_count;
    const struct sky_attr *filters = attr_of(subject, SKY_F_FILTERS);
    sky_span text, element;
    (void)member;
    while (walk->at < count) {
        text = text_at(look, walk->at++);
        if (text.len > 0)
            return put_text(text, ret_value);
    }
    if (walk->at++ == count && filters != NULL)
        walk->rest = sky_json_inside(filters->bytes);
    return sky_json_next_element(&walk->rest, &element) &&
           put_text(sky_json_string(&look->arena, sky_json_member(element, "filter")), ret_value);
}

/* ---- the table ---- */

static const char *type_word(size_t i)
{
    return sky_event_type_name((enum sky_event_type)i);
}

static const char *direction_word(size_t i)
{
    return sky_direction_name((enum sky_direction)i);
}

static const char *transport_word(size_t i)
{
    return sky_transport_name((enum sky_transport)i);
}

#define TEXT SKY_FORM_VALUES, SKY_VALUE_TEXT, text_of
#define NUMBER SKY_FORM_VALUES, SKY_VALUE_NUMBER, number_of
#define FLAG SKY_FORM_VALUES, SKY_VALUE_FLAG, flag_of
#define MARK SKY_FORM_VALUES, SKY_VALUE_FLAG, mark_of
#define EACH SKY_FORM_VALUES, SKY_VALUE_NUMBER, number_of_each
#define WORD SKY_FORM_VALUES, SKY_VALUE_TEXT
#define NO_FIELD SKY_EVENT_FIELD_COUNT

const struct sky_member sky_members[] = {
    {"type", WORD, type_of, NO_FIELD, type_word, SKY_EVENT_TYPE_COUNT, "kind of event"},
    {"direction", WORD, direction_of, NO_FIELD, direction_word, SKY_INSIDE + 1,
     "up (from the device), down or inside"},
    {"transport", WORD, transport_of, NO_FIELD, transport_word, SKY_WSS + 1, "what carried it"},
    {"connection", SKY_FORM_VALUES, SKY_VALUE_NUMBER, connection_of, NO_FIELD, NULL, 0,
     "number of the connection"},
    {"device", SKY_FORM_DEVICE, SKY_VALUE_TEXT, device_of, NO_FIELD, NULL, 0,
     "cloud/product/device, proven or claimed"},
    {"product", SKY_FORM_PRODUCT, SKY_VALUE_TEXT, product_of, NO_FIELD, NULL, 0,
     "cloud/key, proven or claimed"},
    {"cloud", SKY_FORM_VALUES, SKY_VALUE_TEXT, cloud_of, SKY_F_CLOUD, NULL, 0,
     "whose device it is, or claims to be"},
    {"topic", SKY_FORM_TOPIC, SKY_VALUE_TEXT, topic_of, NO_FIELD, NULL, 0,
     "MQTT filter for the topic, of a delivery that of the publish it carries"},
    {"qos", EACH, SKY_F_QOS, NULL, 0, "of the message, or of any filter of a SUBSCRIBE"},
    {"dup", MARK, SKY_F_DUP, NULL, 0, "of a message"},
    {"retain", MARK, SKY_F_RETAIN, NULL, 0, "of a message"},
    {"packetId", NUMBER, SKY_F_PACKET_ID, NULL, 0, "of the packet"},
    {"code", EACH, SKY_F_CODE, NULL, 0,
     "return code, in a SUBACK that of any filter; alert that a TLS client sent"},
    {"sessionPresent", FLAG, SKY_F_SESSION_PRESENT, NULL, 0, "of CONNACK"},
    {"keepAlive", NUMBER, SKY_F_KEEPALIVE, NULL, 0,
     "of CONNECT, or the lifetime over CoAP, seconds"},
    {"cleanSession", FLAG, SKY_F_CLEAN_SESSION, NULL, 0, "of CONNECT"},
    {"clientId", TEXT, SKY_F_CLIENT_ID, NULL, 0, "of CONNECT"},
    {"username", TEXT, SKY_F_USERNAME, NULL, 0, "of CONNECT"},
    {"listener", TEXT, SKY_F_LISTENER, NULL, 0, "name of the listener"},
    {"peer", TEXT, SKY_F_PEER, NULL, 0, "address and port"},
    {"serverName", TEXT, SKY_F_SERVER_NAME, NULL, 0, "that the peer asked for (SNI)"},
    {"identity", TEXT, SKY_F_IDENTITY, NULL, 0, "of a PSK handshake"},
    {"reason", TEXT, SKY_F_REASON, NULL, 0, "why a connection ended, a message was dropped, ..."},
    {"service", SKY_FORM_JUDGED, SKY_VALUE_TEXT, text_of, SKY_F_SERVICE, NULL, 0,
     "of the cloud that was called"},
    {"method", TEXT, SKY_F_METHOD, NULL, 0, "of a request"},
    {"path", TEXT, SKY_F_PATH, NULL, 0, "of a request"},
    {"status", NUMBER, SKY_F_STATUS, NULL, 0, "of an answer"},
    {"rule", SKY_FORM_RULE, SKY_VALUE_TEXT, rule_of, NO_FIELD, NULL, 0, "broken by it"},
    {"refused", SKY_FORM_RULE, SKY_VALUE_TEXT | SKY_VALUE_FLAG, refused_of, NO_FIELD, NULL, 0,
     "whether it was refused, or id of the rule that it was refused for"},
    {"mistake", SKY_FORM_JUDGED, SKY_VALUE_TEXT, mistake_of, NO_FIELD, NULL, 0,
     "that was recognised in a refused login"},
    {"filter", SKY_FORM_VALUES, SKY_VALUE_TEXT, filter_of, NO_FIELD, NULL, 0,
     "one of a SUBSCRIBE's, as it was sent"},
    {"payload", SKY_FORM_PAYLOAD, 0, NULL, NO_FIELD, NULL, 0,
     "of the message, of a delivery that of the publish it carries"},
    {"text", SKY_FORM_PART, SKY_VALUE_TEXT, any_text_of, NO_FIELD, NULL, 0,
     "that stands in any text of it, in any case of ASCII letters: device, topic, payload, ..."},
    {"not", SKY_FORM_NOT, 0, NULL, NO_FIELD, NULL, 0, "a pattern that it does not match"},
    {"anyOf", SKY_FORM_ANY_OF, 0, NULL, NO_FIELD, NULL, 0,
     "patterns, one of which at least it matches"},
};
const size_t sky_member_count = SKY_COUNT(sky_members);
