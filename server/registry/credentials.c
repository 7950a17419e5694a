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
        {"coapPath", credentials->coap_path},
    };

    for (size_t i = 0; i < SKY_COUNT(members); i++)
        if (members[i].value.len > 0)
            sky_jw_put_span(jw, members[i].key, members[i].value);
}
