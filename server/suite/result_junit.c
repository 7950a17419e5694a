/* A run of suites as JUnit XML: a test suite for each suite and device, a test case for each case.
 */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/judge/xml.h"
#include "server/suite/result.h"
#include "server/suite/result_view.h"

enum { TEXT_MAX = 64 * 1024 }; /* bytes of one text that is put together */

static void put_attribute(struct sky_buf *out, const char *name, const char *value)
{
    sky_xml_attribute(out, name, sky_span_str(value));
}

static void put_seconds(struct sky_buf *out, int64_t ms)
{
    if (ms >= 0)
        sky_buf_addf(out, " time=\"%lld.%03lld\"", (long long)(ms / 1000), (long long)(ms % 1000));
}

static void put_counts(struct sky_buf *out, const sky_result_counts counts)
{
    size_t tests = counts[SKY_GRADES];
    for (size_t i = 0; i < SKY_GRADES; i++)
        tests += counts[i];
    sky_buf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", tests,
                 counts[SKY_GRADE_FAILED], counts[SKY_GRADES], counts[SKY_GRADE_IDLE]);
}

/* ---- a case ---- */

static void put_line(struct sky_buf *out, const char *label, sky_span text)
{
    if (text.len == 0)
        return;
    sky_buf_addf(out, "%s: ", label);
    sky_xml_line(out, text);
}

/* What is known of it besides its reason. */
static void put_details(struct sky_buf *out, const struct sky_result_view *view)
{
    const cJSON *each;
    struct sky_buf text;
    sky_buf_init(&text, TEXT_MAX);
    put_line(out, "case", sky_span_str(view->title));
    put_line(out, "device", sky_span_str(view->device));
    put_line(out, "reason", sky_span_str(view->reason));
    sky_result__step(view, &text);
    put_line(out, "decided by", sky_buf_span(&text));
    cJSON_ArrayForEach (each, sky_result__list(view->json, "measures")) {
        sky_buf_clear(&text);
        sky_result__measure(each, &text);
        put_line(out, "measured", sky_buf_span(&text));
    }
    sky_buf_clear(&text);
    sky_result__events(sky_result__list(view->json, "events"), &text);
    put_line(out, "events", sky_buf_span(&text));
    cJSON_ArrayForEach (each, sky_result__list(view->json, "notes"))
        if (cJSON_IsString(each))
            put_line(out, "note", sky_span_str(each->valuestring));
    put_line(out, "source", sky_span_str(view->source));
    sky_buf_done(&text);
}

static const char *element_of(const struct sky_result_view *view)
{
    if (view->state != SKY_RESULT_ENDED)
        return "error";
    return view->grade == SKY_GRADE_FAILED ? "failure"
           : view->grade == SKY_GRADE_IDLE ? "skipped"
                                           : NULL;
}

static void put_case(struct sky_buf *out, const char *suite, const struct sky_result_view *view,
                     const char *interrupted)
{
    const char *element = element_of(view), *reason = view->reason;
    if (*reason == '\0' && view->state != SKY_RESULT_ENDED)
        reason = interrupted != NULL ? interrupted : "it did not come to its end";
    sky_buf_add_str(out, "    <testcase");
    put_attribute(out, "classname", suite);
    put_attribute(out, "name", view->id);
    put_seconds(out, view->ms);
    sky_buf_add_str(out, ">\n");
    if (element != NULL) {
        sky_buf_addf(out, "      <%s", element);
        put_attribute(out, "message", reason);
        if (view->state == SKY_RESULT_ENDED && view->grade == SKY_GRADE_FAILED)
            put_attribute(out, "type", view->id);
        else if (view->state != SKY_RESULT_ENDED)
            put_attribute(out, "type", "interrupted");
        sky_buf_add_str(out, "/>\n");
    }
    sky_buf_addf(out, "      <system-out>%s\n", sky_result__verdict(view));
    put_details(out, view);
    sky_buf_add_str(out, "      </system-out>\n    </testcase>\n");
}

/* ---- suites ---- */

/* Of one device, if there are several. */
struct group {
    const char *suite, *device;
    struct sky_buf name;
};

static bool is_of(const struct group *group, const struct sky_result_view *view)
{
    return view->state != SKY_RESULT_LEFT && strcmp(view->suite, group->suite) == 0 &&
           strcmp(view->device, group->device) == 0;
}

static const char *title_of(const cJSON *run, const char *suite)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, sky_result__list(run, "suites"))
        if (strcmp(sky_json_text_of(each, "suite"), suite) == 0)
            return sky_json_text_of(each, "title");
    return "";
}

static void put_property(struct sky_buf *out, const char *name, const char *value)
{
    sky_buf_add_str(out, "      <property");
    put_attribute(out, "name", name);
    put_attribute(out, "value", value);
    sky_buf_add_str(out, "/>\n");
}

static void put_head(struct sky_buf *out, const cJSON *run, const struct group *group,
                     const cJSON *first)
{
    const char *interrupted = sky_result__interrupted(run);
    sky_result_counts counts = {0};
    int64_t ms = 0;
    for (const cJSON *at = first; at != NULL; at = at->next) {
        struct sky_result_view view = sky_result__case(at);
        if (!is_of(group, &view))
            continue;
        counts[view.state == SKY_RESULT_ENDED ? (size_t)view.grade : SKY_GRADES]++;
        ms += view.ms > 0 ? view.ms : 0;
    }
    sky_buf_add_str(out, "  <testsuite");
    sky_xml_attribute(out, "name", sky_buf_span(&group->name));
    put_counts(out, counts);
    put_seconds(out, ms);
    if (*sky_json_text_of(run, "started") != '\0')
        put_attribute(out, "timestamp", sky_json_text_of(run, "started"));
    sky_buf_add_str(out, ">\n    <properties>\n");
    put_property(out, "title", title_of(run, group->suite));
    put_property(out, "device", group->device);
    if (interrupted != NULL)
        put_property(out, "interrupted", interrupted);
    sky_buf_add_str(out, "    </properties>\n");
}

static void put_group(struct sky_buf *out, const cJSON *run, struct group *group,
                      const cJSON *first, bool several, bool *told)
{
    size_t i = 0;
    sky_buf_init(&group->name, TEXT_MAX);
    sky_buf_addf(&group->name, "%s%s%s", group->suite, several ? " " : "",
                 several ? group->device : "");
    put_head(out, run, group, first);
    sky_buf_add_byte(&group->name, '\0');
    for (const cJSON *at = first; at != NULL; at = at->next, i++) {
        struct sky_result_view view = sky_result__case(at);
        if (!is_of(group, &view))
            continue;
        put_case(out, group->name.bytes, &view, sky_result__interrupted(run));
        told[i] = true;
    }
    sky_buf_add_str(out, "  </testsuite>\n");
    sky_buf_done(&group->name);
}

void sky_result_junit(const cJSON *run, struct sky_buf *out)
{
    const cJSON *cases = sky_result__list(run, "cases");
    size_t count = (size_t)cJSON_GetArraySize(cases), i = 0;
    bool *told = sky_mem_new((count + 1) * sizeof *told);
    bool several = cJSON_GetArraySize(sky_result__list(run, "devices")) > 1;
    sky_result_counts counts;
    sky_result__count(run, counts);
    sky_buf_add_str(out,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"skymock\"");
    put_counts(out, counts);
    put_seconds(out, sky_result__number(run, "ms"));
    sky_buf_add_str(out, ">\n");
    for (const cJSON *at = cases != NULL ? cases->child : NULL; at != NULL; at = at->next, i++) {
        struct sky_result_view view = sky_result__case(at);
        struct group group = {.suite = view.suite, .device = view.device};
        if (!told[i] && view.state != SKY_RESULT_LEFT)
            put_group(out, run, &group, at, several, told + i);
    }
    sky_buf_add_str(out, "</testsuites>\n");
    free(told);
}
