/* A ClientHello from arbitrary bytes: lists keep their limits, the name is plain, and what can be
 * read can be put into words. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "server/tls/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_tls_hello hello;
    char text[SKY_TLS_OFFERED_MAX];
    if (sky_tls_hello_parse(sky_span_of(bytes, len), &hello) != SKY_TLS_OK)
        return 0;
    SKY_ASSERT(hello.suite_count <= SKY_TLS_HELLO_SUITES_MAX);
    SKY_ASSERT(hello.group_count <= SKY_TLS_HELLO_GROUPS_MAX);
    SKY_ASSERT(hello.version_count <= SKY_TLS_HELLO_VERSIONS_MAX);
    for (const char *c = hello.server_name; *c != '\0'; c++)
        SKY_ASSERT(*c > ' ' && *c < 0x7f);
    sky_tls_offer_text(&hello, text);
    SKY_ASSERT(strlen(text) < sizeof text);
    return 0;
}
