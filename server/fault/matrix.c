#include "server/fault/matrix.h"

#include "protocol/base/assert.h"

static const char *const action_names[] = {
#define X(name, text) [SKY_FAULT_##name] = text,
    SKY_FAULT_ACTIONS(X)
#undef X
};

static const char *const field_names[] = {
#define X(name, text, kind, min, max) [SKY_FAULT_FIELD_##name] = text,
    SKY_FAULT_FIELDS(X)
#undef X
};

const char *sky_fault_action_name(enum sky_fault_action action)
{
    SKY_ASSERT(action < SKY_FAULT_ACTION_COUNT);
    return action_names[action];
}

const char *sky_fault_field_name(enum sky_fault_field field)
{
    SKY_ASSERT(field < SKY_FAULT_FIELD_COUNT);
    return field_names[field];
}

/* ---- why not ---- */

/* Of what a device sends. */
#define THE_DEVICES_OWN "what the device sends is its own; corrupt changes bytes of it"
/* Of everything but a handshake. */
#define NO_CERTIFICATE "certificates are shown in handshakes only: put it at handshake"

#define NO_PACKET "no packet passes here yet: put it at the packet that is to be hit"
#define NO_ORDER "peers come independently of each other; delay holds one up"
#define ONE_EXCHANGE                                                                               \
    "TLS takes its messages in order and once; the datagrams of DTLS pass datagram-down"
#define NO_FIELDS "there are no fields in it"
#define FIRST_PACKET "nothing may come before CONNECT on a connection (MQTT 3.1.1, 3.1.0-1)"
#define ONE_CONNECT "a second CONNECT ends the connection (MQTT 3.1.1, 3.1.0-2): close does that"
#define LAST_PACKET "nothing follows DISCONNECT on a connection (MQTT 3.1.1, 3.14.4-2)"
#define SEALED "what the datagram says is sealed: set it at coap-answer, or corrupt it"
#define DATAGRAMS "DTLS has no stream that could drip: delay holds a datagram up"
#define PEER_ANSWERS "HTTP has one answer to a call, and the next call waits for it"

/* ---- the table ---- */

#define FIELD(name) (1U << SKY_FAULT_FIELD_##name)

static const struct row {
    unsigned fields; /* that `set` can change */
    const char *refusals[SKY_FAULT_ACTION_COUNT];
} rows[SKY_POINT_CHOSEN_COUNT] = {
    [SKY_POINT_ACCEPT] = {0,
                          {[SKY_FAULT_REORDER] = NO_ORDER,
                           [SKY_FAULT_DUPLICATE] = NO_PACKET,
                           [SKY_FAULT_SET] = NO_PACKET,
                           [SKY_FAULT_CORRUPT] = NO_PACKET,
                           [SKY_FAULT_CUT] = NO_PACKET,
                           [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_HANDSHAKE] = {0,
                             {[SKY_FAULT_REORDER] = ONE_EXCHANGE,
                              [SKY_FAULT_DUPLICATE] = ONE_EXCHANGE,
                              [SKY_FAULT_SET] = NO_FIELDS}},
    [SKY_POINT_CONNECT] = {0,
                           {[SKY_FAULT_REORDER] = FIRST_PACKET,
                            [SKY_FAULT_DUPLICATE] = ONE_CONNECT,
                            [SKY_FAULT_SET] = THE_DEVICES_OWN,
                            [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_CONNACK] = {FIELD(CODE) | FIELD(SESSION_PRESENT),
                           {[SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_PUBLISH_UP] =
        {0, {[SKY_FAULT_SET] = THE_DEVICES_OWN, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_PUBACK_DOWN] = {FIELD(PACKET_ID), {[SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_PUBLISH_DOWN] = {FIELD(TOPIC) | FIELD(PAYLOAD) | FIELD(QOS) | FIELD(PACKET_ID) |
                                    FIELD(MERGE),
                                {[SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_PUBACK_UP] =
        {0, {[SKY_FAULT_SET] = THE_DEVICES_OWN, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_SUBSCRIBE] =
        {0, {[SKY_FAULT_SET] = THE_DEVICES_OWN, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_SUBACK] = {FIELD(PACKET_ID) | FIELD(CODE),
                          {[SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_UNSUBSCRIBE] =
        {0, {[SKY_FAULT_SET] = THE_DEVICES_OWN, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_UNSUBACK] = {FIELD(PACKET_ID), {[SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_PINGREQ] =
        {0, {[SKY_FAULT_SET] = THE_DEVICES_OWN, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_PINGRESP] =
        {0, {[SKY_FAULT_SET] = NO_FIELDS, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_DISCONNECT] = {0,
                              {[SKY_FAULT_REORDER] = LAST_PACKET,
                               [SKY_FAULT_DUPLICATE] = LAST_PACKET,
                               [SKY_FAULT_SET] = THE_DEVICES_OWN,
                               [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_REPLY] = {FIELD(TOPIC) | FIELD(PAYLOAD) | FIELD(MERGE),
                         {[SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_HTTP_ANSWER] =
        {FIELD(STATUS) | FIELD(PAYLOAD) | FIELD(MERGE),
         {[SKY_FAULT_REORDER] = PEER_ANSWERS, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_COAP_ANSWER] =
        {FIELD(STATUS) | FIELD(PAYLOAD) | FIELD(MERGE),
         {[SKY_FAULT_DRIP] = DATAGRAMS, [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_DATAGRAM_UP] = {0,
                               {[SKY_FAULT_SET] = SEALED,
                                [SKY_FAULT_DRIP] = DATAGRAMS,
                                [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
    [SKY_POINT_DATAGRAM_DOWN] = {0,
                                 {[SKY_FAULT_SET] = SEALED,
                                  [SKY_FAULT_DRIP] = DATAGRAMS,
                                  [SKY_FAULT_CERTIFICATE] = NO_CERTIFICATE}},
};

const char *sky_fault_refusal(enum sky_point point, enum sky_fault_action action)
{
    SKY_ASSERT(point < SKY_POINT_CHOSEN_COUNT && action < SKY_FAULT_ACTION_COUNT);
    return rows[point].refusals[action];
}

unsigned sky_fault_fields(enum sky_point point)
{
    SKY_ASSERT(point < SKY_POINT_CHOSEN_COUNT);
    return rows[point].fields;
}
