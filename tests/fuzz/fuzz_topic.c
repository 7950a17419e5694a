/* Three lines: a filter, a topic, a pattern. The three ways to match must agree. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/mqtt/subs.h"
#include "protocol/mqtt/topic.h"

static const struct sky_topic_keys keys = {{"pk", 2}, {"dev", 3}};

static bool has_brace(sky_span text)
{
    return sky_span_contains(text, SKY_SPAN("{"));
}

static void check_levels(sky_span text)
{
    size_t levels = sky_topic_levels(text), bytes = 0;
    for (size_t i = 0; i < levels && i < 64; i++)
        bytes += sky_topic_level(text, i).len;
    SKY_ASSERT(levels > 64 || levels == 0 || bytes + levels - 1 == text.len);
}

static void check_subs(sky_span filter, sky_span topic, bool match)
{
    struct sky_subs *subs = sky_subs_new();
    struct sky_receivers found = {0};
    if (sky_subs_add(subs, 3, filter, 1) == SKY_OK) {
        sky_subs_match(subs, topic, &found);
        SKY_ASSERT(found.count == match);
        SKY_ASSERT(sky_subs_remove(subs, 3, filter));
    }
    sky_receivers_done(&found);
    sky_subs_free(subs);
}

static void check_pattern(sky_span filter, sky_span topic, sky_span pattern)
{
    char filled[256];
    bool within = sky_topic_within(filter, pattern, &keys);
    SKY_ASSERT(!within || !sky_topic_matches(filter, topic) ||
               sky_topic_within(topic, pattern, &keys));
    if (!sky_topic_fill(pattern, &keys, filled, sizeof filled) ||
        !sky_topic_valid_filter(sky_span_str(filled)) || has_brace(sky_span_str(filled)))
        return;
    SKY_ASSERT(sky_topic_within(filter, sky_span_str(filled), &keys) == within);
    SKY_ASSERT(sky_topic_within(topic, pattern, &keys) ==
               sky_topic_matches(sky_span_str(filled), topic));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sky_span rest = sky_span_of(bytes, len > 2048 ? 2048 : len);
    sky_span filter = SKY_SPAN_NONE, topic = SKY_SPAN_NONE, pattern = SKY_SPAN_NONE;
    if (memchr(bytes, '\0', rest.len) != NULL || !sky_span_next(&rest, '\n', &filter) ||
        !sky_span_next(&rest, '\n', &topic) || !sky_span_next(&rest, '\n', &pattern))
        return 0;
    check_levels(filter);
    sky_topic_within_any(filter, pattern);
    if (!sky_topic_valid_filter(filter) || !sky_topic_valid_name(topic))
        return 0;
    bool match = sky_topic_matches(filter, topic);
    SKY_ASSERT(has_brace(filter) || sky_topic_within(topic, filter, &keys) == match);
    check_subs(filter, topic, match);
    if (sky_topic_valid_filter(pattern))
        check_pattern(filter, topic, pattern);
    return 0;
}
