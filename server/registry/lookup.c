#include "server/registry/lookup.h"

/* Would the names be known in each other's place? Asked only for names that are not. */
static bool is_swapped(struct sky_registry *registry, const struct sky_lookup *lookup)
{
    struct sky_product product;
    struct sky_device device;
    return lookup->claim.kind == SKY_CLAIM_NAMED &&
           sky_store_find_device(registry->store, sky_span_str(lookup->cloud->name),
                                 lookup->claim.device, lookup->claim.product, &product,
                                 &device) == SKY_OK;
}

static sky_err find(struct sky_registry *registry, struct sky_lookup *l)
{
    sky_span cloud = sky_span_str(l->cloud->name);
    sky_err err;
    switch (l->claim.kind) {
    case SKY_CLAIM_NAMED:
        return sky_store_find_device(registry->store, cloud, l->claim.product, l->claim.device,
                                     &l->product, &l->device);
    case SKY_CLAIM_JOINED:
        return sky_store_find_joined(registry->store, cloud, l->claim.product, &l->product,
                                     &l->device);
    case SKY_CLAIM_TOKEN:
        err = sky_store_find_token(registry->store, l->claim.product, &l->token);
        if (err != SKY_OK)
            return err;
        l->facts.token = &l->token;
        return sky_store_get_device(registry->store, l->token.device_id, &l->product, &l->device);
    }
    return SKY_ERR_NOT_FOUND;
}

/* Names run together are shown apart: by the product that was found, or where the cloud's own
 * product keys end. */
static void part(struct sky_lookup *l)
{
    sky_span joined = l->claim.product;
    size_t seam = l->product.id != 0 ? strlen(l->product.key) : l->claim.seam;
    l->claim.product = sky_span_head(joined, seam);
    l->claim.device = sky_span_tail(joined, l->claim.product.len);
}

/* Where what was found lies, and when. */
static void point(const struct sky_registry *registry, struct sky_lookup *l)
{
    l->facts.product = l->product.id != 0 ? &l->product : NULL;
    l->facts.device = l->device.id != 0 ? &l->device : NULL;
    l->facts.now_ms = registry->clock->now_ms;
}

static int64_t previous_login_ms(const struct sky_registry *registry,
                                 const struct sky_session *session)
{
    return session->last_login_ms == 0
               ? 0
               : sky_clock_shown_ms(registry->clock, session->last_login_ms);
}

void sky_lookup_fresh(struct sky_registry *registry, struct sky_lookup *l)
{
    sky_rng_text(registry->rng, l->fresh, SKY_FRESH_LEN);
    l->facts.fresh = sky_span_of(l->fresh, SKY_FRESH_LEN);
}

void sky_lookup_claim(struct sky_registry *registry, const struct sky_cloud *cloud,
                      const struct sky_claim *claim, struct sky_lookup *l)
{
    *l = (struct sky_lookup){.cloud = cloud, .claim = *claim};
    sky_err err = find(registry, l);
    if (err != SKY_OK)
        l->device.id = 0;
    l->failed = err != SKY_OK && err != SKY_ERR_NOT_FOUND;
    if (claim->kind == SKY_CLAIM_JOINED)
        part(l);
    l->token.expires_ms = sky_clock_shown_ms(registry->clock, l->token.expires_ms);
    point(registry, l);
    sky_lookup_fresh(registry, l);
    l->facts.swapped_known = l->device.id == 0 && is_swapped(registry, l);
    const struct sky_session *session = sky_session_find(registry, l->device.id);
    if (session == NULL)
        return;
    l->facts.previous_login_ms = previous_login_ms(registry, session);
    if (session->token_waits && claim->kind != SKY_CLAIM_TOKEN) {
        l->token.device_id = l->device.id;
        l->facts.token = &l->token;
    }
}

void sky_lookup_session(struct sky_registry *registry, const struct sky_session *session,
                        unsigned reads, struct sky_lookup *l)
{
    *l = (struct sky_lookup){.cloud = session->product->cloud};
    if (reads & SKY_READS_DEVICE && sky_store_get_device(registry->store, session->device_id,
                                                         &l->product, &l->device) != SKY_OK)
        l->product.id = l->device.id = 0;
    point(registry, l);
    if (reads & SKY_READS_FRESH)
        sky_lookup_fresh(registry, l);
    l->facts.previous_login_ms = previous_login_ms(registry, session);
}

void sky_lookup_copy(struct sky_lookup *to, const struct sky_lookup *from)
{
    *to = *from;
    to->facts.product = from->facts.product != NULL ? &to->product : NULL;
    to->facts.device = from->facts.device != NULL ? &to->device : NULL;
    to->facts.token = from->facts.token != NULL ? &to->token : NULL;
    to->facts.fresh = sky_span_of(to->fresh, from->facts.fresh.len);
}

enum sky_known sky_lookup_known(const struct sky_lookup *lookup)
{
    if (lookup->device.id != 0)
        return SKY_KNOWN_DEVICE;
    return lookup->product.id != 0 || lookup->facts.swapped_known ? SKY_KNOWN_PRODUCT
                                                                  : SKY_KNOWN_NOTHING;
}

const struct sky_policy *sky_lookup_policy(struct sky_registry *registry,
                                           const struct sky_lookup *lookup)
{
    return sky_product_policy(
        registry, lookup->product.id != 0 ? sky_product_info(registry, lookup->product.id) : NULL);
}
