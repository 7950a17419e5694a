#include "server/net/foreign.h"

#include <stdio.h>

#include "protocol/base/mem.h"

static bool is_http(sky_span in)
{
    static const char *const methods[] = {"GET ",     "POST ",  "PUT ",   "HEAD ",    "DELETE ",
                                          "OPTIONS ", "PATCH ", "TRACE ", "CONNECT ", "PRI "};
    for (size_t i = 0; i < SKY_COUNT(methods); i++)
        if (sky_span_starts(in, sky_span_str(methods[i])))
            return true;
    return false;
}

/* CONNECT and the name of its protocol, behind one to four bytes of length. */
static bool is_mqtt(sky_span in)
{
    size_t at = 1;
    while (at < in.len && at < 4 && (in.ptr[at] & 0x80) != 0)
        at++;
    sky_span name = at + 3 < in.len ? sky_span_tail(in, at + 3) : SKY_SPAN_NONE;
    return in.len > 0 && in.ptr[0] == 0x10 &&
           (sky_span_starts(name, SKY_SPAN("MQTT")) || sky_span_starts(name, SKY_SPAN("MQIsdp")));
}

/* A record of a handshake (RFC 5246 §6.2.1). */
static bool is_tls(sky_span in)
{
    return sky_span_starts(in, SKY_SPAN("\x16\x03"));
}

/* A request as datagrams have it (RFC 7252 §3), a record of DTLS (RFC 6347 §4.1), or what opens
 * CoAP over TCP (RFC 8323 §5.3); but nothing that a packet of MQTT may begin with. */
static bool is_coap(sky_span in)
{
    if (in.len < 2)
        return false;
    uint8_t first = (uint8_t)in.ptr[0], code = (uint8_t)in.ptr[1];
    bool request = (first & 0xe0) == 0x40 && (first & 0x0f) - 1u < 8 && code >= 1 && code <= 4;
    bool opening = (first == 0 || first == 0x20) && code == 0xe1;
    return request || opening || sky_span_starts(in, SKY_SPAN("\x16\xfe"));
}

/* What a listener speaks that has one of `allows`. */
static const struct tongue {
    const char *name;
    unsigned allows;
    bool (*is)(sky_span in);
} tongues[] = {
    {"HTTP", SKY_LISTEN_HTTP, is_http},
    {"MQTT", SKY_LISTEN_MQTT, is_mqtt},
    {"TLS", SKY_LISTEN_TLS, is_tls},
    {"CoAP", SKY_LISTEN_DTLS, is_coap},
};

static void say_where(const struct sky_net *net, const struct tongue *tongue, struct sky_buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < net->listener_count; i++) {
        const struct sky_listener *listener = &net->listeners[i];
        if (listener->row->allows & tongue->allows)
            sky_buf_addf(out, "%s %s (%u)", count++ > 0 ? "," : " which is spoken on",
                         listener->row->name, listener->port);
    }
    if (count == 0)
        sky_buf_add_str(out, " which is spoken on no listener that is open");
    else if (tongue->allows == SKY_LISTEN_DTLS)
        sky_buf_add_str(out, " by UDP");
}

const char *sky_foreign_words(const struct sky_conn *conn, sky_span bytes, const char *what,
                              char out[SKY_FOREIGN_TEXT])
{
    const struct sky_listener_row *here = conn->door->listener;
    const struct tongue *tongue = NULL;
    for (size_t i = 0; i < SKY_COUNT(tongues) && tongue == NULL; i++)
        if (tongues[i].is(bytes))
            tongue = &tongues[i];
    bool clear = conn->work->tls == NULL && !(here->allows & SKY_LISTEN_CLEAR);
    if (tongue == NULL || ((here->allows & tongue->allows) && !clear))
        return what;
    struct sky_buf text;
    sky_buf_init(&text, SKY_FOREIGN_TEXT - 1);
    sky_buf_addf(&text, "this looks like %s", tongue->name);
    if (here->allows & tongue->allows)
        sky_buf_addf(&text, " without TLS");
    else {
        sky_buf_add_byte(&text, ',');
        say_where(conn->net, tongue, &text);
        sky_buf_addf(&text, ", not on %s", here->name);
    }
    sky_buf_addf(&text, ": %s", what);
    sky_span_copy(sky_buf_span(&text), out, SKY_FOREIGN_TEXT);
    sky_buf_done(&text);
    return out;
}
