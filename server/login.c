#include "server/login.h"

#include <stdio.h>

#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/rules.h"

enum { OTHER_SECRETS_MAX = 64 }; /* devices whose secrets a wrong signature is tried with */

/* ---- looking up ---- */

void sky_lookup_claim(struct sky_app *app, const struct sky_cloud *cloud,
                      const struct sky_claim *claim, struct sky_lookup *l)
{
    *l = (struct sky_lookup){.cloud = cloud, .claim = *claim};
    sky_span name = sky_span_str(cloud->name);
    sky_err found = SKY_ERR_NOT_FOUND;
    switch (claim->kind) {
    case SKY_CLAIM_NAMED:
        found = sky_store_find_device(app->store, name, claim->product, claim->device, &l->product,
                                      &l->device);
        break;
    case SKY_CLAIM_JOINED:
        found = sky_store_find_joined(app->store, name, claim->product, &l->product, &l->device);
        break;
    case SKY_CLAIM_TOKEN:
        if (sky_store_find_token(app->store, claim->product, &l->token) == SKY_OK) {
            l->facts.token = &l->token;
            found = sky_store_get_device(app->store, l->token.device_id, &l->product, &l->device);
        }
        break;
    }
    if (found != SKY_OK)
        l->device.id = 0;
    l->facts.product = l->product.id != 0 ? &l->product : NULL;
    l->facts.device = l->device.id != 0 ? &l->device : NULL;
    l->facts.now_ms = app->clock.now_ms;
    sky_rng_text(&app->rng, l->fresh, sizeof l->fresh - 1);
    l->facts.fresh = sky_span_of(l->fresh, sizeof l->fresh - 1);
    const struct sky_session *session = sky_session_find(app, l->device.id);
    l->facts.previous_login_ms = session != NULL ? session->last_login_ms : 0;
}

/* Would the names be known in each other's place? Asked only for names that are not. */
static bool is_swapped(struct sky_app *app, const struct sky_lookup *lookup)
{
    struct sky_product product;
    struct sky_device device;
    return lookup->claim.kind == SKY_CLAIM_NAMED &&
           sky_store_find_device(app->store, sky_span_str(lookup->cloud->name),
                                 lookup->claim.device, lookup->claim.product, &product,
                                 &device) == SKY_OK;
}

int sky_lookup_known(const struct sky_lookup *lookup)
{
    if (lookup->device.id != 0)
        return 3;
    return lookup->product.id != 0 ? 2 : 1;
}

/* How well founded a claim is: the registry's word first, then the listener's, then the shape. */
static int standing(const struct sky_lookup *lookup, const struct sky_door *door)
{
    bool home = door->listener->home == lookup->cloud;
    bool registered = sky_lookup_known(lookup) > 1 || lookup->facts.swapped_known;
    return sky_lookup_known(lookup) * 10000 + (registered ? 5000 : 0) + (home ? 1000 : 0) +
           lookup->claim.affinity;
}

void sky_lookup_copy(struct sky_lookup *to, const struct sky_lookup *from)
{
    *to = *from;
    to->facts.product = from->facts.product != NULL ? &to->product : NULL;
    to->facts.device = from->facts.device != NULL ? &to->device : NULL;
    to->facts.token = from->facts.token != NULL ? &to->token : NULL;
    to->facts.fresh = sky_span_of(to->fresh, sizeof to->fresh - 1);
}

bool sky_login_recognise(struct sky_app *app, const struct sky_login *login,
                         struct sky_lookup *ret_lookup)
{
    int best = 0;
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        struct sky_claim claim;
        struct sky_lookup lookup;
        if (!sky_clouds[i]->claim(login, &claim))
            continue;
        sky_lookup_claim(app, sky_clouds[i], &claim, &lookup);
        if (lookup.device.id == 0)
            lookup.facts.swapped_known = is_swapped(app, &lookup);
        int here = standing(&lookup, login->door);
        if (here > best) {
            best = here;
            sky_lookup_copy(ret_lookup, &lookup);
        }
    }
    return best > 0;
}

/* ---- explaining ---- */

/* Adds the secrets of other devices to the material of mistakes. */
struct other_secrets {
    struct sky_suspicion *suspicion;
    struct sky_arena *arena;
    int64_t own_id;
    size_t left;
};

static bool add_other_secret(void *ctx, const struct sky_product *product,
                             const struct sky_device *device)
{
    struct other_secrets *o = ctx;
    if (device->id == o->own_id)
        return true;
    if (o->left == 0 || o->suspicion->secret_count == SKY_SECRETS_MAX)
        return false;
    o->left--;
    o->suspicion->secrets[o->suspicion->secret_count++] =
        (struct sky_secret){.role = SKY_SECRET_OTHER,
                            .bytes = sky_arena_copy(o->arena, sky_span_str(device->secret)),
                            .name = sky_arena_printf(o->arena, "%s/%s", product->key, device->key)};
    return true;
}

static void explain_signature(struct sky_app *app, const struct sky_login *login,
                              const struct sky_lookup *lookup, struct sky_judge *judge,
                              struct sky_login_outcome *outcome)
{
    struct sky_arena arena;
    sky_arena_init(&arena);
    struct sky_suspicion suspicion = {.now_ms = app->clock.now_ms};
    if (lookup->cloud->suspect(login, &lookup->facts, &suspicion, &arena)) {
        struct other_secrets others = {&suspicion, &arena, lookup->device.id, OTHER_SECRETS_MAX};
        (void)sky_store_each_device(app->store, lookup->product.id, 0, OTHER_SECRETS_MAX + 1,
                                    add_other_secret, &others);
        sky_explain(&suspicion, &outcome->explanation);
        outcome->explained = true;
        const enum sky_mistake found[] = {outcome->explanation.mistake,
                                          outcome->explanation.second};
        for (size_t i = 0; i < SKY_COUNT(found); i++) {
            const struct sky_rule *rule = sky_cloud_mistake_rule(lookup->cloud, found[i]);
            if (rule != NULL)
                sky_judge_rule(judge, rule, false, "%s", outcome->explanation.what);
        }
    }
    sky_arena_done(&arena);
}

/* The nearest known name to one that is not known. */
struct nearest {
    sky_span wanted;
    char *out;
    size_t left;
};

static bool consider_device(void *ctx, const struct sky_product *product,
                            const struct sky_device *device)
{
    struct nearest *n = ctx;
    (void)product;
    if (!sky_explain_similar(n->wanted, sky_span_str(device->key)))
        return true;
    snprintf(n->out, SKY_KEY_MAX + 1, "%s", device->key);
    return false;
}

static bool consider_product(void *ctx, const struct sky_product *product)
{
    struct nearest *n = ctx;
    if (!sky_explain_similar(n->wanted, sky_span_str(product->key)))
        return true;
    snprintf(n->out, SKY_KEY_MAX + 1, "%s", product->key);
    return false;
}

static void find_similar(struct sky_app *app, const struct sky_lookup *lookup, char *out)
{
    struct nearest nearest = {.out = out};
    if (lookup->product.id != 0) {
        nearest.wanted = lookup->claim.kind == SKY_CLAIM_JOINED
                             ? sky_span_tail(lookup->claim.product, strlen(lookup->product.key))
                             : lookup->claim.device;
        (void)sky_store_each_device(app->store, lookup->product.id, 0, 10000, consider_device,
                                    &nearest);
    } else {
        nearest.wanted = lookup->claim.product;
        (void)sky_store_each_product(app->store, consider_product, &nearest);
    }
}

/* ---- deciding ---- */

/* The general limits on a CONNECT; returns the code of the first that refuses, else 0. */
static uint8_t judge_limits(struct sky_app *app, const struct sky_cloud *cloud, unsigned traits,
                            const struct sky_mqtt_connect *connect, struct sky_judge *judge)
{
    uint8_t code = 0;
    if (sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_WILL), !connect->has_will,
                       "CONNECT carries a will for %.*s; the cloud takes none",
                       SKY_SPAN_ARGS(connect->will_topic)))
        code = SKY_CONNACK_NOT_AUTHORIZED;
    const struct sky_keepalive_range *range = &cloud->limits.keepalive[app->profile];
    uint16_t keepalive_s = connect->keepalive_s;
    if (!(traits & SKY_TRAIT_ACTIVATION) &&
        sky_judge_rule(judge, sky_cloud_limit_rule(cloud, SKY_LIMIT_KEEPALIVE),
                       keepalive_s >= range->min_s && keepalive_s <= range->max_s,
                       "keepalive is %u s; %u to %u s are accepted", keepalive_s, range->min_s,
                       range->max_s) &&
        code == 0)
        code = SKY_CONNACK_CLIENT_ID;
    return code;
}

void sky_login_decide(struct sky_app *app, const struct sky_login *login,
                      const struct sky_mqtt_connect *connect, const struct sky_lookup *lookup,
                      struct sky_judge *judge, struct sky_effects *effects,
                      struct sky_login_outcome *ret)
{
    *ret = (struct sky_login_outcome){0};
    const struct sky_cloud *cloud = lookup->cloud;
    if (cloud == NULL) {
        sky_judge_rule(judge, sky_door_rule(SKY_RULE_LOGIN_UNRECOGNISED), false,
                       "client id '%.*s' and user name '%.*s' have the shape of no cloud's login",
                       SKY_SPAN_ARGS(sky_span_head(connect->client_id, 60)),
                       SKY_SPAN_ARGS(sky_span_head(connect->username, 60)));
        ret->connack = SKY_CONNACK_CLIENT_ID;
        ret->cause = SKY_CAUSE_SHAPE;
        return;
    }
    if (connect->level == 3 && !cloud->limits.level_3) {
        sky_judge_rule(judge, sky_mqtt_rule(SKY_MQTT_RULE_LEVEL), false,
                       "protocol level 3 (MQTT 3.1); this cloud takes 3.1.1 only");
        ret->connack = SKY_CONNACK_PROTOCOL;
        ret->cause = SKY_CAUSE_SHAPE;
        return;
    }
    struct sky_admission admission = {0};
    cloud->admit(login, &lookup->facts, judge, effects, &admission);
    ret->connack = admission.connack;
    ret->cause = admission.cause;
    ret->traits = admission.traits;
    if (admission.cause == SKY_CAUSE_SIGNATURE)
        explain_signature(app, login, lookup, judge, ret);
    else if (admission.cause == SKY_CAUSE_UNKNOWN)
        find_similar(app, lookup, ret->similar);
    uint8_t limited = judge_limits(app, cloud, admission.traits, connect, judge);
    if (ret->connack == 0 && limited != 0) {
        ret->connack = limited;
        ret->cause = SKY_CAUSE_SHAPE;
    }
    /* Nothing proven, nothing known: there is no session to go on with, whatever the policy. */
    if (ret->connack == 0 && lookup->device.id == 0)
        ret->connack = SKY_CONNACK_NOT_AUTHORIZED;
    if (ret->connack != 0)
        sky_effects_clear(effects);
}

/* The finding that decided, or the first. */
static const struct sky_finding *deciding(const struct sky_judge *judge)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->findings[i].rule == judge->refused)
            return &judge->findings[i];
    return judge->count > 0 ? &judge->findings[0] : NULL;
}

void sky_login_explain_json(const struct sky_login_outcome *outcome, const struct sky_judge *judge,
                            struct sky_buf *out)
{
    struct sky_jw jw = sky_jw(out);
    const struct sky_finding *cause = deciding(judge);
    const struct sky_explanation *e = &outcome->explanation;
    sky_jw_object(&jw);
    if (outcome->explained) {
        sky_jw_put_str(&jw, "mistake", sky_mistake_name(e->mistake));
        if (e->second != SKY_MISTAKE_NONE)
            sky_jw_put_str(&jw, "secondMistake", sky_mistake_name(e->second));
        sky_jw_put_str(&jw, "what", e->what);
        sky_jw_put_str(&jw, "hint", e->hint);
        sky_jw_put_str(&jw, "signedText", e->signed_text);
        sky_jw_put_str(&jw, "expectedPrefix", e->expected_prefix);
    } else if (cause != NULL) {
        sky_jw_put_str(&jw, "what", cause->detail);
        sky_jw_put_str(&jw, "hint", cause->rule->hint);
    }
    if (cause != NULL)
        sky_jw_put_str(&jw, "rule", cause->rule->id);
    if (outcome->similar[0] != '\0')
        sky_jw_put_str(&jw, "similar", outcome->similar);
    sky_jw_end_object(&jw);
}
