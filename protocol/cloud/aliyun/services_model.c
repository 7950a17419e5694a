/* The product's thing model, for devices that ask for it. */
#include "protocol/cloud/aliyun/request.h"
#include "protocol/cloud/model.h"

/* dynamicTsl lets a device name the members it wants; the C SDK reads the whole as well, and what
 * the cloud leaves out is not documented. That there is none is not the device's fault. */
static void handle_model_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects))
        return;
    if (facts->model != NULL)
        sky_aliyun__succeed(&request, sky_model_text(facts->model));
    else
        sky_aliyun__reply(&request, SKY_ALIYUN_NO_MODEL, SKY_SPAN("{}"));
}

const struct sky_service sky_aliyun_model_get = {
    .name = "model-get", .reads = SKY_READS_MODEL, .handle = handle_model_get};
