/* The C SDK's optional TLS-PSK: the identity is what was signed, the key the signature's text. */
#include <stdio.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/login.h"
#include "protocol/cloud/aliyun/rules.h"

/* devicename|hmacsha256|{productKey}&{deviceName}|{timestamp} */
struct identity {
    sky_span type, method, names, timestamp;
    sky_span product, device;
    const char *tail; /* what stands behind it and belongs to no text; NULL: nothing */
};

static bool read_identity(sky_span text, struct identity *ret_identity)
{
    sky_span fields[4];
    struct identity id = {.tail = sky_identity_tail(&text)};
    if (sky_grammar_fields(text, '|', fields, SKY_COUNT(fields)) != SKY_SHAPE_OK ||
        !sky_span_cut(fields[2], '&', &id.product, &id.device))
        return false;
    id.type = fields[0];
    id.method = fields[1];
    id.names = fields[2];
    id.timestamp = fields[3];
    *ret_identity = id;
    return true;
}

static struct sky_recipe recipe_of(const struct identity *id)
{
    struct sky_recipe recipe = {.digest = SKY_SHA256, .keying = SKY_HMAC, .sorted = true};
    sky_recipe_add(&recipe, "id", id->names);
    sky_recipe_add(&recipe, "timestamp", id->timestamp);
    return recipe;
}

/* The key is the hex text itself. */
static void make_key(const struct identity *id, sky_span secret, bool upper, struct sky_psk *out)
{
    struct sky_recipe recipe = recipe_of(id);
    char hex[SKY_SIGNATURE_MAX + 1];
    recipe.encoding = upper ? SKY_HEX_UPPER : SKY_HEX;
    sky_sign_write(&recipe, secret, hex);
    *out = (struct sky_psk){.len = strlen(hex)};
    SKY_ASSERT(out->len <= sizeof out->key);
    memcpy(out->key, hex, out->len);
    sky_mem_wipe(hex, sizeof hex);
}

bool sky_aliyun__psk_claim(const struct sky_door *door, sky_span identity,
                           struct sky_claim *ret_claim)
{
    struct identity id;
    if (door->transport == SKY_DTLS || !read_identity(identity, &id))
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = id.product,
                                    .device = id.device,
                                    .affinity = SKY_AFFINITY_OWN};
    return true;
}

bool sky_aliyun__psk_admit(const struct sky_door *door, sky_span identity,
                           const struct sky_facts *facts, struct sky_judge *judge,
                           struct sky_psk *ret_key)
{
    struct identity id;
    (void)door;
    if (!read_identity(identity, &id))
        return false;
    bool bad = sky_judge_rule(
        judge, ALI_RULE(PSK_IDENTITY),
        sky_span_eq_str(id.type, "devicename") && sky_span_eq_str(id.method, "hmacsha256"),
        "the identity begins with '%.*s|%.*s'; devicename|hmacsha256 is due",
        SKY_SPAN_ARGS(sky_admit_shown(id.type)), SKY_SPAN_ARGS(sky_admit_shown(id.method)));
    if (id.tail != NULL)
        bad |= sky_judge_broken(judge, ALI_RULE(PSK_IDENTITY),
                                "the identity has %s behind it: pass its length without", id.tail);
    sky_judge_rule(judge, ALI_RULE(DEVICE_UNKNOWN), facts->device != NULL,
                   "product '%.*s' with device '%.*s' is not registered",
                   SKY_SPAN_ARGS(sky_admit_shown(id.product)),
                   SKY_SPAN_ARGS(sky_admit_shown(id.device)));
    if (facts->device == NULL || facts->device->secret[0] == '\0')
        return false;
    bad |= sky_judge_rule(judge, ALI_RULE(DEVICE_DISABLED), facts->device->enabled,
                          "device %s is disabled", facts->device->key);
    if (bad)
        return false;
    make_key(&id, sky_span_str(facts->device->secret), true, ret_key);
    return true;
}

static void guess(struct sky_psk *out, enum sky_mistake mistake, const char *what)
{
    out->mistake = mistake;
    snprintf(out->what, sizeof out->what, "%s", what);
}

size_t sky_aliyun__psk_guesses(const struct sky_door *door, sky_span identity,
                               const struct sky_facts *facts, struct sky_psk *out)
{
    struct identity id;
    size_t count = 0;
    (void)door;
    if (facts->device == NULL || !read_identity(identity, &id))
        return 0;
    sky_span secret = sky_span_str(facts->device->secret);
    struct sky_recipe recipe = recipe_of(&id);
    make_key(&id, secret, false, &out[count]);
    guess(&out[count++], SKY_MISTAKE_PSK_TEXT, "the signature in lower-case hex");
    out[count] = (struct sky_psk){0};
    out[count].len = sky_sign(&recipe, secret, out[count].key);
    guess(&out[count++], SKY_MISTAKE_PSK_TEXT, "the signature's bytes, not its hex text");
    if (secret.len <= SKY_PSK_KEY_MAX) {
        out[count] = (struct sky_psk){.len = secret.len};
        memcpy(out[count].key, secret.ptr, secret.len);
        guess(&out[count++], SKY_MISTAKE_PSK_SLICE, "the device secret itself");
    }
    if (facts->product->secret[0] != '\0') {
        make_key(&id, sky_span_str(facts->product->secret), true, &out[count]);
        guess(&out[count++], SKY_MISTAKE_PRODUCT_SECRET,
              "a signature made with the product secret");
    }
    if (facts->device->old_secret[0] != '\0') {
        make_key(&id, sky_span_str(facts->device->old_secret), true, &out[count]);
        guess(&out[count++], SKY_MISTAKE_OLD_SECRET,
              "a signature made with a secret that was replaced");
    }
    return count;
}

void sky_aliyun__psk_credentials(const struct sky_sign_request *request, struct sky_arena *arena,
                                 struct sky_credentials *c)
{
    struct identity id;
    struct sky_psk key;
    sky_span identity = sky_arena_printf(arena, "devicename|hmacsha256|%s&%s|2524608000000",
                                         request->product->key, request->device->key);
    if (!read_identity(identity, &id))
        return;
    make_key(&id, sky_span_str(request->device->secret), true, &key);
    c->psk_identity = identity;
    c->psk_key_hex = sky_credentials_key(&key, arena);
}
