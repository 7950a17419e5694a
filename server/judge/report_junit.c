/* A report as JUnit XML: a test suite for each party, a test case for each rule. */
#include <stdio.h>

#include "protocol/base/json_view.h"
#include "server/judge/behaviour.h"
#include "server/judge/report.h"
#include "server/judge/xml.h"

static void put_attribute(struct sky_buf *out, const char *name, const char *value)
{
    sky_xml_attribute(out, name, sky_span_str(value));
}

static void put_counts(struct sky_buf *out, const sky_verdict_counts counts)
{
    sky_buf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"",
                 counts[SKY_VERDICT_NOT_EXERCISED] + counts[SKY_VERDICT_PASSED] +
                     counts[SKY_VERDICT_WARNED] + counts[SKY_VERDICT_FAILED],
                 counts[SKY_VERDICT_FAILED], counts[SKY_VERDICT_NOT_EXERCISED]);
}

static void head(struct sky_buf *out, const struct sky_report *report)
{
    sky_buf_add_str(out,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"skymock\"");
    put_counts(out, report->rules);
    sky_buf_add_str(out, ">\n");
}

static void put_property(struct sky_buf *out, sky_span name, sky_span value)
{
    sky_buf_add_str(out, "      <property");
    sky_xml_attribute(out, "name", name);
    sky_xml_attribute(out, "value", value);
    sky_buf_add_str(out, "/>\n");
}

static void put_named(struct sky_buf *out, const char *name, const char *value)
{
    put_property(out, sky_span_str(name), sky_span_str(value));
}

/* A value as one property, or each of what it holds as its own: "profile.reconnects.class",
 * "profile.topics.0.up.bytes". `name` is put back. */
static void put_figures(struct sky_buf *out, struct sky_buf *name, sky_span value)
{
    struct sky_json_member member;
    struct sky_buf text;
    size_t len = name->len, at = 0;
    sky_span rest = sky_json_inside(value);
    if (sky_json_is_object(value)) {
        while (sky_json_next_member(&rest, &member)) {
            sky_buf_addf(name, ".%.*s", SKY_SPAN_ARGS(member.key));
            put_figures(out, name, member.value);
            name->len = len;
        }
    } else if (sky_json_is_array(value)) {
        while (sky_json_next_element(&rest, &member.value)) {
            sky_buf_addf(name, ".%zu", at++);
            put_figures(out, name, member.value);
            name->len = len;
        }
    } else {
        sky_buf_init(&text, SKY_REPORT_PIECE_MAX);
        sky_json_decode(&text, sky_json_text(value));
        put_property(out, sky_buf_span(name), sky_buf_span(&text));
        sky_buf_done(&text);
    }
}

static void put_behaviour(struct sky_buf *out, const struct sky_behaviour *behaviour)
{
    struct sky_buf json, name;
    sky_buf_init(&json, SKY_REPORT_PIECE_MAX);
    sky_buf_init(&name, SKY_REPORT_MESSAGE_MAX);
    struct sky_jw jw = sky_jw(&json);
    sky_behaviour_print(behaviour, &jw);
    sky_buf_add_str(&name, "profile");
    put_figures(out, &name, sky_buf_span(&json));
    sky_buf_done(&name);
    sky_buf_done(&json);
}

static void party(struct sky_buf *out, const struct sky_report *report,
                  const struct sky_report_party *p)
{
    char seed[24] = "random";
    if (report->seeded)
        snprintf(seed, sizeof seed, "%lld", (long long)report->seed);
    sky_buf_add_str(out, "  <testsuite");
    put_attribute(out, "name", p->name);
    put_counts(out, p->rules);
    sky_buf_add_str(out, ">\n    <properties>\n");
    put_named(out, "version", report->version);
    put_named(out, "seed", seed);
    put_named(out, "profile", sky_profile_name(report->catalogue->profile));
    put_named(out, "verdict", sky_verdict_name(p->verdict));
    put_named(out, "registered", p->device ? "true" : "false");
    if (p->conduct->behaviour.known)
        put_behaviour(out, &p->conduct->behaviour);
    sky_buf_add_str(out, "    </properties>\n");
}

static void put_line(struct sky_buf *out, const char *label, const char *text)
{
    if (*text == '\0')
        return;
    sky_buf_addf(out, "%s: ", label);
    sky_xml_str(out, text);
    sky_buf_add_byte(out, '\n');
}

/* What the explanation has beyond what the proof says itself. */
static void put_explanation(struct sky_buf *out, const struct sky_proof *proof)
{
    static const struct {
        const char *member, *label;
    } lines[] = {{"secondMistake", "second mistake"},
                 {"signedText", "due to be signed"},
                 {"sentText", "signed by the device"},
                 {"expectedPrefix", "signature begins with"},
                 {"similar", "registered"},
                 {"note", "note"}};
    struct sky_buf text;
    sky_buf_init(&text, SKY_REPORT_PIECE_MAX);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        sky_buf_clear(&text);
        sky_json_decode(&text, sky_report_explained(proof, lines[i].member));
        sky_buf_add_byte(&text, '\0');
        put_line(out, lines[i].label, text.bytes);
    }
    sky_buf_done(&text);
}

static void put_proof(struct sky_buf *out, const struct sky_report *report,
                      const struct sky_report_party *p, const struct sky_report_rule *r)
{
    const struct sky_proof *proof = r->proof;
    put_line(out, "mistake", proof->mistake);
    put_line(out, "what", proof->what);
    put_line(out, "found", proof->detail);
    put_explanation(out, proof);
    put_line(out, "hint", sky_catalogue_hint(report->catalogue, r->row));
    put_line(out, "source", r->row->source);
    sky_buf_addf(out, "events (%llu):", (unsigned long long)proof->count);
    for (size_t i = 0; i < sky_proof_shown(proof); i++)
        sky_buf_addf(out, " %llu", (unsigned long long)proof->events[i]);
    sky_buf_add_byte(out, '\n');
    if (p->last.len > 0 && r->verdict == SKY_VERDICT_FAILED) {
        sky_buf_add_str(out, "last events:\n");
        sky_xml_text(out, p->last);
    }
}

/* A warning is no failure, but what a test suite prints should show it; so should a remark. */
static void rule(struct sky_buf *out, const struct sky_report *report,
                 const struct sky_report_party *p, const struct sky_report_rule *r)
{
    char text[SKY_REPORT_MESSAGE_MAX];
    bool failed = r->verdict == SKY_VERDICT_FAILED;
    sky_buf_add_str(out, "    <testcase");
    put_attribute(out, "classname", p->name);
    snprintf(text, sizeof text, "%s: %s", r->row->id, r->row->statement);
    put_attribute(out, "name", text);
    if (r->proof == NULL) {
        sky_buf_add_str(out,
                        r->verdict == SKY_VERDICT_PASSED
                            ? "/>\n"
                            : "><skipped message=\"nothing exercised this rule\"/></testcase>\n");
        return;
    }
    sky_buf_addf(out, "><%s", failed ? "failure" : "system-out");
    if (failed) {
        bool more = r->proof->what[0] != '\0';
        snprintf(text, sizeof text, "%s: %s%s%s", r->row->statement, r->proof->detail,
                 more ? ": " : "", r->proof->what);
        put_attribute(out, "message", text);
        put_attribute(out, "type", r->row->id);
    }
    sky_buf_add_byte(out, '>');
    put_proof(out, report, p, r);
    sky_buf_addf(out, "</%s></testcase>\n", failed ? "failure" : "system-out");
}

static void timeline(struct sky_buf *out, const struct sky_report *report,
                     const struct sky_report_party *p)
{
    (void)report;
    (void)p;
    sky_buf_add_str(out, "    <system-out>\n");
}

static void party_end(struct sky_buf *out, const struct sky_report *report,
                      const struct sky_report_party *p)
{
    (void)report;
    (void)p;
    sky_buf_add_str(out, "    </system-out>\n  </testsuite>\n");
}

static void end(struct sky_buf *out, const struct sky_report *report)
{
    (void)report;
    sky_buf_add_str(out, "</testsuites>\n");
}

const struct sky_report_form sky_report_junit = {.content_type = "application/xml",
                                                 .end_mark = "</testsuites>\n",
                                                 .head = head,
                                                 .party = party,
                                                 .rule = rule,
                                                 .timeline = timeline,
                                                 .events_max = SIZE_MAX,
                                                 .event = sky_xml_line,
                                                 .party_end = party_end,
                                                 .end = end};
