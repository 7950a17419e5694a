/* What is sent to a device: the filters that its session holds, there or away. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/broker/behind.h"
#include "server/broker/presence.h"

struct held {
    sky_span filter;
    uint8_t qos;
};
struct list {
    const struct sky_session *device;
    struct held *held; /* owned */
    size_t count;
};

/* Is this filter of a gateway one to the device's topics? */
static bool names(sky_span filter, const struct sky_session *device)
{
    const struct sky_name own = sky_session_name(device);
    struct sky_name name;
    while (sky_behind_next_pair(&filter, &name.product, &name.device))
        if (sky_span_eq(name.product, own.product) && sky_span_eq(name.device, own.device))
            return true;
    return false;
}

static void take(void *ctx, sky_span filter, uint8_t qos)
{
    struct list *list = ctx;
    if (list->device->work->via == NULL || names(filter, list->device))
        list->held[list->count++] = (struct held){filter, qos};
}

static int compare(const void *a, const void *b)
{
    const struct held *one = a, *other = b;
    return sky_span_order(one->filter, other->filter);
}

static void write_filters(struct sky_api *api, const struct sky_session *session)
{
    const struct sky_subs *subs = api->app->broker.subs;
    struct sky_jw *jw = &api->jw;
    uint32_t slot = sky_session_carrier(session)->slot;
    struct list list = {.device = session,
                        .held = sky_mem_new((1 + sky_subs_count(subs, slot)) * sizeof *list.held)};
    sky_subs_each(subs, slot, take, &list);
    qsort(list.held, list.count, sizeof *list.held, compare);
    for (size_t i = 0; i < list.count; i++) {
        sky_jw_object(jw);
        sky_jw_put_span(jw, "filter", list.held[i].filter);
        sky_jw_put_int(jw, "qos", list.held[i].qos);
        sky_jw_end_object(jw);
    }
    free(list.held);
}

static void put_moment(struct sky_jw *jw, const char *key, const struct sky_clock *clock,
                       int64_t lived_ms)
{
    char text[SKY_TIME_TEXT_MAX];
    sky_time_text(sky_clock_shown_ms(clock, lived_ms), text);
    sky_jw_put_str(jw, key, text);
}

static void write_session(struct sky_api *api, const struct sky_session *session)
{
    const struct sky_session *carrier = sky_session_carrier(session);
    const struct sky_clock *clock = &api->app->clock;
    struct sky_jw *jw = &api->jw;
    sky_jw_put_bool(jw, "online", sky_session_is_online(session));
    sky_jw_put_bool(jw, "kept", carrier->kept);
    if (carrier != session)
        sky_jw_put_str(jw, "gateway", carrier->party->name);
    if (carrier->conn != NULL)
        put_moment(jw, "since", clock, carrier->last_login_ms);
    else if (carrier->kept)
        put_moment(jw, "awaySince", clock, carrier->away_since_ms);
}

void sky_api_device_subscriptions(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct sky_jw *jw = &api->jw;
    if (!sky_api_device(api, &product, &device))
        return;
    struct sky_session *session = sky_session_find(&api->app->registry, device.id);
    if (session != NULL)
        sky_session_expire(&api->app->broker, session);
    sky_jw_object(jw);
    if (session != NULL) {
        write_session(api, session);
    } else {
        sky_jw_put_bool(jw, "online", false);
        sky_jw_put_bool(jw, "kept", false);
    }
    sky_jw_key(jw, "subscriptions");
    sky_jw_array(jw);
    if (session != NULL)
        write_filters(api, session);
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}
