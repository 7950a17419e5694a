/* What devices made of the rules, with the events that prove it. */
#include <stdlib.h>
#include <uthash.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/judge/verdicts.h"

enum { EVENTS_SHOWN = 10 };

/* The events in which one device broke one rule. */
struct proof {
    struct proof_key {
        int64_t device_id;
        uint64_t rule; /* index in the catalogue */
    } key;
    uint64_t events[EVENTS_SHOWN]; /* numbers of the first of them */
    size_t count;
    char detail[SKY_FINDING_DETAIL_MAX]; /* of the last */
    UT_hash_handle hh;
};

struct judging {
    struct sky_api *api;
    struct proof *proofs; /* hash */
    enum sky_verdict worst;
    bool whole; /* every rule is shown, not only the broken ones */
};

static void collect_finding(struct judging *judging, const struct sky_event *event,
                            const struct sky_event_finding *finding)
{
    const struct sky_catalogue *catalogue = &judging->api->app->registry.catalogue;
    const struct sky_rule *rule = sky_catalogue_find(catalogue, finding->rule_id);
    struct proof *proof;
    if (rule == NULL)
        return;
    struct proof_key key = {.device_id = event->head.device_id,
                            .rule = sky_catalogue_index(catalogue, rule)};
    HASH_FIND(hh, judging->proofs, &key, sizeof key, proof);
    if (proof == NULL) {
        proof = sky_mem_new(sizeof *proof);
        proof->key = key;
        HASH_ADD(hh, judging->proofs, key, sizeof proof->key, proof);
    }
    if (proof->count < EVENTS_SHOWN)
        proof->events[proof->count] = event->seq;
    proof->count++;
    sky_span_copy(finding->detail, proof->detail, sizeof proof->detail);
}

/* One pass over the journal finds the proof for all devices. */
static void collect(struct judging *judging)
{
    const struct sky_event_filter filter = {.findings = true};
    struct sky_cursor cursor;
    struct sky_event event;
    bool more;
    sky_cursor_init(&cursor, judging->api->app->journal, 0);
    while (sky_cursor_search(&cursor, &filter, SIZE_MAX, &event, &more)) {
        for (size_t i = 0; event.head.device_id != 0 && i < event.finding_count; i++)
            collect_finding(judging, &event, &event.findings[i]);
    }
    sky_cursor_done(&cursor);
}

static void judging_done(struct judging *judging)
{
    struct proof *proof, *next;
    HASH_ITER (hh, judging->proofs, proof, next) {
        HASH_DEL(judging->proofs, proof);
        free(proof);
    }
}

static void write_proof(const struct judging *judging, int64_t device_id, size_t rule)
{
    struct sky_jw *jw = &judging->api->jw;
    struct proof_key key = {.device_id = device_id, .rule = rule};
    struct proof *proof;
    HASH_FIND(hh, judging->proofs, &key, sizeof key, proof);
    if (proof == NULL)
        return;
    sky_jw_put_str(jw, "detail", proof->detail);
    sky_jw_put_int(jw, "count", (int64_t)proof->count);
    sky_jw_key(jw, "events");
    sky_jw_array(jw);
    for (size_t i = 0; i < proof->count && i < EVENTS_SHOWN; i++)
        sky_jw_int(jw, (int64_t)proof->events[i]);
    sky_jw_end_array(jw);
}

static void write_rules(const struct judging *judging, int64_t device_id,
                        const struct sky_cloud *cloud, const struct sky_conduct *conduct)
{
    struct sky_api *api = judging->api;
    const struct sky_catalogue *catalogue = &api->app->registry.catalogue;
    sky_jw_key(&api->jw, "rules");
    sky_jw_array(&api->jw);
    for (size_t rule = 0; rule < catalogue->rule_count; rule++) {
        size_t place = sky_catalogue_place(catalogue, sky_catalogue_at(catalogue, rule));
        bool broken = sky_rule_set_has(&conduct->broken, place);
        if (!sky_verdict_concerns(catalogue, rule, cloud) || !(judging->whole || broken))
            continue;
        sky_jw_object(&api->jw);
        sky_api_write_rule(api, rule);
        sky_jw_put_str(&api->jw, "verdict",
                       sky_verdict_name(sky_verdict_of_rule(catalogue, rule, conduct)));
        if (broken)
            write_proof(judging, device_id, rule);
        sky_jw_end_object(&api->jw);
    }
    sky_jw_end_array(&api->jw);
}

static void write_device(struct judging *judging, int64_t device_id, const struct sky_cloud *cloud,
                         const struct sky_conduct *conduct)
{
    struct sky_api *api = judging->api;
    enum sky_verdict verdict = sky_verdict_of_device(&api->app->registry.catalogue, cloud, conduct);
    sky_jw_object(&api->jw);
    sky_jw_put_str(&api->jw, "device", sky_device_names_get(&api->app->admin->names, device_id));
    sky_jw_put_str(&api->jw, "verdict", sky_verdict_name(verdict));
    write_rules(judging, device_id, cloud, conduct);
    sky_jw_end_object(&api->jw);
    judging->worst = sky_verdict_worse(judging->worst, verdict);
}

/* One device, seen or not. False, and answered, when there is none of that name. */
static bool write_asked(struct judging *judging, const char *name)
{
    static const struct sky_conduct nothing;
    struct sky_api *api = judging->api;
    struct sky_product product;
    struct sky_device device;
    sky_match_device(sky_span_str(name), &api->vars);
    if (!sky_api_device(api, &product, &device))
        return false;
    const struct sky_session *session = sky_session_find(&api->app->registry, device.id);
    write_device(judging, device.id, sky_cloud_find(sky_span_str(product.cloud)),
                 session ? &session->conduct : &nothing);
    return true;
}

static void write_all(struct judging *judging)
{
    const struct sky_registry *registry = &judging->api->app->registry;
    for (size_t i = 0; i < registry->slots; i++) {
        const struct sky_session *session = registry->by_slot[i];
        if (session != NULL)
            write_device(judging, session->device_id, session->product->cloud, &session->conduct);
    }
}

void sky_api_verdicts(struct sky_api *api)
{
    struct judging judging = {.api = api};
    char name[SKY_API_PARAM_MAX];
    struct sky_jw *jw = &api->jw;
    if (!sky_api_flush(api))
        return;
    judging.whole = sky_api_query(api, "device", name);
    collect(&judging);
    sky_jw_object(jw);
    sky_jw_key(jw, "devices");
    sky_jw_array(jw);
    if (!judging.whole)
        write_all(&judging);
    if (!judging.whole || write_asked(&judging, name)) {
        sky_jw_end_array(jw);
        sky_jw_put_str(jw, "verdict", sky_verdict_name(judging.worst));
        sky_jw_end_object(jw);
        sky_api_send(api, 200);
    }
    judging_done(&judging);
}
