/* Mistakes in which secret is used, and in what key is made of it. */
#include "auth/mistakes.h"
#include "auth/text.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

static struct sky_variant *add_key(struct sky_workshop *shop, enum sky_mistake self, sky_span key)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_SECRET, self);
    variant->secret.key = key;
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
        variant->rank = SKY_REMOTE;
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
    sky_span due = shop->list[SKY_FACET_SECRET][0].secret.key;
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
        variant->rank = i > 0 ? SKY_REMOTE : SKY_LIKELY;
    }
    struct sky_variant *variant = add_padded(shop, self, SKY_SPAN("\""), SKY_SPAN("\""));
    variant->note = SKY_SPAN("quotation marks");
    variant->rank = SKY_REMOTE;
}

/* ---- a part of it, or the whole in another form ---- */

static void add_cut(struct sky_workshop *shop, enum sky_mistake self, size_t from, size_t len,
                    enum sky_rank rank, const char *why)
{
    sky_span due = shop->list[SKY_FACET_SECRET][0].secret.key;
    if (len == 0 || len >= due.len || from > due.len - len)
        return;
    struct sky_variant *variant = add_key(shop, self, sky_span_of(due.ptr + from, len));
    variant->rank = rank;
    if (from > 0)
        variant->note =
            sky_arena_printf(&shop->arena, "%zu bytes of %zu, without the first", len, due.len);
    else
        variant->note =
            sky_arena_printf(&shop->arena, "the first %zu bytes of %zu%s", len, due.len, why);
}

void sky_vary_secret_cut(struct sky_workshop *shop, enum sky_mistake self)
{
    sky_span due = shop->list[SKY_FACET_SECRET][0].secret.key;
    const char *zero = memchr(due.ptr, 0, due.len);
    if (zero != NULL)
        add_cut(shop, self, 0, (size_t)(zero - due.ptr), SKY_REMOTE,
                ": a zero byte ends a string, not a key");
    add_cut(shop, self, 0, due.len - 1, SKY_REMOTE, ": a buffer has no room for the last");
    add_cut(shop, self, 0, 8, SKY_REMOTE, ": the size of a pointer");
    add_cut(shop, self, 0, 4, SKY_REMOTE, ": the size of a pointer");
    add_cut(shop, self, 1, due.len - 1, SKY_ALONE, "");
    for (size_t len = 1; len < due.len && len <= 64; len++)
        if (len != 4 && len != 8 && len != due.len - 1)
            add_cut(shop, self, 0, len, SKY_ALONE, "");
}

typedef void form_fn(sky_span bytes, char *out);

static void write_lower(sky_span bytes, char *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        out[i] =
            bytes.ptr[i] >= 'A' && bytes.ptr[i] <= 'Z' ? (char)(bytes.ptr[i] + 32) : bytes.ptr[i];
    out[bytes.len] = '\0';
}

static void write_upper(sky_span bytes, char *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        out[i] =
            bytes.ptr[i] >= 'a' && bytes.ptr[i] <= 'z' ? (char)(bytes.ptr[i] - 32) : bytes.ptr[i];
    out[bytes.len] = '\0';
}

void sky_vary_secret_altered(struct sky_workshop *shop, enum sky_mistake self)
{
    static const struct {
        form_fn *write;
        bool of_text; /* of the secret as registered; else of the key made of it */
        const char *note;
    } forms[] = {
        {write_lower, true, "in lower case"},
        {write_upper, true, "in upper case"},
        {sky_hex_lower, false, "as hexadecimal text in lower case"},
        {sky_hex_upper, false, "as hexadecimal text in upper case"},
        {sky_base64_encode, true, "encoded as base64"},
    };
    sky_span text = shop->suspicion->secrets[0].bytes;
    sky_span key = shop->list[SKY_FACET_SECRET][0].secret.key;
    for (size_t i = 0; i < SKY_COUNT(forms) && text.len <= SKY_SECRET_MAX; i++) {
        char *out = sky_arena_take(&shop->arena, 2 * text.len + 4);
        forms[i].write(forms[i].of_text ? text : key, out);
        sky_span made = sky_span_str(out);
        if (forms[i].of_text && i < 2)
            made = key_of(shop, shop->suspicion->due.key_form, made);
        if (made.len == 0 || sky_span_eq(made, key))
            continue;
        struct sky_variant *variant = add_key(shop, self, made);
        variant->note = sky_span_str(forms[i].note);
        variant->rank = SKY_REMOTE;
    }
}
