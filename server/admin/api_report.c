/* Reports on their way: whoever was there when one was asked for is looked at, then told of, a
 * slice a turn, so that the loop is never held for long, however fast the client reads and however
 * much there is to tell. */
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/journal/line.h"
#include "server/judge/report.h"
#include "server/judge/timeline.h"
#include "server/os/config.h"
#include "server/suite/result.h"
#include "server/suite/run.h"

enum {
    SLICE_US = 1500, /* of one turn of the loop, for all reports together; a piece is begun, and
                        then ended */
    SLICE_ENOUGH = 64 * 1024,
    SOON_MS = 1,
    REPORTS_BYTES_MAX = 64 * 1024 * 1024, /* numbers of events, of all reports on their way */
};

/* A form, and how it tells of runs of suites: what stands in front of the first, between two,
 * behind the last, and instead of them. NULL: it does not. */
struct shape {
    const struct sky_report_form *form;
    const struct sky_result_form *runs;
    const char *before, *between, *after, *none;
};

/* What is told next of a party. */
enum part { PARTY, RULES, TIMELINE, EVENTS, PARTY_END };

struct report {
    struct sky_app *app;
    struct sky_http_call *call;
    const struct sky_report_form *form;
    const struct shape *shape;
    struct sky_api_scope scope;
    struct sky_report head;
    struct sky_buf expected;
    struct sky_timeline timeline;
    struct sky_event_printer printer;
    uint64_t begun, until; /* it tells of events behind the one, the last of an earlier start, up
                              to the other */
    size_t bytes;          /* of the timeline, booked with all reports */

    size_t stage; /* of the list at the end */
    int64_t run;  /* of suites, that is told of, or was the last; 0: none yet */
    int run_case; /* the next one of its cases, */
    bool in_run;  /* while it is told of */
    size_t runs;
    size_t cloud; /* whose table is being told */
    bool table;   /* it has begun */
    struct sky_timeline_party *at;
    struct sky_conduct conduct; /* of the party there; `party` points to it and to `last` */
    struct sky_report_party party;
    struct sky_buf last;
    enum part part;
    size_t rule, event;
    size_t place;

    struct sky_timer soon; /* set: enough was done in this turn */
};

static void report_free(struct report *report)
{
    sky_clock_forgive(&report->app->clock, &report->soon);
    report->app->admin->report_bytes -= report->bytes;
    report->app->admin->reports--;
    sky_timeline_done(&report->timeline);
    sky_conduct_done(&report->conduct);
    sky_buf_done(&report->expected);
    sky_buf_done(&report->last);
    free(report);
}

static void on_gone(struct sky_http_call *call)
{
    report_free(call->state);
}

/* The party that the report has come to, judged. Of one that was no device, and had to go
 * meanwhile, nothing is known any more. */
static void take_party(struct report *report)
{
    const char *name = report->at->name;
    const struct sky_registry *registry = &report->app->registry;
    const struct sky_party *party = sky_party_find(registry, sky_span_str(name));
    struct sky_path_vars vars;
    sky_conduct_done(&report->conduct);
    if (party != NULL)
        sky_party_conduct(registry, party, report->scope.period, &report->conduct);
    report->party =
        (struct sky_report_party){.name = name,
                                  .device = party != NULL ? party->device : report->scope.one,
                                  .gone = party != NULL && sky_party_is_gone(party),
                                  .conduct = &report->conduct,
                                  .place = report->place};
    if (party != NULL)
        report->party.cloud = party->cloud;
    else if (sky_match_device(sky_span_str(name), &vars))
        report->party.cloud = sky_cloud_find(sky_span_str(vars.cloud));
    sky_report_judge(&report->head, &report->party);
}

static void first_party(struct report *report)
{
    report->at = report->timeline.parties;
    report->place = 0;
}

static void next_party(struct report *report)
{
    report->at = report->at->hh.next;
    report->place++;
}

/* ---- looking ---- */

static void add_party(struct report *report, const char *name, const uint64_t *since)
{
    uint64_t seq = since[report->scope.period];
    sky_timeline_add(&report->timeline, name, seq > report->begun ? seq : report->begun);
}

/* Whoever may have done something: what it was is looked at later, one by one. */
static void add_parties(struct report *report)
{
    const struct sky_registry *registry = &report->app->registry;
    enum sky_period period = report->scope.period;
    const struct sky_party *party;
    LL_FOREACH (registry->parties.list, party)
        if (sky_party_is_of(party, sky_span_str(report->scope.name)) &&
            (report->scope.one || party->answers || !sky_conduct_is_empty(&party->chapter) ||
             (period == SKY_RUN && party->past != NULL &&
              !sky_conduct_is_empty(&party->past->run))))
            add_party(report, party->name, sky_party_since(registry, party));
    if (report->scope.one && report->timeline.parties == NULL)
        add_party(report, report->scope.name, registry->parties.since);
    first_party(report);
}

static bool look_at_party(struct report *report, struct sky_buf *out)
{
    struct sky_timeline_party *party = report->at;
    (void)out;
    if (party == NULL)
        return false;
    take_party(report);
    bool idle = sky_conduct_is_empty(&report->conduct) && !report->scope.one;
    if (!idle)
        sky_report_count(&report->head, &report->party);
    next_party(report);
    if (idle)
        sky_timeline_drop(&report->timeline, party);
    return true;
}

static bool look_at_event(struct report *report, struct sky_buf *out)
{
    (void)out;
    if (report->timeline.cursor.next_seq <= report->until && sky_timeline_look(&report->timeline))
        return true;
    report->head.events = report->timeline.events;
    return false;
}

/* ---- telling ---- */

/* Does the report speak of a device of the run? */
static bool speaks_of(const struct report *report, const cJSON *run)
{
    const cJSON *each;
    if (*report->scope.name == '\0')
        return true;
    cJSON_ArrayForEach (each, sky_json_get(run, "devices"))
        if (cJSON_IsString(each) &&
            sky_party_named_of(sky_span_str(each->valuestring), sky_span_str(report->scope.name)))
            return true;
    return false;
}

/* The worst verdict of those runs. */
static const char *suites_verdict(const struct report *report)
{
    enum sky_grade grade, worst = SKY_GRADE_PASSED;
    const cJSON *run;
    bool any = false;
    int64_t id = 0;
    while ((run = sky_suites_next(report->app->admin->suites, id, &id)) != NULL) {
        const char *verdict = sky_json_get_str(run, "verdict");
        if (!speaks_of(report, run) || verdict == NULL || !sky_grade_parse(verdict, &grade))
            continue;
        worst = grade > worst ? grade : worst;
        any = true;
    }
    return any ? sky_grade_name(worst) : NULL;
}

static bool tell_head(struct report *report, struct sky_buf *out)
{
    report->head.suites = suites_verdict(report);
    report->form->head(out, &report->head);
    return false;
}

/* One case, or the beginning or end of a run. */
static bool tell_runs(struct report *report, struct sky_buf *out)
{
    struct sky_suites *suites = report->app->admin->suites;
    const struct shape *shape = report->shape;
    if (shape->runs == NULL)
        return false;
    if (report->in_run) {
        const cJSON *run = sky_suites_document(suites, report->run);
        const cJSON *one = cJSON_GetArrayItem(sky_json_get(run, "cases"), report->run_case);
        report->in_run = one != NULL;
        if (one != NULL)
            shape->runs->one_case(one, report->run_case++ == 0, out);
        else
            shape->runs->end(run, out);
        return true;
    }
    const cJSON *run = sky_suites_next(suites, report->run, &report->run);
    if (run == NULL) {
        sky_buf_add_str(out, report->runs > 0 ? shape->after : shape->none);
        return false;
    }
    if (speaks_of(report, run)) {
        sky_buf_add_str(out, report->runs++ > 0 ? shape->between : shape->before);
        shape->runs->begin(run, out);
        report->in_run = true;
        report->run_case = 0;
    }
    return true;
}

static bool tell_tables(struct report *report, struct sky_buf *out)
{
    const struct sky_report_form *form = report->form;
    if (form->table == NULL || report->cloud == report->head.cloud_count) {
        first_party(report);
        if (form->parties != NULL)
            form->parties(out);
        return false;
    }
    const struct sky_report_cloud *cloud = &report->head.clouds[report->cloud];
    if (!report->table) {
        first_party(report);
        report->table = true;
        form->table(out, &report->head, cloud);
    } else if (report->at != NULL) {
        take_party(report);
        if (report->party.cloud == cloud->cloud)
            form->row(out, &report->head, cloud, &report->party);
        next_party(report);
    } else {
        form->table_end(out);
        report->table = false;
        report->cloud++;
    }
    return true;
}

static void put_event(struct report *report, struct sky_buf *line, size_t n)
{
    struct sky_event event;
    uint64_t seq = sky_timeline_event(&report->timeline, report->at, n);
    if (sky_cursor_find(&report->timeline.cursor, seq, &event)) /* or it had to go meanwhile */
        sky_event_show(&report->printer, &event, line);
}

static void put_last(struct report *report)
{
    size_t count = sky_timeline_count(report->at);
    sky_buf_clear(&report->last);
    for (size_t n = count > SKY_REPORT_LAST_EVENTS ? count - SKY_REPORT_LAST_EVENTS : 0; n < count;
         n++) {
        put_event(report, &report->last, n);
        sky_buf_add_byte(&report->last, '\n');
    }
    report->party.events = count;
    report->party.last = sky_buf_span(&report->last);
}

static void tell_rule(struct report *report, struct sky_buf *out, size_t index)
{
    size_t before = out->len;
    if (!sky_report_has_rule(&report->head, &report->party, index))
        return;
    struct sky_report_rule rule = sky_report_rule(&report->head, &report->party, index);
    report->form->rule(out, &report->head, &report->party, &rule);
    report->party.told += out->len > before;
}

static void tell_event(struct report *report, struct sky_buf *out, size_t n)
{
    struct sky_buf line;
    sky_buf_init(&line, SKY_EVENT_LINE_MAX);
    put_event(report, &line, n);
    if (line.len > 0)
        report->form->event(out, sky_buf_span(&line));
    sky_buf_done(&line);
}

static bool tell_party(struct report *report, struct sky_buf *out)
{
    const struct sky_report_form *form = report->form;
    size_t count;
    if (report->at == NULL)
        return false;
    switch (report->part) {
    case PARTY:
        take_party(report);
        put_last(report);
        form->party(out, &report->head, &report->party);
        report->rule = 0;
        report->part = RULES;
        break;
    case RULES:
        if (report->rule < report->head.catalogue->rule_count)
            tell_rule(report, out, report->rule++);
        else
            report->part = TIMELINE;
        break;
    case TIMELINE:
        if (form->timeline != NULL)
            form->timeline(out, &report->head, &report->party);
        count = sky_timeline_count(report->at);
        report->event = count > form->events_max ? count - form->events_max : 0;
        report->part = EVENTS;
        break;
    case EVENTS:
        if (report->event < sky_timeline_count(report->at))
            tell_event(report, out, report->event++);
        else
            report->part = PARTY_END;
        break;
    case PARTY_END:
        form->party_end(out, &report->head, &report->party);
        next_party(report);
        report->part = PARTY;
    }
    return true;
}

static bool tell_end(struct report *report, struct sky_buf *out)
{
    report->form->end(out, &report->head);
    return false;
}

/* ---- slices ---- */

/* Each does one piece of its work; false when it is done. The first ones tell nothing yet. */
static bool (*const stages[])(struct report *report, struct sky_buf *out) = {
    look_at_party, look_at_event, tell_head, tell_runs, tell_tables, tell_party, tell_end};
enum { TELLING = 2 };

/* As much as a turn has time for, up to the stage `end`. */
static bool go_on(struct report *report, struct sky_buf *out, size_t end)
{
    int64_t until = sky_clock_machine_us() + SLICE_US / (int64_t)report->app->admin->reports;
    while (report->stage < end) {
        if (!stages[report->stage](report, out))
            report->stage++;
        if ((out != NULL && out->len >= SLICE_ENOUGH) || sky_clock_machine_us() >= until)
            break;
    }
    return report->stage == end;
}

static void on_soon(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    sky_http_stream_wake(SKY_CONTAINER_OF(timer, struct report, soon)->call);
}

static void on_room(struct sky_http_call *call, struct sky_buf *out)
{
    struct report *report = call->state;
    if (sky_timer_is_set(&report->soon))
        return;
    if (!go_on(report, out, SKY_COUNT(stages))) {
        sky_clock_patience(&report->app->clock, &report->soon, SOON_MS, on_soon);
        return;
    }
    report_free(report);
    sky_http_stream_end(call);
}

/* Looks until everything was looked at; then the answer begins. */
static void on_look(struct sky_timer *timer, int64_t now_ms)
{
    struct report *report = SKY_CONTAINER_OF(timer, struct report, soon);
    struct sky_http_call *call = report->call;
    struct sky_admin *admin = report->app->admin;
    (void)now_ms;
    bool over = go_on(report, NULL, TELLING);
    size_t bytes = sky_timeline_bytes(&report->timeline);
    admin->report_bytes += bytes - report->bytes;
    report->bytes = bytes;
    if (admin->report_bytes > REPORTS_BYTES_MAX) {
        report_free(report);
        sky_api_reply_error(
            call, 503, "busy",
            "the reports on their way take more than 64 MB of memory; ask again later");
    } else if (over) {
        call->on_room = on_room;
        sky_http_stream(call, report->form->content_type);
    } else {
        sky_clock_patience(&report->app->clock, &report->soon, SOON_MS, on_look);
    }
}

static void put_run(struct report *report)
{
    const struct sky_app *app = report->app;
    struct sky_journal_stats stats;
    sky_journal_stats(app->journal, &stats);
    report->begun = stats.last_seq - stats.recorded;
    report->until = stats.last_seq;
    sky_buf_init(&report->expected, SKY_HTTP_ANSWER_MAX);
    struct sky_jw jw = sky_jw(&report->expected);
    sky_api_write_expected(&jw, &app->registry, &report->scope);
    report->head = (struct sky_report){.catalogue = &app->registry.catalogue,
                                       .version = SKY_VERSION,
                                       .scope = report->scope.name,
                                       .whole_run = report->scope.period == SKY_RUN,
                                       .seeded = app->config->seeded,
                                       .seed = app->config->seed,
                                       .started_ms = app->clock.wall_base_ms,
                                       .ended_ms = app->clock.real_ms,
                                       .now_ms = app->clock.now_ms,
                                       .events_lost = stats.evicted,
                                       .strangers_lost = app->registry.parties.lost,
                                       .expected = sky_buf_span(&report->expected)};
}

static void send_report(struct sky_api *api, const struct shape *shape)
{
    const struct sky_report_form *form = shape->form;
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope) || !sky_api_scope_known(api, &scope) || !sky_api_flush(api))
        return;
    if (sky_span_eq(api->call->head.method, SKY_SPAN("HEAD"))) {
        sky_api_send_text(api, form->content_type);
        return;
    }
    struct report *report = sky_mem_new(sizeof *report);
    *report = (struct report){
        .app = api->app, .call = api->call, .form = form, .shape = shape, .scope = scope};
    api->app->admin->reports++;
    put_run(report);
    sky_buf_init(&report->last, SKY_REPORT_LAST_EVENTS * (SKY_EVENT_LINE_MAX + 1));
    sky_timeline_init(&report->timeline, &api->app->registry, &api->app->admin->names);
    report->printer = (struct sky_event_printer){.cursor = &report->timeline.cursor,
                                                 .catalogue = report->head.catalogue,
                                                 .names = &api->app->admin->names};
    add_parties(report);
    api->call->state = report;
    api->call->on_gone = on_gone;
    sky_clock_patience(&api->app->clock, &report->soon, 0, on_look);
}

void sky_api_report_xml(struct sky_api *api)
{
    static const struct shape shape = {.form = &sky_report_junit};
    send_report(api, &shape);
}

void sky_api_report_json(struct sky_api *api)
{
    static const struct shape shape = {.form = &sky_report_json,
                                       .runs = &sky_result_json,
                                       .before = ",\"suites\":[",
                                       .between = ",",
                                       .after = "]",
                                       .none = ",\"suites\":[]"};
    send_report(api, &shape);
}

void sky_api_report_html(struct sky_api *api)
{
    static const struct shape shape = {.form = &sky_report_html,
                                       .runs = &sky_result_page,
                                       .before = "",
                                       .between = "",
                                       .after = "",
                                       .none = ""};
    send_report(api, &shape);
}
