/* A device over CoAP, whatever channels it comes by: when it is there and when not, and what waits
 * for it until it fetches. */
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/pack.h"
#include "server/port/coap.h"
#include "server/port/coap_private.h"

static void record(const struct sky_coap_device *device, enum sky_event_type type,
                   enum sky_direction direction, const struct sky_attr *attrs, size_t count,
                   const struct sky_judge *judge)
{
    const struct sky_event_head head = {.type = type,
                                        .direction = direction,
                                        .transport = SKY_DTLS,
                                        .device_id = device->session->device_id};
    sky_journal_add(device->port->registry->journal, &head, attrs, count, judge);
}

/* ---- presence ---- */

static void on_alarm(struct sky_timer *timer, int64_t now_ms);

/* Hearing from the device only moves last_seen_ms; the alarm looks again when it goes off. */
static void set_alarm(struct sky_coap_device *device)
{
    int64_t due_ms = INT64_MAX;
    const struct sky_coap_channel *channel;
    if (device->online)
        due_ms = device->last_seen_ms + device->lifetime_ms + 1;
    DL_FOREACH (device->channels, channel)
        if (channel->last_seen_ms + SKY_COAP_IDLE_MS < due_ms)
            due_ms = channel->last_seen_ms + SKY_COAP_IDLE_MS;
    if (due_ms == INT64_MAX)
        sky_clock_cancel(device->port->registry->clock, &device->alarm);
    else
        sky_clock_timer(device->port->registry->clock, &device->alarm,
                        due_ms - sky_clock_lived_ms(device->port->registry->clock), on_alarm);
}

static void come_online(struct sky_coap_device *device)
{
    char detail[64];
    snprintf(detail, sizeof detail, "heard of within each %lld s",
             (long long)(device->lifetime_ms / 1000));
    const struct sky_attr attr = SKY_ATTR(DETAIL, sky_span_str(detail));
    device->online = true;
    device->port->online++;
    record(device, SKY_EVENT_ONLINE, SKY_INSIDE, &attr, 1, NULL);
}

static void go_offline(struct sky_coap_device *device, const char *reason,
                       const struct sky_judge *judge)
{
    const struct sky_attr attr = SKY_ATTR(REASON, sky_span_str(reason));
    device->online = false;
    device->port->online--;
    record(device, SKY_EVENT_OFFLINE, SKY_INSIDE, &attr, 1, judge);
}

static void expire(struct sky_coap_device *device, int64_t now_ms)
{
    const struct sky_product_info *product = device->session->product;
    const struct sky_cloud_coap *coap = product->cloud->coap;
    struct sky_judge judge;
    char reason[96];
    snprintf(reason, sizeof reason, "silent for %lld s; the lifetime is %lld s",
             (long long)((now_ms - device->last_seen_ms) / 1000),
             (long long)(device->lifetime_ms / 1000));
    sky_judge_init(&judge, sky_product_policy(device->port->registry, product));
    if (coap != NULL && coap->lifetime_rule != NULL)
        sky_judge_broken(&judge, coap->lifetime_rule, "%s", reason);
    go_offline(device, reason, &judge);
    sky_session_judged(device->session, &judge);
}

static void on_alarm(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_coap_device *device = SKY_CONTAINER_OF(timer, struct sky_coap_device, alarm);
    struct sky_coap_channel *channel, *next;
    if (device->online && now_ms > device->last_seen_ms + device->lifetime_ms)
        expire(device, now_ms);
    DL_FOREACH_SAFE (device->channels, channel, next)
        if (now_ms >= channel->last_seen_ms + SKY_COAP_IDLE_MS)
            sky_coap__close(channel, "idle for too long");
    set_alarm(device);
}

void sky_coap__heard(struct sky_coap_channel *channel)
{
    struct sky_coap_device *device = channel->device;
    int64_t now_ms = sky_clock_lived_ms(device->port->registry->clock);
    channel->last_seen_ms = device->last_seen_ms = device->session->last_seen_ms = now_ms;
    if (device->online)
        return;
    come_online(device);
    set_alarm(device);
}

/* ---- channels ---- */

static const struct sky_fetcher_ops fetcher_ops;

static struct sky_coap_device *device_of(const struct sky_session *session)
{
    return SKY_CONTAINER_OF(session->work->fetcher, struct sky_coap_device, fetcher);
}

static struct sky_coap_device *open_device(struct sky_coap_port *port, struct sky_session *session)
{
    if (session->work->fetcher != NULL)
        return device_of(session);
    struct sky_coap_device *device = sky_mem_new(sizeof *device);
    device->fetcher.ops = &fetcher_ops;
    device->port = port;
    device->session = session;
    sky_session_work(session)->fetcher = &device->fetcher;
    return device;
}

void sky_coap__join(struct sky_coap_channel *channel, struct sky_session *session)
{
    struct sky_coap_device *device = open_device(channel->port, session);
    const struct sky_cloud_coap *coap = session->product->cloud->coap;
    if (device->channel_count == SKY_COAP_CHANNELS_MAX)
        sky_coap__close(device->channels, "the device has opened too many others since");
    DL_APPEND(device->channels, channel);
    device->channel_count++;
    channel->device = device;
    session->last_login_ms = sky_clock_lived_ms(channel->port->registry->clock);
    device->lifetime_ms = coap != NULL && coap->lifetime_ms != NULL
                              ? coap->lifetime_ms(sky_span_str(channel->psk.identity))
                              : SKY_COAP_IDLE_MS;
    sky_coap__heard(channel);
    set_alarm(device);
}

void sky_coap__leave(struct sky_coap_channel *channel)
{
    struct sky_coap_device *device = channel->device;
    if (device == NULL)
        return;
    DL_DELETE(device->channels, channel);
    device->channel_count--;
    channel->device = NULL;
}

/* ---- what waits ---- */

static void record_waiting(const struct sky_coap_device *device, enum sky_event_type type,
                           sky_span topic, uint64_t of, const char *text)
{
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, topic), SKY_ATTR_INT(OF, (int64_t)of),
                                     SKY_ATTR(REASON, sky_span_str(text))};
    record(device, type, SKY_DOWN, attrs, SKY_COUNT(attrs), NULL);
}

static void on_gone(void *ctx, const struct sky_pull_item *item)
{
    record_waiting(ctx, SKY_EVENT_DROP, item->topic, item->of,
                   "the device did not fetch it in time");
}

static void on_expiry(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_coap_device *device = SKY_CONTAINER_OF(timer, struct sky_coap_device, expiry);
    sky_pull_expire(&device->pull, now_ms, on_gone, device);
    sky_coap__watch_waiting(device);
}

void sky_coap__watch_waiting(struct sky_coap_device *device)
{
    struct sky_clock *clock = device->port->registry->clock;
    int64_t next_ms = sky_pull_next_ms(&device->pull);
    if (next_ms == INT64_MAX)
        sky_clock_cancel(clock, &device->expiry);
    else
        sky_clock_timer(clock, &device->expiry, next_ms - sky_clock_lived_ms(clock), on_expiry);
}

/* The moment from which on a message with this time to live is of no use; 0: it is of none. */
static int64_t end_of(const struct sky_coap_device *device, int64_t ttl_ms)
{
    const int64_t longest_ms = SKY_PULL_TTL_MAX_S * INT64_C(1000);
    if (ttl_ms < 0)
        return device->online ? device->last_seen_ms + device->lifetime_ms + 1 : 0;
    if (ttl_ms == 0 || ttl_ms > longest_ms)
        ttl_ms = longest_ms;
    return sky_clock_lived_ms(device->port->registry->clock) + ttl_ms;
}

/* ---- as a fetcher ---- */

static bool is_online(const struct sky_fetcher *fetcher)
{
    return SKY_CONTAINER_OF(fetcher, const struct sky_coap_device, fetcher)->online;
}

_Static_assert(SKY_PULL_PAYLOAD_MAX == 65536 && SKY_PULL_MAX == 50, "as is said");

static struct sky_hindrance hindrance_of(const struct sky_fetcher *fetcher, size_t payload_len,
                                         int64_t ttl_ms)
{
    const struct sky_coap_device *device =
        SKY_CONTAINER_OF(fetcher, const struct sky_coap_device, fetcher);
    if (payload_len > SKY_PULL_PAYLOAD_MAX)
        return (struct sky_hindrance){.err = SKY_ERR_LIMIT,
                                      .reason = "it is longer than the 65536 bytes that can be "
                                                "fetched"};
    if (end_of(device, ttl_ms) == 0)
        return (struct sky_hindrance){.err = SKY_ERR_CONFLICT,
                                      .reason =
                                          "the device is offline, and nothing is to wait for it"};
    if (device->pull.count >= SKY_PULL_MAX)
        return (struct sky_hindrance){.err = SKY_ERR_CONFLICT,
                                      .reason = "50 messages wait for the device already, the most "
                                                "that may"};
    return (struct sky_hindrance){.err = SKY_OK};
}

static struct sky_hindrance push(struct sky_fetcher *fetcher, sky_span topic, sky_span payload,
                                 uint64_t of, int64_t ttl_ms)
{
    struct sky_coap_device *device = SKY_CONTAINER_OF(fetcher, struct sky_coap_device, fetcher);
    struct sky_hindrance hindrance = hindrance_of(fetcher, payload.len, ttl_ms);
    if (hindrance.err == SKY_OK)
        sky_pull_add(&device->pull, topic, payload, of, end_of(device, ttl_ms));
    record_waiting(device, hindrance.err == SKY_OK ? SKY_EVENT_NOTE : SKY_EVENT_DROP, topic, of,
                   hindrance.err == SKY_OK ? "it waits until the device fetches it"
                                           : hindrance.reason);
    sky_coap__watch_waiting(device);
    return hindrance;
}

static bool kick(struct sky_fetcher *fetcher, const char *reason)
{
    struct sky_coap_device *device = SKY_CONTAINER_OF(fetcher, struct sky_coap_device, fetcher);
    struct sky_coap_channel *channel, *next;
    bool any = device->channels != NULL;
    DL_FOREACH_SAFE (device->channels, channel, next)
        sky_coap__close(channel, reason);
    return any;
}

static void forget(struct sky_fetcher *fetcher)
{
    struct sky_coap_device *device = SKY_CONTAINER_OF(fetcher, struct sky_coap_device, fetcher);
    struct sky_clock *clock = device->port->registry->clock;
    (void)kick(fetcher, "the device was forgotten");
    while (device->channels != NULL)
        sky_coap__leave(device->channels); /* they close when the call at hand is over */
    sky_clock_cancel(clock, &device->alarm);
    sky_clock_cancel(clock, &device->expiry);
    if (device->online)
        device->port->online--;
    sky_pull_done(&device->pull);
    device->session->work->fetcher = NULL;
    free(device);
}

static const struct sky_fetcher_ops fetcher_ops = {is_online, hindrance_of, push, kick, forget};

/* ---- kept and put back ---- */

void sky_coap_waiting_write(const struct sky_session *session, struct sky_buf *out)
{
    const struct sky_pull_item *item;
    if (session->work->fetcher == NULL)
        return;
    DL_FOREACH (device_of(session)->pull.items, item) {
        sky_pack_int(out, item->until_ms);
        sky_pack_int(out, (int64_t)item->of);
        sky_pack_span(out, item->topic);
        sky_pack_span(out, item->payload);
    }
}

sky_err sky_coap_waiting_put_back(struct sky_coap_port *port, struct sky_session *session,
                                  sky_span bytes, int64_t shift_ms, const char *reason)
{
    struct sky_unpack in = {.rest = bytes};
    if (session->work->fetcher != NULL) {
        (void)kick(session->work->fetcher, reason);
        forget(session->work->fetcher);
    }
    if (port == NULL || bytes.len == 0)
        return SKY_OK;
    struct sky_coap_device *device = open_device(port, session);
    while (in.rest.len > 0 && !in.bad) {
        int64_t until_ms = sky_unpack_int(&in) + shift_ms, of = sky_unpack_int(&in);
        sky_span topic = sky_unpack_span(&in), payload = sky_unpack_span(&in);
        if (!in.bad)
            in.bad = sky_pull_add(&device->pull, topic, payload, (uint64_t)of, until_ms) != SKY_OK;
    }
    sky_coap__watch_waiting(device);
    return in.bad ? SKY_ERR_INVALID : SKY_OK;
}
