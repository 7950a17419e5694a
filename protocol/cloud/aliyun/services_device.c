/* What a device tells of itself besides what it measures, the time, and what nothing here answers.
 */
#include <ctype.h>
#include <inttypes.h>

#include "protocol/base/assert.h"
#include "protocol/cloud/aliyun/request.h"

/* ---- tags ---- */

/* Help page: 设备标签. [A-Za-z_][A-Za-z0-9_]*, and a space or a dot would be refused. */
static bool is_tag_key(sky_span key)
{
    bool sound =
        key.len > 0 && key.len <= SKY_ALIYUN_TAG_KEY_MAX && !isdigit((unsigned char)*key.ptr);
    for (size_t i = 0; sound && i < key.len; i++)
        sound = isalnum((unsigned char)key.ptr[i]) || key.ptr[i] == '_';
    return sound;
}

static struct sky_aliyun_fault tags_fault(sky_span params, bool needs_value)
{
    sky_span tag, rest = sky_json_inside(params);
    const char *what = sky_json_is_array(params) ? NULL : "params must be an array of tags";
    if (sky_aliyun__is_longer(params, SKY_ALIYUN_TAGS_MAX))
        return sky_aliyun__too_many(SKY_ALIYUN_PARAMETER, "more than 200 tags in one message");
    while (what == NULL && sky_json_next_element(&rest, &tag)) {
        sky_span key = sky_json_member(tag, "attrKey");
        if (!sky_json_is_string(key) || !is_tag_key(sky_json_text(key)))
            what = "every tag needs an attrKey of at most 100 letters, digits and underscores, no "
                   "digit in front";
        else if (needs_value && sky_json_member(tag, "attrValue").len == 0)
            what = "every tag needs an attrValue";
    }
    return what == NULL ? SKY_ALIYUN_SOUND : sky_aliyun__fault(SKY_ALIYUN_PARAMETER, what);
}

static void change_tags(const struct sky_uplink *uplink, const struct sky_facts *facts, bool update,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_latest latest;
    sky_span tag;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects) ||
        sky_aliyun__refused(&request, tags_fault(request.envelope.params, update)))
        return;
    sky_judge_kept(judge, ALI_RULE(ENTRIES));
    sky_latest_open(&latest, facts->document, &effects->arena);
    sky_span rest = sky_json_inside(request.envelope.params);
    while (sky_json_next_element(&rest, &tag)) {
        sky_span key = sky_json_text(sky_json_member(tag, "attrKey"));
        if (update)
            sky_latest_put(&latest, key,
                           sky_json_compact(latest.arena, sky_json_member(tag, "attrValue")));
        else
            sky_latest_drop(&latest, key);
    }
    sky_latest_save(&latest, facts, sky_aliyun_tags_update.document, effects);
    sky_latest_close(&latest);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

static void handle_tags_update(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    change_tags(uplink, facts, true, judge, effects);
}

static void handle_tags_delete(const struct sky_uplink *uplink, const struct sky_facts *facts,
                               struct sky_judge *judge, struct sky_effects *effects)
{
    change_tags(uplink, facts, false, judge, effects);
}

/* ---- a new start ---- */

/* The C SDK's dev_reset: what users have bound to the device is theirs no longer, and it may
 * register anew (help page: 设备重置). */
static void handle_reset(const struct sky_uplink *uplink, const struct sky_facts *facts,
                         struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects))
        return;
    sky_effects_add(effects, SKY_EFFECT_RESET);
    sky_aliyun__succeed(&request, SKY_SPAN("{}"));
}

/* ---- time ---- */

/* Help page 102509: the device's time comes back as it was sent, the server's are strings. */
static void handle_time(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_buf out;
    SKY_ASSERT(sky_span_ends(uplink->topic, SKY_SPAN("request")));
    if (!sky_aliyun__open(&request, uplink, facts, judge, effects))
        return;
    sky_span sent = sky_json_member(request.envelope.text, "deviceSendTime");
    bool usable = sky_json_is_string(sent) || sky_json_is_number(sent);
    sky_judge_rule(judge, ALI_RULE(PARAMS), usable, "a time request without deviceSendTime");
    if (!usable)
        return;
    sky_span base = sky_span_head(uplink->topic, uplink->topic.len - strlen("request"));
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out,
                 "{\"deviceSendTime\":%.*s,\"serverRecvTime\":\"%" PRId64
                 "\",\"serverSendTime\":\"%" PRId64 "\"}",
                 SKY_SPAN_ARGS(sent), facts->now_ms, facts->now_ms);
    sky_envelope_reply(effects, uplink,
                       sky_arena_printf(&effects->arena, "%.*sresponse", SKY_SPAN_ARGS(base)),
                       &out);
}

/* ---- what is not played ---- */

static void answer_not_found(const struct sky_uplink *uplink, struct sky_effects *effects)
{
    struct sky_aliyun_request request = {.uplink = uplink, .effects = effects};
    sky_envelope_open(&request.envelope, uplink->payload, SKY_ALIYUN_MESSAGE_MAX);
    sky_aliyun__reply(&request, SKY_ALIYUN_NOT_FOUND, SKY_SPAN("{}"));
}

/* A _reply may well answer what a test sent down by hand: nothing to find in it. */
static void handle_unknown(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    (void)facts;
    if (sky_envelope_is_reply(uplink->topic))
        return;
    sky_judge_broken(judge, ALI_RULE(SERVICE_UNKNOWN), "nothing answers on %.*s",
                     SKY_SPAN_ARGS(uplink->topic));
    answer_not_found(uplink, effects);
}

static void handle_unplayed_unanswered(const struct sky_uplink *uplink,
                                       const struct sky_facts *facts, struct sky_judge *judge,
                                       struct sky_effects *effects)
{
    (void)facts, (void)effects;
    if (!sky_envelope_is_reply(uplink->topic))
        sky_judge_broken(judge, ALI_RULE(SERVICE_UNKNOWN), SKY_ENVELOPE_UNPLAYED,
                         SKY_SPAN_ARGS(uplink->topic));
}

static void handle_unplayed(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    handle_unplayed_unanswered(uplink, facts, judge, effects);
    if (!sky_envelope_is_reply(uplink->topic))
        answer_not_found(uplink, effects);
}

const struct sky_service sky_aliyun_tags_update = {
    .name = "tags-update", .document = "tags", .handle = handle_tags_update};
const struct sky_service sky_aliyun_tags_delete = {
    .name = "tags-delete", .document = "tags", .handle = handle_tags_delete};
const struct sky_service sky_aliyun_reset = {.name = "reset", .handle = handle_reset};
const struct sky_service sky_aliyun_time = {.name = "time", .handle = handle_time};
const struct sky_service sky_aliyun_unplayed = {.name = "unplayed", .handle = handle_unplayed};
const struct sky_service sky_aliyun_unplayed_unanswered = {.name = "unplayed",
                                                           .handle = handle_unplayed_unanswered};
const struct sky_service sky_aliyun_unknown = {.name = "unknown", .handle = handle_unknown};
