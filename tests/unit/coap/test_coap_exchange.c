#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../mqtt/hex.h"
#include "protocol/coap/exchange.h"

/* A peer, what came in last, and what went out. */
struct fixture {
    struct sky_coap_peer peer;
    struct sky_coap_request request;
    unsigned saw;
    struct sky_buf out;
    int64_t now_ms;
    struct sky_coap_message answer; /* `out` taken apart */
};

static int setup(void **state)
{
    struct fixture *f = sky_mem_new(sizeof *f);
    sky_buf_init(&f->out, SKY_COAP_SENT_MAX);
    f->now_ms = 1000;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sky_coap_peer_done(&f->peer);
    sky_buf_done(&f->out);
    free(f);
    return 0;
}

static enum sky_coap_step feed(struct fixture *f, sky_span datagram)
{
    sky_buf_clear(&f->out);
    return sky_coap_receive(&f->peer, datagram, f->now_ms, &f->request, &f->saw, &f->out);
}

/* The datagram has to outlive the request made from it: it is freed with the next one. */
static enum sky_coap_step feed_hex(struct fixture *f, const char *text)
{
    static sky_span last;
    free((char *)last.ptr);
    last = hex(text);
    return feed(f, last);
}

static void read_answer(struct fixture *f)
{
    assert_int_equal(sky_coap_parse(sky_buf_span(&f->out), &f->answer), SKY_COAP_PARSED);
}

static void respond(struct fixture *f, uint8_t code, sky_span body)
{
    const struct sky_coap_response response = {.code = code, .body = body};
    sky_buf_clear(&f->out);
    sky_coap_respond(&f->peer, &f->request, &response, f->now_ms, &f->out);
    read_answer(f);
}

static void expect_bytes(const struct fixture *f, const char *text)
{
    sky_span bytes = hex(text);
    assert_int_equal(f->out.len, bytes.len);
    assert_memory_equal(f->out.bytes, bytes.ptr, bytes.len);
    free((char *)bytes.ptr);
}

static void a_confirmable_request_is_answered_in_its_acknowledgement(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_hex(f, "41 02 0007 aa b1'a' ff 'body'"), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, 0);
    assert_true(sky_span_eq_str(f->request.body, "body"));
    assert_int_equal(f->out.len, 0);
    respond(f, SKY_COAP_CHANGED, SKY_SPAN("{}"));
    expect_bytes(f, "61 44 0007 aa c1 32 ff '{}'");
}

static void an_unconfirmable_request_is_answered_under_an_id_of_our_own(void **state)
{
    struct fixture *f = *state;
    f->peer.next_id = 0xffff;
    assert_int_equal(feed_hex(f, "51 01 0007 aa"), SKY_COAP_STEP_REQUEST);
    respond(f, SKY_COAP_CONTENT, SKY_SPAN_NONE);
    expect_bytes(f, "51 45 ffff aa");
    assert_int_equal(feed_hex(f, "51 01 0008 ab"), SKY_COAP_STEP_REQUEST);
    respond(f, SKY_COAP_CONTENT, SKY_SPAN_NONE);
    expect_bytes(f, "51 45 0000 ab");
}

static void a_duplicate_is_answered_from_memory_and_never_passed_on(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "41 02 0007 aa ff 'x'");
    respond(f, SKY_COAP_CHANGED, SKY_SPAN("{}"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(feed_hex(f, "41 02 0007 aa ff 'x'"), SKY_COAP_STEP_DONE);
        assert_int_equal(f->saw, SKY_COAP_SAW_DUPLICATE);
        expect_bytes(f, "61 44 0007 aa c1 32 ff '{}'");
    }
}

static void a_duplicate_without_confirmation_is_passed_over(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "51 02 0007 aa ff 'x'");
    respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
    assert_int_equal(feed_hex(f, "51 02 0007 aa ff 'x'"), SKY_COAP_STEP_DONE);
    assert_int_equal(f->saw, SKY_COAP_SAW_DUPLICATE);
    assert_int_equal(f->out.len, 0);
}

static void an_answer_is_remembered_for_one_exchange_lifetime(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "40 02 0007");
    respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
    f->now_ms += SKY_COAP_EXCHANGE_LIFETIME_MS - 1;
    assert_int_equal(feed_hex(f, "40 02 0007"), SKY_COAP_STEP_DONE);
    f->now_ms += 1;
    assert_int_equal(feed_hex(f, "40 02 0007"), SKY_COAP_STEP_REQUEST);
}

static void so_many_answers_are_remembered(void **state)
{
    struct fixture *f = *state;
    char text[] = "40 02 00xx";
    for (int id = 0; id < SKY_COAP_REMEMBERED_MAX; id++) {
        snprintf(text, sizeof text, "40 02 00%02x", id);
        assert_int_equal(feed_hex(f, text), SKY_COAP_STEP_REQUEST);
        respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
    }
    assert_int_equal(feed_hex(f, "40 02 0000"), SKY_COAP_STEP_DONE);
    assert_int_equal(feed_hex(f, "40 02 00ff"), SKY_COAP_STEP_REQUEST);
    assert_int_equal(feed_hex(f, "40 02 0000"), SKY_COAP_STEP_REQUEST);
}

static void another_request_under_a_known_id_shows(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "41 02 0007 aa ff 'x'");
    respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
    assert_int_equal(feed_hex(f, "41 02 0007 ab ff 'y'"), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, SKY_COAP_SAW_ID_REUSED);
    sky_coap_repeat(&f->peer, &f->request, f->now_ms, &f->out);
    expect_bytes(f, "61 44 0007 aa");
    respond(f, SKY_COAP_CONTENT, SKY_SPAN_NONE);
    assert_int_equal(feed_hex(f, "41 02 0007 ab ff 'y'"), SKY_COAP_STEP_DONE);
    expect_bytes(f, "61 45 0007 ab");
}

static void a_token_in_use_shows(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "41 02 0007 aa");
    respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
    assert_int_equal(feed_hex(f, "41 02 0008 aa"), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, SKY_COAP_SAW_TOKEN_REUSED);
    feed_hex(f, "40 02 0009");
    assert_int_equal(feed_hex(f, "40 02 000a"), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, 0); /* none at all is no token in use */
}

static void oddities_show(void **state)
{
    struct fixture *f = *state;
    static char large[SKY_COAP_SINGLE_MAX + 1 + 5] = "\x40\x02\x00\x01\xff";
    assert_int_equal(feed_hex(f, "40 01 0007 60"), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, SKY_COAP_SAW_OBSERVE);
    assert_int_equal(feed(f, sky_span_of(large, sizeof large)), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, SKY_COAP_SAW_LARGE);
    large[3]++;
    assert_int_equal(feed(f, sky_span_of(large, sizeof large - 1)), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->saw, 0);
}

static void what_is_no_request_gets_a_reset_or_nothing(void **state)
{
    static const struct {
        const char *in, *out;
        unsigned saw;
    } rows[] = {
        {"40 00 0007", "70 00 0007", SKY_COAP_SAW_PING},
        {"50 00 0007", "", SKY_COAP_SAW_MALFORMED},
        {"60 00 0007", "", 0},
        {"70 00 0007", "", 0},
        {"61 45 0007 aa", "", 0}, /* an answer nobody waits for */
        {"41 45 0007 aa", "70 00 0007", SKY_COAP_SAW_MALFORMED},
        {"40 21 0007", "70 00 0007", SKY_COAP_SAW_MALFORMED}, /* class 1 is reserved */
        {"40 01 0007 ff", "70 00 0007", SKY_COAP_SAW_MALFORMED},
        {"50 01 0007 ff", "", SKY_COAP_SAW_MALFORMED},
        {"80 01 0007", "", SKY_COAP_SAW_MALFORMED},
        {"", "", SKY_COAP_SAW_MALFORMED},
        {"40 01 0007 10", "60 82 0007", SKY_COAP_SAW_OPTION},
        {"50 01 0008 10", "", SKY_COAP_SAW_OPTION},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        assert_int_equal(feed_hex(f, rows[i].in), SKY_COAP_STEP_DONE);
        assert_int_equal(f->saw, rows[i].saw);
        expect_bytes(f, rows[i].out);
    }
}

/* ---- bodies in blocks ---- */

/* One Block1 message of `len` bytes, each of them `number`. */
static enum sky_coap_step feed_block(struct fixture *f, uint16_t id, unsigned number, uint8_t szx,
                                     bool more, size_t len)
{
    static char datagram[2048];
    unsigned value = number << 4 | (more ? 8 : 0) | szx;
    const char head[] = {
        0x40,       0x02, (char)(id >> 8),     (char)id,           (char)0xb1,  'a',
        (char)0xd3, 3,    (char)(value >> 16), (char)(value >> 8), (char)value, (char)0xff};
    memcpy(datagram, head, sizeof head);
    memset(datagram + sizeof head, (int)number, len);
    enum sky_coap_step step =
        feed(f, sky_span_of(datagram, len > 0 ? sizeof head + len : sizeof head - 1));
    if (step == SKY_COAP_STEP_DONE)
        read_answer(f);
    return step;
}

static void a_body_in_blocks_is_put_together(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(feed_block(f, (uint16_t)i, i, 6, true, 1024), SKY_COAP_STEP_DONE);
        assert_int_equal(f->answer.code, SKY_COAP_CONTINUE);
        assert_true(f->answer.block1.present && f->answer.block1.number == i);
    }
    assert_int_equal(feed_block(f, 4, 4, 6, false, 904), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->request.body.len, 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(f->request.body.ptr[i], i / 1024);
    respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
    assert_true(f->answer.block1.present && f->answer.block1.number == 4 && !f->answer.block1.more);
    assert_int_equal(f->answer.code, SKY_COAP_CHANGED);
}

static void a_repeated_block_counts_once(void **state)
{
    struct fixture *f = *state;
    feed_block(f, 0, 0, 2, true, 64);
    feed_block(f, 0, 0, 2, true, 64);
    assert_int_equal(f->saw, SKY_COAP_SAW_DUPLICATE);
    feed_block(f, 1, 1, 2, true, 64);
    assert_int_equal(feed_block(f, 2, 2, 2, false, 1), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->request.body.len, 129);
}

static void blocks_that_do_not_follow_are_refused(void **state)
{
    static const struct {
        unsigned number;
        bool more;
        size_t len;
        uint8_t code;
    } second[] = {
        {2, true, 64, SKY_COAP_INCOMPLETE},   {5, false, 1, SKY_COAP_INCOMPLETE},
        {1, true, 63, SKY_COAP_BAD_REQUEST},  {1, true, 65, SKY_COAP_BAD_REQUEST},
        {1, false, 65, SKY_COAP_BAD_REQUEST},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SKY_COUNT(second); i++) {
        uint16_t id = (uint16_t)(10 * i);
        feed_block(f, id, 0, 2, true, 64);
        assert_int_equal(
            feed_block(f, (uint16_t)(id + 1), second[i].number, 2, second[i].more, second[i].len),
            SKY_COAP_STEP_DONE);
        assert_int_equal(f->saw, SKY_COAP_SAW_GAP);
        assert_int_equal(f->answer.code, second[i].code);
        /* and nothing is left of the body */
        feed_block(f, (uint16_t)(id + 2), 1, 2, false, 1);
        assert_int_equal(f->answer.code, SKY_COAP_INCOMPLETE);
    }
}

static void an_unfinished_body_is_forgotten(void **state)
{
    struct fixture *f = *state;
    feed_block(f, 0, 0, 2, true, 64);
    f->now_ms += SKY_COAP_TRANSFER_IDLE_MS - 1;
    feed_block(f, 1, 1, 2, true, 64);
    assert_int_equal(f->answer.code, SKY_COAP_CONTINUE);
    f->now_ms += SKY_COAP_TRANSFER_IDLE_MS;
    feed_block(f, 2, 2, 2, true, 64);
    assert_int_equal(f->answer.code, SKY_COAP_INCOMPLETE);
}

static void blocks_of_another_path_do_not_mix(void **state)
{
    struct fixture *f = *state;
    feed_block(f, 0, 0, 0, true, 16);
    assert_int_equal(feed_hex(f, "40 02 0001 b1'b' d1 03 10 ff 'x'"), SKY_COAP_STEP_DONE);
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_INCOMPLETE);
}

/* A block of 16 bytes of a body for /a, /b, ... */
static uint8_t feed_for(struct fixture *f, char path, uint16_t id, unsigned number, bool more)
{
    char text[96];
    snprintf(text, sizeof text, "40 02 %04x b1'%c' d1 03 %02x ff '%.16s'", id, path,
             number << 4 | (more ? 8u : 0), more ? "0123456789abcdef" : "x");
    if (feed_hex(f, text) == SKY_COAP_STEP_REQUEST)
        return 0;
    read_answer(f);
    return f->answer.code;
}

static void bodies_for_several_paths_go_side_by_side(void **state)
{
    struct fixture *f = *state;
    uint16_t id = 0;
    for (unsigned number = 0; number < 2; number++)
        for (char path = 'a'; path < 'a' + SKY_COAP_TRANSFERS_MAX; path++)
            assert_int_equal(feed_for(f, path, id++, number, true), SKY_COAP_CONTINUE);
    for (char path = 'a'; path < 'a' + SKY_COAP_TRANSFERS_MAX; path++) {
        assert_int_equal(feed_for(f, path, id++, 2, false), 0);
        assert_int_equal(f->request.body.len, 33);
        respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);
        assert_int_equal(f->answer.code, SKY_COAP_CHANGED);
    }
}

static void one_body_more_takes_the_place_of_the_one_that_stood_for_longest(void **state)
{
    struct fixture *f = *state;
    uint16_t id = 0;
    for (char path = 'a'; path <= 'a' + SKY_COAP_TRANSFERS_MAX; path++) {
        assert_int_equal(feed_for(f, path, id++, 0, true), SKY_COAP_CONTINUE);
        f->now_ms++;
    }
    assert_int_equal(feed_for(f, 'a', id++, 1, true), SKY_COAP_INCOMPLETE);
    for (char path = 'b'; path <= 'a' + SKY_COAP_TRANSFERS_MAX; path++)
        assert_int_equal(feed_for(f, path, id++, 1, false), 0);
}

static void a_body_that_begins_again_begins_anew(void **state)
{
    struct fixture *f = *state;
    feed_for(f, 'a', 1, 0, true);
    feed_for(f, 'a', 2, 1, true);
    assert_int_equal(feed_for(f, 'a', 3, 0, true), SKY_COAP_CONTINUE);
    assert_int_equal(feed_for(f, 'a', 4, 1, false), 0);
    assert_int_equal(f->request.body.len, 17);
}

static void options_that_cannot_be_met_are_answered(void **state)
{
    static const struct {
        const char *bytes, *answer; /* "": none */
    } rows[] = {
        {"41 01 0001 aa b1'a' 61 00", "61 86 0001 aa"},  /* Accept: text */
        {"51 01 0002 aa b1'a' 61 3c", "51 86 0000 aa"},  /* and not to be confirmed */
        {"41 01 0003 aa d1 16 'x'", "61 a5 0003 aa"},    /* Proxy-Uri */
        {"41 01 0004 aa d4 1a 'http'", "61 a5 0004 aa"}, /* Proxy-Scheme */
        {"51 01 0005 aa d1 16 'x'", "51 a5 0001 aa"},
        {"41 02 0006 aa b1'a' 11 3c ff a0", "61 8f 0006 aa"}, /* Content-Format: CBOR */
        {"41 01 0007 aa 10", "61 82 0007 aa"},                /* If-Match */
        {"51 01 0008 aa 10", ""},                             /* rejected in silence */
        {"41 02 0009 aa b1'a' d1 03 0e d3 14 010001 ff 'x'", "61 80 0009 aa d1 0e 0e"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        assert_int_equal(feed_hex(f, rows[i].bytes), SKY_COAP_STEP_DONE);
        expect_bytes(f, rows[i].answer);
    }
}

static void a_body_too_long_is_told_how_long_one_may_be(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "40 02 0002 b1'a' d1 03 08 d3 14 010001 ff '0123456789abcdef'");
    expect_bytes(f, "60 8d 0002 d1 0e 08 d3 14 010000"); /* RFC 7959 §2.9.3: Size1 */
}

static void a_body_has_a_limit(void **state)
{
    struct fixture *f = *state;
    unsigned full = SKY_COAP_BODY_MAX / 1024;
    for (unsigned i = 0; i < full - 1; i++) {
        feed_block(f, (uint16_t)i, i, 6, true, 1024);
        assert_int_equal(f->answer.code, SKY_COAP_CONTINUE);
    }
    assert_int_equal(feed_block(f, 900, full - 1, 6, false, 1024), SKY_COAP_STEP_REQUEST);
    assert_int_equal(f->request.body.len, SKY_COAP_BODY_MAX);
    respond(f, SKY_COAP_CHANGED, SKY_SPAN_NONE);

    for (unsigned i = 0; i < full; i++)
        feed_block(f, (uint16_t)(1000 + i), i, 6, true, 1024);
    assert_int_equal(f->answer.code, SKY_COAP_CONTINUE);
    feed_block(f, 2000, full, 6, false, 1);
    assert_int_equal(f->answer.code, SKY_COAP_TOO_LARGE);
    assert_int_equal(f->saw, SKY_COAP_SAW_TOO_LARGE);
}

static void a_body_announced_too_long_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "40 02 0001 b1'a' d1 03 08 d3 14 010000 ff '0123456789abcdef'");
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_CONTINUE); /* 65536 */
    feed_hex(f, "40 02 0002 b1'a' d1 03 08 d3 14 010001 ff '0123456789abcdef'");
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_TOO_LARGE);
}

/* ---- answers in blocks ---- */

static void feed_get(struct fixture *f, uint16_t id, unsigned number, uint8_t szx)
{
    static char datagram[16];
    unsigned value = number << 4 | szx;
    const char head[] = {0x40, 0x01,       (char)(id >> 8),    (char)id,   (char)0xb1,
                         'a',  (char)0xc2, (char)(value >> 8), (char)value};
    memcpy(datagram, head, sizeof head);
    feed(f, sky_span_of(datagram, sizeof head));
}

static void a_long_answer_goes_out_block_by_block(void **state)
{
    struct fixture *f = *state;
    char body[2500], got[2500];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 23);
    assert_int_equal(feed_hex(f, "40 01 0001 b1'a'"), SKY_COAP_STEP_REQUEST);
    respond(f, SKY_COAP_CONTENT, sky_span_of(body, sizeof body));
    for (unsigned number = 0;; number++) {
        assert_int_equal(f->answer.code, SKY_COAP_CONTENT);
        assert_true(f->answer.block2.present && f->answer.block2.number == number);
        memcpy(got + number * 1024, f->answer.payload.ptr, f->answer.payload.len);
        if (!f->answer.block2.more)
            break;
        assert_int_equal(f->answer.payload.len, 1024);
        feed_get(f, (uint16_t)(number + 2), number + 1, 6);
        read_answer(f);
    }
    assert_int_equal(f->answer.block2.number, 2);
    assert_int_equal(f->answer.payload.len, 2500 - 2048);
    assert_memory_equal(got, body, sizeof body);
}

/* RFC 7959 §2.7: the last block of the request is answered with the first of the answer. */
static void a_body_in_blocks_may_be_answered_in_blocks(void **state)
{
    struct fixture *f = *state;
    char body[1500];
    memset(body, 'x', sizeof body);
    feed_block(f, 1, 0, 2, true, 64);
    assert_int_equal(feed_block(f, 2, 1, 2, false, 1), SKY_COAP_STEP_REQUEST);
    respond(f, SKY_COAP_CHANGED, sky_span_of(body, sizeof body));
    assert_true(f->answer.block1.present && f->answer.block1.number == 1);
    assert_true(f->answer.block2.present && f->answer.block2.more);
    assert_int_equal(f->answer.payload.len, 1024);
    feed_hex(f, "40 02 0003 b1'a' c1 16");
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_CHANGED);
    assert_true(!f->answer.block2.more && f->answer.block2.number == 1);
    assert_int_equal(f->answer.payload.len, sizeof body - 1024);
}

static void the_peer_may_ask_for_smaller_blocks(void **state)
{
    struct fixture *f = *state;
    char body[100];
    memset(body, 'x', sizeof body);
    feed_get(f, 1, 0, 2);
    respond(f, SKY_COAP_CONTENT, sky_span_of(body, sizeof body));
    assert_true(f->answer.block2.more && f->answer.block2.szx == 2);
    assert_int_equal(f->answer.payload.len, 64);
    feed_get(f, 2, 1, 2);
    read_answer(f);
    assert_true(!f->answer.block2.more && f->answer.payload.len == 36);
    feed_get(f, 3, 0, 3);
    respond(f, SKY_COAP_CONTENT, sky_span_of(body, sizeof body));
    assert_true(f->answer.block2.present && !f->answer.block2.more);
    assert_int_equal(f->answer.payload.len, 100);
}

static void a_block_that_is_not_there_is_not_made_up(void **state)
{
    struct fixture *f = *state;
    char body[100];
    memset(body, 'x', sizeof body);
    feed_get(f, 1, 1, 2); /* before anything was asked for */
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_BAD_REQUEST);
    assert_int_equal(f->saw, SKY_COAP_SAW_GAP);
    feed_get(f, 2, 0, 2);
    respond(f, SKY_COAP_CONTENT, sky_span_of(body, sizeof body));
    feed_get(f, 3, 2, 2); /* past the end */
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_BAD_REQUEST);
    f->now_ms += SKY_COAP_TRANSFER_IDLE_MS;
    feed_get(f, 4, 1, 2); /* too late */
    read_answer(f);
    assert_int_equal(f->answer.code, SKY_COAP_BAD_REQUEST);
}

static void an_answer_has_a_limit(void **state)
{
    struct fixture *f = *state;
    char *body = sky_mem_new(SKY_COAP_BODY_MAX + 1);
    feed_hex(f, "40 01 0001 b1'a'");
    respond(f, SKY_COAP_CONTENT, sky_span_of(body, SKY_COAP_BODY_MAX));
    assert_int_equal(f->answer.code, SKY_COAP_CONTENT);
    feed_hex(f, "40 01 0002 b1'a'");
    respond(f, SKY_COAP_CONTENT, sky_span_of(body, SKY_COAP_BODY_MAX + 1));
    assert_int_equal(f->answer.code, SKY_COAP_INTERNAL);
    assert_int_equal(f->answer.payload.len, 0);
    free(body);
}

static void an_option_more_rides_along(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "40 02 0001 b1'a'");
    const struct sky_coap_response response = {
        .code = SKY_COAP_CHANGED, .extra = 2100, .extra_value = SKY_SPAN("/t")};
    sky_coap_respond(&f->peer, &f->request, &response, f->now_ms, &f->out);
    expect_bytes(f, "60 44 0001 e2 0727 '/t'");
}

static void an_idle_peer_costs_nothing(void **state)
{
    struct fixture *f = *state;
    feed_hex(f, "40 00 0001");
    feed_hex(f, "40 01 0001 ff");
    feed_hex(f, "60 00 0001");
    assert_null(f->peer.memory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_confirmable_request_is_answered_in_its_acknowledgement),
        TEST(an_unconfirmable_request_is_answered_under_an_id_of_our_own),
        TEST(a_duplicate_is_answered_from_memory_and_never_passed_on),
        TEST(a_duplicate_without_confirmation_is_passed_over),
        TEST(an_answer_is_remembered_for_one_exchange_lifetime),
        TEST(so_many_answers_are_remembered),
        TEST(another_request_under_a_known_id_shows),
        TEST(a_token_in_use_shows),
        TEST(oddities_show),
        TEST(what_is_no_request_gets_a_reset_or_nothing),
        TEST(a_body_in_blocks_is_put_together),
        TEST(a_repeated_block_counts_once),
        TEST(blocks_that_do_not_follow_are_refused),
        TEST(an_unfinished_body_is_forgotten),
        TEST(blocks_of_another_path_do_not_mix),
        TEST(bodies_for_several_paths_go_side_by_side),
        TEST(one_body_more_takes_the_place_of_the_one_that_stood_for_longest),
        TEST(a_body_that_begins_again_begins_anew),
        TEST(options_that_cannot_be_met_are_answered),
        TEST(a_body_too_long_is_told_how_long_one_may_be),
        TEST(a_body_has_a_limit),
        TEST(a_body_announced_too_long_is_refused_at_once),
        TEST(a_long_answer_goes_out_block_by_block),
        TEST(a_body_in_blocks_may_be_answered_in_blocks),
        TEST(the_peer_may_ask_for_smaller_blocks),
        TEST(a_block_that_is_not_there_is_not_made_up),
        TEST(an_answer_has_a_limit),
        TEST(an_option_more_rides_along),
        TEST(an_idle_peer_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
