/* Topic names and filters (MQTT 3.1.1 §4.7), and patterns with placeholders.
 * Pure functions on spans; knows no device and no table. */
#ifndef SKY_MQTT_TOPIC_H
#define SKY_MQTT_TOPIC_H

#include "protocol/base/span.h"

/* Non-empty, no wildcard characters (4.7.1-1, 4.7.3-1). UTF-8 is the decoder's business. */
bool sky_topic_valid_name(sky_span topic);
/* Non-empty, '#' alone and last, '+' alone in its level (4.7.1-2, 4.7.1-3). */
enum sky_filter_flaw { SKY_FILTER_GOOD, SKY_FILTER_EMPTY, SKY_FILTER_HASH, SKY_FILTER_PLUS };
enum sky_filter_flaw sky_topic_filter_flaw(sky_span filter);
bool sky_topic_valid_filter(sky_span filter);
bool sky_topic_has_wildcard(sky_span filter);

/* Does `topic` match `filter`, both valid? A leading wildcard does not match '$' (4.7.2-1). */
bool sky_topic_matches(sky_span filter, sky_span topic);

/* The values of a pattern's placeholders: {product} and {device}. */
struct sky_topic_keys {
    sky_span product, device;
};

/* A pattern is a filter whose levels may also be "{product}" or "{device}" (a placeholder may
 * also be part of a level, as in "{product}{device}").
 * Is every topic that `filter` matches also matched by `pattern` with the keys filled in?
 * With a topic name for `filter` this is plain matching. A key is literal text: "+" as a key
 * grants no wildcard. Does not allocate. */
bool sky_topic_within(sky_span filter, sky_span pattern, const struct sky_topic_keys *keys);

/* As above, but with any keys at all, of one character or more: the topics of some other device,
 * or, when `filter` has '+' in a placeholder's level, of every device. */
bool sky_topic_within_any(sky_span filter, sky_span pattern);

/* Writes `pattern` with its placeholders filled in, a NUL behind; false, and `out` empty, if it
 * does not fit. */
bool sky_topic_fill(sky_span pattern, const struct sky_topic_keys *keys, char *out,
                    size_t out_size);

/* The level with this number, from 0; the empty span past the end ("/a" has levels "", "a"). */
sky_span sky_topic_level(sky_span topic, size_t number);
size_t sky_topic_levels(sky_span topic);

#endif
