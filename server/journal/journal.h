/* The journal: every act, in order, in a preallocated ring of binary entries.
 * Recording copies bytes and nothing more; rendering to JSON happens when somebody asks. Bounded
 * by count and bytes, the oldest go first and the loss is counted. With a store, entries move to
 * its pages in batches, and nothing is shown to anybody before it is there. */
#ifndef SKY_SERVER_JOURNAL_JOURNAL_H
#define SKY_SERVER_JOURNAL_JOURNAL_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"
#include "store/store.h"

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
    X(OPEN, "open")                                                                                \
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
    X(COMMAND, "command")

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
    X(TOKEN_TEXT, "token", TEXT)                                                                   \
    X(MESSAGE_ID, "messageId", INT)                                                                \
    X(OFFERED, "offered", TEXT)

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
    SKY_JOURNAL_BYTES_MIN = 64 * 1024,
    SKY_JOURNAL_BYTES_DEFAULT = 16 * 1024 * 1024,
    SKY_JOURNAL_EVENTS_DEFAULT = 100000,
};

/* What every event has. */
struct sky_event_head {
    enum sky_event_type type;
    enum sky_direction direction;
    enum sky_transport transport;
    uint32_t connection; /* 0: none */
    int64_t device_id;   /* registry id of the proven device, or 0 */
};

struct sky_journal;
struct sky_clock;

/* `store` may be NULL; it and the clock outlive the journal. Numbers go on after the
 * last page of the store. The ring's memory is reserved here; fewer bytes than
 * SKY_JOURNAL_BYTES_MIN are taken for that. With a store the pages are held to the same bounds. */
struct sky_journal *sky_journal_new(size_t bytes_max, size_t events_max, struct sky_store *store,
                                    const struct sky_clock *clock);
void sky_journal_free(struct sky_journal *journal); /* flushes; NULL is fine */

/* Makes the reserved memory be there before an event needs it: a page fault costs more than an
 * event. Takes milliseconds; may run in a thread while events are recorded. */
void sky_journal_warm(const struct sky_journal *journal);

/* Records one event at the clock's present time and returns its number. `judge` adds findings;
 * NULL: none. Never fails. When the ring is full of what is not in the store yet, one page is
 * written first; what the store does not take is lost and counted. */
uint64_t sky_journal_add(struct sky_journal *journal, const struct sky_event_head *head,
                         const struct sky_attr *attrs, size_t count, const struct sky_judge *judge);

/* Moves what is not in the store yet into it, in one transaction; must not be called inside of
 * another. */
SKY_MUST_USE sky_err sky_journal_flush(struct sky_journal *journal);

struct sky_journal_stats {
    uint64_t first_seq, last_seq; /* of what can still be read; 0 when empty */
    uint64_t recorded, evicted;   /* since start */
    uint64_t findings;            /* likewise, in what was recorded */
    size_t bytes_used, bytes_max; /* of the ring */
    uint64_t page_bytes;          /* in the store */
};
void sky_journal_stats(const struct sky_journal *journal, struct sky_journal_stats *ret_stats);

/* `recorded` is called at the end of every sky_journal_add(), must be short and must not use the
 * journal; NULL: nobody watches. There is one watcher. */
void sky_journal_watch(struct sky_journal *journal, void (*recorded)(void *ctx, uint64_t seq),
                       void *ctx);

/* Forgets everything; numbers go on. Fails when the store does: then its pages stay. */
SKY_MUST_USE sky_err sky_journal_clear(struct sky_journal *journal);

#endif
