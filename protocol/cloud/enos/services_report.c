/* What a device reports about itself for people to read, and its model. */
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/model.h"
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/cloud/enos/services.h"

enum { UP = 1, DOWN = 2, UNKNOWN = 3 }; /* a node's state */

static bool is_time(sky_span value)
{
    int64_t ms;
    return value.len == 0 || sky_span_to_int(sky_json_text(value), &ms);
}

static bool is_absent_or(bool (*is)(sky_span), sky_span value)
{
    return value.len == 0 || is(value);
}

/* {"logs":{"traceId","level","module","content"},"time":ms}, strings, each optional. */
static bool log_is_sound(sky_span params)
{
    struct sky_json_member field;
    sky_span logs = sky_json_member(params, "logs");
    sky_span rest = sky_json_inside(logs);
    if (!sky_json_is_object(logs) || !is_time(sky_json_member(params, "time")))
        return false;
    while (sky_json_next_member(&rest, &field))
        if (!sky_json_is_string(field.value) && !sky_json_is_null(field.value))
            return false;
    return true;
}

/* Figures of the link; SDKs leave out what their modem does not tell. */
static bool status_is_sound(sky_span params)
{
    static const char *const numbers[] = {"rssi", "snr", "packetLossRate"};
    if (!sky_json_is_object(params) || !is_time(sky_json_member(params, "reportTime")) ||
        !is_time(sky_json_member(params, "collectTime")))
        return false;
    for (size_t i = 0; i < SKY_COUNT(numbers); i++)
        if (!is_absent_or(sky_json_is_number, sky_json_member(params, numbers[i])))
            return false;
    return is_absent_or(sky_json_is_string, sky_json_member(params, "networkType")) &&
           is_absent_or(sky_json_is_string, sky_json_member(params, "errorInfo"));
}

static bool node_is_sound(sky_span node)
{
    int64_t state;
    return sky_json_is_string(sky_json_member(node, "nodeId")) &&
           sky_span_to_int(sky_json_member(node, "state"), &state) && state >= UP &&
           state <= UNKNOWN;
}

/* {"isFull","nodes":[{nodeId,state}],"relations":{parent:[children]},"reportTime"}; relations are
 * stated only with all nodes. */
static bool topology_is_sound(sky_span params)
{
    sky_span node, nodes = sky_json_member(params, "nodes");
    sky_span rest = sky_json_inside(nodes), full = sky_json_member(params, "isFull");
    struct sky_json_member parent;
    if (!sky_json_is_array(nodes) || !is_time(sky_json_member(params, "reportTime")))
        return false;
    while (sky_json_next_element(&rest, &node))
        if (!node_is_sound(node))
            return false;
    sky_span relations = sky_json_member(params, "relations");
    if (relations.len == 0 || sky_json_is_null(relations))
        return true;
    rest = sky_json_inside(relations);
    while (sky_json_next_member(&rest, &parent))
        if (!sky_json_is_array(parent.value))
            return false;
    return sky_json_is_object(relations) && sky_span_eq_str(full, "true");
}

/* The vendor publishes no code for a wrong shape here, and its reports are for people: the message
 * is acknowledged, and what is odd in it is a finding. */
static void take_report(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects,
                        bool (*is_sound)(sky_span params), const char *name)
{
    struct sky_enos_request request;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    sky_judge_rule(judge, ENOS_RULE(PARAMS), is_sound(request.envelope.params),
                   "%.*s: the params are not those of the topic", SKY_SPAN_ARGS(uplink->topic));
    if (request.envelope.params.len > 0)
        sky_envelope_note(effects, name, request.envelope.params);
    sky_enos__succeed(&request);
}

static void handle_log(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects)
{
    take_report(uplink, facts, judge, effects, log_is_sound, "log");
}

static void handle_network_status(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    take_report(uplink, facts, judge, effects, status_is_sound, "network-status");
}

static void handle_connection_state(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                    struct sky_judge *judge, struct sky_effects *effects)
{
    take_report(uplink, facts, judge, effects, topology_is_sound, "connection-state");
}

/* Its four maps, as the SDKs' getters name them; empty for a product without a model. */
static void handle_template(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    sky_enos__reply(&request, SKY_ENOS_CODE_OK,
                    facts->model != NULL
                        ? sky_enos__model_maps(facts->model, &effects->arena)
                        : SKY_SPAN("{\"tslAttributeMap\":{},\"tslMeasurepointMap\":{},"
                                   "\"tslEventMap\":{},\"tslServiceMap\":{}}"));
}

const struct sky_service sky_enos_log = {.name = "log", .handle = handle_log};
const struct sky_service sky_enos_network_status = {.name = "network-status",
                                                    .handle = handle_network_status};
const struct sky_service sky_enos_connection_state = {.name = "connection-state",
                                                      .handle = handle_connection_state};
const struct sky_service sky_enos_template = {
    .name = "template", .reads = SKY_READS_MODEL, .handle = handle_template};
