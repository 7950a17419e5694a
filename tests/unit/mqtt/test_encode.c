#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"
#include "protocol/mqtt/packet.h"

static void wrote(struct sky_buf *out, const char *want)
{
    sky_span bytes = hex(want);
    if (!sky_span_eq(sky_buf_span(out), bytes))
        fail_msg("not %s", want);
    free((char *)bytes.ptr);
    sky_buf_clear(out);
}

static void packets_have_the_bytes_of_the_specification(void **state)
{
    (void)state;
    struct sky_buf out;
    sky_buf_init(&out, 1000);
    assert_true(sky_mqtt_put_connack(&out, false, SKY_CONNACK_ACCEPTED));
    wrote(&out, "20 02 00 00");
    assert_true(sky_mqtt_put_connack(&out, true, SKY_CONNACK_ACCEPTED));
    wrote(&out, "20 02 01 00");
    assert_true(sky_mqtt_put_connack(&out, false, SKY_CONNACK_NOT_AUTHORIZED));
    wrote(&out, "20 02 00 05");
    assert_true(sky_mqtt_put_ack(&out, SKY_MQTT_PUBACK, 0x1234));
    wrote(&out, "40 02 1234");
    assert_true(sky_mqtt_put_ack(&out, SKY_MQTT_PUBREC, 1));
    wrote(&out, "50 02 0001");
    assert_true(sky_mqtt_put_ack(&out, SKY_MQTT_PUBREL, 1));
    wrote(&out, "62 02 0001");
    assert_true(sky_mqtt_put_ack(&out, SKY_MQTT_PUBCOMP, 1));
    wrote(&out, "70 02 0001");
    assert_true(sky_mqtt_put_ack(&out, SKY_MQTT_UNSUBACK, 0xffff));
    wrote(&out, "b0 02 ffff");
    const uint8_t codes[] = {0, 1, SKY_SUBACK_FAILURE};
    assert_true(sky_mqtt_put_suback(&out, 2, codes, 3));
    wrote(&out, "90 05 0002 00 01 80");
    assert_true(sky_mqtt_put_pingresp(&out));
    wrote(&out, "d0 00");
    sky_buf_done(&out);
}

static void publish_has_an_id_above_qos_0_only(void **state)
{
    (void)state;
    struct sky_buf out;
    struct sky_mqtt_publish p = {.topic = SKY_SPAN("a/b"), .payload = SKY_SPAN("xyz")};
    sky_buf_init(&out, 1000);
    assert_true(sky_mqtt_put_publish(&out, &p));
    wrote(&out, "30 08  0003 'a/b' 'xyz'");
    p.qos = 1;
    p.packet_id = 0x0102;
    p.dup = true;
    assert_true(sky_mqtt_put_publish(&out, &p));
    wrote(&out, "3a 0a  0003 'a/b' 0102 'xyz'");
    p.payload = SKY_SPAN_NONE;
    p.dup = false;
    p.retain = true;
    assert_true(sky_mqtt_put_publish(&out, &p));
    wrote(&out, "33 07  0003 'a/b' 0102");
    sky_buf_done(&out);
}

static void a_publish_of_any_length_decodes_again(void **state)
{
    static char bytes[300000];
    /* Around each step in the size of the remaining length, 2.2.3. */
    static const size_t bodies[] = {3, 127, 128, 16383, 16384, 200000};
    (void)state;
    struct sky_buf out;
    sky_buf_init(&out, SKY_MQTT_PACKET_MAX);
    for (size_t i = 0; i < SKY_COUNT(bodies); i++) {
        struct sky_mqtt_publish p = {.topic = SKY_SPAN("t"),
                                     .payload = sky_span_of(bytes, bodies[i] - 3)};
        struct sky_mqtt_packet packet;
        struct sky_mqtt_flaw flaw;
        assert_true(sky_mqtt_put_publish(&out, &p));
        assert_int_equal(out.len, sky_mqtt_publish_size(&p));
        assert_int_equal(sky_mqtt_decode(sky_buf_span(&out), out.max, &packet, &flaw), SKY_MQTT_OK);
        assert_int_equal(packet.size, out.len);
        assert_true(sky_span_eq(packet.as.publish.payload, p.payload));
        sky_buf_clear(&out);
    }
    sky_buf_done(&out);
}

static void a_full_buffer_takes_no_part_of_a_packet(void **state)
{
    (void)state;
    struct sky_buf out;
    const struct sky_mqtt_publish p = {.topic = SKY_SPAN("abc"), .payload = SKY_SPAN("x")};
    sky_buf_init(&out, 8);
    assert_true(sky_mqtt_put_publish(&out, &p));
    assert_int_equal(out.len, out.max);
    assert_false(sky_mqtt_put_pingresp(&out));
    assert_false(sky_mqtt_put_connack(&out, false, SKY_CONNACK_ACCEPTED));
    assert_false(sky_mqtt_put_ack(&out, SKY_MQTT_PUBACK, 1));
    assert_false(sky_mqtt_put_suback(&out, 1, (const uint8_t[]){0}, 1));
    assert_false(sky_mqtt_put_publish(&out, &p));
    assert_true(out.overflow);
    wrote(&out, "30 06  0003 'abc' 'x'");
    sky_buf_done(&out);
}

static void types_have_names(void **state)
{
    (void)state;
    assert_string_equal(sky_mqtt_type_name(SKY_MQTT_CONNECT), "CONNECT");
    assert_string_equal(sky_mqtt_type_name(SKY_MQTT_DISCONNECT), "DISCONNECT");
    assert_string_equal(sky_mqtt_type_name((enum sky_mqtt_type)0), "reserved");
    assert_string_equal(sky_mqtt_type_name((enum sky_mqtt_type)15), "reserved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_have_the_bytes_of_the_specification),
        cmocka_unit_test(publish_has_an_id_above_qos_0_only),
        cmocka_unit_test(a_publish_of_any_length_decodes_again),
        cmocka_unit_test(a_full_buffer_takes_no_part_of_a_packet),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
