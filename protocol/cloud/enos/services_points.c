/* Measure points, a device's own and, in a gateway's batches, those of devices behind it; events.
 */
#include <inttypes.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/limits.h"
#include "protocol/cloud/enos/request.h"
#include "protocol/cloud/enos/services.h"
#include "protocol/cloud/model.h"
#include "protocol/mqtt/topic.h"

enum { EVENT_ID_LEVEL = 6 }; /* of /sys/{product}/{device}/thing/event/{id}/post */

/* ---- whose points ---- */

/* A device whose points a message has: the sender, or one behind it. */
struct owner {
    struct sky_peer *peer; /* NULL: the sender */
    const struct sky_model *model;
    struct sky_judge *judge;
    struct sky_facts facts; /* its document */
    struct sky_latest latest;
    bool open;
};

/* A message on its way through. */
struct post {
    struct sky_enos_request request;
    bool resumed, skips,
        offline;          /* takes old values; passes over bad ones; devices may be offline */
    struct owner *owners; /* in the arena: the sender, then its peers */
};

/* Python sends "" for a flag that is not set. */
static bool is_set(const struct sky_enos_request *request, const char *flag)
{
    return sky_span_eq_str(sky_json_member(request->envelope.text, flag), "true");
}

/* The keys of an entry are its device's; one that it does not give is the topic's. */
static struct sky_peer named_by(const struct sky_uplink *uplink, sky_span entry,
                                struct sky_arena *arena)
{
    struct sky_peer peer = {.product = sky_json_string(arena, sky_json_member(entry, "productKey")),
                            .device = sky_json_string(arena, sky_json_member(entry, "deviceKey")),
                            .item = entry};
    if (peer.product.len == 0)
        peer.product = uplink->product;
    if (peer.device.len == 0)
        peer.device = uplink->device;
    return peer;
}

static bool is_own(const struct sky_uplink *uplink, const struct sky_peer *peer)
{
    return sky_span_eq(peer->product, uplink->product) && sky_span_eq(peer->device, uplink->device);
}

static bool is_same(const struct sky_peer *a, const struct sky_peer *b)
{
    return sky_span_eq(a->product, b->product) && sky_span_eq(a->device, b->device);
}

/* Each device but the sender once. */
static size_t read_others(const struct sky_uplink *uplink, struct sky_arena *arena,
                          struct sky_peer ret_peers[SKY_PEERS_MAX])
{
    struct sky_envelope envelope;
    size_t count = 0;
    sky_span entry;
    sky_envelope_open(&envelope, uplink->payload, SKY_ENOS_MESSAGE_MAX);
    sky_span rest =
        sky_json_is_array(envelope.params) ? sky_json_inside(envelope.params) : SKY_SPAN_NONE;
    while (count < SKY_PEERS_MAX && sky_json_next_element(&rest, &entry)) {
        struct sky_peer peer = named_by(uplink, entry, arena);
        bool there = is_own(uplink, &peer);
        for (size_t i = 0; i < count && !there; i++)
            there = is_same(&peer, &ret_peers[i]);
        if (!there)
            ret_peers[count++] = peer;
    }
    return count;
}

static void post_init(struct post *post, bool resumed)
{
    const struct sky_facts *facts = post->request.facts;
    post->resumed = resumed;
    post->skips = is_set(&post->request, "skipInvalidMeasurepoints");
    post->offline = is_set(&post->request, "allowOfflineSubDevice");
    post->owners = sky_arena_take(&post->request.effects->arena,
                                  (facts->peer_count + 1) * sizeof *post->owners);
    memset(post->owners, 0, (facts->peer_count + 1) * sizeof *post->owners);
    post->owners[0] =
        (struct owner){.model = facts->model, .judge = post->request.judge, .facts = *facts};
    for (size_t i = 0; i < facts->peer_count; i++) {
        struct sky_peer *peer = &facts->peers[i];
        post->owners[i + 1] = (struct owner){.peer = peer,
                                             .model = peer->model,
                                             .judge = peer->judge,
                                             .facts = {.now_ms = facts->now_ms,
                                                       .document = peer->document,
                                                       .document_version = peer->document_version}};
    }
}

/* The entry's device; NULL: more are named than can be looked up. */
static struct owner *owner_of(const struct post *post, sky_span entry)
{
    const struct sky_enos_request *request = &post->request;
    const struct sky_peer named = named_by(request->uplink, entry, &request->effects->arena);
    if (is_own(request->uplink, &named))
        return &post->owners[0];
    for (size_t i = 0; i < request->facts->peer_count; i++)
        if (is_same(&named, &request->facts->peers[i]))
            return &post->owners[i + 1];
    return NULL;
}

/* May the sender report for it? One that is offline is its all the same if that is asked for, but
 * not one that is another's meanwhile. */
static bool is_reported_by(const struct post *post, const struct owner *owner)
{
    const struct sky_peer *peer = owner->peer;
    if (peer == NULL)
        return true;
    return peer->known != NULL &&
           (peer->online || (post->offline && peer->bound && !peer->online_elsewhere));
}

/* ---- measure points ---- */

/* Without a model a bad quality or a null is all that can be seen. */
static bool is_plausible(sky_span point)
{
    int64_t quality = 0;
    sky_span text = sky_json_member(point, "quality");
    bool wrapped = sky_json_member(point, "value").len > 0;
    if (sky_json_is_null(point) || sky_json_is_null(sky_json_member(point, "value")))
        return false;
    return !wrapped || text.len == 0 ||
           (sky_span_to_int(text, &quality) && quality <= SKY_ENOS_QUALITY_MAX);
}

static bool is_taken(const struct post *post, const struct owner *owner,
                     const struct sky_json_member *point)
{
    const struct sky_model_ask ask = {owner->model, post->request.envelope.text, owner->judge};
    return owner->model != NULL ? sky_model_takes_value(&ask, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE,
                                                        point->key, point->value, NULL)
                                : is_plausible(point->value);
}

/* The same, when it has been judged. */
static bool fits(const struct owner *owner, const struct sky_json_member *point)
{
    struct sky_model_fault fault;
    return owner->model != NULL
               ? sky_model_check_value(owner->model, SKY_MODEL_PROPERTIES, SKY_SPAN_NONE,
                                       point->key, point->value, 0, &fault) <= SKY_MODEL_FORM
               : is_plausible(point->value);
}

static enum sky_enos_code check_entry(const struct post *post, sky_span entry)
{
    struct sky_json_member point;
    enum sky_enos_code code = SKY_ENOS_CODE_OK;
    sky_span points = sky_json_member(entry, "measurepoints");
    sky_span rest = sky_json_inside(points);
    const struct owner *owner = owner_of(post, entry);
    if (!sky_json_is_object(points))
        return SKY_ENOS_CODE_POINT_FORMAT;
    if (owner == NULL || !is_reported_by(post, owner))
        return SKY_ENOS_CODE_NO_SUB_DEVICE;
    while (sky_json_next_member(&rest, &point))
        if (!is_taken(post, owner, &point))
            code = SKY_ENOS_CODE_MODEL;
    return post->skips ? SKY_ENOS_CODE_OK : code;
}

/* One failing entry fails the whole batch with its code. */
static enum sky_enos_code check_batch(const struct post *post)
{
    sky_span entry, rest = sky_json_inside(post->request.envelope.params);
    enum sky_enos_code code = SKY_ENOS_CODE_OK;
    if (!sky_json_is_array(post->request.envelope.params))
        return SKY_ENOS_CODE_POINT_FORMAT;
    while (code == SKY_ENOS_CODE_OK && sky_json_next_element(&rest, &entry))
        code = check_entry(post, entry);
    return code;
}

static bool is_newer(const struct sky_latest *latest, sky_span name, int64_t time)
{
    int64_t stored = 0;
    sky_span old = sky_json_member(sky_latest_get(latest, name), "time");
    return !sky_span_to_int(old, &stored) || time >= stored;
}

static void put_point(struct sky_latest *latest, const struct sky_json_member *point, int64_t time)
{
    sky_span value = sky_json_member(point->value, "value"), quality = SKY_SPAN_NONE;
    if (value.len > 0)
        quality = sky_json_member(point->value, "quality");
    else
        value = point->value;
    struct sky_arena *arena = latest->arena;
    value = sky_json_compact(arena, value);
    sky_span head = quality.len == 0
                        ? SKY_SPAN_NONE
                        : sky_arena_printf(arena, "\"quality\":%.*s,", SKY_SPAN_ARGS(quality));
    sky_latest_put(latest, point->key,
                   sky_arena_printf(arena, "{\"value\":%.*s,%.*s\"time\":%" PRId64 "}",
                                    SKY_SPAN_ARGS(value), SKY_SPAN_ARGS(head), time));
}

static void put_entry(struct post *post, sky_span entry)
{
    struct sky_json_member point;
    struct owner *owner = owner_of(post, entry);
    int64_t time;
    SKY_ASSERT(owner != NULL);
    if (!owner->open)
        sky_latest_open(&owner->latest, owner->facts.document, &post->request.effects->arena);
    owner->open = true;
    if (!sky_span_to_int(sky_json_text(sky_json_member(entry, "time")), &time))
        time = owner->facts.now_ms;
    sky_span rest = sky_json_inside(sky_json_member(entry, "measurepoints"));
    while (sky_json_next_member(&rest, &point))
        if ((!post->skips || fits(owner, &point)) &&
            (!post->resumed || is_newer(&owner->latest, point.key, time)))
            put_point(&owner->latest, &point, time);
}

static void save_all(struct post *post)
{
    struct sky_effects *effects = post->request.effects;
    for (size_t i = 0; i <= post->request.facts->peer_count; i++) {
        struct owner *owner = &post->owners[i];
        size_t before = effects->count;
        if (!owner->open)
            continue;
        sky_latest_save(&owner->latest, &owner->facts, sky_enos_measurepoint_post.document,
                        effects);
        sky_latest_close(&owner->latest);
        for (; before < effects->count && owner->peer != NULL; before++)
            effects->list[before].subject = owner->peer->known->id;
    }
}

/* What breaks the model has been judged by it. */
static bool refused_points(struct post *post, enum sky_enos_code code)
{
    bool by_model = code == SKY_ENOS_CODE_MODEL;
    for (size_t i = 0; by_model && i <= post->request.facts->peer_count; i++)
        by_model = post->owners[i].model != NULL;
    if (by_model)
        sky_enos__fail(&post->request, code);
    return by_model || sky_enos__refused_data(&post->request, code);
}

static void take_points(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects, bool resumed)
{
    struct post post;
    if (!sky_enos__open(&post.request, uplink, facts, judge, effects))
        return;
    post_init(&post, resumed);
    sky_span entry = post.request.envelope.params;
    if (refused_points(&post, check_entry(&post, entry)))
        return;
    put_entry(&post, entry);
    save_all(&post);
    sky_enos__succeed(&post.request);
}

static void take_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects, bool resumed)
{
    struct post post;
    sky_span entry;
    if (!sky_enos__open(&post.request, uplink, facts, judge, effects))
        return;
    post_init(&post, resumed);
    if (refused_points(&post, check_batch(&post)))
        return;
    sky_span rest = sky_json_inside(post.request.envelope.params);
    while (sky_json_next_element(&rest, &entry))
        put_entry(&post, entry);
    save_all(&post);
    sky_enos__succeed(&post.request);
}

static void handle_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects)
{
    take_points(uplink, facts, judge, effects, false);
}

static void handle_post_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    take_batch(uplink, facts, judge, effects, false);
}

static void handle_resume(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    take_points(uplink, facts, judge, effects, true);
}

static void handle_resume_batch(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                struct sky_judge *judge, struct sky_effects *effects)
{
    take_batch(uplink, facts, judge, effects, true);
}

/* ---- events ---- */

static void handle_event_post(const struct sky_uplink *uplink, const struct sky_facts *facts,
                              struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_enos_request request;
    if (!sky_enos__open(&request, uplink, facts, judge, effects))
        return;
    sky_span events = sky_json_member(request.envelope.params, "events");
    bool sound = sky_json_is_object(events);
    if (sky_enos__refused_data(&request, sound ? SKY_ENOS_CODE_OK : SKY_ENOS_CODE_MODEL))
        return;
    const struct sky_model_ask ask = {facts->model, request.envelope.text, judge};
    sky_span id = sky_topic_level(uplink->topic, EVENT_ID_LEVEL);
    if (sky_model_takes(&ask, SKY_MODEL_EVENT, id, events, 0, NULL))
        sky_enos__succeed(&request);
    else
        sky_enos__fail(&request, SKY_ENOS_CODE_MODEL);
}

const struct sky_service sky_enos_measurepoint_post = {.name = "measurepoint-post",
                                                       .document = "properties",
                                                       .reads = SKY_READS_MODEL,
                                                       .handle = handle_post};
const struct sky_service sky_enos_measurepoint_post_batch = {.name = "measurepoint-post-batch",
                                                             .document = "properties",
                                                             .reads = SKY_READS_MODEL,
                                                             .handle = handle_post_batch,
                                                             .peers = read_others};
const struct sky_service sky_enos_measurepoint_resume = {.name = "measurepoint-resume",
                                                         .document = "properties",
                                                         .reads = SKY_READS_MODEL,
                                                         .handle = handle_resume};
const struct sky_service sky_enos_measurepoint_resume_batch = {.name = "measurepoint-resume-batch",
                                                               .document = "properties",
                                                               .reads = SKY_READS_MODEL,
                                                               .handle = handle_resume_batch,
                                                               .peers = read_others};
const struct sky_service sky_enos_event_post = {
    .name = "event-post", .reads = SKY_READS_MODEL, .handle = handle_event_post};
