/* Patterns and the journal: events as subjects, and what the heads of events decide. */

#include <stdio.h>

#include "server/pattern/private.h"

static sky_span claimed(const struct sky_event *event, enum sky_event_field field)
{
    const struct sky_attr *attr = sky_event_get(event, field);
    return attr != NULL ? attr->bytes : SKY_SPAN_NONE;
}

/* A name that is longer than any device's is nobody's. */
static void claimed_name(const struct sky_event *event, char room[SKY_DEVICE_NAME_MAX + 1])
{
    sky_span cloud = claimed(event, SKY_F_CLOUD), product = claimed(event, SKY_F_PRODUCT),
             device = claimed(event, SKY_F_DEVICE_KEY);
    room[0] = '\0';
    if (cloud.len > 0 && product.len > 0 && device.len > 0 &&
        cloud.len + product.len + device.len + 2 <= SKY_DEVICE_NAME_MAX)
        snprintf(room, SKY_DEVICE_NAME_MAX + 1, "%.*s/%.*s/%.*s", SKY_SPAN_ARGS(cloud),
                 SKY_SPAN_ARGS(product), SKY_SPAN_ARGS(device));
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
                                        .refused = event->refused,
                                        .names = names};
    if (event->head.device_id == 0) {
        claimed_name(event, room);
        ret_subject->device = room;
    }
    ret_subject->cut =
        !sky_cursor_message(cursor, event, &ret_subject->topic, &ret_subject->payload);
}

static void narrow_by_device(const struct sky_condition *condition, struct sky_device_names *names,
                             struct sky_event_filter *filter)
{
    sky_span rest, cloud, product, device;
    if (names == NULL || condition->value_count != 1 ||
        !sky_span_cut(condition->values[0].text, '/', &cloud, &rest) ||
        !sky_span_cut(rest, '/', &product, &device))
        return;
    filter->names = names;
    filter->cloud = cloud;
    filter->product = product;
    filter->device = device;
}

static bool is_refused(const struct sky_condition *condition)
{
    for (size_t i = 0; i < condition->value_count; i++)
        if (condition->values[i].kind == SKY_VALUE_FLAG && condition->values[i].number == 0)
            return false;
    return strcmp(condition->member->name, "refused") == 0;
}

void sky_pattern_narrow(const struct sky_pattern *pattern, struct sky_device_names *names,
                        struct sky_event_filter *ret_filter)
{
    *ret_filter = (struct sky_event_filter){0};
    for (const struct sky_condition *c = pattern->group.first; c != NULL; c = c->next) {
        if (c->test != SKY_TEST_ONE_OF)
            continue;
        if (strcmp(c->member->name, "type") == 0)
            ret_filter->types = c->words;
        else if (strcmp(c->member->name, "direction") == 0)
            ret_filter->directions = (unsigned)c->words;
        else if (strcmp(c->member->name, "connection") == 0 && c->value_count == 1 &&
                 c->values[0].number >= 0 && c->values[0].number <= UINT32_MAX)
            ret_filter->connection = (uint32_t)c->values[0].number;
        else if (strcmp(c->member->name, "topic") == 0 && c->value_count == 1)
            ret_filter->topic = c->values[0].text;
        else if (c->member->form == SKY_FORM_DEVICE)
            narrow_by_device(c, names, ret_filter);
        else if (strcmp(c->member->name, "rule") == 0 || is_refused(c))
            ret_filter->findings = true; /* who is refused has broken a rule */
    }
}
