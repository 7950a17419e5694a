/* What nobody answers, and what is refused. */
#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"

static void refuse(const struct sky_uplink *uplink, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    sky_enos__begin(&request, uplink, facts, judge, effects);
    bool large = request.envelope.fault == SKY_ENVELOPE_LARGE;
    if (!sky_envelope_is_reply(uplink->topic))
        sky_enos__fail(&request, large ? SKY_ENOS_CODE_TOO_LARGE : SKY_ENOS_CODE_NO_RIGHT);
}

/* A _reply may well answer what a test sent down by hand: nothing to find in it. */
static void handle_unknown(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    if (sky_envelope_is_reply(uplink->topic))
        return;
    sky_judge_broken(judge, ENOS_RULE(SERVICE_UNKNOWN), "nothing answers on %.*s",
                     SKY_SPAN_ARGS(uplink->topic));
    refuse(uplink, facts, judge, effects);
    effects->list[effects->count - 1].coap_code = SKY_COAP_NOT_FOUND;
}

/* A gateway that speaks for a device which is not logged in by it cannot have subscribed to the
 * answer: it gets that all the same, as SDKs wait for one. */
void sky_enos_refuse_publish(const struct sky_uplink *uplink, const struct sky_facts *facts,
                             struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (facts->peer_count == 0) {
        refuse(uplink, facts, judge, effects);
        return;
    }
    sky_enos__begin(&request, uplink, facts, judge, effects);
    if (sky_envelope_is_reply(uplink->topic))
        return;
    sky_enos__reply_saying(&request, SKY_ENOS_CODE_NO_RIGHT,
                           SKY_SPAN("The sub-device is not logged in by this gateway"),
                           SKY_SPAN("{}"));
    effects->list[effects->count - 1].kind = SKY_EFFECT_PUSH;
}

const struct sky_service sky_enos_unknown = {.name = "unknown", .handle = handle_unknown};
