#include "protocol/base/mem.h"
#include "protocol/cloud/tencent/login.h"

const struct sky_signmethod sky_tencent__signmethods[SKY_TENCENT_SIGNMETHODS] = {
    {"hmacsha1", SKY_SHA1}, {"hmacsha256", SKY_SHA256}};

const struct sky_signmethod *sky_tencent__signmethod(sky_span name)
{
    return sky_signmethod_find(sky_tencent__signmethods, SKY_TENCENT_SIGNMETHODS, name);
}

void sky_tencent__read(const struct sky_login *login, struct sky_tencent_login *in)
{
    sky_span user[4], pass[2];
    *in = (struct sky_tencent_login){.four = false};
    if (sky_grammar_fields(login->username, ';', user, SKY_COUNT(user)) == SKY_SHAPE_OK) {
        in->four = true;
        in->client_id = user[0];
        in->sdkappid = user[1];
        in->connid = user[2];
        in->expiry = user[3];
    }
    if (sky_grammar_fields(login->password, ';', pass, SKY_COUNT(pass)) == SKY_SHAPE_OK) {
        in->pair = true;
        in->token = pass[0];
        in->method = pass[1];
    }
}

/* The client id has no marks of its own, so almost any could be meant; the user name tells. */
bool sky_tencent__claim(const struct sky_login *login, struct sky_claim *ret_claim)
{
    sky_span first, rest;
    const struct sky_door *door = login->door;
    if (login->client_id.len == 0 || sky_span_contains(login->client_id, SKY_SPAN("|")))
        return false;
    enum sky_affinity affinity = SKY_AFFINITY_OPEN;
    if (sky_span_cut(login->username, ';', &first, &rest))
        affinity = sky_span_eq(first, login->client_id) ? SKY_AFFINITY_OWN : SKY_AFFINITY_USUAL;
    else if (door->psk_device_id != 0 || door->fingerprint.len > 0)
        affinity = SKY_AFFINITY_CHANNEL;
    *ret_claim = (struct sky_claim){.kind = SKY_CLAIM_JOINED,
                                    .product = login->client_id,
                                    .seam = SKY_TENCENT_PRODUCT_ID,
                                    .affinity = affinity};
    return true;
}
