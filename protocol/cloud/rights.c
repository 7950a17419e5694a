#include "protocol/cloud/cloud.h"
#include "protocol/mqtt/topic.h"

/* What a table says about one filter. */
enum verdict { SILENT, GRANTED, DENIED };

static enum verdict ask_own(const struct sky_product_topic *own, size_t count, sky_span filter,
                            const struct sky_topic_keys *keys, unsigned want)
{
    enum verdict verdict = SILENT;
    for (size_t i = 0; i < count; i++) {
        if (!sky_topic_within(filter, sky_span_str(own[i].pattern), keys))
            continue;
        if (want == SKY_MAY_PUB ? own[i].pub : own[i].sub)
            return GRANTED;
        verdict = DENIED;
    }
    return verdict;
}

static const struct sky_topic_row *find_row(const struct sky_cloud *cloud, sky_span filter,
                                            const struct sky_topic_keys *keys)
{
    for (size_t i = 0; i < cloud->topics->count; i++)
        if (sky_topic_within(filter, sky_span_str(cloud->topics->rows[i].pattern), keys))
            return &cloud->topics->rows[i];
    return NULL;
}

/* Would the filter be some other device's, or several devices'? */
static bool is_foreign(const struct sky_cloud *cloud, const struct sky_product_topic *own,
                       size_t own_count, sky_span filter)
{
    for (size_t i = 0; i < own_count; i++)
        if (sky_topic_within_any(filter, sky_span_str(own[i].pattern)))
            return true;
    for (size_t i = 0; i < cloud->topics->count; i++)
        if (sky_topic_within_any(filter, sky_span_str(cloud->topics->rows[i].pattern)))
            return true;
    return false;
}

enum sky_right sky_cloud_right(const struct sky_cloud *cloud, sky_span product, sky_span device,
                               const struct sky_product_topic *own, size_t own_count,
                               sky_span filter, unsigned want, const struct sky_topic_row **ret_row)
{
    const struct sky_topic_keys keys = {product, device};
    const struct sky_topic_row *row = find_row(cloud, filter, &keys);
    enum verdict verdict = ask_own(own, own_count, filter, &keys, want);
    if (verdict == GRANTED || (row != NULL && row->rights & want)) {
        *ret_row = row;
        return SKY_RIGHT_GRANTED;
    }
    if (verdict == DENIED || row != NULL)
        return SKY_RIGHT_DIRECTION;
    return is_foreign(cloud, own, own_count, filter) ? SKY_RIGHT_OTHER : SKY_RIGHT_NONE;
}

static bool row_is_pushed(const struct sky_topic_row *row, unsigned traits)
{
    if (row == NULL)
        return false;
    bool subscribed = traits & SKY_TRAIT_AUTO_SUBSCRIBED && row->rights & SKY_MAY_SUB;
    return row->rights & SKY_PUSHED || (subscribed && !(row->rights & SKY_CUSTOM));
}

bool sky_cloud_is_pushed(const struct sky_cloud *cloud, sky_span product, sky_span device,
                         sky_span topic, unsigned traits)
{
    const struct sky_topic_keys keys = {product, device};
    return row_is_pushed(find_row(cloud, topic, &keys), traits);
}

bool sky_cloud_needs_filter(const struct sky_cloud *cloud, sky_span product, sky_span device,
                            sky_span filter, unsigned traits)
{
    const struct sky_topic_keys keys = {product, device};
    const struct sky_topic_row *row = find_row(cloud, filter, &keys);
    return (row == NULL || !(row->rights & SKY_ANSWER)) && !row_is_pushed(row, traits);
}

bool sky_cloud_topic_fits(const struct sky_cloud_limits *limits, const struct sky_topic_row *row,
                          sky_span filter)
{
    if (row != NULL && !(row->rights & SKY_CUSTOM))
        return true;
    return filter.len <= limits->topic_len_max &&
           sky_topic_levels(filter) <= (size_t)limits->topic_slashes_max + 1;
}
