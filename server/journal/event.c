#include "server/journal/event.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

static const char *const type_names[] = {
#define X(name, text) [SKY_EVENT_##name] = text,
    SKY_EVENT_TYPES(X)
#undef X
};
static const char *const field_keys[] = {
#define X(name, key, kind) [SKY_F_##name] = key,
    SKY_EVENT_FIELDS(X)
#undef X
};
static const uint8_t field_kinds[] = {
#define X(name, key, kind) [SKY_F_##name] = SKY_KIND_##kind,
    SKY_EVENT_FIELDS(X)
#undef X
};

const char *sky_event_type_name(enum sky_event_type type)
{
    SKY_ASSERT(type < SKY_EVENT_TYPE_COUNT);
    return type_names[type];
}

bool sky_event_type_parse(sky_span text, enum sky_event_type *ret_type)
{
    for (size_t i = 0; i < SKY_EVENT_TYPE_COUNT; i++) {
        if (sky_span_eq_str(text, type_names[i])) {
            *ret_type = (enum sky_event_type)i;
            return true;
        }
    }
    return false;
}

const char *sky_event_field_key(enum sky_event_field field)
{
    SKY_ASSERT(field < SKY_EVENT_FIELD_COUNT);
    return field_keys[field];
}

enum sky_event_kind sky_event_field_kind(enum sky_event_field field)
{
    SKY_ASSERT(field < SKY_EVENT_FIELD_COUNT);
    return (enum sky_event_kind)field_kinds[field];
}

static const char *const direction_names[] = {
    [SKY_UP] = "up", [SKY_DOWN] = "down", [SKY_INSIDE] = "inside"};

const char *sky_direction_name(enum sky_direction direction)
{
    return direction_names[direction];
}

bool sky_direction_parse(sky_span text, enum sky_direction *ret_direction)
{
    for (size_t i = 0; i < SKY_COUNT(direction_names); i++) {
        if (sky_span_eq_str(text, direction_names[i])) {
            *ret_direction = (enum sky_direction)i;
            return true;
        }
    }
    return false;
}

const struct sky_attr *sky_event_get(const struct sky_event *event, enum sky_event_field field)
{
    return sky_attr_find(event->attrs, event->attr_count, field);
}
