/* Verdicts as JUnit XML: a test suite for each device that was seen, a test case for each rule that
 * speaks of it. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"
#include "server/admin/api.h"
#include "server/judge/verdicts.h"
#include "server/os/config.h"

enum {
    SLICE_ENOUGH = 64 * 1024, /* bytes in one turn of the loop */
    SOON_MS = 1,
    SUITE_MAX = SKY_RULES_MAX * 16 * 1024, /* bytes: a case is shorter, whatever is escaped in it */
};

/* The character in front as XML 1.0 §2.2 can hold it, cut off `text`; a question mark for one that
 * it cannot: a control character, U+FFFE, U+FFFF, a byte that is no UTF-8. */
static sky_span next_xml(sky_span *text)
{
    size_t len = sky_utf8_first(*text);
    sky_span one = sky_span_head(*text, len > 0 ? len : 1);
    *text = sky_span_tail(*text, one.len);
    if (len == 0 || (uint8_t)one.ptr[0] < 0x20 || sky_span_eq_str(one, "\xef\xbf\xbe") ||
        sky_span_eq_str(one, "\xef\xbf\xbf"))
        return SKY_SPAN("?");
    return one;
}

/* As XML text or attribute value. */
static void put_escaped(struct sky_buf *out, const char *text)
{
    static const char plain[] = " !#$%'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                "abcdefghijklmnopqrstuvwxyz{|}~";
    sky_span rest = sky_span_str(text);
    while (rest.len > 0) {
        size_t run = strspn(rest.ptr, plain);
        sky_buf_add(out, sky_span_head(rest, run));
        rest = sky_span_tail(rest, run);
        if (rest.len == 0)
            break;
        sky_span one = next_xml(&rest);
        switch (one.ptr[0]) {
        case '&':
            sky_buf_add_str(out, "&amp;");
            break;
        case '<':
            sky_buf_add_str(out, "&lt;");
            break;
        case '>':
            sky_buf_add_str(out, "&gt;");
            break;
        case '"':
            sky_buf_add_str(out, "&quot;");
            break;
        default:
            sky_buf_add(out, one);
        }
    }
}

static void put_attribute(struct sky_buf *out, const char *name, const char *value)
{
    sky_buf_addf(out, " %s=\"", name);
    put_escaped(out, value);
    sky_buf_add_str(out, "\"");
}

/* What was found, and where: the words of a failure or a warning. */
static void put_found(struct sky_buf *out, const char *hint, const struct sky_proof *proof)
{
    if (proof->mistake[0] != '\0') {
        sky_buf_add_str(out, "mistake: ");
        put_escaped(out, proof->mistake);
        sky_buf_add_str(out, proof->what[0] != '\0' ? ": " : "");
        put_escaped(out, proof->what);
        sky_buf_add_str(out, "\n");
    }
    sky_buf_add_str(out, "found: ");
    put_escaped(out, proof->detail);
    sky_buf_add_str(out, "\nhint: ");
    put_escaped(out, hint);
    sky_buf_addf(out, "\nevents (%llu):", (unsigned long long)proof->count);
    for (size_t i = 0; i < sky_proof_shown(proof); i++)
        sky_buf_addf(out, " %llu", (unsigned long long)proof->events[i]);
}

/* A warning is no failure, but what a test suite prints should show it; so should a remark. */
static void put_case(struct sky_buf *out, const char *party, const struct sky_rule *rule,
                     const char *hint, enum sky_verdict verdict, const struct sky_proof *proof)
{
    char name[256];
    snprintf(name, sizeof name, "%s: %s", rule->id, rule->statement);
    sky_buf_add_str(out, "    <testcase");
    put_attribute(out, "classname", party);
    put_attribute(out, "name", name);
    if (proof == NULL) {
        sky_buf_add_str(out,
                        verdict == SKY_VERDICT_PASSED
                            ? "/>\n"
                            : "><skipped message=\"nothing exercised this rule\"/></testcase>\n");
        return;
    }
    const char *element = verdict == SKY_VERDICT_FAILED ? "failure" : "system-out";
    sky_buf_addf(out, "><%s", element);
    if (verdict == SKY_VERDICT_FAILED)
        put_attribute(out, "message", proof->what[0] != '\0' ? proof->what : proof->detail);
    sky_buf_add_str(out, ">");
    put_found(out, hint, proof);
    sky_buf_addf(out, "</%s></testcase>\n", element);
}

/* Every rule that speaks of a device; of whoever is none, what it was refused for. */
static bool is_shown(const struct sky_catalogue *catalogue, size_t rule,
                     const struct sky_party *party, const struct sky_proof *proof)
{
    return proof != NULL || (party->device && sky_verdict_concerns(catalogue, rule, party->cloud));
}

static void put_suite(struct sky_buf *out, const struct sky_catalogue *catalogue,
                      const struct sky_party *party, const struct sky_conduct *conduct)
{
    struct sky_buf cases;
    size_t counts[SKY_VERDICT_FAILED + 1] = {0}, all = 0;
    sky_buf_init(&cases, SUITE_MAX);
    for (size_t rule = 0; rule < catalogue->rule_count; rule++) {
        const struct sky_rule *row = sky_catalogue_at(catalogue, rule);
        const struct sky_proof *proof = sky_conduct_proof(conduct, row);
        if (!is_shown(catalogue, rule, party, proof))
            continue;
        enum sky_verdict verdict = sky_verdict_of_rule(catalogue, rule, conduct);
        counts[verdict]++;
        all++;
        put_case(&cases, party->name, row, sky_catalogue_hint(catalogue, row), verdict, proof);
    }
    SKY_ASSERT(!cases.overflow);
    sky_buf_add_str(out, "  <testsuite");
    put_attribute(out, "name", party->name);
    sky_buf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", all,
                 counts[SKY_VERDICT_FAILED], counts[SKY_VERDICT_NOT_EXERCISED]);
    sky_buf_add(out, sky_buf_span(&cases));
    sky_buf_add_str(out, "  </testsuite>\n");
    sky_buf_done(&cases);
}

/* A report on its way to a client: whoever was there when it was asked for, in order. */
struct report {
    struct sky_app *app;
    struct sky_http_call *call;
    struct sky_api_scope scope;
    struct sky_strings names;
    size_t next;
    struct sky_timer soon; /* set: enough was written in this turn */
};

static void report_free(struct report *report)
{
    sky_clock_forgive(&report->app->clock, &report->soon);
    sky_strings_done(&report->names);
    free(report);
}

static void on_gone(struct sky_http_call *call)
{
    report_free(call->state);
}

static void on_soon(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    sky_http_stream_wake(SKY_CONTAINER_OF(timer, struct report, soon)->call);
}

/* The next suites: a slice a turn, so that the loop is never held for long, however fast the client
 * reads. */
static void on_room(struct sky_http_call *call, struct sky_buf *out)
{
    struct report *report = call->state;
    const struct sky_registry *registry = &report->app->registry;
    if (sky_timer_is_set(&report->soon))
        return;
    if (report->next == 0)
        sky_buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (; report->next < report->names.count && out->len < SLICE_ENOUGH; report->next++) {
        struct sky_conduct conduct;
        const struct sky_party *party =
            sky_party_find(registry, sky_span_str(report->names.list[report->next]));
        if (party == NULL) /* a stranger that had to go meanwhile */
            continue;
        sky_party_conduct(registry, party, report->scope.period, &conduct);
        if (!sky_conduct_is_empty(&conduct))
            put_suite(out, &registry->catalogue, party, &conduct);
        sky_conduct_done(&conduct);
    }
    if (report->next < report->names.count) {
        sky_clock_patience(&report->app->clock, &report->soon, SOON_MS, on_soon);
        return;
    }
    sky_buf_add_str(out, "</testsuites>\n");
    report_free(report);
    sky_http_stream_end(call);
}

void sky_api_report_xml(struct sky_api *api)
{
    const struct sky_party *party, *next;
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope) || !sky_api_flush(api))
        return;
    if (sky_span_eq(api->call->head.method, SKY_SPAN("HEAD"))) {
        sky_api_send_text(api, api->route->content_type);
        return;
    }
    struct report *report = sky_mem_new(sizeof *report);
    *report = (struct report){.app = api->app, .call = api->call, .scope = scope};
    HASH_ITER (hh, api->app->registry.parties.by_name, party, next)
        if (sky_party_is_of(party, sky_span_str(scope.name)))
            sky_strings_add(&report->names, party->name);
    api->call->state = report;
    api->call->on_gone = on_gone;
    api->call->on_room = on_room;
    sky_http_stream(api->call, api->route->content_type);
}
