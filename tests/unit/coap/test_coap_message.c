#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../mqtt/hex.h"
#include "protocol/coap/message.h"

static enum sky_coap_parse parse(const char *text, struct sky_coap_message *m)
{
    sky_span bytes = hex(text);
    enum sky_coap_parse parsed = sky_coap_parse(bytes, m);
    m->token = m->payload = SKY_SPAN_NONE; /* they view what is freed here */
    free((char *)bytes.ptr);
    return parsed;
}

static void every_good_message_is_taken_apart(void **state)
{
    static const struct {
        const char *bytes;
        enum sky_coap_type type;
        uint8_t code;
        uint16_t id;
        const char *path, *query;
    } rows[] = {
        {"40 01 1234", SKY_COAP_CON, SKY_COAP_GET, 0x1234, "", ""},
        {"50 02 0001", SKY_COAP_NON, SKY_COAP_POST, 1, "", ""},
        {"60 00 ffff", SKY_COAP_ACK, SKY_COAP_EMPTY, 0xffff, "", ""},
        {"70 00 0000", SKY_COAP_RST, SKY_COAP_EMPTY, 0, "", ""},
        {"41 03 0001 aa b5'topic' 03'sys'", SKY_COAP_CON, SKY_COAP_PUT, 1, "/topic/sys", ""},
        {"48 04 0001 0102030405060708 b1'a' 00", SKY_COAP_CON, SKY_COAP_DELETE, 1, "/a/", ""},
        {"40 01 0001 b1'a' 43'x=1' 03'y=2'", SKY_COAP_CON, SKY_COAP_GET, 1, "/a", "x=1&y=2"},
        {"40 01 0001 bd00'topic/sys/pk/'", SKY_COAP_CON, SKY_COAP_GET, 1, "/topic%2Fsys%2Fpk%2F",
         ""},
        {"40 01 0001 b3'a'00'b'", SKY_COAP_CON, SKY_COAP_GET, 1, "/a%00b", ""},
        {"40 01 0001 34'host' 42 1633 40", SKY_COAP_CON, SKY_COAP_GET, 1, "/", ""},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_coap_message m;
        assert_int_equal(parse(rows[i].bytes, &m), SKY_COAP_PARSED);
        assert_int_equal(m.type, rows[i].type);
        assert_int_equal(m.code, rows[i].code);
        assert_int_equal(m.id, rows[i].id);
        assert_string_equal(m.path, rows[i].path);
        assert_string_equal(m.query, rows[i].query);
        assert_int_equal(m.refusal, 0);
    }
}

static void token_and_payload_are_views(void **state)
{
    struct sky_coap_message m;
    sky_span bytes = hex("42 02 0001 bead b1'a' ff '{}'");
    (void)state;
    assert_int_equal(sky_coap_parse(bytes, &m), SKY_COAP_PARSED);
    assert_true(sky_span_eq(m.token, sky_span_of("\xbe\xad", 2)));
    assert_true(sky_span_eq_str(m.payload, "{}"));
    free((char *)bytes.ptr);
}

static void what_is_no_coap_is_ignored_and_what_is_broken_reset(void **state)
{
    static const struct {
        const char *bytes;
        enum sky_coap_parse parsed;
    } rows[] = {
        {"", SKY_COAP_NO_COAP},
        {"40 01 00", SKY_COAP_NO_COAP},
        {"00 01 0001", SKY_COAP_NO_COAP}, /* version 0 */
        {"80 01 0001", SKY_COAP_NO_COAP}, /* version 2 */
        {"49 01 0001 010203040506070809", SKY_COAP_MALFORMED},
        {"42 01 0001 01", SKY_COAP_MALFORMED},      /* token cut */
        {"40 00 0001 00", SKY_COAP_MALFORMED},      /* empty, and yet not */
        {"41 00 0001 01", SKY_COAP_MALFORMED},      /* empty with a token */
        {"40 01 0001 ff", SKY_COAP_MALFORMED},      /* marker without payload */
        {"40 01 0001 b5'top'", SKY_COAP_MALFORMED}, /* option cut */
        {"40 01 0001 f1 00", SKY_COAP_MALFORMED},   /* reserved delta */
        {"40 01 0001 bf 00", SKY_COAP_MALFORMED},   /* reserved length */
        {"40 01 0001 d1", SKY_COAP_MALFORMED},      /* extended delta cut */
        {"40 01 0001 e0fef3", SKY_COAP_MALFORMED},  /* number 65536 */
        {"40 01 0001 e0fef2 10", SKY_COAP_MALFORMED},
        {"40 01 0001 e0ffff", SKY_COAP_MALFORMED},
        {"40 01 0001 e0fef1", SKY_COAP_PARSED}, /* 65534 is an option like any other */
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_coap_message m = {.id = 7};
        assert_int_equal(parse(rows[i].bytes, &m), rows[i].parsed);
        if (rows[i].parsed == SKY_COAP_MALFORMED)
            assert_int_equal(m.id, 1);
    }
}

static void options_that_cannot_be_honoured_name_the_answer(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t refusal;
        uint16_t option;
    } rows[] = {
        {"40 01 0001 10", SKY_COAP_BAD_OPTION, 1},          /* If-Match */
        {"40 01 0001 50", SKY_COAP_BAD_OPTION, 5},          /* If-None-Match */
        {"40 01 0001 d1 16 'x'", SKY_COAP_NO_PROXY, 35},    /* Proxy-Uri */
        {"40 01 0001 d4 1a 'coap'", SKY_COAP_NO_PROXY, 39}, /* Proxy-Scheme */
        {"40 01 0001 d1 16 'x' 01 'x'", SKY_COAP_NO_PROXY, 35},
        {"40 01 0001 91 00 d1 0d 'x'", SKY_COAP_BAD_OPTION, 9}, /* 9: critical, unknown */
        {"40 01 0001 31 'h'", 0, 0},                            /* Uri-Host */
        {"40 01 0001 30", SKY_COAP_BAD_OPTION, 3},              /* of no length */
        {"40 01 0001 72 1633", 0, 0},                           /* Uri-Port */
        {"40 01 0001 73 001633", SKY_COAP_BAD_OPTION, 7},
        {"40 01 0001 31 'h' 01 'h'", SKY_COAP_BAD_OPTION, 3},
        {"40 01 0001 d1 04 32", 0, 0}, /* Accept: JSON */
        {"40 01 0001 d2 04 0032", 0, 0},
        {"40 01 0001 d0 04", SKY_COAP_NOT_ACCEPTABLE, 17},    /* text */
        {"40 01 0001 d1 04 2a", SKY_COAP_NOT_ACCEPTABLE, 17}, /* octets */
        {"40 01 0001 d1 04 3c", SKY_COAP_NOT_ACCEPTABLE, 17}, /* CBOR */
        {"40 01 0001 d2 04 ffff", SKY_COAP_NOT_ACCEPTABLE, 17},
        {"40 01 0001 d3 04 000032", SKY_COAP_BAD_OPTION, 17},
        {"40 01 0001 d1 04 32 01 32", SKY_COAP_BAD_OPTION, 17},          /* twice */
        {"40 02 0001 c1 32 ff '{}'", 0, 0},                              /* Content-Format: JSON */
        {"40 02 0001 c0 ff '{}'", 0, 0},                                 /* text may be JSON */
        {"40 02 0001 c1 2a ff '{}'", 0, 0},                              /* octets */
        {"40 02 0001 c1 29 ff '<a/>'", SKY_COAP_UNSUPPORTED_FORMAT, 12}, /* XML */
        {"40 02 0001 c1 3c ff a0", SKY_COAP_UNSUPPORTED_FORMAT, 12},     /* CBOR */
        {"40 02 0001 c1 3c", 0, 0},                                      /* of nothing */
        {"40 02 0001 c3 00003c ff '{}'", 0, 0},           /* no such option: elective */
        {"40 01 0001 d1 06 00", SKY_COAP_BAD_OPTION, 19}, /* Q-Block1 */
        {"40 01 0001 41 'e'", 0, 0},                      /* ETag: elective */
        {"40 01 0001 20", 0, 0},                          /* 2: elective, unknown */
        {"40 01 0001 d0 07", 0, 0},                       /* 20: elective, unknown */
        {"40 01 0001 e0 0727", 0, 0},                     /* 2100: elective */
        {"40 01 0001 61 00 01 00", 0, 0},                 /* Observe twice: the second counts not */
        {"40 01 0001 d1 0e 06 01 06", SKY_COAP_BAD_OPTION, 27}, /* Block1 twice */
        {"40 01 0001 d1 0e 07", SKY_COAP_BAD_REQUEST, 27},      /* SZX 7 */
        {"40 01 0001 d1 0a 0f", SKY_COAP_BAD_REQUEST, 23},      /* SZX 7 */
        {"40 01 0001 d4 0e 00000006", SKY_COAP_BAD_OPTION, 27},
        {"40 01 0001 dd 2f 00 00000000 0000000000 00000000", 0, 0}, /* Size1 of 13 bytes */
        {"40 01 0001 10 40 ", SKY_COAP_BAD_OPTION, 1},              /* the first fault counts */
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_coap_message m;
        assert_int_equal(parse(rows[i].bytes, &m), SKY_COAP_PARSED);
        assert_int_equal(m.refusal, rows[i].refusal);
        assert_int_equal(m.refused_option, rows[i].option);
    }
}

static void blocks_and_sizes_are_read(void **state)
{
    struct sky_coap_message m;
    (void)state;
    assert_int_equal(parse("40 02 0001 d1 0a 06 41 1e 72 1388 d2 14 1000", &m), SKY_COAP_PARSED);
    assert_true(m.block2.present && m.block2.number == 0 && m.block2.szx == 6 && !m.block2.more);
    assert_true(m.block1.present && m.block1.number == 1 && m.block1.szx == 6 && m.block1.more);
    assert_int_equal(parse("40 02 0001 d3 0e fffffa", &m), SKY_COAP_PARSED);
    assert_true(m.block1.number == 0xfffff && m.block1.szx == 2 && m.block1.more);
    assert_int_equal(parse("40 02 0001 d2 2f 1388", &m), SKY_COAP_PARSED);
    assert_int_equal(m.size1, 5000);
    assert_int_equal(parse("40 01 0001 60", &m), SKY_COAP_PARSED);
    assert_true(m.observe);
}

/* Appends an option with its number's distance to the one before. */
static void add_option(struct sky_buf *out, uint8_t delta, size_t len)
{
    SKY_ASSERT(delta < 13 && len >= 13 && len < 269 + 256);
    if (len < 269) {
        sky_buf_add_byte(out, (uint8_t)(delta << 4 | 13));
        sky_buf_add_byte(out, (uint8_t)(len - 13));
    } else {
        sky_buf_add_byte(out, (uint8_t)(delta << 4 | 14));
        sky_buf_add_byte(out, 0);
        sky_buf_add_byte(out, (uint8_t)(len - 269));
    }
    for (size_t i = 0; i < len; i++)
        sky_buf_add_byte(out, 'x');
}

static uint8_t refusal_of_path(const size_t *lens, size_t count, uint8_t number)
{
    struct sky_buf out;
    struct sky_coap_message m;
    sky_buf_init(&out, SKY_COAP_TAKEN_MAX);
    sky_buf_add(&out, sky_span_of("\x40\x01\x00\x01", 4));
    for (size_t i = 0; i < count; i++)
        add_option(&out, i == 0 ? number : 0, lens[i]);
    assert_int_equal(sky_coap_parse(sky_buf_span(&out), &m), SKY_COAP_PARSED);
    sky_buf_done(&out);
    return m.refusal;
}

static void paths_and_queries_have_limits(void **state)
{
    const size_t longest[] = {SKY_COAP_SEGMENT_MAX}, longer[] = {SKY_COAP_SEGMENT_MAX + 1};
    const size_t full[] = {255, 255}; /* with two slashes 512 bytes */
    const size_t over[] = {255, 242, 13};
    (void)state;
    assert_int_equal(refusal_of_path(longest, 1, 11), 0);
    assert_int_equal(refusal_of_path(longer, 1, 11), SKY_COAP_BAD_OPTION);
    assert_int_equal(refusal_of_path(full, 2, 11), 0);
    assert_int_equal(refusal_of_path(over, 3, 11), SKY_COAP_NOT_FOUND);
}

static void a_message_has_at_most_so_many_options_and_bytes(void **state)
{
    struct sky_buf out;
    struct sky_coap_message m;
    (void)state;
    sky_buf_init(&out, 2 * SKY_COAP_TAKEN_MAX);
    sky_buf_add(&out, sky_span_of("\x40\x01\x00\x01\xb0", 5));
    for (size_t i = 1; i < SKY_COAP_OPTIONS_MAX; i++)
        sky_buf_add_byte(&out, 0);
    assert_int_equal(sky_coap_parse(sky_buf_span(&out), &m), SKY_COAP_PARSED);
    sky_buf_add_byte(&out, 0);
    assert_int_equal(sky_coap_parse(sky_buf_span(&out), &m), SKY_COAP_MALFORMED);

    sky_buf_clear(&out);
    sky_buf_add(&out, sky_span_of("\x40\x02\x00\x01\xff", 5));
    while (out.len < SKY_COAP_TAKEN_MAX)
        sky_buf_add_byte(&out, '.');
    assert_int_equal(sky_coap_parse(sky_buf_span(&out), &m), SKY_COAP_PARSED);
    assert_int_equal(m.payload.len, SKY_COAP_TAKEN_MAX - 5);
    sky_buf_add_byte(&out, '.');
    assert_int_equal(sky_coap_parse(sky_buf_span(&out), &m), SKY_COAP_NO_COAP);
    sky_buf_done(&out);
}

static void replies_are_written_byte_for_byte(void **state)
{
    static const struct {
        struct sky_coap_reply reply;
        const char *bytes;
    } rows[] = {
        {{.type = SKY_COAP_RST, .id = 0xabcd}, "70 00 abcd"},
        {{.type = SKY_COAP_ACK, .code = SKY_COAP_CHANGED, .id = 1}, "60 44 0001"},
        {{.type = SKY_COAP_ACK,
          .code = SKY_COAP_CONTENT,
          .id = 1,
          .token = {"ab", 2},
          .payload = {"{}", 2},
          .json = true},
         "62 45 0001 'ab' c1 32 ff '{}'"},
        {{.type = SKY_COAP_ACK, .code = SKY_COAP_CHANGED, .id = 1, .json = true}, "60 44 0001"},
        {{.type = SKY_COAP_ACK,
          .code = SKY_COAP_CONTINUE,
          .id = 2,
          .block1 = {.number = 3, .szx = 6, .more = true, .present = true}},
         "60 5f 0002 d1 0e 3e"},
        {{.type = SKY_COAP_NON,
          .code = SKY_COAP_CONTENT,
          .id = 3,
          .payload = {"x", 1},
          .json = true,
          .block2 = {.number = 0, .szx = 2, .more = true, .present = true},
          .block1 = {.number = 16, .szx = 6, .present = true},
          .size2 = 5000},
         "50 45 0003 c1 32 b1 0a 42 0106 12 1388 ff 'x'"},
        {{.type = SKY_COAP_ACK,
          .code = SKY_COAP_CHANGED,
          .id = 4,
          .extra = 2100,
          .extra_value = {"/topic/a", 8}},
         "60 44 0004 e8 0727 '/topic/a'"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_buf out;
        sky_span bytes = hex(rows[i].bytes);
        sky_buf_init(&out, SKY_COAP_SENT_MAX);
        assert_true(sky_coap_put(&out, &rows[i].reply));
        assert_int_equal(out.len, bytes.len);
        assert_memory_equal(out.bytes, bytes.ptr, bytes.len);
        sky_buf_done(&out);
        free((char *)bytes.ptr);
    }
}

static struct sky_coap_reply greatest(const char *bytes, size_t path_len, size_t payload_len)
{
    return (struct sky_coap_reply){
        .type = SKY_COAP_ACK,
        .code = SKY_COAP_CONTENT,
        .id = 1,
        .token = sky_span_of(bytes, SKY_COAP_TOKEN_MAX),
        .payload = sky_span_of(bytes, payload_len),
        .json = true,
        .block1 = {.number = 0xfffff, .szx = 6, .present = true},
        .block2 = {.number = 0xfffff, .szx = 6, .more = true, .present = true},
        .size2 = UINT32_MAX,
        .extra = 2100,
        .extra_value = sky_span_of(bytes, path_len)};
}

static void a_whole_block_fits_beside_every_option(void **state)
{
    char bytes[2048] = {0};
    struct sky_buf out;
    struct sky_coap_reply fits = greatest(bytes, SKY_COAP_PATH_MAX, 1024);
    struct sky_coap_reply too_long = greatest(bytes, SKY_COAP_PATH_MAX, 1100);
    (void)state;
    sky_buf_init(&out, 2 * SKY_COAP_SENT_MAX);
    assert_true(sky_coap_put(&out, &fits));
    assert_true(out.len <= SKY_COAP_SENT_MAX);
    size_t before = out.len;
    assert_false(sky_coap_put(&out, &too_long));
    assert_int_equal(out.len, before);
    sky_buf_done(&out);
}

static void codes_and_types_have_names(void **state)
{
    char text[5];
    (void)state;
    sky_coap_code_text(SKY_COAP_CONTENT, text);
    assert_string_equal(text, "2.05");
    sky_coap_code_text(SKY_COAP_TOO_LARGE, text);
    assert_string_equal(text, "4.13");
    sky_coap_code_text(0xff, text);
    assert_string_equal(text, "7.31");
    assert_string_equal(sky_coap_type_name(SKY_COAP_NON), "NON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_good_message_is_taken_apart),
        cmocka_unit_test(token_and_payload_are_views),
        cmocka_unit_test(what_is_no_coap_is_ignored_and_what_is_broken_reset),
        cmocka_unit_test(options_that_cannot_be_honoured_name_the_answer),
        cmocka_unit_test(blocks_and_sizes_are_read),
        cmocka_unit_test(paths_and_queries_have_limits),
        cmocka_unit_test(a_message_has_at_most_so_many_options_and_bytes),
        cmocka_unit_test(replies_are_written_byte_for_byte),
        cmocka_unit_test(a_whole_block_fits_beside_every_option),
        cmocka_unit_test(codes_and_types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
