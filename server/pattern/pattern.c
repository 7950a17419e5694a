#include "server/pattern/pattern.h"

#include <stdlib.h>

#include "protocol/base/mem.h"

struct sky_pattern {
    bool any;
};

struct sky_pattern *sky_pattern_new(const cJSON *json, const char *at, struct sky_why *why)
{
    if (!cJSON_IsObject(json)) {
        (void)sky_why_set(why, SKY_ERR_INVALID, at, "a pattern is an object");
        return NULL;
    }
    struct sky_pattern *pattern = sky_mem_new(sizeof *pattern);
    pattern->any = true;
    return pattern;
}

void sky_pattern_free(struct sky_pattern *pattern)
{
    free(pattern);
}

bool sky_pattern_matches(const struct sky_pattern *pattern, const struct sky_subject *subject)
{
    (void)subject;
    return pattern->any;
}

void sky_subject_of_event(struct sky_cursor *cursor, struct sky_device_names *names,
                          const struct sky_event *event, char room[SKY_DEVICE_NAME_MAX + 1],
                          struct sky_subject *ret_subject)
{
    *ret_subject = (struct sky_subject){.head = &event->head,
                                        .attrs = event->attrs,
                                        .attr_count = event->attr_count,
                                        .findings = event->findings,
                                        .finding_count = event->finding_count,
                                        .refused = event->refused};
    room[0] = '\0';
    ret_subject->device =
        event->head.device_id != 0 ? sky_device_names_get(names, event->head.device_id) : room;
    sky_cursor_message(cursor, event, &ret_subject->topic, &ret_subject->payload);
}

void sky_pattern_narrow(const struct sky_pattern *pattern, const struct sky_store *store,
                        struct sky_event_filter *ret_filter)
{
    (void)pattern;
    (void)store;
    *ret_filter = (struct sky_event_filter){0};
}

size_t sky_pattern_differences(const struct sky_pattern *pattern, const struct sky_subject *subject,
                               struct sky_difference *list, size_t max)
{
    (void)pattern;
    (void)subject;
    (void)list;
    (void)max;
    return 0;
}

void sky_pattern_say(const struct sky_pattern *pattern, struct sky_buf *out)
{
    (void)pattern;
    sky_buf_add_str(out, "an event");
}
