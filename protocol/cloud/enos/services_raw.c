/* Raw bytes, for products with a format of their own. */
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"

/* SDKs wait for a reply to up_raw, one at a time, and look at nothing in it. */
static void handle_raw(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    const struct sky_enos_request request = {
        .uplink = uplink,
        .facts = facts,
        .judge = judge,
        .effects = effects,
        .envelope = {.id = SKY_SPAN("\"\"")},
    };
    sky_judge_kept(judge, ENOS_RULE(SERVICE_UNKNOWN));
    sky_enos__succeed(&request);
}

const struct sky_service sky_enos_raw = {.name = "raw", .handle = handle_raw};
