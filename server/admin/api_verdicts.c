/* What devices, and whoever was refused without being one, made of the rules, with the events that
 * prove it. */
#include "server/admin/api.h"
#include "server/judge/verdicts.h"

bool sky_api_scope(struct sky_api *api, struct sky_api_scope *ret_scope)
{
    *ret_scope =
        (struct sky_api_scope){.period = sky_api_query_is(api, "run") ? SKY_RUN : SKY_CHAPTER};
    ret_scope->one = sky_api_query(api, "device", ret_scope->name);
    char product[SKY_API_PARAM_MAX];
    if (!sky_api_query(api, "product", product))
        return true;
    if (ret_scope->one) {
        sky_api_error(api, 400, "invalid", "", "give a device or a product, not both");
        return false;
    }
    memcpy(ret_scope->name, product, sizeof product);
    return true;
}

struct judging {
    struct sky_api *api;
    struct sky_api_scope scope;
    enum sky_verdict worst;
};

static void write_proof(struct sky_jw *jw, const struct sky_proof *proof)
{
    sky_jw_put_str(jw, "detail", proof->detail);
    if (proof->mistake[0] != '\0')
        sky_jw_put_str(jw, "mistake", proof->mistake);
    if (proof->what[0] != '\0')
        sky_jw_put_str(jw, "what", proof->what);
    sky_jw_put_bool(jw, "refused", proof->refused);
    sky_jw_put_int(jw, "count", (int64_t)proof->count);
    sky_jw_key(jw, "events");
    sky_jw_array(jw);
    for (size_t i = 0; i < sky_proof_shown(proof); i++)
        sky_jw_int(jw, (int64_t)proof->events[i]);
    sky_jw_end_array(jw);
}

/* The rules it broke; of one that was asked for, all that speak of it. */
static void write_rules(const struct judging *judging, const struct sky_cloud *cloud,
                        const struct sky_conduct *conduct)
{
    struct sky_api *api = judging->api;
    const struct sky_catalogue *catalogue = &api->app->registry.catalogue;
    sky_jw_key(&api->jw, "rules");
    sky_jw_array(&api->jw);
    for (size_t rule = 0; rule < catalogue->rule_count; rule++) {
        const struct sky_proof *proof =
            sky_conduct_proof(conduct, sky_catalogue_at(catalogue, rule));
        if (proof == NULL && !(judging->scope.one && sky_verdict_concerns(catalogue, rule, cloud)))
            continue;
        sky_jw_object(&api->jw);
        sky_api_write_rule(api, rule);
        sky_jw_put_str(&api->jw, "verdict",
                       sky_verdict_name(sky_verdict_of_rule(catalogue, rule, conduct)));
        if (proof != NULL)
            write_proof(&api->jw, proof);
        sky_jw_end_object(&api->jw);
    }
    sky_jw_end_array(&api->jw);
}

static void write_party(struct judging *judging, const char *name, bool device,
                        const struct sky_cloud *cloud, const struct sky_conduct *conduct)
{
    struct sky_api *api = judging->api;
    enum sky_verdict verdict = sky_verdict_of_party(&api->app->registry.catalogue, cloud, conduct);
    sky_jw_object(&api->jw);
    sky_jw_put_str(&api->jw, "device", name);
    sky_jw_put_bool(&api->jw, "registered", device);
    sky_jw_put_str(&api->jw, "verdict", sky_verdict_name(verdict));
    write_rules(judging, cloud, conduct);
    sky_jw_end_object(&api->jw);
    judging->worst = sky_verdict_worse(judging->worst, verdict);
}

/* One device, seen or not. False, and answered, when there is none of that name, nor has anybody
 * claimed to be it. */
static bool write_asked(struct judging *judging)
{
    struct sky_api *api = judging->api;
    struct sky_product product;
    struct sky_device device;
    struct sky_conduct conduct = {0};
    const struct sky_party *party =
        sky_party_find(&api->app->registry, sky_span_str(judging->scope.name));
    sky_match_device(sky_span_str(judging->scope.name), &api->vars);
    bool seen = party != NULL && (party->device || party->chapter.proofs || party->earlier.proofs);
    if (!seen && !sky_api_device(api, &product, &device))
        return false;
    if (seen)
        sky_party_conduct(&judging->api->app->registry, party, judging->scope.period, &conduct);
    write_party(judging, judging->scope.name, !seen || party->device,
                sky_cloud_find(sky_span_str(api->vars.cloud)), &conduct);
    sky_conduct_done(&conduct);
    return true;
}

static void write_all(struct judging *judging)
{
    const struct sky_party *party, *next;
    HASH_ITER (hh, judging->api->app->registry.parties.by_name, party, next) {
        struct sky_conduct conduct;
        if (!sky_party_is_of(party, sky_span_str(judging->scope.name)))
            continue;
        sky_party_conduct(&judging->api->app->registry, party, judging->scope.period, &conduct);
        if (!sky_conduct_is_empty(&conduct))
            write_party(judging, party->name, party->device, party->cloud, &conduct);
        sky_conduct_done(&conduct);
    }
}

void sky_api_verdicts(struct sky_api *api)
{
    struct judging judging = {.api = api};
    struct sky_jw *jw = &api->jw;
    if (!sky_api_scope(api, &judging.scope) || !sky_api_flush(api))
        return;
    sky_jw_object(jw);
    sky_jw_key(jw, "devices");
    sky_jw_array(jw);
    if (!judging.scope.one)
        write_all(&judging);
    else if (!write_asked(&judging))
        return;
    sky_jw_end_array(jw);
    sky_jw_put_str(jw, "verdict", sky_verdict_name(judging.worst));
    if (api->app->registry.parties.lost > 0)
        sky_jw_put_int(jw, "lost", (int64_t)api->app->registry.parties.lost);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
