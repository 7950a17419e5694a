#include "server/admin/guard.h"

#include <arpa/inet.h>

#include "protocol/base/mem.h"
#include "protocol/http/head.h"
#include "server/os/config.h"

static bool is_address(sky_span name)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    return sky_span_copy(name, text, sizeof text) &&
           (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1);
}

/* RFC 6761 §6.3: whatever ends so is the machine itself. */
static bool is_loopback(sky_span name)
{
    static const sky_span last = SKY_SPAN(".localhost");
    return sky_span_eq_nocase(name, SKY_SPAN("localhost")) ||
           (name.len > last.len &&
            sky_span_eq_nocase(sky_span_tail(name, name.len - last.len), last));
}

static bool is_among(const struct sky_strings *names, sky_span name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (sky_span_eq_nocase(name, sky_span_str(names->list[i])))
            return true;
    }
    return false;
}

bool sky_guard_host(const struct sky_config *config, const char *listener_host, sky_span name)
{
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--; /* the same name, written in full */
    return is_address(name) || is_loopback(name) ||
           sky_span_eq_nocase(name, sky_span_str(listener_host)) ||
           (config->advertise_host != NULL &&
            sky_span_eq_nocase(name, sky_span_str(config->advertise_host))) ||
           is_among(&config->san, name) || is_among(&config->admin_hosts, name);
}

bool sky_guard_origin(sky_span origin, sky_span host)
{
    static const struct {
        sky_span scheme, port;
    } schemes[] = {{SKY_SPAN("http://"), SKY_SPAN(":80")},
                   {SKY_SPAN("https://"), SKY_SPAN(":443")}};
    for (size_t i = 0; i < SKY_COUNT(schemes); i++) {
        if (!sky_span_eq_nocase(sky_span_head(origin, schemes[i].scheme.len), schemes[i].scheme))
            continue;
        origin = sky_span_tail(origin, schemes[i].scheme.len);
        if (sky_span_ends(origin, schemes[i].port))
            origin.len -= schemes[i].port.len;
        if (sky_span_ends(host, schemes[i].port))
            host.len -= schemes[i].port.len;
        return host.len > 0 && sky_span_eq_nocase(origin, host);
    }
    return false;
}
