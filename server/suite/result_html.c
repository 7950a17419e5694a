/* A run of suites as a section of the report's page, in its style. */
#include <string.h>

#include "server/judge/xml.h"
#include "server/suite/result.h"
#include "server/suite/result_view.h"

enum { TEXT_MAX = 64 * 1024 }; /* bytes of one text that is put together */

static void put_verdict(struct sky_buf *out, const char *verdict)
{
    enum sky_grade grade;
    bool coloured = sky_grade_parse(verdict, &grade) && grade != SKY_GRADE_IDLE;
    sky_buf_addf(out, "<span class=\"v %s\">%s</span>", coloured ? verdict : "", verdict);
}

static void put_row(struct sky_buf *out, const char *label, sky_span text)
{
    if (text.len == 0)
        return;
    sky_buf_addf(out, "<dt>%s</dt><dd>", label);
    sky_xml_text(out, text);
    sky_buf_add_str(out, "</dd>\n");
}

static void put_texts(struct sky_buf *out, const char *label, const cJSON *texts)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, texts)
        if (cJSON_IsString(each))
            put_row(out, label, sky_span_str(each->valuestring));
}

static void put_time(struct sky_buf *out, const char *label, int64_t ms)
{
    if (ms < 0)
        return;
    sky_buf_addf(out, "<dt>%s</dt><dd>", label);
    sky_result__time(ms, out);
    sky_buf_add_str(out, "</dd>\n");
}

/* ---- the head ---- */

static void put_suites(struct sky_buf *out, const cJSON *run)
{
    const cJSON *each;
    const char *comma = "";
    cJSON_ArrayForEach (each, sky_result__list(run, "suites")) {
        sky_buf_add_str(out, comma);
        sky_xml_str(out, sky_json_text_of(each, "suite"));
        comma = ", ";
    }
}

static void begin(const cJSON *run, struct sky_buf *out)
{
    sky_result_counts counts;
    struct sky_buf text;
    const char *interrupted = sky_result__interrupted(run);
    bool running = strcmp(sky_json_text_of(run, "state"), "running") == 0;
    sky_result__count(run, counts);
    sky_buf_add_str(out, "<section class=\"suites\"><h2>Device suites: ");
    put_suites(out, run);
    sky_buf_add_byte(out, ' ');
    put_verdict(out, running ? "running" : sky_result__worst(run, counts));
    sky_buf_add_str(out, "</h2>\n<dl>\n");
    put_row(out, "Run", sky_span_str(sky_json_text_of(run, "id")));
    put_texts(out, "Device", sky_result__list(run, "devices"));
    put_row(out, "Started", sky_span_str(sky_json_text_of(run, "started")));
    put_time(out, "Took", sky_result__number(run, "ms"));
    sky_buf_init(&text, TEXT_MAX);
    sky_buf_addf(&text, "%zu failed, %zu warned, %zu passed, %zu not exercised",
                 counts[SKY_GRADE_FAILED], counts[SKY_GRADE_WARNED], counts[SKY_GRADE_PASSED],
                 counts[SKY_GRADE_IDLE]);
    if (counts[SKY_GRADES] > 0)
        sky_buf_addf(&text, ", %zu not ended", counts[SKY_GRADES]);
    put_row(out, "Cases", sky_buf_span(&text));
    sky_buf_done(&text);
    if (interrupted != NULL && !running)
        put_row(out, "Interrupted", sky_span_str(interrupted));
    sky_buf_add_str(out, "</dl>\n");
}

/* ---- a case ---- */

static const char *box_of(const struct sky_result_view *view)
{
    if (view->state != SKY_RESULT_ENDED)
        return "f";
    return view->grade == SKY_GRADE_FAILED ? "f" : view->grade == SKY_GRADE_WARNED ? "w" : "";
}

static void put_heading(struct sky_buf *out, const struct sky_result_view *view)
{
    put_verdict(out, sky_result__verdict(view));
    sky_buf_add_str(out, " <span class=\"m\">");
    sky_xml_str(out, view->suite);
    sky_buf_add_byte(out, '/');
    sky_xml_str(out, view->id);
    sky_buf_add_str(out, "</span> ");
    sky_xml_str(out, view->title);
}

/* The reason of a case is often that of its measure, and told there. */
static void put_measures(struct sky_buf *out, const struct sky_result_view *view)
{
    const cJSON *each;
    struct sky_buf text;
    bool told = false;
    sky_buf_init(&text, TEXT_MAX);
    cJSON_ArrayForEach (each, sky_result__list(view->json, "measures"))
        told |= strcmp(sky_json_text_of(each, "reason"), view->reason) == 0;
    if (!told)
        put_row(out, "Reason", sky_span_str(view->reason));
    cJSON_ArrayForEach (each, sky_result__list(view->json, "measures")) {
        sky_buf_clear(&text);
        sky_result__measure(each, &text);
        put_row(out, "Measured", sky_buf_span(&text));
    }
    sky_buf_done(&text);
}

static void put_details(struct sky_buf *out, const struct sky_result_view *view)
{
    struct sky_buf text;
    sky_buf_init(&text, TEXT_MAX);
    sky_buf_add_str(out, "<dl>\n");
    put_measures(out, view);
    sky_result__step(view, &text);
    put_row(out, "Decided by", sky_buf_span(&text));
    sky_buf_clear(&text);
    sky_result__events(sky_result__list(view->json, "events"), &text);
    put_row(out, "Events", sky_buf_span(&text));
    put_texts(out, "Note", sky_result__list(view->json, "notes"));
    put_row(out, "Device", sky_span_str(view->device));
    put_time(out, "Took", view->ms);
    put_row(out, "Source", sky_span_str(view->source));
    sky_buf_add_str(out, "</dl>");
    sky_buf_done(&text);
}

/* One that passed is a line that can be opened. */
static void put_case(const cJSON *one_case, bool first, struct sky_buf *out)
{
    struct sky_result_view view = sky_result__case(one_case);
    bool passed = view.state == SKY_RESULT_ENDED && view.grade == SKY_GRADE_PASSED;
    (void)first;
    if (view.state == SKY_RESULT_LEFT)
        return;
    if (passed)
        sky_buf_add_str(out, "<details><summary>");
    else
        sky_buf_addf(out, "<article class=\"%s\"><h3>", box_of(&view));
    put_heading(out, &view);
    sky_buf_add_str(out, passed ? "</summary>\n" : "</h3>\n");
    put_details(out, &view);
    sky_buf_add_str(out, passed ? "</details>\n" : "</article>\n");
}

/* ---- the end ---- */

static void put_left(struct sky_buf *out, const cJSON *run)
{
    const cJSON *each;
    sky_buf_add_str(out, "<details><summary>Left out</summary>\n<dl>\n");
    cJSON_ArrayForEach (each, sky_json_get(run, "cases")) {
        struct sky_result_view view = sky_result__case(each);
        if (view.state != SKY_RESULT_LEFT)
            continue;
        sky_buf_add_str(out, "<dt class=\"m\">");
        sky_xml_str(out, view.suite);
        sky_buf_add_byte(out, '/');
        sky_xml_str(out, view.id);
        sky_buf_add_str(out, "</dt><dd>");
        sky_xml_str(out, view.device);
        sky_buf_add_str(out, ": ");
        sky_xml_str(out, view.reason);
        sky_buf_add_str(out, "</dd>\n");
    }
    sky_buf_add_str(out, "</dl></details>\n");
}

static void end(const cJSON *run, struct sky_buf *out)
{
    if (sky_result__left(run) > 0)
        put_left(out, run);
    sky_buf_add_str(out, "</section>\n");
}

const struct sky_result_form sky_result_page = {.begin = begin, .one_case = put_case, .end = end};

void sky_result_html(const cJSON *run, struct sky_buf *out)
{
    const cJSON *each;
    begin(run, out);
    cJSON_ArrayForEach (each, sky_result__list(run, "cases"))
        put_case(each, false, out);
    end(run, out);
}
