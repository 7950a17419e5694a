/* A report as data: what a program reads, and what a later run is compared with. */
#include "server/journal/json.h"
#include "server/judge/behaviour.h"
#include "server/judge/report.h"

void sky_report_put_rule(struct sky_jw *jw, const struct sky_catalogue *catalogue, size_t index)
{
    const struct sky_rule *rule = sky_catalogue_at(catalogue, index);
    sky_jw_put_str(jw, "id", rule->id);
    sky_jw_put_str(jw, "owner", sky_catalogue_owner(catalogue, index));
    sky_jw_put_str(jw, "severity", sky_severity_name(rule->severity));
    sky_jw_put_str(jw, "statement", rule->statement);
    sky_jw_put_str(jw, "hint", sky_catalogue_hint(catalogue, rule));
    sky_jw_put_str(jw, "source", rule->source);
}

static void put_proof(struct sky_jw *jw, const struct sky_proof *proof)
{
    sky_jw_put_str(jw, "detail", proof->detail);
    if (proof->mistake[0] != '\0')
        sky_jw_put_str(jw, "mistake", proof->mistake);
    if (proof->what[0] != '\0')
        sky_jw_put_str(jw, "what", proof->what);
    if (proof->explanation != NULL) {
        sky_jw_key(jw, "explanation");
        sky_jw_raw(jw, sky_span_str(proof->explanation));
    }
    sky_jw_put_bool(jw, "refused", proof->refused);
    sky_jw_put_int(jw, "count", (int64_t)proof->count);
    sky_jw_key(jw, "events");
    sky_jw_array(jw);
    for (size_t i = 0; i < sky_proof_shown(proof); i++)
        sky_jw_int(jw, (int64_t)proof->events[i]);
    sky_jw_end_array(jw);
}

void sky_report_put_verdict(struct sky_jw *jw, const struct sky_catalogue *catalogue,
                            const struct sky_report_rule *rule)
{
    sky_jw_object(jw);
    sky_report_put_rule(jw, catalogue, rule->index);
    sky_jw_put_str(jw, "verdict", sky_verdict_name(rule->verdict));
    if (rule->proof != NULL)
        put_proof(jw, rule->proof);
    sky_jw_end_object(jw);
}

static void put_time(struct sky_jw *jw, const char *key, int64_t unix_ms)
{
    char text[SKY_TIME_TEXT_MAX];
    sky_time_text(unix_ms, text);
    sky_jw_put_str(jw, key, text);
}

static void put_counts(struct sky_jw *jw, const char *key, const sky_verdict_counts counts)
{
    static const char *const names[] = {[SKY_VERDICT_NOT_EXERCISED] = "notExercised",
                                        [SKY_VERDICT_PASSED] = "passed",
                                        [SKY_VERDICT_WARNED] = "warned",
                                        [SKY_VERDICT_FAILED] = "failed"};
    sky_jw_key(jw, key);
    sky_jw_object(jw);
    for (size_t i = 0; i <= SKY_VERDICT_FAILED; i++)
        sky_jw_put_int(jw, names[i], (int64_t)counts[i]);
    sky_jw_end_object(jw);
}

static void put_run(struct sky_jw *jw, const struct sky_report *report)
{
    sky_jw_key(jw, "run");
    sky_jw_object(jw);
    sky_jw_put_str(jw, "version", report->version);
    sky_jw_put_str(jw, "profile", sky_profile_name(report->catalogue->profile));
    sky_jw_key(jw, "seed");
    if (report->seeded)
        sky_jw_int(jw, report->seed);
    else
        sky_jw_null(jw);
    sky_jw_put_str(jw, "scope", report->scope);
    sky_jw_put_bool(jw, "whole", report->whole_run);
    put_time(jw, "started", report->started_ms);
    put_time(jw, "ended", report->ended_ms);
    put_time(jw, "time", report->now_ms);
    sky_jw_put_int(jw, "events", (int64_t)report->events);
    sky_jw_put_int(jw, "eventsLost", (int64_t)report->events_lost);
    sky_jw_end_object(jw);
}

/* A piece that begins where another ended. */
static struct sky_jw going_on(struct sky_buf *out, bool comma)
{
    return (struct sky_jw){.out = out, .comma = comma};
}

static void head(struct sky_buf *out, const struct sky_report *report)
{
    struct sky_jw jw = sky_jw(out);
    sky_jw_object(&jw);
    sky_jw_put_int(&jw, "format", SKY_REPORT_FORMAT);
    put_run(&jw, report);
    sky_jw_put_str(&jw, "verdict", sky_verdict_name(report->verdict));
    put_counts(&jw, "devicesBy", report->parties);
    put_counts(&jw, "rulesBy", report->rules);
    sky_jw_put_int(&jw, "lost", (int64_t)report->strangers_lost);
    sky_jw_key(&jw, "expected");
    sky_jw_raw(&jw, report->expected);
}

static void parties(struct sky_buf *out)
{
    struct sky_jw jw = going_on(out, true);
    sky_jw_key(&jw, "devices");
    sky_jw_array(&jw);
}

static void party(struct sky_buf *out, const struct sky_report *report,
                  const struct sky_report_party *p)
{
    struct sky_jw jw = going_on(out, p->place > 0);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "device", p->name);
    if (p->cloud != NULL)
        sky_jw_put_str(&jw, "cloud", p->cloud->name);
    sky_jw_put_bool(&jw, "registered", p->device);
    sky_jw_put_str(&jw, "verdict", sky_verdict_name(p->verdict));
    put_counts(&jw, "rulesBy", p->rules);
    sky_jw_put_int(&jw, "events", (int64_t)p->events);
    sky_jw_key(&jw, "notExercised");
    sky_jw_array(&jw);
    for (size_t i = 0; i < report->catalogue->rule_count; i++)
        if (sky_report_has_rule(report, p, i) &&
            sky_verdict_of_rule(report->catalogue, i, p->conduct) == SKY_VERDICT_NOT_EXERCISED)
            sky_jw_str(&jw, sky_span_str(sky_catalogue_at(report->catalogue, i)->id));
    sky_jw_end_array(&jw);
    sky_jw_key(&jw, "rules");
    sky_jw_array(&jw);
}

static void rule(struct sky_buf *out, const struct sky_report *report,
                 const struct sky_report_party *p, const struct sky_report_rule *r)
{
    if (r->verdict == SKY_VERDICT_NOT_EXERCISED)
        return;
    struct sky_jw jw = going_on(out, p->told > 0);
    sky_report_put_verdict(&jw, report->catalogue, r);
}

static void party_end(struct sky_buf *out, const struct sky_report *report,
                      const struct sky_report_party *p)
{
    struct sky_jw jw = going_on(out, true);
    (void)report;
    sky_jw_end_array(&jw);
    if (p->conduct->behaviour.known) {
        sky_jw_key(&jw, "profile");
        sky_behaviour_print(&p->conduct->behaviour, &jw);
    }
    sky_jw_end_object(&jw);
}

static void end(struct sky_buf *out, const struct sky_report *report)
{
    (void)report;
    sky_buf_add_str(out, "]}\n");
}

const struct sky_report_form sky_report_json = {.content_type = "application/json",
                                                .end_mark = "]}\n",
                                                .head = head,
                                                .parties = parties,
                                                .party = party,
                                                .rule = rule,
                                                .party_end = party_end,
                                                .end = end};
