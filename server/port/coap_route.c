/* Where a fault can have its hands on whole datagrams, and on handshakes of DTLS: between the
 * socket and the sessions. Whoever is at an address has a route here, from the first datagram that
 * a fault could want on. */
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/port/coap_private.h"

struct sky_coap_route {
    struct sky_coap_port *port;
    struct sockaddr_storage address;
    bool touched; /* by a fault: what goes wrong may not be the device's doing */
    struct sky_coap_route *prev, *next;
};

static struct sky_coap_route *find(struct sky_coap_port *port,
                                   const struct sockaddr_storage *address)
{
    struct sky_coap_route *route;
    DL_FOREACH (port->routes, route)
        if (memcmp(&route->address, address, sizeof *address) == 0)
            return route;
    return NULL;
}

static void drop(struct sky_coap_route *route)
{
    struct sky_coap_port *port = route->port;
    sky_wire_forget(port->broker->wire, route);
    DL_DELETE(port->routes, route);
    port->route_count--;
    free(route);
}

/* The one that has been unused for longest makes room. */
static struct sky_coap_route *route_to(struct sky_coap_port *port,
                                       const struct sockaddr_storage *address)
{
    struct sky_coap_route *route = find(port, address);
    if (route != NULL) {
        DL_DELETE(port->routes, route);
    } else {
        if (port->route_count == SKY_COAP_ROUTES_MAX)
            drop(port->routes);
        route = sky_mem_new(sizeof *route);
        *route = (struct sky_coap_route){.port = port, .address = *address};
        port->route_count++;
    }
    DL_APPEND(port->routes, route);
    return route;
}

void sky_coap__drop_routes(struct sky_coap_port *port)
{
    while (port->routes != NULL)
        drop(port->routes);
}

bool sky_coap__is_touched(struct sky_coap_port *port, const struct sockaddr_storage *address)
{
    const struct sky_coap_route *route = find(port, address);
    return route != NULL && route->touched;
}

/* ---- what the wire can do with one ---- */

static struct sky_coap_channel *channel_at(const struct sky_coap_route *route)
{
    struct sky_dtls_peer *peer = sky_dtls_find(route->port->dtls, &route->address);
    return peer != NULL ? sky_dtls_peer_state(peer) : NULL;
}

static void send_raw(void *owner, sky_span datagram)
{
    const struct sky_coap_route *route = owner;
    sky_coap__send_raw(route->port, &route->address, datagram);
}

static void know(void *owner, struct sky_who *ret_who)
{
    const struct sky_coap_route *route = owner;
    const struct sky_coap_channel *channel = channel_at(route);
    sky_address_text((const struct sockaddr *)&route->address, ret_who->room, sizeof ret_who->room);
    ret_who->listener = sky_span_str(route->port->door.listener->name);
    ret_who->peer = sky_span_str(ret_who->room);
    if (channel != NULL)
        ret_who->identity = sky_span_str(channel->psk.identity);
}

void sky_coap__end_peer(struct sky_dtls_peer *peer, const struct sky_fate *fate)
{
    switch (fate->then) {
    case SKY_BREAK_NONE:
        return;
    case SKY_BREAK_CLOSE:
        sky_dtls_refuse(peer);
        return;
    case SKY_BREAK_RESET:
        sky_dtls_drop(peer);
        return;
    case SKY_BREAK_FREEZE:
        sky_dtls_freeze(peer, fate->fault);
        return;
    }
}

static void end(void *owner, const struct sky_fate *fate)
{
    const struct sky_coap_route *route = owner;
    struct sky_dtls_peer *peer = sky_dtls_find(route->port->dtls, &route->address);
    if (peer != NULL)
        sky_coap__end_peer(peer, fate);
}

static const struct sky_channel_kind route_kind = {.send = send_raw, .know = know, .end = end};

/* ---- datagrams ---- */

static struct sky_event_head head_of(const struct sky_coap_channel *channel,
                                     enum sky_direction direction)
{
    struct sky_event_head head = {
        .type = SKY_EVENT_NOTE, .direction = direction, .transport = SKY_DTLS};
    if (channel != NULL) {
        head.connection = channel->id;
        head.device_id = channel->psk.device_id;
    }
    return head;
}

void sky_coap__send(struct sky_coap_port *port, const struct sockaddr_storage *to,
                    sky_span datagram)
{
    struct sky_wire *wire = port->broker->wire;
    if (port->doomed == 0 && !sky_wire_is_armed(wire, SKY_POINT_DATAGRAM_DOWN)) {
        sky_coap__send_raw(port, to, datagram);
        return;
    }
    struct sky_coap_route *route = route_to(port, to);
    struct sky_coap_channel *channel = channel_at(route);
    struct sky_out out = {.point = SKY_POINT_DATAGRAM_DOWN,
                          .head = head_of(channel, SKY_DOWN),
                          .to = {.channel = route, .kind = &route_kind},
                          .is_raw = true,
                          .as.raw = datagram};
    if (channel != NULL && channel->doom != NULL) {
        out.fate = *channel->doom;
        out.decided = true;
        channel->doom->corrupt = 0; /* its first datagram only: a second try may succeed */
    } else {
        sky_wire_decide(wire, &out);
    }
    route->touched = route->touched || out.fate.name != NULL;
    (void)sky_wire_send(wire, &out);
}

static void feed(void *owner, sky_span datagram)
{
    struct sky_coap_route *route = owner;
    sky_dtls_feed(route->port->dtls, &route->address, datagram);
}

void sky_coap__receive(struct sky_coap_port *port, const struct sockaddr_storage *from,
                       sky_span datagram)
{
    struct sky_wire *wire = port->broker->wire;
    if (!sky_wire_is_armed(wire, SKY_POINT_DATAGRAM_UP)) {
        sky_dtls_feed(port->dtls, from, datagram);
        return;
    }
    struct sky_coap_route *route = route_to(port, from);
    const struct sky_in in = {.point = SKY_POINT_DATAGRAM_UP,
                              .head = head_of(channel_at(route), SKY_UP),
                              .bytes = datagram,
                              .from = {.channel = route, .kind = &route_kind},
                              .again = feed};
    if (sky_wire_enter(wire, &in))
        feed(route, datagram);
    else
        route->touched = true;
}

/* ---- handshakes ---- */

/* Nobody is judged for a handshake that a fault had its hands on. */
void sky_coap__doom(struct sky_coap_channel *channel, const struct sky_carrier *carrier)
{
    struct sky_coap_port *port = channel->port;
    struct sky_wire *wire = port->broker->wire;
    if (!sky_wire_is_armed(wire, SKY_POINT_HANDSHAKE))
        return;
    const struct sky_event_head head = sky_coap__event(channel, SKY_EVENT_PSK_HANDSHAKE, SKY_UP);
    struct sky_passage passage = {.point = SKY_POINT_HANDSHAKE, .head = &head, .carrier = carrier};
    struct sky_fate fate = sky_wire_ask(wire, &passage);
    if (fate.name == NULL)
        return;
    route_to(port, sky_dtls_peer_address(channel->peer))->touched = true;
    if (fate.withhold && fate.then == SKY_BREAK_NONE)
        fate.then = SKY_BREAK_FREEZE;
    sky_coap__end_peer(channel->peer, &fate);
    if (fate.then != SKY_BREAK_NONE)
        return;
    if (fate.corrupt_anywhere)
        fate.corrupt_at = fate.chance % SKY_FATE_FLIGHT_MIN;
    channel->doom = sky_mem_new(sizeof *channel->doom);
    *channel->doom = fate;
    channel->doom->name = "handshake"; /* the fault itself may go before */
    port->doomed++;
}

void sky_coap__spare(struct sky_coap_channel *channel)
{
    struct sky_coap_route *route = find(channel->port, sky_dtls_peer_address(channel->peer));
    if (route != NULL)
        route->touched = false;
    if (channel->doom == NULL)
        return;
    free(channel->doom);
    channel->doom = NULL;
    channel->port->doomed--;
}
