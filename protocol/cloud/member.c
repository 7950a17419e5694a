#include "protocol/cloud/member.h"

/* Behind the string that begins at `at` (its opening quote), or the end of the text. */
static size_t after_string(sky_span text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\')
            at++;
    return at < text.len ? at + 1 : text.len;
}

sky_span sky_member_compact(struct sky_arena *arena, sky_span json)
{
    char *out = sky_arena_take(arena, json.len + 1);
    size_t len = 0;
    for (size_t at = 0; at < json.len;) {
        size_t next = json.ptr[at] == '"' ? after_string(json, at) : at + 1;
        if ((unsigned char)json.ptr[at] > ' ') {
            memcpy(out + len, json.ptr + at, next - at);
            len += next - at;
        }
        at = next;
    }
    return sky_span_of(out, len);
}

static bool starts_with(sky_span value, char c)
{
    return value.len > 0 && value.ptr[0] == c;
}

bool sky_member_is_object(sky_span value)
{
    return starts_with(value, '{');
}

bool sky_member_is_array(sky_span value)
{
    return starts_with(value, '[');
}

bool sky_member_is_string(sky_span value)
{
    return value.len >= 2 && value.ptr[0] == '"';
}

bool sky_member_is_number(sky_span value)
{
    return starts_with(value, '-') || (value.len > 0 && value.ptr[0] >= '0' && value.ptr[0] <= '9');
}

sky_span sky_member_inside(sky_span container)
{
    bool whole =
        container.len >= 2 && (sky_member_is_object(container) || sky_member_is_array(container));
    return whole ? sky_span_of(container.ptr + 1, container.len - 2) : SKY_SPAN_NONE;
}

bool sky_member_next_element(sky_span *rest, sky_span *ret_value)
{
    if (rest->len == 0)
        return false;
    size_t at = 0, depth = 0;
    while (at < rest->len && !(depth == 0 && rest->ptr[at] == ',')) {
        char c = rest->ptr[at];
        depth += c == '{' || c == '[';
        depth -= depth > 0 && (c == '}' || c == ']');
        at = c == '"' ? after_string(*rest, at) : at + 1;
    }
    *ret_value = sky_span_head(*rest, at);
    *rest = sky_span_tail(*rest, at + 1);
    return true;
}

bool sky_member_next(sky_span *rest, struct sky_member *ret_member)
{
    sky_span whole;
    if (!sky_member_next_element(rest, &whole) || !sky_member_is_string(whole))
        return false;
    size_t colon = after_string(whole, 0);
    ret_member->key = sky_member_text(sky_span_head(whole, colon));
    ret_member->value = sky_span_tail(whole, colon + 1);
    return true;
}

sky_span sky_member_get(sky_span object, const char *key)
{
    struct sky_member member;
    sky_span rest = sky_member_is_object(object) ? sky_member_inside(object) : SKY_SPAN_NONE;
    while (sky_member_next(&rest, &member))
        if (sky_span_eq_str(member.key, key))
            return member.value;
    return SKY_SPAN_NONE;
}

sky_span sky_member_text(sky_span value)
{
    return sky_member_is_string(value) ? sky_span_of(value.ptr + 1, value.len - 2) : value;
}
