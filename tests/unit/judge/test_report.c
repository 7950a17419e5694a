#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/judge/align.h"
#include "server/judge/report.h"
#include "server/judge/xml.h"

/* ---- text ---- */

static void what_xml_cannot_hold_is_a_question_mark(void **state)
{
    (void)state;
    static const struct {
        sky_span given;
        const char *text;
    } table[] = {
        {SKY_SPAN("plain"), "plain"},
        {SKY_SPAN("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;'"},
        {SKY_SPAN("]]>"), "]]&gt;"},
        {SKY_SPAN("a\0b\x01\x1f\x7f"), "a?b??\x7f"},
        {SKY_SPAN("\t\n\r"), "\t\n&#13;"},
        {SKY_SPAN("m\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80"),
         "m\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80"},
        {SKY_SPAN("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"), "??\xef\xbf\xbd"},
        {SKY_SPAN("\xc3"), "?"},
        {SKY_SPAN("\xed\xa0\x80"), "???"}, /* a surrogate */
        {SKY_SPAN("\xc0\x80"), "??"},      /* longer than it need be */
    };
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        struct sky_buf out;
        sky_buf_init(&out, 1024);
        sky_xml_text(&out, table[i].given);
        sky_buf_add_byte(&out, '\0');
        assert_string_equal(out.bytes, table[i].text);
        sky_buf_done(&out);
    }
}

static void an_attribute_keeps_its_line_breaks(void **state)
{
    (void)state;
    struct sky_buf out;
    sky_buf_init(&out, 1024);
    sky_xml_attribute(&out, "a", SKY_SPAN("1\n2\t\"3\""));
    sky_buf_add_byte(&out, '\0');
    assert_string_equal(out.bytes, " a=\"1&#10;2&#9;&quot;3&quot;\"");
    sky_buf_done(&out);
}

/* ---- alignment ---- */

/* Two lines, with '-' where nothing stands. */
static void write_aligned(sky_span a, sky_span b, char *first, char *second)
{
    struct sky_columns *columns = sky_align(a, b);
    for (size_t i = 0; i < columns->count; i++) {
        first[i] = (char)(columns->list[i].a < 0 ? '-' : a.ptr[columns->list[i].a]);
        second[i] = (char)(columns->list[i].b < 0 ? '-' : b.ptr[columns->list[i].b]);
    }
    first[columns->count] = second[columns->count] = '\0';
    free(columns);
}

static void what_both_have_stands_in_one_column(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *first, *second;
    } table[] = {
        {"", "", "", ""},
        {"same", "same", "same", "same"},
        {"", "new", "---", "new"},
        {"gone", "", "gone", "----"},
        {"abcdef", "abXdef", "abcdef", "abXdef"},
        {"ab", "aab", "a-b", "aab"},
        {"name1value", "1", "name1value", "----1-----"},
        {"keyAvalueB", "valueB", "keyAvalueB", "----valueB"},
        {"xyz", "abc", "xyz", "abc"},
        {"deviceNamedeviceproductKeypk", "devicepk", "deviceNamedeviceproductKeypk",
         "device--------------------pk"},
    };
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        char first[64], second[64];
        write_aligned(sky_span_str(table[i].a), sky_span_str(table[i].b), first, second);
        assert_string_equal(first, table[i].first);
        assert_string_equal(second, table[i].second);
    }
}

static void every_byte_has_its_column(void **state)
{
    (void)state;
    enum { MAX = SKY_ALIGN_MAX + 1 };
    static char a[MAX], b[MAX];
    for (size_t len = SKY_ALIGN_MAX; len <= MAX; len++) {
        for (size_t i = 0; i < len; i++) {
            a[i] = (char)('a' + i % 7);
            b[i] = (char)('a' + i % 11);
        }
        b[0] = '<';
        b[len - 1] = '>';
        struct sky_columns *columns = sky_align(sky_span_of(a, len), sky_span_of(b, len));
        int next_a = 0, next_b = 0;
        for (size_t i = 0; i < columns->count; i++) {
            if (columns->list[i].a >= 0)
                assert_int_equal(columns->list[i].a, next_a++);
            if (columns->list[i].b >= 0)
                assert_int_equal(columns->list[i].b, next_b++);
        }
        assert_int_equal(next_a, len);
        assert_int_equal(next_b, len);
        free(columns);
    }
}

/* ---- forms ---- */

static const struct sky_rule general[] = {
    {.id = "X-KEPT", .statement = "kept", .source = "s", .hint = "h", .severity = SKY_ERROR},
    {.id = "X-BROKEN", .statement = "a < b", .source = "s", .hint = "h", .severity = SKY_ERROR},
    {.id = "X-IDLE", .statement = "idle", .source = "s", .hint = "h", .severity = SKY_ERROR}};

struct told {
    struct sky_catalogue catalogue;
    struct sky_report report;
    struct sky_proof proof;
    struct sky_conduct conduct;
    struct sky_report_party party;
};

static void make(struct told *told)
{
    *told = (struct told){.proof = {.rule = &general[1],
                                    .refused = true,
                                    .count = 12,
                                    .events = {1, 2, 3, 4, 5, 6, 7, 8, 9, 30},
                                    .detail = "b < a",
                                    .mistake = "backwards",
                                    .what = "The device \x01 did"}};
    sky_catalogue_init(&told->catalogue);
    sky_catalogue_add(&told->catalogue, (struct sky_rule_table){"general", general, 3, false});
    static char explanation[] = "{\"signedText\":\"abc\\u00e9 \",\"sentText\":\"abd\"}";
    told->proof.explanation = explanation;
    told->conduct.proofs = &told->proof;
    sky_rule_set_add(&told->conduct.exercised, 0);
    told->report = (struct sky_report){
        .catalogue = &told->catalogue, .version = "1", .scope = "", .expected = SKY_SPAN("[]")};
    told->party = (struct sky_report_party){
        .name = "a/<b>/c", .device = true, .conduct = &told->conduct, .last = SKY_SPAN("7 <x>\n")};
    sky_report_judge(&told->report, &told->party);
    sky_report_count(&told->report, &told->party);
}

static void whoever_is_counted_stands_in_the_head(void **state)
{
    (void)state;
    struct told told;
    make(&told);
    assert_int_equal(told.party.verdict, SKY_VERDICT_FAILED);
    assert_int_equal(told.report.verdict, SKY_VERDICT_FAILED);
    assert_int_equal(told.report.parties[SKY_VERDICT_FAILED], 1);
    assert_int_equal(told.report.rules[SKY_VERDICT_FAILED], 1);
    assert_int_equal(told.report.rules[SKY_VERDICT_PASSED], 1);
    assert_int_equal(told.report.rules[SKY_VERDICT_NOT_EXERCISED], 1);
    assert_int_equal(told.report.cloud_count, 1);
    assert_true(sky_report_keeps(&told.report.clouds[0], 0));
    assert_true(sky_report_breaks(&told.report.clouds[0], 1));
    assert_false(sky_report_keeps(&told.report.clouds[0], 1));
    assert_false(sky_report_keeps(&told.report.clouds[0], 2));
}

static void tell(struct told *told, const struct sky_report_form *form, struct sky_buf *out)
{
    sky_buf_init(out, 1024 * 1024);
    form->head(out, &told->report);
    if (form->table != NULL) {
        form->table(out, &told->report, &told->report.clouds[0]);
        form->row(out, &told->report, &told->report.clouds[0], &told->party);
        form->table_end(out);
    }
    if (form->parties != NULL)
        form->parties(out);
    form->party(out, &told->report, &told->party);
    for (size_t i = 0; i < told->catalogue.rule_count; i++) {
        struct sky_report_rule rule = sky_report_rule(&told->report, &told->party, i);
        size_t before = out->len;
        form->rule(out, &told->report, &told->party, &rule);
        told->party.told += out->len > before;
    }
    if (form->timeline != NULL)
        form->timeline(out, &told->report, &told->party);
    if (form->events_max > 0)
        form->event(out, SKY_SPAN("7 <x>"));
    form->party_end(out, &told->report, &told->party);
    form->end(out, &told->report);
    assert_false(out->overflow);
    assert_true(sky_span_ends(sky_buf_span(out), sky_span_str(form->end_mark)));
    sky_buf_add_byte(out, '\0');
}

static void junit_tells_why(void **state)
{
    (void)state;
    struct told told;
    struct sky_buf out;
    make(&told);
    tell(&told, &sky_report_junit, &out);
    assert_non_null(strstr(out.bytes, "message=\"a &lt; b: b &lt; a: The device ? did\""));
    assert_non_null(strstr(out.bytes, "due to be signed: abc\xc3\xa9 \n"));
    assert_non_null(strstr(out.bytes, "events (12): 1 2 3 4 5 6 7 8 9 30\n"));
    assert_non_null(strstr(out.bytes, "last events:\n7 &lt;x&gt;\n</failure>"));
    assert_non_null(strstr(out.bytes, "name=\"X-KEPT: kept\"/>"));
    assert_non_null(strstr(out.bytes, "name=\"X-IDLE: idle\"><skipped"));
    sky_buf_done(&out);
}

static void data_is_json(void **state)
{
    (void)state;
    struct told told;
    struct sky_buf out;
    make(&told);
    tell(&told, &sky_report_json, &out);
    assert_int_equal(sky_json_check(sky_span_head(sky_buf_span(&out), out.len - 1), 16, NULL),
                     SKY_OK);
    assert_non_null(strstr(out.bytes, "\"notExercised\":[\"X-IDLE\"]"));
    sky_buf_done(&out);
}

static void a_page_shows_bytes_that_cannot_be_seen(void **state)
{
    (void)state;
    struct told told;
    struct sky_buf out;
    make(&told);
    tell(&told, &sky_report_html, &out);
    assert_non_null(strstr(out.bytes,
                           "due   ab<mark>c<u>\\xc3</u><u>\\xa9</u><i>&#183;</i></mark>\n"
                           "sent  ab<mark>d         </mark>\n"));
    assert_null(strstr(out.bytes, "<b>"));
    assert_null(strstr(out.bytes, "<x>"));
    sky_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_xml_cannot_hold_is_a_question_mark),
        cmocka_unit_test(an_attribute_keeps_its_line_breaks),
        cmocka_unit_test(what_both_have_stands_in_one_column),
        cmocka_unit_test(every_byte_has_its_column),
        cmocka_unit_test(whoever_is_counted_stands_in_the_head),
        cmocka_unit_test(junit_tells_why),
        cmocka_unit_test(data_is_json),
        cmocka_unit_test(a_page_shows_bytes_that_cannot_be_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
