/* Verdicts as JUnit XML: a test suite for each device that was seen, a test case for each rule that
 * speaks of it. */
#include <stdio.h>

#include "protocol/base/utf8.h"
#include "server/admin/api.h"
#include "server/judge/verdicts.h"

/* The character in front as XML 1.0 §2.2 can hold it, cut off `text`; a question mark for one that
 * it cannot: a control character, U+FFFE, U+FFFF, a byte that is no UTF-8. */
static sky_span next_xml(sky_span *text)
{
    size_t len = 1;
    while (len < 4 && len < text->len && sky_utf8_valid(sky_span_head(*text, len)) != len)
        len++;
    sky_span one = sky_span_head(*text, len);
    bool valid = sky_utf8_valid(one) == len;
    *text = sky_span_tail(*text, valid ? len : 1);
    if (!valid || (uint8_t)one.ptr[0] < 0x20 || sky_span_eq_str(one, "\xef\xbf\xbe") ||
        sky_span_eq_str(one, "\xef\xbf\xbf"))
        return SKY_SPAN("?");
    return one;
}

/* As XML text or attribute value. */
static void put_escaped(struct sky_buf *out, const char *text)
{
    sky_span rest = sky_span_str(text);
    while (rest.len > 0) {
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

/* A warning is no failure, but what a test suite prints should show it. */
static void put_outcome(struct sky_buf *out, const char *hint, enum sky_verdict verdict)
{
    static const char *const elements[] = {
        [SKY_VERDICT_NOT_EXERCISED] = "skipped",
        [SKY_VERDICT_PASSED] = NULL,
        [SKY_VERDICT_WARNED] = "system-out",
        [SKY_VERDICT_FAILED] = "failure",
    };
    const char *element = elements[verdict];
    if (element == NULL) {
        sky_buf_add_str(out, "/>\n");
        return;
    }
    sky_buf_addf(out, "><%s", element);
    if (verdict == SKY_VERDICT_WARNED) {
        sky_buf_add_str(out, ">");
        put_escaped(out, hint);
        sky_buf_addf(out, "</%s>", element);
    } else {
        put_attribute(out, "message",
                      verdict == SKY_VERDICT_FAILED ? hint : "nothing exercised this rule");
        sky_buf_add_str(out, "/>");
    }
    sky_buf_add_str(out, "</testcase>\n");
}

static void put_case(struct sky_buf *out, const char *device, const struct sky_rule *rule,
                     const char *hint, enum sky_verdict verdict)
{
    char name[256];
    snprintf(name, sizeof name, "%s: %s", rule->id, rule->statement);
    sky_buf_add_str(out, "    <testcase");
    put_attribute(out, "classname", device);
    put_attribute(out, "name", name);
    put_outcome(out, hint, verdict);
}

static void put_suite(struct sky_api *api, const struct sky_session *session)
{
    const struct sky_catalogue *catalogue = &api->app->registry.catalogue;
    const char *device = sky_device_names_get(&api->app->admin->names, session->device_id);
    size_t counts[SKY_VERDICT_FAILED + 1] = {0}, all = 0;
    for (size_t rule = 0; rule < catalogue->rule_count; rule++) {
        if (!sky_verdict_concerns(catalogue, rule, session->product->cloud))
            continue;
        counts[sky_verdict_of_rule(catalogue, rule, &session->conduct)]++;
        all++;
    }
    sky_buf_add_str(&api->out, "  <testsuite");
    put_attribute(&api->out, "name", device);
    sky_buf_addf(&api->out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", all,
                 counts[SKY_VERDICT_FAILED], counts[SKY_VERDICT_NOT_EXERCISED]);
    for (size_t rule = 0; rule < catalogue->rule_count; rule++)
        if (sky_verdict_concerns(catalogue, rule, session->product->cloud))
            put_case(&api->out, device, sky_catalogue_at(catalogue, rule),
                     sky_catalogue_hint(catalogue, sky_catalogue_at(catalogue, rule)),
                     sky_verdict_of_rule(catalogue, rule, &session->conduct));
    sky_buf_add_str(&api->out, "  </testsuite>\n");
}

void sky_api_report_xml(struct sky_api *api)
{
    const struct sky_registry *registry = &api->app->registry;
    char wanted[SKY_API_PARAM_MAX] = "";
    sky_api_query(api, "device", wanted);
    sky_buf_add_str(&api->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (size_t i = 0; i < registry->slots; i++) {
        const struct sky_session *session = registry->by_slot[i];
        if (session == NULL)
            continue;
        const char *name = sky_device_names_get(&api->app->admin->names, session->device_id);
        if (wanted[0] == '\0' || strcmp(name, wanted) == 0)
            put_suite(api, session);
    }
    sky_buf_add_str(&api->out, "</testsuites>\n");
    sky_api_send_text(api, api->route->content_type);
}
