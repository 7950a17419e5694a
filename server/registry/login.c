#include "server/registry/login.h"

#include <stdio.h>

#include "server/registry/door.h"
#include "server/registry/rules.h"

struct sky_login sky_login_of(const struct sky_door *door, const struct sky_mqtt_connect *connect)
{
    return (struct sky_login){.door = door,
                              .client_id = connect->client_id,
                              .username = connect->username,
                              .password = connect->password,
                              .has_username = connect->has_username,
                              .has_password = connect->has_password,
                              .clean_session = connect->clean_session,
                              .level = connect->level,
                              .keepalive_s = connect->keepalive_s};
}

/* How well founded a claim is: the registry's word first, then the listener's, then the shape. */
static int standing(enum sky_known known, const struct sky_cloud *cloud,
                    const struct sky_claim *claim, const struct sky_door *door)
{
    return (int)known * 10000 + (door->listener->home == cloud ? 1000 : 0) + claim->affinity;
}

/* Whose certificate it is, as far as the registry knows. */
static int64_t owner_of(struct sky_registry *registry, sky_span fingerprint)
{
    struct sky_product product;
    struct sky_device device;
    bool known = fingerprint.len > 0 && sky_store_find_fingerprint(registry->store, fingerprint,
                                                                   &product, &device) == SKY_OK;
    return known ? device.id : 0;
}

bool sky_login_recognise(struct sky_registry *registry, const struct sky_login *login,
                         struct sky_lookup *ret_lookup)
{
    int best = 0;
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        struct sky_claim claim;
        struct sky_lookup lookup;
        if (!sky_clouds[i]->claim(login, &claim) ||
            standing(SKY_KNOWN_DEVICE, sky_clouds[i], &claim, login->door) <= best)
            continue; /* whatever the registry would say */
        sky_lookup_claim(registry, sky_clouds[i], &claim, &lookup);
        if (claim.affinity <= SKY_AFFINITY_WORD && sky_lookup_known(&lookup) == SKY_KNOWN_NOTHING &&
            !lookup.failed)
            continue;
        int here = standing(sky_lookup_known(&lookup), lookup.cloud, &claim, login->door);
        if (here > best) {
            best = here;
            sky_lookup_copy(ret_lookup, &lookup);
        }
    }
    if (best > 0)
        ret_lookup->facts.certificate_device_id = owner_of(registry, login->door->fingerprint);
    return best > 0;
}

static const struct sky_rule *rule_of(const void *ctx, enum sky_mistake mistake)
{
    return sky_cloud_mistake_rule(ctx, mistake);
}

static void explain(struct sky_registry *registry, const struct sky_login *login,
                    const struct sky_lookup *lookup, struct sky_judge *judge,
                    struct sky_refusal *refusal)
{
    struct sky_arena arena;
    struct sky_suspicion suspicion = {.now_ms = registry->clock->now_ms};
    sky_arena_init(&arena);
    if (lookup->cloud->suspect(login, &lookup->facts, &suspicion, &arena))
        sky_refusal_explain(registry, lookup, &suspicion, &arena, rule_of, lookup->cloud, judge,
                            refusal);
    sky_arena_done(&arena);
}

/* False: it has to wait for a turn of the loop with fewer searches. */
static bool look_for_mistake(struct sky_registry *registry, const struct sky_login *login,
                             const struct sky_lookup *lookup, struct sky_judge *judge,
                             struct sky_login_outcome *outcome)
{
    if (outcome->cause != SKY_CAUSE_SIGNATURE && outcome->cause != SKY_CAUSE_UNKNOWN)
        return true;
    if (!sky_refusal_may_search(registry)) {
        outcome->refusal.unsearched = registry->searches.waiting >= SKY_SEARCHES_WAITING_MAX;
        return outcome->refusal.unsearched;
    }
    if (outcome->cause == SKY_CAUSE_SIGNATURE)
        explain(registry, login, lookup, judge, &outcome->refusal);
    else
        sky_refusal_find_similar(registry, lookup, &outcome->refusal);
    return true;
}

/* Whoever would be known with client id and user name in each other's place has exchanged them. */
static bool is_exchanged(struct sky_registry *registry, const struct sky_login *login)
{
    struct sky_login turned = *login;
    struct sky_lookup lookup = {.cloud = NULL};
    turned.client_id = login->username;
    turned.username = login->client_id;
    return login->username.len > 0 && sky_login_recognise(registry, &turned, &lookup) &&
           lookup.device.id != 0;
}

/* A login that is refused for its form or for naming nobody. */
static void look_for_slip(struct sky_registry *registry, const struct sky_login *login,
                          struct sky_login_outcome *outcome)
{
    struct sky_refusal *refusal = &outcome->refusal;
    if (outcome->connack == 0 || refusal->explained || refusal->failed ||
        (outcome->cause != SKY_CAUSE_SHAPE && outcome->cause != SKY_CAUSE_UNKNOWN))
        return;
    sky_refusal_find_slip(login, refusal);
    if (refusal->slipped || !is_exchanged(registry, login))
        return;
    sky_explain_plain(SKY_MISTAKE_EXCHANGED, SKY_SPAN_NONE, &refusal->explanation);
    refusal->slipped = true;
}

/* ---- deciding ---- */

/* A protocol level that is not spoken here, or not under the name it came with. */
static void judge_level(const struct sky_mqtt_connect *connect, struct sky_judge *judge,
                        struct sky_login_outcome *ret)
{
    uint8_t plain = connect->level & (uint8_t)~SKY_MQTT_LEVEL_BRIDGE;
    bool spoken = plain == 3 || plain == 4; /* if it came under the other name, or from a device */
    char did[128];
    *ret = (struct sky_login_outcome){.connack = SKY_CONNACK_PROTOCOL, .cause = SKY_CAUSE_SHAPE};
    sky_judge_broken(judge, sky_mqtt_rule(SKY_MQTT_RULE_LEVEL),
                     "protocol name %.*s with level %u%s; MQTT with 4 (3.1.1) is spoken here",
                     SKY_SPAN_ARGS(connect->protocol), connect->level,
                     connect->level == 5 ? " (MQTT 5.0)" : "");
    if (!spoken)
        return;
    if (plain != connect->level)
        snprintf(did, sizeof did,
                 "connected as a broker's bridge does: its protocol level %u is %u with bit 7 set",
                 connect->level, plain);
    else
        snprintf(did, sizeof did,
                 "sent the protocol name %.*s with level %u, which do not belong together",
                 SKY_SPAN_ARGS(connect->protocol), plain);
    sky_explain_plain(plain != connect->level ? SKY_MISTAKE_BRIDGE : SKY_MISTAKE_PROTOCOL_LEVEL,
                      sky_span_str(did), &ret->refusal.explanation);
    ret->refusal.slipped = true;
}

/* What the specification asks of a CONNECT, whoever sends it; returns the code of the first that
 * refuses, else 0. `cloud` may be NULL. */
static uint8_t judge_specification(const struct sky_cloud *cloud,
                                   const struct sky_mqtt_connect *connect, struct sky_judge *judge)
{
    sky_judge_kept(judge, sky_mqtt_rule(SKY_MQTT_RULE_FIRST_PACKET));
    sky_judge_kept(judge, sky_mqtt_rule(SKY_MQTT_RULE_CONNECT_TIMEOUT));
    if (sky_judge_rule(judge, sky_mqtt_rule(SKY_MQTT_RULE_LEVEL),
                       connect->level == 4 || cloud == NULL || cloud->limits.level_3,
                       "protocol level 3 (MQTT 3.1); this cloud takes 3.1.1 only"))
        return SKY_CONNACK_PROTOCOL;
    if (sky_judge_rule(judge, sky_mqtt_rule(SKY_MQTT_RULE_EMPTY_ID),
                       connect->client_id.len > 0 || connect->clean_session,
                       "the client id is empty and clean session is 0"))
        return SKY_CONNACK_CLIENT_ID;
    return 0;
}

/* The general limits on a CONNECT; returns the code of the first that refuses, else 0. */
static uint8_t judge_limits(struct sky_registry *registry, const struct sky_cloud *cloud,
                            unsigned traits, const struct sky_mqtt_connect *connect,
                            struct sky_judge *judge)
{
    uint8_t code = 0;
    if (sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_WILL), !connect->has_will,
                       "CONNECT carries a will for %.*s; the cloud takes none",
                       SKY_SPAN_ARGS(connect->will_topic)))
        code = SKY_CONNACK_NOT_AUTHORIZED;
    const struct sky_keepalive_range *ranges = cloud->limits.keepalive,
                                     *range = &ranges[registry->catalogue.profile],
                                     *later = &ranges[SKY_PROFILE_CURRENT];
    char wider[64] = "";
    uint16_t keepalive_s = connect->keepalive_s;
    bool fits = keepalive_s >= range->min_s && keepalive_s <= range->max_s;
    if (!fits && later != range && keepalive_s >= later->min_s && keepalive_s <= later->max_s)
        snprintf(wider, sizeof wider, " (with --profile current %u to %u)", later->min_s,
                 later->max_s);
    if (!(traits & SKY_TRAIT_ACTIVATION) &&
        sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_KEEPALIVE), fits,
                       "keepalive is %u s; %u to %u s are accepted%s", keepalive_s, range->min_s,
                       range->max_s, wider) &&
        code == 0)
        code = SKY_CONNACK_CLIENT_ID;
    return code;
}

static void judge_stranger(const struct sky_mqtt_connect *connect, struct sky_judge *judge,
                           struct sky_login_outcome *ret)
{
    sky_judge_broken(judge, sky_door_rule(SKY_RULE_LOGIN_UNRECOGNISED),
                     "client id '%.*s' and user name '%.*s' have the shape of no cloud's login",
                     SKY_SPAN_ARGS(sky_span_head(connect->client_id, 60)),
                     SKY_SPAN_ARGS(sky_span_head(connect->username, 60)));
    ret->connack = SKY_CONNACK_CLIENT_ID;
    ret->cause = SKY_CAUSE_SHAPE;
    ret->refusal.stranger = true;
}

void sky_login_decide(struct sky_registry *registry, const struct sky_login *login,
                      const struct sky_mqtt_connect *connect, const struct sky_lookup *lookup,
                      struct sky_judge *judge, struct sky_effects *effects,
                      struct sky_login_outcome *ret)
{
    const struct sky_cloud *cloud = lookup->cloud;
    bool barred = sky_door_judge(login->door, judge);
    if (!connect->level_known) {
        judge_level(connect, judge, ret);
        return;
    }
    *ret = (struct sky_login_outcome){.connack = judge_specification(cloud, connect, judge),
                                      .cause = SKY_CAUSE_SHAPE};
    if (cloud == NULL) {
        judge_stranger(connect, judge, ret);
        look_for_slip(registry, login, ret);
    }
    if (ret->connack != 0)
        return;
    if (lookup->failed) {
        *ret = (struct sky_login_outcome){.connack = SKY_CONNACK_UNAVAILABLE,
                                          .refusal = {.failed = true}};
        return;
    }
    if (barred) {
        ret->connack = SKY_CONNACK_NOT_AUTHORIZED;
        return;
    }
    sky_judge_kept(judge, sky_door_rule(SKY_RULE_LOGIN_UNRECOGNISED));
    struct sky_admission admission = {0};
    cloud->admit(login, &lookup->facts, judge, effects, &admission);
    ret->connack = admission.connack;
    ret->cause = admission.cause;
    ret->traits = admission.traits;
    ret->postponed = !look_for_mistake(registry, login, lookup, judge, ret);
    look_for_slip(registry, login, ret);
    uint8_t limited = judge_limits(registry, cloud, admission.traits, connect, judge);
    if (ret->connack == 0 && limited != 0) {
        ret->connack = limited;
        ret->cause = SKY_CAUSE_SHAPE;
    }
    /* Nothing proven, nothing known: there is no session to go on with, whatever the policy. */
    if (ret->connack == 0 && lookup->device.id == 0)
        ret->connack = SKY_CONNACK_NOT_AUTHORIZED;
    if (ret->connack != 0 || ret->postponed)
        sky_effects_clear(effects);
}
