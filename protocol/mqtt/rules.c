#include "protocol/mqtt/rules.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/packet.h"

/* A numbered statement, a chapter of the specification without a number, and a limit. */
#define STATEMENT(section, number, says, fix)                                                      \
    {                                                                                              \
        "MQTT-" section "-" number, says, "MQTT 3.1.1 §" section " [MQTT-" section "-" number "]", \
            fix, SKY_ERROR, SKY_ENFORCED, NULL                                                     \
    }
#define WATCHED(section, number, says, fix)                                                        \
    {                                                                                              \
        "MQTT-" section "-" number, says, "MQTT 3.1.1 §" section " [MQTT-" section "-" number "]", \
            fix, SKY_WARNING, SKY_REPORTED, NULL                                                   \
    }
#define CHAPTER(id, section, says, fix)                                                            \
    {                                                                                              \
        "MQTT-" id, says, "MQTT 3.1.1 §" section, fix, SKY_ERROR, SKY_ENFORCED, NULL               \
    }
#define LIMIT(id, source, says, fix)                                                               \
    {                                                                                              \
        "MQTT-" id, says, source, fix, SKY_ERROR, SKY_ENFORCED, NULL                               \
    }
#define ADVICE(id, source, says, fix)                                                              \
    {                                                                                              \
        "MQTT-" id, says, source, fix, SKY_WARNING, SKY_REPORTED, NULL                             \
    }

/* The clouds' restrictions that no document of MQTT knows. */
#define PLATFORM "device platform limits"

static const struct sky_rule rows[SKY_MQTT_SPEC_RULES + SKY_LIMIT_RULES] = {
    [SKY_MQTT_RULE_UTF8] = STATEMENT(
        "1.5.3", "1", "Strings are well-formed UTF-8, without surrogates",
        "Encode client id, user name, topics and filters as UTF-8; check for stray binary bytes "
        "or a wrong length in front of the string."),
    [SKY_MQTT_RULE_NUL] =
        STATEMENT("1.5.3", "2", "Strings contain no U+0000",
                  "Do not count the terminating NUL of a C string in its length."),
    [SKY_MQTT_RULE_FLAGS] =
        STATEMENT("2.2.2", "1", "Reserved flag bits of the fixed header have their fixed value",
                  "Send the low four bits of the first byte as table 2.2 gives them."),
    [SKY_MQTT_RULE_RESERVED_TYPE] =
        CHAPTER("PACKET-RESERVED", "2.2.1", "Packet types 0 and 15 are not sent",
                "The stream is probably out of step: compare the remaining length of the packet "
                "before with the bytes really sent."),
    [SKY_MQTT_RULE_SERVER_TYPE] =
        CHAPTER("PACKET-DIRECTION", "2.2.1",
                "CONNACK, SUBACK, UNSUBACK and PINGRESP are sent by servers only",
                "Check the packet type in the high four bits of the first byte."),
    [SKY_MQTT_RULE_LENGTH] =
        CHAPTER("REMAINING-LENGTH", "2.2.3", "The remaining length takes four bytes at most",
                "Set the continuation bit only while more length bits follow."),
    [SKY_MQTT_RULE_PACKET_SIZE] =
        LIMIT("PACKET-SIZE", PLATFORM, "A packet is no longer than the server takes",
              "Send less in one packet, and check the encoding of the remaining length."),
    [SKY_MQTT_RULE_TRUNCATED] = CHAPTER(
        "PACKET-TRUNCATED", "2.2.3", "Every field lies within the remaining length of its packet",
        "Count all length prefixes and the packet identifier in the remaining length."),
    [SKY_MQTT_RULE_TRAILING] = CHAPTER(
        "PACKET-TRAILING", "2.2.3", "Nothing follows the last field within the remaining length",
        "Set the connect flags for all fields sent, and count nothing twice in the "
        "remaining length."),
    [SKY_MQTT_RULE_PACKET_ID] = STATEMENT(
        "2.3.1", "1",
        "SUBSCRIBE, UNSUBSCRIBE and PUBLISH above QoS 0 have a packet identifier other than 0",
        "Start packet identifiers at 1, and skip 0 when they wrap."),
    [SKY_MQTT_RULE_PROTOCOL] =
        STATEMENT("3.1.2", "1", "The protocol name is MQTT (or MQIsdp for version 3.1)",
                  "Send the four letters MQTT in capitals, with length 4."),
    [SKY_MQTT_RULE_CONNECT_FLAG] =
        STATEMENT("3.1.2", "3", "Bit 0 of the connect flags is 0", "Clear the reserved bit."),
    [SKY_MQTT_RULE_WILL_FIELDS] =
        STATEMENT("3.1.2", "9", "A CONNECT with the will flag has will topic and will message",
                  "Put both behind the client id, or clear the will flag."),
    [SKY_MQTT_RULE_NO_WILL_QOS] =
        STATEMENT("3.1.2", "13", "Without the will flag the will QoS is 0",
                  "Clear bits 4 and 3 of the connect flags."),
    [SKY_MQTT_RULE_WILL_QOS] = STATEMENT("3.1.2", "14", "The will QoS is not 3", "Use 0, 1 or 2."),
    [SKY_MQTT_RULE_NO_WILL_RETAIN] =
        STATEMENT("3.1.2", "15", "Without the will flag the will retain flag is 0",
                  "Clear bit 5 of the connect flags."),
    [SKY_MQTT_RULE_USERNAME] =
        STATEMENT("3.1.2", "19", "A CONNECT with the user name flag has a user name",
                  "Add the user name, or clear bit 7 of the connect flags."),
    [SKY_MQTT_RULE_PASSWORD] =
        STATEMENT("3.1.2", "21", "A CONNECT with the password flag has a password",
                  "Add the password, or clear bit 6 of the connect flags."),
    [SKY_MQTT_RULE_ONLY_PASSWORD] =
        STATEMENT("3.1.2", "22", "Without a user name there is no password",
                  "Send the user name too: MQTT 3.1.1 has no password alone."),
    [SKY_MQTT_RULE_CLIENT_ID] =
        STATEMENT("3.1.3", "3", "The client id is the first field of the CONNECT payload",
                  "Send it always, with length 0 if it is empty."),
    [SKY_MQTT_RULE_DUP_QOS0] = STATEMENT("3.3.1", "2", "A QoS 0 PUBLISH does not have the DUP flag",
                                         "Set DUP only when a QoS 1 message is sent again."),
    [SKY_MQTT_RULE_QOS3] =
        STATEMENT("3.3.1", "4", "A PUBLISH does not have both QoS bits set", "Use QoS 0 or 1."),
    [SKY_MQTT_RULE_TOPIC_WILDCARD] =
        STATEMENT("3.3.2", "2", "A topic name has no wildcard characters",
                  "Publish to one topic; '+' and '#' are for SUBSCRIBE."),
    [SKY_MQTT_RULE_PUBREL_FLAGS] =
        STATEMENT("3.6.1", "1", "PUBREL has the flag bits 0010", "Send 0x62 as first byte."),
    [SKY_MQTT_RULE_SUBSCRIBE_FLAGS] =
        STATEMENT("3.8.1", "1", "SUBSCRIBE has the flag bits 0010", "Send 0x82 as first byte."),
    [SKY_MQTT_RULE_SUBSCRIBE_NONE] = STATEMENT("3.8.3", "3", "SUBSCRIBE has at least one filter",
                                               "Do not send a SUBSCRIBE for an empty list."),
    [SKY_MQTT_RULE_SUBSCRIBE_QOS] =
        STATEMENT("3.8.3", "4", "A requested QoS is 0, 1 or 2, in a byte without other bits",
                  "Clear the high six bits of the requested QoS."),
    [SKY_MQTT_RULE_UNSUB_FLAGS] =
        STATEMENT("3.10.1", "1", "UNSUBSCRIBE has the flag bits 0010", "Send 0xA2 as first byte."),
    [SKY_MQTT_RULE_UNSUB_NONE] = STATEMENT("3.10.3", "2", "UNSUBSCRIBE has at least one filter",
                                           "Do not send an UNSUBSCRIBE for an empty list."),
    [SKY_MQTT_RULE_DISCONNECT_FLAGS] =
        STATEMENT("3.14.1", "1", "DISCONNECT has the flag bits 0000", "Send 0xE0 as first byte."),
    [SKY_MQTT_RULE_FILTER_HASH] =
        STATEMENT("4.7.1", "2", "'#' is a level of its own and the last one of a filter",
                  "Write \"a/#\", not \"a#\" and not \"a/#/b\"."),
    [SKY_MQTT_RULE_FILTER_PLUS] = STATEMENT("4.7.1", "3", "'+' is a level of its own in a filter",
                                            "Write \"a/+/b\", not \"a/x+/b\"."),
    [SKY_MQTT_RULE_FILTER_COUNT] =
        LIMIT("FILTER-COUNT", PLATFORM, "SUBSCRIBE and UNSUBSCRIBE have 256 filters at most",
              "Spread the filters over several packets."),
    [SKY_MQTT_RULE_TOPIC_EMPTY] =
        STATEMENT("4.7.3", "1", "Topic names and filters have at least one character",
                  "Check that the topic was filled in before it was sent."),

    [SKY_MQTT_RULE_FIRST_PACKET] =
        STATEMENT("3.1.0", "1", "The first packet of a connection is CONNECT",
                  "After every reconnect, send CONNECT before anything that was pending."),
    [SKY_MQTT_RULE_SECOND_CONNECT] =
        STATEMENT("3.1.0", "2", "A connection carries one CONNECT only",
                  "Close the connection and open a new one to log in again."),
    [SKY_MQTT_RULE_CONNECT_TIMEOUT] =
        CHAPTER("CONNECT-TIMEOUT", "3.1.4", "A whole CONNECT follows the connection without delay",
                "Send CONNECT at once, and check its remaining length: the server may still be "
                "waiting for the end of it."),
    [SKY_MQTT_RULE_LEVEL] =
        STATEMENT("3.1.2", "2", "The protocol level is 4 (or 3 with the name MQIsdp)",
                  "Set the client library to MQTT 3.1.1."),
    [SKY_MQTT_RULE_EMPTY_ID] =
        STATEMENT("3.1.3", "7", "An empty client id goes with a clean session only",
                  "Send a client id, or set the clean session flag."),
    [SKY_MQTT_RULE_ACK_ID] =
        WATCHED("2.3.1", "6", "PUBACK carries the packet identifier of the PUBLISH it answers",
                "Answer each QoS 1 PUBLISH once, with its own identifier, high byte first."),
    [SKY_MQTT_RULE_ACK_ORDER] =
        WATCHED("4.6.0", "2", "QoS 1 messages are acknowledged in the order they came",
                "Send PUBACK from one place, in the order of arrival."),
    [SKY_MQTT_RULE_AFTER_DISCONNECT] =
        WATCHED("3.14.4", "2", "Nothing is sent after DISCONNECT",
                "Stop the other senders before DISCONNECT is written."),

    [SKY_MQTT_RULE_RESUBSCRIBE] =
        ADVICE("RESUBSCRIBE", "MQTT 3.1.1 §3.2.2.2, §4.1",
               "A device subscribes again when the CONNACK says that no session is present",
               "Look at session present in every CONNACK and send the SUBSCRIBEs again when it is "
               "0: until then nothing reaches the device."),

#define AT(limit) [SKY_MQTT_SPEC_RULES + (limit)]
    AT(SKY_LIMIT_WILL) = LIMIT("WILL", PLATFORM, "CONNECT has no will",
                               "Clear the will flag; devices are watched by the cloud itself."),
    AT(SKY_LIMIT_RETAIN) =
        ADVICE("RETAIN", PLATFORM, "PUBLISH does not have the retain flag",
               "Clear it: the message is delivered, but nothing is kept for later subscribers."),
    AT(SKY_LIMIT_QOS2_PUBLISH) =
        LIMIT("QOS2-PUBLISH", PLATFORM, "PUBLISH has QoS 0 or 1", "Use QoS 1 instead of 2."),
    AT(SKY_LIMIT_QOS2_SUBSCRIBE) =
        LIMIT("QOS2-SUBSCRIBE", PLATFORM, "SUBSCRIBE asks for QoS 0 or 1",
              "Ask for QoS 1 instead of 2, and look at the return codes in SUBACK."),
    AT(SKY_LIMIT_PACKET_TYPE) =
        LIMIT("PACKET-TYPE", PLATFORM, "PUBREC, PUBREL and PUBCOMP are not sent",
              "Use QoS 0 or 1: they belong to QoS 2, which the cloud does not offer."),
    AT(SKY_LIMIT_KEEPALIVE) =
        {"MQTT-KEEPALIVE-RANGE",
         "The keepalive is within the cloud's range, 60 to 300 seconds as it was documented first",
         PLATFORM,
         "Set it in CONNECT to 60..300; 0 does not switch it off. Run skymock with --profile "
         "current for the wider range of later documents.",
         SKY_ERROR, SKY_ENFORCED, "Set it in CONNECT within the range that the finding names."},
    AT(SKY_LIMIT_KEEPALIVE_SILENT) =
        ADVICE("KEEPALIVE-SILENT", "MQTT 3.1.1 §3.1.2.10 [MQTT-3.1.2-23]",
               "Something is sent at least once per keepalive interval",
               "Send PINGREQ when nothing else was sent for the interval, better a little before."),
    AT(SKY_LIMIT_KEEPALIVE_DEAD) = LIMIT(
        "KEEPALIVE-DEAD", "MQTT 3.1.1 §3.1.2.10 [MQTT-3.1.2-24]",
        "Silence never lasts for one and a half keepalive intervals",
        "Drive the ping timer also while the device is busy: after that long the connection is "
        "closed."),
    AT(SKY_LIMIT_DUPLICATE_LOGIN) =
        ADVICE("DUPLICATE-LOGIN", "MQTT 3.1.1 §3.1.4 [MQTT-3.1.4-2]",
               "A device is logged in once at a time",
               "Close the old connection before a new login, and give each device its own key: "
               "two with the same one push each other out. One that was cut off and came back did "
               "nothing wrong."),
    AT(SKY_LIMIT_PAYLOAD_SIZE) =
        LIMIT("PAYLOAD-SIZE", PLATFORM, "A payload is no longer than the cloud carries",
              "Split the message, or send less often a smaller one."),
    AT(SKY_LIMIT_TOPIC_PUB) =
        LIMIT("TOPIC-PUB", PLATFORM, "A device publishes only to topics it has the right to",
              "Compare the topic with the product's topic list, level by level."),
    AT(SKY_LIMIT_TOPIC_SUB) =
        LIMIT("TOPIC-SUB", PLATFORM, "A device subscribes only to topics it has the right to",
              "Compare the filter with the product's topic list; a wildcard must not reach "
              "beyond it."),
    AT(SKY_LIMIT_TOPIC_DIRECTION) =
        LIMIT("TOPIC-DIRECTION", PLATFORM,
              "A topic is published to, or subscribed to, as its direction says",
              "Publish to the request topic and subscribe to its reply topic."),
    AT(SKY_LIMIT_TOPIC_OTHER) =
        LIMIT("TOPIC-OTHER-DEVICE", PLATFORM, "A device stays with its own topics",
              "Use the device's own product key and name in the topic."),
    AT(SKY_LIMIT_SUB_COUNT) =
        LIMIT("SUB-COUNT", PLATFORM, "A device stays within the number of filters allowed",
              "Use one filter with a wildcard for several topics, or several SUBSCRIBE packets."),
    AT(SKY_LIMIT_TOPIC_LENGTH) = ADVICE(
        "TOPIC-LENGTH", PLATFORM, "A topic has no more bytes and slashes than the cloud takes",
        "Shorten the topic; product key and device name count too."),
    AT(SKY_LIMIT_PUBLISH_RATE) =
        ADVICE("PUBLISH-RATE", PLATFORM, "A device publishes no faster than the cloud takes",
               "Send less often, or several values in one message."),
#undef AT
};

const struct sky_rule_table sky_mqtt_rules = {
    .owner = "mqtt", .rows = rows, .count = SKY_COUNT(rows)};

const struct sky_rule *sky_mqtt_rule(enum sky_mqtt_rule_id which)
{
    SKY_ASSERT((size_t)which < SKY_MQTT_SPEC_RULES);
    return &rows[which];
}

bool sky_mqtt_rule_kept_by(enum sky_mqtt_rule_id which, unsigned type)
{
    enum {
        CONNECT = 1 << SKY_MQTT_CONNECT,
        PUBLISH = 1 << SKY_MQTT_PUBLISH,
        SUBSCRIBE = 1 << SKY_MQTT_SUBSCRIBE,
        UNSUBSCRIBE = 1 << SKY_MQTT_UNSUBSCRIBE,
        STRINGS = CONNECT | PUBLISH | SUBSCRIBE | UNSUBSCRIBE,
        PLAIN = CONNECT | 1 << SKY_MQTT_PUBACK | 1 << SKY_MQTT_PINGREQ,
        ALL = 0xffff,
    };
    static const uint16_t types[SKY_MQTT_SPEC_RULES] = {
        [SKY_MQTT_RULE_UTF8] = STRINGS,
        [SKY_MQTT_RULE_NUL] = STRINGS,
        [SKY_MQTT_RULE_FLAGS] = PLAIN,
        [SKY_MQTT_RULE_RESERVED_TYPE] = ALL,
        [SKY_MQTT_RULE_SERVER_TYPE] = ALL,
        [SKY_MQTT_RULE_LENGTH] = ALL,
        [SKY_MQTT_RULE_PACKET_SIZE] = ALL,
        [SKY_MQTT_RULE_TRUNCATED] = ALL,
        [SKY_MQTT_RULE_TRAILING] = ALL,
        [SKY_MQTT_RULE_PACKET_ID] = SUBSCRIBE | UNSUBSCRIBE, /* a PUBLISH need not have one */
        [SKY_MQTT_RULE_PROTOCOL] = CONNECT,
        [SKY_MQTT_RULE_CONNECT_FLAG] = CONNECT,
        [SKY_MQTT_RULE_WILL_FIELDS] = CONNECT,
        [SKY_MQTT_RULE_NO_WILL_QOS] = CONNECT,
        [SKY_MQTT_RULE_WILL_QOS] = CONNECT,
        [SKY_MQTT_RULE_NO_WILL_RETAIN] = CONNECT,
        [SKY_MQTT_RULE_USERNAME] = CONNECT,
        [SKY_MQTT_RULE_PASSWORD] = CONNECT,
        [SKY_MQTT_RULE_ONLY_PASSWORD] = CONNECT,
        [SKY_MQTT_RULE_CLIENT_ID] = CONNECT,
        [SKY_MQTT_RULE_DUP_QOS0] = PUBLISH,
        [SKY_MQTT_RULE_QOS3] = PUBLISH,
        [SKY_MQTT_RULE_TOPIC_WILDCARD] = PUBLISH,
        [SKY_MQTT_RULE_PUBREL_FLAGS] = 1 << SKY_MQTT_PUBREL,
        [SKY_MQTT_RULE_SUBSCRIBE_FLAGS] = SUBSCRIBE,
        [SKY_MQTT_RULE_SUBSCRIBE_NONE] = SUBSCRIBE,
        [SKY_MQTT_RULE_SUBSCRIBE_QOS] = SUBSCRIBE,
        [SKY_MQTT_RULE_UNSUB_FLAGS] = UNSUBSCRIBE,
        [SKY_MQTT_RULE_UNSUB_NONE] = UNSUBSCRIBE,
        [SKY_MQTT_RULE_DISCONNECT_FLAGS] = 1 << SKY_MQTT_DISCONNECT,
        [SKY_MQTT_RULE_FILTER_HASH] = SUBSCRIBE | UNSUBSCRIBE,
        [SKY_MQTT_RULE_FILTER_PLUS] = SUBSCRIBE | UNSUBSCRIBE,
        [SKY_MQTT_RULE_FILTER_COUNT] = SUBSCRIBE | UNSUBSCRIBE,
        [SKY_MQTT_RULE_TOPIC_EMPTY] = PUBLISH | SUBSCRIBE | UNSUBSCRIBE,
        [SKY_MQTT_RULE_SECOND_CONNECT] = ALL & ~CONNECT,
    };
    SKY_ASSERT((size_t)which < SKY_MQTT_SPEC_RULES && type < 16);
    return types[which] >> type & 1;
}

const struct sky_rule *sky_mqtt_limit_rule(enum sky_limit_rule which)
{
    SKY_ASSERT((size_t)which < SKY_LIMIT_RULES);
    return &rows[(size_t)SKY_MQTT_SPEC_RULES + (size_t)which];
}
