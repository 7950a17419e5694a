/* What devices, and whoever was refused without being one, made of the rules, with the events that
 * prove it. */
#include "server/admin/api.h"
#include "server/judge/behaviour.h"
#include "server/judge/report.h"

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

bool sky_api_scope_known(struct sky_api *api, const struct sky_api_scope *scope)
{
    struct sky_product product;
    struct sky_device device;
    const struct sky_party *party = sky_party_find(&api->app->registry, sky_span_str(scope->name));
    if (!scope->one)
        return true;
    sky_match_device(sky_span_str(scope->name), &api->vars);
    if (party != NULL && (party->device || party->chapter.proofs || party->earlier.proofs))
        return true;
    return sky_api_device(api, &product, &device);
}

struct judging {
    struct sky_api *api;
    struct sky_api_scope scope;
    enum sky_verdict worst;
};

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
        const struct sky_report_rule told = {.index = rule,
                                             .verdict =
                                                 sky_verdict_of_rule(catalogue, rule, conduct),
                                             .proof = proof};
        sky_report_put_verdict(&api->jw, catalogue, &told);
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
    if (judging->scope.one && conduct->behaviour != NULL) {
        sky_jw_key(&api->jw, "profile");
        sky_behaviour_print(conduct->behaviour, &api->jw);
    }
    sky_jw_end_object(&api->jw);
    judging->worst = sky_verdict_worse(judging->worst, verdict);
}

/* One device, seen or not. */
static void write_asked(struct judging *judging)
{
    struct sky_api *api = judging->api;
    struct sky_conduct conduct = {0};
    const struct sky_party *party =
        sky_party_find(&api->app->registry, sky_span_str(judging->scope.name));
    if (party != NULL)
        sky_party_conduct(&api->app->registry, party, judging->scope.period, &conduct);
    write_party(judging, judging->scope.name, party == NULL || party->device,
                sky_cloud_find(sky_span_str(api->vars.cloud)), &conduct);
    sky_conduct_done(&conduct);
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
    if (!sky_api_scope(api, &judging.scope) || !sky_api_scope_known(api, &judging.scope) ||
        !sky_api_flush(api))
        return;
    sky_jw_object(jw);
    sky_jw_key(jw, "devices");
    sky_jw_array(jw);
    if (judging.scope.one)
        write_asked(&judging);
    else
        write_all(&judging);
    sky_jw_end_array(jw);
    sky_jw_put_str(jw, "verdict", sky_verdict_name(judging.worst));
    if (api->app->registry.parties.lost > 0)
        sky_jw_put_int(jw, "lost", (int64_t)api->app->registry.parties.lost);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
