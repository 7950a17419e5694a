#include "protocol/base/url.h"

#include <stdio.h>

enum { PORT_MAX = 65535 };

/* The first `len` bytes in which none of `ends` stands. */
static size_t until(sky_span text, const char *ends)
{
    size_t len = 0;
    while (len < text.len && strchr(ends, text.ptr[len]) == NULL)
        len++;
    return len;
}

static bool only(sky_span text, const char *these)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(these, text.ptr[i]) == NULL)
            return false;
    return text.len > 0;
}

/* Whatever is no character of a URL has to be escaped in it; curl would send it as it is. */
static bool is_printable(sky_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr("\"<>\\^`{|}", text.ptr[i]) != NULL)
            return false;
    return true;
}

/* An empty port is the scheme's own (RFC 3986 §3.2.3). */
static bool is_port(sky_span text)
{
    int64_t port;
    return text.len == 0 || (sky_span_to_int(text, &port) && port >= 1 && port <= PORT_MAX);
}

static bool parse_place(sky_span place, sky_span *ret_host)
{
    sky_span host, port;
    if (place.len > 0 && place.ptr[0] == '[') {
        if (!sky_span_cut(sky_span_tail(place, 1), ']', &host, &port) ||
            !only(host, "0123456789abcdefABCDEF:.") || (port.len > 0 && port.ptr[0] != ':'))
            return false;
        port = sky_span_tail(port, 1);
    } else {
        host = sky_span_head(place, until(place, ":"));
        port = sky_span_tail(place, host.len + 1);
    }
    *ret_host = host;
    return host.len > 0 && until(host, "[]@") == host.len && is_port(port);
}

bool sky_url_parse(sky_span text, struct sky_url *ret_url)
{
    struct sky_url url;
    sky_span rest;
    if (text.len > SKY_URL_MAX || !is_printable(text) ||
        !sky_span_cut(text, ':', &url.scheme, &rest) || !sky_span_starts(rest, SKY_SPAN("//")) ||
        (!sky_span_eq_nocase(url.scheme, SKY_SPAN("http")) &&
         !sky_span_eq_nocase(url.scheme, SKY_SPAN("https"))))
        return false;
    rest = sky_span_tail(rest, 2);
    url.place = sky_span_head(rest, until(rest, "/?#"));
    rest = sky_span_tail(rest, url.place.len);
    url.path = sky_span_head(rest, until(rest, "?#"));
    const char *at = url.place.len > 0 ? memrchr(url.place.ptr, '@', url.place.len) : NULL;
    if (at != NULL)
        url.place = sky_span_tail(url.place, (size_t)(at - url.place.ptr) + 1);
    if (!parse_place(url.place, &url.host))
        return false;
    *ret_url = url;
    return true;
}

sky_span sky_url_shown(sky_span text, char out[SKY_URL_MAX + 1])
{
    struct sky_url url;
    if (!sky_url_parse(text, &url))
        return SKY_SPAN_NONE;
    int len = snprintf(out, SKY_URL_MAX + 1, "%.*s://%.*s%.*s", SKY_SPAN_ARGS(url.scheme),
                       SKY_SPAN_ARGS(url.place), SKY_SPAN_ARGS(url.path));
    return sky_span_of(out, (size_t)len);
}
