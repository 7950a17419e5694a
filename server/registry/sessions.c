#include "server/registry/sessions.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/registry/parties.h"

const struct sky_session_work sky_session_at_rest;

static uint32_t hash_of(const void *session)
{
    return sky_index_hash_number(((const struct sky_session *)session)->device_id);
}

static bool has_id(const void *session, const void *id)
{
    return ((const struct sky_session *)session)->device_id == *(const int64_t *)id;
}

struct sky_session *sky_session_find(const struct sky_registry *registry, int64_t device_id)
{
    return sky_index_find(&registry->by_device, sky_index_hash_number(device_id), has_id,
                          &device_id);
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
    session->work = (struct sky_session_work *)&sky_session_at_rest; /* written to by nobody */
    session->key_at = (uint16_t)(strlen(product->cloud) + 1 + strlen(product->key) + 1);
    session->slot = take_slot(registry, session);
    sky_index_add(&registry->by_device, session, hash_of);
    return session;
}

void sky_session_drop(struct sky_registry *registry, struct sky_session *session)
{
    SKY_ASSERT(session->conn == NULL && session->work->fetcher == NULL &&
               session->mqtt.window == NULL);
    SKY_ASSERT(session->work->via == NULL && session->work->behind == NULL);
    registry->by_slot[session->slot] = NULL;
    registry->free_slots[registry->free_count++] = session->slot;
    sky_index_remove(&registry->by_device, session, hash_of);
    if (session->work != &sky_session_at_rest)
        free(session->work);
    free(session);
}

void sky_sessions_done(struct sky_registry *registry)
{
    SKY_ASSERT(registry->by_device.count == 0);
    sky_index_done(&registry->by_device);
    free(registry->by_slot);
    free(registry->free_slots);
    registry->by_slot = NULL;
    registry->free_slots = NULL;
    registry->slots = registry->room = registry->free_count = 0;
}

struct sky_session_work *sky_session_work(struct sky_session *session)
{
    if (session->work == &sky_session_at_rest)
        session->work = sky_mem_new(sizeof *session->work);
    return session->work;
}

void sky_session_expect_subscribe(struct sky_session *session, int64_t by_ms)
{
    if (by_ms != session->work->resubscribe_by_ms)
        sky_session_work(session)->resubscribe_by_ms = by_ms;
}

void sky_session_carried(struct sky_registry *registry, struct sky_session *session,
                         const struct sky_behaviour_message *message)
{
    struct sky_party *party = session->party;
    registry->parties.ids_matter |= message->packet_id != 0;
    struct sky_session_work *work = sky_session_work(session);
    (*(message->way == SKY_WAY_UP ? &work->published : &work->delivered))++;
    sky_behaviour_add_message(sky_conduct_take_behaviour(&party->chapter), &party->going_on,
                              message, sky_clock_lived_ms(registry->clock));
}

void sky_session_judged(struct sky_session *session, const struct sky_judge *judge)
{
    if (session != NULL)
        sky_rule_set_merge(&session->party->chapter.exercised, &judge->exercised);
}

const char *sky_hindrance_text(const struct sky_hindrance *hindrance, char out[SKY_HINDRANCE_TEXT])
{
    if (hindrance->full == NULL)
        return hindrance->reason;
    snprintf(out, SKY_HINDRANCE_TEXT,
             "%s: %u messages, or %u bytes of topics and payloads, wait at most", hindrance->reason,
             hindrance->full->queue_max, hindrance->full->queue_bytes_max);
    return out;
}
