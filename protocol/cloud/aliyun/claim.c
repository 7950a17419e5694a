#include <ctype.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/login.h"

const struct sky_signmethod sky_aliyun__signmethods[SKY_ALIYUN_SIGNMETHODS] = {
    {"hmacmd5", SKY_MD5}, {"hmacsha1", SKY_SHA1}, {"hmacsha256", SKY_SHA256}};

sky_span sky_aliyun__item(const struct sky_aliyun_login *in, const char *key)
{
    const struct sky_pair *pair = sky_pairs_find(&in->block, key);
    return pair != NULL ? pair->value : SKY_SPAN_NONE;
}

/* The vendor's pages write authType, its SDK for ID² writes authtype. */
sky_span sky_aliyun__auth_type(const struct sky_aliyun_login *in)
{
    sky_span type = sky_aliyun__item(in, "authType");
    return type.ptr != NULL ? type : sky_aliyun__item(in, "authtype");
}

const struct sky_signmethod *sky_aliyun__signmethod_named(sky_span name)
{
    return sky_signmethod_find(sky_aliyun__signmethods, SKY_ALIYUN_SIGNMETHODS,
                               name.ptr != NULL ? name : SKY_SPAN("hmacmd5"));
}

const struct sky_signmethod *sky_aliyun__signmethod(const struct sky_aliyun_login *in)
{
    return sky_aliyun__signmethod_named(sky_aliyun__item(in, "signmethod"));
}

const struct sky_signmethod *sky_aliyun__signmethod_meant(const struct sky_pairs *items,
                                                          const struct sky_pair **ret_misspelt)
{
    const struct sky_pair *misspelt = sky_pairs_misspelt(items, "signmethod");
    const struct sky_pair *item = sky_pairs_find(items, "signmethod");
    const struct sky_signmethod *meant =
        misspelt != NULL ? sky_aliyun__signmethod_named(misspelt->value) : NULL;
    *ret_misspelt = misspelt;
    return meant != NULL ? meant
                         : sky_aliyun__signmethod_named(item != NULL ? item->value : SKY_SPAN_NONE);
}

/* securemode of a login with a token: -1 over TLS, 0 over TCP. */
static bool is_token_mode(sky_span securemode)
{
    return sky_span_eq_str(securemode, "-1") || sky_span_eq_str(securemode, "0");
}

/* What the vendor documents; an SDK for smart homes sends authtype=custom-ilop in an ordinary
 * login, and there it is one item more that the cloud does not know. */
static bool is_registration(sky_span auth_type)
{
    static const char *const types[] = {"register", "regnwl", "connwl"};
    for (size_t i = 0; i < SKY_COUNT(types); i++)
        if (sky_span_eq_str(auth_type, types[i]))
            return true;
    return false;
}

static enum sky_aliyun_kind kind_of(const struct sky_login *login,
                                    const struct sky_aliyun_login *in)
{
    bool joined = sky_span_contains(login->username, SKY_SPAN("&"));
    bool barred = in->shape != SKY_SHAPE_NO_BAR;
    if (login->username.len > 0 && !joined &&
        (!barred || is_token_mode(sky_aliyun__item(in, "securemode"))))
        return SKY_ALIYUN_TOKEN;
    return is_registration(sky_aliyun__auth_type(in)) ? SKY_ALIYUN_REGISTER : SKY_ALIYUN_DIRECT;
}

void sky_aliyun__read(const struct sky_login *login, struct sky_aliyun_login *in)
{
    sky_span rest;
    *in = (struct sky_aliyun_login){.id = login->client_id};
    in->shape = sky_grammar_barred(login->client_id, &in->id, &rest, &in->block);
    in->readable = in->shape != SKY_SHAPE_NO_BAR && in->shape != SKY_SHAPE_TOO_MANY;
    in->named = sky_admit_names(login->username, &in->device, &in->product);
    in->kind = kind_of(login, in);
}

/* Another vendor's logins have the same frame: what stands in it tells them apart. */
static enum sky_affinity affinity_of(const struct sky_aliyun_login *in)
{
    static const char *const own_keys[] = {"_v",  "lan",      "gw",       "ext",
                                           "_ss", "authType", "authtype", "random"};
    if (!in->readable)
        return SKY_AFFINITY_FRAME;
    for (size_t i = 0; i < SKY_COUNT(own_keys); i++)
        if (sky_pairs_find(&in->block, own_keys[i]) != NULL)
            return SKY_AFFINITY_OWN;
    sky_span method = sky_aliyun__item(in, "signmethod");
    return sky_span_starts(method, SKY_SPAN("hmac")) || method.ptr == NULL ? SKY_AFFINITY_USUAL
                                                                           : SKY_AFFINITY_MIXED;
}

/* As iotId and iotToken are in the vendor's example. */
static bool is_letters_and_digits(sky_span text, size_t chars)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.ptr[i]))
            return false;
    return text.len == chars;
}

static enum sky_affinity token_affinity_of(const struct sky_login *login,
                                           const struct sky_aliyun_login *in)
{
    if (in->readable)
        return SKY_AFFINITY_USUAL;
    return is_letters_and_digits(login->username, SKY_ALIYUN_TOKEN_ID_CHARS) ||
                   is_letters_and_digits(login->password, SKY_ALIYUN_TOKEN_CHARS)
               ? SKY_AFFINITY_FRAME
               : SKY_AFFINITY_WORD;
}

bool sky_aliyun__claim(const struct sky_login *login, struct sky_claim *ret_claim)
{
    struct sky_aliyun_login in;
    sky_aliyun__read(login, &in);
    if (in.kind == SKY_ALIYUN_TOKEN) {
        if (sky_span_contains(login->username, SKY_SPAN(";")))
            return false;
        *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_TOKEN,
                                        .product = login->username,
                                        .affinity = token_affinity_of(login, &in)};
        return true;
    }
    if (in.shape == SKY_SHAPE_NO_BAR && !in.named)
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = in.product,
                                    .device = in.device,
                                    .affinity = affinity_of(&in)};
    return true;
}
