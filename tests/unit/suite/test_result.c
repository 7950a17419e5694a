/* What a run came to, in lines, as JUnit and as a page: also of a document that was cut off, and of
 * one in which a device had a hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/suite/result.h"

/* clang-format off */
#define CASE(id, state, more)                                                                      \
    "{\"suite\":\"s\",\"case\":\"" id "\",\"title\":\"T " id "\",\"source\":\"MQTT 3.1.1\","       \
    "\"device\":\"c/p/d\",\"state\":\"" state "\"" more "}"
#define ENDED(id, verdict) CASE(id, "ended", ",\"verdict\":\"" verdict "\",\"ms\":1250")
#define RUN(state, cases)                                                                          \
    "{\"format\":1,\"id\":\"1\",\"state\":\"" state "\",\"started\":\"2026-11-29T05:00:00.000Z\"," \
    "\"ms\":61500,\"devices\":[\"c/p/d\"],\"suites\":[{\"suite\":\"s\",\"title\":\"S\"}],"         \
    "\"cases\":[" cases "]}"
/* clang-format on */

struct told {
    struct sky_buf text;
};

static int open_told(void **state)
{
    struct told *told = sky_mem_new(sizeof *told);
    sky_buf_init(&told->text, 1 << 20);
    *state = told;
    return 0;
}

static int close_told(void **state)
{
    struct told *told = *state;
    sky_buf_done(&told->text);
    free(told);
    return 0;
}

static cJSON *parse(const char *text)
{
    cJSON *tree = cJSON_Parse(text);
    assert_non_null(tree);
    return tree;
}

static void has(struct told *told, const char *part)
{
    if (!sky_span_contains(sky_buf_span(&told->text), sky_span_str(part)))
        fail_msg("no \"%s\" in:\n%.*s", part, SKY_SPAN_ARGS(sky_buf_span(&told->text)));
}

static void has_not(struct told *told, const char *part)
{
    if (sky_span_contains(sky_buf_span(&told->text), sky_span_str(part)))
        fail_msg("\"%s\" in:\n%.*s", part, SKY_SPAN_ARGS(sky_buf_span(&told->text)));
}

static void is(struct told *told, const char *whole)
{
    sky_buf_add_byte(&told->text, '\0');
    assert_string_equal(told->text.bytes, whole);
    sky_buf_clear(&told->text);
}

typedef void form_fn(const cJSON *run, struct sky_buf *out);

static void tell(struct told *told, form_fn *form, const char *text)
{
    cJSON *run = parse(text);
    sky_buf_clear(&told->text);
    form(run, &told->text);
    assert_false(told->text.overflow);
    cJSON_Delete(run);
}

/* ---- the exit status ---- */

static void the_worst_case_is_the_exit_status(void **state)
{
    static const struct {
        const char *run;
        int status;
    } rows[] = {
        {RUN("ended", ENDED("a", "passed")), 0},
        {RUN("ended", ENDED("a", "passed") "," ENDED("b", "warned")), 0},
        {RUN("ended", ENDED("a", "not exercised") "," ENDED("b", "failed")), 1},
        {RUN("ended", ENDED("a", "passed") "," ENDED("b", "not exercised")), 2},
        {RUN("ended", ENDED("a", "passed") "," CASE("b", "left", "")), 0},
        {RUN("ended", ""), 2},
        {RUN("ended", CASE("b", "left", "")), 2},
        {RUN("running", ENDED("a", "passed")), 2},
        {RUN("stopped", ENDED("a", "passed")), 2},
        {RUN("stopped", ENDED("a", "failed") "," CASE("b", "stopped", "")), 1},
        {RUN("ended", ENDED("a", "passed") "," CASE("b", "running", "")), 2},
        {RUN("ended", ENDED("a", "splendid")), 2},
        {"{}", 2},
        {"[]", 2},
        {"{\"state\":7,\"cases\":{\"a\":1}}", 2},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        cJSON *run = parse(rows[i].run);
        if (sky_result_exit(run) != rows[i].status)
            fail_msg("%s: %d", rows[i].run, sky_result_exit(run));
        cJSON_Delete(run);
    }
    assert_int_equal(sky_result_exit(NULL), 2);
}

/* ---- lines ---- */

static void line(struct told *told, const char *text, bool several, const char *wanted)
{
    cJSON *one = parse(text);
    sky_result_line(one, several, &told->text);
    cJSON_Delete(one);
    is(told, wanted);
}

static void a_line_has_verdict_case_time_and_reason(void **state)
{
    struct told *told = *state;
    line(told, ENDED("a", "passed"), false, "passed         s/a (1.2 s)");
    line(told, CASE("a", "ended", ",\"verdict\":\"failed\",\"ms\":754321,\"reason\":\"no PUBACK\""),
         true, "failed         s/a c/p/d (12 min 34 s): no PUBACK");
    line(told, ENDED("a", "not exercised"), false, "not exercised  s/a (1.2 s)");
    line(told, CASE("a", "stopped", ",\"reason\":\"the server went away\""), false,
         "not ended      s/a: the server went away");
    line(told,
         CASE("a", "ended",
              ",\"verdict\":\"not exercised\",\"ms\":0,\"reason\":\"the device did "
              "nothing\",\"notes\":[\"the command ended: exit 1\",\"did nothing\",\"x\"]"),
         false, "not exercised  s/a (0 ms): the device did nothing; the command ended: exit 1; x");
    line(told, "{}", false, "not ended      /");
}

static void nothing_in_a_line_moves_the_cursor(void **state)
{
    struct told *told = *state;
    line(told, CASE("a", "ended", ",\"verdict\":\"failed\",\"reason\":\"got \\u001b[2J\\n!\""),
         false, "failed         s/a: got \\x1b[2J\\x0a!");
}

/* Told whole up to a length, and beyond it with how long it is. */
static void a_reason_is_not_longer_than_a_screen(void **state)
{
    enum { MOST = 2000 };
    struct told *told = *state;
    char reason[MOST + 2];
    for (size_t len = MOST; len <= MOST + 1; len++) {
        cJSON *one = parse(ENDED("a", "failed"));
        memset(reason, 'x', len);
        reason[len] = '\0';
        cJSON_AddStringToObject(one, "reason", reason);
        sky_buf_clear(&told->text);
        sky_result_line(one, false, &told->text);
        cJSON_Delete(one);
        assert_int_equal(sky_span_ends(sky_buf_span(&told->text), sky_span_str(reason)),
                         len == MOST);
    }
    has(told, "2001");
}

static void the_summary_counts(void **state)
{
    struct told *told = *state;
    tell(told, sky_result_summary,
         RUN("ended", ENDED("a", "passed") "," ENDED("b", "warned") "," ENDED("c", "failed")));
    is(told, "failed: 1 passed, 1 warned, 1 failed, 0 not exercised in 1 min 1 s");
    tell(told, sky_result_summary, RUN("ended", ENDED("a", "passed")));
    is(told, "passed: 1 passed, 0 failed, 0 not exercised in 1 min 1 s");
    tell(told, sky_result_summary,
         "{\"state\":\"stopped\",\"interrupted\":\"Ctrl-C\",\"cases\":[" CASE("a", "running",
                                                                              "") "]}");
    is(told, "interrupted: Ctrl-C; 0 passed, 0 failed, 0 not exercised, 1 not ended");
    tell(told, sky_result_summary, RUN("ended", CASE("a", "left", "") "," CASE("b", "left", "")));
    is(told, "not exercised: 0 passed, 0 failed, 0 not exercised in 1 min 1 s; 2 left out, for "
             "devices of another kind");
    tell(told, sky_result_summary, "{}");
    has(told, "the run did not come to its end");
}

/* ---- JUnit ---- */

static void junit_has_a_test_case_for_each_case(void **state)
{
    struct told *told = *state;
    tell(told, sky_result_junit,
         RUN("ended",
             ENDED("a", "passed") "," ENDED("b", "warned") "," CASE(
                 "c", "ended",
                 ",\"verdict\":\"failed\",\"ms\":30000,\"reason\":\"it\\nsaid \\\"<no>\\\" & "
                 "left\",\"events\":[3,5],\"step\":{\"index\":2,\"name\":\"expect\",\"text\":\"a "
                 "publish\"},\"notes\":[\"the command ended: signal "
                 "9\"]") "," ENDED("d", "not exercised") "," CASE("e", "running", "")));
    has(told, "<testsuites name=\"skymock\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\" "
              "time=\"61.500\">");
    has(told, "<testsuite name=\"s\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\"");
    has(told, "<testcase classname=\"s\" name=\"a\" time=\"1.250\">");
    has(told, "<failure message=\"it&#10;said &quot;&lt;no&gt;&quot; &amp; left\" type=\"c\"/>");
    has(told, "decided by: step 3: a publish\n");
    has(told, "events: 3 5\n");
    has(told, "note: the command ended: signal 9\n");
    has(told, "source: MQTT 3.1.1\n");
    has(told, "<skipped message=\"\"/>");
    has(told, "<error message=\"it did not come to its end\" type=\"interrupted\"/>");
}

static void junit_has_a_suite_for_each_device_of_several(void **state)
{
    struct told *told = *state;
    tell(told, sky_result_junit,
         "{\"state\":\"ended\",\"devices\":[\"x\",\"y\"],\"cases\":["
         "{\"suite\":\"s\",\"case\":\"a\",\"device\":\"x\",\"state\":\"ended\",\"verdict\":"
         "\"passed\"},"
         "{\"suite\":\"s\",\"case\":\"a\",\"device\":\"y\",\"state\":\"ended\",\"verdict\":"
         "\"failed\"},"
         "{\"suite\":\"s\",\"case\":\"b\",\"device\":\"x\",\"state\":\"ended\",\"verdict\":"
         "\"passed\"},"
         "{\"suite\":\"t\",\"case\":\"z\",\"device\":\"x\",\"state\":\"left\"}]}");
    has(told, "<testsuite name=\"s x\" tests=\"2\" failures=\"0\"");
    has(told, "<testsuite name=\"s y\" tests=\"1\" failures=\"1\"");
    has_not(told, "\"t x\"");
}

static void junit_says_why_a_run_was_cut_off(void **state)
{
    struct told *told = *state;
    tell(told, sky_result_junit,
         "{\"state\":\"stopped\",\"interrupted\":\"the server went away\",\"cases\":[" CASE(
             "a", "running", "") "," CASE("b", "waiting", "") "]}");
    has(told, "errors=\"2\"");
    has(told, "<property name=\"interrupted\" value=\"the server went away\"/>");
    has(told, "<error message=\"the server went away\" type=\"interrupted\"/>");
}

/* ---- the page ---- */

static void a_section_has_every_case(void **state)
{
    struct told *told = *state;
    tell(told, sky_result_html,
         RUN("ended", ENDED("a", "passed") "," CASE(
                          "b", "ended",
                          ",\"verdict\":\"warned\",\"reason\":\"<script>\",\"measures\":[{"
                          "\"measure\":\"reconnect-intervals\",\"class\":\"exponential\","
                          "\"grade\":\"warned\",\"reason\":\"no jitter\",\"figures\":[1000,2000.5],"
                          "\"figuresUnit\":\"ms\"}]")));
    has(told, "<section class=\"suites\"><h2>Device suites: s <span class=\"v warned\">warned");
    has(told, "<span class=\"m\">s/a</span> T a");
    has(told, "<dd>&lt;script&gt;</dd>");
    has(told, "reconnect-intervals, warned: no jitter</dd>");
    has(told, "0 failed, 1 warned, 1 passed, 0 not exercised");
    has(told, "</section>\n");
}

static void a_section_says_what_was_left_out_and_cut_off(void **state)
{
    struct told *told = *state;
    tell(told, sky_result_html,
         "{\"state\":\"stopped\",\"interrupted\":\"Ctrl-C\",\"cases\":[" CASE(
             "a", "stopped", "") "," CASE("x", "left", ",\"reason\":\"it comes by tcp\"") "]}");
    has(told, "<dt>Interrupted</dt><dd>Ctrl-C</dd>");
    has(told, ">not ended</span> <span class=\"m\">s/a</span>");
    has(told, "s/x</dt><dd>c/p/d: it comes by tcp</dd>");
}

/* Whatever is missing or of another type, each form has a whole text. */
static void any_document_has_every_form(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "7",
        "{\"cases\":[7,null,{},[]]}",
        "{\"cases\":[{\"suite\":{},\"case\":[],\"step\":{\"index\":-1e300},\"ms\":1e300,"
        "\"events\":[\"x\",null,1e300],\"measures\":[7,{}],\"notes\":[1,{}],\"verdict\":7}]}",
        "{\"devices\":[1,2],\"suites\":[0],\"left\":[0],\"started\":{},\"cases\":[{\"state\":"
        "\"ended\",\"verdict\":\"failed\",\"step\":7,\"measures\":[{\"value\":1e999,"
        "\"figures\":[{}]}]}]}",
    };
    static form_fn *const forms[] = {sky_result_summary, sky_result_junit, sky_result_html};
    struct told *told = *state;
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        for (size_t f = 0; f < SKY_COUNT(forms); f++) {
            tell(told, forms[f], texts[i]);
            assert_true(told->text.len > 0);
            has_not(told, "inf");
        }
    sky_buf_clear(&told->text);
    for (size_t f = 0; f < SKY_COUNT(forms); f++)
        forms[f](NULL, &told->text);
}

static void a_text_that_does_not_fit_is_marked(void **state)
{
    cJSON *run = parse(RUN("ended", ENDED("a", "passed")));
    struct sky_buf small;
    (void)state;
    sky_buf_init(&small, 100);
    sky_result_junit(run, &small);
    assert_true(small.overflow);
    sky_buf_done(&small);
    cJSON_Delete(run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_told, close_told)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_case_is_the_exit_status),
        TEST(a_line_has_verdict_case_time_and_reason),
        TEST(nothing_in_a_line_moves_the_cursor),
        TEST(a_reason_is_not_longer_than_a_screen),
        TEST(the_summary_counts),
        TEST(junit_has_a_test_case_for_each_case),
        TEST(junit_has_a_suite_for_each_device_of_several),
        TEST(junit_says_why_a_run_was_cut_off),
        TEST(a_section_has_every_case),
        TEST(a_section_says_what_was_left_out_and_cut_off),
        TEST(any_document_has_every_form),
        cmocka_unit_test(a_text_that_does_not_fit_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
