#include "protocol/mqtt/topic.h"

#include "protocol/base/assert.h"

static bool has_byte(sky_span s, char byte)
{
    return s.len > 0 && memchr(s.ptr, byte, s.len) != NULL;
}

bool sky_topic_has_wildcard(sky_span filter)
{
    return has_byte(filter, '+') || has_byte(filter, '#');
}

bool sky_topic_valid_name(sky_span topic)
{
    return topic.len > 0 && !sky_topic_has_wildcard(topic);
}

enum sky_filter_flaw sky_topic_filter_flaw(sky_span filter)
{
    if (filter.len == 0)
        return SKY_FILTER_EMPTY;
    if (!sky_topic_has_wildcard(filter))
        return SKY_FILTER_GOOD;
    for (size_t i = 0; i < filter.len; i++) {
        bool first = i == 0 || filter.ptr[i - 1] == '/';
        bool end = i + 1 == filter.len;
        if (filter.ptr[i] == '#' && !(first && end))
            return SKY_FILTER_HASH;
        if (filter.ptr[i] == '+' && !(first && (end || filter.ptr[i + 1] == '/')))
            return SKY_FILTER_PLUS;
    }
    return SKY_FILTER_GOOD;
}

bool sky_topic_valid_filter(sky_span filter)
{
    return sky_topic_filter_flaw(filter) == SKY_FILTER_GOOD;
}

/* ---- levels ---- */

static bool is_level(sky_span level, char wildcard)
{
    return level.len == 1 && level.ptr[0] == wildcard;
}

/* 4.7.2-1: what a leading wildcard leaves out. */
static bool is_hidden(sky_span first_level)
{
    return first_level.len > 0 && first_level.ptr[0] == '$';
}

sky_span sky_topic_level(sky_span topic, size_t number)
{
    sky_span level = SKY_SPAN_NONE;
    do {
        if (!sky_span_next(&topic, '/', &level))
            return SKY_SPAN_NONE;
    } while (number-- > 0);
    return level;
}

size_t sky_topic_levels(sky_span topic)
{
    size_t count = 0;
    for (sky_span level; sky_span_next(&topic, '/', &level);)
        count++;
    return count;
}

/* ---- patterns ---- */

enum slot { SLOT_NONE, SLOT_PRODUCT, SLOT_DEVICE };

/* The placeholder at the front of `pattern`, and how much of it that takes. */
static enum slot slot_at(sky_span pattern, size_t *ret_len)
{
    static const struct {
        sky_span text;
        enum slot slot;
    } slots[] = {{{"{product}", 9}, SLOT_PRODUCT}, {{"{device}", 8}, SLOT_DEVICE}};
    if (pattern.len == 0 || pattern.ptr[0] != '{')
        return SLOT_NONE;
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (sky_span_starts(pattern, slots[i].text)) {
            *ret_len = slots[i].text.len;
            return slots[i].slot;
        }
    }
    return SLOT_NONE;
}

static sky_span slot_value(enum slot slot, const struct sky_topic_keys *keys)
{
    return slot == SLOT_PRODUCT ? keys->product : keys->device;
}

/* Is `level` what `pattern` becomes with the keys filled in? */
static bool level_is(sky_span level, sky_span pattern, const struct sky_topic_keys *keys)
{
    while (pattern.len > 0) {
        size_t taken = 1;
        enum slot slot = slot_at(pattern, &taken);
        sky_span want = slot ? slot_value(slot, keys) : sky_span_head(pattern, 1);
        if (!sky_span_starts(level, want))
            return false;
        level = sky_span_tail(level, want.len);
        pattern = sky_span_tail(pattern, taken);
    }
    return level.len == 0;
}

/* As level_is(), a placeholder standing for any text of one character or more: on a mismatch the
 * last placeholder met takes one character more. */
static bool level_fits(sky_span level, sky_span pattern)
{
    size_t at = 0, taken = 0, retry_at = 0;
    sky_span rest = pattern, retry_rest = SKY_SPAN_NONE;
    bool may_retry = false;
    while (at < level.len || rest.len > 0) {
        if (rest.len > 0 && at < level.len && slot_at(rest, &taken) != SLOT_NONE) {
            rest = sky_span_tail(rest, taken);
            may_retry = true;
            retry_rest = rest;
            retry_at = ++at;
        } else if (rest.len > 0 && at < level.len && rest.ptr[0] == level.ptr[at]) {
            rest = sky_span_tail(rest, 1);
            at++;
        } else if (may_retry && retry_at < level.len) {
            rest = retry_rest;
            at = ++retry_at;
        } else {
            return false;
        }
    }
    return true;
}

static bool is_all_slots(sky_span pattern)
{
    size_t taken;
    if (pattern.len == 0)
        return false;
    while (slot_at(pattern, &taken) != SLOT_NONE)
        pattern = sky_span_tail(pattern, taken);
    return pattern.len == 0;
}

/* One level of a filter, not '#', against one of a pattern; `keys` is NULL for any keys. */
static bool level_within(sky_span level, sky_span pattern, const struct sky_topic_keys *keys)
{
    if (is_level(pattern, '+'))
        return true;
    if (is_level(level, '+'))
        return keys == NULL && is_all_slots(pattern);
    return keys != NULL ? level_is(level, pattern, keys) : level_fits(level, pattern);
}

/* Does the pattern from `level` on match all that a '#' there matches? '#' matches the parent too,
 * which "+/#" does not; but the parent of "#" and of "/#" would be the empty topic, and there is
 * none. */
static bool takes_all(sky_span level, sky_span rest, bool has_parent)
{
    return is_level(level, '#') ||
           (!has_parent && is_level(level, '+') && sky_span_eq_str(rest, "#"));
}

static bool within(sky_span filter, sky_span pattern, const struct sky_topic_keys *keys)
{
    sky_span have, want;
    bool has_parent = filter.len > 2;
    for (bool first = true; sky_span_next(&filter, '/', &have); first = false) {
        if (!sky_span_next(&pattern, '/', &want))
            return false;
        if (first && is_hidden(have) && (is_level(want, '+') || is_level(want, '#')))
            return false;
        if (is_level(have, '#'))
            return takes_all(want, pattern, has_parent);
        if (is_level(want, '#'))
            return true;
        if (!level_within(have, want, keys))
            return false;
    }
    /* "a/#" matches "a" too (4.7.1.2). */
    return pattern.ptr == NULL || sky_span_eq_str(pattern, "#");
}

bool sky_topic_within(sky_span filter, sky_span pattern, const struct sky_topic_keys *keys)
{
    SKY_ASSERT(keys != NULL);
    return within(filter, pattern, keys);
}

bool sky_topic_within_any(sky_span filter, sky_span pattern)
{
    return within(filter, pattern, NULL);
}

bool sky_topic_matches(sky_span filter, sky_span topic)
{
    size_t at = 0, to = 0; /* in the filter, in the topic */
    if (is_hidden(topic) && filter.len > 0 && (filter.ptr[0] == '+' || filter.ptr[0] == '#'))
        return false;
    while (at < filter.len && filter.ptr[at] != '#') {
        if (filter.ptr[at] == '+') {
            while (to < topic.len && topic.ptr[to] != '/')
                to++;
        } else if (to < topic.len && topic.ptr[to] == filter.ptr[at]) {
            to++;
        } else {
            /* "a/#" matches "a" too (4.7.1.2). */
            return to == topic.len && sky_span_eq(sky_span_tail(filter, at), SKY_SPAN("/#"));
        }
        at++;
    }
    return at < filter.len || to == topic.len;
}

bool sky_topic_fill(sky_span pattern, const struct sky_topic_keys *keys, char *out, size_t out_size)
{
    size_t len = 0;
    SKY_ASSERT(out_size > 0);
    while (pattern.len > 0) {
        size_t taken = 1;
        enum slot slot = slot_at(pattern, &taken);
        sky_span piece = slot ? slot_value(slot, keys) : sky_span_head(pattern, 1);
        if (piece.len >= out_size - len) {
            out[0] = '\0';
            return false;
        }
        if (piece.len > 0)
            memcpy(out + len, piece.ptr, piece.len);
        len += piece.len;
        pattern = sky_span_tail(pattern, taken);
    }
    out[len] = '\0';
    return true;
}
