/* Blocks as draft-ietf-opsawg-pcapng draws them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/capture/pcapng.h"

static uint32_t number(const struct sky_buf *buf, size_t at)
{
    const uint8_t *b = (const uint8_t *)buf->bytes + at;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Each block has its length at both ends, a multiple of four; returns how many there are. */
static size_t count_blocks(const struct sky_buf *buf)
{
    size_t count = 0;
    for (size_t at = 0; at < buf->len; count++) {
        uint32_t len = number(buf, at + 4);
        assert_true(len >= 12 && len % 4 == 0 && len <= buf->len - at);
        assert_int_equal(number(buf, at + len - 4), len);
        at += len;
    }
    return count;
}

static void assert_bytes(const struct sky_buf *buf, size_t at, const char *bytes, size_t len)
{
    assert_true(at + len <= buf->len);
    assert_memory_equal(buf->bytes + at, bytes, len);
}
#define ASSERT_BYTES(buf, at, text) assert_bytes(buf, at, text, sizeof(text) - 1)

static void test_section_and_interface(void **state)
{
    struct sky_buf buf;
    (void)state;
    sky_buf_init(&buf, 4096);
    sky_pcapng_section(&buf, "me", SKY_SPAN("note"));
    ASSERT_BYTES(&buf, 0, "\x0a\x0d\x0d\x0a");
    ASSERT_BYTES(&buf, 8, "\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    ASSERT_BYTES(&buf, 24, "\x01\0\x04\0note\x04\0\x02\0me\0\0\0\0\0\0");
    size_t second = buf.len;
    sky_pcapng_interface(&buf, "mqtts");
    ASSERT_BYTES(&buf, second, "\x01\0\0\0");
    ASSERT_BYTES(&buf, second + 8, "\x65\0\0\0\0\0\0\0"); /* raw IP, nothing cut */
    ASSERT_BYTES(&buf, second + 16, "\x02\0\x05\0mqtts\0\0\0\x09\0\x01\0\x03\0\0\0\0\0\0\0");
    assert_int_equal(count_blocks(&buf), 2);
    sky_buf_done(&buf);
}

static void test_a_packet_gets_one_comment_after_another(void **state)
{
    struct sky_buf buf;
    (void)state;
    sky_buf_init(&buf, 4096);
    sky_pcapng_packet(&buf, 7, INT64_C(0x123456789a), SKY_SPAN("head"), SKY_SPAN("x"));
    size_t second = buf.len;
    sky_pcapng_packet(&buf, 3, 5, SKY_SPAN("he"), SKY_SPAN("xy"));
    assert_int_equal(count_blocks(&buf), 2);
    ASSERT_BYTES(&buf, 0,
                 "\x06\0\0\0\x28\0\0\0\x07\0\0\0\x12\0\0\0\x9a\x78\x56\x34"
                 "\x05\0\0\0\x05\0\0\0headx\0\0\0\x28\0\0\0");
    sky_pcapng_comment(&buf, second, SKY_SPAN("one"));
    assert_int_equal(count_blocks(&buf), 2);
    ASSERT_BYTES(&buf, second + 28, "hexy\x01\0\x03\0one\0\0\0\0\0");
    sky_pcapng_comment(&buf, second, SKY_SPAN("four"));
    assert_int_equal(count_blocks(&buf), 2);
    ASSERT_BYTES(&buf, second + 28, "hexy\x01\0\x03\0one\0\x01\0\x04\0four\0\0\0\0");
    assert_int_equal(buf.len, second + 28 + 4 + 8 + 8 + 4 + 4);
    sky_buf_done(&buf);
}

static void test_a_packet_without_data_is_one(void **state)
{
    struct sky_buf buf;
    (void)state;
    sky_buf_init(&buf, 4096);
    sky_pcapng_packet(&buf, 0, 0, SKY_SPAN("head"), SKY_SPAN_NONE);
    sky_pcapng_comment(&buf, 0, SKY_SPAN_NONE);
    ASSERT_BYTES(&buf, 28, "head\x01\0\0\0\0\0\0\0");
    assert_int_equal(count_blocks(&buf), 1);
    sky_buf_done(&buf);
}

static void test_texts_are_cut(void **state)
{
    char text[SKY_PCAPNG_TEXT_MAX + 1];
    struct sky_buf buf;
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t len = SKY_PCAPNG_TEXT_MAX - 1; len <= sizeof text; len++) {
        sky_buf_init(&buf, 64 * 1024);
        sky_pcapng_section(&buf, "me", sky_span_of(text, len));
        uint32_t kept = number(&buf, 24) >> 16;
        assert_int_equal(kept, len < SKY_PCAPNG_TEXT_MAX ? len : SKY_PCAPNG_TEXT_MAX);
        assert_int_equal(count_blocks(&buf), 1);
        sky_buf_done(&buf);
    }
}

static void test_statistics(void **state)
{
    struct sky_buf buf;
    (void)state;
    sky_buf_init(&buf, 4096);
    sky_pcapng_statistics(&buf, 1, 2, 300, 4);
    ASSERT_BYTES(&buf, 8,
                 "\x01\0\0\0\0\0\0\0\x02\0\0\0\x04\0\x08\0\x2c\x01\0\0\0\0\0\0"
                 "\x05\0\x08\0\x04\0\0\0\0\0\0\0\0\0\0\0");
    assert_int_equal(count_blocks(&buf), 1);
    sky_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section_and_interface),
        cmocka_unit_test(test_a_packet_gets_one_comment_after_another),
        cmocka_unit_test(test_a_packet_without_data_is_one),
        cmocka_unit_test(test_texts_are_cut),
        cmocka_unit_test(test_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
