/* What the fourth cloud is: its limits, rules, topics and its one service. It has nothing of what
 * is optional: no HTTP calls, no pre-shared keys, no CoAP, no shadow, no commands. */
#include "tests/unit/cloud/fourth/fourth.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/envelope.h"
#include "protocol/cloud/rule_rows.h"

extern const struct sky_cloud sky_cloud_fourth;

enum { REPORT_MAX = 4096 };

const struct sky_rule sky_fourth_rules[FOUR_RULES] = {
#define RULE(name, ...) [FOUR_RULE_##name] = SKY_RULE_ROW(name, __VA_ARGS__),
#include "tests/unit/cloud/fourth/rules.def"
#undef RULE
};

/* Answers with the id that the report had. */
static void handle_report(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_envelope envelope;
    struct sky_buf out;
    (void)facts;
    sky_envelope_open(&envelope, uplink->payload, REPORT_MAX);
    bool sound = envelope.fault == SKY_ENVELOPE_SOUND;
    sky_judge_rule(judge, FOUR_RULE(REPORT_JSON), sound, "the report is no JSON object");
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    sky_buf_addf(&out, "{\"taken\":%s", sound ? "true" : "false");
    if (envelope.id.len > 0)
        sky_buf_addf(&out, ",\"id\":%.*s", SKY_SPAN_ARGS(envelope.id));
    sky_buf_add_byte(&out, '}');
    sky_envelope_reply(effects, uplink,
                       sky_arena_printf(&effects->arena, "fourth/%.*s/%.*s/taken",
                                        SKY_SPAN_ARGS(uplink->product),
                                        SKY_SPAN_ARGS(uplink->device)),
                       &out);
}

static const struct sky_service report = {.name = "report", .handle = handle_report};

static const struct sky_topic_row topic_rows[] = {
    {"fourth/{product}/{device}/report", SKY_MAY_PUB, &report},
    {"fourth/{product}/{device}/taken", SKY_MAY_SUB, NULL},
    {"fourth/{product}/{device}/data", SKY_MAY_PUB | SKY_MAY_SUB, NULL},
};

static const struct sky_topic_table topics = {topic_rows, SKY_COUNT(topic_rows)};

const struct sky_cloud sky_cloud_fourth = {
    .name = "fourth",
    .title = "Fourth Cloud",
    .words = {"productName", "productKey", "deviceName", "deviceKey"},
    .limits = {.payload_max = 64 * 1024,
               .topic_len_max = 128,
               .topic_slashes_max = 7,
               .filters_per_packet_max = 8,
               .filters_per_device_max = 100,
               .keepalive = {[SKY_PROFILE_SEED] = {60, 300}, [SKY_PROFILE_CURRENT] = {60, 300}},
               .session = {.inflight_max = 10,
                           .queue_max = 100,
                           .queue_bytes_max = 1024 * 1024,
                           .queue_age_max_ms = INT64_C(3600) * 1000}},
    .publish_violation = SKY_VIOLATION_ACK,

    .rules = {.owner = "fourth", .rows = sky_fourth_rules, .count = FOUR_RULES, .special = true},
    .mistake_rules = sky_fourth__mistakes,
    .mistake_rule_count = SKY_FOURTH_MISTAKES,
    .topics = &topics,

    .claim = sky_fourth__claim,
    .admit = sky_fourth__admit,
    .suspect = sky_fourth__suspect,
    .sign = sky_fourth__sign,
    .make_secret = sky_fourth__make_secret,
};
