/* The socket, and channels from their handshake to their end. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/net/listen.h"
#include "server/net/tap.h"
#include "server/os/config.h"
#include "server/os/listeners.h"
#include "server/port/coap_private.h"
#include "server/tls/explain.h"
#include "server/tls/rules.h"

enum {
    SOCKET_BUFFER = 4 * 1024 * 1024, /* bytes asked of the kernel: a crowd handshakes at once */
    STRANGER_PERIOD_MS = 1000,
};

/* ---- the journal ---- */

struct sky_event_head sky_coap__event(const struct sky_coap_channel *channel,
                                      enum sky_event_type type, enum sky_direction direction)
{
    return (struct sky_event_head){.type = type,
                                   .direction = direction,
                                   .transport = SKY_DTLS,
                                   .connection = channel->id,
                                   .device_id = channel->psk.device_id};
}

uint64_t sky_coap__record(const struct sky_coap_channel *channel, enum sky_event_type type,
                          enum sky_direction direction, const struct sky_attr *attrs, size_t count,
                          const struct sky_judge *judge)
{
    const struct sky_event_head head = sky_coap__event(channel, type, direction);
    return sky_journal_add(channel->port->registry->journal, &head, attrs, count, judge);
}

/* Whoever has no channel can send as much as it likes under any address: so many of them are
 * journalled a second, the rest is counted. */
static bool may_record_stranger(struct sky_coap_port *port)
{
    const struct sky_registry *registry = port->registry;
    if (registry->clock->real_ms - port->strangers_since_ms >= STRANGER_PERIOD_MS) {
        if (port->hushed > 0) {
            const struct sky_attr attrs[] = {
                SKY_ATTR(NAME, SKY_SPAN("coap-strangers")), SKY_ATTR_INT(COUNT, port->hushed),
                SKY_ATTR(REASON, SKY_SPAN("more datagrams came from strangers than are shown"))};
            const struct sky_event_head head = {
                .type = SKY_EVENT_NOTE, .direction = SKY_UP, .transport = SKY_DTLS};
            sky_journal_add(registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
        }
        port->strangers_since_ms = registry->clock->real_ms;
        port->strangers = port->hushed = 0;
    }
    if (port->strangers == SKY_COAP_STRANGERS_MAX) {
        port->hushed++;
        return false;
    }
    port->strangers++;
    return true;
}

/* ---- failures ---- */

/* Where devices of one cloud only come over DTLS, whoever has not named itself is judged by its
 * rules. NULL: it could be another's. */
static const struct sky_cloud *coap_cloud(void)
{
    const struct sky_cloud *only = NULL;
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        if (sky_clouds[i]->coap != NULL && only != NULL)
            return NULL;
        if (sky_clouds[i]->coap != NULL)
            only = sky_clouds[i];
    }
    return only;
}

static const struct sky_rule *rule_or(const struct sky_rule *rule, const struct sky_rule *general)
{
    return rule != NULL ? rule : general;
}

static const struct sky_rule *rule_of(enum sky_dtls_failure failure)
{
    static const struct sky_cloud_coap none;
    const struct sky_cloud *cloud = coap_cloud();
    const struct sky_cloud_coap *coap = cloud != NULL ? cloud->coap : &none;
    switch (failure) {
    case SKY_DTLS_NOT_DTLS:
        return rule_or(coap->dtls_rule, sky_door_rule(SKY_RULE_DOOR_FIRST_BYTE));
    case SKY_DTLS_NO_PSK:
        return rule_or(coap->psk_rule, sky_tls_rule(SKY_RULE_TLS_NO_COMMON_SUITE));
    case SKY_DTLS_NO_SUITE:
        return rule_or(coap->cipher_rule, sky_tls_rule(SKY_RULE_TLS_NO_COMMON_SUITE));
    case SKY_DTLS_IDENTITY:
        return sky_tls_rule(SKY_RULE_TLS_PSK_IDENTITY);
    case SKY_DTLS_KEY:
        return rule_or(cloud != NULL ? cloud->psk->key_rule : NULL,
                       sky_tls_rule(SKY_RULE_TLS_PSK_KEY));
    case SKY_DTLS_VERSION:
        return sky_tls_rule(SKY_RULE_TLS_VERSION);
    case SKY_DTLS_SILENT:
        return sky_tls_rule(SKY_RULE_TLS_TIMEOUT);
    case SKY_DTLS_STRAY:
        return NULL;
    case SKY_DTLS_BROKEN:
        break;
    }
    return sky_tls_rule(SKY_RULE_TLS_HANDSHAKE);
}

static const char *text_of(enum sky_dtls_failure failure)
{
    static const char *const texts[] = {
        [SKY_DTLS_NOT_DTLS] = "the datagram is no record of DTLS",
        [SKY_DTLS_STRAY] = "the record belongs to no session that is here: the device may have to "
                           "do a new handshake",
        [SKY_DTLS_NO_SUITE] = "the ClientHello offers pre-shared keys, but none of the two suites "
                              "spoken here",
        [SKY_DTLS_NO_PSK] = "the ClientHello offers no suite with a pre-shared key",
        [SKY_DTLS_IDENTITY] = "the identity is longer than 160 bytes, and so no device's",
        [SKY_DTLS_KEY] = "the key is wrong",
        [SKY_DTLS_VERSION] = "the ClientHello offers no DTLS 1.2",
        [SKY_DTLS_SILENT] = "the peer stopped in the middle of the handshake",
        [SKY_DTLS_BROKEN] = "the handshake broke off: a message cannot be right, or the peer sent "
                            "an alert",
    };
    SKY_ASSERT((size_t)failure < SKY_COUNT(texts) && texts[failure] != NULL);
    return texts[failure];
}

static void record_failure(struct sky_coap_port *port, const struct sky_coap_channel *channel,
                           const struct sockaddr_storage *from, enum sky_dtls_failure failure,
                           sky_span datagram)
{
    struct sky_judge judge;
    struct sky_tls_hello hello;
    const struct sky_rule *rule = sky_coap__is_touched(port, from) ? NULL : rule_of(failure);
    char peer[64], offered[SKY_TLS_OFFERED_MAX];
    sky_address_text((const struct sockaddr *)from, peer, sizeof peer);
    sky_judge_init(&judge, &port->registry->policy);
    if (rule != NULL)
        sky_judge_broken(&judge, rule, "%s", text_of(failure));
    struct sky_attr attrs[7] = {SKY_ATTR(LISTENER, sky_span_str(port->door.listener->name)),
                                SKY_ATTR(PEER, sky_span_str(peer)),
                                SKY_ATTR(REASON, sky_span_str(text_of(failure)))};
    size_t count = 3;
    if (sky_tls_hello_parse_dtls(datagram, &hello)) {
        sky_tls_offer_text(&hello, offered);
        attrs[count++] = SKY_ATTR(OFFERED, sky_span_str(offered));
        if (hello.server_name[0] != '\0')
            attrs[count++] = SKY_ATTR(SERVER_NAME, sky_span_str(hello.server_name));
    } else if (datagram.len > 0) {
        attrs[count++] = SKY_ATTR(BYTES_HEX, sky_span_head(datagram, SKY_CONN_BYTES_SHOWN));
    }
    if (channel != NULL && channel->psk.identity[0] != '\0')
        attrs[count++] = SKY_ATTR(IDENTITY, sky_span_str(channel->psk.identity));
    const struct sky_event_head head = {
        .type = failure == SKY_DTLS_NOT_DTLS || failure == SKY_DTLS_STRAY ? SKY_EVENT_MALFORMED
                                                                          : SKY_EVENT_TLS_HANDSHAKE,
        .direction = SKY_UP,
        .transport = SKY_DTLS,
        .connection = channel != NULL ? channel->id : 0,
        .device_id = channel != NULL ? channel->psk.device_id : 0};
    sky_journal_add(port->registry->journal, &head, attrs, count, &judge);
}

static bool fits(void *ctx, const struct sky_psk *guess)
{
    return sky_tls_proof_fits(ctx, sky_span_of(guess->key, guess->len));
}

/* ---- what DTLS calls ---- */

void sky_coap__send_raw(struct sky_coap_port *port, const struct sockaddr_storage *to,
                        sky_span datagram)
{
    uv_buf_t buf = uv_buf_init((char *)datagram.ptr, (unsigned)datagram.len);
    sky_net_settle(port->net);
    /* What the kernel does not take is lost, as datagrams are. */
    (void)uv_udp_try_send(&port->udp, &buf, 1, (const struct sockaddr *)to);
}

static void on_send(void *owner, const struct sockaddr_storage *to, sky_span datagram)
{
    sky_coap__send(owner, to, datagram);
}

static struct sky_coap_channel *channel_for(struct sky_coap_port *port, struct sky_dtls_peer *peer)
{
    struct sky_coap_channel *channel = sky_dtls_peer_state(peer);
    if (channel != NULL)
        return channel;
    channel = sky_mem_new(sizeof *channel);
    channel->port = port;
    channel->peer = peer;
    channel->door = port->door;
    channel->id = ++port->net->last_id;
    sky_rng_bytes(port->registry->rng, &channel->coap.next_id, sizeof channel->coap.next_id);
    sky_dtls_peer_set_state(peer, channel);
    return channel;
}

static sky_err psk_lookup(void *owner, struct sky_dtls_peer *peer, sky_span identity,
                          struct sky_psk *ret_key)
{
    struct sky_coap_port *port = owner;
    struct sky_coap_channel *channel = channel_for(port, peer);
    char from[SKY_PSK_PEER_MAX];
    sky_address_text((const struct sockaddr *)sky_dtls_peer_address(peer), from, sizeof from);
    if (!sky_psk_open(port->registry, &channel->door, channel->id, from, identity, &channel->psk))
        return SKY_ERR_DENIED;
    *ret_key = channel->psk.key;
    const struct sky_carrier carrier = sky_coap__carrier(channel);
    sky_coap__doom(channel, &carrier);
    return SKY_OK;
}

/* What a failed handshake would have broken, this one has kept. */
static void judge_handshake(struct sky_registry *registry, const struct sky_cloud *cloud,
                            struct sky_session *session)
{
    const struct sky_cloud_coap *coap = cloud->coap;
    const struct sky_rule *const kept[] = {
        coap != NULL ? coap->dtls_rule : NULL, coap != NULL ? coap->psk_rule : NULL,
        coap != NULL ? coap->cipher_rule : NULL, sky_tls_rule(SKY_RULE_TLS_VERSION)};
    struct sky_judge judge;
    sky_judge_init(&judge, sky_product_policy(registry, session->product));
    for (size_t i = 0; i < SKY_COUNT(kept); i++)
        if (kept[i] != NULL)
            sky_judge_kept(&judge, kept[i]);
    sky_session_judged(session, &judge);
}

static void on_open(void *owner, struct sky_dtls_peer *peer)
{
    struct sky_coap_port *port = owner;
    struct sky_coap_channel *channel = sky_dtls_peer_state(peer);
    struct sky_session *session = sky_session_find(port->registry, channel->psk.device_id);
    sky_coap__spare(channel);
    if (session == NULL) { /* taken out of the registry meanwhile */
        sky_dtls_close(peer);
        return;
    }
    channel->door.psk_device_id = channel->psk.device_id;
    sky_mem_wipe(channel->psk.key.key, sizeof channel->psk.key.key);
    sky_psk_done(port->registry, &channel->door, channel->id, &channel->psk,
                 sky_span_str(sky_dtls_peer_cipher(peer)));
    judge_handshake(port->registry, channel->psk.cloud, session);
    sky_coap__join(channel, session);
}

static bool is_any(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6
               ? IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr)
               : ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY;
}

/* A socket bound to every address does not say which one a datagram came to: the one from which
 * there is a way to the peer. */
static void find_local(const void *owner, struct sockaddr_storage *ret_local)
{
    const struct sky_coap_channel *channel = owner;
    const struct sockaddr_storage *peer = sky_dtls_peer_address(channel->peer);
    struct sockaddr_storage route = {0};
    socklen_t len = sizeof route;
    int bound_len = sizeof *ret_local;
    (void)uv_udp_getsockname(&channel->port->udp, (struct sockaddr *)ret_local, &bound_len);
    if (!is_any(ret_local))
        return;
    int probe = socket(peer->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (connect(probe, (const struct sockaddr *)peer, sizeof *peer) == 0 &&
        getsockname(probe, (struct sockaddr *)&route, &len) == 0) {
        /* The port is in the same place for both families. */
        ((struct sockaddr_in *)&route)->sin_port = ((struct sockaddr_in *)ret_local)->sin_port;
        *ret_local = route;
    }
    close(probe);
}

void sky_coap__tap(const struct sky_coap_channel *channel, bool from_peer, sky_span clear)
{
    const struct sky_coap_port *port = channel->port;
    if (port->net->tap == NULL)
        return;
    const struct sky_tap_ends ends = {.connection = channel->id,
                                      .datagrams = true,
                                      .listener = channel->door.listener,
                                      .peer = *sky_dtls_peer_address(channel->peer),
                                      .find_local = find_local,
                                      .owner = channel};
    port->net->tap->bytes(port->net->tap, &ends, from_peer, clear);
}

static void on_clear(void *owner, struct sky_dtls_peer *peer, sky_span clear)
{
    struct sky_coap_channel *channel = sky_dtls_peer_state(peer);
    (void)owner;
    if (channel->device == NULL)
        return;
    /* It is as if the datagram had been lost: the device sends it again (RFC 7252 §4.2). */
    if (sky_registry_holds(channel->port->registry, channel->device->session->product->product.id))
        return;
    sky_coap__tap(channel, true, clear);
    sky_coap__serve(channel, clear);
}

static void on_failure(void *owner, struct sky_dtls_peer *peer, const struct sockaddr_storage *from,
                       enum sky_dtls_failure failure, const struct sky_tls_proof *proof,
                       sky_span datagram)
{
    struct sky_coap_port *port = owner;
    struct sky_coap_channel *channel = peer != NULL ? sky_dtls_peer_state(peer) : NULL;
    if (channel == NULL) {
        if (may_record_stranger(port))
            record_failure(port, NULL, from, failure, datagram);
        return;
    }
    if (failure == SKY_DTLS_IDENTITY)
        return; /* told when it was looked up */
    if (failure == SKY_DTLS_KEY && !sky_coap__is_touched(port, from)) {
        struct sky_tls_proof copy = *proof;
        sky_psk_failed(port->registry, &channel->door, channel->id, &channel->psk, fits, &copy);
        return;
    }
    record_failure(port, channel, from, failure, datagram);
}

static void on_close(void *owner, struct sky_dtls_peer *peer)
{
    const struct sky_coap_port *port = owner;
    struct sky_coap_channel *channel = sky_dtls_peer_state(peer);
    if (channel == NULL)
        return;
    if (channel->door.psk_device_id != 0) {
        const char *reason = channel->close_reason;
        const struct sky_attr attrs[] = {
            SKY_ATTR(LISTENER, sky_span_str(channel->door.listener->name)),
            SKY_ATTR(REASON, sky_span_str(reason != NULL ? reason : "the device ended it"))};
        sky_coap__record(channel, SKY_EVENT_CLOSE, SKY_UP, attrs, SKY_COUNT(attrs), NULL);
    }
    if (port->net->tap != NULL)
        port->net->tap->end(port->net->tap, channel->id, NULL, SKY_TAP_WE_LEFT);
    sky_wire_forget(port->broker->wire, channel);
    sky_coap__spare(channel);
    sky_coap__leave(channel);
    sky_coap_peer_done(&channel->coap);
    sky_mem_wipe(&channel->psk, sizeof channel->psk);
    sky_dtls_peer_set_state(peer, NULL);
    free(channel);
}

void sky_coap__close(struct sky_coap_channel *channel, const char *reason)
{
    const struct sky_event_head head = sky_coap__event(channel, SKY_EVENT_CLOSE, SKY_INSIDE);
    if (!sky_wire_may_close(channel->port->broker->wire, &head, reason))
        return;
    if (channel->close_reason == NULL)
        channel->close_reason = reason;
    sky_dtls_close(channel->peer);
}

_Static_assert(SKY_DTLS_HANDSHAKES_MAX == 2000 && SKY_DTLS_HOST_HANDSHAKES_MAX == 1000 &&
                   SKY_DTLS_IDENTITY_MAX == 160,
               "as is said");

static void on_crowd(void *owner, uint64_t turned_away)
{
    struct sky_coap_port *port = owner;
    const struct sky_attr attrs[] = {
        SKY_ATTR(NAME, SKY_SPAN("dtls-crowd")), SKY_ATTR_INT(COUNT, (int64_t)turned_away),
        SKY_ATTR(LISTENER, sky_span_str(port->door.listener->name)),
        SKY_ATTR(
            REASON,
            SKY_SPAN(
                "2000 DTLS handshakes are in progress, or 1000 of one address: the ones that stand "
                "for longest are given up, or newcomers have to try again"))};
    const struct sky_event_head head = {
        .type = SKY_EVENT_NOTE, .direction = SKY_UP, .transport = SKY_DTLS};
    sky_journal_add(port->registry->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

static const struct sky_dtls_hooks hooks = {on_send,    psk_lookup, on_open, on_clear,
                                            on_failure, on_close,   on_crowd};

/* ---- the socket ---- */

/* No buffer ends the reading (UV_ENOBUFS) until the next poll. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct sky_coap_port *port = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init(port->net->read_buf, port->had_its_turn ? 0 : SKY_NET_READ_SIZE);
    port->had_its_turn = false;
}

static void on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags);

static void on_rested(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_coap_port *port = SKY_CONTAINER_OF(timer, struct sky_coap_port, rest);
    (void)now_ms;
    uv_udp_recv_start(&port->udp, on_alloc, on_datagram);
}

/* What the system does not give stays there, and would wake the loop again at once. */
static void rest(struct sky_coap_port *port)
{
    sky_clock_tick(port->net->clock, uv_now(port->net->loop));
    uv_udp_recv_stop(&port->udp);
    sky_clock_patience(port->net->clock, &port->rest, SKY_LISTEN_REST_MS, on_rested);
}

static void on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    struct sky_coap_port *port = udp->data;
    if (len < 0 && len != UV_ENOBUFS)
        rest(port);
    if (len < 0 || from == NULL || (flags & UV_UDP_PARTIAL))
        return;
    struct sockaddr_storage address = {0};
    memcpy(&address, from,
           from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    sky_clock_tick(port->net->clock, uv_now(port->net->loop));
    sky_coap__receive(port, &address, sky_span_of(buf->base, (size_t)len));
    port->had_its_turn = sky_net_turn_over(port->net);
    port->net->sockets.more |= port->had_its_turn;
}

/* ---- opening and closing ---- */

static void on_thaw(void *ctx, uint64_t by)
{
    const struct sky_coap_port *port = ctx;
    if (port->dtls != NULL)
        sky_dtls_thaw(port->dtls, by);
}

static const struct sky_listener_row *find_row(const struct sky_config *config)
{
    const struct sky_listener_row *row;
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++)
        if ((row->allows & SKY_LISTEN_DTLS) && !sky_config_listen(config, row)->off)
            return row;
    return NULL;
}

static sky_err bind_to(struct sky_coap_port *port, const struct sky_listen *want,
                       struct sockaddr_storage *address, struct sky_why *why)
{
    const struct sky_listener_row *row = port->door.listener;
    sky_err err = sky_listener_resolve(row, want, address, why);
    if (err != SKY_OK)
        return err;
    int size = SOCKET_BUFFER, len = sizeof *address;
    int rc = uv_udp_bind(&port->udp, (const struct sockaddr *)address, 0);
    if (rc == 0)
        rc = uv_udp_recv_start(&port->udp, on_alloc, on_datagram);
    if (rc == 0)
        rc = uv_udp_getsockname(&port->udp, (struct sockaddr *)address, &len);
    if (rc != 0)
        return sky_listener_why_busy(row, want, rc, why);
    (void)uv_recv_buffer_size((uv_handle_t *)&port->udp, &size);
    return SKY_OK;
}

sky_err sky_coap_port_open(struct sky_broker *broker, struct sky_net *net,
                           const struct sky_config *config, struct sky_coap_port **ret_port,
                           struct sky_why *why)
{
    const struct sky_listener_row *row = find_row(config);
    if (row == NULL)
        return SKY_OK;
    struct sky_coap_port *port = *ret_port = sky_mem_new(sizeof *port);
    struct sockaddr_storage address = {0};
    port->broker = broker;
    port->registry = broker->registry;
    port->net = net;
    port->door =
        (struct sky_door){.listener = row, .transport = SKY_DTLS, .tls_version = SKY_TLS_1_2};
    sky_buf_init(&port->out, SKY_COAP_SENT_MAX);
    sky_buf_init(&port->body, SKY_COAP_BODY_MAX);
    uv_udp_init(net->loop, &port->udp);
    port->udp.data = port;
    sky_err err = bind_to(port, sky_config_listen(config, row), &address, why);
    if (err != SKY_OK)
        return err;
    const struct sky_dtls_options options = {.hooks = &hooks,
                                             .owner = port,
                                             .timers = &net->clock->patience,
                                             .now_ms = &net->clock->real_ms,
                                             .keylog = net->keylog};
    port->dtls = sky_dtls_new(&options);
    net->on_thaw = on_thaw;
    net->on_thaw_ctx = port;
    sky_listener_add(net, row, sky_config_listen(config, row))->port =
        sky_listener_port_of(&address);
    return SKY_OK;
}

void sky_coap_port_close(struct sky_coap_port *port)
{
    if (port == NULL)
        return;
    sky_dtls_free(port->dtls);
    sky_coap__drop_routes(port);
    port->dtls = NULL;
    sky_clock_forgive(port->net->clock, &port->rest);
    uv_close((uv_handle_t *)&port->udp, NULL);
}

void sky_coap_port_free(struct sky_coap_port *port)
{
    if (port == NULL)
        return;
    sky_buf_done(&port->out);
    sky_buf_done(&port->body);
    free(port);
}

size_t sky_coap_port_channels(const struct sky_coap_port *port)
{
    return port != NULL && port->dtls != NULL ? sky_dtls_peers(port->dtls) : 0;
}

uint64_t sky_coap_port_turned_away(const struct sky_coap_port *port)
{
    return port != NULL && port->dtls != NULL ? sky_dtls_turned_away(port->dtls) : 0;
}

size_t sky_coap_port_online(const struct sky_coap_port *port)
{
    return port != NULL ? port->online : 0;
}
