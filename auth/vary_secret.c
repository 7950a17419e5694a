/* Mistakes in which secret is used, and in what key is made of it. */
#include "auth/mistakes.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

static struct sky_variant *add_key(struct sky_workshop *shop, enum sky_mistake self, sky_span key)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_SECRET, self);
    variant->key = key;
    return variant;
}

/* The key that a secret stands for, in the arena; empty: it stands for none. */
static sky_span key_of(struct sky_workshop *shop, enum sky_key_form form, sky_span secret)
{
    sky_span key;
    if (secret.len > SKY_SECRET_MAX)
        return SKY_SPAN_NONE;
    uint8_t *room = sky_arena_take(&shop->arena, secret.len + 1);
    return sky_sign_key(form, secret, room, secret.len, &key) ? key : SKY_SPAN_NONE;
}

/* The secrets of one role, in the form that is due and, where that is a decoded one, as text. */
static void vary_role(struct sky_workshop *shop, enum sky_mistake self, enum sky_secret_role role)
{
    const struct sky_suspicion *suspicion = shop->suspicion;
    enum sky_key_form due = suspicion->due.key_form;
    for (size_t i = 1; i < suspicion->secret_count; i++) {
        const struct sky_secret *secret = &suspicion->secrets[i];
        if (secret->role != role)
            continue;
        sky_span key = key_of(shop, due, secret->bytes);
        if (key.len > 0)
            add_key(shop, self, key)->note = secret->name;
        if (due != SKY_KEY_TEXT)
            add_key(shop, self, secret->bytes)->note = secret->name;
    }
}

void sky_vary_product_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_PRODUCT);
}

void sky_vary_device_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_DEVICE);
}

void sky_vary_old_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_OLD);
}

void sky_vary_other_device(struct sky_workshop *shop, enum sky_mistake self)
{
    const struct sky_suspicion *suspicion = shop->suspicion;
    for (size_t i = 1; i < suspicion->secret_count; i++) {
        const struct sky_secret *secret = &suspicion->secrets[i];
        sky_span key = SKY_SPAN_NONE;
        if (secret->role == SKY_SECRET_OTHER)
            key = key_of(shop, suspicion->due.key_form, secret->bytes);
        if (key.len == 0)
            continue;
        struct sky_variant *variant = add_key(shop, self, key);
        variant->note = secret->name;
        variant->remote = true;
    }
}

void sky_vary_not_decoded(struct sky_workshop *shop, enum sky_mistake self)
{
    if (shop->suspicion->due.key_form != SKY_KEY_TEXT)
        add_key(shop, self, shop->suspicion->secrets[0].bytes);
}

void sky_vary_decoded(struct sky_workshop *shop, enum sky_mistake self)
{
    static const char *const notes[SKY_KEY_FORMS] = {
        [SKY_KEY_BASE64] = "from base64", [SKY_KEY_HEX] = "from hexadecimal"};
    for (int form = SKY_KEY_BASE64; form < SKY_KEY_FORMS; form++) {
        sky_span key = SKY_SPAN_NONE;
        if ((enum sky_key_form)form != shop->suspicion->due.key_form)
            key = key_of(shop, (enum sky_key_form)form, shop->suspicion->secrets[0].bytes);
        if (key.len > 0)
            add_key(shop, self, key)->note = sky_span_str(notes[form]);
    }
}

/* The due key with something before and behind it. */
static struct sky_variant *add_padded(struct sky_workshop *shop, enum sky_mistake self,
                                      sky_span before, sky_span behind)
{
    sky_span due = shop->list[SKY_FACET_SECRET][0].key;
    char *padded = sky_arena_take(&shop->arena, before.len + due.len + behind.len);
    if (before.len > 0)
        memcpy(padded, before.ptr, before.len);
    memcpy(padded + before.len, due.ptr, due.len);
    memcpy(padded + before.len + due.len, behind.ptr, behind.len);
    return add_key(shop, self, sky_span_of(padded, before.len + due.len + behind.len));
}

void sky_vary_secret_whitespace(struct sky_workshop *shop, enum sky_mistake self)
{
    for (size_t i = 0; i < SKY_TAILS; i++) {
        struct sky_variant *variant = add_padded(shop, self, SKY_SPAN_NONE, sky_tails[i].bytes);
        variant->note = sky_arena_printf(&shop->arena, "%s behind it", sky_tails[i].what);
        variant->remote = i > 0;
    }
    struct sky_variant *variant = add_padded(shop, self, SKY_SPAN("\""), SKY_SPAN("\""));
    variant->note = SKY_SPAN("quotation marks");
    variant->remote = true;
}
