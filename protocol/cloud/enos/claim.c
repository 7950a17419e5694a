#include "protocol/base/mem.h"
#include "protocol/cloud/enos/login.h"

/* What a hash is called by the document and by SDKs; in none of them is it an HMAC. */
static const struct sky_signmethod signmethods[SKY_ENOS_SIGNMETHODS] = {
    {"sha256", SKY_SHA256}, {"hmacsha256", SKY_SHA256}, {"sha1", SKY_SHA1},
    {"hmacsha1", SKY_SHA1}, {"md5", SKY_MD5},           {"hmacmd5", SKY_MD5}};

sky_span sky_enos__item(const struct sky_enos_login *in, const char *key)
{
    const struct sky_pair *pair = sky_pairs_find(&in->block, key);
    return pair != NULL ? pair->value : SKY_SPAN_NONE;
}

const struct sky_signmethod *sky_enos__signmethod(const struct sky_enos_login *in)
{
    sky_span name = sky_enos__item(in, "signmethod");
    if (name.ptr == NULL)
        name = sky_enos__item(in, "sighmethod");
    return sky_signmethod_find(signmethods, SKY_ENOS_SIGNMETHODS, name);
}

void sky_enos__read(const struct sky_login *login, struct sky_enos_login *in)
{
    sky_span block, names[2];
    *in = (struct sky_enos_login){.id = login->client_id};
    in->shape = sky_grammar_barred(login->client_id, &in->id, &block, &in->block);
    in->readable = in->shape != SKY_SHAPE_NO_BAR && in->shape != SKY_SHAPE_TOO_MANY;
    in->dynamic = sky_span_eq_str(sky_enos__item(in, "securemode"), "3");
    if (sky_grammar_fields(login->username, '&', names, SKY_COUNT(names)) == SKY_SHAPE_OK &&
        names[0].len > 0 && names[1].len > 0) {
        in->named = true;
        in->device = names[0];
        in->product = names[1];
    }
}

/* Another vendor's logins have the same frame: what stands in it tells them apart. */
static enum sky_affinity affinity_of(const struct sky_enos_login *in)
{
    static const char *const plain[] = {"sha256", "sha1", "md5"};
    if (!in->readable)
        return SKY_AFFINITY_SHARED;
    sky_span method = sky_enos__item(in, "signmethod");
    for (size_t i = 0; i < SKY_COUNT(plain); i++)
        if (sky_span_eq_str(method, plain[i]))
            return SKY_AFFINITY_MARKED;
    /* securemode, signmethod, timestamp: that is all there ever is */
    return in->block.count > 3 ? SKY_AFFINITY_SHARED : SKY_AFFINITY_FITTING;
}

bool sky_enos__claim(const struct sky_login *login, struct sky_claim *ret_claim)
{
    struct sky_enos_login in;
    sky_enos__read(login, &in);
    if (in.shape == SKY_SHAPE_NO_BAR && !in.named)
        return false;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_NAMED,
                                    .product = in.product,
                                    .device = in.device,
                                    .affinity = affinity_of(&in)};
    return true;
}

void sky_enos__read_identity(sky_span text, struct sky_enos_identity *id)
{
    sky_span fields[4];
    *id = (struct sky_enos_identity){.four = false};
    if (sky_grammar_fields(text, ',', fields, SKY_COUNT(fields)) != SKY_SHAPE_OK)
        return;
    for (size_t i = 0; i < SKY_COUNT(fields); i++) {
        sky_span bare = sky_span_trim(fields[i]);
        id->blanks |= bare.len != fields[i].len;
        if (sky_span_starts(bare, SKY_SPAN("{")) || sky_span_ends(bare, SKY_SPAN("}"))) {
            bare = sky_span_tail(bare, sky_span_starts(bare, SKY_SPAN("{")));
            bare = sky_span_head(bare, bare.len - sky_span_ends(bare, SKY_SPAN("}")));
            id->braces = true;
        }
        fields[i] = bare;
    }
    id->four = true;
    id->product = fields[0];
    id->device = fields[1];
    id->mode = fields[2];
    id->lifetime = fields[3];
    id->dynamic = sky_span_eq_str(id->mode, "3");
}
