/* A report as one page that needs nothing else: no script, no network, to read and to print. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/journal/json.h"
#include "server/judge/align.h"
#include "server/judge/behaviour.h"
#include "server/judge/report.h"
#include "server/judge/xml.h"

enum { EVENTS_MAX = 100 }; /* of each party; there may be a thousand of them */

static const char page_start[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<meta name=\"referrer\" content=\"no-referrer\">";

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1c1f23;--dim:#5c6570;--line:#d5d9de;"
    "--box:#f5f6f8;--ok:#17692f;--okb:#dff3e4;--warn:#7a4b00;--warnb:#fdeecb;--bad:#a3191f;"
    "--badb:#fde0df}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e4e7ea;--dim:#9aa3ad;"
    "--line:#343b43;--box:#1e2329;--ok:#7bd694;--okb:#12351e;--warn:#f2c063;--warnb:#3b2b08;"
    "--bad:#ff9c97;--badb:#471618}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:75rem;padding:1rem;background:var(--bg);color:var(--fg);"
    "font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.5rem;margin:.2rem 0 .8rem}\n"
    "h2{font-size:1.15rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:2px solid "
    "var(--line)}\n"
    "h3{font-size:1rem;margin:0 0 .4rem}\n"
    "a{color:inherit}\n"
    "dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem .9rem;margin:0}\n"
    "dt{color:var(--dim)}dd{margin:0}\n"
    "@media (max-width:34rem){dl{display:block}dd{margin:0 0 .35rem}}\n"
    "code,pre,.m{font-family:ui-monospace,Consolas,\"Liberation "
    "Mono\",monospace;font-size:.85rem}\n"
    "pre{margin:.3rem 0;padding:.5rem .6rem;overflow-x:auto;background:var(--bg);border:1px solid "
    "var(--line);border-radius:4px}\n"
    ".v{display:inline-block;padding:0 .5rem;border-radius:3px;font-weight:600;white-space:nowrap;"
    "background:var(--box);color:var(--dim)}\n"
    ".passed{background:var(--okb);color:var(--ok)}.warned{background:var(--warnb);"
    "color:var(--warn)}.failed{background:var(--badb);color:var(--bad)}\n"
    "article{margin:.7rem 0;padding:.7rem .8rem;background:var(--box);border-left:4px solid "
    "var(--line);border-radius:4px;break-inside:avoid-page}\n"
    "article.f{border-color:var(--bad)}article.w{border-color:var(--warn)}\n"
    ".b mark{background:var(--badb);color:var(--bad);font-weight:700}"
    ".b i{color:var(--dim);font-style:normal}.b u{text-decoration:none;outline:1px solid "
    "currentColor;outline-offset:-1px}\n"
    ".t{overflow:auto;max-height:80vh;border:1px solid var(--line);border-radius:4px}\n"
    "table{border-collapse:collapse;font-size:.8rem}\n"
    "td,th{border:1px solid var(--line);padding:.05rem .3rem;text-align:center}\n"
    "thead th{position:sticky;top:0;background:var(--bg);vertical-align:bottom;font-weight:400}\n"
    "thead th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}\n"
    "tbody th{position:sticky;left:0;background:var(--bg);text-align:left;font-weight:400;"
    "max-width:40vw;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}\n"
    "td.p{background:var(--okb);color:var(--ok)}td.w{background:var(--warnb);color:var(--warn)}"
    "td.f{background:var(--badb);color:var(--bad);font-weight:700}\n"
    ".q{display:none}\n"
    "summary{cursor:pointer;margin:.6rem 0 .2rem}\n"
    "@media print{:root{--bg:#fff;--fg:#000;--dim:#444;--line:#999;--box:#fff;--ok:#000;--okb:#fff;"
    "--warn:#000;--warnb:#eee;--bad:#000;--badb:#ddd}body{max-width:none;padding:0;font-size:10pt}"
    "pre{white-space:pre-wrap;font-size:8pt}.b{white-space:pre}"
    ".t{overflow:visible;max-height:none;border:0}thead th,tbody th{position:static}"
    ".k{display:none}.q{display:inline}tbody "
    "th{max-width:none}table{font-size:7pt}details::details-content{content-visibility:visible;"
    "display:block}}\n"
    "</style>\n";

static const char *const marks[] = {[SKY_VERDICT_NOT_EXERCISED] = "",
                                    [SKY_VERDICT_PASSED] = "&#10003;",
                                    [SKY_VERDICT_WARNED] = "!",
                                    [SKY_VERDICT_FAILED] = "&#10007;"};
static const char *const boxes[] = {[SKY_VERDICT_NOT_EXERCISED] = "n",
                                    [SKY_VERDICT_PASSED] = "p",
                                    [SKY_VERDICT_WARNED] = "w",
                                    [SKY_VERDICT_FAILED] = "f"};

static void put_box(struct sky_buf *out, const char *verdict)
{
    bool plain = strcmp(verdict, sky_verdict_name(SKY_VERDICT_NOT_EXERCISED)) == 0;
    sky_buf_addf(out, "<span class=\"v %s\">%s</span>", plain ? "" : verdict, verdict);
}

static void put_verdict(struct sky_buf *out, enum sky_verdict verdict)
{
    put_box(out, sky_verdict_name(verdict));
}

/* ---- rows of a list ---- */

static void begin_row(struct sky_buf *out, const char *label)
{
    sky_buf_addf(out, "<dt>%s</dt><dd>", label);
}

static void end_row(struct sky_buf *out)
{
    sky_buf_add_str(out, "</dd>\n");
}

static void put_row(struct sky_buf *out, const char *label, sky_span text)
{
    if (text.len == 0)
        return;
    begin_row(out, label);
    sky_xml_text(out, text);
    end_row(out);
}

static void put_time(struct sky_buf *out, const char *label, int64_t unix_ms)
{
    char text[SKY_TIME_TEXT_MAX];
    sky_time_text(unix_ms, text);
    put_row(out, label, sky_span_str(text));
}

static void put_counts(struct sky_buf *out, const char *label, const sky_verdict_counts counts)
{
    static const enum sky_verdict order[] = {SKY_VERDICT_FAILED, SKY_VERDICT_WARNED,
                                             SKY_VERDICT_PASSED, SKY_VERDICT_NOT_EXERCISED};
    begin_row(out, label);
    for (size_t i = 0; i < SKY_COUNT(order); i++)
        sky_buf_addf(out, "%s%zu %s", i > 0 ? ", " : "", counts[order[i]],
                     sky_verdict_name(order[i]));
    end_row(out);
}

/* ---- the head ---- */

void sky_report_page_begin(struct sky_buf *out, const char *verdict)
{
    sky_buf_add_str(out, page_start);
    sky_buf_add_str(out, "<title>");
    sky_xml_str(out, verdict);
    sky_buf_add_str(out, ": skymock report</title>\n");
    sky_buf_add_str(out, style);
    sky_buf_add_str(out, "</head><body>\n");
}

void sky_report_page_end(struct sky_buf *out)
{
    sky_buf_add_str(out, "</body></html>\n");
}

/* The worse of what the rules and the device suites come to. */
static const char *whole_verdict(const struct sky_report *report)
{
    static const char *const worse[] = {"failed", "not exercised", "warned"};
    const char *rules = sky_verdict_name(report->verdict);
    for (size_t i = 0; i < SKY_COUNT(worse) && report->suites != NULL; i++)
        if (strcmp(report->suites, worse[i]) == 0 || strcmp(rules, worse[i]) == 0)
            return worse[i];
    return rules;
}

static void head(struct sky_buf *out, const struct sky_report *report)
{
    const char *whole = whole_verdict(report);
    sky_report_page_begin(out, whole);
    sky_buf_add_str(out, "<h1>skymock report: ");
    put_box(out, whole);
    sky_buf_add_str(out, "</h1>\n<dl>\n");
    begin_row(out, "Rules of the clouds");
    put_verdict(out, report->verdict);
    end_row(out);
    if (report->suites != NULL) {
        begin_row(out, "Device suites");
        put_box(out, report->suites);
        end_row(out);
    }
    put_row(out, "About",
            *report->scope != '\0' ? sky_span_str(report->scope) : SKY_SPAN("everybody"));
    put_counts(out, "Devices", report->parties);
    put_counts(out, "Rules", report->rules);
    put_row(out, "Time told of",
            sky_span_str(report->whole_run ? "the whole run" : "since the last reset"));
    put_time(out, "Server started", report->started_ms);
    put_time(out, "Report made", report->ended_ms);
    put_time(out, "Virtual time then", report->now_ms);
    begin_row(out, "Events");
    sky_buf_addf(out, "%llu", (unsigned long long)report->events);
    if (report->events_lost > 0)
        sky_buf_addf(out, ", and %llu old ones there was no room for",
                     (unsigned long long)report->events_lost);
    end_row(out);
    put_row(out, "Rules profile", sky_span_str(sky_profile_name(report->catalogue->profile)));
    begin_row(out, "Seed");
    if (report->seeded)
        sky_buf_addf(out, "%lld", (long long)report->seed);
    else
        sky_buf_add_str(out, "random");
    end_row(out);
    put_row(out, "skymock", sky_span_str(report->version));
    if (report->strangers_lost > 0) {
        begin_row(out, "Not shown");
        sky_buf_addf(out, "%llu that were no device", (unsigned long long)report->strangers_lost);
        end_row(out);
    }
    sky_buf_add_str(out, "</dl>\n");
}

/* ---- device by rule ---- */

/* Columns: what somebody broke, then what was kept, which is left out on paper. */
static void table(struct sky_buf *out, const struct sky_report *report,
                  const struct sky_report_cloud *cloud)
{
    const struct sky_catalogue *catalogue = report->catalogue;
    sky_buf_add_str(out, "<h2>");
    sky_xml_str(out, cloud->cloud != NULL ? cloud->cloud->title : "No known cloud");
    sky_buf_add_str(out, ": devices and rules</h2>\n<p>&#10003; kept, ! warned, &#10007; failed, "
                         "empty: not exercised. Rules that nobody here touched are left out<span "
                         "class=\"q\">, and on paper those that all have kept</span>.</p>\n<div "
                         "class=\"t\" tabindex=\"0\"><table><thead><tr><th></th>");
    for (size_t i = 0; i < catalogue->rule_count; i++)
        if (sky_report_breaks(cloud, i))
            sky_buf_addf(out, "<th><span>%s</span></th>", sky_catalogue_at(catalogue, i)->id);
    for (size_t i = 0; i < catalogue->rule_count; i++)
        if (sky_report_keeps(cloud, i))
            sky_buf_addf(out, "<th class=\"k\"><span>%s</span></th>",
                         sky_catalogue_at(catalogue, i)->id);
    sky_buf_add_str(out, "</tr></thead><tbody>\n");
}

static void put_cell(struct sky_buf *out, const char *more, enum sky_verdict verdict)
{
    sky_buf_addf(out, "<td class=\"%s%s\">%s", more, boxes[verdict], marks[verdict]);
}

static void row(struct sky_buf *out, const struct sky_report *report,
                const struct sky_report_cloud *cloud, const struct sky_report_party *p)
{
    const struct sky_catalogue *catalogue = report->catalogue;
    sky_buf_addf(out, "<tr><th><a href=\"#p%zu\">", p->place);
    sky_xml_str(out, p->name);
    sky_buf_add_str(out, "</a></th>");
    for (size_t i = 0; i < catalogue->rule_count; i++)
        if (sky_report_breaks(cloud, i))
            put_cell(out, "", sky_verdict_of_rule(catalogue, i, p->conduct));
    for (size_t i = 0; i < catalogue->rule_count; i++)
        if (sky_report_keeps(cloud, i))
            put_cell(out, "k ", sky_verdict_of_rule(catalogue, i, p->conduct));
    sky_buf_add_str(out, "</tr>\n");
}

static void table_end(struct sky_buf *out)
{
    sky_buf_add_str(out, "</tbody></table></div>\n");
}

/* ---- byte by byte ---- */

/* One byte as it can be seen: a blank as a dot, what has no sign of its own as its number, framed,
 * so that nobody takes it for the same characters. `width` 0: none stands here. */
static size_t put_byte(struct sky_buf *out, sky_span text, int at)
{
    uint8_t byte = at < 0 ? 0 : (uint8_t)text.ptr[at];
    if (at < 0)
        return 0;
    if (byte == ' ') {
        sky_buf_add_str(out, "<i>&#183;</i>");
        return 1;
    }
    if (byte > ' ' && byte < 0x7f) {
        sky_xml_text(out, sky_span_of(&byte, 1));
        return 1;
    }
    sky_buf_addf(out, "<u>\\x%02x</u>", byte);
    return sizeof "\\xNN" - 1;
}

static size_t width_of(sky_span text, int at)
{
    uint8_t byte = at < 0 ? 0 : (uint8_t)text.ptr[at];
    return at < 0 ? 0 : byte >= ' ' && byte < 0x7f ? 1 : sizeof "\\xNN" - 1;
}

/* One of two aligned texts: `own` picks its offset in a column. What the other has not stands
 * marked, and what it lacks leaves room. */
static void put_aligned(struct sky_buf *out, const struct sky_columns *columns, sky_span text,
                        sky_span other, bool second)
{
    bool marked = false;
    for (size_t i = 0; i < columns->count; i++) {
        int own = second ? columns->list[i].b : columns->list[i].a;
        int its = second ? columns->list[i].a : columns->list[i].b;
        bool same = own >= 0 && its >= 0 && text.ptr[own] == other.ptr[its];
        if (marked == same)
            sky_buf_add_str(out, same ? "</mark>" : "<mark>");
        marked = !same;
        size_t room = width_of(other, its);
        for (size_t width = put_byte(out, text, own); width < room; width++)
            sky_buf_add_byte(out, ' ');
    }
    sky_buf_add_str(out, marked ? "</mark>\n" : "\n");
}

static void put_bytes(struct sky_buf *out, sky_span due, sky_span sent)
{
    sky_buf_add_str(out, "<pre class=\"b\" tabindex=\"0\">due   ");
    if (sent.len == 0) {
        for (size_t i = 0; i < due.len; i++)
            put_byte(out, due, (int)i);
        sky_buf_add_str(out, "</pre>\n");
        return;
    }
    struct sky_columns *columns = sky_align(due, sent);
    put_aligned(out, columns, due, sent, false);
    sky_buf_add_str(out, "sent  ");
    put_aligned(out, columns, sent, due, true);
    sky_buf_add_str(out, "</pre>\n");
    free(columns);
}

/* ---- parties ---- */

/* Each line has a label in front. */
static void put_behaviour(struct sky_buf *out, const struct sky_behaviour *behaviour)
{
    struct sky_buf json, lines;
    sky_buf_init(&json, SKY_REPORT_PIECE_MAX);
    sky_buf_init(&lines, SKY_REPORT_PIECE_MAX);
    struct sky_jw jw = sky_jw(&json);
    sky_behaviour_print(behaviour, &jw);
    sky_behaviour_tell(sky_buf_span(&json), "", &lines);
    sky_span rest = sky_buf_span(&lines), line, label, text;
    while (sky_span_next(&rest, '\n', &line)) {
        if (!sky_span_cut(line, ':', &label, &text))
            continue;
        sky_buf_add_str(out, "<dt>");
        sky_xml_text(out, label);
        sky_buf_add_str(out, "</dt><dd>");
        sky_xml_text(out, sky_span_trim(text));
        end_row(out);
    }
    sky_buf_done(&lines);
    sky_buf_done(&json);
}

static void put_topics(struct sky_buf *out, const struct sky_behaviour_acts *acts)
{
    sky_buf_add_str(out, "<details><summary>Topics</summary><div class=\"t\" tabindex=\"0\"><table>"
                         "<thead><tr><th>topic</th><th>up</th><th>bytes</th><th>down</th>"
                         "<th>bytes</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < acts->topic_count; i++) {
        const struct sky_behaviour_topic *topic = &acts->topics[i];
        const struct sky_traffic *up = &topic->traffic[SKY_WAY_UP];
        const struct sky_traffic *down = &topic->traffic[SKY_WAY_DOWN];
        if (up->count == 0 && down->count == 0)
            continue;
        sky_buf_add_str(out, "<tr><th>");
        if (topic->name != NULL)
            sky_xml_text(out, sky_span_of(topic->name, topic->len));
        else
            sky_buf_add_str(out, "others");
        sky_buf_addf(out, "</th><td>%llu</td><td>%llu</td><td>%llu</td><td>%llu</td></tr>\n",
                     (unsigned long long)up->count, (unsigned long long)up->bytes,
                     (unsigned long long)down->count, (unsigned long long)down->bytes);
    }
    sky_buf_add_str(out, "</tbody></table></div></details>\n");
}

static void party(struct sky_buf *out, const struct sky_report *report,
                  const struct sky_report_party *p)
{
    const struct sky_behaviour *behaviour = &p->conduct->behaviour;
    (void)report;
    sky_buf_addf(out, "<section id=\"p%zu\"><h2>", p->place);
    sky_xml_str(out, p->name);
    sky_buf_add_byte(out, ' ');
    put_verdict(out, p->verdict);
    sky_buf_add_str(out, "</h2>\n<dl>\n");
    if (!p->device)
        put_row(out, "Registered",
                sky_span_str(p->gone ? "no: it has been removed"
                                     : "no: this is what it claimed to be"));
    put_counts(out, "Rules", p->rules);
    if (behaviour->known)
        put_behaviour(out, behaviour);
    sky_buf_add_str(out, "</dl>\n");
    if (sky_behaviour_acts(behaviour)->topic_count > 0)
        put_topics(out, sky_behaviour_acts(behaviour));
}

static void put_explained(struct sky_buf *out, const char *label, const struct sky_proof *proof,
                          const char *member)
{
    struct sky_buf text;
    sky_buf_init(&text, SKY_REPORT_PIECE_MAX);
    sky_json_decode(&text, sky_report_explained(proof, member));
    put_row(out, label, sky_buf_span(&text));
    sky_buf_done(&text);
}

static void put_signed(struct sky_buf *out, const struct sky_proof *proof)
{
    struct sky_buf due, sent;
    sky_buf_init(&due, SKY_REPORT_PIECE_MAX);
    sky_buf_init(&sent, SKY_REPORT_PIECE_MAX);
    sky_json_decode(&due, sky_report_explained(proof, "signedText"));
    sky_json_decode(&sent, sky_report_explained(proof, "sentText"));
    if (due.len > 0) {
        begin_row(out, "Signed text");
        put_bytes(out, sky_buf_span(&due), sky_buf_span(&sent));
        end_row(out);
    }
    sky_buf_done(&due);
    sky_buf_done(&sent);
}

static void put_events(struct sky_buf *out, const struct sky_proof *proof)
{
    if (proof->count == 0)
        return;
    begin_row(out, "Events");
    sky_buf_addf(out, "%llu:", (unsigned long long)proof->count);
    for (size_t i = 0; i < sky_proof_shown(proof); i++)
        sky_buf_addf(
            out, " %s%llu",
            i == SKY_PROOF_EVENTS_MAX - 1 && proof->count > SKY_PROOF_EVENTS_MAX ? "&#8230; " : "",
            (unsigned long long)proof->events[i]);
    end_row(out);
}

/* What was broken; the table has the others. */
static void rule(struct sky_buf *out, const struct sky_report *report,
                 const struct sky_report_party *p, const struct sky_report_rule *r)
{
    const struct sky_proof *proof = r->proof;
    (void)p;
    if (proof == NULL)
        return;
    sky_buf_addf(out, "<article class=\"%s\"><h3>", boxes[r->verdict]);
    put_verdict(out, r->verdict);
    sky_buf_addf(out, " <span class=\"m\">%s</span> ", r->row->id);
    sky_xml_str(out, r->row->statement);
    sky_buf_add_str(out, "</h3>\n<dl>\n");
    put_row(out, "Mistake", sky_span_str(proof->mistake));
    put_explained(out, "Second mistake", proof, "secondMistake");
    put_row(out, "What it did", sky_span_str(proof->what));
    put_row(out, "Found", sky_span_str(proof->detail));
    put_signed(out, proof);
    put_explained(out, "Right signature begins", proof, "expectedPrefix");
    put_explained(out, "Registered under similar names", proof, "similar");
    put_explained(out, "Note", proof, "note");
    put_row(out, "Hint", sky_span_str(sky_catalogue_hint(report->catalogue, r->row)));
    put_row(out, "Source", sky_span_str(r->row->source));
    put_events(out, proof);
    sky_buf_add_str(out, "</dl></article>\n");
}

static void timeline(struct sky_buf *out, const struct sky_report *report,
                     const struct sky_report_party *p)
{
    (void)report;
    sky_buf_addf(out,
                 "<details%s><summary>Timeline: ", p->verdict == SKY_VERDICT_PASSED ? "" : " open");
    if (p->events > EVENTS_MAX)
        sky_buf_addf(out,
                     "the last %d of %llu events (<code>skymock events</code> and the JUnit report "
                     "have all)",
                     EVENTS_MAX, (unsigned long long)p->events);
    else
        sky_buf_addf(out, "%llu event%s", (unsigned long long)p->events, p->events == 1 ? "" : "s");
    sky_buf_add_str(out, "</summary><pre tabindex=\"0\">");
}

static void party_end(struct sky_buf *out, const struct sky_report *report,
                      const struct sky_report_party *p)
{
    (void)report;
    (void)p;
    sky_buf_add_str(out, "</pre></details></section>\n");
}

/* What the ids in the tables stand for. */
static void end(struct sky_buf *out, const struct sky_report *report)
{
    sky_buf_add_str(out, "<h2>Rules that were touched</h2>\n<dl>\n");
    for (size_t i = 0; i < report->catalogue->rule_count; i++) {
        const struct sky_rule *r = sky_catalogue_at(report->catalogue, i);
        bool touched = false;
        for (size_t k = 0; k < report->cloud_count; k++)
            touched |=
                sky_report_breaks(&report->clouds[k], i) || sky_report_keeps(&report->clouds[k], i);
        if (!touched)
            continue;
        sky_buf_addf(out, "<dt class=\"m\">%s</dt><dd>", r->id);
        sky_xml_str(out, r->statement);
        sky_buf_add_str(out, " (");
        sky_xml_str(out, r->source);
        sky_buf_add_str(out, ")</dd>\n");
    }
    sky_buf_add_str(out, "</dl>\n");
    sky_report_page_end(out);
}

const struct sky_report_form sky_report_html = {.content_type = "text/html; charset=utf-8",
                                                .end_mark = "</html>\n",
                                                .head = head,
                                                .table = table,
                                                .row = row,
                                                .table_end = table_end,
                                                .party = party,
                                                .rule = rule,
                                                .timeline = timeline,
                                                .events_max = EVENTS_MAX,
                                                .event = sky_xml_line,
                                                .party_end = party_end,
                                                .end = end};
