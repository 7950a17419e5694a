/* IP, TCP and UDP around bytes: lengths, numbers and checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>

#include "server/capture/packets.h"

static struct sky_packet_flow flow_of(const char *peer, const char *local)
{
    struct sky_packet_flow flow = {.next = {1000, UINT32_MAX - 1}};
    struct sockaddr_storage *ends[] = {&flow.peer, &flow.local};
    const char *texts[] = {peer, local};
    for (size_t i = 0; i < 2; i++) {
        bool six = strchr(texts[i], ':') != NULL;
        struct sockaddr_in *four = (struct sockaddr_in *)ends[i];
        ends[i]->ss_family = six ? AF_INET6 : AF_INET;
        four->sin_port = htons((uint16_t)(5000 + i));
        void *at = six ? (void *)&((struct sockaddr_in6 *)ends[i])->sin6_addr : &four->sin_addr;
        assert_int_equal(inet_pton(ends[i]->ss_family, texts[i], at), 1);
    }
    return flow;
}

static uint32_t sum_up(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static void assert_sums_to_ones(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    assert_int_equal(sum, 0xffff);
}

/* RFC 1071: over what it covers and itself, a checksum comes to all ones. */
static void check_sums(sky_span head, sky_span data, uint8_t protocol)
{
    const uint8_t *bytes = (const uint8_t *)head.ptr;
    bool six = bytes[0] >> 4 == 6;
    size_t ip = six ? 40 : 20, addresses = six ? 8 : 12;
    size_t len = head.len - ip + data.len;
    if (!six) {
        assert_sums_to_ones(sum_up(bytes, ip));
        assert_int_equal(bytes[2] << 8 | bytes[3], ip + len);
        assert_int_equal(bytes[9], protocol);
    } else {
        assert_int_equal(bytes[4] << 8 | bytes[5], len);
        assert_int_equal(bytes[6], protocol);
    }
    assert_sums_to_ones(sum_up(bytes + addresses, ip - addresses) + protocol + (uint32_t)len +
                        sum_up(bytes + ip, head.len - ip) +
                        sum_up((const uint8_t *)data.ptr, data.len));
}

static uint32_t word(sky_span head, size_t at)
{
    uint32_t value;
    memcpy(&value, head.ptr + at, sizeof value);
    return ntohl(value);
}

static void test_sequence_numbers_follow_what_was_said(void **state)
{
    struct sky_packet_flow flow = flow_of("192.0.2.1", "192.0.2.2");
    uint8_t out[SKY_PACKET_HEAD_MAX];
    (void)state;
    sky_span head = sky_packet_tcp(&flow, true, SKY_PACKET_SYN, SKY_SPAN_NONE, out);
    check_sums(head, SKY_SPAN_NONE, IPPROTO_TCP);
    assert_int_equal(head.len, 48);
    assert_int_equal(word(head, 24), UINT32_MAX - 1);
    assert_int_equal(word(head, 28), 0);
    sky_span data = SKY_SPAN("abc");
    head = sky_packet_tcp(&flow, true, SKY_PACKET_PSH | SKY_PACKET_ACK, data, out);
    check_sums(head, data, IPPROTO_TCP);
    assert_int_equal(head.len, 40);
    assert_int_equal(word(head, 24), UINT32_MAX);
    assert_int_equal(word(head, 28), 1000);
    head = sky_packet_tcp(&flow, false, SKY_PACKET_FIN | SKY_PACKET_ACK, SKY_SPAN_NONE, out);
    check_sums(head, SKY_SPAN_NONE, IPPROTO_TCP);
    assert_int_equal(word(head, 24), 1000);
    assert_int_equal(word(head, 28), 2); /* they wrap */
    assert_int_equal(flow.next[0], 1001);
    assert_memory_equal(head.ptr + 12, "\xc0\0\x02\x02\xc0\0\x02\x01", 8);
    assert_memory_equal(head.ptr + 20, "\x13\x89\x13\x88", 4);
}

static void test_checksums_of_every_length(void **state)
{
    static char text[SKY_PACKET_DATA_MAX];
    const char *const pairs[][2] = {{"192.0.2.1", "198.51.100.254"}, {"2001:db8::1", "::1"}};
    uint8_t out[SKY_PACKET_HEAD_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31 + i / 256);
    for (size_t i = 0; i < 2; i++) {
        struct sky_packet_flow flow = flow_of(pairs[i][0], pairs[i][1]);
        for (size_t len = 0; len <= SKY_PACKET_DATA_MAX; len += len < 40 ? 1 : 7993) {
            sky_span data = sky_span_of(text, len);
            check_sums(sky_packet_tcp(&flow, len % 2, SKY_PACKET_ACK, data, out), data,
                       IPPROTO_TCP);
            check_sums(sky_packet_udp(&flow, len % 2, data, out), data, IPPROTO_UDP);
        }
        sky_span all = sky_span_of(text, sizeof text);
        check_sums(sky_packet_tcp(&flow, true, SKY_PACKET_ACK, all, out), all, IPPROTO_TCP);
    }
}

static void test_without_addresses_there_is_no_packet(void **state)
{
    struct sky_packet_flow flow = flow_of("192.0.2.1", "::1");
    uint8_t out[SKY_PACKET_HEAD_MAX];
    (void)state;
    assert_int_equal(sky_packet_tcp(&flow, true, SKY_PACKET_SYN, SKY_SPAN_NONE, out).len, 0);
    assert_int_equal(sky_packet_udp(&flow, true, SKY_SPAN_NONE, out).len, 0);
    flow.peer.ss_family = flow.local.ss_family = AF_UNSPEC;
    assert_int_equal(sky_packet_tcp(&flow, true, SKY_PACKET_SYN, SKY_SPAN_NONE, out).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence_numbers_follow_what_was_said),
        cmocka_unit_test(test_checksums_of_every_length),
        cmocka_unit_test(test_without_addresses_there_is_no_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
