#include "protocol/cloud/enos/proof.h"

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"

/* Names of methods as they are sent; in front of each some SDKs write "hmac", though none computes
 * one. */
static const struct sky_signmethod methods[] = {
    {"sha256", SKY_SHA256}, {"sha1", SKY_SHA1}, {"md5", SKY_MD5}};

static bool find_method(sky_span name, enum sky_digest *ret_digest)
{
    sky_span bare = name;
    if (sky_span_eq_nocase(sky_span_head(name, 4), SKY_SPAN("hmac")))
        bare = sky_span_tail(name, 4);
    for (size_t i = 0; i < SKY_COUNT(methods); i++)
        if (sky_span_eq_nocase(bare, sky_span_str(methods[i].name))) {
            *ret_digest = methods[i].digest;
            return true;
        }
    return false;
}

/* The characters of a string, or a number's digits: the Node.js SDK sends its timestamp as one. */
static sky_span value_of(sky_span item, sky_span outer, const char *key, struct sky_arena *arena)
{
    sky_span value = sky_json_member(item, key);
    if (value.len == 0)
        value = sky_json_member(outer, key);
    return sky_json_is_string(value) ? sky_json_string(arena, value) : sky_json_text(value);
}

void sky_enos__proof_read(sky_span item, sky_span outer, struct sky_arena *arena,
                          struct sky_enos_proof *ret_proof)
{
    *ret_proof = (struct sky_enos_proof){
        .client_id = value_of(item, outer, "clientId", arena),
        .timestamp = value_of(item, outer, "timestamp", arena),
        .sign = value_of(item, outer, "sign", arena),
        .clean_session = value_of(item, outer, "cleanSession", arena),
        .method = value_of(item, outer, "signMethod", arena),
        .digest = SKY_SHA256, /* what every document and SDK uses now */
    };
    if (ret_proof->method.len == 0) /* the page on topology spells it so */
        ret_proof->method = value_of(item, outer, "signmethod", arena);
    ret_proof->method_known =
        ret_proof->method.len == 0 || find_method(ret_proof->method, &ret_proof->digest);
    sky_span mode = value_of(item, outer, "secureMode", arena);
    ret_proof->stated = mode.len > 0;
    ret_proof->dynamic = sky_span_eq_str(mode, "3");
}

static struct sky_recipe recipe_of(const struct sky_enos_proof *proof, const struct sky_peer *peer,
                                   bool with_clean_session)
{
    struct sky_recipe recipe = {.digest = proof->digest,
                                .keying = SKY_HASH_APPEND,
                                .encoding = SKY_HEX_UPPER,
                                .sorted = true};
    if (with_clean_session)
        sky_recipe_add(&recipe, "cleanSession", proof->clean_session);
    sky_recipe_add(&recipe, "clientId", proof->client_id);
    sky_recipe_add(&recipe, "deviceKey", peer->device);
    sky_recipe_add(&recipe, "productKey", peer->product);
    if (proof->timestamp.len > 0)
        sky_recipe_add(&recipe, "timestamp", proof->timestamp);
    return recipe;
}

static const char *secret_of(const struct sky_peer *peer, bool dynamic)
{
    return dynamic ? peer->known_product->secret : peer->known->secret;
}

/* The SDKs sign four fields; the login's page has cleanSession among them. Both are taken. */
static bool holds_by(const struct sky_enos_proof *proof, const struct sky_peer *peer, bool dynamic)
{
    for (int with = 0; with <= (proof->clean_session.len > 0); with++) {
        struct sky_recipe recipe = recipe_of(proof, peer, with == 1);
        if (sky_sign_matches(&recipe, sky_span_str(secret_of(peer, dynamic)), proof->sign))
            return true;
    }
    return false;
}

/* Who does not say which secret signs means the device's, unless only the product's fits. */
bool sky_enos__proof_holds(struct sky_enos_proof *proof, const struct sky_peer *peer)
{
    if (!proof->method_known)
        return false;
    if (proof->stated)
        return holds_by(proof, peer, proof->dynamic);
    if (holds_by(proof, peer, false))
        return true;
    return proof->dynamic = holds_by(proof, peer, true);
}

bool sky_enos__proof_suspect(const struct sky_enos_proof *proof, const struct sky_peer *peer,
                             struct sky_suspicion *s)
{
    if (!proof->method_known || peer->known == NULL || peer->known_product == NULL ||
        proof->sign.len == 0 || secret_of(peer, proof->dynamic)[0] == '\0')
        return false;
    s->due = recipe_of(proof, peer, false);
    s->secret_word = proof->dynamic ? "productSecret" : "deviceSecret";
    sky_suspect_secret(s, SKY_SECRET_DUE, sky_span_str(secret_of(peer, proof->dynamic)));
    sky_suspect_secret(s, proof->dynamic ? SKY_SECRET_DEVICE : SKY_SECRET_PRODUCT,
                       sky_span_str(secret_of(peer, !proof->dynamic)));
    sky_suspect_secret(s, SKY_SECRET_OLD, sky_span_str(peer->known->old_secret));
    sky_suspect_extra(s, "signMethod", proof->method);
    sky_suspect_extra(s, "secureMode", proof->dynamic ? SKY_SPAN("3") : SKY_SPAN("2"));
    s->product = peer->product;
    s->device = peer->device;
    s->given = proof->sign;
    s->method = proof->method;
    return true;
}
