/* Three lines: a pattern, a topic, a payload, which stands for every other text of the event too.
 * An event matches exactly when it has no differences, and never a pattern and its opposite. */
#include <stdlib.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/rule.h"
#include "server/pattern/pattern.h"

static void subject_of(sky_span topic, sky_span payload, struct sky_event *event,
                       struct sky_subject *ret_subject)
{
    const uint8_t first = (uint8_t)(payload.len > 0 ? payload.ptr[0] : 0);
    event->head.type = (enum sky_event_type)(first % SKY_EVENT_TYPE_COUNT);
    event->head.direction = (enum sky_direction)(first % 3);
    event->head.connection = first % 2;
    event->attr_count = 0;
    for (size_t field = 0; field < SKY_EVENT_FIELD_COUNT && event->attr_count < 20; field += 2)
        event->attrs[event->attr_count++] = (struct sky_attr){
            .field = (enum sky_event_field)field, .bytes = payload, .number = first};
    event->attrs[event->attr_count++] = SKY_ATTR(FILTERS, payload);
    event->attrs[event->attr_count++] = SKY_ATTR(EXPLANATION, payload);
    event->findings[0] = (struct sky_event_finding){.rule_id = topic, .detail = payload};
    *ret_subject = (struct sky_subject){.head = &event->head,
                                        .attrs = event->attrs,
                                        .attr_count = event->attr_count,
                                        .findings = first % 5 != 0 ? event->findings : NULL,
                                        .finding_count = first % 5 != 0,
                                        .refused = first % 4 == 0 ? topic : SKY_SPAN_NONE,
                                        .topic = topic,
                                        .payload = payload,
                                        .cut = first % 7 == 0,
                                        .device = first % 3 == 0 ? "" : "aliyun/pk/device"};
}

static const struct sky_catalogue *rules_known(void)
{
    static const struct sky_rule rows[] = {{.id = "R-X"}, {.id = "R-Y"}};
    static struct sky_catalogue catalogue;
    sky_catalogue_init(&catalogue);
    sky_catalogue_add(&catalogue, (struct sky_rule_table){"r", rows, SKY_COUNT(rows), false});
    return &catalogue;
}

static void check(const cJSON *json, const struct sky_subject *subject)
{
    struct sky_why why = {0};
    struct sky_difference list[SKY_PATTERN_DIFFERENCES_MAX];
    struct sky_event_filter filter;
    struct sky_buf words;
    struct sky_pattern *pattern = sky_pattern_new(json, "/event", rules_known(), &why);
    if (pattern == NULL) {
        SKY_ASSERT(why.reason[0] != '\0');
        return;
    }
    cJSON *opposite = cJSON_CreateObject();
    cJSON_AddItemReferenceToObject(opposite, "not", (cJSON *)(uintptr_t)json);
    struct sky_pattern *other = sky_pattern_new(opposite, "", rules_known(), &why);
    bool matches = sky_pattern_matches(pattern, subject);
    size_t count = sky_pattern_differences(pattern, subject, list, SKY_PATTERN_DIFFERENCES_MAX);
    SKY_ASSERT(matches == (count == 0));
    SKY_ASSERT(other == NULL || !matches || !sky_pattern_matches(other, subject));
    for (size_t i = 0; i < count && i < SKY_PATTERN_DIFFERENCES_MAX; i++)
        SKY_ASSERT(list[i].pointer[0] == '/' && list[i].wanted[0] != '\0' &&
                   list[i].found[0] != '\0');
    sky_pattern_narrow(pattern, NULL, &filter);
    sky_buf_init(&words, SIZE_MAX);
    sky_pattern_say(pattern, &words);
    SKY_ASSERT(words.len > 0);
    sky_buf_done(&words);
    sky_pattern_free(pattern);
    sky_pattern_free(other);
    cJSON_Delete(opposite);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct sky_event event;
    struct sky_subject subject;
    sky_span rest = sky_span_of(bytes, len > 4096 ? 4096 : len), text = SKY_SPAN_NONE,
             topic = SKY_SPAN_NONE;
    cJSON *json;
    if (!sky_span_next(&rest, '\n', &text) || !sky_span_next(&rest, '\n', &topic) ||
        sky_json_parse(text, SKY_JSON_DEPTH_MAX, &json, NULL) != SKY_OK)
        return 0;
    subject_of(topic, rest, &event, &subject);
    check(json, &subject);
    cJSON_Delete(json);
    return 0;
}
