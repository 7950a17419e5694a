#include "server/registry/sessions.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/registry/parties.h"

struct sky_session *sky_session_find(const struct sky_registry *registry, int64_t device_id)
{
    struct sky_session *session;
    HASH_FIND(hh, registry->by_device, &device_id, sizeof device_id, session);
    return session;
}

struct sky_session *sky_session_at(const struct sky_registry *registry, uint32_t slot)
{
    SKY_ASSERT(slot < registry->slots && registry->by_slot[slot] != NULL);
    return registry->by_slot[slot];
}

static uint32_t take_slot(struct sky_registry *registry, struct sky_session *session)
{
    if (registry->free_count > 0) {
        uint32_t slot = registry->free_slots[--registry->free_count];
        registry->by_slot[slot] = session;
        return slot;
    }
    if (registry->slots == registry->room) {
        registry->room = registry->room ? registry->room * 2 : 64;
        registry->by_slot =
            sky_mem_grow(registry->by_slot, registry->room * sizeof *registry->by_slot);
        registry->free_slots =
            sky_mem_grow(registry->free_slots, registry->room * sizeof *registry->free_slots);
    }
    registry->by_slot[registry->slots] = session;
    return (uint32_t)registry->slots++;
}

struct sky_session *sky_session_open(struct sky_registry *registry,
                                     const struct sky_product *product,
                                     const struct sky_device *device)
{
    struct sky_session *session = sky_session_find(registry, device->id);
    if (session != NULL)
        return session;
    struct sky_product_info *info = sky_product_known(registry, product);
    session = sky_mem_new(sizeof *session);
    session->device_id = device->id;
    session->product = info;
    session->party = sky_party_of_device(registry, product, device);
    session->device_key = sky_mem_dup(device->key, strlen(device->key));
    session->slot = take_slot(registry, session);
    HASH_ADD(hh, registry->by_device, device_id, sizeof session->device_id, session);
    return session;
}

void sky_session_drop(struct sky_registry *registry, struct sky_session *session)
{
    SKY_ASSERT(session->conn == NULL && session->fetcher == NULL && session->mqtt.window == NULL);
    SKY_ASSERT(session->via == NULL && session->behind == NULL);
    registry->by_slot[session->slot] = NULL;
    registry->free_slots[registry->free_count++] = session->slot;
    HASH_DEL(registry->by_device, session);
    free(session->device_key);
    free(session);
}

void sky_sessions_done(struct sky_registry *registry)
{
    SKY_ASSERT(registry->by_device == NULL);
    free(registry->by_slot);
    free(registry->free_slots);
    registry->by_slot = NULL;
    registry->free_slots = NULL;
    registry->slots = registry->room = registry->free_count = 0;
}

void sky_session_carried(struct sky_registry *registry, struct sky_session *session,
                         const struct sky_behaviour_message *message)
{
    struct sky_party *party = session->party;
    registry->parties.ids_matter |= message->packet_id != 0;
    (*(message->way == SKY_WAY_UP ? &session->published : &session->delivered))++;
    sky_behaviour_add_message(sky_conduct_take_behaviour(&party->chapter), &party->going_on,
                              message, sky_clock_lived_ms(registry->clock));
}

void sky_session_judged(struct sky_session *session, const struct sky_judge *judge)
{
    if (session != NULL)
        sky_rule_set_merge(&session->party->chapter.exercised, &judge->exercised);
}
