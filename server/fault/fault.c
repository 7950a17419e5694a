#include "server/fault/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/fault/private.h"
#include "server/net/bend.h"
#include "server/net/secure.h"
#include "server/registry/parties.h"
#include "server/registry/sessions.h"

/* What a passage is compared with before anything else is looked at: one for each fault that is not
 * spent, point by point, in the order of their making. */
struct watch {
    bool limited, one; /* to a product, or to one device */
    uint32_t hash;     /* of that name */
    struct sky_fault *fault;
};

struct sky_faults {
    struct sky_registry *registry; /* borrowed, as the next two */
    struct sky_wire *wire;
    struct sky_net *net;
    struct sky_fault *list; /* owned, by number */
    size_t count;
    int64_t last_id;
    bool stale; /* the watches are not those of the list any more */
    struct watch *watches[SKY_POINT_CHOSEN_COUNT]; /* owned */
    size_t watch_counts[SKY_POINT_CHOSEN_COUNT];
    struct sky_device_names names;
};

/* ---- whom they watch ---- */

static bool is_over(const struct sky_faults *faults, const struct sky_fault *fault)
{
    return fault->spent ||
           (fault->until_ms != 0 && fault->until_ms <= sky_clock_lived_ms(faults->registry->clock));
}

static void forget_watches(struct sky_faults *faults)
{
    faults->wire->points = 0;
    for (size_t point = 0; point < SKY_POINT_CHOSEN_COUNT; point++) {
        free(faults->watches[point]);
        faults->watches[point] = NULL;
        faults->watch_counts[point] = 0;
    }
}

static void look_again(struct sky_faults *faults)
{
    struct sky_fault *fault;
    faults->stale = false;
    forget_watches(faults);
    DL_FOREACH (faults->list, fault) {
        struct watch **watches = &faults->watches[fault->point];
        size_t *count = &faults->watch_counts[fault->point];
        if (is_over(faults, fault))
            continue;
        if ((*count & (*count - 1)) == 0) /* room doubles */
            *watches = sky_mem_grow(*watches, (*count == 0 ? 1 : 2 * *count) * sizeof **watches);
        sky_span scope = sky_span_str(fault->scope);
        (*watches)[(*count)++] =
            (struct watch){.limited = scope.len > 0,
                           .one = fault->one,
                           .hash = scope.len > 0 ? sky_index_hash_text(scope) : 0,
                           .fault = fault};
        faults->wire->points |= UINT32_C(1) << fault->point;
    }
}

/* ---- deciding ---- */

/* A name, once somebody has asked for it. */
struct whose {
    bool known;
    uint32_t hash;
    sky_span name; /* empty: nobody's */
};

/* One passage under their eyes. What it takes to look is found out when somebody asks. */
struct look {
    struct sky_faults *faults;
    struct sky_passage *passage;
    struct whose device, product; /* "cloud/product/device", and the first part of that */
    bool described, with_who;
    struct sky_fault_subject *subject; /* filled in when it is described */
    char room[SKY_DEVICE_NAME_MAX + 1];
};

/* Whoever is proven, or claimed. A party's name is hashed already. */
static const struct whose *device_of(struct look *look)
{
    struct sky_faults *faults = look->faults;
    struct whose *whose = &look->device;
    int64_t id = look->passage->head->device_id;
    if (whose->known)
        return whose;
    *whose = (struct whose){.known = true};
    const struct sky_session *session = sky_session_find(faults->registry, id);
    if (session != NULL) {
        whose->name = sky_span_str(session->party->name);
        whose->hash = session->party->hash;
    } else if (id != 0) {
        whose->name = sky_span_str(sky_device_names_get(&faults->names, id));
        whose->hash = sky_index_hash_text(whose->name);
    }
    return whose;
}

/* Its product, or that of a device that nobody knows. */
static const struct whose *product_of(struct look *look)
{
    const struct sky_passage *passage = look->passage;
    struct whose *whose = &look->product;
    sky_span device, cloud, key, rest;
    if (whose->known)
        return whose;
    *whose = (struct whose){.known = true};
    device = device_of(look)->name;
    if (sky_span_cut(device, '/', &cloud, &rest) && sky_span_cut(rest, '/', &key, &rest)) {
        whose->name = sky_span_head(device, cloud.len + 1 + key.len);
    } else if (passage->head->device_id == 0 && passage->product_id != 0) {
        const struct sky_product_info *product =
            sky_product_info(look->faults->registry, passage->product_id);
        if (product != NULL) {
            snprintf(look->room, sizeof look->room, "%s/%s", product->cloud->name,
                     product->product.key);
            whose->name = sky_span_str(look->room);
        }
    }
    if (whose->name.len > 0)
        whose->hash = sky_index_hash_text(whose->name);
    return whose;
}

static bool is_theirs(struct look *look, const struct watch *watch)
{
    if (!watch->limited)
        return true;
    const struct whose *whose = watch->one ? device_of(look) : product_of(look);
    return watch->hash == whose->hash && sky_span_eq_str(whose->name, watch->fault->scope);
}

static bool matches(struct look *look, const struct sky_fault *fault)
{
    struct sky_faults *faults = look->faults;
    if (fault->pattern == NULL)
        return true;
    if (look->described && fault->asks_who && !look->with_who) {
        sky_fault__subject_done(look->subject);
        look->described = false;
    }
    if (!look->described) {
        look->described = true;
        look->with_who = fault->asks_who;
        sky_fault__subject(look->passage, faults->registry, &faults->names, fault->asks_who,
                           look->subject);
    }
    return sky_pattern_matches(fault->pattern, &look->subject->subject);
}

/* One draw of its own sequence, which the seed repeats: from wherever it has come to. */
static uint64_t draw(struct sky_fault *fault)
{
    uint8_t bytes[8];
    uint64_t value = 0;
    sky_rng_seek(&fault->rng, (uint64_t)fault->drawn++);
    sky_rng_bytes(&fault->rng, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* It wants this passage: is it its turn? */
static bool fires(struct sky_fault *fault)
{
    if (fault->seen++ < fault->skip)
        return false;
    if (fault->probability < 1 && (double)(draw(fault) >> 11) * 0x1p-53 >= fault->probability)
        return false;
    fault->fired++;
    fault->spent = fault->count != 0 && fault->fired >= fault->count;
    return true;
}

/* Whoever brings a key is shown no certificate, and datagrams have no stream. */
static bool can_happen(const struct sky_fault *fault, const struct sky_passage *passage)
{
    const struct sky_event_head *head = passage->head;
    if (passage->point != SKY_POINT_HANDSHAKE)
        return true;
    if (fault->action == SKY_FAULT_CERTIFICATE)
        return head->type == SKY_EVENT_TLS_HANDSHAKE;
    return head->transport != SKY_DTLS ||
           (fault->action != SKY_FAULT_DRIP && fault->action != SKY_FAULT_CUT);
}

static struct sky_fault *first_that_fires(struct look *look)
{
    struct sky_faults *faults = look->faults;
    const struct sky_passage *passage = look->passage;
    const struct watch *watches = faults->watches[passage->point];
    for (size_t i = 0; i < faults->watch_counts[passage->point]; i++) {
        const struct watch *watch = &watches[i];
        struct sky_fault *fault = watch->fault;
        if (!is_theirs(look, watch))
            continue;
        if (is_over(faults, fault)) {
            faults->stale = true;
            continue;
        }
        /* What has the next waiting for it cannot wait for the next itself. */
        if ((fault->action == SKY_FAULT_REORDER && passage->leads) || !can_happen(fault, passage) ||
            !matches(look, fault))
            continue;
        if (fires(fault))
            return fault;
    }
    return NULL;
}

static struct sky_fate decide(void *ctx, struct sky_passage *passage)
{
    struct sky_faults *faults = ctx;
    struct sky_fate fate = {.name = NULL};
    struct sky_fault_subject subject;
    struct look look;
    look.faults = faults;
    look.passage = passage;
    look.subject = &subject;
    look.device.known = look.product.known = look.described = look.with_who = false;
    SKY_ASSERT(passage->point < SKY_POINT_CHOSEN_COUNT);
    if (faults->stale)
        look_again(faults);
    struct sky_fault *fault = first_that_fires(&look);
    if (fault != NULL) {
        faults->stale |= fault->spent;
        fate = fault->fate;
        fate.name = fault->label;
        fate.fault = (uint64_t)fault->id;
        if (fault->action == SKY_FAULT_CORRUPT)
            fate.chance = draw(fault);
        if (fault->action == SKY_FAULT_SET)
            sky_fault__set(fault, passage->out);
    }
    if (look.described)
        sky_fault__subject_done(&subject);
    return fate;
}

/* ---- the list ---- */

struct sky_faults *sky_faults_new(struct sky_registry *registry, struct sky_wire *wire,
                                  struct sky_net *net)
{
    struct sky_faults *faults = sky_mem_new(sizeof *faults);
    faults->registry = registry;
    faults->wire = wire;
    faults->net = net;
    faults->names.store = registry->store;
    wire->filter = decide;
    wire->filter_ctx = faults;
    return faults;
}

void sky_faults_free(struct sky_faults *faults)
{
    struct sky_fault *fault, *next;
    if (faults == NULL)
        return;
    DL_FOREACH_SAFE (faults->list, fault, next)
        sky_fault__free(fault);
    forget_watches(faults);
    free(faults);
}

static int by_id(const struct sky_fault *a, const struct sky_fault *b)
{
    return a->id < b->id ? -1 : a->id > b->id;
}

static void insert(struct sky_faults *faults, struct sky_fault *fault)
{
    if (fault->id > faults->last_id)
        faults->last_id = fault->id;
    if (fault->label[0] == '\0')
        snprintf(fault->label, sizeof fault->label, "%lld", (long long)fault->id);
    sky_rng_init_seeded(&fault->rng, fault->seed);
    DL_INSERT_INORDER(faults->list, fault, by_id);
    faults->count++;
    faults->stale = true;
    faults->wire->points |= UINT32_C(1) << fault->point;
}

static void take_out(struct sky_faults *faults, struct sky_fault *fault)
{
    DL_DELETE(faults->list, fault);
    faults->count--;
    faults->stale = true;
    sky_net_thaw(faults->net, (uint64_t)fault->id);
    sky_fault__free(fault);
}

static struct sky_fault *fault_at(const struct sky_faults *faults, int64_t id)
{
    struct sky_fault *fault;
    DL_FOREACH (faults->list, fault)
        if (fault->id == id)
            return fault;
    return NULL;
}

/* Has it made, so that it is there when somebody is to be shown it. */
static sky_err see_to_certificate(struct sky_faults *faults, const struct sky_fault *fault,
                                  const char *at, struct sky_why *why)
{
    const char *refusal =
        sky_secure_lie_refusal(faults->net, (enum sky_lie)fault->fate.certificate);
    char pointer[SKY_WHY_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "%s/kind", at);
    if (refusal != NULL)
        return sky_why_set(why, SKY_ERR_INVALID, pointer, "%s", refusal);
    sky_secure_prepare_lies(faults->net);
    return SKY_OK;
}

sky_err sky_faults_add(struct sky_faults *faults, const cJSON *json, const char *at,
                       struct sky_why *why, int64_t *ret_id)
{
    if (faults->count >= SKY_FAULTS_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, at, "%d faults are the most at a time; delete some",
                           SKY_FAULTS_MAX);
    struct sky_fault *fault = sky_mem_new(sizeof *fault);
    cJSON *own = cJSON_Duplicate(json, true);
    sky_err err = sky_fault__read(fault, own, at, why);
    if (err != SKY_OK)
        cJSON_Delete(own);
    else if (fault->action == SKY_FAULT_CERTIFICATE)
        err = see_to_certificate(faults, fault, at, why);
    if (err != SKY_OK) {
        sky_fault__free(fault);
        return err;
    }
    if (sky_json_get(own, "seed") == NULL) {
        sky_rng_bytes(faults->registry->rng, &fault->seed, sizeof fault->seed);
        fault->seed >>= 11; /* what JSON takes exactly */
    }
    if (fault->until_ms != 0)
        fault->until_ms += sky_clock_lived_ms(faults->registry->clock);
    fault->id = faults->last_id + 1;
    insert(faults, fault);
    *ret_id = fault->id;
    return SKY_OK;
}

sky_err sky_fault_check(const cJSON *json, const char *at, struct sky_why *why)
{
    struct sky_fault *fault = sky_mem_new(sizeof *fault);
    cJSON *own = cJSON_Duplicate(json, true);
    sky_err err = sky_fault__read(fault, own, at, why);
    if (err != SKY_OK)
        cJSON_Delete(own);
    sky_fault__free(fault);
    return err;
}

bool sky_faults_drop(struct sky_faults *faults, int64_t id)
{
    struct sky_fault *fault = fault_at(faults, id);
    if (fault == NULL)
        return false;
    take_out(faults, fault);
    return true;
}

bool sky_faults_drop_named(struct sky_faults *faults, sky_span name)
{
    struct sky_fault *fault, *next;
    bool found = false;
    DL_FOREACH_SAFE (faults->list, fault, next) {
        if (!sky_span_eq_str(name, fault->label))
            continue;
        take_out(faults, fault);
        found = true;
    }
    return found;
}

void sky_faults_clear(struct sky_faults *faults, sky_span name)
{
    struct sky_fault *fault, *next;
    DL_FOREACH_SAFE (faults->list, fault, next)
        if (sky_party_named_of(sky_span_str(fault->scope), name))
            take_out(faults, fault);
    if (faults->stale)
        look_again(faults);
}

/* ---- and on paper ---- */

bool sky_faults_print(const struct sky_faults *faults, sky_span name, int64_t *after, size_t count,
                      struct sky_jw *jw)
{
    int64_t lived_ms = sky_clock_lived_ms(faults->registry->clock);
    const struct sky_fault *fault;
    DL_FOREACH (faults->list, fault) {
        if (fault->id <= *after || !sky_party_named_of(sky_span_str(fault->scope), name))
            continue;
        if (count-- == 0)
            return true;
        sky_fault__print(fault, lived_ms, false, jw);
        *after = fault->id;
    }
    return false;
}

void sky_faults_save(const struct sky_faults *faults, sky_span name, struct sky_buf *out)
{
    int64_t lived_ms = sky_clock_lived_ms(faults->registry->clock);
    const struct sky_fault *fault;
    struct sky_jw jw = sky_jw(out);
    sky_jw_array(&jw);
    DL_FOREACH (faults->list, fault)
        if (sky_party_named_of(sky_span_str(fault->scope), name))
            sky_fault__print(fault, lived_ms, true, &jw);
    sky_jw_end_array(&jw);
}

static void free_all(struct sky_fault *list)
{
    struct sky_fault *fault, *next;
    DL_FOREACH_SAFE (list, fault, next)
        sky_fault__free(fault);
}

/* Those of a saved text, in a list of their own. */
static sky_err read_saved(const struct sky_faults *faults, cJSON *array,
                          struct sky_fault **ret_list, struct sky_why *why)
{
    int64_t lived_ms = sky_clock_lived_ms(faults->registry->clock);
    struct sky_fault *list = NULL;
    cJSON *each;
    if (!cJSON_IsArray(array))
        return sky_why_set(why, SKY_ERR_INVALID, "", "saved faults are an array");
    while ((each = cJSON_DetachItemFromArray(array, 0)) != NULL) {
        struct sky_fault *fault = sky_mem_new(sizeof *fault);
        sky_err err = sky_fault__read_state(fault, each, lived_ms, why);
        if (err != SKY_OK) {
            cJSON_Delete(each);
            sky_fault__free(fault);
            free_all(list);
            return err;
        }
        DL_APPEND(list, fault);
    }
    *ret_list = list;
    return SKY_OK;
}

sky_err sky_faults_restore(struct sky_faults *faults, sky_span name, sky_span json,
                           struct sky_why *why)
{
    cJSON *array = NULL;
    struct sky_fault *list = NULL, *fault, *next;
    sky_err err = sky_json_parse(json, SKY_JSON_DEPTH_MAX, &array, why);
    if (err == SKY_OK)
        err = read_saved(faults, array, &list, why);
    cJSON_Delete(array);
    if (err != SKY_OK)
        return err;
    sky_faults_clear(faults, name);
    DL_FOREACH_SAFE (list, fault, next) {
        DL_DELETE(list, fault);
        if (fault_at(faults, fault->id) != NULL) /* of another run, under another name */
            fault->id = faults->last_id + 1;
        if (faults->count < SKY_FAULTS_MAX)
            insert(faults, fault);
        else
            sky_fault__free(fault);
    }
    return SKY_OK;
}
