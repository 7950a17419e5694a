#include "protocol/mqtt/subs.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#define uthash_fatal(text) sky_assert_failed(text, __FILE__, __LINE__)
#include <uthash.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"

/* Every filter somebody subscribes to is one `struct target` in a hash by its text: with a topic
 * for key that finds the exact filters. The trie is a second way to the targets with wildcards.
 * Its nodes live in one hash too, keyed by parent and level, because a hash table in every node
 * would cost more than all the rest. */

enum { SUBSCRIBERS_ROOM_MIN = 64, LIST_ROOM_MIN = 4 };

struct node {
    UT_hash_handle hh; /* in sky_subs.nodes, unless it is the root */
    struct node *parent;
    struct node *plus;        /* the child "+", also in the hash */
    struct target *here;      /* the filter that ends at this node */
    struct target *below;     /* the filter that goes on with "#" and ends */
    uint32_t children, depth; /* depth of the root: 0 */
    size_t key_len;
    char key[]; /* address of the parent, then the level's text */
};

/* One filter and who subscribes to it. Most have one subscriber, who is kept in place. */
struct target {
    UT_hash_handle hh; /* in sky_subs.targets */
    union {
        struct sky_receiver one;
        struct sky_receiver *many; /* owned, if room > 0 */
    } who;
    uint32_t count, room;
    struct node *node; /* where the trie holds it; NULL: an exact filter */
    size_t len;
    char text[];
};

struct subscriber {
    struct target **targets; /* owned array, in no order */
    uint32_t count, room;
    uint64_t seen_in; /* the match that found it last, and where in that match's list */
    size_t seen_at;
};

struct sky_subs {
    struct target *targets;
    struct node *nodes;
    struct node *root;
    struct subscriber *subscribers;
    size_t room;
    uint64_t generation, match;
    char *key; /* scratch for the key of a node: room for the longest level */
};

static void *grow_list(void *list, uint32_t *room, size_t item)
{
    *room = *room ? *room * 2 : LIST_ROOM_MIN;
    return sky_mem_grow(list, *room * item);
}

/* ---- targets ---- */

static struct sky_receiver *who_of(struct target *target)
{
    return target->room > 0 ? target->who.many : &target->who.one;
}

static struct sky_receiver *find_receiver(struct target *target, uint32_t subscriber)
{
    struct sky_receiver *who = who_of(target);
    for (uint32_t i = 0; i < target->count; i++)
        if (who[i].subscriber == subscriber)
            return &who[i];
    return NULL;
}

static void add_receiver(struct target *target, struct sky_receiver receiver)
{
    if (target->count == 1 && target->room == 0) {
        struct sky_receiver one = target->who.one;
        target->who.many = grow_list(NULL, &target->room, sizeof one);
        target->who.many[0] = one;
    } else if (target->count > 0 && target->count == target->room) {
        target->who.many = grow_list(target->who.many, &target->room, sizeof receiver);
    }
    who_of(target)[target->count++] = receiver;
}

static void remove_receiver(struct target *target, uint32_t subscriber)
{
    struct sky_receiver *gone = find_receiver(target, subscriber);
    SKY_ASSERT(gone != NULL);
    *gone = who_of(target)[--target->count];
}

static struct target *find_target(const struct sky_subs *subs, sky_span filter)
{
    struct target *target;
    HASH_FIND(hh, subs->targets, filter.ptr, filter.len, target);
    return target;
}

/* ---- trie ---- */

static size_t make_key(struct sky_subs *subs, const struct node *parent, sky_span level)
{
    memcpy(subs->key, &parent, sizeof parent);
    if (level.len > 0)
        memcpy(subs->key + sizeof parent, level.ptr, level.len);
    return sizeof parent + level.len;
}

static struct node *find_child(struct sky_subs *subs, const struct node *parent, sky_span level)
{
    struct node *child;
    size_t len = make_key(subs, parent, level);
    HASH_FIND(hh, subs->nodes, subs->key, len, child);
    return child;
}

static bool is_plus(sky_span level)
{
    return sky_span_eq_str(level, "+");
}

static struct node *take_child(struct sky_subs *subs, struct node *parent, sky_span level)
{
    struct node *child = find_child(subs, parent, level);
    if (child != NULL)
        return child;
    size_t len = make_key(subs, parent, level);
    child = sky_mem_new(sizeof *child + len);
    memcpy(child->key, subs->key, len);
    child->key_len = len;
    child->parent = parent;
    child->depth = parent->depth + 1;
    HASH_ADD_KEYPTR(hh, subs->nodes, child->key, len, child);
    parent->children++;
    if (is_plus(level))
        parent->plus = child;
    return child;
}

/* Frees `node` and its ancestors as far as nothing needs them. */
static void prune(struct sky_subs *subs, struct node *node)
{
    while (node->parent != NULL && node->children == 0 && node->here == NULL &&
           node->below == NULL) {
        struct node *parent = node->parent;
        if (parent->plus == node)
            parent->plus = NULL;
        parent->children--;
        HASH_DEL(subs->nodes, node);
        free(node);
        node = parent;
    }
}

static void plant(struct sky_subs *subs, struct target *target)
{
    sky_span rest = sky_span_of(target->text, target->len), level;
    struct node *node = subs->root;
    while (sky_span_next(&rest, '/', &level)) {
        if (sky_span_eq_str(level, "#")) {
            SKY_ASSERT(node->below == NULL);
            node->below = target;
            target->node = node;
            return;
        }
        node = take_child(subs, node, level);
    }
    SKY_ASSERT(node->here == NULL);
    node->here = target;
    target->node = node;
}

static void uproot(struct sky_subs *subs, struct target *target)
{
    struct node *node = target->node;
    SKY_ASSERT(node->here == target || node->below == target);
    if (node->here == target)
        node->here = NULL;
    else
        node->below = NULL;
    prune(subs, node);
}

static struct target *new_target(struct sky_subs *subs, sky_span filter)
{
    struct target *target = sky_mem_new(sizeof *target + filter.len);
    memcpy(target->text, filter.ptr, filter.len);
    target->len = filter.len;
    HASH_ADD_KEYPTR(hh, subs->targets, target->text, target->len, target);
    if (sky_topic_has_wildcard(filter))
        plant(subs, target);
    return target;
}

static void free_target(struct sky_subs *subs, struct target *target)
{
    if (target->node != NULL)
        uproot(subs, target);
    HASH_DEL(subs->targets, target);
    if (target->room > 0)
        free(target->who.many);
    free(target);
}

/* ---- subscribers ---- */

static struct subscriber *take_subscriber(struct sky_subs *subs, uint32_t subscriber)
{
    SKY_ASSERT(subscriber < SKY_SUBS_SUBSCRIBERS_MAX);
    if (subscriber >= subs->room) {
        size_t room = subs->room ? subs->room : SUBSCRIBERS_ROOM_MIN;
        while (room <= subscriber)
            room *= 2;
        subs->subscribers = sky_mem_grow(subs->subscribers, room * sizeof *subs->subscribers);
        memset(subs->subscribers + subs->room, 0, (room - subs->room) * sizeof *subs->subscribers);
        subs->room = room;
    }
    return &subs->subscribers[subscriber];
}

static struct subscriber *find_subscriber(const struct sky_subs *subs, uint32_t subscriber)
{
    return subscriber < subs->room ? &subs->subscribers[subscriber] : NULL;
}

/* Its place in the subscriber's list, or `count`. Shorter to search than the target's list. */
static uint32_t find_held(const struct subscriber *holder, const struct target *target)
{
    uint32_t at = 0;
    while (at < holder->count && holder->targets[at] != target)
        at++;
    return at;
}

/* ---- interface ---- */

struct sky_subs *sky_subs_new(void)
{
    struct sky_subs *subs = sky_mem_new(sizeof *subs);
    subs->root = sky_mem_new(sizeof *subs->root);
    subs->key = sky_mem_new(sizeof(struct node *) + UINT16_MAX);
    return subs;
}

void sky_subs_free(struct sky_subs *subs)
{
    if (subs == NULL)
        return;
    for (size_t i = 0; i < subs->room; i++)
        sky_subs_drop(subs, (uint32_t)i);
    SKY_ASSERT(subs->targets == NULL && subs->nodes == NULL);
    free(subs->subscribers);
    free(subs->root);
    free(subs->key);
    free(subs);
}

sky_err sky_subs_add(struct sky_subs *subs, uint32_t subscriber, sky_span filter, uint8_t qos)
{
    SKY_ASSERT(sky_topic_valid_filter(filter) && filter.len <= UINT16_MAX);
    struct subscriber *holder = take_subscriber(subs, subscriber);
    struct target *target = find_target(subs, filter);
    if (target != NULL && find_held(holder, target) < holder->count) {
        find_receiver(target, subscriber)->qos = qos;
        subs->generation++;
        return SKY_OK;
    }
    if (holder->count == SKY_SUBS_PER_SUBSCRIBER_MAX)
        return SKY_ERR_LIMIT;
    if (sky_topic_has_wildcard(filter) && sky_topic_levels(filter) > SKY_SUBS_TRIE_DEPTH_MAX)
        return SKY_ERR_LIMIT;
    if (target == NULL)
        target = new_target(subs, filter);
    add_receiver(target, (struct sky_receiver){subscriber, qos});
    if (holder->count == holder->room)
        holder->targets = grow_list(holder->targets, &holder->room, sizeof *holder->targets);
    holder->targets[holder->count++] = target;
    subs->generation++;
    return SKY_OK;
}

static void release(struct sky_subs *subs, struct target *target, uint32_t subscriber)
{
    remove_receiver(target, subscriber);
    if (target->count == 0)
        free_target(subs, target);
    subs->generation++;
}

bool sky_subs_remove(struct sky_subs *subs, uint32_t subscriber, sky_span filter)
{
    struct subscriber *holder = find_subscriber(subs, subscriber);
    struct target *target = find_target(subs, filter);
    if (holder == NULL || target == NULL)
        return false;
    uint32_t at = find_held(holder, target);
    if (at == holder->count)
        return false;
    holder->targets[at] = holder->targets[--holder->count];
    release(subs, target, subscriber);
    return true;
}

bool sky_subs_has(const struct sky_subs *subs, uint32_t subscriber, sky_span filter)
{
    const struct subscriber *holder = find_subscriber(subs, subscriber);
    const struct target *target = find_target(subs, filter);
    return holder != NULL && target != NULL && find_held(holder, target) < holder->count;
}

void sky_subs_drop(struct sky_subs *subs, uint32_t subscriber)
{
    struct subscriber *holder = find_subscriber(subs, subscriber);
    if (holder == NULL)
        return;
    for (uint32_t i = 0; i < holder->count; i++)
        release(subs, holder->targets[i], subscriber);
    free(holder->targets);
    *holder = (struct subscriber){0};
}

size_t sky_subs_count(const struct sky_subs *subs, uint32_t subscriber)
{
    const struct subscriber *holder = find_subscriber(subs, subscriber);
    return holder != NULL ? holder->count : 0;
}

void sky_subs_each(const struct sky_subs *subs, uint32_t subscriber,
                   void (*each)(void *ctx, sky_span filter, uint8_t qos), void *ctx)
{
    const struct subscriber *holder = find_subscriber(subs, subscriber);
    for (uint32_t i = 0; holder != NULL && i < holder->count; i++) {
        struct target *target = holder->targets[i];
        each(ctx, sky_span_of(target->text, target->len), find_receiver(target, subscriber)->qos);
    }
}

/* Adds the subscribers of `target` to the list, unless this match has found them before. */
static void collect(struct sky_subs *subs, struct target *target, struct sky_receivers *found)
{
    if (target == NULL)
        return;
    const struct sky_receiver *who = who_of(target);
    for (uint32_t i = 0; i < target->count; i++) {
        struct subscriber *holder = &subs->subscribers[who[i].subscriber];
        if (holder->seen_in == subs->match) {
            struct sky_receiver *before = &found->list[holder->seen_at];
            before->qos = who[i].qos > before->qos ? who[i].qos : before->qos;
            continue;
        }
        if (found->count == found->room) {
            found->room = found->room ? found->room * 2 : LIST_ROOM_MIN;
            found->list = sky_mem_grow(found->list, found->room * sizeof *found->list);
        }
        holder->seen_in = subs->match;
        holder->seen_at = found->count;
        found->list[found->count++] = who[i];
    }
}

/* Recursion is as deep as the trie, SKY_SUBS_TRIE_DEPTH_MAX, whatever the topic. */
static void walk(struct sky_subs *subs, const struct node *node, sky_span rest,
                 struct sky_receivers *found)
{
    sky_span level;
    SKY_ASSERT(node->depth <= SKY_SUBS_TRIE_DEPTH_MAX);
    bool hidden = node == subs->root && rest.ptr[0] == '$'; /* 4.7.2-1 */
    if (!hidden)
        collect(subs, node->below, found);
    if (!sky_span_next(&rest, '/', &level)) {
        collect(subs, node->here, found);
        return;
    }
    if (node->plus != NULL && !hidden)
        walk(subs, node->plus, rest, found);
    if (node->children > (node->plus != NULL)) {
        const struct node *child = find_child(subs, node, level);
        if (child != NULL)
            walk(subs, child, rest, found);
    }
}

void sky_subs_match(struct sky_subs *subs, sky_span topic, struct sky_receivers *receivers)
{
    SKY_ASSERT(topic.len > 0 && topic.len <= UINT16_MAX);
    receivers->count = 0;
    subs->match++;
    collect(subs, find_target(subs, topic), receivers);
    walk(subs, subs->root, topic, receivers);
}

uint64_t sky_subs_generation(const struct sky_subs *subs)
{
    return subs->generation;
}

void sky_receivers_done(struct sky_receivers *receivers)
{
    free(receivers->list);
    *receivers = (struct sky_receivers){0};
}
