#include "protocol/cloud/cloud.h"

#include "protocol/base/assert.h"
#include "protocol/coap/rules.h"

const struct sky_cloud *sky_cloud_find(sky_span name)
{
    for (size_t i = 0; sky_clouds[i] != NULL; i++)
        if (sky_span_eq_str(name, sky_clouds[i]->name))
            return sky_clouds[i];
    return NULL;
}

void sky_cloud_fill_catalogue(struct sky_catalogue *catalogue)
{
    sky_catalogue_add(catalogue, sky_mqtt_rules);
    sky_catalogue_add(catalogue, sky_coap_rules);
    for (size_t i = 0; sky_clouds[i] != NULL; i++)
        sky_catalogue_add(catalogue, sky_clouds[i]->rules);
}

const struct sky_rule *sky_cloud_limit_rule(const struct sky_cloud *cloud,
                                            enum sky_limit_rule which)
{
    SKY_ASSERT(which < SKY_LIMIT_RULES);
    if (cloud != NULL && cloud->limit_rules[which] != NULL)
        return cloud->limit_rules[which];
    return sky_mqtt_limit_rule(which);
}

static const struct sky_rule *find_mistake(const struct sky_mistake_rule *rows, size_t count,
                                           enum sky_mistake mistake)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].mistake == mistake)
            return rows[i].rule;
    return NULL;
}

const struct sky_rule *sky_cloud_mistake_rule(const struct sky_cloud *cloud,
                                              enum sky_mistake mistake)
{
    return find_mistake(cloud->mistake_rules, cloud->mistake_rule_count, mistake);
}

const struct sky_rule *sky_cloud_psk_mistake_rule(const struct sky_cloud *cloud,
                                                  enum sky_mistake mistake)
{
    const struct sky_cloud_psk *psk = cloud->psk;
    const struct sky_rule *own =
        psk != NULL ? find_mistake(psk->mistake_rules, psk->mistake_rule_count, mistake) : NULL;
    return own != NULL ? own : sky_cloud_mistake_rule(cloud, mistake);
}

const struct sky_rule *sky_cloud_http_mistake_rule(const struct sky_cloud *cloud,
                                                   const struct sky_http_row *row,
                                                   enum sky_mistake mistake)
{
    const struct sky_rule *own = find_mistake(row->mistake_rules, row->mistake_rule_count, mistake);
    return own != NULL ? own : sky_cloud_mistake_rule(cloud, mistake);
}
