#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "hex.h"
#include "protocol/mqtt/packet.h"
#include "protocol/mqtt/rules.h"

/* One whole packet of each type a client sends, in its shortest and fullest forms. */
static const char *const good[] = {
    "10 0c  0004 'MQTT' 04 02 003c  0000",
    "10 0e  0006 'MQIsdp' 03 02 003c  0000",
    "10 24  0004 'MQTT' 04 f6 003c  0003 'dev'  0004 'last'  0003 'bye'  0004 'user'  0002 'pw'",
    "10 0a  0004 'MQTT' 06 02 003c",
    "30 04  0002 'ab'",
    "31 05  0002 'ab' 00",
    "3b 08  0002 'ab' 0001 ffff",
    "34 06  0002 'ab' 0102",
    "40 02  ffff",
    "50 02  0001",
    "62 02  0001",
    "70 02  0001",
    "82 06  0001 0001 '#' 00",
    "82 0e  0002 0003 'a/b' 01  0003 'c/+' 02",
    "a2 0a  0003 0001 'a'  0003 'b/#'",
    "c0 00",
    "e0 00",
    "c0 80 00", /* the length in more bytes than needed: 3.1.1 does not forbid it */
};

static struct sky_mqtt_packet decode(sky_span bytes)
{
    struct sky_mqtt_packet packet;
    struct sky_mqtt_flaw flaw = {.rule = NULL};
    enum sky_mqtt_result result = sky_mqtt_decode(bytes, SKY_MQTT_PACKET_MAX, &packet, &flaw);
    if (result != SKY_MQTT_OK)
        fail_msg("a good packet gives %s", flaw.rule != NULL ? flaw.rule->id : "MORE");
    assert_int_equal(packet.size, bytes.len);
    return packet;
}

static void a_packet_split_anywhere_waits_for_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(good); i++) {
        sky_span whole = hex(good[i]);
        for (size_t cut = 0; cut < whole.len; cut++) {
            char *part = sky_mem_dup(whole.ptr, cut);
            struct sky_mqtt_packet packet = {.size = 77};
            struct sky_mqtt_flaw flaw = {.rule = NULL};
            part = sky_mem_grow(part, cut);
            assert_int_equal(sky_mqtt_decode(sky_span_of(part, cut), 1000, &packet, &flaw),
                             SKY_MQTT_MORE);
            assert_true(packet.size == 77 && flaw.rule == NULL);
            free(part);
        }
        decode(whole);
        free((char *)whole.ptr);
    }
}

static void a_packet_is_decoded_without_what_follows(void **state)
{
    (void)state;
    sky_span two = hex("30 05 0001 'a' 'xy'  c0 00");
    struct sky_mqtt_packet packet;
    struct sky_mqtt_flaw flaw;
    assert_int_equal(sky_mqtt_decode(two, 1000, &packet, &flaw), SKY_MQTT_OK);
    assert_int_equal(packet.size, 7);
    assert_true(sky_span_eq_str(packet.as.publish.payload, "xy"));
    assert_int_equal(decode(sky_span_tail(two, packet.size)).type, SKY_MQTT_PINGREQ);
    free((char *)two.ptr);
}

static void connect_fields_come_in_their_order(void **state)
{
    (void)state;
    sky_span bytes = hex(good[2]);
    struct sky_mqtt_packet packet = decode(bytes);
    const struct sky_mqtt_connect *c = &packet.as.connect;
    assert_int_equal(packet.type, SKY_MQTT_CONNECT);
    assert_true(sky_span_eq_str(c->protocol, "MQTT"));
    assert_true(c->level == 4 && c->level_known && c->keepalive_s == 60);
    assert_true(c->clean_session && c->has_will && c->will_retain && c->will_qos == 2);
    assert_true(c->has_username && c->has_password);
    assert_true(sky_span_eq_str(c->client_id, "dev"));
    assert_true(sky_span_eq_str(c->will_topic, "last"));
    assert_true(sky_span_eq_str(c->will_payload, "bye"));
    assert_true(sky_span_eq_str(c->username, "user"));
    assert_true(sky_span_eq_str(c->password, "pw"));
    free((char *)bytes.ptr);
}

static void connect_of_version_3_1_is_known(void **state)
{
    (void)state;
    sky_span bytes = hex(good[1]);
    struct sky_mqtt_connect c = decode(bytes).as.connect;
    assert_true(c.level == 3 && c.level_known && c.client_id.len == 0);
    free((char *)bytes.ptr);
}

static void connect_of_another_version_is_left_to_be_refused(void **state)
{
    static const char *const packets[] = {
        "10 0a  0004 'MQTT' 06 02 003c",       "10 0d  0004 'MQTT' 05 ff 003c  00 0000",
        "10 0c  0004 'MQTT' 03 02 003c  0000", "10 0e  0006 'MQIsdp' 04 02 003c  0000",
        "10 0c  0004 'MQTT' 00 01 003c  0000",
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(packets); i++) {
        sky_span bytes = hex(packets[i]);
        struct sky_mqtt_connect c = decode(bytes).as.connect;
        assert_true(!c.level_known && c.keepalive_s == 60 && c.client_id.len == 0);
        free((char *)bytes.ptr);
    }
}

static void an_empty_client_id_with_a_kept_session_is_left_to_the_server(void **state)
{
    (void)state;
    sky_span bytes = hex("10 0c  0004 'MQTT' 04 00 0000  0000");
    struct sky_mqtt_connect c = decode(bytes).as.connect;
    assert_true(!c.clean_session && c.client_id.len == 0 && c.keepalive_s == 0);
    free((char *)bytes.ptr);
}

/* A CONNECT with a client id of `len` bytes, for sky_mqtt_decode(). */
static size_t connect_with_id(char *out, const char *id, size_t len)
{
    size_t body = 12 + len, at = 0;
    out[at++] = 0x10;
    for (size_t rest = body; rest > 0 || at == 1; rest >>= 7)
        out[at++] = (char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    memcpy(out + at, "\0\4MQTT\4\2\0\x3c", 10);
    out[at + 10] = (char)(len >> 8);
    out[at + 11] = (char)len;
    memcpy(out + at + 12, id, len);
    return at + body;
}

static void client_ids_of_real_devices_pass(void **state)
{
    static char id[SKY_MQTT_STRING_MAX], packet[SKY_MQTT_STRING_MAX + 32];
    static const char *const odd[] = {
        "a|securemode=3,signmethod=hmacsha1,timestamp=1|{\"k\":1}",
        "line\nbreak\ttab\x01\x1f\x7f",
        "0123456789abcdefABCDEF_",
        "\xe8\xae\xbe\xe5\xa4\x87",
        "\xef\xbb\xbf"
        "bom",
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(odd); i++) {
        size_t size = connect_with_id(packet, odd[i], strlen(odd[i]));
        struct sky_mqtt_connect c = decode(sky_span_of(packet, size)).as.connect;
        assert_true(sky_span_eq_str(c.client_id, odd[i]));
    }
    memset(id, 'x', sizeof id);
    size_t size = connect_with_id(packet, id, sizeof id);
    assert_int_equal(decode(sky_span_of(packet, size)).as.connect.client_id.len, sizeof id);
}

static void publish_flags_id_and_payload_are_told_apart(void **state)
{
    static const struct {
        const char *packet;
        uint8_t qos;
        bool dup, retain;
        uint16_t id;
        size_t payload;
    } rows[] = {
        {"30 03  0001 'a'", 0, false, false, 0, 0},
        {"31 05  0001 'a' 0001", 0, false, true, 0, 2},
        {"32 05  0001 'a' 1234", 1, false, false, 0x1234, 0},
        {"3a 06  0001 'a' 0001 00", 1, true, false, 1, 1},
        {"3d 07  0001 'a' ffff ffff", 2, true, true, 0xffff, 2},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        sky_span bytes = hex(rows[i].packet);
        struct sky_mqtt_publish p = decode(bytes).as.publish;
        assert_true(sky_span_eq_str(p.topic, "a"));
        assert_int_equal(p.qos, rows[i].qos);
        assert_true(p.dup == rows[i].dup && p.retain == rows[i].retain);
        assert_int_equal(p.packet_id, rows[i].id);
        assert_int_equal(p.payload.len, rows[i].payload);
        free((char *)bytes.ptr);
    }
}

static void subscribe_filters_are_walked_in_order(void **state)
{
    (void)state;
    sky_span bytes = hex(good[13]), filter;
    uint8_t qos;
    struct sky_mqtt_packet packet = decode(bytes);
    struct sky_mqtt_filters *f = &packet.as.filters;
    assert_true(packet.type == SKY_MQTT_SUBSCRIBE && f->packet_id == 2 && f->count == 2);
    assert_true(sky_mqtt_filter_next(f, &filter, &qos));
    assert_true(sky_span_eq_str(filter, "a/b") && qos == 1);
    assert_true(sky_mqtt_filter_next(f, &filter, &qos));
    assert_true(sky_span_eq_str(filter, "c/+") && qos == 2);
    assert_false(sky_mqtt_filter_next(f, &filter, &qos));
    free((char *)bytes.ptr);
}

static void unsubscribe_filters_have_no_qos(void **state)
{
    (void)state;
    sky_span bytes = hex(good[14]), filter;
    uint8_t qos = 9;
    struct sky_mqtt_packet packet = decode(bytes);
    struct sky_mqtt_filters *f = &packet.as.filters;
    assert_true(packet.type == SKY_MQTT_UNSUBSCRIBE && f->packet_id == 3 && f->count == 2);
    assert_true(sky_mqtt_filter_next(f, &filter, &qos) && qos == 0);
    assert_true(sky_span_eq_str(filter, "a"));
    assert_true(sky_mqtt_filter_next(f, &filter, &qos) && sky_span_eq_str(filter, "b/#"));
    assert_false(sky_mqtt_filter_next(f, &filter, &qos));
    free((char *)bytes.ptr);
}

static void acknowledgements_carry_their_packet_id(void **state)
{
    static const char *const packets[] = {"40 02 abcd", "50 02 abcd", "62 02 abcd", "70 02 abcd"};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(packets); i++) {
        sky_span bytes = hex(packets[i]);
        struct sky_mqtt_packet packet = decode(bytes);
        assert_int_equal(packet.type, SKY_MQTT_PUBACK + i);
        assert_int_equal(packet.as.packet_id, 0xabcd);
        free((char *)bytes.ptr);
    }
}

/* What a client did, and the rule it broke by that. */
static const struct {
    const char *packet, *rule;
} bad[] = {
    /* strings */
    {"30 04  0002 'a' ff", "MQTT-1.5.3-1"},
    {"30 05  0003 eda080", "MQTT-1.5.3-1"},
    {"30 04  0002 c080", "MQTT-1.5.3-1"},
    {"30 05  0003 'a' 00 'b'", "MQTT-1.5.3-2"},
    {"10 0d  0004 'MQTT' 04 02 003c  0001 80", "MQTT-1.5.3-1"},
    {"10 0d  0004 'MQTT' 04 02 003c  0001 00", "MQTT-1.5.3-2"},
    {"10 12  0004 'MQTT' 04 06 003c  0000  0002 c328  0000", "MQTT-1.5.3-1"},
    {"10 0f  0004 'MQTT' 04 82 003c  0000  0001 fe", "MQTT-1.5.3-1"},
    {"82 06  0001 0001 80 00", "MQTT-1.5.3-1"},
    {"a2 05  0001 0001 00", "MQTT-1.5.3-2"},
    /* fixed header */
    {"00", "MQTT-PACKET-RESERVED"},
    {"0f 00", "MQTT-PACKET-RESERVED"},
    {"f0 00", "MQTT-PACKET-RESERVED"},
    {"20 02 0000", "MQTT-PACKET-DIRECTION"},
    {"90 03 0001 00", "MQTT-PACKET-DIRECTION"},
    {"b0 02 0001", "MQTT-PACKET-DIRECTION"},
    {"d0 00", "MQTT-PACKET-DIRECTION"},
    {"11", "MQTT-2.2.2-1"},
    {"42", "MQTT-2.2.2-1"},
    {"52", "MQTT-2.2.2-1"},
    {"72", "MQTT-2.2.2-1"},
    {"c8", "MQTT-2.2.2-1"},
    {"60", "MQTT-3.6.1-1"},
    {"6a", "MQTT-3.6.1-1"},
    {"80", "MQTT-3.8.1-1"},
    {"8a", "MQTT-3.8.1-1"},
    {"a0", "MQTT-3.10.1-1"},
    {"e1", "MQTT-3.14.1-1"},
    {"30 80808080", "MQTT-REMAINING-LENGTH"},
    {"30 ffffffff 7f", "MQTT-REMAINING-LENGTH"},
    {"30 ffffff7f", "MQTT-PACKET-SIZE"},
    /* lengths inside a packet */
    {"10 00", "MQTT-PACKET-TRUNCATED"},
    {"10 09  0004 'MQTT' 04 02 00", "MQTT-PACKET-TRUNCATED"},
    {"10 0b  0004 'MQTT' 04 02 003c  00", "MQTT-PACKET-TRUNCATED"},
    {"10 0d  0004 'MQTT' 04 02 003c  0002 'a'", "MQTT-PACKET-TRUNCATED"},
    {"10 10  0004 'MQTT' 04 c2 003c  0000  0001 'u' 00", "MQTT-PACKET-TRUNCATED"},
    {"30 00", "MQTT-PACKET-TRUNCATED"},
    {"30 03  0002 'a'", "MQTT-PACKET-TRUNCATED"},
    {"32 04  0001 'a' 00", "MQTT-PACKET-TRUNCATED"},
    {"40 01  00", "MQTT-PACKET-TRUNCATED"},
    {"82 01  00", "MQTT-PACKET-TRUNCATED"},
    {"82 05  0001 0001 'a'", "MQTT-PACKET-TRUNCATED"},
    {"a2 04  0001 0001", "MQTT-PACKET-TRUNCATED"},
    {"10 0d  0004 'MQTT' 04 02 003c  0000 00", "MQTT-PACKET-TRAILING"},
    {"10 11  0004 'MQTT' 04 02 003c  0000  0001 'w' 0000", "MQTT-PACKET-TRAILING"}, /* 3.1.2-11 */
    {"10 0f  0004 'MQTT' 04 02 003c  0000  0001 'u'", "MQTT-PACKET-TRAILING"},      /* 3.1.2-18 */
    {"10 12  0004 'MQTT' 04 82 003c  0000  0001 'u' 0001 'p'", "MQTT-PACKET-TRAILING"}, /* -20 */
    {"40 03  0001 00", "MQTT-PACKET-TRAILING"},
    {"62 04  0001 0001", "MQTT-PACKET-TRAILING"},
    {"c0 01  00", "MQTT-PACKET-TRAILING"},
    {"e0 02  0000", "MQTT-PACKET-TRAILING"},
    /* packet identifiers */
    {"32 05  0001 'a' 0000", "MQTT-2.3.1-1"},
    {"40 02  0000", "MQTT-2.3.1-1"},
    {"82 06  0000 0001 'a' 00", "MQTT-2.3.1-1"},
    {"a2 05  0000 0001 'a'", "MQTT-2.3.1-1"},
    /* CONNECT */
    {"10 0c  0004 'mqtt' 04 02 003c  0000", "MQTT-3.1.2-1"},
    {"10 0d  0005 'MQTT5' 04 02 003c  0000", "MQTT-3.1.2-1"},
    {"10 08  0000 04 02 003c  0000", "MQTT-3.1.2-1"},
    {"10 0c  0004 'MQTT' 04 03 003c  0000", "MQTT-3.1.2-3"},
    {"10 0c  0004 'MQTT' 04 06 003c  0000", "MQTT-3.1.2-9"},
    {"10 0f  0004 'MQTT' 04 06 003c  0000  0001 'w'", "MQTT-3.1.2-9"},
    {"10 0c  0004 'MQTT' 04 0a 003c  0000", "MQTT-3.1.2-13"},
    {"10 0c  0004 'MQTT' 04 1a 003c  0000", "MQTT-3.1.2-13"},
    {"10 11  0004 'MQTT' 04 1e 003c  0000  0001 'w'  0000", "MQTT-3.1.2-14"},
    {"10 0c  0004 'MQTT' 04 22 003c  0000", "MQTT-3.1.2-15"},
    {"10 0c  0004 'MQTT' 04 82 003c  0000", "MQTT-3.1.2-19"},
    {"10 0f  0004 'MQTT' 04 c2 003c  0000  0001 'u'", "MQTT-3.1.2-21"},
    {"10 0f  0004 'MQTT' 04 42 003c  0000  0001 'p'", "MQTT-3.1.2-22"},
    {"10 0a  0004 'MQTT' 04 02 003c", "MQTT-3.1.3-3"},
    /* PUBLISH */
    {"38", "MQTT-3.3.1-2"},
    {"36", "MQTT-3.3.1-4"},
    {"3f", "MQTT-3.3.1-4"},
    {"30 05  0003 'a/#'", "MQTT-3.3.2-2"},
    {"30 05  0003 '+/a'", "MQTT-3.3.2-2"},
    {"30 05  0003 'a+b'", "MQTT-3.3.2-2"},
    {"30 02  0000", "MQTT-4.7.3-1"},
    /* SUBSCRIBE and UNSUBSCRIBE */
    {"82 02  0001", "MQTT-3.8.3-3"},
    {"82 06  0001 0001 'a' 03", "MQTT-3.8.3-4"},
    {"82 06  0001 0001 'a' 04", "MQTT-3.8.3-4"},
    {"82 06  0001 0001 'a' 81", "MQTT-3.8.3-4"},
    {"82 0a  0001 0001 'a' 00  0001 'b' ff", "MQTT-3.8.3-4"},
    {"a2 02  0001", "MQTT-3.10.3-2"},
    {"82 05  0001 0000 00", "MQTT-4.7.3-1"},
    {"a2 04  0001 0000", "MQTT-4.7.3-1"},
    {"82 07  0001 0002 'a#' 00", "MQTT-4.7.1-2"},
    {"82 08  0001 0003 '#/a' 00", "MQTT-4.7.1-2"},
    {"a2 06  0001 0002 '##'", "MQTT-4.7.1-2"},
    {"82 07  0001 0002 'a+' 00", "MQTT-4.7.1-3"},
    {"82 07  0001 0002 '+a' 00", "MQTT-4.7.1-3"},
    {"a2 08  0001 0004 'a/++'", "MQTT-4.7.1-3"},
};

static void names_the_rule_a_packet_breaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(bad); i++) {
        sky_span bytes = hex(bad[i].packet);
        struct sky_mqtt_packet packet = {.size = 77};
        struct sky_mqtt_flaw flaw = {.rule = NULL};
        if (sky_mqtt_decode(bytes, SKY_MQTT_PACKET_MAX, &packet, &flaw) != SKY_MQTT_BAD)
            fail_msg("%s is not refused", bad[i].packet);
        if (strcmp(flaw.rule->id, bad[i].rule) != 0)
            fail_msg("%s breaks %s, not %s", bad[i].packet, bad[i].rule, flaw.rule->id);
        assert_int_equal(packet.size, 77);
        free((char *)bytes.ptr);
    }
}

static void says_which_field_is_wrong_and_where(void **state)
{
    static const struct {
        const char *packet, *text;
    } said[] = {
        {"10 03  0004 'M'", "the protocol name's length at byte 2 runs past the packet's end"},
        {"10 01  00", "the protocol name's length at byte 2 is cut short by the packet's end"},
        {"10 06  0004 'mqtt'",
         "the protocol name at byte 4 is neither MQTT (level 4) nor MQIsdp (level 3)"},
        {"10 06  0004 'MQTT'", "the protocol level at byte 8 is cut short by the packet's end"},
        {"10 07  0004 'MQTT' 04",
         "the connect flags byte at byte 9 is cut short by the packet's end"},
        {"10 09  0004 'MQTT' 04 02 00",
         "the keepalive at byte 10 is cut short by the packet's end"},
        {"10 0c  0004 'MQTT' 04 03 003c 0000",
         "the connect flags byte at byte 9 has the reserved bit 0 set"},
        {"10 8c 00  0004 'MQTT' 04 42 003c 0000",
         "the connect flags byte at byte 10 announces a password without a user name"},
        {"10 0a  0004 'MQTT' 04 02 003c", "the client id at byte 12 is missing"},
        {"10 17  0004 'MQTT' 04 06 003c 0003 'dev' 0004 'la' ff 't' 0000",
         "the will topic at byte 21 is not UTF-8"},
        {"10 13  0004 'MQTT' 04 06 003c 0003 'dev' 0005 'la'",
         "the will topic's length at byte 17 runs past the packet's end"},
        {"10 12  0004 'MQTT' 04 06 003c 0000 0004 'last'",
         "the will message at byte 20 is missing, though the connect flags announce it"},
        {"10 0c  0004 'MQTT' 04 82 003c 0000",
         "the user name at byte 14 is missing, though the connect flags announce it"},
        {"10 10  0004 'MQTT' 04 82 003c 0000 0002 'a' 00",
         "the user name at byte 17 has a NUL character"},
        {"10 10  0004 'MQTT' 04 c2 003c 0000 0000 00ff",
         "the password's length at byte 16 runs past the packet's end"},
        {"10 0d  0004 'MQTT' 04 02 003c 0000 ff",
         "the rest at byte 14 belongs to no field, yet the remaining length counts it"},
        {"30 05  0003 'a/+'", "the topic at byte 6 has a wildcard"},
        {"30 02  0000", "the topic at byte 2 is empty"},
        {"32 05  0001 'a' 0000", "the packet identifier at byte 5 is 0"},
        {"36 05  0001 'a' 0001", "the QoS at byte 0 has both bits set"},
        {"38 03  0001 'a'", "the DUP flag at byte 0 is set with QoS 0"},
        {"40 01  00", "the packet identifier at byte 2 is cut short by the packet's end"},
        {"80 06  0001 0001 'a' 00", "the header's flags at byte 0 are not 0010"},
        {"82 02  0001", "the topic filter at byte 4 is missing; there has to be one at least"},
        {"82 0a  0001 0001 'a' 00 0001 'b' 03", "the requested QoS at byte 11 is above 2"},
        {"82 09  0001 0001 'a' 00 0009 'b'",
         "the topic filter's length at byte 8 runs past the packet's end"},
        {"a2 06  0001 0002 'a#'",
         "the topic filter at byte 6 has a '#' that is not the whole of the last level"},
        {"c1 00", "the header's flags at byte 0 are not 0000"},
        {"20 02  0000", "the packet type at byte 0 is one that only servers send"},
        {"f0 00", "the packet type at byte 0 is a reserved one"},
        {"30 ff ff ff ff 01", "the remaining length at byte 1 has more than four bytes"},
        {"30 ff ff ff 7f", "the remaining length at byte 1 is more than the server takes: "
                           "268435460 bytes of a packet, at most 655360"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(said); i++) {
        sky_span bytes = hex(said[i].packet);
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        char text[128];
        if (sky_mqtt_decode(bytes, SKY_MQTT_PACKET_MAX, &packet, &flaw) != SKY_MQTT_BAD)
            fail_msg("%s is not refused", said[i].packet);
        sky_mqtt_flaw_text(&flaw, text, sizeof text);
        assert_string_equal(text, said[i].text);
        free((char *)bytes.ptr);
    }
}

static void a_bridge_is_decoded_whole(void **state)
{
    (void)state;
    sky_span bytes = hex("10 12  0004 'MQTT' 84 02 003c  0006 'bridge'");
    struct sky_mqtt_connect c = decode(bytes).as.connect;
    assert_true(!c.level_known && sky_span_eq_str(c.client_id, "bridge"));
    free((char *)bytes.ptr);
}

static void a_bad_packet_is_refused_by_its_first_bytes_at_any_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(bad); i++) {
        sky_span bytes = hex(bad[i].packet);
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        enum sky_mqtt_result result = SKY_MQTT_MORE;
        for (size_t len = 0; len <= bytes.len && result == SKY_MQTT_MORE; len++)
            result =
                sky_mqtt_decode(sky_span_head(bytes, len), SKY_MQTT_PACKET_MAX, &packet, &flaw);
        assert_int_equal(result, SKY_MQTT_BAD);
        assert_string_equal(flaw.rule->id, bad[i].rule);
        free((char *)bytes.ptr);
    }
}

static void every_rule_of_the_decoder_is_broken_by_some_packet(void **state)
{
    (void)state;
    for (int id = 0; id < SKY_MQTT_RULE_FIRST_PACKET; id++) {
        const char *want = sky_mqtt_rule((enum sky_mqtt_rule_id)id)->id;
        bool found = id == SKY_MQTT_RULE_FILTER_COUNT; /* a test of its own below */
        for (size_t i = 0; i < SKY_COUNT(bad) && !found; i++)
            found = strcmp(bad[i].rule, want) == 0;
        if (!found)
            fail_msg("no packet breaks %s", want);
    }
}

static void a_packet_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    sky_span bytes = hex("30 08  0001 'a' 'hello'");
    struct sky_mqtt_packet packet;
    struct sky_mqtt_flaw flaw;
    assert_int_equal(sky_mqtt_decode(bytes, 10, &packet, &flaw), SKY_MQTT_OK);
    assert_int_equal(sky_mqtt_decode(bytes, 9, &packet, &flaw), SKY_MQTT_BAD);
    assert_string_equal(flaw.rule->id, "MQTT-PACKET-SIZE");
    flaw.rule = NULL;
    assert_int_equal(sky_mqtt_decode(sky_span_head(bytes, 2), 9, &packet, &flaw), SKY_MQTT_BAD);
    assert_string_equal(flaw.rule->id, "MQTT-PACKET-SIZE");
    free((char *)bytes.ptr);
}

static enum sky_mqtt_result decode_filters(size_t count, bool with_qos, struct sky_buf *buf,
                                           struct sky_mqtt_packet *ret_packet,
                                           struct sky_mqtt_flaw *ret_flaw)
{
    size_t body = 2 + count * (3 + with_qos);
    sky_buf_clear(buf);
    sky_buf_add_byte(buf, with_qos ? 0x82 : 0xa2);
    sky_buf_add_byte(buf, (uint8_t)(0x80 | (body & 0x7f)));
    sky_buf_add_byte(buf, (uint8_t)(body >> 7));
    sky_buf_add(buf, SKY_SPAN("\0\1"));
    for (size_t i = 0; i < count; i++)
        sky_buf_add(buf, sky_span_of("\0\1a\1", with_qos ? 4 : 3));
    return sky_mqtt_decode(sky_buf_span(buf), SKY_MQTT_PACKET_MAX, ret_packet, ret_flaw);
}

static void filters_are_counted_up_to_the_limit_and_no_further(void **state)
{
    (void)state;
    struct sky_buf buf;
    sky_buf_init(&buf, 4096);
    for (int with_qos = 0; with_qos <= 1; with_qos++) {
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        assert_int_equal(decode_filters(SKY_MQTT_FILTERS_MAX, with_qos, &buf, &packet, &flaw),
                         SKY_MQTT_OK);
        assert_int_equal(packet.as.filters.count, SKY_MQTT_FILTERS_MAX);
        assert_int_equal(decode_filters(SKY_MQTT_FILTERS_MAX + 1, with_qos, &buf, &packet, &flaw),
                         SKY_MQTT_BAD);
        assert_string_equal(flaw.rule->id, "MQTT-FILTER-COUNT");
        char text[128], said[128];
        sky_mqtt_flaw_text(&flaw, text, sizeof text);
        snprintf(said, sizeof said,
                 "the topic filter at byte %zu is more than the server takes: 257 filters of a "
                 "packet, at most 256",
                 flaw.offset);
        assert_string_equal(text, said);
    }
    sky_buf_done(&buf);
}

static void random_changes_of_good_packets_never_read_past_the_end(void **state)
{
    (void)state;
    unsigned seed = 20240612;
    for (int round = 0; round < 20000; round++) {
        sky_span bytes = hex(good[(size_t)rand_r(&seed) % SKY_COUNT(good)]);
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw = {.rule = NULL};
        for (int change = 0; change < 3; change++)
            ((char *)bytes.ptr)[(size_t)rand_r(&seed) % bytes.len] = (char)rand_r(&seed);
        enum sky_mqtt_result result = sky_mqtt_decode(bytes, 1000, &packet, &flaw);
        assert_true((result == SKY_MQTT_BAD) == (flaw.rule != NULL));
        assert_true(result != SKY_MQTT_OK || packet.size <= bytes.len);
        free((char *)bytes.ptr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_split_anywhere_waits_for_the_rest),
        cmocka_unit_test(a_packet_is_decoded_without_what_follows),
        cmocka_unit_test(connect_fields_come_in_their_order),
        cmocka_unit_test(connect_of_version_3_1_is_known),
        cmocka_unit_test(says_which_field_is_wrong_and_where),
        cmocka_unit_test(a_bridge_is_decoded_whole),
        cmocka_unit_test(connect_of_another_version_is_left_to_be_refused),
        cmocka_unit_test(an_empty_client_id_with_a_kept_session_is_left_to_the_server),
        cmocka_unit_test(client_ids_of_real_devices_pass),
        cmocka_unit_test(publish_flags_id_and_payload_are_told_apart),
        cmocka_unit_test(subscribe_filters_are_walked_in_order),
        cmocka_unit_test(unsubscribe_filters_have_no_qos),
        cmocka_unit_test(acknowledgements_carry_their_packet_id),
        cmocka_unit_test(names_the_rule_a_packet_breaks),
        cmocka_unit_test(a_bad_packet_is_refused_by_its_first_bytes_at_any_split),
        cmocka_unit_test(every_rule_of_the_decoder_is_broken_by_some_packet),
        cmocka_unit_test(a_packet_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(filters_are_counted_up_to_the_limit_and_no_further),
        cmocka_unit_test(random_changes_of_good_packets_never_read_past_the_end),
    };
    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
