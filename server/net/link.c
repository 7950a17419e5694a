#include "server/net/link.h"

#include <stdio.h>

/* The listener of the vendors' HTTP calls, or NULL. */
static const struct sky_listener *http_listener(const struct sky_net *net)
{
    const unsigned wanted = SKY_LISTEN_HTTP | SKY_LISTEN_TLS;
    for (size_t i = 0; i < net->listener_count; i++)
        if (net->listeners[i].open && (net->listeners[i].row->allows & wanted) == wanted)
            return &net->listeners[i];
    return NULL;
}

static sky_span host_of(const struct sky_listener *http, struct sky_conn *conn, char address[64])
{
    static const char *const wildcards[] = {"0.0.0.0", "::", ""};
    sky_span host = conn != NULL ? conn->door->server_name : SKY_SPAN_NONE;
    if (host.len > 0 && host.len <= SKY_LINK_HOST_MAX)
        return host;
    if (conn != NULL)
        return sky_conn_local(conn, address, 64);
    host = http != NULL ? sky_span_str(http->host) : SKY_SPAN_NONE;
    for (size_t i = 0; i < sizeof wildcards / sizeof wildcards[0]; i++)
        if (sky_span_eq_str(host, wildcards[i]))
            return SKY_SPAN("localhost");
    return host;
}

sky_span sky_link(const struct sky_net *net, struct sky_conn *conn, const char *advertise_host,
                  char out[SKY_LINK_SIZE])
{
    const struct sky_listener *http = http_listener(net);
    bool secure = conn == NULL || conn->work->tls != NULL;
    uint16_t port = http != NULL ? http->port : 0;
    char address[64];
    sky_span host = advertise_host != NULL
                        ? sky_span_head(sky_span_str(advertise_host), SKY_LINK_HOST_MAX)
                        : host_of(http, conn, address);
    bool bare6 = host.ptr[0] != '[' && memchr(host.ptr, ':', host.len) != NULL;
    int len = snprintf(out, SKY_LINK_SIZE, "http%s://%s%.*s%s", secure ? "s" : "", bare6 ? "[" : "",
                       SKY_SPAN_ARGS(host), bare6 ? "]" : "");
    if (advertise_host == NULL && port != 0 && port != (secure ? 443 : 80))
        len += snprintf(out + len, SKY_LINK_SIZE - (size_t)len, ":%u", (unsigned)port);
    len += snprintf(out + len, SKY_LINK_SIZE - (size_t)len, "/");
    return sky_span_of(out, (size_t)len);
}
