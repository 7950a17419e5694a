/* What carries opaque bytes: raw data, for products with a format of their own, and remote calls.
 */
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/mqtt/topic.h"

enum { CALL_ID_LEVEL = 6 }; /* of /sys/{product}/{device}/rrpc/response/{id} */

/* SDKs wait for the reply to up_raw, one at a time, and look at nothing in it. The cloud's is what
 * the product's script makes of the reply to what it read in the bytes; there is no script here, so
 * it is that reply as JSON. It has no id, as nobody read one. */
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
    sky_judge_rule(judge, ENOS_RULE(PAYLOAD_JSON), uplink->payload.len > 0,
                   "%.*s: the payload is empty", SKY_SPAN_ARGS(uplink->topic));
    if (uplink->payload.len == 0)
        sky_enos__fail(&request, SKY_ENOS_CODE_EMPTY);
    else if (uplink->payload.len > SKY_ENOS_MESSAGE_MAX)
        sky_enos__fail(&request, SKY_ENOS_CODE_TOO_LARGE);
    else
        sky_enos__succeed(&request);
}

/* The bytes have no id that could be read here: they answer what was asked first. */
static void handle_raw_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)judge;
    sky_envelope_answer(effects, uplink, SKY_SPAN_NONE,
                        sky_envelope_asked_topic(&effects->arena, uplink->topic));
    effects->list[effects->count - 1].in_order = true;
}

static void handle_rpc_answer(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts, (void)judge;
    sky_envelope_answer(effects, uplink, sky_topic_level(uplink->topic, CALL_ID_LEVEL),
                        sky_arena_printf(&effects->arena, "/sys/%.*s/%.*s/rrpc/request/+",
                                         SKY_SPAN_ARGS(uplink->product),
                                         SKY_SPAN_ARGS(uplink->device)));
}

const struct sky_service sky_enos_raw = {.name = "raw", .handle = handle_raw};
const struct sky_service sky_enos_raw_answer = {.name = "raw-answer", .handle = handle_raw_answer};
const struct sky_service sky_enos_rpc_answer = {.name = "rpc-answer", .handle = handle_rpc_answer};
