/* What devices, and whoever was refused without being one, made of the rules, with the events that
 * prove it. */
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/admin/lists.h"
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
    if (party != NULL && (party->device_id != 0 || party->chapter.proofs != NULL ||
                          (party->past != NULL && party->past->run.proofs != NULL)))
        return true;
    return sky_api_device(api, &product, &device);
}

/* Verdicts on their way. */
struct judging {
    struct sky_list list;
    struct sky_api_scope scope;
    const struct sky_cloud *cloud; /* of the one device that was asked for, seen or not */
    struct sky_buf names;          /* of the parties there were, each with its NUL */
    size_t at;
    enum sky_verdict worst;
};

static void drop(struct sky_list *list)
{
    struct judging *judging = SKY_CONTAINER_OF(list, struct judging, list);
    sky_buf_done(&judging->names);
    free(judging);
}

/* The rules it broke; of one that was asked for, all that speak of it. */
static void write_rules(struct judging *judging, const struct sky_cloud *cloud,
                        const struct sky_conduct *conduct)
{
    struct sky_api *api = &judging->list.api;
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
    struct sky_api *api = &judging->list.api;
    enum sky_verdict verdict = sky_verdict_of_party(&api->app->registry.catalogue, cloud, conduct);
    sky_jw_object(&api->jw);
    sky_jw_put_str(&api->jw, "device", name);
    sky_jw_put_bool(&api->jw, "registered", device);
    sky_jw_put_str(&api->jw, "verdict", sky_verdict_name(verdict));
    write_rules(judging, cloud, conduct);
    if (judging->scope.one && conduct->behaviour.known) {
        sky_jw_key(&api->jw, "profile");
        sky_behaviour_print(&conduct->behaviour, &api->jw);
    }
    sky_jw_end_object(&api->jw);
    judging->worst = sky_verdict_worse(judging->worst, verdict);
}

/* Of one that was no device, and had to go meanwhile, nothing is known any more. */
static void tell_party(struct judging *judging, const char *name)
{
    const struct sky_registry *registry = &judging->list.api.app->registry;
    const struct sky_party *party = sky_party_find(registry, sky_span_str(name));
    bool one = judging->scope.one;
    struct sky_conduct conduct = {0};
    if (party != NULL)
        sky_party_conduct(registry, party, judging->scope.period, &conduct);
    if (one)
        write_party(judging, name, party == NULL || party->device, judging->cloud, &conduct);
    else if (!sky_conduct_is_empty(&conduct))
        write_party(judging, name, party->device, party->cloud, &conduct);
    sky_conduct_done(&conduct);
}

static bool tell(struct sky_list *list)
{
    struct judging *judging = SKY_CONTAINER_OF(list, struct judging, list);
    const struct sky_parties *parties = &list->api.app->registry.parties;
    struct sky_jw *jw = &list->api.jw;
    while (judging->at < judging->names.len) {
        const char *name = judging->names.bytes + judging->at;
        judging->at += strlen(name) + 1;
        tell_party(judging, name);
        if (sky_list_time_is_up(list))
            return false;
    }
    sky_jw_end_array(jw);
    sky_jw_put_str(jw, "verdict", sky_verdict_name(judging->worst));
    if (parties->lost > 0)
        sky_jw_put_int(jw, "lost", (int64_t)parties->lost);
    sky_jw_end_object(jw);
    return true;
}

static void add_name(struct judging *judging, const char *name)
{
    sky_buf_add(&judging->names, sky_span_of(name, strlen(name) + 1));
}

void sky_api_verdicts(struct sky_api *api)
{
    struct sky_api_scope scope;
    const struct sky_party *party;
    if (!sky_api_scope(api, &scope) || !sky_api_scope_known(api, &scope) || !sky_api_flush(api))
        return;
    struct judging *judging = sky_mem_new(sizeof *judging);
    judging->list.tell = tell;
    judging->list.drop = drop;
    judging->scope = scope;
    sky_buf_init(&judging->names, SIZE_MAX);
    if (scope.one) {
        judging->cloud = sky_cloud_find(sky_span_str(api->vars.cloud));
        add_name(judging, scope.name);
    } else {
        LL_FOREACH (api->app->registry.parties.list, party)
            if (sky_party_is_of(party, sky_span_str(scope.name)))
                add_name(judging, party->name);
    }
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "devices");
    sky_jw_array(&api->jw);
    sky_list_begin(api, &judging->list);
}
