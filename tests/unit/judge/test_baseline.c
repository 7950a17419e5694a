#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/judge/baseline.h"

/* What was told, a line each. */
static char told[4096];

static void note(void *ctx, enum sky_baseline_kind kind, sky_span device, const char *what)
{
    (void)ctx;
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%s %.*s: %s\n", sky_baseline_kind_name(kind),
             SKY_SPAN_ARGS(device), what);
}

static void compare(const char *before, const char *after)
{
    struct sky_why why;
    told[0] = '\0';
    assert_int_equal(sky_baseline_check(sky_span_str(before), &why), SKY_OK);
    assert_int_equal(sky_baseline_check(sky_span_str(after), &why), SKY_OK);
    sky_baseline_compare(sky_span_str(before), sky_span_str(after), note, NULL);
}

#define DEVICE(name, rules, profile)                                                               \
    "{\"device\":\"" name "\",\"rules\":[" rules "],\"profile\":{" profile "}}"
#define REPORT(devices) "{\"format\":1,\"devices\":[" devices "]}"
#define RULE(id, verdict) "{\"id\":\"" id "\",\"verdict\":\"" verdict "\"}"

static void rules_get_worse_and_better(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *told;
    } rows[] = {
        {RULE("R", "passed"), RULE("R", "passed"), ""},
        {RULE("R", "passed"), RULE("R", "warned"), "worse d: R was passed, is warned\n"},
        {RULE("R", "passed"), RULE("R", "failed"), "worse d: R was passed, is failed\n"},
        {RULE("R", "warned"), RULE("R", "failed"), "worse d: R was warned, is failed\n"},
        {RULE("R", "failed"), RULE("R", "warned"), "better d: R was failed, is warned\n"},
        {RULE("R", "warned"), RULE("R", "passed"), "better d: R was warned, is passed\n"},
        {RULE("R", "passed"), "", "note d: R was passed, is not exercised\n"},
        {RULE("R", "failed"), "", "note d: R was failed, is not exercised\n"},
        {"", RULE("R", "passed"), "note d: R was not exercised, is passed\n"},
        {"", RULE("R", "warned"), "worse d: R was not exercised, is warned\n"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char before[256], after[256];
        snprintf(before, sizeof before, REPORT(DEVICE("d", "%s", "")), rows[i].before);
        snprintf(after, sizeof after, REPORT(DEVICE("d", "%s", "")), rows[i].after);
        compare(before, after);
        assert_string_equal(told, rows[i].told);
    }
}

#define RECONNECTS(count, kind) "\"reconnects\":{\"count\":" #count ",\"class\":\"" kind "\"}"
#define RESENT(count) "\"duplicates\":{\"resent\":" #count "}"
#define UP(ms, messages, bytes)                                                                    \
    "\"observedMs\":" #ms ",\"messages\":{\"up\":{\"messages\":" #messages ",\"bytes\":" #bytes "}}"
#define SHAKEN(version, full, resumed)                                                             \
    "\"connects\":{\"count\":2},\"handshakes\":{\"full\":" #full ",\"resumed\":" #resumed          \
    ",\"kinds\":[{\"version\":\"" version "\"}]}"
#define KEPT(asked, late) "\"keepAlive\":{\"asked\":" #asked ",\"late\":" #late "}"
#define TIMED(sent, answered, median)                                                              \
    "\"commands\":{\"sent\":" #sent ",\"answered\":" #answered ",\"medianMs\":" #median "}"

static void figures_get_worse_and_better(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *told;
    } rows[] = {
        {RECONNECTS(5, "exponential-jitter"), RECONNECTS(4, "constant"),
         "worse d: reconnect intervals were exponential-jitter, are constant\n"},
        {RECONNECTS(5, "linear"), RECONNECTS(4, "exponential"),
         "better d: reconnect intervals were linear, are exponential\n"},
        {RECONNECTS(5, "exponential"), RECONNECTS(2, "none"),
         "note d: reconnect intervals were exponential; now there are too few of them to tell\n"},
        {RECONNECTS(5, "exponential"), RECONNECTS(5, "none"),
         "worse d: reconnect intervals were exponential, are none\n"},
        {RECONNECTS(2, "none"), RECONNECTS(5, "constant"), ""},
        {RECONNECTS(5, "exponential"), RECONNECTS(9, "exponential"), ""},
        {RESENT(0), RESENT(1), "worse d: publishes sent again were 0, are 1\n"},
        {RESENT(3), RESENT(3), ""},
        {RESENT(3), RESENT(1), "better d: publishes sent again were 3, are 1\n"},
        {UP(100, 40, 4000), UP(200, 50, 5000), ""},
        {UP(100, 40, 4000), UP(200, 51, 5025),
         "worse d: messages sent were 40, are 51\nworse d: bytes sent were 4000, are 5025\n"},
        {UP(100, 4, 400), UP(100, 14, 1424), ""},
        {UP(100, 4, 400), UP(100, 15, 1425),
         "worse d: messages sent were 4, are 15\nworse d: bytes sent were 400, are 1425\n"},
        {UP(60000, 10, 0), UP(120000, 20, 0), ""},
        {UP(60000, 10, 0), UP(60000, 20, 0),
         "worse d: messages sent were 600 an hour, are 1200 an hour\n"},
        {UP(59999, 10, 0), UP(60000, 200, 0),
         "note d: it was observed for 60 s, now for 60 s: logins, messages and bytes are not "
         "compared\n"},
        {SHAKEN("TLS 1.2", 1, 1), SHAKEN("TLS 1.2", 2, 0),
         "worse d: handshakes were resumed, are all full\n"},
        {SHAKEN("TLS 1.2", 1, 1), SHAKEN("TLS 1.2", 1, 0), ""},
        {SHAKEN("TLS 1.2", 2, 0), SHAKEN("TLS 1.2", 1, 1),
         "better d: handshakes were all full, are resumed\n"},
        {SHAKEN("TLS 1.2", 1, 0), SHAKEN("TLS 1.0", 1, 0),
         "worse d: handshakes were TLS 1.2 or later, are TLS 1.0 or later\n"},
        {SHAKEN("TLS 1.2", 1, 0), "\"connects\":{\"count\":2}",
         "worse d: connections were made with TLS 1.2, are in the clear\n"},
        {"\"connects\":{\"count\":2}", SHAKEN("TLS 1.2", 1, 0),
         "better d: connections were in the clear, are made with TLS 1.2\n"},
        {KEPT(60, 0), KEPT(60, 1), "worse d: silences past the keepalive were 0, are 1\n"},
        {KEPT(60, 0), KEPT(120, 0), "note d: the keepalive was 60 s, is 120 s\n"},
        {TIMED(4, 4, 100), TIMED(4, 3, 100), "worse d: commands without an answer were 0, are 1\n"},
        {TIMED(4, 4, 1000), TIMED(4, 4, 1501),
         "worse d: ms to the answer of a command were 1000, are 1501\n"},
        {TIMED(4, 4, 1000), TIMED(4, 4, 1500), ""},
        {"", UP(100, 1000, 100000),
         "worse d: messages sent were 0, are 1000\n"
         "worse d: bytes sent were 0, are 100000\n"},
        {"\"reconnects\":7,\"messages\":[],\"handshakes\":{\"kinds\":{}}", "", ""},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        char before[512], after[512];
        snprintf(before, sizeof before, REPORT(DEVICE("d", "", "%s")), rows[i].before);
        snprintf(after, sizeof after, REPORT(DEVICE("d", "", "%s")), rows[i].after);
        compare(before, after);
        if (strcmp(told, rows[i].told) != 0)
            fail_msg("%s then %s: not\n%sbut\n%s", rows[i].before, rows[i].after, rows[i].told,
                     told);
    }
}

static void devices_come_and_go(void **state)
{
    (void)state;
    compare(REPORT(DEVICE("c", "", "") "," DEVICE("a", RULE("R", "passed"), "")),
            REPORT(DEVICE("b", RULE("R", "failed"), "") "," DEVICE("a", RULE("R", "failed"), "")));
    assert_string_equal(told, "worse a: R was passed, is failed\n"
                              "note b: it was not there before\n"
                              "note c: it is not there any more\n");
    compare(REPORT(""), REPORT(""));
    assert_string_equal(told, "");
}

static void what_is_no_report_is_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pointer, *part;
    } rows[] = {{"", "", ""},
                {"<testsuites/>", "", ""},
                {"[]", "", "no report"},
                {"{}", "", "no report"},
                {"{\"devices\":[],\"verdict\":\"passed\"}", "", "no report"},
                {"{\"format\":\"1\",\"devices\":[]}", "", "no report"},
                {"{\"format\":1,\"devices\":{}}", "", "no report"},
                {"{\"format\":2,\"devices\":[]}", "/format", "format 2"},
                {REPORT(DEVICE("d", "", "") ",7"), "/devices/1", "no device"},
                {REPORT("{\"device\":7,\"rules\":[]}"), "/devices/0", "no device"},
                {REPORT("{\"device\":\"d\"}"), "/devices/0", "no device"}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        struct sky_why why;
        assert_int_equal(sky_baseline_check(sky_span_str(rows[i].text), &why), SKY_ERR_INVALID);
        assert_string_equal(why.pointer, rows[i].pointer);
        assert_non_null(strstr(why.reason, rows[i].part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_get_worse_and_better),
        cmocka_unit_test(figures_get_worse_and_better),
        cmocka_unit_test(devices_come_and_go),
        cmocka_unit_test(what_is_no_report_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
