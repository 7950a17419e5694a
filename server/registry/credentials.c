#include "server/registry/credentials.h"

#include "protocol/base/mem.h"

void sky_credentials_write(struct sky_jw *jw, const struct sky_credentials *credentials)
{
    const struct {
        const char *key;
        sky_span value;
    } members[] = {
        {"clientId", credentials->client_id},    {"username", credentials->username},
        {"password", credentials->password},     {"pskIdentity", credentials->psk_identity},
        {"pskKeyHex", credentials->psk_key_hex}, {"httpsPath", credentials->https_path},
        {"httpsForm", credentials->https_form},  {"coapMethod", credentials->coap_method},
        {"coapPath", credentials->coap_path},    {"secretTopic", credentials->secret_topic},
    };

    for (size_t i = 0; i < SKY_COUNT(members); i++)
        if (members[i].value.len > 0)
            sky_jw_put_span(jw, members[i].key, members[i].value);
}

static void tell_one(struct sky_jw *jw, const struct sky_cloud *cloud,
                     const struct sky_sign_request *request)
{
    struct sky_credentials credentials;
    struct sky_arena arena;
    sky_arena_init(&arena);
    cloud->sign(request, &arena, &credentials);
    sky_credentials_write(jw, &credentials);
    sky_arena_done(&arena);
}

void sky_credentials_tell(struct sky_jw *jw, const struct sky_cloud *cloud,
                          const struct sky_sign_request *request)
{
    struct sky_sign_request other = *request;
    tell_one(jw, cloud, request);
    if (request->tls || request->dynamic)
        return;
    other.tls = true;
    sky_jw_key(jw, "tls");
    sky_jw_object(jw);
    tell_one(jw, cloud, &other);
    sky_jw_end_object(jw);
    if (!request->product->dynamic_activation || request->product->secret[0] == '\0')
        return;
    other.dynamic = true;
    sky_jw_key(jw, "dynamic");
    sky_jw_object(jw);
    tell_one(jw, cloud, &other);
    sky_jw_end_object(jw);
}
