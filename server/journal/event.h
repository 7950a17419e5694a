/* What an event is: its types, its fields with their names in JSON, and its decoded form.
 * Vocabulary only; knows nothing of where events are kept. */
#ifndef SKY_SERVER_JOURNAL_EVENT_H
#define SKY_SERVER_JOURNAL_EVENT_H

#include "protocol/base/assert.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"

/* Row: enumerator, name in JSON and in ?type= filters. */
#define SKY_EVENT_TYPES(X)                                                                         \
    X(CONNECT, "connect")                                                                          \
    X(CONNACK, "connack")                                                                          \
    X(PUBLISH, "publish")                                                                          \
    X(PUBACK, "puback")                                                                            \
    X(SUBSCRIBE, "subscribe")                                                                      \
    X(SUBACK, "suback")                                                                            \
    X(UNSUBSCRIBE, "unsubscribe")                                                                  \
    X(UNSUBACK, "unsuback")                                                                        \
    X(PING, "pingreq")                                                                             \
    X(PONG, "pingresp")                                                                            \
    X(DISCONNECT, "disconnect")                                                                    \
    X(CLOSE, "close")                                                                              \
    X(MALFORMED, "malformed")                                                                      \
    X(TIMEOUT, "timeout")                                                                          \
    X(SILENCE, "silence")                                                                          \
    X(TAKEOVER, "takeover")                                                                        \
    X(DROP, "drop")                                                                                \
    X(ACTIVATE, "activate")                                                                        \
    X(ONLINE, "online")                                                                            \
    X(OFFLINE, "offline")                                                                          \
    X(SERVICE, "service")                                                                          \
    X(ANSWER, "answer")                                                                            \
    X(DOCUMENT, "document")                                                                        \
    X(TLS_HANDSHAKE, "tls-handshake")                                                              \
    X(PSK_HANDSHAKE, "psk-handshake")                                                              \
    X(HTTP_AUTH, "http-auth")                                                                      \
    X(TOKEN, "token")                                                                              \
    X(COAP_REQUEST, "coap-request")                                                                \
    X(COAP_RESPONSE, "coap-response")                                                              \
    X(FAULT, "fault")                                                                              \
    X(CLOCK, "clock")                                                                              \
    X(REGISTRY, "registry")                                                                        \
    X(RESET, "reset")                                                                              \
    X(NOTE, "note")                                                                                \
    X(COMMAND, "command")                                                                          \
    X(BIND, "bind")                                                                                \
    X(UNBIND, "unbind")                                                                            \
    X(SUB_DEVICE, "sub-device") /* turned away, when its gateway spoke for it */                   \
    X(FORWARD, "forward")                                                                          \
    X(UPGRADE, "upgrade")                                                                          \
    X(DOWNLOAD, "download")

enum sky_event_type {
#define X(name, text) SKY_EVENT_##name,
    SKY_EVENT_TYPES(X)
#undef X
        SKY_EVENT_TYPE_COUNT
};

enum sky_direction { SKY_UP, SKY_DOWN, SKY_INSIDE }; /* "up" from the device, "down" to it */

/* A field of an event. Row: enumerator, key in JSON, kind (enum sky_event_kind). */
#define SKY_EVENT_FIELDS(X)                                                                        \
    X(LISTENER, "listener", TEXT)                                                                  \
    X(PEER, "peer", TEXT)                                                                          \
    X(CLOUD, "cloud", TEXT)                                                                        \
    X(PRODUCT, "product", TEXT) /* as claimed, when no device is proven */                         \
    X(DEVICE_KEY, "deviceKey", TEXT)                                                               \
    X(CLIENT_ID, "clientId", TEXT)                                                                 \
    X(USERNAME, "username", TEXT)                                                                  \
    X(HAS_PASSWORD, "hasPassword", BOOL)                                                           \
    X(CLEAN_SESSION, "cleanSession", BOOL)                                                         \
    X(KEEPALIVE, "keepAlive", INT)                                                                 \
    X(LEVEL, "protocolLevel", INT)                                                                 \
    X(CODE, "code", INT)                                                                           \
    X(SESSION_PRESENT, "sessionPresent", BOOL)                                                     \
    X(TOPIC, "topic", TEXT)                                                                        \
    X(PAYLOAD, "payload", BYTES)                                                                   \
    X(PAYLOAD_LEN, "payloadLength", INT)                                                           \
    X(OF, "of", INT) /* the seq of the publish that this delivery carries */                       \
    X(QOS, "qos", INT)                                                                             \
    X(DUP, "dup", BOOL)                                                                            \
    X(RETAIN, "retain", BOOL)                                                                      \
    X(PACKET_ID, "packetId", INT)                                                                  \
    X(FILTERS, "filters", JSON)                                                                    \
    X(REASON, "reason", TEXT)                                                                      \
    X(SERVICE, "service", TEXT)                                                                    \
    X(NAME, "name", TEXT)                                                                          \
    X(VERSION, "version", INT)                                                                     \
    X(EXPLANATION, "explanation", JSON)                                                            \
    X(DETAIL, "detail", TEXT)                                                                      \
    X(BYTES_HEX, "bytes", HEX)                                                                     \
    X(TLS_VERSION, "tlsVersion", TEXT)                                                             \
    X(CIPHER, "cipher", TEXT)                                                                      \
    X(SERVER_NAME, "serverName", TEXT)                                                             \
    X(IDENTITY, "identity", TEXT)                                                                  \
    X(METHOD, "method", TEXT)                                                                      \
    X(PATH, "path", TEXT)                                                                          \
    X(STATUS, "status", INT)                                                                       \
    X(COUNT, "count", INT)                                                                         \
    X(MESSAGE_ID, "messageId", INT)                                                                \
    X(OFFERED, "offered", TEXT)                                                                    \
    X(GATEWAY, "gateway", TEXT)                                                                    \
    X(TARGET, "target", TEXT)                                                                      \
    X(STATE, "state", TEXT)                                                                        \
    X(RANGE, "range", TEXT)                                                                        \
    X(POINT, "point", TEXT)                                                                        \
    X(ACTION, "action", TEXT)

enum sky_event_field {
#define X(name, key, kind) SKY_F_##name,
    SKY_EVENT_FIELDS(X)
#undef X
        SKY_EVENT_FIELD_COUNT
};

/* A field's value on its way into the journal: bytes, or a number (BOOL and INT). */
struct sky_attr {
    enum sky_event_field field;
    sky_span bytes;
    int64_t number;
};

#define SKY_ATTR(name, span_value) ((struct sky_attr){.field = SKY_F_##name, .bytes = (span_value)})
#define SKY_ATTR_INT(name, value) ((struct sky_attr){.field = SKY_F_##name, .number = (value)})

enum {
    SKY_JOURNAL_ATTRS_MAX = 24,
    SKY_JOURNAL_PAYLOAD_MAX = 256 * 1024, /* bytes kept of one field; the rest is cut */
};

/* What every event has. */
struct sky_event_head {
    enum sky_event_type type;
    enum sky_direction direction;
    enum sky_transport transport;
    uint32_t connection; /* 0: none */
    int64_t device_id;   /* registry id of the proven device, or 0 */
};

/* An event in the making: where it happened, then its fields one by one. */
struct sky_draft {
    struct sky_event_head head;
    size_t count;
    struct sky_attr attrs[SKY_JOURNAL_ATTRS_MAX];
};

static inline void sky_draft_begin(struct sky_draft *draft, struct sky_event_head head)
{
    draft->head = head;
    draft->count = 0;
}

static inline void sky_draft_add(struct sky_draft *draft, struct sky_attr attr)
{
    SKY_ASSERT(draft->count < SKY_JOURNAL_ATTRS_MAX);
    draft->attrs[draft->count++] = attr;
}

/* NULL when none is of that field. */
static inline const struct sky_attr *sky_attr_find(const struct sky_attr *attrs, size_t count,
                                                   enum sky_event_field field)
{
    for (size_t i = 0; i < count; i++)
        if (attrs[i].field == field)
            return &attrs[i];
    return NULL;
}

/* Is told of an event, with what was recorded; `judge` NULL: it has no findings. */
typedef void sky_heard_fn(void *ctx, uint64_t seq, const struct sky_event_head *head,
                          const struct sky_attr *attrs, size_t count,
                          const struct sky_judge *judge);

enum sky_event_kind {
    SKY_KIND_TEXT,
    SKY_KIND_BYTES,
    SKY_KIND_HEX,
    SKY_KIND_JSON,
    SKY_KIND_INT, /* INT and BOOL are numbers, the others bytes */
    SKY_KIND_BOOL,
};

/* A rule that the event's act broke, and what was done about it. Views. */
struct sky_event_finding {
    sky_span rule_id, detail;
    enum sky_action action;
};

/* A decoded event. Its views are valid until the cursor that gave it moves on and until the next
 * event is recorded. */
struct sky_event {
    uint64_t seq;
    int64_t now_ms, real_ms; /* virtual and real Unix time */
    struct sky_event_head head;
    struct sky_attr attrs[SKY_JOURNAL_ATTRS_MAX];
    size_t attr_count;
    struct sky_event_finding findings[SKY_FINDINGS_MAX];
    size_t finding_count, findings_lost;
    sky_span refused; /* id of the rule that refused the act; empty: none did */
    bool cut;         /* some field was longer than the journal keeps */
};

/* NULL when the event has no such field. */
const struct sky_attr *sky_event_get(const struct sky_event *event, enum sky_event_field field);

const char *sky_event_type_name(enum sky_event_type type);
bool sky_event_type_parse(sky_span text, enum sky_event_type *ret_type);
const char *sky_event_field_key(enum sky_event_field field);
enum sky_event_kind sky_event_field_kind(enum sky_event_field field);
const char *sky_direction_name(enum sky_direction direction);
bool sky_direction_parse(sky_span text, enum sky_direction *ret_direction);

#endif
