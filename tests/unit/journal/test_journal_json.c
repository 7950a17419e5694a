#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/journal/journal.h"
#include "server/journal/json.h"
#include "server/journal/line.h"
#include "server/os/clock.h"

static const struct sky_rule rows[] = {{.id = "X-RULE",
                                        .statement = "keeps it",
                                        .source = "a book §1",
                                        .hint = "keep it",
                                        .severity = SKY_ERROR,
                                        .action = {SKY_ENFORCE, SKY_ENFORCE}}};

enum { TEXT_MAX = 4 * 1024 * 1024, T0 = 1795219262 };

struct bench {
    struct sky_clock clock;
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_journal *journal;
    struct sky_device_names names;
    struct sky_buf out;
};

static int open_bench(void **state)
{
    struct bench *bench = sky_mem_new(sizeof *bench);
    sky_clock_init(&bench->clock);
    sky_clock_freeze(&bench->clock);
    sky_clock_set(&bench->clock, T0 * INT64_C(1000) + 456);
    sky_catalogue_init(&bench->catalogue);
    sky_catalogue_add(&bench->catalogue,
                      (struct sky_rule_table){"x", rows, SKY_COUNT(rows), false});
    sky_policy_init(&bench->policy, &bench->catalogue, SKY_PROFILE_SEED);
    bench->journal = sky_journal_new((16 * 1024 * 1024), 100, NULL, &bench->clock);
    sky_buf_init(&bench->out, TEXT_MAX);
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;
    sky_buf_done(&bench->out);
    sky_journal_free(bench->journal);
    sky_clock_done(&bench->clock);
    free(bench);
    return 0;
}

static uint64_t add(struct bench *bench, struct sky_event_head head, const struct sky_attr *attrs,
                    size_t count, const struct sky_judge *judge)
{
    return sky_journal_add(bench->journal, &head, attrs, count, judge);
}

/* The event with this number, printed, read back and checked to be on one line. */
static cJSON *printed(struct bench *bench, uint64_t seq)
{
    struct sky_cursor cursor;
    struct sky_event event;
    struct sky_why why;
    struct sky_jw jw = sky_jw(&bench->out);
    cJSON *tree = NULL;
    sky_cursor_init(&cursor, bench->journal, 0);
    assert_true(sky_cursor_find(&cursor, seq, &event));
    const struct sky_event_printer printer = {&cursor, &bench->catalogue, &bench->names};
    sky_buf_clear(&bench->out);
    sky_event_print(&printer, &event, &jw);
    sky_cursor_done(&cursor);
    assert_null(memchr(bench->out.bytes, '\n', bench->out.len));
    if (sky_json_parse(sky_buf_span(&bench->out), 16, &tree, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    return tree;
}

static void an_event_has_its_fields_flat(void **state)
{
    struct bench *bench = *state;
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, SKY_SPAN("/a")),
                                     SKY_ATTR_INT(QOS, 1),
                                     SKY_ATTR_INT(RETAIN, 1),
                                     SKY_ATTR_INT(DUP, 0),
                                     SKY_ATTR(BYTES_HEX, SKY_SPAN("\x10\xff")),
                                     SKY_ATTR(EXPLANATION, SKY_SPAN("{\"what\":\n\"it\"}"))};
    struct sky_event_head head = {.type = SKY_EVENT_PUBLISH, .transport = SKY_TLS, .connection = 7};
    cJSON *event = printed(bench, add(bench, head, attrs, SKY_COUNT(attrs), NULL));
    assert_string_equal(sky_json_get_str(event, "time"), "2026-11-21T00:01:02.456Z");
    assert_string_equal(sky_json_get_str(event, "type"), "publish");
    assert_string_equal(sky_json_get_str(event, "direction"), "up");
    assert_string_equal(sky_json_get_str(event, "transport"), "tls");
    assert_int_equal(sky_json_get(event, "connection")->valueint, 7);
    assert_string_equal(sky_json_get_str(event, "topic"), "/a");
    assert_int_equal(sky_json_get(event, "qos")->valueint, 1);
    assert_true(cJSON_IsTrue(sky_json_get(event, "retain")));
    assert_true(cJSON_IsFalse(sky_json_get(event, "dup")));
    assert_string_equal(sky_json_get_str(event, "bytes"), "10ff");
    assert_string_equal(sky_json_get_str(sky_json_get(event, "explanation"), "what"), "it");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(event, "device")));
    assert_int_equal(cJSON_GetArraySize(sky_json_get(event, "findings")), 0);
    assert_null(sky_json_get(event, "refused"));
    cJSON_Delete(event);
}

static void a_payload_is_shown_as_what_it_is(void **state)
{
    struct bench *bench = *state;
    static const struct {
        sky_span payload;
        const char *text, *base64;
        bool json;
    } table[] = {
        {SKY_SPAN("hello"), "hello", NULL, false},
        {SKY_SPAN(""), "", NULL, false},
        {SKY_SPAN("{\"a\":\r\n1}"), "{\"a\":\r\n1}", NULL, true},
        {SKY_SPAN("21.5"), "21.5", NULL, true},
        {SKY_SPAN("\xff\x00"), NULL, "/wA=", false},
        {SKY_SPAN("a\0b"), NULL, "YQBi", false},
    };
    struct sky_event_head head = {.type = SKY_EVENT_PUBLISH};
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        const struct sky_attr attr = SKY_ATTR(PAYLOAD, table[i].payload);
        cJSON *event = printed(bench, add(bench, head, &attr, 1, NULL));
        if (table[i].text != NULL)
            assert_string_equal(sky_json_get_str(event, "payload"), table[i].text);
        else
            assert_string_equal(sky_json_get_str(event, "payloadBase64"), table[i].base64);
        assert_int_equal(sky_json_get(event, "json") != NULL, table[i].json);
        cJSON_Delete(event);
    }
}

static void a_delivery_shows_what_it_carries(void **state)
{
    struct bench *bench = *state;
    const struct sky_attr message[] = {SKY_ATTR(TOPIC, SKY_SPAN("/a")),
                                       SKY_ATTR(PAYLOAD, SKY_SPAN("{\"n\":1}"))};
    struct sky_event_head up = {.type = SKY_EVENT_PUBLISH};
    struct sky_event_head down = {.type = SKY_EVENT_PUBLISH, .direction = SKY_DOWN};
    uint64_t of = add(bench, up, message, SKY_COUNT(message), NULL);
    const struct sky_attr carried = SKY_ATTR_INT(OF, (int64_t)of);
    cJSON *event = printed(bench, add(bench, down, &carried, 1, NULL));
    assert_int_equal(sky_json_get(event, "of")->valueint, of);
    assert_string_equal(sky_json_get_str(event, "topic"), "/a");
    assert_int_equal(sky_json_get(sky_json_get(event, "json"), "n")->valueint, 1);
    cJSON_Delete(event);
}

static void a_delivery_of_what_is_gone_says_so_much(void **state)
{
    struct bench *bench = *state;
    const struct sky_attr carried = SKY_ATTR_INT(OF, 999);
    struct sky_event_head down = {.type = SKY_EVENT_PUBLISH, .direction = SKY_DOWN};
    cJSON *event = printed(bench, add(bench, down, &carried, 1, NULL));
    assert_int_equal(sky_json_get(event, "of")->valueint, 999);
    assert_null(sky_json_get(event, "topic"));
    cJSON_Delete(event);
}

static void a_finding_explains_itself(void **state)
{
    struct bench *bench = *state;
    struct sky_judge judge;
    struct sky_event_head head = {.type = SKY_EVENT_CONNECT};
    sky_judge_init(&judge, &bench->policy);
    sky_judge_broken(&judge, &rows[0], "did \"this\"");
    cJSON *event = printed(bench, add(bench, head, NULL, 0, &judge));
    const cJSON *finding = cJSON_GetArrayItem(sky_json_get(event, "findings"), 0);
    assert_string_equal(sky_json_get_str(finding, "rule"), "X-RULE");
    assert_string_equal(sky_json_get_str(finding, "severity"), "error");
    assert_string_equal(sky_json_get_str(finding, "statement"), "keeps it");
    assert_string_equal(sky_json_get_str(finding, "source"), "a book §1");
    assert_string_equal(sky_json_get_str(finding, "hint"), "keep it");
    assert_string_equal(sky_json_get_str(finding, "detail"), "did \"this\"");
    assert_string_equal(sky_json_get_str(finding, "action"), "enforce");
    assert_string_equal(sky_json_get_str(event, "refused"), "X-RULE");
    cJSON_Delete(event);
}

static void json_that_was_cut_is_shown_as_text(void **state)
{
    struct bench *bench = *state;
    size_t len = SKY_JOURNAL_PAYLOAD_MAX + 100;
    char *json = sky_mem_new(len);
    memset(json, ' ', len);
    json[0] = '{';
    json[len - 1] = '}';
    const struct sky_attr attrs[] = {SKY_ATTR(EXPLANATION, sky_span_of(json, len)),
                                     SKY_ATTR(PAYLOAD, sky_span_of(json, len))};
    struct sky_event_head head = {.type = SKY_EVENT_PUBLISH};
    cJSON *event = printed(bench, add(bench, head, attrs, SKY_COUNT(attrs), NULL));
    assert_true(cJSON_IsTrue(sky_json_get(event, "cut")));
    assert_true(cJSON_IsString(sky_json_get(event, "explanation")));
    assert_null(sky_json_get(event, "json"));
    assert_int_equal(strlen(sky_json_get_str(event, "payload")), SKY_JOURNAL_PAYLOAD_MAX);
    cJSON_Delete(event);
    free(json);
}

static void times_are_written_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *text;
    } table[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.999Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z"}, /* of a damaged page */
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    char text[SKY_TIME_TEXT_MAX];
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        sky_time_text(table[i].unix_ms, text);
        assert_string_equal(text, table[i].text);
    }
}

#define ON_A_BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

/* A server that is none of ours, or none at all, may have made it up. */
static void no_text_of_an_event_moves_the_cursor(void **state)
{
    struct bench *bench = *state;
    static const char text[] =
        "{\"seq\":1e300,\"time\":\"2026-11-29T\\u001b[2J\",\"realTime\":\"\\u001b[2J\","
        "\"type\":\"a\\u001b\",\"peer\":\"\\u001b\",\"key\\u001b\":1,\"is\\u001b\":true,"
        "\"refused\":\"R\\u001b\",\"explanation\":{\"mistake\":\"m\\u001b\"},"
        "\"findings\":[{\"rule\":\"X\\u001b\",\"severity\":\"s\\u001b\",\"detail\":\"d\"}]}";
    cJSON *event = cJSON_Parse(text);
    assert_non_null(event);
    sky_event_line(event, &bench->out);
    sky_refusal_line(event, &bench->out);
    sky_refusal_annotation(event, &bench->out);
    sky_text_annotate(&bench->out, SKY_SPAN("t\x1b"), SKY_SPAN("shown"));
    assert_true(sky_span_contains(sky_buf_span(&bench->out), SKY_SPAN("refused by R\\x1b: ")));
    assert_true(sky_span_contains(sky_buf_span(&bench->out), SKY_SPAN(" key\\x1b=1")));
    assert_null(memchr(bench->out.bytes, 0x1b, bench->out.len));
    cJSON_Delete(event);
    event = cJSON_Parse("[1,true,\"a\"]"); /* and it may be none at all */
    sky_event_line(event, &bench->out);
    cJSON_Delete(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BENCH(an_event_has_its_fields_flat),
        ON_A_BENCH(a_payload_is_shown_as_what_it_is),
        ON_A_BENCH(a_delivery_shows_what_it_carries),
        ON_A_BENCH(a_delivery_of_what_is_gone_says_so_much),
        ON_A_BENCH(a_finding_explains_itself),
        ON_A_BENCH(json_that_was_cut_is_shown_as_text),
        ON_A_BENCH(no_text_of_an_event_moves_the_cursor),
        cmocka_unit_test(times_are_written_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
