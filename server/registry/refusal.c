#include "server/registry/refusal.h"

#include <stdio.h>

#include "auth/typing.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/base/similar.h"

enum { NAMES_LOOKED_AT_MAX = 200 }; /* on either side in the alphabet */

bool sky_refusal_may_search(const struct sky_registry *registry)
{
    return registry->searches.count < SKY_SEARCHES_PER_TURN;
}

/* ---- signatures ---- */

/* Adds the secrets of other devices to the material of mistakes. */
struct others {
    struct sky_suspicion *suspicion;
    struct sky_arena *arena;
    int64_t own_id;
    size_t left;
};

static bool add_other(void *ctx, const struct sky_product *product, const struct sky_device *device)
{
    struct others *o = ctx;
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

void sky_refusal_explain(struct sky_registry *registry, const struct sky_lookup *lookup,
                         struct sky_suspicion *suspicion, struct sky_arena *arena,
                         const struct sky_rule *(*rule_of)(const void *ctx, enum sky_mistake m),
                         const void *ctx, struct sky_judge *judge, struct sky_refusal *ret)
{
    struct others others = {suspicion, arena, lookup->device.id, SKY_REFUSAL_OTHERS_MAX};
    if (lookup->product.id != 0 && /* 0 would mean the devices of all products */
        sky_store_each_device(registry->store, lookup->product.id, 0, SKY_REFUSAL_OTHERS_MAX + 1,
                              add_other, &others) != SKY_OK)
        others.left = 0; /* explained without the others' secrets, then */
    registry->searches.count++;
    sky_explain(suspicion, &ret->explanation);
    ret->explained = true;
    const enum sky_mistake found[] = {ret->explanation.mistake, ret->explanation.second};
    for (size_t i = 0; i < SKY_COUNT(found); i++) {
        const struct sky_rule *rule = rule_of(ctx, found[i]);
        if (rule == NULL)
            continue;
        sky_judge_broken(judge, rule, "%s", ret->explanation.what);
        if (ret->rule == NULL)
            ret->rule = rule;
    }
}

/* ---- names ---- */

struct nearest {
    sky_span wanted;
    struct sky_refusal *refusal;
    size_t distance, count; /* of the names kept */
};

/* Keeps the name if it is nearer than those before, and beside them if it is as near. */
static bool consider(void *ctx, sky_span key)
{
    struct nearest *n = ctx;
    char *names = n->refusal->similar;
    size_t distance, used;
    if (!sky_similar_distance(n->wanted, key, &distance) ||
        (n->count > 0 && distance > n->distance))
        return true;
    if (n->count == 0 || distance < n->distance)
        n->count = 0;
    if (n->count == SKY_SIMILAR_MAX)
        return true;
    used = n->count == 0 ? 0 : strlen(names);
    snprintf(names + used, sizeof n->refusal->similar - used, "%s%.*s", used > 0 ? ", " : "",
             SKY_SPAN_ARGS(key));
    n->distance = distance;
    n->count++;
    return true;
}

void sky_refusal_find_similar(struct sky_registry *registry, const struct sky_lookup *lookup,
                              struct sky_refusal *ret)
{
    const struct sky_claim *claim = &lookup->claim;
    struct nearest nearest = {.wanted = claim->product, .refusal = ret};
    sky_err err;
    registry->searches.count++;
    if (lookup->product.id == 0) {
        err = sky_store_each_product_key(registry->store, sky_span_str(lookup->cloud->name),
                                         nearest.wanted, NAMES_LOOKED_AT_MAX, consider, &nearest);
    } else {
        nearest.wanted = claim->device;
        err = sky_store_each_device_key(registry->store, lookup->product.id, nearest.wanted,
                                        NAMES_LOOKED_AT_MAX, consider, &nearest);
    }
    if (err != SKY_OK)
        ret->similar[0] = '\0';
}

void sky_refusal_find_slip(const struct sky_login *login, struct sky_refusal *ret)
{
    enum { SHOWN = 40 };
    const struct {
        const char *name;
        sky_span text;
    } sent[] = {{"client id", login->client_id}, {"user name", login->username}};
    for (size_t i = 0; i < SKY_COUNT(sent) && !ret->slipped; i++) {
        char did[160];
        sky_span part;
        enum sky_mistake mistake = sky_typing_slip(sent[i].text, &part);
        if (mistake == SKY_MISTAKE_NONE)
            continue;
        snprintf(did, sizeof did,
                 mistake == SKY_MISTAKE_PLACEHOLDER
                     ? "sent a %s with %.*s in it, which is an example's placeholder"
                     : "sent a %s with %.*s in it: it was escaped or typed differently",
                 sent[i].name, SKY_SPAN_ARGS(sky_span_head(part, SHOWN)));
        sky_explain_plain(mistake, sky_span_str(did), &ret->explanation);
        ret->slipped = true;
    }
}

/* ---- JSON ---- */

/* The finding that decided, or the first. */
static const struct sky_finding *deciding(const struct sky_judge *judge)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->findings[i].rule == judge->refused)
            return &judge->findings[i];
    return judge->count > 0 ? &judge->findings[0] : NULL;
}

/* How to log in to each cloud. */
static void put_forms(struct sky_jw *jw, const struct sky_rule *rule)
{
    struct sky_buf forms;
    sky_buf_init(&forms, SKY_REFUSAL_JSON_MAX / 4);
    sky_buf_add_str(&forms, rule->hint);
    for (size_t i = 0; sky_clouds[i] != NULL; i++)
        if (sky_clouds[i]->login_form != NULL)
            sky_buf_addf(&forms, " %s: %s.", sky_clouds[i]->title, sky_clouds[i]->login_form);
    sky_jw_put_span(jw, "hint", sky_buf_span(&forms));
    sky_buf_done(&forms);
}

void sky_refusal_json(const struct sky_refusal *refusal, const struct sky_judge *judge,
                      struct sky_buf *out)
{
    struct sky_jw jw = sky_jw(out);
    const struct sky_finding *cause = deciding(judge);
    const struct sky_explanation *e = &refusal->explanation;
    sky_jw_object(&jw);
    if (refusal->explained || refusal->slipped) {
        sky_jw_put_str(&jw, "mistake", sky_mistake_name(e->mistake));
        if (e->second != SKY_MISTAKE_NONE)
            sky_jw_put_str(&jw, "secondMistake", sky_mistake_name(e->second));
        sky_jw_put_str(&jw, "what", e->what);
        sky_jw_put_str(&jw, "hint", e->hint);
        if (refusal->explained) {
            sky_jw_put_str(&jw, "signedText", e->signed_text);
            if (e->sent_text[0] != '\0')
                sky_jw_put_str(&jw, "sentText", e->sent_text);
            sky_jw_put_str(&jw, "expectedPrefix", e->expected_prefix);
        }
    } else if (refusal->failed) {
        sky_jw_put_str(&jw, "what", "skymock could not read its store");
        sky_jw_put_str(&jw, "hint",
                       "the device is not at fault: look for what skymock says on "
                       "stderr, and for room on its disk");
    } else if (cause != NULL && refusal->stranger) {
        sky_jw_put_str(&jw, "what", cause->detail);
        put_forms(&jw, cause->rule);
    } else if (cause != NULL) {
        sky_jw_put_str(&jw, "what", cause->detail);
        sky_jw_put_str(&jw, "hint", sky_catalogue_hint(judge->policy->catalogue, cause->rule));
    }
    if (refusal->rule != NULL)
        sky_jw_put_str(&jw, "rule", refusal->rule->id);
    else if (cause != NULL)
        sky_jw_put_str(&jw, "rule", cause->rule->id);
    if (refusal->similar[0] != '\0')
        sky_jw_put_str(&jw, "similar", refusal->similar);
    if (refusal->unsearched)
        sky_jw_put_str(&jw, "note",
                       "more logins were refused at once than mistakes are searched for; let this "
                       "device try again alone");
    sky_jw_end_object(&jw);
}
