#include "protocol/cloud/aliyun/rules.h"

#include <inttypes.h>

#include "protocol/cloud/aliyun/login.h"

struct sky_recipe sky_aliyun__recipe(const struct sky_aliyun_login *in, enum sky_digest digest)
{
    struct sky_recipe recipe = {
        .digest = digest, .keying = SKY_HMAC, .encoding = SKY_HEX_UPPER, .sorted = true};
    sky_span timestamp = sky_aliyun__item(in, "timestamp");
    sky_recipe_add(&recipe, "clientId", in->id);
    sky_recipe_add(&recipe, "deviceName", in->device);
    sky_recipe_add(&recipe, "productKey", in->product);
    if (timestamp.ptr != NULL)
        sky_recipe_add(&recipe, "timestamp", timestamp);
    return recipe;
}

struct sky_recipe sky_aliyun__register_recipe(sky_span product, sky_span device, sky_span random,
                                              enum sky_digest digest)
{
    struct sky_recipe recipe = {
        .digest = digest, .keying = SKY_HMAC, .encoding = SKY_HEX_UPPER, .sorted = true};
    sky_recipe_add(&recipe, "deviceName", device);
    sky_recipe_add(&recipe, "productKey", product);
    sky_recipe_add(&recipe, "random", random);
    return recipe;
}

/* What each recognised mistake means here. */
const struct sky_mistake_rule sky_aliyun__mistakes[SKY_ALIYUN_MISTAKES] = {
    {SKY_MISTAKE_VALUES_ONLY, ALI_RULE(SIGN_VALUES_ONLY)},
    {SKY_MISTAKE_WHOLE_CLIENT_ID, ALI_RULE(SIGN_CLIENTID_FULL)},
    {SKY_MISTAKE_EXTRA_SIGNED, ALI_RULE(SIGN_SIGNS_SIGNMETHOD)},
    {SKY_MISTAKE_NOT_HMAC, ALI_RULE(SIGN_PLAIN_HASH)},
    {SKY_MISTAKE_TIMESTAMP_UNSENT, ALI_RULE(TIMESTAMP_OPTIONAL)},
    {SKY_MISTAKE_TIMESTAMP_LEFT_OUT, ALI_RULE(TIMESTAMP_OPTIONAL)},
    {SKY_MISTAKE_TIMESTAMP_UNIT, ALI_RULE(TIMESTAMP_OPTIONAL)},
    {SKY_MISTAKE_OTHER_DIGEST, ALI_RULE(SIGNMETHOD)},
};

/* The document's example, and what the vendor's SDKs have built in. */
const struct sky_sample sky_aliyun__samples[SKY_ALIYUN_SAMPLES] = {
    {"clientId", "12345"}, {"clientId", "123"},  {"deviceName", "device"},
    {"productKey", "pk"},  {"timestamp", "789"}, {"timestamp", "2524608000000"},
};

bool sky_aliyun__suspect(const struct sky_login *login, const struct sky_facts *facts,
                         struct sky_suspicion *s, struct sky_arena *arena)
{
    struct sky_aliyun_login in;
    sky_aliyun__read(login, &in);
    const struct sky_pair *misspelt;
    const struct sky_signmethod *method = sky_aliyun__signmethod_meant(&in.block, &misspelt);
    if (in.kind == SKY_ALIYUN_TOKEN || method == NULL || facts->device == NULL ||
        login->password.len == 0)
        return false;
    sky_span device = sky_span_str(facts->device->secret);
    sky_span product = sky_span_str(facts->product->secret);
    bool registering = in.kind == SKY_ALIYUN_REGISTER;
    sky_span due = registering ? product : device;
    if (due.len == 0)
        return false;
    s->due = registering
                 ? sky_aliyun__register_recipe(in.product, in.device,
                                               sky_aliyun__item(&in, "random"), method->digest)
                 : sky_aliyun__recipe(&in, method->digest);
    s->secret_word = registering ? "productSecret" : "deviceSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, due);
    sky_suspect_secret(s, registering ? SKY_SECRET_DEVICE : SKY_SECRET_PRODUCT,
                       registering ? device : product);
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(facts->device->old_secret));
    sky_suspect_samples(s, sky_aliyun__samples, SKY_ALIYUN_SAMPLES);
    sky_suspect_extra(s, "securemode", sky_aliyun__item(&in, "securemode"));
    sky_suspect_extra(s, "signmethod", sky_aliyun__item(&in, "signmethod"));
    if (registering)
        sky_suspect_extra(s, "clientId", in.id);
    s->whole_client_id = login->client_id;
    s->product = in.product;
    s->device = in.device;
    s->given = login->password;
    s->method = sky_span_str(method->name);
    if (misspelt != NULL)
        sky_suspect_spelling(s, misspelt->key, "signmethod", arena);
    return true;
}

void sky_aliyun__make_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1])
{
    sky_span_copy(sky_span_head(fresh, 32), out, SKY_SECRET_MAX + 1);
}

/* The CONNECT of a registration, to fetch the device's secret over TLS. */
static void sign_register(const struct sky_sign_request *r, struct sky_arena *arena,
                          struct sky_credentials *c)
{
    sky_span random = sky_span_head(r->fresh, 16);
    struct sky_recipe recipe = sky_aliyun__register_recipe(
        sky_span_str(r->product->key), sky_span_str(r->device->key), random, SKY_SHA256);
    c->client_id = sky_arena_printf(
        arena, "%s|securemode=2,authType=register,random=%.*s,signmethod=hmacsha256|",
        r->device->key, SKY_SPAN_ARGS(random));
    c->password = sky_credentials_signature(&recipe, r->product->secret, arena);
    c->secret_topic = SKY_SPAN("/ext/register");
    c->tls_only = true;
    c->https_path = SKY_SPAN("/auth/register/device");
    c->https_form = sky_arena_printf(
        arena, "productKey=%s&deviceName=%s&random=%.*s&sign=%.*s&signMethod=hmacsha256",
        r->product->key, r->device->key, SKY_SPAN_ARGS(random), SKY_SPAN_ARGS(c->password));
}

/* The CONNECT of the document's example, with now for its timestamp, and the form that is
 * exchanged for a token; both sign the same fields. */
static void sign_direct(const struct sky_sign_request *r, struct sky_arena *arena,
                        struct sky_credentials *c)
{
    sky_span now = sky_arena_printf(arena, "%" PRId64, r->now_ms);
    c->client_id = sky_arena_printf(arena, "%s|securemode=%d,signmethod=hmacsha1,timestamp=%.*s|",
                                    r->device->key, r->tls ? 2 : 3, SKY_SPAN_ARGS(now));
    struct sky_aliyun_login in;
    sky_aliyun__read(&(struct sky_login){.client_id = c->client_id, .username = c->username}, &in);
    struct sky_recipe recipe = sky_aliyun__recipe(&in, SKY_SHA1);
    c->password = sky_credentials_signature(&recipe, r->device->secret, arena);
    c->https_path = SKY_SPAN("/auth/devicename");
    c->https_form = sky_arena_printf(
        arena,
        "productKey=%s&deviceName=%s&signmethod=hmacsha1&sign=%.*s&version=default&clientId=%s"
        "&timestamp=%.*s&resources=mqtt",
        r->product->key, r->device->key, SKY_SPAN_ARGS(c->password), r->device->key,
        SKY_SPAN_ARGS(now));
}

void sky_aliyun__sign(const struct sky_sign_request *request, struct sky_arena *arena,
                      struct sky_credentials *c)
{
    *c = (struct sky_credentials){.client_id = SKY_SPAN_NONE};
    c->username = sky_arena_printf(arena, "%s&%s", request->device->key, request->product->key);
    if (request->dynamic) {
        sign_register(request, arena, c);
        return;
    }
    sign_direct(request, arena, c);
    sky_aliyun__psk_credentials(request, arena, c);
}
