/* Properties as the application wants them (help page: 设备期望属性值). The document holds
 * {"name":{"value":..,"version":n}}, which is how a device reads it; a version starts at 0 and each
 * write of the application counts it up. */
#include "protocol/cloud/aliyun/request.h"

static struct sky_aliyun_fault names_fault(sky_span names)
{
    sky_span name, rest = sky_json_inside(names);
    bool sound = sky_json_is_array(names);
    if (sky_aliyun__is_longer(names, SKY_ALIYUN_PROPERTIES_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_DESIRED_MANY, "more than 200 properties");
    while (sound && sky_json_next_element(&rest, &name))
        sound = sky_json_is_string(name);
    return sound ? SKY_ALIYUN_SOUND
                 : sky_aliyun__fault(SKY_ALIYUN_PARAMETER, "params must be an array of names");
}

/* Names without a desired value are left out; one that is asked for twice is told once. */
static sky_span wanted(const struct sky_aliyun_request *request)
{
    struct sky_latest desired;
    struct sky_buf out;
    sky_span name, rest = sky_json_inside(request->envelope.params);
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    sky_latest_open(&desired, request->facts->document, &request->effects->arena);
    sky_jw_object(&jw);
    while (sky_json_next_element(&rest, &name)) {
        sky_span value = sky_latest_get(&desired, sky_json_text(name));
        if (value.len == 0)
            continue;
        sky_jw_key_raw(&jw, sky_json_text(name));
        sky_jw_raw(&jw, value);
        sky_latest_drop(&desired, sky_json_text(name));
    }
    sky_jw_end_object(&jw);
    sky_latest_close(&desired);
    return sky_envelope_keep(&request->effects->arena, &out);
}

static void handle_desired_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, names_fault(request.envelope.params)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    sky_aliyun__succeed(&request, wanted(&request));
}

/* {"name":{"version":n}, "name":{}} */
static struct sky_aliyun_fault deletions_fault(sky_span params)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(params);
    bool sound = sky_json_is_object(params);
    if (sky_aliyun__is_longer(params, SKY_ALIYUN_PROPERTIES_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_DESIRED_MANY, "more than 200 properties");
    while (sound && sky_json_next_member(&rest, &member)) {
        sky_span version = sky_json_member(member.value, "version");
        sound =
            sky_json_is_object(member.value) && (version.len == 0 || sky_json_is_number(version));
    }
    return sound ? SKY_ALIYUN_SOUND
                 : sky_aliyun__fault(SKY_ALIYUN_PARAMETER,
                                     "params must be {\"name\":{\"version\":number}}");
}

/* One that the application has changed since the device read it stays: that it did is nobody's
 * fault, and what the cloud answers then is not documented, so that the request succeeds. */
static void handle_desired_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                  struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_latest desired;
    struct sky_json_member member;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, deletions_fault(request.envelope.params)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    sky_latest_open(&desired, facts->document, &effects->arena);
    sky_span rest = sky_json_inside(request.envelope.params);
    while (sky_json_next_member(&rest, &member)) {
        sky_span version = sky_json_member(member.value, "version");
        sky_span kept = sky_json_member(sky_latest_get(&desired, member.key), "version");
        if (version.len == 0 || sky_json_number(version) == sky_json_number(kept))
            sky_latest_drop(&desired, member.key);
    }
    sky_latest_save(&desired, facts, sky_aliyun_desired_delete.document, effects);
    sky_latest_close(&desired);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

const struct sky_service sky_aliyun_desired_get = {
    .name = "desired-get", .document = SKY_ALIYUN_DESIRED, .handle = handle_desired_get};
const struct sky_service sky_aliyun_desired_delete = {
    .name = "desired-delete", .document = SKY_ALIYUN_DESIRED, .handle = handle_desired_delete};
