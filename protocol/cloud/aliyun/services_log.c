/* Logs that devices upload, and whether they are to (help page 159857). */
#include "protocol/cloud/aliyun/request.h"

static struct sky_aliyun_fault log_fault(sky_span params)
{
    sky_span entry, rest = sky_json_inside(params);
    bool sound = sky_json_is_array(params);
    if (sky_json_is_object(params)) /* the C SDK 3.2: {"template":..,"contents":[..]} */
        return SKY_ALIYUN_SOUND;
    if (sky_aliyun__is_longer(params, SKY_ALIYUN_LOG_ENTRIES_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_PARAMETER, "more than 40 log entries");
    while (sound && sky_json_next_element(&rest, &entry))
        sound = sky_json_is_object(entry);
    return sound
               ? SKY_ALIYUN_SOUND
               : sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "params must be an array of log entries");
}

/* The members of an entry have other names in each of the vendor's SDKs: nothing is asked of them.
 */
static void handle_log_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, log_fault(request.envelope.params)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* Off until the application has pushed that it is on. */
static void handle_log_config(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects))
        return;
    sky_span params = request.envelope.params;
    bool sound = sky_json_reads(sky_json_text(sky_json_member(params, "configScope")), "device") &&
                 sky_json_reads(sky_json_text(sky_json_member(params, "getType")), "content");
    if (!sound &&
        sky_aliyun__refused(
            &request, sky_aliyun__fault(
                          SKY_ALIYUN_PARAMETER,
                          "params must be {\"configScope\":\"device\",\"getType\":\"content\"}")))
        return;
    sky_span content = facts->document.len > 0 ? facts->document : SKY_SPAN("{\"mode\":0}");
    sky_aliyun__succeed(&request, sky_arena_printf(&effects->arena,
                                                   "{\"getType\":\"content\",\"content\":%.*s}",
                                                   SKY_SPAN_ARGS(content)));
}

const struct sky_service sky_aliyun_log_post = {.name = "log-post", .handle = handle_log_post};
const struct sky_service sky_aliyun_log_config = {
    .name = "log-config", .document = SKY_ALIYUN_LOG_CONFIG, .handle = handle_log_config};
