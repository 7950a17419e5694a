#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/http/frames.h"

#define BYTES(literal) SKY_SPAN(literal)

/* Split at every offset it comes to the same: the code, and how much stands before what is wrong.
 */
static void check(const char *name, sky_span all, enum sky_ws_code expected, size_t good)
{
    for (size_t at = 0; at <= all.len; at++) {
        struct sky_ws_frames frames = {0};
        const char *what = NULL;
        size_t first, second = 0;
        enum sky_ws_code code =
            sky_ws_frames_follow(&frames, sky_span_head(all, at), &first, &what);
        if (code == SKY_WS_GOING_ON)
            code = sky_ws_frames_follow(&frames, sky_span_tail(all, at), &second, &what);
        if (code != expected || first + second != good)
            fail_msg("%s split at %zu: %d after %zu bytes", name, at, code, first + second);
        assert_true((code == SKY_WS_GOING_ON) == (what == NULL));
    }
}

static void what_a_client_may_send_passes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sky_span bytes;
    } table[] = {
        {"empty", BYTES("\x82\x80kkkk")},
        {"binary", BYTES("\x82\x83kkkkabc\x82\x81kkkkd")},
        {"pieces", BYTES("\x02\x81kkkka\x89\x81kkkkp\x00\x80kkkk\x80\x81kkkkb\x82\x80kkkk")},
        {"ping, pong and goodbye", BYTES("\x89\x80kkkk\x8a\x81kkkkx\x88\x82kkkk\x03\xe8")},
    };
    for (size_t i = 0; i < SKY_COUNT(table); i++)
        check(table[i].name, table[i].bytes, SKY_WS_GOING_ON, table[i].bytes.len);
}

static void lengths_are_written_in_the_fewest_bytes(void **state)
{
    (void)state;
    static const struct {
        sky_span head;
        enum sky_ws_code code;
    } table[] = {
        {BYTES("\x82\xfe\x00\x7e"), SKY_WS_GOING_ON},
        {BYTES("\x82\xfe\x00\x7d"), SKY_WS_PROTOCOL_ERROR},
        {BYTES("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"), SKY_WS_GOING_ON},
        {BYTES("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"), SKY_WS_PROTOCOL_ERROR},
        {BYTES("\x82\xff\x00\x00\x00\x00\x00\x10\x00\x00"), SKY_WS_GOING_ON}, /* the limit */
        {BYTES("\x82\xff\x00\x00\x00\x00\x00\x10\x00\x01"), SKY_WS_TOO_LONG},
        {BYTES("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"), SKY_WS_PROTOCOL_ERROR},
    };
    assert_int_equal(SKY_WS_FRAME_MAX, 0x100000);
    for (size_t i = 0; i < SKY_COUNT(table); i++)
        check("length", table[i].head, table[i].code,
              table[i].head.len - (table[i].code != SKY_WS_GOING_ON));
}

static void what_breaks_the_protocol_is_found_at_its_byte(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sky_span bytes;
        enum sky_ws_code code;
        size_t good;
    } table[] = {
        {"text", BYTES("\x81\x80kkkk"), SKY_WS_UNACCEPTABLE, 0},
        {"text later", BYTES("\x82\x80kkkk\x81\x80kkkk"), SKY_WS_UNACCEPTABLE, 6},
        {"reserved bit", BYTES("\xa2\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 0},
        {"data opcode 3", BYTES("\x83\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 0},
        {"control opcode 11", BYTES("\x8b\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 0},
        {"not masked", BYTES("\x82\x01k"), SKY_WS_PROTOCOL_ERROR, 1},
        {"ping in pieces", BYTES("\x09\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 0},
        {"long ping", BYTES("\x89\xfe\x00\x7ekkkk"), SKY_WS_PROTOCOL_ERROR, 1},
        {"nothing begun", BYTES("\x80\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 0},
        {"begun twice", BYTES("\x02\x80kkkk\x82\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 6},
        {"ended twice", BYTES("\x02\x80kkkk\x80\x80kkkk\x80\x80kkkk"), SKY_WS_PROTOCOL_ERROR, 12},
        {"half a code", BYTES("\x88\x81kkkkx"), SKY_WS_PROTOCOL_ERROR, 1},
    };
    for (size_t i = 0; i < SKY_COUNT(table); i++)
        check(table[i].name, table[i].bytes, table[i].code, table[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_client_may_send_passes),
        cmocka_unit_test(lengths_are_written_in_the_fewest_bytes),
        cmocka_unit_test(what_breaks_the_protocol_is_found_at_its_byte),
    };
    return cmocka_run_group_tests_name("ws_frames", tests, NULL, NULL);
}
