/* Any text as a URL, as HOST:PORT and as a Host header: parts are views in their order, what is
 * shown of a URL is one again and holds no secret, and what was read, written anew, reads the same.
 */
#include <stdio.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/url.h"
#include "protocol/http/head.h"
#include "server/os/config.h"

static bool is_within(sky_span part, sky_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_url(sky_span text)
{
    struct sky_url url, again;
    char room[SKY_URL_MAX + 1], twice[SKY_URL_MAX + 1];
    sky_span shown = sky_url_shown(text, room);
    bool parsed = sky_url_parse(text, &url);
    SKY_ASSERT(parsed == (shown.len > 0));
    if (!parsed)
        return;
    SKY_ASSERT(is_within(url.scheme, text) && is_within(url.place, text) &&
               is_within(url.host, url.place) && is_within(url.path, text));
    SKY_ASSERT(url.host.len > 0 && (url.path.len == 0 || url.path.ptr[0] == '/'));
    SKY_ASSERT(!sky_span_contains(shown, SKY_SPAN("?")) &&
               !sky_span_contains(shown, SKY_SPAN("#")));
    SKY_ASSERT(sky_url_parse(shown, &again) && sky_span_eq(again.host, url.host) &&
               sky_span_eq(again.place, url.place) && sky_span_eq(again.path, url.path));
    SKY_ASSERT(sky_span_eq(sky_url_shown(shown, twice), shown));
}

static void check_address(sky_span text)
{
    char host[SKY_HOST_MAX + 1] = "before", other[SKY_HOST_MAX + 1] = "", again[SKY_HOST_MAX + 16];
    uint16_t port, second;
    if (!sky_config_parse_address(text, host, &port))
        return;
    SKY_ASSERT(strlen(host) <= SKY_HOST_MAX);
    bool six = strchr(host, ':') != NULL;
    snprintf(again, sizeof again, six ? "[%s]:%u" : "%s:%u", host, port);
    SKY_ASSERT(sky_config_parse_address(sky_span_str(again), other, &second));
    SKY_ASSERT(second == port && strcmp(host, other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char text[SKY_URL_MAX + 64], host[SKY_HOST_MAX + 1];
    uint16_t port;
    sky_span in = sky_span_of(bytes, len);
    check_url(in);
    check_address(in);
    SKY_ASSERT(is_within(sky_http_host_name(in), in));
    if (sky_span_copy(in, text, sizeof text) && sky_config_parse_url(text, host, &port))
        SKY_ASSERT(strlen(host) <= SKY_HOST_MAX);
    return 0;
}
