/* What a fault can do where: points on one side, actions on the other, and for every pair that
 * makes no sense the reason. Constant; knows no faults. */
#ifndef SKY_SERVER_FAULT_MATRIX_H
#define SKY_SERVER_FAULT_MATRIX_H

#include "server/wire/passage.h"

enum {
    SKY_FAULTS_MAX = 2000,
    SKY_FAULT_NAME_MAX = 100,                  /* bytes, as the next two */
    SKY_FAULT_TOPIC_MAX = 1024,                /* that is set */
    SKY_FAULT_PAYLOAD_MAX = 256 * 1024,        /* likewise */
    SKY_FAULT_DELAY_MAX_MS = 24 * 3600 * 1000, /* virtual time */
};

/* Row: enumerator, name. */
#define SKY_FAULT_ACTIONS(X)                                                                       \
    X(WITHHOLD, "withhold")                                                                        \
    X(DELAY, "delay")                                                                              \
    X(REORDER, "reorder")                                                                          \
    X(DUPLICATE, "duplicate")                                                                      \
    X(SET, "set")                                                                                  \
    X(CORRUPT, "corrupt")                                                                          \
    X(CUT, "cut")                                                                                  \
    X(CLOSE, "close")                                                                              \
    X(RESET, "reset")                                                                              \
    X(FREEZE, "freeze")                                                                            \
    X(DRIP, "drip")                                                                                \
    X(CERTIFICATE, "certificate")

enum sky_fault_action {
#define X(name, text) SKY_FAULT_##name,
    SKY_FAULT_ACTIONS(X)
#undef X
        SKY_FAULT_ACTION_COUNT
};
const char *sky_fault_action_name(enum sky_fault_action action);

/* What `set` can change. Row: enumerator, name, what it is, from, to (bytes of a text). A payload
 * that is a JSON object takes what is to be merged into it by RFC 7396. */
#define SKY_FAULT_FIELDS(X)                                                                        \
    X(CODE, "code", INTEGER, 0, 255)                                                               \
    X(PACKET_ID, "packetId", INTEGER, 1, 65535)                                                    \
    X(SESSION_PRESENT, "sessionPresent", BOOLEAN, 0, 1)                                            \
    X(STATUS, "status", INTEGER, 200, 599)                                                         \
    X(PAYLOAD, "payload", TEXT, 0, SKY_FAULT_PAYLOAD_MAX)                                          \
    X(TOPIC, "topic", TEXT, 1, SKY_FAULT_TOPIC_MAX)                                                \
    X(QOS, "qos", INTEGER, 0, 2)                                                                   \
    X(MERGE, "merge", OBJECT, 0, 0)

enum sky_fault_field {
#define X(name, text, kind, min, max) SKY_FAULT_FIELD_##name,
    SKY_FAULT_FIELDS(X)
#undef X
        SKY_FAULT_FIELD_COUNT
};
const char *sky_fault_field_name(enum sky_fault_field field);

/* Why the action cannot be done at the point, in a sentence; NULL: it can. */
const char *sky_fault_refusal(enum sky_point point, enum sky_fault_action action);
/* The fields that `set` can change at the point, a bit for each. */
unsigned sky_fault_fields(enum sky_point point);

#endif
